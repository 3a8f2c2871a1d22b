//! Makes the parser of `grammar/python.peg`: a Rust function of each rule. The grammar's head says how it is written.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

#[path = "src/tokenizer/kind.rs"]
#[allow(dead_code)]
mod kind;

fn main() {
    println!("cargo:rerun-if-changed=grammar/python.peg");
    println!("cargo:rerun-if-changed=src/tokenizer/kind.rs");
    println!("cargo:rerun-if-changed=build.rs");
    let text = fs::read_to_string("grammar/python.peg").expect("the grammar is there");
    let rules = read_rules(&repeat(&text));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("grammar.rs");
    fs::write(out, Writer::new(&rules).write()).expect("OUT_DIR can be written");
}

/// Writes the lines between `%for` and `%end` once for each column.
fn repeat(text: &str) -> String {
    let mut out = String::new();
    let mut columns: Vec<Vec<(&str, &str)>> = Vec::new();
    let mut lines: Vec<&str> = Vec::new();
    let mut repeating = false;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(values) = line.strip_prefix("%for") {
            repeating = true;
            for (index, value) in values.split(" | ").enumerate() {
                if columns.len() <= index {
                    columns.push(Vec::new());
                }
                let (name, value) = value.trim().split_once('=').expect("a %for has names and values");
                columns[index].push((name, value.trim()));
            }
        } else if line == "%end" {
            for column in columns.drain(..) {
                for line in &lines {
                    let mut line = (*line).to_owned();
                    for (name, value) in &column {
                        line = line.replace(&format!("{{{name}}}"), value);
                    }
                    out.push_str(&line);
                    out.push('\n');
                }
            }
            lines.clear();
            repeating = false;
        } else if repeating {
            lines.push(line);
        } else {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

struct Rule {
    name: String,
    left: bool,
    memo: bool,
    plain: bool,
    deep: bool,
    alternatives: Vec<Alternative>,
}

#[derive(Clone)]
struct Alternative {
    items: Vec<(Option<String>, Item)>,
    action: Option<(bool, String)>,
}

#[derive(Clone)]
enum Item {
    Token(String),
    Soft(String),
    Kind(String),
    Rule(String),
    Group(Vec<Alternative>),
    Optional(Box<Item>),
    Repeat(Box<Item>, bool),
    Gather(Box<Item>, String),
    Look(Box<Item>, bool),
    Forced(String),
    Cut,
}

fn read_rules(text: &str) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if line.starts_with(' ') {
            let mut reader = Reader { text: line.trim().as_bytes(), at: 0 };
            reader.expect(b'|');
            let alternative = reader.alternative(false);
            assert!(reader.at == reader.text.len(), "what is behind {:?}?", &line.trim()[reader.at..]);
            rules.last_mut().expect("a rule has a name").alternatives.push(alternative);
        } else {
            let head = line.trim_end_matches(':');
            let (name, marks) = head.split_once(' ').unwrap_or((head, ""));
            rules.push(Rule {
                name: name.to_owned(),
                left: marks.contains("left"),
                memo: marks.contains("memo"),
                plain: marks.contains("plain"),
                deep: marks.contains("deep"),
                alternatives: Vec::new(),
            });
        }
    }
    rules
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn blanks(&mut self) {
        while self.peek() == b' ' {
            self.at += 1;
        }
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.text[self.at..].starts_with(text.as_bytes());
        if found {
            self.at += text.len();
        }
        found
    }

    fn expect(&mut self, byte: u8) {
        assert_eq!(char::from(self.peek()), char::from(byte), "in {:?}", String::from_utf8_lossy(self.text));
        self.at += 1;
        self.blanks();
    }

    fn word(&mut self) -> String {
        let start = self.at;
        while self.peek() == b'_' || self.peek().is_ascii_alphanumeric() {
            self.at += 1;
        }
        String::from_utf8_lossy(&self.text[start..self.at]).into_owned()
    }

    fn quoted(&mut self, quote: u8) -> String {
        self.at += 1;
        let start = self.at;
        while self.peek() != quote {
            self.at += 1;
        }
        self.at += 1;
        String::from_utf8_lossy(&self.text[start..self.at - 1]).into_owned()
    }

    fn alternatives(&mut self, close: u8) -> Vec<Alternative> {
        let mut found = vec![self.alternative(true)];
        while self.peek() == b'|' {
            self.expect(b'|');
            found.push(self.alternative(true));
        }
        assert_eq!(self.peek(), close, "in {:?}", String::from_utf8_lossy(self.text));
        self.at += 1;
        found
    }

    fn alternative(&mut self, nested: bool) -> Alternative {
        let (mut items, mut action) = (Vec::new(), None);
        loop {
            self.blanks();
            match self.peek() {
                0 => break,
                b'|' | b')' | b']' if nested => break,
                b'=' => {
                    assert!(self.take("=>"));
                    let raises = self.take("!");
                    self.blanks();
                    action = Some((raises, self.action(nested)));
                    break;
                }
                _ => items.push(self.item()),
            }
        }
        Alternative { items, action }
    }

    /// Rust text, up to the end or to what closes the group around.
    fn action(&mut self, nested: bool) -> String {
        let (start, mut depth) = (self.at, 0);
        let mut quoted = false;
        loop {
            match self.peek() {
                0 => break,
                b'\\' if quoted => self.at += 1,
                b'"' => quoted = !quoted,
                _ if quoted => {}
                b'(' | b'[' => depth += 1,
                b')' | b']' | b'|' if nested && depth == 0 => break,
                b')' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
        }
        String::from_utf8_lossy(&self.text[start..self.at]).trim().to_owned()
    }

    fn item(&mut self) -> (Option<String>, Item) {
        let start = self.at;
        let name = self.word();
        if !name.is_empty() && self.peek() == b':' {
            self.at += 1;
            return (Some(name), self.prefixed());
        }
        self.at = start;
        (None, self.prefixed())
    }

    fn prefixed(&mut self) -> Item {
        if self.take("&&") {
            return Item::Forced(self.quoted(b'\''));
        }
        if self.take("&") {
            return Item::Look(Box::new(self.atom()), true);
        }
        if self.take("!") {
            return Item::Look(Box::new(self.atom()), false);
        }
        if self.take("~") {
            return Item::Cut;
        }
        let atom = self.atom();
        match self.peek() {
            b'?' => {
                self.at += 1;
                Item::Optional(Box::new(atom))
            }
            b'*' => {
                self.at += 1;
                Item::Repeat(Box::new(atom), false)
            }
            b'+' => {
                self.at += 1;
                if self.peek() == b'\'' {
                    let separator = self.quoted(b'\'');
                    return Item::Gather(Box::new(atom), separator);
                }
                Item::Repeat(Box::new(atom), true)
            }
            _ => atom,
        }
    }

    fn atom(&mut self) -> Item {
        match self.peek() {
            b'\'' => Item::Token(self.quoted(b'\'')),
            b'"' => Item::Soft(self.quoted(b'"')),
            b'(' => {
                self.at += 1;
                Item::Group(self.alternatives(b')'))
            }
            b'[' => {
                self.at += 1;
                Item::Optional(Box::new(Item::Group(self.alternatives(b']'))))
            }
            _ => {
                let word = self.word();
                assert!(!word.is_empty(), "what is {:?}?", String::from_utf8_lossy(&self.text[self.at..]));
                if word.bytes().all(|byte| byte == b'_' || byte.is_ascii_uppercase()) {
                    Item::Kind(word)
                } else {
                    Item::Rule(word)
                }
            }
        }
    }
}

struct Writer<'a> {
    rules: &'a [Rule],
    out: String,
    /// Groups and loops that have become functions: their text by number.
    helpers: Vec<String>,
}

