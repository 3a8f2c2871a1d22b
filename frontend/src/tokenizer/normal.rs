//! Tokens outside of strings: indentation, names, operators, comments, newlines.

use super::{
    Bracket, Done, EOF, MAX_INDENT, MAX_LEVEL, NumberWarning, TAB_SIZE, Token, Tokenizer, b, is_digit, is_name_byte,
    is_name_start, kind,
};

/// The letters in front of a quote.
#[derive(Clone, Copy, Default)]
struct Prefix {
    bytes: bool,
    raw: bool,
    unicode: bool,
    formatted: bool,
    template: bool,
}

impl Prefix {
    /// Takes a letter in; false when it is none of a prefix, or there already.
    fn take(&mut self, c: i32) -> bool {
        let flag = match u8::try_from(c).map(|byte| byte.to_ascii_lowercase()) {
            Ok(b'b') => &mut self.bytes,
            Ok(b'r') => &mut self.raw,
            Ok(b'u') => &mut self.unicode,
            Ok(b'f') => &mut self.formatted,
            Ok(b't') => &mut self.template,
            _ => return false,
        };
        !core::mem::replace(flag, true)
    }

    /// Two letters that do not go together.
    fn contradiction(self) -> Option<[char; 2]> {
        let rivals = [
            (self.unicode && self.bytes, ['u', 'b']),
            (self.unicode && self.raw, ['u', 'r']),
            (self.unicode && self.formatted, ['u', 'f']),
            (self.unicode && self.template, ['u', 't']),
            (self.bytes && self.formatted, ['b', 'f']),
            (self.bytes && self.template, ['b', 't']),
            (self.formatted && self.template, ['f', 't']),
        ];
        rivals.iter().find(|(both, _)| *both).map(|&(_, letters)| letters)
    }
}

impl Tokenizer {
    /// The next token outside of a string's text.
    pub(super) fn normal(&mut self, text: &[u8]) -> Option<Token> {
        loop {
            self.start = None;
            let mut blank = false;
            if self.at_line_begin {
                self.at_line_begin = false;
                blank = self.indentation(text)?;
            }
            self.start = Some(self.cur);
            if self.pending < 0 {
                self.pending += 1;
                return if self.flavor.extra_tokens {
                    self.make(kind::DEDENT, self.cur, self.cur)
                } else {
                    self.make_empty(kind::DEDENT)
                };
            }
            if self.pending > 0 {
                self.pending -= 1;
                return if self.flavor.extra_tokens {
                    self.make(kind::INDENT, self.line_start, self.cur)
                } else {
                    self.make_empty(kind::INDENT)
                };
            }
            // Looking at the next byte first lets the buffer move on.
            let c = self.next(text);
            self.back(c);
            if let Some(found) = self.on_line(text, blank) {
                return found;
            }
        }
    }

    /// The token at the next place of a line; None to go on with the next line.
    fn on_line(&mut self, text: &[u8], blank: bool) -> Option<Option<Token>> {
        loop {
            self.start = None;
            let mut c = self.next(text);
            while c == b(b' ') || c == b(b'\t') || c == 0x0c {
                c = self.next(text);
            }
            let start = if c == EOF { self.cur } else { self.cur - 1 };
            self.start = Some(start);
            if c == b(b'#') {
                while c != EOF && c != b(b'\n') && c != b(b'\r') {
                    c = self.next(text);
                }
                if self.starving {
                    return Some(None);
                }
                if self.flavor.type_comments
                    && let Some(token) = self.type_comment(text, start, c, blank)
                {
                    return Some(Some(token));
                }
                if self.flavor.extra_tokens {
                    self.back(c);
                    self.comment_newline = blank;
                    return Some(self.make(kind::COMMENT, start, self.cur));
                }
            }
            if c == EOF {
                if self.level == 0 && self.done == Done::Eof {
                    return Some(self.make_empty(kind::ENDMARKER));
                }
                return Some(None);
            }
            if is_name_start(c) {
                return Some(self.name(text, start, c));
            }
            if c == b(b'\r') {
                c = self.next(text);
            }
            if c == b(b'\n') {
                self.at_line_begin = true;
                if blank || self.level > 0 {
                    if self.flavor.extra_tokens {
                        self.comment_newline = false;
                        return Some(self.make(kind::NL, start, self.cur));
                    }
                    return None;
                }
                if self.comment_newline && self.flavor.extra_tokens {
                    self.comment_newline = false;
                    return Some(self.make(kind::NL, start, self.cur));
                }
                let mut token = self.make(kind::NEWLINE, start, self.cur - 1);
                if let Some(token) = &mut token {
                    // The newline is as wide as a character, and no text.
                    token.end_column += 1;
                }
                return Some(token);
            }
            if c == b(b'.') {
                return Some(self.dot(text, start));
            }
            if is_digit(c) {
                return Some(self.number(text, start, c));
            }
            if c == b(b'\'') || c == b(b'"') {
                return Some(self.plain_string(text, start, c as u8));
            }
            if c == b(b'\\') {
                if self.continuation(text).is_none() {
                    return Some(None);
                }
                continue;
            }
            return Some(self.punctuation(text, start, c));
        }
    }

