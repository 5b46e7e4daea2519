//! URLs as the providers print them, and what is made of each.

use super::{
    super::{credentials::Secret, *},
    config, from_variables,
};

/// What a config comes to.
struct Golden {
    http_url: &'static str,
    ws_url: &'static str,
    require_auth: &'static str,
    provider: Provider,
    pooled: bool,
    pipelines: bool,
    /// `Neon-Connection-String` with the config's own password.
    connection_string: &'static str,
    /// Name, value, and whether it is applied.
    parameters: &'static [(&'static str, &'static str, bool)],
}

#[track_caller]
fn check(config: &Config, golden: &Golden) {
    let password = match &config.credential {
        Secret::Fixed(credential) => credential.clone(),
        other => panic!("no fixed credential: {other:?}"),
    };
    let parameters: Vec<_> = config
        .parameters()
        .into_iter()
        .map(|parameter| (parameter.name, parameter.value, parameter.fate == Fate::Applied))
        .collect();
    let expected: Vec<_> = golden.parameters.iter().map(|(n, v, a)| ((*n).to_owned(), (*v).to_owned(), *a)).collect();
    assert_eq!(config.endpoint_http().unwrap().as_str(), golden.http_url);
    assert_eq!(config.endpoint_ws().unwrap().as_str(), golden.ws_url);
    assert_eq!(config.get_require_auth().to_string(), golden.require_auth);
    assert_eq!(config.get_transport(), Transport::Auto);
    assert_eq!(config.get_provider(), golden.provider);
    assert_eq!(config.is_pooled(), golden.pooled);
    assert_eq!(config.pipelines_password(), golden.pipelines);
    assert_eq!(config.connection_string(&password).unwrap().reveal(), golden.connection_string);
    assert_eq!(parameters, expected);
}

const NEON_PARAMETERS: &[(&str, &str, bool)] = &[("sslmode", "require", true), ("channel_binding", "require", false)];

const NEON: Golden = Golden {
    http_url: "https://api.us-east-2.aws.neon.tech/sql",
    ws_url: "wss://ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech/v2",
    require_auth: "password,scram-sha-256",
    provider: Provider::Neon,
    pooled: false,
    pipelines: true,
    connection_string: "postgresql://alex:AbC123dEf@ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech/dbname",
    parameters: NEON_PARAMETERS,
};

const ANY: &str = "password,md5,scram-sha-256,none";

#[test]
fn neon_pooled() {
    let config = config(
        "postgresql://alex:AbC123dEf@ep-cool-darkness-a1b2c3d4-pooler.us-east-2.aws.neon.tech/dbname?sslmode=require&channel_binding=require",
    );
    let golden =
        Golden { ws_url: "wss://ep-cool-darkness-a1b2c3d4-pooler.us-east-2.aws.neon.tech/v2", pooled: true, ..NEON };
    check(&config, &golden);
    assert_eq!(config.endpoint_http_bearer().unwrap().as_str(), "https://apiauth.us-east-2.aws.neon.tech/sql");
    assert_eq!(
        config.connection_string(&Credential::Bearer("token".into())).unwrap().reveal(),
        "postgresql://alex@ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech/dbname"
    );
}

#[test]
fn neon_plain() {
    let config = config(
        "postgresql://alex:AbC123dEf@ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech/dbname?sslmode=require&channel_binding=require",
    );
    check(&config, &NEON);
    assert_eq!((config.get_user().unwrap(), config.get_dbname().unwrap()), ("alex", "dbname"));
    assert_eq!(config.get_port(), 5432);
}

#[test]
fn neon_with_a_port() {
    let config = config(
        "postgresql://alex:AbC123dEf@ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech:5432/dbname?sslmode=require&channel_binding=require",
    );
    let connection_string = "postgresql://alex:AbC123dEf@ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech:5432/dbname";
    check(&config, &Golden { connection_string, ..NEON });
}

#[test]
fn neon_endpoint_in_the_options() {
    let config = config("postgresql://alex:x@us-east-2.aws.neon.tech/db?options=endpoint%3Dep-cool-darkness-a1b2c3d4");
    check(
        &config,
        &Golden {
            ws_url: "wss://us-east-2.aws.neon.tech/v2",
            connection_string: "postgresql://alex:x@ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech/db",
            parameters: &[("options", "endpoint=ep-cool-darkness-a1b2c3d4", true)],
            ..NEON
        },
    );
    assert_eq!(config.get_options(), Some("endpoint=ep-cool-darkness-a1b2c3d4"));
}

