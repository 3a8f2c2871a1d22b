"""The prompt and the ways to be started, each as a process of its own."""

import os
import pty
import py_compile
import re
import select
import subprocess
import sys
import tempfile
import zipfile

def run(*arguments, stdin="", env=None):
    result = subprocess.run([sys.executable, *arguments], input=stdin, capture_output=True, text=True,
                            env={**os.environ, **(env or {})})
    return result.returncode, result.stdout, result.stderr

# -i without a terminal: statements one by one, errors do not end it, SystemExit does.
status, out, err = run("-i", "-q", stdin="x = 3\nx + 1\nif x:\n    'yes'\n\n1/0\nx\nraise SystemExit(4)\n'no'\n")
assert status == 4, (status, out, err)
assert out.count("4\n") == 1 and "'yes'\n" in out and "3\n" in out and "'no'" not in out, out
assert "ZeroDivisionError" in err and "Python" not in err, err
assert "Python 3.14" in run("-i", stdin="")[2]
status, out, err = run("-i", "-q", stdin="import sys\nsys.ps1 = 'what? '\n1\n")
assert err.count("what? ") == 2 and out == "1\n", (out, err)
assert run("-i", "-q", stdin="print(__name__, [__file__] if '__file__' in vars() else None)\n")[1].count("__main__ None") == 1

# A block ends with a blank line, or with the input; blank lines within brackets and strings say nothing.
assert run("-i", "-q", stdin="def f():\n    x = 1\n    return x\n\nf() + 1\n")[1] == "2\n"
assert run("-i", "-q", stdin="\n# nothing\n   \n(1,\n\n2)\n")[1] == "(1, 2)\n"
assert run("-i", "-q", stdin="'''a\n\nb'''\n")[1] == repr("a\n\nb") + "\n"
assert run("-i", "-q", stdin="if 1:\n    print('end')")[1] == "end\n"
assert run("-i", "-q", stdin="6 * 7")[1] == "42\n"
status, out, err = run("-i", "-q", stdin="def f():\n    print(0)\n    return yield 42\n\n1 / 0")
assert '  File "<stdin>", line 3\n    return yield 42\n           ^^^^^\nSyntaxError: invalid syntax\n' in err, err
assert '\n  File "<stdin>", line 1, in <module>\n    1 / 0\n    ~~^~~\nZeroDivisionError' in err, err
err = run("-i", "-q", stdin="def f(x, x): ...\n")[2]
assert '>>> ... \n  File "<stdin>", line 1\n    def f(x, x): ...\n' in err, err
# Closed under its feet.
assert run("-i", "-q", stdin="import os\nos.close(0)\n")[0] == 0
# The prompt of asyncio.
assert "5\n" in run("-m", "asyncio", stdin="print(await asyncio.sleep(0, 5))\n")[1]

