use std::{error::Error as StdError, sync::Arc};

use super::{super::*, config};

struct Answers(Option<Credential>);

#[async_trait::async_trait]
impl CredentialProvider for Answers {
    async fn credential(&self) -> Result<Credential, Box<dyn StdError + Send + Sync>> {
        self.0.clone().ok_or_else(|| "the vault is sealed".into())
    }
}

#[tokio::test]
async fn a_provider_is_asked() {
    let provider = Answers(Some(Credential::Password("fetched".into())));
    let config = config("postgresql://app:x@db.example/app").credential_provider(Arc::new(provider));
    let Credential::Password(password) = config.credential().await.unwrap() else { panic!() };
    assert_eq!(password.reveal(), "fetched");
}

#[tokio::test]
async fn a_providers_error_is_the_source() {
    let error = Config::new().credential_provider(Arc::new(Answers(None))).credential().await.unwrap_err();
    assert!(error.is_auth());
    assert_eq!(error.outcome(), crate::Outcome::NotExecuted);
    assert_eq!(error.source().unwrap().to_string(), "the vault is sealed");
}

#[tokio::test]
async fn none_is_an_error_only_where_one_is_needed() {
    for url in ["postgresql://app@db.example/app", "postgresql://app:@db.example/app"] {
        let config = config(url);
        assert!(config.optional_credential().await.unwrap().is_none());
        let error = config.credential().await.unwrap_err();
        assert!(error.is_auth());
        assert!(error.to_string().starts_with("no password is configured: "), "{error}");
    }
}

#[tokio::test]
async fn the_last_credential_counts() {
    let config = config("postgresql://app:x@db.example/app").bearer_token("token");
    assert!(matches!(config.credential().await.unwrap(), Credential::Bearer(token) if token.reveal() == "token"));
    assert!(matches!(config.password("y").credential().await.unwrap(), Credential::Password(_)));
}
