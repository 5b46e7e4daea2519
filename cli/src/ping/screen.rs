use console::{StyledObject, Term, style};

/// What the output is written to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    /// In cells.
    pub(super) width: usize,
    pub(super) is_unicode: bool,
    pub(super) has_colours: bool,
}

/// The width of what is no terminal, and at least that of one.
const WIDTH: usize = 100;
const LEAST: usize = 60;

impl Screen {
    /// That of standard output.
    pub(super) fn of_stdout() -> Self {
        let term = Term::stdout();
        let width = term.size_checked().map_or(WIDTH, |(_, columns)| usize::from(columns).max(LEAST));
        // The library honours NO_COLOR and its like.
        Self {
            width,
            is_unicode: is_unicode(|name| std::env::var(name).ok()),
            has_colours: term.is_term() && console::colors_enabled(),
        }
    }

    pub(super) fn bold(self, text: impl Into<String>) -> StyledObject<String> {
        style(text.into()).bold().force_styling(self.has_colours)
    }

    pub(super) fn dim(self, text: impl Into<String>) -> StyledObject<String> {
        style(text.into()).dim().force_styling(self.has_colours)
    }

    pub(super) fn good(self, text: impl Into<String>) -> StyledObject<String> {
        style(text.into()).green().force_styling(self.has_colours)
    }

    pub(super) fn bad(self, text: impl Into<String>) -> StyledObject<String> {
        style(text.into()).red().force_styling(self.has_colours)
    }
}

/// Whether the locale is one of UTF-8 (POSIX, section 8.2: the first that is set counts).
fn is_unicode(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(variable).find(|value| !value.is_empty());
    set.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

#[cfg(test)]
mod tests {
    use super::is_unicode;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let decides = |set: &'static [(&str, &str)]| {
            is_unicode(|name| set.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned()))
        };
        assert!(decides(&[("LANG", "en_GB.UTF-8")]));
        assert!(decides(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8")]));
        assert!(!decides(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]));
        assert!(!decides(&[]));
    }
}
