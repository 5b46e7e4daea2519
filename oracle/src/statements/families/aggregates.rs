use crate::statements::case::{Case, cases as of};

/// Aggregates and window functions.
pub(super) fn cases() -> Vec<Case> {
    of(&[
        ("select count(*), count($1), count(b), count(distinct $1) from t", &["int4=1"]),
        ("select sum($1), avg($1), min($1), max($1) from t", &["int4=2"]),
        ("select sum($1), avg($1) from t", &["int8=2"]),
        ("select sum($1), avg($1) from t", &["int2=2"]),
        ("select sum($1), avg($1), stddev($1), variance($1) from t", &["numeric=2.5"]),
        ("select sum($1), avg($1) from t", &["float4=2.5"]),
        ("select sum($1), avg($1) from t", &["interval=1 day 02:00"]),
        ("select sum($1), max($1) from t", &["money=1.50"]),
        ("select min($1), max($1) from t", &["text=a"]),
        ("select min($1), max($2) from t", &["oracle.mood=ok", "inet=10.0.0.1"]),
        ("select max($1), min($2) from t", &["timestamptz=2024-01-01 00:00+00", "date=2024-01-01"]),
        ("select max($1) from t", &["int4[]={1,2}"]),
        ("select bool_and($1), bool_or($1), every(a > $2) from t", &["bool=t", "int4=1"]),
        ("select bit_and($1), bit_or($1), bit_xor($1) from t", &["int4=6"]),
        ("select bit_and($1) from t", &["bit=101"]),
        ("select string_agg(b, $1 order by a) from t", &["text=, "]),
        ("select string_agg($1, $2) from t", &["bytea=\\x01", "bytea=\\x00"]),
        ("select array_agg(a + $1 order by a desc) from t", &["int8=1"]),
        ("select array_agg($1) from t", &["int4[]={1,2}"]),
        ("select array_agg($1), array_agg($2) from t", &["oracle.pair=(1,x)", "oracle.mood=ok"]),
        ("select json_agg($1), jsonb_agg(b order by a) from t", &["int4=1"]),
        (
            "select json_object_agg(coalesce(b, $1), a order by a), jsonb_object_agg(coalesce(b, $1), $2) from t",
            &["text=none", "int4=5"],
        ),
        ("select xmlagg($1) from t", &["xml=<a/>"]),
        ("select range_agg($1), range_intersect_agg($1) from t", &["int4range=[1,5)"]),
        ("select corr(a, $1), regr_count(a, $1), covar_pop(a, $1) from t", &["float8=2"]),
        ("select mode() within group (order by $1) from t", &["text=a"]),
        ("select percentile_cont($1) within group (order by a) from t", &["float8=0.5"]),
        ("select percentile_disc($1) within group (order by a) from t", &["float8[]={0.25,0.75}"]),
        ("select rank($1) within group (order by a), dense_rank($1) within group (order by a) from t", &["int4=2"]),
        ("select longest(b order by a), longest($1) from t", &["text=x"]),
        ("select count(*) filter (where a > $1), sum(a) filter (where b = $2) from t", &["int4=1", "text=two"]),
        ("select a % $1 as k, count(*) from t group by k order by k", &["int4=2"]),
        (
            "select a, b, count(*) from t group by grouping sets ((a), (b), ()) having count(*) >= $1 order by a, b",
            &["int8=1"],
        ),
        ("select a % $1, grouping(a % $1) from t group by rollup (a % $1)", &["int4=2"]),
        ("select any_value($1) from t", &["int4=5"]),
        ("select row_number() over (order by a), rank() over (order by a % $1), a from t order by a", &["int4=2"]),
        (
            "select a, lag(a, $1, $2) over w, lead(a, $1) over w from t window w as (order by a) order by a",
            &["int4=1", "int4=0"],
        ),
        (
            "select a, ntile($1) over (order by a), nth_value(b, $2) over (order by a) from t order by a",
            &["int4=2", "int4=2"],
        ),
        (
            "select a, sum(a) over (order by a rows between $1 preceding and $2 following) from t order by a",
            &["int8=1", "int8=0"],
        ),
        (
            "select a, sum(a) over (order by a range between $1 preceding and current row exclude ties) from t order by a",
            &["int4=1"],
        ),
        (
            "select a, first_value($1) over (partition by a % 2 order by a), cume_dist() over (order by a) from t order by a",
            &["text=v"],
        ),
        ("select a, avg(a + $1) over (groups between 1 preceding and 1 following) from t order by a", &["numeric=0.5"]),
        ("select count(*) over (), $1 from t", &["int4=1"]),
        ("select sum(count(*)) over () from t where a >= $1 group by a", &["int4=2"]),
        ("select distinct on (a % $1) a from t order by a % $1, a desc", &["int4=2"]),
    ])
}
