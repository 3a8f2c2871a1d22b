//! From marshal's form of a module to the one that is kept: each code object by itself, so that a function's is only
//! read when the function is first called.
//!
//! ```text
//!   'C'  size: u32         what follows, so that it can be skipped
//!        head: 11 × u32    argcount, posonlyargcount, kwonlyargcount, stacksize, flags, firstlineno,
//!                          units, places, locals, cells, free variables
//!        name, qualname    marshal values
//!        units             two bytes each
//!        consts, names, localsplusnames, localspluskinds, linetable, exceptiontable
//!                          marshal values; a code object among the constants is another 'C'
//! ```
//!
//! There are no references (`r`): what they refer to is written again. Names, and constants that could be names, are
//! interned; those of the modules that every start reads are *words*, and written as `'w'` and a number of two bytes (see
//! [`Words`]). The file name is not there: it is known to who asks for the module.

use std::collections::{BTreeMap, BTreeSet};

const FLAG_REF: u8 = 0x80;
/// `CO_OPTIMIZED`: the code of a function, not the body of a module or a class.
const OPTIMIZED: u32 = 1;
/// `CO_FAST_LOCAL`, `CO_FAST_CELL`, `CO_FAST_FREE`.
const KINDS: [u8; 3] = [0x20, 0x40, 0x80];

/// The frozen form of a marshalled code object.
pub fn freeze(marshalled: &[u8], words: &Words) -> Vec<u8> {
    let mut reader =
        Reader { data: marshalled, at: 0, references: Vec::new(), words, functions: 0, seen: Seen::default() };
    let frozen = reader.value();
    assert_eq!(reader.at, marshalled.len(), "the whole code object is read");
    assert_eq!(frozen[0], b'C', "a module is a code object");
    frozen
}

/// The modules that a start reads, and which most programs import at once: their names are words.
pub const START: [&str; 17] = [
    "_collections_abc",
    "_sitebuiltins",
    "abc",
    "codecs",
    "encodings",
    "encodings.aliases",
    "encodings.utf_8",
    "genericpath",
    "importlib._bootstrap",
    "importlib._bootstrap_external",
    "importlib.machinery",
    "io",
    "os",
    "posixpath",
    "site",
    "stat",
    "zipimport",
];

/// The longest word.
pub const LONGEST: usize = 31;

/// Names that the runtime has as static strings, so that no interpreter makes them: their numbers.
#[derive(Default)]
pub struct Words(BTreeMap<Vec<u8>, u16>);

impl Words {
    /// The names of some modules, and the same in the order of their numbers. Those that importing a module needs come
    /// first: what is used lies together.
    pub fn of(marshalled: &[&[u8]]) -> (Self, Vec<String>) {
        let none = Self::default();
        let mut all = Seen::default();
        for data in marshalled {
            let mut reader =
                Reader { data, at: 0, references: Vec::new(), words: &none, functions: 0, seen: Seen::default() };
            reader.value();
            all.at_import.extend(reader.seen.at_import);
            all.in_functions.extend(reader.seen.in_functions);
        }
        let later = all.in_functions.difference(&all.at_import);
        let list: Vec<Vec<u8>> = all.at_import.iter().chain(later).cloned().collect();
        let numbers = list.iter().enumerate();
        let numbers = numbers.map(|(index, word)| (word.clone(), u16::try_from(index).expect("few words"))).collect();
        (Self(numbers), list.into_iter().map(|word| String::from_utf8(word).unwrap()).collect())
    }
}

/// The names that were read.
#[derive(Default)]
struct Seen {
    at_import: BTreeSet<Vec<u8>>,
    in_functions: BTreeSet<Vec<u8>>,
}

