use super::{
    Reason, bits, bool, bytea, char, cube, date_time, ewkb, float,
    geometry::{self, Shape},
    hstore, integer, interval, json, money, network, number_vector, numeric, pgvector, snapshot, text, ts_query,
    ts_vector, uuid, xml,
};
use crate::Oid;

/// A type that is neither made of others nor the user's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    Bits,
    Bool,
    Bytea,
    Char,
    Cidr,
    Cube,
    Date,
    /// PostGIS's geometry and geography.
    Ewkb,
    Float4,
    Float8,
    /// pgvector's halfvec.
    HalfVector,
    Hstore,
    Inet,
    Int2,
    Int2Vector,
    Int4,
    Int8,
    Interval,
    /// jsonb, jsonpath and what of ltree is like them: a version, then text.
    Jsonb,
    Lsn,
    MacAddress {
        bytes: u8,
    },
    Money,
    Name,
    Numeric,
    OidVector,
    Shape(Shape),
    Snapshot,
    /// pgvector's sparsevec.
    SparseVector,
    Text,
    Tid,
    Time,
    TimeTz,
    Timestamp,
    TimestampTz,
    TsQuery,
    TsVector,
    Unsigned4,
    Unsigned8,
    Uuid,
    /// pgvector's vector.
    Vector,
    Void,
    Xml,
}

impl Base {
    /// By the OIDs of `pg_type`.
    pub(super) fn of(oid: Oid) -> Option<Self> {
        Some(match oid {
            16 => Self::Bool,
            17 => Self::Bytea,
            18 => Self::Char,
            20 => Self::Int8,
            21 => Self::Int2,
            22 => Self::Int2Vector,
            23 => Self::Int4,
            19 => Self::Name,
            // text, json, unknown, bpchar, varchar, refcursor, cstring
            25 | 114 | 705 | 1042 | 1043 | 1790 | 2275 => Self::Text,
            // oid, xid, cid
            26 | 28 | 29 => Self::Unsigned4,
            27 => Self::Tid,
            30 => Self::OidVector,
            142 => Self::Xml,
            600 => Self::Shape(Shape::Point),
            601 => Self::Shape(Shape::Segment),
            602 => Self::Shape(Shape::Path),
            603 => Self::Shape(Shape::Box),
            604 => Self::Shape(Shape::Polygon),
            628 => Self::Shape(Shape::Line),
            718 => Self::Shape(Shape::Circle),
            650 => Self::Cidr,
            700 => Self::Float4,
            701 => Self::Float8,
            774 => Self::MacAddress { bytes: 8 },
            790 => Self::Money,
            829 => Self::MacAddress { bytes: 6 },
            869 => Self::Inet,
            1082 => Self::Date,
            1083 => Self::Time,
            1114 => Self::Timestamp,
            1184 => Self::TimestampTz,
            1186 => Self::Interval,
            1266 => Self::TimeTz,
            1560 | 1562 => Self::Bits,
            1700 => Self::Numeric,
            2278 => Self::Void,
            2950 => Self::Uuid,
            // txid_snapshot, pg_snapshot
            2970 | 5038 => Self::Snapshot,
            3220 => Self::Lsn,
            3614 => Self::TsVector,
            3615 => Self::TsQuery,
            // jsonb, jsonpath
            3802 | 4072 => Self::Jsonb,
            5069 => Self::Unsigned8,
            _ => return None,
        })
    }

    /// By the function that makes the binary form, for types whose OID differs from database to database.
    pub(super) fn of_send(send: &str) -> Option<Self> {
        Some(match send {
            "citextsend" => Self::Text,
            "cube_send" => Self::Cube,
            // PostGIS's
            "geography_send" | "geometry_send" => Self::Ewkb,
            "halfvec_send" => Self::HalfVector,
            "hstore_send" => Self::Hstore,
            "lquery_send" | "ltree_send" | "ltxtq_send" => Self::Jsonb,
            "sparsevec_send" => Self::SparseVector,
            "vector_send" => Self::Vector,
            _ => return None,
        })
    }

