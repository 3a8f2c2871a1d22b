"""The East Asian encodings: whole tables by checksum, errors, state between calls, streams."""
import codecs
import hashlib
import io

# What CPython's codecs say of a part of the codes of one and two bytes, and of the characters: a checksum of each.
TABLES = {
    "gb2312": ("c88ad727c31e298b", "c2e03e0c034c8400"),
    "gbk": ("685bc545ff57405e", "c0f49d5cf2326e19"),
    "gb18030": ("6b7d4b216f65face", "78a6c12db78981d0"),
    "hz": ("80999ff33789df1e", "4f7905f08d85482f"),
    "big5": ("87a3ff8f1eaea8eb", "ecf2ef78533cd667"),
    "cp950": ("676564be922b1f30", "5b6025a0e89473a7"),
    "big5hkscs": ("c95e3b2823016f25", "7fc1c61918720a61"),
    "euc_kr": ("3ac7c4659de52e7d", "35bfcfb58eb0784f"),
    "cp949": ("291771f342d2be45", "605db8cf3aedfde7"),
    "johab": ("426070a369827d77", "cd06b8bdf853456d"),
    "shift_jis": ("ee7161cdbef1768c", "dac765280af41270"),
    "cp932": ("5870562ddd28b77f", "27ed93edf0f17bba"),
    "euc_jp": ("c30b6597923666d4", "d772bc504236ca41"),
    "shift_jis_2004": ("21174718c0c8afb7", "e70df4f3fb8a2fb1"),
    "euc_jis_2004": ("424ac34ee3c70d71", "0b0407d9effdb741"),
    "euc_jisx0213": ("b7b4c32096dc47ee", "0b0407d9effdb741"),
    "shift_jisx0213": ("5176b722cb350609", "e70df4f3fb8a2fb1"),
    "iso2022_kr": ("33f17aea777bc6cd", "3ffd5e80b0a51106"),
    "iso2022_jp": ("33f17aea777bc6cd", "9e06117f620cadce"),
    "iso2022_jp_1": ("33f17aea777bc6cd", "9de96e18386813f8"),
    "iso2022_jp_2": ("4a6fd82983e56437", "c1dfddddbd1b8d6b"),
    "iso2022_jp_2004": ("33f17aea777bc6cd", "9fa487cea191e6e5"),
    "iso2022_jp_3": ("33f17aea777bc6cd", "216dce87435f4596"),
    "iso2022_jp_ext": ("33f17aea777bc6cd", "11d52b4c7676ceef"),
}


def decoded(name):
    digest = hashlib.sha256()
    for lead in range(0x1B, 256):
        for trail in (b"", b"(B", *(bytes([trail]) for trail in range(0x21 + lead % 9, 256, 9))):
            try:
                text = (bytes([lead]) + trail).decode(name)
            except UnicodeDecodeError as error:
                text = f"{error.start},{error.end},{error.reason}"
            digest.update(ascii(text).encode())
    return digest.hexdigest()[:16]


def encoded(name):
    digest = hashlib.sha256()
    for point in (*range(0x80, 0x500), *range(0x2010, 0x3400, 3), *range(0x3400, 0x30000, 61)):
        digest.update(chr(point).encode(name, "ignore") + b",")
    return digest.hexdigest()[:16]


for name, expected in TABLES.items():
    assert (decoded(name), encoded(name)) == expected, (name, decoded(name), encoded(name))

# Four bytes, pairs, escape sequences.
assert b"\x810\x810\x900\x810\xe32\x9a5".decode("gb18030") == "\x80\U00010000\U0010ffff"
assert "\u304b\u309a".encode("euc_jis_2004") == b"\xa4\xf7"
assert "\u4e16\u754c a".encode("iso2022_jp") == b"\x1b$B@$3&\x1b(B a"
assert "\u804aA".encode("hz") == b"~{AD~}A"
assert "\uac02".encode("euc_kr") == b"\xa4\xd4\xa4\xa1\xa4\xbf\xa4\xa2"

# Errors, and handlers.
for name in TABLES:
    try:
        "ab\udc80c".encode(name)
    except UnicodeEncodeError as error:
        assert (error.encoding, error.start, error.end) == (name, 2, 3), error
        assert error.reason == "illegal multibyte sequence"
    else:
        raise AssertionError(name)
    assert "a\udc80b".encode(name, "replace") == b"a?b"
    assert "a\udc80b".encode(name, "backslashreplace") == "a\\udc80b".encode(name)
assert b"a\xa4".decode("euc_jp", "replace") == "a\ufffd"
codecs.register_error("test.two", lambda error: (b"<>", error.end))
assert "x\udc80y".encode("big5", "test.two") == b"x<>y"
codecs.register_error("test.wrong", lambda error: ("", 99))
try:
    b"a\xff".decode("gbk", "test.wrong")
except IndexError:
    pass
else:
    raise AssertionError

# What a call leaves for the next.
encoder = codecs.getincrementalencoder("euc_jis_2004")()
assert encoder.encode("\xe6") == b"" and encoder.encode("\u0300") == b"\xab\xc4"
encoder.encode("\xe6")
state = encoder.getstate()
assert encoder.encode("", True) == b"\xa9\xdc"
encoder.setstate(state)
assert encoder.encode("\u0300") == b"\xab\xc4"
decoder = codecs.getincrementaldecoder("shift_jis")("ignore")
assert [decoder.decode(bytes([byte])) for byte in "\u4e16a".encode("shift_jis")] == ["", "\u4e16", "a"]
decoder.decode(b"\x90")
assert decoder.getstate() == (b"\x90", 0)
decoder.reset()
assert decoder.decode(b"a", True) == "a" and decoder.errors == "ignore"
for bad in (None, 1, (b"123456789", 0), ("", 0), (b"", "")):
    try:
        decoder.setstate(bad)
    except (TypeError, UnicodeDecodeError):
        pass
    else:
        raise AssertionError(bad)

# Streams.
text = "\u4e16\u754c\nab\n\u3042" * 50
raw = io.BytesIO()
writer = codecs.getwriter("iso2022_jp")(raw)
writer.write(text)
writer.writelines(["x", "y"])
writer.reset()
reader = codecs.getreader("euc_jp")(io.BytesIO(text.encode("euc_jp")))
assert reader.read(3) == "\u4e16"
reader = codecs.getreader("euc_jp")(io.BytesIO(text.encode("euc_jp")))
assert reader.readline() == "\u4e16\u754c\n" and reader.readlines() == text.splitlines(True)[1:]
with io.TextIOWrapper(io.BytesIO(text.encode("gb18030")), "gb18030") as file:
    assert file.read() == text

for name in ("nothing", ""):
    import _codecs_jp
    try:
        _codecs_jp.getcodec(name)
    except LookupError:
        pass
    else:
        raise AssertionError
