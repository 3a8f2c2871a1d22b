//! Where to point inside an expression: at the operator, or at the brackets of a call or subscript.
//!
//! Only the outermost operation of the expression matters, so a tokenizer and the operators' ranks are
//! enough: no parser runs, and nothing but a list of tokens is allocated.

use hognose_allocators::NoMemory;
use hognose_allocators::collections::TryVec;

/// A character's place: line and column, both from 0.
pub type Place = (usize, usize);

/// The operator, or the brackets with what is in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchors {
    /// The first character.
    pub start: Place,
    /// Behind the last character.
    pub end: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A name that can be an operand.
    Name,
    /// A keyword that makes the expression none of those with anchors.
    Keyword,
    Number,
    Text,
    Open,
    Close,
    Operator,
}

#[derive(Clone, Copy)]
struct Token {
    kind: Kind,
    start: Place,
    end: Place,
    /// An operator's characters, those of a keyword of three, or [`AWAIT`].
    text: [u8; 3],
}

const KEYWORDS: [&str; 32] = [
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
    "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise",
    "return", "try", "while", "with", "yield",
];

struct Tokenizer<'a> {
    lines: &'a [TryVec<u32>],
    at: Place,
    end: Place,
}

fn is_name_char(ch: u32) -> bool {
    ch == u32::from(b'_') || ch >= 0x80 || char::from_u32(ch).is_some_and(|c| c.is_ascii_alphanumeric())
}

fn is_digit(ch: u32) -> bool {
    (u32::from(b'0')..=u32::from(b'9')).contains(&ch)
}

impl Tokenizer<'_> {
    fn peek_at(&self, ahead: usize) -> Option<u32> {
        let (line, column) = (self.at.0, self.at.1 + ahead);
        if (line, column) >= self.end {
            return None;
        }
        self.lines.get(line)?.get(column).copied()
    }

    fn peek(&self) -> Option<u8> {
        // What is beyond ASCII is a letter to the tokenizer.
        self.peek_at(0).map(|ch| u8::try_from(ch).unwrap_or(b'a'))
    }

    fn next_line(&mut self) -> bool {
        self.at = (self.at.0 + 1, 0);
        self.at < self.end && self.at.0 < self.lines.len()
    }

    fn token(&mut self) -> Option<Token> {
        loop {
            match self.peek() {
                None | Some(b'#' | b'\\') => {
                    if !self.next_line() {
                        return None;
                    }
                }
                Some(b' ' | b'\t' | 0x0c) => self.at.1 += 1,
                Some(_) => break,
            }
        }
        let start = self.at;
        let mut text = [0; 3];
        let first = self.peek_at(0)?;
        let kind = if is_digit(first) || first == u32::from(b'.') && self.peek_at(1).is_some_and(is_digit) {
            self.number();
            Kind::Number
        } else if is_name_char(first) {
            let kind = self.name();
            if kind == Kind::Keyword {
                let word = &self.lines[start.0][start.1..self.at.1];
                for (place, ch) in text.iter_mut().zip(word) {
                    *place = *ch as u8;
                }
                if word.len() > 3 && text != *AWAIT {
                    text = [0; 3];
                }
            }
            kind
        } else if first == u32::from(b'"') || first == u32::from(b'\'') {
            self.string(false);
            Kind::Text
        } else {
            text = self.operator();
            match text[0] {
                b'(' | b'[' | b'{' => Kind::Open,
                b')' | b']' | b'}' => Kind::Close,
                b'.' if text[1] == b'.' => Kind::Number,
                _ => Kind::Operator,
            }
        };
        Some(Token { kind, start, end: self.at, text })
    }

    fn number(&mut self) {
        let hex = self.peek_at(1).is_some_and(|ch| ch | 0x20 == u32::from(b'x'));
        while let Some(ch) = self.peek_at(0) {
            let exponent = !hex && ch | 0x20 == u32::from(b'e');
            if !is_name_char(ch) && ch != u32::from(b'.') {
                break;
            }
            self.at.1 += 1;
            if exponent && matches!(self.peek(), Some(b'+' | b'-')) {
                self.at.1 += 1;
            }
        }
    }

    fn name(&mut self) -> Kind {
        let start = self.at.1;
        let mut ascii = [0u8; 10];
        let mut length = 0;
        while let Some(ch) = self.peek_at(0).filter(|ch| is_name_char(*ch)) {
            if let Some(place) = ascii.get_mut(length) {
                *place = u8::try_from(ch).unwrap_or(b'?');
            }
            length = self.at.1 + 1 - start;
            self.at.1 += 1;
        }
        let word = ascii.get(..length).unwrap_or(b"");
        if length <= 2 && matches!(self.peek(), Some(b'"' | b'\'')) {
            let is_prefix = word.iter().all(|b| b"rRbBuUfFtT".contains(b));
            if is_prefix {
                self.string(word.iter().any(|b| b"fFtT".contains(b)));
                return Kind::Text;
            }
        }
        if KEYWORDS.iter().any(|k| k.as_bytes() == word) { Kind::Keyword } else { Kind::Name }
    }

    /// Skips a string from its opening quote on.
    fn string(&mut self, formatted: bool) {
        let Some(quote) = self.peek() else { return };
        let triple = self.peek_at(1) == Some(quote.into()) && self.peek_at(2) == Some(quote.into());
        self.at.1 += if triple { 3 } else { 1 };
        let mut depth = 0usize;
        loop {
            match self.peek() {
                None => {
                    if !self.next_line() {
                        return;
                    }
                    continue;
                }
                Some(b'\\') => self.at.1 += 1,
                Some(b'{') if formatted => {
                    if depth == 0 && self.peek_at(1) == Some(u32::from(b'{')) {
                        self.at.1 += 1;
                    } else {
                        depth += 1;
                    }
                }
                Some(b'}') if formatted => depth = depth.saturating_sub(1),
                Some(b'"' | b'\'') if depth > 0 => {
                    self.string(false);
                    continue;
                }
                Some(ch) if ch == quote => {
                    if !triple {
                        self.at.1 += 1;
                        return;
                    }
                    if self.peek_at(1) == Some(quote.into()) && self.peek_at(2) == Some(quote.into()) {
                        self.at.1 += 3;
                        return;
                    }
                }
                Some(_) => {}
            }
            self.at.1 += 1;
        }
    }

    fn operator(&mut self) -> [u8; 3] {
        let mut text = [0u8; 3];
        for (ahead, place) in text.iter_mut().enumerate() {
            *place = self.peek_at(ahead).and_then(|ch| u8::try_from(ch).ok()).unwrap_or(0);
        }
        let length = match &text {
            b"**=" | b"//=" | b">>=" | b"<<=" | b"..." => 3,
            [b'*', b'*', _] | [b'/', b'/', _] | [b'<', b'<', _] | [b'>', b'>', _] | [b'-', b'>', _] => 2,
            [
                b'+' | b'-' | b'*' | b'/' | b'%' | b'@' | b'&' | b'|' | b'^' | b'=' | b'<' | b'>' | b'!' | b':',
                b'=',
                _,
            ] => 2,
            _ => 1,
        };
        self.at.1 += length;
        for place in &mut text[length..] {
            *place = 0;
        }
        text
    }
}

