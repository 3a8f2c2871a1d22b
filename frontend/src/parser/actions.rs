//! What the rules make of what they find: nodes and lists.

use super::errors::Targets;
use super::{Found, NIL, Parser};
use crate::tokenizer::{Token, kind};
use crate::tree::{Const, Kind, MAX_FIELDS, Node, Place, Value};

/// A node without a place.
pub fn bare_node(kind: Kind, fields: &[Value]) -> Node {
    let mut all = [NIL; MAX_FIELDS];
    all[..fields.len()].copy_from_slice(fields);
    Node { kind, start: Place::default(), end: Place::default(), fields: all }
}

impl Parser<'_> {
    pub(super) fn add_list(&self, list: Vec<Value>) -> Value {
        self.tree.borrow_mut().add_list(list)
    }

    pub(super) fn add_text(&self, text: String) -> Value {
        self.tree.borrow_mut().add_text(text)
    }

    pub(super) fn add_constant(&self, constant: Const) -> Value {
        self.tree.borrow_mut().add_constant(constant)
    }

    pub(super) fn singleton(&self, constant: Const) -> Value {
        self.add_constant(constant)
    }

    /// The items of a list, none for no list.
    pub(super) fn items(&self, list: Value) -> Vec<Value> {
        self.tree.borrow().list(list).to_vec()
    }

    pub(super) fn node_at(&self, value: Value) -> Option<Node> {
        self.tree.borrow().node(value).copied()
    }

    pub(super) fn field(&self, value: Value, index: usize) -> Value {
        self.node_at(value).map_or(NIL, |node| node.fields[index])
    }

    pub(super) fn kind_of(&self, value: Value) -> Option<Kind> {
        self.node_at(value).map(|node| node.kind)
    }

    pub(super) fn token(&self, value: Value) -> Token {
        let tokens = self.tokens.borrow();
        let index = match value {
            Value::Token(index) => index as usize,
            _ => tokens.len() - 1,
        };
        tokens[index.min(tokens.len() - 1)].token
    }

    pub(super) fn token_text(&self, value: Value) -> String {
        self.text_of(&self.token(value)).to_owned()
    }

    /// The begin and the end of a node or a token.
    pub(super) fn span(&self, value: Value) -> (Place, Place) {
        match self.node_at(value) {
            Some(node) => (node.start, node.end),
            None => {
                let token = self.token(value);
                (
                    Place { line: token.line, column: token.column },
                    Place { line: token.end_line, column: token.end_column },
                )
            }
        }
    }

    /// A node from the token `at` to the last one that was taken.
    pub(super) fn node(&self, at: usize, kind: Kind, fields: &[Value]) -> Value {
        let (start, end) = self.taken(at);
        self.node_from(start, end, kind, fields)
    }

    /// Where the tokens from `at` to the last one taken begin and end.
    pub(super) fn taken(&self, at: usize) -> (Place, Place) {
        let tokens = self.tokens.borrow();
        let Some(first) = tokens.get(at) else { return Default::default() };
        let last = tokens[..self.mark()]
            .iter()
            .rev()
            .find(|token| !matches!(token.token.kind, kind::ENDMARKER | kind::NEWLINE | kind::INDENT | kind::DEDENT))
            .unwrap_or(first);
        let start = Place { line: first.token.line, column: first.token.column };
        (start, Place { line: last.token.end_line, column: last.token.end_column })
    }

    pub(super) fn node_of(&self, first: &Token, last: &Token, kind: Kind, fields: &[Value]) -> Value {
        let start = Place { line: first.line, column: first.column };
        self.node_from(start, Place { line: last.end_line, column: last.end_column }, kind, fields)
    }

    pub(super) fn node_from(&self, start: Place, end: Place, kind: Kind, fields: &[Value]) -> Value {
        self.tree.borrow_mut().add_node(Node { start, end, ..bare_node(kind, fields) })
    }

    /// A node of all of the text.
    pub(super) fn root(&self, _at: usize, kind: Kind, fields: &[Value]) -> Value {
        self.tree.borrow_mut().add_node(bare_node(kind, fields))
    }

    pub(super) fn module(&self, at: usize, body: Value) -> Value {
        let ignores = self.type_ignores.borrow().clone();
        let ignores = self.add_list(ignores);
        self.root(at, Kind::Module, &[body, ignores])
    }

    /// A node without fields and place, the same each time.
    pub(super) fn constant_node(&self, kind: Kind) -> Value {
        if let Some(&(_, value)) = self.constants.borrow().iter().find(|(known, _)| *known == kind) {
            return value;
        }
        let value = self.tree.borrow_mut().add_node(bare_node(kind, &[]));
        self.constants.borrow_mut().push((kind, value));
        value
    }

    pub(super) fn load(&self) -> Value {
        self.constant_node(Kind::Load)
    }

    pub(super) fn store(&self) -> Value {
        self.constant_node(Kind::Store)
    }

    pub(super) fn del(&self) -> Value {
        self.constant_node(Kind::Del)
    }

    pub(super) fn list(&self, values: &[Value]) -> Value {
        self.add_list(values.to_vec())
    }

    pub(super) fn cons(&self, first: Value, rest: Value) -> Value {
        let mut list = vec![first];
        list.extend(self.items(rest));
        self.add_list(list)
    }

    pub(super) fn join(&self, one: Value, other: Value) -> Value {
        let mut list = self.items(one);
        list.extend(self.items(other));
        self.add_list(list)
    }

    pub(super) fn flat(&self, lists: Value) -> Value {
        let all = self.items(lists).into_iter().flat_map(|list| self.items(list)).collect();
        self.add_list(all)
    }

    pub(super) fn first(&self, list: Value) -> Value {
        self.tree.borrow().list(list).first().copied().unwrap_or(NIL)
    }

    pub(super) fn second(&self, list: Value) -> Value {
        self.tree.borrow().list(list).get(1).copied().unwrap_or(NIL)
    }

    pub(super) fn head(&self, list: Value) -> Value {
        self.first(list)
    }

    pub(super) fn tail(&self, list: Value) -> Value {
        self.tree.borrow().list(list).last().copied().unwrap_or(NIL)
    }

    /// The first of each pair.
    pub(super) fn firsts(&self, pairs: Value) -> Value {
        let firsts = self.items(pairs).into_iter().map(|pair| self.first(pair)).collect();
        self.add_list(firsts)
    }

    /// The second of each pair.
    pub(super) fn seconds(&self, pairs: Value) -> Value {
        let seconds = self.items(pairs).into_iter().map(|pair| self.second(pair)).collect();
        self.add_list(seconds)
    }

    /// The text of a name; none for none.
    pub(super) fn identifier(&self, name: Value) -> Value {
        self.field(name, 0)
    }

    pub(super) fn names(&self, names: Value) -> Value {
        let names = self.items(names).into_iter().map(|name| self.identifier(name)).collect();
        self.add_list(names)
    }

    /// The text of a type comment.
    pub(super) fn comment(&self, token: Value) -> Value {
        match token {
            Value::Token(_) => self.add_text(self.token_text(token)),
            _ => NIL,
        }
    }

    pub(super) fn commented(&self, parameter: Value, comment: Value) -> Value {
        let (Some(mut node), Value::Token(_)) = (self.node_at(parameter), comment) else { return parameter };
        node.fields[2] = self.comment(comment);
        self.tree.borrow_mut().add_node(node)
    }

    pub(super) fn dots(&self, tokens: Value) -> Value {
        let dots = self.items(tokens).into_iter().map(|token| self.token_text(token).len()).sum::<usize>();
        Value::Int(dots as i32)
    }

    pub(super) fn dotted(&self, at: usize, one: Value, other: Value) -> Value {
        let name = {
            let tree = self.tree.borrow();
            let text = |value: Value| tree.node(value).and_then(|node| tree.text(node.fields[0])).unwrap_or("");
            format!("{}.{}", text(one), text(other))
        };
        let name = self.add_text(name);
        self.node(at, Kind::Name, &[name, self.load()])
    }

    pub(super) fn star_alias(&self, at: usize) -> Value {
        let star = self.add_text("*".into());
        let alias = self.node(at, Kind::alias, &[star, NIL]);
        self.list(&[alias])
    }

    /// What a blank interactive text does.
    pub(super) fn pass_statement(&self, at: usize) -> Value {
        let (start, _) = self.taken(at);
        let pass = self.node_from(start, start, Kind::Pass, &[]);
        self.list(&[pass])
    }

    /// A definition with decorators in field `index`.
    pub(super) fn decorated(&self, decorators: Value, definition: Value, index: usize) -> Value {
        let Some(mut node) = self.node_at(definition) else { return definition };
        node.fields[index] = decorators;
        self.tree.borrow_mut().add_node(node)
    }

    /// The node again, as a target.
    pub(super) fn context(&self, value: Value, context: Kind) -> Value {
        let Some(mut node) = self.node_at(value) else { return value };
        let wanted = self.constant_node(context);
        match node.kind {
            Kind::Name => node.fields[1] = wanted,
            Kind::Tuple | Kind::List => {
                let items = self.items(node.fields[0]).into_iter().map(|item| self.context(item, context)).collect();
                node.fields[0] = self.add_list(items);
                node.fields[1] = wanted;
            }
            Kind::Subscript | Kind::Attribute => node.fields[2] = wanted,
            Kind::Starred => {
                node.fields[0] = self.context(node.fields[0], context);
                node.fields[1] = wanted;
            }
            _ => return value,
        }
        self.tree.borrow_mut().add_node(node)
    }

    /// `arguments` of the kinds of parameters that the rules tell apart.
    pub(super) fn arguments(&self, slash: Value, slash_pairs: Value, plain: Value, pairs: Value, star: Value) -> Value {
        let (mut positional, mut defaults) = (self.items(slash), Vec::new());
        if slash_pairs != NIL {
            positional.extend(self.items(self.first(slash_pairs)));
            for pair in self.items(self.second(slash_pairs)) {
                positional.push(self.first(pair));
                defaults.push(self.second(pair));
            }
        }
        let mut names = self.items(plain);
        for pair in self.items(pairs) {
            names.push(self.first(pair));
            defaults.push(self.second(pair));
        }
        let star = self.items(star);
        let part = |index: usize| star.get(index).copied().unwrap_or(NIL);
        let keywords = part(1);
        let fields = [
            self.add_list(positional),
            self.add_list(names),
            part(0),
            self.firsts(keywords),
            self.seconds(keywords),
            part(2),
            self.add_list(defaults),
        ];
        self.tree.borrow_mut().add_node(bare_node(Kind::arguments, &fields))
    }

    pub(super) fn or_no_arguments(&self, arguments: Value) -> Value {
        if arguments == NIL { self.arguments(NIL, NIL, NIL, NIL, NIL) } else { arguments }
    }

    /// The arguments of a call as a call without a function.
    pub(super) fn collect_call(&self, at: usize, positional: Value, named: Value) -> Value {
        let (mut args, mut keywords) = (self.items(positional), Vec::new());
        for value in self.items(named) {
            if self.kind_of(value) == Some(Kind::Starred) {
                args.push(value);
            } else {
                keywords.push(value);
            }
        }
        let (args, keywords) = (self.add_list(args), self.add_list(keywords));
        self.node(at, Kind::Call, &[NIL, args, keywords])
    }

    pub(super) fn call_args(&self, call: Value) -> Value {
        self.field(call, 1)
    }

    pub(super) fn call_keywords(&self, call: Value) -> Value {
        self.field(call, 2)
    }

    pub(super) fn or_pattern(&self, at: usize, patterns: Value) -> Value {
        if self.items(patterns).len() == 1 { self.first(patterns) } else { self.node(at, Kind::MatchOr, &[patterns]) }
    }

    /// A dotted name, but no plain one.
    pub(super) fn only_attribute(&self, value: Value) -> Found {
        Ok((self.kind_of(value) == Some(Kind::Attribute)).then_some(value))
    }

    pub(super) fn real(&self, number: Value) -> Found {
        if self.is_complex(number) {
            return self.raise_at(number, "real number required in complex literal");
        }
        Ok(Some(number))
    }

    pub(super) fn imaginary(&self, number: Value) -> Found {
        if !self.is_complex(number) {
            return self.raise_at(number, "imaginary number required in complex literal");
        }
        Ok(Some(number))
    }

    fn is_complex(&self, number: Value) -> bool {
        let constant = self.field(number, 0);
        matches!(self.tree.borrow().constant(constant), Some(Const::Complex(..)))
    }

    pub(super) fn check_not_equal(&self, token: Value) -> Found {
        let flufl = self.options.barry_as_flufl;
        match self.token_text(token).as_str() {
            "!=" if flufl => self.raise("with Barry as BDFL, use '<>' instead of '!='"),
            "<>" if !flufl => Ok(None),
            _ => Ok(Some(token)),
        }
    }

    /// What cannot be a target, if there is any in `value`.
    pub(super) fn wrong_target(&self, value: Value, targets: Targets) -> Option<Value> {
        let node = self.node_at(value)?;
        match node.kind {
            Kind::List | Kind::Tuple => {
                self.items(node.fields[0]).into_iter().find_map(|item| self.wrong_target(item, targets))
            }
            Kind::Starred if targets == Targets::Del => Some(value),
            Kind::Starred => self.wrong_target(node.fields[0], targets),
            Kind::Compare if targets == Targets::For => {
                // The `in` of the loop was taken for a comparison.
                let first = self.first(node.fields[1]);
                if self.kind_of(first) == Some(Kind::In) { self.wrong_target(node.fields[0], targets) } else { None }
            }
            Kind::Name | Kind::Subscript | Kind::Attribute => None,
            _ => Some(value),
        }
    }
}
