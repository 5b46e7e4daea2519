use diesel::{
    prelude::*,
    sql_query,
    sql_types::{Array, Citext, Integer, Nullable, Text},
};

use super::{Conn, world::RunQueryDsl};
use crate::diesel_cases::{
    case::{Case, Seen, cases},
    ground::Ground,
    schema::*,
    seen::outcome,
};

pub(in crate::diesel_cases) const CASES: &[Case] = cases![
    type_enum,
    type_enum_null,
    type_enum_array,
    type_enum_in_a_table,
    type_enum_unheard_of,
    type_enum_unreadable,
    type_domain,
    type_domain_broken,
    type_domain_array,
    type_composite,
    type_composite_array,
    type_that_does_not_exist,
    type_made_after_a_look_up,
    type_citext,
    type_of_parameters_is_declared,
    type_names_of_parameters,
];

async fn type_enum(c: &mut Conn, _: &Ground) -> Seen {
    let mut seen = String::new();
    for mood in [Mood::Sad, Mood::Glad] {
        seen += &outcome(diesel::select(mood.into_sql::<MoodType>()).get_result::<Mood>(c).await);
    }
    Ok(seen)
}

async fn type_enum_null(c: &mut Conn, _: &Ground) -> Seen {
    let moods = (None::<Mood>.into_sql::<Nullable<MoodType>>(), Some(Mood::Sad).into_sql::<Nullable<MoodType>>());
    Ok(outcome(diesel::select(moods).get_result::<(Option<Mood>, Option<Mood>)>(c).await))
}

async fn type_enum_array(c: &mut Conn, _: &Ground) -> Seen {
    let moods = vec![Some(Mood::Glad), None];
    Ok(outcome(diesel::select(moods.into_sql::<Array<Nullable<MoodType>>>()).get_result::<Vec<Option<Mood>>>(c).await))
}

async fn type_enum_in_a_table(c: &mut Conn, ground: &Ground) -> Seen {
    ground.prepare("create table moods (mood mood not null)");
    let written =
        sql_query("insert into moods values ($1), ($2)").bind::<MoodType, _>(Mood::Sad).bind::<MoodType, _>(Mood::Glad);
    let written = written.execute(c).await;
    let read = sql_query("select mood::text as said from moods order by mood").load::<Said>(c).await;
    Ok(format!("{} {}", outcome(written), outcome(read)))
}

async fn type_enum_unheard_of(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(diesel::select(Mood::Unheard.into_sql::<MoodType>()).get_result::<Mood>(c).await))
}

async fn type_enum_unreadable(c: &mut Conn, ground: &Ground) -> Seen {
    ground.prepare("alter type mood add value 'new'");
    Ok(outcome(diesel::select(diesel::dsl::sql::<MoodType>("'new'::mood")).get_result::<Mood>(c).await))
}

async fn type_domain(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(diesel::select(Positive(5).into_sql::<PositiveType>()).get_result::<Positive>(c).await))
}

async fn type_domain_broken(c: &mut Conn, _: &Ground) -> Seen {
    Ok(outcome(diesel::select(Positive(-5).into_sql::<PositiveType>()).get_result::<Positive>(c).await))
}

async fn type_domain_array(c: &mut Conn, _: &Ground) -> Seen {
    let all = vec![Positive(1), Positive(2)];
    Ok(outcome(diesel::select(all.into_sql::<Array<PositiveType>>()).get_result::<Vec<Positive>>(c).await))
}

async fn type_composite(c: &mut Conn, _: &Ground) -> Seen {
    let place = Place(3, "here, (\"there\")".to_owned());
    Ok(outcome(diesel::select(place.into_sql::<PlaceType>()).get_result::<Place>(c).await))
}

async fn type_composite_array(c: &mut Conn, _: &Ground) -> Seen {
    let places = vec![Place(3, "a,b".to_owned()), Place(4, String::new())];
    Ok(outcome(diesel::select(places.into_sql::<Array<PlaceType>>()).get_result::<Vec<Place>>(c).await))
}

async fn type_that_does_not_exist(c: &mut Conn, _: &Ground) -> Seen {
    let failed = diesel::select(Nowhere.into_sql::<NowhereType>()).execute(c).await;
    Ok(format!("{} {}", outcome(failed), outcome(authors::table.count().get_result::<i64>(c).await)))
}

async fn type_made_after_a_look_up(c: &mut Conn, ground: &Ground) -> Seen {
    ground.prepare("drop type mood");
    let early = diesel::select(Positive(5).into_sql::<PositiveType>()).get_result::<Positive>(c).await;
    ground.prepare("create type mood as enum ('sad')");
    let late = diesel::select(Mood::Sad.into_sql::<MoodType>()).get_result::<Mood>(c).await;
    Ok(format!("{} {}", outcome(early), outcome(late)))
}

async fn type_citext(c: &mut Conn, ground: &Ground) -> Seen {
    ground.prepare("create extension if not exists citext");
    let same = sql_query("select ($1 = 'ABC')::text as said").bind::<Citext, _>("abc").get_result::<Said>(c).await;
    let all = vec!["x".to_owned(), "Y".to_owned()];
    let all = diesel::select(all.into_sql::<Array<Citext>>()).get_result::<Vec<String>>(c).await;
    Ok(format!("{} {}", outcome(same), outcome(all)))
}

async fn type_of_parameters_is_declared(c: &mut Conn, _: &Ground) -> Seen {
    let sum = sql_query("select ($1 + $2)::text as said").bind::<Integer, _>(i32::MAX).bind::<Integer, _>(1);
    let wrong = sql_query("select id, name, born from authors where name = $1").bind::<Integer, _>(1);
    Ok(format!("{} {}", outcome(sum.get_result::<Said>(c).await), outcome(wrong.load::<Author>(c).await)))
}

async fn type_names_of_parameters(c: &mut Conn, _: &Ground) -> Seen {
    let query = sql_query("select concat_ws(' ', pg_typeof($1), pg_typeof($2), pg_typeof($3), pg_typeof($4)) as said");
    let query =
        query.bind::<Text, _>("x").bind::<MoodType, _>(Mood::Sad).bind::<Array<PlaceType>, _>(Vec::<Place>::new());
    Ok(outcome(query.bind::<Nullable<PositiveType>, _>(None::<Positive>).get_result::<Said>(c).await))
}
