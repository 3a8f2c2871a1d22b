from harness import check

a = b"the quick brown fox"


class Data(bytearray):
    pass


def changed(function):
    """What a change leaves: the value as it was or as it becomes."""

    def operation():
        array = bytearray(a)
        function(array)
        return bytes(array)

    return operation


check(
    changed(lambda x: x.append(65)), changed(lambda x: x.extend(b"y" * 50)), changed(lambda x: x.extend(iter([1, 2, 3]))), changed(lambda x: x.extend(range(100))), changed(lambda x: x.insert(3, 7)), changed(lambda x: x.pop()), changed(lambda x: x.remove(113)), changed(lambda x: x.reverse()), changed(lambda x: x.clear()),
    changed(lambda x: x.__setitem__(slice(2, 5), b"z" * 40)), changed(lambda x: x.__setitem__(slice(0, 10, 2), b"12345")), changed(lambda x: x.__delitem__(slice(0, 10, 3))), changed(lambda x: x.__setitem__(0, 5)), changed(lambda x: x.__iadd__(b"more" * 10)), changed(lambda x: x.__imul__(5)), changed(lambda x: x.resize(80)), changed(lambda x: x.__setitem__(slice(3, 3), list(range(50)))),
    changed(lambda x: x.__init__(b"other" * 20)), lambda: bytearray(a) + a, lambda: bytearray(a) * 3, lambda: bytearray(a)[2:7], lambda: bytearray(a)[::-2], lambda: bytearray(a).copy(), lambda: repr(bytearray(a)), lambda: bytearray("grün", "utf-8"), lambda: bytearray([1, 2, 3]), lambda: bytearray(40), lambda: bytearray(iter(range(60))), lambda: bytearray(a).upper(),
    lambda: bytearray(a).split(), lambda: bytearray(a).replace(b"o", b"000"), lambda: bytearray(a).decode(), lambda: bytearray(a).hex("-"), lambda: bytearray.fromhex("00ff" * 8), lambda: bytearray(b",").join([a, a]), lambda: bytearray(a).partition(b" "), lambda: bytearray(a).translate(None, b"o"), lambda: bytearray(a).center(40), lambda: bytearray(a).splitlines(), lambda: bytearray(b"%s") % a, lambda: Data(a) + a, lambda: bytearray(a).__reduce_ex__(2)[1], lambda: [*bytearray(a)], lambda: bytes(bytearray(a)), lambda: bytearray(a) == a,
    lambda: bytearray(a).__reduce__()[1], lambda: bytearray(a).strip(b"t"), lambda: bytearray(a).zfill(30), lambda: bytearray(a).__sizeof__() > 0, lambda: bytearray(a).title(),
)
