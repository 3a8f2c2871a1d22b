"""zlib, unicodedata, mmap, and the small modules of the system."""

import copy
import errno
import grp
import mmap
import os
import pty
import resource
import tempfile
import termios
import unicodedata
import zlib

import _multiprocessing
import _posixshmem


def raises(kind, function, *args, **keywords):
    try:
        function(*args, **keywords)
    except kind as error:
        return str(error)
    raise AssertionError(f"no {kind.__name__}")


# zlib: whole, by pieces, in three formats, with a dictionary, and copied on the way.
data = b"a hognose plays dead, " * 500
for wbits in (15, -15, 31):
    packed = zlib.compress(data, wbits=wbits)
    assert len(packed) < 200 and zlib.decompress(packed, wbits=wbits, bufsize=1) == data
    d = zlib.decompressobj(wbits)
    out = b""
    for index in range(0, len(packed), 7):
        out += d.decompress(packed[index : index + 7])
    assert out + d.flush() == data and d.eof
c = zlib.compressobj(9, zdict=b"hognose")
first = c.compress(data)
other = copy.copy(c)
assert c.flush() == other.flush()
raises(ValueError, c.copy)
d = zlib.decompressobj(zdict=b"hognose")
packed = zlib.compressobj(9, zdict=b"hognose")
packed = packed.compress(data) + packed.flush()
assert d.decompress(packed + b"tail", 10) == data[:10] and d.unconsumed_tail
rest = d.decompress(d.unconsumed_tail)
assert data[:10] + rest + d.flush() == data and d.unused_data == b"tail"
d = zlib._ZlibDecompressor()
packed = zlib.compress(data)
assert d.decompress(packed, 5) == data[:5] and not d.needs_input
assert data[:5] + d.decompress(b"", -1) == data and d.eof
raises(EOFError, d.decompress, b"")
assert "incorrect header check" in raises(zlib.error, zlib.decompress, b"no zlib data")
assert "incomplete" in raises(zlib.error, zlib.decompress, packed[:-3])
assert zlib.crc32(b"hognose") == zlib.crc32(b"nose", zlib.crc32(b"hog"))
assert zlib.adler32(b"hognose") == zlib.adler32(b"nose", zlib.adler32(b"hog"))

# unicodedata.
assert unicodedata.name("é") == "LATIN SMALL LETTER E WITH ACUTE"
assert unicodedata.lookup("snowman") == "☃" and unicodedata.name("\n", None) is None
assert unicodedata.normalize("NFD", "é") == "e\u0301" and unicodedata.normalize("NFC", "e\u0301\ud800") == "é\ud800"
assert unicodedata.is_normalized("NFKC", "ﬁ") is False and unicodedata.normalize("NFKC", "ﬁ") == "fi"
assert unicodedata.decimal("७") == 7 and unicodedata.numeric("½") == 0.5
assert raises(ValueError, unicodedata.digit, "x") == "not a digit"
assert unicodedata.category("\ud800") == "Cs" and unicodedata.east_asian_width("字") == "W"
assert unicodedata.decomposition("½") == "<fraction> 0031 2044 0032"
assert unicodedata.ucd_3_2_0.category("\U0001f600") == "Cn" and unicodedata.category("\U0001f600") == "So"

# mmap.
with tempfile.TemporaryFile() as f:
    f.write(b"0123456789" * 1000)
    f.flush()
    with mmap.mmap(f.fileno(), 0) as m:
        assert len(m) == 10000 and m[2:5] == b"234" and m.find(b"90") == 9 and m.rfind(b"0") == 9990
        m[0:3] = b"abc"
        m.move(100, 0, 3)
        m.flush()
        assert m[100:103] == b"abc" and m.readline() == m[:]
        with memoryview(m) as view:
            raises(BufferError, m.close)
            view[5] = 33
        m.resize(20000)
        assert len(m) == 20000 and m[5] == 33 and m.size() == 20000
        assert m[::-5000] == bytes([m[19999], m[14999], m[9999], m[4999]])
    assert raises(ValueError, m.read) == "mmap closed or invalid"
    f.seek(0)
    assert f.read(3) == b"abc"
with mmap.mmap(-1, 100, access=mmap.ACCESS_READ) as m:
    raises(TypeError, m.write, b"x")

# Terminals.
master, slave = pty.openpty()
attributes = termios.tcgetattr(slave)
attributes[3] &= ~termios.ICANON
termios.tcsetattr(slave, termios.TCSANOW, attributes)
assert termios.tcgetattr(slave)[3] == attributes[3]
termios.tcsetwinsize(slave, (11, 22))
assert termios.tcgetwinsize(slave) == (11, 22)
read, write = os.pipe()
try:
    termios.tcgetattr(read)
except termios.error as error:
    assert error.args[0] == errno.ENOTTY
for fd in (master, slave, read, write):
    os.close(fd)

# The rest.
assert grp.getgrgid(0).gr_gid == 0 and raises(KeyError, grp.getgrnam, "no such group")
assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
assert resource.prlimit(0, resource.RLIMIT_NOFILE) == (soft, hard)
raises(ValueError, resource.getrlimit, 99)
name = f"/hognose-test-{os.getpid()}"
fd = _posixshmem.shm_open(name, os.O_CREAT | os.O_RDWR)
_posixshmem.shm_unlink(name)
os.close(fd)
raises(FileNotFoundError, _posixshmem.shm_unlink, name)
lock = _multiprocessing.SemLock(0, 1, 1, name, True)
with lock:
    assert lock.acquire() and lock._count() == 2 and lock._is_mine()
    lock.release()
raises(AssertionError, lock.release)
semaphore = _multiprocessing.SemLock(1, 1, 1, name, True)
assert semaphore.acquire() and not semaphore.acquire(False) and not semaphore.acquire(True, 0.01)
semaphore.release()
raises(ValueError, semaphore.release)
