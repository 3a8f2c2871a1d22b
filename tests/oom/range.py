from harness import check

small, large = range(3, 40, 5), range(10**20, 10**21, 10**19)

check(
    lambda: range(5), lambda: range(1, 10**25), lambda: list(small), lambda: list(large), lambda: [*reversed(small)], lambda: [*reversed(large)], lambda: small[1:4], lambda: large[::-2], lambda: large[3], lambda: small[-1], lambda: repr(small), lambda: repr(large), lambda: hash(small), lambda: hash(large), lambda: small == range(3, 39, 5), lambda: large == range(10**20, 10**21, 10**19), lambda: large.index(10**20 + 10**19), lambda: large.count(10**20), lambda: 10**20 in large, lambda: len(large), lambda: large.start + small.stop + small.step, lambda: small.__reduce__()[1], lambda: iter(small).__reduce__()[1], lambda: iter(large).__reduce__()[1], lambda: iter(large).__length_hint__(), lambda: next(iter(large)), lambda: 3.0 in small, lambda: [n * 10**18 for n in range(20)], lambda: iter(large).__setstate__(3), lambda: small.index(8),
)
