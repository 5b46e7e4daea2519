//! One row with a column of each type that diesel knows.

use std::ops::Bound;

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use diesel::{
    data_types::PgInterval,
    pg::{
        Pg, PgConnection,
        data_types::{PgLsn, PgMoney},
    },
    prelude::*,
    query_builder::{BoxedSqlQuery, SqlQuery},
    sql_query, sql_types,
    sql_types::*,
};
use ipnetwork::IpNetwork;

use super::{Place, Road};

super::on_each_transport!(a_column_of_each_type);

/// Declares a row of the table `wide`, and what each column is and holds in the database.
///
/// A row read by name takes no more of the compiler for its many columns.
macro_rules! wide {
    ($($name:ident: $sql_type:ty => $rust_type:ty, $type:literal, $value:literal;)+) => {
        #[derive(Debug, PartialEq, QueryableByName)]
        struct Wide {
            #[diesel(sql_type = Integer)]
            id: i32,
            $(#[diesel(sql_type = Nullable<$sql_type>)]
            $name: Option<$rust_type>,)+
        }

        impl Wide {
            /// Returns the statement that writes the row under another number.
            fn insert(&self, id: i32) -> BoxedSqlQuery<'_, Pg, SqlQuery> {
                let places = (1..=COLUMNS.len() + 1).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ");
                let query = sql_query(format!("insert into wide values ({places})")).into_boxed();
                query.bind::<Integer, _>(id)$(.bind::<Nullable<$sql_type>, _>(&self.$name))+
            }
        }

        /// Each column's name, type and value.
        const COLUMNS: &[(&str, &str, &str)] = &[$((stringify!($name), $type, $value)),+];
    };
}

type Ends<T> = (Bound<T>, Bound<T>);

