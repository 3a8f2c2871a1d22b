//! Where CPython points to, when the parser points elsewhere.
//!
//! Each rule is bound to one sentence. The two parsers notice the same mistake at different tokens: ours blames
//! the construct, CPython's blames the token it could not take, or a range that its grammar action names.

use crate::error::{SyntaxErrorInfo, SyntaxErrorKind};

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

    /// The last line that has text; an empty line behind the final newline is none.
    fn last_line(&self) -> u32 {
        let lines = self.starts.len() as u32;
        if lines > 1 && self.line(lines).is_empty() { lines - 1 } else { lines }
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    fn byte(&self, at: usize) -> u8 {
        self.bytes().get(at).copied().unwrap_or(0)
    }

    /// The first offset from `at` that is not blank within the line.
    fn skip_blanks(&self, mut at: usize) -> usize {
        while matches!(self.byte(at), b' ' | b'\t' | 0x0c) {
            at += 1;
        }
        at
    }

    /// The end of the token at `at`.
    fn token_end(&self, at: usize) -> usize {
        let byte = self.byte(at);
        if byte.is_ascii_digit() || (byte == b'.' && self.byte(at + 1).is_ascii_digit()) {
            let mut end = at + 1;
            while is_word(self.byte(end)) || self.byte(end) == b'.' {
                end += 1;
            }
            return end;
        }
        if is_word(byte) {
            let mut end = at;
            while is_word(self.byte(end)) {
                end += 1;
            }
            return end;
        }
        if matches!(byte, b'\'' | b'"') {
            return self.skip_string(at);
        }
        let rest = &self.bytes()[at.min(self.text.len())..];
        const OPERATORS: [&str; 24] = [
            "**=", "//=", ">>=", "<<=", "...", "**", "//", ">>", "<<", "->", ":=", "==", "!=", "<=", ">=", "<>", "+=",
            "-=", "*=", "/=", "%=", "@=", "&=", "|=",
        ];
        for operator in OPERATORS {
            if rest.starts_with(operator.as_bytes()) {
                return at + operator.len();
            }
        }
        at + self.text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
    }

    /// Behind the string whose quote is at `at`.
    fn skip_string(&self, at: usize) -> usize {
        let quote = self.byte(at);
        let width = if self.byte(at + 1) == quote && self.byte(at + 2) == quote { 3 } else { 1 };
        let mut end = at + width;
        while end < self.text.len() {
            match self.byte(end) {
                b'\\' => end += 2,
                b'\n' if width == 1 => return end,
                byte if byte == quote
                    && (width == 1 || (self.byte(end + 1) == quote && self.byte(end + 2) == quote)) =>
                {
                    return end + width;
                }
                _ => end += 1,
            }
        }
        self.text.len()
    }

    /// From `at` forward to the first place, outside of brackets and strings, that `stop` accepts (it gets the
    /// bytes from there on), or to the bracket that closes around `at`, or the end of the logical line.
    fn forward(&self, mut at: usize, stop: impl Fn(&[u8]) -> bool) -> usize {
        let mut depth = 0usize;
        while at < self.text.len() {
            let byte = self.byte(at);
            if depth == 0 && stop(&self.bytes()[at..]) {
                return at;
            }
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' if depth == 0 => return at,
                b')' | b']' | b'}' => depth -= 1,
                b'\'' | b'"' => {
                    at = self.skip_string(at);
                    continue;
                }
                b'#' => {
                    while at < self.text.len() && self.byte(at) != b'\n' {
                        at += 1;
                    }
                    continue;
                }
                b'\n' if depth == 0 => return at,
                _ if is_word(byte) => {
                    at = self.token_end(at);
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        self.text.len()
    }

    fn trim_back(&self, from: usize, mut end: usize) -> usize {
        while end > from && matches!(self.byte(end - 1), b' ' | b'\t' | b'\n' | 0x0c) {
            end -= 1;
        }
        end
    }
}

fn is_word(byte: u8) -> bool {
    byte == b'_' || byte >= 0x80 || byte.is_ascii_alphanumeric()
}

fn starts_word(rest: &[u8], word: &str) -> bool {
    rest.starts_with(word.as_bytes()) && !rest.get(word.len()).copied().is_some_and(is_word)
}

/// Where an operand of `|`, `+` and the like cannot go on.
fn ends_operand(rest: &[u8]) -> bool {
    matches!(rest[0], b',' | b':' | b';' | b'=' | b'<' | b'>' | b'!')
        || ["and", "or", "not", "if", "else", "in", "is", "for"].iter().any(|word| starts_word(rest, word))
}

/// An error while it is moved about.
struct Draft<'a, 'l> {
    info: &'a mut SyntaxErrorInfo,
    lines: &'l Lines<'l>,
    start: usize,
    end: usize,
}

impl Draft<'_, '_> {
    fn set_start(&mut self, at: usize) {
        self.start = at;
        (self.info.line, self.info.column) = self.lines.place(at);
    }

    fn set_end(&mut self, at: usize) {
        self.end = at;
        (self.info.end_line, self.info.end_column) = self.lines.place(at);
    }

    fn set_token(&mut self, at: usize) {
        self.set_start(at);
        if matches!(self.lines.byte(at), b'\n' | 0) {
            // The newline token is one column wide, whether a newline is there or not.
            self.end = at;
            (self.info.end_line, self.info.end_column) = (self.info.line, self.info.column + 1);
        } else {
            self.set_end(self.lines.token_end(at));
        }
    }

    /// A place without extent.
    fn set_point(&mut self, at: usize) {
        self.set_start(at);
        self.set_end(at);
    }

    fn invalid_syntax_at(&mut self, at: usize) {
        self.info.message = "invalid syntax".into();
        self.set_token(at);
    }
}

/// Moves `info` to where CPython points, and corrects the sentence where it depends on what follows.
///
/// `blamed` is the byte offset at which the parser first stumbled.
pub fn adjust(info: &mut SyntaxErrorInfo, text: &str, blamed: usize) {
    let lines = &Lines::new(text);
    let start = lines.offset(info.line, info.column);
    let end = lines.offset(info.end_line, info.end_column);
    let mut draft = Draft { info, lines, start, end };
    if blamed < start && is_hint(&draft.info.message) {
        // CPython looks for hints only as far as its parser came.
        draft.invalid_syntax_at(blamed);
    }
    if draft.info.kind == SyntaxErrorKind::IndentationError {
        indentation(&mut draft);
        return;
    }
    match_sentence(&mut draft);
}

fn is_hint(message: &str) -> bool {
    message.starts_with("invalid syntax. ") || message.starts_with("expression cannot contain assignment")
}

fn indentation(draft: &mut Draft) {
    let lines = draft.lines;
    let message = draft.info.message.as_str();
    if message == "unexpected indent" {
        let (line, content) = logical_line(lines, draft.info.line);
        draft.info.line = line;
        draft.info.column = (content.len() - content.trim_start().len()) as i32;
        draft.info.end_line = line;
        draft.info.end_column = -1;
    } else if message.starts_with("unindent") {
        draft.info.end_column = -1;
    } else if message.starts_with("expected an indented block") {
        let rest = lines.text.get(draft.start..).unwrap_or("");
        let nothing_follows = rest.lines().skip(usize::from(draft.info.line != draft.info.end_line)).all(|line| {
            let line = line.trim();
            line.is_empty() || line.starts_with('#')
        });
        if nothing_follows {
            let last = lines.last_line();
            draft.info.line = last;
            draft.info.column = lines.line(last).chars().count() as i32 + 1;
            draft.info.end_line = last;
            draft.info.end_column = -1;
        }
    }
}

/// The line that a token of line `line` begins on: the line itself here.
fn logical_line<'a>(lines: &Lines<'a>, line: u32) -> (u32, &'a str) {
    (line, lines.line(line))
}

fn match_sentence(draft: &mut Draft) {
    let lines = draft.lines;
    let message = draft.info.message.clone();
    let (start, end) = (draft.start, draft.end);
    match message.as_str() {
        "invalid syntax" => generic(draft),
        "expected ':'" | "expected '('" => draft.set_token(start),
        "unexpected character after line continuation character" => draft.info.end_column = 0,
        "unexpected EOF while parsing" => {
            let last = lines.last_line();
            draft.info.line = last;
            draft.info.column = lines.line(last).chars().count() as i32 + 1;
            if lines.text.ends_with('\n') {
                draft.info.column = draft.info.column.max(2);
            }
            draft.info.end_line = last;
            draft.info.end_column = -1;
        }
        "'(' was never closed" | "'[' was never closed" | "'{' was never closed" => draft.info.end_column = 0,
        "positional argument follows keyword argument" | "positional argument follows keyword argument unpacking" => {
            draft.set_token(lines.forward(end, |_| false));
        }
        "iterable argument unpacking follows keyword argument unpacking" => {
            if let Some(comma) = lines.text[..start].rfind(',') {
                draft.set_start(comma);
            }
        }
        "var-positional argument cannot have default value" | "var-keyword argument cannot have default value" => {
            draft.set_token(lines.forward(start, |rest| matches!(rest[0], b'=' | b',')));
        }
        "* argument may appear only once" => draft.set_end(start + 1),
        "arguments cannot follow var-keyword argument" => draft.set_token(start),
        "at least one argument must precede /" if lines.byte(lines.skip_blanks(start + 1)) != b',' => {
            draft.invalid_syntax_at(start);
        }
        "Expected one or more names after 'import'" => {
            if matches!(lines.byte(start), b'\n' | b'#' | b';' | 0) {
                draft.set_point(start);
            } else {
                draft.invalid_syntax_at(start);
            }
        }
        "Invalid star expression" if lines.byte(start) == b'*' => draft.set_token(lines.skip_blanks(start + 1)),
        "named arguments must follow bare *" => bare_star(draft),
        "invalid syntax. Perhaps you forgot a comma?" => missing_comma(draft),
        "invalid syntax. Maybe you meant '==' or ':=' instead of '='?" => {
            let equals = lines.forward(start, |rest| rest[0] == b'=');
            let operand = lines.skip_blanks(equals + 1);
            draft.set_end(lines.trim_back(operand, lines.forward(operand, ends_operand)));
        }
        "expression cannot contain assignment, perhaps you meant \"==\"?"
        | "cannot assign to True"
        | "cannot assign to False"
        | "cannot assign to None" => keyword_target(draft),
        "cannot assign to iterable argument unpacking" | "cannot assign to keyword argument unpacking" => {
            draft.set_end(lines.trim_back(start, lines.forward(start, |rest| rest[0] == b',')));
        }
        "illegal target for annotation" => {
            let colon = lines.skip_blanks(end);
            if lines.byte(colon) == b':' && matches!(lines.byte(lines.skip_blanks(colon + 1)), b'\n' | b'#' | 0) {
                draft.invalid_syntax_at(colon);
            }
        }
        "expected 'else' after 'if' expression" => conditional(draft),
        "trailing comma not allowed without surrounding parentheses" => {
            let line = lines.line(draft.info.line);
            if line.trim_start().starts_with("from") {
                draft.set_token(start + 1);
            } else {
                draft.invalid_syntax_at(start + usize::from(lines.byte(start) == b','));
            }
        }
        "cannot mix bytes and nonbytes literals" => {
            let next = lines.skip_blanks(end);
            draft.set_start(next);
            (draft.info.end_line, draft.info.end_column) = (draft.info.line, draft.info.column + 1);
        }
        "did you forget parentheses around the comprehension target?" => {
            draft.set_end(lines.trim_back(start, lines.forward(start, |rest| starts_word(rest, "for"))));
        }
        "cannot use starred expression here" | "cannot use a starred expression in a dictionary value"
            if lines.byte(start) == b'*' =>
        {
            draft.set_end(lines.trim_back(start, lines.forward(start + 1, ends_operand)));
        }
        "cannot delete starred" => {
            draft.set_end(lines.trim_back(start, lines.forward(start + 1, ends_operand)));
        }
        "Did you mean to use 'from ... import ...' instead?" => {
            draft.set_end(
                lines.trim_back(start, lines.forward(start, |rest| rest[0] == b';' || starts_word(rest, "as"))),
            );
        }
        "':' expected after dictionary key" if lines.byte(lines.skip_blanks(end)) == b'}' => draft.info.end_column = 0,
        "not a chance" => {}
        sentence if sentence.starts_with("Missing parentheses in call to") => {
            draft.set_end(lines.trim_back(start, lines.forward(start, |rest| rest[0] == b';')));
        }
        sentence
            if sentence.starts_with("cannot use bound with") || sentence.starts_with("cannot use constraints with") =>
        {
            draft.set_end(lines.trim_back(start, lines.forward(start, |rest| matches!(rest[0], b',' | b'='))));
        }
        sentence if sentence.starts_with("cannot assign to ") => assignment(draft),
        sentence if sentence.starts_with("invalid character") || sentence.starts_with("invalid non-printable") => {
            (draft.info.end_line, draft.info.end_column) = (draft.info.line, draft.info.column);
        }
        sentence if sentence.starts_with("unterminated") => unterminated(draft),
        sentence if sentence.starts_with("f-string: ") || sentence.starts_with("t-string: ") => {
            let rest = sentence[10..].to_owned();
            interpolated(draft, &rest);
        }
        sentence if sentence.starts_with("closing parenthesis") || sentence.starts_with("unmatched '") => {
            (draft.info.end_line, draft.info.end_column) = (draft.info.line, draft.info.column);
        }
        _ => {}
    }
}

/// "invalid syntax" without more: CPython blames the first token that no rule could take.
fn generic(draft: &mut Draft) {
    let lines = draft.lines;
    let start = draft.start;
    let rest = &lines.bytes()[start.min(lines.text.len())..];
    let before = lines.trim_back(0, start);
    if starts_word(rest, "not")
        && before > 0
        && !matches!(lines.byte(before - 1), b'(' | b'[' | b'{' | b',' | b'=' | b':' | b'\n')
    {
        // `a not` waits for `in`.
        let next = lines.skip_blanks(start + 3);
        draft.set_token(next);
        return;
    }
    if ["raise", "from"].iter().any(|word| lines.text[..before].ends_with(word)) {
        let comma = lines.forward(start, |rest| rest[0] == b',');
        if lines.byte(comma) == b',' {
            draft.set_token(comma);
            return;
        }
    }
    if rest.first() == Some(&b'*') && lines.byte(draft.end) == b':' {
        draft.set_token(draft.end);
        return;
    }
    if draft.end <= draft.start && start < lines.text.len() && rest[0] != b'\n' {
        draft.set_token(start);
        return;
    }
    // A blamed range of several tokens shrinks to the first: no rule of CPython's says "invalid syntax" of a range.
    let first = lines.token_end(start);
    if first < draft.end {
        draft.set_end(first);
    }
}

/// `def f(*, …)` with something else wrong behind the star.
fn bare_star(draft: &mut Draft) {
    let lines = draft.lines;
    let slash = lines.forward(draft.start, |rest| rest[0] == b'/');
    if lines.byte(slash) == b'/' {
        draft.info.message = "/ must be ahead of *".into();
        draft.set_token(slash);
        return;
    }
    let comma = lines.skip_blanks(draft.start + 1);
    if lines.byte(comma) == b',' {
        let next = lines.skip_blanks(comma + 1);
        if !matches!(lines.byte(next), b')' | b'*' | b':' | b'\n' | 0) {
            draft.invalid_syntax_at(next);
        }
    }
}

/// The range holds both expressions, not the second alone.
fn missing_comma(draft: &mut Draft) {
    let lines = draft.lines;
    if lines.token_end(draft.start) < draft.end {
        return;
    }
    let mut before = lines.trim_back(0, draft.start);
    let stop = before;
    while before > 0 && (is_word(lines.byte(before - 1)) || lines.byte(before - 1) == b'.') {
        before -= 1;
    }
    if before < stop {
        draft.set_start(before);
    }
}

/// `f(a.b=1)`: the range ends with the equals sign.
fn keyword_target(draft: &mut Draft) {
    let lines = draft.lines;
    let mut start = draft.start;
    if draft.info.message.starts_with("cannot") {
        let before = lines.trim_back(0, start);
        if before == 0 || !matches!(lines.byte(before - 1), b'(' | b',') {
            return;
        }
    } else if start > 0 && lines.byte(start) == b'(' && lines.byte(start - 1) == b'(' {
        start += 1;
        draft.set_start(start);
    }
    let equals = lines.forward(start, |rest| rest[0] == b'=' || rest[0] == b',');
    if lines.byte(equals) == b'=' {
        draft.set_end(equals + 1);
    }
}

/// `a if b` without `else`: the range is all of it.
fn conditional(draft: &mut Draft) {
    let lines = draft.lines;
    if lines.byte(draft.start) == b':' {
        draft.invalid_syntax_at(draft.start);
        return;
    }
    let end = lines.trim_back(0, draft.start);
    let line_start = lines.text[..end].rfind('\n').map_or(0, |newline| newline + 1);
    let mut begin = line_start;
    let mut open = Vec::new();
    let mut at = line_start;
    while at < end {
        let byte = lines.byte(at);
        match byte {
            b'\'' | b'"' => {
                at = lines.skip_string(at);
                continue;
            }
            b'(' | b'[' | b'{' => {
                open.push(begin);
                begin = at + 1;
            }
            b')' | b']' | b'}' => begin = open.pop().unwrap_or(begin),
            b',' | b'=' | b':' | b';' => begin = at + 1,
            _ if is_word(byte) => {
                let word_end = lines.token_end(at);
                if matches!(
                    &lines.bytes()[at..word_end],
                    b"return" | b"yield" | b"lambda" | b"else" | b"assert" | b"raise"
                ) {
                    begin = word_end;
                }
                at = word_end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    draft.set_start(lines.skip_blanks(begin));
    draft.set_end(end);
}

/// "cannot assign to X", and whether a comparison may have been meant.
fn assignment(draft: &mut Draft) {
    const HINT: &str = " here. Maybe you meant '==' instead of '='?";
    /// What `|`, `+` and their operands can be.
    const OPERANDS: [&str; 14] = [
        "function call",
        "literal",
        "expression",
        "list comprehension",
        "set comprehension",
        "dict comprehension",
        "dict literal",
        "set display",
        "f-string expression",
        "t-string expression",
        "ellipsis",
        "await expression",
        "yield expression",
        "named expression",
    ];
    let lines = draft.lines;
    let what = draft.info.message["cannot assign to ".len()..].trim_end_matches(HINT).to_owned();
    if !OPERANDS.contains(&what.as_str()) {
        return;
    }
    let mut equals = lines.skip_blanks(draft.end);
    while lines.byte(equals) == b')' {
        equals = lines.skip_blanks(equals + 1);
    }
    if lines.byte(equals) != b'=' || lines.byte(equals + 1) == b'=' {
        return;
    }
    let operand = lines.skip_blanks(equals + 1);
    let operand_end = lines.forward(operand, ends_operand);
    let missing = lines.trim_back(operand, operand_end) == operand;
    let operand_target = lines.trim_back(draft.start, lines.forward(draft.start, ends_operand)) >= draft.end;
    let chained = lines.byte(operand_end) == b'=' && lines.byte(operand_end + 1) != b'=';
    let before = lines.trim_back(0, draft.start);
    let alone = before == 0 || matches!(lines.byte(before - 1), b'\n' | b'(' | b'[' | b'{' | b',' | b';' | b':' | b'=');
    draft.info.message = if missing || chained || !alone || !operand_target {
        format!("cannot assign to {what}")
    } else {
        format!("cannot assign to {what}{HINT}")
    };
}

/// The literal begins with its prefix; the error has no extent.
fn unterminated(draft: &mut Draft) {
    let lines = draft.lines;
    let mut at = draft.start;
    if draft.info.message.contains("f-string") || draft.info.message.contains("t-string") {
        while at > 0 && matches!(lines.byte(at - 1), b'f' | b'F' | b'r' | b'R' | b't' | b'T') {
            at -= 1;
        }
    }
    draft.set_point(at);
}

/// The quote that ends the f-string around `at`, searched from `at` on.
fn closing_quote(lines: &Lines, at: usize) -> Option<usize> {
    let line_start = lines.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let quote = lines.bytes()[line_start..at].iter().copied().find(|byte| matches!(byte, b'\'' | b'"'))?;
    lines.bytes()[at..].iter().position(|&byte| byte == quote).map(|found| at + found)
}

fn interpolated(draft: &mut Draft, rest: &str) {
    let lines = draft.lines;
    match rest {
        "expecting a valid expression after '{'" if lines.byte(draft.start) == b'{' => {
            let mut next = draft.start + 1;
            while matches!(lines.byte(next), b' ' | b'\t' | b'\n') {
                next += 1;
            }
            draft.set_token(next);
        }
        "expecting '}'" => {
            if let Some(quote) = closing_quote(lines, draft.start) {
                draft.set_point(quote);
            }
        }
        "expecting '}', or format specs" => {
            if let Some(quote) = closing_quote(lines, draft.start) {
                draft.set_start(quote);
                draft.set_end(quote + 1);
            }
        }
        "lambda expressions are not allowed without parentheses" => {
            let colon = lines.forward(draft.start, |rest| rest[0] == b':');
            draft.set_end(colon + 1);
        }
        "expressions nested too deeply" => draft.info.end_column = draft.info.column,
        _ if rest.starts_with("single '}'")
            || rest.starts_with("unmatched")
            || rest.starts_with("closing parenthesis") =>
        {
            draft.info.end_column = draft.info.column;
        }
        _ => {}
    }
}
