#!/usr/bin/env python3
"""Compares what PyConfig_Read makes of environments and arguments with CPython.

usage: config_grid.py LIBRARY_FOLDER CPYTHON_PREFIX [VERSION]

Compiles tests/c/config_grid.c against both (VERSION is CPython's, 3.13 by default), runs it over a grid and prints
each field that differs. EXPLAINED has the differences that are meant, as docs/lifecycle.md does. Exit status 1 when
there is another one.
"""

import itertools
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent

# (whether it holds for field, own value, CPython's value and case; the explanation).
EXPLAINED = [
    (lambda field, own, theirs, case: case[1].get("PYTHONPROFILEIMPORTTIME") == "0",
     "3.14 has levels of importtime, and keeps what is neither 1 nor 2 for later"),
]

ENVIRONMENTS = [{}] + [
    {name: value}
    for name, values in {
        "PYTHONOPTIMIZE": ["1", "2", "0", "x", "-1"],
        "PYTHONVERBOSE": ["1", "2"],
        "PYTHONDEBUG": ["1"],
        "PYTHONINSPECT": ["1", "0"],
        "PYTHONDONTWRITEBYTECODE": ["1", "0"],
        "PYTHONUNBUFFERED": ["1", "0"],
        "PYTHONNOUSERSITE": ["1", "0"],
        "PYTHONSAFEPATH": ["1", "0"],
        "PYTHONDEVMODE": ["1", "0"],
        "PYTHONFAULTHANDLER": ["1", "0"],
        "PYTHONPROFILEIMPORTTIME": ["1", "0"],
        "PYTHONMALLOCSTATS": ["1", "0"],
        "PYTHONWARNDEFAULTENCODING": ["1"],
        "PYTHONNODEBUGRANGES": ["1"],
        "PYTHONUTF8": ["0", "1", "2"],
        "PYTHONHASHSEED": ["0", "7", "random", "4294967295", "4294967296", "x"],
        "PYTHONINTMAXSTRDIGITS": ["0", "640", "639", "x"],
        "PYTHONTRACEMALLOC": ["0", "5", "x"],
        "PYTHON_CPU_COUNT": ["1", "default", "0", "x"],
        "PYTHON_FROZEN_MODULES": ["on", "off", "x"],
        "PYTHONIOENCODING": ["latin-1", "utf-8:replace", ":ignore", "a:b:c", ""],
        "PYTHONWARNINGS": ["error", "ignore::DeprecationWarning,default"],
        "PYTHONPATH": ["/a:/b"],
        "PYTHONHOME": ["/nowhere"],
        "PYTHONPLATLIBDIR": ["lib64"],
        "PYTHONPYCACHEPREFIX": ["/cache"],
        "PYTHONCOERCECLOCALE": ["0", "1"],
        "PYTHONPERFSUPPORT": ["1", "x"],
        "LC_ALL": ["C", "C.UTF-8", "POSIX"],
    }.items()
    for value in values
]

ARGUMENTS = [[]] + [
    text.split()
    for text in (
        "-I", "-E", "-s", "-S", "-P", "-B", "-b", "-bb", "-O", "-OO", "-d", "-dd", "-i", "-q", "-u", "-v", "-vv", "-x", "-R",
        "-W error", "-W error -W ignore", "-X dev", "-X utf8", "-X utf8=0", "-X utf8=2", "-X faulthandler", "-X tracemalloc",
        "-X tracemalloc=3", "-X tracemalloc=x", "-X importtime", "-X no_debug_ranges", "-X int_max_str_digits=700",
        "-X int_max_str_digits=1", "-X int_max_str_digits", "-X cpu_count=2", "-X cpu_count=0", "-X frozen_modules=off",
        "-X frozen_modules", "-X frozen_modules=x", "-X pycache_prefix=/x", "-X warn_default_encoding", "-X perf", "-X a=b",
        "-X showrefcount", "-X gil=1", "-X gil=0", "-c pass", "-c pass -a -b", "-m mod a", "script.py -x y", "- a", "-- s a",
        "--check-hash-based-pycs never", "--check-hash-based-pycs sometimes", "-h", "-V", "-VV", "--help-env", "-Z", "--bogus",
        "-c", "-m", "-X", "-W", "-J", "-bOsSBEq -c pass", "-t",
    )
]


def build(folder, compiler_flags, name):
    program = folder / name
    subprocess.run(["cc", "-O1", str(ROOT / "tests/c/config_grid.c"), "-o", str(program), *compiler_flags], check=True)
    return program


def read(program, kind, env, arguments):
    # The same name, so that what comes of it is the same.
    result = subprocess.run(["python3", kind, *arguments], executable=program, capture_output=True, text=True,
                            env={"PATH": "/usr/bin:/bin", "HOME": "/", **env}, stdin=subprocess.DEVNULL)
    if result.returncode != 0:
        return {"crash": f"{result.returncode} {result.stderr[-200:]}"}
    fields = {}
    for line in result.stdout.splitlines():
        name, equals, value = line.partition("=")
        if equals and name.isidentifier():
            fields[name] = value
    return fields


def main(argv):
    if len(argv) not in (2, 3):
        sys.exit(__doc__)
    library, prefix = (pathlib.Path(a).resolve() for a in argv[:2])
    version = argv[2] if len(argv) == 3 else "3.13"
    cases = [(kind, env, args) for kind in ("python", "isolated") for env in ENVIRONMENTS for args in ([],)]
    cases += [("python", {}, args) for args in ARGUMENTS]
    cases += [("python", env, args) for env, args in itertools.product(
        [{"PYTHONOPTIMIZE": "2"}, {"PYTHONWARNINGS": "ignore"}, {"PYTHONTRACEMALLOC": "2"}, {"PYTHONHASHSEED": "5"},
         {"PYTHONUTF8": "1"}, {"PYTHONINTMAXSTRDIGITS": "900"}, {"PYTHON_CPU_COUNT": "3"}], ARGUMENTS)]
    unexplained, explained = 0, {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        own = build(folder, [f"-I{ROOT}/include", f"-L{library}", "-lhognose", f"-Wl,-rpath,{library}"], "own")
        theirs = build(folder, [f"-I{prefix}/include/python{version}", f"-L{prefix}/lib", f"-lpython{version}",
                                f"-Wl,-rpath,{prefix}/lib"], "theirs")
        for kind, env, args in cases:
            a, b = read(own, kind, env, args), read(theirs, kind, env, args)
            for field in sorted(set(a) | set(b)):
                if a.get(field) == b.get(field):
                    continue
                case = (kind, env, args)
                why = next((text for holds, text in EXPLAINED if holds(field, a.get(field), b.get(field), case)), None)
                if why:
                    explained[why] = explained.get(why, 0) + 1
                else:
                    unexplained += 1
                    print(f"{kind} {env} {args}: {field}: {a.get(field)} is {b.get(field)} in CPython")
    for why, count in explained.items():
        print(f"explained {count} times: {why}")
    print(f"{len(cases)} cases, {unexplained} unexplained differences")
    return unexplained != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
