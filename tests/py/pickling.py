"""Pickles: all protocols, against the library's own pickler and unpickler."""

import copyreg
import io
import pickle
import pickletools


def raises(kind, text, function, *args, **keywords):
    try:
        function(*args, **keywords)
    except kind as error:
        assert str(error) == text, str(error)
    else:
        raise AssertionError(text)


assert pickle.Pickler.__module__ == "_pickle" and pickle.dumps is not pickle._dumps


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __eq__(self, other):
        return type(other) is Point and (self.x, self.y) == (other.x, other.y)

    def method(self):
        return self.x

    class Inner:
        pass


class Slotted:
    __slots__ = ("a", "b")


class Keywords:
    def __new__(cls, *args, **keywords):
        made = object.__new__(cls)
        made.arguments = args, keywords
        return made

    def __getnewargs_ex__(self):
        return (1, 2), {"k": 3}

    def __getstate__(self):
        return None


class Stack(list):
    pass


VALUES = [
    None, True, False, 0, 255, 256, 65535, 65536, -1, 2 ** 31 - 1, -2 ** 31, 2 ** 31, -2 ** 63, 2 ** 2100, -128 * 256 ** 3,
    0.1, float("inf"), 1j, "", "a", "ä\n\\\x00\x1a€😀\ud800", "x" * 300, b"", b"a\n", b"b" * 300, bytearray(b""), bytearray(b"ab"),
    (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], [1], list(range(2500)), {}, {1: 2}, dict.fromkeys(range(2500)), set(), {1, 2},
    frozenset(), frozenset("ab"), set(range(1500)), len, int, type(None), type(NotImplemented), type(...), NotImplemented, ...,
    Point, Point.Inner, Point(1, [2]), Point.method, range(5), slice(1, 2), Stack([1, 2]), ValueError("a", 1), pickletools,
]
for value in VALUES[:-1]:
    for protocol in range(6):
        data = pickle.dumps(value, protocol)
        for loads in (pickle.loads, pickle._loads):
            again = loads(data)
            assert type(again) is type(value) and (again == value or isinstance(value, ValueError)), (value, protocol)
        again = pickle.loads(pickle._dumps(value, protocol))
        assert again == value or isinstance(value, ValueError)
        pickletools.dis(data, out=io.StringIO())
raises(TypeError, "cannot pickle 'module' object", pickle.dumps, pickletools)
raises(pickle.PicklingError, "Can't pickle local object " + repr(type("f.<locals>.C", (), {})), pickle.dumps, type("f.<locals>.C", (), {}))

# What contains itself, and what is there twice.
for protocol in range(6):
    loop, ring = [], {}
    loop.append(loop)
    ring["r"] = ring
    knot = (loop, [])
    knot[1].append(knot)
    point = Point(1, 2)
    point.self = point
    made = pickle.loads(pickle.dumps([loop, ring, knot, point, "w" * 9, "w" * 9], protocol))
    assert made[0][0] is made[0] and made[1]["r"] is made[1] and made[2][1][0] is made[2] and made[3].self is made[3]

slotted = Slotted()
slotted.a = 5
for protocol in range(2, 6):
    again = pickle.loads(pickle.dumps(slotted, protocol))
    assert again.a == 5 and not hasattr(again, "b")
    assert pickle.loads(pickle.dumps(Keywords(), protocol)).arguments == ((1, 2), {"k": 3})

# Frames: large data goes by them.
class File:
    def __init__(self):
        self.writes = []

    def write(self, data):
        self.writes.append(bytes(data))


file = File()
pickle.dump(["a" * 100, b"z" * 100000, bytearray(b"y" * 100000), "b"], file, 5)
assert max(map(len, file.writes)) == 100000 and len(file.writes) > 4
assert pickle.loads(b"".join(file.writes))[1:3] == [b"z" * 100000, bytearray(b"y" * 100000)]

# Several pickles in one file, read with and without looking ahead.
stream = io.BytesIO()
pickler = pickle.Pickler(stream, 4)
shared = ["shared"]
pickler.dump(shared)
pickler.dump([shared])
assert pickler.memo.copy()[id(shared)][1] is shared
stream.write(b"rest")
for file in (io.BytesIO(stream.getvalue()), io.BufferedReader(io.BytesIO(stream.getvalue()))):
    unpickler = pickle.Unpickler(file)
    first = unpickler.load()
    assert unpickler.load()[0] is first and file.read() == b"rest"
pickler.clear_memo()
assert not pickler.memo.copy()


