"""Writes src/modules/_multibytecodec/charts/: which character each code of the East Asian character sets is.

Run it with CPython, whose codecs tell: python3 scripts/east-asian-charts.py

A line of a chart is a code in hexadecimal and the characters of this code and the following ones; U+FFFD is no character.
`pair CODE FIRST SECOND` is a code of two characters, `also CHARACTER CODE` one that is written so but not read so, and
`only CODE...` are codes that are read but not written, as another one is the same character. A chart that is based on
another has what is different.
"""
import pathlib

TO = pathlib.Path(__file__).resolve().parent.parent / "src/modules/_multibytecodec/charts"
NONE = "\ufffd"


def read(codec, leads, trails, prefix=b"", shift=0):
    """The characters of two-byte codes, by code."""
    cells = {}
    for lead in leads:
        for trail in trails:
            try:
                text = (prefix + bytes([lead + shift, trail + shift])).decode(codec)
            except UnicodeDecodeError:
                continue
            # Not a byte of its own and another one.
            if len(text) == 1 or text[1] not in "".join(map(chr, range(128))):
                cells[lead << 8 | trail] = text
    return cells


def written(codec, cells, to_code):
    """For each character that has several codes, the codes that are not written; and what is written otherwise."""
    by_text = {}
    for code, text in cells.items():
        by_text.setdefault(text, []).append(code)
    only = []
    for text, codes in by_text.items():
        if len(codes) > 1:
            kept = to_code(text.encode(codec))
            only += [code for code in codes if code != kept]
    return sorted(only)


def also(codec, cells):
    """Characters that are written with a code that is read as another."""
    result = []
    for point in range(0x80, 0x10000):
        if 0xD800 <= point < 0xE000:
            continue
        try:
            code = chr(point).encode(codec)
        except UnicodeEncodeError:
            continue
        if len(code) == 2 and cells.get(int.from_bytes(code)) not in (chr(point), None):
            result.append((point, int.from_bytes(code)))
    return result


def write(name, cells, base=None, only=(), also=()):
    base = base or {}
    changed = {code: cells.get(code, NONE) for code in cells.keys() | base.keys() if cells.get(code) != base.get(code)}
    lines, pairs, run = [], [], None
    for code in sorted(changed):
        text = changed[code]
        if len(text) > 1:
            pairs.append(f"pair {code:04X} {ord(text[0]):04X} {ord(text[1]):04X}")
            continue
        # A small gap is cheaper than a new line, where nothing is.
        if run and code >> 8 == run[0] >> 8 and 0 <= code - run[0] - len(run[1]) < 3 and not any(
                gap in base or gap in cells for gap in range(run[0] + len(run[1]), code)):
            run[1].extend(NONE * (code - run[0] - len(run[1])) + text)
        else:
            run = (code, [text])
            lines.append(run)
    with open(TO / f"{name}.txt", "w", encoding="utf-8", newline="\n") as out:
        for code, text in lines:
            out.write(f"{code:04X} {''.join(text)}\n")
        for line in pairs:
            out.write(line + "\n")
        for point, code in also:
            out.write(f"also {point:04X} {code:04X}\n")
        if only:
            out.write("only " + " ".join(f"{code:04X}" for code in only) + "\n")


def main():
    TO.mkdir(exist_ok=True)
    eight, high, jis = range(0x81, 0xFF), range(0xA1, 0xFF), range(0x21, 0x7F)
    trails = range(0x40, 0xFF)
    code = int.from_bytes

    gb18030 = read("gb18030", eight, trails)
    write("gb18030", gb18030)
    write("gbk", read("gbk", eight, trails), gb18030)
    window = {c: t for c, t in gb18030.items() if c >> 8 in range(0xA1, 0xF8) and c & 255 in high}
    write("gb2312", read("gb2312", eight, trails), window)

    write("cp949", read("cp949", eight, trails))

    big5 = read("big5", eight, trails)
    cp950, hkscs = read("cp950", eight, trails), read("big5hkscs", eight, trails)
    write("big5", big5, only=written("big5", big5, code))
    write("cp950", cp950, big5, written("cp950", cp950, code), also("cp950", cp950))
    write("big5hkscs", hkscs, big5, written("big5hkscs", hkscs, code))

    jisx0208 = read("euc_jp", jis, jis, shift=0x80)
    jisx0212 = read("euc_jp", jis, jis, b"\x8f", 0x80)
    write("jisx0208", jisx0208)
    write("jisx0212", jisx0212)
    plane1 = read("euc_jis_2004", jis, jis, shift=0x80)
    plane2 = read("euc_jis_2004", jis, jis, b"\x8f", 0x80)
    write("jisx0213_1", {c: t for c, t in plane1.items() if jisx0208.get(c) != t})
    write("jisx0213_2", {c: t for c, t in plane2.items() if jisx0212.get(c) != t})

    # As Microsoft writes it, with what it adds; but for the area of private characters.
    lead = [*range(0x81, 0xA0), *range(0xE0, 0xF0), *range(0xFA, 0xFD)]
    standard = read("shift_jis", lead, trails)
    cp932 = {c: t for c, t in read("cp932", lead, trails).items() if standard.get(c) != t}
    only = [c for c in written("cp932", {**standard, **cp932}, code) if c in cp932]
    write("cp932", cp932, only=only, also=also("cp932", {**standard, **cp932}))


main()
