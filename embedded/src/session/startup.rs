use pgferry::wire::server::StartupMessage;

/// Returns the settings that a session opens with: those in `options` first, as Postgres does.
///
/// # Errors
///
/// The word of `options` that is no setting.
pub(crate) fn settings(startup: &StartupMessage) -> Result<Vec<(String, String)>, String> {
    let mut settings = Vec::new();
    let mut words = words(startup.parameter("options").unwrap_or_default()).into_iter();
    while let Some(word) = words.next() {
        let setting = match word.strip_prefix("-c") {
            Some("") => words.next().unwrap_or_default(),
            Some(setting) => setting.to_owned(),
            None => word.strip_prefix("--").unwrap_or_default().to_owned(),
        };
        let Some((name, value)) = setting.split_once('=') else { return Err(word) };
        settings.push((name.replace('-', "_"), value.to_owned()));
    }
    for (name, value) in &startup.parameters {
        if !matches!(name.as_str(), "user" | "database" | "options" | "replication") && !name.starts_with("_pq_.") {
            settings.push((name.clone(), value.clone()));
        }
    }
    Ok(settings)
}

/// Splits options at white space, which a backslash keeps in a word.
fn words(options: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = None;
    let mut characters = options.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => word.get_or_insert_with(String::new).extend(characters.next()),
            space if space.is_ascii_whitespace() => words.extend(word.take()),
            other => word.get_or_insert_with(String::new).push(other),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: &str) -> Result<Vec<(String, String)>, String> {
        let parameters = vec![("options".to_owned(), options.to_owned()), ("TimeZone".to_owned(), "UTC".to_owned())];
        settings(&StartupMessage { minor: 0, parameters })
    }

    #[test]
    fn options_are_settings() {
        let settings = read(r"-c search_path=a\ b -cx=1 --work-mem=64kB").unwrap();
        let expected = [("search_path", "a b"), ("x", "1"), ("work_mem", "64kB"), ("TimeZone", "UTC")];
        assert!(settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(expected));
        assert_eq!(read("-d 5").unwrap_err(), "-d");
    }
}
