//! Syntax trees as the compiler crates have them.
//!
//! The compiler finds the place of a node by looking up its byte range in the source text. A tree that was never
//! text gets one: blanks, with as many lines and columns as its nodes name.

use ruff_python_ast as ast;
use ruff_python_ast::name::Name;
use ruff_python_ast::{AtomicNodeIndex, Expr, Stmt};
use ruff_text_size::{TextRange, TextSize};

use crate::error::CompileError;
use crate::tree::{Const, Kind, Node, Place, Tree, Value};

/// Line numbers beyond this one are not compiled: the text of blanks would be too long.
const MAX_LINES: usize = 4_000_000;
const MAX_TEXT: usize = 256 << 20;

/// A tree for the compiler, and the text that its ranges are ranges of.
pub struct Lowered {
    pub module: ast::Mod,
    pub text: String,
    /// Texts that the compiler cannot hold, as they are in the tree; a placeholder stands for each.
    pub strange: Vec<Vec<u8>>,
}

/// What a placeholder begins with; its number follows.
pub const PLACEHOLDER: &str = "\u{10ffff}\u{fdd0}strange ";

/// Makes the compiler's tree of `tree`; `text` is its source, if there was any.
///
/// # Errors
/// [`CompileError::Value`] for a tree that the compiler has no place for.
pub fn lower(tree: &Tree, text: Option<&str>) -> Result<Lowered, CompileError> {
    let blank;
    let text = match text {
        Some(text) => text,
        None => {
            blank = blank_text(tree)?;
            &blank
        }
    };
    let starts = std::iter::once(0).chain(text.bytes().enumerate().filter(|b| b.1 == b'\n').map(|b| b.0 + 1));
    let mut lowering = Lowering { tree, starts: starts.collect(), length: text.len(), strange: Vec::new() };
    let root = tree.nodes[tree.root as usize];
    let range = TextRange::new(TextSize::new(0), TextSize::new(text.len() as u32));
    let module = match root.kind {
        Kind::Expression => ast::Mod::Expression(ast::ModExpression {
            node_index: AtomicNodeIndex::NONE,
            range,
            body: Box::new(lowering.expr(root.fields[0])?),
        }),
        Kind::Module | Kind::Interactive => ast::Mod::Module(ast::ModModule {
            node_index: AtomicNodeIndex::NONE,
            range,
            body: lowering.body(root.fields[0])?.into(),
            runtime_body: None,
        }),
        _ => return Err(CompileError::Value("this tree cannot be compiled".into())),
    };
    Ok(Lowered { module, text: text.to_owned(), strange: lowering.strange })
}

/// A text of blanks in which each place of the tree is.
fn blank_text(tree: &Tree) -> Result<String, CompileError> {
    let mut widths: Vec<usize> = Vec::new();
    for node in &tree.nodes {
        for place in [node.start, node.end] {
            let line = place.line.max(1) as usize;
            if line > MAX_LINES {
                return Err(CompileError::Value(format!("line {line} of a syntax tree is beyond line {MAX_LINES}")));
            }
            if widths.len() < line {
                widths.resize(line, 0);
            }
            widths[line - 1] = widths[line - 1].max(place.column.max(0) as usize);
        }
    }
    if widths.iter().map(|width| width + 1).sum::<usize>() > MAX_TEXT {
        return Err(CompileError::Value("the columns of a syntax tree are too large".into()));
    }
    let mut text = String::new();
    for width in widths {
        text.extend(std::iter::repeat_n(' ', width));
        text.push('\n');
    }
    Ok(text)
}

struct Lowering<'a> {
    tree: &'a Tree,
    starts: Vec<usize>,
    length: usize,
    strange: Vec<Vec<u8>>,
}

type Result<T, E = CompileError> = std::result::Result<T, E>;

fn wrong<T>(what: &str) -> Result<T> {
    Err(CompileError::Value(what.to_owned()))
}

