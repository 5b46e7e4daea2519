//! The codec against its oracle: what a real PostgreSQL sends for a value in both forms.

use std::{collections::BTreeMap, fmt::Write};

use anyhow::{Context, Result, ensure};
use pgferry::{
    Oid,
    codec::{Type, builtin_element, builtin_name},
};
use pgferry_test_support::Postgres;

/// How many generated values each type gets beside the hand-made ones.
const GENERATED: usize = 200;

#[test]
fn both_forms_of_every_value_are_postgres_own() -> Result<()> {
    let postgres = Postgres::shared()?;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut mismatches = String::new();
    let mut compared = 0;
    let types = convertible(postgres)?;
    for (oid, (send, array)) in &types {
        let values = values(*oid, &mut random);
        let name = builtin_name(*oid).context("no name")?;
        let list: Vec<_> = values.iter().map(|value| format!("($pgferry${value}$pgferry$)")).collect();
        let each = format!("(select x::{name} v from (values {}) as list(x)) as typed", list.join(","));
        compared += compare(postgres, *oid, &format!("select v, {send}(v) b from {each}"), &mut mismatches)?;
        let arrays = format!(
            "select a v, array_send(a) b from (\
               select array_agg(v) a from {each} \
               union all select array[v, null] from {each} \
               union all select array[array[v, v], array[null, v]] from {each} \
               union all select array_fill(v, array[2, 1, 2], array[-1, 3, 1]) from {each} \
               union all select array[]::{name}[] \
               union all select array[null]::{name}[]) as arrays"
        );
        compared += compare(postgres, *array, &arrays, &mut mismatches)?;
    }
    assert!(mismatches.is_empty(), "{mismatches}");
    assert!(types.len() >= 40, "only {} types", types.len());
    assert!(compared > 5000, "only {compared} values");
    Ok(())
}

#[test]
fn names_and_elements_are_those_of_the_catalogue() -> Result<()> {
    let postgres = Postgres::shared()?;
    let listed = postgres.psql(
        "select t.oid, typname, case when typsubscript = 'array_subscript_handler'::regproc then typelem else 0 end \
         from pg_type t where t.oid < 10000 and typrelid = 0 and typnamespace = 'pg_catalog'::regnamespace",
    )?;
    for line in listed.lines() {
        let mut fields = line.split('|');
        let oid: Oid = fields.next().context("no OID")?.parse()?;
        let name = fields.next().context("no name")?;
        let element: Oid = fields.next().context("no element")?.parse()?;
        // Row types of the catalogue's tables and their arrays are not values that one sends; later versions have more types.
        let Some(ours) = builtin_name(oid) else { continue };
        assert_eq!(ours.replace('"', ""), format!("pg_catalog.{name}"));
        // int2vector and oidvector are arrays by their subscripts only.
        assert_eq!(builtin_element(oid).unwrap_or(0), if matches!(oid, 22 | 30) { 0 } else { element }, "{name}");
    }
    ensure!(listed.lines().count() > 150, "a catalogue of {} types only", listed.lines().count());
    Ok(())
}

/// The base types that the codec converts, with the function that sends them and the type of their arrays.
fn convertible(postgres: &Postgres) -> Result<BTreeMap<Oid, (String, Oid)>> {
    let listed = postgres
        .psql("select oid, typsend::oid::regproc, typarray from pg_type where typtype = 'b' and typarray <> 0 and oid < 10000 and oid <> 'refcursor'::regtype")?;
    let mut types = BTreeMap::new();
    for line in listed.lines() {
        let mut fields = line.split('|');
        let oid = fields.next().context("no OID")?.parse()?;
        if Type::builtin(oid).is_some() && builtin_element(oid).is_none() {
            let send = fields.next().context("no function")?.to_owned();
            types.insert(oid, (send, fields.next().context("no array")?.parse()?));
        }
    }
    Ok(types)
}

