"""readline: the history and its files, bindings, and editing on a terminal."""

import os
import pty
import sys
import tempfile

os.environ["INPUTRC"] = os.devnull
import readline

# Without a terminal: history, settings and hooks are there all the same.
readline.clear_history()
for line in ("one", "two", "zwei ü", "three"):
    readline.add_history(line)
assert readline.get_current_history_length() == 4
assert [readline.get_history_item(i) for i in range(-1, 6)] == [None, None, "one", "two", "zwei ü", "three", None]
readline.replace_history_item(1, "TWO")
readline.remove_history_item(0)
assert readline.get_history_item(1) == "TWO"
for function, arguments, error in [
    (readline.remove_history_item, (-1,), "History index cannot be negative"),
    (readline.remove_history_item, (3,), "No history item at position 3"),
    (readline.replace_history_item, (9, "x"), "No history item at position 9"),
    (readline.append_history_file, (-1,), "append_history_file() argument 1 must not be negative"),
    (readline.parse_and_bind, ("set editing-mode vi",), "readline: editing-mode vi is not supported, only emacs"),
]:
    try:
        function(*arguments)
    except ValueError as e:
        assert str(e) == error, e
    else:
        raise AssertionError(function)
for wrong in (lambda: readline.add_history(1), lambda: readline.set_completer(1), lambda: readline.insert_text(None)):
    try:
        wrong()
    except TypeError:
        pass
    else:
        raise AssertionError(wrong)

assert readline.get_completer() is None and "." not in readline.get_completer_delims()
readline.set_completer(len)
assert readline.get_completer() is len
readline.set_completer()
assert readline.get_completer() is None
readline.set_completer_delims(" .")
assert readline.get_completer_delims() == " ."
assert (readline.get_begidx(), readline.get_endidx(), readline.get_completion_type()) == (0, 0, 0)
readline.insert_text("kept")
assert readline.get_line_buffer() == "kept"
readline.parse_and_bind("no such command at all")
readline.parse_and_bind('"\\C-xq": "text"')

