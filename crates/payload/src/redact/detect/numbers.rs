//! Account and card numbers, by their check digits, however they are grouped.

use std::ops::Range;
use std::sync::LazyLock;

use iban::Iban;
use regex::Regex;

/// So many letters may stand between two groups, as in `4111","1111`.
const LONGEST_GAP: usize = 3;

/// Whether a letter can stand between two groups at all.
fn may_separate(letter: char) -> bool {
    !letter.is_alphanumeric() && !matches!(letter, '\n' | '\r')
}

/// What stands between the groups of one number, and hardly ever between several numbers.
fn separates(letter: char) -> bool {
    letter.is_whitespace() && !matches!(letter, '\n' | '\r')
        || matches!(
            letter,
            '-' | '.' | '_' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{b7}'
        )
}

/// Whether what stands before a place ends there.
fn begins(text: &str, at: usize) -> bool {
    let before = text[..at].chars().next_back();
    !before.is_some_and(char::is_alphanumeric)
}

fn ends(text: &str, at: usize) -> bool {
    let after = text[at..].chars().next();
    !after.is_some_and(char::is_alphanumeric)
}

/// Numbers of accounts (ISO 13616): of a country that has them, with its length and form, and the right check digits.
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

/// Where the account number ends that begins at a place.
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

/// Digits that stand together.
struct Group {
    range: Range<usize>,
    /// End of the group before, or the beginning of the text.
    before: usize,
    /// Whether they go on the group before: nothing but a few separators is between.
    goes_on: bool,
}

/// Card numbers: 13 to 19 digits that begin as those of some issuer and have the right check digit.
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

/// The last group of the card number that begins with a group.
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
        // Dates, versions and small numbers side by side have shorter groups.
        let is_short = group.range.len() < 3;
        if digits.len() > 19 || is_short {
            return None;
        }
        // A fraction is no card number.
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

/// The last group of a card number that begins with a group and is grouped as cards print it, whatever stands between the
/// groups. As that may be a list of numbers, the same has to stand between all of them, and a number of the same length
/// must not follow or precede it in the same way. A month, or the number of a row, may.
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

/// Whether an issuer's numbers begin so. Times and counters mostly begin with other digits.
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
