# Interpreters beside each other: made, run, called, fed through queues, ended.
import _interpreters
import threading
from concurrent import interpreters
from concurrent.futures import InterpreterPoolExecutor


def raises(kind, function, *arguments, **keywords):
    try:
        function(*arguments, **keywords)
    except kind as error:
        return error
    raise AssertionError(f'{kind.__name__} was not raised')


# One, and what is known of it.
main = interpreters.get_main()
assert main.id == 0 and interpreters.get_current() == main and main.is_running()
one = interpreters.create()
assert one.id > 0 and not one.is_running() and one.whence == '_interpreters module'
assert [i.id for i in interpreters.list_all()] == [0, one.id]

# Code in __main__, which stays; exceptions are told of, in texts.
one.exec('import sys\nx = 40\nassert not hasattr(sys, "mark")')
one.prepare_main(y=2, text='aé€😀', nothing=None, yes=True, real=1.5, data=b'\0\xff', nested=(1, ('a', b'b')))
one.exec('assert x + y == 42 and text == "aé€😀" and nothing is None and yes is True')
one.exec('assert real == 1.5 and data == b"\\0\\xff" and nested == (1, ("a", b"b"))')
error = raises(interpreters.ExecutionFailed, one.exec, 'def f():\n    raise ValueError("no good")\nf()')
assert error.excinfo.type.__name__ == 'ValueError' and error.excinfo.msg == 'no good', error.excinfo
assert error.excinfo.formatted == 'ValueError: no good' and 'in f' in error.excinfo.errdisplay
assert 'no good' in str(error)
raises(interpreters.ExecutionFailed, one.exec, 'this is no Python')
raises(interpreters.NotShareableError, one.prepare_main, bad=[1])
assert not one.is_running()

# Functions: by their code when they need nothing, by name when they are a module's.
assert one.call(lambda a, b: a * b, 6, 7) == 42
assert one.call(divmod, 17, 5) == (3, 2)
assert one.call(dict, a=1, b=[2, {3}]) == {'a': 1, 'b': [2, {3}]}
import textwrap
assert one.call(textwrap.dedent, '  a\n  b') == 'a\nb'
error = raises(interpreters.ExecutionFailed, one.call, divmod, 1, 0)
assert error.excinfo.type.__name__ == 'ZeroDivisionError'
raises(interpreters.NotShareableError, one.call, lambda: (_ for _ in ()))
seen = []
thread = one.call_in_thread(int)
thread.join()

# What is shareable as it is.
for thing in (None, True, 1, 1.5, 'a', b'b', (1, [2]), memoryview(b'c')):
    assert interpreters.is_shareable(thing), thing
for thing in ([], {}, object(), int, raises, bytearray(), 1j, {1}):
    assert not interpreters.is_shareable(thing), thing

# Memory is shared, and given back.
memory = bytearray(b'0123456789')
view = memoryview(memory)
one.prepare_main(view=view)
one.exec('assert bytes(view) == b"0123456789"\nview[3:5] = b"xy"')
assert memory == b'012xy56789', memory
raises(BufferError, view.release)
one.exec('view.release(); del view')
for _ in range(100):
    pass
view.release()
memory.append(1)

# Queues.
queue = interpreters.create_queue(3)
one.prepare_main(queue=queue)
one.exec('queue.put((1, "two", [3, 4]))')
assert queue.get() == (1, 'two', [3, 4])
for n in range(3):
    queue.put(n)
assert queue.full() and queue.qsize() == 3 and queue.maxsize == 3
raises(interpreters.QueueFull, queue.put_nowait, 3)
assert [queue.get() for _ in range(3)] == [0, 1, 2] and queue.empty()
raises(interpreters.QueueEmpty, queue.get_nowait)
one.exec('queue.put("left"); queue.put("right")')

# Busy, and ended.
raises(interpreters.InterpreterError, main.close)
raises(interpreters.InterpreterError, main.exec, 'pass')
raises(interpreters.InterpreterNotFoundError, interpreters.Interpreter, 4711)
raises(TypeError, _interpreters.is_running, 'a')
raises(ValueError, _interpreters.is_running, -1)
raises(OverflowError, _interpreters.is_running, 1 << 70)
inside, go_on = interpreters.create_queue(), interpreters.create_queue()
one.prepare_main(inside=inside, go_on=go_on)
thread = threading.Thread(target=one.exec, args=('inside.put(1)\ngo_on.get()',))
thread.start()
inside.get()
assert one.is_running()
raises(interpreters.InterpreterError, one.exec, 'pass')
raises(interpreters.InterpreterError, one.close)
go_on.put(None)
thread.join()
one.close()
assert [i.id for i in interpreters.list_all()] == [0]
raises(interpreters.InterpreterNotFoundError, one.exec, 'pass')
assert repr(queue.get()).endswith('UNBOUND') and queue.qsize() == 1
del queue, inside, go_on

# The last object of one ends it.
two = interpreters.create()
del two
assert [i.id for i in interpreters.list_all()] == [0]

# Configurations.
config = _interpreters.new_config('isolated', allow_fork=True)
assert config.gil == 'own' and config.allow_fork and not config.use_main_obmalloc
number = _interpreters.create(config)
assert vars(_interpreters.get_config(number)) == vars(config)
assert _interpreters.whence(number) == _interpreters.WHENCE_STDLIB
_interpreters.destroy(number)
raises(ValueError, _interpreters.new_config, 'no such name')
raises(ValueError, _interpreters.new_config, spam=True)
raises(TypeError, _interpreters.new_config, allow_fork=1)
raises(ValueError, _interpreters.new_config, gil='mine')
raises(_interpreters.InterpreterError, _interpreters.create,
       _interpreters.new_config('isolated', use_main_obmalloc=True))
raises(_interpreters.InterpreterError, _interpreters.create,
       _interpreters.new_config('isolated', check_multi_interp_extensions=False))
legacy = _interpreters.create('legacy')
assert _interpreters.exec(legacy, 'import os, json; os.x = 1') is None
assert _interpreters.run_string(legacy, '1 / 0').type.__name__ == 'ZeroDivisionError'
def script():
    global done
    done = 1
raises(ValueError, _interpreters.run_func, legacy, lambda: 1)
_interpreters.destroy(legacy)

# A pool of them.
with InterpreterPoolExecutor(2) as pool:
    assert list(pool.map(pow, range(6), [2] * 6)) == [0, 1, 4, 9, 16, 25]
    failed = pool.submit(divmod, 1, 0)
    assert isinstance(failed.exception(), ZeroDivisionError), failed.exception()

try:
    [].missing
except AttributeError:
    told = _interpreters.capture_exception()
assert told.type.__name__ == 'AttributeError' and 'missing' in told.msg
assert _interpreters.capture_exception(ValueError('x')).formatted == 'ValueError: x'
