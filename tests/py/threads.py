"""Threads: start and end, locks, queues, thread-specific data, exceptions, pools. Nothing here sleeps to synchronize."""
import _thread
import gc
import queue
import sys
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor, wait


def start_and_join():
    seen = []
    threads = [threading.Thread(target=seen.append, args=(i,)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
        assert not thread.is_alive()
    assert sorted(seen) == list(range(20))


def switching():
    old = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    assert abs(sys.getswitchinterval() - 1e-4) < 1e-9
    stop = []
    counts = [0, 0, 0]

    def spin(index):
        while not stop:
            counts[index] += 1

    threads = [threading.Thread(target=spin, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    # Every one gets its turn without ever giving it up by itself.
    while min(counts) < 100:
        pass
    stop.append(True)
    for thread in threads:
        thread.join()
    sys.setswitchinterval(old)


def mutual_exclusion():
    lock = threading.Lock()
    total = [0]

    def add():
        for _ in range(500):
            with lock:
                value = total[0]
                if value % 50 == 0:
                    time.sleep(0)
                total[0] = value + 1

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert total[0] == 2000


def timeouts():
    lock = threading.Lock()
    lock.acquire()
    assert not lock.acquire(False)
    begin = time.monotonic()
    assert not lock.acquire(timeout=0.02)
    assert time.monotonic() - begin >= 0.02
    lock.release()
    try:
        lock.release()
    except RuntimeError as error:
        assert str(error) == "release unlocked lock"
    else:
        raise AssertionError("an unlocked lock was released")
    thread_lock = threading.Lock()
    thread_lock.acquire()
    thread = threading.Thread(target=thread_lock.acquire)
    thread.start()
    thread.join(0.01)
    assert thread.is_alive()
    thread_lock.release()
    thread.join()


def conditions():
    condition = threading.Condition()
    items = []
    got = []

    def consume():
        for _ in range(100):
            with condition:
                condition.wait_for(lambda: items)
                got.append(items.pop(0))

    consumers = [threading.Thread(target=consume) for _ in range(3)]
    for consumer in consumers:
        consumer.start()
    for i in range(300):
        with condition:
            items.append(i)
            condition.notify()
    for consumer in consumers:
        consumer.join()
    assert sorted(got) == list(range(300))
    barrier = threading.Barrier(4)
    order = []
    threads = [threading.Thread(target=lambda: order.append(barrier.wait())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(order) == [0, 1, 2, 3]


def rlocks():
    lock = threading.RLock()
    with lock:
        with lock:
            seen = []
            thread = threading.Thread(target=lambda: seen.append(lock.acquire(False)))
            thread.start()
            thread.join()
            assert seen == [False]
    try:
        lock.release()
    except RuntimeError:
        pass
    else:
        raise AssertionError("released what nobody has")


def locals_of_threads():
    class Noticed:
        pass

    local = threading.local()
    local.value = "main"
    refs = []

    def work(i):
        assert not hasattr(local, "value")
        local.value = Noticed()
        refs.append(weakref.ref(local.value))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gc.collect()
    assert local.value == "main"
    assert [ref() for ref in refs] == [None] * 5


def exceptions():
    caught = []
    old, threading.excepthook = threading.excepthook, lambda args: caught.append((args.exc_type, args.thread.name))
    thread = threading.Thread(target=lambda: 1 / 0, name="divides")
    thread.start()
    thread.join()
    threading.excepthook = old
    assert caught == [(ZeroDivisionError, "divides")]
    unraisable = []
    old, sys.unraisablehook = sys.unraisablehook, unraisable.append
    done = _thread.allocate_lock()
    done.acquire()

    class Ends:
        def __del__(self):
            done.release()

    def fails(token):
        raise KeyError("x")

    _thread.start_new_thread(fails, (Ends(),))
    # The exception's traceback keeps the token for the hook.
    while not unraisable:
        time.sleep(0.001)
    error = unraisable.pop()
    assert error.exc_type is KeyError and error.err_msg.startswith("Exception ignored in thread started by"), error
    del error
    done.acquire()
    sys.unraisablehook = old


def queues():
    for make in (queue.Queue, queue.SimpleQueue, queue._PySimpleQueue, queue.LifoQueue):
        q = make()
        got = []

        def take():
            while (item := q.get()) is not None:
                got.append(item)

        threads = [threading.Thread(target=take) for _ in range(3)]
        for thread in threads:
            thread.start()
        for i in range(200):
            q.put(i)
        if make is queue.LifoQueue:
            while not q.empty():
                time.sleep(0.001)
        for _ in threads:
            q.put(None)
        for thread in threads:
            thread.join()
        assert sorted(got) == list(range(200)), make
    q = queue.SimpleQueue()
    assert type(q).__module__ == "_queue"
    for call in (q.get_nowait, lambda: q.get(timeout=0.01), lambda: q.get(block=False)):
        try:
            call()
        except queue.Empty:
            pass
        else:
            raise AssertionError("something came out of an empty queue")
    q.put(q)
    assert q.qsize() == 1


def pools():
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda x: x * x, range(50))) == [x * x for x in range(50)]
        futures = [pool.submit(pow, 2, n) for n in range(20)]
        done, waiting = wait(futures)
        assert len(done) == 20 and not waiting
        failed = pool.submit(int, "x")
        assert isinstance(failed.exception(), ValueError)


def handles():
    handle = _thread.start_joinable_thread(lambda: None)
    handle.join()
    assert handle.is_done()
    assert _thread._count() == 0
    gate = _thread.allocate_lock()
    gate.acquire()
    handle = _thread.start_joinable_thread(gate.acquire)
    assert not handle.is_done() and handle.ident != _thread.get_ident()
    try:
        handle.join(0.001)
    finally:
        gate.release()
    handle.join()
    assert _thread.stack_size(1 << 20) == 0
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    assert _thread.stack_size(0) == 1 << 20


def many_frames():
    def depth(n):
        return 0 if n == 0 else 1 + depth(n - 1)

    got = []
    threads = [threading.Thread(target=lambda: got.append(depth(500))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [500] * 4
    frames = sys._current_frames()
    assert frames[threading.get_ident()] is sys._getframe()


def streams():
    import io

    raw = io.BytesIO()
    stream = io.BufferedWriter(raw, 64)

    def write(byte):
        for _ in range(200):
            stream.write(byte * 10)

    threads = [threading.Thread(target=write, args=(bytes([65 + i]),)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stream.flush()
    written = raw.getvalue()
    assert len(written) == 8000 and {written.count(bytes([65 + i])) for i in range(4)} == {2000}
    stream.close()


def late_start():
    # Runs while the interpreter waits for its threads: it is no daemon.
    def last():
        threading.main_thread().join()
        late.append(True)

    threading.Thread(target=last).start()


late = []
for test in (start_and_join, switching, mutual_exclusion, timeouts, conditions, rlocks, locals_of_threads, exceptions,
             queues, pools, handles, many_frames, streams, late_start):
    test()
