//! Removes escapes from text, such as JSON within JSON, and maps the result back to the original.

/// Text without its escapes.
pub(super) struct Unescaped {
    pub(super) text: String,
    /// Original offset of every byte, and of the end.
    places: Vec<usize>,
}

impl Unescaped {
    /// The range in the original.
    pub(super) fn original(&self, range: &std::ops::Range<usize>) -> std::ops::Range<usize> {
        self.places[range.start]..self.places[range.end]
    }

    fn push(&mut self, letter: char, place: usize) {
        self.text.push(letter);
        self.places.resize(self.text.len(), place);
    }
}

/// Removes one level of escapes: JSON, YAML, C, protobuf text format, percent-encoding, HTML. None if there are no
/// escapes.
pub(super) fn without_escapes(text: &str) -> Option<Unescaped> {
    if !text.contains(['\\', '%', '&']) {
        return None;
    }
    let mut new = Unescaped {
        text: String::with_capacity(text.len()),
        places: Vec::with_capacity(text.len() + 1),
    };
    let mut is_changed = false;
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        let escape = match letter {
            '\\' => backslash(rest).or(Some((vec![b'\\'], 1))),
            '%' => hex(rest, 1, 2).map(|byte| (vec![byte], 3)),
            '&' => entity(rest),
            _ => None,
        };
        let Some((bytes, length)) = escape else {
            new.push(letter, at);
            at += letter.len_utf8();
            continue;
        };
        is_changed |= length > 1;
        let start = at;
        at += length;
        let mut bytes = bytes;
        // A letter of several bytes is escaped byte by byte.
        while std::str::from_utf8(&bytes).is_err()
            && bytes.len() < 4
            && let Some((more, length)) = byte_escape(&text[at..])
        {
            bytes.push(more);
            at += length;
        }
        for letter in String::from_utf8_lossy(&bytes).chars() {
            new.push(letter, start);
        }
    }
    new.places.push(text.len());
    is_changed.then_some(new)
}

/// Parses the escape of one byte, and returns its length.
fn byte_escape(text: &str) -> Option<(u8, usize)> {
    if text.starts_with('%') {
        return Some((hex(text, 1, 2)?, 3));
    }
    match backslash(text)? {
        (bytes, length) if bytes.len() == 1 => Some((bytes[0], length)),
        _ => None,
    }
}

fn hex(text: &str, from: usize, digits: usize) -> Option<u8> {
    u8::from_str_radix(text.get(from..from + digits)?, 16).ok()
}

fn backslash(text: &str) -> Option<(Vec<u8>, usize)> {
    let sign = text[1..].chars().next()?;
    let simple = |byte: u8| Some((vec![byte], 2));
    match sign {
        'n' => simple(b'\n'),
        'r' => simple(b'\r'),
        't' => simple(b'\t'),
        '"' | '\'' | '\\' | '/' | '&' | '%' => simple(u8::try_from(sign).ok()?),
        'x' => Some((vec![hex(text, 2, 2)?], 4)),
        'u' => unicode(text),
        '0'..='7' => {
            let digits = text.get(1..4)?;
            let byte = u8::from_str_radix(digits, 8).ok()?;
            Some((vec![byte], 4))
        }
        _ => None,
    }
}

/// `\uXXXX`, as a pair if it is a surrogate, and `\u{X}`.
fn unicode(text: &str) -> Option<(Vec<u8>, usize)> {
    let letter = |letter: char, length| (letter.to_string().into_bytes(), length);
    if let Some(rest) = text.strip_prefix("\\u{") {
        let (digits, _) = rest.split_once('}')?;
        let found = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
        return Some(letter(found, digits.len() + 4));
    }
    let unit = |at: usize| u16::from_str_radix(text.get(at..at + 4)?, 16).ok();
    let first = unit(2)?;
    if let Some(found) = char::from_u32(first.into()) {
        return Some(letter(found, 6));
    }
    let second = text.get(6..8).filter(|it| *it == "\\u").and(unit(8))?;
    let found = char::decode_utf16([first, second]).next()?.ok()?;
    Some(letter(found, 12))
}

fn entity(text: &str) -> Option<(Vec<u8>, usize)> {
    const NAMED: [(&str, u8); 5] = [
        ("&quot;", b'"'),
        ("&apos;", b'\''),
        ("&amp;", b'&'),
        ("&lt;", b'<'),
        ("&gt;", b'>'),
    ];
    if let Some((name, byte)) = NAMED.iter().find(|(name, _)| text.starts_with(name)) {
        return Some((vec![*byte], name.len()));
    }
    let (number, _) = text.strip_prefix("&#")?.split_once(';')?;
    if number.len() > 7 {
        return None;
    }
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => number.parse().ok()?,
    };
    let letter = char::from_u32(code)?;
    Some((letter.to_string().into_bytes(), number.len() + 3))
}

#[cfg(test)]
mod tests {
    use super::without_escapes;

    #[test]
    fn one_level_of_escapes_goes_and_places_stay_known() {
        for (text, plain) in [
            (r#"{\"a\":\"b\"}"#, r#"{"a":"b"}"#),
            (r#"{\\\"a\\\":1}"#, r#"{\"a\":1}"#),
            (r"j\u00f6rg\nx\/y", "j\u{f6}rg\nx/y"),
            (r"\ud83d\ude00 \u{f6}", "\u{1f600} \u{f6}"),
            (r"j\303\266rg \x41", "j\u{f6}rg A"),
            ("j%C3%B6rg%40acme.io 5% of", "j\u{f6}rg@acme.io 5% of"),
            ("a=&quot;b&quot;&#38;&#x41; & c", "a=\"b\"&A & c"),
            (r"\q %zz &no; \u12 \xé", r"\q %zz &no; \u12 \xé"),
            ("\\", "\\"),
        ] {
            let spelled = without_escapes(text);
            let found = spelled.as_ref().map_or(text, |it| it.text.as_str());
            assert_eq!(found, plain, "{text}");
        }
        let spelled = without_escapes(r"a\u00f6 key").unwrap();
        let at = spelled.text.find("key").unwrap();
        assert_eq!(spelled.original(&(at..at + 3)), 8..11);
        assert!(without_escapes("nothing").is_none());
    }
}
