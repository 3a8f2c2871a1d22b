//! String literals, and the text of f-strings and t-strings.

use super::{Done, EOF, MAX_FIELDS, MAX_STRINGS, StringMode, Token, Tokenizer, b, kind};

impl Tokenizer {
    /// A literal without replacement fields; its first quote has been read.
    pub(super) fn plain_string(&mut self, text: &[u8], start: usize, quote: u8) -> Option<Token> {
        self.first_line = self.line;
        self.multi_line_start = self.line_start;
        let size = self.opening_quotes(text, quote);
        let Some(size) = size else {
            return self.make(kind::STRING, start, self.cur);
        };
        let (mut quotes, mut escaped_quote) = (0, false);
        while quotes != size {
            let mut c = self.next(text);
            if self.done == Done::Error {
                return None;
            }
            if c == EOF || (size == 1 && c == b(b'\n')) {
                return self.unterminated(text, start, quote, size, c, escaped_quote);
            }
            if c == i32::from(quote) {
                quotes += 1;
                continue;
            }
            quotes = 0;
            if c == b(b'\\') {
                c = self.next(text);
                if c == i32::from(quote) {
                    escaped_quote = true;
                }
                if c == b(b'\r') {
                    self.next(text);
                }
            }
        }
        self.make(kind::STRING, start, self.cur)
    }

    /// Reads on behind the first quote: whether one or three begin the string; None for an empty string.
    fn opening_quotes(&mut self, text: &[u8], quote: u8) -> Option<u8> {
        let c = self.next(text);
        if c != i32::from(quote) {
            self.back(c);
            return Some(1);
        }
        let c = self.next(text);
        if c == i32::from(quote) {
            return Some(3);
        }
        self.back(c);
        None
    }

    fn unterminated(
        &mut self,
        text: &[u8],
        start: usize,
        quote: u8,
        size: u8,
        c: i32,
        escaped_quote: bool,
    ) -> Option<Token> {
        if self.starving {
            return None;
        }
        // The error is where the string begins.
        let line = self.line;
        self.cur = start + 1;
        self.line_start = self.multi_line_start;
        self.line = self.first_line;
        let mode = self.modes[self.mode_depth];
        if self.mode_depth > 0 && mode.quote == quote && mode.quote_size == size {
            // The quote was meant to end the string around.
            let letter = char::from(mode.letter);
            return self.fail(text, format_args!("{letter}-string: expecting '}}'"));
        }
        let found = if size == 3 {
            self.fail(text, format_args!("unterminated triple-quoted string literal (detected at line {line})"))
        } else if escaped_quote {
            self.fail(
                text,
                format_args!(
                    "unterminated string literal (detected at line {line}); perhaps you escaped the end quote?"
                ),
            )
        } else {
            self.fail(text, format_args!("unterminated string literal (detected at line {line})"))
        };
        if c != b(b'\n') {
            self.done = if size == 3 { Done::EofInString } else { Done::EndOfLineInString };
        }
        found
    }

    /// The begin of a literal that may have replacement fields; its first quote has been read.
    pub(super) fn string_start(
        &mut self,
        text: &[u8],
        start: usize,
        quote: u8,
        letter: u8,
        raw: bool,
    ) -> Option<Token> {
        self.first_line = self.line;
        self.multi_line_start = self.line_start;
        let size = match self.opening_quotes(text, quote) {
            Some(size) => size,
            None => {
                // Two quotes: the second ends the string, and is a token of its own.
                self.cur -= 1;
                1
            }
        };
        if self.mode_depth + 1 >= MAX_STRINGS {
            return self.fail(text, format_args!("too many nested f-strings or t-strings"));
        }
        self.mode_depth += 1;
        self.modes[self.mode_depth] = StringMode {
            in_expression: false,
            letter,
            quote,
            quote_size: size,
            raw,
            start,
            line_start: self.line_start,
            line: self.line,
            ..StringMode::REGULAR
        };
        let found = if letter == b'f' { kind::FSTRING_START } else { kind::TSTRING_START };
        self.make(found, start, self.cur)
    }

