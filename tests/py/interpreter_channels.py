"""Channels: from one interpreter to another, with senders that wait, ends that close and IDs that keep them alive."""

import _interpchannels as channels
import _interpreters
import os
import sys
import threading
from concurrent import interpreters

MAIN, _ = _interpreters.get_main()


def raises(error, function, *args, **keywords):
    try:
        function(*args, **keywords)
    except error as raised:
        assert type(raised) is error, raised
        return str(raised)
    raise AssertionError('nothing was raised')


def ends(channel):
    return tuple(channels.list_interpreters(channel, send=send) for send in (True, False))


# Items come in order, as other objects.
channel = channels.create()
assert isinstance(channel, channels.ChannelID) and channels.get_channel_defaults(channel) == (3, 1)
for item in (None, 1, b'bytes', 'text', 1.5, (1, ('two',)), [3, {4}]):
    channels.send(channel, item, blocking=False)
assert channels.get_count(channel) == 7
received = [channels.recv(channel) for _ in range(7)]
assert received == [(i, None) for i in (None, 1, b'bytes', 'text', 1.5, (1, ('two',)), [3, {4}])], received
raises(channels.ChannelEmptyError, channels.recv, channel)
assert channels.recv(channel, 'default') == ('default', None)
assert ends(channel) == ([MAIN], [MAIN])
raises(interpreters.NotShareableError, channels.send, channel, [1], 3, 0, blocking=False)
memory = bytearray(b'shared')
channels.send_buffer(channel, memory, blocking=False)
view, _ = channels.recv(channel)
view[0:2] = b'SH'
assert memory == b'SHared', memory
del view

# IDs.
number = int(channel)
assert channel == number and number == channel and hash(channel) == hash(number) and channel != str(number)
assert channel.end == 'both' and channel.send.end == 'send' and channel.send != channel
assert repr(channel.recv) == f'ChannelID({number}, recv=True)' and str(channel) == str(number)
raises(channels.ChannelNotFoundError, channels._channel_id, number + 1000)
assert channels._channel_id(number + 1000, force=True) == number + 1000
raises(TypeError, channels._channel_id, 1.0)
raises(ValueError, channels._channel_id, -1)
raises(OverflowError, channels._channel_id, 1 << 64)
raises(ValueError, channels._channel_id, number, send=False, recv=False)
raises(TypeError, channels.ChannelID)

# A channel ends with its last ID; one on its way is one.
inner = channels.create()
inner_number = int(inner)
channels.send(channel, (inner, 'and more'), blocking=False)
del inner
assert [int(row[0]) for row in channels.list_all()] == [number, inner_number]
(inner, _), _ = channels.recv(channel)
assert int(inner) == inner_number
del inner
raises(channels.ChannelNotFoundError, channels.recv, inner_number)

# A channel may hold its own ID.
knot = channels.create()
channels.send(knot, knot, blocking=False)
knot_number = int(knot)
del knot
assert channels.recv(knot_number)[0] == knot_number
raises(channels.ChannelNotFoundError, channels.get_count, knot_number)

# Closing.
channels.send(channel, 1, blocking=False)
channels.send(channel, 2, blocking=False)
assert 'not empty' in raises(channels.ChannelNotEmptyError, channels.close, channel)
channels.close(channel, send=True)
info = channels.get_info(channel)
assert (info.open, info.closing, info.closed, info.count) == (False, True, False, 2), info
raises(channels.ChannelClosedError, channels.send, channel, 3)
assert channels.recv(channel) == (1, None) and channels.recv(channel) == (2, None)
raises(channels.ChannelClosedError, channels.recv, channel)
assert channels.get_info(channel).closed
raises(channels.ChannelClosedError, channels.close, channel)
channels.destroy(channel)
raises(channels.ChannelNotFoundError, channels.destroy, channel)

# Releasing one end leaves the other.
channel = channels.create()
channels.send(channel, 1, blocking=False)
channels.release(channel, recv=True)
raises(channels.ChannelClosedError, channels.recv, channel)
info = channels.get_info(channel)
assert info.open and info.num_interp_both_recv_released == 1 and info.send_associated and info.recv_released
channels.release(channel, send=True)
assert channels.get_info(channel).closed

