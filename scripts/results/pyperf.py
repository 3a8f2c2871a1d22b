"""Stands in for pyperf where the results count and not the seconds.

Each benchmark function runs once. Whatever the functions and methods of the program return on the way, in
the order in which they return, and the program's global variables at the end, go into a digest, which is
printed: two Pythons that computed the same print the same. Time stands still, so that it is no result.
"""
import hashlib
import importlib.util
import os
import sys
import types

CALLS = 300_000  # so many returned values are looked at in a program
DEPTH = 6  # and so deep into what is nested

_spec = importlib.util.spec_from_file_location("_pyperf_seconds", os.path.join(os.environ["PYPERF_STUB"], "pyperf.py"))
_seconds = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_seconds)

python_implementation = _seconds.python_implementation
python_has_jit = _seconds.python_has_jit


def perf_counter():
    return 0.0


_digest = hashlib.sha256()
_recorded = 0


def _text(value, depth):
    if type(value) is int:
        return hex(value)  # decimal has a limit
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        return repr(value)
    if depth == 0:
        return type(value).__name__
    if isinstance(value, (tuple, list)):
        return type(value).__name__ + "[" + ",".join(_text(item, depth - 1) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(_text(k, depth - 1) + ":" + _text(v, depth - 1) for k, v in value.items()) + "}"
    if isinstance(value, (set, frozenset)):
        return type(value).__name__ + "{" + ",".join(sorted(_text(item, depth - 1) for item in value)) + "}"
    attributes = getattr(value, "__dict__", None)
    if type(value).__module__ == "__main__" and isinstance(attributes, dict):
        return type(value).__name__ + _text(attributes, depth - 1)
    return type(value).__name__


def _record(name, value, depth):
    global _recorded
    if _recorded < CALLS:
        _recorded += 1
        _digest.update(f"{name}={_text(value, depth)}\n".encode("utf-8", "surrogatepass"))


def _recording(function):
    def call(*args, **kwargs):
        result = function(*args, **kwargs)
        _record(function.__qualname__, result, 3)
        return result

    call.__name__, call.__qualname__, call.__defaults__ = function.__name__, function.__qualname__, None
    return call


def _watch(namespace):
    for name, value in list(namespace.items()):
        if isinstance(value, types.FunctionType) and value.__module__ == "__main__":
            namespace[name] = _recording(value)
        elif isinstance(value, type) and value.__module__ == "__main__":
            for attribute, method in list(vars(value).items()):
                if isinstance(method, types.FunctionType) and not attribute.startswith("__"):
                    setattr(value, attribute, _recording(method))


class Runner(_seconds.Runner):
    def _run(self, name, timed, inner=1):
        if self.args is None:
            self.parse_args()
        namespace = sys.modules["__main__"].__dict__
        _watch(namespace)
        timed(1)
        for key, value in sorted(namespace.items()):
            if not key.startswith("__"):
                _record(key, value, DEPTH)
        print("RESULT", name, _recorded, _digest.hexdigest(), sep="\t", flush=True)

    def bench_func(self, name, func, *args, **options):
        self._run(name, lambda loops: _record(name, func(*args), DEPTH))

    def bench_time_func(self, name, func, *args, **options):
        self._run(name, lambda loops: func(loops, *args))
