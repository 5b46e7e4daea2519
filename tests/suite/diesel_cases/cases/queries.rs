use diesel::{
    dsl::{avg, count, count_star, exists, max, min, not, sql, sum},
    prelude::*,
    sql_query,
    sql_types::{BigInt, Bool, Integer, Nullable, Text},
};

use super::{Conn, world::RunQueryDsl};
use crate::diesel_cases::{
    case::{Case, Seen, cases},
    ground::Ground,
    schema::*,
    seen::outcome,
};

pub(in crate::diesel_cases) const CASES: &[Case] = cases![
    query_whole_table,
    query_columns_chosen,
    query_struct_selected,
    query_found_by_key,
    query_found_by_compound_key,
    query_filtered,
    query_filtered_by_null,
    query_filtered_by_patterns,
    query_filtered_by_lists,
    query_filtered_by_an_empty_list,
    query_filtered_by_subquery,
    query_filtered_by_exists,
    query_filtered_by_between,
    query_ordered_with_nulls,
    query_limited,
    query_inner_join,
    query_left_join,
    query_three_tables,
    query_joined_by_hand,
    query_aliased,
    query_grouped,
    query_having,
    query_aggregates,
    query_aggregates_of_nothing,
    query_distinct,
    query_distinct_on,
    query_windows,
    query_union,
    query_except_and_intersect,
    query_boxed,
    query_boxed_many_shapes,
    query_case_when,
    query_function_called,
    query_arrays,
    query_json,
    query_of_literals,
    query_nested_tuples,
    query_associations,
    query_selected_subquery,
    query_raw_by_name,
    query_raw_with_binds,
    query_raw_fragment,
    query_locked_for_update,
    query_of_many_rows,
    query_executed_counts_its_rows,
    query_without_columns,
    query_of_many_binds,
];

async fn query_whole_table(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(authors::table.order(authors::id).load::<(i32, String, Option<i32>)>(c).await))
}

async fn query_columns_chosen(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(
        books::table.select((books::title, books::pages)).order(books::title).load::<(String, Option<i32>)>(c).await,
    ))
}

async fn query_struct_selected(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(books::table.select(Book::as_select()).order(books::id.desc()).load(c).await))
}

async fn query_found_by_key(c: &mut Conn, _: &Ground) -> Seen {
    let found = authors::table.find(2).first::<Author>(c).await;
    let none = authors::table.find(20).first::<Author>(c).await;
    let perhaps = authors::table.find(20).first::<Author>(c).await.optional();
    Ok(format!("{} {} {}", outcome(found), outcome(none), outcome(perhaps)))
}

async fn query_found_by_compound_key(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(prizes::table.find((4, 1911)).get_result::<(i32, i32)>(c).await))
}

async fn query_filtered(c: &mut Conn, _: &Ground) -> Seen {
    let query =
        books::table.filter(books::pages.gt(70).and(books::title.ne("Laws")).or(books::id.le(1))).select(books::title);
    Ok(outcome(query.order(books::id).load::<String>(c).await))
}

async fn query_filtered_by_null(c: &mut Conn, _: &Ground) -> Seen {
    let null = books::table.filter(books::pages.is_null()).select(books::title).load::<String>(c).await;
    let same = authors::table.filter(authors::born.is_not_distinct_from(None::<i32>)).select(authors::name);
    let equal = authors::table.filter(authors::born.eq(None::<i32>)).select(authors::name);
    Ok(format!(
        "{} {} {}",
        outcome(null),
        outcome(same.load::<String>(c).await),
        outcome(equal.load::<String>(c).await)
    ))
}

async fn query_filtered_by_patterns(c: &mut Conn, _: &Ground) -> Seen {
    let like = authors::table.filter(authors::name.like("%a")).select(authors::name).load::<String>(c).await;
    let ilike = authors::table.filter(authors::name.ilike("d%")).select(authors::name).load::<String>(c).await;
    let not_like = authors::table.filter(authors::name.not_like("%i%")).select(authors::id).order(authors::id);
    let similar = authors::table.filter(authors::name.similar_to("(A|C)%")).count();
    Ok(format!(
        "{} {} {} {}",
        outcome(like),
        outcome(ilike),
        outcome(not_like.load::<i32>(c).await),
        outcome(similar.get_result::<i64>(c).await)
    ))
}

