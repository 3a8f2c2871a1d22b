from harness import Same, check

base, other = frozenset(range(30)), frozenset({5, 6, "x"})


class Group(frozenset):
    pass


check(
    lambda: base | other, lambda: base & other, lambda: base - other, lambda: base ^ other, lambda: base.union("ab"), lambda: base.intersection([5]), lambda: base.difference([1]), lambda: base.symmetric_difference([1, 99]), lambda: base.copy(), lambda: frozenset("hello"), lambda: frozenset(iter(range(50))), lambda: frozenset({1: 2}), lambda: frozenset({1, 2}), lambda: repr(frozenset({1})), lambda: hash(frozenset("abc")), lambda: base == set(base), lambda: base <= base | {99}, lambda: Group(base) | {99}, lambda: Same(Group(base)), lambda: Same(Group(base).copy()), lambda: repr(Group({1})), lambda: base.__reduce__()[1], lambda: frozenset(), lambda: {base: 1}[frozenset(range(30))], lambda: frozenset[int].__args__, lambda: sorted(base), lambda: base.isdisjoint([99]), lambda: base.issuperset(range(3)), lambda: base.issubset(range(99)),
)
