"""`zoneinfo` natively, `_uuid`, imports from archives, audit events."""
import gc
import io
import os
import pickle
import struct
import sys
import tempfile
import uuid
import weakref
import zipfile
import zoneinfo
from datetime import datetime, timedelta, timezone

import _zoneinfo

assert zoneinfo.ZoneInfo is _zoneinfo.ZoneInfo
HOUR = timedelta(hours=1)


def tzif(transitions, infos, text):
    """A file of the second version: transitions are (time, info), infos (offset, is_dst, name)."""
    names, places = b"", {}
    for _, _, name in infos:
        if name not in places:
            places[name] = len(names)
            names += name + b"\0"

    def part(size, version):
        head = b"TZif" + version + bytes(15)
        head += struct.pack(">6l", 0, 0, 0, len(transitions), len(infos), len(names))
        body = b"".join(struct.pack(">l" if size == 4 else ">q", time) for time, _ in transitions)
        body += bytes(info for _, info in transitions)
        body += b"".join(struct.pack(">lbb", offset, is_dst, places[name]) for offset, is_dst, name in infos)
        return head + body + names

    return part(4, b"2") + part(8, b"2") + b"\n" + text + b"\n"


# Standard time, an hour of summer time in 2000, and from then on a rule.
MARCH, OCTOBER = 954032400, 972781200
FILE = tzif([(MARCH, 1), (OCTOBER, 0)], [(3600, 0, b"CET"), (7200, 1, b"CEST")], b"CET-1CEST,M3.5.0,M10.5.0/3")

zone = zoneinfo.ZoneInfo.from_file(io.BytesIO(FILE), key="Test/Zone")
assert (zone.key, str(zone), repr(zone)) == ("Test/Zone", "Test/Zone", "zoneinfo.ZoneInfo(key='Test/Zone')")
for when, offset, name in [
    (datetime(1999, 7, 1), 1, "CET"),
    (datetime(2000, 7, 1), 2, "CEST"),
    (datetime(2000, 3, 26, 1, 59), 1, "CET"),
    (datetime(2000, 3, 26, 3), 2, "CEST"),
    (datetime(2000, 10, 29, 2, 30), 2, "CEST"),
    (datetime(2000, 10, 29, 2, 30, fold=1), 1, "CET"),
    (datetime(2024, 7, 1), 2, "CEST"),
    (datetime(2024, 12, 1), 1, "CET"),
    (datetime(2024, 10, 27, 2, 30), 2, "CEST"),
    (datetime(2024, 10, 27, 2, 30, fold=1), 1, "CET"),
]:
    local = when.replace(tzinfo=zone)
    assert (local.utcoffset(), local.tzname()) == (offset * HOUR, name), (when, local.utcoffset(), local.tzname())
    assert local.dst() == (offset - 1) * HOUR
    # There and back, but for what a clock never shows.
    back = local.astimezone(timezone.utc).astimezone(zone)
    assert back == local and back.fold == when.fold, (when, back, back.fold)
for utc, fold in [(OCTOBER - 1800, 0), (OCTOBER + 1800, 1)]:
    local = datetime.fromtimestamp(utc, zone)
    assert (local.hour, local.minute, local.fold) == (2, 30, fold), local
assert zone.utcoffset(None) is None and zone.tzname(None) is None
fixed = zoneinfo.ZoneInfo.from_file(io.BytesIO(tzif([], [(0, 0, b"UTC")], b"UTC0")))
assert fixed.utcoffset(None) == timedelta(0) and fixed.key is None and repr(fixed).startswith("zoneinfo.ZoneInfo.from_file(")
try:
    pickle.dumps(fixed)
except pickle.PicklingError:
    pass
else:
    raise AssertionError
for text in [b"CET", b"CET-1CEST", b"CET25", b"CET-1CEST,M13.1.1,M10.5.0/3", b"CET-1CEST,M3.5.0", b"1"]:
    try:
        zoneinfo.ZoneInfo.from_file(io.BytesIO(tzif([], [(3600, 0, b"CET")], text)))
    except ValueError as error:
        assert text.decode() in str(error), error
    else:
        raise AssertionError(text)
for wrong in (None, 1, datetime(2000, 1, 1)):
    try:
        zone.fromutc(wrong)
    except (TypeError, ValueError):
        pass
    else:
        raise AssertionError(wrong)

# By key, cached, cleared, pickled; a class of its own has a cache of its own.
with tempfile.TemporaryDirectory() as folder:
    os.mkdir(os.path.join(folder, "Test"))
    for number in range(10):
        with open(os.path.join(folder, "Test", f"Zone{number}"), "wb") as file:
            file.write(FILE)
    zoneinfo.reset_tzpath([folder])
    first = zoneinfo.ZoneInfo("Test/Zone0")
    assert zoneinfo.ZoneInfo("Test/Zone0") is first and zoneinfo.ZoneInfo.no_cache("Test/Zone0") is not first
    assert pickle.loads(pickle.dumps(first)) is first
    seen = weakref.ref(first)
    del first
    assert seen() is not None
    for number in range(1, 10):
        zoneinfo.ZoneInfo(key=f"Test/Zone{number}")
    gc.collect()
    assert seen() is None, "only the last eight are kept"

    class Own(zoneinfo.ZoneInfo):
        pass

    own = Own("Test/Zone9")
    assert Own("Test/Zone9") is own and own is not zoneinfo.ZoneInfo("Test/Zone9") and repr(own) == "Own(key='Test/Zone9')"
    before = zoneinfo.ZoneInfo("Test/Zone9")
    zoneinfo.ZoneInfo.clear_cache(only_keys=["Test/Zone9"])
    assert zoneinfo.ZoneInfo("Test/Zone9") is not before
    zoneinfo.ZoneInfo.clear_cache()
    try:
        zoneinfo.ZoneInfo("Test/Nowhere")
    except zoneinfo.ZoneInfoNotFoundError:
        pass
    else:
        raise AssertionError

    # Identifiers from the time: never twice, and made where they say.
    made = {uuid.uuid1() for _ in range(100)}
    assert len(made) == 100 and {one.version for one in made} == {1} and len({one.node for one in made}) == 1

    # An archive.
    archive = os.path.join(folder, "a.zip")
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("in_archive.py", "value = 42\n")
        file.writestr("below/__init__.py", "value = __name__\n")
    sys.path.insert(0, archive)
    import below
    import in_archive
    assert (in_archive.value, below.value) == (42, "below"), sys.path_hooks
    assert in_archive.__file__ == os.path.join(archive, "in_archive.py")
    import zipimport
    assert zipimport.zipimporter in sys.path_hooks
    assert len(sys.path_hooks) == 2
    for hook in sys.path_hooks[:1]:
        try:
            hook(folder)
        except ImportError:
            pass
        else:
            raise AssertionError
    sys.path.remove(archive)

# Events, from here on.
events = []
sys.addaudithook(lambda event, args: events.append(event))
gc.get_referents([])
sys._getframe()
assert "gc.get_referents" in events and "sys._getframe" in events, events
assert not any(isinstance(found, list) and events.append in found for found in gc.get_objects())


def refuse(event, args):
    if event == "test.refused":
        raise KeyError(*args)


sys.addaudithook(refuse)
try:
    sys.audit("test.refused", 1, 2)
except KeyError as error:
    assert error.args == (1, 2)
else:
    raise AssertionError
assert events[-1] == "test.refused"
