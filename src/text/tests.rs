//! The text cores beside Python's own formatting.

use std::process::Command;

use hognose_allocators::collections::TryVec;

use super::escape::{Shown, bytes_repr, str_repr};
use super::float_repr::{repr, write_hex};
use super::format_number::{
    IntKind, Locale, format_char, format_complex, format_f64, format_int, format_str, int_kind,
};
use super::format_spec::{FormatSpec, Target};
use super::format_string::{First, Markups, Step, split_name};
use super::message::TextError;
use super::percent::{Layout, Piece, Pieces};
use super::testing::TestHeap;
use super::{Measure, Text, TextSink};

fn cases() -> Option<String> {
    let own = std::env::var("HOGNOSE_TEST_PYTHON").ok();
    for python in own.as_deref().into_iter().chain(["python3.14", "python3.13", "python3"]) {
        let run = Command::new(python).args(["-X", "utf8", "-c", include_str!("tests.py")]).output();
        if let Ok(output) = run
            && output.status.success()
        {
            return String::from_utf8(output.stdout).ok();
        }
    }
    None
}

fn units(field: &str) -> Vec<u32> {
    field.split(',').filter(|part| !part.is_empty()).map(|part| part.parse().unwrap()).collect()
}

fn digits(mut value: u64, base: u64) -> Vec<u8> {
    let mut digits = Vec::new();
    loop {
        digits.insert(0, super::digit_char((value % base) as u8));
        value /= base;
        if value == 0 {
            return digits;
        }
    }
}

fn write_int<S: TextSink>(value: i64, spec: &[u32], sink: &mut S) -> Result<(), TextError> {
    let spec = FormatSpec::parse(spec, Target::Int)?;
    match int_kind(&spec)? {
        IntKind::Digits(base) => {
            let digits = digits(value.unsigned_abs(), u64::from(base));
            format_int(&spec, value < 0, &digits, &Locale::C, sink)
        }
        IntKind::Char => format_char(&spec, u32::try_from(value).ok(), sink),
        IntKind::Float => format_f64(&spec, value as f64, &Locale::C, sink),
    }
}

fn write_percent<S: TextSink>(
    format: &[u32],
    sink: &mut S,
    value: impl Fn(&Layout, &mut S) -> Result<(), TextError>,
) -> Result<(), TextError> {
    for piece in Pieces::new(format) {
        match piece? {
            Piece::Literal(range) => sink.push_range(format, range)?,
            Piece::Item(item) if item.conversion == u32::from(b'%') => sink.push(u32::from(b'%'))?,
            Piece::Item(item) => {
                if !char::from_u32(item.conversion).is_some_and(|ch| "sdiuoxXeEfFgG".contains(ch)) {
                    return Err(item.unsupported().into());
                }
                value(&Layout::new(&item, None, None), sink)?;
            }
        }
    }
    Ok(())
}

/// The format string as its parser sees it, in the notation of the Python side.
fn write_shape<S: TextSink>(format: &[u32], sink: &mut S) -> Result<(), TextError> {
    for markup in Markups::new(format, 0..format.len()) {
        let markup = markup?;
        if !markup.literal.is_empty() {
            sink.push_ascii(b"L")?;
            sink.push_range(format, markup.literal)?;
            sink.push_ascii(b";")?;
        }
        let Some(field) = markup.field else { continue };
        sink.push_ascii(b"F")?;
        sink.push_range(format, field.name.clone())?;
        sink.push_ascii(b"!")?;
        if let Some(conversion) = field.conversion {
            sink.push(conversion)?;
        }
        sink.push_ascii(b":")?;
        sink.push_range(format, field.spec)?;
        sink.push_ascii(b";")?;
        let (first, steps) = split_name(format, field.name)?;
        match first {
            First::Next => sink.push_ascii(b"N")?,
            First::Index(index) => sink.push_ascii(format!("I{index}").as_bytes())?,
            First::Name(range) => {
                sink.push_ascii(b"N")?;
                sink.push_range(format, range)?;
            }
        }
        for step in steps {
            match step? {
                Step::Attribute(range) => {
                    sink.push_ascii(b".")?;
                    sink.push_range(format, range)?;
                }
                Step::Index(index) => sink.push_ascii(format!("#{index}").as_bytes())?,
                Step::Key(range) => {
                    sink.push_ascii(b"[")?;
                    sink.push_range(format, range)?;
                }
            }
        }
        sink.push_ascii(b";")?;
    }
    Ok(())
}

