//! How fast a response becomes binary rows, beside the time that serde_json takes to read the same body.
//!
//! `cargo bench --bench decode` prints both and their ratio, for a body of 100 000 rows as a server sends it, and then what
//! each hot type costs a value, either way.

use std::{
    fmt::Write as _,
    hint::black_box,
    io::{self, Write as _},
    time::{Duration, Instant},
};

use bytes::Bytes;
use pgferry::{
    codec::Type,
    execute::Conversion,
    http::wire::{Event, ResponseDecoder},
};

const ROWS: usize = 100_000;

/// As much of a body as a connection hands over at once, in bytes.
const CHUNK: usize = 64 * 1024;

/// How often each is timed; the fastest counts, since nothing but other programs makes one slower.
const ROUNDS: usize = 15;

/// Name, OID and size of each column.
const COLUMNS: [(&str, u32, i16); 5] =
    [("id", 20, 8), ("name", 25, -1), ("created_at", 1184, 8), ("amount", 1700, -1), ("payload", 3802, -1)];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let body = Bytes::from(body());
    let megabytes = body.len() as f64 / 1e6;
    let (mut ours, mut theirs) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let bytes = black_box(decode(&body)?);
        ours = ours.min(started.elapsed());
        assert!(bytes > ROWS * COLUMNS.len());

        let started = Instant::now();
        let value: serde_json::Value = black_box(serde_json::from_slice(&body)?);
        drop(value);
        theirs = theirs.min(started.elapsed());
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{ROWS} rows of {} columns, {megabytes:.1} MB of JSON", COLUMNS.len())?;
    for (name, time) in [("pgferry, to binary rows", ours), ("serde_json, to a Value", theirs)] {
        let seconds = time.as_secs_f64();
        writeln!(
            out,
            "{name:25}{:8.1} ms{:8.0} MB/s{:8.0} ns a row",
            seconds * 1e3,
            megabytes / seconds,
            seconds * 1e9 / ROWS as f64
        )?;
    }
    writeln!(out, "ratio: {:.2}\n", ours.as_secs_f64() / theirs.as_secs_f64())?;

    writeln!(out, "{:40}{:>15}{:>15}", "one value", "to binary", "to text")?;
    for (oid, text) in values() {
        let type_ = Type::builtin(oid).ok_or("a type that the codec does not know")?;
        let (mut binary, mut printed) = (Vec::new(), String::new());
        type_.text_to_binary(text, &mut binary)?;
        type_.binary_to_text(&binary, &mut printed)?;
        assert_eq!(printed, text);
        let mut buffer = Vec::with_capacity(1024);
        let to_binary = nanoseconds(|| {
            buffer.clear();
            type_.text_to_binary(black_box(text), &mut buffer).is_ok()
        });
        let to_text = nanoseconds(|| {
            printed.clear();
            type_.binary_to_text(black_box(&binary), &mut printed).is_ok()
        });
        writeln!(out, "{:40}{to_binary:12.1} ns{to_text:12.1} ns", type_.name())?;
    }
    Ok(())
}

/// Converts every row of a response and returns the bytes of all.
fn decode(body: &Bytes) -> pgferry::Result<usize> {
    let mut decoder = ResponseDecoder::new();
    let mut conversion = Conversion::text(0)?;
    let mut bytes = 0;
    for start in (0..body.len()).step_by(CHUNK) {
        decoder.push(body.slice(start..body.len().min(start + CHUNK)));
        while let Some(event) = decoder.next()? {
            match event {
                Event::Fields(fields) => {
                    conversion = Conversion::binary(fields.iter().filter_map(|field| Type::builtin(field.type_oid)))?;
                }
                Event::Row(row) => {
                    bytes += conversion.convert(&row)?.as_bytes().len();
                    decoder.recycle(row);
                }
                _ => {}
            }
        }
    }
    decoder.finish()?;
    Ok(bytes)
}

/// Returns the fastest time of a call.
fn nanoseconds(mut call: impl FnMut() -> bool) -> f64 {
    const CALLS: u32 = 20_000;
    let mut fastest = Duration::MAX;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for _ in 0..CALLS {
            assert!(black_box(call()));
        }
        fastest = fastest.min(started.elapsed());
    }
    fastest.as_secs_f64() * 1e9 / f64::from(CALLS)
}

/// The response to a SELECT, byte for byte in a server's form.
fn body() -> String {
    let mut body = String::from(r#"{"fields":["#);
    for (index, (name, oid, size)) in COLUMNS.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(
            body,
            r#"{comma}{{"name":"{name}","dataTypeID":{oid},"tableID":16485,"columnID":{},"dataTypeSize":{size},"dataTypeModifier":-1,"format":"text"}}"#,
            index + 1
        );
    }
    body.push_str(r#"],"rows":["#);
    for row in 0..ROWS {
        let comma = if row == 0 { "" } else { "," };
        // A multiplier that mixes well makes the rows differ, and the same in each run.
        let noise = (row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let (month, day, hour) = (1 + noise % 12, 1 + noise % 28, noise % 24);
        let _ = write!(
            body,
            concat!(
                r#"{}["{}","customer {:x} of the northern région","2024-{:02}-{:02} {:02}:{:02}:{:02}.{:06}+00","{}.{:02}","#,
                r#""{{\"id\": {}, \"tags\": [\"a\", \"b\"], \"active\": true}}"]"#
            ),
            comma,
            row,
            noise,
            month,
            day,
            hour,
            noise % 60,
            noise % 59,
            noise % 1_000_000,
            noise % 1_000_000,
            noise % 100,
            row
        );
    }
    let _ = write!(body, r#"],"command":"SELECT","rowCount":{ROWS},"rowAsArray":true}}"#);
    body
}

/// A usual value of each hot type.
fn values() -> [(u32, &'static str); 14] {
    [
        (16, "t"),
        (17, r"\x00ff10203040506070"),
        (20, "-1234567890123"),
        (23, "12345678"),
        (25, "a text of some thirty characters"),
        (700, "1.5"),
        (701, "3.141592653589793"),
        (1082, "2024-02-29"),
        (1114, "2024-02-29 12:34:56.789012"),
        (1184, "2024-02-29 12:34:56.789012+00"),
        (1700, "12345678.90"),
        (2950, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        (3802, r#"{"id": 1, "name": "x"}"#),
        (1007, "{1,2,3,NULL,5}"),
    ]
}
