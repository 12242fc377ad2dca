//! Texts with their encodings removed: JSON and string-literal escapes, percent-encoding, HTML entities, also nested.
//!
//! An encoder may write any letter in several ways, so redacted values are searched for in the decoded text instead of
//! in every possible encoding.

use std::collections::HashSet;
use std::ops::Range;

use super::spelling;

/// Most nested encodings that are removed.
const MOST_LAYERS: usize = 4;
/// Most decoded versions of one text.
const MOST_VERSIONS: usize = 24;

/// One decoded version of a text.
pub(super) struct DecodedText {
    /// The decoded text.
    pub(super) text: String,
    /// Offset in the original of the letter or escape each byte comes from, followed by the length of the original.
    places: Vec<usize>,
    layers: Vec<Layer>,
}

/// An encoding.
#[derive(Clone, Copy)]
enum Layer {
    /// Escapes of JSON and of string literals.
    Backslash,
    Percent,
    /// Percent-encoding with `+` for a space.
    Form,
    Html,
}

impl Layer {
    const ALL: [Self; 4] = [Self::Backslash, Self::Percent, Self::Form, Self::Html];

    /// Decodes the letter at the beginning of the text, if it is encoded, and returns the length of its encoding.
    fn letter(self, text: &str) -> Option<(char, usize)> {
        match self {
            Self::Backslash => of_backslash(text),
            Self::Form if text.starts_with('+') => Some((' ', 1)),
            Self::Percent | Self::Form => of_percent(text),
            Self::Html => of_entity(text),
        }
    }

    fn is_in(self, text: &str) -> bool {
        text.contains(match self {
            Self::Backslash => '\\',
            Self::Percent => '%',
            Self::Form => '+',
            Self::Html => '&',
        })
    }

    fn encoded(self, text: &str) -> String {
        match self {
            Self::Backslash => spelling::as_json(text),
            Self::Percent => spelling::as_component(text),
            Self::Form => spelling::as_form(text),
            Self::Html => spelling::as_html(text),
        }
    }
}

impl DecodedText {
    /// Every decoded version of a text, the original first.
    pub(super) fn all(text: &str) -> Vec<Self> {
        let plain = Self {
            text: text.to_owned(),
            places: (0..=text.len()).collect(),
            layers: Vec::new(),
        };
        let mut seen = HashSet::from([text.to_owned()]);
        let mut versions = vec![plain];
        let mut at = 0;
        while at < versions.len() {
            for layer in Layer::ALL {
                let decoded = &versions[at];
                let is_enough =
                    decoded.layers.len() >= MOST_LAYERS || versions.len() >= MOST_VERSIONS;
                if is_enough || !layer.is_in(&decoded.text) {
                    continue;
                }
                let next = decoded.without(layer);
                if seen.insert(next.text.clone()) {
                    versions.push(next);
                }
            }
            at += 1;
        }
        versions
    }

    fn without(&self, layer: Layer) -> Self {
        let mut text = String::with_capacity(self.text.len());
        let mut places = Vec::with_capacity(self.text.len() + 1);
        let mut rest = self.text.as_str();
        while let Some(first) = rest.chars().next() {
            let (letter, length) = layer
                .letter(rest)
                .unwrap_or_else(|| (first, first.len_utf8()));
            text.push(letter);
            places.resize(text.len(), self.places[self.text.len() - rest.len()]);
            rest = &rest[length..];
        }
        places.extend(self.places.last());
        Self {
            text,
            places,
            layers: self.layers.iter().copied().chain([layer]).collect(),
        }
    }

    /// The range in the original, extended to whole letters and escapes.
    pub(super) fn original(&self, part: &Range<usize>) -> Range<usize> {
        if self.layers.is_empty() {
            return part.clone();
        }
        let start = self.places[part.start];
        let last = part.end.checked_sub(1).map_or(start, |at| self.places[at]);
        let mut after = self.places[part.end..].iter();
        let end = after.find(|place| **place > last);
        start..end.or(self.places.last()).copied().unwrap_or(start)
    }

    /// Encodes a text in the same way as the original.
    pub(super) fn encode(&self, text: &str) -> String {
        let layers = self.layers.iter().rev();
        layers.fold(text.to_owned(), |text, layer| layer.encoded(&text))
    }
}

