//! One table with a column of each type that Postgres has and clients know, and one row in it.

/// The columns: the type, which with blanks and brackets replaced is the column's name too, and a value.
pub(crate) const COLUMNS: &[(&str, &str)] = &[
    ("bool", "true"),
    ("int2", "-32768"),
    ("int4", "2147483647"),
    ("int8", "-9223372036854775808"),
    ("float4", "0.1"),
    ("float8", "'1e-300'"),
    ("numeric", "-12345678901234567890.000012300"),
    ("money", "'-12.34'"),
    ("text", "E'it''s \"quoted\", \\\\ and Grüße 🚢'"),
    ("varchar", "' a '"),
    ("bpchar", "'p  '"),
    ("name", "'Name'"),
    ("\"char\"", "'c'"),
    ("bytea", "'\\x00ff5c27'"),
    ("date", "'0044-03-15 BC'"),
    ("time", "'23:59:59.999999'"),
    ("timetz", "'12:34:56.5-07:30'"),
    ("timestamp", "'1969-12-31 23:59:59.000001'"),
    ("timestamptz", "'2024-02-29 12:00:00+05:45'"),
    ("interval", "'-1 mons +2 days -03:04:05.6'"),
    ("uuid", "'01234567-89ab-cdef-0123-456789abcdef'"),
    ("json", "'{\"b\": [1, null],  \"a\": \"ü\"}'"),
    ("jsonb", "'{\"b\": [1, null],  \"a\": \"ü\"}'"),
    ("jsonpath", "'$.a[*] ? (@ > 1)'"),
    ("oid", "4294967295"),
    ("bit", "B'1'"),
    ("varbit", "B'101100111000'"),
    ("inet", "'10.1.2.3/8'"),
    ("cidr", "'2001:db8::/32'"),
    ("macaddr", "'08:00:2b:01:02:03'"),
    ("macaddr8", "'08:00:2b:01:02:03:04:05'"),
    ("point", "'(1.5,-2)'"),
    ("line", "'{1,2,3}'"),
    ("lseg", "'[(0,0),(1,2)]'"),
    ("box", "'(3,4),(1,2)'"),
    ("path", "'[(0,0),(1,1),(2,0)]'"),
    ("polygon", "'((0,0),(1,1),(2,0))'"),
    ("circle", "'<(1,2),3.5>'"),
    ("tsvector", "'''a b'':1A,2 c'"),
    ("tsquery", "'a & (!b | c:*A)'"),
    ("pg_lsn", "'16/B374D848'"),
    ("xid8", "'18446744073709551615'"),
    ("bool[]", "'{t,f,NULL}'"),
    ("int2[]", "'{1,NULL,-3}'"),
    ("int4[]", "'{}'"),
    ("int8[]", "'{9000000000}'"),
    ("float4[]", "'{0.5,NaN,-Infinity}'"),
    ("float8[]", "'{0.1,1e300}'"),
    ("numeric[]", "'{1.10,NULL}'"),
    ("text[]", "E'{\"a b\",\"q\\\\\"q\",NULL,\"NULL\",\"\"}'"),
    ("varchar[]", "'{x,\"y,z\"}'"),
    ("bytea[]", "E'{\"\\\\\\\\x00ff\",\"\\\\\\\\x\"}'"),
    ("uuid[]", "'{01234567-89ab-cdef-0123-456789abcdef}'"),
    ("date[]", "'{2024-02-29,NULL}'"),
    ("time[]", "'{00:00:00.000001}'"),
    ("timestamp[]", "'{\"2024-02-29 23:59:59.999999\"}'"),
    ("timestamptz[]", "'{\"2024-02-29 12:00:00+00\"}'"),
    ("interval[]", "'{\"1 year 2 days\",-00:00:00.5}'"),
    ("jsonb[]", "array['{\"a\": [1]}'::jsonb, null]"),
    ("inet[]", "'{10.0.0.1,::1/64}'"),
    ("int4range", "'[1,5)'"),
    ("int8range", "'(,9]'"),
    ("numrange", "'empty'"),
    ("tsrange", "'[2024-01-01 00:00,2024-01-02 12:30]'"),
    ("tstzrange", "'(2024-01-01 00:00+00,)'"),
    ("daterange", "'[2024-01-01,2024-02-01)'"),
    ("int4range[]", "'{\"[1,5)\",empty,NULL}'"),
    ("daterange[]", "'{\"[2024-01-01,2024-02-01)\"}'"),
];

/// The statements that make the table `wide` and its row.
pub(crate) fn script() -> String {
    let columns: Vec<_> = COLUMNS.iter().map(|(type_name, _)| format!("{} {type_name}", column(type_name))).collect();
    let values: Vec<_> = COLUMNS.iter().map(|(_, value)| *value).collect();
    format!("create table wide ({}); insert into wide values ({})", columns.join(", "), values.join(", "))
}

/// The name of a type's column, as `a_int4` and `a_int4s`.
pub(crate) fn column(type_name: &str) -> String {
    format!("a_{}", type_name.replace('"', "").replace("[]", "s"))
}
