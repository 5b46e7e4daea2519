use super::{super::*, config};

#[track_caller]
fn error(url: &str) -> String {
    let error = url.parse::<Config>().unwrap_err();
    assert!(error.is_config());
    assert_eq!(error.outcome(), crate::Outcome::NotExecuted);
    error.to_string()
}

#[track_caller]
fn parameter_error(parameter: &str) -> String {
    let error = error(&format!("postgresql://app@db.example/app?{parameter}"));
    let name = parameter.split('=').next().unwrap();
    assert!(error.starts_with(&format!("the URL's parameter `{name}`: ")), "{error}");
    error.split_once(": ").unwrap().1.to_owned()
}

#[test]
fn characters_of_a_password() {
    // Whatever the rest of the password looks like, and wherever the cut falls.
    for (password, character, encoding) in [
        ("hun@ter2", '@', "%40"),
        ("hun@ter/2", '@', "%40"),
        ("hun/ter2", '/', "%2F"),
        ("5432/ter2", '/', "%2F"),
        ("hun/t?e=r2", '/', "%2F"),
        ("hun?ter2", '?', "%3F"),
        ("5432?ter2", '?', "%3F"),
        ("hun?a=b&ter=2", '?', "%3F"),
        ("hun#ter2", '#', "%23"),
        ("hun@t#er2", '#', "%23"),
        ("hun/t#er2", '#', "%23"),
    ] {
        for rest in ["db.example/app", "db.example:5432/app?sslmode=require", "[::1]"] {
            let error = error(&format!("postgresql://app:{password}@{rest}"));
            assert_eq!(
                error,
                format!(
                    "the URL holds an unencoded `{character}` where none may stand; in a password or a name write it as \
                     {encoding}"
                ),
                "{password} {rest}"
            );
        }
    }
}

#[test]
fn percent_encoding() {
    for password in ["100%", "%zz", "a%4", "%%", "%+1"] {
        assert_eq!(
            error(&format!("postgresql://app:{password}@db.example/app")),
            "the URL's password: it holds an unencoded `%`, or one without two hexadecimal digits: write the character as \
             %25"
        );
    }
    assert_eq!(
        error("postgresql://app:%ff@db.example/app"),
        "the URL's password: its percent-encoding is not valid UTF-8: encode the character's UTF-8 bytes, `é` as %C3%A9"
    );
    for part in ["a%00b@db.example/app", "u:a%00b@db.example/app", "u@db.example/a%00b"] {
        let error = error(&format!("postgresql://{part}"));
        assert!(error.ends_with("it holds a NUL (%00 in a URL), which Postgres cannot take: remove it"), "{error}");
    }
    assert!(parameter_error("application_name=%00").starts_with("it holds a NUL"));
    assert!(parameter_error("application_name=100%").starts_with("it holds an unencoded `%`"));
}

#[test]
fn hosts() {
    for (host, message) in [
        (
            "%2Fvar%2Frun%2Fpostgresql",
            "the URL's host: a Unix socket is not reached over HTTP or WebSocket: name a host",
        ),
        ("one.example,two.example", "the URL names several hosts: name one"),
        ("one:1,two:2", "the URL names several hosts: name one"),
        ("2001:db8::1", "the URL's host holds more than one `:`: write an IPv6 address in brackets, as [::1]"),
        ("[2001:db8::1", "the URL's host has a `[` without its `]`"),
        ("[::1]5432", "the URL's host has more behind its `]` than a port"),
        ("[db.example]", "the URL's host: the host is not a valid IPv6 address"),
        ("[fe80::1%25eth0]", "the URL's host: the host holds a `%`"),
        ("a b", "the URL's host: the host is not a valid name"),
        ("a%2Fb", "the URL's host: the host is not a valid name"),
        ("a%40b", "the URL's host: the host is not a valid name"),
        ("999.1.1.1", "the URL's host: the host is not a valid name"),
    ] {
        let error = error(&format!("postgresql://app@{host}/app"));
        assert!(error.starts_with(message), "{host}: {error}");
    }
    assert_eq!(config("postgresql://app@0x7f.1/app").get_host().unwrap(), "127.0.0.1");
}

