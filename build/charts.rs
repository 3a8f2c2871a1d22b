//! Compiles the charts of the East Asian character sets: from text to tables that need no work when they are used.
//!
//! ```text
//!  NAME.cells   u16 for each code, row by row: the character; 0 none; D800.. + i: WIDE[i], what is beyond 16 bits
//!  NAME.order   u16 for each code that is written: its place among the cells, sorted by character
//! ```
//!
//! The format of the text is told in scripts/east-asian-charts.py.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

const FOLDER: &str = "src/modules/_multibytecodec/charts";

/// Where surrogates would be, there are the places of what is wide.
const WIDE: u32 = 0xD800;

/// A chart, and what it is based on: a chart before it, and which leading and trailing bytes of that.
type Base = (&'static str, [u32; 2], [u32; 2]);
const EIGHT: [u32; 2] = [0x81, 0xFE];
const CHARTS: &[(&str, Option<Base>)] = &[
    ("gb18030", None),
    ("gbk", Some(("gb18030", EIGHT, [0x40, 0xFE]))),
    ("gb2312", Some(("gb18030", [0xA1, 0xF7], [0xA1, 0xFE]))),
    ("cp949", None),
    ("big5", None),
    ("cp950", Some(("big5", EIGHT, [0x40, 0xFE]))),
    ("big5hkscs", Some(("big5", EIGHT, [0x40, 0xFE]))),
    ("jisx0208", None),
    ("jisx0212", None),
    ("jisx0213_1", None),
    ("jisx0213_2", None),
    ("cp932", None),
];

#[derive(Clone, Default)]
struct Chart {
    /// Characters by code; a pair is the first one times 65536 and the second one.
    cells: BTreeMap<u32, u32>,
    read_only: BTreeSet<u32>,
    also: BTreeMap<u32, u32>,
}

/// Compiles all charts into `OUT_DIR/charts.rs` and the files that it includes.
pub fn compile() {
    println!("cargo:rerun-if-changed={FOLDER}");
    println!("cargo:rerun-if-changed=build/charts.rs");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let mut done: BTreeMap<&str, Chart> = BTreeMap::new();
    let mut source = String::new();
    for (name, base) in CHARTS {
        let mut chart = base.as_ref().map_or_else(Chart::default, |base| part_of(&done[base.0], base));
        let path = format!("{FOLDER}/{name}.txt");
        read(&fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}")), &mut chart);
        write(name, &chart, Path::new(&out), &mut source);
        done.insert(name, chart);
    }
    fs::write(Path::new(&out).join("charts.rs"), source).expect("OUT_DIR can be written");
}

fn part_of(chart: &Chart, (_, leads, trails): &Base) -> Chart {
    let inside =
        |code: u32| (leads[0]..=leads[1]).contains(&(code >> 8)) && (trails[0]..=trails[1]).contains(&(code & 255));
    let cells = chart.cells.iter().filter(|(code, _)| inside(**code)).map(|(code, ch)| (*code, *ch)).collect();
    Chart { cells, ..Chart::default() }
}

fn hex(text: &str) -> u32 {
    u32::from_str_radix(text, 16).unwrap_or_else(|_| panic!("{text:?} is no code"))
}

fn read(text: &str, chart: &mut Chart) {
    for line in text.split('\n').filter(|line| !line.is_empty()) {
        let (word, rest) = line.split_once(' ').expect("a word and a blank");
        let mut words = rest.split(' ').map(hex);
        let mut next = || words.next().expect("another code");
        match word {
            "pair" => {
                let (code, first, second) = (next(), next(), next());
                chart.cells.insert(code, first << 16 | second);
            }
            "also" => {
                let (ch, code) = (next(), next());
                chart.also.insert(ch, code);
            }
            "only" => chart.read_only.extend(words),
            _ => {
                for (code, ch) in (hex(word)..).zip(rest.chars()) {
                    if ch == char::REPLACEMENT_CHARACTER {
                        chart.cells.remove(&code);
                    } else {
                        chart.cells.insert(code, ch.into());
                    }
                }
            }
        }
    }
}

fn write(name: &str, chart: &Chart, out: &Path, source: &mut String) {
    let bounds = |part: fn(u32) -> u32| {
        let codes = || chart.cells.keys().map(|code| part(*code));
        (codes().min().expect("a chart has codes"), codes().max().expect("a chart has codes"))
    };
    let (leads, trails) = (bounds(|code| code >> 8), bounds(|code| code & 255));
    let columns = trails.1 - trails.0 + 1;
    let place = |code: u32| ((code >> 8) - leads.0) * columns + (code & 255) - trails.0;
    let mut cells = vec![0u16; ((leads.1 - leads.0 + 1) * columns) as usize];
    let mut wide = Vec::new();
    let mut order = Vec::new();
    for (code, ch) in &chart.cells {
        cells[place(*code) as usize] = u16::try_from(*ch).unwrap_or_else(|_| {
            wide.push(*ch);
            u16::try_from(WIDE + wide.len() as u32 - 1).expect("no more wide ones than surrogates")
        });
        if !chart.read_only.contains(code) {
            order.push((*ch, u16::try_from(place(*code)).expect("a chart has less than 65536 places")));
        }
    }
    assert!(wide.len() <= 0x800, "no more wide ones than surrogates");
    order.sort_unstable();
    assert!(order.windows(2).all(|pair| pair[0].0 != pair[1].0), "{name}: a character is written in two ways");
    let bytes = |numbers: &mut dyn Iterator<Item = u16>| numbers.flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    fs::write(out.join(format!("{name}.cells")), bytes(&mut cells.into_iter())).expect("OUT_DIR can be written");
    fs::write(out.join(format!("{name}.order")), bytes(&mut order.into_iter().map(|(_, place)| place)))
        .expect("OUT_DIR can be written");
    let file = |part: &str| format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}.{part}\"))");
    let (cells, order) = (file("cells"), file("order"));
    writeln!(
        source,
        "pub static {}: Chart = Chart {{ leads: {leads:?}, trails: {trails:?}, cells: {cells}, order: {order}, \
         wide: &{wide:?}, also: &{:?} }};",
        name.to_uppercase(),
        chart.also.iter().collect::<Vec<_>>(),
    )
    .expect("a string takes it");
}
