use crate::statements::case::{Case, cases as of};

/// JSON and its paths.
pub(super) fn cases(major: u32) -> Vec<Case> {
    let mut cases = of(&[
        ("select $1 -> 'a' -> $2", &["jsonb={\"a\": [1, {\"b\": 2}]}", "int4=1"]),
        ("select $1 ->> 'a'", &["jsonb={\"a\": 5}"]),
        ("select ($1 ->> 'a')::int4 + $2", &["json={\"a\": 5}", "int8=1"]),
        ("select $1 #> '{a,b}', $1 #>> $2", &["jsonb={\"a\": {\"b\": [1]}}", "text[]={a,b,0}"]),
        ("select jsonb_build_object('a', $1)", &["int4=1"]),
        ("select jsonb_build_object($1, $2, $3, $4)", &["text=k", "numeric=1.10", "text=l", "jsonb=[1]"]),
        ("select jsonb_build_array($1, $2, $3, $4)", &["int4=1", "text=a", "bool", "timestamptz=2024-01-01 00:00+00"]),
        ("select json_build_object('x', $1, 'y', $2)", &["date=2024-01-01", "oracle.pair=(1,x)"]),
        ("select json_build_array($1, $2)", &["float8=1.5", "int4[]={1,2}"]),
        ("select to_json($1), to_jsonb($2)", &["text=a\"b", "oracle.mood=ok"]),
        ("select to_jsonb($1), to_jsonb($2)", &["interval=1 day", "bytea=\\x01"]),
        ("select row_to_json(x) from (select $1, $2 as b) x", &["jsonb={}", "text=c"]),
        ("select row_to_json(row($1, $2)), row_to_json($3)", &["int4=1", "text=x", "oracle.pair=(1,x)"]),
        ("select json_object($1), json_object($1, $1), jsonb_object($2)", &["text[]={a,1}", "text[]={{k,v}}"]),
        (
            "select jsonb_set($1, $2, $3), jsonb_set($1, $2, $3, $4)",
            &["jsonb={\"a\": 1}", "text[]={b}", "jsonb=2", "bool=f"],
        ),
        (
            "select jsonb_insert($1, $2, $3), jsonb_strip_nulls($4)",
            &["jsonb={\"a\": [0]}", "text[]={a,1}", "jsonb=1", "jsonb={\"a\": null}"],
        ),
        ("select jsonb_pretty($1), jsonb_typeof($1), json_typeof($2)", &["jsonb={\"a\": [1]}", "json=1"]),
        ("select json_array_length($1), jsonb_array_length($2)", &["json=[1,2]", "jsonb=[1]"]),
        ("select * from jsonb_each($1)", &["jsonb={\"a\": 1, \"b\": \"x\"}"]),
        ("select * from jsonb_each_text($1)", &["jsonb={\"a\": 1, \"b\": null}"]),
        ("select key, value from json_each($1) where key > $2", &["json={\"a\": 1, \"b\": 2}", "text=a"]),
        ("select * from jsonb_array_elements($1)", &["jsonb=[1, {\"a\": 2}]"]),
        ("select * from json_array_elements_text($1)", &["json=[1, \"x\", null]"]),
        ("select jsonb_array_elements($1) ->> $2", &["jsonb=[{\"a\": 1}, {\"a\": 2}]", "text=a"]),
        ("select * from jsonb_object_keys($1)", &["jsonb={\"a\": 1, \"b\": 2}"]),
        (
            "select * from jsonb_to_record($1) as x(a int4, b text, c int4[])",
            &["jsonb={\"a\": 1, \"b\": \"x\", \"c\": [1]}"],
        ),
        ("select * from jsonb_to_recordset($1) as x(a int4, b mood)", &["jsonb=[{\"a\": 1, \"b\": \"ok\"}]"]),
        ("select * from jsonb_populate_record($1, $2)", &["oracle.pair=(1,x)", "jsonb={\"b\": \"y\"}"]),
        ("select * from json_populate_recordset(null::oracle.pair, $1)", &["json=[{\"a\": 1}, {\"b\": \"z\"}]"]),
        ("select jsonb_populate_record(null::items, $1)", &["jsonb={\"id\": 7, \"name\": \"n\", \"tags\": [\"a\"]}"]),
        ("select jsonb_path_query($1, $2)", &["jsonb={\"a\": [1, 2]}", "jsonpath=$.a[*]"]),
        (
            "select * from jsonb_path_query($1, $2, $3)",
            &["jsonb=[1, 5]", "jsonpath=$[*] ? (@ > $min)", "jsonb={\"min\": 2}"],
        ),
        (
            "select jsonb_path_exists($1, $2), jsonb_path_match($1, $3)",
            &["jsonb={\"a\": 1}", "jsonpath=$.a", "jsonpath=$.a == 1"],
        ),
        ("select jsonb_path_query_array($1, $2), jsonb_path_query_first($1, $2)", &["jsonb=[1, 2]", "jsonpath=$[*]"]),
        ("select jsonb_path_query($1, '$.keyvalue()')", &["jsonb={\"x\": 1}"]),
        ("select jsonb_path_query_tz($1, '$.datetime()')", &["jsonb=\"2024-01-01\""]),
        ("select $1 @? '$.a[*] ? (@ > 2)', $1 @@ '$.a[0] == 1'", &["jsonb={\"a\": [1, 3]}"]),
        ("select $1::jsonb, $2::json", &["text={\"b\":1,\"a\":2}", "text={\"b\":1,\"a\":2}"]),
        ("select $1::jsonb::int4, $1::jsonb::numeric, ($1::jsonb)::text", &["text=5"]),
        ("select $1::jsonb", &["json={\"a\":1,\"a\":2}"]),
        ("select $1::json", &["jsonb={\"b\": 1, \"aa\": 2}"]),
        ("select id from items where info @> $1 order by id", &["jsonb={\"a\": 1}"]),
        ("select info -> 'b' -> $1 from items where id = 1", &["int4=-1"]),
        ("update items set info = info || $1 where id = $2 returning info", &["jsonb={\"z\": 1}", "int4=1"]),
        ("update items set info['a'] = $1 where id = $2 returning info", &["jsonb=\"new\"", "int4=2"]),
        ("update items set info = jsonb_set(info, '{a}', to_jsonb($1)) where id = 1 returning info", &["text=t"]),
        ("insert into items (name, info) values ($1, $2) returning info", &["text=json", "jsonb={\"n\": 1e2}"]),
        ("select $1 - 'a', $1 - $2, $1 #- '{b,0}'", &["jsonb={\"a\": 1, \"b\": [1, 2]}", "text[]={b}"]),
        ("select $1 || '{\"x\": 1}', $1 = '{}'", &["jsonb={}"]),
        ("select $1", &["jsonb=\"\\u00e9 \\\\ \\\" \\n\""]),
        ("select $1", &["json=  [1,2 , 3]  "]),
        ("select $1", &["jsonb=1e400"]),
        ("select $1 ? 'a', $1 ?| array['a', 'z'], $1 ?& $2", &["jsonb={\"a\": 1}", "text[]={a}"]),
        ("select json_agg(x) from (select a, $1 as b from t order by a) x", &["text=v"]),
        ("select jsonb_agg(jsonb_build_object('a', a, 'n', $1) order by a) from t", &["int8=1"]),
        ("select jsonb_object_agg(k, $1) from unnest($2) k", &["int4=1", "text[]={a,b}"]),
        ("select row_to_json(t, $1) from t where a = 1", &["bool=t"]),
        ("select to_jsonb(items) - 'made' from items where id = $1", &["int4=1"]),
        ("select json_strip_nulls($1), $1 ->> -1", &["json=[1, null]"]),
    ]);
    if major >= 16 {
        cases.extend(of(&[
            ("select json_object('a': $1, $2: 1)", &["int4=1", "text=k"]),
            ("select json_array($1, $2 absent on null)", &["int4=1", "text"]),
            ("select json_arrayagg(a order by a), json_objectagg('k': $1) from t where a = 1", &["int4=1"]),
            ("select $1 is json object, $1 is json array", &["text={}"]),
        ]));
    }
    if major >= 17 {
        cases.extend(of(&[
            (
                "select json_value($1, '$.a' returning int4), json_query($1, $2), json_exists($1, '$.b')",
                &["jsonb={\"a\": 1}", "jsonpath=$"],
            ),
            (
                "select * from json_table($1, '$[*]' passing $2 as x columns (id for ordinality, a int4 path '$.a'))",
                &["jsonb=[{\"a\": 1}, {\"a\": 2}]", "int4=1"],
            ),
        ]));
    }
    cases
}