    pub(super) fn text_to_binary(self, text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
        match self {
            Self::Bits => bits::to_binary(text, out),
            Self::Bool => bool::to_binary(text, out),
            Self::Bytea => bytea::to_binary(text, out),
            Self::Char => char::to_binary(text, out),
            Self::Cidr => network::to_binary(text, true, out),
            Self::Cube => cube::to_binary(text, out),
            Self::Date => date_time::date_to_binary(text, out),
            Self::Ewkb => ewkb::to_binary(text, out),
            Self::Float4 => float::float4_to_binary(text, out),
            Self::Float8 => float::float8_to_binary(text, out),
            Self::HalfVector => pgvector::half_to_binary(text, out),
            Self::Hstore => hstore::to_binary(text, out),
            Self::Inet => network::to_binary(text, false, out),
            Self::Int2 => integer::to_binary(text, i16::to_be_bytes, out),
            Self::Int2Vector => number_vector::int2_to_binary(text, out),
            Self::Int4 => integer::to_binary(text, i32::to_be_bytes, out),
            Self::Int8 => integer::to_binary(text, i64::to_be_bytes, out),
            Self::Interval => interval::to_binary(text, out),
            Self::Lsn => integer::lsn_to_binary(text, out),
            Self::MacAddress { bytes } => network::mac_to_binary(text, bytes.into(), out),
            Self::Money => money::to_binary(text, out),
            Self::Name => text::name_to_binary(text, out),
            Self::Numeric => numeric::to_binary(text, out),
            Self::OidVector => number_vector::oid_to_binary(text, out),
            Self::Shape(shape) => geometry::to_binary(shape, text, out),
            Self::Snapshot => snapshot::to_binary(text, out),
            Self::SparseVector => pgvector::sparse_to_binary(text, out),
            Self::Text => text::to_binary(text, out),
            Self::Tid => integer::tid_to_binary(text, out),
            Self::Time => date_time::time_to_binary(text, out),
            Self::TimeTz => date_time::timetz_to_binary(text, out),
            Self::Timestamp => date_time::timestamp_to_binary(text, false, out),
            Self::TimestampTz => date_time::timestamp_to_binary(text, true, out),
            Self::TsQuery => ts_query::to_binary(text, out),
            Self::TsVector => ts_vector::to_binary(text, out),
            Self::Unsigned4 => integer::to_binary(text, u32::to_be_bytes, out),
            Self::Unsigned8 => integer::to_binary(text, u64::to_be_bytes, out),
            Self::Uuid => uuid::to_binary(text, out),
            Self::Vector => pgvector::to_binary(text, out),
            Self::Jsonb => json::to_binary(text, out),
            Self::Void if text.is_empty() => Ok(()),
            Self::Void => Err("it has no values"),
            Self::Xml => text::to_binary(text, out),
        }
    }

