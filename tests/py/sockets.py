"""Sockets: pairs, connections, timeouts, ancillary data, addresses, names, and waiting for them."""

import array
import os
import select
import socket
import tempfile


def raises(kind, function, *args):
    try:
        function(*args)
    except kind as error:
        return str(error)
    raise AssertionError(f"no {kind.__name__}")


# A pair, in every way to receive.
a, b = socket.socketpair()
with a, b:
    a.sendall(b"one two")
    assert b.recv(3) == b"one"
    room = bytearray(10)
    assert b.recv_into(room) == 4 and room[:4] == b" two"
    a.send(b"x")
    assert b.recvfrom(1)[0] == b"x"
    assert "buffer too small" in raises(ValueError, b.recv_into, room, 99)
    assert "negative" in raises(ValueError, b.recv, -1)
    b.settimeout(0.01)
    assert raises(TimeoutError, b.recv, 1) == "timed out"
    b.setblocking(False)
    raises(BlockingIOError, b.recv, 1)
    assert b.gettimeout() == 0.0 and not b.getblocking()

# Descriptors travel as ancillary data.
a, b = socket.socketpair()
with a, b:
    read, write = os.pipe()
    sent = a.sendmsg([b"da", b"ta"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [read]))])
    assert sent == 4
    data, items, flags, address = b.recvmsg(10, socket.CMSG_SPACE(4))
    assert data == b"data" and len(items) == 1 and items[0][:2] == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
    fds = array.array("i")
    fds.frombytes(items[0][2])
    os.write(write, b"through")
    assert os.read(fds[0], 10) == b"through"
    for fd in (read, write, fds[0]):
        os.close(fd)
    assert "argument 1 must be an iterable" in raises(TypeError, a.sendmsg, 3)

# A connection over the loopback, with a timeout on both sides.
with socket.create_server(("127.0.0.1", 0)) as server:
    host, port = server.getsockname()
    with socket.create_connection((host, port), timeout=5) as client:
        peer, address = server.accept()
        with peer:
            assert address == client.getsockname() and client.getpeername() == (host, port)
            client.sendall(b"hello")
            assert peer.recv(100) == b"hello"
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
            assert len(client.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)) == 8
            peer.shutdown(socket.SHUT_WR)
            assert client.recv(10) == b""
            with client.makefile("rwb") as stream:
                stream.write(b"line\n")
                stream.flush()
                assert peer.recv(100) == b"line\n"

# Names in the file system and out of it.
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "socket")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen()
        client.connect(path)
        peer, address = server.accept()
        assert server.getsockname() == path and address == ""
        peer.close()
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
    name = b"\0hognose-test-%d" % os.getpid()
    s.bind(name)
    assert s.getsockname() == name
    s.sendto(b"self", name)
    assert s.recvfrom(10) == (b"self", name)
    assert "too long" in raises(OSError, s.connect, "x" * 200)

# Errors of addresses.
with socket.socket() as s:
    assert raises(TypeError, s.connect, "here") == "connect(): AF_INET address must be tuple, not str"
    assert raises(OverflowError, s.bind, ("127.0.0.1", 70000)) == "bind(): port must be 0-65535."
    assert "not 'str'" in raises(TypeError, s.sendto, "text", ("127.0.0.1", 9))
    raises(OSError, s.getpeername)

# Text and numbers.
assert socket.inet_aton("127.1") == b"\x7f\0\0\1" and socket.inet_ntoa(b"\1\2\3\4") == "1.2.3.4"
assert socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, "::1")) == "::1"
assert socket.ntohs(socket.htons(258)) == 258 and socket.ntohl(socket.htonl(1 << 31)) == 1 << 31
assert "too large" in raises(OverflowError, socket.htons, 1 << 16)
raises(OSError, socket.inet_aton, "no address")
info = socket.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)
assert info == [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))], info
assert isinstance(socket.gethostname(), str)
assert all(socket.if_nametoindex(name) == index for index, name in socket.if_nameindex())
error = None
try:
    socket.getaddrinfo("no such host.invalid", 80, flags=socket.AI_NUMERICHOST)
except socket.gaierror as caught:
    error = caught
assert error is not None and error.errno == socket.EAI_NONAME

# Timeouts for all.
socket.setdefaulttimeout(3)
with socket.socket() as s:
    assert s.gettimeout() == 3.0
socket.setdefaulttimeout(None)

# Waiting.
a, b = socket.socketpair()
with a, b:
    assert select.select([b], [], [], 0) == ([], [], [])
    a.send(b"x")
    assert select.select([b], [a], [], 1) == ([b], [a], [])
    with select.epoll() as epoll:
        epoll.register(b, select.EPOLLIN)
        assert epoll.poll(1) == [(b.fileno(), select.EPOLLIN)]
    poll = select.poll()
    poll.register(b, select.POLLIN)
    assert poll.poll(1000) == [(b.fileno(), select.POLLIN)]

# What was forgotten is closed, with a warning.
import gc
import warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    s = socket.socket()
    fd = s.fileno()
    del s
    gc.collect()
assert [w.category for w in caught] == [ResourceWarning], caught
raises(OSError, os.fstat, fd)
