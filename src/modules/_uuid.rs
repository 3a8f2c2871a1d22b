//! `_uuid`: identifiers from the time and the network card's address (RFC 9562, version 1).
//!
//! ```text
//!  time, 60 bits (100 ns since 15 October 1582)   sequence, 14 bits   address, 48 bits
//! ```
//!
//! Two identifiers of one interpreter differ in their time, which goes up by one at least. Those of others with the same
//! address differ in the sequence number, which is random for each interpreter of each process: so likely that a program
//! is told that it is not "safe", as no one gives the numbers out for the whole machine.

use crate::modules::ModuleSpec;
use crate::modules::posix::system;
use crate::object::{AsObject, MethodDef, PyObject, PyResult, Ref};
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::bytes::PyBytes;
use crate::types::dict::PyDict;
use crate::types::int::PyInt;
use crate::types::module::PyModule;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_uuid",
    doc: "",
    methods: &[MethodDef::no_args(
        "generate_time_safe",
        generate_time_safe,
        "generate_time_safe($module, /)\n--\n\n\
         The bytes of an identifier made from the time, and whether it is surely the only one: -1, it is not.",
    )],
    types: &[],
    exec: Some(exec),
};

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    module.add(ts, "has_uuid_generate_time_safe", &py_bool(true))?;
    module.add(ts, "has_stable_extractable_node", &py_bool(hardware_address().is_some()))
}

/// From the beginning of the Gregorian calendar to 1970, in 100 ns.
const TO_1970: u64 = 0x01B2_1DD2_1381_4000;

/// What is kept between calls.
#[derive(Clone, Copy, Default)]
struct State {
    /// The process that it belongs to.
    process: u32,
    last: u64,
    sequence: u16,
    node: [u8; 6],
}

impl State {
    fn to_bytes(self) -> [u8; 20] {
        let mut bytes = [0; 20];
        bytes[..4].copy_from_slice(&self.process.to_le_bytes());
        bytes[4..12].copy_from_slice(&self.last.to_le_bytes());
        bytes[12..14].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[14..].copy_from_slice(&self.node);
        bytes
    }

    fn from_bytes(bytes: &[u8; 20]) -> State {
        let mut state = State::default();
        let (mut process, mut last, mut sequence) = ([0; 4], [0; 8], [0; 2]);
        process.copy_from_slice(&bytes[..4]);
        last.copy_from_slice(&bytes[4..12]);
        sequence.copy_from_slice(&bytes[12..14]);
        state.node.copy_from_slice(&bytes[14..]);
        State {
            process: u32::from_le_bytes(process),
            last: u64::from_le_bytes(last),
            sequence: u16::from_le_bytes(sequence),
            ..state
        }
    }

    fn new(ts: &ThreadState, process: u32) -> PyResult<State> {
        let mut random = [0u8; 8];
        let done = system::call(ts, || {
            // SAFETY: pointer and length are those of the buffer.
            unsafe { libc::getrandom(random.as_mut_ptr().cast(), random.len(), 0) }
        })?;
        debug_assert_eq!(done, 8, "so few bytes are always given at once");
        let [a, b, node @ ..] = random;
        let node = hardware_address().unwrap_or_else(|| {
            let mut node = node;
            // A group's address is no card's.
            node[0] |= 1;
            node
        });
        Ok(State { process, last: 0, sequence: u16::from_le_bytes([a, b]) & 0x3FFF, node })
    }
}

/// The address of the first network card that has one.
fn hardware_address() -> Option<[u8; 6]> {
    let mut first: *mut libc::ifaddrs = core::ptr::null_mut();
    // SAFETY: there is room for the result.
    if unsafe { libc::getifaddrs(&mut first) } != 0 {
        return None;
    }
    let mut found = None;
    let mut next = first;
    // SAFETY: the list is whole until it is freed.
    while let Some(interface) = unsafe { next.as_ref() } {
        next = interface.ifa_next;
        // SAFETY: an address begins with its family.
        let is_card = unsafe { interface.ifa_addr.as_ref() }
            .is_some_and(|address| i32::from(address.sa_family) == libc::AF_PACKET);
        if is_card {
            // SAFETY: that is what addresses of this family are.
            let card = unsafe { &*interface.ifa_addr.cast::<libc::sockaddr_ll>() };
            let [a, b, c, d, e, f, ..] = card.sll_addr;
            if card.sll_halen == 6 && [a, b, c, d, e, f] != [0; 6] {
                found = Some([a, b, c, d, e, f]);
                break;
            }
        }
    }
    // SAFETY: the list is the one from above, and nobody uses it any more.
    unsafe { libc::freeifaddrs(first) };
    found
}

fn kept(ts: &ThreadState) -> PyResult<Ref<PyDict>> {
    let interp = ts.interp();
    if let Some(all) = interp.native_state.get() {
        return Ok(all);
    }
    let all = PyDict::new(ts)?;
    interp.native_state.set(Some(all.clone()));
    Ok(all)
}

fn generate_time_safe(ts: &ThreadState, _: &PyObject) -> PyResult {
    // SAFETY: no conditions.
    let process = unsafe { libc::getpid() } as u32;
    let (all, name) = (kept(ts)?, PyStr::intern(ts, "_uuid.state")?);
    let before = match all.get_str(ts, &name)? {
        Some(bytes) => {
            bytes.downcast::<PyBytes>().and_then(|bytes| bytes.as_slice().try_into().ok().map(State::from_bytes))
        }
        None => None,
    };
    let mut state = match before {
        Some(state) if state.process == process => state,
        _ => State::new(ts, process)?,
    };
    let now = (crate::modules::time::now(ts)? / 100) as u64 + TO_1970;
    state.last = now.max(state.last + 1);
    all.set_str(ts, &name, PyBytes::new(ts, &state.to_bytes())?.as_object())?;
    let time = state.last;
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&(time as u32).to_be_bytes());
    bytes[4..6].copy_from_slice(&((time >> 32) as u16).to_be_bytes());
    bytes[6..8].copy_from_slice(&((time >> 48) as u16 & 0x0FFF | 0x1000).to_be_bytes());
    bytes[8..10].copy_from_slice(&(state.sequence | 0x8000).to_be_bytes());
    bytes[10..].copy_from_slice(&state.node);
    Ok(PyTuple::from_array(ts, [PyBytes::new(ts, &bytes)?.into_object(), PyInt::from_i64(ts, -1)?])?.into_object())
}
