//! What programs do all day with diesel's query builder.

use diesel::{
    connection::{CacheSize, SimpleConnection},
    migration::MigrationConnection,
    pg::Pg,
    prelude::*,
    sql_query,
    sql_types::{BigInt, Integer, Nullable, Text},
    upsert::excluded,
};
use pgferry_diesel::FerryConnection;

use super::Place;

super::on_each_transport!(
    rows_are_written_and_read,
    changes_are_saved_and_fetched,
    conflicts_are_resolved,
    joins_and_subqueries_work,
    raw_queries_fill_structs_by_name,
    columns_of_the_same_name_stay_apart,
    many_rows_arrive,
    results_outlive_the_next_query,
    scripts_run_as_a_whole,
    a_parameter_keeps_its_type,
    without_a_cache_all_works_too,
    the_migrations_table_is_set_up,
);

diesel::table! {
    authors (id) {
        id -> Integer,
        name -> Text,
    }
}

diesel::table! {
    posts (id) {
        id -> Integer,
        author_id -> Integer,
        title -> Text,
        body -> Nullable<Text>,
        views -> BigInt,
    }
}

diesel::joinable!(posts -> authors (author_id));
diesel::allow_tables_to_appear_in_same_query!(authors, posts);

#[derive(AsChangeset, Clone, Debug, Identifiable, PartialEq, Queryable, Selectable)]
#[diesel(table_name = posts, check_for_backend(Pg))]
struct Post {
    id: i32,
    author_id: i32,
    title: String,
    body: Option<String>,
    views: i64,
}

#[derive(Insertable)]
#[diesel(table_name = posts)]
struct NewPost<'a> {
    author_id: i32,
    title: &'a str,
    body: Option<&'a str>,
}

/// A connection to a database with two authors.
fn blog(place: &Place) -> FerryConnection {
    let mut connection = place.connect();
    connection
        .batch_execute(
            "create table authors (id serial primary key, name text not null unique); \
             create table posts (id serial primary key, author_id int4 not null references authors, title text not null, \
                                 body text, views int8 not null default 0); \
             insert into authors (name) values ('Ada'), ('Grace')",
        )
        .unwrap();
    connection
}

fn write(connection: &mut FerryConnection, titles: &[&str]) -> Vec<Post> {
    let new: Vec<_> = titles.iter().map(|title| NewPost { author_id: 1, title, body: None }).collect();
    diesel::insert_into(posts::table).values(new).returning(Post::as_returning()).get_results(connection).unwrap()
}

fn rows_are_written_and_read(place: &Place) {
    let connection = &mut blog(place);
    let new = NewPost { author_id: 2, title: "Nanoseconds", body: Some("A wire of 30 cm") };
    let post = diesel::insert_into(posts::table).values(&new).returning(Post::as_returning()).get_result(connection);
    let expected = Post {
        id: 1,
        author_id: 2,
        title: "Nanoseconds".to_owned(),
        body: Some("A wire of 30 cm".to_owned()),
        views: 0,
    };
    assert_eq!(post, Ok(expected.clone()));
    assert_eq!(posts::table.find(1).first(connection), Ok(expected));

    let affected = diesel::update(posts::table.find(1)).set(posts::views.eq(posts::views + 5)).execute(connection);
    assert_eq!(affected, Ok(1));
    assert_eq!(posts::table.find(1).select(posts::views).first(connection), Ok(5_i64));
    assert_eq!(posts::table.find(99).first::<Post>(connection).optional(), Ok(None));

    write(connection, &["a", "b", "c"]);
    let some = posts::table
        .filter(posts::title.eq_any(["a", "c", "x"]))
        .order(posts::id.desc())
        .select(posts::title)
        .limit(5)
        .load::<String>(connection);
    assert_eq!(some, Ok(vec!["c".to_owned(), "a".to_owned()]));
    let boxed = posts::table.into_boxed::<Pg>().filter(posts::body.is_null()).count().get_result(connection);
    assert_eq!(boxed, Ok(3_i64));

    assert_eq!(diesel::delete(posts::table.filter(posts::author_id.eq(1))).execute(connection), Ok(3));
    // Seen from another connection: nothing depended on this one.
    assert_eq!(posts::table.count().get_result(&mut place.connect()), Ok(1_i64));
}

fn changes_are_saved_and_fetched(place: &Place) {
    let connection = &mut blog(place);
    let mut post = write(connection, &["draft"]).remove(0);
    post.title = "final".to_owned();
    post.views = 7;
    assert_eq!(post.save_changes::<Post>(connection), Ok(post));
}

fn conflicts_are_resolved(place: &Place) {
    let connection = &mut blog(place);
    let rows =
        vec![(authors::id.eq(1), authors::name.eq("Ada Lovelace")), (authors::id.eq(3), authors::name.eq("Barbara"))];
    let affected = diesel::insert_into(authors::table)
        .values(&rows)
        .on_conflict(authors::id)
        .do_update()
        .set(authors::name.eq(excluded(authors::name)))
        .execute(connection);
    assert_eq!(affected, Ok(2));
    assert_eq!(diesel::insert_into(authors::table).values(&rows).on_conflict_do_nothing().execute(connection), Ok(0));
    let names = authors::table.order(authors::id).select(authors::name).load::<String>(connection);
    assert_eq!(names, Ok(["Ada Lovelace", "Grace", "Barbara"].map(str::to_owned).to_vec()));
}

