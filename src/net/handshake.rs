use rustls::{ClientConnection, HandshakeKind, ProtocolVersion};

/// What a TLS handshake agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Handshake<'a> {
    /// The version as people write it: `TLS 1.3`.
    pub version: &'static str,
    /// The protocol that was chosen of those offered (RFC 7301), if the server chose one.
    pub alpn: Option<&'a [u8]>,
    /// How many round trips it took until the client could send (RFC 8446, section 2; RFC 5246, section 7.3).
    pub round_trips: u32,
}

impl<'a> Handshake<'a> {
    /// Returns that of a connection, `None` while it is going on.
    pub(super) fn of(connection: &'a ClientConnection) -> Option<Self> {
        let (version, least) = match connection.protocol_version()? {
            ProtocolVersion::TLSv1_3 => ("TLS 1.3", 1),
            ProtocolVersion::TLSv1_2 => ("TLS 1.2", 2),
            other => (other.as_str().unwrap_or("an unknown version of TLS"), 2),
        };
        let round_trips = match connection.handshake_kind()? {
            HandshakeKind::Full => least,
            HandshakeKind::FullWithHelloRetryRequest => least + 1,
            HandshakeKind::Resumed => 1,
        };
        Some(Self { version, alpn: connection.alpn_protocol(), round_trips })
    }
}