#[test]
fn the_form_of_a_url() {
    for url in ["", "db.example", "mysql://app@db.example/app", "host=db.example user=app", "https://db.example/"] {
        assert_eq!(error(url), "the URL must begin postgresql:// or postgres://");
    }
    assert!(config(" POSTGRES://app@db.example/app\n").get_host().is_ok());
    for port in ["0", "65536", "-1", "+5", "pw", "5432x"] {
        assert_eq!(
            error(&format!("postgresql://app@db.example:{port}/app")),
            "the URL's port: it is not a number from 1 to 65535"
        );
        // Whoever tells an error with its causes does not say it twice.
        let error = format!("postgresql://app@db.example:{port}/app").parse::<Config>().unwrap_err();
        assert!(std::error::Error::source(&error).is_none(), "{error:?}");
    }
    assert_eq!(config("postgresql://app@db.example:/app").get_port(), 5432);
    assert_eq!(
        error("postgresql://app@db.example/one/two"),
        "the URL's dbname holds an unencoded `/`: write it as %2F"
    );
    assert_eq!(
        error("postgresql://app@db.example/app?sslmode"),
        "the URL's parameters: one has no `=`: write name=value, with `&` between two of them"
    );
    assert!(config("postgresql://app@db.example/app?&sslmode=require&").require_tls);
    assert_eq!(
        error("postgresql://app@db.example/app?sslmode=require&ssl-mode=disable"),
        "the URL's parameter `ssl-mode`: the URL gives it twice: remove one"
    );
    assert_eq!(parameter_error("host=two.example"), "the URL gives it twice: remove one");
}

#[test]
fn what_is_missing() {
    let message = |result: crate::Result<&str>| result.unwrap_err().to_string();
    assert!(message(Config::new().get_host()).starts_with("no host is configured: name it in the URL, in PGHOST"));
    assert!(message(config("postgresql:///app").get_host()).starts_with("no host is configured"));
    assert!(message(config("postgresql://db.example/app").get_user()).starts_with("no user is configured"));
    assert!(message(config("postgresql://@db.example").get_dbname()).starts_with("no user is configured"));
    assert!(message(Config::new().user("a\0b").get_dbname()).starts_with("the setting `user` holds a NUL"));
    assert!(
        message(Config::new().host("a/b").get_host()).starts_with("the setting `host`: the host is not a valid name")
    );
}

