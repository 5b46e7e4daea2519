//! The tables as SeaORM's entities.

/// Crews, each with its sailors.
pub mod crew {
    #![allow(missing_docs, reason = "the macros write items without a word")]

    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "crews")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        #[sea_orm(unique)]
        pub name: String,
        pub mood: Mood,
        pub log: Json,
        pub ports: Vec<String>,
        #[sea_orm(has_many)]
        pub sailors: HasMany<super::sailor::Entity>,
    }

    /// How a crew feels: an enum of the database's.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "mood")]
    pub enum Mood {
        #[sea_orm(string_value = "sad")]
        Sad,
        #[sea_orm(string_value = "ok")]
        Ok,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Sailors, each of one crew.
pub mod sailor {
    #![allow(missing_docs, reason = "the macros write items without a word")]

    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sailors")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub crew_id: Uuid,
        pub name: String,
        pub pay: Option<i64>,
        #[sea_orm(belongs_to, from = "crew_id", to = "id")]
        pub crew: BelongsTo<super::crew::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