impl<'a> Writer<'a> {
    fn new(rules: &'a [Rule]) -> Self {
        Self { rules, out: String::new(), helpers: Vec::new() }
    }

    fn write(mut self) -> String {
        for (id, rule) in self.rules.iter().enumerate() {
            self.rule(id, rule);
        }
        for helper in std::mem::take(&mut self.helpers) {
            self.out.push_str(&helper);
        }
        self.out
    }

    fn rule(&mut self, id: usize, rule: &Rule) {
        let name = &rule.name;
        let body = self.body(&rule.alternatives);
        let inner = format!("{name}_inner");
        let mut call = format!("{inner}(p)");
        if rule.plain {
            call = format!("p.plainly(|| {call})");
        }
        if rule.left {
            call = format!("p.left({id}, {inner})");
        } else if rule.memo {
            call = format!("p.memoized({id}, {inner})");
        }
        if rule.deep {
            call = format!("p.deep(|| {call})");
        }
        writeln!(
            self.out,
            "pub(super) fn {name}(p: &Parser<'_>) -> Found {{ p.enter()?; let found = {call}; p.leave(); found }}\n\
             fn {inner}(p: &Parser<'_>) -> Found {{\n{body}}}\n"
        )
        .expect("a String can be written");
    }

    fn body(&mut self, alternatives: &[Alternative]) -> String {
        let mut out = String::from("let at = p.mark();\nlet _ = at;\n");
        for alternative in alternatives {
            let cuts = alternative.items.iter().any(|(_, item)| matches!(item, Item::Cut));
            if cuts {
                out.push_str("let mut cut = false;\n");
            }
            let gated = alternative.items.iter().any(|(_, item)| self.explains(item));
            out.push_str(if gated { "if p.explaining() { 'found: {\n" } else { "'found: {\n" });
            let mut single = None;
            let count =
                alternative.items.iter().filter(|(_, item)| !matches!(item, Item::Look(..) | Item::Cut)).count();
            for (index, (name, item)) in alternative.items.iter().enumerate() {
                if matches!(item, Item::Cut) {
                    out.push_str("cut = true;\n");
                    continue;
                }
                let code = self.item(item);
                let name = match name {
                    Some(name) => name.clone(),
                    None if count == 1 && !matches!(item, Item::Look(..)) => {
                        let name = format!("only{index}");
                        single = Some(name.clone());
                        name
                    }
                    None => "_".to_owned(),
                };
                writeln!(out, "let Some({name}) = {code}? else {{ break 'found }};").expect("a String can be written");
            }
            let result = match &alternative.action {
                Some((true, action)) => {
                    format!("match {}? {{ Some(value) => value, None => break 'found }}", nodes(action))
                }
                Some((false, action)) => nodes(action),
                None => single.clone().unwrap_or_else(|| {
                    let named = alternative.items.iter().filter_map(|(name, _)| name.clone()).collect::<Vec<_>>();
                    if named.len() == 1 { named[0].clone() } else { "NIL".to_owned() }
                }),
            };
            writeln!(out, "return Ok(Some({result}));").expect("a String can be written");
            out.push_str(if gated { "}}\n" } else { "}\n" });
            out.push_str("p.reset(at);\n");
            if cuts {
                out.push_str("if cut { return Ok(None); }\n");
            }
        }
        out.push_str("Ok(None)\n");
        out
    }