impl Lowering<'_> {
    fn offset(&self, place: Place) -> TextSize {
        let line = self.starts.get((place.line.max(1) - 1) as usize).copied().unwrap_or(self.length);
        TextSize::new((line + place.column.max(0) as usize).min(self.length) as u32)
    }

    fn range(&self, node: &Node) -> TextRange {
        let (start, end) = (self.offset(node.start), self.offset(node.end));
        TextRange::new(start, end.max(start))
    }

    fn node(&self, value: Value) -> Result<Node> {
        match self.tree.node(value) {
            Some(node) => Ok(*node),
            None => wrong("a field of a syntax tree is missing"),
        }
    }

    fn items(&self, value: Value) -> Vec<Value> {
        self.tree.list(value).to_vec()
    }

    fn name(&self, value: Value) -> Name {
        Name::new(self.tree.text(value).unwrap_or(""))
    }

    fn identifier(&self, value: Value, range: TextRange) -> ast::Identifier {
        ast::Identifier::new(self.name(value), range)
    }

    fn optional_identifier(&self, value: Value, range: TextRange) -> Option<ast::Identifier> {
        (value != Value::None).then(|| self.identifier(value, range))
    }

    fn number(&self, value: Value) -> i32 {
        match value {
            Value::Int(number) => number,
            _ => 0,
        }
    }

    fn constant(&mut self, value: Value) -> ast::ConstantValue {
        let constant = self.tree.constant(value).cloned().unwrap_or(Const::None);
        self.constant_value(&constant)
    }

    fn constant_value(&mut self, constant: &Const) -> ast::ConstantValue {
        use ast::ConstantValue as To;
        match constant {
            Const::None => To::None,
            Const::True => To::Boolean(true),
            Const::False => To::Boolean(false),
            Const::Ellipsis => To::Ellipsis,
            Const::Int(base, digits) => To::Integer(decimal(*base, digits).into()),
            Const::Float(value) => To::Float(*value),
            &Const::Complex(real, imag) => To::Complex { real, imag },
            Const::Str(text) => match std::str::from_utf8(text) {
                Ok(text) => To::Str(text.into()),
                Err(_) => {
                    self.strange.push(text.clone());
                    To::Str(format!("{PLACEHOLDER}{}", self.strange.len() - 1).into())
                }
            },
            Const::Bytes(bytes) => To::Bytes(bytes.as_slice().into()),
            Const::Tuple(items) => To::Tuple(items.iter().map(|item| self.constant_value(item)).collect()),
            Const::Frozenset(items) => To::Frozenset(items.iter().map(|item| self.constant_value(item)).collect()),
        }
    }

    fn body(&mut self, list: Value) -> Result<Vec<Stmt>> {
        self.items(list).into_iter().map(|statement| self.stmt(statement)).collect()
    }

    fn exprs(&mut self, list: Value) -> Result<Vec<Expr>> {
        self.items(list).into_iter().map(|item| self.expr(item)).collect()
    }

    fn boxed(&mut self, value: Value) -> Result<Box<Expr>> {
        Ok(Box::new(self.expr(value)?))
    }

    fn optional(&mut self, value: Value) -> Result<Option<Box<Expr>>> {
        if value == Value::None { Ok(None) } else { self.boxed(value).map(Some) }
    }

    fn identifiers(&mut self, list: Value, range: TextRange) -> Vec<ast::Identifier> {
        self.items(list).into_iter().map(|name| self.identifier(name, range)).collect()
    }

    fn stmt(&mut self, value: Value) -> Result<Stmt> {
        stacker::maybe_grow(256 << 10, 4 << 20, || self.stmt_inner(value))
    }

    fn stmt_inner(&mut self, value: Value) -> Result<Stmt> {
        let node = self.node(value)?;
        let f = node.fields;
        let (node_index, range) = (AtomicNodeIndex::NONE, self.range(&node));
        Ok(match node.kind {
            Kind::FunctionDef | Kind::AsyncFunctionDef => Stmt::FunctionDef(ast::StmtFunctionDef {
                node_index,
                range,
                is_async: node.kind == Kind::AsyncFunctionDef,
                decorator_list: self.decorators(f[3])?.into(),
                name: self.identifier(f[0], range),
                type_params: self.type_params(f[6])?,
                parameters: Box::new(self.parameters(f[1])?),
                returns: self.optional(f[4])?,
                body: self.body(f[2])?.into(),
                runtime_decorator_list: None,
                runtime_type_comment: None,
                runtime_type_comment_bytes: None,
                runtime_body: None,
            }),
            Kind::ClassDef => {
                let (args, keywords) = (self.exprs(f[1])?, self.keywords(f[2])?);
                let arguments =
                    (!args.is_empty() || !keywords.is_empty()).then(|| Box::new(arguments(args, keywords, range)));
                Stmt::ClassDef(ast::StmtClassDef {
                    node_index,
                    range,
                    decorator_list: self.decorators(f[4])?.into(),
                    name: self.identifier(f[0], range),
                    type_params: self.type_params(f[5])?,
                    arguments,
                    body: self.body(f[3])?.into(),
                    runtime_decorator_list: None,
                    runtime_body: None,
                })
            }
            Kind::Return => Stmt::Return(ast::StmtReturn { node_index, range, value: self.optional(f[0])? }),
            Kind::Delete => {
                Stmt::Delete(ast::StmtDelete { node_index, range, targets: self.exprs(f[0])?, runtime_targets: None })
            }
            Kind::Assign => Stmt::Assign(ast::StmtAssign {
                node_index,
                range,
                targets: self.exprs(f[0])?,
                value: self.boxed(f[1])?,
                runtime_targets: None,
                runtime_type_comment: None,
                runtime_type_comment_bytes: None,
            }),
            Kind::TypeAlias => Stmt::TypeAlias(ast::StmtTypeAlias {
                node_index,
                range,
                name: self.boxed(f[0])?,
                type_params: self.type_params(f[1])?,
                value: self.boxed(f[2])?,
            }),
            Kind::AugAssign => Stmt::AugAssign(ast::StmtAugAssign {
                node_index,
                range,
                target: self.boxed(f[0])?,
                op: self.operator(f[1])?,
                value: self.boxed(f[2])?,
            }),
            Kind::AnnAssign => Stmt::AnnAssign(ast::StmtAnnAssign {
                node_index,
                range,
                target: self.boxed(f[0])?,
                annotation: self.boxed(f[1])?,
                value: self.optional(f[2])?,
                simple: self.number(f[3]) != 0,
                runtime_simple: None,
            }),
            Kind::For | Kind::AsyncFor => Stmt::For(ast::StmtFor {
                node_index,
                range,
                is_async: node.kind == Kind::AsyncFor,
                target: self.boxed(f[0])?,
                iter: self.boxed(f[1])?,
                body: self.body(f[2])?.into(),
                orelse: self.body(f[3])?.into(),
                runtime_type_comment: None,
                runtime_type_comment_bytes: None,
                runtime_body: None,
                runtime_orelse: None,
            }),
            Kind::While => Stmt::While(ast::StmtWhile {
                node_index,
                range,
                test: self.boxed(f[0])?,
                body: self.body(f[1])?.into(),
                orelse: self.body(f[2])?.into(),
                runtime_body: None,
                runtime_orelse: None,
            }),
            Kind::If => self.if_statement(&node)?,
            Kind::With | Kind::AsyncWith => Stmt::With(ast::StmtWith {
                node_index,
                range,
                is_async: node.kind == Kind::AsyncWith,
                items: self.items(f[0]).into_iter().map(|item| self.with_item(item)).collect::<Result<_>>()?,
                body: self.body(f[1])?.into(),
                runtime_type_comment: None,
                runtime_type_comment_bytes: None,
                runtime_body: None,
            }),
            Kind::Match => Stmt::Match(ast::StmtMatch {
                node_index,
                range,
                subject: self.boxed(f[0])?,
                cases: self.items(f[1]).into_iter().map(|case| self.match_case(case)).collect::<Result<_>>()?,
            }),
            Kind::Raise => Stmt::Raise(ast::StmtRaise {
                node_index,
                range,
                exc: self.optional(f[0])?,
                cause: self.optional(f[1])?,
            }),
            Kind::Try | Kind::TryStar => Stmt::Try(ast::StmtTry {
                node_index,
                range,
                body: self.body(f[0])?.into(),
                handlers: self.items(f[1]).into_iter().map(|item| self.handler(item)).collect::<Result<_>>()?,
                orelse: self.body(f[2])?.into(),
                finalbody: self.body(f[3])?.into(),
                is_star: node.kind == Kind::TryStar,
                runtime_body: None,
                runtime_handlers: None,
                runtime_orelse: None,
                runtime_finalbody: None,
            }),
            Kind::Assert => {
                Stmt::Assert(ast::StmtAssert { node_index, range, test: self.boxed(f[0])?, msg: self.optional(f[1])? })
            }
            Kind::Import => {
                Stmt::Import(ast::StmtImport { node_index, range, names: self.aliases(f[0])?, is_lazy: false })
            }
            Kind::ImportFrom => Stmt::ImportFrom(ast::StmtImportFrom {
                node_index,
                range,
                module: self.optional_identifier(f[0], range),
                names: self.aliases(f[1])?,
                level: self.number(f[2]).max(0) as u32,
                is_lazy: false,
                runtime_level: None,
            }),
            Kind::Global => Stmt::Global(ast::StmtGlobal { node_index, range, names: self.identifiers(f[0], range) }),
            Kind::Nonlocal => {
                Stmt::Nonlocal(ast::StmtNonlocal { node_index, range, names: self.identifiers(f[0], range) })
            }
            Kind::Expr => Stmt::Expr(ast::StmtExpr { node_index, range, value: self.boxed(f[0])? }),
            Kind::Pass => Stmt::Pass(ast::StmtPass { node_index, range }),
            Kind::Break => Stmt::Break(ast::StmtBreak { node_index, range }),
            Kind::Continue => Stmt::Continue(ast::StmtContinue { node_index, range }),
            other => return wrong(&format!("{} is no statement", other.name())),
        })
    }

    /// `elif` is an `if` alone in the other branch.
    fn if_statement(&mut self, node: &Node) -> Result<Stmt> {
        let range = self.range(node);
        let mut clauses = Vec::new();
        let mut orelse = node.fields[2];
        loop {
            let items = self.items(orelse);
            if items.is_empty() {
                break;
            }
            if let [only] = items[..]
                && let Some(inner) = self.tree.node(only).copied()
                && inner.kind == Kind::If
            {
                clauses.push(ast::ElifElseClause {
                    range: self.range(&inner),
                    node_index: AtomicNodeIndex::NONE,
                    test: Some(self.expr(inner.fields[0])?),
                    body: self.body(inner.fields[1])?.into(),
                    runtime_body: None,
                    runtime_orelse: None,
                });
                orelse = inner.fields[2];
                continue;
            }
            clauses.push(ast::ElifElseClause {
                range,
                node_index: AtomicNodeIndex::NONE,
                test: None,
                body: self.body(orelse)?.into(),
                runtime_body: None,
                runtime_orelse: None,
            });
            break;
        }
        Ok(Stmt::If(ast::StmtIf {
            node_index: AtomicNodeIndex::NONE,
            range,
            test: self.boxed(node.fields[0])?,
            body: self.body(node.fields[1])?.into(),
            elif_else_clauses: clauses,
            runtime_body: None,
        }))
    }

    fn decorators(&mut self, list: Value) -> Result<Vec<ast::Decorator>> {
        let decorators = self.exprs(list)?;
        Ok(decorators
            .into_iter()
            .map(|expression| ast::Decorator {
                range: ruff_text_size::Ranged::range(&expression),
                node_index: AtomicNodeIndex::NONE,
                expression,
            })
            .collect())
    }

    fn type_params(&mut self, list: Value) -> Result<Option<Box<ast::TypeParams>>> {
        let items = self.items(list);
        let (Some(&first), Some(&last)) = (items.first(), items.last()) else { return Ok(None) };
        let range = self.range(&self.node(first)?).cover(self.range(&self.node(last)?));
        let mut type_params = Vec::new();
        for item in items {
            let node = self.node(item)?;
            let (node_index, range, f) = (AtomicNodeIndex::NONE, self.range(&node), node.fields);
            let name = self.identifier(f[0], range);
            type_params.push(match node.kind {
                Kind::TypeVar => ast::TypeParam::TypeVar(ast::TypeParamTypeVar {
                    node_index,
                    range,
                    name,
                    bound: self.optional(f[1])?,
                    default: self.optional(f[2])?,
                }),
                Kind::ParamSpec => ast::TypeParam::ParamSpec(ast::TypeParamParamSpec {
                    node_index,
                    range,
                    name,
                    default: self.optional(f[1])?,
                }),
                _ => ast::TypeParam::TypeVarTuple(ast::TypeParamTypeVarTuple {
                    node_index,
                    range,
                    name,
                    default: self.optional(f[1])?,
                }),
            });
        }
        Ok(Some(Box::new(ast::TypeParams {
            range,
            node_index: AtomicNodeIndex::NONE,
            type_params,
            runtime_type_params: None,
        })))
    }

    fn parameter(&mut self, value: Value) -> Result<ast::Parameter> {
        let node = self.node(value)?;
        let range = self.range(&node);
        Ok(ast::Parameter {
            range,
            node_index: AtomicNodeIndex::NONE,
            name: self.identifier(node.fields[0], range),
            annotation: self.optional(node.fields[1])?,
            runtime_type_comment: None,
            runtime_type_comment_bytes: None,
        })
    }

    fn optional_parameter(&mut self, value: Value) -> Result<Option<Box<ast::Parameter>>> {
        if value == Value::None { Ok(None) } else { Ok(Some(Box::new(self.parameter(value)?))) }
    }

    fn with_default(&mut self, parameter: Value, default: Value) -> Result<ast::ParameterWithDefault> {
        let parameter = self.parameter(parameter)?;
        Ok(ast::ParameterWithDefault {
            range: parameter.range,
            node_index: AtomicNodeIndex::NONE,
            parameter,
            default: self.optional(default)?,
        })
    }

    fn parameters(&mut self, value: Value) -> Result<ast::Parameters> {
        let f = self.node(value)?.fields;
        let (positional, names, keywords) = (self.items(f[0]), self.items(f[1]), self.items(f[3]));
        let (keyword_defaults, defaults) = (self.items(f[4]), self.items(f[6]));
        let without = (positional.len() + names.len()).saturating_sub(defaults.len());
        let default_of = |index: usize| {
            index.checked_sub(without).and_then(|index| defaults.get(index)).copied().unwrap_or(Value::None)
        };
        let mut posonlyargs = Vec::new();
        for (index, &parameter) in positional.iter().enumerate() {
            posonlyargs.push(self.with_default(parameter, default_of(index))?);
        }
        let mut args = Vec::new();
        for (index, &parameter) in names.iter().enumerate() {
            args.push(self.with_default(parameter, default_of(positional.len() + index))?);
        }
        let mut kwonlyargs = Vec::new();
        for (index, &parameter) in keywords.iter().enumerate() {
            let default = keyword_defaults.get(index).copied().unwrap_or(Value::None);
            kwonlyargs.push(self.with_default(parameter, default)?);
        }
        Ok(ast::Parameters {
            range: TextRange::default(),
            node_index: AtomicNodeIndex::NONE,
            posonlyargs: posonlyargs.into(),
            args: args.into(),
            vararg: self.optional_parameter(f[2])?,
            kwonlyargs: kwonlyargs.into(),
            kwarg: self.optional_parameter(f[5])?,
            runtime_defaults: None,
        })
    }

    fn keywords(&mut self, list: Value) -> Result<Vec<ast::Keyword>> {
        let mut keywords = Vec::new();
        for item in self.items(list) {
            let node = self.node(item)?;
            let range = self.range(&node);
            keywords.push(ast::Keyword {
                range,
                node_index: AtomicNodeIndex::NONE,
                arg: self.optional_identifier(node.fields[0], range),
                value: self.expr(node.fields[1])?,
            });
        }
        Ok(keywords)
    }

    fn aliases(&mut self, list: Value) -> Result<Vec<ast::Alias>> {
        let mut aliases = Vec::new();
        for item in self.items(list) {
            let node = self.node(item)?;
            let range = self.range(&node);
            aliases.push(ast::Alias {
                range,
                node_index: AtomicNodeIndex::NONE,
                name: self.identifier(node.fields[0], range),
                asname: self.optional_identifier(node.fields[1], range),
            });
        }
        Ok(aliases)
    }

    fn with_item(&mut self, value: Value) -> Result<ast::WithItem> {
        let f = self.node(value)?.fields;
        let context_expr = self.expr(f[0])?;
        Ok(ast::WithItem {
            range: ruff_text_size::Ranged::range(&context_expr),
            node_index: AtomicNodeIndex::NONE,
            context_expr,
            optional_vars: self.optional(f[1])?,
        })
    }

    fn handler(&mut self, value: Value) -> Result<ast::ExceptHandler> {
        let node = self.node(value)?;
        let (range, f) = (self.range(&node), node.fields);
        Ok(ast::ExceptHandler::ExceptHandler(ast::ExceptHandlerExceptHandler {
            range,
            node_index: AtomicNodeIndex::NONE,
            type_: self.optional(f[0])?,
            name: self.optional_identifier(f[1], range),
            body: self.body(f[2])?.into(),
            runtime_body: None,
        }))
    }

    fn match_case(&mut self, value: Value) -> Result<ast::MatchCase> {
        let f = self.node(value)?.fields;
        let pattern = self.pattern(f[0])?;
        Ok(ast::MatchCase {
            range: ruff_text_size::Ranged::range(&pattern),
            node_index: AtomicNodeIndex::NONE,
            pattern,
            guard: self.optional(f[1])?,
            body: self.body(f[2])?.into(),
            runtime_body: None,
        })
    }

    fn patterns(&mut self, list: Value) -> Result<Vec<ast::Pattern>> {
        self.items(list).into_iter().map(|item| self.pattern(item)).collect()
    }

    fn pattern(&mut self, value: Value) -> Result<ast::Pattern> {
        let node = self.node(value)?;
        let (node_index, range, f) = (AtomicNodeIndex::NONE, self.range(&node), node.fields);
        Ok(match node.kind {
            Kind::MatchValue => {
                ast::Pattern::MatchValue(ast::PatternMatchValue { node_index, range, value: self.boxed(f[0])? })
            }
            Kind::MatchSingleton => ast::Pattern::MatchSingleton(ast::PatternMatchSingleton {
                node_index,
                range,
                value: match self.tree.constant(f[0]) {
                    Some(Const::True) => ast::Singleton::True,
                    Some(Const::False) => ast::Singleton::False,
                    _ => ast::Singleton::None,
                },
            }),
            Kind::MatchSequence => ast::Pattern::MatchSequence(ast::PatternMatchSequence {
                node_index,
                range,
                patterns: self.patterns(f[0])?,
                runtime_patterns: None,
            }),
            Kind::MatchMapping => ast::Pattern::MatchMapping(ast::PatternMatchMapping {
                node_index,
                range,
                keys: self.exprs(f[0])?.into(),
                patterns: self.patterns(f[1])?.into(),
                rest: self.optional_identifier(f[2], range),
                runtime_keys: None,
                runtime_patterns: None,
            }),
            Kind::MatchClass => {
                let names = self.items(f[2]);
                let mut keywords = Vec::new();
                for (name, pattern) in names.into_iter().zip(self.patterns(f[3])?) {
                    keywords.push(ast::PatternKeyword {
                        range: ruff_text_size::Ranged::range(&pattern),
                        node_index: AtomicNodeIndex::NONE,
                        attr: self.identifier(name, range),
                        pattern,
                    });
                }
                ast::Pattern::MatchClass(ast::PatternMatchClass {
                    node_index,
                    range,
                    cls: self.boxed(f[0])?,
                    arguments: ast::PatternArguments {
                        range,
                        node_index: AtomicNodeIndex::NONE,
                        patterns: self.patterns(f[1])?.into(),
                        keywords,
                    },
                    runtime_patterns: None,
                    runtime_kwd_attrs: None,
                    runtime_kwd_patterns: None,
                })
            }
            Kind::MatchStar => ast::Pattern::MatchStar(ast::PatternMatchStar {
                node_index,
                range,
                name: self.optional_identifier(f[0], range),
            }),
            Kind::MatchAs => ast::Pattern::MatchAs(ast::PatternMatchAs {
                node_index,
                range,
                pattern: match f[0] {
                    Value::None => None,
                    pattern => Some(Box::new(self.pattern(pattern)?)),
                },
                name: self.optional_identifier(f[1], range),
            }),
            Kind::MatchOr => ast::Pattern::MatchOr(ast::PatternMatchOr {
                node_index,
                range,
                patterns: self.patterns(f[0])?,
                runtime_patterns: None,
            }),
            other => return wrong(&format!("{} is no pattern", other.name())),
        })
    }

    fn comprehensions(&mut self, list: Value) -> Result<Vec<ast::Comprehension>> {
        let mut comprehensions = Vec::new();
        for item in self.items(list) {
            let f = self.node(item)?.fields;
            let target = self.expr(f[0])?;
            comprehensions.push(ast::Comprehension {
                range: ruff_text_size::Ranged::range(&target),
                node_index: AtomicNodeIndex::NONE,
                target,
                iter: self.expr(f[1])?,
                ifs: self.exprs(f[2])?,
                is_async: self.number(f[3]) != 0,
                runtime_ifs: None,
                runtime_is_async: None,
            });
        }
        Ok(comprehensions)
    }

    fn context(&self, value: Value) -> ast::ExprContext {
        match self.tree.node(value).map(|node| node.kind) {
            Some(Kind::Store) => ast::ExprContext::Store,
            Some(Kind::Del) => ast::ExprContext::Del,
            _ => ast::ExprContext::Load,
        }
    }

    fn operator(&self, value: Value) -> Result<ast::Operator> {
        Ok(match self.node(value)?.kind {
            Kind::Add => ast::Operator::Add,
            Kind::Sub => ast::Operator::Sub,
            Kind::Mult => ast::Operator::Mult,
            Kind::MatMult => ast::Operator::MatMult,
            Kind::Div => ast::Operator::Div,
            Kind::Mod => ast::Operator::Mod,
            Kind::Pow => ast::Operator::Pow,
            Kind::LShift => ast::Operator::LShift,
            Kind::RShift => ast::Operator::RShift,
            Kind::BitOr => ast::Operator::BitOr,
            Kind::BitXor => ast::Operator::BitXor,
            Kind::BitAnd => ast::Operator::BitAnd,
            Kind::FloorDiv => ast::Operator::FloorDiv,
            other => return wrong(&format!("{} is no operator", other.name())),
        })
    }

    fn comparison(&self, value: Value) -> Result<ast::CmpOp> {
        Ok(match self.node(value)?.kind {
            Kind::Eq => ast::CmpOp::Eq,
            Kind::NotEq => ast::CmpOp::NotEq,
            Kind::Lt => ast::CmpOp::Lt,
            Kind::LtE => ast::CmpOp::LtE,
            Kind::Gt => ast::CmpOp::Gt,
            Kind::GtE => ast::CmpOp::GtE,
            Kind::Is => ast::CmpOp::Is,
            Kind::IsNot => ast::CmpOp::IsNot,
            Kind::In => ast::CmpOp::In,
            Kind::NotIn => ast::CmpOp::NotIn,
            other => return wrong(&format!("{} is no comparison", other.name())),
        })
    }

    fn expr(&mut self, value: Value) -> Result<Expr> {
        stacker::maybe_grow(256 << 10, 4 << 20, || self.expr_inner(value))
    }

    fn expr_inner(&mut self, value: Value) -> Result<Expr> {
        let node = self.node(value)?;
        let f = node.fields;
        let (node_index, range) = (AtomicNodeIndex::NONE, self.range(&node));
        Ok(match node.kind {
            Kind::BoolOp => Expr::BoolOp(ast::ExprBoolOp {
                node_index,
                range,
                op: if self.node(f[0])?.kind == Kind::And { ast::BoolOp::And } else { ast::BoolOp::Or },
                values: self.exprs(f[1])?,
                runtime_values: None,
            }),
            Kind::NamedExpr => {
                Expr::Named(ast::ExprNamed { node_index, range, target: self.boxed(f[0])?, value: self.boxed(f[1])? })
            }
            Kind::BinOp => Expr::BinOp(ast::ExprBinOp {
                node_index,
                range,
                left: self.boxed(f[0])?,
                op: self.operator(f[1])?,
                right: self.boxed(f[2])?,
            }),
            Kind::UnaryOp => Expr::UnaryOp(ast::ExprUnaryOp {
                node_index,
                range,
                op: match self.node(f[0])?.kind {
                    Kind::Invert => ast::UnaryOp::Invert,
                    Kind::Not => ast::UnaryOp::Not,
                    Kind::UAdd => ast::UnaryOp::UAdd,
                    _ => ast::UnaryOp::USub,
                },
                operand: self.boxed(f[1])?,
            }),
            Kind::Lambda => {
                let parameters = self.parameters(f[0])?;
                Expr::Lambda(ast::ExprLambda {
                    node_index,
                    range,
                    parameters: (parameters.iter().next().is_some()).then(|| Box::new(parameters)),
                    body: self.boxed(f[1])?,
                })
            }
            Kind::IfExp => Expr::If(ast::ExprIf {
                node_index,
                range,
                test: self.boxed(f[0])?,
                body: self.boxed(f[1])?,
                orelse: self.boxed(f[2])?,
            }),
            Kind::Dict => {
                let keys = self.items(f[0]);
                let mut items = Vec::new();
                for (key, value) in keys.into_iter().zip(self.exprs(f[1])?) {
                    items.push(ast::DictItem { key: self.optional(key)?.map(|key| *key), value });
                }
                Expr::Dict(ast::ExprDict { node_index, range, items, runtime_values: None })
            }
            Kind::Set => Expr::Set(ast::ExprSet { node_index, range, elts: self.exprs(f[0])?, runtime_elts: None }),
            Kind::ListComp => Expr::ListComp(ast::ExprListComp {
                node_index,
                range,
                elt: self.boxed(f[0])?,
                generators: self.comprehensions(f[1])?,
            }),
            Kind::SetComp => Expr::SetComp(ast::ExprSetComp {
                node_index,
                range,
                elt: self.boxed(f[0])?,
                generators: self.comprehensions(f[1])?,
            }),
            Kind::DictComp => Expr::DictComp(ast::ExprDictComp {
                node_index,
                range,
                key: self.optional(f[0])?,
                value: self.boxed(f[1])?,
                generators: self.comprehensions(f[2])?,
            }),
            Kind::GeneratorExp => Expr::Generator(ast::ExprGenerator {
                node_index,
                range,
                elt: self.boxed(f[0])?,
                generators: self.comprehensions(f[1])?,
                parenthesized: true,
            }),
            Kind::Await => Expr::Await(ast::ExprAwait { node_index, range, value: self.boxed(f[0])? }),
            Kind::Yield => Expr::Yield(ast::ExprYield { node_index, range, value: self.optional(f[0])? }),
            Kind::YieldFrom => Expr::YieldFrom(ast::ExprYieldFrom { node_index, range, value: self.boxed(f[0])? }),
            Kind::Compare => {
                let mut ops = Vec::new();
                for op in self.items(f[1]) {
                    ops.push(self.comparison(op)?);
                }
                Expr::Compare(ast::ExprCompare {
                    node_index,
                    range,
                    left: self.boxed(f[0])?,
                    ops: ops.into(),
                    comparators: self.exprs(f[2])?.into(),
                    runtime_comparators: None,
                })
            }
            Kind::Call => {
                let func = self.boxed(f[0])?;
                let behind = TextRange::new(ruff_text_size::Ranged::range(&*func).end().min(range.end()), range.end());
                Expr::Call(ast::ExprCall {
                    node_index,
                    range_start: range.start(),
                    func,
                    arguments: arguments(self.exprs(f[1])?, self.keywords(f[2])?, behind),
                })
            }
            Kind::JoinedStr => self.joined_str(f[0], range)?,
            Kind::TemplateStr => self.template_str(f[0], range)?,
            Kind::FormattedValue => self.formatted_value(&node)?,
            Kind::Interpolation => self.interpolation(&node)?,
            Kind::Constant => Expr::Constant(ast::ExprConstant {
                node_index,
                range,
                value: self.constant(f[0]),
                kind: self.tree.text(f[1]).map(Into::into),
                invalid_type: None,
            }),
            Kind::Attribute => Expr::Attribute(ast::ExprAttribute {
                node_index,
                range,
                value: self.boxed(f[0])?,
                attr: {
                    let end = range.end();
                    let length = self.tree.text(f[1]).unwrap_or("").len() as u32;
                    let start = TextSize::new(u32::from(end).saturating_sub(length)).max(range.start());
                    self.identifier(f[1], TextRange::new(start, end))
                },
                ctx: self.context(f[2]),
            }),
            Kind::Subscript => Expr::Subscript(ast::ExprSubscript {
                node_index,
                range,
                value: self.boxed(f[0])?,
                slice: self.boxed(f[1])?,
                ctx: self.context(f[2]),
            }),
            Kind::Starred => {
                Expr::Starred(ast::ExprStarred { node_index, range, value: self.boxed(f[0])?, ctx: self.context(f[1]) })
            }
            Kind::Name => Expr::Name(ast::ExprName { node_index, range, id: self.name(f[0]), ctx: self.context(f[1]) }),
            Kind::List => Expr::List(ast::ExprList {
                node_index,
                range,
                elts: self.exprs(f[0])?,
                ctx: self.context(f[1]),
                runtime_elts: None,
            }),
            Kind::Tuple => Expr::Tuple(ast::ExprTuple {
                node_index,
                range,
                elts: self.exprs(f[0])?,
                ctx: self.context(f[1]),
                parenthesized: true,
                runtime_elts: None,
            }),
            Kind::Slice => Expr::Slice(ast::ExprSlice {
                node_index,
                range,
                lower: self.optional(f[0])?,
                upper: self.optional(f[1])?,
                step: self.optional(f[2])?,
            }),
            other => return wrong(&format!("{} is no expression", other.name())),
        })
    }

    fn joined_str(&mut self, values: Value, range: TextRange) -> Result<Expr> {
        let values = self.exprs(values)?;
        Ok(fstring(range, Vec::new(), Some(values)))
    }

    fn template_str(&mut self, values: Value, range: TextRange) -> Result<Expr> {
        let values = self.exprs(values)?;
        Ok(tstring(range, Vec::new(), Some(values)))
    }

    fn formatted_value(&mut self, node: &Node) -> Result<Expr> {
        let (range, f) = (self.range(node), node.fields);
        let element = ast::InterpolatedElement {
            range,
            node_index: AtomicNodeIndex::NONE,
            expression: self.boxed(f[0])?,
            debug_text: None,
            conversion: conversion(self.number(f[1]))?,
            format_spec: None,
            runtime_str: None,
            runtime_interpolation_format_spec: None,
            runtime_formatted_value_format_spec: self.optional(f[2])?,
        };
        Ok(fstring(range, vec![ast::InterpolatedStringElement::Interpolation(element)], None))
    }

    fn interpolation(&mut self, node: &Node) -> Result<Expr> {
        let (range, f) = (self.range(node), node.fields);
        let element = ast::InterpolatedElement {
            range,
            node_index: AtomicNodeIndex::NONE,
            expression: self.boxed(f[0])?,
            debug_text: None,
            conversion: conversion(self.number(f[2]))?,
            format_spec: None,
            runtime_str: Some(self.constant(f[1])),
            runtime_interpolation_format_spec: self.optional(f[3])?,
            runtime_formatted_value_format_spec: None,
        };
        Ok(tstring(range, vec![ast::InterpolatedStringElement::Interpolation(element)], None))
    }
}

