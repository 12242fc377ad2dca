//! Names of fields that look personal. They only lead to suggestions: nothing is redacted because of its name.

use crate::payload::{FieldKind, FieldLocation};

/// Words in field names that suggest people, credentials and accounts.
const WORDS: [&str; 46] = [
    "address",
    "apikey",
    "bic",
    "birth",
    "birthday",
    "birthdate",
    "card",
    "cookie",
    "credential",
    "credentials",
    "cvv",
    "cvc",
    "dob",
    "email",
    "emails",
    "fax",
    "firstname",
    "fullname",
    "iban",
    "ip",
    "lastname",
    "latitude",
    "longitude",
    "mail",
    "mobile",
    "msisdn",
    "name",
    "nickname",
    "passphrase",
    "passport",
    "passwd",
    "password",
    "phone",
    "pin",
    "postcode",
    "pwd",
    "secret",
    "secrets",
    "ssn",
    "street",
    "surname",
    "telephone",
    "token",
    "username",
    "zip",
    "zipcode",
];

/// Pairs of words that suggest the same.
const PAIRS: [(&str, &str); 8] = [
    ("account", "number"),
    ("api", "key"),
    ("access", "key"),
    ("private", "key"),
    ("date", "of"),
    ("tax", "id"),
    ("e", "mail"),
    ("user", "id"),
];

/// The name that says what a field holds, if it can hold something personal.
pub(super) fn telling_name<'l>(location: &'l FieldLocation<'_>) -> Option<&'l str> {
    let is_readable = matches!(
        location.kind,
        FieldKind::Text | FieldKind::Bytes | FieldKind::Integer
    );
    // Wrappers and timestamps have generic field names, so the name of the field around them is used.
    let named = location
        .steps
        .iter()
        .rev()
        .find(|step| !step.is_key && !step.message.starts_with("google.protobuf."));
    named.filter(|_| is_readable).map(|step| &*step.segment)
}

/// Whether the name of a field suggests personal data or a secret.
pub(super) fn is_personal_name(name: &str) -> bool {
    let words = words(name);
    let is_single = words.iter().any(|word| WORDS.contains(&word.as_str()));
    let is_pair = words.windows(2).any(|pair| {
        PAIRS
            .iter()
            .any(|(first, second)| pair[0] == *first && pair[1] == *second)
    });
    is_single || is_pair
}

/// Splits `snake_case` and `camelCase` into words in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() || (letter.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        was_lower = letter.is_lowercase();
        if let (true, Some(word)) = (letter.is_alphanumeric(), words.last_mut()) {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::is_personal_name;

    #[test]
    fn names_are_recognised_by_whole_words() {
        for name in [
            "email",
            "display_name",
            "phoneNumber",
            "api_key",
            "customer_iban",
            "clientIp",
        ] {
            assert!(is_personal_name(name), "{name}");
        }
        for name in [
            "amount",
            "tokenizer",
            "shipping",
            "mailbox_count",
            "unamed",
            "key",
            "number",
        ] {
            assert!(!is_personal_name(name), "{name}");
        }
    }
}
