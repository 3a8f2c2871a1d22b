import collections
import time

from harness import Same, check

base = (3, 1.5, "x", None) * 3
Point = collections.namedtuple("Point", "x y")


class Pair(tuple):
    pass


def unpack():
    first, *middle, last = base
    return first, middle, last


check(
    lambda: base + base, lambda: base * 3, lambda: base[2:9], lambda: base[::-2], lambda: tuple("abc" * 6), lambda: tuple(range(40)), lambda: tuple(x for x in base), lambda: (*base, *base), lambda: repr(base), lambda: hash(base + (1,)), lambda: base == base + (), lambda: base[:3] < base[:1], lambda: base.index("x"), lambda: base.count(3), lambda: [*reversed(base)], lambda: Pair(base) + (1,), lambda: Same(Pair(base)), lambda: Pair(base)[1:3], lambda: base.__getnewargs__(), lambda: tuple[int, str].__args__,
    lambda: Point(1, 2)._replace(x=3), lambda: Point._make([1, 2])._asdict(), lambda: repr(Point(1, y=2)), lambda: time.gmtime(0)[:], lambda: repr(time.gmtime(0)), lambda: time.gmtime(0).__reduce__()[1], lambda: tuple(time.gmtime(0).__replace__(tm_year=2000)), lambda: tuple(iter(base)), lambda: tuple([1, 2, 3]), unpack, lambda: tuple({"a": 1}), lambda: iter(base).__reduce__()[1], lambda: time.struct_time(range(9))[3],
)
