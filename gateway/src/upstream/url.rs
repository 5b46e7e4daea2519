use std::str::FromStr;

use percent_encoding::percent_decode_str;
use pgferry::{Config, Error, Result};
use url::Url;

use super::Upstream;

impl FromStr for Upstream {
    type Err = Error;

    /// Parses `postgresql://user:password@host:port/database?sslmode=…`, of which the password is forgotten.
    ///
    /// The parameters `host`, `port`, `user` and `dbname` go before what the URL says elsewhere; `password` is forgotten too. A
    /// host that is percent-encoded and begins with a slash, or such a `host` parameter, is the directory of a Unix socket.
    ///
    /// `sslmode` `require`, `verify-ca` and `verify-full` all mean TLS with the certificate verified, against the authorities in the
    /// PEM file that `sslrootcert` names, or against the platform's where it is `system` or missing; `disable`, `allow` and
    /// `prefer` mean no TLS, and so does none without `sslrootcert`.
    ///
    /// # Errors
    ///
    /// When it is no such URL, has a parameter that is not named here, or names a file without certificates. The message does not
    /// repeat the URL.
    fn from_str(text: &str) -> Result<Self> {
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if is_postgres(scheme) => rest,
            _ => return Err(Error::connect("the upstream's URL has to begin with postgresql://")),
        };
        if is_ambiguous(rest) {
            return Err(Error::connect(
                "the upstream's URL has a '/', '?', '#' or '@' where it must be percent-encoded (%2F, %3F, %23, %40), as in a password",
            ));
        }
        if names_several_hosts(rest) {
            return Err(Error::connect(
                "the upstream's URL names several hosts, but a gateway stands in front of one: name the primary, or the address of what finds it",
            ));
        }
        let url = Url::parse(text).map_err(|error| {
            Error::connect(format!("the upstream is no URL such as postgresql://user@localhost:5432/db: {error}"))
        })?;
        let mut host = decoded(url.host_str().unwrap_or_default())?;
        let mut port = url.port().unwrap_or(5432);
        let mut user = decoded(url.username())?;
        let mut database = decoded(url.path().trim_start_matches('/'))?;
        let mut tls = None;
        let mut roots = None;
        for pair in url.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (key, value) = (decoded(key)?, decoded(value)?);
            match key.as_str() {
                "host" => host = value,
                "port" => {
                    port = value.parse().map_err(|_| Error::connect("the upstream's port is no number up to 65535"))?;
                }
                "user" => user = value,
                "dbname" => database = value,
                "password" => {}
                "sslmode" => tls = Some(wants_tls(&value)?),
                "sslrootcert" if value == "system" => roots = Some(Vec::new()),
                "sslrootcert" => {
                    roots = Some(Config::new().root_certificates_file(value)?.get_root_certificates().to_vec());
                }
                _ => {
                    return Err(Error::connect(format!(
                        "the upstream's URL has the parameter {key}, which means nothing here: take it out (known are host, port, user, dbname, sslmode and sslrootcert)"
                    )));
                }
            }
        }
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(ipv6) => ipv6,
            None if host.is_empty() => "localhost",
            None => &host,
        };
        let some = |text: String| (!text.is_empty()).then_some(text);
        Ok(Self {
            tls: tls.unwrap_or(roots.is_some()),
            roots: roots.unwrap_or_default(),
            user: some(user),
            database: some(database),
            ..Self::new(host, port)
        })
    }
}

fn is_postgres(scheme: &str) -> bool {
    ["postgresql", "postgres"].iter().any(|name| scheme.eq_ignore_ascii_case(name))
}

/// Whether what follows the scheme may be taken apart in two ways, so that a piece of a password passes for something else: an `@`
/// ends the user's part, and stands nowhere else.
fn is_ambiguous(rest: &str) -> bool {
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, after) = rest.split_at_checked(authority).unwrap_or((rest, ""));
    authority.matches('@').count() > 1 || after.contains(['@', '#'])
}

