use std::{
    io::{self, Write},
    net::SocketAddr,
};

use pgferry::config::Password;

/// What a client has to know to connect.
pub(super) struct Ready<'a> {
    pub(super) url: &'a Password,
    pub(super) address: SocketAddr,
    pub(super) user: &'a str,
    pub(super) password: &'a Password,
    pub(super) database: &'a str,
}

impl Ready<'_> {
    /// Writes the URL, then its parts, each on a line of its own under libpq's name for it.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { url, address, user, password, database } = self;
        let [host, port] = [address.ip().to_string(), address.port().to_string()];
        writeln!(out, "DATABASE_URL={}", url.reveal())?;
        let parts =
            [("host", &*host), ("port", &port), ("user", user), ("password", password.reveal()), ("dbname", database)];
        for (name, value) in parts {
            writeln!(out, "{name}={value}")?;
        }
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(address: &str) -> String {
        let ready = Ready {
            url: &"postgresql://we%20ird:p%40ss@there/a%2Fb".into(),
            address: address.parse().unwrap(),
            user: "we ird",
            password: &"p@ss:/".into(),
            database: "a/b?",
        };
        let mut out = Vec::new();
        ready.write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_parts_are_not_encoded() {
        assert_eq!(
            written("127.0.0.1:5433"),
            "DATABASE_URL=postgresql://we%20ird:p%40ss@there/a%2Fb\n\
             host=127.0.0.1\nport=5433\nuser=we ird\npassword=p@ss:/\ndbname=a/b?\n"
        );
    }

    #[test]
    fn an_ipv6_address_is_not_in_brackets() {
        assert!(written("[::1]:5433").contains("\nhost=::1\n"));
    }
}
