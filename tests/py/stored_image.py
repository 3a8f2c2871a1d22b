# The main interpreter as it comes from the library's own image, and as it is built: nothing tells them apart, and what
# depends on the process is the process's own.
import os
import signal
import subprocess
import sys

LOOK = r'''
import gc, re, sys


def text_of(value):
    return re.sub('0x[0-9a-f]+', '0x', repr(value))


def check(found):
    # Keys are where their hashes lead to, under the key of hashing that this process has.
    if isinstance(found, dict):
        for key, value in list(found.items()):
            assert found[key] is value, key
            if type(key) is str:
                assert hash(key) == hash(key[:1] + key[1:]), key
    elif isinstance(found, (set, frozenset)):
        for key in found:
            assert key in found, key
        if isinstance(found, frozenset):
            assert hash(found) == hash(frozenset(list(found)))
    elif type(found) is tuple:
        try:
            hashed = hash(found)
        except TypeError:
            return
        assert hashed == hash(tuple(list(found)))
    elif type(found) is str:
        assert hash(found) == hash(found[:1] + found[1:])
    elif type(found) is bytes:
        assert hash(found) == hash(bytes(bytearray(found)))


def reached():
    seen, rest = set(), [sys.modules, *gc.get_objects()]
    while rest:
        found = rest.pop()
        if id(found) not in seen:
            seen.add(id(found))
            yield found
            if isinstance(found, type):
                rest.extend(type.__dict__['__dict__'].__get__(found).values())
            rest.extend(gc.get_referents(found))


def look():
    for name, module in list(sys.modules.items()):
        yield 'module ' + name
        for key, value in vars(module).items():
            if module is sys.modules['__main__'] and key in own:
                continue
            if isinstance(value, (set, frozenset)):
                value = sorted(map(text_of, value))
            yield f'{name}.{key} {type(value).__name__} {text_of(value)}'
            if isinstance(value, type):
                related = [[c.__name__ for c in f(value)] for f in (type.mro, type.__subclasses__)]
                yield f'    {related} {value.__flags__} {value.__basicsize__} {value.__weakrefoffset__}'
                for key, value in vars(value).items():
                    yield f'    {key} {type(value).__name__} {text_of(value)}'
            elif type(value).__name__ == 'function':
                code = value.__code__
                yield f'    {text_of(code.co_consts)} {code.co_names} {code.co_code} {value.__defaults__}'


own = {*globals(), 'own', 'lines', 'is_copied'}
for found in list(reached()):
    check(found)
assert sys.intern('_find_and_' + 'load') is sys.intern(b'_find_and_load'.decode())
is_copied = sys._hognose.start_image()['main'] is not None
lines = re.sub('0x[0-9a-f]+', '0x', '\n'.join(look()))
lines = lines.replace(", 'start_image': 'off'", '').replace("'start_image': 'off'", '')
lines = lines.replace("'-X', 'start_image=off', ", '')
print(is_copied)
print(lines)
'''


def run(*options, code=LOOK, **changes):
    command = [sys.executable, *options, '-c', code]
    environment = {**os.environ, **changes}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def different(a, b):
    return [pair for pair in zip(a, b) if pair[0] != pair[1]][:5], len(a), len(b)


# What a build without the step that stores the image has, is built at each start.
first = run('-S')[0]
if first != 'True':
    print('the command has no image of its own')
else:
    for options in ((), ('-S',), ('-I', '-S'), ('-b', '-q', '-B'), ('-X', 'utf8', '-W', 'error'), ('-u', '-X', 'dev')):
        for seed in ('0', '1', '4711', 'random'):
            copied = run(*options, PYTHONHASHSEED=seed)
            built = run(*options, '-X', 'start_image=off', PYTHONHASHSEED=seed)
            assert copied[0] == 'True' and built[0] == 'False', (copied[0], built[0])
            # With -I the seed is random, and so is the order of sets.
            if seed != 'random' and '-I' not in options:
                assert copied[1:] == built[1:], (options, seed, different(copied[1:], built[1:]))

    # With other settings, which change what is built, there is no copy.
    ASK = 'import sys; print(sys._hognose.start_image()["main"] is not None, __debug__)'
    assert run(code=ASK) == ['True True']
    assert run('-O', code=ASK) == ['False False']
    assert run('-X', 'importtime', code=ASK) == ['False True']

# What the process says.
ASK = '''
import os, signal, sys
print(os.environ['HOGNOSE_TEST'], signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN, sys.flags.dont_write_bytecode,
      sys.flags.inspect, sys.argv, sys.orig_argv[1:4], sys.path_importer_cache is not None, sys.dont_write_bytecode)
'''
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
for value in ('one', 'two'):
    assert run('-E', '-B', '-S', code=ASK, HOGNOSE_TEST=value) == [f"{value} True 1 0 ['-c'] ['-E', '-B', '-S'] True True"]
signal.signal(signal.SIGUSR1, signal.SIG_DFL)
assert run('-E', '-S', code=ASK, HOGNOSE_TEST='') == [" False 0 0 ['-c'] ['-E', '-S', '-c'] True False"]