/// Asks the server for both forms of the values that a query gives and makes each from the other.
fn compare(postgres: &Postgres, oid: Oid, query: &str, mismatches: &mut String) -> Result<usize> {
    let conversion = Type::builtin(oid).context("no conversion")?;
    // Unlike a cast to text, which is another function for some types, `format` prints what the protocol sends.
    let script = format!(
        "set TimeZone = 'UTC'; set DateStyle = 'ISO, MDY'; set IntervalStyle = 'postgres'; set bytea_output = 'hex'; \
         set extra_float_digits = 1; set lc_monetary = 'C'; \
         select 'row:' || encode(convert_to(format('%s', v), 'UTF8'), 'hex') || ':' || encode(b, 'hex') \
         from ({query}) as forms where v is not null"
    );
    let answer = postgres.psql(&script).with_context(|| conversion.name().to_owned())?;
    let mut count = 0;
    for line in answer.lines().filter_map(|line| line.strip_prefix("row:")) {
        let (text, binary) = line.split_once(':').context("a malformed row")?;
        let (text, binary) = (String::from_utf8(unhex(text)?)?, unhex(binary)?);
        let mut out = Vec::new();
        match conversion.text_to_binary(&text, &mut out) {
            Ok(()) if out == binary => {}
            Ok(()) => writeln!(mismatches, "{}: {text:?} gives {out:02x?}, not {binary:02x?}", conversion.name())?,
            Err(error) => writeln!(mismatches, "{error} for {text:?}")?,
        }
        let mut out = String::new();
        match conversion.binary_to_text(&binary, &mut out) {
            Ok(()) if out == text => {}
            Ok(()) => writeln!(mismatches, "{}: {binary:02x?} gives {out:?}, not {text:?}", conversion.name())?,
            Err(error) => writeln!(mismatches, "{error} for {binary:02x?}")?,
        }
        if count % 16 == 0 && binary.len() <= 120 {
            check_damage(&conversion, &text, &binary);
        }
        count += 1;
    }
    ensure!(count > 0, "no values of {}", conversion.name());
    Ok(count)
}

/// Whatever is cut off or changed must give an error or another value, never a panic.
fn check_damage(conversion: &Type, text: &str, binary: &[u8]) {
    for end in 0..binary.len() {
        let _ = conversion.binary_to_text(&binary[..end], &mut String::new());
        for damage in [0x00, 0x7f, 0x80, 0xff] {
            let mut damaged = binary.to_vec();
            damaged[end] = damage;
            let _ = conversion.binary_to_text(&damaged, &mut String::new());
        }
    }
    for (end, character) in text.char_indices() {
        let _ = conversion.text_to_binary(&text[..end], &mut Vec::new());
        let _ = conversion.text_to_binary(&text[end..], &mut Vec::new());
        for damage in ["", "{", "}", "\\", "\"", ":", "-", "9", "é", ".", " "] {
            let damaged = [&text[..end], damage, &text[end + character.len_utf8()..]].concat();
            let _ = conversion.text_to_binary(&damaged, &mut Vec::new());
        }
    }
}

fn unhex(digits: &str) -> Result<Vec<u8>> {
    (0..digits.len()).step_by(2).map(|at| Ok(u8::from_str_radix(&digits[at..at + 2], 16)?)).collect()
}

