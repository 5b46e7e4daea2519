use std::sync::Arc;

use super::{super::*, config};

const SECRET: &str = "Hunter2";

struct Vault;

#[async_trait::async_trait]
impl CredentialProvider for Vault {
    async fn credential(&self) -> Result<Credential, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Credential::Password(SECRET.into()))
    }
}

#[test]
fn no_debug_shows_a_secret() {
    let base = config("postgresql://app:Hunter2@db.example/app");
    for config in [
        base.clone(),
        base.clone().bearer_token(SECRET),
        base.clone().credential_provider(Arc::new(Vault)),
        base.clone().param("password", SECRET).unwrap(),
        config("postgresql:///app?host=db.example&password=Hunter2"),
        base.clone().http_url("https://u:Hunter2@proxy.example/sql"),
        base.clone().http_url("u:Hunter2@proxy.example"),
        base.clone().ws_url("wss://proxy.example/v2?token=Hunter2"),
        base.clone().ws_url("wss://proxy.example/v2?address=x&token=Hunter2"),
        base.param("ws_url", "wss://proxy.example/v2?token=Hunter2").unwrap(),
    ] {
        let text = format!("{config:?} {config:#?} {:?}", config.parameters());
        assert!(!text.contains(SECRET), "{text}");
        assert!(text.contains("db.example"), "{text}");
    }
    let credentials = [Credential::Password(SECRET.into()), Credential::Bearer(SECRET.into())];
    assert!(!format!("{credentials:?}").contains(SECRET));
    let string = config("postgresql://app@db.example/app").connection_string(&credentials[0]).unwrap();
    assert!(string.reveal().contains(SECRET) && !format!("{string:?}").contains(SECRET));
}

/// Every place where a URL can break, with the password before, at and behind it.
#[test]
fn no_error_shows_a_part_of_the_password() {
    let mut seen = 0;
    for broken in
        ["@", "/", "?", "#", ":", "%", "[", "]", ",", "&", "=", " ", "\\", "\u{1}", "@[", "/?", "?#", "@:", ":@"]
    {
        for password in [format!("Hunter2{broken}"), format!("{broken}Hunter2"), format!("Hunter2{broken}Hunter2")] {
            for rest in ["@db.example:5432/app?sslmode=require", "@db.example", "@[::1]/app", "@db.example:x/app", ""] {
                for user in ["app:", ":"] {
                    let url = format!("postgresql://{user}{password}{rest}");
                    let Err(error) = url.parse::<Config>() else { continue };
                    seen += 1;
                    assert!(!format!("{error} {error:?}").contains(SECRET), "{url}: {error}");
                }
            }
        }
    }
    assert!(seen > 200, "{seen} of the URLs are errors");
}
