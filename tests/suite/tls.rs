//! TLS in a program whose tree has two crypto providers and no default one: sqlx's `tls-rustls` with ring, and reqwest with
//! aws-lc-rs.

use diesel::{IntoSql, RunQueryDsl, sql_types::Integer};
use pgferry_diesel::FerryConnection;
use pgferry_sqlx::Transport;
use pgferry_test_support::{Stage, TestCa, TestGateway};

#[tokio::test]
async fn each_road_connects_without_a_default_provider() {
    let ca = TestCa::new().unwrap();
    let stage = Stage::with(|postgres| TestGateway::start_tls(postgres, &ca));
    assert!(stage.gateway().http_url().starts_with("https://") && stage.gateway().ws_url().starts_with("wss://"));
    // The other library's client is in use as well, with a provider of its own choice.
    let authority = reqwest::Certificate::from_der(&ca.ca_der()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([authority]).build().unwrap();
    assert!(client.get(stage.gateway().http_url()).send().await.unwrap().status().is_client_error());

    for transport in [Transport::Http, Transport::WebSocket] {
        let config = stage.config().transport(transport);
        let pool = pgferry_sqlx::pool(&config).await.unwrap();
        let one: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await.unwrap();
        assert_eq!(one, 1);
        let two = tokio::task::spawn_blocking(move || {
            let mut connection = FerryConnection::connect(&config).unwrap();
            diesel::select(2.into_sql::<Integer>()).get_result::<i32>(&mut connection).unwrap()
        });
        assert_eq!(two.await.unwrap(), 2);
    }
}

#[tokio::test]
async fn an_authority_that_is_not_trusted_is_an_error() {
    let ca = TestCa::new().unwrap();
    let stage = Stage::with(|postgres| TestGateway::start_tls(postgres, &ca));
    let stranger = TestCa::new().unwrap();
    for transport in [Transport::Http, Transport::WebSocket] {
        let config = stage.config().transport(transport).root_certificates([stranger.ca_der()]);
        let error = FerryConnection::connect(&config).map(drop).unwrap_err();
        assert!(error.to_string().to_lowercase().contains("certificate"), "{error}");
    }
}
