# Interpreters that are built, and such as are copied: nothing tells them apart.
import _interpreters
import os
import sys
import tempfile

PROGRAM = r'''
import os, re, sys


def text_of(value):
    return re.sub('0x[0-9a-f]+', '0x', repr(value))


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


own = {*globals(), 'own', 'lines'}
lines = re.sub('0x[0-9a-f]+', '0x', '\n'.join(look()))
with open(path, 'w') as file:
    file.write(lines)
assert os.environ['HOGNOSE_TEST'] == mark, os.environ['HOGNOSE_TEST']
assert sys.modules['os'].environ is os.environ
assert sys.intern('_find_and_' + 'load') is sys.intern(b'_find_and_load'.decode())
for cls in (int, str, BaseException, type(os), type(look)):
    assert all(cls in below.__mro__ for below in cls.__subclasses__())
class New(ImportError): pass
assert ImportError.__subclasses__()[-1] is New
'''


def image():
    return sys._hognose.start_image()


def is_none():
    figures = image()
    return (figures['blocks'], figures['bytes'], figures['shared'], figures['reason']) == (0, 0, 0, None)


assert is_none(), image()
directory = tempfile.TemporaryDirectory()
path = os.path.join(directory.name, 'seen')
seen = {}
for number, kind in enumerate(('isolated', 'isolated', 'legacy', 'isolated', 'legacy')):
    # What an interpreter finds in the environment is not what an earlier one has found.
    os.environ['HOGNOSE_TEST'] = mark = f'{number:04}'
    interpreter = _interpreters.create(kind)
    _interpreters.set___main___attrs(interpreter, {'path': path, 'mark': mark})
    failed = _interpreters.exec(interpreter, PROGRAM)
    assert failed is None, failed.errdisplay
    _interpreters.destroy(interpreter)
    with open(path) as file:
        seen[number] = file.read().replace(repr(mark), 'mark').replace(repr(mark.encode()), 'mark').splitlines()
    # The first one is built; for the second one the image is made.
    if number == 0:
        assert is_none(), image()
    else:
        assert image()['blocks'] > 1000 and image()['shared'] > image()['blocks'], image()
for number in range(1, len(seen)):
    different = [pair for pair in zip(seen[0], seen[number]) if pair[0] != pair[1]]
    assert not different and len(seen[0]) == len(seen[number]), (number, different[:3])

# Many at once, which all end in another order.
alive = [_interpreters.create(kind) for kind in ('isolated', 'legacy') * 8]
for interpreter in alive[::2] + alive[1::2]:
    assert _interpreters.exec(interpreter, 'import json; assert json.loads("[1]") == [1]') is None
for interpreter in alive[::3] + alive[1::3] + alive[2::3]:
    _interpreters.destroy(interpreter)

directory.cleanup()
print('ok')
