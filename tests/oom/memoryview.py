import array

from harness import check

data, many = bytearray(b"0123456789ab"), array.array("i", range(12))


def released(function):
    def operation():
        with memoryview(bytearray(range(24))) as view:
            return function(view)

    return operation


check(
    released(lambda v: v.tobytes()), released(lambda v: v[3:9].tobytes()), released(lambda v: v[::2].tolist()), released(lambda v: v[::-1].tobytes()), released(lambda v: v.tolist()), released(lambda v: v.hex()), released(lambda v: v.hex(":", 2)), released(lambda v: v.cast("i").tolist()), released(lambda v: v.cast("B", (4, 6)).tolist()), released(lambda v: v.cast("B", [2, 3, 4]).shape), released(lambda v: v.toreadonly().readonly),
    released(lambda v: v.cast("d").tolist()), released(lambda v: v.cast("B", (4, 6)).strides), released(lambda v: v.cast("B", (4, 6))[1, 2]), released(lambda v: list(v)), released(lambda v: [*reversed(v)]), released(lambda v: v == bytes(range(24))), released(lambda v: v.cast("i") == v.cast("i")), released(lambda v: v.__setitem__(slice(0, 4), b"abcd")), released(lambda v: v.__setitem__(3, 7)), released(lambda v: v.__setitem__(slice(0, 8, 2), b"wxyz")),
    released(lambda v: v.cast("q").__setitem__(0, 10**15)), released(lambda v: v.count(3)), released(lambda v: v.index(5)), released(lambda v: len(repr(v)) > 0), released(lambda v: v.obj), released(lambda v: v.suboffsets), released(lambda v: v.cast("B", (2, 12)).tobytes("F")), lambda: memoryview(many).tolist(), lambda: memoryview(many)[2:5].tobytes(), lambda: memoryview(many) == many, lambda: hash(memoryview(b"xyz")), lambda: memoryview(many).format, lambda: memoryview(memoryview(data)).nbytes, lambda: bytes(memoryview(data)), lambda: bytearray(memoryview(many)[::2]),
    lambda: memoryview(data)[1:3].tolist(), lambda: memoryview(b"ab" * 4).cast("H").tolist(), lambda: memoryview[int].__args__, lambda: next(reversed(memoryview(b"abc"))),
)
