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


# Files, sockets, maps, and what changes classes and functions.
import mmap
import socket

with tempfile.NamedTemporaryFile() as file:
    ((_, (name, mode, flags)),) = of("open", lambda: open(file.name, "rb").close())
    assert (name, mode) == (file.name, "r") and flags & os.O_CLOEXEC
assert of("mmap", lambda: mmap.mmap(-1, 8).close()) == [("mmap.__new__", (-1, 8, 0, 0))]
made = of("socket", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).close())
assert [event[0] for event in made] == ["socket.__new__"], made


class A:
    pass


class B:
    pass


instance = A()
assert of("object", lambda: setattr(A, "__name__", "C")) == [("object.__setattr__", (A, "__name__", "C"))]
assert of("object", lambda: setattr(instance, "__class__", B)) == [("object.__setattr__", (instance, "__class__", B))]
assert of("object", lambda: setattr(A, "plain", 1)) == []
change = lambda: setattr(of, "__defaults__", None)
assert of("object", change) == [("object.__delattr__", (of, "__defaults__"))]


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
