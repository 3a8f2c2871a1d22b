"""Exceptions and groups, raised and caught in every way."""
from harness import check


class Own(Exception):
    def __init__(self, value):
        self.value = value


def caught(operation, *kinds):
    """What an operation raises, as text."""

    def run():
        try:
            operation()
        except MemoryError:
            raise
        except BaseException as error:
            return type(error).__name__, str(error), error.args
        return None

    return run


def chained():
    try:
        try:
            raise KeyError("first")
        except KeyError as first:
            raise ValueError("second") from first
    except ValueError as error:
        return repr(error.__cause__), repr(error.__context__), error.__suppress_context__


def in_context():
    try:
        try:
            [][1]
        except IndexError:
            {}["x"]
    except KeyError as error:
        return repr(error.__context__)


def noted():
    error = ValueError("text")
    error.add_note("one")
    error.add_note("two")
    return error.__notes__


def grouped():
    group = ExceptionGroup("several", [ValueError(1), TypeError(2), ExceptionGroup("inner", [ValueError(3)])])
    matched, rest = group.split(ValueError)
    return repr(matched), repr(rest), repr(group.subgroup(TypeError)), str(group), repr(group.derive([OSError(1)])), len(group.exceptions)


def starred():
    seen = []
    try:
        raise ExceptionGroup("g", [ValueError(1), TypeError(2), KeyError(3)])
    except* ValueError as matched:
        seen.append(repr(matched))
    except* (TypeError, KeyError) as matched:
        seen.append(repr(matched))
    return seen


def with_traceback():
    try:
        raise Own([1])
    except Own as error:
        return error.value, error.with_traceback(None).__traceback__


def from_generator():
    def g():
        raise StopIteration(1)
        yield

    try:
        next(g())
    except RuntimeError as error:
        return str(error), repr(error.__cause__)


def recursing():
    def f(n):
        return f(n + 1)

    try:
        f(0)
    except RecursionError as error:
        return str(error)


check(
    chained, in_context, noted, grouped, starred, with_traceback, from_generator, caught(lambda: 1 / 0), caught(lambda: [][5]), caught(lambda: {}["missing"]), caught(lambda: missing), caught(lambda: "x".missing), caught(lambda: int("z")), caught(lambda: 1 + "a"), caught(lambda: open("/no/such/file/here")), caught(lambda: b"\xff".decode()), caught(lambda: "\ud800".encode()), caught(lambda: "ł".encode("latin-1")), caught(lambda: __import__("no_such_module_here")), caught(lambda: compile("a b", "f", "exec")), caught(lambda: len()), caught(lambda: (lambda a, *, b: 1)(c=3)), caught(lambda: int("1" * 5000)), caught(lambda: next(iter(()))), caught(lambda: exec("from sys import nothing_there")), caught(lambda: exec("x: int = y")), caught(lambda: exec("raise Own(1) from None", globals())), caught(lambda: [].remove(1)), caught(lambda: a_undefined_name.b),
    lambda: repr(ValueError("a", 1)), lambda: str(KeyError("k")), lambda: repr(OSError(2, "text", "file", None, "other")), lambda: str(OSError(2, "text", "file")), lambda: OSError(2, "x").__class__, lambda: SyntaxError("m", ("f", 1, 2, "text", 1, 3)).text, lambda: str(SyntaxError("m", ("f", 1, 2, "text"))), lambda: str(UnicodeDecodeError("c", b"abc", 0, 1, "r")), lambda: str(UnicodeEncodeError("c", "abc", 0, 2, "r")), lambda: str(UnicodeTranslateError("abc", 0, 1, "r")), lambda: ImportError("m", name="n", path="p").name, lambda: AttributeError("m", name="n", obj=[]).obj, lambda: NameError("m", name="n").name, lambda: SystemExit(3).code, lambda: StopIteration([1]).value, lambda: Own(3).__reduce__()[1], lambda: OSError(1, "a", "b").__reduce__()[1], lambda: ValueError(1).__setstate__({"x": 1}), lambda: repr(BaseExceptionGroup("m", [KeyboardInterrupt()])), lambda: ExceptionGroup("m", [ValueError()]).message, lambda: ValueError(*range(3)).args,
)
