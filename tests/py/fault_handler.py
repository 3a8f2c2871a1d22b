"""faulthandler: crashes, signals, times, and what comes of a panic-free end."""

import faulthandler
import os
import re
import signal
import subprocess
import sys
import tempfile

def run(code, *options, env=None):
    result = subprocess.run([sys.executable, *options, "-c", code], capture_output=True, text=True,
                            env={**os.environ, **(env or {})})
    return result.returncode, result.stdout, result.stderr

assert not faulthandler.is_enabled() or "faulthandler" in sys._xoptions

for name, words in [("_sigsegv", "Segmentation fault"), ("_sigabrt", "Aborted"), ("_sigfpe", "Floating-point exception"),
                    ("_read_null", "Segmentation fault")]:
    status, _, text = run(f"import faulthandler\ndef f():\n    faulthandler.{name}()\nf()", "-X", "faulthandler")
    assert status < 0, (name, status)
    expected = (rf"\AFatal Python error: {words}\n\nCurrent thread 0x[0-9a-f]{{16}} \(most recent call first\):\n"
                r'  File "<string>", line 3 in f\n  File "<string>", line 4 in <module>\n')
    assert re.search(expected, text), (name, text)

status, _, text = run("import faulthandler; faulthandler._fatal_error_c_thread()")
assert status == -signal.SIGABRT, status
assert re.search(r"\AFatal Python error: faulthandler_fatal_error_thread: in new thread\nPython runtime state: initialized\n\n"
                 r"Thread 0x[0-9a-f]{16} \(most recent call first\):\n  File ", text), text

status, out, _ = run("import faulthandler; print(faulthandler.is_enabled())", env={"PYTHONFAULTHANDLER": "1"})
assert (status, out) == (0, "True\n"), out

with tempfile.TemporaryFile("w+") as file:
    def dump():
        faulthandler.dump_traceback(file, all_threads=False)
    dump()
    file.seek(0)
    lines = file.read().splitlines()
    assert lines[0] == "Stack (most recent call first):", lines
    assert lines[1].endswith(" in dump") and lines[2].endswith(" in <module>"), lines

with tempfile.TemporaryFile("w+") as file:
    faulthandler.register(signal.SIGUSR1, file, all_threads=True)
    os.kill(os.getpid(), signal.SIGUSR1)
    assert faulthandler.unregister(signal.SIGUSR1) and not faulthandler.unregister(signal.SIGUSR1)
    file.seek(0)
    assert file.read().startswith("Current thread 0x")

with tempfile.TemporaryFile("w+") as file:
    import threading
    faulthandler.dump_traceback_later(0.05, file=file)
    done = threading.Event()
    done.wait(0.01)
    while not os.fstat(file.fileno()).st_size:
        done.wait(0.01)
    faulthandler.cancel_dump_traceback_later()
    file.seek(0)
    assert file.read().startswith("Timeout (0:00:00.050000)!\nThread 0x")
    faulthandler.dump_traceback_later(3600, file=file)
    faulthandler.cancel_dump_traceback_later()
    faulthandler.cancel_dump_traceback_later()

for call, error in [(lambda: faulthandler.dump_traceback_later(0), ValueError),
                    (lambda: faulthandler.register(signal.SIGSEGV), RuntimeError),
                    (lambda: faulthandler.register(1000), ValueError),
                    (lambda: faulthandler.enable(-1), ValueError)]:
    try:
        call()
    except error:
        pass
    else:
        raise AssertionError(error)

was = faulthandler.is_enabled()
faulthandler.enable(sys.__stderr__)
assert faulthandler.is_enabled() and faulthandler.disable() and not faulthandler.is_enabled()
assert not faulthandler.disable()
if was:
    faulthandler.enable()
print("fine")