/// The rank of a binary operator, the loosest first.
fn rank(text: [u8; 3]) -> Option<u8> {
    Some(match &text {
        b"|\0\0" => 1,
        b"^\0\0" => 2,
        b"&\0\0" => 3,
        b"<<\0" | b">>\0" => 4,
        b"+\0\0" | b"-\0\0" => 5,
        b"*\0\0" | b"/\0\0" | b"//\0" | b"%\0\0" | b"@\0\0" => 6,
        b"**\0" => POWER,
        _ => return None,
    })
}

const POWER: u8 = 8;

/// The mark of the keyword `await`, which can stand inside an operand.
const AWAIT: &[u8; 3] = b"awa";

/// The anchors of the expression in `lines` from `start` to `end`, if it has any.
pub fn find(lines: &[TryVec<u32>], start: Place, end: Place) -> Result<Option<Anchors>, NoMemory> {
    let mut tokenizer = Tokenizer { lines, at: start, end };
    let mut tokens = TryVec::<Token>::new();
    while let Some(token) = tokenizer.token() {
        tokens.try_push(token)?;
    }
    Ok(of_expression(&tokens))
}

fn ends_operand(token: &Token) -> bool {
    matches!(token.kind, Kind::Name | Kind::Number | Kind::Text | Kind::Close)
}

