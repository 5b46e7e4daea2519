use std::{
    net::{AddrParseError, Ipv4Addr, SocketAddr},
    str::FromStr,
};

/// An address to listen on, which `localhost` may stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listen(pub(super) SocketAddr);

impl FromStr for Listen {
    type Err = AddrParseError;

    fn from_str(address: &str) -> Result<Self, AddrParseError> {
        match address.strip_prefix("localhost:").map(str::parse) {
            Some(Ok(port)) => Ok(Self((Ipv4Addr::LOCALHOST, port).into())),
            _ => address.parse().map(Self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_host_and_a_port() {
        for (given, address) in
            [("127.0.0.1:5433", "127.0.0.1:5433"), ("localhost:0", "127.0.0.1:0"), ("[::1]:5433", "[::1]:5433")]
        {
            assert_eq!(given.parse(), Ok(Listen(address.parse().unwrap())));
        }
        for wrong in ["localhost", "5433", "localhost:port", "example.org:5433", ""] {
            assert!(wrong.parse::<Listen>().is_err(), "{wrong}");
        }
    }
}