const PLANET_SCALE: Golden = Golden {
    http_url: "https://xxxx.pg.psdb.cloud/sql",
    ws_url: "wss://xxxx.pg.psdb.cloud/v2?address=xxxx.pg.psdb.cloud:5432",
    require_auth: "scram-sha-256",
    provider: Provider::PlanetScale,
    pooled: false,
    pipelines: false,
    connection_string: "postgresql://role.branch:pscale_pw_X@xxxx.pg.psdb.cloud:5432/postgres",
    parameters: &[("sslmode", "verify-full", true), ("sslrootcert", "system", true)],
};

#[test]
fn planet_scale() {
    check(
        &config(
            "postgresql://role.branch:pscale_pw_X@XXXX.pg.psdb.cloud:5432/postgres?sslmode=verify-full&sslrootcert=system",
        ),
        &PLANET_SCALE,
    );
}

#[test]
fn planet_scale_pooled() {
    let golden = Golden {
        ws_url: "wss://xxxx.pg.psdb.cloud/v2?address=xxxx.pg.psdb.cloud:6432",
        pooled: true,
        connection_string: "postgresql://role.branch:pscale_pw_X@xxxx.pg.psdb.cloud:6432/postgres",
        ..PLANET_SCALE
    };
    check(
        &config(
            "postgresql://role.branch:pscale_pw_X@XXXX.pg.psdb.cloud:6432/postgres?sslmode=verify-full&sslrootcert=system",
        ),
        &golden,
    );
}

#[test]
fn planet_scale_direct_negotiation() {
    let config = config(
        "postgresql://role.branch:pscale_pw_X@xxxx.horizon.psdb.cloud/postgres?sslmode=verify-full&sslrootcert=system&sslnegotiation=direct",
    );
    check(
        &config,
        &Golden {
            http_url: "https://xxxx.horizon.psdb.cloud/sql",
            ws_url: "wss://xxxx.horizon.psdb.cloud/v2?address=xxxx.horizon.psdb.cloud:5432",
            connection_string: "postgresql://role.branch:pscale_pw_X@xxxx.horizon.psdb.cloud/postgres",
            parameters: &[
                ("sslmode", "verify-full", true),
                ("sslrootcert", "system", true),
                ("sslnegotiation", "direct", false),
            ],
            ..PLANET_SCALE
        },
    );
}

#[test]
fn libpq_variables() {
    let config = from_variables(&[
        ("PGHOST", "ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech"),
        ("PGPORT", "5432"),
        ("PGDATABASE", "dbname"),
        ("PGUSER", "alex"),
        ("PGPASSWORD", "AbC123dEf"),
        ("PGSSLMODE", "require"),
        ("PGCHANNELBINDING", "require"),
    ])
    .unwrap();
    check(
        &config,
        &Golden {
            connection_string: "postgresql://alex:AbC123dEf@ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech:5432/dbname",
            parameters: &[
                ("sslmode", "require", true),
                ("channel_binding", "require", false),
                ("host", "ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech", true),
                ("port", "5432", true),
                ("user", "alex", true),
                ("password", "…", true),
                ("dbname", "dbname", true),
            ],
            ..NEON
        },
    );
    assert_eq!(config.parameters()[2].origin, "PGHOST");
}

#[test]
fn planet_scale_variables() {
    let config = from_variables(&[
        ("DATABASE_HOST", "XXXX.pg.psdb.cloud"),
        ("DATABASE_PORT", "5432"),
        ("DATABASE_NAME", "postgres"),
        ("DATABASE_USERNAME", "role.branch"),
        ("DATABASE_PASSWORD", "pscale_pw_X"),
    ])
    .unwrap();
    check(
        &config,
        &Golden {
            parameters: &[
                ("host", "XXXX.pg.psdb.cloud", true),
                ("port", "5432", true),
                ("user", "role.branch", true),
                ("password", "…", true),
                ("dbname", "postgres", true),
            ],
            ..PLANET_SCALE
        },
    );
}

const OTHER: Golden = Golden {
    http_url: "https://db.example.com/sql",
    ws_url: "wss://db.example.com/v2?address=db.example.com:5432",
    require_auth: ANY,
    provider: Provider::Other,
    pooled: false,
    pipelines: false,
    connection_string: "postgresql://app:secret@db.example.com/app",
    parameters: &[],
};

#[test]
fn a_plain_host() {
    check(&config("postgres://app:secret@DB.example.com./app"), &OTHER);
    check(&config("postgres://app:secret@db.example.com"), &OTHER);
}

