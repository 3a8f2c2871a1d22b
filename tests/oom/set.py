from harness import Same, check

base, other = set(range(30)), {5, 6, "x", (1, 2)}


class Group(set):
    pass


def changed(function):
    def operation():
        items = set(base)
        function(items)
        return items

    return operation


check(
    changed(lambda s: s.add("new")), changed(lambda s: s.update(range(50, 90), "abc")), changed(lambda s: s.update({1: 2, "k": 3})), changed(lambda s: s.discard(3)), changed(lambda s: s.remove(4)), changed(lambda s: s.clear()), changed(lambda s: s.__ior__(other)), changed(lambda s: s.__iand__(other)), changed(lambda s: s.__isub__(other)), changed(lambda s: s.__ixor__(other)), changed(lambda s: s.intersection_update(other, range(9))), changed(lambda s: s.difference_update(other, [1, 2])), changed(lambda s: s.symmetric_difference_update("ab")), changed(lambda s: s.__init__("xyz")), changed(lambda s: [s.add(i) for i in range(100, 150)]),
    lambda: base | other, lambda: base & other, lambda: base - other, lambda: base ^ other, lambda: base.union(other, "ab"), lambda: base.intersection(other, [5]), lambda: base.difference(other, [1]), lambda: base.symmetric_difference([1, 99]), lambda: base.copy(), lambda: set("hello"), lambda: {*base, *other}, lambda: {x * 2 for x in base}, lambda: sorted(repr({1, 2})), lambda: base == set(base), lambda: base < base | {99}, lambda: base.issubset(range(40)), lambda: base.issuperset([1, 2]), lambda: base.isdisjoint("ab"), lambda: {1} in {frozenset({1})}, lambda: Group(base) | {99}, lambda: Same(Group(base).copy()), lambda: base.__reduce__()[1], lambda: base.__sizeof__(), lambda: set[int].__args__, lambda: len(list(iter(base))), lambda: set(base).pop() in base, lambda: iter({7}).__reduce__()[1], lambda: iter(base).__length_hint__(),
)