fn joins_and_subqueries_work(place: &Place) {
    let connection = &mut blog(place);
    write(connection, &["a", "b"]);
    let rows = authors::table
        .left_join(posts::table)
        .order((authors::id, posts::id))
        .select((authors::name, Option::<Post>::as_select()))
        .load::<(String, Option<Post>)>(connection)
        .unwrap();
    let rows: Vec<_> =
        rows.iter().map(|(name, post)| (name.as_str(), post.as_ref().map(|post| post.title.as_str()))).collect();
    assert_eq!(rows, [("Ada", Some("a")), ("Ada", Some("b")), ("Grace", None)]);
    let idle = authors::table
        .filter(diesel::dsl::not(diesel::dsl::exists(posts::table.filter(posts::author_id.eq(authors::id)))))
        .select(authors::name)
        .first::<String>(connection);
    assert_eq!(idle.as_deref(), Ok("Grace"));
}

#[derive(Debug, PartialEq, QueryableByName)]
struct Tally {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    posts: i64,
    #[diesel(sql_type = Nullable<Text>)]
    last: Option<String>,
}

fn raw_queries_fill_structs_by_name(place: &Place) {
    let connection = &mut blog(place);
    write(connection, &["a", "b"]);
    let query = "select max(title) as last, count(posts.id) as posts, 0 as unused, name \
                 from authors left join posts on author_id = authors.id where authors.id >= $1 and name <> $2 group by name order by name";
    let tallies = sql_query(query).bind::<Integer, _>(1).bind::<Text, _>("Nobody").load::<Tally>(connection);
    let tally =
        |name: &str, posts, last: Option<&str>| Tally { name: name.to_owned(), posts, last: last.map(str::to_owned) };
    assert_eq!(tallies, Ok(vec![tally("Ada", 2, Some("b")), tally("Grace", 0, None)]));

    let missing = sql_query("select 1 as other").load::<Tally>(connection).unwrap_err();
    assert!(missing.to_string().contains("name"), "{missing}");
}

fn columns_of_the_same_name_stay_apart(place: &Place) {
    let connection = &mut blog(place);
    write(connection, &["a"]);
    let ids = posts::table.inner_join(authors::table).select((posts::id, authors::id, authors::name, posts::title));
    assert_eq!(ids.first(connection), Ok((1, 1, "Ada".to_owned(), "a".to_owned())));
}

fn many_rows_arrive(place: &Place) {
    let connection = &mut place.connect();
    #[derive(QueryableByName)]
    struct Numbered {
        #[diesel(sql_type = Integer)]
        n: i32,
        #[diesel(sql_type = Text)]
        label: String,
    }
    let rows: Vec<Numbered> =
        sql_query("select n, 'row ' || n as label from generate_series(1, 20000) as n").load(connection).unwrap();
    assert_eq!(rows.len(), 20_000);
    assert!(rows.iter().zip(1..).all(|(row, n)| row.n == n && row.label == format!("row {n}")));
}

fn results_outlive_the_next_query(place: &Place) {
    let connection = &mut blog(place);
    let first = authors::table.order(authors::id).load_iter::<(i32, String), _>(connection).unwrap();
    let second = authors::table.order(authors::id.desc()).load_iter::<(i32, String), _>(connection).unwrap();
    assert_eq!((first.len(), second.len()), (2, 2));
    let pairs: Vec<_> = first.map(Result::unwrap).zip(second.map(Result::unwrap)).map(|(a, b)| (a.1, b.1)).collect();
    assert_eq!(pairs, [("Ada".to_owned(), "Grace".to_owned()), ("Grace".to_owned(), "Ada".to_owned())]);
}

fn scripts_run_as_a_whole(place: &Place) {
    let connection = &mut blog(place);
    connection
        .batch_execute("insert into authors (name) values ('x;y'); -- a comment; with a semicolon\nselect 1; delete from authors where id = 1;")
        .unwrap();
    assert_eq!(authors::table.count().get_result(connection), Ok(2_i64));
    connection.batch_execute("delete from authors; insert into authors (name) values (null)").unwrap_err();
    assert_eq!(authors::table.count().get_result(connection), Ok(2_i64), "the script that failed left nothing behind");
}

fn a_parameter_keeps_its_type(place: &Place) {
    let connection = &mut place.connect();
    // Without the types these are: ambiguous, refused for want of a type, and text.
    let sum = diesel::select(1.into_sql::<Integer>() + 2).get_result(connection);
    assert_eq!(sum, Ok(3));
    #[derive(QueryableByName)]
    struct Document {
        #[diesel(sql_type = Text)]
        document: String,
    }
    let document: Document = sql_query("select cast(jsonb_build_object('n', $1, 't', $2) as text) as document")
        .bind::<Integer, _>(5)
        .bind::<Text, _>("5")
        .get_result(connection)
        .unwrap();
    assert_eq!(document.document, r#"{"n": 5, "t": "5"}"#);
    let big = diesel::select(5_000_000_000_i64.into_sql::<BigInt>()).get_result(connection);
    assert_eq!(big, Ok(5_000_000_000_i64));
}

fn without_a_cache_all_works_too(place: &Place) {
    let connection = &mut blog(place);
    for size in [CacheSize::Disabled, CacheSize::Unbounded, CacheSize::Disabled, CacheSize::Unbounded] {
        connection.set_prepared_statement_cache_size(size);
        for id in [1, 2] {
            assert_eq!(authors::table.find(id).select(authors::id).first(connection), Ok(id));
        }
    }
}

fn the_migrations_table_is_set_up(place: &Place) {
    let connection = &mut place.connect();
    connection.setup().unwrap();
    connection.setup().unwrap();
    let count = sql_query("select version from __diesel_schema_migrations").execute(connection);
    assert_eq!(count, Ok(0));
}
