# The tokenizer as Python sees it, and the compiler's symbol tables.
import io
import symtable
import tokenize


def check(condition, *what):
    if not condition:
        raise AssertionError(what)


def tokens(text):
    return [
        (tokenize.tok_name[token.type], token.string, token.start, token.end)
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
    ]


check(
    tokens("if é:  # c\n  x = f'a{b!r:>{w}}'\n\ny\n")
    == [
        ("NAME", "if", (1, 0), (1, 2)),
        ("NAME", "é", (1, 3), (1, 4)),
        ("OP", ":", (1, 4), (1, 5)),
        ("COMMENT", "# c", (1, 7), (1, 10)),
        ("NEWLINE", "\n", (1, 10), (1, 11)),
        ("INDENT", "  ", (2, 0), (2, 2)),
        ("NAME", "x", (2, 2), (2, 3)),
        ("OP", "=", (2, 4), (2, 5)),
        ("FSTRING_START", "f'", (2, 6), (2, 8)),
        ("FSTRING_MIDDLE", "a", (2, 8), (2, 9)),
        ("OP", "{", (2, 9), (2, 10)),
        ("NAME", "b", (2, 10), (2, 11)),
        ("OP", "!", (2, 11), (2, 12)),
        ("NAME", "r", (2, 12), (2, 13)),
        ("OP", ":", (2, 13), (2, 14)),
        ("FSTRING_MIDDLE", ">", (2, 14), (2, 15)),
        ("OP", "{", (2, 15), (2, 16)),
        ("NAME", "w", (2, 16), (2, 17)),
        ("OP", "}", (2, 17), (2, 18)),
        ("FSTRING_MIDDLE", "", (2, 18), (2, 18)),
        ("OP", "}", (2, 18), (2, 19)),
        ("FSTRING_END", "'", (2, 19), (2, 20)),
        ("NEWLINE", "\n", (2, 20), (2, 21)),
        ("NL", "\n", (3, 0), (3, 1)),
        ("DEDENT", "", (4, 0), (4, 0)),
        ("NAME", "y", (4, 0), (4, 1)),
        ("NEWLINE", "\n", (4, 1), (4, 2)),
        ("ENDMARKER", "", (5, 0), (5, 0)),
    ],
    tokens("if é:  # c\n  x = f'a{b!r:>{w}}'\n\ny\n"),
)
check(tokens("x")[-2:] == [("NEWLINE", "", (1, 1), (1, 2)), ("ENDMARKER", "", (2, 0), (2, 0))], tokens("x"))
text = "x = '''a\n" + "b\n" * 300 + "'''\n"
check(tokens(text)[2][2:] == ((1, 4), (302, 3)))
check(tokenize.untokenize(tokenize.generate_tokens(io.StringIO(text).readline)) == text)
for wrong, words in [("(", "unexpected EOF"), ("if x:\n  y\n z\n", "unindent"), ("'a", "unterminated")]:
    try:
        tokens(wrong)
    except (tokenize.TokenError, IndentationError) as error:
        check(words in str(error), error)
    else:
        raise AssertionError(wrong)

# readline may raise; the iterator says so.
def broken():
    raise KeyError("readline")

try:
    list(tokenize.generate_tokens(broken))
except KeyError:
    pass
else:
    raise AssertionError("readline raised")

top = symtable.symtable("def f(a):\n  global g\n  b = a\n  def h(): return b\nclass C: x: int = 1\n", "s", "exec")
check(top.get_type() == "module" and sorted(top.get_identifiers()) >= ["C", "f"])
f = next(child for child in top.get_children() if child.get_name() == "f")
check(f.get_parameters() == ("a",) and set(f.get_locals()) >= {"a", "b", "h"}, f.get_locals())
check(f.lookup("b").is_local() and f.lookup("g").is_declared_global())
h = next(child for child in f.get_children() if child.get_name() == "h")
check(h.get_frees() == ("b",) and h.is_nested() and h.get_lineno() == 4)
try:
    symtable.symtable("x y", "s", "exec")
except SyntaxError as error:
    check(error.lineno == 1)
else:
    raise AssertionError("a wrong text has no symbols")
