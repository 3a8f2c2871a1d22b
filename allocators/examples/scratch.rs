//! Scratch memory: a parse tree that is built, read, and thrown away as a whole, request by request.

use allocator_api2::vec::Vec;
use hognose_allocators::{NoMemory, Raw, Scratch, raw_stats};

/// `name(child, child)`; everything lies in the scratch.
struct Node<'s> {
    name: &'s str,
    children: Vec<&'s Node<'s>, &'s Scratch<Raw>>,
}

/// Parses one node; the rest of the text.
fn parse<'s>(scratch: &'s Scratch<Raw>, text: &str) -> Result<(&'s Node<'s>, usize), NoMemory> {
    let end = text.find(['(', ')', ',']).unwrap_or(text.len());
    let mut children = Vec::new_in(scratch);
    let mut at = end;
    if text[at..].starts_with('(') {
        loop {
            let (child, used) = parse(scratch, &text[at + 1..])?;
            children.try_reserve(1).map_err(|_| NoMemory)?;
            children.push(child);
            at += 1 + used;
            if !text[at..].starts_with(',') {
                break;
            }
        }
        at += 1;
    }
    // A node is never dropped: neither is what its list holds, which lies in the scratch too.
    let node = core::mem::ManuallyDrop::new(Node { name: scratch.copy_str(&text[..end])?, children });
    let node: &Node<'s> = scratch.put(node)?;
    Ok((node, at))
}

fn count(node: &Node<'_>) -> usize {
    1 + node.children.iter().map(|child| count(child)).sum::<usize>()
}

fn main() -> Result<(), NoMemory> {
    let before = raw_stats();
    let mut scratch = Scratch::<Raw>::new();
    let text = format!("root({})", ["f(x,g(y))"; 500].join(","));
    for _ in 0..3 {
        let (tree, used) = parse(&scratch, &text)?;
        assert_eq!((tree.name, used, count(tree)), ("root", text.len(), 1 + 500 * 4));
        let blocks = raw_stats().live_blocks - before.live_blocks;
        println!("{} nodes in {} bytes of {blocks} chunks", count(tree), scratch.held_bytes());
        assert!(blocks < 12);
        scratch.reset();
    }
    drop(scratch);
    drop(text);
    assert_eq!(raw_stats().live_blocks, before.live_blocks);
    Ok(())
}
