//! The line on the terminal: prompt and text, over as many rows as they need, with the cursor at its place.
//!
//! ```text
//!  row 0  │ >>> some text that goes on and │   every change: up to row 0, all of it again,
//!  row 1  │  on▁                           │   clear what follows, and back to the cursor
//! ```
//!
//! A terminal that knows no control sequences (`TERM=dumb`, or none) gets one row, overwritten with blanks.

use hognose_allocators::TryVec;

use crate::modules::unicodedata::columns_of;
use crate::object::PyResult;

/// What is drawn, and where the cursor is.
pub(super) struct Screen {
    /// The last line of the prompt, as it is written.
    pub prompt: TryVec<u8>,
    /// The columns that it takes.
    pub prompt_columns: usize,
    /// The terminal's columns.
    pub columns: usize,
    /// The terminal knows no control sequences.
    pub is_dumb: bool,
    /// The cursor's row, counted from that of the prompt.
    row: usize,
    /// The columns that the last drawing took.
    drawn: usize,
}

/// Adds a character as it is shown: what is no text as `^X`, what is half a character as `?`.
fn show(out: &mut TryVec<u8>, ch: u32) -> PyResult<usize> {
    match ch {
        0..=31 | 127 => {
            out.try_extend_from_slice(&[b'^', (ch as u8) ^ 64])?;
            Ok(2)
        }
        _ => {
            let shown = char::from_u32(ch).unwrap_or('?');
            let mut buffer = [0; 4];
            out.try_extend_from_slice(shown.encode_utf8(&mut buffer).as_bytes())?;
            Ok(columns_of(shown as u32))
        }
    }
}

fn push_number(out: &mut TryVec<u8>, number: usize, end: u8) -> PyResult<()> {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.try_extend_from_slice(b"\x1b[")?;
    out.try_extend_from_slice(&digits[at..])?;
    Ok(out.try_push(end)?)
}

impl Screen {
    pub const fn new() -> Self {
        Self { prompt: TryVec::new(), prompt_columns: 0, columns: 80, is_dumb: false, row: 0, drawn: 0 }
    }

    /// Begins with a prompt; gives what stands above its last line. What is between `\x01` and `\x02` takes no room.
    pub fn begin(&mut self, prompt: &[u8]) -> PyResult<TryVec<u8>> {
        let mut above = TryVec::new();
        let start = prompt.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        above.try_extend_from_slice(&prompt[..start])?;
        self.set_prompt(&prompt[start..])?;
        self.on_new_line();
        Ok(above)
    }

    /// Another prompt, from the next drawing on.
    pub fn set_prompt(&mut self, prompt: &[u8]) -> PyResult<()> {
        self.prompt.clear();
        let mut shown = TryVec::<u8>::new();
        let mut is_hidden = false;
        for &byte in prompt {
            match byte {
                1 => is_hidden = true,
                2 => is_hidden = false,
                _ => {
                    self.prompt.try_push(byte)?;
                    if !is_hidden {
                        shown.try_push(byte)?;
                    }
                }
            }
        }
        self.prompt_columns = 0;
        for chunk in shown.utf8_chunks() {
            for ch in chunk.valid().chars() {
                self.prompt_columns += columns_of(ch as u32);
            }
            self.prompt_columns += chunk.invalid().len();
        }
        Ok(())
    }

    /// The cursor is at the start of an empty row: the next drawing begins there.
    pub fn on_new_line(&mut self) {
        self.row = 0;
        self.drawn = 0;
    }

    /// What draws the line.
    pub fn draw(&mut self, text: &[u32], point: usize) -> PyResult<TryVec<u8>> {
        let mut out = TryVec::new();
        if self.is_dumb {
            self.draw_one_row(&mut out, text, point)?;
            return Ok(out);
        }
        if self.row > 0 {
            push_number(&mut out, self.row, b'A')?;
        }
        out.try_push(b'\r')?;
        out.try_extend_from_slice(&self.prompt)?;
        let width = self.columns.max(2);
        let (mut at, mut cursor) = (self.prompt_columns, self.prompt_columns);
        for (index, &ch) in text.iter().enumerate() {
            if index == point {
                cursor = at;
            }
            at += show(&mut out, ch)?;
        }
        if point >= text.len() {
            cursor = at;
        }
        if at > 0 && at.is_multiple_of(width) {
            // The terminal waits with the next row until something is written to it.
            out.try_extend_from_slice(b" \r")?;
        }
        out.try_extend_from_slice(b"\x1b[J")?;
        let (last, row, column) = (at / width, cursor / width, cursor % width);
        if last > row {
            push_number(&mut out, last - row, b'A')?;
        }
        out.try_push(b'\r')?;
        if column > 0 {
            push_number(&mut out, column, b'C')?;
        }
        self.row = row;
        Ok(out)
    }

    fn draw_one_row(&mut self, out: &mut TryVec<u8>, text: &[u32], point: usize) -> PyResult<()> {
        out.try_push(b'\r')?;
        out.try_extend_from_slice(&self.prompt)?;
        let mut at = self.prompt_columns;
        for &ch in text {
            at += show(out, ch)?;
        }
        for _ in at..self.drawn {
            out.try_push(b' ')?;
        }
        if point < text.len() || at < self.drawn {
            out.try_push(b'\r')?;
            out.try_extend_from_slice(&self.prompt)?;
            for &ch in &text[..point.min(text.len())] {
                show(out, ch)?;
            }
        }
        self.drawn = at;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chars(text: &str) -> std::vec::Vec<u32> {
        text.chars().map(u32::from).collect()
    }

    #[test]
    fn a_line_is_drawn_over_its_rows() {
        let _heap = crate::text::testing::TestHeap::new();
        let mut screen = Screen { columns: 10, ..Screen::new() };
        assert_eq!(&*screen.begin(b"above\n\x01\x1b[1m\x02> ").ok().unwrap(), b"above\n");
        assert_eq!((screen.prompt_columns, &*screen.prompt), (2, &b"\x1b[1m> "[..]));
        let text = chars("abcdefghijk");
        assert_eq!(&*screen.draw(&text, 11).ok().unwrap(), b"\r\x1b[1m> abcdefghijk\x1b[J\r\x1b[3C");
        assert_eq!(&*screen.draw(&text, 0).ok().unwrap(), b"\x1b[1A\r\x1b[1m> abcdefghijk\x1b[J\x1b[1A\r\x1b[2C");
        assert_eq!(&*screen.draw(&chars("\x01"), 1).ok().unwrap(), b"\r\x1b[1m> ^A\x1b[J\r\x1b[4C");
    }

    #[test]
    fn a_dumb_terminal_gets_one_row() {
        let _heap = crate::text::testing::TestHeap::new();
        let mut screen = Screen { is_dumb: true, ..Screen::new() };
        screen.begin(b"> ").ok().unwrap();
        assert_eq!(&*screen.draw(&chars("ab"), 2).ok().unwrap(), b"\r> ab");
        assert_eq!(&*screen.draw(&chars("a"), 1).ok().unwrap(), b"\r> a \r> a");
    }
}
