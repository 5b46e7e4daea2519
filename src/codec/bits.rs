//! bit and varbit: a count of bits, then the bits from the left, the last byte filled up with zeros.

use super::{Reason, reader::Reader};

pub(super) fn to_binary(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    let count = i32::try_from(text.len()).map_err(|_| "too many bits")?;
    out.extend_from_slice(&count.to_be_bytes());
    for bits in text.as_bytes().chunks(8) {
        let mut byte = 0;
        for (index, bit) in bits.iter().enumerate() {
            match bit {
                b'0' => {}
                b'1' => byte |= 0x80 >> index,
                _ => return Err("not a row of 0 and 1"),
            }
        }
        out.push(byte);
    }
    Ok(())
}

pub(super) fn to_text(binary: &[u8], out: &mut String) -> Result<(), Reason> {
    let mut reader = Reader::new(binary);
    let count = usize::try_from(reader.i32()?).map_err(|_| "a negative number of bits")?;
    let bytes = reader.take(count.div_ceil(8))?;
    out.reserve(count);
    let bits = bytes.iter().flat_map(|byte| (0..8).map(move |index| byte & (0x80 >> index) != 0));
    out.extend(bits.take(count).map(|bit| if bit { '1' } else { '0' }));
    reader.finish()
}