/// xorshift: the same values at every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From 0 to below `end`, small numbers as often as large ones.
    fn below(&mut self, end: u64) -> u64 {
        let shift = self.next() % 64;
        (self.next() >> shift) % end
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.next().is_multiple_of(count)
    }

    fn digits(&mut self, count: u64) -> String {
        (0..count).map(|_| char::from(b'0' + u8::try_from(self.next() % 10).unwrap_or(0))).collect()
    }

    fn text(&mut self) -> String {
        const CHARACTERS: [&str; 20] = [
            "a", "B", "0", " ", "\t", "\n", "\r", "\u{b}", "\"", "\\", "'", "{", "}", ",", ";", "NULL", "é", "€", "😀",
            "(",
        ];
        (0..self.below(12)).map(|_| CHARACTERS[usize::try_from(self.next() % 20).unwrap_or(0)]).collect()
    }

    fn date(&mut self) -> String {
        let (day, era) = (1 + self.below(28), if self.one_in(4) { " BC" } else { "" });
        let year = 1 + self.below(if era.is_empty() { 290_000 } else { 4700 });
        format!("{year:04}-{:02}-{day:02}{era}", 1 + self.below(12))
    }

    fn time(&mut self) -> String {
        format!("{:02}:{:02}:{:02}.{:06}", self.below(24), self.below(60), self.below(60), self.below(1_000_000))
    }

    fn zone(&mut self) -> String {
        let sign = if self.one_in(2) { '+' } else { '-' };
        format!("{sign}{:02}:{:02}:{:02}", self.below(15), self.below(60), self.below(60))
    }

    fn timestamp(&mut self) -> String {
        let date = self.date();
        let (date, era) = date.split_once(' ').map_or((date.as_str(), ""), |(date, _)| (date, " BC"));
        format!("{date} {}{era}", self.time())
    }

    fn numeric(&mut self) -> String {
        let (whole, fraction) = (self.below(60), self.below(60));
        let sign = if self.one_in(2) { "-" } else { "" };
        format!("{sign}{}.{}", self.digits(whole + 1), self.digits(fraction))
    }

    fn float8(&mut self) -> f64 {
        loop {
            let value = match self.next() % 3 {
                0 => f64::from_bits(self.next()),
                1 => format!("{}e{}", self.below(1_000_000), self.below(60)).parse().unwrap_or(0.0),
                _ => format!("{}e-{}", self.below(1_000_000), self.below(30)).parse().unwrap_or(0.0),
            };
            if value.is_finite() {
                return value;
            }
        }
    }

    fn point(&mut self) -> String {
        format!("({:e},{:e})", self.float8(), self.float8())
    }

    fn hex(&mut self, bytes: u64) -> String {
        (0..bytes).map(|_| format!("{:02x}", self.next() % 256)).collect()
    }

    fn one(&mut self, oid: Oid) -> String {
        match oid {
            16 => if self.one_in(2) { "t" } else { "f" }.to_owned(),
            17 => {
                let length = self.below(40);
                format!("\\x{}", self.hex(length))
            }
            18 => char::from(33 + u8::try_from(self.next() % 90).unwrap_or(0)).to_string(),
            20 => self.next().cast_signed().to_string(),
            21 => u16::try_from(self.next() % 65536).unwrap_or(0).cast_signed().to_string(),
            23 => u32::try_from(self.next() >> 32).unwrap_or(0).cast_signed().to_string(),
            26 | 28 | 29 => (self.next() >> 32).to_string(),
            27 => format!("({},{})", self.next() >> 32, self.next() % 65536),
            114 | 3802 => format!("{{\"a\\\"\": [{}, \"b, c\\u00e9\"], \"k\": null}}", self.float8()),
            4072 => format!("$.a[*] ? (@ > {})", self.below(1000)),
            600 => self.point(),
            601 => format!("[{},{}]", self.point(), self.point()),
            602 if self.one_in(2) => format!("[{},{}]", self.point(), self.point()),
            602 | 604 => format!("({},{},{})", self.point(), self.point(), self.point()),
            603 => format!("{},{}", self.point(), self.point()),
            628 => format!("{{{},1,{:e}}}", self.below(1000), self.float8()),
            718 => format!("<{},{}>", self.point(), self.below(1000)),
            700 => format!("{:e}", f32::from_bits(u32::try_from(self.next() >> 33).unwrap_or(0) % 0x7f80_0000)),
            701 => format!("{:e}", self.float8()),
            774 => self.hex(8),
            829 => self.hex(6),
            790 => format!("{}.{:02}", i64::try_from(self.below(1 << 50)).unwrap_or(0) - (1 << 20), self.below(100)),
            650 if self.one_in(2) => format!("{}.{}.0.0/16", self.below(256), self.below(256)),
            650 => format!("{:x}::/16", self.below(65536)),
            869 if self.one_in(2) => format!("10.{}.{}.1/{}", self.below(256), self.below(256), self.below(33)),
            869 => {
                let groups: Vec<_> =
                    (0..8).map(|_| format!("{:x}", if self.one_in(2) { 0 } else { self.below(65536) })).collect();
                format!("{}/{}", groups.join(":"), self.below(129))
            }
            1082 => self.date(),
            1083 => self.time(),
            1114 => self.timestamp(),
            1184 => {
                let (timestamp, zone) = (self.timestamp(), self.zone());
                match timestamp.strip_suffix(" BC") {
                    Some(timestamp) => format!("{timestamp}{zone} BC"),
                    None => format!("{timestamp}{zone}"),
                }
            }
            1186 => {
                let sign = |random: &mut Self| if random.one_in(2) { "-" } else { "" };
                format!(
                    "{}{} mons {}{} days {}{}",
                    sign(self),
                    self.below(5000),
                    sign(self),
                    self.below(5000),
                    sign(self),
                    self.time()
                )
            }
            1266 => format!("{}{}", self.time(), self.zone()),
            1560 | 1562 => (0..=self.below(40)).map(|_| if self.one_in(2) { '0' } else { '1' }).collect(),
            1700 => self.numeric(),
            22 | 30 => format!("{} {}", self.below(32768), self.below(10)),
            142 => format!("<a b=\"{}\">é</a>", self.below(1000)),
            2950 => self.hex(16),
            2970 | 5038 => {
                let xmin = 1 + self.below(1 << 60);
                format!("{xmin}:{}:{},{}", xmin + 9, xmin + 1, xmin + 4)
            }
            3614 | 3615 => {
                let text = self.text().replace('\'', "''").replace('\\', "\\\\");
                if oid == 3614 {
                    let weight = if self.one_in(2) { ":1A,7" } else { "" };
                    return format!("'x{text}'{weight} b:3C,5 'c'");
                }
                let operator = if self.one_in(2) { "<->" } else { "& !" };
                format!("'x{text}' {operator} ('b':*AC {operator} 'c' | !'d')")
            }
            3220 => format!("{:X}/{:X}", self.next() >> 32, self.next() >> 32),
            5069 => self.next().to_string(),
            _ => self.text(),
        }
    }
}

