"""Formats values with this Python and writes what comes out, one case for each line, fields separated by tabs.

Texts are written as code points in decimal, separated by commas. A result is "=" and a text, or "!" and the
text of the exception.
"""

import random
import struct
import sys

if sys.version_info < (3, 13):
    sys.exit("older formatting rules")

RANDOM = random.Random(5)


def text(value):
    return ",".join(str(ord(ch)) for ch in value)


def put(kind, *fields, call):
    try:
        result = "=" + text(call())
    except (ValueError, OverflowError, TypeError) as error:
        result = "!" + text(str(error))
    print(kind, *fields, result, sep="\t")


def floats():
    yield from (0.0, -0.0, 1.0, 0.1, 1e16, 1e15, 123456789.0, 1e-5, 1e-4, 5e-324, 1.7976931348623157e308, 2.0**-25)
    yield from (float("inf"), float("-inf"), float("nan"), 0.5, 1.5, 2.5, 1e22, 1e23, -1234.5678, 999999.5, 0.00012345)
    for _ in range(200):
        yield struct.unpack("<d", RANDOM.randbytes(8))[0]
        yield RANDOM.uniform(-1e6, 1e6)
        yield round(RANDOM.uniform(-1000, 1000), RANDOM.randrange(4))
        yield float(RANDOM.randrange(-10**6, 10**6)) * 2.0 ** RANDOM.randrange(-40, 40)


def bits(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def spec(kinds):
    pick = RANDOM.choice
    return "".join((
        pick(("", "", "", "<", ">", "^", "=", "*<", "x^", "0>", "é=", "<<")),
        pick(("", "", "+", "-", " ")),
        pick(("", "", "", "z")),
        pick(("", "", "#")),
        pick(("", "", "0")),
        pick(("", "", "3", "10", "17")),
        pick(("", "", "", ",", "_")),
        pick(("", "", "", ".0", ".1", ".3", ".10", ".20")),
        pick(kinds),
    ))


def main():
    values = list(floats())
    for value in values:
        put("repr", bits(value), call=lambda: repr(value))
        put("hex", bits(value), call=value.hex)
    for _ in range(4000):
        value, form = RANDOM.choice(values), spec(("", "", "e", "E", "f", "F", "g", "G", "%", "n", "d", "s", "é"))
        put("float", bits(value), text(form), call=lambda: format(value, form))
    for _ in range(1000):
        value = complex(RANDOM.choice(values), RANDOM.choice(values))
        form = spec(("", "", "e", "f", "g", "G", "n", "%"))
        put("complex", bits(value.real), bits(value.imag), text(form), call=lambda: format(value, form))
    for _ in range(3000):
        value = RANDOM.choice((0, 1, -1, 255, 1234, -123456, 10**9, -10**12, 65, 0x10ffff, RANDOM.randrange(-10**7, 10**7)))
        form = spec(("", "d", "d", "b", "o", "x", "X", "c", "n", "s", "\x07", "é"))
        put("int", value, text(form), call=lambda: format(value, form))
    for _ in range(1000):
        value = RANDOM.choice(("", "a", "hello", "été", "\U0001f600x"))
        form = spec(("", "s", "s", "d"))
        put("str", text(value), text(form), call=lambda: format(value, form))
    for form in ("", ",.2f,", "10.", "10 ", ",_", "_,d", "99999999999999999999", ".99999999999d", "{", "abc", ".f", "zz", "＋5"):
        put("float", bits(1.5), text(form), call=lambda: format(1.5, form))
        put("int", 42, text(form), call=lambda: format(42, form))
        put("str", text("x"), text(form), call=lambda: format("x", form))
    for _ in range(3000):
        pick = RANDOM.choice
        head = "%" + "".join(pick(("", "", "-", "+", " ", "#", "0")) for _ in range(3)) + pick(("", "", "8", "20"))
        head += pick(("", "", ".", ".0", ".3", ".12")) + pick(("", "", "", "l", "h"))
        number = pick((0, 5, -5, 255, -1234567, 65))
        form = head + pick("diuoxX")
        put("percent-int", number, text(form), call=lambda: form % number)
        form, value = head + pick("eEfFgG"), pick(values)
        put("percent-float", bits(value), text(form), call=lambda: form % value)
        form, value = head + "s", pick(("", "a", "héllo"))
        put("percent-str", text(value), text(form), call=lambda: form % value)
    for form in ("%", "a%", "%5", "%.", "%-", "%l", "%(", "%(a", "%y", "%é", "%\x01", "%99999999999999999999d", "%.99999999999d", "abc%%d%q"):
        put("percent-int", 7, text(form), call=lambda: form % ({} if "(" in form else 7))
    for sample in ("", "'", '"', "'\"", "\\", "\n\r\t\x00\x7f\x80\xa0\xad\xff", "\u0100\u2028\ud800\uffff\U0001f600\U0010ffff", "a'b"):
        put("str-repr", text(sample), call=lambda: repr(sample))
        put("str-ascii", text(sample), call=lambda: ascii(sample))
        put("bytes-repr", text(sample.encode("utf-8", "surrogatepass").decode("latin-1")), call=lambda: repr(sample.encode("utf-8", "surrogatepass")))
    pieces = ("{", "}", "{{", "}}", "a", ":", "!", "r", "[", "]", ".", "0", "1", "{}", "{0}", "{a.b[c]}", "{0[1]:>{1}}", "!x", ":<3")
    for _ in range(3000):
        form = "".join(RANDOM.choice(pieces) for _ in range(RANDOM.randrange(1, 7)))
        put("format", text(form), call=lambda: shape(form))


def shape(form):
    """The format string as its parser sees it."""
    import _string
    out = []
    for literal, name, spec_, conversion in _string.formatter_parser(form):
        if literal:
            out.append("L%s;" % literal)
        if name is not None:
            out.append("F%s!%s:%s;" % (name, conversion or "", spec_))
            first, rest = _string.formatter_field_name_split(name)
            out.append("I%d" % first if isinstance(first, int) else "N%s" % first)
            for is_attribute, key in rest:
                out.append((".%s" if is_attribute else "#%d" if isinstance(key, int) else "[%s") % key)
            out.append(";")
    return "".join(out)


main()
