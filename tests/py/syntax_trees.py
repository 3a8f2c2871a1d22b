# Syntax trees: parsed, compiled back, refused, optimized; what the parser says of wrong texts.
import ast
import sys


def check(condition, *what):
    if not condition:
        raise AssertionError(what)


def raises(kind, work, *words):
    try:
        work()
    except kind as error:
        for word in words:
            check(word in str(error), error, word)
        return error
    raise AssertionError(f"no {kind.__name__}")


# A text and the tree of it mean the same.
PROGRAM = '''
def f(a, /, b=1, *c, d, e=2, **g) -> int:
    "doc"
    total: int = 0
    for i, (j, *k) in enumerate([(1, 2, 3), (4, 5, 6)]):
        total += i * j + sum(k)
    else:
        total -= -1
    while total > 1000:
        break
    with open_it() as (x, y), open_it():
        total += x + y
    try:
        raise ValueError("x") from None
    except* (ValueError, TypeError) as group:
        total += len(group.exceptions)
    match [1, {"k": (2, 3)}]:
        case [int(one), {"k": (two, *_), **rest}] if one < two:
            total += one + two
        case _:
            total = -1
    return f"{total!r:>{8}} {a=}" + f"{b:{d}}{{}}"

class open_it:
    def __enter__(self): return 1, 2
    def __exit__(self, *args): return None

class G[T: int, *Ts, **P](list[T]):
    type A[U] = dict[U, T]
    x = [n async for n in y] if False else (lambda *a, k=1: (a, k))(1, 2)

result = f(1, d="4"), {**{"a": 1}, "b": 2}, {1, 2}, [*range(3)], (yield_ := 7), not 1 < 2 <= 3, 0xff_ff, 1e3, 2j, b"\\x41" b"B"
surrogate = "\\ud800" "x"
'''
tree = ast.parse(PROGRAM)
PROGRAM = PROGRAM.replace("    x = [n async for n in y] if False else", "    x =")
tree = ast.parse(PROGRAM)
plain, again = {}, {}
exec(compile(PROGRAM, "p", "exec"), plain)
exec(compile(tree, "p", "exec"), again)
check(plain["result"] == again["result"], plain["result"], again["result"])
check(again["surrogate"] == "\ud800x")
check(plain["f"].__code__.co_code == again["f"].__code__.co_code)
check(list(plain["f"].__code__.co_positions()) == list(again["f"].__code__.co_positions()))
third = {}
exec(ast.unparse(tree), third)
check(third["result"] == plain["result"])
check(ast.dump(ast.parse(ast.unparse(tree))) == ast.dump(tree))

# Places are in bytes; every node knows its end.
node = ast.parse("é = 'ü' + x").body[0]
check((node.col_offset, node.end_col_offset) == (0, 13))
check((node.value.right.col_offset, node.value.lineno) == (12, 1))

# Type comments, and types of functions.
typed = ast.parse("x = 1 # type: int\ny = 2 # type: ignore[a]\n", type_comments=True)
check(typed.body[0].type_comment == "int" and typed.type_ignores[0].tag == "[a]")
function = ast.parse("(int, *str, **Any) -> float", mode="func_type")
check(ast.dump(function).startswith("FunctionType(argtypes=[Name(id='int'"), ast.dump(function))

# Trees by hand: what they must have, and what code they become.
expression = ast.Expression(ast.BinOp(ast.Constant((1, frozenset({2}))), ast.Add(), ast.Constant((3,))))
check(eval(compile(ast.fix_missing_locations(expression), "e", "eval")) == (1, frozenset({2}), 3))
raises(TypeError, lambda: compile(ast.Expression(ast.Name("x")), "e", "eval"), 'required field "lineno" missing from expr')
some = ast.Expression(ast.expr(lineno=1, col_offset=0))
raises(TypeError, lambda: compile(some, "e", "eval"), "expected some sort of expr, but got expr()")
raises(TypeError, lambda: compile(expression, "e", "exec"), "expected Module node, got Expression")
late = ast.fix_missing_locations(ast.Module([ast.If(ast.Name("x"), [], [])], []))
raises(ValueError, lambda: compile(late, "m", "exec"), "empty body on If")
store = ast.fix_missing_locations(ast.Expression(ast.Name("x", ast.Store())))
raises(ValueError, lambda: compile(store, "e", "eval"), "expression must have Load context but has Store instead")

# Optimized trees.
check(ast.dump(ast.parse("__debug__", mode="eval", optimize=1)) == "Expression(body=Constant(value=False))")
check("docs" not in ast.dump(ast.parse("'docs'\ndef f(): 'docs'", optimize=2)))
check(isinstance(ast.parse("'%s-%r' % (a, b)", mode="eval", optimize=1).body, ast.JoinedStr))

# What is wrong with a text, and where.
WRONG = [
    ("f(x for x in y, 1)", "Generator expression must be parenthesized", 1, 3, 1, 15),
    ("if x = 3:\n pass", "invalid syntax. Maybe you meant '==' or ':=' instead of '='?", 1, 4, 1, 9),
    ("x = (1,\n  2 3)\n", "invalid syntax. Perhaps you forgot a comma?", 2, 3, 2, 6),
    ("def f(a=1, b): pass", "parameter without a default follows parameter with a default", 1, 12, 1, 13),
    ("f'{a b}'", "invalid syntax. Perhaps you forgot a comma?", 1, 4, 1, 7),
    ("class C:\nx = 1", "expected an indented block after class definition on line 1", 2, 1, 2, 2),
    ("print 1", "Missing parentheses in call to 'print'. Did you mean print(...)?", 1, 1, 1, 8),
    ("x = 0777", "leading zeros in decimal integer literals are not permitted", 1, 5, 1, 6),
    ("with a as f(): pass", "cannot assign to function call", 1, 11, 1, 14),
    ("try: pass\nx", "expected 'except' or 'finally' block", 2, 1, 2, 2),
]
for text, message, *place in WRONG:
    error = raises(SyntaxError, lambda: compile(text, "w", "exec"), message)
    check([error.lineno, error.offset, error.end_lineno, error.end_offset] == place, text, error.args)

# Interactive input that is not wrong, but not complete.
import codeop

for text, complete in [("x = 1", True), ("if x:", None), ("if x:\n  y", None), ("if x:\n  y\n", True), ("f(", None), ("'''a", None)]:
    code = codeop.compile_command(text)
    check((code is not None) == bool(complete), text, code)
raises(SyntaxError, lambda: codeop.compile_command("x y"))
