"""What a thread does while others wait, what a fork leaves of them, and signals that cannot be told of."""
import array
import gc
import io
import os
import signal
import sys
import tempfile
import threading
import warnings

# Readers that wait for each other look again at the buffer when it is their turn.
with tempfile.NamedTemporaryFile() as file:
    content = bytes(range(256)) * 400
    file.write(content)
    file.flush()
    parts = []
    with open(file.name, "rb", 100, opener=None) as stream:

        def read():
            size = 1
            while part := stream.read(size):
                parts.append(part)
                size = size % 19 + 1

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    read = b"".join(parts)
    assert len(read) == len(content) and sorted(read) == sorted(content)

# In the child of a fork made by another thread the main thread is not there: who joins it does not wait.
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    results = []
    main = threading.current_thread()

    def fork():
        child = os.fork()
        if child == 0:
            main.join()
            os._exit(17)
        results.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    forker = threading.Thread(target=fork)
    forker.start()
    forker.join()
    assert results == [17], results

# A signal that cannot be written to the wake-up descriptor is told of, a full pipe only if that is wanted.
caught = []
sys.unraisablehook = lambda arguments: caught.append((arguments.exc_type, arguments.err_msg))
signal.signal(signal.SIGUSR1, lambda number, frame: None)
reader, writer = os.pipe()
os.set_blocking(reader, False)
os.set_blocking(writer, False)
signal.set_wakeup_fd(reader)
signal.raise_signal(signal.SIGUSR1)
assert caught == [(OSError, "Exception ignored while trying to write to the signal wakeup fd")], caught
caught.clear()
signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
try:
    while True:
        os.write(writer, bytes(4096))
except BlockingIOError:
    pass
signal.raise_signal(signal.SIGUSR1)
assert caught == [], caught
signal.set_wakeup_fd(writer)
signal.raise_signal(signal.SIGUSR1)
assert [kind for kind, _ in caught] == [BlockingIOError], caught
signal.set_wakeup_fd(-1)
os.close(reader)
os.close(writer)
sys.unraisablehook = sys.__unraisablehook__

# What refers to a code object can be found; an array from a list has memory for just its items.
def function():
    pass


assert function in gc.get_referrers(function.__code__)
empty = sys.getsizeof(array.array("i"))
assert sys.getsizeof(array.array("i", [1] * 100)) == empty + 400
assert sys.getsizeof(array.array("i", tuple([1] * 100))) == empty + 400


class Shrinks:
    def __index__(self):
        del items[2:]
        return 5


items = [1, Shrinks(), 3, 4]
assert array.array("i", items).tolist() == [1, 5]
try:
    io.FileIO(1 << 40)
except TypeError:
    pass
else:
    raise AssertionError("a descriptor that large")
