use super::super::*;

#[test]
fn lists() {
    for (list, allowed) in [
        ("password", "password"),
        ("md5", "md5"),
        ("scram-sha-256", "scram-sha-256"),
        ("none", "none"),
        ("scram-sha-256,password", "password,scram-sha-256"),
        ("scram-sha-256, none", "scram-sha-256,none"),
        ("!password", "md5,scram-sha-256,none"),
        ("!password,!md5,!none", "scram-sha-256"),
        ("gss,scram-sha-256", "scram-sha-256"),
        ("!gss", "password,md5,scram-sha-256,none"),
    ] {
        let parsed: RequireAuth = list.parse().unwrap();
        assert_eq!(parsed.to_string(), allowed, "{list}");
        assert_eq!(parsed.describe().parse::<RequireAuth>().unwrap(), parsed);
    }
}

#[test]
fn wrong_lists() {
    for (list, message) in [
        ("", "\"\" is no method"),
        ("password,", "\"\" is no method"),
        ("Password", "\"Password\" is no method"),
        ("!!md5", "\"!md5\" is no method"),
        ("password,!md5", "require_auth lists either"),
        ("gss", "require_auth allows nothing"),
        ("!password,!md5,!scram-sha-256,!none", "require_auth allows nothing"),
    ] {
        let error = list.parse::<RequireAuth>().unwrap_err().to_string();
        assert!(error.starts_with(message), "{list}: {error}");
    }
}

#[test]
fn each_method_is_itself() {
    let methods = [RequireAuth::PASSWORD, RequireAuth::MD5, RequireAuth::SCRAM_SHA_256, RequireAuth::NONE];
    for (index, method) in methods.into_iter().enumerate() {
        let answers =
            [method.allows_password(), method.allows_md5(), method.allows_scram_sha_256(), method.allows_none()];
        assert_eq!(answers, std::array::from_fn(|other| other == index));
    }
    assert_eq!(methods.into_iter().reduce(|all, method| all | method), Some(RequireAuth::ANY));
}
