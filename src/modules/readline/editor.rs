//! Reading a line from a terminal, with editing: keys to commands, commands to changes of the line, the line to the
//! screen. Hooks and the completer are Python code, which may look at the line and change it: nothing of it is borrowed
//! while they run.

use core::ffi::c_int;

use hognose_allocators::TryVec;

use super::complete;
use super::history;
use super::keys::{self, Command, Meaning};
use super::state::{Line, PyReadline};
use crate::id;
use crate::lifecycle::pending;
use crate::modules::posix::system::{blocking, errno};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::sync::{environment_variable, thread_ident};
use crate::types::exceptions as exc;
use crate::types::str::PyStr;

/// The terminal as it was; it is so again when this is dropped.
struct Terminal(libc::termios);

impl Terminal {
    /// Takes the keys as they come; `None` for what is no terminal.
    fn enter() -> Option<Terminal> {
        let mut before = core::mem::MaybeUninit::<libc::termios>::uninit();
        // SAFETY: the struct is filled on success.
        let before = unsafe {
            if libc::tcgetattr(0, before.as_mut_ptr()) != 0 {
                return None;
            }
            before.assume_init()
        };
        let mut now = before;
        // Signals and the output's line ends stay the terminal's business.
        now.c_lflag &= !(libc::ICANON | libc::ECHO | libc::IEXTEN);
        now.c_iflag &= !(libc::ICRNL | libc::INLCR | libc::IXON);
        now.c_cc[libc::VMIN] = 1;
        now.c_cc[libc::VTIME] = 0;
        // SAFETY: the attributes are those of the terminal, changed in part.
        let set = unsafe { libc::tcsetattr(0, libc::TCSADRAIN, &raw const now) };
        (set == 0).then_some(Terminal(before))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // SAFETY: the attributes are the terminal's own.
        unsafe { libc::tcsetattr(0, libc::TCSADRAIN, &raw const self.0) };
    }
}

/// Whether input and output are a terminal that lines can be edited on.
pub(crate) fn is_possible() -> bool {
    // SAFETY: the calls only look.
    unsafe { libc::isatty(0) != 0 && libc::isatty(1) != 0 }
}

/// Writes to the terminal. What it does not take is lost, as there is nothing to be done about it.
pub(super) fn write(ts: &ThreadState, text: &[u8]) {
    let mut out = crate::config::output::Output::stdout();
    blocking(ts, || {
        out.write_bytes(text);
        out.flush();
    });
}

/// Draws the line, if one is edited.
pub(super) fn redraw(ts: &ThreadState, state: &PyReadline) -> PyResult<()> {
    let line = state.line();
    if !line.is_active {
        return Ok(());
    }
    let Line { text, point, screen, .. } = line;
    let out = screen.draw(text, *point)?;
    write(ts, &out);
    Ok(())
}

/// One line, edited by one thread.
pub(super) struct Editor<'a> {
    pub ts: &'a ThreadState,
    pub state: &'a PyReadline,
    /// Keys that come before those of the terminal, the last first.
    waiting: TryVec<u8>,
    /// The line of history that is shown; one past the last for the new line.
    at: usize,
    /// The new line, while one of history is shown.
    put_by: TryVec<u32>,
    /// The last command.
    pub last: Command,
}

/// Milliseconds after which a wait for a key looks whether a signal has come.
const SIGNAL_INTERVAL: c_int = 100;

/// How a line has ended.
enum End {
    Line,
    /// `Control-d` on an empty line, or the terminal is gone.
    Closed,
}