async fn query_filtered_by_lists(c: &mut Conn, _: &Ground) -> Seen {
    let listed = authors::table.filter(authors::id.eq_any(vec![1, 3, 9])).select(authors::name).order(authors::id);
    let others = authors::table.filter(authors::id.ne_all(vec![1, 3])).select(authors::name).order(authors::id);
    let any = authors::table.filter(authors::name.eq_any(["Ada", "Dirac"])).select(authors::id).order(authors::id);
    Ok(format!(
        "{} {} {}",
        outcome(listed.load::<String>(c).await),
        outcome(others.load::<String>(c).await),
        outcome(any.load::<i32>(c).await)
    ))
}

async fn query_filtered_by_an_empty_list(c: &mut Conn, _: &Ground) -> Seen {
    let none = authors::table.filter(authors::id.eq_any(Vec::<i32>::new())).load::<Author>(c).await;
    let all = authors::table.filter(authors::id.ne_all(Vec::<i32>::new())).count().get_result::<i64>(c).await;
    Ok(format!("{} {}", outcome(none), outcome(all)))
}

async fn query_filtered_by_subquery(c: &mut Conn, _: &Ground) -> Seen {
    let wrote_much = books::table.filter(books::pages.gt(100)).select(books::author_id);
    Ok(outcome(authors::table.filter(authors::id.eq_any(wrote_much)).load::<Author>(c).await))
}

async fn query_filtered_by_exists(c: &mut Conn, _: &Ground) -> Seen {
    let wrote = || books::table.filter(books::author_id.eq(authors::id));
    let did = authors::table.filter(exists(wrote())).select(authors::name).order(authors::name).load::<String>(c).await;
    let did_not = authors::table.filter(not(exists(wrote()))).select(authors::name).load::<String>(c).await;
    let any = diesel::select(exists(authors::table.filter(authors::name.eq("Ada")))).get_result::<bool>(c).await;
    Ok(format!("{} {} {}", outcome(did), outcome(did_not), outcome(any)))
}

async fn query_filtered_by_between(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(
        books::table.filter(books::pages.between(66, 80)).select(books::id).order(books::id).load::<i32>(c).await,
    ))
}

async fn query_ordered_with_nulls(c: &mut Conn, _: &Ground) -> Seen {
    let first = authors::table.order((authors::born.asc().nulls_first(), authors::name.desc())).select(authors::name);
    let last = authors::table.order(authors::born.desc().nulls_last()).then_order_by(authors::id).select(authors::name);
    Ok(format!("{} {}", outcome(first.load::<String>(c).await), outcome(last.load::<String>(c).await)))
}

async fn query_limited(c: &mut Conn, _: &Ground) -> Seen {
    let page = |page: i64| authors::table.order(authors::id).select(authors::id).limit(3).offset(page * 3);
    Ok(format!("{} {}", outcome(page(0).load::<i32>(c).await), outcome(page(1).load::<i32>(c).await)))
}

async fn query_inner_join(c: &mut Conn, _: &Ground) -> Seen {
    let query = authors::table.inner_join(books::table).select((Author::as_select(), Book::as_select()));
    Ok(outcome(query.order(books::id).load::<(Author, Book)>(c).await))
}

async fn query_left_join(c: &mut Conn, _: &Ground) -> Seen {
    let query = authors::table.left_join(books::table).select((authors::name, books::title.nullable()));
    let joined = query.order((authors::id, books::id)).load::<(String, Option<String>)>(c).await;
    let whole = authors::table.left_join(books::table).select((Author::as_select(), Option::<Book>::as_select()));
    let whole = whole.order((authors::id.desc(), books::id)).load::<(Author, Option<Book>)>(c).await;
    Ok(format!("{} {}", outcome(joined), outcome(whole)))
}

async fn query_three_tables(c: &mut Conn, _: &Ground) -> Seen {
    let query = authors::table.inner_join(books::table.inner_join(prizes::table)).select((
        authors::name,
        books::title,
        prizes::year,
    ));
    Ok(outcome(query.order(prizes::year).load::<(String, String, i32)>(c).await))
}

async fn query_joined_by_hand(c: &mut Conn, _: &Ground) -> Seen {
    let query = authors::table.inner_join(books::table.on(authors::born.eq(books::pages + 1749)));
    Ok(outcome(query.select((authors::name, books::title)).order(authors::name).load::<(String, String)>(c).await))
}

async fn query_aliased(c: &mut Conn, _: &Ground) -> Seen {
    let older = diesel::alias!(authors as older);
    let query = authors::table
        .inner_join(older.on(older.field(authors::born).lt(authors::born)))
        .select((authors::name, older.field(authors::name)));
    Ok(outcome(query.order(older.field(authors::id)).load::<(String, String)>(c).await))
}

