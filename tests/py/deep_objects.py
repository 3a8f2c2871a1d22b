"""Objects nested as deep as a program likes: an answer or a RecursionError, never the end of the process."""

import copy
import functools
import itertools
import json
import marshal
import operator
import pickle
import types

DEPTH = 8_000


def nested(make, depth=DEPTH):
    value = make(())
    for _ in range(depth):
        value = make(value)
    return value


def survives(what, run):
    try:
        run()
    except (RecursionError, MemoryError, ValueError, TypeError):
        pass


class Wrapper:
    def __init__(self, inner):
        self.inner = inner

    def __eq__(self, other):
        return self.inner == other.inner

    def __hash__(self):
        return hash(self.inner)

    def __iter__(self):
        return iter(self.inner)


containers = {
    "list": lambda inner: [inner],
    "tuple": lambda inner: (inner,),
    "dict": lambda inner: {1: inner},
    "instance": Wrapper,
    "namespace": lambda inner: types.SimpleNamespace(inner=inner),
    "mappingproxy": lambda inner: types.MappingProxyType({1: inner}),
    "partial": lambda inner: functools.partial(print, inner),
    "slice": lambda inner: slice(inner),
    "exception": lambda inner: ValueError(inner),
}
for name, make in containers.items():
    one, other = nested(make), nested(make)
    for operation in (
        repr, str, hash, lambda value: one == other, lambda value: one < other, copy.deepcopy, json.dumps,
        marshal.dumps, pickle.dumps, lambda value: format(value), lambda value: isinstance(1, value),
        lambda value: "%s" % (value,), lambda value: value in [other],
    ):
        survives(name, lambda: operation(one))
    # A copy's end is as deep as its beginning.
    del one, other

iterators = {
    "map": lambda inner: map(int, inner),
    "filter": lambda inner: filter(None, inner),
    "zip": lambda inner: zip(inner),
    "chain": lambda inner: itertools.chain(inner),
    "chain.from_iterable": lambda inner: itertools.chain.from_iterable([inner]),
    "islice": lambda inner: itertools.islice(inner, 5),
    "accumulate": lambda inner: itertools.accumulate(inner),
    "enumerate": lambda inner: enumerate(inner),
    "cycle": lambda inner: itertools.cycle(inner),
    "takewhile": lambda inner: itertools.takewhile(bool, inner),
    "compress": lambda inner: itertools.compress(inner, [1]),
    "groupby": lambda inner: itertools.groupby(inner),
    "starmap": lambda inner: itertools.starmap(int, inner),
    "pairwise": lambda inner: itertools.pairwise(inner),
    "batched": lambda inner: itertools.batched(inner, 2),
    "zip_longest": lambda inner: itertools.zip_longest(inner),
    "generator": lambda inner: (item for item in inner),
    "tee": lambda inner: itertools.tee(inner, 1)[0],
}
for name, make in iterators.items():
    survives(name, lambda: next(nested(make, 12_000), None))


def delegating(inner):
    yield from inner


survives("yield from", lambda: next(nested(delegating, 12_000), None))

wrappers = {
    "classmethod": classmethod,
    "staticmethod": staticmethod,
    "partialmethod": lambda inner: functools.partial(inner) if callable(inner) else functools.partial(print),
    "cached": lambda inner: functools.lru_cache(inner) if callable(inner) else functools.lru_cache(print),
    "method": lambda inner: types.MethodType(inner, 1) if callable(inner) else types.MethodType(print, 1),
    "union": lambda inner: list[inner] | None,
    "alias": lambda inner: list[inner],
    "attrgetter": lambda inner: operator.methodcaller("__class__", inner),
    "group": lambda inner: ExceptionGroup("deep", [inner if isinstance(inner, Exception) else ValueError()]),
}
for name, make in wrappers.items():
    value = nested(make, 10_000)
    for operation in (
        repr, hash, lambda value: value(), lambda value: value.__get__(None, int)(), lambda value: value == nested(make, 10_000),
        lambda value: isinstance(1, value), lambda value: value.__parameters__, lambda value: value[int],
        lambda value: value.split(KeyError), lambda value: value.derive([]),
    ):
        try:
            operation(value)
        except (AttributeError, RecursionError, TypeError, ValueError, MemoryError):
            pass
    del value


class Speaks:
    pass


Speaks.__repr__ = Speaks.__str__
survives("repr is str", lambda: str(Speaks()))


class Calls:
    pass


Calls.__call__ = Calls()
survives("call of a call", lambda: Calls()())


class Finds:
    __getattr__ = getattr


survives("getattr", lambda: Finds().anything)
types_nested = int
for _ in range(12_000):
    types_nested = (types_nested,)
survives("isinstance", lambda: isinstance("", types_nested))
survives("issubclass", lambda: issubclass(str, types_nested))
for text in ("(" * 12_000, "[" * 12_000 + "]" * 12_000, "-" * 200_000 + "1", "a" + ".b" * 100_000, "not " * 100_000 + "1"):
    try:
        compile(text, "deep", "eval")
    except (SyntaxError, RecursionError, MemoryError):
        pass
print("survived")