fn of_backslash(text: &str) -> Option<(char, usize)> {
    let escape = text.strip_prefix('\\')?;
    let plain = |letter| Some((letter, 2));
    match escape.chars().next()? {
        letter @ ('"' | '\'' | '\\' | '/') => plain(letter),
        'n' => plain('\n'),
        'r' => plain('\r'),
        't' => plain('\t'),
        'b' => plain('\u{8}'),
        'f' => plain('\u{c}'),
        'u' => of_unit(text, "\\u").or_else(|| of_braces(text)),
        'U' => {
            let number = u32::from_str_radix(text.get(2..10)?, 16).ok()?;
            Some((char::from_u32(number)?, 10))
        }
        _ => of_bytes(text, |text| {
            let hex = text.strip_prefix("\\x").and_then(|it| digits(it, 2, 16));
            let octal = || text.strip_prefix('\\').and_then(|it| digits(it, 3, 8));
            let number = hex.or_else(octal)?;
            Some((u8::try_from(number).ok()?, 4))
        }),
    }
}

fn of_percent(text: &str) -> Option<(char, usize)> {
    let byte = |text: &str| {
        let number = digits(text.strip_prefix('%')?, 2, 16)?;
        Some((u8::try_from(number).ok()?, 3))
    };
    of_bytes(text, byte).or_else(|| of_unit(text, "%u"))
}

/// Parses exactly this many digits at the beginning of a text.
fn digits(text: &str, count: usize, radix: u32) -> Option<u32> {
    let digits = text.get(..count)?;
    let are_digits = digits.chars().all(|it| it.is_digit(radix));
    are_digits.then(|| u32::from_str_radix(digits, radix).ok())?
}

/// Decodes letters that are escaped byte by byte, as UTF-8 or else Latin-1.
fn of_bytes(text: &str, byte: impl Fn(&str) -> Option<(u8, usize)>) -> Option<(char, usize)> {
    let (first, length) = byte(text)?;
    let count = match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Some((char::from(first), length)),
    };
    let mut bytes = vec![first];
    let mut end = length;
    while let (true, Some((next, length))) = (bytes.len() < count, byte(&text[end..])) {
        bytes.push(next);
        end += length;
    }
    let letter = std::str::from_utf8(&bytes).ok();
    match letter.and_then(|letter| letter.chars().next()) {
        Some(letter) => Some((letter, end)),
        None => Some((char::from(first), length)),
    }
}

/// Decodes a letter that is escaped as one or two UTF-16 units.
fn of_unit(text: &str, prefix: &str) -> Option<(char, usize)> {
    let unit = |text: &str| digits(text.strip_prefix(prefix)?, 4, 16);
    let length = prefix.len() + 4;
    let first = unit(text)?;
    if let Some(letter) = char::from_u32(first) {
        return Some((letter, length));
    }
    let units = [first, unit(&text[length..])?].map(|unit| u16::try_from(unit).unwrap_or(0));
    let letter = char::decode_utf16(units).next()?.ok()?;
    Some((letter, 2 * length))
}

/// Decodes the escape of Rust and JavaScript: `\u{f6}`.
fn of_braces(text: &str) -> Option<(char, usize)> {
    let (hex, _) = text.strip_prefix("\\u{")?.split_once('}')?;
    let number = u32::from_str_radix(hex, 16).ok()?;
    Some((char::from_u32(number)?, hex.len() + 4))
}

fn of_entity(text: &str) -> Option<(char, usize)> {
    let entity = text.strip_prefix('&')?;
    let Some(number) = entity.strip_prefix('#') else {
        let (name, _) = entity.get(..entity.len().min(10))?.split_once(';')?;
        return Some((named(name)?, name.len() + 2));
    };
    let (number, radix, prefix) = match number.strip_prefix(['x', 'X']) {
        Some(hex) => (hex, 16, 3),
        None => (number, 10, 2),
    };
    let length = number.chars().take_while(|it| it.is_digit(radix)).count();
    let value = u32::from_str_radix(&number[..length], radix).ok()?;
    let closed = usize::from(number[length..].starts_with(';'));
    Some((char::from_u32(value)?, prefix + length + closed))
}

/// HTML names of punctuation, each followed by its character.
const SIGNS: &str = "amp & lt < gt > quot \" apos ' sol / bsol \\ commat @ plus + equals = percnt % num # excl ! quest ? dollar $ \
                     ast * comma , period . colon : semi ; lowbar _ grave ` lpar ( rpar ) lsqb [ lbrack [ rsqb ] rbrack ] lcub { \
                     lbrace { rcub } rbrace } verbar | vert | Hat ^ hyphen \u{2010} dash \u{2010} ndash \u{2013} mdash \u{2014} \
                     lsquo \u{2018} rsquo \u{2019} ldquo \u{201c} rdquo \u{201d} hellip \u{2026} euro \u{20ac} OElig \u{152} \
                     oelig \u{153} Scaron \u{160} scaron \u{161} Yuml \u{178}";
