//! What may be said of a command line that is not understood.

use std::ffi::OsString;

/// Whether a message repeats an argument, or what one gives after its `=`, that looks like a URL and so may have a password.
pub(crate) fn repeats_a_url(message: &str, args: impl IntoIterator<Item = OsString>) -> bool {
    args.into_iter().any(|arg| {
        let arg = arg.to_string_lossy();
        let value = arg.split_once('=').filter(|_| arg.starts_with('-')).map_or(&*arg, |(_, value)| value);
        (value.contains("://") || value.contains('@')) && message.contains(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_recognised() {
        let repeats = |message, arg: &str| repeats_a_url(message, [arg.into()]);
        let message = "error: invalid value 'postgresql://app:sesame@host?a=b' for '--listen <ADDR>'";
        assert!(repeats(message, "postgresql://app:sesame@host?a=b"));
        assert!(repeats(message, "--listen=postgresql://app:sesame@host?a=b"));
        assert!(repeats(message, "app:sesame@host"));
        assert!(!repeats(message, "postgresql://another@host"));
        assert!(!repeats("error: unrecognized subcommand 'gatway'", "gatway"));
    }
}
