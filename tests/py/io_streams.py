"""Files, buffers and text streams; runs on any Python from 3.13 on."""

import _io as io
import posix

PATH = f"/tmp/io-streams-{posix.getpid()}"


def raises(kind, message, function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except kind as error:
        assert message is None or str(error) == message, (str(error), message)
        return error
    raise AssertionError(f"{function} did not raise {kind}")


def put(data):
    with io.open(PATH, "wb") as f:
        f.write(data)


def raw_files():
    f = io.FileIO(PATH, "w")
    assert f.write(b"abc\ndef\n") == 8 and f.tell() == 8 and f.mode == "wb"
    assert f.fileno() >= 0 and f.writable() and not f.readable() and f.seekable() and not f.isatty()
    assert repr(f) == f"<_io.FileIO name={PATH!r} mode='wb' closefd=True>", repr(f)
    raises(io.UnsupportedOperation, "File not open for reading", f.read)
    f.close()
    f.close()
    assert f.closed and repr(f) == "<_io.FileIO [closed]>"
    raises(ValueError, "I/O operation on closed file", f.write, b"")
    with io.FileIO(PATH) as f:
        assert f.readall() == b"abc\ndef\n" and f.read() == b"" and f.read(3) == b""
        assert f.seek(-4, 2) == 4 and f.readline() == b"def\n"
        f.seek(0)
        buffer = bytearray(5)
        assert f.readinto(buffer) == 5 and buffer == b"abc\nd"
        f.seek(0)
        assert f.readlines() == [b"abc\n", b"def\n"]
    with io.FileIO(PATH, "a+") as f:
        assert f.tell() == 8 and f.mode == "ab+"
        f.write(b"x")
        assert f.truncate(2) == 2
    assert io.FileIO(PATH).readall() == b"ab"
    e = raises(FileNotFoundError, None, io.FileIO, PATH + "-not")
    assert e.filename == PATH + "-not" and e.errno == 2
    raises(FileExistsError, None, io.FileIO, PATH, "x")
    raises(IsADirectoryError, None, io.FileIO, "/tmp")
    raises(ValueError, "invalid mode: z", io.FileIO, PATH, "z")
    raises(ValueError, "Must have exactly one of create/read/write/append mode and at most one plus", io.FileIO, PATH, "rw")
    raises(ValueError, "negative file descriptor", io.FileIO, -1)
    raises(ValueError, "Cannot use closefd=False with file name", io.FileIO, PATH, "r", False)
    raises(ValueError, "embedded null byte", io.FileIO, "a\0b")
    raises(TypeError, "expected integer from opener", io.FileIO, PATH, opener=lambda n, f: "x")
    raises(TypeError, "cannot pickle 'FileIO' instances", io.FileIO(PATH).__reduce_ex__, 2)
    fd = posix.open(PATH, 0)
    f = io.FileIO(fd, closefd=False)
    f.close()
    posix.close(fd)


class Raw(io._RawIOBase):
    def __init__(self, parts):
        self.parts = list(parts)
        self.got = []

    def readable(self):
        return True

    def writable(self):
        return True

    def readinto(self, buffer):
        if not self.parts:
            return 0
        part = self.parts.pop(0)
        if part is None:
            return None
        n = min(len(part), len(buffer))
        buffer[:n] = part[:n]
        if n < len(part):
            self.parts.insert(0, part[n:])
        return n

    def write(self, data):
        self.got.append(bytes(data))
        return len(data)


def buffered_reading():
    put(b"".join(b"line %d\n" % i for i in range(20000)))
    with io.open(PATH, "rb") as f:
        assert type(f) is io.BufferedReader and f.mode == "rb" and f.name == PATH
        assert f.readline() == b"line 0\n" and f.peek(1)[:5] == b"line "
        assert f.tell() == 7
        n = 1
        for line in f:
            assert line == b"line %d\n" % n
            n += 1
        assert n == 20000 and f.read() == b"" and f.readline() == b""
        f.seek(7)
        assert f.read(7) == b"line 1\n" and f.read1(4) == b"line"
        b = bytearray(10)
        assert f.readinto(b) == 10 and b == b" 2\nline 3\n", b
        whole = f.seek(0) or f.read()
        assert len(whole) == posix.stat(PATH).st_size
        raises(ValueError, "read length must be non-negative or -1", f.read, -2)
        raises(ValueError, "whence value 9 unsupported", f.seek, 0, 9)
    raises(ValueError, "read of closed file", f.read)
    r = io.BufferedReader(Raw([b"ab", b"cd", None, b"efg\nh"]), 4)
    assert r.read(3) == b"abc" and r.peek() == b"d" and r.read() == b"d"
    assert r.readline() == b"efg\n" and r.read() == b"h" and r.read() == b""
    assert io.BufferedReader(Raw([None])).read(5) is None
    raw = Raw([b"123"])
    r = io.BufferedReader(raw)
    assert r.detach() is raw
    raises(ValueError, "raw stream has been detached", r.read)
    raises(ValueError, "buffer size must be strictly positive", io.BufferedReader, Raw([]), 0)

    raises(io.UnsupportedOperation, "File or stream is not readable.", io.BufferedReader, io.FileIO(PATH, "a"))


def buffered_writing():
    raw = Raw([])
    w = io.BufferedWriter(raw, 8)
    assert w.write(b"abc") == 3 and raw.got == []
    assert w.write(b"defgh") == 5 and w.write(b"i") == 1
    w.flush()
    assert b"".join(raw.got) == b"abcdefghi"
    assert w.write(b"0123456789abcdef") == 16
    w.close()
    assert b"".join(raw.got) == b"abcdefghi0123456789abcdef" and raw.closed and w.closed
    raises(ValueError, "write to closed file", w.write, b"")

    class Full(Raw):
        def write(self, data):
            return None

    w = io.BufferedWriter(Full([]), 4)
    e = raises(BlockingIOError, None, w.write, b"abcdefghij")
    assert e.characters_written == 4, e.characters_written
    with io.open(PATH, "wb+") as f:
        assert type(f) is io.BufferedRandom
        f.write(b"hello world")
        f.seek(0)
        assert f.read(5) == b"hello"
        f.write(b"_")
        assert f.read() == b"world" and f.tell() == 11
        f.seek(6)
        f.write(b"W")
        f.seek(0)
        assert f.read() == b"hello_World"
        f.truncate(5)
        assert f.seek(0) == 0 and f.read() == b"hello"
    pair = io.BufferedRWPair(Raw([b"in"]), raw2 := Raw([]))
    assert pair.read() == b"in" and pair.write(b"out") == 3
    pair.flush()
    assert raw2.got == [b"out"] and pair.readable() and pair.writable()
    pair.close()
    assert pair.closed


def bytes_in_memory():
    b = io.BytesIO(b"line 1\nline 2\nrest")
    assert list(b) == [b"line 1\n", b"line 2\n", b"rest"] and b.read() == b""
    assert b.seek(0) == 0 and b.read(4) == b"line" and b.tell() == 4
    assert b.seek(0, 2) == 18 and b.write(b"++") == 2 and b.getvalue() == b"line 1\nline 2\nrest++"
    b.seek(25)
    b.write(b"x")
    assert b.getvalue()[18:] == b"++\0\0\0\0\0x"
    view = b.getbuffer()
    view[0] = 76
    raises(BufferError, "Existing exports of data: object cannot be re-sized", b.write, b"x" * 100)
    raises(BufferError, None, b.close)
    view.release()
    assert b.getvalue()[:4] == b"Line" and b.truncate(4) == 4 and b.getvalue() == b"Line"
    data = b"shared"
    b = io.BytesIO(data)
    assert b.getvalue() is data
    b.write(b"X")
    assert data == b"shared" and b.getvalue() == b"Xhared"
    state = b.__getstate__()
    c = io.BytesIO()
    c.__setstate__(state)
    assert c.getvalue() == b"Xhared" and c.tell() == 1
    target = bytearray(3)
    assert c.readinto(target) == 3 and target == b"har"
    b.close()
    raises(ValueError, "I/O operation on closed file.", b.read)
    raises(ValueError, "negative seek value -1", c.seek, -1)
    raises(TypeError, "a bytes-like object is required, not 'str'", c.write, "x")


def text_in_memory():
    s = io.StringIO()
    assert s.write("ab\n") == 3 and s.write("c\u1234") == 2 and s.getvalue() == "ab\nc\u1234"
    s.seek(0)
    assert list(s) == ["ab\n", "c\u1234"]
    s.seek(1)
    s.write("X")
    assert s.getvalue() == "aX\nc\u1234" and s.read(1) == "\n"
    s.seek(10)
    s.write("e")
    assert s.getvalue() == "aX\nc\u1234\0\0\0\0\0e"
    assert s.truncate(2) == 2 and s.getvalue() == "aX"
    s = io.StringIO("a\r\nb\rc\n", newline=None)
    assert s.getvalue() == "a\nb\nc\n" and s.newlines == ("\r", "\n", "\r\n")
    s = io.StringIO("a\r\nb\rc\n", newline="")
    assert list(s) == ["a\r\n", "b\r", "c\n"]
    s = io.StringIO("a\nb\n", newline="\r\n")
    assert s.getvalue() == "a\r\nb\r\n" and list(s) == ["a\r\n", "b\r\n"]
    raises(TypeError, "string argument expected, got 'bytes'", s.write, b"")
    raises(ValueError, "illegal newline value: 'x'", io.StringIO, newline="x")
    t = io.StringIO()
    t.__setstate__(s.__getstate__())
    assert t.getvalue() == "a\r\nb\r\n" and t.tell() == s.tell()
    s.close()
    assert s.closed
    raises(ValueError, "I/O operation on closed file", s.read)


def text():
    put("über\r\nzwei\rdrei\nend".encode())
    with io.open(PATH, encoding="utf-8") as f:
        assert f.read() == "über\nzwei\ndrei\nend" and f.newlines == ("\r", "\n", "\r\n")
        assert repr(f) == f"<_io.TextIOWrapper name={PATH!r} mode='r' encoding='utf-8'>", repr(f)
    with io.open(PATH, encoding="utf-8", newline="") as f:
        assert list(f) == ["über\r\n", "zwei\r", "drei\n", "end"]
    with io.open(PATH, encoding="utf-8", newline="\r") as f:
        assert list(f) == ["über\r", "\nzwei\r", "drei\nend"]
    with io.open(PATH, encoding="utf-8", newline="\r\n") as f:
        assert list(f) == ["über\r\n", "zwei\rdrei\nend"]
    with io.open(PATH, encoding="utf-8") as f:
        f._CHUNK_SIZE = 3
        got = []
        while True:
            place = f.tell()
            ch = f.read(1)
            if not ch:
                break
            got.append((place, ch))
        for place, ch in got:
            f.seek(place)
            assert f.read(1) == ch, (place, ch)
        f.seek(got[4][0])
        assert f.readline() == "\n" and f.readline(2) == "zw" and f.readline() == "ei\n"
        assert f.seek(0, 2) == posix.stat(PATH).st_size and f.read() == ""
        f.seek(0)
        next(f)
        raises(OSError, "telling position disabled by next() call", f.tell)
    with io.open(PATH, "w", encoding="utf-8", newline="\r\n") as f:
        assert f.write("a\nü\n") == 4
        f.flush()
        assert f.tell() == 7
        raises(io.UnsupportedOperation, "not readable", f.read)
        raises(TypeError, "write() argument must be str, not bytes", f.write, b"")
    assert io.open(PATH, "rb").read() == b"a\r\n\xc3\xbc\r\n"
    with io.open(PATH, "w", encoding="ascii", errors="backslashreplace") as f:
        f.write("ü" * 3)
        f.write("x" * 20000)
    assert io.open(PATH, encoding="latin-1").read() == "\\xfc" * 3 + "x" * 20000
    with io.open(PATH, "w", encoding="ascii") as f:
        raises(UnicodeEncodeError, None, f.write, "ü")
    put(b"\xff")
    raises(UnicodeDecodeError, None, io.open(PATH, encoding="utf-8").read)
    assert io.open(PATH, encoding="utf-8", errors="surrogateescape").read() == "\udcff"
    with io.open(PATH, "r+", encoding="latin-1") as f:
        assert f.read() == "ÿ"
        f.write("b")
        f.seek(0)
        assert f.read() == "ÿb"
    t = io.TextIOWrapper(b := io.BytesIO(), encoding="utf-8", write_through=True)
    t.write("x")
    assert b.getvalue() == b"x"
    t.reconfigure(line_buffering=True, encoding="latin-1")
    t.write("ü")
    assert t.encoding == "latin-1" and b.getvalue() == b"x\xfc"
    assert t.detach() is b
    raises(ValueError, "underlying buffer has been detached", t.read)
    t = io.TextIOWrapper(io.BytesIO(b"\xe4\xbd\xa0" * 5), encoding="utf-8")
    t._CHUNK_SIZE = 1
    assert t.read(2) == "你你" and t.read() == "你" * 3
    with io.open(PATH, "w", encoding="utf-16") as f:
        f.write("ab\n")
        f.write("c")
    with io.open(PATH, "a", encoding="utf-16") as f:
        f.write("d")
    with io.open(PATH, encoding="utf-16") as f:
        assert f.readline() == "ab\n"
        place = f.tell()
        assert f.read() == "cd"
        f.seek(place)
        assert f.read() == "cd"
    raises(LookupError, "unknown encoding: nix", io.open, PATH, encoding="nix")


def opening():
    raises(ValueError, "invalid mode: 'rr'", io.open, PATH, "rr")
    raises(ValueError, "can't have text and binary mode at once", io.open, PATH, "rbt")
    raises(ValueError, "must have exactly one of create/read/write/append mode", io.open, PATH, "rw")
    raises(ValueError, "binary mode doesn't take an encoding argument", io.open, PATH, "rb", encoding="x")
    raises(ValueError, "can't have unbuffered text I/O", io.open, PATH, "w", 0)
    raises(TypeError, "expected str, bytes or os.PathLike object, not float", io.open, 1.5)
    assert type(io.open(PATH, "rb", 0)) is io.FileIO
    assert type(io.open(PATH.encode(), "rb")) is io.BufferedReader
    assert issubclass(io.UnsupportedOperation, OSError) and issubclass(io.UnsupportedOperation, ValueError)
    assert io.UnsupportedOperation.__mro__[1:3] == (OSError, ValueError)
    assert open is io.open and io.text_encoding("x") == "x"


def bases():
    class Closing(io._IOBase):
        def close(self):
            log.append("close")
            super().close()

    log = []
    c = Closing()
    del c
    assert log == ["close"], log
    with Closing() as c:
        pass
    assert c.closed and log == ["close"] * 2
    raises(ValueError, "I/O operation on closed file.", c.flush)
    c.attribute = 1
    assert c.__dict__ == {"attribute": 1} or "attribute" in c.__dict__

    class Bytes(io._BufferedIOBase):
        def read(self, n=-1):
            return b"abc"[:n]

    b = bytearray(2)
    assert Bytes().readinto(b) == 2 and b == b"ab"
    raises(io.UnsupportedOperation, "write", Bytes().write, b"")
    raises(io.UnsupportedOperation, "fileno", Bytes().fileno)
    d = io.IncrementalNewlineDecoder(None, translate=True)
    assert d.decode("a\r") == "a" and d.getstate() == (b"", 1) and d.decode("\nb") == "\nb"
    assert d.newlines == "\r\n" and d.decode("\r", final=True) == "\n" and d.newlines == ("\r", "\r\n")


for test in (raw_files, buffered_reading, buffered_writing, bytes_in_memory, text_in_memory, text, opening, bases):
    test()
posix.unlink(PATH)
print("ok")
