//! What the compiler crate refuses though it is right, written in another way that it takes.
//!
//! A class with an annotation inside a block (`if`, `with`, …) has a hidden variable, `__conditional_annotations__`. In
//! a class inside a function inside a class, the crate takes it for the outer class's, and then does not find it
//! there. An assignment that is never reached makes it the inner class's own.

use crate::tree::{Const, Kind, MAX_FIELDS, Node, Tree, Value};

const HIDDEN: &str = "__conditional_annotations__";
/// `ClassDef`'s field for its body.
const CLASS_BODY: usize = 3;

/// Whether the crate's complaint is one that [`bind_conditional_annotations`] mends.
pub fn is_unbound_conditional(complaint: &str) -> bool {
    complaint.contains("get_ref_type") && complaint.contains(HIDDEN)
}

/// Gives each class with annotations inside blocks an assignment to the hidden variable that is never reached.
pub fn bind_conditional_annotations(tree: &mut Tree) {
    for index in 0..tree.nodes.len() {
        let class = tree.nodes[index];
        if class.kind != Kind::ClassDef {
            continue;
        }
        let mut body = tree.list(class.fields[CLASS_BODY]).to_vec();
        let Some(at) = body.iter().position(|&statement| {
            tree.node(statement).is_some_and(|node| node.kind != Kind::AnnAssign) && annotates(tree, statement)
        }) else {
            continue;
        };
        let Some(&place) = tree.node(body[at]) else { continue };
        let assignment = never(tree, &place);
        body.insert(at, assignment);
        let body = tree.add_list(body);
        tree.nodes[index].fields[CLASS_BODY] = body;
    }
}

/// Whether a statement has an annotation that is not in a scope of its own.
fn annotates(tree: &Tree, statement: Value) -> bool {
    let mut open = vec![statement];
    while let Some(value) = open.pop() {
        match value {
            Value::List(_) => open.extend_from_slice(tree.list(value)),
            Value::Node(_) => {
                let Some(node) = tree.node(value) else { continue };
                match node.kind {
                    Kind::AnnAssign => return true,
                    Kind::FunctionDef | Kind::AsyncFunctionDef | Kind::ClassDef | Kind::Lambda => {}
                    _ => open.extend_from_slice(&node.fields),
                }
            }
            _ => {}
        }
    }
    false
}

/// `if False: __conditional_annotations__ = None`, at the place of a statement: it is no line of its own.
fn never(tree: &mut Tree, place: &Node) -> Value {
    let add = |kind: Kind, values: &[Value], tree: &mut Tree| {
        let mut fields = [Value::None; MAX_FIELDS];
        fields[..values.len()].copy_from_slice(values);
        tree.add_node(Node { kind, fields, ..*place })
    };
    let name = tree.add_text(HIDDEN.to_owned());
    let context = add(Kind::Store, &[], tree);
    let target = add(Kind::Name, &[name, context], tree);
    let targets = tree.add_list(vec![target]);
    let none = tree.add_constant(Const::None);
    let none = add(Kind::Constant, &[none], tree);
    let assignment = add(Kind::Assign, &[targets, none], tree);
    let wrong = tree.add_constant(Const::False);
    let wrong = add(Kind::Constant, &[wrong], tree);
    let (body, other) = (tree.add_list(vec![assignment]), tree.add_list(Vec::new()));
    add(Kind::If, &[wrong, body, other], tree)
}
