"""The classes of syntax trees: fields, defaults, constructor, copying; runs on any Python from 3.13 on."""

import _ast
import copy
import sys
import warnings

import ast


def raises(kind, message, function, *args, **keywords):
    try:
        function(*args, **keywords)
    except kind as error:
        assert str(error) == message, (str(error), message)
        return
    raise AssertionError(f"{function} did not raise {kind}")


def tree_of(depth):
    return ast.UnaryOp(ast.Not(), tree_of(depth - 1)) if depth else ast.Constant(1)


assert _ast.Name is ast.Name and ast.Name.__module__ == "ast"
assert ast.Name.__mro__ == (ast.Name, ast.expr, ast.AST, object)
assert ast.Name._fields == ast.Name.__match_args__ == ("id", "ctx")
assert ast.Name._attributes == ("lineno", "col_offset", "end_lineno", "end_col_offset")
assert ast.stmt.end_lineno is None and not hasattr(ast.pattern, "end_lineno")
assert ast.FunctionDef.returns is None and not hasattr(ast.FunctionDef, "name")
assert ast.FunctionDef._field_types["body"] == list[ast.stmt]
assert ast.FunctionDef._field_types["returns"] == ast.expr | None
assert ast.Constant._field_types == {"value": object, "kind": str | None}
assert ast.BinOp.__doc__ == "BinOp(expr left, operator op, expr right)"
assert ast.boolop.__doc__ == "boolop = And | Or"
assert ast.mod.__doc__.splitlines()[1] == "    | Interactive(stmt* body)"

name = ast.Name("x", lineno=3)
assert name.id == "x" and isinstance(name.ctx, ast.Load) and name.lineno == 3
function = ast.FunctionDef("f", ast.arguments())
assert function.body == [] and function.body is not function.decorator_list and function.returns is None
raises(TypeError, "Name constructor takes at most 2 positional arguments", ast.Name, 1, 2, 3)
raises(TypeError, "Pass constructor takes at most 0 positional arguments", ast.Pass, 1)
raises(TypeError, "Name got multiple values for argument 'id'", ast.Name, "a", id="b")
with warnings.catch_warnings(record=True) as given:
    warnings.simplefilter("always")
    ast.Expr()
assert [w.category for w in given] == [DeprecationWarning]
assert str(given[0].message).startswith("Expr.__init__ missing 1 required positional argument: 'value'.")

again = copy.deepcopy(ast.BinOp(ast.Constant(1), ast.Add(), ast.Constant(2)))
assert type(again.op) is ast.Add and again.right.value == 2
if sys.version_info >= (3, 14):
    other = copy.replace(name, id="y")
    assert other.id == "y" and other.lineno == 3 and name.id == "x"
    raises(TypeError, "Name.__replace__ got an unexpected keyword argument 'q'.", copy.replace, name, q=1)
    raises(TypeError, "Expr.__replace__ missing 1 keyword argument: 'value'.", copy.replace, ast.Expr.__new__(ast.Expr))
    assert repr(ast.Name("x")) == "Name(id='x', ctx=Load())"
    assert repr(tree_of(4)) == "UnaryOp(op=Not(), operand=UnaryOp(op=Not(), operand=UnaryOp(op=Not(...), operand=UnaryOp(...))))"
    assert repr(ast.List([ast.Constant(i) for i in range(3)])) == "List(elts=[Constant(value=0, kind=None), ..., Constant(value=2, kind=None)], ctx=Load())"


class Own(ast.AST):
    _fields = ("a", "b")
    _field_types = {"a": int, "b": list[int]}


assert vars(Own(1)) == {"a": 1, "b": []}
tree = ast.Module([ast.Expr(ast.Call(ast.Name("f"), [ast.Constant(1)], []))], [])
assert [type(node).__name__ for node in ast.walk(tree)] == ["Module", "Expr", "Call", "Name", "Constant", "Load"]
assert ast.unparse(ast.fix_missing_locations(tree)) == "f(1)"
