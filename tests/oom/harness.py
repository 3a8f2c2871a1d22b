"""Every allocation of an operation fails in turn: what comes of it is MemoryError or the right result, nothing else.

A test file lists operations, functions without arguments whose results can be compared, and hands them to `check`.
Run by itself it fails each allocation of each operation in this process, once alone and once with all that follow;
state that a failure leaves behind shows as a wrong result later, or as a live block at the end (-X memstats). With the
argument `once` each operation runs once and no more: for `hognose --oom-sweep`, which then tries the ends of programs.
"""
import sys

own = sys._hognose
ONCE = sys.argv[1:] == ["once"]


class Same:
    """Stands for results that are objects of their own: equal when their types are."""

    def __init__(self, value):
        self.type = type(value)

    def __eq__(self, other):
        return isinstance(other, Same) and self.type is other.type

    def __repr__(self):
        return f"<{self.type.__name__}>"


def equal(left, right):
    return type(left) is type(right) and (left == right or left != left)


def source(operation):
    """Where it is written: file, line and column."""
    code = operation.__code__
    columns = [column for line, _, column, _ in code.co_positions() if line == code.co_firstlineno and column]
    return f"{code.co_filename.rpartition('/')[2]}:{code.co_firstlineno}:{min(columns, default=0)} {operation.__name__}"


def outcomes(operation, persistent):
    """Yields what came of the operation with each of its allocations failing, until none does."""
    k = 0
    while True:
        k += 1
        result = error = None
        own.fail_allocation(k, persistent=persistent)
        try:
            result = operation()
        except MemoryError:
            error = MemoryError
        except BaseException as other:
            error = other
        count, failed = own.stop_failing()
        if not failed:
            return
        yield k, result, error


def check(*operations):
    wrong = []
    for operation in operations:
        # The first run fills caches and makes what is made once.
        operation()
        expected = operation()
        if ONCE:
            continue
        for persistent in (False, True):
            for k, result, error in outcomes(operation, persistent):
                if error is MemoryError:
                    continue
                if error is not None:
                    wrong.append(f"{source(operation)}: allocation {k}: {type(error).__name__}: {error}")
                elif not equal(result, expected):
                    wrong.append(f"{source(operation)}: allocation {k}: {result!r}, not {expected!r}")
        after = operation()
        if not equal(after, expected):
            wrong.append(f"{source(operation)}: afterwards {after!r}, not {expected!r}")
    if wrong:
        sys.exit("\n".join(wrong))
