"""CPython's module of the same name: functions from C (host/testcapi.c), classes that would be C's over them."""
import sys as _sys

from _hosttestcapi import *
from _hosttestcapi import bound as _bound
# `import *` leaves out what begins with an underscore.
import _hosttestlibrary as _library



# Native recursion ends with the stack, not at a number: this is what 3.14's own tests take for deeper than any.
Py_C_RECURSION_LIMIT = 150_000


globals().update(_bound(_sys.modules[__name__]))
globals().update({name: value for name, value in vars(_library).items() if not name.startswith("__")})


class MethInstance:
    """Has functions with itself as their self."""

    def __init__(self):
        self.__dict__.update(_bound(self))


class MethClass:
    """Has functions with the class as their self."""


for _name, _function in _bound(MethClass).items():
    setattr(MethClass, _name, _function)


class MethStatic:
    """Has functions without a self."""


for _name, _function in _bound().items():
    setattr(MethStatic, _name, _function)

del _name, _function


class CodeLike:
    """Has states of monitoring events, which functions from C fill in and look at."""

    def __init__(self, events):
        self.states = bytearray(2 * events)
        self.version = bytearray(8)


class awaitType:
    def __init__(self, iterator):
        self._iterator = iterator

    def __await__(self):
        return self._iterator