    /// Whether an item is there to find words for an error.
    fn explains(&self, item: &Item) -> bool {
        match item {
            Item::Rule(name) => {
                name.starts_with("invalid_")
                    && !matches!(name.as_str(), "invalid_annotated" | "invalid_class_arguments")
            }
            Item::Optional(item) | Item::Repeat(item, _) | Item::Gather(item, _) | Item::Look(item, _) => {
                self.explains(item)
            }
            _ => false,
        }
    }

    /// An expression of type `Found`.
    fn item(&mut self, item: &Item) -> String {
        match item {
            Item::Token(text) => format!("p.expect({})", token(text)),
            Item::Soft(text) => format!("p.soft({text:?})"),
            Item::Kind(name) => match name.as_str() {
                "NAME" => "p.name()".to_owned(),
                "NUMBER" => "p.number()".to_owned(),
                "SOFT_KEYWORD" => "p.soft_keyword()".to_owned(),
                name => format!("p.expect(kind::{name})"),
            },
            Item::Rule(name) => {
                assert!(self.rules.iter().any(|rule| rule.name == *name), "there is no rule {name}");
                format!("{name}(p)")
            }
            Item::Group(alternatives) => {
                let body = self.body(alternatives);
                self.helper("group", &body)
            }
            Item::Optional(item) => format!("optional({})", self.item(item)),
            Item::Repeat(item, once) => {
                let code = self.item(item);
                self.helper("many", &format!("p.many({once}, || {code})\n"))
            }
            Item::Gather(item, separator) => {
                let code = self.item(item);
                self.helper("gather", &format!("p.gather({}, || {code})\n", token(separator)))
            }
            Item::Look(item, positive) => {
                let code = self.item(item);
                format!("p.look({positive}, || {code})")
            }
            Item::Forced(text) => format!("p.forced({}, {text:?})", token(text)),
            Item::Cut => unreachable!("a cut is no item that finds something"),
        }
    }

    fn helper(&mut self, what: &str, body: &str) -> String {
        let name = format!("{what}_{}", self.helpers.len());
        self.helpers.push(format!("fn {name}(p: &Parser<'_>) -> Found {{\n{body}}}\n\n"));
        format!("{name}(p)")
    }
}

/// `$Kind(a, b)` as the call that makes the node.
fn nodes(action: &str) -> String {
    let mut out = String::new();
    let mut rest = action;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let open = rest[at..].find('(').expect("a node has fields") + at;
        let mut depth = 0;
        let close = rest[open..]
            .char_indices()
            .find(|&(_, c)| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                depth == 0
            })
            .expect("a node's fields end")
            .0
            + open;
        let kind = &rest[at + 1..open];
        let fields = nodes(&rest[open + 1..close]);
        let made =
            if kind == "Interactive" || kind == "Expression" || kind == "FunctionType" { "root" } else { "node" };
        write!(out, "p.{made}(at, Kind::{kind}, &[{fields}])").expect("a String can be written");
        rest = &rest[close + 1..];
    }
    out.push_str(rest);
    out
}

/// The kind of a token by its text.
fn token(text: &str) -> u8 {
    if text.starts_with(|first: char| first.is_ascii_alphabetic()) {
        let found = kind::of_name(text.as_bytes());
        assert!(found != kind::NAME, "{text} is no keyword");
        return found;
    }
    let (found, length) = kind::operator(text.as_bytes());
    assert!(length == text.len() && found != kind::OP, "{text} is no token");
    found
}
