//! Where in the source instructions come from.

/// A run of instructions with one source position.
#[derive(Clone, Copy)]
pub struct Location {
    /// The first unit.
    pub start: usize,
    /// The unit after the last.
    pub end: usize,
    /// The first line.
    pub line: Option<i32>,
    /// The last line.
    pub end_line: Option<i32>,
    /// The first column, in bytes.
    pub column: Option<i32>,
    /// The column after the last.
    pub end_column: Option<i32>,
}

/// Decodes a location table (PEP 626 and 657; `Objects/locations.md` describes the encoding).
pub struct Locations<'a> {
    table: &'a [u8],
    at: usize,
    line: i32,
    unit: usize,
}

impl<'a> Locations<'a> {
    pub(super) fn new(table: &'a [u8], first_line: i32) -> Locations<'a> {
        Locations { table, at: 0, line: first_line, unit: 0 }
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.table.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u32> {
        let mut byte = self.byte()?;
        let mut value = u32::from(byte & 63);
        let mut shift = 0;
        while byte & 64 != 0 {
            byte = self.byte()?;
            shift += 6;
            value |= u32::from(byte & 63).checked_shl(shift)?;
        }
        Some(value)
    }

    fn signed_varint(&mut self) -> Option<i32> {
        let value = self.varint()?;
        Some(if value & 1 != 0 { -((value >> 1) as i32) } else { (value >> 1) as i32 })
    }
}

impl Iterator for Locations<'_> {
    type Item = Location;

    fn next(&mut self) -> Option<Location> {
        let first = self.byte()?;
        let start = self.unit;
        self.unit += usize::from(first & 7) + 1;
        let end = self.unit;
        let none = Location { start, end, line: None, end_line: None, column: None, end_column: None };
        match first >> 3 & 15 {
            15 => Some(none),
            14 => {
                self.line += self.signed_varint()?;
                let line = self.line;
                let end_line = line + self.varint()? as i32;
                let column = self.varint()? as i32 - 1;
                let end_column = self.varint()? as i32 - 1;
                let known = |c: i32| (c >= 0).then_some(c);
                Some(Location {
                    line: Some(line),
                    end_line: Some(end_line),
                    column: known(column),
                    end_column: known(end_column),
                    ..none
                })
            }
            13 => {
                self.line += self.signed_varint()?;
                Some(Location { line: Some(self.line), end_line: Some(self.line), ..none })
            }
            code @ 10..=12 => {
                self.line += i32::from(code) - 10;
                let column = i32::from(self.byte()?);
                let end_column = i32::from(self.byte()?);
                Some(Location {
                    line: Some(self.line),
                    end_line: Some(self.line),
                    column: Some(column),
                    end_column: Some(end_column),
                    ..none
                })
            }
            code => {
                let second = self.byte()?;
                let column = i32::from(code) << 3 | i32::from(second >> 4);
                let end_column = column + i32::from(second & 15);
                Some(Location {
                    line: Some(self.line),
                    end_line: Some(self.line),
                    column: Some(column),
                    end_column: Some(end_column),
                    ..none
                })
            }
        }
    }
}
