#!/usr/bin/env python3
"""Runs CPython's own test files under Hognose and says how it fares.

usage: run.py --hognose PATH [--python PATH] [--library PATH] [--list core|library|fast] [--jobs N] [--timeout SECONDS]
              [--table FILE] [--update] [--peer] [--peer-outcomes FILE] [--outcomes FILE] [MODULE ...]

The files are those of the installed CPython that PATH names (default: the python that runs this script); they run
in an installation of Hognose made for it, with the library's text (default: from the package that is built in). Each
runs in a process of its own (what a crash or a time-out has cut off, in another); afterwards no block may be alive. The program of the installation is host/: the library
beside `--hognose` with what `_testcapi` is made of (with --no-host, or without a C compiler, it is the command itself,
and the tests that need `_testcapi` are skipped). `expected.txt` and `expected-library.txt` list the tests that
are known to fail, with the reason ("has no end": the test is not begun); one that passes must be struck from it (--update does that, and adds what
fails now with its error as the reason). With --peer the files run under CPython too, and a test counts only where
it passes there: the rate is of those. CPython's outcomes do not change: --peer-outcomes reads them from a file, and
adds those that are not in it. --outcomes writes ours to a file of that form. Exit status 1: a test failed that is not listed, a listed one passed, or a
file left memory behind.
"""
import argparse
import base64
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import zlib

HERE = pathlib.Path(__file__).resolve().parent
FAILED = ("fail", "error", "crash", "timeout")
# How often a file is begun, when its tests end the process.
RUNS = 16


def read_list(name):
    lines = (HERE / f"{name}.txt").read_text().splitlines()
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


def read_expected(name):
    expected = {}
    for line in read_list(name) if (HERE / f"{name}.txt").exists() else []:
        test, _, reason = line.partition(" ")
        expected[test] = reason.strip()
    return expected


def write_expected(name, expected, title):
    with open(HERE / f"{name}.txt", "w") as out:
        out.write(title)
        for test, reason in sorted(expected.items()):
            out.write(f"{test} {reason.replace('#', '(hash)')}".rstrip() + "\n")


TITLE = """\
# Tests of CPython 3.13 that are known to fail, and why: `3.14` where its way is ours, `ours` where the fault is. One that
# passes must be struck.
"""
LIBRARY_TITLE = """\
# Tests of CPython's library that are known to fail, and why. One that passes must be struck. What a reason begins with:
# 3.14: the test holds 3.13 to what 3.14 does otherwise    absent: it is of a module that is not there (docs/library.md)
# place: it looks for what no such installation has        fault: we are wrong
"""


def library_of(python):
    code = "import os, test; print(os.path.dirname(os.path.dirname(test.__file__)))"
    result = subprocess.run([python, "-c", code], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"run.py: {python} has no test package")
    return result.stdout.strip()


def library_text():
    """The folder with the text of the library that is compiled into Hognose: a package's source."""
    host = subprocess.run(["rustc", "-vV"], capture_output=True, text=True).stdout
    host = next((line.split()[1] for line in host.splitlines() if line.startswith("host:")), "")
    result = subprocess.run(["cargo", "metadata", "--format-version", "1", "--offline", "--filter-platform", host], cwd=HERE,
                            capture_output=True, text=True)
    if result.returncode == 0:
        for package in json.loads(result.stdout)["packages"]:
            if package["name"] == "rustpython-pylib":
                return os.path.join(os.path.dirname(package["manifest_path"]), "Lib")
    sys.exit("run.py: say with --library where the text of the library is")


