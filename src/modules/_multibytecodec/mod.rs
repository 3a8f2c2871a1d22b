//! `_multibytecodec` and the `_codecs_…` modules: the East Asian encodings.
//!
//! ```text
//!  charts/*.txt ──build/charts.rs──► tables ──► charts      which character is which code
//!                                                  │
//!        chinese, korean, japanese, iso2022: an encoding is two functions, for one step each way
//!                                                  │
//!                         coding: steps over a whole text, and what is done about errors
//!                                                  │
//!    codec: what `getcodec` gives      incremental, stream: with what a call has left for the next
//! ```
//!
//! An encoding's state is eight bytes, which programs get and set as a number: what they mean is as in CPython.

mod charts;
mod chinese;
mod codec;
mod coding;
mod incremental;
mod iso2022;
mod japanese;
mod korean;
mod stream;

use hognose_allocators::collections::TryVec;

use crate::modules::ModuleSpec;
use crate::object::{MethodDef, PyResult};
use crate::types::str::StrBuilder;

pub use codec::{CN_MODULE, HK_MODULE, ISO2022_MODULE, JP_MODULE, KR_MODULE, TW_MODULE};

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_multibytecodec",
    doc: "",
    methods: &[MethodDef::one("__create_codec", codec::create_codec, "")],
    types: &[&incremental::ENCODER_TYPE, &incremental::DECODER_TYPE, &stream::READER_TYPE, &stream::WRITER_TYPE],
    exec: Some(codec::ready),
};

/// What an encoding keeps between characters.
type State = [u8; 8];

/// Where encoded bytes go.
type Out = TryVec<u8>;

/// Where decoded characters go.
type Text = StrBuilder;

/// What is to be encoded.
#[derive(Clone, Copy)]
struct Input {
    ch: u32,
    /// What follows, if that is known.
    next: Option<u32>,
    /// Nothing follows, and nothing will.
    is_last: bool,
}

/// What became of a step: how many characters, or bytes, it has taken or cannot take; or that it must see more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Done(usize),
    Invalid(usize),
    Incomplete,
}

/// An encoding.
struct Encoding {
    name: &'static str,
    /// Sets the state up, for decoding or else for encoding.
    begin: Option<fn(&mut State, bool)>,
    /// Writes one character, or two that have one code.
    encode: fn(&mut State, Input, &mut Out) -> PyResult<Step>,
    /// Writes what brings the state back to the beginning.
    end: Option<fn(&mut State, &mut Out) -> PyResult<()>>,
    /// Reads from bytes, of which there is one at least.
    decode: fn(&mut State, &[u8], &mut Text) -> PyResult<Step>,
    /// Brings a decoder's state back to the beginning.
    forget: Option<fn(&mut State)>,
}

impl Encoding {
    /// One that keeps nothing between characters.
    const PLAIN: Encoding = Encoding {
        name: "",
        begin: None,
        encode: |_, _, _| Ok(Step::Invalid(1)),
        end: None,
        decode: |_, _, _| Ok(Step::Invalid(1)),
        forget: None,
    };

    /// The state at the beginning.
    fn start(&self, decoding: bool) -> State {
        let mut state = State::default();
        if let Some(begin) = self.begin {
            begin(&mut state, decoding);
        }
        state
    }
}

/// Appends what a chart has: a character or two.
fn push(text: &mut Text, number: u32) -> PyResult<()> {
    match charts::split(number) {
        Some((first, second)) => {
            text.push_char(first)?;
            text.push_char(second)?;
        }
        None => text.push_char(number)?,
    }
    Ok(())
}