/// Reads a line: `None` at the end of the input. The prompt is in the terminal's encoding.
pub(crate) fn read_line(ts: &ThreadState, state: &PyReadline, prompt: &[u8]) -> PyResult<Option<Ref<PyStr>>> {
    let ident = thread_ident();
    if state.owner.get() == ident {
        return raise!(ts, exc::RuntimeError, "can't re-enter readline");
    }
    let Some(lock) = state.lock.get() else { return Ok(None) };
    call::call_method(ts, lock.as_object(), &*PyStr::intern(ts, "acquire")?, &[])?;
    state.owner.set(ident);
    let result = edit(ts, state, prompt);
    state.line().is_active = false;
    state.owner.set(0);
    let release =
        || -> PyResult<()> { call::call_method(ts, lock.as_object(), &*PyStr::intern(ts, "release")?, &[]).map(drop) };
    match result {
        Ok(text) => release().map(|()| text),
        Err(raised) => {
            let error = ts.take_raised(raised);
            if let Err(second) = release() {
                ts.clear_raised(second);
            }
            Err(ts.restore_raised(error))
        }
    }
}

fn edit(ts: &ThreadState, state: &PyReadline, prompt: &[u8]) -> PyResult<Option<Ref<PyStr>>> {
    let Some(terminal) = Terminal::enter() else { return Ok(None) };
    let line = state.line();
    line.text.clear();
    line.point = 0;
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the struct is filled on success, and is zeros otherwise.
    unsafe { libc::ioctl(1, libc::TIOCGWINSZ, &raw mut size) };
    line.screen.columns = if size.ws_col == 0 { 80 } else { size.ws_col.into() };
    line.screen.is_dumb =
        environment_variable(c"TERM").is_none_or(|term| matches!(term.to_bytes(), b"" | b"dumb" | b"unknown"));
    let above = line.screen.begin(prompt)?;
    run_hook(ts, state.startup_hook.get());
    write(ts, &above);
    state.line().is_active = true;
    redraw(ts, state)?;
    run_hook(ts, state.pre_input_hook.get());
    let mut editor = Editor {
        ts,
        state,
        waiting: TryVec::new(),
        at: history::lines(ts, state)?.len(),
        put_by: TryVec::new(),
        last: Command::Abort,
    };
    let result = editor.run();
    let end = state.line().text.len();
    state.line().point = end;
    if let Err(raised) = redraw(ts, state) {
        ts.clear_raised(raised);
    }
    write(ts, b"\n");
    drop(terminal);
    match result? {
        End::Closed => Ok(None),
        End::Line => {
            let text = PyStr::from_ucs4(ts, &state.line().text)?;
            if state.auto_history.get() && text.len() != 0 {
                let history = history::lines(ts, state)?;
                let last = history.len().checked_sub(1).and_then(|last| history.get(last));
                let is_new = last.is_none_or(|last| last.downcast::<PyStr>().is_none_or(|last| !last.equals(&text)));
                if is_new {
                    history::add(ts, state, text.clone())?;
                }
            }
            Ok(Some(text))
        }
    }
}

/// Calls a hook, if there is one; what it raises is of no interest to the line.
fn run_hook(ts: &ThreadState, hook: Option<PyRef>) {
    if let Some(hook) = hook
        && let Err(raised) = call::call0(ts, &hook)
    {
        ts.clear_raised(raised);
    }
}

/// Whether a character belongs to a word, for the commands that go by words.
fn is_word(ch: u32) -> bool {
    char::from_u32(ch).is_some_and(char::is_alphanumeric)
}

