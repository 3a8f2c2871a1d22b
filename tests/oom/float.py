from harness import check

x, y = 1.5e10, -2.25


class Real(float):
    pass


check(
    lambda: x + y, lambda: x - y, lambda: x * y, lambda: x / y, lambda: x // y, lambda: x % y, lambda: divmod(x, y),
    lambda: x**y, lambda: pow(y, 3), lambda: (-8.0) ** (1 / 3), lambda: -x, lambda: +Real(2.5), lambda: abs(y), lambda: repr(x / 3), lambda: str(y),
    lambda: f"{x:.3f}", lambda: f"{x:,.2e}", lambda: f"{x:%}", lambda: "%10.3g" % x, lambda: "%r" % x, lambda: float("1e-5"),
    lambda: float(b" 12.5 "), lambda: float("1_000.5"), lambda: float(10**200), lambda: Real("3.5"), lambda: Real(2.5) * 2,
    lambda: x.as_integer_ratio(), lambda: (1e300).as_integer_ratio(), lambda: x.hex(), lambda: float.fromhex("0x1.8p3"),
    lambda: Real.fromhex("0x1p3"), lambda: float.from_number(3), lambda: x.is_integer(), lambda: x.conjugate(), lambda: x.real, lambda: x.imag,
    lambda: int(x), lambda: int(1e300), lambda: round(y), lambda: round(y, 1), lambda: round(1e300), lambda: x.__trunc__(), lambda: x.__floor__(),
    lambda: x.__ceil__(), lambda: hash(x), lambda: x < 10**30, lambda: x == 10**400, lambda: float.__getformat__("double"),
    lambda: Real(1.5).__getnewargs__(), lambda: sum([0.1] * 10), lambda: x.__format__("020.3f"), lambda: complex(x),
)