/// Whether there is a comma where hosts and ports stand, as libpq takes several.
fn names_several_hosts(rest: &str) -> bool {
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = address.split('/').next().unwrap_or_default();
    let hosts = authority.rsplit('@').next().unwrap_or_default();
    let lists = |pair: &str| {
        pair.split_once('=').is_some_and(|(key, value)| {
            matches!(key, "host" | "port") && (value.contains(',') || value.to_ascii_lowercase().contains("%2c"))
        })
    };
    hosts.contains(',') || query.split('&').any(lists)
}

fn wants_tls(sslmode: &str) -> Result<bool> {
    match sslmode {
        "require" | "verify-ca" | "verify-full" => Ok(true),
        "disable" | "allow" | "prefer" => Ok(false),
        _ => Err(Error::connect("the upstream's sslmode is unknown: use disable, require or verify-full")),
    }
}

fn decoded(text: &str) -> Result<String> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(Error::connect("the upstream's URL has percent-encoded bytes that are no UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Address, *};

    fn parse(url: &str) -> Upstream {
        url.parse().unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    #[test]
    fn parses_the_forms_that_libpq_takes() {
        let expected = Upstream {
            tls: true,
            user: Some("we ird".into()),
            database: Some("some db".into()),
            ..Upstream::new("db.example", 6000)
        };
        for url in [
            "postgres://we%20ird:p%40ss@db.example:6000/some%20db?sslmode=require",
            "POSTGRESQL://we%20ird@db.example:6000/some%20db?sslrootcert=system",
            "postgresql://x@y:1/z?user=we%20ird&host=db.example&port=6000&dbname=some%20db&password=p&sslmode=verify-full",
        ] {
            assert_eq!(parse(url), expected, "{url}");
        }
        for url in [
            "postgresql://app@%2Fvar%2Frun%2Fpostgresql:5433",
            "postgresql://app@localhost:5433?host=/var/run/postgresql",
        ] {
            let upstream = parse(url);
            assert_eq!(
                upstream.address,
                Address::Unix { directory: "/var/run/postgresql".into(), port: 5433 },
                "{url}"
            );
            assert_eq!(upstream.host(), "localhost");
        }
        assert_eq!(parse("postgresql://[::1]:5433/db").host(), "::1");
        assert_eq!((parse("postgresql:///db").host(), parse("postgresql:///db").port()), ("localhost", 5432));
        assert!(!parse("postgresql://host/db?sslrootcert=system&sslmode=disable").tls);
    }

    #[test]
    fn errors_do_not_repeat_the_url() {
        for (url, words) in [
            ("http://app:sesame@host/db", "postgresql://"),
            ("app:sesame@host", "postgresql://"),
            ("postgresql://app:sesame@host/db?sslmode=sesame", "sslmode"),
            ("postgresql://app:12/sesame@host", "percent-encoded"),
            ("postgresql://app:sesame?@host", "percent-encoded"),
            ("postgresql://app:sesame#@host/db", "percent-encoded"),
            ("postgresql://app:sesame@2@host/db", "percent-encoded"),
            ("postgresql://app@host/db?password=sesame@", "percent-encoded"),
            ("postgresql://app@host/db?password=sesame&channel_binding=require", "channel_binding"),
            ("postgresql://app@host/db?password=sesame&port=x", "port"),
            ("postgresql://app:sesame@a:5432,b:5433/db", "several hosts"),
            ("postgresql://app:sesame@a,b/db", "several hosts"),
            ("postgresql://app:sesame@/db?host=a,b", "several hosts"),
            ("postgresql://app:sesame@/db?host=a%2Cb", "several hosts"),
            ("postgresql://app:sesame@host/db?sslrootcert=/nowhere/ca.pem", "/nowhere/ca.pem"),
        ] {
            let Err(error) = url.parse::<Upstream>() else { panic!("{url} was taken") };
            assert!(!format!("{error} {error:?}").contains("sesame"), "{error:?}");
            assert!(error.to_string().contains(words), "{url}: {error}");
        }
    }
}
