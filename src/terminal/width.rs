//! How wide text is on a terminal. Wide letters take two columns, combining marks none, and an emoji of several characters
//! is one letter.

use std::borrow::Cow;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr;

/// Stands for what was cut.
pub(crate) const ELLIPSIS: &str = "…";

/// The number of columns that a line takes.
pub(crate) fn width(line: &str) -> usize {
    if line.is_ascii() {
        return line.len();
    }
    line.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// Length in bytes of the longest beginning that fits.
pub(super) fn fitting(line: &str, room: usize) -> usize {
    let mut used = 0;
    for (at, letter) in line.grapheme_indices(true) {
        used += letter.width();
        if used > room {
            return at;
        }
    }
    line.len()
}

/// A line with an ellipsis at its end if it does not fit.
pub(crate) fn cut(line: &str, room: usize) -> Cow<'_, str> {
    if fitting(line, room) == line.len() {
        return Cow::Borrowed(line);
    }
    let end = fitting(line, room.saturating_sub(1));
    Cow::Owned(format!("{}{ELLIPSIS}", &line[..end]))
}

/// Breaks a line between words, and a word that does not fit between its letters.
pub(super) fn wrapped(line: &str, room: usize) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    loop {
        let rest = &line[start..];
        let fits = fitting(rest, room);
        if fits == rest.len() {
            ranges.push(start..line.len());
            return ranges;
        }
        // A letter that is wider than the room gets a line of its own.
        let fits = match fits {
            0 => rest.graphemes(true).next().map_or(rest.len(), str::len),
            fits => fits,
        };
        let indent = rest.len() - rest.trim_start_matches(' ').len();
        let end = if rest[fits..].starts_with(' ') {
            fits
        } else {
            let blank = rest[..fits].rfind(' ');
            blank.filter(|at| *at > indent).unwrap_or(fits)
        };
        ranges.push(start..start + rest[..end].trim_end_matches(' ').len());
        let next = &rest[end..];
        start += end + (next.len() - next.trim_start_matches(' ').len());
        if start == line.len() {
            return ranges;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A family of three, one letter of five characters.
    const FAMILY: &str = "👩\u{200d}👩\u{200d}👧";

    #[test]
    fn letters_are_as_wide_as_a_terminal_shows_them() {
        for (text, columns) in [
            ("plain", 5),
            ("余额不足", 8),
            ("e\u{301}te\u{301}", 3),
            (FAMILY, 2),
            ("♠", 1),
            ("", 0),
        ] {
            assert_eq!(width(text), columns, "{text}");
        }
    }

    #[test]
    fn letters_are_not_cut_apart() {
        assert_eq!(cut("余额不足", 8), "余额不足");
        assert_eq!(cut("余额不足", 7), "余额不…");
        assert_eq!(cut("余额不足", 6), "余额…");
        assert_eq!(cut("e\u{301}te\u{301}s", 3), "e\u{301}t…");
        assert_eq!(cut(&format!("{FAMILY}{FAMILY}"), 3), format!("{FAMILY}…"));
    }

    fn lines(text: &str, room: usize) -> Vec<&str> {
        let ranges = wrapped(text, room).into_iter();
        ranges.map(|range| &text[range]).collect()
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(lines("not enough chips", 10), ["not enough", "chips"]);
        assert_eq!(lines("not enough  chips", 9), ["not", "enough", "chips"]);
        assert_eq!(lines("  indented word", 10), ["  indented", "word"]);
        assert_eq!(lines("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(lines("余额不足 x", 5), ["余额", "不足", "x"]);
        assert_eq!(lines("余额", 1), ["余", "额"]);
        assert_eq!(lines("blank  ", 5), ["blank"]);
        assert_eq!(lines("", 5), [""]);
    }

    proptest! {
        #[test]
        fn wrapping_loses_only_blanks(text in "[a-c余é👩 ]{0,40}", room in 2_usize..12) {
            let lines = lines(&text, room);
            prop_assert!(lines.iter().all(|line| width(line) <= room));
            let letters = |text: &str| text.replace(' ', "");
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
            prop_assert!(width(&cut(&text, room)) <= room);
        }
    }
}
