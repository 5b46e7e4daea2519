use std::collections::HashSet;

/// Makes names differ, so that an object of them loses no value: the second `id` becomes `id_2`.
pub(super) fn unique(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let names: Vec<String> = names.into_iter().collect();
    let given: HashSet<String> = names.iter().cloned().collect();
    let mut used = HashSet::new();
    let mut unique = Vec::with_capacity(names.len());
    for name in names {
        let mut candidate = name.clone();
        let mut number = 2_u32;
        while used.contains(&candidate) || candidate != name && given.contains(&candidate) {
            candidate = format!("{name}_{number}");
            number = number.saturating_add(1);
        }
        used.insert(candidate.clone());
        unique.push(candidate);
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::unique;

    #[test]
    fn no_name_stands_for_another_column() {
        for (names, differ) in [
            (&["a", "b"][..], &["a", "b"][..]),
            (&["a", "a", "a"], &["a", "a_2", "a_3"]),
            (&["a", "a", "a_2"], &["a", "a_3", "a_2"]),
            (&["?column?", "?column?"], &["?column?", "?column?_2"]),
        ] {
            assert_eq!(unique(names.iter().map(|&name| name.to_owned())), differ);
        }
    }
}
