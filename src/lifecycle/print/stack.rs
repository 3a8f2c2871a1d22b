//! The entries of a traceback: file, line, name, and the source text with what is pointed at.

use core::fmt::Write as _;

use hognose_allocators::collections::TryVec;

use super::anchors::{self, Anchors};
use super::paint::Paint;
use super::source::{self, Line, Sources, is_space};
use crate::object::{PyResult, Ref};
use crate::state::ThreadState;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::traceback::PyTraceback;

/// After so many entries that are the same, only their number is shown.
const REPEATS_SHOWN: usize = 3;

/// An entry.
struct Entry {
    filename: Ref<PyStr>,
    name: Ref<PyStr>,
    line: Option<i32>,
    end_line: Option<i32>,
    column: Option<i32>,
    end_column: Option<i32>,
}

impl Entry {
    fn of(traceback: &PyTraceback) -> Option<Entry> {
        let code = traceback.frame()?.code();
        let (line, end_line, column, end_column) = code.positions_at(traceback.lasti());
        Some(Entry {
            filename: Ref::from_borrowed(code.filename()),
            name: Ref::from_borrowed(code.name()),
            line: line.or_else(|| traceback.line()),
            end_line,
            column,
            end_column,
        })
    }
}

/// Whether `sys.tracebacklimit` lets any entry be shown.
pub fn any_shown(ts: &ThreadState) -> PyResult<bool> {
    Ok(source::traceback_limit(ts)? != Some(0))
}

/// How much of the source text is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The line, as CPython's own C code prints it (reports of unraisable exceptions).
    Line,
    /// All lines of the expression, with carets, as the module `traceback` does.
    Carets,
}

/// Appends the entries of a traceback.
pub fn push_stack(
    ts: &ThreadState,
    out: &mut StrBuilder,
    traceback: &PyTraceback,
    detail: Detail,
    paint: Paint,
) -> PyResult<()> {
    let mut sources = Sources::new();
    // What is nearest to the error is shown.
    let mut skipped = match source::traceback_limit(ts)? {
        Some(limit) => {
            core::iter::successors(Some(Ref::from_borrowed(traceback)), |at| at.next()).count().saturating_sub(limit)
        }
        None => 0,
    };
    let mut last: Option<Entry> = None;
    let mut count = 0usize;
    let mut at = Some(Ref::from_borrowed(traceback));
    while let Some(traceback) = at {
        at = traceback.next();
        if skipped > 0 {
            skipped -= 1;
            continue;
        }
        let Some(mut entry) = Entry::of(&traceback) else { continue };
        if detail == Detail::Line {
            entry.end_line = None;
            entry.column = None;
        }
        let same = last.as_ref().is_some_and(|last| {
            last.filename.equals(&entry.filename)
                && entry.line.is_some()
                && last.line == entry.line
                && last.name.equals(&entry.name)
        });
        if !same {
            push_repeats(ts, out, count)?;
            count = 0;
        }
        count += 1;
        if count <= REPEATS_SHOWN {
            push_entry(ts, out, &mut sources, &entry, paint)?;
        }
        last = Some(entry);
    }
    push_repeats(ts, out, count)
}

fn push_repeats(ts: &ThreadState, out: &mut StrBuilder, count: usize) -> PyResult<()> {
    if count > REPEATS_SHOWN {
        let count = count - REPEATS_SHOWN;
        let plural = if count > 1 { "s" } else { "" };
        write!(out, "  [Previous line repeated {count} more time{plural}]\n").map_err(|_| ts.raise_no_memory())?;
    }
    Ok(())
}

fn push_entry(
    ts: &ThreadState,
    out: &mut StrBuilder,
    sources: &mut Sources,
    entry: &Entry,
    paint: Paint,
) -> PyResult<()> {
    out.push_str("  File ")?;
    out.push_str(paint.filename)?;
    out.push_str("\"")?;
    let filename = entry.filename.ascii_str();
    if filename.is_some_and(|f| f.starts_with("<stdin-") && f.ends_with('>')) {
        out.push_str("<stdin>")?;
    } else {
        out.push(&entry.filename)?;
    }
    out.push_str("\"")?;
    out.push_str(paint.reset)?;
    out.push_str(", line ")?;
    out.push_str(paint.line)?;
    match entry.line {
        Some(line) => write!(out, "{line}").map_err(|_| ts.raise_no_memory())?,
        None => out.push_str("None")?,
    }
    out.push_str(paint.reset)?;
    out.push_str(", in ")?;
    out.push_str(paint.frame)?;
    out.push(&entry.name)?;
    out.push_str(paint.reset)?;
    out.push_str("\n")?;
    let Some(line) = entry.line else { return Ok(()) };
    push_source(ts, out, sources, entry, line, paint)
}

fn push_line(out: &mut StrBuilder, line: &[u32]) -> PyResult<()> {
    out.push_str("    ")?;
    for ch in line {
        out.push_char(*ch)?;
    }
    Ok(out.push_str("\n")?)
}

/// How many of a line's characters are whitespace at its beginning.
fn indentation(line: &[u32]) -> usize {
    line.iter().take_while(|ch| is_space(**ch)).count()
}