    /// Behind a backslash: the newline, and that something follows it.
    fn continuation(&mut self, text: &[u8]) -> Option<()> {
        let mut c = self.next(text);
        if c == b(b'\r') {
            c = self.next(text);
        }
        if c != b(b'\n') {
            return self.stop(Done::LineContinuation);
        }
        c = self.next(text);
        if c == EOF {
            self.cur = self.inp;
            return self.stop(Done::Eof);
        }
        self.back(c);
        Some(())
    }

    /// Measures the indentation of a line and notes blocks that begin or end; whether the line is blank.
    fn indentation(&mut self, text: &[u8]) -> Option<bool> {
        let (mut column, mut narrow) = (0u32, 0u32);
        // The first line of several that backslashes join decides.
        let mut joined = 0;
        let mut c;
        loop {
            c = self.next(text);
            if c == b(b' ') {
                (column, narrow) = (column + 1, narrow + 1);
            } else if c == b(b'\t') {
                (column, narrow) = ((column / TAB_SIZE + 1) * TAB_SIZE, narrow + 1);
            } else if c == 0x0c {
                (column, narrow) = (0, 0);
            } else if c == b(b'\\') {
                joined = if joined != 0 { joined } else { column };
                self.continuation(text)?;
            } else {
                break;
            }
        }
        self.back(c);
        if c == b(b'#') || c == b(b'\n') || c == b(b'\r') {
            return Some(true);
        }
        if self.level > 0 {
            return Some(false);
        }
        if joined != 0 {
            (column, narrow) = (joined, joined);
        }
        let current = self.indents[self.indent];
        if column == current {
            if narrow != self.narrow_indents[self.indent] {
                return self.inconsistent();
            }
        } else if column > current {
            if self.indent + 1 >= MAX_INDENT {
                self.cur = self.inp;
                return self.stop(Done::TooDeep);
            }
            if narrow <= self.narrow_indents[self.indent] {
                return self.inconsistent();
            }
            self.pending += 1;
            self.indent += 1;
            self.indents[self.indent] = column;
            self.narrow_indents[self.indent] = narrow;
        } else {
            while self.indent > 0 && column < self.indents[self.indent] {
                self.pending -= 1;
                self.indent -= 1;
            }
            if column != self.indents[self.indent] {
                self.cur = self.inp;
                return self.stop(Done::Dedent);
            }
            if narrow != self.narrow_indents[self.indent] {
                return self.inconsistent();
            }
        }
        Some(false)
    }

    fn inconsistent<T>(&mut self) -> Option<T> {
        self.cur = self.inp;
        self.stop(Done::TabSpace)
    }

