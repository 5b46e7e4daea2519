use std::sync::OnceLock;

use pgferry::Outcome;

use super::*;

/// A server that asks four roles for four different proofs.
fn postgres() -> Result<&'static Postgres> {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    if let Some(server) = SERVER.get() {
        return Ok(server);
    }
    let server = Postgres::builder()
        .hba("host all plain 127.0.0.1/32 password")
        .hba("host all hashed 127.0.0.1/32 md5")
        .hba("host all trusted 127.0.0.1/32 trust")
        .start()?;
    server.psql("create role plain login password 'pa ss''wörd'")?;
    server.psql("create role trusted login")?;
    server.psql("create role scrammed login password 'pa ss''wörd'")?;
    server.psql("set password_encryption = 'md5'; create role hashed login password 'pa ss''wörd'")?;
    Ok(SERVER.get_or_init(|| server))
}

const PASSWORD: &str = "pa ss'wörd";

async fn log_in(user: &str, allowed: &str, password: Option<&str>, ahead: bool) -> Result<Client<TcpStream>, Error> {
    let mut startup = Startup::new(user, allow(allowed)).database("app").pipeline_password(ahead);
    startup.password = password.map(Into::into);
    let postgres = postgres().expect("a server");
    Client::connect(stream(postgres).await.expect("a connection"), &startup).await
}

#[tokio::test]
async fn each_method_logs_in() -> Result<()> {
    for (user, allowed, password) in [
        ("plain", "password", Some(PASSWORD)),
        ("hashed", "md5", Some(PASSWORD)),
        ("scrammed", "scram-sha-256", Some(PASSWORD)),
        ("trusted", "none", None),
    ] {
        let mut client = log_in(user, allowed, password, false).await?;
        assert_eq!(value(&mut client, "select current_user").await?, user);
        assert!(client.parameter("server_version").is_some() && client.backend_key().is_some());
        client.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn only_what_is_allowed_is_answered() {
    for (user, allowed, asked) in [
        ("plain", "scram-sha-256,md5,none", "in cleartext (password)"),
        ("hashed", "scram-sha-256,password,none", "(md5)"),
        ("scrammed", "password,md5,none", "(SCRAM-SHA-256)"),
        ("trusted", "scram-sha-256,md5,password", "no proof at all"),
    ] {
        let error = log_in(user, allowed, Some(PASSWORD), false).await.expect_err("a refusal");
        assert!(error.is_auth(), "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotExecuted);
        let message = error.to_string();
        assert!(
            message.contains(asked) && message.contains(allowed.split(',').next().unwrap_or_default()),
            "{message}"
        );
        assert!(!message.contains(PASSWORD));
    }
}

#[tokio::test]
async fn a_wrong_or_a_missing_password_is_told() {
    for user in ["plain", "hashed", "scrammed"] {
        let error = log_in(user, "password,md5,scram-sha-256", Some("wrong"), false).await.expect_err("a refusal");
        assert!(error.is_auth(), "{error:?}");
        assert_eq!((code(&error), error.outcome()), ("28P01", Outcome::NotExecuted));

        let error = log_in(user, "password,md5,scram-sha-256", None, false).await.expect_err("a refusal");
        assert!(error.is_auth() && error.to_string().contains("asks for the password"), "{error}");
    }
}

#[tokio::test]
async fn a_password_can_be_sent_ahead() -> Result<()> {
    let mut client = log_in("plain", "password", Some(PASSWORD), true).await?;
    assert_eq!(value(&mut client, "select 1").await?, "1");
    let error = log_in("plain", "password", Some("wrong"), true).await.expect_err("a refusal");
    assert_eq!(code(&error), "28P01");

    // It is not sent ahead where it may not be sent in cleartext at all.
    log_in("scrammed", "scram-sha-256", Some(PASSWORD), true).await?;
    Ok(())
}

#[tokio::test]
async fn a_password_sent_ahead_in_vain_names_the_remedy() {
    for user in ["hashed", "scrammed", "trusted"] {
        let error = log_in(user, "password,md5,scram-sha-256,none", Some(PASSWORD), true).await.expect_err("an error");
        assert!(error.is_auth() && error.to_string().contains("provider="), "{error}");
        assert_eq!(error.outcome(), Outcome::NotExecuted);
    }
}

#[tokio::test]
async fn an_unknown_database_is_told_by_the_server() -> Result<()> {
    let postgres = postgres()?;
    let error =
        Client::connect(stream(postgres).await?, &app(postgres).database("nowhere")).await.expect_err("an error");
    assert_eq!((code(&error), error.outcome()), ("3D000", Outcome::NotExecuted));
    Ok(())
}

#[tokio::test]
async fn settings_go_with_the_startup() -> Result<()> {
    let postgres = postgres()?;
    let startup = app(postgres)
        .parameter("application_name", "till")
        .parameter("DateStyle", "German")
        .parameter("options", "-c statement_timeout=1234ms")
        // An option of the protocol that no server knows makes it say so before it asks for anything.
        .parameter("_pq_.pgferry", "1");
    let mut client = Client::connect(stream(postgres).await?, &startup).await?;
    assert_eq!(client.parameter("application_name"), Some("till"));
    assert_eq!(value(&mut client, "select date '2024-12-31'").await?, "31.12.2024");
    assert_eq!(value(&mut client, "show statement_timeout").await?, "1234ms");
    Ok(())
}

#[tokio::test]
async fn a_startup_that_cannot_be_sent_is_told() -> Result<()> {
    let postgres = postgres()?;
    let error = Client::connect(stream(postgres).await?, &app(postgres).database("a\0b")).await.expect_err("an error");
    assert!(error.is_config(), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn what_does_not_speak_postgres_is_an_error() -> Result<()> {
    let postgres = postgres()?;
    for answer in
        [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"R\0\0\0\x02", b"R\0\0\0\x08\0\0\0\x63", b"Z\0\0\0\x05I", b""]
    {
        let (ours, mut theirs) = tokio::io::duplex(1024);
        tokio::io::AsyncWriteExt::write_all(&mut theirs, answer).await?;
        tokio::io::AsyncWriteExt::shutdown(&mut theirs).await?;
        let error = Client::connect(ours, &app(postgres)).await.expect_err("an error");
        assert_eq!(error.outcome(), Outcome::NotExecuted, "{error:?}");
    }
    Ok(())
}
