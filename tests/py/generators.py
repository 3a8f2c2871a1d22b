"""Generators, coroutines and asynchronous generators; runs on any Python from 3.13 on."""

import gc
import sys
import types
import warnings
import weakref


def raises(kind, message, function, *args):
    try:
        function(*args)
    except kind as error:
        assert message is None or str(error) == message, (str(error), message)
        return error
    raise AssertionError(f"{function} did not raise {kind}")


def plain():
    def count(n):
        got = []
        for i in range(n):
            got.append((yield i))
        return got

    assert list(count(3)) == [0, 1, 2]
    g = count(3)
    raises(TypeError, "can't send non-None value to a just-started generator", g.send, 1)
    assert g.gi_running is False and g.gi_suspended is False and g.gi_frame.f_code is g.gi_code
    assert next(g) == 0 and g.gi_suspended
    assert g.send("a") == 1 and g.send("b") == 2
    assert raises(StopIteration, None, g.send, "c").value == ["a", "b", "c"]
    assert g.gi_frame is None and next(g, "end") == "end"
    assert raises(StopIteration, "", next, g).value is None
    assert raises(StopIteration, None, next, count(0)).value == []
    assert raises(StopIteration, None, count(0).__next__).value == []
    assert repr(g).startswith("<generator object plain.<locals>.count at 0x")
    g.__name__ = "other"
    assert g.__name__ == "other"
    raises(TypeError, "__qualname__ must be set to a string object", setattr, g, "__qualname__", 1)
    raises(TypeError, None, type(g))
    assert iter(g) is g and isinstance(types.GeneratorType[int], types.GenericAlias)


def reentrant():
    def f():
        try:
            next(me)
        except ValueError as error:
            yield str(error)
        yield from [me.gi_running]

    me = f()
    assert list(me) == ["generator already executing", True]


def throwing():
    def f():
        while True:
            try:
                yield 1
            except KeyError as error:
                yield error.args

    g = f()
    next(g)
    assert g.throw(KeyError("a")) == ("a",)
    next(g)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert g.throw(KeyError, "b") == ("b",)
        next(g)
        assert g.throw(KeyError, ("c", "d"), None) == ("c", "d")
    assert [w.category for w in seen] == [DeprecationWarning] * 2
    raises(ValueError, "x", g.throw, ValueError("x"))
    raises(ValueError, "y", g.throw, ValueError("y"))
    fresh = f()
    raises(ValueError, "z", fresh.throw, ValueError("z"))
    assert fresh.gi_frame is None
    raises(TypeError, "exceptions must be classes or instances deriving from BaseException, not int", f().throw, 1)

    def pep479():
        yield 1
        raise StopIteration("bad")

    error = raises(RuntimeError, "generator raised StopIteration", list, pep479())
    assert isinstance(error.__cause__, StopIteration)


def closing():
    log = []

    def f():
        try:
            yield 1
        finally:
            log.append("closed")

    g = f()
    next(g)
    assert g.close() is None and log == ["closed"] and g.close() is None
    g = f()
    next(g)
    del g
    assert log == ["closed"] * 2

    def stubborn():
        try:
            yield 1
        except GeneratorExit:
            yield 2

    g = stubborn()
    next(g)
    raises(RuntimeError, "generator ignored GeneratorExit", g.close)
    g.close()

    def returns():
        try:
            yield
        except GeneratorExit:
            return 42

    g = returns()
    next(g)
    assert g.close() == 42
    g = f()
    raises(RuntimeError, "cannot clear a suspended frame", (next(g), g.gi_frame)[1].clear)
    g.close()


def delegating():
    log = []

    def inner():
        try:
            x = yield 1
            log.append(x)
            yield 2
        except ValueError as error:
            log.append(str(error))
            yield 3
        except GeneratorExit:
            log.append("exit")
            raise
        return "done"

    def outer():
        result = yield from inner()
        yield result

    g = outer()
    assert next(g) == 1 and g.gi_yieldfrom.gi_code.co_name == "inner"
    assert g.send("sent") == 2 and g.throw(ValueError("v")) == 3 and next(g) == "done"
    assert log == ["sent", "v"]
    g = outer()
    next(g)
    g.close()
    assert log[-1] == "exit"

    class Iterator:
        def __init__(self):
            self.calls = []

        def __iter__(self):
            return self

        def __next__(self):
            self.calls.append("next")
            if len(self.calls) > 2:
                raise StopIteration("value")
            return len(self.calls)

        def throw(self, error):
            self.calls.append("throw")
            return "thrown"

        def close(self):
            self.calls.append("close")

    def over(it):
        return (yield from it)

    it = Iterator()
    g = over(it)
    assert next(g) == 1 and g.throw(KeyError()) == "thrown"
    assert raises(StopIteration, None, next, g).value == "value"
    it = Iterator()
    g = over(it)
    next(g)
    g.close()
    assert it.calls == ["next", "close"]
    g = over(Iterator())
    next(g)
    raises(AttributeError, None, g.send, 1)

    # A return inside a delegate that was thrown into ends the delegate only.
    def swallow():
        try:
            yield 1
        except ValueError:
            return "swallowed"

    g = over(swallow())
    next(g)
    assert raises(StopIteration, None, g.throw, ValueError()).value == "swallowed"