impl Editor<'_> {
    fn run(&mut self) -> PyResult<End> {
        let mut keys = TryVec::<u8>::new();
        loop {
            keys.clear();
            let Some(command) = self.next_command(&mut keys)? else { return Ok(End::Closed) };
            if let Some(end) = self.perform(command, &keys)? {
                return Ok(end);
            }
            self.last = command;
            redraw(self.ts, self.state)?;
        }
    }

    /// The next key; `None` when the terminal is gone.
    pub fn key(&mut self) -> PyResult<Option<u8>> {
        if let Some(key) = self.waiting.pop() {
            return Ok(Some(key));
        }
        loop {
            // A signal may come just before the wait begins, or to another thread: it is asked for now and then.
            while !self.comes_within(SIGNAL_INTERVAL) {
                pending::make(self.ts)?;
            }
            let mut byte = 0u8;
            let (count, error) = blocking(self.ts, || {
                // SAFETY: one byte of our own is written to.
                let count = unsafe { libc::read(0, (&raw mut byte).cast(), 1) };
                (count, errno())
            });
            match count {
                1 => return Ok(Some(byte)),
                0 => return Ok(None),
                _ if error == libc::EINTR => pending::make(self.ts)?,
                _ if error == libc::EIO => return Ok(None),
                _ => return Err(exc::raise_os_error(self.ts, error, None)),
            }
        }
    }

    /// Whether another key comes within half a second.
    fn comes_soon(&self) -> bool {
        if !self.waiting.is_empty() {
            return true;
        }
        self.comes_within(500)
    }

    /// Whether there is something to read within that many milliseconds, or the terminal is gone.
    fn comes_within(&self, milliseconds: c_int) -> bool {
        let mut poll = libc::pollfd { fd: 0, events: libc::POLLIN, revents: 0 };
        // SAFETY: one struct of our own.
        blocking(self.ts, || unsafe { libc::poll(&raw mut poll, 1, milliseconds) }) > 0
    }

    /// Reads keys until they mean something; they are in `keys` then. `None` when the terminal is gone.
    fn next_command(&mut self, keys: &mut TryVec<u8>) -> PyResult<Option<Command>> {
        loop {
            let Some(key) = self.key()? else { return Ok(None) };
            keys.try_push(key)?;
            match keys::meaning(self.state, keys)? {
                Meaning::Command(command) => return Ok(Some(command)),
                Meaning::Macro(target) => {
                    for &byte in target.as_slice().iter().rev() {
                        self.waiting.try_push(byte)?;
                    }
                    keys.clear();
                }
                Meaning::Prefix if key != 27 || self.comes_soon() => {}
                Meaning::Prefix => keys.clear(),
                Meaning::Nothing if keys.len() == 1 && key >= 32 => return Ok(Some(Command::SelfInsert)),
                Meaning::Nothing => {
                    // The rest of a sequence that means nothing here, such as that of a function key.
                    let is_sequence = keys.starts_with(b"\x1b[") || keys.starts_with(b"\x1bO");
                    if is_sequence && !matches!(key, 0x40..=0x7E) {
                        continue;
                    }
                    keys.clear();
                }
            }
        }
    }

    /// The character that begins with a byte, with the rest of its bytes.
    fn character(&mut self, first: u8) -> PyResult<u32> {
        let len = match first {
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            _ => 1,
        };
        let mut bytes = [first, 0, 0, 0];
        let mut have = 1;
        while have < len {
            let Some(byte) = self.key()? else { break };
            if byte & 0xC0 != 0x80 {
                self.waiting.try_push(byte)?;
                break;
            }
            bytes[have] = byte;
            have += 1;
        }
        match core::str::from_utf8(&bytes[..have]).ok().and_then(|text| text.chars().next()) {
            Some(ch) => Ok(ch.into()),
            // As `surrogateescape` has it; what follows is looked at for itself.
            None => {
                for &byte in bytes[1..have].iter().rev() {
                    self.waiting.try_push(byte)?;
                }
                Ok(if first < 128 { first.into() } else { 0xDC00 + u32::from(first) })
            }
        }
    }

    /// Shows line `index` of the history, or the new one.
    fn show(&mut self, index: usize) -> PyResult<()> {
        let len = history::lines(self.ts, self.state)?.len();
        if self.at >= len && index < len {
            self.put_by = self.state.line().text.try_clone()?;
        }
        self.at = index.min(len);
        match history::line(self.ts, self.state, self.at)? {
            Some(text) => self.state.line().set(text.chars()),
            None => {
                let line = self.state.line();
                line.text = self.put_by.try_clone()?;
                line.point = line.text.len();
                Ok(())
            }
        }
    }

    /// The end of the word that begins behind the point.
    fn word_end(&self) -> usize {
        let line = self.state.line();
        let mut at = line.point;
        while line.text.get(at).is_some_and(|&ch| !is_word(ch)) {
            at += 1;
        }
        while line.text.get(at).is_some_and(|&ch| is_word(ch)) {
            at += 1;
        }
        at
    }

    /// The start of the word that ends before the point, a word being what `belongs` to one.
    fn word_start(&self, belongs: impl Fn(u32) -> bool) -> usize {
        let line = self.state.line();
        let mut at = line.point;
        while at > 0 && !belongs(line.text[at - 1]) {
            at -= 1;
        }
        while at > 0 && belongs(line.text[at - 1]) {
            at -= 1;
        }
        at
    }

    /// Changes the letters of the next word: the first by one function, the others by another.
    fn change_case(&mut self, first: fn(u32) -> u32, others: fn(u32) -> u32) {
        let end = self.word_end();
        let line = self.state.line();
        let mut is_first = true;
        for at in line.point..end {
            if is_word(line.text[at]) {
                line.text[at] = if is_first { first(line.text[at]) } else { others(line.text[at]) };
                is_first = false;
            }
        }
        line.point = end;
    }

    fn perform(&mut self, command: Command, keys: &[u8]) -> PyResult<Option<End>> {
        let state = self.state;
        let (len, point) = (state.line().text.len(), state.line().point);
        match command {
            Command::AcceptLine => return Ok(Some(End::Line)),
            Command::DeleteChar if len == 0 && keys == b"\x04" && self.last != Command::DeleteChar => {
                return Ok(Some(End::Closed));
            }
            Command::Abort => self.bell(),
            Command::BackwardChar => state.line().point = point.saturating_sub(1),
            Command::ForwardChar => state.line().point = len.min(point + 1),
            Command::BeginningOfLine => state.line().point = 0,
            Command::EndOfLine => state.line().point = len,
            Command::BackwardWord => {
                let start = self.word_start(is_word);
                state.line().point = start;
            }
            Command::ForwardWord => {
                let end = self.word_end();
                state.line().point = end;
            }
            Command::BackwardDeleteChar if point > 0 => state.line().remove(point - 1, point),
            Command::DeleteChar if point < len => state.line().remove(point, point + 1),
            Command::BackwardDeleteChar | Command::DeleteChar => self.bell(),
            Command::KillLine => state.line().kill(point, len)?,
            Command::KillWholeLine => state.line().kill(0, len)?,
            Command::UnixLineDiscard => state.line().kill(0, point)?,
            Command::KillWord => {
                let end = self.word_end();
                state.line().kill(point, end)?;
            }
            Command::BackwardKillWord => {
                let start = self.word_start(is_word);
                state.line().kill(start, point)?;
            }
            Command::UnixWordRubout => {
                let start = self.word_start(|ch| ch != 32 && ch != 9);
                state.line().kill(start, point)?;
            }
            Command::Yank => {
                let killed = state.line().killed.try_clone()?;
                state.line().insert(killed.iter().copied())?;
            }
            Command::TransposeChars if point > 0 && len > 1 => {
                let at = point.min(len - 1);
                state.line().text.swap(at - 1, at);
                state.line().point = at + 1;
            }
            Command::TransposeChars => self.bell(),
            Command::UpcaseWord => self.change_case(upper, upper),
            Command::DowncaseWord => self.change_case(lower, lower),
            Command::CapitalizeWord => self.change_case(upper, lower),
            Command::ClearScreen => {
                if !state.line().screen.is_dumb {
                    write(self.ts, b"\x1b[H\x1b[2J");
                }
                state.line().screen.on_new_line();
            }
            Command::RedrawCurrentLine => {}
            Command::PreviousHistory if self.at > 0 => self.show(self.at - 1)?,
            Command::PreviousHistory => self.bell(),
            Command::NextHistory if self.at < history::lines(self.ts, state)?.len() => self.show(self.at + 1)?,
            Command::NextHistory => self.bell(),
            Command::BeginningOfHistory => self.show(0)?,
            Command::EndOfHistory => self.show(usize::MAX)?,
            Command::ReverseSearchHistory => return self.search(),
            Command::QuotedInsert => {
                if let Some(key) = self.key()? {
                    let ch = self.character(key)?;
                    state.line().insert(core::iter::once(ch))?;
                }
            }
            Command::TabInsert => state.line().insert(core::iter::once(9))?,
            Command::SelfInsert => {
                let ch = self.character(keys.last().copied().unwrap_or(0))?;
                state.line().insert(core::iter::once(ch))?;
            }
            Command::Complete | Command::PossibleCompletions => {
                if state.is_on(self.ts, "disable-completion")? {
                    state.line().insert(core::iter::once(9))?;
                } else {
                    complete::complete(self, command == Command::PossibleCompletions)?;
                }
            }
        }
        Ok(None)
    }

    /// Says that there is nothing to be done.
    pub fn bell(&self) {
        write(self.ts, b"\x07");
    }

    /// Looks for a line that has what is typed, from the present one back.
    fn search(&mut self) -> PyResult<Option<End>> {
        let (ts, state) = (self.ts, self.state);
        let before = state.line().screen.prompt.try_clone()?;
        let mut wanted = TryVec::<u32>::new();
        let mut from = self.at;
        let next = loop {
            let mut prompt = TryVec::new();
            prompt.try_extend_from_slice(b"(reverse-i-search)`")?;
            let shown = PyStr::from_ucs4(ts, &wanted)?;
            prompt.try_extend_from_slice(&crate::modules::posix::path::fs_encode(ts, shown.as_object())?)?;
            prompt.try_extend_from_slice(b"': ")?;
            state.line().screen.set_prompt(&prompt)?;
            redraw(ts, state)?;
            let Some(key) = self.key()? else { break None };
            match key {
                0x12 => {}
                0x7F | 0x08 => {
                    wanted.pop();
                    from = history::lines(ts, state)?.len();
                }
                32.. => wanted.try_push(self.character(key)?)?,
                _ => break Some(key),
            }
            // The same line again only when it is looked for more exactly.
            let end = if key == 0x12 { from } else { from.saturating_add(1) };
            match self.find(&wanted, end)? {
                Some(index) => {
                    from = index;
                    self.show(index)?;
                }
                None => self.bell(),
            }
        };
        let mut prompt = TryVec::new();
        prompt.try_extend_from_slice(&before)?;
        state.line().screen.set_prompt(&prompt)?;
        match next {
            None => Ok(Some(End::Closed)),
            Some(0x07) => {
                self.show(usize::MAX)?;
                Ok(None)
            }
            // Any other key means what it always does.
            Some(key) => {
                self.waiting.try_push(key)?;
                Ok(None)
            }
        }
    }

    /// The last line before `end` that has these characters.
    fn find(&self, wanted: &[u32], end: usize) -> PyResult<Option<usize>> {
        let history = history::lines(self.ts, self.state)?;
        let wanted = PyStr::from_ucs4(self.ts, wanted)?;
        for index in (0..end.min(history.len())).rev() {
            let line = history.get(index);
            if line.as_ref().and_then(|line| line.downcast::<PyStr>()).is_some_and(|line| line.contains(&wanted)) {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }
}

fn upper(ch: u32) -> u32 {
    char::from_u32(ch).map_or(ch, |ch| ch.to_uppercase().next().unwrap_or(ch).into())
}

fn lower(ch: u32) -> u32 {
    char::from_u32(ch).map_or(ch, |ch| ch.to_lowercase().next().unwrap_or(ch).into())
}

/// `sys.stdout.flush()`, before something else is written to the terminal.
pub(super) fn flush(ts: &ThreadState) {
    let Some(sys) = ts.interp().sys_dict.get() else { return };
    let flushed = sys.get_str(ts, id!(stdout)).and_then(|stdout| match stdout {
        Some(stdout) if !crate::types::none::is_none(&stdout) => {
            call::call_method(ts, &stdout, id!(flush), &[]).map(drop)
        }
        _ => Ok(()),
    });
    if let Err(raised) = flushed {
        ts.clear_raised(raised);
    }
}