fn conversion(number: i32) -> Result<ast::ConversionFlag> {
    match number {
        -1 => Ok(ast::ConversionFlag::None),
        0x73 => Ok(ast::ConversionFlag::Str),
        0x72 => Ok(ast::ConversionFlag::Repr),
        0x61 => Ok(ast::ConversionFlag::Ascii),
        other => Err(CompileError::Internal(format!("Unrecognized conversion character {other}"))),
    }
}

fn fstring(range: TextRange, elements: Vec<ast::InterpolatedStringElement>, values: Option<Vec<Expr>>) -> Expr {
    let part = ast::FString {
        range,
        node_index: AtomicNodeIndex::NONE,
        elements: elements.into(),
        flags: ast::FStringFlags::empty(),
    };
    Expr::FString(ast::ExprFString {
        node_index: AtomicNodeIndex::NONE,
        range,
        value: ast::FStringValue::single(part),
        runtime_joined_str: values,
        runtime_values: None,
    })
}

fn tstring(range: TextRange, elements: Vec<ast::InterpolatedStringElement>, values: Option<Vec<Expr>>) -> Expr {
    let part = ast::TString {
        range,
        node_index: AtomicNodeIndex::NONE,
        elements: elements.into(),
        flags: ast::TStringFlags::empty(),
    };
    Expr::TString(ast::ExprTString {
        node_index: AtomicNodeIndex::NONE,
        range,
        value: ast::TStringValue::single(part),
        runtime_template_str: values,
        runtime_values: None,
    })
}

fn arguments(args: Vec<Expr>, keywords: Vec<ast::Keyword>, range: TextRange) -> ast::Arguments {
    ast::Arguments {
        range,
        node_index: AtomicNodeIndex::NONE,
        args: args.into(),
        keywords: keywords.into(),
        runtime_args: None,
        runtime_bases: None,
    }
}

/// The digits of a number in base ten.
fn decimal(base: u32, digits: &str) -> String {
    if base == 10 {
        return digits.to_owned();
    }
    if let Ok(value) = i128::from_str_radix(digits, base) {
        return value.to_string();
    }
    malachite_bigint::BigInt::parse_bytes(digits.as_bytes(), base).map_or_else(|| "0".to_owned(), |big| big.to_string())
}
