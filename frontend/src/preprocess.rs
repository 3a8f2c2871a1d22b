//! The syntax tree as the compiler would see it: `ast.parse(…, optimize=n)`.

use crate::tree::{Const, Kind, Node, Tree, Value};

/// Folds what Python folds in trees: `__debug__`, docstrings, `%` of simple formats, numbers of patterns.
pub fn optimize(tree: &mut Tree, level: u8) {
    // Nodes that folding adds need no folding.
    for index in 0..tree.nodes.len() {
        let node = tree.nodes[index];
        match node.kind {
            Kind::Module if level >= 2 => drop_docstring(tree, index, 0),
            Kind::FunctionDef | Kind::AsyncFunctionDef if level >= 2 => drop_docstring(tree, index, 2),
            Kind::ClassDef if level >= 2 => drop_docstring(tree, index, 3),
            Kind::Name if is_debug(tree, &node) => {
                let value = if level == 0 { Const::True } else { Const::False };
                become_constant(tree, index, value);
            }
            Kind::BinOp => fold_format(tree, index),
            Kind::MatchValue => fold_number(tree, node.fields[0]),
            Kind::MatchMapping => {
                for key in tree.list(node.fields[0]).to_vec() {
                    fold_number(tree, key);
                }
            }
            _ => {}
        }
    }
}

fn is_debug(tree: &Tree, node: &Node) -> bool {
    tree.text(node.fields[0]) == Some("__debug__")
        && tree.node(node.fields[1]).is_some_and(|context| context.kind == Kind::Load)
}

fn become_constant(tree: &mut Tree, index: usize, value: Const) {
    let value = tree.add_constant(value);
    let node = &mut tree.nodes[index];
    node.kind = Kind::Constant;
    node.fields = [Value::None; crate::tree::MAX_FIELDS];
    node.fields[0] = value;
}

fn drop_docstring(tree: &mut Tree, index: usize, field: usize) {
    let owner = tree.nodes[index];
    let mut body = tree.list(owner.fields[field]).to_vec();
    let Some(&first) = body.first() else { return };
    let Some(statement) = tree.node(first).copied().filter(|node| node.kind == Kind::Expr) else { return };
    let is_text = tree.node(statement.fields[0]).is_some_and(|value| {
        value.kind == Kind::Constant && matches!(tree.constant(value.fields[0]), Some(Const::Str(_)))
    });
    if !is_text {
        return;
    }
    body.remove(0);
    if body.is_empty() && owner.kind != Kind::Module {
        body.push(tree.add_node(Node { kind: Kind::Pass, ..statement }));
    }
    let body = tree.add_list(body);
    tree.nodes[index].fields[field] = body;
}

fn number_of(tree: &Tree, value: Value) -> Option<Const> {
    let node = tree.node(value).filter(|node| node.kind == Kind::Constant)?;
    tree.constant(node.fields[0])
        .filter(|c| matches!(c, Const::Int(..) | Const::Float(_) | Const::Complex(..)))
        .cloned()
}

fn negated(value: Const) -> Const {
    match value {
        Const::Int(base, digits) => match digits.strip_prefix('-') {
            Some(digits) => Const::Int(base, digits.to_owned()),
            None if digits.bytes().all(|digit| digit == b'0') => Const::Int(base, digits),
            None => Const::Int(base, format!("-{digits}")),
        },
        Const::Float(value) => Const::Float(-value),
        Const::Complex(real, imaginary) => Const::Complex(-real, -imaginary),
        other => other,
    }
}

/// `-1` and `1 + 2j` of a pattern.
fn fold_number(tree: &mut Tree, value: Value) {
    let (Value::Node(index), Some(node)) = (value, tree.node(value).copied()) else { return };
    let operator = |value: Value| tree.node(value).map(|node| node.kind);
    match node.kind {
        Kind::UnaryOp if operator(node.fields[0]) == Some(Kind::USub) => {
            if let Some(number) = number_of(tree, node.fields[1]) {
                become_constant(tree, index as usize, negated(number));
            }
        }
        Kind::BinOp => {
            let minus = operator(node.fields[1]) == Some(Kind::Sub);
            fold_number(tree, node.fields[0]);
            let real = match number_of(tree, node.fields[0]) {
                Some(Const::Int(10, digits)) => digits.parse().ok(),
                Some(Const::Int(base, digits)) => i64::from_str_radix(&digits, base).ok().map(|value| value as f64),
                Some(Const::Float(value)) => Some(value),
                _ => None,
            };
            if let (Some(real), Some(Const::Complex(other, imaginary))) = (real, number_of(tree, node.fields[2])) {
                let sum = if minus { (real - other, -imaginary) } else { (real + other, imaginary) };
                become_constant(tree, index as usize, Const::Complex(sum.0, sum.1));
            }
        }
        _ => {}
    }
}

