//! The results as a table in Markdown.

use std::fmt::Write;

use crate::{PEERS, Results};

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// `least / median` of a case.
fn cell(results: &Results, peer: &str, case: &str) -> String {
    results
        .get(peer)
        .and_then(|cases| cases.get(case))
        .map_or("–".into(), |(least, medians)| format!("{least:.1} / {:.1}", median(medians)))
}

/// The geometric mean of a kind of case over the traces.
pub fn mean(results: &Results, peer: &str, prefix: &str) -> Option<f64> {
    let cases = results.get(peer)?;
    let values: Vec<f64> = cases.iter().filter(|(case, _)| case.starts_with(prefix)).map(|(_, v)| v.0).collect();
    if values.is_empty() {
        return None;
    }
    Some((values.iter().map(|v| v.ln()).sum::<f64>() / values.len() as f64).exp())
}

pub fn markdown(results: &Results, rounds: usize) -> String {
    let mut text = String::new();
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = cpu.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split(':').nth(1).unwrap_or("?").trim().to_owned()
    };
    text.push_str(
        "# The allocators beside their peers\n\nWritten by `benches/peers` (see [memory.md](memory.md)). On a machine \
         that is shared with other work, compare\nthe least values.\n\n",
    );
    let _ = writeln!(
        text,
        "Processor: {} (family {}, model {}). {rounds} rounds, peers in turn, pinned. Cells are the least and \
         the median.\n",
        field("model name"),
        field("cpu family"),
        field("model\t"),
    );
    let _ = writeln!(text, "Cycles for a `malloc` and `free`, through the C ABI where nothing else is said:\n");
    let _ = writeln!(
        text,
        "| allocator | hot pair, 48 B | 1000, then 1000 freed, 48 B | random replacement of 4096, 16 to 512 B |"
    );
    let _ = writeln!(text, "|---|--:|--:|--:|");
    for (name, what) in PEERS.iter().filter(|(name, _)| results.contains_key(*name)) {
        let cells = ["pair", "batch", "random"].map(|case| cell(results, name, case));
        let _ = writeln!(text, "| {what} | {} |", cells.join(" | "));
    }
    let traces: Vec<&str> = results
        .values()
        .flat_map(|cases| cases.keys())
        .filter_map(|case| case.strip_prefix("replay "))
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    if !traces.is_empty() {
        for (prefix, title) in [
            ("replay ", "Nanoseconds for an event of a recorded CPython run, without what reading it takes:"),
            ("resident ", "KiB by which the resident set grows in the first replay, at most; what was free before was taken first:"),
        ] {
            let _ = writeln!(text, "\n{title}\n");
            let _ = writeln!(text, "| allocator | {} | geometric mean | to CPython's pymalloc |", traces.join(" | "));
            let _ = writeln!(text, "|---|{}--:|--:|", "--:|".repeat(traces.len()));
            let base = mean(results, "cpython-pymalloc", prefix);
            for (name, what) in PEERS {
                let Some(own) = mean(results, name, prefix) else { continue };
                let cells: Vec<String> = traces
                    .iter()
                    .map(|trace| {
                        results[*name].get(&format!("{prefix}{trace}")).map_or("–".into(), |v| format!("{:.1}", v.0))
                    })
                    .collect();
                let ratio = base.map_or("–".into(), |base| format!("{:.2}", own / base));
                let _ = writeln!(text, "| {what} | {} | {own:.1} | {ratio} |", cells.join(" | "));
            }
        }
    }
    if let Some((least, medians)) = results.get("hognose-typed").and_then(|cases| cases.get("destroy")) {
        let _ = writeln!(
            text,
            "\nA heap with 3 MiB of objects is destroyed in {least:.0} µs at least, {:.0} µs in the median.",
            median(medians)
        );
    }
    text
}
