use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pgferry_gateway::Upstream;

/// What needs no encoding anywhere in a URL (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns the URL by which pgferry's clients reach the upstream through a gateway. Where it has no password, callers add theirs,
/// or set `PGPASSWORD`. The certificate is that which they have to trust.
pub(super) fn write(
    upstream: &Upstream,
    password: Option<&str>,
    certificate: Option<&Path>,
    http_url: &str,
    ws_url: &str,
) -> String {
    let encoded = |text| utf8_percent_encode(text, RESERVED);
    let password = password.map(|password| format!(":{}", encoded(password))).unwrap_or_default();
    let user = upstream.user().map(|user| format!("{}{password}@", encoded(user))).unwrap_or_default();
    let host =
        if upstream.host().contains(':') { format!("[{}]", upstream.host()) } else { upstream.host().to_owned() };
    let database = upstream.database().map(|database| encoded(database).to_string()).unwrap_or_default();
    let trusted = certificate.map(|file| file.to_string_lossy());
    let trusted = trusted.as_deref().map(|file| format!("&sslrootcert={}", encoded(file))).unwrap_or_default();
    format!(
        "postgresql://{user}{host}:{}/{database}?http_url={}&ws_url={}{trusted}",
        upstream.port(),
        encoded(http_url),
        encoded(ws_url)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_everything_but_the_upstreams_password() {
        let write = |upstream: &str| {
            let upstream = upstream.parse().unwrap_or_else(|error| panic!("{upstream}: {error}"));
            write(&upstream, None, None, "http://127.0.0.1:4444/sql", "ws://127.0.0.1:4444/v2")
        };
        let urls = "?http_url=http%3A%2F%2F127.0.0.1%3A4444%2Fsql&ws_url=ws%3A%2F%2F127.0.0.1%3A4444%2Fv2";
        for (upstream, start) in [
            ("postgresql://app:sesame@db.internal:5433/app%20db", "postgresql://app@db.internal:5433/app%20db"),
            ("postgresql://we%20ird:p%40ss@[::1]/x", "postgresql://we%20ird@[::1]:5432/x"),
            ("postgresql://localhost", "postgresql://localhost:5432/"),
        ] {
            assert_eq!(write(upstream), format!("{start}{urls}"));
        }
    }

    #[test]
    fn has_the_password_of_a_server_of_the_gateways_own() {
        let upstream = "postgresql://app@127.0.0.1:5433/app".parse().unwrap_or_else(|error| panic!("{error}"));
        let url = write(&upstream, Some("p@ss:/word"), None, "http://h/sql", "ws://h/v2");
        assert_eq!(
            url,
            "postgresql://app:p%40ss%3A%2Fword@127.0.0.1:5433/app?http_url=http%3A%2F%2Fh%2Fsql&ws_url=ws%3A%2F%2Fh%2Fv2"
        );
    }

    #[test]
    fn names_the_certificate_to_trust() {
        let upstream = "postgresql://app@h/x".parse().unwrap_or_else(|error| panic!("{error}"));
        let url = write(&upstream, None, Some(Path::new("/srv/a b.pem")), "https://h/sql", "wss://h/v2");
        assert!(url.ends_with("&sslrootcert=%2Fsrv%2Fa%20b.pem"), "{url}");
    }
}
