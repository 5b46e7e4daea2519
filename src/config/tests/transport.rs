use std::sync::Arc;

use super::{super::*, config};

const NEON: &str = "postgresql://app:secret@ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech/db";
const LOCAL: &str = "postgresql://app:secret@localhost/db?transport=auto";

#[test]
fn auto_is_what_the_endpoints_leave_of_it() {
    let resolved = |url: &str| config(url).resolve_transport().unwrap();
    assert_eq!(resolved(&format!("{NEON}?transport=auto")), Transport::Auto);
    assert_eq!(resolved(&format!("{LOCAL}&http_url=http://localhost:1/sql")), Transport::Http);
    assert_eq!(resolved(&format!("{LOCAL}&ws_url=ws://localhost:1/v2")), Transport::WebSocket);
    let both = format!("{LOCAL}&http_url=http://localhost:1/sql&ws_url=ws://localhost:1/v2");
    assert_eq!(resolved(&both), Transport::Auto);
    let bearer = config(&both).bearer_token("token");
    assert_eq!(bearer.resolve_transport().unwrap(), Transport::Http);
}

#[test]
fn auto_without_an_endpoint_names_both_keys() {
    let error = config(LOCAL).resolve_transport().unwrap_err();
    assert!(error.is_config());
    assert_eq!(
        error.to_string(),
        "no endpoint is known for localhost, where Postgres itself speaks neither HTTP nor WebSocket: run `pgferry gateway` in front \
         of it and use the URL that it prints, or set http_url and ws_url (one of them will do)"
    );
}

#[test]
fn auto_does_not_pass_over_a_wrong_endpoint() {
    for wrong in ["ws_url=ws://elsewhere.example/v2", "http_url=http://elsewhere.example/sql"] {
        let other =
            if wrong.starts_with("ws") { "http_url=http://localhost:1/sql" } else { "ws_url=ws://localhost:1/v2" };
        let error = config(&format!("{LOCAL}&{wrong}&{other}")).resolve_transport().unwrap_err();
        assert!(error.is_config() && error.to_string().contains("would show everything"), "{error}");
    }
}

#[test]
fn auto_is_the_default() {
    assert_eq!(config(NEON).get_transport(), Transport::Auto);
    assert_eq!(config(NEON).resolve_transport().unwrap(), Transport::Auto);
    let local = config("postgresql://app:secret@localhost/db?http_url=http://localhost:1/sql");
    assert_eq!(local.resolve_transport().unwrap(), Transport::Http);
}

#[test]
fn a_named_transport_is_what_it_is() {
    for transport in [Transport::Http, Transport::WebSocket] {
        assert_eq!(config(LOCAL).transport(transport).resolve_transport().unwrap(), transport);
    }
}

#[test]
fn capabilities_are_those_of_transport_and_pooler() {
    let of = |transport, pooled| config(NEON).transport(transport).pooled(Some(pooled)).capabilities().unwrap();
    for transport in [Transport::Auto, Transport::WebSocket] {
        let (direct, pooled) = (of(transport, false), of(transport, true));
        assert!(direct.interactive_transactions() && direct.session_state() && direct.copy() && direct.listen());
        assert!(pooled.interactive_transactions() && pooled.copy() && !pooled.session_state() && !pooled.listen());
        assert!(pooled.pooled() && !direct.pooled());
    }
    let http = of(Transport::Http, false);
    assert!(!http.interactive_transactions() && !http.session_state() && !http.copy() && !http.listen());
    assert!(config(LOCAL).capabilities().is_err());
}

#[test]
fn a_provider_is_not_asked_for_the_transport() {
    struct Unasked;
    #[async_trait::async_trait]
    impl CredentialProvider for Unasked {
        async fn credential(&self) -> Result<Credential, Box<dyn std::error::Error + Send + Sync>> {
            Err("asked".into())
        }
    }
    let config = config(NEON).transport(Transport::Auto).credential_provider(Arc::new(Unasked));
    assert_eq!(config.resolve_transport().unwrap(), Transport::Auto);
}
