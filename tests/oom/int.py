from harness import check

big, other, huge = 10**40 + 7, 3**60, 7**5000
bits = 1 << 300


class Number(int):
    pass


class Index:
    def __index__(self):
        return 10**30


check(
    lambda: big + other, lambda: big - other, lambda: big * other, lambda: big // other, lambda: big % other,
    lambda: divmod(big, -other), lambda: big / other, lambda: big**5, lambda: pow(big, other, 10**20 + 9),
    lambda: pow(other, -1, 10**20 + 39), lambda: -big, lambda: +big, lambda: ~big, lambda: abs(-big),
    lambda: big << 100, lambda: big >> 3, lambda: big & bits - 1, lambda: big | bits, lambda: big ^ bits,
    lambda: huge * huge, lambda: huge // big, lambda: huge % (big**8), lambda: 10**18 + 10**18 + 10**19,
    lambda: str(big), lambda: repr(huge), lambda: hex(big), lambda: oct(big), lambda: bin(big), lambda: f"{big:,}",
    lambda: f"{big:#040x}", lambda: format(12345678, "_d"), lambda: "%d %x" % (big, big), lambda: int("9" * 60),
    lambda: int("f" * 60, 16), lambda: int(b"1234567890123456789012"), lambda: int("  -12_345_678_901_234_567_890 "),
    lambda: int(1e40), lambda: int(Number(big)), lambda: int(Index()), lambda: Number("1234567890123456789"),
    lambda: Number(big) + 1, lambda: Number.from_bytes(b"\xff" * 12), lambda: int.from_bytes(b"\xfe" * 30, "little", signed=True),
    lambda: int.from_bytes([255] * 20), lambda: big.to_bytes(40), lambda: (-big).to_bytes(40, "little", signed=True),
    lambda: big.bit_length(), lambda: big.bit_count(), lambda: big.conjugate(), lambda: big.as_integer_ratio(),
    lambda: big.real, lambda: (5).denominator, lambda: round(big, -10), lambda: big.__round__(), lambda: hash(big),
    lambda: big == other, lambda: big < 1e300, lambda: float(big), lambda: complex(big), lambda: divmod(-7, 2),
    lambda: sum([big] * 5), lambda: Number(big).__getnewargs__(), lambda: big.__format__(">60"), lambda: [*map(int, ["123456789"] * 4)],
)
