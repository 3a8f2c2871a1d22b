"""generator, coroutine, asynchronous generator."""
import types

from harness import check


def numbers(n):
    for i in range(n):
        got = yield i * 10**18
        if got:
            yield got


def delegating():
    result = yield from returning()
    yield result


def returning():
    yield 1
    return [2]


class Awaitable:
    def __await__(self):
        return (yield "waiting")


async def coroutine(n):
    result = await Awaitable()
    async with Manager() as entered:
        return n, result, entered, [x async for x in stream(3)]


class Manager:
    async def __aenter__(self):
        return "entered"

    async def __aexit__(self, *error):
        return False


async def stream(n):
    for i in range(n):
        yield i * 10**18


def drive(coro, *values):
    """Runs a coroutine to its end."""
    try:
        coro.send(None)
        for value in values:
            coro.send(value)
    except StopIteration as stop:
        return stop.value
    finally:
        coro.close()


def thrown():
    def catching():
        try:
            yield 1
        except ValueError as error:
            yield str(error)

    g = catching()
    next(g)
    try:
        return g.throw(ValueError("in"))
    finally:
        g.close()


def closed():
    order = []

    def finishing():
        try:
            yield
        finally:
            order.append("end")

    g = finishing()
    next(g)
    g.close()
    return order


async def athrown():
    async def catching():
        try:
            yield 1
        except ValueError as error:
            yield str(error)

    g = catching()
    await anext(g)
    try:
        return await g.athrow(ValueError("in"))
    finally:
        await g.aclose()


async def asent():
    g = stream(3)
    first = await g.asend(None)
    second = await anext(g)
    await g.aclose()
    return first, second, await anext(g, "default")


@types.coroutine
def old():
    return (yield "old")


async def uses_old():
    return await old()


def sent():
    g = numbers(3)
    try:
        return next(g), g.send("x"), g.gi_frame is not None, g.gi_running, g.gi_code.co_name
    finally:
        g.close()


check(
    lambda: list(numbers(5)), sent, lambda: list(delegating()), lambda: [*(x * 10**18 for x in range(4))], lambda: sum(x for x in numbers(3)), lambda: drive(coroutine(5), "value"), thrown, closed, lambda: drive(athrown()), lambda: drive(asent()), lambda: drive(uses_old(), 7), lambda: repr(numbers(1))[:17], lambda: numbers.__call__(1).__name__, lambda: dict((i, i) for i in numbers(3)), lambda: list(zip(numbers(2), numbers(2))), lambda: tuple(numbers(3)), lambda: "".join(str(i) for i in numbers(3)), lambda: max(numbers(4)), lambda: stream(1).__name__, lambda: type(stream(1).aclose()).__name__ if False else 0,
)
