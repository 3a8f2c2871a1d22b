//! The handler of SIGSEGV: it knows the pool, and passes everything on to the handler that was there before.

use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use super::pool;
use super::report::{self, Access};
use crate::domain::NoMemory;

struct Old(UnsafeCell<MaybeUninit<libc::sigaction>>);
// SAFETY: written by `install` before `INSTALLED` is set, which happens at pre-initialization only; read after.
unsafe impl Sync for Old {}
static OLD: Old = Old(UnsafeCell::new(MaybeUninit::zeroed()));
static INSTALLED: AtomicBool = AtomicBool::new(false);

fn action() -> libc::sigaction {
    // SAFETY: zeros are a valid action.
    let mut action = unsafe { MaybeUninit::<libc::sigaction>::zeroed().assume_init() };
    action.sa_sigaction = handle as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
    action
}

/// Installs the handler, if it is not there.
pub(super) fn install() -> Result<(), NoMemory> {
    if INSTALLED.load(Ordering::Acquire) {
        return Ok(());
    }
    // SAFETY: valid actions; nobody reads the old one yet.
    if unsafe { libc::sigaction(libc::SIGSEGV, &action(), OLD.0.get().cast()) } != 0 {
        return Err(NoMemory);
    }
    INSTALLED.store(true, Ordering::Release);
    Ok(())
}

/// Puts the old handler back, unless somebody else has put one over ours: that one goes on passing signals on to us.
pub(super) fn remove() {
    if !INSTALLED.load(Ordering::Acquire) {
        return;
    }
    // SAFETY: room for an action; the old one is whole, as the flag says.
    unsafe {
        let mut now = MaybeUninit::<libc::sigaction>::zeroed();
        if libc::sigaction(libc::SIGSEGV, ptr::null(), now.as_mut_ptr()) == 0
            && now.assume_init().sa_sigaction == action().sa_sigaction
            && libc::sigaction(libc::SIGSEGV, OLD.0.get().cast(), ptr::null_mut()) == 0
        {
            INSTALLED.store(false, Ordering::Release);
        }
    }
}

#[allow(clippy::unnecessary_cast, reason = "the register is of another width elsewhere")]
fn access(context: *mut c_void) -> Access {
    #[cfg(target_arch = "x86_64")]
    if !context.is_null() {
        const WROTE: i64 = 2;
        // SAFETY: the kernel passes such a context to a handler with SA_SIGINFO.
        let error = unsafe { (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs[libc::REG_ERR as usize] };
        return if error as i64 & WROTE != 0 { Access::Write } else { Access::Read };
    }
    let _ = context;
    Access::Unknown
}

unsafe extern "C" fn handle(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes such a struct to a handler with SA_SIGINFO.
    let at = unsafe { (*info).si_addr() }.cast::<u8>();
    if pool::in_pool(at) {
        report::fault(at, access(context));
    }
    // SAFETY: the old action is whole: the handler was installed after it was kept.
    unsafe {
        let old = *OLD.0.get().cast::<libc::sigaction>();
        match old.sa_sigaction {
            libc::SIG_DFL | libc::SIG_IGN => {
                // The instruction is executed again when we return, and then ends the process.
                let mut default = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
                default.sa_sigaction = libc::SIG_DFL;
                libc::sigaction(signal, &default, ptr::null_mut());
                // A signal that somebody has sent would not come again by itself.
                if (*info).si_code <= 0 {
                    libc::raise(signal);
                }
            }
            handler if old.sa_flags & libc::SA_SIGINFO != 0 => {
                let handler = core::mem::transmute::<
                    usize,
                    unsafe extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut c_void),
                >(handler);
                handler(signal, info, context);
            }
            handler => {
                let handler = core::mem::transmute::<usize, unsafe extern "C" fn(libc::c_int)>(handler);
                handler(signal);
            }
        }
    }
}
