//! Syntax trees as CPython's abstract grammar has them: nodes of a kind with the fields that the grammar names.
//!
//! A tree is flat: nodes, lists, texts and constants are in vectors and refer to each other by number. It is what the
//! parser makes, what goes over the border to the runtime as bytes (`encode`), and what comes back from there.

use crate::asdl::{Count, Field, GRAMMAR, Located, fields};

/// Names the kinds of nodes in the order of [`GRAMMAR`].
macro_rules! kinds {
    ($($name:ident)*) => {
        /// The kinds of nodes; a kind's number is its place in the grammar.
        #[allow(non_camel_case_types)]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Kind { $($name),* }

        impl Kind {
            /// All kinds, by number.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),*];

            /// The name of the Python class.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Kind::$name => stringify!($name)),* }
            }
        }
    };
}

kinds! {
    Module Interactive Expression FunctionType
    FunctionDef AsyncFunctionDef ClassDef Return Delete Assign TypeAlias AugAssign AnnAssign For AsyncFor While If With
    AsyncWith Match Raise Try TryStar Assert Import ImportFrom Global Nonlocal Expr Pass Break Continue
    BoolOp NamedExpr BinOp UnaryOp Lambda IfExp Dict Set ListComp SetComp DictComp GeneratorExp Await Yield YieldFrom
    Compare Call FormattedValue Interpolation JoinedStr TemplateStr Constant Attribute Subscript Starred Name List
    Tuple Slice
    Load Store Del
    And Or
    Add Sub Mult MatMult Div Mod Pow LShift RShift BitOr BitXor BitAnd FloorDiv
    Invert Not UAdd USub
    Eq NotEq Lt LtE Gt GtE Is IsNot In NotIn
    comprehension ExceptHandler arguments arg keyword alias withitem match_case
    MatchValue MatchSingleton MatchSequence MatchMapping MatchClass MatchStar MatchAs MatchOr
    TypeIgnore
    TypeVar ParamSpec TypeVarTuple
}

impl Kind {
    /// The kind with a number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The rule's name, the fields, and whether nodes have a place.
    #[must_use]
    pub fn rule(self) -> (&'static str, &'static str, Located) {
        let mut number = self as usize;
        for rule in GRAMMAR {
            let count = rule.constructors.len().max(1);
            if number < count {
                let fields = rule.constructors.get(number).map_or(rule.fields, |constructor| constructor.1);
                return (rule.name, fields, rule.located);
            }
            number -= count;
        }
        ("", "", Located::No)
    }

    /// The fields in order.
    pub fn fields(self) -> impl Iterator<Item = Field<'static>> {
        fields(self.rule().1)
    }
}

/// The most fields that a node has.
pub const MAX_FIELDS: usize = 7;

/// What a field has, and what the parser's rules find.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    None,
    /// A token of the parser.
    Token(u32),
    Node(u32),
    List(u32),
    /// A name or a type comment.
    Text(u32),
    Int(i32),
    Constant(u32),
}

/// Where a node stands: lines from 1, columns in bytes from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub struct Place {
    pub line: i32,
    pub column: i32,
}

/// A node.
#[derive(Debug, Clone, Copy)]
pub struct Node {
    pub kind: Kind,
    pub start: Place,
    pub end: Place,
    pub fields: [Value; MAX_FIELDS],
}

/// The value of a constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Const {
    None,
    True,
    False,
    Ellipsis,
    /// Digits in a base, after a minus sign if there is one.
    Int(u32, String),
    Float(f64),
    Complex(f64, f64),
    /// UTF-8 that may hold surrogates.
    Str(Vec<u8>),
    Bytes(Vec<u8>),
    Tuple(Vec<Const>),
    Frozenset(Vec<Const>),
}

/// A tree.
#[derive(Debug, Default)]
pub struct Tree {
    pub nodes: Vec<Node>,
    pub lists: Vec<Vec<Value>>,
    pub texts: Vec<String>,
    pub constants: Vec<Const>,
    pub root: u32,
}

impl Tree {
    /// The node that a value is.
    #[must_use]
    pub fn node(&self, value: Value) -> Option<&Node> {
        match value {
            Value::Node(index) => self.nodes.get(index as usize),
            _ => None,
        }
    }

    /// The items of a list; none for a field that has no list.
    #[must_use]
    pub fn list(&self, value: Value) -> &[Value] {
        match value {
            Value::List(index) => self.lists.get(index as usize).map_or(&[], Vec::as_slice),
            _ => &[],
        }
    }

    /// The text that a value is.
    #[must_use]
    pub fn text(&self, value: Value) -> Option<&str> {
        match value {
            Value::Text(index) => self.texts.get(index as usize).map(String::as_str),
            _ => None,
        }
    }

    /// The constant that a value is.
    #[must_use]
    pub fn constant(&self, value: Value) -> Option<&Const> {
        match value {
            Value::Constant(index) => self.constants.get(index as usize),
            _ => None,
        }
    }

    pub fn add_node(&mut self, node: Node) -> Value {
        self.nodes.push(node);
        Value::Node(self.nodes.len() as u32 - 1)
    }

    pub fn add_list(&mut self, list: Vec<Value>) -> Value {
        self.lists.push(list);
        Value::List(self.lists.len() as u32 - 1)
    }

    pub fn add_text(&mut self, text: String) -> Value {
        self.texts.push(text);
        Value::Text(self.texts.len() as u32 - 1)
    }

    pub fn add_constant(&mut self, constant: Const) -> Value {
        self.constants.push(constant);
        Value::Constant(self.constants.len() as u32 - 1)
    }
}

/// Whether a field holds a list.
#[must_use]
pub fn is_list(field: &Field<'_>) -> bool {
    field.count == Count::Many
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_numbered_as_the_grammar_is() {
        let mut names = Vec::new();
        for rule in GRAMMAR {
            if rule.constructors.is_empty() {
                names.push(rule.name);
            }
            names.extend(rule.constructors.iter().map(|constructor| constructor.0));
        }
        assert_eq!(names, Kind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>());
        assert!(Kind::ALL.iter().all(|kind| kind.fields().count() <= MAX_FIELDS));
    }
}