# Who sends may wait.
channel = channels.create()


def sends(results, *args, **keywords):
    try:
        results.append(channels.send(channel, 'waited for', *args, **keywords))
    except channels.ChannelError as error:
        results.append(str(error))


def until_sent():
    while channels.get_count(channel) == 0:
        threading.Event().wait(0.001)


results = []
thread = threading.Thread(target=sends, args=(results,))
thread.start()
until_sent()
assert thread.is_alive() and not results
assert channels.recv(channel) == ('waited for', None)
thread.join()
assert results == [None], results
thread = threading.Thread(target=sends, args=(results,))
thread.start()
until_sent()
channels.close(channel, force=True)
thread.join()
assert results[1].endswith('has closed'), results
channel = channels.create()
assert raises(TimeoutError, channels.send, channel, 1, timeout=0.01) == 'timed out'
assert channels.get_count(channel) == 0
raises(ValueError, channels.send, channel, 1, timeout=-1)
raises(ValueError, channels.send, channel, 1, timeout=1, blocking=False)

# A child of a fork has no threads that wait, and may use the channel.
thread = threading.Thread(target=sends, args=(results,))
thread.start()
until_sent()
child = os.fork()
if child == 0:
    status = 1
    try:
        channels.send(channel, 2, blocking=False)
        status = 0 if [channels.recv(channel)[0] for _ in 'ab'] == ['waited for', 2] else 2
    finally:
        os._exit(status)
assert os.waitpid(child, 0)[1] == 0
channels.recv(channel)
thread.join()
assert results[-1] is None, results

# Other interpreters: items of one that has ended become what was asked for.
first, second = interpreters.create(), interpreters.create()
first.exec(f'''
import _interpchannels as channels
for operation in (1, 2, 3):
    channels.send({int(channel)}, operation, operation, blocking=False)
''')
second.exec(f'''
import _interpchannels as channels
assert channels.recv({int(channel)}) == (1, None)
channels.send({int(channel)}, 1, 1, blocking=False)
mine = channels.create()
''')
assert ends(channel) == ([MAIN, first.id, second.id], [MAIN, second.id]), ends(channel)
first.close()
assert ends(channel) == ([MAIN, second.id], [MAIN, second.id])
second.close()
assert [channels.recv(channel) for _ in 'ab'] == [(None, 2), (None, 3)]
raises(channels.ChannelEmptyError, channels.recv, channel)

# The ends as objects of Python's.
raises(TypeError, channels._register_end_types, 1, 2)


class End:
    def __init__(self, id):
        self._id = id


class SendEnd(End):
    pass


class ReceiveEnd(End):
    pass


channels._register_end_types(SendEnd, ReceiveEnd)
channels.send(channel, SendEnd(channel.send), blocking=False)
got, _ = channels.recv(channel)
assert type(got) is SendEnd and got._id == channel.send
resolves = channels._channel_id(channel, recv=True, _resolve=True)
channels.send(channel, (resolves, channel.send), blocking=False)
(end, plain), _ = channels.recv(channel)
assert type(end) is ReceiveEnd and type(plain) is channels.ChannelID

# What the main interpreter's program has first on its path, others have as well.
other = interpreters.create()
where = interpreters.create_queue()
other.prepare_main(where=where)
other.exec('import sys; where.put(sys.path[0])')
assert where.get() == sys.path[0]
# It may not run another program in the process's place, nor be told nothing.
other.exec('''
import os, sys
try:
    os.execv(sys.executable, [sys.executable, '-c', ''])
except RuntimeError:
    pass
else:
    raise SystemError('exec is allowed')
''')
raises(ValueError, _interpreters.set___main___attrs, other.id, {})
assert _interpreters.get_config(MAIN).gil == 'own'
other.close()

del where

# Left in a channel at the end.
channels.send(channel, 'left', blocking=False)
