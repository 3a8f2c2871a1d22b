from harness import check

a, b = b"the quick brown fox", bytes(range(200, 256))


class Data(bytes):
    pass


class Has:
    def __bytes__(self):
        return b"has bytes" * 4


class Buffered(bytearray):
    pass


check(
    lambda: a + b, lambda: a * 4, lambda: a[2:9], lambda: a[::-3], lambda: list(a), lambda: a.upper(), lambda: a.lower(), lambda: a.title(), lambda: a.capitalize(), lambda: a.swapcase(), lambda: a.center(40, b"*"), lambda: a.ljust(30), lambda: a.rjust(30), lambda: a.zfill(40),
    lambda: a.split(), lambda: a.split(b"o"), lambda: a.rsplit(b" ", 1), lambda: a.splitlines(True), lambda: a.partition(b" "), lambda: a.rpartition(b"o"), lambda: a.replace(b"o", b"000"), lambda: a.replace(b"", b"-", 4), lambda: a.strip(b"tx"), lambda: a.removeprefix(b"the "), lambda: a.removesuffix(b"fox"),
    lambda: a.translate(bytes(range(256))), lambda: a.translate(None, b"aeiou"), lambda: bytes.maketrans(b"abc", b"xyz"), lambda: a.expandtabs(), lambda: a.hex(), lambda: a.hex(":", 2), lambda: bytes.fromhex("00ff" * 10), lambda: a.decode(), lambda: b.decode("latin-1"), lambda: b.decode("utf-8", "replace"), lambda: b.decode("ascii", "backslashreplace"),
    lambda: repr(b), lambda: str(a), lambda: a.find(b"q"), lambda: a.count(b"o"), lambda: a.index(b"b"), lambda: a.startswith((b"x", b"the")), lambda: hash(a + b"1"), lambda: a < b, lambda: b"%s %b %a %d %x" % (a, a, "ü", 10**20, 255), lambda: b"%(k)s" % {b"k": a}, lambda: b",".join([a, bytearray(b"x"), b]), lambda: bytes([1, 2, 3] * 10), lambda: bytes(30),
    lambda: bytes("grün", "utf-8"), lambda: bytes(Has()), lambda: bytes(memoryview(a)), lambda: bytes(iter(range(50))), lambda: Data(a).upper(), lambda: Data.fromhex("ff"), lambda: Data(a).__getnewargs__(), lambda: a.isalpha(), lambda: 113 in a, lambda: b"q" in a, lambda: bytes(Buffered(a)), lambda: [*reversed(a)], lambda: a.__getitem__(slice(1, 3)), lambda: a.__bytes__(),
)