def handled():
    def f():
        try:
            raise KeyError("inner")
        except KeyError:
            yield sys.exception()
            yield sys.exception()
        yield sys.exception()

    g = f()
    try:
        raise ValueError("outer")
    except ValueError as outer:
        assert repr(next(g)) == "KeyError('inner')" and sys.exception() is outer
    assert sys.exception() is None
    assert repr(next(g)) == "KeyError('inner')" and next(g) is None

    # What is thrown has for context what the generator handles, not what its caller does.
    def context(handling):
        try:
            if handling:
                try:
                    raise IndexError
                except IndexError:
                    yield
            else:
                yield
        except ValueError as error:
            yield error.__context__

    for handling, expected in [(True, IndexError), (False, type(None))]:
        g = context(handling)
        next(g)
        try:
            raise KeyError("k")
        except KeyError:
            assert type(g.throw(ValueError())) is expected


def collecting():
    def f():
        me = yield
        yield me

    g = f()
    next(g)
    g.send(g)
    alive = weakref.ref(g)
    del g
    gc.collect()
    assert alive() is None

    frames = []

    def held():
        x = [1]
        frames.append(sys._getframe())
        yield x

    g = held()
    assert next(g) == [1] and frames[0] is g.gi_frame and frames[0].f_back is None
    del g
    assert frames[0].f_code.co_name == "held"


def run(coroutine):
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        return stop.value


@types.coroutine
def pause():
    return (yield "paused")


def coroutines():
    async def add(a, b):
        await pause()
        return a + b

    async def main():
        return await add(1, 2) + await add(3, 4)

    assert run(main()) == 10
    c = main()
    assert c.send(None) == "paused" and c.cr_await.cr_code.co_name == "add" and c.cr_suspended
    raises(ZeroDivisionError, None, c.throw, ZeroDivisionError())
    raises(RuntimeError, "cannot reuse already awaited coroutine", c.send, None)
    c.close()
    wrapper = main().__await__()
    assert type(wrapper).__name__ == "coroutine_wrapper" and next(wrapper) == "paused"
    wrapper.close()

    async def twice():
        c = add(1, 1)
        c.send(None)

        async def other():
            await c

        try:
            await other()
        finally:
            c.close()

    raises(RuntimeError, "coroutine is being awaited already", run, twice())

    def generator():
        yield from main_coroutine

    main_coroutine = main()
    raises(TypeError, "cannot 'yield from' a coroutine object in a non-coroutine generator", next, generator())
    main_coroutine.close()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        main()
        gc.collect()
    assert [str(w.message) for w in seen] == ["coroutine 'coroutines.<locals>.main' was never awaited"]
    sys.set_coroutine_origin_tracking_depth(1)
    c = main()
    sys.set_coroutine_origin_tracking_depth(0)
    assert c.cr_origin[0][2] == "coroutines" and len(c.cr_origin) == 1
    c.close()


def async_generators():
    async def count(n):
        try:
            for i in range(n):
                await pause()
                got = yield i
                if got:
                    await pause()
                    yield got
        finally:
            log.append("closed")

    log = []

    async def main():
        assert [x async for x in count(3)] == [0, 1, 2]
        g = count(3)
        assert await anext(g) == 0 and await g.asend("x") == "x"
        assert not g.ag_running and g.ag_await is None
        await g.aclose()
        try:
            await g.__anext__()
        except StopAsyncIteration:
            pass
        else:
            raise AssertionError("closed generator goes on")
        assert await anext(g, "default") == "default"
        g = count(1)
        await anext(g)
        try:
            await g.athrow(KeyError("k"))
        except KeyError:
            pass
        else:
            raise AssertionError("athrow did not throw")
        await g.athrow(KeyError("again"))
        return "end"

    assert run(main()) == "end"
    assert log == ["closed"] * 3

    async def stubborn():
        try:
            yield 1
        except GeneratorExit:
            yield 2

    async def close_it():
        g = stubborn()
        await anext(g)
        try:
            await g.aclose()
        except RuntimeError as error:
            return str(error)

    assert run(close_it()) == "async generator ignored GeneratorExit"
    g = count(3)
    first, second = g.asend(None), g.asend(None)
    assert first.send(None) == "paused" and g.ag_running
    raises(RuntimeError, "anext(): asynchronous generator is already running", second.send, None)
    raises(RuntimeError, "cannot reuse already awaited __anext__()/asend()", second.send, None)
    assert raises(StopIteration, None, first.send, None).value == 0
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        g.asend(None)
        g.aclose()
    name = "'async_generators.<locals>.count'"
    assert [str(w.message) for w in seen] == [
        f"coroutine method 'asend' of {name} was never awaited",
        f"coroutine method 'aclose' of {name} was never awaited",
    ]
    firsts, lasts = [], []
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(firsts.append, lasts.append)
    g = count(1)
    a = g.__anext__()
    a.send(None)
    raises(StopIteration, None, a.send, None)
    assert firsts == [g]
    del g, a
    firsts.clear()
    gc.collect()
    assert len(lasts) == 1
    sys.set_asyncgen_hooks(*hooks)
    run(lasts[0].aclose())


for test in [
    plain, reentrant, throwing, closing, delegating, handled, collecting, coroutines, async_generators,
]:
    test()
