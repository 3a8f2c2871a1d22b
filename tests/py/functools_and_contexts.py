"""functools, contextvars, locks and thread-local attributes; runs on any Python from 3.13 on."""

import _thread
import contextvars
import functools
import gc
import weakref


def raises(kind, message, function, *arguments):
    try:
        function(*arguments)
    except kind as error:
        assert message is None or str(error) == message, (str(error), message)
        return
    raise AssertionError(f"no {kind.__name__}")


def f(*a, **k):
    return a, k


def partial_objects():
    p = functools.partial(f, 1, 2, x=1, y=2)
    assert p(3, y=5, z=6) == ((1, 2, 3), {"x": 1, "y": 5, "z": 6})
    assert list(p(y=5, z=6)[1]) == ["x", "y", "z"]
    assert p(*range(30))[0] == (1, 2, *range(30))
    nested = functools.partial(p, 9, q=1)
    assert nested.func is f and nested.args == (1, 2, 9) and nested.keywords == {"x": 1, "y": 2, "q": 1}
    p.attribute = 1
    assert functools.partial(p).func is p
    p.__setstate__((p, (), {}, {}))
    assert repr(p) == "functools.partial(...)"
    p.__setstate__((f, (5,), None, None))
    assert p(6) == ((5, 6), {})
    raises(TypeError, "invalid partial state", p.__setstate__, 1)


def caches():
    calls = []

    @functools.lru_cache(3)
    def double(n, k=0):
        calls.append(n)
        return n * 2

    for n in (1, 2, 3, 1, 4, 2, 1, 1):
        assert double(n) == n * 2
    assert calls == [1, 2, 3, 4, 2]
    assert double.cache_info() == (3, 5, 3, 3)
    double.cache_clear()
    assert double.cache_info() == (0, 0, 3, 0)

    @functools.lru_cache(None, typed=True)
    def fibonacci(n):
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

    assert fibonacci(80) == 23416728348467685
    assert type(fibonacci(1.0)) is float and type(fibonacci(1)) is int

    @functools.lru_cache(2)
    def deep(n):
        return 1 if n <= 0 else deep(n - 1) + 1

    assert deep(30) == 31 and deep.cache_info().currsize == 2


def cache_that_is_cleared_from_within():
    class Key:
        def __init__(self, value):
            self.value = value

        def __hash__(self):
            return 1

        def __eq__(self, other):
            if clearing:
                cached.cache_clear()
            return self.value == other.value

        def __del__(self):
            if clearing:
                cached.cache_clear()

    clearing = False

    @functools.lru_cache(4)
    def cached(key):
        return key.value

    for n in range(10):
        cached(Key(n))
    clearing = True
    for n in range(20):
        assert cached(Key(n % 5)) == n % 5
    clearing = False


def contexts():
    v = contextvars.ContextVar("v")
    w = contextvars.ContextVar("w", default=5)
    raises(LookupError, None, v.get)
    assert v.get(7) == 7 and w.get() == 5
    token = v.set(1)
    assert token.old_value is contextvars.Token.MISSING
    context = contextvars.copy_context()

    def inside():
        v.set(100)
        raises(RuntimeError, None, context.run, inside)
        return v.get(), context[v], v in context, context.get(w)

    assert context.run(inside) == (100, 100, True, None)
    assert v.get() == 1 and context[v] == 100
    walk = iter(context)
    context.run(contextvars.ContextVar("more").set, 1)
    assert len(list(walk)) == len(context) - 1
    v.reset(token)
    raises(LookupError, None, v.get)
    raises(RuntimeError, None, v.reset, token)
    raises(ValueError, None, w.reset, v.set(3))
    raises(TypeError, "a ContextVar key was expected, got 1", lambda: context[1])


def locks():
    lock = _thread.allocate_lock()
    assert lock.acquire() and not lock.acquire(False) and not lock.acquire(timeout=0.01)
    lock.release()
    raises(RuntimeError, "release unlocked lock", lock.release)
    again = _thread.RLock()
    with again:
        with again:
            assert again._recursion_count() == 2
            state = again._release_save()
            assert not again._is_owned()
            again._acquire_restore(state)
        assert again._is_owned()
    raises(RuntimeError, "cannot release un-acquired lock", again.release)


def local_attributes():
    class Local(_thread._local):
        shared = 1

        def __init__(self, a, b=2):
            self.a, self.b = a, b

    x = Local(1, b=3)
    assert (x.a, x.b, x.shared) == (1, 3, 1)
    x.me = x
    gone = weakref.ref(x)
    del x
    gc.collect()
    assert gone() is None
    raises(TypeError, "Initialization arguments are not supported", _thread._local, 1)


partial_objects()
caches()
cache_that_is_cleared_from_within()
contexts()
locks()
local_attributes()
