"""Compiles patterns with this Python's own `re` and writes what it finds, one line for each program and match.

P <groups> <code word> ...
M <mode> <pos> <endpos> <code point>,... | <result>

Modes: s search, m match, f fullmatch, i finditer. A result is "-" or "<lastindex> <start>:<end> ..." with all
groups, group 0 first; finditer separates its results by ";".
"""

import random
import re
import signal
import sys
import warnings

warnings.simplefilter("ignore")
try:
    from re import _compiler, _constants, _parser
except ImportError:
    sys.exit("no re package")
if _constants.MAGIC != 20230502 and _constants.MAGIC != 20230612:
    sys.exit("another code format")

FLAG_SETS = [0, re.I, re.A, re.I | re.A, re.S, re.M]


def program(pattern, flags):
    tree = _parser.parse(pattern, flags)
    code = _compiler._code(tree, flags)
    words = " ".join(str(int(word)) for word in code)
    return re.compile(pattern, flags), "P %d %s" % (tree.state.groups - 1, words)


def spans(match):
    if match is None:
        return "-"
    groups = range(match.re.groups + 1)
    return " ".join([str(match.lastindex or 0), *("%d:%d" % match.span(g) for g in groups)])


def run(compiled, mode, text, pos=0, end=None):
    if end is None:
        end = len(text)
    if mode == "s":
        result = spans(compiled.search(text, pos, end))
    elif mode == "m":
        result = spans(compiled.match(text, pos, end))
    elif mode == "f":
        result = spans(compiled.fullmatch(text, pos, end))
    else:
        result = ";".join(map(spans, compiled.finditer(text, pos, end))) or "-"
    units = ",".join(map(str, text if isinstance(text, bytes) else map(ord, text)))
    return "M %s %d %d %s | %s" % (mode, pos, end, units, result)


def case(pattern, flags, *texts):
    try:
        compiled, line = program(pattern, flags)
    except (re.error, OverflowError, ValueError):
        return
    # Some random patterns take for ever, in this Python's engine too.
    lines = [line]
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        for text in texts:
            for mode in "smfi":
                lines.append(run(compiled, mode, text))
            if len(text) > 2:
                lines.append(run(compiled, "s", text, 1))
                lines.append(run(compiled, "i", text, 1, len(text) - 1))
    except (TooLong, SystemError):
        # A system error is that engine noticing that it lost track of a group.
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    print("\n".join(lines))


class TooLong(Exception):
    pass


def too_long(*_):
    raise TooLong


