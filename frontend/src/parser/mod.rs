//! The parser of syntax trees and of syntax errors.
//!
//! `grammar/python.peg` is the grammar; what is here is the machine that its rules run on. A text is parsed by them
//! once; when that fails, once more with the rules that know what could be meant. The parser goes on where CPython's
//! does and stops where it does, so that an error's sentence and place are CPython's.
//!
//! It is not what ordinary compilation uses: the parser crate is several times as fast, and has the word as long as a
//! text is right.
//!
//! | file | what |
//! |---|---|
//! | `rules` | the functions that the build script makes of the grammar |
//! | `actions` | what the rules make of what they find |
//! | `errors` | errors and their places |
//! | `literals` | numbers and strings |
//! | `interpolated` | f-strings and t-strings |
//!
//! Invariants:
//! - P1: a rule that finds nothing leaves the mark where it was.
//! - P2: after `Err(Stop)` no rule goes on; `error` says why.

mod actions;
mod errors;
mod interpolated;
mod literals;
mod rules;

use std::cell::{Cell, RefCell};

use crate::error::CompileError;
use crate::tokenizer::{Flavor, Step, Token, Tokenizer, kind};
use crate::tree::{Kind, Tree, Value};

/// Rules inside each other: as deep as a text may be. Reached before the memory for the stack is too much.
const MAX_LEVEL: usize = 100_000;
/// A rule that calls itself has this much stack, or gets more.
const RED_ZONE: usize = 512 << 10;
const STACK_STEP: usize = 8 << 20;

const NIL: Value = Value::None;

/// The parse is over; the parser holds the error.
#[derive(Debug, Clone, Copy)]
pub struct Stop;

/// What a rule finds, or nothing.
pub type Found = Result<Option<Value>, Stop>;

/// What kind of text to parse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    File,
    Interactive,
    Eval,
    FuncType,
}

/// How to parse.
#[derive(Debug, Clone, Copy)]
pub struct ParseOptions {
    pub start: Start,
    pub type_comments: bool,
    /// Tell a text that ends too early from one that is wrong.
    pub incomplete_input: bool,
    /// Blocks stay open at the end of an interactive text.
    pub dont_imply_dedent: bool,
    /// `<>` and not `!=`.
    pub barry_as_flufl: bool,
    /// The longest decimal integer; 0 is no limit.
    pub int_max_str_digits: usize,
    /// The minor version of Python 3 whose grammar it is.
    pub feature_version: u8,
}

/// A token of the parser, with what it has been made into.
struct ParserToken {
    token: Token,
    made: Cell<Option<Value>>,
    memo: RefCell<Vec<(u16, Option<Value>, usize)>>,
}

/// The parser of one text.
pub struct Parser<'a> {
    text: &'a str,
    options: ParseOptions,
    tokenizer: RefCell<Tokenizer>,
    tokens: RefCell<Vec<ParserToken>>,
    mark: Cell<usize>,
    level: Cell<usize>,
    explaining: Cell<bool>,
    started: Cell<bool>,
    error: RefCell<Option<CompileError>>,
    tree: RefCell<Tree>,
    type_ignores: RefCell<Vec<Value>>,
    /// Nodes without fields, made once.
    constants: RefCell<Vec<(Kind, Value)>>,
}

