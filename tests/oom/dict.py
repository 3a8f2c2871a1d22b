from harness import check

base = {i: str(i) for i in range(30)}
names = dict(zip("abcdefgh", range(8)))
mixed = {1: 2, "x": [3], (4, 5): None}


class Table(dict):
    def __missing__(self, key):
        return key * 2


class Mapping:
    def keys(self):
        return list("pqr")

    def __getitem__(self, key):
        return key * 3


class Point:
    def __init__(self):
        self.x, self.y = 1, 2


point = Point()


def changed(function, start=names):
    """The dict as it becomes: a failed change may leave it as it was, or a part of what is added, never anything else."""

    def operation():
        table = dict(start)
        function(table)
        return table

    return operation


def keywords(**given):
    return given


check(
    changed(lambda d: d.update(base)), changed(lambda d: d.update(Mapping())), changed(lambda d: d.update([(1, 2), "xy"], z=3)), changed(lambda d: d.__setitem__("new", 1)), changed(lambda d: d.__setitem__(10**20, 1)), changed(lambda d: [d.__setitem__(i, i) for i in range(40)]), changed(lambda d: d.setdefault("q", [])), changed(lambda d: d.pop("a")), changed(lambda d: d.popitem()), changed(lambda d: d.clear()), changed(lambda d: d.__delitem__("b")), changed(lambda d: d.__ior__(mixed)), changed(lambda d: d.__init__(x=1)), changed(lambda d: [d.pop(k) for k in list(d)], base),
    lambda: dict(base), lambda: base.copy(), lambda: names | mixed, lambda: dict(Mapping()), lambda: dict([(1, 2), (3, 4)]), lambda: dict(a=1, b=2), lambda: dict.fromkeys("abcabc", 0), lambda: dict.fromkeys(range(30)), lambda: dict.fromkeys(base), lambda: {**names, **mixed}, lambda: {k: v for k, v in base.items()}, lambda: repr(mixed), lambda: base == dict(base), lambda: list(base), lambda: list(base.items()), lambda: list(base.values()), lambda: [*reversed(base)], lambda: [*reversed(base.items())], lambda: [*reversed(base.values())], lambda: repr(names.keys()), lambda: repr(names.items()), lambda: repr(names.values()),
    lambda: names.keys() & "abx", lambda: names.keys() | {"x"}, lambda: names.keys() - {"a"}, lambda: names.keys() ^ {"a", "z"}, lambda: names.items() & {("a", 0)}, lambda: sorted(names.items() | {("z", 1)}), lambda: names.items() - {("a", 0)}, lambda: names.keys().isdisjoint("xyz"), lambda: names.keys() == set(names), lambda: names.keys() < {*"abcdefghi"}, lambda: names.items() >= {("a", 0)}, lambda: names.keys().mapping["a"], lambda: Table()["xy"], lambda: Table(a=1) | {"b": 2}, lambda: dict(Table(a=1)), lambda: keywords(**names, **{"zz": 1}), lambda: base.get(10**18, "no"), lambda: (10**20 in base), lambda: iter(names).__reduce__()[1], lambda: list(iter(base.items())),
    lambda: dict[str, int].__args__, lambda: point.__dict__ | {"z": 1}, lambda: vars(Point()).keys() == 0, lambda: base.__sizeof__(), lambda: dict(sorted(names.items())), lambda: dict(zip("ab", [1, 2])), lambda: "%(a)s" % names, lambda: Table.fromkeys("ab", 1), lambda: list({"a": 1}.items())[0],
)