OWN = [
    # literals, prefixes and their overlaps
    (r"abcabd", ["abcabcabd", "xxabcabcabcabdyy", "abcab"]),
    (r"aaab", ["aaaaaaab", "aaa", "baaab"]),
    (r"ab(c)", ["abababc", "ab", "xabcabc"]),
    (r"a(b)c", ["aabcabc"]),
    (r"x", ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaax", "x", ""]),
    # empty matches
    (r"", ["", "ab"]), (r"a*", ["aabaa", "b", ""]), (r"a*?", ["aab"]), (r"(?:)", ["xy"]), (r"$", ["a\nb\n", ""]),
    (r"\b|:+", ["a::bc"]), (r"(?m)^", ["a\nb\n", ""]), (r"(a|)+", ["aa", "b"]), (r"(?:a|)*b", ["aab", "b"]),
    (r"(?:(a)|b)*", ["abab", "ba"]), (r"(?:a?)*?y", ["z", "aay"]), (r"(a*)*", ["aab"]), (r"(a*)+", ["b", "aa"]),
    (r"(?:|a)+b", ["aab"]), (r"(?:a*)*b", ["aac", "aab"]), (r"(|a)+", ["aaa"]),
    # loops
    (r"(?:ab|cd)+", ["abcdabx"]), (r"(a|ab)(c|bcd)(d*)", ["abcd"]), (r"(?:ab){2,3}", ["abababab", "ab"]),
    (r"(?:ab){2,3}?", ["abababab"]), (r"(a+)(b+)", ["aabb", "aab"]), (r"((a)|b){3}", ["abb", "bba"]),
    (r"(?:(a)|(b)|(c))*?d", ["abcd"]), (r"a{3}", ["aa", "aaaa"]), (r"a{2,}?b", ["aaab"]), (r"x(?:a|b)*?y", ["xabay"]),
    (r"((ab)*c)*d", ["ababccabcd"]), (r"(?:(?:ab)*?c)*?d", ["ababccabcd"]), (r"(a(b)?)+", ["aba", "abab"]),
    (r"([ab]*?)(?=(b)?)c", ["abc"]), (r"([ab]*?)(?=(b)?)c", ["abbc"]), (r"(.)*?\1", ["abcc", "aa"]), (r"[^a]*a", ["bbba", "bbb"]),
    (r".*", ["ab\ncd"]), (r".*?b", ["aab\nb"]), (r"(?s).+", ["ab\ncd"]), (r"\w+\s*=\s*(\d+)", ["foo = 12, bar=3"]),
    (r"<.*?>", ["<a><b>"]), (r"(.*?)</a>", ["x</b></a>"]), (r"[a-z]+[0-9]", ["abc1", "abc"]),
    # anchors
    (r"^a", ["ab", "ba"]), (r"a$", ["a\n", "ab", "ba"]), (r"\Aa", ["aa"]), (r"a\Z", ["a\n", "ba"]), (r"(?m)a$", ["a\nba\n"]),
    (r"\bfoo\b", ["foo", "a foo b", "foob"]), (r"\Boo", ["foo oo"]), (r"\B", ["ab", "a b"]),
    # assertions
    (r"(?=(a+))a*b\1", ["baaabac"]), (r"(?<=abc)d", ["abcd", "bcd"]), (r"(?<!abc)d", ["abcd", "xd", "d"]),
    (r"(?!a)(.)", ["aab"]), (r"(?<=(a))b", ["ab"]), (r"(?:(?=(a)|b)\w)*", ["abc"]), (r"(?<=a(?=b))b", ["ab"]), (r"(?!(a)b)a", ["ab", "ac"]),
    (r"(?:(?!(a)b|(c)).)*", ["xxab", "xyac"]),
    # atomic and possessive
    (r"(?>a+)b", ["aaab"]), (r"(?>a+)ab", ["aaab"]), (r"a++b", ["aab"]), (r"a++a", ["aaa"]), (r"(?:ab)++c", ["ababc"]), (r"(?:ab)*+a", ["ababa"]),
    (r"(?:ab?){2,}+b", ["ababb", "aab"]), (r"(?>(a)|b)+c", ["abc"]), (r"a?+a", ["a", "aa"]), (r"(?:ab|a){1,2}+b", ["abab", "aabb"]),
    (r"(?>(?:ab?)+)b", ["aabb"]), (r"((?>a|ab)(?:c|d)|abc)", ["abc"]), (r".{3}+b", ["aaab"]),
    # groups
    (r"(a)?(?(1)b|c)", ["ab", "c", "b"]), (r"(?:(a)|b)(?(1)c)", ["ac", "b", "a"]), (r"(a)\1", ["aa", "ab"]), (r"(?i)(a)\1", ["aA", "Aa"]),
    (r"((a)(b)?)(c)?", ["ab", "ac", "a"]), (r"(?:(a)b|ac)", ["ac"]), (r"(a)|b|(c)", ["b", "c"]), (r"(a\1?)", ["aa"]),
    (r"(?:(x)|(y\1))+", ["xyx", "xyxyx"]), (r"(?P<n>a(?P<m>b))", ["ab"]), (r"(?:(?:(a)|(b))c)+", ["acbc"]), (r"(a)(?:(?(1)b|c)|d)", ["ab", "ad"]),
    # sets
    (r"[\w-]+", ["a-b c"]), (r"[^\W\d]+", ["a1b_"]), (r"[\d\s]+", ["1 2\t3x"]), (r"[^\n]+", ["a\nb"]), (r"[a-cx-z]+", ["abxyzd"]),
    (r"[\u0100-\u0200\u3000]+", ["\u0100\u01ff\u3000a"]), (r"[acegikmoqsuwy]+", ["aceb"]), (r"[\s\S]", ["\n"]), (r"[^\s\S]", ["\n"]),
    (r"[αγεηι\u4e00\u4e02\u4e04\u5000]+", ["αγ\u4e00\u4e01"]), (r"[^αγ\u4e00]", ["α\u4e00\U00010000"]), (r"[\U00010000-\U0010ffff]", ["\ud800\U00010400"]),
    # case
    (r"(?i)[a-z]+", ["aZ\u212a\u017f1"]), (r"(?i)k", ["K\u212a"]), (r"(?i)[^k]", ["K\u212ax"]), (r"(?i)straße", ["STRASSE", "STRAßE", "STRA\u1e9eE"]), (r"(?ai)k", ["\u212aK"]),
    (r"(?i)\u0130", ["i\u0131I\u0130"]), (r"(?i)ǆ", ["ǅǄǆ"]), (r"(?i)(σ)\1", ["Σς", "σΣ"]), (r"(?i)[α-ω]+", ["ΑΒΓς"]), (r"(?i:a)b", ["Ab", "AB"]), (r"(?i)а+", ["Аа"]),
    # classes
    (r"\d+", ["12\u0663x", "²"]), (r"\w+", ["a\u00e9_\u4e00\u00bd\u0663", "\u2163-"]), (r"\s+", ["\u2003\x1c \x85x"]), (r"(?a)\w+", ["aé"]), (r"(?a)\s+", ["\x1c\t"]),
]

BYTES = [
    (rb"(?i)\xe0", [b"\xc0\xe0"]), (rb"(?Li)a", [b"A"]), (rb"(?L)\w+", [b"a\xe9_"]), (rb"(?Li)[b-d]+", [b"BcD"]), (rb"(?Li)(a)\1", [b"aA"]),
    (rb"\w+", [b"a\xe9"]), (rb"[\x80-\xff]+", [b"a\xff\x80"]), (rb"(?L)\b.", [b" a"]), (rb"(?Li)[^a]", [b"aAb"]),
]


def harvest():
    """The patterns of the standard library's own table of cases, when its tests are installed."""
    try:
        from test.re_tests import tests
    except ImportError:
        return
    for pattern, text, *_ in tests:
        case(pattern, 0, text)


class Generator:
    """Random patterns over a small alphabet, with every construct that the compiler knows."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def pattern(self):
        self.groups = 0
        self.open = set()
        return self.branch(3)

    def branch(self, depth):
        return "|".join(self.sequence(depth) for _ in range(self.random.choice((1, 1, 2, 3))))

    def sequence(self, depth):
        return "".join(self.item(depth) for _ in range(self.random.choice((0, 1, 1, 2, 3))))

    def item(self, depth):
        pick = self.random.random
        atom = self.atom(depth)
        if pick() < 0.4:
            atom += self.random.choice(("*", "+", "?", "{2}", "{1,2}", "{0,3}", "{2,}"))
            atom += self.random.choice(("", "", "?", POSSESSIVE))
        return atom

    def atom(self, depth):
        choice = self.random.randrange(22 if depth else 10)
        if choice < 5:
            return self.random.choice("abc")
        if choice < 8:
            return self.random.choice((".", "[ab]", "[^a]", r"\w", "[a-c]", r"[^\W\d]", r"\s", "ab"))
        if choice < 9:
            return "(?:%s)" % self.random.choice(("^", "$", r"\b", r"\B"))
        if choice < 10:
            done = [g for g in range(1, self.groups + 1) if g not in self.open]
            return r"(?:\%d)" % self.random.choice(done) if done else "b"
        if choice < 15:
            self.groups += 1
            number = self.groups
            self.open.add(number)
            inner = self.branch(depth - 1)
            self.open.discard(number)
            return "(%s)" % inner
        if choice < 17:
            return "(?:%s)" % self.branch(depth - 1)
        if choice < 18:
            return "(?%s%s)" % (self.random.choice("=!"), self.branch(depth - 1))
        if choice < 19:
            return "(?<%s%s)" % (self.random.choice("=!"), self.random.choice(("a", "ab", "[bc]", "(a)", "(?:a|b)")))
        if choice < 20:
            return "(?%s%s)" % (self.random.choice((">", ":")), self.branch(depth - 1))
        done = [g for g in range(1, self.groups + 1) if g not in self.open]
        if done:
            return "(?:(?(%d)%s|%s))" % (self.random.choice(done), self.sequence(0), self.sequence(0))
        return "(?i:%s)" % self.sequence(depth - 1)

    def text(self):
        return "".join(self.random.choice("aaabbbccA \n") for _ in range(self.random.randrange(9)))


# What this Python's own engine forgets to restore: groups inside possessive loops.
POSSESSIVE = "+" if len(sys.argv) > 3 else ""


def main():
    signal.signal(signal.SIGALRM, too_long)
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    for pattern, texts in OWN:
        for flags in FLAG_SETS:
            case(pattern, flags, *texts)
    for pattern, texts in BYTES:
        case(pattern, 0, *texts)
    harvest()
    generator = Generator(seed)
    for _ in range(count):
        pattern = generator.pattern()
        # An empty text has no \B in Python before 3.14.
        texts = [generator.text() for _ in range(3)]
        texts = [text for text in texts if text or r"\B" not in pattern]
        case(pattern, generator.random.choice(FLAG_SETS), *texts)


main()
