//! A worker runs the program without a failure, and forks a child at each allocation that is to fail.
//!
//! W1: a worker has one child at a time, so what they share (the positions of open files) is put back when
//! the child has ended.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hognose_allocators::Domain;
use hognose_allocators::fault::{self, Failing, Plan};

use super::point::{Mode, Point, phase};
use super::report::{self, Counts, Tally, complaint, describe};
use super::{Options, single};

/// What this process is in the sweep.
enum Role {
    None,
    Worker(Worker),
    /// A child: `FIRST` and `LAST` say what fails in it.
    Child,
}

struct Worker {
    options: Options,
    /// Which of the workers it is.
    index: u64,
    counts: &'static Counts,
    /// Where reports go.
    out: File,
    /// Standard error of the children.
    errors: File,
}

thread_local! {
    /// The sweep runs in the main thread; other threads of the program fail nothing in a worker.
    static ROLE: RefCell<Role> = const { RefCell::new(Role::None) };
}

/// Whether this process is a worker or a child. Read in any thread.
static PART: AtomicBool = AtomicBool::new(false);
/// For the other threads of a child: the first allocation that fails, and the last.
static FIRST: AtomicU64 = AtomicU64::new(0);
static LAST: AtomicU64 = AtomicU64::new(0);
static DOMAINS: AtomicU64 = AtomicU64::new(0);

pub fn is_part() -> bool {
    PART.load(Ordering::Relaxed)
}

/// Begins to count, in a worker.
pub fn arm() {
    if is_part() {
        let domains = DOMAINS.load(Ordering::Relaxed) as u8;
        fault::arm_plan(Plan { domains, failing: Failing::Asked(ask) });
    }
}

/// Whether the request fails. In a worker, a child is tried out first.
fn ask(_: Domain, n: u64) -> bool {
    let first = FIRST.load(Ordering::Relaxed);
    if first != 0 {
        return (first..=LAST.load(Ordering::Relaxed)).contains(&n);
    }
    ROLE.with(|role| {
        // A request from inside of what follows would find the role borrowed; there is none, but a
        // program's signal handler may run at any place.
        let Ok(mut role) = role.try_borrow_mut() else { return false };
        let Role::Worker(worker) = &mut *role else { return false };
        let fails = worker.visit(n);
        if fails {
            *role = Role::Child;
        }
        fails
    })
}

impl Worker {
    /// Tries the modes out at a request, if it is this worker's; true in a child, where it fails.
    fn visit(&mut self, n: u64) -> bool {
        let options = &self.options;
        let from = options.from;
        if n < from || n > options.to || !(n - from).is_multiple_of(options.step) {
            return false;
        }
        if (n - from) / options.step % options.jobs != self.index || options.phases & 1 << phase() as u8 == 0 {
            return false;
        }
        let modes = options.modes.clone();
        for mode in modes {
            match self.try_out(n, mode) {
                Ok(Outcome::Parent) => {}
                Ok(Outcome::Child) => return true,
                Err(error) => self.give_up(&error),
            }
        }
        false
    }

    /// Ends the worker: the sweep cannot be done.
    fn give_up(&mut self, error: &str) -> ! {
        // The status says it all if this cannot be written.
        let _ = writeln!(self.out, "hognose-oom-sweep: {error}");
        // SAFETY: ends the process at once.
        unsafe { libc::_exit(GAVE_UP) }
    }

