//! A reader of CPython 3.14's marshal form that checks structure and keeps what the tests ask about.

/// A value as far as the tests care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Str(String),
    Bytes(Vec<u8>),
    Tuple(Vec<Value>),
    Code(Box<Code>),
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    pub name: String,
    pub filename: String,
    pub bytecode: Vec<u8>,
    pub constants: Vec<Value>,
    pub stack_size: u32,
}

pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    references: Vec<Value>,
    /// Of the frozen module that is read.
    filename: Option<String>,
}

/// Reads one frozen code object that takes up all of `bytes`.
pub fn read_frozen(bytes: &[u8], filename: &str) -> Result<Code, String> {
    read(bytes, Some(filename.into()))
}

fn read(bytes: &[u8], filename: Option<String>) -> Result<Code, String> {
    let mut reader = Reader { bytes, at: 0, references: Vec::new(), filename };
    let value = reader.value()?;
    if reader.at != bytes.len() {
        return Err(format!("{} bytes are left over", bytes.len() - reader.at));
    }
    match value {
        Value::Code(code) => Ok(*code),
        other => Err(format!("not a code object: {other:?}")),
    }
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Result<&[u8], String> {
        let found = self.bytes.get(self.at..self.at + count).ok_or_else(|| format!("truncated at {}", self.at))?;
        self.at += count;
        Ok(found)
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    fn number(&mut self) -> Result<u32, String> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().unwrap()))
    }

    fn length(&mut self) -> Result<usize, String> {
        Ok(self.number()? as usize)
    }

    fn sequence(&mut self, count: usize) -> Result<Value, String> {
        (0..count).map(|_| self.value()).collect::<Result<_, _>>().map(Value::Tuple)
    }

    fn value(&mut self) -> Result<Value, String> {
        let at = self.at;
        let tag = self.byte()?;
        let slot = (tag & 0x80 != 0).then(|| {
            self.references.push(Value::Other);
            self.references.len() - 1
        });
        let value = match tag & 0x7f {
            b'N' | b'T' | b'F' | b'.' => Value::Other,
            b'i' => self.take(4).map(|_| Value::Other)?,
            b'g' => self.take(8).map(|_| Value::Other)?,
            b'y' => self.take(16).map(|_| Value::Other)?,
            b'l' => {
                let digits = (self.number()? as i32).unsigned_abs() as usize;
                for pair in self.take(digits * 2)?.chunks(2) {
                    if pair[1] & 0x80 != 0 {
                        return Err(format!("a digit of more than 15 bits at {at}"));
                    }
                }
                Value::Other
            }
            b's' => {
                let length = self.length()?;
                Value::Bytes(self.take(length)?.to_vec())
            }
            b'w' if self.filename.is_some() => {
                let index = usize::from(self.byte()?) | usize::from(self.byte()?) << 8;
                let word = hognose_stdlib::WORDS.get(index).ok_or_else(|| format!("there is no word {index}"))?;
                Value::Str((*word).to_owned())
            }
            b'z' | b'Z' => {
                let length = usize::from(self.byte()?);
                self.text(length)?
            }
            b'a' | b'A' | b'u' | b't' => {
                let length = self.length()?;
                self.text(length)?
            }
            b')' => {
                let count = usize::from(self.byte()?);
                self.sequence(count)?
            }
            b'(' | b'>' => {
                let count = self.length()?;
                self.sequence(count)?
            }
            b':' => self.sequence(3)?,
            b'r' => {
                let index = self.length()?;
                self.references.get(index).cloned().ok_or_else(|| format!("no reference {index}"))?
            }
            b'c' => Value::Code(Box::new(self.code()?)),
            b'C' if self.filename.is_some() => Value::Code(Box::new(self.frozen_code()?)),
            other => return Err(format!("unknown tag {:?} at {at}", char::from(other))),
        };
        if let Some(slot) = slot {
            self.references[slot] = value.clone();
        }
        Ok(value)
    }

    fn text(&mut self, length: usize) -> Result<Value, String> {
        // Lone surrogates are written as three bytes each, which is not UTF-8.
        Ok(Value::Str(String::from_utf8_lossy(self.take(length)?).into_owned()))
    }

    fn frozen_code(&mut self) -> Result<Code, String> {
        let end = self.length()? + self.at;
        let mut head = [0; 11];
        for number in &mut head {
            *number = self.number()?;
        }
        let (Value::Str(name), Value::Str(_)) = (self.value()?, self.value()?) else {
            return Err("a name is not text".into());
        };
        let bytecode = self.take(head[6] as usize * 2)?.to_vec();
        let (Value::Tuple(constants), Value::Tuple(_), Value::Tuple(places)) =
            (self.value()?, self.value()?, self.value()?)
        else {
            return Err("constants and names are not tuples".into());
        };
        let (Value::Bytes(kinds), Value::Bytes(_), Value::Bytes(_)) = (self.value()?, self.value()?, self.value()?)
        else {
            return Err("kinds and tables are not bytes".into());
        };
        if places.len() != kinds.len() || kinds.len() != head[7] as usize {
            return Err(format!("{} places, {} kinds, {} in the head", places.len(), kinds.len(), head[7]));
        }
        if self.at != end {
            return Err(format!("{name} ends at {}, not at {end}", self.at));
        }
        let filename = self.filename.clone().unwrap_or_default();
        Ok(Code { name, filename, bytecode, constants, stack_size: head[3] })
    }

    fn code(&mut self) -> Result<Code, String> {
        let [_, _, _, stack_size, _] = [self.number()?, self.number()?, self.number()?, self.number()?, self.number()?];
        let Value::Bytes(bytecode) = self.value()? else {
            return Err("co_code is not bytes".into());
        };
        let Value::Tuple(constants) = self.value()? else {
            return Err("co_consts is not a tuple".into());
        };
        let Value::Tuple(_) = self.value()? else {
            return Err("co_names is not a tuple".into());
        };
        let Value::Tuple(locals) = self.value()? else {
            return Err("co_localsplusnames is not a tuple".into());
        };
        let Value::Bytes(kinds) = self.value()? else {
            return Err("co_localspluskinds is not bytes".into());
        };
        if locals.len() != kinds.len() {
            return Err(format!("{} locals, {} kinds", locals.len(), kinds.len()));
        }
        let Value::Str(filename) = self.value()? else {
            return Err("co_filename is not text".into());
        };
        let Value::Str(name) = self.value()? else {
            return Err("co_name is not text".into());
        };
        let Value::Str(_) = self.value()? else {
            return Err("co_qualname is not text".into());
        };
        self.number()?;
        for table in ["co_linetable", "co_exceptiontable"] {
            let Value::Bytes(_) = self.value()? else {
                return Err(format!("{table} is not bytes"));
            };
        }
        if bytecode.is_empty() || bytecode.len() % 2 != 0 {
            return Err(format!("{name}: {} bytes of code", bytecode.len()));
        }
        Ok(Code { name, filename, bytecode, constants, stack_size })
    }
}
