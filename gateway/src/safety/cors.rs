use http::{
    HeaderMap, HeaderValue,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_MAX_AGE, ALLOW, VARY,
    },
};

use super::Origins;

/// What a page may send.
const CORS_HEADERS: &str = "Authorization, Content-Type, Neon-Connection-String, Neon-Raw-Text-Output, Neon-Array-Mode, \
    Neon-Pool-Opt-In, Neon-Batch-Isolation-Level, Neon-Batch-Read-Only, Neon-Batch-Deferrable";

/// How long a browser may remember the answer to its question, in seconds: a day.
const CORS_MAX_AGE: &str = "86400";

impl Origins {
    /// Adds what tells a browser that the page may read the response.
    pub(crate) fn add_cors(&self, request: Option<&HeaderValue>, response: &mut HeaderMap) {
        if self.any() {
            response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            return;
        }
        if self.is_empty() {
            return;
        }
        response.append(VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = request.filter(|origin| self.has(origin)) {
            response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            response.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Neon-Request-Id"));
        }
    }

    /// Adds the answer to a browser's question whether the page may send its request.
    pub(crate) fn add_preflight(&self, response: &mut HeaderMap) {
        response.insert(ALLOW, HeaderValue::from_static("OPTIONS, POST"));
        if response.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            response.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(CORS_HEADERS));
            response.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(CORS_MAX_AGE));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cors_is_for_the_allowed() {
        let origin = HeaderValue::from_static("http://localhost:3000");
        let allowed = |origins: &Origins| {
            let mut headers = HeaderMap::new();
            origins.add_cors(Some(&origin), &mut headers);
            headers.get(ACCESS_CONTROL_ALLOW_ORIGIN).cloned()
        };
        let mut origins = Origins::default();
        assert_eq!(allowed(&origins), None);
        origins.allow("https://other.example");
        assert_eq!(allowed(&origins), None);
        origins.allow("http://localhost:3000");
        assert_eq!(allowed(&origins).as_ref(), Some(&origin));
        origins.allow("*");
        assert_eq!(allowed(&origins), Some(HeaderValue::from_static("*")));
    }
}
