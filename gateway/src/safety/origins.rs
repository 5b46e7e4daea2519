use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header::ORIGIN};
use pgferry::{Error, Result};
use url::Url;

use crate::sql::Fault;

const REFUSED: &str = "this page's origin is not allowed here: start the gateway with --allow-origin and the origin";

/// The origins whose pages are let in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins {
    any: bool,
    named: Vec<String>,
    /// What was to be allowed and is no origin.
    malformed: Vec<String>,
}

impl Origins {
    pub(crate) fn allow(&mut self, origin: &str) {
        match origin {
            "*" => self.any = true,
            _ => match normal(origin) {
                Some(origin) => self.named.push(origin),
                None => self.malformed.push(origin.to_owned()),
            },
        }
    }

    /// Refuses what no browser would ever send as an origin.
    pub(crate) fn check_names(&self) -> Result<()> {
        let Some(malformed) = self.malformed.first() else { return Ok(()) };
        if malformed.contains('@') {
            return Err(Error::refused(
                "what has a user or a password in it is no origin: write http://localhost:3000",
            ));
        }
        let reason = match malformed.as_str() {
            "null" => "it is what sandboxed pages and files of any kind have: serve the page, by any HTTP server",
            _ => "write it as http://localhost:3000, with no path behind it",
        };
        Err(Error::refused(format!("{malformed:?} is no origin that can be allowed: {reason}")))
    }

    /// Returns whether every page is let in.
    pub(crate) fn any(&self) -> bool {
        self.any
    }

    pub(super) fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// Refuses a request that a browser sent for a page of another origin. Requests that say nothing of a page come from no
    /// browser, or from one whose user has asked for this.
    pub(crate) fn check<B>(&self, request: &Request<B>) -> std::result::Result<(), Fault> {
        let mut origins = request.headers().get_all(ORIGIN).iter().peekable();
        let is_let_in = match origins.peek() {
            Some(_) => origins.all(|origin| self.has(origin)),
            None => !is_fetched_for_a_page(request),
        };
        if self.any || is_let_in { Ok(()) } else { Err(Fault::new(StatusCode::FORBIDDEN, REFUSED)) }
    }

    pub(super) fn has(&self, origin: &HeaderValue) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        self.named.iter().any(|named| named.eq_ignore_ascii_case(origin))
    }
}

/// Returns whether a browser says that some page, which it does not name, wants this as a part of itself: an image, a script, a frame.
/// A link that a user follows is none.
fn is_fetched_for_a_page<B>(request: &Request<B>) -> bool {
    let says = |name: &str, value: &str| says(request.headers(), name, value);
    let is_foreign = says("sec-fetch-site", "cross-site") || says("sec-fetch-site", "same-site");
    let is_link =
        request.method() == Method::GET && says("sec-fetch-mode", "navigate") && says("sec-fetch-dest", "document");
    is_foreign && !is_link
}

fn says(headers: &HeaderMap, name: &str, value: &str) -> bool {
    headers.get_all(name).iter().any(|header| header.as_bytes().eq_ignore_ascii_case(value.as_bytes()))
}

/// Returns an origin as browsers write it: in lower case, without the scheme's own port; `None` where it is none.
fn normal(origin: &str) -> Option<String> {
    let url = Url::parse(origin).ok()?;
    let is_bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    let is_anonymous = url.username().is_empty() && url.password().is_none();
    if !is_bare || !is_anonymous || url.host_str().is_none_or(str::is_empty) {
        return None;
    }
    // Extensions have schemes of their own.
    Some(if url.origin().is_tuple() {
        url.origin().ascii_serialization()
    } else {
        origin.trim_end_matches('/').to_ascii_lowercase()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(headers: &[(&'static str, &'static str)]) -> Request<()> {
        let mut request = Request::new(());
        for (name, value) in headers {
            request.headers_mut().append(*name, HeaderValue::from_static(value));
        }
        request
    }

    fn allowing(names: &[&str]) -> Origins {
        let mut origins = Origins::default();
        names.iter().for_each(|name| origins.allow(name));
        origins
    }

    #[test]
    fn foreign_origins_are_refused() {
        let origins = allowing(&[]);
        assert!(origins.check(&with(&[("host", "localhost")])).is_ok(), "no browser");
        for origin in ["https://evil.example", "null", "http://localhost:3000", ""] {
            assert!(origins.check(&with(&[("origin", origin)])).is_err(), "{origin}");
        }
        let origins = allowing(&["http://localhost:3000/"]);
        assert!(origins.check(&with(&[("origin", "http://localhost:3000")])).is_ok());
        for origin in ["http://localhost:3001", "https://localhost:3000", "null", "http://localhost:3000.evil.example"]
        {
            assert!(origins.check(&with(&[("origin", origin)])).is_err(), "{origin}");
        }
        let both = [("origin", "http://localhost:3000"), ("origin", "https://evil.example")];
        assert!(origins.check(&with(&both)).is_err(), "one of two");
        assert!(allowing(&["*"]).check(&with(&[("origin", "null")])).is_ok());
    }

    #[test]
    fn what_a_nameless_page_wants_is_refused() {
        let origins = allowing(&["http://localhost:3000"]);
        for site in ["cross-site", "same-site", "Cross-Site"] {
            for (mode, destination) in [("no-cors", "image"), ("no-cors", "script"), ("navigate", "iframe")] {
                let headers = [("sec-fetch-site", site), ("sec-fetch-mode", mode), ("sec-fetch-dest", destination)];
                assert!(origins.check(&with(&headers)).is_err(), "{headers:?}");
            }
            let headers = [("sec-fetch-site", site), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
            assert!(origins.check(&with(&headers)).is_ok(), "a link");
            let mut form = with(&headers);
            *form.method_mut() = Method::POST;
            assert!(origins.check(&form).is_err(), "a form");
        }
        assert!(origins.check(&with(&[("sec-fetch-site", "none")])).is_ok(), "typed by the user");
    }

    #[test]
    fn origins_are_written_in_any_way_that_is_one() {
        for (written, sent) in [
            ("HTTP://LocalHost:3000/", "http://localhost:3000"),
            ("http://app.example:80", "http://app.example"),
            ("https://app.example:443/", "https://app.example"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("chrome-extension://abcdef", "chrome-extension://abcdef"),
        ] {
            let origins = allowing(&[written]);
            assert!(origins.check_names().is_ok() && origins.check(&with(&[("origin", sent)])).is_ok(), "{written}");
        }
        for malformed in ["localhost:3000", "app.example", "null", "", "https://app.example/page", "http://a:b@c"] {
            let error = allowing(&["http://localhost:3000", malformed]).check_names().err();
            assert!(error.is_some_and(|error| error.is_refused() && !error.message().contains("a:b")), "{malformed}");
        }
    }
}
