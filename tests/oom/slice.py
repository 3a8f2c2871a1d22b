from harness import check

whole = slice(10**20, None, 5)

check(
    lambda: slice(3), lambda: slice(1, "x", 2.5).stop, lambda: repr(whole), lambda: hash(slice(1, 2)), lambda: whole == slice(10**20, None, 5), lambda: slice(1, 10**20, 3) < slice(1, 10**21, 2), lambda: whole.indices(10**30), lambda: slice(None, None, -1).indices(20), lambda: slice(1, 2).__reduce__(), lambda: [1, 2, 3][slice(0, 2)], lambda: "abcdef"[slice(1, 5, 2)], lambda: whole.start + 1, lambda: slice.__new__(slice, 1, 10**18), lambda: [0, 1, 2, 3][10**18:], lambda: (1, 2, 3)[-(10**30):2],
)
