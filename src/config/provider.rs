/// Whose endpoint it is: what its URLs look like and how it asks for a password (PROTOCOL.md, section 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Provider {
    /// Neon.
    Neon,
    /// PlanetScale Postgres.
    PlanetScale,
    /// Any other: pgferry's own gateway, a WebSocket proxy, Supavisor.
    Other,
}
