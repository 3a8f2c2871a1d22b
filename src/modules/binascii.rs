//! `binascii`: binary data as ASCII text, and checksums.

use hognose_allocators::collections::TryVec;

use crate::modules::ModuleSpec;
use crate::object::buffer::{self, Buffer};
use crate::object::{Args, MethodDef, PyObject, PyResult, Ref, Signature, StaticType, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::algorithms::hex_digit;
use crate::types::bytes::{BytesLike, PyBytes, bytes_like, hex_of};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::str::PyStr;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "binascii",
    doc: "Conversion between binary data and ASCII",
    methods: &[
        MethodDef::one("a2b_uu", a2b_uu, "a2b_uu($module, data, /)\n--\n\nDecode a line of uuencoded data."),
        MethodDef::keywords(
            "b2a_uu",
            b2a_uu,
            "b2a_uu($module, data, /, *, backtick=False)\n--\n\nUuencode a line of data.",
        ),
        MethodDef::keywords(
            "a2b_base64",
            a2b_base64,
            "a2b_base64($module, data, /, *, strict_mode=False)\n--\n\nDecode base64 data. In strict mode nothing but base64 data and its padding is allowed.",
        ),
        MethodDef::keywords(
            "b2a_base64",
            b2a_base64,
            "b2a_base64($module, data, /, *, newline=True)\n--\n\nBase64-code a line of data.",
        ),
        MethodDef::one(
            "a2b_hex",
            a2b_hex,
            "a2b_hex($module, hexstr, /)\n--\n\nThe bytes that hexadecimal digits stand for.",
        ),
        MethodDef::keywords(
            "b2a_hex",
            b2a_hex,
            "b2a_hex($module, /, data, sep=<unrepresentable>, bytes_per_sep=1)\n--\n\nThe data as hexadecimal digits, in groups when there is a separator.",
        ),
        MethodDef::keywords(
            "hexlify",
            b2a_hex,
            "hexlify($module, /, data, sep=<unrepresentable>, bytes_per_sep=1)\n--\n\nThe data as hexadecimal digits, in groups when there is a separator.",
        ),
        MethodDef::one(
            "unhexlify",
            a2b_hex,
            "unhexlify($module, hexstr, /)\n--\n\nThe bytes that hexadecimal digits stand for.",
        ),
        MethodDef::positional(
            "crc_hqx",
            crc_hqx,
            "crc_hqx($module, data, crc, /)\n--\n\nThe CRC-CCITT of the data, going on from crc.",
        ),
        MethodDef::positional(
            "crc32",
            crc32_function,
            "crc32($module, data, crc=0, /)\n--\n\nThe CRC-32 checksum of the data, going on from crc.",
        ),
        MethodDef::keywords(
            "a2b_qp",
            a2b_qp,
            "a2b_qp($module, /, data, header=False)\n--\n\nDecode quoted-printable data.",
        ),
        MethodDef::keywords(
            "b2a_qp",
            b2a_qp,
            "b2a_qp($module, /, data, quotetabs=False, istext=True, header=False)\n--\n\nEncode data as quoted-printable.",
        ),
    ],
    types: &[&ERROR, &INCOMPLETE],
    exec: None,
};

/// `binascii.Error`.
pub static ERROR: StaticType = StaticType::new(exc::plain(c"binascii.Error", &exc::ValueError, ""));
/// `binascii.Incomplete`.
pub static INCOMPLETE: StaticType = StaticType::new(exc::plain(c"binascii.Incomplete", &exc::Exception, ""));

/// Bytes or ASCII text.
fn ascii<'a>(ts: &ThreadState, object: &'a PyObject) -> PyResult<BytesLike<'a>> {
    if let Some(text) = object.downcast::<PyStr>() {
        return match text.ascii_str() {
            Some(ascii) => Ok(BytesLike::Plain(ascii.as_bytes())),
            None => raise!(ts, exc::ValueError, "string argument should contain only ASCII characters"),
        };
    }
    if !buffer::has_buffer(object) {
        return raise!(
            ts,
            exc::TypeError,
            "argument should be bytes, buffer or ASCII string, not '{}'",
            object.type_name()
        );
    }
    Ok(BytesLike::Held(Buffer::get(ts, object, buffer::SIMPLE)?))
}

fn flag(ts: &ThreadState, value: Option<&PyObject>, default: bool) -> PyResult<bool> {
    match value {
        Some(value) => protocol::is_true(ts, value),
        None => Ok(default),
    }
}

fn required<'a>(ts: &ThreadState, function: &str, name: &str, value: Option<&'a PyObject>) -> PyResult<&'a PyObject> {
    match value {
        Some(value) => Ok(value),
        None => raise!(ts, exc::TypeError, "{function}() missing required argument '{name}' (pos 1)"),
    }
}