/// Parses `text`, whose lines end in newlines (but for the last, if it is no file).
///
/// # Errors
/// See [`CompileError`]; CPython's error for a text that is wrong.
pub fn parse(text: &str, options: ParseOptions) -> Result<Tree, CompileError> {
    let parser = Parser::new(text, options);
    match parser.run() {
        Ok(root) => {
            let mut tree = parser.tree.into_inner();
            tree.root = root;
            Ok(tree)
        }
        Err(Stop) => Err(parser
            .error
            .into_inner()
            .unwrap_or_else(|| CompileError::Internal("the parser stopped without a reason".into()))),
    }
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, options: ParseOptions) -> Self {
        let flavor = Flavor { extra_tokens: false, type_comments: options.type_comments };
        Self {
            text,
            options,
            tokenizer: RefCell::new(Tokenizer::new(flavor)),
            tokens: RefCell::new(Vec::new()),
            mark: Cell::new(0),
            level: Cell::new(0),
            explaining: Cell::new(false),
            started: Cell::new(false),
            error: RefCell::new(None),
            tree: RefCell::new(Tree::default()),
            type_ignores: RefCell::new(Vec::new()),
            constants: RefCell::new(Vec::new()),
        }
    }

    fn start_rule(&self) -> Found {
        match self.options.start {
            Start::File => rules::file(self),
            Start::Interactive => rules::interactive(self),
            Start::Eval => rules::eval(self),
            Start::FuncType => rules::func_type(self),
        }
    }

    fn run(&self) -> Result<u32, Stop> {
        match self.start_rule() {
            Ok(Some(Value::Node(root))) => {
                if self.options.start == Start::Interactive && self.more_statements() {
                    return self.raise("multiple statements found while compiling a single statement").and(Err(Stop));
                }
                return Ok(root);
            }
            Ok(_) => {}
            Err(Stop) if matches!(&*self.error.borrow(), Some(CompileError::Syntax(_)) | None) => {}
            Err(Stop) => return Err(Stop),
        }
        self.explain()
    }

    /// Whether something is left behind an interactive statement.
    fn more_statements(&self) -> bool {
        let (mut at, _) = self.tokenizer.borrow().offsets();
        let bytes = self.text.as_bytes();
        loop {
            while bytes.get(at).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | 0x0c)) {
                at += 1;
            }
            match bytes.get(at) {
                None => return false,
                Some(b'#') => at += bytes[at..].iter().take_while(|&&byte| byte != b'\n').count(),
                Some(_) => return true,
            }
        }
    }

    // What the rules are made of.

    fn mark(&self) -> usize {
        self.mark.get()
    }

    fn reset(&self, mark: usize) {
        self.mark.set(mark);
    }

    fn explaining(&self) -> bool {
        self.explaining.get()
    }

    /// Without explanations.
    fn plainly(&self, rule: impl FnOnce() -> Found) -> Found {
        let before = self.explaining.replace(false);
        let found = rule();
        self.explaining.set(before);
        found
    }

    fn enter(&self) -> Result<(), Stop> {
        let level = self.level.get() + 1;
        self.level.set(level);
        if level > MAX_LEVEL {
            let message = "Parser stack overflowed - Python source too complex to parse";
            *self.error.borrow_mut() = Some(CompileError::TooLarge(message.into()));
            return Err(Stop);
        }
        Ok(())
    }

    fn leave(&self) {
        self.level.set(self.level.get() - 1);
    }

    /// Runs a rule that may be far down.
    fn deep(&self, rule: impl FnOnce() -> Found) -> Found {
        stacker::maybe_grow(RED_ZONE, STACK_STEP, rule)
    }

    /// What is found without explanations is remembered apart from what is found with them.
    fn memo_key(&self, rule: u16) -> u16 {
        rule | u16::from(self.explaining.get()) << 15
    }

    fn recall(&self, rule: u16) -> Option<Option<Value>> {
        let rule = self.memo_key(rule);
        let tokens = self.tokens.borrow();
        let memo = tokens.get(self.mark())?.memo.borrow();
        let &(_, found, mark) = memo.iter().find(|entry| entry.0 == rule)?;
        self.reset(mark);
        Some(found)
    }

    fn remember(&self, at: usize, rule: u16, found: Option<Value>, mark: usize) {
        let rule = self.memo_key(rule);
        let tokens = self.tokens.borrow();
        let Some(token) = tokens.get(at) else { return };
        let mut memo = token.memo.borrow_mut();
        match memo.iter_mut().find(|entry| entry.0 == rule) {
            Some(entry) => *entry = (rule, found, mark),
            None => memo.push((rule, found, mark)),
        }
    }

    fn memoized(&self, rule: u16, inner: fn(&Parser<'_>) -> Found) -> Found {
        if let Some(found) = self.recall(rule) {
            return Ok(found);
        }
        let at = self.mark();
        let found = inner(self)?;
        self.remember(at, rule, found, self.mark());
        Ok(found)
    }

    /// A rule that begins with itself: what it found is the seed from which it finds more.
    fn left(&self, rule: u16, inner: fn(&Parser<'_>) -> Found) -> Found {
        self.peek()?;
        if let Some(found) = self.recall(rule) {
            return Ok(found);
        }
        let at = self.mark();
        let (mut best, mut end) = (None, at);
        loop {
            self.remember(at, rule, best, end);
            self.reset(at);
            let found = inner(self)?;
            if found.is_none() || self.mark() <= end {
                break;
            }
            (best, end) = (found, self.mark());
        }
        self.reset(end);
        // The seed of the last round stays what is remembered.
        Ok(best)
    }

    /// The token at the mark.
    fn peek(&self) -> Result<Token, Stop> {
        if self.mark() >= self.tokens.borrow().len() {
            self.fill()?;
        }
        Ok(self.tokens.borrow()[self.mark()].token)
    }

    fn expect(&self, wanted: u8) -> Found {
        if self.peek()?.kind != wanted {
            return Ok(None);
        }
        let at = self.mark();
        self.reset(at + 1);
        Ok(Some(Value::Token(at as u32)))
    }

    /// The token, or an error.
    fn forced(&self, wanted: u8, text: &str) -> Found {
        match self.expect(wanted)? {
            Some(found) => Ok(Some(found)),
            None => self.raise_at(Value::Token(self.mark() as u32), &format!("expected '{text}'")),
        }
    }

    fn look(&self, positive: bool, item: impl FnOnce() -> Found) -> Found {
        let at = self.mark();
        let found = item()?;
        self.reset(at);
        Ok((found.is_some() == positive).then_some(NIL))
    }

    fn many(&self, once: bool, item: impl Fn() -> Found) -> Found {
        let mut found = Vec::new();
        while let Some(value) = item()? {
            found.push(value);
        }
        if once && found.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.add_list(found)))
    }

    fn gather(&self, separator: u8, item: impl Fn() -> Found) -> Found {
        let Some(first) = item()? else { return Ok(None) };
        let mut found = vec![first];
        loop {
            let at = self.mark();
            if self.expect(separator)?.is_none() {
                break;
            }
            match item()? {
                Some(value) => found.push(value),
                None => {
                    self.reset(at);
                    break;
                }
            }
        }
        Ok(Some(self.add_list(found)))
    }

    fn text_of(&self, token: &Token) -> &'a str {
        self.text.get(token.start..token.end).unwrap_or("")
    }

    fn soft(&self, word: &str) -> Found {
        let token = self.peek()?;
        if token.kind != kind::NAME || self.text_of(&token) != word {
            return Ok(None);
        }
        self.name()
    }

    fn soft_keyword(&self) -> Found {
        let token = self.peek()?;
        if token.kind != kind::NAME || !matches!(self.text_of(&token), "_" | "case" | "match" | "type") {
            return Ok(None);
        }
        self.name()
    }

    /// A name as a node that loads it.
    fn name(&self) -> Found {
        self.made(kind::NAME, |token| {
            let name = crate::names::normalized(self.text_of(token));
            let name = self.add_text(name);
            Ok(Some(self.node_of(token, token, Kind::Name, &[name, self.load()])))
        })
    }

    fn number(&self) -> Found {
        self.made(kind::NUMBER, |token| self.number_constant(token))
    }

    /// A token's node, made once.
    fn made(&self, wanted: u8, make: impl FnOnce(&Token) -> Found) -> Found {
        let token = self.peek()?;
        if token.kind != wanted {
            return Ok(None);
        }
        let at = self.mark();
        self.reset(at + 1);
        let before = self.tokens.borrow()[at].made.get();
        if before.is_some() {
            return Ok(before);
        }
        let made = make(&token)?;
        self.tokens.borrow()[at].made.set(made);
        Ok(made)
    }

    /// Takes one more token from the tokenizer.
    fn fill(&self) -> Result<(), Stop> {
        let mut tokenizer = self.tokenizer.borrow_mut();
        let mut token = loop {
            match tokenizer.step(self.text.as_bytes(), true) {
                Step::Token(token) if token.kind == kind::TYPE_IGNORE => {
                    let tag = self.text_of(&token).to_owned();
                    let mut tree = self.tree.borrow_mut();
                    let tag = tree.add_text(tag);
                    let node = actions::bare_node(Kind::TypeIgnore, &[Value::Int(token.line), tag]);
                    let node = tree.add_node(node);
                    self.type_ignores.borrow_mut().push(node);
                }
                Step::Token(token) => break token,
                Step::Failed | Step::NeedMore => {
                    let (cur, _) = tokenizer.offsets();
                    let line = tokenizer.line();
                    self.tokens.borrow_mut().push(ParserToken {
                        token: Token {
                            kind: kind::ERRORTOKEN,
                            start: cur,
                            end: cur,
                            line,
                            column: -1,
                            end_line: line,
                            end_column: -1,
                            shown: None,
                        },
                        made: Cell::new(None),
                        memo: RefCell::new(Vec::new()),
                    });
                    drop(tokenizer);
                    return self.tokenizer_error();
                }
            }
        };
        if token.kind == kind::NAME {
            token.kind = kind::of_name(self.text.as_bytes().get(token.start..token.end).unwrap_or(b""));
        }
        if self.options.start == Start::Interactive && token.kind == kind::ENDMARKER && self.started.get() {
            // An interactive text need not end in a newline.
            token.kind = kind::NEWLINE;
            self.started.set(false);
            if tokenizer.is_indented() && !self.options.dont_imply_dedent {
                tokenizer.close_blocks();
            }
        } else {
            self.started.set(true);
        }
        self.tokens.borrow_mut().push(ParserToken { token, made: Cell::new(None), memo: RefCell::new(Vec::new()) });
        Ok(())
    }
}

/// Nothing is something too.
fn optional(found: Found) -> Found {
    found.map(|value| value.or(Some(NIL)))
}

#[cfg(test)]
mod tests;
