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
            // name, text, json, unknown, bpchar, varchar, refcursor, cstring
            19 | 25 | 114 | 705 | 1042 | 1043 | 1790 | 2275 => Self::Text,
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
    #[allow(dead_code, reason = "the catalogue, which knows these types, is still to come")]
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

    /// What stands between the elements of an array.
    pub(super) fn delimiter(self) -> u8 {
        if self == Self::Shape(Shape::Box) { b';' } else { b',' }
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