fn push_source(
    ts: &ThreadState,
    out: &mut StrBuilder,
    sources: &mut Sources,
    entry: &Entry,
    first: i32,
    paint: Paint,
) -> PyResult<()> {
    let last = entry.end_line.unwrap_or(first).max(first);
    let mut lines = TryVec::<Line>::new();
    // A statement of more lines than this is data, and too much to look at.
    for number in first..=last.min(first.saturating_add(5000)) {
        lines.try_push(sources.line(ts, &entry.filename, number)?.unwrap_or_default())?;
    }
    if lines.iter().all(|line| line.is_empty()) {
        return Ok(());
    }
    let (Some(column), Some(end_column)) = (entry.column, entry.end_column) else {
        return push_line(out, &lines[0][indentation(&lines[0])..]);
    };
    let start = character_offset(&lines[0], column);
    let end = character_offset(&lines[lines.len() - 1], end_column);
    let dedent = dedent(&mut lines);
    let (start, end) = (start.saturating_sub(dedent), end.saturating_sub(dedent));
    let end_line = lines.len() - 1;
    let anchors = anchors::find(&lines, (0, start), (end_line, end))?;
    let carets = shows_carets(&lines, start, end, anchors.as_ref());
    let view = View {
        lines: &lines,
        start: width(&lines[0], start),
        end: width(&lines[end_line], end),
        anchors,
        carets,
        paint,
    };
    view.push(ts, out)
}

/// The index of the character at an offset in UTF-8 bytes.
fn character_offset(line: &[u32], bytes: i32) -> usize {
    let mut left = usize::try_from(bytes).unwrap_or(0);
    for (index, ch) in line.iter().enumerate() {
        if left == 0 {
            return index;
        }
        let size = match ch {
            0..=0x7F => 1,
            0x80..=0x7FF => 2,
            0x800..=0xFFFF => 3,
            _ => 4,
        };
        left = left.saturating_sub(size);
    }
    line.len()
}

/// Takes off the indentation that all lines have in common; how many characters of the first line that was.
fn dedent(lines: &mut TryVec<Line>) -> usize {
    let is_blank = |ch: &u32| *ch == u32::from(b' ') || *ch == u32::from(b'\t');
    let mut margin: Option<usize> = None;
    let mut example = 0;
    for index in 0..lines.len() {
        let line = &lines[index];
        if line.is_empty() {
            continue;
        }
        let indent = line.iter().take_while(|ch| is_blank(ch)).count();
        margin = Some(match margin {
            None => {
                example = index;
                indent
            }
            Some(margin) => {
                lines[example].iter().zip(line.iter()).take(margin.min(indent)).take_while(|(a, b)| a == b).count()
            }
        });
    }
    let margin = margin.unwrap_or(0);
    let first = lines[0].len().min(margin);
    for line in lines.iter_mut() {
        let cut = line.len().min(margin);
        let length = line.len() - cut;
        line.copy_within(cut.., 0);
        line.truncate(length);
    }
    first
}

/// Whether a terminal shows the character in two columns.
fn is_wide(ch: u32) -> bool {
    matches!(ch,
        0x1100..=0x115F | 0x231A..=0x231B | 0x2329..=0x232A | 0x23E9..=0x23EC | 0x25FD..=0x25FE | 0x2614..=0x2615
        | 0x2648..=0x2653 | 0x26AA..=0x26AB | 0x26BD..=0x26BE | 0x2705 | 0x270A..=0x270B | 0x2728 | 0x274C | 0x274E
        | 0x2753..=0x2755 | 0x2757 | 0x2795..=0x2797 | 0x2B1B..=0x2B1C | 0x2B50 | 0x2B55 | 0x2E80..=0x303E
        | 0x3041..=0x33FF | 0x3400..=0x4DBF | 0x4E00..=0xA4CF | 0xA960..=0xA97F | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF
        | 0xFE10..=0xFE19 | 0xFE30..=0xFE6F | 0xFF01..=0xFF60 | 0xFFE0..=0xFFE6 | 0x16FE0..=0x18AFF | 0x1B000..=0x1B2FF
        | 0x1F004 | 0x1F0CF | 0x1F18E | 0x1F191..=0x1F19A | 0x1F200..=0x1F320 | 0x1F32D..=0x1F64F | 0x1F680..=0x1F6FF
        | 0x1F7E0..=0x1F7EB | 0x1F90C..=0x1F9FF | 0x1FA70..=0x1FAFF | 0x20000..=0x3FFFD)
}

/// The columns that the first `count` characters take.
fn width(line: &[u32], count: usize) -> usize {
    line.iter().take(count).map(|ch| if is_wide(*ch) { 2 } else { 1 }).sum()
}