fn perform<S: TextSink>(fields: &[&str], sink: &mut S) -> (Result<(), TextError>, Vec<u32>, &'static str) {
    let float = |field: &str| f64::from_bits(field.parse().unwrap());
    let spec = if fields.len() > 2 { units(fields[fields.len() - 1]) } else { Vec::new() };
    let parse = |target| FormatSpec::parse(spec.as_slice(), target);
    let (result, name) = match fields[0] {
        "repr" => (repr(float(fields[1]), sink).map_err(TextError::from), ""),
        "hex" => (write_hex(float(fields[1]), sink).map_err(TextError::from), ""),
        "float" => {
            let format = |spec: FormatSpec| format_f64(&spec, float(fields[1]), &Locale::C, sink);
            (parse(Target::Float).map_err(TextError::from).and_then(format), "float")
        }
        "complex" => {
            let (re, im) = (float(fields[1]), float(fields[2]));
            let format = |spec: FormatSpec| format_complex(&spec, re, im, &Locale::C, sink);
            (parse(Target::Float).map_err(TextError::from).and_then(format), "complex")
        }
        "int" => (write_int(fields[1].parse().unwrap(), &spec, sink), "int"),
        "str" => {
            let format = |spec: FormatSpec| format_str(&spec, units(fields[1]).as_slice(), sink);
            (parse(Target::Str).map_err(TextError::from).and_then(format), "str")
        }
        "percent-int" => {
            let value: i64 = fields[1].parse().unwrap();
            let write = |layout: &Layout, sink: &mut S| {
                let digits = digits(value.unsigned_abs(), u64::from(layout.int_base().unwrap_or(10)));
                layout.write_int(value < 0, &digits, sink)
            };
            (write_percent(&spec, sink, write), "")
        }
        "percent-float" => {
            let write = |layout: &Layout, sink: &mut S| layout.write_float(float(fields[1]), sink);
            (write_percent(&spec, sink, write), "")
        }
        "percent-str" => {
            let value = units(fields[1]);
            let write = |layout: &Layout, sink: &mut S| Ok(layout.write_str(value.as_slice(), sink)?);
            (write_percent(&spec, sink, write), "")
        }
        "str-repr" => (str_repr(units(fields[1]).as_slice(), Shown::Printable, sink).map_err(TextError::from), ""),
        "str-ascii" => (str_repr(units(fields[1]).as_slice(), Shown::Ascii, sink).map_err(TextError::from), ""),
        "bytes-repr" => {
            let bytes: Vec<u8> = units(fields[1]).iter().map(|&byte| byte as u8).collect();
            (bytes_repr(&bytes, sink).map_err(TextError::from), "")
        }
        "format" => (write_shape(units(fields[1]).as_slice(), sink), ""),
        other => panic!("no such case: {other}"),
    };
    (result, spec, name)
}

fn show(text: &[u32]) -> String {
    text.iter().map(|&ch| char::from_u32(ch).unwrap_or('\u{fffd}')).collect()
}

#[test]
fn formats_as_python_does() {
    let _heap = TestHeap::new();
    let Some(cases) = cases() else {
        eprintln!("skipped: no Python");
        return;
    };
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in cases.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let (expected, fields) = fields.split_last().unwrap();
        let mut sink = TryVec::<u32>::new();
        let (result, spec, name) = perform(fields, &mut sink);
        let mut found = String::from("=");
        if let Err(error) = result {
            let TextError::Raise(message) = error else { panic!("out of memory") };
            found = String::from("!");
            sink = TryVec::new();
            message.write(spec.as_slice(), name, &mut sink).unwrap();
        } else {
            let mut measure = Measure::default();
            let _ = perform(fields, &mut measure);
            assert_eq!(measure.len, Text::len(&*sink));
            assert_eq!(measure.max_char, sink.iter().copied().max().unwrap_or(0));
        }
        let list: Vec<String> = sink.iter().map(u32::to_string).collect();
        found.push_str(&list.join(","));
        count += 1;
        if found != *expected {
            let spec = fields.last().map(|field| show(&units(field))).unwrap_or_default();
            let wanted = show(&units(&expected[1..]));
            wrong.push(format!("{fields:?} {spec:?}\n  wanted {wanted:?}\n  found  {:?}", show(&sink)));
        }
    }
    assert!(count > 10_000, "only {count} cases");
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong[..wrong.len().min(25)].join("\n"));
}