    /// The next token inside of the text of an f-string or t-string.
    pub(super) fn string_middle(&mut self, text: &[u8]) -> Option<Token> {
        let start = self.cur;
        self.start = Some(start);
        self.first_line = self.line;
        let mode = self.modes[self.mode_depth];
        let (letter, quote, size) = (mode.letter, i32::from(mode.quote), mode.quote_size);
        let middle = if letter == b'f' { kind::FSTRING_MIDDLE } else { kind::TSTRING_MIDDLE };
        let c = self.next(text);
        if c == b(b'{') {
            let peek = self.next(text);
            self.back(peek);
            self.back(c);
            if peek != b(b'{') {
                self.enter_field(text)?;
                return self.normal(text);
            }
        } else {
            self.back(c);
        }
        let mut quotes = 0;
        while quotes < size {
            let c = self.next(text);
            if c != quote {
                self.back(c);
                break;
            }
            quotes += 1;
        }
        if quotes == size {
            self.mode_depth -= 1;
            let end = if letter == b'f' { kind::FSTRING_END } else { kind::TSTRING_END };
            return self.make(end, start, self.cur);
        }
        self.multi_line_start = self.line_start;
        let mut named_escape = false;
        // Fewer quotes than end the string are text.
        quotes = 0;
        while quotes != size {
            let c = self.next(text);
            if self.done == Done::Error {
                return None;
            }
            let mode = self.modes[self.mode_depth];
            let in_spec = mode.in_format_spec && mode.inside_field();
            if c == EOF || (size == 1 && c == b(b'\n')) {
                if self.starving {
                    return None;
                }
                if in_spec && c == b(b'\n') {
                    // The specification ends here; the parser will say what is missing.
                    self.back(c);
                    let mode = &mut self.modes[self.mode_depth];
                    (mode.in_expression, mode.in_format_spec) = (true, false);
                    return self.make(middle, start, self.cur);
                }
                return self.unterminated_interpolated(text, &mode, c);
            }
            if c == quote {
                quotes += 1;
                continue;
            }
            quotes = 0;
            if c == b(b'{') {
                let peek = self.next(text);
                if peek != b(b'{') || in_spec {
                    self.back(peek);
                    self.note_expression();
                    self.back(c);
                    self.enter_field(text)?;
                    self.modes[self.mode_depth].in_format_spec = false;
                    return self.make(middle, start, self.cur);
                }
                return self.half_token(middle, start);
            }
            if c == b(b'}') {
                if named_escape {
                    return self.make(middle, start, self.cur);
                }
                let peek = self.next(text);
                if peek == b(b'}') && !in_spec && mode.depth == 0 {
                    return self.half_token(middle, start);
                }
                self.back(peek);
                self.back(c);
                let mode = &mut self.modes[self.mode_depth];
                (mode.in_expression, mode.in_format_spec) = (true, false);
                return self.make(middle, start, self.cur);
            }
            if c == b(b'\\') {
                let mut peek = self.next(text);
                if peek == b(b'\r') {
                    peek = self.next(text);
                }
                if peek == b(b'{') || peek == b(b'}') {
                    // A backslash does not escape a brace.
                    self.back(peek);
                } else if peek == b(b'N') && !mode.raw {
                    let peek = self.next(text);
                    if peek == b(b'{') {
                        named_escape = true;
                    } else {
                        self.back(peek);
                    }
                }
            }
        }
        // The quotes are a token of their own.
        self.cur -= usize::from(size);
        self.make(middle, start, self.cur)
    }

    /// Text up to one of two equal braces; the other is no text, but part of the place.
    fn half_token(&mut self, middle: u8, start: usize) -> Option<Token> {
        let mut token = self.make(middle, start, self.cur - 1)?;
        token.end_column = (self.cur - self.line_start) as i32;
        Some(token)
    }

    /// Remembers where the expression of a field begins, whose brace has been read.
    fn note_expression(&mut self) {
        let behind = self.cur;
        let mode = &mut self.modes[self.mode_depth];
        (mode.expression_start, mode.expression_end) = (Some(behind), None);
    }

    fn enter_field(&mut self, text: &[u8]) -> Option<()> {
        let mode = &mut self.modes[self.mode_depth];
        mode.field_depth += 1;
        if mode.field_depth >= MAX_FIELDS {
            let letter = char::from(mode.letter);
            return self.fail(text, format_args!("{letter}-string: expressions nested too deeply"));
        }
        mode.in_expression = true;
        Some(())
    }

    fn unterminated_interpolated(&mut self, text: &[u8], mode: &StringMode, c: i32) -> Option<Token> {
        let line = self.line;
        self.cur = mode.start + 1;
        self.line_start = mode.line_start;
        self.line = mode.line;
        let letter = char::from(mode.letter);
        if mode.quote_size == 3 {
            let found = self.fail(
                text,
                format_args!("unterminated triple-quoted {letter}-string literal (detected at line {line})"),
            );
            if c != b(b'\n') {
                self.done = Done::EofInString;
            }
            return found;
        }
        self.fail(text, format_args!("unterminated {letter}-string literal (detected at line {line})"))
    }
}
