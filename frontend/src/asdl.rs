//! The abstract grammar of Python 3.14, in ASDL's notation: `type name`, `?` for an optional field, `*` for a list.

/// A rule: a product of fields, or alternatives with fields of their own.
pub struct Rule {
    pub name: &'static str,
    pub located: Located,
    /// Of a product.
    pub fields: &'static str,
    /// Of alternatives: names and fields.
    pub constructors: &'static [(&'static str, &'static str)],
}

/// Whether nodes know where they stand in the source.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Located {
    No,
    /// They do, but their end may be unknown.
    Start,
    Whole,
}
use Located::{No, Start, Whole};

/// How many values a field has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Count {
    One,
    Optional,
    Many,
}

/// A field of a node.
pub struct Field<'a> {
    pub typ: &'a str,
    pub count: Count,
    pub name: &'a str,
}

/// The fields of a specification.
pub fn fields(specification: &'static str) -> impl Iterator<Item = Field<'static>> {
    specification.split(", ").filter_map(|field| {
        let (typ, name) = field.split_once(' ')?;
        let (typ, count) = match typ.as_bytes() {
            // The items of such a list may be missing, which the field's type does not say.
            [.., b'?', b'*'] => (&typ[..typ.len() - 2], Count::Many),
            [.., b'*'] => (&typ[..typ.len() - 1], Count::Many),
            [.., b'?'] => (&typ[..typ.len() - 1], Count::Optional),
            _ => (typ, Count::One),
        };
        Some(Field { typ, count, name })
    })
}

const fn sum(name: &'static str, located: Located, constructors: &'static [(&'static str, &'static str)]) -> Rule {
    Rule { name, located, fields: "", constructors }
}

const fn product(name: &'static str, located: Located, fields: &'static str) -> Rule {
    Rule { name, located, fields, constructors: &[] }
}

pub static GRAMMAR: &[Rule] = &[
    sum(
        "mod",
        No,
        &[
            ("Module", "stmt* body, type_ignore* type_ignores"),
            ("Interactive", "stmt* body"),
            ("Expression", "expr body"),
            ("FunctionType", "expr* argtypes, expr returns"),
        ],
    ),
    sum(
        "stmt",
        Start,
        &[
            (
                "FunctionDef",
                "identifier name, arguments args, stmt* body, expr* decorator_list, expr? returns, string? type_comment, type_param* type_params",
            ),
            (
                "AsyncFunctionDef",
                "identifier name, arguments args, stmt* body, expr* decorator_list, expr? returns, string? type_comment, type_param* type_params",
            ),
            (
                "ClassDef",
                "identifier name, expr* bases, keyword* keywords, stmt* body, expr* decorator_list, type_param* type_params",
            ),
            ("Return", "expr? value"),
            ("Delete", "expr* targets"),
            ("Assign", "expr* targets, expr value, string? type_comment"),
            ("TypeAlias", "expr name, type_param* type_params, expr value"),
            ("AugAssign", "expr target, operator op, expr value"),
            ("AnnAssign", "expr target, expr annotation, expr? value, int simple"),
            ("For", "expr target, expr iter, stmt* body, stmt* orelse, string? type_comment"),
            ("AsyncFor", "expr target, expr iter, stmt* body, stmt* orelse, string? type_comment"),
            ("While", "expr test, stmt* body, stmt* orelse"),
            ("If", "expr test, stmt* body, stmt* orelse"),
            ("With", "withitem* items, stmt* body, string? type_comment"),
            ("AsyncWith", "withitem* items, stmt* body, string? type_comment"),
            ("Match", "expr subject, match_case* cases"),
            ("Raise", "expr? exc, expr? cause"),
            ("Try", "stmt* body, excepthandler* handlers, stmt* orelse, stmt* finalbody"),
            ("TryStar", "stmt* body, excepthandler* handlers, stmt* orelse, stmt* finalbody"),
            ("Assert", "expr test, expr? msg"),
            ("Import", "alias* names"),
            ("ImportFrom", "identifier? module, alias* names, int? level"),
            ("Global", "identifier* names"),
            ("Nonlocal", "identifier* names"),
            ("Expr", "expr value"),
            ("Pass", ""),
            ("Break", ""),
            ("Continue", ""),
        ],
    ),
    sum(
        "expr",
        Start,
        &[
            ("BoolOp", "boolop op, expr* values"),
            ("NamedExpr", "expr target, expr value"),
            ("BinOp", "expr left, operator op, expr right"),
            ("UnaryOp", "unaryop op, expr operand"),
            ("Lambda", "arguments args, expr body"),
            ("IfExp", "expr test, expr body, expr orelse"),
            ("Dict", "expr?* keys, expr* values"),
            ("Set", "expr* elts"),
            ("ListComp", "expr elt, comprehension* generators"),
            ("SetComp", "expr elt, comprehension* generators"),
            ("DictComp", "expr key, expr value, comprehension* generators"),
            ("GeneratorExp", "expr elt, comprehension* generators"),
            ("Await", "expr value"),
            ("Yield", "expr? value"),
            ("YieldFrom", "expr value"),
            ("Compare", "expr left, cmpop* ops, expr* comparators"),
            ("Call", "expr func, expr* args, keyword* keywords"),
            ("FormattedValue", "expr value, int conversion, expr? format_spec"),
            ("Interpolation", "expr value, constant str, int conversion, expr? format_spec"),
            ("JoinedStr", "expr* values"),
            ("TemplateStr", "expr* values"),
            ("Constant", "constant value, string? kind"),
            ("Attribute", "expr value, identifier attr, expr_context ctx"),
            ("Subscript", "expr value, expr slice, expr_context ctx"),
            ("Starred", "expr value, expr_context ctx"),
            ("Name", "identifier id, expr_context ctx"),
            ("List", "expr* elts, expr_context ctx"),
            ("Tuple", "expr* elts, expr_context ctx"),
            ("Slice", "expr? lower, expr? upper, expr? step"),
        ],
    ),
    sum("expr_context", No, &[("Load", ""), ("Store", ""), ("Del", "")]),
    sum("boolop", No, &[("And", ""), ("Or", "")]),
    sum(
        "operator",
        No,
        &[
            ("Add", ""),
            ("Sub", ""),
            ("Mult", ""),
            ("MatMult", ""),
            ("Div", ""),
            ("Mod", ""),
            ("Pow", ""),
            ("LShift", ""),
            ("RShift", ""),
            ("BitOr", ""),
            ("BitXor", ""),
            ("BitAnd", ""),
            ("FloorDiv", ""),
        ],
    ),
    sum("unaryop", No, &[("Invert", ""), ("Not", ""), ("UAdd", ""), ("USub", "")]),
    sum(
        "cmpop",
        No,
        &[
            ("Eq", ""),
            ("NotEq", ""),
            ("Lt", ""),
            ("LtE", ""),
            ("Gt", ""),
            ("GtE", ""),
            ("Is", ""),
            ("IsNot", ""),
            ("In", ""),
            ("NotIn", ""),
        ],
    ),
    product("comprehension", No, "expr target, expr iter, expr* ifs, int is_async"),
    sum("excepthandler", Start, &[("ExceptHandler", "expr? type, identifier? name, stmt* body")]),
    product(
        "arguments",
        No,
        "arg* posonlyargs, arg* args, arg? vararg, arg* kwonlyargs, expr?* kw_defaults, arg? kwarg, expr* defaults",
    ),
    product("arg", Start, "identifier arg, expr? annotation, string? type_comment"),
    product("keyword", Start, "identifier? arg, expr value"),
    product("alias", Start, "identifier name, identifier? asname"),
    product("withitem", No, "expr context_expr, expr? optional_vars"),
    product("match_case", No, "pattern pattern, expr? guard, stmt* body"),
    sum(
        "pattern",
        Whole,
        &[
            ("MatchValue", "expr value"),
            ("MatchSingleton", "constant value"),
            ("MatchSequence", "pattern* patterns"),
            ("MatchMapping", "expr* keys, pattern* patterns, identifier? rest"),
            ("MatchClass", "expr cls, pattern* patterns, identifier* kwd_attrs, pattern* kwd_patterns"),
            ("MatchStar", "identifier? name"),
            ("MatchAs", "pattern? pattern, identifier? name"),
            ("MatchOr", "pattern* patterns"),
        ],
    ),
    sum("type_ignore", No, &[("TypeIgnore", "int lineno, string tag")]),
    sum(
        "type_param",
        Whole,
        &[
            ("TypeVar", "identifier name, expr? bound, expr? default_value"),
            ("ParamSpec", "identifier name, expr? default_value"),
            ("TypeVarTuple", "identifier name, expr? default_value"),
        ],
    ),
];
