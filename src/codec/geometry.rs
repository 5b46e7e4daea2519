//! The geometric types: numbers between brackets.

use super::{Reason, float::push_float8, reader::Reader};

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Box,
    Circle,
    Line,
    Path,
    Point,
    Polygon,
    Segment,
}

const NO_SHAPE: Reason = "not such a shape";

pub(super) fn to_binary(shape: Shape, text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    let inside =
        |open: char, close: char| text.strip_prefix(open).and_then(|text| text.strip_suffix(close)).ok_or(NO_SHAPE);
    match shape {
        Shape::Point => numbers(inside('(', ')')?, 2, out),
        Shape::Line => numbers(inside('{', '}')?, 3, out),
        Shape::Box => {
            let (high, low) = text.split_once("),(").ok_or(NO_SHAPE)?;
            numbers(high.strip_prefix('(').ok_or(NO_SHAPE)?, 2, out)?;
            numbers(low.strip_suffix(')').ok_or(NO_SHAPE)?, 2, out)
        }
        Shape::Segment => {
            let count = points(inside('[', ']')?, out)?;
            if count == 2 { Ok(()) } else { Err(NO_SHAPE) }
        }
        Shape::Circle => {
            let (centre, radius) = inside('<', '>')?.rsplit_once(',').ok_or(NO_SHAPE)?;
            numbers(centre.strip_prefix('(').and_then(|text| text.strip_suffix(')')).ok_or(NO_SHAPE)?, 2, out)?;
            numbers(radius, 1, out)
        }
        Shape::Path | Shape::Polygon => {
            let open = shape == Shape::Path && text.starts_with('[');
            let inner = if open { inside('[', ']')? } else { inside('(', ')')? };
            if shape == Shape::Path {
                out.push(u8::from(!open));
            }
            let at = out.len();
            out.extend_from_slice(&[0; 4]);
            let count = points(inner, out)?;
            out.get_mut(at..at + 4).ok_or(NO_SHAPE)?.copy_from_slice(&count.to_be_bytes());
            Ok(())
        }
    }
}

/// Appends points `(x,y),(x,y)` and returns how many there are.
fn points(text: &str, out: &mut Vec<u8>) -> Result<i32, Reason> {
    let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).ok_or(NO_SHAPE)?;
    let mut count = 0_i32;
    for point in inner.split("),(") {
        numbers(point, 2, out)?;
        count = count.checked_add(1).ok_or(NO_SHAPE)?;
    }
    Ok(count)
}

fn numbers(text: &str, count: usize, out: &mut Vec<u8>) -> Result<(), Reason> {
    let mut found = 0;
    for number in text.split(',') {
        let number: f64 = number.parse().map_err(|_| NO_SHAPE)?;
        out.extend_from_slice(&number.to_be_bytes());
        found += 1;
    }
    if found == count { Ok(()) } else { Err(NO_SHAPE) }
}

pub(super) fn to_text(shape: Shape, binary: &[u8], out: &mut String) -> Result<(), Reason> {
    let mut reader = Reader::new(binary);
    match shape {
        Shape::Point => push_points(&mut reader, 1, out)?,
        Shape::Box => push_points(&mut reader, 2, out)?,
        Shape::Segment => {
            out.push('[');
            push_points(&mut reader, 2, out)?;
            out.push(']');
        }
        Shape::Line => {
            out.push('{');
            push_numbers(&mut reader, 3, out)?;
            out.push('}');
        }
        Shape::Circle => {
            out.push('<');
            push_points(&mut reader, 1, out)?;
            out.push(',');
            push_numbers(&mut reader, 1, out)?;
            out.push('>');
        }
        Shape::Path | Shape::Polygon => {
            let open = shape == Shape::Path && reader.u8()? == 0;
            let count = reader.u32()?;
            if count == 0 {
                return Err("no points");
            }
            out.push(if open { '[' } else { '(' });
            push_points(&mut reader, count, out)?;
            out.push(if open { ']' } else { ')' });
        }
    }
    reader.finish()
}

fn push_points(reader: &mut Reader<'_>, count: u32, out: &mut String) -> Result<(), Reason> {
    for index in 0..count {
        out.push_str(if index == 0 { "(" } else { ",(" });
        push_numbers(reader, 2, out)?;
        out.push(')');
    }
    Ok(())
}

fn push_numbers(reader: &mut Reader<'_>, count: u32, out: &mut String) -> Result<(), Reason> {
    for index in 0..count {
        if index > 0 {
            out.push(',');
        }
        push_float8(reader.f64()?, out);
    }
    Ok(())
}
