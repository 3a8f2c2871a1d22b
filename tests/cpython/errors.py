#!/usr/bin/env python3
"""Compares what is printed when a program fails, word for word, with what CPython prints.

usage: errors.py --hognose PATH [--python PATH] [--verbose] [NAME ...]

Each program of the grid below fails in its own way: suggestions, carets, chains, notes, groups, syntax errors, what
comes from hooks, colours. It runs under both; standard error, standard output and exit status must be the same. Where
3.14 says something else than 3.13, the case has the words that change, and 3.14's words are what is asked for (see
`CHANGED`). Exit status 1: a case differs.
"""
import argparse
import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

# Programs by name, each behind a line `### name`.
GRID = pathlib.Path(__file__).with_name("errors.txt")

# Where 3.14 has other words: a case's name, what 3.13 says (a pattern), and what 3.14 says in its place.
CHANGED = [
    # The library has no place here (docs/library.md).
    ("import_from", r"'math' \(.*\)", "'math' (unknown location)"),
    ("import_from_suggestion", r"'collections' \(.*\)", "'collections' (unknown location)"),
    # Its text is another.
    ("thread_error", r'  File ".*threading.py", line \d+, in _bootstrap_inner\n    self.run\(\)\n    ~~~~~~~~\^\^\n',
     '  File "<frozen threading>", line 1082, in _bootstrap_inner\n    self._context.run(self.run)\n'
     '    ~~~~~~~~~~~~~~~~~^^^^^^^^^^\n'),
    ("thread_error", r'".*threading.py", line \d+, in run', '"<frozen threading>", line 1024, in run'),
    # 3.14 says more.
    ("unpack_many", r"\(expected 2\)", "(expected 2, got 3)"),
    ("with_not_manager", r"protocol\n", "protocol (missed __exit__ method)\n"),
    ("coroutine", r"object int can't be used in 'await' expression", "'int' object can't be awaited"),
    ("unhashable", r"unhashable type: 'list'", "cannot use 'list' as a dict key (unhashable type: 'list')"),
    ("unhashable_set", r"unhashable type: 'dict'", "cannot use 'dict' as a set element (unhashable type: 'dict')"),
    ("unraisable_del", r"Exception ignored in: (<.*>)", r"Exception ignored while calling deallocator \1:"),
    ("escape_warning", r"invalid escape sequence '\\d'",
     r'"\\d" is an invalid escape sequence. Such sequences will not work in the future. Did you mean "\\\\d"? '
     "A raw string is also an option."),
    ("syntax_import", r" \^\nSyntaxError: invalid syntax", "^^^\nSyntaxError: cannot use attribute as import target"),
    ("syntax_future", r"    \^\n", "                           ^^^^\n"),
    # The members of a group have colours, too.
    ("colour_group", r"\| ValueError: 1", "| \x1b[1;35mValueError\x1b[0m: \x1b[35m1\x1b[0m"),
    ("colour_group", r"\| TypeError: x", "| \x1b[1;35mTypeError\x1b[0m: \x1b[35mx\x1b[0m"),
    # Parentheses are not needed any more.
    ("syntax_except", r"(?s)\A.+\Z", "status 0\n---\n"),
]


def programs():
    parts = re.split(r"^### (\S+)\n", GRID.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def run(program, name, source, folder):
    path = os.path.join(folder, f"{name}.py")
    pathlib.Path(path).write_text(source)
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "PYTHON_COLORS")}
    environment["PYTHON_COLORS"] = "1" if name.startswith("colour_") else "0"
    process = subprocess.run([program, f"{name}.py"], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                             capture_output=True, timeout=120)
    text = f"status {process.returncode}\n{process.stdout.decode(errors='replace')}---\n{process.stderr.decode(errors='replace')}"
    text = re.sub(r" at 0x[0-9a-f]+", " at 0x…", text)
    return text.replace(f"{folder}/", "")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hognose", default="target/release/hognose")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    different = []
    all_programs = programs()
    hognose = os.path.abspath(options.hognose)
    with tempfile.TemporaryDirectory() as folder:
        for name, source in all_programs.items():
            if options.names and name not in options.names:
                continue
            ours = run(hognose, name, source, folder)
            theirs = run(options.python, name, source, folder)
            for case, old, new in CHANGED:
                if case == name:
                    changed = re.sub(old, new, theirs)
                    if changed == theirs:
                        sys.exit(f"errors.py: {name}: CPython does not say {old!r}")
                    theirs = changed
            if ours != theirs:
                different.append(name)
                print(f"=== {name}")
                print("\n".join(difflib.unified_diff(theirs.splitlines(), ours.splitlines(), "CPython", "Hognose", lineterm="", n=1)))
            elif options.verbose:
                print(f"=== {name}: same\n{ours}")
    count = len(options.names or all_programs)
    print(f"{count - len(different)} of {count} programs say the same")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
