"""fork with other threads running and locks held: the child is whole, and has one thread."""
import os
import sys
import threading
import warnings

warnings.simplefilter("ignore", DeprecationWarning)

gate = threading.Event()
lock = threading.Lock()
os.register_at_fork(after_in_child=lock._at_fork_reinit)


def hold():
    with lock:
        holds.set()
        gate.wait()


def churn():
    # Always inside something: allocations, imports, locks, writes.
    null = open(os.devnull, "w")
    while not gate.is_set():
        [bytes(n) for n in range(100)]
        print("x" * 100, file=null, flush=True)
        {str(n): n for n in range(50)}
    null.close()


holds = threading.Event()
threads = [threading.Thread(target=hold)] + [threading.Thread(target=churn) for _ in range(2)]
for thread in threads:
    thread.start()
holds.wait()


def child():
    assert threading.active_count() == 1, threading.enumerate()
    assert threading.current_thread() is threading.main_thread()
    assert not threads[0].is_alive()
    with lock:
        pass
    import colorsys  # the import lock is free

    grandchild = threading.Thread(target=lambda: None)
    grandchild.start()
    grandchild.join()
    return 17


for _ in range(20):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = child()
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 17, status

# A fork in a thread: that thread is the child's main one.
result = []


def fork_here():
    pid = os.fork()
    if pid == 0:
        ok = threading.main_thread() is threading.current_thread() and threading.active_count() == 1
        os._exit(23 if ok else 1)
    result.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


forker = threading.Thread(target=fork_here)
forker.start()
forker.join()
assert result == [23], result
gate.set()
for thread in threads:
    thread.join()

# What is left of threads that have ended, but were not joined, is the parent's business.
ended = [threading.Thread(target=lambda: None) for _ in range(8)]
for thread in ended:
    thread.start()
while any(thread.is_alive() for thread in ended):
    pass
pid = os.fork()
if pid == 0:
    ended.clear()
    thread = None
    os._exit(29)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 29
