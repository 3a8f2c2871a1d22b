"""Signals are handled in the main thread, wherever it waits, and nowhere else."""
import _thread
import os
import signal
import threading
import time

# A process in the background may have been started with it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)

handled = []
signal.signal(signal.SIGUSR1, lambda number, frame: handled.append(threading.get_ident()))
main = threading.get_ident()

# While the main thread waits for a lock, a thread's end, a queue.
lock = threading.Lock()
lock.acquire()


def poke():
    os.kill(os.getpid(), signal.SIGUSR1)
    while not handled:
        time.sleep(0.001)
    lock.release()


thread = threading.Thread(target=poke)
thread.start()
lock.acquire()
thread.join()
assert handled == [main], handled

# A handler that raises ends the wait.
def stop(number, frame):
    raise InterruptedError("stop")


signal.signal(signal.SIGALRM, stop)
signal.setitimer(signal.ITIMER_REAL, 0.02)
try:
    lock.acquire()
except InterruptedError:
    pass
else:
    raise AssertionError("the lock was acquired twice")
lock.release()

# Ctrl-C, simulated in another thread, is the main thread's.
lock.acquire()


def interrupt():
    with lock:
        _thread.interrupt_main()


thread = threading.Thread(target=interrupt)
thread.start()
try:
    lock.release()
    while True:
        time.sleep(0.001)
except KeyboardInterrupt:
    pass
thread.join()

failed = []


def elsewhere():
    try:
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    except ValueError as error:
        failed.append(str(error))


thread = threading.Thread(target=elsewhere)
thread.start()
thread.join()
assert failed == ["signal only works in main thread of the main interpreter"], failed
