"""asyncio: tasks, cancellation, timers, streams, a subprocess; and the native futures and tasks themselves."""

import asyncio
import gc
import socket
import sys

import _asyncio

assert asyncio.Future is _asyncio.Future and asyncio.Task is _asyncio.Task


async def later(value, delay=0.001):
    await asyncio.sleep(delay)
    return value


async def failing():
    raise LookupError("no luck")


async def main():
    loop = asyncio.get_running_loop()
    assert await asyncio.gather(later(1, 0.004), later(2), later(3, 0.002)) == [1, 2, 3]

    task = asyncio.create_task(later("named"), name="a name")
    assert task.get_name() == "a name" and task in asyncio.all_tasks() and not task.done()
    assert asyncio.current_task() is not task
    assert await task == "named" and task.result() == "named" and task not in asyncio.all_tasks()

    task = asyncio.create_task(asyncio.sleep(100))
    await asyncio.sleep(0)
    assert "wait_for=<Future pending" in repr(task), repr(task)
    task.cancel("enough")
    assert task.cancelling() == 1
    try:
        await task
    except asyncio.CancelledError as error:
        assert error.args == ("enough",), error.args
    assert task.cancelled()

    try:
        await asyncio.wait_for(asyncio.sleep(100), 0.002)
    except TimeoutError:
        pass
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(failing())
            group.create_task(asyncio.sleep(100))
    except* LookupError as errors:
        assert len(errors.exceptions) == 1
    result = await asyncio.gather(failing(), return_exceptions=True)
    assert repr(result) == "[LookupError('no luck')]"

    future = loop.create_future()
    seen = []
    future.add_done_callback(seen.append)
    future.add_done_callback(print)
    assert future.remove_done_callback(print) == 1
    loop.call_soon(future.set_result, 42)
    assert await future == 42
    await asyncio.sleep(0)
    assert seen == [future]
    for wrong in (lambda: future.set_result(1), loop.create_future().result):
        try:
            wrong()
        except asyncio.InvalidStateError:
            continue
        raise AssertionError("no InvalidStateError")
    future = loop.create_future()
    future.set_exception(StopIteration)
    assert isinstance(future.exception(), RuntimeError) and isinstance(future.exception().__cause__, StopIteration)

    class Watching(asyncio.Future):
        added = 0

        def add_done_callback(self, callback, *, context=None):
            self.added += 1
            super().add_done_callback(callback, context=context)

    future = Watching(loop=loop)
    loop.call_soon(future.set_result, 1)
    assert await future == 1 and future.added == 1

    eager = asyncio.eager_task_factory(loop, later("eager", 0))
    assert await eager == "eager"

    a, b = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=a)
    other_reader, other_writer = await asyncio.open_connection(sock=b)
    writer.write(b"line\nrest")
    await writer.drain()
    assert await other_reader.readline() == b"line\n"
    writer.close()
    assert await other_reader.read() == b"rest"
    other_writer.close()
    await writer.wait_closed()
    await other_writer.wait_closed()

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "print(6 * 7)", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert out == b"42\n" and process.returncode == 0

    # An exception that nobody asks for is reported.
    reports = []
    loop.set_exception_handler(lambda loop, context: reports.append(context["message"]))
    task = asyncio.create_task(failing())
    await asyncio.sleep(0.001)
    del task
    gc.collect()
    assert reports == ["Task exception was never retrieved"], reports
    loop.set_exception_handler(None)


asyncio.run(main())
try:
    asyncio.get_running_loop()
except RuntimeError as error:
    assert str(error) == "no running event loop"