/// HTML names of the Latin-1 letters from U+00A0 on.
const LATIN: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute \
                     micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml \
                     Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc \
                     Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml \
                     aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc \
                     otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml";

fn named(name: &str) -> Option<char> {
    let mut signs = SIGNS.split_whitespace();
    while let (Some(known), Some(sign)) = (signs.next(), signs.next()) {
        if known == name {
            return sign.chars().next();
        }
    }
    let at = LATIN.split_whitespace().position(|known| known == name)?;
    let latin = u32::try_from(at)
        .ok()
        .and_then(|at| char::from_u32(0xa0 + at))?;
    // A no-break space is matched as an ordinary space.
    Some(if latin == '\u{a0}' { ' ' } else { latin })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks for a text in the decoded versions of another, and returns the encoded original of the match.
    fn read(encoded: &str, text: &str) -> Option<String> {
        DecodedText::all(encoded).iter().find_map(|decoded| {
            let start = decoded.text.find(text)?;
            Some(encoded[decoded.original(&(start..start + text.len()))].to_owned())
        })
    }

    #[test]
    fn encodings_are_removed_even_when_nested() {
        for encoded in [
            r"J\u00f6rg 5\/7",
            r"J\u00F6rg\u00205\u002f7",
            r"\u004a\u00f6\u0072\u0067\u0020\u0035\u002f\u0037",
            r"J\\u00f6rg 5\\/7",
            r"J\xc3\xb6rg 5/7",
            r"J\xf6rg 5/7",
            r"J\303\266rg 5/7",
            r"J\u{f6}rg 5/7",
            r"J\U000000f6rg 5/7",
            "J%C3%B6rg%205%2F7",
            "J%c3%b6rg+5%2f7",
            "J%F6rg 5/7",
            "J%u00f6rg 5/7",
            "J%25C3%25B6rg%25205%252F7",
            "J%252525C3%252525B6rg 5/7",
            "J&#246;rg 5&#x2F;7",
            "J&#0246;rg&#32;5&sol;7",
            "J&ouml;rg&nbsp;5/7",
            "J&amp;#246;rg 5&amp;#47;7",
            "J%26ouml%3Brg 5/7",
            r"J\u0026ouml;rg 5\/7",
        ] {
            let message = format!("a {encoded} b");
            assert_eq!(
                read(&message, "Jörg 5/7").as_deref(),
                Some(encoded),
                "{message}"
            );
        }
        assert_eq!(
            read(r"x \ud83d\ude00 y", "😀").as_deref(),
            Some(r"\ud83d\ude00")
        );
    }

    #[test]
    fn every_decoded_letter_maps_to_a_part_of_the_original() {
        for text in [
            "",
            "\\",
            "\\u",
            "\\ud83d",
            "\\ud83d\\u0041",
            "\\x",
            "\\400",
            "%",
            "%f",
            "%F0%9F",
            "%é",
            "&",
            "&#",
            "&#x;",
            "&#1114112;",
            "&é;",
            "\\u{",
            "\\u{}",
            "\\Uffffffff",
            "é%C3",
            "\\é",
            "100% & more + \\ é",
        ] {
            for decoded in DecodedText::all(text) {
                for (start, letter) in decoded.text.char_indices() {
                    let original = decoded.original(&(start..start + letter.len_utf8()));
                    assert!(!text[original].is_empty(), "{text}");
                }
            }
        }
    }

    #[test]
    fn a_replacement_is_encoded_like_the_original() {
        let decoded = |text: &str, reading: &str| {
            let mut versions = DecodedText::all(text).into_iter();
            versions
                .find(|decoded| decoded.text == reading)
                .map(|decoded| decoded.encode("a@b \"c\""))
        };
        assert_eq!(decoded("%40", "@").as_deref(), Some("a%40b%20%22c%22"));
        assert_eq!(decoded("x+%40", "x @").as_deref(), Some("a%40b+%22c%22"));
        assert_eq!(
            decoded("%2540", "@").as_deref(),
            Some("a%2540b%2520%2522c%2522")
        );
        assert_eq!(decoded("\\/", "/").as_deref(), Some("a@b \\\"c\\\""));
        assert_eq!(decoded("&#64;", "@").as_deref(), Some("a@b &quot;c&quot;"));
    }
}
