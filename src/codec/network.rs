//! inet and cidr, macaddr and macaddr8.

use std::{
    fmt::Write,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use super::{
    Reason,
    bytea::{hex, push_hex},
    reader::Reader,
};

/// The families' numbers in the binary form, on every platform.
const V4: u8 = 2;
const V6: u8 = 3;

pub(super) fn to_binary(text: &str, cidr: bool, out: &mut Vec<u8>) -> Result<(), Reason> {
    const NO_ADDRESS: Reason = "not a network address";
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| NO_ADDRESS)?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| NO_ADDRESS)?;
    let (family, length) = if address.is_ipv4() { (V4, 4) } else { (V6, 16) };
    let bits = bits.unwrap_or(length * 8);
    if bits > length * 8 {
        return Err(NO_ADDRESS);
    }
    out.extend_from_slice(&[family, bits, cidr.into(), length]);
    match address {
        IpAddr::V4(address) => out.extend_from_slice(&address.octets()),
        IpAddr::V6(address) => out.extend_from_slice(&address.octets()),
    }
    Ok(())
}

pub(super) fn to_text(binary: &[u8], cidr: bool, out: &mut String) -> Result<(), Reason> {
    let mut reader = Reader::new(binary);
    let [family, bits, _, length] = reader.array()?;
    match (family, length) {
        (V4, 4) => {
            let _ = write!(out, "{}", Ipv4Addr::from(reader.array::<4>()?));
        }
        (V6, 16) => push_v6(Ipv6Addr::from(reader.array::<16>()?), out),
        _ => return Err("an unknown family of addresses"),
    }
    if bits > length * 8 {
        return Err("a netmask longer than the address");
    }
    if cidr || bits < length * 8 {
        let _ = write!(out, "/{bits}");
    }
    reader.finish()
}

/// As Postgres prints it: it shows a dotted quad in compatible addresses, too, which Rust shows in mapped ones only.
fn push_v6(address: Ipv6Addr, out: &mut String) {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let compatible = [a, b, c, d, e, f] == [0; 6] && g != 0;
    if compatible {
        let [g1, g2] = g.to_be_bytes();
        let [h1, h2] = h.to_be_bytes();
        let _ = write!(out, "::{}", Ipv4Addr::new(g1, g2, h1, h2));
    } else {
        let _ = write!(out, "{address}");
    }
}

pub(super) fn mac_to_binary(text: &str, bytes: usize, out: &mut Vec<u8>) -> Result<(), Reason> {
    const NO_ADDRESS: Reason = "not pairs of hexadecimal digits between colons";
    let mut count = 0;
    for pair in text.split(':') {
        let pair = pair.as_bytes().try_into().map_err(|_| NO_ADDRESS)?;
        out.push(hex(pair).ok_or(NO_ADDRESS)?);
        count += 1;
    }
    if count == bytes { Ok(()) } else { Err(NO_ADDRESS) }
}

pub(super) fn mac_to_text(binary: &[u8], bytes: usize, out: &mut String) -> Result<(), Reason> {
    // The server lengthens a macaddr to a macaddr8 so.
    let lengthened = match (bytes, binary) {
        (8, &[a, b, c, d, e, f]) => Some([a, b, c, 0xff, 0xfe, d, e, f]),
        _ => None,
    };
    let binary = lengthened.as_ref().map_or(binary, <[u8; 8]>::as_slice);
    if binary.len() != bytes {
        return Err("it has the wrong size");
    }
    for (index, byte) in binary.iter().enumerate() {
        if index > 0 {
            out.push(':');
        }
        push_hex(&[*byte], out);
    }
    Ok(())
}
