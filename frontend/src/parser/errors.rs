//! Errors: their sentences and where CPython points to.

use super::{Found, NIL, Parser, Stop};
use crate::error::{CompileError, SyntaxErrorInfo, SyntaxErrorKind};
use crate::tokenizer::{Done, Step, Token, kind};
use crate::tree::{Const, Kind, Value};

/// What kind of target a statement wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Targets {
    Star,
    Del,
    For,
}

/// Where an error is, as CPython counts before it counts characters: lines from 1, columns in bytes from 1.
#[derive(Debug, Clone, Copy)]
struct Range {
    line: i32,
    column: i32,
    end_line: i32,
    end_column: i32,
}

impl Parser<'_> {
    /// A sentence about a token or a node.
    pub(super) fn raise_at(&self, value: Value, message: &str) -> Found {
        self.raise_range(value, value, message)
    }

    /// A sentence about all from one thing to another.
    pub(super) fn raise_range(&self, first: Value, last: Value, message: &str) -> Found {
        let ((start, _), (_, end)) = (self.span(first), self.span(last));
        let range =
            Range { line: start.line, column: start.column + 1, end_line: end.line, end_column: end.column + 1 };
        self.raise_known(SyntaxErrorKind::SyntaxError, range, message)
    }

    /// A sentence about all from a thing to where the tokenizer is.
    pub(super) fn raise_from(&self, first: Value, message: &str) -> Found {
        let (start, _) = self.span(first);
        let (end_line, end_column) = {
            let tokenizer = self.tokenizer.borrow();
            (tokenizer.line(), tokenizer.column())
        };
        let range = Range { line: start.line, column: start.column + 1, end_line, end_column };
        self.raise_known(SyntaxErrorKind::SyntaxError, range, message)
    }

    /// A sentence about the next token.
    pub(super) fn raise_next(&self, message: &str) -> Found {
        self.peek()?;
        let token = self.token(Value::Token(self.mark() as u32));
        self.raise_about(SyntaxErrorKind::SyntaxError, &token, message)
    }

    /// A sentence about the last token that was read.
    pub(super) fn raise(&self, message: &str) -> Found {
        self.raise_last(SyntaxErrorKind::SyntaxError, message)
    }

    pub(super) fn raise_indentation(&self, message: &str) -> Found {
        self.raise_last(SyntaxErrorKind::IndentationError, message)
    }

    /// What came with Python 3.`minor`, unless the text is of an older version.
    pub(super) fn since(&self, minor: u8, what: &str, value: Value) -> Found {
        if self.options.feature_version < minor {
            return self.raise(&format!("{what} only supported in Python 3.{minor} and greater"));
        }
        Ok(Some(value))
    }

    /// The block of a statement is not there.
    pub(super) fn no_block(&self, what: &str, word: Value) -> Found {
        let (start, _) = self.span(word);
        self.raise_indentation(&format!("expected an indented block after {what} on line {}", start.line))
    }

    fn raise_last(&self, kind: SyntaxErrorKind, message: &str) -> Found {
        let last = self.tokens.borrow().last().map(|token| token.token);
        match last {
            Some(token) => self.raise_about(kind, &token, message),
            None => {
                let range = Range { line: 0, column: 0, end_line: 0, end_column: -1 };
                self.raise_known(kind, range, message)
            }
        }
    }

    fn raise_about(&self, kind: SyntaxErrorKind, token: &Token, message: &str) -> Found {
        let column = if token.column == -1 { self.tokenizer.borrow().column() } else { token.column + 1 };
        let end_column = if token.end_column == -1 { -1 } else { token.end_column + 1 };
        let range = Range { line: token.line, column, end_line: token.end_line, end_column };
        self.raise_known(kind, range, message)
    }

    fn raise_known(&self, kind: SyntaxErrorKind, range: Range, message: &str) -> Found {
        if self.error.borrow().is_some() {
            return Err(Stop);
        }
        let text = self.error_line(range.line);
        let characters = |column: i32| {
            let Ok(wanted) = usize::try_from(column) else { return column };
            let line = text.as_bytes();
            let past = i32::from(wanted > line.len());
            String::from_utf8_lossy(&line[..wanted.min(line.len())]).chars().count() as i32 + past
        };
        let info = SyntaxErrorInfo {
            kind,
            message: message.to_owned(),
            line: range.line.max(0) as u32,
            column: characters(range.column),
            end_line: range.end_line.max(0) as u32,
            end_column: if range.end_column > 0 { characters(range.end_column) } else { range.end_column },
            text: Some(text),
        };
        *self.error.borrow_mut() = Some(info.into());
        Err(Stop)
    }

    /// The line that an error shows: with its newline while the tokenizer is on it.
    fn error_line(&self, line: i32) -> String {
        let tokenizer = self.tokenizer.borrow();
        let (start, end) = tokenizer.held_lines();
        if tokenizer.line() <= line && end > start {
            return self.text[start..end].to_owned();
        }
        self.text.split('\n').nth((line.max(1) - 1) as usize).unwrap_or("").to_owned()
    }

    /// What the tokenizer's failure means.
    pub(super) fn tokenizer_error(&self) -> Result<(), Stop> {
        let (done, error, line) = {
            let mut tokenizer = self.tokenizer.borrow_mut();
            (tokenizer.done(), tokenizer.take_error(), tokenizer.line())
        };
        if let Some(error) = error {
            if self.error.borrow().is_none() {
                *self.error.borrow_mut() = Some(self.tokenizer_sentence(&error));
            }
            return Err(Stop);
        }
        let (kind, message, column) = match done {
            Done::Eof => return self.unexpected_end(),
            Done::Dedent => {
                let message = "unindent does not match any outer indentation level";
                return self.raise_indentation(message).map(drop);
            }
            Done::TabSpace => (SyntaxErrorKind::TabError, "inconsistent use of tabs and spaces in indentation", 1),
            Done::TooDeep => (SyntaxErrorKind::IndentationError, "too many levels of indentation", 1),
            Done::LineContinuation => {
                let tokenizer = self.tokenizer.borrow();
                let column = (tokenizer.offsets().0 - tokenizer.held_lines().0) as i32;
                (SyntaxErrorKind::SyntaxError, "unexpected character after line continuation character", column)
            }
            _ => (SyntaxErrorKind::SyntaxError, "unknown parsing error", 1),
        };
        let range = Range { line, column, end_line: line, end_column: 0 };
        self.raise_known(kind, range, message).map(drop)
    }

    fn tokenizer_sentence(&self, error: &crate::tokenizer::TokenError) -> CompileError {
        SyntaxErrorInfo {
            kind: error.kind,
            message: error.message.clone(),
            line: error.line.max(0) as u32,
            column: error.column,
            end_line: error.line.max(0) as u32,
            end_column: error.end_column,
            text: Some(self.text[error.text.0..error.text.1].to_owned()),
        }
        .into()
    }

    fn unexpected_end(&self) -> Result<(), Stop> {
        let open = self.tokenizer.borrow().open_bracket();
        match open {
            Some(_) => self.never_closed(),
            None => self.raise("unexpected EOF while parsing").map(drop),
        }
    }

    fn never_closed(&self) -> Result<(), Stop> {
        let Some(open) = self.tokenizer.borrow().open_bracket() else { return Err(Stop) };
        let range = Range { line: open.line, column: open.column + 1, end_line: open.line, end_column: 0 };
        let message = format!("'{}' was never closed", char::from(open.byte));
        self.raise_known(SyntaxErrorKind::SyntaxError, range, &message).map(drop)
    }

    /// The text has been refused: finds out why, by parsing it again with the rules for that.
    pub(super) fn explain<T>(&self) -> Result<T, Stop> {
        let done = self.tokenizer.borrow().done();
        if self.options.incomplete_input && matches!(done, Done::Eof | Done::EofInString | Done::EndOfLineInString) {
            self.error.borrow_mut().take();
            self.raise_last(SyntaxErrorKind::IncompleteInput, "incomplete input")?;
        }
        let last = self.tokens.borrow().last().map(|token| token.token);
        if self.error.borrow().is_none() {
            for token in self.tokens.borrow().iter() {
                token.memo.borrow_mut().clear();
            }
            self.reset(0);
            self.level.set(0);
            self.explaining.set(true);
            // Only what it says on the way matters.
            let _ = self.start_rule();
        }
        self.settle(last);
        Err(Stop)
    }

    /// Chooses between what was found on the way and what a tokenizer would say further on.
    fn settle(&self, last: Option<Token>) {
        if self.error.borrow().is_some() {
            let parsers_own = self.tokenizer.borrow().done() == Done::Ok
                && matches!(&*self.error.borrow(), Some(CompileError::Syntax(_)));
            if parsers_own {
                self.read_on();
            }
            return;
        }
        let Some(last) = last else {
            let _ = self.raise("error at start before reading any input");
            return;
        };
        if last.kind == kind::ERRORTOKEN && self.tokenizer.borrow().done() == Done::Eof {
            let _ = self.unexpected_end();
            return;
        }
        if last.kind == kind::INDENT || last.kind == kind::DEDENT {
            let message = if last.kind == kind::INDENT { "unexpected indent" } else { "unexpected unindent" };
            let _ = self.raise_indentation(message);
            return;
        }
        let range = Range {
            line: last.line,
            column: last.column + 1,
            end_line: last.end_line,
            end_column: last.end_column + 1,
        };
        let _ = self.raise_known(SyntaxErrorKind::SyntaxError, range, "invalid syntax");
        self.read_on();
    }

    /// Reads the rest of the text for errors of the tokenizer's, which come before the parser's.
    fn read_on(&self) {
        let line = self.tokens.borrow().last().map_or(0, |token| token.token.line);
        loop {
            let step = self.tokenizer.borrow_mut().step(self.text.as_bytes(), true);
            match step {
                Step::Token(token) if token.kind == kind::ENDMARKER => return,
                Step::Token(_) => {}
                Step::NeedMore => return,
                Step::Failed => {
                    let (error, open) = {
                        let mut tokenizer = self.tokenizer.borrow_mut();
                        (tokenizer.take_error(), tokenizer.open_bracket())
                    };
                    let in_string = self.tokenizer.borrow().is_in_string();
                    if in_string {
                        // What is wrong inside of an f-string further on does not come first.
                    } else if let Some(error) = error {
                        let sentence = self.tokenizer_sentence(&error);
                        *self.error.borrow_mut() = Some(sentence);
                    } else if open.is_some_and(|open| line > open.line) {
                        self.error.borrow_mut().take();
                        let _ = self.never_closed();
                    }
                    return;
                }
            }
        }
    }

    // Sentences that depend on what was found.

    /// What an expression is called in a sentence.
    pub(super) fn describe(&self, value: Value) -> &'static str {
        let Some(node) = self.node_at(value) else { return "" };
        match node.kind {
            Kind::Attribute => "attribute",
            Kind::Subscript => "subscript",
            Kind::Starred => "starred",
            Kind::Name => "name",
            Kind::List => "list",
            Kind::Tuple => "tuple",
            Kind::Lambda => "lambda",
            Kind::Call => "function call",
            Kind::BoolOp | Kind::BinOp | Kind::UnaryOp => "expression",
            Kind::GeneratorExp => "generator expression",
            Kind::Yield | Kind::YieldFrom => "yield expression",
            Kind::Await => "await expression",
            Kind::ListComp => "list comprehension",
            Kind::SetComp => "set comprehension",
            Kind::DictComp => "dict comprehension",
            Kind::Dict => "dict literal",
            Kind::Set => "set display",
            Kind::JoinedStr | Kind::FormattedValue => "f-string expression",
            Kind::TemplateStr | Kind::Interpolation => "t-string expression",
            Kind::Compare => "comparison",
            Kind::IfExp => "conditional expression",
            Kind::NamedExpr => "named expression",
            Kind::Constant => match self.tree.borrow().constant(node.fields[0]) {
                Some(Const::None) => "None",
                Some(Const::True) => "True",
                Some(Const::False) => "False",
                Some(Const::Ellipsis) => "ellipsis",
                _ => "literal",
            },
            _ => "expression",
        }
    }

    pub(super) fn invalid_target(&self, value: Value, targets: Targets) -> Found {
        let Some(wrong) = self.wrong_target(value, targets) else { return Ok(None) };
        let verb = if targets == Targets::Del { "delete" } else { "assign to" };
        self.raise_at(wrong, &format!("cannot {verb} {}", self.describe(wrong)))
    }

    fn is_legacy(&self, name: Value) -> bool {
        if self.kind_of(name) != Some(Kind::Name) {
            return false;
        }
        let id = self.identifier(name);
        matches!(self.tree.borrow().text(id), Some("print" | "exec"))
    }

    pub(super) fn legacy_statement(&self, name: Value, rest: Value) -> Found {
        if !self.is_legacy(name) {
            return Ok(None);
        }
        let id = self.identifier(name);
        let id = self.tree.borrow().text(id).unwrap_or("").to_owned();
        self.raise_range(name, rest, &format!("Missing parentheses in call to '{id}'. Did you mean {id}(...)?"))
    }

    pub(super) fn missing_comma(&self, first: Value, second: Value) -> Found {
        if self.is_legacy(first) || !self.in_brackets() {
            return Ok(None);
        }
        self.raise_range(first, second, "invalid syntax. Perhaps you forgot a comma?")
    }

    /// Whether the last token that was taken is inside of brackets.
    fn in_brackets(&self) -> bool {
        let tokens = self.tokens.borrow();
        let mut depth = 0i32;
        for token in &tokens[..self.mark()] {
            match token.token.kind {
                kind::LPAR | kind::LSQB | kind::LBRACE => depth += 1,
                kind::RPAR | kind::RSQB | kind::RBRACE => depth -= 1,
                _ => {}
            }
        }
        depth > 0
    }

    pub(super) fn bound_words(&self, bound: Value, many: &'static str, one: &'static str) -> &'static str {
        if self.kind_of(bound) == Some(Kind::Tuple) { many } else { one }
    }

    /// The last condition of the last clause of a comprehension, or what it goes over.
    pub(super) fn last_part(&self, clauses: Value) -> Value {
        let clause = self.tail(clauses);
        let conditions = self.field(clause, 2);
        match self.tail(conditions) {
            NIL => self.field(clause, 1),
            condition => condition,
        }
    }

    pub(super) fn bare_generator(&self, call: Value, clauses: Value) -> Found {
        let args = self.items(self.call_args(call));
        match args.last() {
            Some(&last) if args.len() > 1 => {
                self.raise_range(last, self.last_part(clauses), "Generator expression must be parenthesized")
            }
            _ => Ok(None),
        }
    }

    pub(super) fn late_positional(&self, call: Value) -> Found {
        let unpacks = self.items(self.call_keywords(call)).into_iter().any(|keyword| self.field(keyword, 0) == NIL);
        self.raise(if unpacks {
            "positional argument follows keyword argument unpacking"
        } else {
            "positional argument follows keyword argument"
        })
    }

    pub(super) fn missing_colon(&self, key: Value) -> Found {
        let (start, end) = self.span(key);
        let range = Range { line: start.line, column: end.column, end_line: end.line, end_column: 0 };
        self.raise_known(SyntaxErrorKind::SyntaxError, range, "':' expected after dictionary key")
    }
}