with tempfile.TemporaryDirectory() as folder:
    def write(name, text):
        path = os.path.join(folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    # A prompt after a program; its SystemExit does not end the process.
    program = write("program.py", "value = 17\nimport sys\nsys.exit(3)\n")
    status, out, err = run("-i", program, stdin="value * 2\n")
    assert status == 0 and "34\n" in out and "SystemExit: 3" in err, (status, out, err)
    assert run(program)[0] == 3
    inspecting = write("inspecting.py", "import os\nos.environ['PYTHONINSPECT'] = '1'\nvalue = 5\n")
    assert "10\n" in run("-i", inspecting, stdin="value * 2\n")[1]

    startup = write("startup.py", "started = 'by startup'\n")
    out = run("-i", "-q", stdin="started\n", env={"PYTHONSTARTUP": startup})[1]
    assert "'by startup'" in out, out
    err = run("-i", "-q", stdin="", env={"PYTHONSTARTUP": os.path.join(folder, "missing")})[2]
    assert "PYTHONSTARTUP" in err and "No such file" in err, err
    assert "by startup" not in run("-E", "-i", "-q", stdin="started\n", env={"PYTHONSTARTUP": startup})[1]

    hook = write("hook.py", "import sys\nsys.__interactivehook__ = lambda: print('hooked')\n")
    assert "hooked" in run("-i", "-q", stdin="", env={"PYTHONSTARTUP": hook})[1]

    # Folders, zip files, a first line that is skipped.
    os.mkdir(os.path.join(folder, "app"))
    write("app/__main__.py", "import helper, sys\nprint(helper.text, sys.argv[1:])\n")
    write("app/helper.py", "text = 'helped'\n")
    assert run(os.path.join(folder, "app"), "a")[1] == "helped ['a']\n"
    archive = os.path.join(folder, "app.zip")
    with zipfile.ZipFile(archive, "w") as file:
        for name in ["__main__.py", "helper.py"]:
            file.write(os.path.join(folder, "app", name), name)
    assert run(archive, "b")[1] == "helped ['b']\n"
    # A line for the shell may stand before an archive.
    with open(archive, "rb") as file:
        contents = file.read()
    behind = os.path.join(folder, "behind")
    with open(behind, "wb") as file:
        file.write(b"#!/usr/bin/env hognose\n" + contents)
    assert run(behind, "c")[1] == "helped ['c']\n"

    # Compiled code is known by its name and by its first bytes.
    shown = write("shown.py", "print(__name__, __loader__.__class__.__name__, __file__[-5:])\n")
    compiled = py_compile.compile(shown, os.path.join(folder, "shown.pyc"))
    assert run(compiled)[1] == "__main__ SourcelessFileLoader n.pyc\n"
    other = os.path.join(folder, "other.name")
    os.rename(compiled, other)
    assert run(other)[1] == "__main__ SourcelessFileLoader .name\n"
    wrong = write("wrong.pyc", "print()\n")
    status, out, err = run(wrong)
    assert status == 1 and "RuntimeError: Bad magic number in .pyc file" in err, err
    odd = write("odd.py", "this is no Python\nimport sys\nprint(sys._getframe().f_lineno)\n")
    assert run("-x", odd)[1] == "3\n" and run(odd)[0] == 1

    status, out, err = run(os.path.join(folder, "missing.py"))
    assert status == 2 and "can't open file" in err, err

status, out, err = run("-V")
assert status == 0 and re.fullmatch(r"Python 3\.14\.\d+\S*\n", out), out
assert run("-VV")[1].startswith("Python 3.14") and len(run("-VV")[1]) > len(out)
assert run("-Z")[0] == 2 and "Unknown option: -Z" in run("-Z")[2]
assert run("-W", "error", "-c", "import warnings; warnings.warn('x')")[0] == 1

# How long imports take, and what -v tells.
err = run("-I", "-X", "importtime", "-c", "import json; import json")[2]
assert err.startswith("import time: self [us] | cumulative | imported package\n"), err
assert len(re.findall(r"^import time: +\d+ \| +\d+ \| json$", err, re.M)) == 1, err
assert re.search(r"^import time: +\d+ \| +\d+ \|   json\.decoder$", err, re.M), err
assert "cached" not in err
err = run("-I", "-c", "import json; import json", env={"PYTHONPROFILEIMPORTTIME": "2"})[2]
assert "import time" not in err
err = run("-c", "import json; import json", env={"PYTHONPROFILEIMPORTTIME": "2"})[2]
assert "import time: cached    | cached     | json\n" in err, err
assert "values other than 1 and 2 are reserved" in run("-X", "importtime=3", "-c", "pass")[2]
err = run("-I", "-v", "-c", "import heapq")[2]
for line in ("import _frozen_importlib # frozen", "import '_io' # ", "import 'heapq' # ", "# clear sys.path",
             "# cleanup[2] removing heapq", "# destroy __main__", "# cleanup[3] wiping sys"):
    assert line in err, (line, err)
assert "#   clear[2] stdout" in run("-I", "-vv", "-c", "pass")[2]

# What a command says of itself is no matter for the decoding of its text; options that are on or off are so.
assert run("-c", "# coding: latin-1\nprint(ascii('\xe6'))")[1] == "'\\xe6'\n"
assert run("-dd", "-c", "import sys; print(sys.flags.debug)")[1] == "1\n"
# An interrupt ends the process by its signal; a number is but a number.
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
assert run("-c", "raise KeyboardInterrupt")[0] == -signal.SIGINT
assert run("-c", "raise SystemExit(130)")[0] == 130

# On a terminal there is editing: the cursor key brings the last line back.
def talk(answers, env):
    child, fd = pty.fork()
    if child == 0:
        os.execve(sys.executable, [sys.executable, "-q", "-I"], {**os.environ, **env})
    text = b""
    for expected, answer in answers:
        while expected not in text:
            ready, _, _ = select.select([fd], [], [], 60)
            if not ready:
                raise AssertionError((expected, text))
            try:
                more = os.read(fd, 4096)
            except OSError:
                raise AssertionError((expected, text)) from None
            if not more:
                raise AssertionError((expected, text))
            text += more
        text = b""
        os.write(fd, answer)
    try:
        while os.read(fd, 4096):
            pass
    except OSError:
        pass
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

assert talk([(b">>> ", b"6 * 7\r"), (b"42", b"raise SystemExit(7)\r")], {"TERM": "dumb"}) == 7
print("fine")