#[test]
fn an_ipv4_address() {
    check(
        &config("postgresql://app:secret@192.0.2.7:5433/app"),
        &Golden {
            http_url: "https://192.0.2.7/sql",
            ws_url: "wss://192.0.2.7/v2?address=192.0.2.7:5433",
            connection_string: "postgresql://app:secret@192.0.2.7:5433/app",
            ..OTHER
        },
    );
}

#[test]
fn an_ipv6_address() {
    let config = config("postgresql://app:secret@[2001:DB8:0::7]:5433/app");
    check(
        &config,
        &Golden {
            http_url: "https://[2001:db8::7]/sql",
            ws_url: "wss://[2001:db8::7]/v2?address=[2001:db8::7]:5433",
            connection_string: "postgresql://app:secret@[2001:db8::7]:5433/app",
            ..OTHER
        },
    );
    assert_eq!(config.get_host().unwrap(), "2001:db8::7");
}

#[test]
fn every_reserved_character() {
    // RFC 3986, section 2.2, and what else does not stand in a URL.
    let config = config(
        "postgresql://a%40pp:%3A%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%25%20%22%5C%7B%7D%C3%A9@db.example.com/my%20%2Fapp",
    );
    let Secret::Fixed(Credential::Password(password)) = &config.credential else { panic!() };
    assert_eq!(password.reveal(), ":/?#[]@!$&'()*+,;=% \"\\{}é");
    assert_eq!(config.get_user().unwrap(), "a@pp");
    assert_eq!(config.get_dbname().unwrap(), "my /app");
    check(
        &config,
        &Golden {
            connection_string: "postgresql://a%40pp:%3A%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%25%20%22%5C%7B%7D%C3%A9@db.example.com/my%20%2Fapp",
            ..OTHER
        },
    );
}

#[test]
fn what_may_stand_unencoded_in_a_password() {
    let config = config("postgresql://app:a:b+c[d]!$&'()*,;=~@db.example.com/app");
    let Secret::Fixed(Credential::Password(password)) = &config.credential else { panic!() };
    assert_eq!(password.reveal(), "a:b+c[d]!$&'()*,;=~");
}

#[test]
fn what_the_gateway_prints() {
    let config = config(
        "postgresql://user:x@127.0.0.1:5432/db?http_url=http%3A%2F%2F127.0.0.1%3A4444%2Fsql&ws_url=ws%3A%2F%2F127.0.0.1%3A4444%2Fv2",
    );
    check(
        &config,
        &Golden {
            http_url: "http://127.0.0.1:4444/sql",
            ws_url: "ws://127.0.0.1:4444/v2",
            connection_string: "postgresql://user:x@127.0.0.1:5432/db",
            parameters: &[("http_url", "http://127.0.0.1:4444/sql", true), ("ws_url", "ws://127.0.0.1:4444/v2", true)],
            ..OTHER
        },
    );
}

#[test]
fn templates_are_filled() {
    let config = config(
        "postgresql://user:x@[2001:db8::7]:6000/db?http_url=https://proxy.example/{host}/{port}/sql&ws_url=wss://proxy.example/v1?address={host}:{port}",
    );
    assert_eq!(config.endpoint_http().unwrap().as_str(), "https://proxy.example/[2001:db8::7]/6000/sql");
    assert_eq!(config.endpoint_ws().unwrap().as_str(), "wss://proxy.example/v1?address=[2001:db8::7]:6000");
    assert_eq!(config.endpoint_http_bearer().unwrap(), config.endpoint_http().unwrap());
}

#[test]
fn providers_end_at_a_dot() {
    for host in ["evilneon.tech", "neon.tech", "ep-x.neon.tech.example.com", "pg.psdb.cloud"] {
        assert_eq!(Provider::of_host(host), Provider::Other, "{host}");
    }
    assert_eq!(Provider::of_host("EP-X.c-2.us-east-2.aws.Neon.Tech."), Provider::Neon);
}

#[test]
fn a_neon_host_behind_another_endpoint_is_asked_first() {
    let url = "postgresql://alex:x@ep-a.us-east-2.aws.neon.tech/db?ws_url=wss://proxy.example/v2";
    assert!(!config(url).pipelines_password());
    assert!(config(&format!("{url}&provider=neon")).pipelines_password());
    assert!(
        !config("postgresql://alex@ep-a.us-east-2.aws.neon.tech/db?require_auth=scram-sha-256").pipelines_password()
    );
}