    pub(super) fn binary_to_text(self, binary: &[u8], out: &mut String) -> Result<(), Reason> {
        match self {
            Self::Bits => bits::to_text(binary, out),
            Self::Bool => bool::to_text(binary, out),
            Self::Bytea => bytea::to_text(binary, out),
            Self::Char => char::to_text(binary, out),
            Self::Cidr => network::to_text(binary, true, out),
            Self::Cube => cube::to_text(binary, out),
            Self::Date => date_time::date_to_text(binary, out),
            Self::Ewkb => ewkb::to_text(binary, out),
            Self::Float4 => float::float4_to_text(binary, out),
            Self::Float8 => float::float8_to_text(binary, out),
            Self::HalfVector => pgvector::half_to_text(binary, out),
            Self::Hstore => hstore::to_text(binary, out),
            Self::Inet => network::to_text(binary, false, out),
            Self::Int2 => integer::to_text(binary, i16::from_be_bytes, out),
            Self::Int2Vector => number_vector::int2_to_text(binary, out),
            Self::Int4 => integer::to_text(binary, i32::from_be_bytes, out),
            Self::Int8 => integer::to_text(binary, i64::from_be_bytes, out),
            Self::Interval => interval::to_text(binary, out),
            Self::Lsn => integer::lsn_to_text(binary, out),
            Self::MacAddress { bytes } => network::mac_to_text(binary, bytes.into(), out),
            Self::Money => money::to_text(binary, out),
            Self::Name => text::name_to_text(binary, out),
            Self::Numeric => numeric::to_text(binary, out),
            Self::OidVector => number_vector::oid_to_text(binary, out),
            Self::Shape(shape) => geometry::to_text(shape, binary, out),
            Self::Snapshot => snapshot::to_text(binary, out),
            Self::SparseVector => pgvector::sparse_to_text(binary, out),
            Self::Text => text::to_text(binary, out),
            Self::Tid => integer::tid_to_text(binary, out),
            Self::Time => date_time::time_to_text(binary, out),
            Self::TimeTz => date_time::timetz_to_text(binary, out),
            Self::Timestamp => date_time::timestamp_to_text(binary, false, out),
            Self::TimestampTz => date_time::timestamp_to_text(binary, true, out),
            Self::TsQuery => ts_query::to_text(binary, out),
            Self::TsVector => ts_vector::to_text(binary, out),
            Self::Unsigned4 => integer::to_text(binary, u32::from_be_bytes, out),
            Self::Unsigned8 => integer::to_text(binary, u64::from_be_bytes, out),
            Self::Uuid => uuid::to_text(binary, out),
            Self::Vector => pgvector::to_text(binary, out),
            Self::Jsonb => json::to_text(binary, out),
            Self::Void if binary.is_empty() => Ok(()),
            Self::Void => Err("it has no values"),
            Self::Xml => xml::to_text(binary, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Base;
    use crate::codec::bytea::from_hex;

    /// As PostgreSQL 15 and its extensions print and send them; those of pgvector and PostGIS are laid out by their manuals.
    #[test]
    fn what_extensions_bring_is_converted() {
        for (send, text, binary) in [
            ("citextsend", "aB", "6142"),
            ("cube_send", "(1, 2),(3, 4)", "000000023ff0000000000000400000000000000040080000000000004010000000000000"),
            ("cube_send", "(1, 1e+20)", "800000023ff00000000000004415af1d78b58c40"),
            ("cube_send", "(NaN)", "800000017ff8000000000000"),
            ("cube_send", "()", "80000000"),
            (
                "geometry_send",
                "0101000000000000000000F03F0000000000000040",
                "0101000000000000000000f03f0000000000000040",
            ),
            ("halfvec_send", "[1,0.33325195,-2]", "000300003c003555c000"),
            ("hstore_send", "", "00000000"),
            (
                "hstore_send",
                r#""a"=>"1", "b\"\\"=>NULL, "ccc"=>"""#,
                "00000003000000016100000001310000000362225cffffffff0000000363636300000000",
            ),
            ("lquery_send", "*.a*{1,2}", "012a2e612a7b312c327d"),
            ("ltree_send", "a.b", "01612e62"),
            ("ltxtq_send", "a & b", "016120262062"),
            ("sparsevec_send", "{1:1.5,3:2}/5", "00000005000000020000000000000000000000023fc0000040000000"),
            ("vector_send", "[1,2.5]", "000200003f80000040200000"),
        ] {
            let base = Base::of_send(send).unwrap();
            let (mut expected, mut bytes, mut printed) = (Vec::new(), Vec::new(), String::new());
            from_hex(binary, &mut expected).unwrap();
            base.text_to_binary(text, &mut bytes).unwrap();
            assert_eq!(bytes, expected, "{text}");
            base.binary_to_text(&expected, &mut printed).unwrap();
            assert_eq!(printed, text);
        }
        assert_eq!(Base::of_send("seg_send"), None);
    }

    /// PostgreSQL receives none of these, and prints none of their texts.
    #[test]
    fn what_no_server_takes_is_refused() {
        for (oid, text) in [
            (1266, "12:00:00+16"),
            (1266, "12:00:00-99:59:59"),
            (602, "[]"),
            (604, "()"),
            (3615, "''"),
            (3614, "'b':2,2"),
            (1083, "12:00:00:00"),
            (1082, "2024-01-01-01"),
        ] {
            assert!(Base::of(oid).unwrap().text_to_binary(text, &mut Vec::new()).is_err(), "{text}");
        }
        for (oid, binary) in [
            (1266, "00000000000000000000e100"),
            (1266, "000000000000000080000000"),
            (602, "0100000000"),
            (602, "0000000000"),
            (604, "00000000"),
        ] {
            let mut bytes = Vec::new();
            from_hex(binary, &mut bytes).unwrap();
            assert!(Base::of(oid).unwrap().binary_to_text(&bytes, &mut String::new()).is_err(), "{binary}");
        }
        let furthest = "12:00:00-15:59:59";
        let (mut bytes, mut printed) = (Vec::new(), String::new());
        Base::of(1266).unwrap().text_to_binary(furthest, &mut bytes).unwrap();
        Base::of(1266).unwrap().binary_to_text(&bytes, &mut printed).unwrap();
        assert_eq!(printed, furthest);
    }

    #[test]
    fn malformed_values_of_extensions_are_refused() {
        for (send, text) in [
            ("cube_send", "(1, 2),(3)"),
            ("cube_send", "1"),
            ("geometry_send", "0"),
            ("hstore_send", "a=>1"),
            ("hstore_send", r#""a"=>"1","#),
            ("hstore_send", r#""a"=>"1" "#),
        ] {
            assert!(Base::of_send(send).unwrap().text_to_binary(text, &mut Vec::new()).is_err(), "{text}");
        }
        for (send, binary) in [
            ("cube_send", "7fffffff"),
            ("cube_send", "ffffffff"),
            ("cube_send", "800000023ff0000000000000"),
            ("hstore_send", "7fffffff"),
            ("hstore_send", "00000001ffffffff00000000"),
            ("hstore_send", "0000000100000001000000000000"),
            ("ltree_send", "02"),
            ("vector_send", "7fff00003f800000"),
            ("vector_send", "00000000"),
        ] {
            let mut bytes = Vec::new();
            from_hex(binary, &mut bytes).unwrap();
            assert!(Base::of_send(send).unwrap().binary_to_text(&bytes, &mut String::new()).is_err(), "{binary}");
        }
    }

    /// The server takes, in the binary form, what the text form would change or not read.
    #[test]
    fn values_mean_as_text_what_they_mean_in_binary() {
        let print = |base: Base, binary: &[u8]| {
            let mut out = String::new();
            base.binary_to_text(binary, &mut out).ok().map(|()| out)
        };
        assert_eq!(print(Base::Name, &[b'x'; 63]).map(|text| text.len()), Some(63));
        assert_eq!(print(Base::Name, &[b'x'; 64]), None);
        let eui64 = Base::MacAddress { bytes: 8 };
        assert_eq!(print(eui64, &[8, 0, 0x2b, 1, 2, 3]).as_deref(), Some("08:00:2b:ff:fe:01:02:03"));
        assert_eq!(print(Base::MacAddress { bytes: 6 }, &[0; 8]), None);
        assert_eq!(print(Base::TsQuery, b"\0\0\0\x01\x01\x08\x02a\0").as_deref(), Some("'a':*A"));
        let pair = [0, 0, 0, 1, 0, 0, 0, 1, b'a', 0xff, 0xff, 0, 0];
        assert_eq!(print(Base::Hstore, &pair).as_deref(), Some(r#""a"=>NULL"#));
        let mut vector = b"\0\0\0\x01\0\0\0\0\0\0\x40\0\0\0\0\x01\0\0\0\0\0\0\0\x02\0\x07".to_vec();
        assert_eq!(print(Base::Int2Vector, &vector).as_deref(), Some("7"));
        vector[11] = 23;
        vector[10] = 0;
        assert_eq!(print(Base::Int2Vector, &vector), None);
    }
}