async fn query_grouped(c: &mut Conn, _: &Ground) -> Seen {
    let query = authors::table.inner_join(books::table).group_by(authors::id);
    let query = query.select((authors::name, count(books::id), sum(books::pages)));
    Ok(outcome(query.order(authors::id).load::<(String, i64, Option<i64>)>(c).await))
}

async fn query_having(c: &mut Conn, _: &Ground) -> Seen {
    let query = books::table
        .group_by(books::author_id)
        .having(count_star().gt(1))
        .select((books::author_id, max(books::title)));
    Ok(outcome(query.load::<(i32, Option<String>)>(c).await))
}

async fn query_aggregates(c: &mut Conn, _: &Ground) -> Seen {
    let query = books::table.select((
        count_star(),
        count(books::pages),
        min(books::pages),
        max(books::pages),
        avg(books::pages),
    ));
    Ok(outcome(query.get_result::<(i64, i64, Option<i32>, Option<i32>, Option<bigdecimal::BigDecimal>)>(c).await))
}

async fn query_aggregates_of_nothing(c: &mut Conn, _: &Ground) -> Seen {
    let query = books::table.filter(books::id.lt(0)).select((sum(books::pages), max(books::title)));
    Ok(outcome(query.get_result::<(Option<i64>, Option<String>)>(c).await))
}

async fn query_distinct(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(authors::table.select(authors::born).distinct().order(authors::born).load::<Option<i32>>(c).await))
}

async fn query_distinct_on(c: &mut Conn, _: &Ground) -> Seen {
    let query = books::table.distinct_on(books::author_id).order((books::author_id, books::pages.desc()));
    Ok(outcome(query.select((books::author_id, books::title)).load::<(i32, String)>(c).await))
}

async fn query_windows(c: &mut Conn, _: &Ground) -> Seen {
    use diesel::dsl::row_number;
    let query =
        books::table.select((books::title, row_number().partition_by(books::author_id).window_order(books::title)));
    Ok(outcome(query.order(books::id).load::<(String, i64)>(c).await))
}

async fn query_union(c: &mut Conn, _: &Ground) -> Seen {
    let names = authors::table.select(authors::name).filter(authors::id.lt(3));
    let all = names.union(books::table.select(books::title).filter(books::id.eq(4)));
    let mut all = all.load::<String>(c).await?;
    all.sort();
    Ok(format!("{all:?}"))
}

async fn query_except_and_intersect(c: &mut Conn, _: &Ground) -> Seen {
    let left = authors::table.select(authors::id).except(books::table.select(books::author_id)).load::<i32>(c).await;
    let both = authors::table.select(authors::id).intersect(books::table.select(books::author_id));
    let mut both = both.load::<i32>(c).await?;
    both.sort_unstable();
    Ok(format!("{} {both:?}", outcome(left)))
}

async fn query_boxed(c: &mut Conn, _: &Ground) -> Seen {
    let mut seen = String::new();
    for name in [None, Some("Ada")] {
        let mut query = authors::table.select(authors::id).order(authors::id).into_boxed();
        if let Some(name) = name {
            query = query.filter(authors::name.eq(name));
        }
        seen += &outcome(query.load::<i32>(c).await);
    }
    Ok(seen)
}

async fn query_boxed_many_shapes(c: &mut Conn, _: &Ground) -> Seen {
    let mut seen = String::new();
    for shape in 0..8_u8 {
        let mut query = books::table.count().into_boxed();
        if shape & 1 != 0 {
            query = query.filter(books::pages.is_not_null());
        }
        if shape & 2 != 0 {
            query = query.filter(books::id.gt(1));
        }
        if shape & 4 != 0 {
            query = query.filter(books::title.like("%s"));
        }
        seen += &outcome(query.get_result::<i64>(c).await);
    }
    Ok(seen)
}

async fn query_case_when(c: &mut Conn, _: &Ground) -> Seen {
    let chosen = diesel::dsl::case_when(books::pages.is_null(), books::author_id).otherwise(books::id);
    Ok(outcome(books::table.select(chosen).order(books::id).load::<i32>(c).await))
}

async fn query_function_called(c: &mut Conn, _: &Ground) -> Seen {
    let loud =
        authors::table.select(upper(authors::name)).filter(upper(authors::name).eq("ADA")).load::<String>(c).await;
    let joined = authors::table.select(authors::name.concat("!")).find(1).get_result::<String>(c).await;
    Ok(format!("{} {}", outcome(loud), outcome(joined)))
}