def lay_out(options, text, tests, folder):
    """An installation in `folder`: the program, its library's text, and CPython's `test` package. Gives the program.

    The program needs the text no more than CPython needs that of what is frozen in it, but tests read it.
    """
    program = os.path.join(folder, "bin", "hognose")
    library = pathlib.Path(folder, "lib", "python3.14")
    os.mkdir(os.path.dirname(program))
    has_host = not options.no_host and build_host(os.path.abspath(options.hognose), program)
    if not has_host:
        shutil.copy(options.hognose, program)
    names = subprocess.run([program, "-I", "-S", "-c", "import _imp; print(*_imp._frozen_module_names())"],
                           capture_output=True, text=True, check=True)
    for name in names.stdout.split():
        base = name.replace(".", "/")
        for path in (f"{base}.py", f"{base}/__init__.py"):
            if os.path.exists(os.path.join(text, path)):
                (library / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(os.path.join(text, path), library / path)
    # What else lies in packages is data.
    for path in pathlib.Path(text).rglob("*"):
        place = library / path.relative_to(text)
        if path.is_file() and path.suffix != ".py" and place.parent.is_dir():
            shutil.copy(path, place)
    # Copies, as some tests mind symbolic links.
    place = library / "test"
    shutil.copytree(tests, place, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    # At module level, `__annotations__` is no variable in 3.14: its own twins of these are without those lines.
    rewrite(place / "typinganndata", r"^([ \t]*)__annotations__\[.*$", r"\1pass")
    # 3.14 has no child watchers. What a test does beside setting one up, it can do without.
    rewrite(place / "test_asyncio", r"^( {20})watcher = policy\.get_child_watcher\(\)$", r"\1raise NotImplementedError")
    rewrite(place / "test_asyncio",
            r"^( +)(watcher = (policy\.get_child_watcher|asyncio\.SafeChildWatcher|self\._get_watcher)\(\)"
            r"|watcher\.(attach_loop|close)\(.*\)|asyncio\.get_child_watcher\(\)\..*|.*\.set_child_watcher\(.*\))$", r"\1pass")
    compress_zones(place / "test_zoneinfo")
    if has_host:
        for path in HERE.glob("support/*.py"):
            shutil.copy(path, library)
    # Importing it is all that the tests' own helpers do with it.
    (library / "_testsinglephase.py").write_text("")
    return program


def compress_zones(package):
    """The zones of test_zoneinfo are compressed by lzma, which is a later matter: here zlib does it."""
    path = package / "data" / "zoneinfo_data.json"
    if not path.exists():
        return
    try:
        import lzma
    except ImportError:
        # Then the file is skipped.
        return
    zones = json.loads(path.read_text())
    for name, lines in zones["data"].items():
        data = lzma.decompress(base64.b85decode("".join(lines)))
        zones["data"][name] = [base64.b85encode(zlib.compress(data)).decode()]
    path.write_text(json.dumps(zones))
    rewrite(package, r"^lzma = import_module\('lzma'\)$", "import zlib as lzma")


def rewrite(package, pattern, replacement):
    """Replaces lines in a package of tests."""
    for path in package.glob("*.py"):
        old = path.read_text()
        new = re.sub(pattern, replacement, old, flags=re.MULTILINE)
        if new != old:
            path.write_text(new)


def build_host(hognose, program):
    """Builds the program of host/, linked to the library that lies beside the command. False if that cannot be."""
    library = os.path.dirname(hognose)
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None or not os.path.exists(os.path.join(library, "libhognose.so")):
        return False
    sources = sorted(map(str, HERE.glob("host/*.c")))
    subprocess.run([compiler, "-O1", "-Wall", "-Wextra", "-Werror", "-I", str(HERE.parent.parent / "include"), *sources,
                    "-o", program, "-L", library, "-lhognose", f"-Wl,-rpath,{library}"], check=True)
    return True


def read_outcomes(path):
    return json.loads(pathlib.Path(path).read_text()) if path and os.path.exists(path) else {}


class File:
    """What became of the tests of a file."""

    def __init__(self, module):
        self.module = module
        self.tests = {}
        self.reasons = {}
        self.leak = None

    def count(self, *words):
        return sum(outcome in words for outcome in self.tests.values())

    def as_json(self):
        return [self.tests, self.reasons]

    @classmethod
    def from_json(cls, module, parts):
        file = cls(module)
        file.tests, file.reasons = parts
        return file


def without_places(reason, program):
    """A reason that says the same on every machine."""
    reason = re.sub(re.escape(tempfile.gettempdir()) + r"/\w+/", "", reason.replace(program, "hognose"))
    return re.sub(r" at 0x[0-9a-f]+", "", reason)


def run_file(command, module, timeout, watched, pattern=None, endless=()):
    """Runs a file; what a crash or a time-out has cut off runs in another process, without what has run. Tests that are
    known to have no end are not begun: they count as cut off."""
    file = File(module)
    for test in endless:
        if f"{test}.".startswith(f"test.{module}."):
            file.tests[test], file.reasons[test] = "timeout", "status timeout"
    for _ in range(RUNS):
        if not run_once(file, command, module, timeout, watched, pattern):
            break
    return file


def run_once(file, command, module, timeout, watched, pattern):
    """Runs those tests of a file that have no outcome yet. True when one of them has ended the process."""
    with tempfile.TemporaryDirectory() as scratch:
        output, known = os.path.join(scratch, "outcomes"), os.path.join(scratch, "known")
        pathlib.Path(known).write_text("\n".join(file.tests))
        # What is set for other programs would change what tests see.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        environment |= {"TMPDIR": scratch, "PYTHONHASHSEED": "0"}
        if watched:
            environment["HOGNOSE_TEST_LEAKS"] = "1"
        arguments = [*command, str(HERE / "one.py"), module, output, known, *([pattern] if pattern else [])]
        # Files, as a process that a test leaves behind would keep pipes open.
        with tempfile.TemporaryFile() as messages:
            process = subprocess.Popen(arguments, cwd=scratch, env=environment, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=messages, start_new_session=True)
            try:
                status = process.wait(timeout)
            except subprocess.TimeoutExpired:
                status = "timeout"
            # What it has left running is of its session.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            messages.seek(0)
            errors = messages.read().decode(errors="replace")
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
    return running is not None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hognose", default="target/release/hognose")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--library")
    parser.add_argument("--list", default="core")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--timeout", type=float, default=600)
    parser.add_argument("--table")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--peer-outcomes")
    parser.add_argument("--outcomes")
    parser.add_argument("--pattern")
    parser.add_argument("--no-host", action="store_true")
    parser.add_argument("modules", nargs="*")
    options = parser.parse_args()
    # A shell has those that it starts in the background ignore it, and they would hand that on.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    modules = options.modules or read_list(options.list)
    # A list of its own for the library's tests.
    core, library = read_expected("expected"), read_expected("expected-library")
    expected = core | library
    endless = [test for test, reason in expected.items() if "has no end" in reason]
    known = read_outcomes(options.peer_outcomes)
    outcomes = {}
    rows, unexpected, unlisted, leaks, total, good = [], [], [], [], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        tests = os.path.join(library_of(options.python), "test")
        program = lay_out(options, options.library or library_text(), tests, folder)
        hognose = [program, "-X", "memstats"]

        def both(module):
            ours = run_file(hognose, module, options.timeout, True, options.pattern, endless)
            if module in known:
                peer = File.from_json(module, known[module])
            elif options.peer:
                peer = run_file([options.python], module, options.timeout, False, options.pattern)
            else:
                peer = None
            return ours, peer

        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for ours, peer in pool.map(both, modules):
                outcomes[ours.module] = [dict(ours.tests), ours.reasons]
                if peer:
                    if not options.pattern:
                        known[ours.module] = peer.as_json()
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
    for path, value in ((options.peer_outcomes, known), (options.outcomes, outcomes)):
        if path:
            pathlib.Path(path).write_text(json.dumps(value, indent=0, sort_keys=True))
    if options.table:
        with open(options.table, "w") as out:
            out.write("| file | tests | passed | failed | skipped | memory | why |\n|---|---|---|---|---|---|---|\n")
            for row in rows:
                out.write("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |\n")
            out.write(f"\n{good} of {total} tests pass.\n")
    if options.update:
        of_library = set(read_list("library")) - set(read_list("core"))
        for test in unlisted:
            core.pop(test, None)
            library.pop(test, None)
        for test, reason in unexpected:
            is_library = any(f"test.{module}." in f"{test}." for module in of_library)
            (library if is_library else core)[test] = reason
        write_expected("expected", core, TITLE)
        write_expected("expected-library", library, LIBRARY_TITLE)
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