# Persistent ids, tables, overrides.
class WithIds(pickle.Pickler):
    dispatch_table = copyreg.dispatch_table.copy()
    dispatch_table[complex] = lambda value: (complex, (value.imag, value.real))

    def persistent_id(self, value):
        return "pid" if value is shared else None

    def reducer_override(self, value):
        return (str, ("overridden",)) if isinstance(value, Point) else NotImplemented


class Finding(pickle.Unpickler):
    def persistent_load(self, name):
        return shared if name == "pid" else None

    def find_class(self, module, name):
        assert module != "os", "not here"
        return super().find_class(module, name)


for protocol in range(6):
    stream = io.BytesIO()
    WithIds(stream, protocol).dump([shared, 1 + 2j, Point(1, 2)])
    stream.seek(0)
    first, second, third = Finding(stream).load()
    assert first is shared and second == 2 + 1j and third == "overridden"
pickler = pickle.Pickler(io.BytesIO())
pickler.persistent_id = lambda value: None
del pickler.persistent_id
raises(AttributeError, "persistent_id", pickler.__delattr__, "persistent_id")
raises(pickle.UnpicklingError, "A load persistent id instruction was encountered, but no persistent_load function was specified.", pickle.loads, b"Px\n.")

# Fast mode keeps no memory, but finds cycles.
pickler = pickle.Pickler(io.BytesIO())
pickler.fast = 1
deep = inner = []
for _ in range(60):
    inner.append([])
    inner = inner[0]
pickler.dump(deep)
inner.append(deep)
try:
    pickler.dump(deep)
except ValueError as error:
    assert str(error).startswith("fast mode: can't pickle cyclic objects including object type list at 0x")
else:
    raise AssertionError

# Buffers in and out of band.
buffer = pickle.PickleBuffer(bytearray(b"abc"))
out = []
data = pickle.dumps([buffer, pickle.PickleBuffer(b"d")], 5, buffer_callback=out.append)
again = pickle.loads(data, buffers=out)
assert out[0] is buffer and again[0] is buffer and bytes(again[1]) == b"d"
assert pickle.loads(pickle.dumps(buffer, 5)) == bytearray(b"abc")
assert buffer.raw().tolist() == [97, 98, 99]
buffer.release()
raises(ValueError, "operation forbidden on released PickleBuffer object", buffer.raw)
raises(pickle.UnpicklingError, "pickle stream refers to out-of-band data but no *buffers* argument was given", pickle.loads, data)
raises(ValueError, "buffer_callback needs protocol >= 5", pickle.dumps, 1, 4, buffer_callback=print)
raises(ValueError, "pickle protocol must be <= 5", pickle.dumps, 1, 6)

# Extensions, and the names of Python 2.
copyreg.add_extension("__main__", "Point", 300)
assert b"\x83\x2c\x01" in pickle.dumps(Point, 2) and pickle.loads(pickle.dumps(Point, 2)) is Point
copyreg.remove_extension("__main__", "Point", 300)
assert pickle.dumps(range, 2) == b"\x80\x02c__builtin__\nxrange\nq\x00." and pickle.loads(b"c__builtin__\nxrange\n.") is range
assert pickle.loads(b"S'a\\x41'\n.") == "aA" and pickle.loads(b"U\x01\xe9.", encoding="latin1") == "é"
assert pickle.loads(b"U\x01\xe9.", encoding="bytes") == b"\xe9"

# What is broken is refused.
raises(EOFError, "Ran out of input", pickle.loads, b"")
raises(pickle.UnpicklingError, "invalid load key, '\\xff'.", pickle.loads, b"\xff")
raises(pickle.UnpicklingError, "pickle data was truncated", pickle.loads, b"X\xff\x00\x00\x00abc")
raises(pickle.UnpicklingError, "unpickling stack underflow", pickle.loads, b"0.")
raises(pickle.UnpicklingError, "unexpected MARK found", pickle.loads, b"N(R.")
raises(pickle.UnpicklingError, "could not find MARK", pickle.loads, b"t.")
raises(pickle.UnpicklingError, "Memo value not found at index 7", pickle.loads, b"h\x07.")
raises(ValueError, "unsupported pickle protocol: 9", pickle.loads, b"\x80\x09.")
# A number far away costs no memory.
assert pickle.loads(b"Nr\xff\xff\xff\xff0j\xff\xff\xff\xff.") is None
deep = []
for _ in range(200000):
    deep = [deep]
try:
    pickle.dumps(deep)
except RecursionError:
    pass
else:
    raise AssertionError
while deep:
    deep = deep[0]