with tempfile.TemporaryDirectory() as folder:
    file = os.path.join(folder, "history")
    readline.write_history_file(file)
    assert open(file, encoding="utf-8").read() == "TWO\nzwei ü\nthree\n"
    readline.append_history_file(2, file)
    readline.clear_history()
    readline.read_history_file(file)
    assert readline.get_current_history_length() == 5 and readline.get_history_item(4) == "zwei ü"
    assert readline.get_history_length() == -1
    readline.set_history_length(2)
    readline.write_history_file(file)
    assert open(file, encoding="utf-8").read() == "zwei ü\nthree\n"
    for missing in (readline.read_history_file, readline.read_init_file):
        try:
            missing(os.path.join(folder, "missing"))
        except FileNotFoundError as e:
            assert e.filename.endswith("missing")
        else:
            raise AssertionError(missing)
    init = os.path.join(folder, "inputrc")
    with open(init, "w") as text:
        text.write('# a comment\nset history-size 2\n$if mode=vi\nset history-size 100\n$else\n'
                   '"\\C-b": "by file"\n$endif\n$include nowhere\nset editing-mode vi\n')
    readline.read_init_file(init)
    readline.add_history("a")
    readline.add_history("b")
    assert [readline.get_history_item(1), readline.get_history_item(2)] == ["a", "b"]
    assert readline.get_current_history_length() == 2

    # On a terminal: many processes, so under one allocator only, with the debug hooks on.
    if os.environ.get("PYTHONMALLOC", "pymalloc_debug") != "pymalloc_debug":
        sys.exit()

    def edit(program, keys, term="xterm"):
        child, fd = pty.fork()
        if child == 0:
            os.execve(sys.executable, [sys.executable, "-I", "-c", "import readline\n" + program],
                      {**os.environ, "TERM": term})
        seen = b""
        while b"ready> " not in seen:
            seen += os.read(fd, 1024)
        os.write(fd, keys)
        while True:
            try:
                data = os.read(fd, 1024)
            except OSError:
                break
            if not data:
                break
            seen += data
        os.close(fd)
        assert os.waitpid(child, 0)[1] == 0, seen
        return seen.decode()

    LINE = "print('got', ascii(input('ready> ')))\n"

    def line(keys, before="", term="xterm"):
        seen = edit(before + LINE, keys, term)
        return seen[seen.index("got '"):].splitlines()[0][5:-1]

    for term in ("xterm", "dumb"):
        assert line(b"abc\r", term=term) == "abc"
        assert line(b"bc\x01a\x05d\r", term=term) == "abcd"
        assert line(b"abd\x02c\r", term=term) == "abcd"
        assert line(b"abxx\x7f\x08c\r", term=term) == "abc"
    assert line(b"a\x1b[D\x1b[Db\x1b[Cc\x1b[H0\x1b[F9\r") == "0bac9"
    assert line("ünï\r".encode()) == "\\xfcn\\xef"
    assert line(b"one two three\x17\x17end\r") == "one end"
    assert line(b"one two\x15\x19 \x19\r") == "one two one two"
    assert line(b"one two\x1bb\x0bx\r") == "one x"
    assert line(b"one two\x01\x1bd!\x1bf?\r") == "! two?"
    assert line(b"ab\x14\x01\x1bu\x1b\x7f\r") == ""
    assert line(b"a\tb\r") == "a\\tb"
    assert line(b"a\x16\x01b\r") == "a\\x01b"
    assert line(b"x\x04\x01\x04yz\r") == "yz"
    history = "for line in ('first', 'second', 'third'): readline.add_history(line)\n"
    assert line(b"\x10\x10!\r", history) == "second!"
    assert line(b"new\x1b[A\x1b[A\x1b[B\x1b[B.\r", history) == "new."
    assert line(b"\x12sec\x12\x01<\r", history) == "<second"
    assert line(b"\x1b<\x1bc\r", history) == "first"
    assert line(b"now\x12irs\x07\r", history) == "now"
    bound = "readline.parse_and_bind('Control-t: \"[text]\"')\nreadline.parse_and_bind('\"\\\\ez\": beginning-of-line')\n"
    assert line(b"\x14a\x1bz-\r", bound) == "-[text]a"
    hooks = ("readline.set_pre_input_hook(lambda: (readline.insert_text('pre'), readline.redisplay()))\n"
             "readline.set_startup_hook(lambda: print('begins'))\n")
    assert line(b"!\r", hooks) == "pre!"

    completer = """
words = ['alpha', 'alphabet', 'beta']
def complete(text, state):
    if text == 'bad': raise ValueError
    found = [word for word in words if word.startswith(text)]
    return found[state] if state < len(found) else None
readline.set_completer(complete)
readline.parse_and_bind('tab: complete')
"""
    assert line(b"x(b\t)\r", completer) == "x(beta)"
    assert line(b"al\t!\r", completer) == "alpha!"
    assert line(b"bad\t\t.\r", completer) == "bad."
    seen = edit(completer + LINE, b"a\t\t\t1\r")
    assert "got 'alpha1'" in seen and "alpha     alphabet\r\n" in seen, seen
    shown = completer + "readline.set_completion_display_matches_hook(lambda *a: print('shown', *a))\n"
    assert "shown alpha ['alpha', 'alphabet'] 8" in edit(shown + LINE, b"al\t\t\t\r")
    seen = edit(completer + "readline.parse_and_bind('set show-all-if-ambiguous on')\n" + LINE, b"a\t\r")
    assert "alpha     alphabet\r\n" in seen

    ends = "try: input('ready> ')\nexcept EOFError: print('ended')\n"
    assert "ended" in edit(ends, b"\x04")
    # Whoever runs this may have interrupts ignored.
    ends = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    ends += "try: input('ready> ')\nexcept KeyboardInterrupt: print('stopped')\n"
    assert "stopped" in edit(ends, b"half\x03")
    again = ("def complete(text, state):\n  try: input()\n  except RuntimeError as e: print(e)\n"
             "readline.set_completer(complete)\nreadline.parse_and_bind('tab: complete')\n")
    assert "can't re-enter readline" in edit(again + LINE, b"a\t\r")
    auto = "input('ready> ')\nprint(readline.get_current_history_length())\n"
    assert edit(auto, b"x\r").splitlines()[-1] == "1"
    assert edit("readline.set_auto_history(False)\n" + auto, b"x\r").splitlines()[-1] == "0"