/// Parameters as the tools of the field write them, what became of each, and a check of its effect.
#[test]
fn parameters_in_the_wild() {
    let applied = [
        "application_name=shop",
        "fallback_application_name=shop",
        "options=-c%20work_mem%3D1MB",
        "options[work_mem]=1MB",
        "options%5Bwork_mem%5D=1MB",
        "connect_timeout=3",
        "connect_timeout=0",
        "request_timeout=3",
        "max_request_size=1000",
        "max_response_size=1000",
        "require_auth=!md5",
        "sslmode=require",
        "sslmode=verify-ca",
        "sslmode=verify-full",
        "ssl-mode=verify-full",
        "sslrootcert=system",
        "channel_binding=disable",
        "target_session_attrs=any",
        "load_balance_hosts=disable",
        "gssencmode=disable",
        "client_encoding=UTF8",
        "replication=false",
        "sslcompression=0",
        "sslsni=1",
        "ssl_min_protocol_version=TLSv1.2",
        "pgbouncer=true",
        "transport=http",
        "transport=websocket",
        "describe=late",
        "describe=always",
        "provider=other",
        "allow_plaintext=true",
    ];
    let stripped = [
        "sslmode=disable",
        "sslmode=allow",
        "sslmode=prefer",
        "channel_binding=prefer",
        "channel_binding=require",
        "sslnegotiation=direct",
        "sslnegotiation=postgres",
        "target_session_attrs=read-write",
        "target_session_attrs=primary",
        "target_session_attrs=prefer-standby",
        "load_balance_hosts=random",
        "gssencmode=prefer",
        "keepalives=1",
        "keepalives_idle=30",
        "keepalives_interval=30",
        "keepalives_count=3",
        "tcp_user_timeout=1000",
        "connection_limit=1",
        "pool_timeout=10",
        "statement-cache-capacity=0",
        "statement_cache_size=0",
        "schema=public",
    ];
    for (parameters, is_applied) in [(&applied[..], true), (&stripped[..], false)] {
        for parameter in parameters {
            let reports = config(&format!("postgresql://app@db.example.com/app?{parameter}")).parameters();
            assert_eq!(reports.len(), 1, "{parameter}");
            assert_eq!(reports[0].fate == Fate::Applied, is_applied, "{parameter}");
            assert_eq!(reports[0].origin, "URL", "{parameter}");
        }
    }
}

#[test]
fn what_the_parameters_do() {
    use std::time::Duration;

    let of = |query: &str| config(&format!("postgresql://app@db.example.com/app?{query}"));
    assert_eq!(of("application_name=shop").get_application_name(), Some("shop"));
    assert_eq!(of("application_name=shop&fallback_application_name=x").get_application_name(), Some("shop"));
    assert_eq!(of("fallback_application_name=x&application_name=shop").get_application_name(), Some("shop"));
    assert_eq!(of("application_name=a+b%2Bc").get_application_name(), Some("a+b+c"));
    assert_eq!(of("options=-c%20work_mem%3D1MB").get_options(), Some("-c work_mem=1MB"));
    assert_eq!(
        of("options=-c%20a%3D1&options[search_path]=x,%20y&options[b]=c%5Cd").get_options(),
        Some("-c a=1 -c search_path=x,\\ y -c b=c\\\\d")
    );
    assert_eq!(of("connect_timeout=3").get_connect_timeout(), Duration::from_secs(3));
    assert_eq!(of("connect_timeout=9223372036854775807").get_connect_timeout(), setters::LONGEST);
    assert_eq!(of("connect_timeout=0").get_connect_timeout(), setters::LONGEST);
    assert_eq!(of("").get_connect_timeout(), Duration::from_secs(10));
    assert_eq!(of("request_timeout=3").get_request_timeout(), Some(Duration::from_secs(3)));
    assert_eq!(of("request_timeout=0").get_request_timeout(), None);
    assert_eq!(of("max_request_size=1000").get_max_request_size(), 1000);
    assert_eq!(of("max_response_size=1000").get_max_response_size(), 1000);
    assert_eq!(of("").get_max_response_size(), 64 * 1024 * 1024);
    assert_eq!(of("require_auth=!md5,!none").get_require_auth().to_string(), "password,scram-sha-256");
    assert!(of("pgbouncer=true").is_pooled());
    assert!(!of("").is_pooled());
    assert!(!config("postgresql://app@db.example.com:6432/app?pgbouncer=false").is_pooled());
    assert_eq!(of("transport=http").get_transport(), Transport::Http);
    assert_eq!(of("describe=always").get_describe(), Some(Describe::Always));
    assert_eq!(of("describe=late").get_describe(), Some(Describe::Late));
    assert_eq!(of("").get_describe(), None);
    assert_eq!(of("provider=neon").get_provider(), Provider::Neon);
    assert_eq!(config("postgresql:///app?host=db.example.com&user=u&port=1").get_port(), 1);
}
