from harness import Same, check

base = [3, 1, 2, "x", None] * 3
numbers = [5, 3, 9, 1, 7, 2, 8] * 20
words = [str(n) * 2 for n in numbers]


class Stack(list):
    pass


class Number:
    def __init__(self, value):
        self.value = value

    def __lt__(self, other):
        return self.value < other.value


def changed(function):
    def operation():
        items = list(base)
        function(items)
        return items

    return operation


check(
    changed(lambda x: x.append(1)), changed(lambda x: x.extend(range(50))), changed(lambda x: x.extend(x)), changed(lambda x: x.extend(iter("abc" * 9))), changed(lambda x: x.insert(2, "y")), changed(lambda x: x.pop(3)), changed(lambda x: x.remove(2)), changed(lambda x: x.reverse()), changed(lambda x: x.clear()), changed(lambda x: x.__iadd__((1, 2) * 9)), changed(lambda x: x.__imul__(4)),
    changed(lambda x: x.__setitem__(slice(1, 4), range(30))), changed(lambda x: x.__setitem__(slice(0, 6, 2), "abc")), changed(lambda x: x.__delitem__(slice(0, 9, 2))), changed(lambda x: x.__delitem__(slice(2, 5))), changed(lambda x: x.__init__("other")), changed(lambda x: x.__setitem__(slice(2, 2), x)),
    lambda: base + base, lambda: base * 3, lambda: 2 * base, lambda: base[2:9], lambda: base[::-2], lambda: base.copy(), lambda: repr(base), lambda: list("abc" * 5), lambda: list(range(40)), lambda: [*base, *base], lambda: [x for x in base if x], lambda: sorted(numbers), lambda: sorted(words, key=len, reverse=True), lambda: sorted(words, key=lambda w: w[::-1]),
    lambda: [n.value for n in sorted(map(Number, numbers))], lambda: base.index("x"), lambda: base.count(1), lambda: base == list(base), lambda: base < base + [1], lambda: [*reversed(base)], lambda: base.__reversed__().__length_hint__(), lambda: Stack(base) + [1], lambda: Stack(base).copy(), lambda: Same(Stack(base)), lambda: list(iter(base).__reduce__()[1][0]), lambda: base.__sizeof__(), lambda: list[int].__args__, lambda: [[]] * 3 + [[1]],
    lambda: max(numbers) + sum(numbers), lambda: list(zip(*[[1, 2], [3, 4]])), lambda: Stack(base).__reduce_ex__(2)[3] is not None, lambda: [a for a, *b in [(1, 2, 3)] for a in b],
)