fn to_bytes(ts: &ThreadState, bytes: &[u8]) -> PyResult {
    PyBytes::new(ts, bytes).map(Ref::into_object)
}

fn fail<T>(ts: &ThreadState, message: &str) -> PyResult<T> {
    raise!(ts, ERROR, "{message}")
}

fn a2b_uu(ts: &ThreadState, _module: &PyObject, data: &PyObject) -> PyResult {
    let data = ascii(ts, data)?;
    let (first, mut rest) = data.split_first().map_or((0, &[][..]), |(first, rest)| (*first, rest));
    let len = usize::from(first.wrapping_sub(b' ') & 63);
    let mut out = TryVec::new();
    out.try_reserve(len)?;
    let (mut buffer, mut bits) = (0u32, 0);
    while out.len() < len {
        // Blanks at the end of a line may have been lost: they are zeros.
        let value = match rest.first() {
            None | Some(b'\n' | b'\r') => 0,
            Some(byte @ b' '..=b'`') => (byte - b' ') & 63,
            Some(_) => return fail(ts, "Illegal char"),
        };
        rest = rest.get(1..).unwrap_or_default();
        buffer = buffer << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.try_push((buffer >> bits) as u8)?;
            buffer &= (1 << bits) - 1;
        }
    }
    if rest.iter().any(|byte| !matches!(byte, b' ' | b'`' | b'\n' | b'\r')) {
        return fail(ts, "Trailing garbage");
    }
    to_bytes(ts, &out)
}

fn b2a_uu(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("b2a_uu", ["", "backtick"], 1, 1, 1);
    let [data, backtick] = SIGNATURE.parse(ts, args)?;
    let backtick = flag(ts, backtick, false)?;
    let data = bytes_like(ts, required(ts, "b2a_uu", "data", data)?)?;
    if data.len() > 45 {
        return fail(ts, "At most 45 bytes at once");
    }
    let digit = |value: u8| if backtick && value == 0 { b'`' } else { b' ' + value };
    let mut out = TryVec::new();
    out.try_push(digit(data.len() as u8))?;
    for group in data.chunks(3) {
        let byte = |index: usize| group.get(index).copied().unwrap_or(0);
        let word = u32::from_be_bytes([0, byte(0), byte(1), byte(2)]);
        for shift in [18, 12, 6, 0] {
            out.try_push(digit((word >> shift & 63) as u8))?;
        }
    }
    out.try_push(b'\n')?;
    to_bytes(ts, &out)
}

/// The value of each byte as a base64 digit; 64 for what is none.
static BASE64_VALUES: [u8; 256] = {
    let mut table = [64; 256];
    let mut value = 0;
    while value < 64 {
        table[BASE64_DIGITS[value] as usize] = value as u8;
        value += 1;
    }
    table
};
static BASE64_DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn a2b_base64(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("a2b_base64", ["", "strict_mode"], 1, 1, 1);
    let [data, strict] = SIGNATURE.parse(ts, args)?;
    let strict = flag(ts, strict, false)?;
    let data = ascii(ts, required(ts, "a2b_base64", "data", data)?)?;
    let mut out = TryVec::new();
    out.try_reserve(data.len() / 4 * 3 + 3)?;
    if strict && data.first() == Some(&b'=') {
        return fail(ts, "Leading padding not allowed");
    }
    let (mut place, mut pads, mut left) = (0, 0, 0u8);
    let mut padding = false;
    for (index, byte) in data.iter().enumerate() {
        if *byte == b'=' {
            padding = true;
            if strict && place == 0 {
                return fail(ts, "Excess padding not allowed");
            }
            if place >= 2 {
                pads += 1;
                if place + pads >= 4 {
                    // The padding says that no more data follows.
                    if strict && index + 1 < data.len() {
                        return fail(ts, "Excess data after padding");
                    }
                    return to_bytes(ts, &out);
                }
            }
            continue;
        }
        let value = BASE64_VALUES[usize::from(*byte)];
        if value >= 64 {
            if strict {
                return fail(ts, "Only base64 data is allowed");
            }
            continue;
        }
        if strict && padding {
            return fail(ts, "Discontinuous padding not allowed");
        }
        pads = 0;
        match place {
            0 => left = value,
            1 => {
                out.try_push(left << 2 | value >> 4)?;
                left = value & 0x0F;
            }
            2 => {
                out.try_push(left << 4 | value >> 2)?;
                left = value & 0x03;
            }
            _ => out.try_push(left << 6 | value)?,
        }
        place = (place + 1) % 4;
    }
    match place {
        0 => to_bytes(ts, &out),
        1 => raise!(
            ts,
            ERROR,
            "Invalid base64-encoded string: number of data characters ({}) cannot be 1 more than a multiple of 4",
            out.len() / 3 * 4 + 1
        ),
        _ => fail(ts, "Incorrect padding"),
    }
}