    fn try_out(&mut self, n: u64, mode: Mode) -> Result<Outcome, String> {
        if threads() != 1 {
            // The other threads would be missing in a child.
            if !self.counts.defer(n, mode) {
                return Err("the program has too many allocations while it has several threads: use --exec".into());
            }
            return Ok(Outcome::Parent);
        }
        let phase = phase();
        let begin = |worker: &Worker| {
            redirect(worker.errors.as_raw_fd(), 2);
            LAST.store(if mode == Mode::Persistent { u64::MAX } else { n }, Ordering::Relaxed);
            FIRST.store(n, Ordering::Relaxed);
        };
        let mut ended = self.in_child(begin)?;
        if let Some((None, _)) = ended {
            // A machine that is busy, or was asleep, is not a program that hangs: that hangs again.
            ended = self.in_child(begin)?;
        }
        let Some((status, errors)) = ended else { return Ok(Outcome::Child) };
        let why = complaint(status);
        self.counts.note(phase, why.is_none());
        if let Some(why) = why {
            let point = Point { at: n, mode, domains: self.options.domains, stack: false };
            let mut text = describe(&point, phase, &why, &errors, &self.options.rest);
            if self.counts.stacks.fetch_add(1, Ordering::Relaxed) < self.options.stacks {
                let shown = self.in_child(|worker| {
                    redirect(worker.errors.as_raw_fd(), 2);
                    report::show_stack_and_end();
                })?;
                if let Some((_, stack)) = shown {
                    text.push_str(&stack);
                }
            }
            self.out.write_all(text.as_bytes()).map_err(|e| e.to_string())?;
        }
        Ok(Outcome::Parent)
    }

    /// Forks; does something in the child. `None` in the child; in the parent, how the child ended.
    fn in_child(&mut self, child: impl FnOnce(&Worker)) -> Result<Option<(Option<ExitStatus>, String)>, String> {
        let positions = positions();
        let emptied = self.errors.set_len(0).and_then(|()| io::Seek::rewind(&mut self.errors));
        emptied.map_err(|e| e.to_string())?;
        // SAFETY: the process has one thread (the stack is shown in a child of such a process, too).
        let pid = unsafe { libc::fork() };
        match pid {
            -1 => Err(io::Error::last_os_error().to_string()),
            0 => {
                child(self);
                Ok(None)
            }
            _ => {
                let status = wait(pid, self.options.timeout)?;
                let errors = single::read_all(&self.errors);
                put_back(&positions);
                Ok(Some((status, errors)))
            }
        }
    }
}

enum Outcome {
    Parent,
    Child,
}

/// The status of a worker that could not go on.
const GAVE_UP: i32 = 252;

/// The sweep by forking workers.
pub fn sweep(options: &Options, run: &dyn Fn(&[OsString]) -> i32) -> Result<Tally, String> {
    let counts = shared_counts()?;
    let mut workers = Vec::new();
    for index in 0..options.jobs {
        let own_errors = memory_file().map_err(|e| e.to_string())?;
        // SAFETY: nothing runs yet but this thread.
        match unsafe { libc::fork() } {
            -1 => return Err(io::Error::last_os_error().to_string()),
            0 => {
                let status = work(options, index, counts, &own_errors, run);
                // SAFETY: ends the process; the standard streams of Rust have nothing that matters.
                unsafe { libc::_exit(status) }
            }
            pid => workers.push((pid, own_errors)),
        }
    }
    let mut failed = None;
    for (pid, errors) in workers {
        let status = wait(pid, u64::MAX)?;
        if let Some(why) = complaint(status) {
            failed = Some(format!("the program does not end cleanly without a failure: {why}\n{}", contents(&errors)));
        } else if status.and_then(|status| status.code()) == Some(GAVE_UP) {
            failed = Some("a worker has given up".into());
        }
    }
    if let Some(failed) = failed {
        return Err(failed);
    }
    for (at, mode) in counts.deferred() {
        single::try_point(at, mode, options, counts)?;
    }
    Ok(counts.tally())
}

/// A worker's life.
fn work(
    options: &Options,
    index: u64,
    counts: &'static Counts,
    own_errors: &File,
    run: &dyn Fn(&[OsString]) -> i32,
) -> i32 {
    let prepared = || -> io::Result<Worker> {
        let null = File::options().read(true).write(true).open("/dev/null")?;
        // SAFETY: a fresh descriptor, which the file owns from now on.
        let out = unsafe { File::from_raw_fd(checked(libc::fcntl(1, libc::F_DUPFD_CLOEXEC, 700))?) };
        redirect(null.as_raw_fd(), 0);
        redirect(null.as_raw_fd(), 1);
        redirect(own_errors.as_raw_fd(), 2);
        Ok(Worker { options: options.clone(), index, counts, out, errors: memory_file()? })
    };
    // A worker does not outlive the command.
    // SAFETY: the call concerns this process only.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    match prepared() {
        Ok(worker) => ROLE.set(Role::Worker(worker)),
        Err(error) => {
            eprintln!("{error}");
            return GAVE_UP;
        }
    }
    DOMAINS.store(u64::from(options.domains), Ordering::Relaxed);
    PART.store(true, Ordering::Relaxed);
    let status = run(&single::with_name(&options.rest));
    let is_worker = FIRST.load(Ordering::Relaxed) == 0;
    if is_worker {
        counts.allocations.fetch_max(fault::count(), Ordering::Relaxed);
    }
    match status {
        // A program's own status must not look like a worker's trouble.
        GAVE_UP => 1,
        status => status & 0xFF,
    }
}

