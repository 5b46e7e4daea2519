use std::{borrow::Cow, collections::BTreeSet, str::FromStr};

use percent_encoding::percent_decode_str;

use super::{
    Config,
    parameter::{canonical, is_known},
    source::Source,
};
use crate::error::{Error, Result};

impl Config {
    /// Applies a connection URL (PostgreSQL manual, 34.1.1.2).
    ///
    /// Stricter than libpq where leniency hides a password that was not encoded: no error shows a part of the URL that can
    /// belong to one.
    pub(super) fn url_from(mut self, variable: Option<&'static str>, url: &str) -> Result<Self> {
        let part = Source::UrlPart(variable);
        let parts = Parts::of(url.trim()).map_err(|message| match variable {
            Some(variable) => Error::config(format!("{variable}: {message}")),
            None => Error::config(message),
        })?;
        let mut given = BTreeSet::new();
        let components = [
            ("user", parts.user),
            ("password", parts.password),
            ("host", parts.host),
            ("port", parts.port),
            ("dbname", parts.dbname),
        ];
        for (key, encoded) in components {
            let Some(encoded) = encoded.filter(|encoded| !encoded.is_empty()) else { continue };
            let value = decoded(encoded).map_err(|message| part.error(key, message))?;
            given.insert(key);
            self = self.param_from(part.clone(), key, &value)?;
        }
        // A password among the parameters may hold an unencoded `&`, whose rest then looks like another parameter.
        let password_among_them =
            parts.query.is_some_and(|query| query.split('&').any(|pair| pair.starts_with("password=")));
        for pair in parts.query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let source = Source::UrlParameter(variable);
            let Some((key, value)) = pair.split_once('=') else {
                return Err(part.error("parameters", "one has no `=`: write name=value, with `&` between two of them"));
            };
            let key = decoded(key).map_err(|message| part.error("parameters", message))?;
            if !is_known(&key) && (password_among_them || !is_plain(&key)) {
                return Err(part.error(
                    "parameters",
                    "one is unknown, and its name is not shown, since it may belong to a password: write a password's `&` as %26, its `?` as %3F",
                ));
            }
            let value = decoded(value).map_err(|message| source.error(&key, message))?;
            if let Some(name) = canonical(&key)
                && !given.insert(name)
            {
                return Err(source.error(&key, "the URL gives it twice: remove one"));
            }
            self = self.param_from(source, &key, &value)?;
        }
        Ok(self)
    }
}

impl FromStr for Config {
    type Err = Error;

    /// Reads a URL; the environment has no part in it.
    fn from_str(url: &str) -> Result<Self> {
        Self::new().url_from(None, url)
    }
}

/// Reads a URL, as `parse` does.
impl TryFrom<&str> for Config {
    type Error = Error;

    fn try_from(url: &str) -> Result<Self> {
        url.parse()
    }
}

/// Reads a URL, as `parse` does.
impl TryFrom<String> for Config {
    type Error = Error;

    fn try_from(url: String) -> Result<Self> {
        url.parse()
    }
}

/// Reads a URL, as `parse` does.
impl TryFrom<&String> for Config {
    type Error = Error;

    fn try_from(url: &String) -> Result<Self> {
        url.parse()
    }
}

/// Clones it, for functions that take a URL or a config.
impl From<&Self> for Config {
    fn from(config: &Self) -> Self {
        config.clone()
    }
}

/// A URL's parts, still percent-encoded.
#[derive(Default)]
struct Parts<'a> {
    user: Option<&'a str>,
    password: Option<&'a str>,
    host: Option<&'a str>,
    port: Option<&'a str>,
    dbname: Option<&'a str>,
    query: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Result<Self, String> {
        let Some((_, rest)) = url
            .split_once("://")
            .filter(|(scheme, _)| ["postgres", "postgresql"].iter().any(|known| scheme.eq_ignore_ascii_case(known)))
        else {
            return Err("the URL must begin postgresql:// or postgres://".to_owned());
        };
        if rest.contains('#') {
            return Err(unencoded('#'));
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let (path, query) = tail.split_once('?').map_or((tail, None), |(path, query)| (path, Some(query)));
        let dbname = path.strip_prefix('/');

        if authority.matches('@').count() > 1 {
            return Err(unencoded('@'));
        }
        if let Some((before, _)) = tail.split_once('@') {
            match parameter_before(before) {
                // Nobody's password, whatever it is.
                Some(name) if !["password", "user"].contains(&name) => {}
                Some(_) => return Err(unencoded('@')),
                None if authority.contains('@') => return Err(unencoded('@')),
                // The user's part was cut short before it.
                None if tail.starts_with('?') => return Err(unencoded('?')),
                None => return Err(unencoded('/')),
            }
        }
        if dbname.is_some_and(|dbname| dbname.contains('/')) {
            return Err("the URL's dbname holds an unencoded `/`: write it as %2F".to_owned());
        }

        let (userinfo, hosts) =
            authority.rsplit_once('@').map_or((None, authority), |(userinfo, hosts)| (Some(userinfo), hosts));
        let (user, password) = match userinfo.map(|userinfo| userinfo.split_once(':').ok_or(userinfo)) {
            None => (None, None),
            Some(Ok((user, password))) => (Some(user), Some(password)),
            Some(Err(user)) => (Some(user), None),
        };
        let (host, port) = host_and_port(hosts)?;
        Ok(Self { user, password, host: Some(host), port, dbname, query })
    }
}

fn host_and_port(text: &str) -> Result<(&str, Option<&str>), String> {
    if text.contains(',') {
        return Err("the URL names several hosts: name one, whose addresses are then tried in turn".to_owned());
    }
    if text.starts_with('[') {
        let end = text.find(']').ok_or("the URL's host has a `[` without its `]`: write an IPv6 address as [::1]")?;
        let (host, rest) = text.split_at(end + 1);
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err("the URL's host has more behind its `]` than a port: write [address]:port".to_owned()),
        };
    }
    match text.matches(':').count() {
        0 => Ok((text, None)),
        1 => Ok(text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)))),
        _ => {
            Err("the URL's host holds more than one `:`: write an IPv6 address in brackets, as [::1], and a `:` in a \
                  password as %3A behind its user"
                .to_owned())
        }
    }
}

fn unencoded(character: char) -> String {
    format!(
        "the URL holds an unencoded `{character}` where none may stand; in a password or a name write it as %{:02X}",
        u32::from(character)
    )
}

/// Decodes `%XX`; a `+` stays one, as in libpq.
fn decoded(text: &str) -> Result<Cow<'_, str>, String> {
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' && !(rest.next().is_some_and(is_hex) && rest.next().is_some_and(is_hex)) {
            return Err("it holds an unencoded `%`, or one without two hexadecimal digits: write the character as %25"
                .to_owned());
        }
    }
    percent_decode_str(text).decode_utf8().map_err(|_| {
        "its percent-encoding is not valid UTF-8: encode the character's UTF-8 bytes, `é` as %C3%A9".to_owned()
    })
}

/// The known parameter in whose value a path and query end, if they do.
fn parameter_before(tail: &str) -> Option<&str> {
    let (_, query) = tail.split_once('?')?;
    let (name, _) = query.rsplit('&').next()?.split_once('=')?;
    Some(name).filter(|name| is_known(name))
}

/// Whether a parameter's name can be none but a name.
fn is_plain(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.[]".contains(&byte))
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}
