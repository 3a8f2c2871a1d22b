"""module, namespace, mappingproxy."""
import sys
import types

from harness import check


def module():
    made = types.ModuleType("made", "text")
    made.x = [1]
    made.__getattr__ = lambda name: name * 2
    found = made.x, made.other, made.__doc__, repr(made), "x" in dir(made), sorted(vars(made))[:2]
    del made.x
    return found


def namespace():
    made = types.SimpleNamespace(a=1, b=[2])
    made.c = 3
    del made.a
    return repr(made), made == types.SimpleNamespace(b=[2], c=3), vars(made), made.__replace__(b=5).b, made.__reduce__()[2]


proxy = types.MappingProxyType({"a": 1, "b": [2]})

check(
    module, namespace, lambda: types.SimpleNamespace({"x": 1}, y=2).x, lambda: proxy["b"], lambda: proxy | {"c": 3}, lambda: {"c": 3} | proxy, lambda: repr(proxy), lambda: str(proxy), lambda: list(proxy), lambda: proxy.copy(), lambda: proxy.get("z", "no"), lambda: sorted(proxy.items(), key=str), lambda: list(proxy.keys()), lambda: list(proxy.values()), lambda: [*reversed(proxy)], lambda: proxy == {"a": 1, "b": [2]}, lambda: len(proxy), lambda: "a" in proxy, lambda: types.MappingProxyType[int].__args__, lambda: type(int.__dict__).__name__, lambda: int.__dict__.get("real") is not None, lambda: len(vars(types)) > 3, lambda: __import__("sys") is sys, lambda: types.ModuleType("m").__name__, lambda: types.MappingProxyType({1: 2})[1],
)