fn of_expression(tokens: &[Token]) -> Option<Anchors> {
    let (mut depth, mut found): (usize, Option<(u8, usize)>) = (0, None);
    let mut last_open = None;
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Open => {
                if depth == 0 {
                    last_open = Some(index);
                }
                depth += 1;
            }
            Kind::Close => depth = depth.checked_sub(1)?,
            _ if depth > 0 => {}
            Kind::Keyword if token.text == *AWAIT => {}
            Kind::Keyword => return None,
            Kind::Operator if token.text == *b".\0\0" => {}
            Kind::Operator => {
                let is_binary = index > 0 && ends_operand(&tokens[index - 1]);
                match rank(token.text) {
                    Some(_) if !is_binary && !matches!(token.text[0], b'+' | b'-') => return None,
                    Some(rank) if is_binary => {
                        let better = match found {
                            None => true,
                            // Operators of a rank group to the left, but for the power.
                            Some((best, _)) => rank < best || rank == best && rank != POWER,
                        };
                        if better {
                            found = Some((rank, index));
                        }
                    }
                    Some(_) => {}
                    None if token.text == *b"~\0\0" && !is_binary => {}
                    None => return None,
                }
            }
            Kind::Name | Kind::Number | Kind::Text => {}
        }
    }
    if depth != 0 {
        return None;
    }
    let (first, last) = (tokens.first()?, tokens.last()?);
    let is_unary = first.kind == Kind::Operator;
    if let Some((rank, index)) = found {
        if is_unary && rank == POWER {
            return None;
        }
        let mut end = tokens[index].end;
        // CPython takes a parenthesis for the operator's second character, as its tree does not have it.
        if tokens[index].text[1] == 0
            && tokens.get(index + 1).is_some_and(|next| next.start == end)
            && is_parenthesized(&tokens[index + 1..])
        {
            end.1 += 1;
        }
        return Some(Anchors { start: tokens[index].start, end });
    }
    if is_unary || first.kind == Kind::Keyword || last.kind != Kind::Close {
        return None;
    }
    let open = last_open?;
    if open == 0 {
        // Parentheses around the whole.
        return if last.text[0] == b')' { of_expression(&tokens[1..tokens.len() - 1]) } else { None };
    }
    if !ends_operand(&tokens[open - 1]) || last.text[0] == b'}' {
        return None;
    }
    Some(Anchors { start: tokens[open].start, end: last.end })
}

/// Whether the tokens are an expression in parentheses that are not part of it (as those of a tuple are).
fn is_parenthesized(tokens: &[Token]) -> bool {
    let [first, inner @ .., _] = tokens else { return false };
    if first.text[0] != b'(' || inner.is_empty() {
        return false;
    }
    let mut depth = 1usize;
    for token in inner {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => {
                depth -= 1;
                if depth == 0 {
                    return false;
                }
            }
            Kind::Operator if depth == 1 && token.text[0] == b',' => return false,
            Kind::Keyword if depth == 1 && token.text == *b"for" => return false,
            _ => {}
        }
    }
    true
}

/// Whether the expression is the call of a plain name.
pub fn is_call_of_name(lines: &[TryVec<u32>], start: Place, anchors: &Anchors) -> bool {
    let is_call = lines[anchors.start.0].get(anchors.start.1) == Some(&u32::from(b'('));
    is_call && start.0 == anchors.start.0 && {
        let name = &lines[start.0][start.1..anchors.start.1];
        !name.is_empty() && name.iter().all(|ch| is_name_char(*ch)) && !is_digit(name[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::testing::TestHeap;

    fn anchors(text: &str) -> Option<(usize, usize)> {
        let mut line = TryVec::<u32>::new();
        for ch in text.chars() {
            line.try_push(ch.into()).expect("memory");
        }
        let mut lines = TryVec::new();
        let end = (0, line.len());
        lines.try_push(line).expect("memory");
        find(&lines, (0, 0), end).expect("memory").map(|a| (a.start.1, a.end.1))
    }

    #[test]
    fn the_loosest_operator_counts() {
        let _heap = TestHeap::new();
        assert_eq!(anchors("a + b * c"), Some((2, 3)));
        assert_eq!(anchors("a - b - c"), Some((6, 7)));
        assert_eq!(anchors("a ** b ** c"), Some((2, 4)));
        assert_eq!(anchors("-a ** b"), None);
        assert_eq!(anchors("-a * b"), Some((3, 4)));
        assert_eq!(anchors("(a + b)"), Some((3, 4)));
        assert_eq!(anchors("a < b"), None);
        assert_eq!(anchors("1e+5 // x"), Some((5, 7)));
        assert_eq!(anchors("x*(1-delta)"), Some((1, 3)));
        assert_eq!(anchors("await f() + await g()"), Some((10, 11)));
    }

    #[test]
    fn brackets_of_calls_and_subscripts() {
        let _heap = TestHeap::new();
        assert_eq!(anchors("f(1)(2, g(3))"), Some((4, 13)));
        assert_eq!(anchors("x.y[z[0]]"), Some((3, 9)));
        assert_eq!(anchors("x.y"), None);
        assert_eq!(anchors("f'{a + b}' % c"), Some((11, 12)));
        assert_eq!(anchors("[1, 2]"), None);
        assert_eq!(anchors("await f(x)"), None);
    }
}
