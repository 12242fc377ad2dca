//! Paths into payloads, in command-line syntax.

/// Splits an assignment such as `labels."a.b".text=a value` into a path and a value. Steps are joined by dots. The
/// first `=` outside quotes ends the path; without it there is no value.
///
/// A step is a field name, a map key, a list index, or an extension in brackets. A key that contains dots, equals signs
/// or quotes is written in double quotes, with `\"` and `\\` for `"` and `\`.
pub fn split_assignment(text: &str) -> Result<(Vec<String>, Option<&str>), PathError> {
    let mut steps = Vec::new();
    let mut rest = text;
    loop {
        let (step, after) = step(rest)?;
        steps.push(step);
        let mut letters = after.chars();
        match letters.next() {
            None => return Ok((steps, None)),
            Some('=') => return Ok((steps, Some(letters.as_str()))),
            Some(_) => rest = letters.as_str(),
        }
    }
}

/// A path that cannot be split into steps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// A step without a name.
    #[error("the path has an empty step: an empty key is written as \"\"")]
    EmptyStep,
    /// Text directly after a quoted step.
    #[error("after the quoted `{step}` in the path, a dot or an equals sign is expected")]
    AfterQuotes {
        /// The quoted step.
        step: String,
    },
    /// A backslash within quotes that escapes nothing.
    #[error("within quotes in the path, write \\\\ for a backslash")]
    Backslash,
    /// Quotes without an end.
    #[error("a quote in the path is not closed")]
    OpenQuote,
}

/// The first step, and the rest: empty, or starting with a dot or an equals sign.
fn step(text: &str) -> Result<(String, &str), PathError> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (step, after) = unquoted(quoted)?;
        return match after.chars().next() {
            None | Some('.' | '=') => Ok((step, after)),
            Some(_) => Err(PathError::AfterQuotes { step }),
        };
    }
    let bracketed = text
        .strip_prefix('[')
        .and_then(|inner| inner.find(']'))
        .map(|end| text.split_at(end + 2))
        .filter(|(_, after)| matches!(after.chars().next(), None | Some('.' | '=')));
    let (step, after) =
        bracketed.unwrap_or_else(|| text.split_at(text.find(['.', '=']).unwrap_or(text.len())));
    if step.is_empty() {
        return Err(PathError::EmptyStep);
    }
    Ok((step.to_owned(), after))
}

/// The content of a quoted step whose opening quote has been consumed, and the rest after the closing quote.
fn unquoted(text: &str) -> Result<(String, &str), PathError> {
    let mut step = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return Ok((step, letters.as_str())),
            '\\' => match letters.next() {
                Some(letter @ ('"' | '\\')) => step.push(letter),
                _ => return Err(PathError::Backslash),
            },
            letter => step.push(letter),
        }
    }
    Err(PathError::OpenQuote)
}

#[cfg(test)]
mod tests {
    use super::split_assignment;

    #[test]
    fn a_path_ends_at_the_first_equals_sign_outside_of_quotes() {
        for (text, steps, value) in [
            ("a=", &["a"][..], Some("")),
            ("a.b=c=d", &["a", "b"], Some("c=d")),
            ("a", &["a"], None),
            ("a.0.b", &["a", "0", "b"], None),
            ("a.\"b.c=d\".e= f ", &["a", "b.c=d", "e"], Some(" f ")),
            (r#"a."\"\\"=x"#, &["a", "\"\\"], Some("x")),
            ("a.\"\"=x", &["a", ""], Some("x")),
            ("a.b\"c=x", &["a", "b\"c"], Some("x")),
            ("a.[p.ext].b=x", &["a", "[p.ext]", "b"], Some("x")),
            ("a.[b=x", &["a", "[b"], Some("x")),
            ("a.b c.\u{e9}=\n", &["a", "b c", "\u{e9}"], Some("\n")),
        ] {
            let steps = steps.iter().map(|step| (*step).to_owned()).collect();
            assert_eq!(split_assignment(text), Ok((steps, value)), "{text}");
        }
    }

    #[test]
    fn a_path_with_a_mistake_is_refused() {
        for (text, reason) in [
            ("", "empty step"),
            ("=x", "empty step"),
            ("a.=x", "empty step"),
            ("a..b=x", "empty step"),
            ("a.\"b=x", "not closed"),
            ("a.\"b\\n\"=x", "backslash"),
            ("a.\"b\"c=x", "after the quoted `b`"),
        ] {
            let error = split_assignment(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
