//! The results as a picture: bars for the small cases and the replay.

use std::path::Path;

use plotters::prelude::*;

use crate::table::mean;
use crate::{PEERS, Results};

const WIDTH: u32 = 900;
const ROW: u32 = 22;
const TOP: u32 = 60;
const LEFT: i32 = 290;

/// Draws the bars of one kind of case from `y`; where the next kind starts.
fn section(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    y: i32,
    title: &str,
    bars: &[(&str, f64)],
) -> Result<i32, Box<dyn std::error::Error>> {
    let font = ("sans-serif", 13).into_font();
    area.draw(&Text::new(title.to_owned(), (16, y), ("sans-serif", 15).into_font().style(FontStyle::Bold)))?;
    let most = bars.iter().map(|bar| bar.1).fold(0.0, f64::max);
    let room = f64::from(WIDTH as i32 - LEFT - 80);
    let mut at = y + 24;
    for (what, value) in bars {
        let length = (value / most * room) as i32;
        let colour = if what.starts_with("Hognose") { RGBColor(196, 98, 45) } else { RGBColor(120, 134, 150) };
        area.draw(&Text::new((*what).to_owned(), (16, at + 2), font.clone()))?;
        area.draw(&Rectangle::new([(LEFT, at), (LEFT + length.max(1), at + ROW as i32 - 6)], colour.filled()))?;
        area.draw(&Text::new(format!("{value:.1}"), (LEFT + length + 6, at + 2), font.clone()))?;
        at += ROW as i32;
    }
    Ok(at + 18)
}

/// Writes the picture.
pub fn write(results: &Results, path: &Path) -> Result<(), String> {
    let bars = |find: &dyn Fn(&str) -> Option<f64>| -> Vec<(&'static str, f64)> {
        PEERS.iter().filter_map(|(name, what)| Some((*what, find(name)?))).collect()
    };
    let of_case =
        |case: &'static str| move |name: &str| results.get(name).and_then(|cases| cases.get(case)).map(|value| value.0);
    let sections = [
        ("Hot malloc + free pair, 48 B (cycles)", bars(&of_case("pair"))),
        ("Random replacement of 4096 blocks, 16 to 512 B (cycles)", bars(&of_case("random"))),
        ("Replay of recorded CPython runs (ns for an event)", bars(&|name| mean(results, name, "replay "))),
        ("Resident set in the replay (MiB)", bars(&|name| Some(mean(results, name, "resident ")? / 1024.0))),
    ];
    let shown: Vec<_> = sections.iter().filter(|(_, bars)| !bars.is_empty()).collect();
    let height = TOP + shown.iter().map(|(_, bars)| bars.len() as u32 * ROW + 42).sum::<u32>();
    let draw = || -> Result<(), Box<dyn std::error::Error>> {
        let area = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
        area.fill(&WHITE)?;
        let title = ("sans-serif", 20).into_font().style(FontStyle::Bold);
        area.draw(&Text::new("Hognose's allocators beside their peers (less is better)", (16, 18), title))?;
        let mut y = TOP as i32;
        for (title, bars) in shown {
            y = section(&area, y, title, bars)?;
        }
        area.present()?;
        Ok(())
    };
    draw().map_err(|e| e.to_string())
}