fn b2a_base64(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("b2a_base64", ["", "newline"], 1, 1, 1);
    let [data, newline] = SIGNATURE.parse(ts, args)?;
    let newline = flag(ts, newline, true)?;
    let data = bytes_like(ts, required(ts, "b2a_base64", "data", data)?)?;
    let len = data.len().div_ceil(3).checked_mul(4).and_then(|len| len.checked_add(usize::from(newline)));
    let Some(len) = len.filter(|len| *len <= isize::MAX as usize) else {
        return fail(ts, "Too much data for base64 line");
    };
    let digit = |value: u32| BASE64_DIGITS[(value & 63) as usize];
    PyBytes::build(ts, len, |place| {
        let mut groups = place.chunks_exact_mut(4);
        for (bytes, digits) in data.chunks(3).zip(groups.by_ref()) {
            let byte = |index: usize| bytes.get(index).copied().unwrap_or(0);
            let word = u32::from_be_bytes([0, byte(0), byte(1), byte(2)]);
            digits[0].write(digit(word >> 18));
            digits[1].write(digit(word >> 12));
            digits[2].write(if bytes.len() > 1 { digit(word >> 6) } else { b'=' });
            digits[3].write(if bytes.len() > 2 { digit(word) } else { b'=' });
        }
        if let [end] = groups.into_remainder() {
            end.write(b'\n');
        }
    })
    .map(Ref::into_object)
}

fn b2a_hex(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("hexlify", ["data", "sep", "bytes_per_sep"], 0, 3, 1);
    let [data, separator, group] = SIGNATURE.parse(ts, args)?;
    let data = bytes_like(ts, required(ts, "hexlify", "data", data)?)?;
    let text = hex_of(ts, &data, separator, group)?;
    to_bytes(ts, &text)
}

fn a2b_hex(ts: &ThreadState, _module: &PyObject, text: &PyObject) -> PyResult {
    let text = ascii(ts, text)?;
    if text.len() % 2 != 0 {
        return fail(ts, "Odd-length string");
    }
    if text.iter().any(|byte| hex_digit(*byte).is_none()) {
        return fail(ts, "Non-hexadecimal digit found");
    }
    PyBytes::build(ts, text.len() / 2, |place| {
        for (place, pair) in place.iter_mut().zip(text.chunks_exact(2)) {
            let digit = |index: usize| hex_digit(pair[index]).unwrap_or(0);
            place.write(digit(0) << 4 | digit(1));
        }
    })
    .map(Ref::into_object)
}

fn crc_hqx(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "crc_hqx", args.len(), 2, 2)?;
    let data = bytes_like(ts, args[0])?;
    let start = protocol::index(ts, args[1])?.wrapping_u64();
    let mut crc = start as u16;
    for byte in data.iter() {
        crc ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 };
        }
    }
    PyInt::from_i64(ts, i64::from(crc))
}

/// For eight bytes at a time: `CRC_TABLES[n][b]` is the remainder of byte `b` followed by `n` zero bytes.
static CRC_TABLES: [[u32; 256]; 8] = {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 != 0 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut n = 1;
    while n < 8 {
        let mut byte = 0;
        while byte < 256 {
            let previous = tables[n - 1][byte];
            tables[n][byte] = previous >> 8 ^ tables[0][(previous & 0xFF) as usize];
            byte += 1;
        }
        n += 1;
    }
    tables
};

/// The CRC-32 of `data` (as in zlib), going on from `start`.
pub fn crc32(data: &[u8], start: u32) -> u32 {
    let mut crc = !start;
    let (words, rest) = data.as_chunks::<8>();
    for word in words {
        let low = crc ^ u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
        crc = CRC_TABLES[7][(low & 0xFF) as usize]
            ^ CRC_TABLES[6][(low >> 8 & 0xFF) as usize]
            ^ CRC_TABLES[5][(low >> 16 & 0xFF) as usize]
            ^ CRC_TABLES[4][(low >> 24) as usize]
            ^ CRC_TABLES[3][usize::from(word[4])]
            ^ CRC_TABLES[2][usize::from(word[5])]
            ^ CRC_TABLES[1][usize::from(word[6])]
            ^ CRC_TABLES[0][usize::from(word[7])];
    }
    for byte in rest {
        crc = crc >> 8 ^ CRC_TABLES[0][((crc ^ u32::from(*byte)) & 0xFF) as usize];
    }
    !crc
}

fn crc32_function(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "crc32", args.len(), 1, 2)?;
    let data = bytes_like(ts, args[0])?;
    let start = match args.get(1) {
        Some(start) => protocol::index(ts, start)?.wrapping_u64() as u32,
        None => 0,
    };
    PyInt::from_i64(ts, i64::from(crc32(&data, start)))
}

