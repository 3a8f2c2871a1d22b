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

    /// The 1-based line without its newline.
    pub fn line(&self, line: u32) -> &'a str {
        let index = (line as usize).saturating_sub(1);
        let Some(&start) = self.starts.get(index) else {
            return "";
        };
        let end = self.starts.get(index + 1).map_or(self.text.len(), |&next| next - 1);
        &self.text[start..end]
    }

    /// The byte offset of a 1-based line and character column, clamped to the line.
    pub fn offset(&self, line: u32, column: i32) -> usize {
        let index = (line as usize).saturating_sub(1);
        let start = self.starts.get(index).copied().unwrap_or(self.text.len());
        let content = self.line(line);
        let skip = usize::try_from(column - 1).unwrap_or(0);
        start + content.char_indices().nth(skip).map_or(content.len(), |(at, _)| at)
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
