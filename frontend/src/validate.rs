//! Whether a tree that did not come from the parser can be one: what the grammar's fields do not say.

use crate::asdl::Located;
use crate::error::CompileError;
use crate::tree::{Const, Kind, Node, Tree, Value};

type Result<T = ()> = std::result::Result<T, CompileError>;

/// # Errors
/// [`CompileError::Value`] or [`CompileError::Type`] with CPython's words.
pub fn validate(tree: &Tree) -> Result {
    let root = tree.nodes[tree.root as usize];
    let validator = Validator { tree };
    match root.kind {
        Kind::Module | Kind::Interactive => validator.statements(root.fields[0]),
        Kind::Expression => validator.expression(root.fields[0], Kind::Load),
        _ => {
            validator.expressions(root.fields[0], Kind::Load, false)?;
            validator.expression(root.fields[1], Kind::Load)
        }
    }
}

fn wrong<T>(message: impl Into<String>) -> Result<T> {
    Err(CompileError::Value(message.into()))
}

struct Validator<'a> {
    tree: &'a Tree,
}

impl Validator<'_> {
    fn node(&self, value: Value) -> Result<&Node> {
        match self.tree.node(value) {
            Some(node) => Ok(node),
            None => wrong("field is required for a node"),
        }
    }

    fn items(&self, value: Value) -> &[Value] {
        self.tree.list(value)
    }

    fn some(&self, list: Value, field: &str, owner: &str) -> Result {
        if self.items(list).is_empty() { wrong(format!("empty {field} on {owner}")) } else { Ok(()) }
    }

    fn place(&self, node: &Node) -> Result {
        if node.kind.rule().2 == Located::No {
            return Ok(());
        }
        let (start, end) = (node.start, node.end);
        if start.line > end.line {
            return wrong(format!("AST node line range ({}, {}) is not valid", start.line, end.line));
        }
        if (start.line < 0 && end.line != start.line) || (start.column < 0 && start.column != end.column) {
            return wrong(format!(
                "AST node column range ({}, {}) for line range ({}, {}) is not valid",
                start.column, end.column, start.line, end.line
            ));
        }
        if start.line == end.line && start.column > end.column {
            return wrong(format!("line {}, column {}-{} is not a valid range", start.line, start.column, end.column));
        }
        Ok(())
    }

    fn name(&self, name: Value) -> Result {
        match self.tree.text(name) {
            Some(word @ ("None" | "True" | "False")) => {
                wrong(format!("identifier field can't represent '{word}' constant"))
            }
            _ => Ok(()),
        }
    }

    fn body(&self, list: Value, owner: &str) -> Result {
        self.some(list, "body", owner)?;
        self.statements(list)
    }

    fn statements(&self, list: Value) -> Result {
        for &item in self.items(list) {
            if item == Value::None {
                return wrong("None disallowed in statement list");
            }
            stacker::maybe_grow(256 << 10, 4 << 20, || self.statement(item))?;
        }
        Ok(())
    }

    fn targets(&self, list: Value, owner: &str, context: Kind) -> Result {
        self.some(list, "targets", owner)?;
        self.expressions(list, context, false)
    }

    fn statement(&self, value: Value) -> Result {
        let node = self.node(value)?;
        self.place(node)?;
        let f = node.fields;
        let owner = node.kind.name();
        match node.kind {
            Kind::FunctionDef | Kind::AsyncFunctionDef => {
                self.body(f[2], owner)?;
                self.type_params(f[6])?;
                self.arguments(f[1])?;
                self.expressions(f[3], Kind::Load, false)?;
                self.optional(f[4])
            }
            Kind::ClassDef => {
                self.body(f[3], owner)?;
                self.type_params(f[5])?;
                self.expressions(f[1], Kind::Load, false)?;
                self.keywords(f[2])?;
                self.expressions(f[4], Kind::Load, false)
            }
            Kind::Return => self.optional(f[0]),
            Kind::Delete => self.targets(f[0], owner, Kind::Del),
            Kind::Assign => {
                self.targets(f[0], owner, Kind::Store)?;
                self.expression(f[1], Kind::Load)
            }
            Kind::AugAssign => {
                self.expression(f[0], Kind::Store)?;
                self.expression(f[2], Kind::Load)
            }
            Kind::AnnAssign => {
                if self.node(f[0])?.kind != Kind::Name && f[3] != Value::Int(0) {
                    return Err(CompileError::Type("AnnAssign with simple non-Name target".into()));
                }
                self.expression(f[0], Kind::Store)?;
                self.optional(f[2])?;
                self.expression(f[1], Kind::Load)
            }
            Kind::TypeAlias => {
                if self.node(f[0])?.kind != Kind::Name {
                    return Err(CompileError::Type("TypeAlias with non-Name name".into()));
                }
                self.expression(f[0], Kind::Store)?;
                self.type_params(f[1])?;
                self.expression(f[2], Kind::Load)
            }
            Kind::For | Kind::AsyncFor => {
                self.expression(f[0], Kind::Store)?;
                self.expression(f[1], Kind::Load)?;
                self.body(f[2], owner)?;
                self.statements(f[3])
            }
            Kind::While | Kind::If => {
                self.expression(f[0], Kind::Load)?;
                self.body(f[1], owner)?;
                self.statements(f[2])
            }
            Kind::With | Kind::AsyncWith => {
                self.some(f[0], "items", owner)?;
                for &item in self.items(f[0]) {
                    let item = self.node(item)?.fields;
                    self.expression(item[0], Kind::Load)?;
                    if item[1] != Value::None {
                        self.expression(item[1], Kind::Store)?;
                    }
                }
                self.body(f[1], owner)
            }
            Kind::Match => {
                self.expression(f[0], Kind::Load)?;
                self.some(f[1], "cases", owner)?;
                for &case in self.items(f[1]) {
                    let case = self.node(case)?.fields;
                    self.pattern(case[0], false)?;
                    self.optional(case[1])?;
                    self.body(case[2], "match_case")?;
                }
                Ok(())
            }
            Kind::Raise => {
                if f[0] == Value::None && f[1] != Value::None {
                    return wrong("Raise with cause but no exception");
                }
                self.optional(f[0])?;
                self.optional(f[1])
            }
            Kind::Try | Kind::TryStar => {
                self.body(f[0], owner)?;
                let (handlers, last) = (self.items(f[1]), self.items(f[3]));
                if handlers.is_empty() && last.is_empty() {
                    return wrong(format!("{owner} has neither except handlers nor finalbody"));
                }
                if handlers.is_empty() && !self.items(f[2]).is_empty() {
                    return wrong(format!("{owner} has orelse but no except handlers"));
                }
                for &handler in handlers {
                    let handler = self.node(handler)?;
                    self.place(handler)?;
                    self.optional(handler.fields[0])?;
                    self.body(handler.fields[2], "ExceptHandler")?;
                }
                self.statements(f[3])?;
                self.statements(f[2])
            }
            Kind::Assert => {
                self.expression(f[0], Kind::Load)?;
                self.optional(f[1])
            }
            Kind::Import => self.some(f[0], "names", owner),
            Kind::ImportFrom => {
                if matches!(f[2], Value::Int(level) if level < 0) {
                    return wrong("Negative ImportFrom level");
                }
                self.some(f[1], "names", owner)
            }
            Kind::Global | Kind::Nonlocal => self.some(f[0], "names", owner),
            Kind::Expr => self.expression(f[0], Kind::Load),
            _ => Ok(()),
        }
    }

    fn type_params(&self, list: Value) -> Result {
        for &item in self.items(list) {
            let node = self.node(item)?;
            self.place(node)?;
            self.name(node.fields[0])?;
            self.optional(node.fields[1])?;
            if node.kind == Kind::TypeVar {
                self.optional(node.fields[2])?;
            }
        }
        Ok(())
    }

    fn parameters(&self, list: Value) -> Result {
        for &item in self.items(list) {
            self.parameter(item)?;
        }
        Ok(())
    }

    fn parameter(&self, value: Value) -> Result {
        let node = self.node(value)?;
        self.place(node)?;
        self.optional(node.fields[1])
    }

    fn arguments(&self, value: Value) -> Result {
        let f = self.node(value)?.fields;
        self.parameters(f[0])?;
        self.parameters(f[1])?;
        for one in [f[2], f[5]] {
            if one != Value::None {
                self.parameter(one)?;
            }
        }
        self.parameters(f[3])?;
        if self.items(f[6]).len() > self.items(f[0]).len() + self.items(f[1]).len() {
            return wrong("more positional defaults than args on arguments");
        }
        if self.items(f[4]).len() != self.items(f[3]).len() {
            return wrong("length of kwonlyargs is not the same as kw_defaults on arguments");
        }
        self.expressions(f[6], Kind::Load, false)?;
        self.expressions(f[4], Kind::Load, true)
    }

    fn keywords(&self, list: Value) -> Result {
        for &item in self.items(list) {
            self.expression(self.node(item)?.fields[1], Kind::Load)?;
        }
        Ok(())
    }

    fn optional(&self, value: Value) -> Result {
        if value == Value::None { Ok(()) } else { self.expression(value, Kind::Load) }
    }

    fn expressions(&self, list: Value, context: Kind, holes: bool) -> Result {
        for &item in self.items(list) {
            if item != Value::None {
                self.expression(item, context)?;
            } else if !holes {
                return wrong("None disallowed in expression list");
            }
        }
        Ok(())
    }

    fn comprehensions(&self, list: Value) -> Result {
        if self.items(list).is_empty() {
            return wrong("comprehension with no generators");
        }
        for &item in self.items(list) {
            let f = self.node(item)?.fields;
            self.expression(f[0], Kind::Store)?;
            self.expression(f[1], Kind::Load)?;
            self.expressions(f[2], Kind::Load, false)?;
        }
        Ok(())
    }

    fn expression(&self, value: Value, context: Kind) -> Result {
        stacker::maybe_grow(256 << 10, 4 << 20, || self.expression_inner(value, context))
    }

    fn expression_inner(&self, value: Value, context: Kind) -> Result {
        let node = self.node(value)?;
        self.place(node)?;
        let f = node.fields;
        let own = match node.kind {
            Kind::Attribute | Kind::Subscript => Some(f[2]),
            Kind::Starred | Kind::Name | Kind::List | Kind::Tuple => Some(f[1]),
            _ => None,
        };
        match own {
            Some(own) => {
                let own = self.node(own)?.kind;
                if own != context {
                    return wrong(format!(
                        "expression must have {} context but has {} instead",
                        context.name(),
                        own.name()
                    ));
                }
            }
            None if context != Kind::Load => {
                return wrong(format!("expression which can't be assigned to in {} context", context.name()));
            }
            None => {}
        }
        match node.kind {
            Kind::BoolOp => {
                if self.items(f[1]).len() < 2 {
                    return wrong("BoolOp with less than 2 values");
                }
                self.expressions(f[1], Kind::Load, false)
            }
            Kind::BinOp => {
                self.expression(f[0], Kind::Load)?;
                self.expression(f[2], Kind::Load)
            }
            Kind::UnaryOp => self.expression(f[1], Kind::Load),
            Kind::Lambda => {
                self.arguments(f[0])?;
                self.expression(f[1], Kind::Load)
            }
            Kind::IfExp => (0..3).try_for_each(|index| self.expression(f[index], Kind::Load)),
            Kind::Dict => {
                if self.items(f[0]).len() != self.items(f[1]).len() {
                    return wrong("Dict doesn't have the same number of keys as values");
                }
                self.expressions(f[0], Kind::Load, true)?;
                self.expressions(f[1], Kind::Load, false)
            }
            Kind::Set | Kind::JoinedStr | Kind::TemplateStr => self.expressions(f[0], Kind::Load, false),
            Kind::ListComp | Kind::SetComp | Kind::GeneratorExp => {
                self.comprehensions(f[1])?;
                self.expression(f[0], Kind::Load)
            }
            Kind::DictComp => {
                self.comprehensions(f[2])?;
                self.expression(f[0], Kind::Load)?;
                self.expression(f[1], Kind::Load)
            }
            Kind::Yield => self.optional(f[0]),
            Kind::YieldFrom | Kind::Await => self.expression(f[0], Kind::Load),
            Kind::Compare => {
                if self.items(f[2]).is_empty() {
                    return wrong("Compare has no comparators");
                }
                if self.items(f[1]).len() != self.items(f[2]).len() {
                    return wrong("Compare has a different number of comparators and operands");
                }
                self.expressions(f[2], Kind::Load, false)?;
                self.expression(f[0], Kind::Load)
            }
            Kind::Call => {
                self.expression(f[0], Kind::Load)?;
                self.expressions(f[1], Kind::Load, false)?;
                self.keywords(f[2])
            }
            Kind::FormattedValue => {
                self.expression(f[0], Kind::Load)?;
                self.optional(f[2])
            }
            Kind::Interpolation => {
                self.expression(f[0], Kind::Load)?;
                self.optional(f[3])
            }
            Kind::Attribute => self.expression(f[0], Kind::Load),
            Kind::Subscript => {
                self.expression(f[1], Kind::Load)?;
                self.expression(f[0], Kind::Load)
            }
            Kind::Starred => self.expression(f[0], context),
            Kind::Name => self.name(f[0]),
            Kind::List | Kind::Tuple => self.expressions(f[0], context, false),
            Kind::Slice => (0..3).try_for_each(|index| self.optional(f[index])),
            Kind::NamedExpr => {
                if self.node(f[0])?.kind != Kind::Name {
                    return Err(CompileError::Type("NamedExpr target must be a Name".into()));
                }
                self.expression(f[1], Kind::Load)
            }
            _ => Ok(()),
        }
    }

    fn capture(&self, name: Value) -> Result {
        if self.tree.text(name) == Some("_") {
            return wrong("can't capture name '_' in patterns");
        }
        self.name(name)
    }

    fn patterns(&self, list: Value, star: bool) -> Result {
        self.items(list).iter().try_for_each(|&item| self.pattern(item, star))
    }

    fn pattern(&self, value: Value, star: bool) -> Result {
        let node = self.node(value)?;
        self.place(node)?;
        let f = node.fields;
        match node.kind {
            Kind::MatchValue => self.matched(f[0]),
            Kind::MatchSingleton => match self.tree.constant(f[0]) {
                Some(Const::None | Const::True | Const::False) => Ok(()),
                _ => wrong("MatchSingleton can only contain True, False and None"),
            },
            Kind::MatchSequence => self.patterns(f[0], true),
            Kind::MatchMapping => {
                if self.items(f[0]).len() != self.items(f[1]).len() {
                    return wrong("MatchMapping doesn't have the same number of keys as patterns");
                }
                self.capture(f[2])?;
                for &key in self.items(f[0]) {
                    let node = self.node(key)?;
                    let constant = self.tree.constant(node.fields[0]);
                    let singleton = matches!(constant, Some(Const::None | Const::True | Const::False));
                    if !(node.kind == Kind::Constant && singleton) {
                        self.matched(key)?;
                    }
                }
                self.patterns(f[1], false)
            }
            Kind::MatchClass => {
                if self.items(f[2]).len() != self.items(f[3]).len() {
                    return wrong("MatchClass doesn't have the same number of keyword attributes as patterns");
                }
                self.expression(f[0], Kind::Load)?;
                let mut class = self.node(f[0])?;
                while class.kind == Kind::Attribute {
                    class = self.node(class.fields[0])?;
                }
                if class.kind != Kind::Name {
                    return wrong("MatchClass cls field can only contain Name or Attribute nodes.");
                }
                for &name in self.items(f[2]) {
                    self.name(name)?;
                }
                self.patterns(f[1], false)?;
                self.patterns(f[3], false)
            }
            Kind::MatchStar => {
                if !star {
                    return wrong("can't use MatchStar here");
                }
                self.capture(f[0])
            }
            Kind::MatchAs => {
                self.capture(f[1])?;
                if f[0] == Value::None {
                    return Ok(());
                }
                if f[1] == Value::None {
                    return wrong("MatchAs must specify a target name if a pattern is given");
                }
                self.pattern(f[0], false)
            }
            _ => {
                if self.items(f[0]).len() < 2 {
                    return wrong("MatchOr requires at least 2 patterns");
                }
                self.patterns(f[0], false)
            }
        }
    }

    /// What a pattern may compare with.
    fn matched(&self, value: Value) -> Result {
        self.expression(value, Kind::Load)?;
        let node = self.node(value)?;
        let number = |value: Value, imaginary: bool| -> bool {
            let Some(node) = self.tree.node(value) else { return false };
            node.kind == Kind::Constant
                && match self.tree.constant(node.fields[0]) {
                    Some(Const::Complex(..)) => imaginary,
                    Some(Const::Int(..) | Const::Float(_)) => true,
                    _ => false,
                }
        };
        let fits = match node.kind {
            Kind::Constant => {
                return match self.tree.constant(node.fields[0]) {
                    Some(Const::Int(..) | Const::Float(_) | Const::Bytes(_) | Const::Complex(..) | Const::Str(_)) => {
                        Ok(())
                    }
                    _ => wrong("unexpected constant inside of a literal pattern"),
                };
            }
            Kind::Attribute | Kind::JoinedStr | Kind::TemplateStr => true,
            Kind::UnaryOp => self.node(node.fields[0])?.kind == Kind::USub && number(node.fields[1], true),
            Kind::BinOp => {
                let left = self.node(node.fields[0])?;
                let left_fits = match left.kind {
                    Kind::UnaryOp => self.node(left.fields[0])?.kind == Kind::USub && number(left.fields[1], false),
                    _ => number(node.fields[0], false),
                };
                let right = self.node(node.fields[2])?;
                let complex = right.kind == Kind::Constant
                    && matches!(self.tree.constant(right.fields[0]), Some(Const::Complex(..)));
                matches!(self.node(node.fields[1])?.kind, Kind::Add | Kind::Sub) && left_fits && complex
            }
            _ => false,
        };
        if fits { Ok(()) } else { wrong("patterns may only match literals and attribute lookups") }
    }
}