struct Reader<'a> {
    data: &'a [u8],
    at: usize,
    /// What has been written for each value that marshal counts.
    references: Vec<Vec<u8>>,
    words: &'a Words,
    /// How many functions what is read lies in.
    functions: u32,
    seen: Seen,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let bytes = &self.data[self.at..self.at + count];
        self.at += count;
        bytes
    }

    fn number(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().unwrap())
    }

    fn value(&mut self) -> Vec<u8> {
        let tag = self.take(1)[0];
        let kind = tag & !FLAG_REF;
        let place = (tag & FLAG_REF != 0).then(|| {
            self.references.push(Vec::new());
            self.references.len() - 1
        });
        let start = self.at;
        let copied = |reader: &Reader| [&[kind], &reader.data[start..reader.at]].concat();
        let written = match kind {
            b'0' | b'N' | b'F' | b'T' | b'.' | b'S' => vec![kind],
            b'r' => {
                let index = self.number() as usize;
                return self.references[index].clone();
            }
            b'i' => {
                self.take(4);
                copied(self)
            }
            b'I' | b'g' => {
                self.take(8);
                copied(self)
            }
            b'y' => {
                self.take(16);
                copied(self)
            }
            b'l' => {
                let digits = self.number().cast_signed().unsigned_abs();
                self.take(2 * digits as usize);
                copied(self)
            }
            b's' | b'u' | b't' | b'A' => {
                let count = self.number();
                self.take(count as usize);
                copied(self)
            }
            b'a' | b'z' | b'Z' => {
                let count = if kind == b'a' { self.number() } else { self.take(1)[0].into() };
                let text = self.take(count as usize);
                let mut written = copied(self);
                if text.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
                    // What could be a name is interned, as in all code.
                    written[0] = kind.to_ascii_uppercase();
                    if let Some(number) = self.word(text) {
                        written = [&[b'w'][..], &number.to_le_bytes()].concat();
                    }
                }
                written
            }
            b'(' | b')' | b'[' | b'<' | b'>' => {
                let count = if kind == b')' { self.take(1)[0].into() } else { self.number() };
                let mut written = copied(self);
                for _ in 0..count {
                    written.extend(self.value());
                }
                written
            }
            b':' => [vec![kind], self.value(), self.value(), self.value()].concat(),
            b'c' => self.code(),
            _ => panic!("a constant of kind {:?}", char::from(kind)),
        };
        if let Some(place) = place {
            self.references[place].clone_from(&written);
        }
        written
    }

    /// The number of a name that is a word.
    fn word(&mut self, name: &'a [u8]) -> Option<u16> {
        // Strings of one character are static ones anyway.
        if !(2..=LONGEST).contains(&name.len()) {
            return None;
        }
        let seen = if self.functions == 0 { &mut self.seen.at_import } else { &mut self.seen.in_functions };
        seen.insert(name.to_vec());
        self.words.0.get(name).copied()
    }

    fn code(&mut self) -> Vec<u8> {
        let [argcount, posonlyargcount, kwonlyargcount, stacksize, flags] = [(); 5].map(|()| self.number());
        let is_function = flags & OPTIMIZED != 0;
        self.functions += u32::from(is_function);
        let code = self.value();
        let consts = self.value();
        let names = interned(&self.value());
        let places = interned(&self.value());
        let kinds = self.value();
        let _filename = self.value();
        self.functions -= u32::from(is_function);
        let name = interned(&self.value());
        let qualname = interned(&self.value());
        let firstlineno = self.number();
        let (linetable, exceptiontable) = (self.value(), self.value());
        let (units, kind_bytes) = (contents(&code), contents(&kinds));
        let count = |bit: u8| kind_bytes.iter().filter(|kind| **kind & bit != 0).count() as u32;
        let head = [
            argcount,
            posonlyargcount,
            kwonlyargcount,
            stacksize,
            flags,
            firstlineno,
            units.len() as u32 / 2,
            kind_bytes.len() as u32,
            count(KINDS[0]),
            count(KINDS[1]),
            count(KINDS[2]),
        ];
        let mut body: Vec<u8> = head.iter().flat_map(|number| number.to_le_bytes()).collect();
        for part in [&name, &qualname, units, &consts, &names, &places, &kinds, &linetable, &exceptiontable] {
            body.extend_from_slice(part);
        }
        let size = u32::try_from(body.len()).unwrap();
        [&[b'C'][..], &size.to_le_bytes(), &body].concat()
    }
}

/// The bytes of a written bytes object.
fn contents(written: &[u8]) -> &[u8] {
    assert_eq!(written[0], b's');
    &written[5..]
}

/// A written string, or a written tuple of strings, with interned strings in place of others.
fn interned(written: &[u8]) -> Vec<u8> {
    let mut out = written.to_vec();
    let (mut at, mut left) = match written[0] {
        b')' => (2, usize::from(written[1])),
        b'(' => (5, u32::from_le_bytes(written[1..5].try_into().unwrap()) as usize),
        _ => (0, 1),
    };
    while left > 0 {
        left -= 1;
        out[at] = match written[at] {
            b'w' => {
                at += 3;
                continue;
            }
            b'z' | b'Z' => b'Z',
            b'a' | b'A' => b'A',
            b'u' | b't' => b't',
            kind => panic!("a name of kind {:?}", char::from(kind)),
        };
        at += match out[at] {
            b'Z' => 2 + usize::from(written[at + 1]),
            _ => 5 + u32::from_le_bytes(written[at + 1..at + 5].try_into().unwrap()) as usize,
        };
    }
    out
}
