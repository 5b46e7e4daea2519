//! The tables' migrations, by sea-orm-migration.

use sea_orm_migration::{
    prelude::{sea_query::extension::postgres::Type, *},
    schema::{array, big_integer_null, json_binary, pk_auto, string, string_uniq, uuid},
};

/// Applies and reverts the migrations below.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Crews), Box::new(Sailors)]
    }
}

struct Crews;

impl MigrationName for Crews {
    fn name(&self) -> &str {
        "m20240101_000001_crews"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Crews {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_type(Type::create().as_enum("mood").values(["sad", "ok"]).to_owned()).await?;
        let crews = Table::create()
            .table("crews")
            .col(uuid("id").primary_key())
            .col(string_uniq("name"))
            .col(ColumnDef::new("mood").custom("mood").not_null())
            .col(json_binary("log"))
            .col(array("ports", ColumnType::Text))
            .to_owned();
        manager.create_table(crews).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("crews").to_owned()).await?;
        manager.drop_type(Type::drop().name("mood").to_owned()).await
    }
}

struct Sailors;

impl MigrationName for Sailors {
    fn name(&self) -> &str {
        "m20240101_000002_sailors"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Sailors {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sailors = Table::create()
            .table("sailors")
            .col(pk_auto("id"))
            .col(uuid("crew_id"))
            .col(string("name"))
            .col(big_integer_null("pay"))
            .foreign_key(ForeignKey::create().from("sailors", "crew_id").to("crews", "id"))
            .to_owned();
        manager.create_table(sailors).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("sailors").to_owned()).await
    }
}
