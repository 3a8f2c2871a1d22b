//! `_random`: the Mersenne Twister (MT19937) under `random.Random`.

use core::cell::{Cell, UnsafeCell};

use crate::modules::ModuleSpec;
use crate::object::{
    Args, MethodDef, PyObject, PyResult, PyTypeObject, Ref, StaticType, TypeSlots, TypeSpec, alloc, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::{Draft, PyInt};
use crate::types::none::is_none;
use crate::types::tuple::PyTuple;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_random",
    doc: "Module implements the Mersenne Twister random number generator.",
    types: &[&RANDOM_TYPE],
    ..ModuleSpec::EMPTY
};

/// The words of the generator's state, and the distance of the recurrence.
const N: usize = 624;
const M: usize = 397;

/// A generator: its state, and how many of the state's words have been given out.
#[repr(C)]
pub struct PyRandom {
    ob_base: PyObject,
    index: Cell<usize>,
    state: UnsafeCell<[u32; N]>,
}
crate::native!(PyRandom, RANDOM_TYPE);

/// The type `_random.Random`.
pub static RANDOM_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_random.Random",
    basicsize: core::mem::size_of::<PyRandom>(),
    flags: flags::BASETYPE,
    doc: "Random() -> create a random number generator with its own internal state.",
    slots: TypeSlots { new: Some(random_new), dealloc: Some(random_dealloc), ..TypeSlots::EMPTY },
    methods: &[
        MethodDef::no_args("random", random, "random($self, /)\n--\n\nrandom() -> x in the interval [0, 1)."),
        MethodDef::positional(
            "seed",
            seed_method,
            "seed($self, n=None, /)\n--\n\nseed([n]) -> None.\n\nDefaults to use urandom and falls back to a combination\nof the current time and the process identifier.",
        ),
        MethodDef::no_args(
            "getstate",
            getstate,
            "getstate($self, /)\n--\n\ngetstate() -> tuple containing the current state.",
        ),
        MethodDef::one(
            "setstate",
            setstate,
            "setstate($self, state, /)\n--\n\nsetstate(state) -> None.  Restores generator state.",
        ),
        MethodDef::one(
            "getrandbits",
            getrandbits,
            "getrandbits($self, k, /)\n--\n\ngetrandbits(k) -> x.  Generates an int with k random bits.",
        ),
    ],
    ..TypeSpec::EMPTY
});

impl PyRandom {
    /// The state.
    #[allow(clippy::mut_from_ref, reason = "the state lies in a cell; see the safety comment")]
    fn state(&self) -> &mut [u32; N] {
        // SAFETY: the GIL is held, each caller uses the result only until the next call of anything
        // else, and no method runs Python code while it has it.
        unsafe { &mut *self.state.get() }
    }

    /// The next 32 random bits.
    fn next(&self) -> u32 {
        let mut index = self.index.get();
        if index >= N {
            refill(self.state());
            index = 0;
        }
        self.index.set(index + 1);
        let mut y = self.state()[index];
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c_5680;
        y ^= y << 15 & 0xefc6_0000;
        y ^ y >> 18
    }

    fn seed_with(&self, key: &[u32]) {
        seed_state(self.state(), key);
        self.index.set(N);
    }
}

/// Computes the next N words.
fn refill(state: &mut [u32; N]) {
    for i in 0..N {
        let y = state[i] & 0x8000_0000 | state[(i + 1) % N] & 0x7fff_ffff;
        let twist = if y & 1 != 0 { 0x9908_b0df } else { 0 };
        state[i] = state[(i + M) % N] ^ y >> 1 ^ twist;
    }
}

/// Initializes the state from a key of any length but zero.
fn seed_state(state: &mut [u32; N], key: &[u32]) {
    state[0] = 19650218;
    for i in 1..N {
        let previous = state[i - 1];
        state[i] = 1812433253u32.wrapping_mul(previous ^ previous >> 30).wrapping_add(i as u32);
    }
    let mut i = 1;
    let mut advance = |state: &mut [u32; N], factor: u32, addend: u32| {
        let previous = state[i - 1];
        state[i] = (state[i] ^ (previous ^ previous >> 30).wrapping_mul(factor)).wrapping_add(addend);
        i += 1;
        if i >= N {
            state[0] = state[N - 1];
            i = 1;
        }
        i
    };
    let mut at = 1;
    for count in 0..N.max(key.len()) {
        let j = count % key.len();
        at = advance(state, 1664525, key[j].wrapping_add(j as u32));
    }
    for _ in 0..N - 1 {
        at = advance(state, 1566083941, (at as u32).wrapping_neg());
    }
    state[0] = 0x8000_0000;
}

fn random_new(ts: &ThreadState, typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    let exact = core::ptr::eq(typ, &RANDOM_TYPE.object);
    if exact && args.has_keywords() {
        return raise!(ts, exc::TypeError, "Random() takes no keyword arguments");
    }
    if exact && args.len() > 1 {
        return raise!(ts, exc::TypeError, "Random() requires 0 or 1 argument");
    }
    let random: Ref<PyRandom> = alloc::object::<PyRandom>(ts, typ)?;
    if typ.is_gc() {
        gc::track(ts, &*random);
    }
    // A subclass may take what it likes; only the first argument can be a seed.
    seed(ts, &random, args.positional().first().copied())?;
    Ok(random.into_object())
}

