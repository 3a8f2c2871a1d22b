//! Character sets of two bytes: which character is which code. The tables are made from `charts/` by build/charts.rs.

/// A character set.
#[derive(Debug)]
pub struct Chart {
    /// The first and the last leading byte.
    leads: (u32, u32),
    /// The first and the last trailing byte.
    trails: (u32, u32),
    /// The characters, row by row, two bytes each: 0 for none, D800 + i for number i of `wide`.
    cells: &'static [u8],
    /// The places of the cells, sorted by character, two bytes each; without those that are read only.
    order: &'static [u8],
    /// What is beyond 16 bits. Two characters in a row are one number, with the first in the upper half.
    wide: &'static [u32],
    /// Characters that are written as a code that is read as another, sorted.
    also: &'static [(u32, u32)],
}

include!(concat!(env!("OUT_DIR"), "/charts.rs"));

fn number(table: &[u8], at: usize) -> Option<u16> {
    let bytes = table.get(2 * at..2 * at + 2)?;
    Some(u16::from_le_bytes([bytes[0], bytes[1]]))
}

/// Two characters in a row, as a chart has them.
pub const fn pair(first: u32, second: u32) -> u32 {
    first << 16 | second
}

/// The characters of a number of a chart, where it is two.
pub fn split(number: u32) -> Option<(u32, u32)> {
    (number > char::MAX as u32).then_some((number >> 16, number & 0xFFFF))
}

impl Chart {
    fn cell(&self, at: usize) -> Option<u32> {
        match number(self.cells, at)?.into() {
            0 => None,
            wide @ 0xD800..0xE000 => self.wide.get(wide as usize - 0xD800).copied(),
            narrow => Some(narrow),
        }
    }

    fn columns(&self) -> u32 {
        self.trails.1 - self.trails.0 + 1
    }

    /// The character (or the pair) that a code is.
    pub fn read(&self, lead: u8, trail: u8) -> Option<u32> {
        let (lead, trail) = (u32::from(lead), u32::from(trail));
        let inside = (self.leads.0..=self.leads.1).contains(&lead) && (self.trails.0..=self.trails.1).contains(&trail);
        if !inside {
            return None;
        }
        self.cell(((lead - self.leads.0) * self.columns() + trail - self.trails.0) as usize)
    }

    /// The code of a character (or of a pair).
    pub fn write(&self, ch: u32) -> Option<[u8; 2]> {
        if let Ok(at) = self.also.binary_search_by_key(&ch, |also| also.0) {
            let code = self.also[at].1;
            return Some([(code >> 8) as u8, code as u8]);
        }
        let place = number(self.order, self.count_below(ch) as usize)?;
        if self.cell(place.into()) != Some(ch) {
            return None;
        }
        let (row, column) = (u32::from(place) / self.columns(), u32::from(place) % self.columns());
        Some([(self.leads.0 + row) as u8, (self.trails.0 + column) as u8])
    }

    /// How many characters before `ch` are written.
    pub fn count_below(&self, ch: u32) -> u32 {
        let (mut low, mut high) = (0, self.order.len() / 2);
        while low < high {
            let middle = low + (high - low) / 2;
            let below = number(self.order, middle).and_then(|place| self.cell(place.into())).is_some_and(|at| at < ch);
            (low, high) = if below { (middle + 1, high) } else { (low, middle) };
        }
        low as u32
    }

    /// Whether a pair begins with the character.
    pub fn begins_pair(&self, ch: u32) -> bool {
        self.wide.iter().any(|wide| split(*wide).is_some_and(|(first, _)| first == ch))
    }
}
