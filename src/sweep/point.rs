//! A point of a sweep: which allocation fails, and where in its life the program then is.

use std::sync::atomic::{AtomicU8, Ordering};

use hognose::state::Runtime;

/// Whether one allocation fails, or all from it on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    Once,
    Persistent,
}

impl Mode {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "once" => Some(Self::Once),
            "persistent" => Some(Self::Persistent),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Persistent => "persistent",
        }
    }
}

/// A run of the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Point {
    /// The first allocation that fails; 0 for none.
    pub at: u64,
    pub mode: Mode,
    pub domains: u8,
    /// Show the native stack at the allocation, and end there.
    pub stack: bool,
}

impl Point {
    /// As in the variable of the environment: `at:mode:domains[:stack]`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let at = parts.next()?.parse().ok()?;
        let mode = Mode::parse(parts.next()?)?;
        let domains = parts.next()?.parse().ok()?;
        Some(Self { at, mode, domains, stack: parts.next() == Some("stack") })
    }

    /// The inverse of `parse`.
    pub fn text(&self) -> String {
        format!("{}:{}:{}{}", self.at, self.mode.as_str(), self.domains, if self.stack { ":stack" } else { "" })
    }
}

/// Where in its life the program is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Phase {
    Preinitialization,
    Initialization,
    Script,
    Finalization,
}

impl Phase {
    pub const ALL: [Self; 4] = [Self::Preinitialization, Self::Initialization, Self::Script, Self::Finalization];
    /// As options have them.
    pub const NAMES: [&'static str; 4] = ["pre", "init", "script", "final"];

    pub fn as_str(self) -> &'static str {
        ["pre-initialization", "initialization", "script", "finalization"][self as usize]
    }
}

static PHASE: AtomicU8 = AtomicU8::new(0);

pub fn enter(phase: Phase) {
    PHASE.store(phase as u8, Ordering::Relaxed);
}

/// The phase of now.
pub fn phase() -> Phase {
    let told = Phase::ALL[usize::from(PHASE.load(Ordering::Relaxed))];
    let runtime = Runtime::get();
    let running = runtime.initialized.load(Ordering::Relaxed) && !runtime.finalizing.load(Ordering::Relaxed);
    if told == Phase::Script && !running { Phase::Finalization } else { told }
}

#[cfg(test)]
mod tests {
    use super::{Mode, Point};

    #[test]
    fn a_point_is_read_as_it_is_written() {
        for stack in [false, true] {
            for mode in [Mode::Once, Mode::Persistent] {
                let point = Point { at: 7, mode, domains: 5, stack };
                assert_eq!(Point::parse(&point.text()), Some(point));
            }
        }
        assert_eq!(Point::parse("7"), None);
    }
}
