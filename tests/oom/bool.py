from harness import check

check(
    lambda: repr(True), lambda: str(False), lambda: f"{True:d}", lambda: f"{True!r:>8}", lambda: True + True, lambda: True & False, lambda: True | 10**30,
    lambda: bool([1]), lambda: bool(""), lambda: True ^ True, lambda: int(True), lambda: True.to_bytes(), lambda: [True] * 3, lambda: "%d" % True,
    lambda: "%s" % False, lambda: True.as_integer_ratio(), lambda: True.conjugate(), lambda: (True).__reduce_ex__(2), lambda: bool.from_bytes(b"\x01"), lambda: True * 10**25,
)
