"""Writes docs/library.md: which modules of the standard library do not import, and why.

Run it with CPython: python3 scripts/library-imports.py path/to/hognose > docs/library.md
"""

import subprocess
import sys

# Why a module is not there: by its name or its package's, or by the native module whose want stops the import.
REASONS = {
    "_bz2": "bzip2 comes later",
    "_pyrepl": "looks for `importlib` among the files; the library is inside the program",
    "_compression": "private, and gone in 3.14 (`compression._common`)",
    "_ctypes": "foreign functions come later",
    "_curses": "needs the curses library; the package that brings the library in leaves `curses` out",
    "_decimal": "`decimal` is the one in Python for now",
    "_elementtree": "XML comes later; `xml.etree.ElementTree` is the one in Python",
    "_hashlib": "needs OpenSSL; `hashlib` has its own hashes",
    "_interpchannels": "private to CPython's tests",
    "_interpqueues": "sub-interpreters from Python come later",
    "_interpreters": "sub-interpreters from Python come later",
    "_lsprof": "the native profiler is not there yet",
    "_lzma": "lzma comes later",
    "_pyrepl._minimal_curses": "private, and gone in 3.14",
    "_pyrepl.curses": "private, and gone in 3.14",
    "_sqlite3": "SQLite comes later",
    "_ssl": "TLS comes later",
    "_tkinter": "needs Tcl and Tk: no GUI",
    "_zstd": "Zstandard comes later",
    "cProfile": "the native profiler is not there yet",
    "curses": "needs the curses library; the package that brings the library in leaves it out",
    "ensurepip": "the package that brings the library in leaves it out",
    "faulthandler": "not there yet",
    "pathlib._abc": "private, and gone in 3.14 (`pathlib.types`)",
    "pyexpat": "XML comes later",
    "readline": "needs the readline library",
    "tkinter": "needs Tcl and Tk: no GUI",
    "turtle": "needs Tcl and Tk: no GUI",
    "xml.sax.expatreader": "XML comes later",
}


def reason_of(name, error):
    if name in REASONS:
        return REASONS[name]
    for key, reason in REASONS.items():
        if name.startswith(key if key.endswith("_") else key + "."):
            return reason
    for key, reason in REASONS.items():
        if f"named '{key}" in error:
            return reason
    return "a fault: it should import"


# Modules that do something when they are imported, or are no modules.
LEFT_OUT = {"antigravity", "this", "idlelib", "turtledemo", "lib2to3", "__main__"}
# Modules of other systems, which CPython does not have on Linux either.
ELSEWHERE = {
    "_overlapped", "_scproxy", "_winapi", "_wmi", "msvcrt", "nt", "ntpath_", "winreg", "winsound", "_android_support",
    "_ios_support", "_apple_support",
}

NAMES = r"""
import importlib, pkgutil, sys
names = set(sys.stdlib_module_names)
for top in sorted(names):
    try:
        module = importlib.import_module(top)
    except BaseException:
        continue
    for found in pkgutil.walk_packages(getattr(module, "__path__", []), top + "."):
        if "__main__" not in found.name and ".test" not in found.name:
            names.add(found.name)
print(*sorted(names))
"""

# Imports what its input names, one after the other, and writes what became of each.
IMPORTS = r"""
import importlib, sys
for name in sys.stdin.read().split():
    try:
        importlib.import_module(name)
    except BaseException as error:
        print(name, type(error).__name__ + ": " + " ".join(str(error).split()), sep="\t", file=sys.stderr)
    else:
        print(name, "", sep="\t", file=sys.stderr)
"""


def run(program, source, text=""):
    options = ["-W", "ignore", "-c", source]
    return subprocess.run([program, *options], input=text, capture_output=True, text=True, timeout=900)


def imports(program, names):
    """The modules' errors by name, empty for those that import."""
    lines = run(program, IMPORTS, " ".join(names)).stderr.splitlines()
    return dict(line.split("\t", 1) for line in lines if "\t" in line)


def main(hognose):
    names = run(sys.executable, NAMES).stdout.splitlines()[-1].split()
    names = [n for n in names if n.split(".")[0] not in LEFT_OUT | ELSEWHERE | {"test"} and not n.startswith("_test")]
    names = [name for name, error in imports(sys.executable, names).items() if not error]
    results = imports(hognose, names)
    lost = [name for name in names if name not in results]
    if lost:
        sys.exit(f"{hognose} has come to an end before {lost[0]}")
    missing = sorted((name, error) for name, error in results.items() if error)
    here = len(results) - len(missing)
    print("# What of the standard library does not import\n")
    print(f"Of the {here + len(missing)} modules that CPython {sys.version_info[0]}.{sys.version_info[1]} imports on Linux,")
    print(f"{here} import here. Made by `scripts/library-imports.py`; these are the others.\n")
    print("| module | error | reason |")
    print("|---|---|---|")
    for name, error in missing:
        reason = reason_of(name, error)
        error = error.replace("|", "\\|")
        print(f"| `{name}` | {error} | {reason} |")


if __name__ == "__main__":
    main(sys.argv[1])
