//! f-strings and t-strings, and literals that stand side by side.

use super::literals::decode_text;
use super::{Found, NIL, Parser, Stop};
use crate::tokenizer::{Token, kind};
use crate::tree::{Const, Kind, Place, Value};

impl Parser<'_> {
    /// The letter of the string around the last token that was taken, and whether it is raw.
    fn around(&self) -> (char, bool) {
        let tokens = self.tokens.borrow();
        let mut depth = 0usize;
        for token in tokens[..self.mark().min(tokens.len())].iter().rev() {
            match token.token.kind {
                kind::FSTRING_END | kind::TSTRING_END => depth += 1,
                kind::FSTRING_START | kind::TSTRING_START if depth > 0 => depth -= 1,
                found @ (kind::FSTRING_START | kind::TSTRING_START) => {
                    let raw = self.text_of(&token.token).contains(['r', 'R']);
                    return (if found == kind::FSTRING_START { 'f' } else { 't' }, raw);
                }
                _ => {}
            }
        }
        ('f', false)
    }

    /// `!r` and the like: the name and its exclamation mark.
    pub(super) fn conversion(&self, mark: Value, name: Value) -> Found {
        let ((mark_start, mark_end), (start, _)) = (self.span(mark), self.span(name));
        let (letter, _) = self.around();
        if mark_start.line != start.line || mark_end.column != start.column {
            let message = format!("{letter}-string: conversion type must come right after the exclamanation mark");
            return self.raise_range(mark, name, &message);
        }
        Ok(Some(self.list(&[name, mark])))
    }

    /// The number of a conversion.
    fn conversion_number(&self, debug: Value, conversion: Value, spec: Value) -> Result<Value, Stop> {
        if conversion != NIL {
            let name = self.first(conversion);
            let id = self.identifier(name);
            let id = self.tree.borrow().text(id).unwrap_or("").to_owned();
            if !matches!(id.as_str(), "s" | "r" | "a") {
                let (letter, _) = self.around();
                let message =
                    format!("{letter}-string: invalid conversion character '{id}': expected 's', 'r', or 'a'");
                self.raise_at(name, &message)?;
            }
            return Ok(Value::Int(id.bytes().next().unwrap_or(b's').into()));
        }
        Ok(Value::Int(if debug != NIL && spec == NIL { i32::from(b'r') } else { -1 }))
    }

    /// Behind a colon: the specification and the colon.
    pub(super) fn format_spec(&self, at: usize, colon: Value, parts: Value) -> Found {
        let (_, raw) = self.around();
        let mut values = Vec::new();
        for part in self.items(parts) {
            let part = match part {
                Value::Token(_) => match self.decoded(part, raw, false)? {
                    Some(part) => part,
                    None => continue,
                },
                part => part,
            };
            values.push(part);
        }
        let (start, end) = self.taken(at);
        let plain = values.is_empty() || (values.len() == 1 && self.kind_of(values[0]) == Some(Kind::Constant));
        let values = self.add_list(values);
        let spec = if plain {
            self.node_from(start, end, Kind::JoinedStr, &[values])
        } else {
            match self.joined(start, end, values, Kind::JoinedStr)? {
                Some(spec) => spec,
                None => return Ok(None),
            }
        };
        Ok(Some(self.list(&[spec, colon])))
    }

    /// The text of a token as a constant; None for no text.
    fn decoded(&self, value: Value, raw: bool, braces: bool) -> Found {
        let token = self.token(value);
        let mut text = self.text_of(&token);
        if braces && (text == "{{" || text == "}}") {
            text = &text[..1];
        }
        let text = match decode_text(text, raw) {
            Ok(text) => text,
            Err(message) => return self.raise(&message),
        };
        if text.is_empty() {
            return Ok(None);
        }
        let text = self.add_constant(Const::Str(text));
        Ok(Some(self.node_of(&token, &token, Kind::Constant, &[text, NIL])))
    }

    /// What the expression of a field looks like, and where it ends: told by what ends it.
    fn shown(&self, conversion: Value, spec: Value, close: Value) -> (String, Place) {
        let (token, place) = if conversion != NIL {
            (self.token(self.second(conversion)), self.span(self.first(conversion)).0)
        } else if spec != NIL {
            let start = self.span(self.first(spec)).0;
            (self.token(self.second(spec)), Place { column: start.column + 1, ..start })
        } else {
            let token = self.token(close);
            (token, Place { line: token.end_line, column: token.end_column })
        };
        (self.expression_text(&token), Place { column: place.column - 1, ..place })
    }

    /// The text that a token ends, without comments.
    fn expression_text(&self, token: &Token) -> String {
        let Some((start, end)) = token.shown else { return String::new() };
        let text = self.text.get(start..end).unwrap_or("");
        if !text.contains('#') {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let (mut quote, mut comment) = (None, false);
        for c in text.chars() {
            if comment {
                comment = c != '\n';
                if comment {
                    continue;
                }
            } else if let Some(open) = quote {
                if c == open {
                    quote = None;
                }
            } else if matches!(c, '\'' | '"') {
                quote = Some(c);
            } else if c == '#' {
                comment = true;
                continue;
            }
            out.push(c);
        }
        out
    }

    /// `{a!r:b}` of an f-string; with `=`, the text before it too.
    pub(super) fn formatted_value(
        &self,
        at: usize,
        expression: Value,
        debug: Value,
        conversion: Value,
        spec: Value,
        close: Value,
    ) -> Found {
        let number = self.conversion_number(debug, conversion, spec)?;
        let value = self.node(at, Kind::FormattedValue, &[expression, number, self.first(spec)]);
        Ok(Some(self.with_debug_text(at, value, debug, conversion, spec, close)))
    }

    /// `{a!r:b}` of a t-string.
    pub(super) fn interpolation(
        &self,
        at: usize,
        expression: Value,
        debug: Value,
        conversion: Value,
        spec: Value,
        close: Value,
    ) -> Found {
        let number = self.conversion_number(debug, conversion, spec)?;
        let (shown, _) = self.shown(conversion, spec, close);
        let shown = shown.trim_end_matches(|c: char| c.is_whitespace() || c == '=').to_owned();
        let shown = self.add_constant(Const::Str(shown.into_bytes()));
        let value = self.node(at, Kind::Interpolation, &[expression, shown, number, self.first(spec)]);
        Ok(Some(self.with_debug_text(at, value, debug, conversion, spec, close)))
    }

    fn with_debug_text(
        &self,
        at: usize,
        value: Value,
        debug: Value,
        conversion: Value,
        spec: Value,
        close: Value,
    ) -> Value {
        if debug == NIL {
            return value;
        }
        let (start, _) = self.taken(at);
        let (shown, end) = self.shown(conversion, spec, close);
        let shown = self.add_constant(Const::Str(shown.into_bytes()));
        let text_start = Place { column: start.column + 1, ..start };
        let text = self.node_from(text_start, end, Kind::Constant, &[shown, NIL]);
        let both = self.list(&[text, value]);
        self.node_from(start, Place { column: end.column + 1, ..end }, Kind::JoinedStr, &[both])
    }

    /// All of an f-string or a t-string.
    pub(super) fn interpolated(&self, open: Value, parts: Value, close: Value, kind: Kind) -> Found {
        let raw = self.token_text(open).contains(['r', 'R']);
        let mut values = Vec::new();
        for part in self.items(parts) {
            match part {
                Value::Token(_) => values.extend(self.decoded(part, raw, true)?),
                // The text before `=` and the field.
                part if self.kind_of(part) == Some(Kind::JoinedStr) => {
                    values.extend(self.items(self.field(part, 0)));
                }
                part => values.push(part),
            }
        }
        let values = self.add_list(values);
        let ((start, _), (_, end)) = (self.span(open), self.span(close));
        Ok(Some(self.node_from(start, end, kind, &[values])))
    }

    /// Literals side by side as one.
    pub(super) fn concatenate(&self, at: usize, strings: Value, kind: Kind) -> Found {
        let (start, end) = self.taken(at);
        self.joined(start, end, strings, kind)
    }

    fn joined(&self, start: Place, end: Place, strings: Value, kind: Kind) -> Found {
        let strings = self.items(strings);
        let (mut text, mut bytes, mut interpolated) = (false, false, kind == Kind::TemplateStr);
        for &string in &strings {
            match self.kind_of(string) {
                Some(Kind::Constant) if self.is_bytes(string) => bytes = true,
                Some(Kind::Constant) => text = true,
                _ => interpolated = true,
            }
        }
        if bytes && (text || interpolated) {
            return self.raise("cannot mix bytes and nonbytes literals");
        }
        if !interpolated {
            if strings.len() == 1 {
                return Ok(Some(strings[0]));
            }
            let constant = self.together(&strings);
            let unicode = self.field(strings[0], 1);
            return Ok(Some(self.node_from(start, end, Kind::Constant, &[constant, unicode])));
        }
        let mut flat = Vec::new();
        for string in strings {
            match self.kind_of(string) {
                Some(Kind::JoinedStr | Kind::TemplateStr) => flat.extend(self.items(self.field(string, 0))),
                _ => flat.push(string),
            }
        }
        let mut values = Vec::new();
        for run in flat.chunk_by(|&one, &other| {
            self.kind_of(one) == Some(Kind::Constant) && self.kind_of(other) == Some(Kind::Constant)
        }) {
            if self.kind_of(run[0]) != Some(Kind::Constant) {
                values.extend_from_slice(run);
                continue;
            }
            let constant = self.together(run);
            if matches!(self.tree.borrow().constant(constant), Some(Const::Str(text)) if text.is_empty()) {
                continue;
            }
            let (first, last) = (self.span(run[0]).0, self.span(run[run.len() - 1]).1);
            let unicode = self.field(run[0], 1);
            values.push(self.node_from(first, last, Kind::Constant, &[constant, unicode]));
        }
        let values = self.add_list(values);
        Ok(Some(self.node_from(start, end, kind, &[values])))
    }

    fn is_bytes(&self, string: Value) -> bool {
        let constant = self.field(string, 0);
        matches!(self.tree.borrow().constant(constant), Some(Const::Bytes(_)))
    }

    /// Constants, all of text or all of bytes, as one.
    fn together(&self, strings: &[Value]) -> Value {
        let (mut all, mut bytes) = (Vec::new(), false);
        for &string in strings {
            let constant = self.field(string, 0);
            match self.tree.borrow().constant(constant) {
                Some(Const::Str(text)) => all.extend_from_slice(text),
                Some(Const::Bytes(found)) => {
                    bytes = true;
                    all.extend_from_slice(found);
                }
                _ => {}
            }
        }
        self.add_constant(if bytes { Const::Bytes(all) } else { Const::Str(all) })
    }
}