/// Whether pointing at a part of the text says more than the text.
fn shows_carets(lines: &[Line], start: usize, end: usize, anchors: Option<&Anchors>) -> bool {
    let (first, last) = (&lines[0], &lines[lines.len() - 1]);
    let before = &first[..start.min(first.len())];
    let after = &last[end.min(last.len())..];
    let before = &before[indentation(before)..];
    if let Some(anchors) = anchors {
        // `return f(…)` and `name = f(…)` point at themselves.
        let is_call = lines[anchors.start.0].get(anchors.start.1) == Some(&u32::from(b'('));
        let rest = after.iter().copied().find(|ch| !is_space(*ch));
        let ends = rest.is_none_or(|ch| ch == u32::from(b'#') || ch == u32::from(b';'));
        if is_call && ends {
            if is_word(before, "return") && anchors::is_call_of_name(lines, (0, start), anchors) {
                return false;
            }
            if is_plain_assignment(before) {
                return false;
            }
        }
        return true;
    }
    !before.is_empty() || after.iter().any(|ch| !is_space(*ch))
}

fn trim_end(line: &[u32]) -> &[u32] {
    let length = line.iter().rposition(|ch| !is_space(*ch)).map_or(0, |last| last + 1);
    &line[..length]
}

fn is_word(text: &[u32], word: &str) -> bool {
    trim_end(text).iter().copied().eq(word.bytes().map(u32::from))
}

/// Whether the text is `name =`.
fn is_plain_assignment(text: &[u32]) -> bool {
    let Some((last, target)) = trim_end(text).split_last() else { return false };
    let target = trim_end(target);
    *last == u32::from(b'=')
        && !target.is_empty()
        && target
            .iter()
            .all(|ch| *ch >= 0x80 || char::from_u32(*ch).is_some_and(|c| c == '_' || c.is_ascii_alphanumeric()))
}

/// Lines of source text with what to point at; `start` and `end` in columns of a terminal.
struct View<'a> {
    lines: &'a [Line],
    start: usize,
    end: usize,
    anchors: Option<Anchors>,
    carets: bool,
    paint: Paint,
}

impl View<'_> {
    /// Shows the first and last lines, and those around the anchors; says how many are left out.
    fn push(&self, ts: &ThreadState, out: &mut StrBuilder) -> PyResult<()> {
        let mut previous: Option<usize> = None;
        for index in 0..self.lines.len() {
            if !self.is_significant(index) {
                continue;
            }
            if let Some(previous) = previous {
                match index - previous {
                    1 => {}
                    2 => self.push_line(out, index - 1)?,
                    gap => write!(out, "    ...<{} lines>...\n", gap - 1).map_err(|_| ts.raise_no_memory())?,
                }
            }
            self.push_line(out, index)?;
            previous = Some(index);
        }
        Ok(())
    }

    fn is_significant(&self, index: usize) -> bool {
        index == 0
            || index + 1 == self.lines.len()
            || self.anchors.is_some_and(|a| index.abs_diff(a.start.0) <= 1 || index.abs_diff(a.end.0) <= 1)
    }

    fn push_line(&self, out: &mut StrBuilder, index: usize) -> PyResult<()> {
        let line = &self.lines[index];
        if !self.carets {
            return push_line(out, line);
        }
        let spaces = indentation(line);
        let count = if index + 1 == self.lines.len() { self.end } else { width(line, line.len()) };
        let mut marks = TryVec::<u8>::new();
        marks.try_reserve(count)?;
        for column in 0..count {
            let mark = if column < spaces || index == 0 && column < self.start {
                b' '
            } else {
                match &self.anchors {
                    None => b'^',
                    Some(anchors) => {
                        let from = width(&self.lines[anchors.start.0], anchors.start.1);
                        let to = width(&self.lines[anchors.end.0], anchors.end.1);
                        let inside =
                            (index, column) >= (anchors.start.0, from) && (index, column) < (anchors.end.0, to);
                        if inside { b'^' } else { b'~' }
                    }
                }
            };
            marks.try_push(mark)?;
        }
        out.push_str("    ")?;
        self.push_runs(out, &marks, line)?;
        out.push_str("\n    ")?;
        self.push_marks(out, &marks)?;
        Ok(out.push_str("\n")?)
    }

    /// The line, each part in the colour of the marks below it.
    fn push_runs(&self, out: &mut StrBuilder, marks: &[u8], line: &[u32]) -> PyResult<()> {
        let mut at = 0;
        for run in marks.chunk_by(|a, b| a == b) {
            let end = (at + run.len()).min(line.len());
            let colour = self.colour(run[0]);
            out.push_str(colour)?;
            for ch in &line[at..end] {
                out.push_char(*ch)?;
            }
            if !colour.is_empty() {
                out.push_str(self.paint.reset)?;
            }
            at = end;
        }
        for ch in &line[at..] {
            out.push_char(*ch)?;
        }
        Ok(())
    }

    fn push_marks(&self, out: &mut StrBuilder, marks: &[u8]) -> PyResult<()> {
        for run in marks.chunk_by(|a, b| a == b) {
            let colour = self.colour(run[0]);
            out.push_str(colour)?;
            out.push_fill(run[0].into(), run.len())?;
            if !colour.is_empty() {
                out.push_str(self.paint.reset)?;
            }
        }
        Ok(())
    }

    fn colour(&self, mark: u8) -> &'static str {
        match mark {
            b'^' => self.paint.highlight,
            b'~' => self.paint.range,
            _ => "",
        }
    }
}
