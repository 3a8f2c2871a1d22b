import itertools

from harness import check

words = ["alpha", "beta", "gamma"]


class Sequence:
    def __getitem__(self, index):
        if index > 4:
            raise IndexError
        return index * 10**18

    def __len__(self):
        return 5


class Count:
    def __init__(self):
        self.n = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.n += 1
        if self.n > 5:
            raise StopIteration
        return self.n * 10**18

    def __length_hint__(self):
        return 5


check(
    lambda: list(enumerate(words)), lambda: list(enumerate(words, 10**20)), lambda: enumerate(words).__reduce__()[1][1], lambda: list(zip(words, range(3))), lambda: list(zip(words, range(3), strict=True)), lambda: list(zip(words, "abc", Count())), lambda: len(zip(words, words).__reduce__()[1]), lambda: list(map(str.upper, words)), lambda: list(map(lambda a, b: a + b, words, words)), lambda: list(map(str, range(3), strict=True)) if False else 0, lambda: len(map(str, words).__reduce__()[1]), lambda: list(filter(None, [0, 1, "", "x"])), lambda: list(filter(lambda w: "a" in w, words)), lambda: len(filter(None, words).__reduce__()[1]),
    lambda: list(reversed(Sequence())), lambda: reversed(Sequence()).__length_hint__(), lambda: reversed(Sequence()).__reduce__()[1][0] is not None, lambda: list(Sequence()), lambda: list(Count()), lambda: tuple(Count()), lambda: list(iter(Count().__next__, 3 * 10**18)), lambda: list(iter(iter([1, 2, 0]).__next__, 0)), lambda: iter(Sequence()).__reduce__()[2], lambda: sum(Count()), lambda: max(Count(), key=str), lambda: min(Count(), default=1), lambda: any(x > 3 for x in Count()), lambda: all(Count()), lambda: sorted(Count(), reverse=True), lambda: dict(enumerate(words)), lambda: ",".join(map(str, Count())),
    lambda: list(itertools.chain(words, Count())), lambda: list(itertools.islice(Count(), 1, 4)), lambda: list(itertools.product("ab", repeat=2)), lambda: list(itertools.permutations("abc", 2)), lambda: list(itertools.combinations("abcd", 2)), lambda: list(itertools.accumulate(Count())), lambda: [(k, list(g)) for k, g in itertools.groupby("aabbb")], lambda: [list(t) for t in itertools.tee(words)], lambda: list(itertools.zip_longest("ab", "xyz")), lambda: list(itertools.pairwise(words)), lambda: list(itertools.batched("abcdefg", 3)), lambda: list(itertools.compress(words, [1, 0, 1])), lambda: list(itertools.takewhile(str.islower, words)), lambda: list(itertools.dropwhile(str.islower, words)), lambda: list(itertools.filterfalse(None, [0, 1])), lambda: list(itertools.starmap(pow, [(2, 70), (3, 50)])), lambda: list(itertools.repeat("x", 3)), lambda: list(itertools.islice(itertools.count(10**20, 5), 4)), lambda: list(itertools.islice(itertools.cycle("ab"), 5)), lambda: list(itertools.combinations_with_replacement("ab", 2)),
)
