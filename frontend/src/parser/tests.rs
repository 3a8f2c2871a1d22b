//! Texts and what the parser says of them; the places are CPython's.

use super::*;
use crate::error::SyntaxErrorInfo;

const FILE: ParseOptions = ParseOptions {
    start: Start::File,
    type_comments: false,
    incomplete_input: false,
    dont_imply_dedent: false,
    barry_as_flufl: false,
    int_max_str_digits: 4300,
    feature_version: 14,
};

fn error(text: &str) -> SyntaxErrorInfo {
    match parse(text, FILE) {
        Err(CompileError::Syntax(info)) => info,
        other => panic!("{text:?}: {other:?}"),
    }
}

fn says(text: &str, message: &str, place: (u32, i32, u32, i32)) {
    let info = error(text);
    assert_eq!(info.message, message, "{text:?}");
    assert_eq!((info.line, info.column, info.end_line, info.end_column), place, "{text:?}");
}

#[test]
fn right_texts_become_trees() {
    for text in [
        "",
        "x = 1\n",
        "def f(a, /, b=1, *c, d, e=2, **g) -> int:\n  return a.b[1:2, ...](*x, k=3, **y)\n",
        "class A[T: int = str, *U, **V](B, metaclass=C):\n  @d\n  async def f(self): await x\n",
        "match x:\n  case {'a': 1, **r} | [1, *_] | A(b, c=d) | -1+2j | a.b: pass\n  case _ if y: pass\n",
        "try:\n  pass\nexcept* A as b:\n  pass\nelse:\n  pass\nfinally:\n  pass\n",
        "f'{x!r:>{y}} {z=}' 'a' rf'\\d{1}'\n",
        "with (a as b, c): pass\n",
        "print(*(x for y in z if w), lambda a, *b: c)\n",
        "from . import (a as b,)\n",
    ] {
        assert!(parse(text, FILE).is_ok(), "{text:?}: {:?}", parse(text, FILE).err());
    }
}

#[test]
fn errors_are_explained() {
    says("a\nb c\nd\n", "invalid syntax", (2, 3, 2, 4));
    says("f\"{a b}\"\nx\n", "invalid syntax. Perhaps you forgot a comma?", (1, 4, 1, 7));
    says("a\n  b\n", "unexpected indent", (2, 2, 2, -1));
    says("if 1:\npass\n", "expected an indented block after 'if' statement on line 1", (2, 1, 2, 5));
    says("(\na\n", "'(' was never closed", (1, 1, 1, 0));
    says("\\\n", "unexpected EOF while parsing", (1, 2, 1, -1));
    says("if 1:\n  x\n y\n", "unindent does not match any outer indentation level", (3, 3, 3, -1));
    says("f(x for x in y, 1)\n", "Generator expression must be parenthesized", (1, 3, 1, 15));
    says("x={1:2,3\n", "'{' was never closed", (1, 3, 1, 0));
    says("a b c\n)\n", "unmatched ')'", (2, 1, 2, 1));
    says("a.b := 1\n", "cannot use assignment expressions with attribute", (1, 1, 1, 4));
}
