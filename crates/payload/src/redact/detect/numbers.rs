//! IBANs and card numbers, recognised by their check digits, whatever their grouping.

use std::ops::Range;
use std::sync::LazyLock;

use iban::Iban;
use regex::Regex;

/// Most characters between two groups, as in `4111","1111`.
const LONGEST_GAP: usize = 3;

/// Whether a character may separate two groups.
fn may_separate(letter: char) -> bool {
    !letter.is_alphanumeric() && !matches!(letter, '\n' | '\r')
}

/// Whether a character commonly separates the groups of one number, and rarely separates several numbers.
fn separates(letter: char) -> bool {
    letter.is_whitespace() && !matches!(letter, '\n' | '\r')
        || matches!(
            letter,
            '-' | '.' | '_' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{b7}'
        )
}

/// Whether a word may begin at this position.
fn begins(text: &str, at: usize) -> bool {
    let before = text[..at].chars().next_back();
    !before.is_some_and(char::is_alphanumeric)
}

fn ends(text: &str, at: usize) -> bool {
    let after = text[at..].chars().next();
    !after.is_some_and(char::is_alphanumeric)
}

/// IBANs (ISO 13616): known country, its length and format, valid check digits.
pub(super) fn ibans(text: &str) -> Vec<Range<usize>> {
    static BEGINNING: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"[A-Za-z]{2}[0-9]{2}").expect("the pattern is a constant"));
    let mut found: Vec<Range<usize>> = Vec::new();
    for beginning in BEGINNING.find_iter(text) {
        let start = beginning.start();
        let is_within = found.last().is_some_and(|last| start < last.end);
        if !is_within
            && begins(text, start)
            && let Some(end) = iban_end(text, start)
        {
            found.push(start..end);
        }
    }
    found
}

/// End of the IBAN that begins at this position.
fn iban_end(text: &str, start: usize) -> Option<usize> {
    const LONGEST: usize = 34;
    const SHORTEST: usize = 15;
    let mut plain = String::with_capacity(LONGEST);
    let mut gap = 0;
    for (at, letter) in text[start..].char_indices() {
        if letter.is_ascii_alphanumeric() {
            gap = 0;
            plain.push(letter.to_ascii_uppercase());
            let end = start + at + 1;
            if plain.len() > LONGEST {
                return None;
            }
            if plain.len() >= SHORTEST && ends(text, end) && plain.parse::<Iban>().is_ok() {
                return Some(end);
            }
        } else if may_separate(letter) && gap < LONGEST_GAP {
            gap += 1;
        } else {
            return None;
        }
    }
    None
}

/// A run of digits.
struct Group {
    range: Range<usize>,
    /// End of the previous group, or the beginning of the text.
    before: usize,
    /// Whether only a few separators lie between the previous group and this one.
    goes_on: bool,
}

/// Card numbers: 13 to 19 digits with a known issuer prefix and a valid check digit.
pub(super) fn cards(text: &str) -> Vec<Range<usize>> {
    let groups = groups(text);
    let mut found = Vec::new();
    let mut at = 0;
    while at < groups.len() {
        match card_at(text, &groups, at).or_else(|| printed_card_at(text, &groups, at)) {
            Some(last) => {
                found.push(groups[at].range.start..groups[last].range.end);
                at = last + 1;
            }
            None => at += 1,
        }
    }
    found
}

fn groups(text: &str) -> Vec<Group> {
    static DIGITS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("[0-9]+").expect("the pattern is a constant"));
    let mut groups: Vec<Group> = Vec::new();
    for digits in DIGITS.find_iter(text) {
        let goes_on = groups.last().is_some_and(|last| {
            let between = &text[last.range.end..digits.start()];
            between.chars().count() <= LONGEST_GAP && between.chars().all(separates)
        });
        groups.push(Group {
            range: digits.range(),
            before: groups.last().map_or(0, |last| last.range.end),
            goes_on,
        });
    }
    groups
}

/// Index of the last group of the card number that begins with the group `first`.
fn card_at(text: &str, groups: &[Group], first: usize) -> Option<usize> {
    let start = groups[first].range.start;
    let before = text[..start].chars().next_back();
    if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '+') {
        return None;
    }
    let mut digits = String::new();
    for (at, group) in groups.iter().enumerate().skip(first) {
        if at > first && !group.goes_on {
            return None;
        }
        digits += &text[group.range.clone()];
        // Dates, versions and adjacent small numbers have shorter groups.
        let is_short = group.range.len() < 3;
        if digits.len() > 19 || is_short {
            return None;
        }
        // The digits after a decimal point are not a card number.
        let is_fraction = at == first && before == Some('.') && groups[first].goes_on;
        if digits.len() >= 13
            && !is_fraction
            && ends(text, group.range.end)
            && is_issued(&digits)
            && is_luhn(&digits)
        {
            return Some(at);
        }
    }
    None
}

/// Index of the last group of the card number that begins with the group `first` and is grouped as on a printed card,
/// with any separator. To rule out lists of numbers, the separator must be the same throughout, and no group of the same
/// length may precede or follow with it. A shorter number, such as an expiry month or a row number, may.
fn printed_card_at(text: &str, groups: &[Group], first: usize) -> Option<usize> {
    const PRINTED: [&[usize]; 6] = [
        &[4, 4, 4, 4],
        &[4, 6, 5],
        &[4, 6, 4],
        &[4, 4, 4, 4, 3],
        &[4, 3, 3, 3],
        &[4, 4, 4, 3],
    ];
    let gap = |at: usize| groups.get(at).map(|it| &text[it.before..it.range.start]);
    let separator = gap(first + 1)?;
    let is_separator = (1..=LONGEST_GAP).contains(&separator.chars().count())
        && separator.chars().all(may_separate);
    let start = groups[first].range.start;
    let before = text[..start].chars().next_back();
    let length = |at: usize| groups[at].range.len();
    let is_amid = first > 0 && gap(first) == Some(separator) && length(first - 1) == length(first);
    if !is_separator || is_amid || before.is_some_and(|it| it.is_alphanumeric() || it == '+') {
        return None;
    }
    PRINTED.iter().find_map(|lengths| {
        let last = first + lengths.len() - 1;
        let card = groups.get(first..=last)?;
        let fits = card
            .iter()
            .map(|it| it.range.len())
            .eq(lengths.iter().copied())
            && (first + 1..=last).all(|at| gap(at) == Some(separator))
            && !(gap(last + 1) == Some(separator) && length(last + 1) == length(last))
            && ends(text, card.last()?.range.end);
        let digits: String = card.iter().map(|it| &text[it.range.clone()]).collect();
        (fits && is_issued(&digits) && is_luhn(&digits)).then_some(last)
    })
}

/// Whether the digits begin with an issuer's prefix. Timestamps and counters mostly begin otherwise.
fn is_issued(digits: &str) -> bool {
    ["3", "4", "5", "6", "81", "82", "9792", "1800", "2131"]
        .iter()
        .any(|prefix| digits.starts_with(prefix))
        || ("220".."273").contains(&&digits[..3])
}

fn is_luhn(digits: &str) -> bool {
    let digits: Vec<u32> = digits.chars().filter_map(|it| it.to_digit(10)).collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match (at % 2, digit * 2) {
            (0, _) => *digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != digits[0])
}
