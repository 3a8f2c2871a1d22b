# Allocations that fail where the program says so: it gets a MemoryError, goes on, and everything is as before.
import sys

own = sys._hognose


def work():
    table = {str(i): [i, (i,)] for i in range(20)}
    text = "-".join(sorted(table))
    try:
        raise ValueError(text)
    except ValueError as error:
        return len(error.args[0]) + sum(x[0] for x in table.values())


expected = work()
for domain in (None, "mem", "obj"):
    for persistent in (False, True):
        failures = k = 0
        while True:
            k += 1
            result = None
            own.fail_allocation(k, domain=domain, persistent=persistent)
            try:
                result = work()
            except MemoryError:
                pass
            count, failed = own.stop_failing()
            assert result in (None, expected)
            if not failed:
                break
            failures += result is None
        assert result == expected and count < k and failures > 5, (domain, persistent, failures)
own.fail_allocation(0)
work()
count, failed = own.stop_failing()
assert count > 30 and not failed
for wrong in (lambda: own.fail_allocation(-1), lambda: own.fail_allocation(1, domain="heap")):
    try:
        wrong()
    except ValueError:
        pass
    else:
        raise AssertionError("no error")
