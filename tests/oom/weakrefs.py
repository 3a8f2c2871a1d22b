import weakref

from harness import check


class Thing:
    def method(self):
        return "called"

    def __add__(self, other):
        return [other]

    def __call__(self, *args):
        return args


kept = Thing()


def called_back():
    """What a callback raises is reported and goes no further."""
    thing = Thing()
    reference = weakref.ref(thing, lambda r: [r() is None] * 9)
    del thing
    return reference() is None


def proxied():
    proxy = weakref.proxy(kept, lambda r: None)
    proxy.attribute = [1]
    return proxy.attribute, proxy.method(), proxy + 1, proxy(1, 2), repr(proxy)[:10], bool(proxy)


def mapped():
    keys, values = weakref.WeakKeyDictionary(), weakref.WeakValueDictionary()
    keys[kept], values["k"] = [1], kept
    return keys[kept], values["k"] is kept, len(keys), list(values)


def in_set():
    group = weakref.WeakSet([kept])
    return kept in group, len(group), [*group] == [kept]


def finalized():
    thing = Thing()
    finalizer = weakref.finalize(thing, Thing)
    finalizer.atexit = False
    del thing
    return finalizer.alive


check(
    called_back, proxied, lambda: weakref.ref(kept)() is kept, lambda: weakref.ref(kept) is weakref.ref(kept), lambda: weakref.ref(kept) == weakref.ref(kept), lambda: hash(weakref.ref(kept)) == hash(kept), lambda: repr(weakref.ref(kept))[:11], lambda: weakref.getweakrefcount(Thing()), lambda: len(weakref.getweakrefs(kept)) >= 0, lambda: weakref.WeakMethod(kept.method)()(), mapped, in_set, finalized, lambda: type("R", (weakref.ref,), {"x": 1})(kept).x, lambda: weakref.ref(kept, print).__callback__ is print, lambda: weakref.ref[int].__args__,
)
