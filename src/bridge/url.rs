use super::Address;
use crate::config::{Password, encoded};

/// The URL of an endpoint, as libpq, tokio-postgres and sqlx read it.
///
/// A socket's directory stands in the host's place (manual, section 34.1.1.2). There is nothing to encrypt against on this machine,
/// and some clients ask for TLS unless they are told not to.
pub(super) fn url(address: &Address, user: &str, password: &Password, database: &str) -> Password {
    let place = match address {
        Address::Unix { directory, port } => {
            format!("{}:{port}", encoded(directory.as_os_str().as_encoded_bytes()))
        }
        Address::Tcp(address) => address.to_string(),
    };
    let [user, password, database] = [user, password.reveal(), database].map(|part| encoded(part.as_bytes()));
    Password::from(format!("postgresql://{user}:{password}@{place}/{database}?sslmode=disable"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(address: Address) -> String {
        url(&address, "we ird", &"p@ss:/".into(), "a/b?").reveal().to_owned()
    }

    #[test]
    fn what_means_something_in_a_url_is_encoded() {
        for (address, place) in [("127.0.0.1:5433", "127.0.0.1:5433"), ("[::1]:5433", "[::1]:5433")] {
            assert_eq!(
                written(Address::Tcp(address.parse().unwrap())),
                format!("postgresql://we%20ird:p%40ss%3A%2F@{place}/a%2Fb%3F?sslmode=disable")
            );
        }
    }

    #[test]
    fn a_sockets_directory_stands_in_the_hosts_place() {
        let written = written(Address::Unix { directory: "/run/x y".into(), port: 5432 });
        assert!(written.contains("@%2Frun%2Fx%20y:5432/"), "{written}");
    }
}
