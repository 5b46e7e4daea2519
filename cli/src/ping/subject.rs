use pgferry::{
    Config, Error, Transport,
    config::{Fate, Provider},
};
use serde_json::{Value, json};

use super::refused::Refusal;

/// What a configuration is taken for.
pub(super) struct Subject {
    pub(super) provider: Provider,
    pub(super) provider_from: &'static str,
    pub(super) host: Given,
    pub(super) port: Given,
    pub(super) user: Given,
    pub(super) database: Given,
    /// Where the password came from, `None` where there is none.
    pub(super) password_from: Option<String>,
    pub(super) transport: Given,
    pub(super) is_pooled: bool,
    pub(super) http: Result<Endpoint, String>,
    pub(super) websocket: Result<Endpoint, String>,
    /// Which demands for proof are answered, as `require_auth` lists them.
    pub(super) require_auth: String,
    pub(super) is_sent_ahead: bool,
    pub(super) parameters: Vec<Parameter>,
    /// Whether a parameter is refused, so that no connection is opened.
    pub(super) is_refused: bool,
}

/// A value and where it came from.
pub(super) struct Given {
    pub(super) value: String,
    pub(super) from: String,
}

/// An endpoint's URL, for people to read.
pub(super) struct Endpoint {
    pub(super) url: String,
    pub(super) is_secure: bool,
}

/// What is done with a parameter.
pub(super) struct Parameter {
    pub(super) name: String,
    /// `None` where nobody knows what it is, and so whether it is a secret.
    pub(super) value: Option<String>,
    pub(super) from: String,
    pub(super) fate: &'static str,
    pub(super) reason: Option<String>,
}

/// Where a value is from that nobody gave.
const DEFAULT: &str = "default";

/// The parameters that are shown by themselves.
const SHOWN_APART: &[&str] = &["host", "port", "user", "password", "dbname"];

impl Subject {
    /// That of a configuration; `url_from` names where its URL came from.
    ///
    /// # Errors
    ///
    /// Where host, user or database are missing or malformed.
    pub(super) fn of(config: &Config, url_from: &str, refused: Vec<Refusal>) -> Result<Self, Error> {
        let reports = config.parameters();
        let from = |name: &str| {
            let applied =
                |report: &&pgferry::config::ParameterReport| report.name == name && report.fate == Fate::Applied;
            match reports.iter().rev().find(applied) {
                Some(report) => named(&report.origin, url_from),
                None if config.is_given(name) => url_from.to_owned(),
                None => DEFAULT.to_owned(),
            }
        };
        let given = |name: &str, value: String| Given { value, from: from(name) };
        let (http, websocket) = (Endpoint::of(config.endpoint_http()), Endpoint::of(config.endpoint_ws()));
        // An endpoint is refused by itself, and the other one may well be used.
        let refusal_of_endpoint = |name: &str| {
            let endpoint = match name {
                "http_url" => &http,
                "ws_url" => &websocket,
                _ => return None,
            };
            let error = endpoint.as_ref().err()?;
            let (what, reason) = error.split_once(": ")?;
            what.to_ascii_lowercase().contains(name).then(|| reason.to_owned())
        };
        let told = reports.iter().filter_map(|report| {
            let (fate, reason) = match &report.fate {
                Fate::Applied if SHOWN_APART.contains(&report.name.as_str()) => return None,
                Fate::Applied => match refusal_of_endpoint(&report.name) {
                    Some(reason) => ("refused", Some(reason)),
                    None => ("applied", None),
                },
                Fate::Stripped(reason) => ("left out", Some((*reason).to_owned())),
                _ => ("unknown", None),
            };
            let from = named(&report.origin, url_from);
            Some(Parameter { name: report.name.clone(), value: Some(report.value.clone()), from, fate, reason })
        });
        let is_refused = !refused.is_empty();
        let refused = refused.into_iter().map(|Refusal { name, reason }| Parameter {
            name,
            value: None,
            from: url_from.to_owned(),
            fate: "refused",
            reason: Some(reason),
        });
        let mut database = given("dbname", config.get_dbname()?.to_owned());
        if database.from == DEFAULT {
            database.from = "the user's name".to_owned();
        }
        let parameters = told.chain(refused).collect();
        Ok(Self {
            provider: config.get_provider(),
            provider_from: if config.is_given("provider") { "given" } else { "host" },
            host: given("host", config.get_host()?.to_owned()),
            port: given("port", config.get_port().to_string()),
            user: given("user", config.get_user()?.to_owned()),
            database,
            password_from: config.is_given("password").then(|| from("password")),
            transport: given("transport", config.get_transport().to_string()),
            is_pooled: config.is_pooled(),
            http,
            websocket,
            require_auth: config.get_require_auth().to_string(),
            is_sent_ahead: config.pipelines_password(),
            parameters,
            is_refused,
        })
    }

