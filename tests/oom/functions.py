"""function, method, builtin function, code, frame, traceback, cell."""
import sys
import types

from harness import Same, check


def many(a, b=2, *args, c, d=4, **keywords):
    return a, b, args, c, d, keywords


def outer(x):
    def inner(y):
        nonlocal x
        x = x, y
        return x

    return inner


class Thing:
    def method(self, *args):
        return args


def deep(n):
    return [n] + deep(n - 1) if n else []


def framed():
    here = sys._getframe()
    there = dict(here.f_locals)
    return len(there), here.f_code.co_name, here.f_lineno > 0, here.f_back is not None, sorted(here.f_globals)[:1]


def traced():
    try:
        deep_error(5)
    except ValueError as error:
        # Without memory for it, an entry of the traceback is left out; the exception stays what it is.
        at, names = error.__traceback__, set()
        while at is not None:
            names.add((at.tb_lineno > 0, at.tb_frame.f_code.co_name in ("traced", "deep_error")))
            at = at.tb_next
        return names <= {(True, True)}, str(error)


def deep_error(n):
    if n:
        deep_error(n - 1)
    raise ValueError(n)


def attributes():
    def f(x: int = 1) -> str:
        "text"

    f.extra = [1]
    f.__defaults__ = (5,)
    f.__kwdefaults__ = {"k": 1}
    f.__doc__ = "other"
    f.__name__ = "g"
    f.__annotations__ = {"x": 3}
    return f.extra, f.__defaults__, f.__kwdefaults__, f.__doc__, f.__name__, f.__annotations__, f.__dict__


def proxied():
    first, second = [1], 2
    proxy = sys._getframe().f_locals
    proxy["second"] = 3
    proxy["third"] = 4
    return second, list(proxy)[:2], proxy["third"], len(proxy) > 2, "first" in proxy, repr(proxy)[:10], len(proxy | {"z": 1})


source = "def f(x, *, y=1):\n    z = [i for i in x]\n    return lambda: z\nclass C:\n    a: int = f'{f}'\n"
code = compile(source, "name", "exec")
inner = next(value for value in code.co_consts if isinstance(value, types.CodeType))

check(
    lambda: many(1, c=3), lambda: many(1, 2, 3, 4, c=5, e=6), lambda: many(*[1, 2, 3], **{"c": 4, "z": 5}), lambda: outer(1)(2), lambda: outer(1).__closure__[0].cell_contents, lambda: Thing().method(1, 2), lambda: types.MethodType(many, 1)(c=2), lambda: Thing.method(Thing(), 3), lambda: repr(Thing().method)[:13], lambda: Thing().method.__func__.__name__, lambda: hash(Thing.method) != 0, lambda: deep(40), framed, traced, attributes, proxied, lambda: repr(many)[:14], lambda: types.FunctionType(many.__code__, {}, "name", (1,)).__name__, lambda: (lambda *a, **k: (a, k))(1, x=2), lambda: Same(types.CellType()), lambda: types.CellType([1]).cell_contents, lambda: repr(types.CellType(1))[:8], lambda: types.CellType(1) == types.CellType(1),
    lambda: inner.co_name, lambda: code.replace(co_name="other").co_name, lambda: code.co_varnames, lambda: inner.co_varnames, lambda: code.co_code[:2], lambda: list(code.co_positions())[:2], lambda: list(code.co_lines())[:2], lambda: hash(code) == hash(code.replace()), lambda: code == code.replace(), lambda: repr(code)[:11], lambda: code.co_names, lambda: list(code.co_branches())[:1], lambda: exec(code, {}), lambda: eval("1 + x", {"x": 10**20}), lambda: types.CodeType(*[getattr(code, "co_" + name) for name in "argcount posonlyargcount kwonlyargcount nlocals stacksize flags code consts names varnames filename name qualname firstlineno linetable exceptiontable freevars cellvars".split()]).co_name, lambda: code._varname_from_oparg.__name__, lambda: many.__code__.co_flags, lambda: many.__get__(1)(c=2), lambda: len.__call__("abc"), lambda: max(3, 4, key=lambda v: -v), lambda: print.__name__, lambda: Same(types.TracebackType(None, sys._getframe(), 0, 1)),
)
