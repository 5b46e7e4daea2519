use std::fmt;

use http::{HeaderMap, header::AUTHORIZATION};
use percent_encoding::percent_decode_str;
use pgferry::{config::Password, http::wire::CONNECTION_STRING};
use url::Url;

use super::fault::Fault;

/// Whom a request says it comes from.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: Password,
    /// Empty where Postgres shall take the user's name.
    pub(crate) database: String,
}

impl Credentials {
    /// Takes them from the connection string's header, of which host, port and parameters are ignored: there is only one
    /// upstream.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Result<Self, Fault> {
        let url = headers
            .get(CONNECTION_STRING)
            .and_then(|value| str::from_utf8(value.as_bytes()).ok())
            .ok_or_else(|| Fault::bad_request(format!("invalid header: {CONNECTION_STRING}")))?;
        let url = Url::parse(url).map_err(|error| Fault::bad_request(format!("invalid connection string: {error}")))?;
        if !matches!(url.scheme(), "postgresql" | "postgres") {
            return Err(Fault::bad_request("incorrect scheme"));
        }
        let database = url
            .path_segments()
            .and_then(|mut segments| segments.next())
            .ok_or_else(|| Fault::bad_request("missing database name"))?;
        let database = decoded(database)?;
        let user = decoded(url.username())?;
        if user.is_empty() {
            return Err(Fault::bad_request("missing username"));
        }
        // A token is no password, and there is nobody here who could check one.
        let password = match url.password() {
            Some(password) if !password.is_empty() && !headers.contains_key(AUTHORIZATION) => decoded(password)?,
            _ => return Err(Fault::bad_request("missing authentication credentials: required password")),
        };
        if url.host_str().is_none_or(str::is_empty) {
            return Err(Fault::bad_request("missing hostname"));
        }
        Ok(Self { user, password: password.into(), database })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, password, database } = self;
        f.debug_struct("Credentials")
            .field("user", user)
            .field("password", password)
            .field("database", database)
            .finish()
    }
}

/// The message names the user for every part, as the reference's does.
fn decoded(text: &str) -> Result<String, Fault> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) if text.contains('\0') => {
            Err(Fault::bad_request("invalid connection string: it has a NUL character, which Postgres cannot read"))
        }
        Ok(text) => Ok(text.into_owned()),
        Err(error) => Err(Fault::bad_request(format!("invalid username: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn parse(url: &str) -> Result<Credentials, String> {
        let mut headers = HeaderMap::new();
        headers.insert(CONNECTION_STRING, HeaderValue::from_str(url).unwrap_or_else(|error| panic!("{url}: {error}")));
        Credentials::from_headers(&headers).map_err(|fault| fault.message().to_owned())
    }

    #[test]
    fn takes_user_password_and_database() {
        for url in [
            "postgresql://app:p%40ss@endpoint.example/db%20name",
            "postgres://app:p%40ss@127.0.0.1:5432/db%20name/extra?options=x",
        ] {
            let Ok(credentials) = parse(url) else { panic!("{url} was refused") };
            assert_eq!((credentials.user.as_str(), credentials.password.reveal()), ("app", "p@ss"));
            assert_eq!(credentials.database, "db name");
            assert!(!format!("{credentials:?}").contains("p@ss"));
        }
    }

    #[test]
    fn refuses_what_the_reference_refuses() {
        let nul = "invalid connection string: it has a NUL character, which Postgres cannot read";
        let no_password = "missing authentication credentials: required password";
        for (url, message) in [
            ("mysql://app:x@host/db", "incorrect scheme"),
            ("postgresql://app:x@host", "missing database name"),
            ("postgresql://host/db", "missing username"),
            ("postgresql://app@host/db", no_password),
            ("postgresql://app:@host/db", no_password),
            ("postgresql://a%00b:x@host/db", nul),
            ("postgresql://app:%00@host/db", nul),
            ("postgresql://app:x@host/db%00", nul),
            ("postgresql://app:x@host/%FF", "invalid username: invalid utf-8 sequence of 1 bytes from index 0"),
            ("no url", "invalid connection string: relative URL without a base"),
        ] {
            assert_eq!(parse(url).err().as_deref(), Some(message), "{url}");
        }
        let missing = Credentials::from_headers(&HeaderMap::new()).err();
        assert_eq!(
            missing.map(|fault| fault.message().to_owned()).as_deref(),
            Some("invalid header: neon-connection-string")
        );
    }
}