/* ---- The system ---- */

fn checked(result: i32) -> io::Result<i32> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn redirect(from: RawFd, to: RawFd) {
    // SAFETY: both are open descriptors of this process.
    unsafe { libc::dup2(from, to) };
}

/// A file that exists in memory only, out of the way of the descriptors that a program gets.
pub fn memory_file() -> io::Result<File> {
    // SAFETY: the name is a C string; the first descriptor is closed when it has been moved.
    unsafe {
        let low = checked(libc::memfd_create(c"hognose-oom-sweep".as_ptr(), libc::MFD_CLOEXEC))?;
        let high = checked(libc::fcntl(low, libc::F_DUPFD_CLOEXEC, 700));
        libc::close(low);
        Ok(File::from_raw_fd(high?))
    }
}

pub fn contents(file: &File) -> String {
    single::read_all(file)
}

/// Counts that the processes of the sweep share.
pub fn shared_counts() -> Result<&'static Counts, String> {
    let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
    let (read_write, size) = (libc::PROT_READ | libc::PROT_WRITE, size_of::<Counts>());
    // SAFETY: a fresh mapping at an address of the system's choice.
    let at = unsafe { libc::mmap(std::ptr::null_mut(), size, read_write, flags, -1, 0) };
    if at == libc::MAP_FAILED {
        return Err(io::Error::last_os_error().to_string());
    }
    // SAFETY: the mapping is zeroed, large enough, aligned to a page, and stays for ever; zero is a valid count.
    Ok(unsafe { &*at.cast::<Counts>() })
}

/// How many threads this process has.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count)
}

/// The positions of the open files.
fn positions() -> Vec<(RawFd, i64)> {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return Vec::new() };
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<RawFd>().ok());
    numbers
        .filter(|fd| (3..700).contains(fd))
        // SAFETY: the call only asks; for what has no position it fails.
        .map(|fd| (fd, unsafe { libc::lseek(fd, 0, libc::SEEK_CUR) }))
        .filter(|(_, at)| *at >= 0)
        .collect()
}

fn put_back(positions: &[(RawFd, i64)]) {
    for (fd, at) in positions {
        // SAFETY: the descriptor is still this process's; W1.
        unsafe { libc::lseek(*fd, *at, libc::SEEK_SET) };
    }
}

/// Waits for a child; after so many seconds it is killed, and there is no status.
fn wait(pid: libc::pid_t, seconds: u64) -> Result<Option<ExitStatus>, String> {
    let timeout = i32::try_from(seconds.saturating_mul(1000)).unwrap_or(-1);
    // SAFETY: calls about our own child; the structures live through the calls.
    unsafe {
        let mut in_time = true;
        let handle = libc::syscall(libc::SYS_pidfd_open, pid, 0) as RawFd;
        if handle >= 0 {
            let mut poll = libc::pollfd { fd: handle, events: libc::POLLIN, revents: 0 };
            in_time = loop {
                match libc::poll(&raw mut poll, 1, timeout) {
                    0 => break false,
                    -1 if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
                    _ => break true,
                }
            };
            libc::close(handle);
        }
        if !in_time {
            libc::kill(pid, libc::SIGKILL);
        }
        let mut status = 0;
        while libc::waitpid(pid, &raw mut status, 0) < 0 {
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error.to_string());
            }
        }
        Ok(in_time.then(|| ExitStatus::from_raw(status)))
    }
}
