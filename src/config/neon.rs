//! How Neon writes the endpoint's id into a host's name (PROTOCOL.md, section 1).

use std::net::IpAddr;

const POOLER: &str = "-pooler";

/// Returns whether a host is an endpoint's pooler.
pub(super) fn is_pooler(host: &str) -> bool {
    host.split('.').next().is_some_and(|label| label.ends_with(POOLER))
}

/// Returns the host without `-pooler`, as SQL over HTTP wants it: its proxy pools by itself.
pub(super) fn plain_host(host: &str) -> String {
    match host.split_once('.') {
        Some((label, rest)) => format!("{}.{rest}", label.strip_suffix(POOLER).unwrap_or(label)),
        None => host.strip_suffix(POOLER).unwrap_or(host).to_owned(),
    }
}

/// Returns a host whose first label is the endpoint's id: the host itself, or that id (from `options`) before the region.
pub(super) fn endpoint_host(host: &str, option: Option<&str>) -> String {
    let plain = plain_host(host);
    match option {
        Some(id) if !plain.starts_with("ep-") => format!("{id}.{plain}"),
        _ => plain,
    }
}

/// Returns the id of the endpoint that a host names, where it names one.
pub(super) fn endpoint_of(host: &str) -> Option<&str> {
    let label = host.split('.').next()?;
    label.starts_with("ep-").then(|| label.strip_suffix(POOLER).unwrap_or(label))
}

/// Returns the host with its first label replaced, or `None` where it has no label to spare.
pub(super) fn with_first_label(host: &str, label: &str) -> Option<String> {
    if host.parse::<IpAddr>().is_ok() {
        return None;
    }
    let (_, rest) = host.split_once('.')?;
    Some(format!("{label}.{rest}"))
}
