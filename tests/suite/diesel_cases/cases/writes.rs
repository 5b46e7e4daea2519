use diesel::{dsl::sql, prelude::*, sql_query, sql_types::Integer, upsert::excluded};

use super::{
    Conn,
    world::{RunQueryDsl, SimpleConnection},
};
use crate::diesel_cases::{
    case::{Case, Seen, cases},
    ground::Ground,
    schema::*,
    seen::outcome,
};

use super::world::SaveChangesDsl;

pub(in crate::diesel_cases) const CASES: &[Case] = cases![
    write_one_row,
    write_many_rows,
    write_no_rows,
    write_a_thousand_rows,
    write_defaults,
    write_default_of_a_column,
    write_generated_column,
    write_and_return,
    write_from_select,
    write_conflict_ignored,
    write_conflict_updates,
    write_conflict_on_constraint,
    write_update_all,
    write_update_one,
    write_update_returns,
    write_update_nothing_found,
    write_update_without_changes,
    write_update_to_null,
    write_delete,
    write_delete_returns,
    write_changes_saved,
    write_changes_of_a_row_that_is_gone,
    write_large_values,
    write_script,
    write_ddl_counts_nothing,
];

async fn kept(c: &mut Conn) -> String {
    outcome(authors::table.order(authors::id).load::<(i32, String, Option<i32>)>(c).await)
}

async fn write_one_row(c: &mut Conn, _: &Ground) -> Seen {
    let written =
        diesel::insert_into(authors::table).values(NewAuthor { name: "Euler", born: Some(1707) }).execute(c).await;
    Ok(format!("{} {}", outcome(written), kept(c).await))
}

async fn write_many_rows(c: &mut Conn, _: &Ground) -> Seen {
    let new = vec![NewAuthor { name: "Euler", born: Some(1707) }, NewAuthor { name: "Fermat", born: None }];
    let written = diesel::insert_into(authors::table).values(&new).execute(c).await;
    let rows = vec![
        (authors::name.eq("Gauss"), authors::born.eq(Some(1777))),
        (authors::name.eq("Hopper"), authors::born.eq(None)),
    ];
    let tuples = diesel::insert_into(authors::table).values(rows).execute(c).await;
    Ok(format!("{} {} {}", outcome(written), outcome(tuples), kept(c).await))
}

