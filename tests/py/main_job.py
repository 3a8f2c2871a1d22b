"""The main job in small: a program that uses the language and the library, and says that it is right."""
import collections
import functools
import itertools
import json
import math
import re


class Shape:
    registry = {}

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        cls.registry[cls.__name__] = cls

    def area(self):
        raise NotImplementedError


class Circle(Shape):
    def __init__(self, radius):
        self.radius = radius

    def area(self):
        return math.pi * self.radius**2


class Square(Shape):
    __slots__ = ("side",)

    def __init__(self, side):
        self.side = side

    def area(self):
        return self.side**2


@functools.lru_cache(maxsize=None)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def primes():
    found = {}
    for n in itertools.count(2):
        factors = found.pop(n, None)
        if factors is None:
            yield n
            found[n * n] = [n]
        else:
            for f in factors:
                found.setdefault(n + f, []).append(f)


def main():
    shapes = [Circle(1), Square(2), Circle(3)]
    assert round(sum(s.area() for s in shapes), 6) == 35.415927
    assert sorted(Shape.registry) == ["Circle", "Square"]
    assert fib(80) == 23416728348467685
    assert list(itertools.islice(primes(), 10)) == [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]
    text = "the quick brown fox jumps over the lazy dog; the end"
    words = collections.Counter(re.findall(r"\w+", text))
    assert words.most_common(1) == [("the", 3)]
    data = {"name": "hognose", "values": [1, 2.5, None, True], "nested": {"ключ": "значение"}}
    assert json.loads(json.dumps(data)) == data
    try:
        try:
            raise ValueError("first")
        except ValueError as error:
            raise RuntimeError("second") from error
    except RuntimeError as error:
        assert repr(error.__cause__) == "ValueError('first')"
    # A cycle, for the collector.
    ring = []
    for _ in range(1000):
        ring = [ring]
    ring.append(ring)
    assert 2**200 % 1_000_007 == pow(2, 200, 1_000_007)
    print("ok")


main()
