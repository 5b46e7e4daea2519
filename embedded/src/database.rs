use crate::{
    backend::{Backend, Failure},
    message,
};

/// The role that owns the database; no superuser, as the role that a provider gives.
pub(crate) const ROLE: &str = "app";
/// The database.
pub(crate) const DATABASE: &str = "app";
/// The database that is always there.
pub(crate) const MAINTENANCE: &str = "template1";

/// Makes the role and the database where they are missing.
///
/// Not cancel safe.
pub(crate) async fn prepare(backend: &mut Backend) -> Result<(), Failure> {
    if !has_role(backend, ROLE).await? {
        backend.ask(&format!("create role {ROLE} login createdb createrole")).await?;
    }
    if !has_database(backend, DATABASE).await? {
        backend.ask(&format!("create database {DATABASE} owner {ROLE}")).await?;
    }
    Ok(())
}

/// Returns whether there is a role that can log in.
pub(crate) async fn has_role(backend: &mut Backend, name: &str) -> Result<bool, Failure> {
    let question =
        format!("select 1 from pg_catalog.pg_roles where rolcanlogin and rolname = {}", message::literal(name));
    Ok(!backend.ask(&question).await?.is_empty())
}

/// Returns whether there is a database.
pub(crate) async fn has_database(backend: &mut Backend, name: &str) -> Result<bool, Failure> {
    let question = format!("select 1 from pg_catalog.pg_database where datname = {}", message::literal(name));
    Ok(!backend.ask(&question).await?.is_empty())
}
