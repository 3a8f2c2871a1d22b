# tracemalloc: what is alive, how much, and where it was allocated.
import gc
import os
import sys
import tracemalloc
import _tracemalloc

UNIT = 1000


def here(delta=0):
    return sys._getframe(1).f_lineno + delta


def sizes(snapshot, line):
    stats = snapshot.filter_traces([tracemalloc.Filter(True, __file__, line)]).statistics("lineno")
    return sum(s.size for s in stats), sum(s.count for s in stats)


# Off, it answers with nothing.
assert not tracemalloc.is_tracing() and tracemalloc.get_traceback_limit() == 1
assert tracemalloc.get_traced_memory() == (0, 0) and _tracemalloc._get_traces() == []
assert tracemalloc.get_object_traceback([]) is None and tracemalloc.get_tracemalloc_memory() == 0
tracemalloc.stop()
tracemalloc.clear_traces()
tracemalloc.reset_peak()
for bad in (0, -1, 65536, 2**30):
    try:
        tracemalloc.start(bad)
    except ValueError as error:
        assert str(error) == "the number of frames must be in range [1; 65535]"
    else:
        raise AssertionError(bad)

# One frame.
older = [bytearray(UNIT) for _ in range(10)]
tracemalloc.start()
tracemalloc.start(7)  # is tracing already: nothing
assert tracemalloc.get_traceback_limit() == 1
sizes(tracemalloc.take_snapshot(), 1)  # what the library imports and keeps at its first use is there now
before = tracemalloc.get_traced_memory()[0]
blocks, line = [bytearray(UNIT) for _ in range(50)], here()
now, peak = tracemalloc.get_traced_memory()
assert 50 * UNIT < now - before < 60 * UNIT + 5000 and peak >= now
size, count = sizes(tracemalloc.take_snapshot(), line)
assert size >= 50 * UNIT and count >= 100, (size, count)
assert [f.lineno for f in tracemalloc.get_object_traceback(blocks[3])] == [line]
assert tracemalloc.get_object_traceback(older[0]) is None
# What goes is no longer counted: what was there before tracing began, too.
del blocks[10:], older
assert tracemalloc.get_traced_memory()[0] - before < 12 * UNIT + 5000
tracemalloc.reset_peak()
now, peak = tracemalloc.get_traced_memory()
assert abs(peak - now) < 1000
# A block that grows is recorded where it last grew.
growing = bytearray(10)
growing.extend(bytes(100 * UNIT)); line = here()
size, count = sizes(tracemalloc.take_snapshot(), line)
assert size >= 100 * UNIT, size
memory = tracemalloc.get_tracemalloc_memory()
tracemalloc.clear_traces()
assert tracemalloc.get_traced_memory()[0] < 1000
assert 0 < tracemalloc.get_tracemalloc_memory() <= memory
assert tracemalloc.get_object_traceback(growing) is None
del growing
tracemalloc.stop()


# Several frames; all are counted.
def deep(n):
    if n:
        return deep(n - 1)
    return bytearray(UNIT)


def generate():
    yield deep(2)


depth = 0
frame = sys._getframe()
while frame:
    depth += 1
    frame = frame.f_back
tracemalloc.start(4)
block = deep(5)
traceback = tracemalloc.get_object_traceback(block)
assert len(traceback) == 4 and traceback.total_nframe in (None, depth + 6)
assert {t[3] for t in _tracemalloc._get_traces() if t[1] == UNIT + 1 or t[1] == UNIT} == {depth + 6}
lines = [f.lineno for f in tracemalloc.get_object_traceback(next(generate()))]
first = deep.__code__.co_firstlineno
assert lines == [generate.__code__.co_firstlineno + 1, first + 2, first + 2, first + 3], lines
tracemalloc.stop()

# Code that ends does not lend its addresses to later code.
tracemalloc.start()
for i in range(200):
    names = {}
    exec("\n" * i + "x = [None] * 77", names)
    trace = tracemalloc.get_object_traceback(names["x"])
    assert [(f.filename, f.lineno) for f in trace] == [("<string>", i + 1)], (i, trace)

# The same places are the same tuples, and a snapshot records nothing of itself.
traces = _tracemalloc._get_traces()
assert len({id(t[2]) for t in traces}) == len({t[2] for t in traces})
count = tracemalloc.get_traced_memory()[0]
del traces

# A fork goes on with what it has.
pid = os.fork()
if pid == 0:
    block, line = bytearray(UNIT), here()
    ok = tracemalloc.is_tracing() and [f.lineno for f in tracemalloc.get_object_traceback(block)] == [line]
    os._exit(0 if ok else 1)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

# Cycles that the collector finds are forgotten.
gc.collect()
gc.disable()
before = tracemalloc.get_traced_memory()[0]
for _ in range(100):
    cycle = [bytearray(UNIT)]
    cycle.append(cycle)
del cycle
assert tracemalloc.get_traced_memory()[0] - before > 99 * UNIT
gc.enable()
gc.collect()
assert tracemalloc.get_traced_memory()[0] - before < 2000
# It is left on: finalization ends it.
