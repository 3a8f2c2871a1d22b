"""Daemon threads that run when the program ends: they are stopped where they are, and leave nothing behind."""
import sys
import threading

sys.setswitchinterval(1e-4)


class Local:
    pass


def spin(depth, held):
    here = [Local() for _ in range(10)]
    if depth:
        return spin(depth - 1, here)
    ready.release()
    while True:
        held, here = here, held


def in_a_generator():
    def numbers():
        own = Local()
        n = 0
        while True:
            n += 1
            yield n

    ready.release()
    for n in numbers():
        pass


ready = threading.Semaphore(0)
local = threading.local()
for target, args in ((spin, (0, None)), (spin, (20, None)), (in_a_generator, ())):
    threading.Thread(target=target, args=args, daemon=True).start()
    ready.acquire()