#[test]
fn refused_parameters() {
    for (parameter, message) in [
        ("transport=tcp", "\"tcp\" is not a transport: choose \"auto\", \"websocket\" or \"http\""),
        ("describe=never", "\"never\" is not a way to describe: choose \"late\" or \"always\""),
        ("provider=x", "\"x\" is not a provider: choose \"neon\", \"planetscale\" or \"other\""),
        ("allow_plaintext=maybe", "\"maybe\" is neither \"true\" nor \"false\""),
        ("connect_timeout=soon", "\"soon\" is not a whole number of seconds"),
        ("max_request_size=-1", "\"-1\" is not a number of bytes"),
        (
            "require_auth=kerberos",
            "\"kerberos\" is no method of require_auth: there are password, md5, scram-sha-256 and none",
        ),
        ("channel_binding=x", "\"x\" is not one of its values: disable, prefer or require"),
        ("sslnegotiation=x", "\"x\" is not one of its values: postgres or direct"),
        ("target_session_attrs=x", "\"x\" is not one of its values: any, read-write, "),
        ("target_session_attrs=standby", "what kind of server the endpoint leads to is not checked"),
        ("load_balance_hosts=x", "\"x\" is not one of its values: disable or random"),
        ("gssencmode=require", "GSSAPI does not pass through HTTP or WebSocket: remove it"),
        ("client_encoding=latin1", "pgferry speaks UTF8 only: remove it"),
        ("replication=database", "replication is not carried: connect to Postgres directly, over TCP"),
        ("sslcompression=1", "TLS is never compressed: remove it"),
        ("ssl_min_protocol_version=TLSv1.3", "TLS 1.3 or 1.2 is used as the endpoint has it: remove it"),
        ("schema=shop", "a search path goes into options (options[search_path]=…)"),
        ("statement_timeout=5000", "a session's settings go into options"),
        ("hostaddr=192.0.2.1", "the connection goes to the endpoint, not to Postgres's own address"),
        ("service=shop", "service files are not read: write the values out"),
        ("passfile=x", "password files are not read: give the password, or a credential provider"),
        ("sslkey=x", "a client certificate cannot reach Postgres through HTTP or WebSocket: use a password"),
        ("ssl-cert=x", "a client certificate cannot reach Postgres through HTTP or WebSocket: use a password"),
        ("http_url=nonsense", "it is not a URL: "),
        ("http_url=https://{hots}/sql", "only {host} and {port} may stand in braces"),
        (
            "http_url=https://u:p%40x@h/sql",
            "the endpoint's URL holds a user or a password: they belong in the database's",
        ),
        ("ws_url=wss://h/v2%23x", "the endpoint's URL holds a `#`: write it as %23"),
        ("sslmoed=require", "pgferry does not know it; it knows host, port, user, password, dbname, transport, "),
    ] {
        let error = parameter_error(parameter);
        assert!(error.starts_with(message), "{parameter}: {error}");
    }
    assert!(
        error("postgresql://app@db.example/app?options[a%20b]=1").contains("wants a setting's name in its brackets")
    );
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: crate::Result<T>, beginning: &str) {
    let error = result.unwrap_err();
    assert!(error.is_config());
    assert!(error.to_string().starts_with(beginning), "{error}");
}

#[test]
fn plain_endpoints() {
    let plain = config("postgresql://app@db.example/app?http_url=http://{host}/sql&ws_url=ws://{host}/v2");
    let beginning = "the URL's parameter `http_url`: plain http: would show everything, the password included, on the way \
                     to db.example: use https:, or say allow_plaintext=true";
    refused(plain.endpoint_http(), beginning);
    refused(plain.endpoint_http_bearer(), beginning);
    refused(plain.endpoint_ws(), "the URL's parameter `ws_url`: plain ws: would show everything");
    let allowed = plain.allow_plaintext(true);
    assert_eq!(allowed.endpoint_ws().unwrap().as_str(), "ws://db.example/v2");
    refused(
        allowed.require_tls(true).endpoint_ws(),
        "the URL's parameter `ws_url`: the endpoint's URL is plain ws:, and sslmode=require or stricter insists on TLS",
    );

    let of = |host: &str| Config::new().host("db.example").user("app").http_url(format!("http://{host}/sql"));
    for host in ["localhost:1", "db.localhost", "127.0.0.1", "127.9.9.9:80", "[::1]:80", "[::ffff:127.0.0.1]"] {
        assert!(of(host).endpoint_http().is_ok(), "{host}");
        assert!(of(host).require_tls(true).endpoint_http().is_err(), "{host}");
    }
    for host in ["0.0.0.0", "10.0.0.1", "[::]", "localhost.example", "notlocalhost", "128.0.0.1"] {
        refused(of(host).endpoint_http(), "the setting `http_url`: plain http: would show everything");
    }
}

#[test]
fn sslmode_never_means_plain() {
    for mode in ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] {
        let config = config(&format!("postgresql://app@db.example/app?sslmode={mode}"));
        assert_eq!(config.endpoint_http().unwrap().scheme(), "https", "{mode}");
        assert_eq!(config.endpoint_ws().unwrap().scheme(), "wss", "{mode}");
        let plain = config.http_url("http://127.0.0.1/sql");
        assert_eq!(plain.endpoint_http().is_ok(), ["disable", "allow", "prefer"].contains(&mode), "{mode}");
    }
}

