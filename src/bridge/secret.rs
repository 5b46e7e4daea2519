use crate::{
    config::Password,
    error::{Error, Result},
};

/// A name or password of so many random bytes, in hexadecimal.
pub(super) fn random(bytes: usize) -> Result<String> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).map_err(no_random)?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A random number.
pub(super) fn random_i32() -> Result<i32> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).map_err(no_random)?;
    Ok(i32::from_be_bytes(bytes))
}

/// Compares in a time that does not depend on where the difference is.
pub(super) fn matches(expected: &Password, given: &[u8]) -> bool {
    let expected = expected.reveal().as_bytes();
    expected.len() == given.len() && expected.iter().zip(given).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
}

fn no_random(error: getrandom::Error) -> Error {
    Error::connect(format!("the system gives no random numbers: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_password_matches() {
        let expected = Password::from("0123abcd");
        assert!(matches(&expected, b"0123abcd"));
        for other in [&b"0123abce"[..], b"", b"0123abc", b"0123abcd\0"] {
            assert!(!matches(&expected, other), "{other:?}");
        }
    }

    #[test]
    fn random_names_differ() {
        let (one, other) = (random(16).unwrap(), random(16).unwrap());
        assert_eq!(one.len(), 32);
        assert_ne!(one, other);
    }
}