fn a2b_qp(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("a2b_qp", ["data", "header"], 0, 2, 1);
    let [data, header] = SIGNATURE.parse(ts, args)?;
    let header = flag(ts, header, false)?;
    let data = ascii(ts, required(ts, "a2b_qp", "data", data)?)?;
    let mut out = TryVec::new();
    out.try_reserve(data.len())?;
    let mut at = 0;
    while let Some(byte) = data.get(at) {
        at += 1;
        match byte {
            b'=' => match data.get(at) {
                None => break,
                Some(b'\n' | b'\r') => {
                    // A soft line break reaches to the end of the line.
                    at += data[at..].iter().position(|byte| *byte == b'\n').map_or(data.len() - at, |n| n + 1);
                }
                Some(b'=') => {
                    out.try_push(b'=')?;
                    at += 1;
                }
                Some(high) => match (hex_digit(*high), data.get(at + 1).and_then(|low| hex_digit(*low))) {
                    (Some(high), Some(low)) => {
                        out.try_push(high << 4 | low)?;
                        at += 2;
                    }
                    _ => out.try_push(b'=')?,
                },
            },
            b'_' if header => out.try_push(b' ')?,
            _ => out.try_push(*byte)?,
        }
    }
    to_bytes(ts, &out)
}

/// Quoted-printable text under construction.
struct Quoted {
    out: TryVec<u8>,
    line: usize,
    crlf: bool,
}

/// The longest line.
const LINE: usize = 76;

impl Quoted {
    fn end_line(&mut self) -> PyResult<()> {
        if self.crlf {
            self.out.try_push(b'\r')?;
        }
        self.out.try_push(b'\n')?;
        self.line = 0;
        Ok(())
    }

    fn soft_break(&mut self) -> PyResult<()> {
        self.out.try_push(b'=')?;
        self.end_line()
    }

    fn push_hex(&mut self, byte: u8) -> PyResult<()> {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        Ok(self.out.try_extend_from_copy(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])?)
    }
}

fn b2a_qp(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<4> = Signature::new("b2a_qp", ["data", "quotetabs", "istext", "header"], 0, 4, 1);
    let [data, quote_tabs, is_text, header] = SIGNATURE.parse(ts, args)?;
    let (quote_tabs, is_text, header) =
        (flag(ts, quote_tabs, false)?, flag(ts, is_text, true)?, flag(ts, header, false)?);
    let data = bytes_like(ts, required(ts, "b2a_qp", "data", data)?)?;
    // The first line's end says how all lines end.
    let first_end = data.iter().position(|byte| *byte == b'\n');
    let crlf = first_end.is_some_and(|at| at > 0 && data[at - 1] == b'\r');
    let mut text = Quoted { out: TryVec::new(), line: 0, crlf };
    text.out.try_reserve(data.len())?;
    let mut at = 0;
    while let Some(byte) = data.get(at).copied() {
        let next = data.get(at + 1).copied();
        let lone_dot = byte == b'.' && text.line == 0 && matches!(next, None | Some(b'\n' | b'\r' | 0));
        let blank = matches!(byte, b'\t' | b' ');
        let quoted = byte > 126
            || byte == b'='
            || header && byte == b'_'
            || lone_dot
            || !is_text && matches!(byte, b'\r' | b'\n')
            || blank && next.is_none()
            || byte < 33 && !matches!(byte, b'\r' | b'\n') && (quote_tabs || !blank);
        if quoted {
            if text.line + 3 >= LINE {
                text.soft_break()?;
            }
            text.out.try_push(b'=')?;
            text.push_hex(byte)?;
            text.line += 3;
            at += 1;
        } else if is_text && (byte == b'\n' || byte == b'\r' && next == Some(b'\n')) {
            // A blank at the end of a line would not survive.
            if let Some(last @ (b' ' | b'\t')) = text.out.last().copied() {
                let end = text.out.len() - 1;
                text.out[end] = b'=';
                text.push_hex(last)?;
            }
            text.end_line()?;
            at += if byte == b'\r' { 2 } else { 1 };
        } else {
            if next.is_some_and(|next| next != b'\n') && text.line + 1 >= LINE {
                text.soft_break()?;
            }
            text.line += 1;
            text.out.try_push(if header && byte == b' ' { b'_' } else { byte })?;
            at += 1;
        }
    }
    to_bytes(ts, &text.out)
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn crc32_goes_on_where_it_stopped() {
        assert_eq!(crc32(b"123456789", 0), 0xCBF4_3926);
        let data: Vec<u8> = (0..1000u32).map(|n| (n * 7) as u8).collect();
        for cut in [0, 1, 7, 8, 9, 500] {
            assert_eq!(crc32(&data[cut..], crc32(&data[..cut], 0)), crc32(&data, 0));
        }
    }
}
