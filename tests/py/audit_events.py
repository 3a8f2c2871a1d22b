"""Audit events: of code that is compiled and run, and of what is done in the operating system."""
import os
import sys
import tempfile

events = []
sys.addaudithook(lambda event, args: events.append((event, args)))


def of(prefix, function):
    events.clear()
    function()
    return [event for event in events if event[0].startswith(prefix)]


assert of("compile", lambda: eval("1")) == [("compile", (b"1", "<string>"))]
(event,) = of("exec", lambda: exec("x = 1", {}))
assert event[1][0].co_filename == "<string>"
assert [event[0] for event in of("", lambda: compile("1", "name", "exec"))] == ["compile"]

with tempfile.TemporaryDirectory() as folder:
    a, b = os.path.join(folder, "a"), os.path.join(folder, "b")
    assert of("os.", lambda: os.mkdir(a, 0o700)) == [("os.mkdir", (a, 0o700, -1))]
    assert of("os.", lambda: os.rename(a, b)) == [("os.rename", (a, b, -1, -1))]
    assert of("os.", lambda: os.listdir(folder)) == [("os.listdir", (folder,))]
    assert of("os.", lambda: os.chmod(b, 0o755)) == [("os.chmod", (b, 0o755, -1))]
    assert of("os.", lambda: os.utime(b, (1, 2))) == [("os.utime", (b, (1, 2), None, -1))]
    assert of("os.", lambda: os.rmdir(b)) == [("os.rmdir", (b, -1))]
    assert of("os.", lambda: os.symlink(a, b)) == [("os.symlink", (a, b, -1))]
    assert of("os.", lambda: os.remove(b)) == [("os.remove", (b, -1))]
assert of("os.", lambda: os.kill(os.getpid(), 0)) == [("os.kill", (os.getpid(), 0))]


# What a hook raises, is raised instead of doing it.
class No(Exception):
    pass


def refuse(event, args):
    if event == "os.mkdir":
        raise No


sys.addaudithook(refuse)
try:
    os.mkdir("/tmp/never made by this test")
except No:
    pass
else:
    raise AssertionError("made")
assert not os.path.exists("/tmp/never made by this test")
