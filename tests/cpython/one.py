"""Runs one of CPython's test files and writes what became of each test: one line a test, as it happens.

usage: one.py MODULE OUTPUT KNOWN [PATTERN]

KNOWN is a file with the tests that do not run, a line each: they have run in a process that another test has ended.
A line is `start ID` before and `pass|fail|error|skip|xfail ID [the last line of the reason]` after a test. A test
with subtests counts once. Runs under any Python that has `unittest`.
"""
import sys
import unittest


class Recorder(unittest.TestResult):
    def __init__(self, output):
        super().__init__()
        self.output = output
        self.outcome = None

    def line(self, word, test, reason=""):
        reason = " ".join(str(reason).split())[:200]
        self.output.write(f"{word} {self.identity(test)} {reason}".encode("ascii", "backslashreplace").decode().rstrip() + "\n")
        self.output.flush()

    @staticmethod
    def identity(test):
        return test.id().replace(" ", "~")

    @staticmethod
    def last_line(error):
        kind, value, _ = error
        try:
            return f"{kind.__name__}: {value}"
        except BaseException:
            return kind.__name__

    def startTest(self, test):
        super().startTest(test)
        self.outcome = None
        self.line("start", test)

    def stopTest(self, test):
        super().stopTest(test)
        word, reason = self.outcome or ("pass", "")
        self.line(word, test, reason)
        self.outcome = None

    def note(self, word, test, reason=""):
        if not isinstance(test, unittest.TestCase):
            # A module's or a class's set-up has failed or was skipped: its tests do not run.
            self.line(word, test, reason)
        elif self.outcome is None or self.outcome[0] not in ("fail", "error"):
            self.outcome = (word, reason)

    def addError(self, test, error):
        self.note("error", test, self.last_line(error))

    def addFailure(self, test, error):
        self.note("fail", test, self.last_line(error))

    def addSubTest(self, test, subtest, error):
        if error is not None:
            failed = issubclass(error[0], test.failureException)
            self.note("fail" if failed else "error", test, self.last_line(error))

    def addSkip(self, test, reason):
        self.note("skip", test, reason)

    def addExpectedFailure(self, test, error):
        self.note("xfail", test)

    def addUnexpectedSuccess(self, test):
        self.note("fail", test, "unexpected success")


def without(suite, known):
    """The suite without the tests that are known."""
    if not known:
        return suite
    tests = []
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            tests.append(without(test, known))
        elif Recorder.identity(test) not in known:
            tests.append(test)
    return type(suite)(tests)


def check_impl_detail(**guards):
    """Whether a test is meant for CPython, by whatever of these it is marked."""
    wanted = guards or {"cpython": True}
    return wanted.get("cpython", not next(iter(wanted.values())))


def main():
    module, path, known = sys.argv[1:4]
    pattern = sys.argv[4] if len(sys.argv) > 4 else None
    with open(known) as names:
        known = set(names.read().split())
    sys.argv[1:] = []
    with open(path, "w") as output:
        try:
            import platform

            from test import support

            # The tests of implementation details too: what CPython promises to C code is promised here.
            platform.python_implementation = lambda: "CPython"
            support.check_impl_detail = check_impl_detail
            support.verbose = 0
            # No network, no gigabytes, no windows.
            support.use_resources = ["cpu"]
            loader = unittest.TestLoader()
            if pattern:
                loader.testNamePatterns = [f"*{pattern}*"]
            suite = loader.loadTestsFromName(f"test.{module}")
        except unittest.SkipTest as reason:
            output.write(f"skip test.{module} {reason}\n")
            return
        except BaseException as error:
            text = " ".join(str(error).split())[:200]
            output.write(f"error test.{module} {type(error).__name__}: {text}\n")
            return
        without(suite, known).run(Recorder(output))
        output.write("done\n")


# The processes that `multiprocessing` starts import this file.
if __name__ == "__main__":
    main()