wide! {
    a_bool: Bool => bool, "bool", "true";
    an_int2: SmallInt => i16, "int2", "'-32768'";
    an_int4: Integer => i32, "int4", "-7";
    an_int8: BigInt => i64, "int8", "'-9223372036854775808'";
    a_float4: Float => f32, "float4", "'0.1'";
    a_float8: Double => f64, "float8", "'9.999999999999999e+22'";
    a_numeric: Numeric => BigDecimal, "numeric", "'-12345678901234567890.00120'";
    a_text: Text => String, "text", r#"E'\\ " { ''⛴'' \n\t'"#;
    a_varchar: Varchar => String, "varchar(20)", "'NULL'";
    a_bpchar: Bpchar => String, "char(4)", "'ab'";
    a_bytea: Binary => Vec<u8>, "bytea", r"'\x00ff5c2722'";
    a_date: Date => NaiveDate, "date", "'0044-03-15 BC'";
    an_interval: Interval => PgInterval, "interval", "'-1 years 2 mons -3 days 04:05:06.000007'";
    a_time: Time => NaiveTime, "time", "'23:59:59.999999'";
    a_timestamp: Timestamp => NaiveDateTime, "timestamp", "'12024-02-29 00:00:00.000001'";
    a_timestamptz: Timestamptz => DateTime<Utc>, "timestamptz", "'1800-01-01 12:00:00.5+05:53:28'";
    an_oid: Oid => u32, "oid", "4294967295";
    a_uuid: Uuid => uuid::Uuid, "uuid", "'c0ffee00-1234-4abc-8def-0123456789ab'";
    a_json: Json => serde_json::Value, "json", r#"'{"a":{},"b":[1.5,null,"ü\n"]}'"#;
    a_jsonb: Jsonb => serde_json::Value, "jsonb", r#"'{"b": [1.5, null, "ü\\"], "a": {}}'"#;
    a_macaddr: MacAddr => [u8; 6], "macaddr", "'08:00:2b:01:02:ff'";
    a_macaddr8: MacAddr8 => [u8; 8], "macaddr8", "'08:00:2b:01:02:03:04:ff'";
    an_inet: Inet => IpNetwork, "inet", "'192.168.100.128/25'";
    a_cidr: Cidr => IpNetwork, "cidr", "'2001:4f8:3:ba::/64'";
    a_money: Money => PgMoney, "money", "'-1234567.89'";
    a_char: CChar => u8, r#""char""#, r"'\377'";
    a_pg_lsn: sql_types::PgLsn => PgLsn, "pg_lsn", "'16/B374D848'";
    an_int4range: Int4range => Ends<i32>, "int4range", "'(1,5]'";
    an_int8range: Int8range => Ends<i64>, "int8range", "'[-9223372036854775808,)'";
    a_numrange: Numrange => Ends<BigDecimal>, "numrange", "'(1.50,2.000]'";
    a_daterange: Daterange => Ends<NaiveDate>, "daterange", "'[2024-02-28,2024-02-29]'";
    a_tsrange: Tsrange => Ends<NaiveDateTime>, "tsrange", "'(,2024-02-29 12:00:00]'";
    a_tstzrange: Tstzrange => Ends<DateTime<Utc>>, "tstzrange", "'[2024-02-29 12:00:00+02,2024-03-01 00:00:00+00)'";
    an_int4multirange: Int4multirange => Vec<Ends<i32>>, "int4multirange", "'{[1,2],(5,9)}'";
    an_int8multirange: Int8multirange => Vec<Ends<i64>>, "int8multirange", "'{}'";
    a_nummultirange: Nummultirange => Vec<Ends<BigDecimal>>, "nummultirange", "'{(,0.50],[1,)}'";
    a_datemultirange: Datemultirange => Vec<Ends<NaiveDate>>, "datemultirange", "'{[2024-02-28,2024-02-29]}'";
    a_tsmultirange: Tsmultirange => Vec<Ends<NaiveDateTime>>, "tsmultirange", "'{[2024-02-29 12:00,2024-02-29 13:00)}'";
    a_tstzmultirange: Tstzmultirange => Vec<Ends<DateTime<Utc>>>, "tstzmultirange", "'{(2024-02-29 12:00+01,2024-02-29 13:00+01)}'";
    bools: Array<Bool> => Vec<bool>, "bool[]", "'{t,f}'";
    int2s: Array<SmallInt> => Vec<i16>, "int2[]", "'{}'";
    int4s: Array<Nullable<Integer>> => Vec<Option<i32>>, "int4[]", "'{1,NULL,-3}'";
    int8s: Array<BigInt> => Vec<i64>, "int8[]", "'{9007199254740993}'";
    float4s: Array<Float> => Vec<f32>, "float4[]", "'{1e-45,Infinity}'";
    float8s: Array<Double> => Vec<f64>, "float8[]", "'{-0,5e-324}'";
    numerics: Array<Numeric> => Vec<BigDecimal>, "numeric[]", "'{0.10,1e30}'";
    texts: Array<Nullable<Text>> => Vec<Option<String>>, "text[]", r#"array['', null, 'NULL', 'a,b', '"\{}']"#;
    byteas: Array<Binary> => Vec<Vec<u8>>, "bytea[]", r"array['\x5c22'::bytea, '']";
    dates: Array<Date> => Vec<NaiveDate>, "date[]", "'{0044-03-15 BC,2024-02-29}'";
    intervals: Array<Interval> => Vec<PgInterval>, "interval[]", "'{-1 days +02:03:04,00:00:00}'";
    times: Array<Time> => Vec<NaiveTime>, "time[]", "'{00:00:00,23:59:59.999999}'";
    timestamps: Array<Timestamp> => Vec<NaiveDateTime>, "timestamp[]", r#"'{"2024-02-29 12:00:00"}'"#;
    timestamptzs: Array<Timestamptz> => Vec<DateTime<Utc>>, "timestamptz[]", r#"'{"2024-02-29 12:00:00+05:45"}'"#;
    oids: Array<Oid> => Vec<u32>, "oid[]", "'{0,4294967295}'";
    uuids: Array<Uuid> => Vec<uuid::Uuid>, "uuid[]", "'{c0ffee00-1234-4abc-8def-0123456789ab}'";
    jsons: Array<Json> => Vec<serde_json::Value>, "json[]", r#"array['{"a":"b,c"}'::json, '"\\\"{}"']"#;
    jsonbs: Array<Jsonb> => Vec<serde_json::Value>, "jsonb[]", r#"array['[1, 2]'::jsonb, 'null']"#;
    macaddrs: Array<MacAddr> => Vec<[u8; 6]>, "macaddr[]", "'{08:00:2b:01:02:03}'";
    inets: Array<Inet> => Vec<IpNetwork>, "inet[]", "'{::ffff:10.0.0.1,10.0.0.0/8}'";
    cidrs: Array<Cidr> => Vec<IpNetwork>, "cidr[]", "'{10.0.0.0/8}'";
    moneys: Array<Money> => Vec<PgMoney>, "money[]", "'{0.01,-1234.56}'";
    chars: Array<CChar> => Vec<u8>, r#""char"[]"#, r#"'{a,"\"",\\344}'"#;
    pg_lsns: Array<sql_types::PgLsn> => Vec<PgLsn>, "pg_lsn[]", "'{0/0,FFFFFFFF/FFFFFFFF}'";
}

fn a_column_of_each_type(place: &Place) {
    assert!(COLUMNS.len() >= 60);
    let column = |&(name, sql_type, _): &(&str, &str, &str)| format!("{name} {sql_type}");
    let columns = COLUMNS.iter().map(column).collect::<Vec<_>>().join(", ");
    let values = COLUMNS.iter().map(|&(_, _, value)| value).collect::<Vec<_>>().join(", ");
    place.stage().psql(&format!(
        "create table wide (id int4 primary key, {columns}); insert into wide values (1, {values}); insert into wide (id) values (2); \
         alter table wide owner to app"
    ));

    let query = "select * from wide order by id";
    let control = &mut PgConnection::establish(&place.stage().postgres_url()).unwrap();
    let expected = sql_query(query).load::<Wide>(control).unwrap();
    let connection = &mut place.connect();
    let rows = sql_query(query).load::<Wide>(connection).unwrap();
    assert_eq!(rows, expected);

    // The server finds what is written to be what was read.
    for row in &rows {
        assert_eq!(row.insert(row.id + 2).execute(connection), Ok(1));
    }
    let mut differs = |name: &str| {
        let same =
            format!("select from wide having count(distinct {name}::text) = 1 and count({name}) = 2 and count(*) = 4");
        sql_query(same).execute(control) != Ok(1)
    };
    let differing: Vec<_> = COLUMNS.iter().map(|&(name, _, _)| name).filter(|name| differs(name)).collect();
    assert!(differing.is_empty(), "{differing:?}");
}
