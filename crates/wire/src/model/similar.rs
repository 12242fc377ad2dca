//! "Did you mean" hints for misspelt names.

/// The known names most similar to a misspelt one, best first; at most `most` of them.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>, most: usize) -> Vec<&'a str> {
    let wanted = name.to_lowercase();
    let letters = wanted.chars().count();
    // The tolerance depends on the last part of a full name: a shared package does not make two types similar.
    let last = wanted.rsplit('.').next().unwrap_or_default();
    let tolerated = (last.chars().count() / 3).max(1);
    let mut near: Vec<(usize, &str)> = known
        .map(|candidate| {
            let distance = strsim::osa_distance(&wanted, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, _)| *distance <= tolerated && *distance < letters)
        .collect();
    near.sort_unstable();
    near.into_iter()
        .take(most)
        .map(|(_, candidate)| candidate)
        .collect()
}

/// End of a message about an unknown name: `; did you mean …?`, or empty if no known name is similar.
#[must_use]
pub fn did_you_mean<T: AsRef<str>>(name: &str, known: impl IntoIterator<Item = T>) -> String {
    let known: Vec<T> = known.into_iter().collect();
    nearest(name, known.iter().map(AsRef::as_ref), 1)
        .first()
        .map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn only_similar_names_are_suggested() {
        for (name, hint) in [
            ("plyer", "; did you mean `player`?"),
            ("Player", "; did you mean `player`?"),
            ("palyer", "; did you mean `player`?"),
            ("hand", "; did you mean `hands`?"),
            ("x", ""),
            ("", ""),
            ("dealer", ""),
        ] {
            assert_eq!(did_you_mean(name, ["player", "hands", "y"]), hint, "{name}");
        }
    }
}
