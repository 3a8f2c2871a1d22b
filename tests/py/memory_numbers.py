"""sys._hognose: figures that agree with each other, limits that hold, memory that goes back."""

import gc
import sys
import os

hog = sys._hognose
# Blocks of these are not as large as their size class.
DEBUG = os.environ.get("PYTHONMALLOC", "").endswith(("debug", "guard"))
KIND = hog.memory_stats()["allocator"]
assert KIND in ("malloc", "pymalloc", "mimalloc"), KIND


# ---- figures ----

stats = hog.memory_stats()
assert stats["version"] == 1 and stats["interpreter"] == 0
for name in ("raw", "mem", "obj"):
    domain = stats[name]
    assert 0 < domain["live_blocks"] <= domain["peak_blocks"], (name, domain)
    assert 0 < domain["live_bytes"] <= domain["peak_bytes"], (name, domain)
    assert domain["allocations"] >= domain["live_blocks"]
    # mimalloc counts what it hands out as what was asked for.
    assert domain["total_bytes"] >= domain["live_bytes"] or KIND == "mimalloc"
held = stats["heap"]["held_bytes"]
assert held <= stats["heap"]["peak_held_bytes"]
assert stats["limits"] == {
    "heap": {"soft": None, "hard": None},
    "mem": {"soft": None, "hard": None},
    "obj": {"soft": None, "hard": None},
    "refused": 0,
}
small = sum(c["live_bytes"] for c in stats["classes"])
live = stats["mem"]["live_bytes"] + stats["obj"]["live_bytes"]
assert small + stats["heap"]["large_bytes"] == live
arenas = stats["arenas"]
if KIND == "pymalloc":
    assert small + sum(stats["lost"].values()) == arenas["bytes"]
    assert arenas["used_pages"] * arenas["page_size"] + stats["heap"]["large_bytes"] == held
    for c in stats["classes"]:
        assert c["live_blocks"] * c["block_size"] == c["live_bytes"], c
else:
    assert stats["classes"] == [] and arenas["live"] == 0 and held == live
assert stats["resident_bytes"] > live // 2

# A block more is a block more.
before = hog.memory_stats()["mem"]["live_blocks"]
items = [None] * 1000
after = hog.memory_stats()["mem"]["live_blocks"]
blocks = sys.getallocatedblocks()
assert blocks > after


# ---- census ----

class Plain:
    def __init__(self):
        self.a = self.b = None


class Slots:
    __slots__ = ("a", "b")


class Meta(type):
    pass


class OfMeta(metaclass=Meta):
    __slots__ = ()


class Outer:
    class Inner(dict):
        pass


THOUSAND = 1000
keep = [
    [Plain() for _ in range(THOUSAND)],
    [Slots() for _ in range(THOUSAND)],
    [OfMeta() for _ in range(THOUSAND)],
    [Outer.Inner() for _ in range(THOUSAND)],
    [float(i) for i in range(THOUSAND)],
    [(i, Plain) for i in range(THOUSAND)],
    [super(Slots, keep_slots) for keep_slots in [Slots()] * THOUSAND],
    [str(i) * 200 for i in range(THOUSAND)],
]
gc.collect()
census = hog.census()
for name, least in [
    ("__main__.Plain", THOUSAND),
    ("__main__.Slots", THOUSAND + 1),
    ("__main__.OfMeta", THOUSAND),
    ("__main__.Outer.Inner", THOUSAND),
    ("float", THOUSAND),
    ("tuple", THOUSAND),
    ("super", THOUSAND),
    ("str", THOUSAND),
]:
    objects, size = census[name]
    assert objects >= least, (name, objects)
    if name.startswith("__main__"):
        assert objects == least, (name, objects)
assert census["__main__.Meta"][0] == 1
assert census["type"][0] > 10 and census["dict"][0] > 10 and census["function"][0] > 100
assert census["str"][1] > THOUSAND * 200
assert list(census.values())[0][1] >= list(census.values())[-1][1]

# Every byte of the obj domain is told of, between two readings of the counter.
low = hog.memory_stats()["obj"]
census = hog.census()
high = hog.memory_stats()["obj"]
objects = sum(n for n, _ in census.values())
assert low["live_blocks"] <= objects <= high["live_blocks"] + len(census) * 4, (low, objects, high)
unknown = census.get("(unknown)", (0, 0))
assert unknown[0] <= 5, unknown


# ---- the size of an object is that of its block ----

def block_size(thing):
    size = sys.getsizeof(thing)
    return (size + 15) & ~15 if KIND == "pymalloc" else size


if not DEBUG and KIND != "mimalloc":
    census = hog.census()
    for name, things in [("__main__.Plain", keep[0]), ("__main__.OfMeta", keep[2])]:
        assert census[name] == (len(things), sum(map(block_size, things))), name


# ---- trim ----

del keep, items
gc.collect()
big = [bytes(100) for _ in range(200_000)]
full = hog.memory_stats()
# One block in each arena, or more, stays: what goes back are single pages.
anchors = big[::2000]
del big
slim = hog.memory_stats()
given = hog.trim()
trimmed = hog.memory_stats()
assert trimmed["obj"]["live_bytes"] + 20_000_000 < full["obj"]["live_bytes"]
if KIND == "pymalloc":
    assert slim["arenas"]["dirty_pages"] * 16384 >= 15_000_000, slim["arenas"]
    assert given >= 15_000_000, given
    assert trimmed["arenas"]["dirty_pages"] == 0
    assert trimmed["resident_bytes"] + 15_000_000 < slim["resident_bytes"], (slim, trimmed)