unsafe fn random_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the object is at its end and owns nothing but its memory.
    unsafe { alloc::free(ts, object) }
}

fn seed(ts: &ThreadState, random: &PyRandom, with: Option<&PyObject>) -> PyResult<()> {
    let Some(with) = with.filter(|with| !is_none(with)) else {
        return seed_from_system(ts, random);
    };
    let mut scratch = 0;
    // Any object seeds with its hash, an int with its magnitude.
    let words = match with.downcast::<PyInt>() {
        Some(int) => int.magnitude(&mut scratch).1,
        None => {
            scratch = protocol::hash(ts, with)? as u64;
            core::slice::from_ref(&scratch)
        }
    };
    let mut key = hognose_allocators::collections::TryVec::<u32>::new();
    key.try_reserve(words.len() * 2 + 1)?;
    for word in words {
        key.try_push(*word as u32)?;
        key.try_push((word >> 32) as u32)?;
    }
    while key.len() > 1 && key.last() == Some(&0) {
        key.pop();
    }
    if key.is_empty() {
        key.try_push(0)?;
    }
    random.seed_with(&key);
    Ok(())
}

fn seed_from_system(ts: &ThreadState, random: &PyRandom) -> PyResult<()> {
    let mut key = [0u32; N];
    let mut filled = 0;
    while filled < key.len() * 4 {
        // SAFETY: the room behind `filled` bytes is the key's.
        let got =
            unsafe { libc::getrandom(key.as_mut_ptr().cast::<u8>().add(filled).cast(), key.len() * 4 - filled, 0) };
        if got <= 0 {
            return raise!(ts, exc::OSError, "the system gives no random numbers");
        }
        filled += got as usize;
    }
    random.seed_with(&key);
    Ok(())
}

fn seed_method(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    crate::object::call::check_count(ts, "seed", args.len(), 0, 1)?;
    seed(ts, this.cast(), args.first().copied())?;
    Ok(ts.none())
}

fn random(ts: &ThreadState, this: &PyObject) -> PyResult {
    let random = this.cast::<PyRandom>();
    // 53 bits of 64 that are drawn.
    let (high, low) = (random.next() >> 5, random.next() >> 6);
    PyFloat::new(ts, (f64::from(high) * 67108864.0 + f64::from(low)) * (1.0 / 9007199254740992.0))
}

fn getrandbits(ts: &ThreadState, this: &PyObject, count: &PyObject) -> PyResult {
    let count = protocol::index(ts, count)?;
    if count.sign() < 0 {
        return raise!(ts, exc::ValueError, "number of bits must be non-negative");
    }
    let count = count.to_i32(ts)? as usize;
    let random = this.cast::<PyRandom>();
    if count == 0 {
        return PyInt::from_i64(ts, 0);
    }
    if count <= 32 {
        return PyInt::from_u64(ts, u64::from(random.next() >> (32 - count)));
    }
    // 32 bits at a time from the low end; the last draw gives its highest bits.
    let mut draft = Draft::new(ts, count.div_ceil(64))?;
    let words = draft.words();
    let mut left = count;
    for part in 0..count.div_ceil(32) {
        let mut bits = random.next();
        if left < 32 {
            bits >>= 32 - left;
        }
        words[part / 2] |= u64::from(bits) << (part % 2 * 32);
        left = left.saturating_sub(32);
    }
    draft.finish(ts, false)
}

fn getstate(ts: &ThreadState, this: &PyObject) -> PyResult {
    let random = this.cast::<PyRandom>();
    let mut items = hognose_allocators::collections::TryVec::new();
    items.try_reserve(N + 1)?;
    for index in 0..N {
        items.try_push(PyInt::from_i64(ts, i64::from(random.state()[index]))?)?;
    }
    items.try_push(PyInt::from_usize(ts, random.index.get())?)?;
    Ok(PyTuple::from_vec(ts, items)?.into_object())
}

fn setstate(ts: &ThreadState, this: &PyObject, state: &PyObject) -> PyResult {
    let random = this.cast::<PyRandom>();
    let Some(state) = state.downcast::<PyTuple>() else {
        return raise!(ts, exc::TypeError, "state vector must be a tuple");
    };
    if state.len() != N + 1 {
        return raise!(ts, exc::ValueError, "state vector is the wrong size");
    }
    let mut words = [0u32; N];
    for (word, item) in words.iter_mut().zip(state.items()) {
        let Some(item) = item.downcast::<PyInt>() else {
            return raise!(ts, exc::TypeError, "an integer is required");
        };
        *word = item.to_u64(ts)? as u32;
    }
    let index = match state.items()[N].downcast::<PyInt>() {
        Some(index) => index.to_i64(ts)?,
        None => return raise!(ts, exc::TypeError, "an integer is required"),
    };
    if !(0..=N as i64).contains(&index) {
        return raise!(ts, exc::ValueError, "invalid state");
    }
    *random.state() = words;
    random.index.set(index as usize);
    Ok(ts.none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_sequence_comes_out() {
        // The first number of the published test of `init_by_array` with {0x123, 0x234, 0x345, 0x456}.
        let mut state = [0u32; N];
        seed_state(&mut state, &[0x123, 0x234, 0x345, 0x456]);
        refill(&mut state);
        let mut y = state[0];
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c_5680;
        y ^= y << 15 & 0xefc6_0000;
        y ^= y >> 18;
        assert_eq!(y, 1067595299);
    }
}
