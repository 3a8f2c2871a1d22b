//! The numbers of the tokens, as the module `token` has them, and of the keywords, behind those.

pub const ENDMARKER: u8 = 0;
pub const NAME: u8 = 1;
pub const NUMBER: u8 = 2;
pub const STRING: u8 = 3;
pub const NEWLINE: u8 = 4;
pub const INDENT: u8 = 5;
pub const DEDENT: u8 = 6;
pub const LPAR: u8 = 7;
pub const RPAR: u8 = 8;
pub const LSQB: u8 = 9;
pub const RSQB: u8 = 10;
pub const COLON: u8 = 11;
pub const COMMA: u8 = 12;
pub const SEMI: u8 = 13;
pub const PLUS: u8 = 14;
pub const MINUS: u8 = 15;
pub const STAR: u8 = 16;
pub const SLASH: u8 = 17;
pub const VBAR: u8 = 18;
pub const AMPER: u8 = 19;
pub const LESS: u8 = 20;
pub const GREATER: u8 = 21;
pub const EQUAL: u8 = 22;
pub const DOT: u8 = 23;
pub const PERCENT: u8 = 24;
pub const LBRACE: u8 = 25;
pub const RBRACE: u8 = 26;
pub const EQEQUAL: u8 = 27;
pub const NOTEQUAL: u8 = 28;
pub const LESSEQUAL: u8 = 29;
pub const GREATEREQUAL: u8 = 30;
pub const TILDE: u8 = 31;
pub const CIRCUMFLEX: u8 = 32;
pub const LEFTSHIFT: u8 = 33;
pub const RIGHTSHIFT: u8 = 34;
pub const DOUBLESTAR: u8 = 35;
pub const PLUSEQUAL: u8 = 36;
pub const MINEQUAL: u8 = 37;
pub const STAREQUAL: u8 = 38;
pub const SLASHEQUAL: u8 = 39;
pub const PERCENTEQUAL: u8 = 40;
pub const AMPEREQUAL: u8 = 41;
pub const VBAREQUAL: u8 = 42;
pub const CIRCUMFLEXEQUAL: u8 = 43;
pub const LEFTSHIFTEQUAL: u8 = 44;
pub const RIGHTSHIFTEQUAL: u8 = 45;
pub const DOUBLESTAREQUAL: u8 = 46;
pub const DOUBLESLASH: u8 = 47;
pub const DOUBLESLASHEQUAL: u8 = 48;
pub const AT: u8 = 49;
pub const ATEQUAL: u8 = 50;
pub const RARROW: u8 = 51;
pub const ELLIPSIS: u8 = 52;
pub const COLONEQUAL: u8 = 53;
pub const EXCLAMATION: u8 = 54;
pub const OP: u8 = 55;
pub const TYPE_IGNORE: u8 = 56;
pub const TYPE_COMMENT: u8 = 57;
pub const FSTRING_START: u8 = 59;
pub const FSTRING_MIDDLE: u8 = 60;
pub const FSTRING_END: u8 = 61;
pub const TSTRING_START: u8 = 62;
pub const TSTRING_MIDDLE: u8 = 63;
pub const TSTRING_END: u8 = 64;
pub const COMMENT: u8 = 65;
pub const NL: u8 = 66;
pub const ERRORTOKEN: u8 = 67;

/// The kind of the first keyword; they follow in the order of [`KEYWORDS`].
pub const FIRST_KEYWORD: u8 = 100;

/// The keywords in alphabetical order.
pub const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// The operators of more than one character, and the single ones; the longest first.
pub const OPERATORS: [(&str, u8); 48] = [
    ("**=", DOUBLESTAREQUAL),
    ("//=", DOUBLESLASHEQUAL),
    ("<<=", LEFTSHIFTEQUAL),
    (">>=", RIGHTSHIFTEQUAL),
    ("...", ELLIPSIS),
    ("!=", NOTEQUAL),
    ("%=", PERCENTEQUAL),
    ("&=", AMPEREQUAL),
    ("**", DOUBLESTAR),
    ("*=", STAREQUAL),
    ("+=", PLUSEQUAL),
    ("-=", MINEQUAL),
    ("->", RARROW),
    ("//", DOUBLESLASH),
    ("/=", SLASHEQUAL),
    (":=", COLONEQUAL),
    ("<<", LEFTSHIFT),
    ("<=", LESSEQUAL),
    ("<>", NOTEQUAL),
    ("==", EQEQUAL),
    (">=", GREATEREQUAL),
    (">>", RIGHTSHIFT),
    ("@=", ATEQUAL),
    ("^=", CIRCUMFLEXEQUAL),
    ("|=", VBAREQUAL),
    ("!", EXCLAMATION),
    ("%", PERCENT),
    ("&", AMPER),
    ("(", LPAR),
    (")", RPAR),
    ("*", STAR),
    ("+", PLUS),
    (",", COMMA),
    ("-", MINUS),
    (".", DOT),
    ("/", SLASH),
    (":", COLON),
    (";", SEMI),
    ("<", LESS),
    ("=", EQUAL),
    (">", GREATER),
    ("@", AT),
    ("[", LSQB),
    ("]", RSQB),
    ("^", CIRCUMFLEX),
    ("{", LBRACE),
    ("|", VBAR),
    ("}", RBRACE),
];

/// The kind of a name: a keyword's, or [`NAME`].
#[must_use]
pub fn of_name(name: &[u8]) -> u8 {
    if !(2..=8).contains(&name.len()) {
        return NAME;
    }
    match KEYWORDS.binary_search_by(|keyword| keyword.as_bytes().cmp(name)) {
        Ok(index) => FIRST_KEYWORD + index as u8,
        Err(_) => NAME,
    }
}

/// The operator that `text` begins with: its kind and length. `~` and what is no operator have [`OP`].
#[must_use]
pub fn operator(text: &[u8]) -> (u8, usize) {
    if text.first() == Some(&b'~') {
        return (TILDE, 1);
    }
    OPERATORS
        .iter()
        .find(|(operator, _)| text.starts_with(operator.as_bytes()))
        .map_or((OP, 1), |&(operator, kind)| (kind, operator.len()))
}
