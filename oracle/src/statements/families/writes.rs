use crate::statements::case::{Case, cases as of};

/// What changes data: plain, with RETURNING, upserts, MERGE, rules, views, triggers, partitions.
pub(super) fn cases(major: u32) -> Vec<Case> {
    let mut cases = of(&[
        ("insert into t values ($1, $2)", &["int4=4", "text=four"]),
        ("insert into t values ($1, $2)", &["int8=4", "text=four"]),
        ("insert into t values ($1, $2)", &["int8=5000000000", "text=much"]),
        ("insert into t values ($1, $2) returning a, b", &["int8=3", "text=three"]),
        ("insert into t values ($1, $2) returning a + $3 as c, $2 || '!'", &["int4=3", "text=three", "int4=1"]),
        ("insert into t (b) values ($1), ($2), ($3) returning *", &["text=x", "text", "varchar=y"]),
        ("insert into t (b, a) select $1, g from generate_series(1, $2) g returning a", &["text=s", "int4=3"]),
        ("insert into t select $1, $2 returning *", &["int4=3", "text=three"]),
        ("insert into t default values returning *", &["int4=1"]),
        ("insert into t values ($1, default) returning *", &["int4=1"]),
        ("insert into t values (1, '') on conflict do nothing", &["int4=1"]),
        ("insert into t as x (a) values ($1) returning x.*", &["int4=8"]),
        ("insert into t table t", &["int4=8"]),
        ("insert into t (with x as (select $1 as v) select v, 'x' from x)", &["int4=8"]),
        ("insert into t with x as (select $1 as v) select v, 'x' from x returning a", &["int4=8"]),
        ("insert into items (name) values ($1) returning id, name, mood, tags, made", &["text=n"]),
        ("insert into items (id, name) overriding user value values ($1, $2) returning id", &["int4=77", "text=o"]),
        (
            "insert into items (name, price, code, label, bits) values ($1, $2, $3, $4, $5) returning *",
            &["text=full", "numeric=1.239", "bpchar=ab", "varchar=cd", "bit=101"],
        ),
        ("insert into items (name, code) values ($1, $2) returning code", &["text=c", "text=abcd"]),
        ("insert into items (name, code) values ($1, $2)", &["text=c", "text=abcde"]),
        ("insert into items (name, label) values ($1, $2)", &["text=l", "varchar=longer than five"]),
        ("insert into items (name, label) values ($1, $2) returning label", &["text=l", "varchar=abc      "]),
        ("insert into items (name, bits) values ($1, $2)", &["text=b", "bit=1010"]),
        (
            "insert into items (name, price) values ($1, $2) on conflict (name) do update set price = excluded.price + $3 returning id, price",
            &["text=apple", "numeric=5", "numeric=0.5"],
        ),
        (
            "insert into items (name) values ($1) on conflict (name) do update set name = items.name || $2 where items.id > $3 returning name",
            &["text=apple", "text=!", "int4=100"],
        ),
        (
            "insert into items (name) values ($1) on conflict on constraint items_name_key do nothing returning id",
            &["text=apple"],
        ),
        ("insert into parts values ($1, $2) returning *", &["int4=3", "int2=5"]),
        ("insert into parts values ($1, $2)", &["int8=3", "int8=6"]),
        ("insert into logs (what) values ($1) returning seq, what", &["text=log"]),
        (
            "insert into typed values ($1, $2, $3, $4, $5) returning a, b, c, d, e",
            &["bool=t", "int2=1", "int8=2", "float4=1.5", "float8=-0"],
        ),
        (
            "insert into typed (f, g, h, i, j, k, l) values ($1, $2, $3, $4, $5, $6, $7) returning f, g, h, i, j, k, l",
            &[
                "uuid=a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
                "bytea=\\x00",
                "date=2024-01-01",
                "time=12:00",
                "timestamp=2024-01-01 12:00",
                "interval=1 mon",
                "inet=::1",
            ],
        ),
        (
            "insert into typed (m, n, o, p, q) values ($1, $2, $3, $4, $5) returning m, n, o, p, q",
            &["json={\"a\":  1}", "jsonb=[1]", "int4[]={1,NULL}", "oracle.mood[]={ok}", "oracle.pair[]={\"(1,x)\"}"],
        ),
        ("insert into typed (c) values ($1) returning c", &["int2=5"]),
        ("insert into typed (b) values ($1) returning b", &["int4=5"]),
        ("insert into typed (b) values ($1)", &["int4=50000"]),
        ("insert into typed (b) values ($1)", &["text=5"]),
        ("insert into typed (h) values ($1) returning h", &["timestamp=2024-01-01 12:00"]),
        ("insert into typed (j) values ($1) returning j", &["timestamptz=2024-01-01 12:00+00"]),
        ("insert into typed (d) values ($1) returning d", &["float8=0.1"]),
        ("update t set b = $1 where a = $2", &["text=x", "int4=1"]),
        ("update t set b = $1 where a = $2 returning a, b", &["text=x", "int4=1"]),
        ("update t set a = a + $1", &["int8=10"]),
        ("update t set (a, b) = ($1, $2) where a = $3 returning *", &["int4=9", "text=nine", "int4=1"]),
        ("update t set (a, b) = (select $1, $2) where a = 1 returning *", &["int4=9", "text=nine"]),
        ("update t set b = default where a = $1 returning b", &["int4=1"]),
        (
            "update t set b = s.v from (values ($1, $2)) s(k, v) where t.a = s.k returning t.a, s.v",
            &["int4=2", "text=from"],
        ),
        ("update t x set b = $1 || x.b where x.a <> $2", &["text=p", "int4=1"]),
        (
            "update items set price = price * $1, tags = array_append(tags, $2) where id = $3 returning price, tags",
            &["numeric=1.1", "text=t", "int4=1"],
        ),
        ("update items set name = $1 where id = $2", &["text=pear", "int4=1"]),
        ("update typed set a = $1 where false", &["bool=t"]),
        ("delete from t where a = $1", &["int4=2"]),
        ("delete from t where a = $1 returning b", &["int4=2"]),
        ("delete from t using (values ($1)) v(k) where t.a = v.k returning t.*, v.k", &["int4=2"]),
        ("delete from items where id = $1 returning id, name", &["int4=1"]),
        ("delete from t", &["int4=1"]),
        ("delete from t where current_date = $1", &["date=2000-01-01"]),
        (
            "merge into t using (values ($1)) s(x) on t.a = s.x when matched then update set b = $2 when not matched then insert values (s.x, $2)",
            &["int4=1", "text=m"],
        ),
        (
            "merge into t using (values ($1, $2), ($3, $2)) s(x, y) on t.a = s.x when matched and t.b = $4 then delete when matched then do nothing when not matched then insert (a, b) values (s.x, s.y)",
            &["int4=1", "text=m", "int4=50", "text=one"],
        ),
        (
            "with s as (select $1 as x) merge into t using s on t.a = s.x when matched then update set b = 'merged'",
            &["int4=2"],
        ),
        ("insert into ruled values ($1)", &["int4=9"]),
        ("insert into ruled (a) select $1", &["int4=9"]),
        ("insert into ruled (a) values ($1), ($2)", &["int4=9", "int4=10"]),
        ("update replaced set b = $1 where a = $2", &["text=x", "int4=1"]),
        ("insert into ruled_view values ($1, $2)", &["int4=5", "text=five"]),
        ("insert into ruled_view values ($1, $2) returning *", &["int4=5", "text=five"]),
        ("delete from ruled_view where a = $1", &["int4=1"]),
        ("update ruled_view set b = $1", &["text=x"]),
        ("insert into seen values ($1, $2) returning *", &["int4=5", "text=five"]),
        ("insert into seen values ($1, $2)", &["int4=-5", "text=minus"]),
        ("update seen set b = $1 where a = $2", &["text=v", "int4=1"]),
        ("insert into triggered (a) values ($1) returning *", &["int4=5"]),
        ("insert into triggered (a) values ($1)", &["int4=-5"]),
        ("insert into generated (a) values ($1) returning *", &["int4=5"]),
        ("insert into generated (twice) values ($1)", &["int4=5"]),
        ("insert into parted values ($1, $2) returning tableoid::regclass, *", &["int4=2", "text=two"]),
        ("update parted set k = $1 where k = $2 returning *", &["int4=5", "int4=1"]),
        ("delete from parted where k = any($1) returning v", &["int4[]={1,9}"]),
        (
            "insert into \"Quoted \"\"Table\"\"\" (\"Quoted \"\"Column\"\"\", \"select\", \"é\") values ($1, $2, $3) returning *",
            &["int4=2", "text=s", "text=e"],
        ),
        (
            "update \"Quoted \"\"Table\"\"\" set \"é\" = $1 where \"Quoted \"\"Column\"\"\" = $2 returning \"é\"",
            &["text=x", "int4=1"],
        ),
        ("truncate t", &[]),
        ("truncate table t, logs restart identity", &["int4=1"]),
    ]);
    if major >= 17 {
        cases.extend(of(&[(
            "merge into t using (values ($1)) s(x) on t.a = s.x when matched then update set b = $2 when not matched by source then delete returning merge_action(), t.*",
            &["int4=1", "text=m"],
        )]));
    }
    if major >= 18 {
        cases.extend(of(&[("update t set b = $1 where a = $2 returning old.b, new.b", &["text=x", "int4=1"])]));
    }
    cases
}