    pub(super) fn endpoint(&self, transport: Transport) -> &Result<Endpoint, String> {
        match transport {
            Transport::Http => &self.http,
            _ => &self.websocket,
        }
    }

    /// How a log-in will go, in words.
    pub(super) fn log_in(&self, transport: Transport) -> String {
        let is_secure = self.endpoint(transport).as_ref().is_ok_and(|endpoint| endpoint.is_secure);
        let inside = if is_secure { "inside TLS" } else { "unencrypted" };
        if transport == Transport::Http {
            return format!("the password goes with each request, {inside}");
        }
        let allows = |method: &str| self.require_auth.split(',').any(|allowed| allowed == method);
        if self.is_sent_ahead {
            return format!("the password in cleartext, {inside}, sent before it is asked for");
        }
        let methods: Vec<_> = [
            ("scram-sha-256", "SCRAM-SHA-256".to_owned()),
            ("md5", "MD5".to_owned()),
            ("password", format!("the password in cleartext ({inside})")),
            ("none", "no proof".to_owned()),
        ]
        .into_iter()
        .filter_map(|(method, words)| allows(method).then_some(words))
        .collect();
        match &methods[..] {
            [only] => format!("{only} alone; whatever else the server asks for is refused"),
            [first @ .., last] => format!("what the server asks for: {} or {last}", first.join(", ")),
            [] => String::new(),
        }
    }

    pub(super) fn json(&self) -> Value {
        let given = |Given { value, from }: &Given| json!({ "value": value, "from": from });
        let endpoint = |transport: Transport| match self.endpoint(transport) {
            Ok(Endpoint { url, .. }) => json!({ "url": url, "error": null, "log_in": self.log_in(transport) }),
            Err(error) => json!({ "url": null, "error": error, "log_in": null }),
        };
        let parameters: Vec<_> = self
            .parameters
            .iter()
            .map(|Parameter { name, value, from, fate, reason }| {
                json!({ "name": name, "value": value, "from": from, "fate": fate, "reason": reason })
            })
            .collect();
        json!({
            "provider": { "value": self.provider.to_string(), "from": self.provider_from },
            "host": given(&self.host),
            "port": { "value": self.port.value.parse::<u16>().ok(), "from": self.port.from },
            "user": given(&self.user),
            "database": given(&self.database),
            "password": { "given": self.password_from.is_some(), "from": self.password_from },
            "transport": given(&self.transport),
            "pooled": self.is_pooled,
            "http": endpoint(Transport::Http),
            "websocket": endpoint(Transport::WebSocket),
            "require_auth": self.require_auth,
            "password_sent_ahead": self.is_sent_ahead,
            "parameters": parameters,
        })
    }
}

impl Endpoint {
    /// Only `address` is known to be no secret among an endpoint's parameters.
    fn of(url: pgferry::Result<impl AsRef<str>>) -> Result<Self, String> {
        let url = url.map_err(|error| error.to_string())?;
        let url = url.as_ref();
        let is_secure = url.starts_with("https:") || url.starts_with("wss:");
        let url = match url.split_once('?') {
            Some((_, query)) if query.starts_with("address=") && !query.contains('&') => url.to_owned(),
            Some((base, _)) => format!("{base}?…"),
            None => url.to_owned(),
        };
        Ok(Self { url, is_secure })
    }
}

/// Where a value came from, for people.
fn named(origin: &str, url_from: &str) -> String {
    if origin == "URL" { url_from.to_owned() } else { origin.to_owned() }
}