fn values(oid: Oid, random: &mut Random) -> Vec<String> {
    let mut values: Vec<String> = nasty(oid).iter().map(|&value| value.to_owned()).collect();
    values.extend((0..GENERATED).map(|_| random.one(oid)));
    values
}

/// What generated values do not hit.
fn nasty(oid: Oid) -> &'static [&'static str] {
    match oid {
        17 => &["", "\\x", "\\x00", "\\x5c", "\\xff00"],
        18 => &["", " ", "\"", "\\", "{", ",", "\\200", "\\303", "\\377"],
        20 => &["0", "-9223372036854775808", "9223372036854775807"],
        21 => &["0", "-32768", "32767"],
        23 => &["0", "-2147483648", "2147483647"],
        26 | 28 => &["0", "4294967295"],
        114 => &["null", "{ \"b\" : 1,\n \"a\":2, \"a\":3 }", "\"\\u00e9 \\\\\"", "[]"],
        3802 => &["null", "1.10", "1e3", "{ \"b\" : 1, \"a\":2 }", "\"\\u00e9 \\\\ \\\" \"", "[]", "-0"],
        4072 => &["$", "strict $.a", "$.\"x y\""],
        602 => &["[(0,0)]", "((1,2),(3,4))"],
        718 => &["<(0,0),0>", "<(1,-1),Infinity>"],
        700 => &[
            "0",
            "-0",
            "NaN",
            "Infinity",
            "-Infinity",
            "1e-45",
            "3.4028235e38",
            "1.1754944e-38",
            "1e5",
            "999999",
            "1e6",
            "1234567",
            "1e-4",
            "1e-5",
            "0.1",
            "16777216",
            "16777217",
            "8.5899346e9",
            "33554432",
            "67108864",
            "1.5",
            "-123.456",
            "2147483648",
            "4294967296",
        ],
        701 => &[
            "0",
            "-0",
            "NaN",
            "Infinity",
            "-Infinity",
            "5e-324",
            "1.7976931348623157e308",
            "2.2250738585072014e-308",
            "1e14",
            "1e15",
            "999999999999999",
            "123456789012345",
            "1234567890123456",
            "1e-4",
            "1e-5",
            "1e23",
            "-1e23",
            "9007199254740992",
            "9007199254740993",
            "9007199254740994",
            "18014398509481984",
            "1e22",
            "0.1",
            "0.3",
            "100",
            "-1.5",
            "5e-5",
            "8.41e21",
            "2e23",
            "9.5367431640625e-7",
        ],
        650 => &["0.0.0.0/0", "::/0", "::1/128", "10.0.0.0/8", "::ffff:1.2.0.0/112"],
        790 => &["0", "-0.01", "-92233720368547758.08", "92233720368547758.07", "999.99", "1000", "-1234567.8"],
        869 => &[
            "0.0.0.0",
            "::",
            "::1",
            "::2/64",
            "::1.2.3.4",
            "::ffff:1.2.3.4",
            "::ffff:0:0/96",
            "1::",
            "1:0:0:2::",
            "1:0:2:0:3:0:4:0",
            "0:0:1::",
            "::1:0",
            "::fffe:1.2.3.4",
            "1:2:3:4:5:6:7:8",
            "1:2:3:0:5:6:7:8",
            "0:2:3:4:5:6:7:8",
            "::8",
            "::7:8",
            "::6:7:8",
            "2001:db8::ff00:42:8329",
        ],
        22 | 30 => &["", "0"],
        142 => &["", "a &lt; b", "<?xml version=\"1.0\" encoding=\"latin1\" standalone=\"yes\"?>\n<é/>"],
        2970 | 5038 => &["1:1:", "3:9223372036854775807:4,9223372036854775806"],
        3614 => &["", "'a''b' ' ' ':' '\\\\' 'NULL'", "a:1A,2B,3C,4D,16383"],
        3615 => &[
            "",
            "a:*ABCD",
            "!!a",
            "!(!a & b)",
            "a <-> b <-> c",
            "a <-> (b <-> c)",
            "(a <-> b) <-> (c <16384> d)",
            "a <0> !b",
            "a <-> (b & c)",
            "(a | b) & c | d",
            "'a''b (' & ':' | '\\\\'",
        ],
        1042 | 1043 | 25 | 19 => &["", "NULL", "null", "nUll", " ", "a,b", "{}", "\\", "\"", "é😀"],
        1082 => &[
            "infinity",
            "-infinity",
            "4713-11-24 BC",
            "5874897-12-31",
            "0001-01-01",
            "0001-12-31 BC",
            "2000-02-29",
            "1900-03-01",
            "10000-01-01",
            "0401-02-29 BC",
        ],
        1083 => &["00:00", "24:00", "23:59:59.999999", "00:00:00.1", "00:00:00.000001"],
        1114 => &[
            "infinity",
            "-infinity",
            "4713-11-24 00:00:00 BC",
            "294276-12-31 23:59:59.999999",
            "1999-12-31 23:59:59.999999",
            "2000-01-01",
            "0001-12-31 23:59:59.5 BC",
            "10000-01-01 24:00",
        ],
        1184 => &[
            "infinity",
            "-infinity",
            "4713-11-24 00:00:00+00 BC",
            "294276-12-31 23:59:59.999999+00",
            "2000-01-01 00:00+15:59:59",
            "2000-01-01 00:00-15:59:59",
            "0001-01-01 00:00+01",
        ],
        1186 => &[
            "0",
            "1 year",
            "-1 year",
            "1 mon",
            "-1 mon",
            "1 day",
            "-1 day",
            "-1 year 1 mon",
            "1 year -1 mon",
            "-1 day 01:00",
            "1 day -01:00",
            "-1 mon 1 day",
            "1 mon -1 day 00:00:01",
            "-00:00:00.000001",
            "178000000 years",
            "-178000000 years",
            "2147483647 days",
            "-2147483648 days",
            "2562047788:00:54.775807",
            "-1 mon -1 day -00:00:01",
            "13 mons -32 days 25:59:00",
        ],
        1266 => &["00:00+00", "24:00-15:59:59", "12:00+15:59:59", "12:00:00.5-00:30", "01:02:03-00:00:01"],
        1560 | 1562 => &["", "0", "1", "11111111", "000000001"],
        1700 => &[
            "0",
            "-0",
            "0.0",
            "0.000000000000000",
            "NaN",
            "Infinity",
            "-Infinity",
            "1",
            "-1",
            "10000",
            "9999",
            "100000000",
            "0.0001",
            "0.00001",
            "0.00010000",
            "1e-100",
            "1e1000",
            "-1e-1000",
            "123456789.987654321",
            "1.0",
            "1000000.0000001",
            "10000.00",
        ],
        5069 => &["0", "18446744073709551615"],
        _ => &[],
    }
}
