//! The words of compiled patterns: operators, positions, categories and flags, as numbered by `re._constants`.

/// The version of the code format. `re._compiler` refuses to work with another one.
pub const MAGIC: u32 = 20_230_612;
/// Bytes in a code word.
pub const CODE_SIZE: u32 = 4;
/// "No upper bound" as an operand of the repeat operators.
pub const MAX_REPEAT: u32 = u32::MAX;
/// The largest number of groups: their marks must be countable in 32 bits.
pub const MAX_GROUPS: u32 = (i32::MAX / 2) as u32;

macro_rules! number {
    ($($name:ident = $value:expr),* $(,)?) => { $(pub(super) const $name: u32 = $value;)* };
}

number! {
    FAILURE = 0, SUCCESS = 1, ANY = 2, ANY_ALL = 3, ASSERT = 4, ASSERT_NOT = 5, AT = 6, BRANCH = 7,
    CATEGORY = 8, CHARSET = 9, BIGCHARSET = 10, GROUPREF = 11, GROUPREF_EXISTS = 12, IN = 13, INFO = 14,
    JUMP = 15, LITERAL = 16, MARK = 17, MAX_UNTIL = 18, MIN_UNTIL = 19, NOT_LITERAL = 20, NEGATE = 21,
    RANGE = 22, REPEAT = 23, REPEAT_ONE = 24, MIN_REPEAT_ONE = 26, ATOMIC_GROUP = 27,
    POSSESSIVE_REPEAT = 28, POSSESSIVE_REPEAT_ONE = 29, GROUPREF_IGNORE = 30, IN_IGNORE = 31,
    LITERAL_IGNORE = 32, NOT_LITERAL_IGNORE = 33, GROUPREF_LOC_IGNORE = 34, IN_LOC_IGNORE = 35,
    LITERAL_LOC_IGNORE = 36, NOT_LITERAL_LOC_IGNORE = 37, GROUPREF_UNI_IGNORE = 38, IN_UNI_IGNORE = 39,
    LITERAL_UNI_IGNORE = 40, NOT_LITERAL_UNI_IGNORE = 41, RANGE_UNI_IGNORE = 42,
}

number! {
    INFO_PREFIX = 1, INFO_LITERAL = 2, INFO_CHARSET = 4,
}

/// A position that `AT` tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Beginning,
    BeginningLine,
    Boundary(Words),
    NonBoundary(Words),
    End,
    EndLine,
    EndString,
}

/// Whose idea of a word character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    Ascii,
    Locale,
    Unicode,
}

impl At {
    pub(super) fn from_code(code: u32) -> Option<At> {
        Some(match code {
            // The beginning and the beginning of the string differ only in multi-line mode, where the
            // compiler emits the beginning of a line instead.
            0 | 2 => At::Beginning,
            1 => At::BeginningLine,
            3 => At::Boundary(Words::Ascii),
            4 => At::NonBoundary(Words::Ascii),
            5 => At::End,
            6 => At::EndLine,
            7 => At::EndString,
            8 => At::Boundary(Words::Locale),
            9 => At::NonBoundary(Words::Locale),
            10 => At::Boundary(Words::Unicode),
            11 => At::NonBoundary(Words::Unicode),
            _ => return None,
        })
    }
}

/// A class of characters, and whether it is meant inverted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Category {
    pub(super) class: Class,
    pub(super) inverted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Digit,
    Space,
    Word,
    LineBreak,
    LocaleWord,
    UnicodeDigit,
    UnicodeSpace,
    UnicodeWord,
    UnicodeLineBreak,
}

impl Category {
    pub(super) fn from_code(code: u32) -> Option<Category> {
        const CLASSES: [Class; 9] = [
            Class::Digit,
            Class::Space,
            Class::Word,
            Class::LineBreak,
            Class::LocaleWord,
            Class::UnicodeDigit,
            Class::UnicodeSpace,
            Class::UnicodeWord,
            Class::UnicodeLineBreak,
        ];
        let class = *CLASSES.get(code as usize / 2)?;
        Some(Category { class, inverted: code % 2 == 1 })
    }
}
