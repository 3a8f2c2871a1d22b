#!/usr/bin/env python3
"""Runs CPython's own test files under Hognose and says how it fares.

usage: run.py --hognose PATH [--python PATH] [--list core|library|fast] [--jobs N] [--timeout SECONDS]
              [--table FILE] [--update] [--peer] [MODULE ...]

The files are those of the installed CPython that PATH names (default: the python that runs this script). Each
runs in a process of its own; afterwards no block may be alive. What runs them is host/: the library beside
`--hognose` with what `_testcapi` is made of (with --no-host, or without a C compiler, the command itself, and the tests
that need `_testcapi` are skipped). `expected.txt` lists the tests that
are known to fail, with the reason; one that passes must be struck from it (--update does that, and adds what
fails now with its error as the reason). With --peer the files run under CPython too, and a test counts only where
it passes there: the rate is of those. Exit status 1: a test failed that is not listed, a listed one passed, or a
file left memory behind.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
FAILED = ("fail", "error", "crash", "timeout")


def read_list(name):
    lines = (HERE / f"{name}.txt").read_text().splitlines()
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


def read_expected():
    expected = {}
    for line in read_list("expected") if (HERE / "expected.txt").exists() else []:
        test, _, reason = line.partition(" ")
        expected[test] = reason.strip()
    return expected


def library_of(python):
    code = "import os, test; print(os.path.dirname(os.path.dirname(test.__file__)))"
    result = subprocess.run([python, "-c", code], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"run.py: {python} has no test package")
    return result.stdout.strip()


def lay_out(library, folder):
    """The test package without the rest of CPython's library, which would hide ours.

    Two modules that tests import hold what 3.14 does not do any more: at module level, `__annotations__` is no
    variable. 3.14's own twins are without those lines.
    """
    package = os.path.join(library, "test")
    place = os.path.join(folder, "test")
    os.mkdir(place)
    for name in os.listdir(package):
        if name not in ("typinganndata", "__pycache__"):
            os.symlink(os.path.join(package, name), os.path.join(place, name))
    os.mkdir(os.path.join(place, "typinganndata"))
    for path in pathlib.Path(package, "typinganndata").glob("*.py"):
        lines = path.read_text().splitlines(keepends=True)
        kept = [re.sub(r"^(\s*)__annotations__\[.*", r"\1pass", line) for line in lines]
        pathlib.Path(place, "typinganndata", path.name).write_text("".join(kept))


def build_host(hognose, folder):
    """The program of host/, linked to the library that lies beside the command; None if there is none."""
    library = os.path.dirname(hognose)
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None or not os.path.exists(os.path.join(library, "libhognose.so")):
        return None
    host = os.path.join(folder, "hognose")
    sources = sorted(map(str, HERE.glob("host/*.c")))
    subprocess.run([compiler, "-O1", "-Wall", "-Wextra", "-Werror", "-I", str(HERE.parent.parent / "include"), *sources,
                    "-o", host, "-L", library, "-lhognose", f"-Wl,-rpath,{library}"], check=True)
    return host


class File:
    """What became of the tests of a file."""

    def __init__(self, module):
        self.module = module
        self.tests = {}
        self.reasons = {}
        self.leak = None

    def count(self, *words):
        return sum(outcome in words for outcome in self.tests.values())


def without_places(reason, program):
    """A reason that says the same on every machine."""
    reason = re.sub(re.escape(tempfile.gettempdir()) + r"/\w+/", "", reason.replace(program, "hognose"))
    return re.sub(r" at 0x[0-9a-f]+", "", reason)


def run_file(command, module, folder, timeout, watched, pattern=None):
    file = File(module)
    with tempfile.TemporaryDirectory() as scratch:
        output = os.path.join(scratch, "outcomes")
        environment = {**os.environ, "TMPDIR": scratch, "PYTHONHASHSEED": "0"}
        if watched:
            environment["HOGNOSE_TEST_LEAKS"] = "1"
        if os.path.dirname(command[0]) == folder:
            environment["HOGNOSE_TEST_PATH"] = folder
        elif watched:
            environment["PYTHONPATH"] = folder
        arguments = [*command, str(HERE / "one.py"), module, output, *([pattern] if pattern else [])]
        try:
            result = subprocess.run(arguments, cwd=scratch, env=environment, capture_output=True, text=True,
                                    errors="replace", timeout=timeout, stdin=subprocess.DEVNULL)
            status, errors = result.returncode, result.stderr
        except subprocess.TimeoutExpired:
            status, errors = "timeout", ""
        lines = open(output, errors="replace").read().splitlines() if os.path.exists(output) else []
    running, done = None, False
    for line in lines:
        word, _, rest = line.partition(" ")
        test, _, reason = rest.partition(" ")
        if word == "start":
            running = test
        elif word == "done":
            done = True
        else:
            file.tests[test], file.reasons[test] = word, without_places(reason, command[0])
            if test == running:
                running = None
    if running or not done and not lines:
        test = running or f"test.{module}"
        file.tests[test] = "timeout" if status == "timeout" else "crash"
        file.reasons[test] = f"status {status}"
    if watched and done and status == 3:
        file.leak = " ".join(line for line in errors.splitlines() if line.startswith("hognose-memstats:"))[:300]
    return file


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hognose", default="target/release/hognose")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--list", default="core")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--timeout", type=float, default=600)
    parser.add_argument("--table")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--pattern")
    parser.add_argument("--no-host", action="store_true")
    parser.add_argument("modules", nargs="*")
    options = parser.parse_args()
    modules = options.modules or read_list(options.list)
    hognose = [os.path.abspath(options.hognose), "-X", "memstats"]
    expected = read_expected()
    rows, unexpected, unlisted, leaks, total, good = [], [], [], [], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        lay_out(library_of(options.python), folder)
        host = None if options.no_host else build_host(os.path.abspath(options.hognose), folder)
        if host:
            hognose = [host]
            for path in HERE.glob("support/*.py"):
                os.symlink(path, os.path.join(folder, path.name))

        def both(module):
            ours = run_file(hognose, module, folder, options.timeout, True, options.pattern)
            peer = run_file([options.python], module, folder, options.timeout, False, options.pattern) if options.peer else None
            return ours, peer

        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for ours, peer in pool.map(both, modules):
                if peer:
                    # What CPython itself does not pass here proves nothing about us.
                    for test in [t for t, o in ours.tests.items() if o in FAILED and peer.tests.get(t, "pass") in FAILED]:
                        ours.tests[test] = "skip"
                    counted = peer.count("pass", "xfail")
                    passed = sum(ours.tests.get(t) in ("pass", "xfail") for t, o in peer.tests.items() if o in ("pass", "xfail"))
                else:
                    counted = sum(o not in ("skip",) for o in ours.tests.values())
                    passed = ours.count("pass", "xfail")
                total, good = total + counted, good + passed
                failed = {t: ours.reasons.get(t, "") for t, o in ours.tests.items() if o in FAILED}
                unexpected += [(t, r) for t, r in failed.items() if t not in expected]
                unlisted += [t for t, o in ours.tests.items() if o == "pass" and t in expected]
                if ours.leak:
                    leaks.append(ours.module)
                why = "; ".join(sorted({r for r in failed.values()}))[:120]
                rows.append((ours.module, counted, passed, len(failed), ours.count("skip"), "leak" if ours.leak else "", why))
                print(f"{ours.module:32} {passed:5} of {counted:5}  failed {len(failed):4}  skipped {ours.count('skip'):4}  "
                      f"{'LEAK ' if ours.leak else ''}{why}", flush=True)
    print(f"\n{good} of {total} tests pass: {100 * good / max(total, 1):.1f} %")
    if options.table:
        with open(options.table, "w") as out:
            out.write("| file | tests | passed | failed | skipped | memory | why |\n|---|---|---|---|---|---|---|\n")
            for row in rows:
                out.write("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |\n")
            out.write(f"\n{good} of {total} tests pass.\n")
    if options.update:
        for test in unlisted:
            del expected[test]
        expected.update(unexpected)
        with open(HERE / "expected.txt", "w") as out:
            out.write("# Tests of CPython that are known to fail, and why. One that passes must be struck.\n")
            for test, reason in sorted(expected.items()):
                out.write(f"{test} {reason.replace('#', '(hash)')}".rstrip() + "\n")
        return 0
    for test, reason in unexpected:
        print(f"failed, and not listed: {test} {reason}")
    for test in unlisted:
        print(f"passed, and listed as failing: {test}")
    for module in leaks:
        print(f"left memory behind: {module}")
    return 1 if unexpected or unlisted or leaks else 0


if __name__ == "__main__":
    sys.exit(main())
