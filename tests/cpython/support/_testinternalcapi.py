"""CPython's module of the same name: what our own internals can answer."""
import os as _os
import struct as _struct
import sys as _sys

from _hosttestlibrary import run_in_subinterp_with_config

SIZEOF_PYGC_HEAD = _struct.calcsize("PP")
SIZEOF_MANAGED_PRE_HEADER = _struct.calcsize("PP")

from _hosttestcapi import decode_locale as DecodeLocaleEx
from _hosttestcapi import encode_locale as EncodeLocaleEx

has_inline_values = _sys._hognose.has_inline_values
get_object_dict_values = _sys._hognose.inline_values


def get_config():
    off = "no_debug_ranges" in _sys._xoptions
    if not _sys.flags.ignore_environment and _os.environ.get("PYTHONNODEBUGRANGES"):
        off = True
    return {"code_debug_ranges": int(not off)}


def get_immortalize_deferred():
    return False


def suppress_immortalization(suppress):
    """Nothing is immortal because it is deferred."""


def get_c_recursion_remaining():
    from _testcapi import Py_C_RECURSION_LIMIT

    return Py_C_RECURSION_LIMIT


def get_recursion_depth():
    depth, frame = -1, _sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    return depth


def run_in_subinterp_with_config(code, config, *, xi=False):
    """Runs a script in an interpreter of that configuration: 0, or -1 when it raises, which it shows."""
    import _interpreters

    interpreter = _interpreters.create(config)
    try:
        failure = _interpreters.run_string(interpreter, code)
    finally:
        _interpreters.destroy(interpreter)
    if failure is None:
        return 0
    print(failure.errdisplay, file=_sys.stderr)
    return -1