async fn write_no_rows(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(diesel::insert_into(authors::table).values(Vec::<NewAuthor<'_>>::new()).execute(c).await))
}

async fn write_a_thousand_rows(c: &mut Conn, _: &Ground) -> Seen {
    let rows: Vec<_> = (1..1000).map(|id| (doubled::id.eq(id), doubled::half.eq(id * 3))).collect();
    let written = diesel::insert_into(doubled::table).values(&rows).execute(c).await;
    let sum = doubled::table.select(diesel::dsl::sum(doubled::whole)).get_result::<Option<i64>>(c).await;
    Ok(format!("{} {}", outcome(written), outcome(sum)))
}

async fn write_defaults(c: &mut Conn, ground: &Ground) -> Seen {
    ground.prepare("alter table authors alter name set default 'nobody'");
    let written = diesel::insert_into(authors::table).default_values().execute(c).await;
    Ok(format!("{} {}", outcome(written), kept(c).await))
}

async fn write_default_of_a_column(c: &mut Conn, _: &Ground) -> Seen {
    let rows = vec![
        (books::author_id.eq(4), books::title.eq("Spin"), Some(books::pages.eq(7))),
        (books::author_id.eq(4), books::title.eq("Sea"), None),
    ];
    let written = diesel::insert_into(books::table).values(rows).returning((books::title, books::pages, books::tags));
    Ok(outcome(written.get_results::<(String, Option<i32>, Vec<String>)>(c).await))
}

async fn write_generated_column(c: &mut Conn, _: &Ground) -> Seen {
    let written = diesel::insert_into(doubled::table).values((doubled::id.eq(1), doubled::half.eq(21)));
    Ok(outcome(written.returning(doubled::whole).get_result::<i32>(c).await))
}

async fn write_and_return(c: &mut Conn, _: &Ground) -> Seen {
    let new = NewAuthor { name: "Euler", born: None };
    let whole = diesel::insert_into(authors::table).values(new).get_result::<Author>(c).await;
    let new = NewAuthor { name: "Fermat", born: None };
    let part = diesel::insert_into(authors::table).values(new).returning((authors::id, upper(authors::name)));
    Ok(format!("{} {}", outcome(whole), outcome(part.get_result::<(i32, String)>(c).await)))
}

async fn write_from_select(c: &mut Conn, _: &Ground) -> Seen {
    let titles = books::table.select((books::title, books::pages)).filter(books::pages.is_not_null()).order(books::id);
    let written = diesel::insert_into(authors::table)
        .values(titles)
        .into_columns((authors::name, authors::born))
        .execute(c)
        .await;
    Ok(format!("{} {}", outcome(written), kept(c).await))
}

async fn write_conflict_ignored(c: &mut Conn, _: &Ground) -> Seen {
    let rows = vec![NewAuthor { name: "Ada", born: None }, NewAuthor { name: "Euler", born: None }];
    let written = diesel::insert_into(authors::table).values(&rows).on_conflict_do_nothing().execute(c).await;
    Ok(format!("{} {}", outcome(written), kept(c).await))
}

async fn write_conflict_updates(c: &mut Conn, _: &Ground) -> Seen {
    let query = diesel::insert_into(authors::table)
        .values(NewAuthor { name: "Ada", born: Some(1) })
        .on_conflict(authors::name)
        .do_update()
        .set(authors::born.eq(excluded(authors::born)));
    Ok(outcome(query.get_result::<Author>(c).await))
}

async fn write_conflict_on_constraint(c: &mut Conn, _: &Ground) -> Seen {
    let query = diesel::insert_into(authors::table)
        .values(NewAuthor { name: "Ada", born: Some(1) })
        .on_conflict(diesel::upsert::on_constraint("author_names"))
        .do_update()
        .set(authors::name.eq("Ada again"));
    Ok(format!("{} {}", outcome(query.execute(c).await), kept(c).await))
}

async fn write_update_all(c: &mut Conn, _: &Ground) -> Seen {
    let written = diesel::update(authors::table).set(authors::born.eq(authors::born + 1)).execute(c).await;
    Ok(format!("{} {}", outcome(written), kept(c).await))
}

async fn write_update_one(c: &mut Conn, _: &Ground) -> Seen {
    let written =
        diesel::update(authors::table.find(2)).set((authors::name.eq("George"), authors::born.eq(9))).execute(c).await;
    Ok(format!("{} {}", outcome(written), kept(c).await))
}

async fn write_update_returns(c: &mut Conn, _: &Ground) -> Seen {
    let written =
        diesel::update(authors::table.filter(authors::born.lt(1850))).set(authors::born.eq(5)).returning(authors::name);
    Ok(outcome(written.get_results::<String>(c).await))
}

async fn write_update_nothing_found(c: &mut Conn, _: &Ground) -> Seen {
    let counted = diesel::update(authors::table.find(99)).set(authors::born.eq(5)).execute(c).await;
    let returned = diesel::update(authors::table.find(99)).set(authors::born.eq(5)).get_result::<Author>(c).await;
    Ok(format!("{} {}", outcome(counted), outcome(returned)))
}

async fn write_update_without_changes(c: &mut Conn, _: &Ground) -> Seen {
    let nothing =
        diesel::update(authors::table.find(1)).set(None::<diesel::dsl::Eq<authors::born, i32>>).execute(c).await;
    Ok(outcome(nothing))
}

async fn write_update_to_null(c: &mut Conn, _: &Ground) -> Seen {
    let written =
        diesel::update(authors::table.find(1)).set(authors::born.eq(None::<i32>)).get_result::<Author>(c).await;
    Ok(outcome(written))
}

async fn write_delete(c: &mut Conn, _: &Ground) -> Seen {
    let some = diesel::delete(prizes::table.filter(prizes::year.gt(1900))).execute(c).await;
    let rest = diesel::delete(prizes::table).execute(c).await;
    let none = diesel::delete(prizes::table).execute(c).await;
    Ok(format!("{} {} {}", outcome(some), outcome(rest), outcome(none)))
}

async fn write_delete_returns(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(diesel::delete(authors::table.find(4)).get_result::<Author>(c).await))
}

async fn write_changes_saved(c: &mut Conn, _: &Ground) -> Seen {
    let change = Change { id: 1, name: "Augusta", born: None };
    Ok(outcome(change.save_changes::<Author>(c).await))
}

async fn write_changes_of_a_row_that_is_gone(c: &mut Conn, _: &Ground) -> Seen {
    let change = Change { id: 77, name: "Augusta", born: None };
    Ok(outcome(change.save_changes::<Author>(c).await))
}

async fn write_large_values(c: &mut Conn, _: &Ground) -> Seen {
    let title = "ä€😀\"\\'".repeat(100_000);
    let query = diesel::insert_into(books::table).values((books::author_id.eq(1), books::title.eq(&title)));
    let returned = query.returning(books::title).get_result::<String>(c).await;
    Ok(outcome(returned.map(|returned| returned == title)))
}

async fn write_script(c: &mut Conn, _: &Ground) -> Seen {
    let done = c
        .batch_execute("insert into authors (name) values ('E'); update authors set born = 1; delete from prizes")
        .await;
    Ok(format!("{} {}", outcome(done), kept(c).await))
}

async fn write_ddl_counts_nothing(c: &mut Conn, _: &Ground) -> Seen {
    let made = sql_query("create table made as select 1 as one").execute(c).await;
    let altered = sql_query("alter table made add two integer").execute(c).await;
    let read = diesel::select(sql::<Integer>("(select one from made)")).get_result::<i32>(c).await;
    Ok(format!("{} {} {}", outcome(made), outcome(altered), outcome(read)))
}
