//! What a user's crate asks of a database while it is compiled.

pub struct Crew {
    pub id: i32,
    pub name: String,
    pub mood: Mood,
}

#[derive(Debug, sqlx::Type)]
#[sqlx(type_name = "mood", rename_all = "lowercase")]
pub enum Mood {
    Sad,
    Ok,
}

pub async fn crews(pool: &sqlx::PgPool, least: i32) -> sqlx::Result<Vec<Crew>> {
    sqlx::query_as!(Crew, r#"select id, name, mood as "mood: Mood" from crews where id > $1"#, least).fetch_all(pool).await
}

pub async fn named(pool: &sqlx::PgPool, names: &[String]) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!("select count(*) from crews left join crews as other using (id) where crews.name = any($1)", names)
        .fetch_one(pool)
        .await
}

pub async fn add(pool: &sqlx::PgPool, name: &str) -> sqlx::Result<i32> {
    let added = sqlx::query!("insert into crews (name) values ($1) returning id, name, null::text as nothing", name).fetch_one(pool).await?;
    let _: (i32, String, Option<String>) = (added.id, added.name, added.nothing);
    Ok(added.id)
}