assert anchors == [bytes(100)] * 100
del anchors
assert hog.trim("mem") >= 0 and hog.trim("obj") >= 0 and hog.trim("raw") >= 0
assert hog.advise_huge_pages(True) is False
more = [bytes(100) for _ in range(50_000)]
assert hog.advise_huge_pages(False) is True
del more


# ---- limits ----

def raises(error, function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except error as e:
        return str(e)
    raise AssertionError(f"no {error.__name__}")


assert "negative" in raises(ValueError, hog.set_memory_limit, -1)
assert "soft" in raises(ValueError, hog.set_memory_limit, 2, 1)
assert "raw" in raises(ValueError, hog.set_memory_limit, hard=1, domain="raw")
assert "heap" in raises(ValueError, hog.set_memory_limit, domain="heap")
raises(TypeError, hog.set_memory_limit, "1")
raises(TypeError, hog.set_memory_callback, 1)
assert hog.get_memory_limit() == (None, None)

for domain in (None, "mem", "obj"):
    gc.collect()
    stats = hog.memory_stats()
    if domain is None:
        held = stats["heap"]["held_bytes"]
    else:
        held = stats[domain]["live_bytes"]
    limit = held + 8_000_000
    refused = stats["limits"]["refused"]
    hog.set_memory_limit(hard=limit, domain=domain)
    assert hog.get_memory_limit(domain) == (None, limit)
    fill = []
    size = 0
    try:
        while True:
            # Lists take from mem, bytes from obj.
            fill.append([None] * 200 if domain == "mem" else bytes(900))
            size += 1
    except MemoryError:
        # Room first: the heap is full to the last byte or page.
        fill = None
    assert 4_000 < size < 11_000, (domain, size)
    # The program goes on, up to the limit again.
    again = [bytes(900) for _ in range(3_000)]
    assert len(again) == 3_000
    del again
    raises(MemoryError, lambda: bytes(10_000_000) if domain != "mem" else [0] * 2_000_000)
    stats = hog.memory_stats()
    assert stats["limits"]["refused"] > refused
    assert stats["limits"][domain or "heap"] == {"soft": None, "hard": limit}
    if domain is None:
        assert stats["heap"]["peak_held_bytes"] >= stats["heap"]["held_bytes"]
        assert stats["heap"]["held_bytes"] <= limit
    hog.set_memory_limit(domain=domain)
assert hog.get_memory_limit() == (None, None)


# ---- the soft limit ----

calls = []
assert hog.set_memory_callback(lambda *args: calls.append(args)) is None
assert callable(hog.get_memory_callback())


def cycles(count):
    # Objects that only the collector frees.
    for _ in range(count):
        a = []
        a.append((a, bytes(2000)))


gc.collect()
gc.set_threshold(1_000_000)
held = hog.memory_stats()["heap"]["held_bytes"]
soft, hard = held + 4_000_000, held + 16_000_000
hog.set_memory_limit(soft, hard)
collections = gc.get_stats()[2]["collections"]
refused = hog.memory_stats()["limits"]["refused"]
# Five times the hard limit: without the collections of the soft one there would be a MemoryError.
cycles(40_000)
assert calls and gc.get_stats()[2]["collections"] > collections
scope, at, *limits = calls[0]
assert scope == "heap" and limits == [soft, hard] and at > 0
assert hog.memory_stats()["limits"]["refused"] == refused
gc.set_threshold(2000)
assert len(calls) > 3, calls


class TooMuch(Exception):
    pass


def refuse(*args):
    raise TooMuch(args[0])


# What the callback raises is raised in the program.
hog.set_memory_callback(refuse)
gc.collect()
gc.disable()
fill = []
try:
    while True:
        fill.append([bytes(1000)])
except TooMuch as e:
    assert e.args == ("heap",)
else:
    raise AssertionError("no TooMuch")
fill = None
gc.enable()
gc.collect()

# A domain has its own, and a callback may raise the limit.
seen = []


def more(scope, held, soft, hard):
    seen.append(scope)
    if len(seen) == 1:
        hog.set_memory_limit(hard=None, domain=scope)


hog.set_memory_limit()
assert hog.set_memory_callback(more) is refuse
mem = hog.memory_stats()["mem"]["live_bytes"]
hog.set_memory_limit(mem + 1_000_000, domain="mem")
fill = [[0] * 1000 for _ in range(1000)]
assert seen == ["mem"], seen
del fill
assert hog.set_memory_callback(None) is more
hog.set_memory_limit()


# ---- the picture ----

svg = hog.heap_map()
assert svg.startswith("<svg ") and svg.endswith("</svg>\n")
if KIND == "pymalloc":
    assert svg.count("<title>") > 20
    # The ground, three of the legend, and a square for each page of the arenas of that moment.
    assert (svg.count("<rect") - 4) % 64 == 0