async fn query_arrays(c: &mut Conn, _: &Ground) -> Seen {
    let tags = books::table.select(books::tags).order(books::id).load::<Vec<String>>(c).await;
    let with = books::table.filter(books::tags.contains(vec!["maths"])).select(books::id).load::<i32>(c).await;
    let some = books::table.filter(books::tags.overlaps_with(vec!["logic", "a, b"])).select(books::id).order(books::id);
    Ok(format!("{} {} {}", outcome(tags), outcome(with), outcome(some.load::<i32>(c).await)))
}

async fn query_json(c: &mut Conn, _: &Ground) -> Seen {
    let all = books::table.select(books::facts).order(books::id).load::<Option<serde_json::Value>>(c).await;
    let year = books::table
        .select(books::facts.retrieve_as_object("year"))
        .find(1)
        .get_result::<Option<serde_json::Value>>(c)
        .await;
    let text = books::table.select(books::facts.retrieve_by_path_as_text(vec!["by", "hand"])).find(1);
    let has = books::table.filter(books::facts.has_key("year")).select(books::id).load::<i32>(c).await;
    Ok(format!(
        "{} {} {} {}",
        outcome(all),
        outcome(year),
        outcome(text.get_result::<Option<String>>(c).await),
        outcome(has)
    ))
}

async fn query_of_literals(c: &mut Conn, _: &Ground) -> Seen {
    let query =
        diesel::select((1.into_sql::<Integer>(), "two".into_sql::<Text>(), None::<bool>.into_sql::<Nullable<Bool>>()));
    Ok(outcome(query.get_result::<(i32, String, Option<bool>)>(c).await))
}

async fn query_nested_tuples(c: &mut Conn, _: &Ground) -> Seen {
    let query =
        authors::table.select((authors::id, (authors::name, (authors::born, authors::id + 1)))).order(authors::id);
    Ok(outcome(query.load::<(i32, (String, (Option<i32>, i32)))>(c).await))
}

async fn query_associations(c: &mut Conn, _: &Ground) -> Seen {
    let writers = authors::table.order(authors::id).load::<Author>(c).await?;
    let written = Book::belonging_to(&writers).select(Book::as_select()).order(books::id).load::<Book>(c).await?;
    Ok(format!("{:?}", written.grouped_by(&writers)))
}

async fn query_selected_subquery(c: &mut Conn, _: &Ground) -> Seen {
    let longest = books::table.filter(books::author_id.eq(authors::id)).select(max(books::pages)).single_value();
    Ok(outcome(
        authors::table.select((authors::name, longest)).order(authors::id).load::<(String, Option<i32>)>(c).await,
    ))
}

async fn query_raw_by_name(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(sql_query("select born, id, name from authors order by name desc").load::<Author>(c).await))
}

async fn query_raw_with_binds(c: &mut Conn, _: &Ground) -> Seen {
    let query = sql_query("select $1 || ($2 + 1)::text || coalesce($3::text, 'null') as said");
    let query = query.bind::<Text, _>("a").bind::<BigInt, _>(41).bind::<Nullable<Bool>, _>(None::<bool>);
    Ok(outcome(query.get_result::<Said>(c).await))
}

async fn query_raw_fragment(c: &mut Conn, _: &Ground) -> Seen {
    let query = authors::table
        .filter(sql::<Bool>("length(name) > ").bind::<Integer, _>(4))
        .select(sql::<Text>("initcap(name)"));
    Ok(outcome(query.order(authors::id).load::<String>(c).await))
}

async fn query_locked_for_update(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(authors::table.order(authors::id).for_update().skip_locked().load::<Author>(c).await))
}

async fn query_of_many_rows(c: &mut Conn, _: &Ground) -> Seen {
    let query = sql_query("select repeat('x', i % 100) || i as said from generate_series(1, 20000) i");
    let rows = query.load::<Said>(c).await?;
    Ok(format!("{} {} {:?}", rows.len(), rows.iter().map(|row| row.said.len()).sum::<usize>(), rows.last()))
}

async fn query_executed_counts_its_rows(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(RunQueryDsl::execute(authors::table.filter(authors::id.gt(1)), c).await))
}

async fn query_without_columns(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(sql_query("select from authors").execute(c).await))
}

async fn query_of_many_binds(c: &mut Conn, _: &Ground) -> Seen {
    let mut query = authors::table.select(authors::id).order(authors::id).into_boxed();
    for id in 0..300 {
        query = query.or_filter(authors::id.eq(id * 2));
    }
    Ok(outcome(query.load::<i32>(c).await))
}
