use pgferry::Config;

/// A parameter that a URL must not have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) name: String,
    pub(super) reason: String,
}

/// Parts what a URL's parameters are refused for from the rest, which is a URL of its own.
///
/// `None` where it is not a matter of parameters, or where one may be a piece of a password.
pub(super) fn part(url: &str) -> Option<(String, Vec<Refusal>)> {
    let (base, query) = url.split_once('?')?;
    if query.split('&').any(|pair| pair.starts_with("password=")) {
        return None;
    }
    let (mut kept, mut refused) = (Vec::new(), Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match format!("{base}?{pair}").parse::<Config>() {
            Ok(_) => kept.push(pair),
            Err(error) => {
                let (name, reason) = error.message().strip_prefix("the URL's parameter `")?.split_once("`: ")?;
                refused.push(Refusal { name: name.to_owned(), reason: reason.to_owned() });
            }
        }
    }
    let question_mark = if kept.is_empty() { "" } else { "?" };
    Some((format!("{base}{question_mark}{}", kept.join("&")), refused)).filter(|(_, refused)| !refused.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refused_parameter_is_told_with_its_reason() {
        let (rest, refused) = part("postgresql://app@h/db?search_path=x&sslmode=require&sslcert=a.pem").unwrap();
        assert_eq!(rest, "postgresql://app@h/db?sslmode=require");
        let names: Vec<_> = refused.iter().map(|refusal| refusal.name.as_str()).collect();
        assert_eq!(names, ["search_path", "sslcert"]);
        assert!(refused[1].reason.contains("use a password"), "{refused:?}");
    }

    #[test]
    fn what_may_be_a_password_is_left_alone() {
        assert_eq!(part("postgresql://app@h/db?password=a&b=c"), None);
        assert_eq!(part("postgresql://app:a?b@h/db?x=1"), None);
        assert_eq!(part("postgresql://app@h/db"), None);
    }
}