#[test]
fn a_loopback_host_has_no_endpoint() {
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        let config = config(&format!("postgresql://app@{host}:5432/app"));
        let bare = host.trim_matches(['[', ']']);
        let beginning = format!(
            "no endpoint is known for {bare}, where Postgres itself speaks neither HTTP nor WebSocket: run `pgferry \
             gateway` in front of it and use the URL that it prints, or set "
        );
        refused(config.endpoint_http(), &format!("{beginning}http_url"));
        refused(config.endpoint_ws(), &format!("{beginning}ws_url"));
    }
}

#[test]
fn options_that_would_be_lost() {
    let of = |host: &str, options: &str| config(&format!("postgresql://app@{host}/app?options={options}"));
    let neon = "ep-a.us-east-2.aws.neon.tech";
    assert!(of(neon, "-cwork_mem%3D1MB").endpoint_ws().is_ok());
    assert!(of(neon, "endpoint%3Dep-a%20-cwork_mem%3D1MB").endpoint_http().is_ok());
    assert!(of(neon, "endpoint%3Dep-a").endpoint_http().is_ok());
    assert!(of(neon, "project=ep-a-pooler").endpoint_http().is_ok());
    refused(
        of(neon, "endpoint%3Dep-b").endpoint_ws(),
        "the URL's parameter `options`: they select the endpoint ep-b, and the host the endpoint ep-a: remove one",
    );
    refused(
        of("us-east-2.aws.neon.tech", "endpoint%3Da/b").endpoint_http(),
        "the URL's parameter `options`: `endpoint=` wants an endpoint's id",
    );
    refused(
        of("db.example", "endpoint%3Dep-b").endpoint_ws(),
        "the URL's parameter `options`: `endpoint=` means something to Neon only",
    );
    assert!(of("db.example", "").endpoint_http().is_ok());
}

#[test]
fn neon_without_a_name() {
    for host in ["192.0.2.1", "[2001:db8::1]", "gateway"] {
        let config = config(&format!("postgresql://app@{host}/app?provider=neon"));
        refused(config.endpoint_http(), "Neon's HTTP endpoint follows from a host such as ep-");
        assert!(config.endpoint_ws().is_ok());
    }
}

#[test]
fn no_part_of_a_password_is_told() {
    for (url, expected) in [
        ("postgresql://user:p@ss?hunter2@host.example/db?sslmode=require", "unencoded `@`"),
        ("postgresql://user:p@ss/hunter2?hunter3@host.example/db", "unencoded `@`"),
        ("postgresql://user:p/hunter2?x@host.example/db", "unencoded `/`"),
        ("postgresql://user:p?hunter2@host.example/db", "unencoded `?`"),
        ("postgresql://host/db?user=app&password=p@hunter2", "unencoded `@`"),
        ("postgresql://host/db?user=app&password=a&hunter2=x", "write a password's `&` as %26"),
        ("postgresql://user:secret@host/db?hunter2%20=x", "its name is not shown"),
    ] {
        let error = url.parse::<Config>().unwrap_err().to_string();
        assert!(error.contains(expected), "{url}: {error}");
        assert!(!error.contains("hunter"), "{url}: {error}");
    }
}

#[test]
fn the_other_transports_endpoint_alone() {
    refused(
        config("postgresql://app@localhost/app?http_url=http://localhost:4444/sql").endpoint_ws(),
        "only http_url is set, and the transport is websocket: add transport=http, or set ws_url",
    );
    refused(
        config("postgresql://app@localhost/app?ws_url=ws://localhost:4444/v2").endpoint_http(),
        "only ws_url is set, and the transport is http: add transport=websocket, or set http_url",
    );
}
