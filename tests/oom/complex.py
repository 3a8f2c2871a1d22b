from harness import check

z, w = 1.5 - 2j, 0.5j


class Z(complex):
    pass


class Has:
    def __complex__(self):
        return 3 + 4j


check(
    lambda: z + w, lambda: z - w, lambda: z * w, lambda: z / w, lambda: z**3, lambda: z**w, lambda: pow(z, -2), lambda: -z, lambda: +Z(z), lambda: abs(z),
    lambda: repr(z), lambda: str(w), lambda: f"{z:.3f}", lambda: format(z, ">20"), lambda: "%s" % z, lambda: complex("1e3-2.5j"), lambda: complex(" (1+2j) "),
    lambda: complex(1.5, 2), lambda: complex(Has()), lambda: Z(1, 2), lambda: Z(z) + 1, lambda: complex(imag=2.5), lambda: complex.from_number(2.5), lambda: z.conjugate(), lambda: z.real,
    lambda: z.imag, lambda: z.__complex__(), lambda: Z(z).__complex__(), lambda: hash(z), lambda: z == 1.5, lambda: z != w, lambda: z.__getnewargs__(), lambda: bool(z), lambda: 2 * z, lambda: 2.5 - z,
)
