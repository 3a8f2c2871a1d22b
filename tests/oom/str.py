from harness import check

a, u, w, e = "the quick brown fox", "größe à ÿ", "źdźbło Ωmega", "a𝄞b😀c"
texts = (a, u, w, e)


class Text(str):
    pass


class Shown:
    def __str__(self):
        return "shown " * 3

    def __repr__(self):
        return "<Shöwn>"

    def __format__(self, spec):
        return spec * 2


def each(function):
    return lambda: [function(text) for text in texts]


def replaced(error):
    return "?" * (error.end - error.start), error.end


import codecs

codecs.register_error("oom_test", replaced)
table = str.maketrans({"a": "AAA", "b": None, "ö": 246, "ź": "z"})

check(
    each(lambda t: t + t), each(lambda t: t * 3), each(lambda t: t[1:4]), each(lambda t: t[::-2]), each(lambda t: t[2]), each(list), each(lambda t: t.upper()), each(lambda t: t.lower()),
    each(lambda t: t.title()), each(lambda t: t.capitalize()), each(lambda t: t.swapcase()), each(lambda t: t.casefold()), each(lambda t: t.center(40, "ł")), each(lambda t: t.ljust(30)), each(lambda t: t.rjust(30, "😀")),
    each(lambda t: t.zfill(40)), each(lambda t: t.split()), each(lambda t: t.split("b")), each(lambda t: t.rsplit(None, 1)), each(lambda t: t.splitlines()), each(lambda t: t.partition(" ")), each(lambda t: t.rpartition("b")),
    each(lambda t: t.replace("b", "źź")), each(lambda t: t.replace("", "-", 3)), each(lambda t: t.strip("atc")), each(lambda t: t.removeprefix(t[:2])), each(lambda t: t.removesuffix(t[-2:])), each(lambda t: t.translate(table)),
    each(lambda t: t.expandtabs()), each(lambda t: "\t" + t + "\tx"), each(lambda t: t.encode()), each(lambda t: t.encode("utf-16")), each(lambda t: t.encode("utf-32-le")), each(lambda t: t.encode("latin-1", "replace")),
    each(lambda t: t.encode("ascii", "backslashreplace")), each(lambda t: t.encode("ascii", "xmlcharrefreplace")), each(lambda t: t.encode("ascii", "namereplace")), each(lambda t: t.encode("ascii", "oom_test")), each(lambda t: t.encode("utf-7")),
    each(lambda t: t.encode("unicode_escape")), each(lambda t: t.encode("raw_unicode_escape")), each(lambda t: t.encode("cp1252", "ignore")), each(repr), each(ascii), each(lambda t: f"{t:>30}"), each(lambda t: f"{t!r:*^40.10}"),
    each(lambda t: "%s and %r and %a" % (t, t, t)), each(lambda t: "{0} {0!r} {x[1]} {x}".format(t, x=t)), each(lambda t: "{:{}}".format(t, 40)), each(lambda t: "{x}".format_map({"x": t})), each(lambda t: ",".join([t, t, "x"])), each(lambda t: t.join(texts)),
    each(lambda t: t.find("b")), each(lambda t: t.count("a")), each(lambda t: t.index(t[1])), each(lambda t: t.startswith(("x", t[:1]))), each(lambda t: t.isidentifier()), each(lambda t: t.isalpha()), each(hash), each(lambda t: t < w),
    each(lambda t: Text(t).upper()), each(lambda t: Text(t) + "x"), each(lambda t: Text(t).__getnewargs__()), each(lambda t: type(str(Text(t)))), each(lambda t: t.__format__("")), each(lambda t: t in "x" + t), each(lambda t: list(reversed(t))),
    lambda: str(Shown()), lambda: f"{Shown()}{Shown()!r}{Shown():ab}", lambda: "%s %r %a" % (Shown(), Shown(), Shown()), lambda: "{!s:>20}".format(Shown()), lambda: str(b"abc", "utf-8"), lambda: str(b"\xff\xfe", "utf-8", "replace"),
    lambda: str(b"a\xffb", "utf-8", "oom_test") if False else b"a\xffb".decode("utf-8", "surrogateescape"), lambda: "\udcff".encode("utf-8", "surrogateescape"), lambda: "\ud800".encode("utf-8", "surrogatepass"), lambda: chr(0x1F600), lambda: str.maketrans("abc", "xyz", "d"),
    lambda: "%(a)s %(b)d" % {"a": "x" * 20, "b": 10**20}, lambda: "%*d %-10.3f|%c%c" % (10, 5, 2.5, "ł", 0x1F600), lambda: "a".join(str(i) for i in range(10)), lambda: "abc".encode("idna"), lambda: str(12345678901234567890), lambda: "x" * 100 + u,
)