    /// `# type: …` as a token; `c` is the byte behind the comment, which has been read.
    fn type_comment(&mut self, text: &[u8], start: usize, c: i32, blank: bool) -> Option<Token> {
        let end = if c == EOF { self.cur } else { self.cur - 1 };
        let comment = &text[start..end];
        let skip = |at: usize| at + comment[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let mut at = 0;
        for piece in [&b"#"[..], b"type:"] {
            if !comment[at..].starts_with(piece) {
                return None;
            }
            at = skip(at + piece.len());
        }
        self.back(c);
        let rest = &comment[at..];
        let ignore = rest.starts_with(b"ignore")
            && !rest.get(6).is_some_and(|&byte| byte >= 128 || byte.is_ascii_alphanumeric());
        if ignore {
            let line = self.line;
            if blank {
                self.next(text);
                self.at_line_begin = true;
            }
            let mut token = self.make(kind::TYPE_IGNORE, start + at + 6, end)?;
            (token.line, token.end_line) = (line, line);
            return Some(token);
        }
        self.make(kind::TYPE_COMMENT, start + at, end)
    }

    /// A name, or a string with a prefix.
    fn name(&mut self, text: &[u8], start: usize, first: i32) -> Option<Token> {
        let mut c = first;
        let mut prefix = Prefix::default();
        while prefix.take(c) {
            c = self.next(text);
            if c == b(b'"') || c == b(b'\'') {
                if let Some([one, other]) = prefix.contradiction() {
                    let place = |at: usize| String::from_utf8_lossy(&text[self.line_start..at]).chars().count() as i32;
                    let range = (place(start) + 1, place(self.cur));
                    let message = format_args!("'{one}' and '{other}' prefixes are incompatible");
                    return self.fail_range(text, Some(range), message);
                }
                if prefix.formatted || prefix.template {
                    let letter = if prefix.formatted { b'f' } else { b't' };
                    return self.string_start(text, start, c as u8, letter, prefix.raw);
                }
                return self.plain_string(text, start, c as u8);
            }
        }
        let mut ascii = first < 128;
        while is_name_byte(c) {
            ascii &= c < 128;
            c = self.next(text);
        }
        self.back(c);
        if !ascii && !self.flavor.extra_tokens {
            self.check_name(text, start)?;
        }
        self.make(kind::NAME, start, self.cur)
    }

    /// Whether a name with characters outside of ASCII is one (PEP 3131).
    fn check_name(&mut self, text: &[u8], start: usize) -> Option<()> {
        let Ok(name) = core::str::from_utf8(&text[start..self.cur]) else {
            return self.fail(text, format_args!("invalid non-UTF-8 name"));
        };
        let Some((at, stray)) = crate::names::first_stray(name) else { return Some(()) };
        if at + stray.len_utf8() < name.len() {
            self.cur = start + at + stray.len_utf8();
        }
        let code = u32::from(stray);
        if crate::names::is_printable(stray) {
            self.fail(text, format_args!("invalid character '{stray}' (U+{code:04X})"))
        } else {
            self.fail(text, format_args!("invalid non-printable character U+{code:04X}"))
        }
    }

    fn dot(&mut self, text: &[u8], start: usize) -> Option<Token> {
        let c = self.next(text);
        if is_digit(c) {
            return self.fraction(text, start, c);
        }
        self.back(c);
        if text[self.cur..self.inp].starts_with(b"..") {
            self.cur += 2;
            return self.make(kind::ELLIPSIS, start, self.cur);
        }
        self.make(kind::DOT, start, self.cur)
    }

    fn punctuation(&mut self, text: &[u8], start: usize, c: i32) -> Option<Token> {
        let in_string = self.mode_depth > 0;
        if in_string && matches!(c as u8, b':' | b'}' | b'!' | b'{') && self.modes[self.mode_depth].inside_field() {
            let shown = self.field_border(start, c as u8);
            if shown.is_some() {
                self.shown = shown;
            }
            let mode = &mut self.modes[self.mode_depth];
            if c == b(b':') && mode.depth - 1 == mode.field_depth {
                mode.in_expression = false;
                mode.in_format_spec = true;
                return self.make(kind::COLON, start, self.cur);
            }
        }
        let (found, length) = kind::operator(&text[start..self.inp]);
        if length > 1 {
            self.cur = start + length;
            return self.make(found, start, self.cur);
        }
        match c as u8 {
            b'(' | b'[' | b'{' => {
                if self.level >= MAX_LEVEL {
                    return self.fail(text, format_args!("too many nested parentheses"));
                }
                let column = (start - self.line_start) as i32;
                self.brackets[self.level] = Bracket { byte: c as u8, line: self.line, column };
                self.level += 1;
                if in_string {
                    self.modes[self.mode_depth].depth += 1;
                }
            }
            b')' | b']' | b'}' => self.closing(text, c as u8)?,
            _ => {}
        }
        if c < 0x20 || c == 0x7f {
            return self.fail(text, format_args!("invalid non-printable character U+{c:04X}"));
        }
        if in_string && c == b(b'=') {
            let mode = &mut self.modes[self.mode_depth];
            if mode.depth - mode.field_depth == 1 {
                mode.debug = true;
            }
        }
        self.make(found, start, self.cur)
    }

    /// What a replacement field's text is when `c`, at `at`, ends its expression.
    fn field_border(&mut self, at: usize, c: u8) -> Option<(usize, usize)> {
        let (behind, letter) = (self.cur, self.modes[self.mode_depth].letter);
        let mode = &mut self.modes[self.mode_depth];
        let cursor = mode.depth - i32::from(c != b'{');
        if cursor != 0 && !(cursor == 1 && (mode.debug || mode.in_format_spec)) {
            return None;
        }
        if c == b'{' {
            (mode.expression_start, mode.expression_end) = (Some(behind), None);
            return None;
        }
        let start = mode.expression_start?;
        let end = *mode.expression_end.get_or_insert(at);
        (mode.debug || letter == b't').then_some((start, end))
    }

    fn closing(&mut self, text: &[u8], c: u8) -> Option<()> {
        let in_string = self.mode_depth > 0;
        let mode = self.modes[self.mode_depth];
        let letter = char::from(mode.letter);
        let c_char = char::from(c);
        if in_string && mode.depth == 0 && c == b'}' {
            return self.fail(text, format_args!("{letter}-string: single '}}' is not allowed"));
        }
        if !self.flavor.extra_tokens && self.level == 0 {
            return self.fail(text, format_args!("unmatched '{c_char}'"));
        }
        if self.level > 0 {
            self.level -= 1;
            let open = self.brackets[self.level];
            let matches = matches!((open.byte, c), (b'(', b')') | (b'[', b']') | (b'{', b'}'));
            if !self.flavor.extra_tokens && !matches {
                if in_string && open.byte == b'{' && mode.depth - 1 == mode.field_depth {
                    return self.fail(text, format_args!("{letter}-string: unmatched '{c_char}'"));
                }
                let opening = char::from(open.byte);
                if open.line == self.line {
                    let message =
                        format_args!("closing parenthesis '{c_char}' does not match opening parenthesis '{opening}'");
                    return self.fail(text, message);
                }
                let line = open.line;
                return self.fail(
                    text,
                    format_args!(
                        "closing parenthesis '{c_char}' does not match opening parenthesis '{opening}' on line {line}"
                    ),
                );
            }
        }
        if in_string {
            let mode = &mut self.modes[self.mode_depth];
            mode.depth -= 1;
            if mode.depth < 0 {
                return self.fail(text, format_args!("{letter}-string: unmatched '{c_char}'"));
            }
            if c == b'}' && mode.depth == mode.field_depth {
                mode.field_depth -= 1;
                mode.in_expression = false;
                mode.in_format_spec = false;
                mode.debug = false;
            }
        }
        Some(())
    }

    /// Notes a number that a keyword follows without a blank.
    pub(super) fn doubt(&mut self, text: &[u8], kind: &'static str) {
        let column = String::from_utf8_lossy(&text[self.line_start..self.cur]).chars().count() as i32;
        self.warning = Some(Box::new(NumberWarning { kind, line: self.line, column }));
    }
}