/// A piece of a `%` format: text, or a conversion with its specification.
enum Piece {
    Text(String),
    Conversion(u8, String),
}

/// `'… %s …' % (a, b)` as an f-string, when the format has nothing but simple `%s`, `%r` and `%a`.
fn fold_format(tree: &mut Tree, index: usize) {
    let node = tree.nodes[index];
    if tree.node(node.fields[1]).is_none_or(|op| op.kind != Kind::Mod) {
        return;
    }
    let (Some(left), Some(right)) = (tree.node(node.fields[0]).copied(), tree.node(node.fields[2]).copied()) else {
        return;
    };
    let format = match tree.constant(left.fields[0]) {
        Some(Const::Str(text)) if left.kind == Kind::Constant => String::from_utf8(text.clone()).ok(),
        _ => None,
    };
    let (Some(format), Kind::Tuple) = (format, right.kind) else { return };
    let values = tree.list(right.fields[0]).to_vec();
    if values.iter().any(|&value| tree.node(value).is_none_or(|node| node.kind == Kind::Starred)) {
        return;
    }
    let Some(pieces) = pieces(&format) else { return };
    if pieces.iter().filter(|piece| matches!(piece, Piece::Conversion(..))).count() != values.len() {
        return;
    }
    let mut values = values.into_iter();
    let mut parts = Vec::new();
    for piece in pieces {
        let part = match piece {
            Piece::Text(text) => {
                let text = tree.add_constant(Const::Str(text.into_bytes()));
                Node { kind: Kind::Constant, fields: fields(&[text]), ..node }
            }
            Piece::Conversion(letter, specification) => {
                let Some(value) = values.next() else { return };
                let place = tree.node(value).copied().unwrap_or(node);
                let spec = if specification.is_empty() {
                    Value::None
                } else {
                    let text = tree.add_constant(Const::Str(specification.into_bytes()));
                    let text = tree.add_node(Node { kind: Kind::Constant, fields: fields(&[text]), ..place });
                    let text = tree.add_list(vec![text]);
                    tree.add_node(Node { kind: Kind::JoinedStr, fields: fields(&[text]), ..place })
                };
                let letter = Value::Int(i32::from(letter));
                Node { kind: Kind::FormattedValue, fields: fields(&[value, letter, spec]), ..place }
            }
        };
        parts.push(tree.add_node(part));
    }
    let parts = tree.add_list(parts);
    tree.nodes[index].kind = Kind::JoinedStr;
    tree.nodes[index].fields = fields(&[parts]);
}

fn fields(values: &[Value]) -> [Value; crate::tree::MAX_FIELDS] {
    let mut all = [Value::None; crate::tree::MAX_FIELDS];
    all[..values.len()].copy_from_slice(values);
    all
}

fn pieces(format: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        if chars.peek() == Some(&'%') {
            chars.next();
            text.push('%');
            continue;
        }
        let mut left = false;
        while let Some(&flag) = chars.peek() {
            match flag {
                '-' => left = true,
                '+' | ' ' | '#' | '0' => {}
                _ => break,
            }
            chars.next();
        }
        let digits = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| -> Option<String> {
            let mut found = String::new();
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                found.push(digit);
            }
            (found.len() < 4).then_some(found)
        };
        let width = digits(&mut chars)?;
        let precision = match chars.next_if_eq(&'.') {
            Some(_) => Some(digits(&mut chars)?),
            None => None,
        };
        let letter = chars.next().filter(|letter| matches!(letter, 's' | 'r' | 'a'))?;
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        let mut specification = String::new();
        if !left && width.parse().unwrap_or(0) > 0 {
            specification.push('>');
        }
        specification.push_str(&width);
        if let Some(precision) = precision {
            specification.push('.');
            specification.push_str(if precision.is_empty() { "0" } else { &precision });
        }
        pieces.push(Piece::Conversion(letter as u8, specification));
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Some(pieces)
}
