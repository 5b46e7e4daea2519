use std::{
    io::{self, Write},
    net::SocketAddr,
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pgferry::config::Password;

/// What needs no encoding anywhere in a URL (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a client has to know to connect.
pub(super) struct Ready<'a> {
    pub(super) address: SocketAddr,
    pub(super) user: &'a str,
    pub(super) password: &'a Password,
    pub(super) database: &'a str,
}

impl Ready<'_> {
    /// Writes the URL, then its parts, each on a line of its own under libpq's name for it.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { address, user, password, database } = self;
        let [host, port] = [address.ip().to_string(), address.port().to_string()];
        writeln!(out, "DATABASE_URL={}", self.url())?;
        let parts =
            [("host", &*host), ("port", &port), ("user", user), ("password", password.reveal()), ("dbname", database)];
        for (name, value) in parts {
            writeln!(out, "{name}={value}")?;
        }
        out.flush()
    }

    /// There is nothing to encrypt against on the loopback interface, and some clients ask for TLS unless they are told not to.
    fn url(&self) -> String {
        let [user, password, database] =
            [self.user, self.password.reveal(), self.database].map(|part| utf8_percent_encode(part, RESERVED));
        format!("postgresql://{user}:{password}@{}/{database}?sslmode=disable", self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(address: &str) -> String {
        let ready =
            Ready { address: address.parse().unwrap(), user: "we ird", password: &"p@ss:/".into(), database: "a/b?" };
        let mut out = Vec::new();
        ready.write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_url_is_encoded_and_its_parts_are_not() {
        assert_eq!(
            written("127.0.0.1:5433"),
            "DATABASE_URL=postgresql://we%20ird:p%40ss%3A%2F@127.0.0.1:5433/a%2Fb%3F?sslmode=disable\n\
             host=127.0.0.1\nport=5433\nuser=we ird\npassword=p@ss:/\ndbname=a/b?\n"
        );
    }

    #[test]
    fn an_ipv6_address_is_in_brackets_in_the_url_alone() {
        let written = written("[::1]:5433");
        assert!(written.contains("@[::1]:5433/") && written.contains("\nhost=::1\n"), "{written}");
    }
}
