"""marshal: what comes again is one object, sets are written the same way always, and bad data are refused."""
import marshal
import sys

shared = ("a" * 40, 12345678)
pair = marshal.loads(marshal.dumps([shared, shared]))
assert pair == [shared, shared] and pair[0] is pair[1]
# Versions before 3 have no references.
pair = marshal.loads(marshal.dumps([shared, shared], 2))
assert pair == [shared, shared] and pair[0] is not pair[1]
assert len(marshal.dumps([shared] * 100)) < len(marshal.dumps([shared] * 100, 2)) // 4

# What contains itself.
loop = [1]
loop.append(loop)
loop.append({"me": loop})
again = marshal.loads(marshal.dumps(loop))
assert again[1] is again and again[2]["me"] is again
try:
    marshal.dumps(loop, 2)
except ValueError:
    pass
else:
    raise AssertionError("written without references")

# Sets do not depend on the order in which they are walked, whatever was written before.
members = [("Spam", number) for number in range(20)]
assert marshal.dumps(frozenset(members)) == marshal.dumps(frozenset(reversed(members)))
assert marshal.loads(marshal.dumps([members[3], frozenset(members), {slice(1)}], 5))[1] == frozenset(members)

# Code objects of one file share its name; so they do behind marshal.
code = compile("def f():\n  def g(): pass\n  return g\n", "a file of its own", "exec")


def inner(code):
    return [part for part in code.co_consts if hasattr(part, "co_code")]


for code in (code, marshal.loads(marshal.dumps(code))):
    (f,) = inner(code)
    (g,) = inner(f)
    assert code.co_filename is f.co_filename is g.co_filename
names = {}
exec(code, names)
assert names["f"]()() is None

for bad in (b"l\x02\x00\x00\x00\x00\x00\x00\x00", b"r\x00\x00\x00\x00", b"\xdb\x01\x00\x00\x00r\x05\x00\x00\x00"):
    try:
        marshal.loads(bad)
    except ValueError:
        pass
    else:
        raise AssertionError(bad)
