use super::super::*;

fn pem() -> String {
    rcgen::generate_simple_self_signed(["db.example".to_owned()]).unwrap().cert.pem()
}

#[test]
fn pem_texts() {
    let config = Config::new().root_certificates_pem(format!("{}\n{}", pem(), pem()).as_bytes()).unwrap();
    assert_eq!(config.get_root_certificates().len(), 2);
    assert!(config.root_certificates([]).get_root_certificates().is_empty());

    for (text, message) in [
        ("", "the root certificates hold no `BEGIN CERTIFICATE`"),
        ("nothing", "the root certificates hold no `BEGIN CERTIFICATE`"),
        ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "the root certificates are not valid PEM"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n", "the root certificates are not valid PEM"),
    ] {
        let error = Config::new().root_certificates_pem(text.as_bytes()).unwrap_err();
        assert!(error.is_config() && error.to_string().starts_with(message), "{text}: {error}");
    }
}

#[test]
fn files() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root ca.pem");
    std::fs::write(&path, pem()).unwrap();
    let url = |path: &std::path::Path| {
        let path = path.display().to_string().replace('/', "%2F").replace(' ', "%20");
        format!("postgresql://app@db.example/app?sslrootcert={path}").parse::<Config>()
    };
    assert_eq!(url(&path).unwrap().get_root_certificates().len(), 1);

    let error = url(&directory.path().join("none.pem")).unwrap_err().to_string();
    assert!(error.starts_with("the URL's parameter `sslrootcert`: the root certificates in "), "{error}");
    assert!(error.contains("none.pem cannot be read: "), "{error}");
}
