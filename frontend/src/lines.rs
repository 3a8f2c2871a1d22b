//! A text by lines and characters.

/// A text with the places of its lines.
pub struct Lines<'a> {
    pub text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub fn new(text: &'a str) -> Self {
        let newlines = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(newlines).collect() }
    }

    /// The 1-based line and character column of a byte offset.
    pub fn place(&self, offset: usize) -> (u32, i32) {
        let index = self.starts.partition_point(|&start| start <= offset) - 1;
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let column = self.text[self.starts[index]..end].chars().count() + 1;
        (index as u32 + 1, column as i32)
    }
}
