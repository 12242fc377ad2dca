//! Scans the text of `.proto` files the way `protoc` does, allowing a byte order mark and comments in any encoding, and
//! collects what has to be known before compilation.

use std::fmt::Write as _;

use super::MAX_DEPTH;

/// A file's text, and its top-level declarations.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) text: String,
    pub(super) edition: Option<String>,
    pub(super) imports: Vec<String>,
}

/// Why a text cannot be compiled.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    /// Line and column, from 1.
    pub(super) position: (usize, usize),
    pub(super) message: String,
}

/// A token of a top-level statement.
enum Token {
    Word(String),
    Text(String),
    Sign,
}

/// Scans a file.
pub(super) fn read(bytes: &[u8]) -> Result<Source, Mistake> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(Mistake {
            position: (1, 1),
            message: "the file is UTF-16: save it as UTF-8".into(),
        });
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = Scanner {
        bytes,
        source: Source::default(),
        depth: 0,
        statement: Vec::new(),
    };
    let mut at = 0;
    while at < bytes.len() {
        at = reader.token_end(at)?;
    }
    Ok(reader.source)
}

struct Scanner<'a> {
    bytes: &'a [u8],
    source: Source,
    depth: usize,
    statement: Vec<Token>,
}

impl Scanner<'_> {
    /// Scans the token at this position, and returns its end.
    fn token_end(&mut self, at: usize) -> Result<usize, Mistake> {
        let rest = &self.bytes[at..];
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let length = match rest {
            [b'/', b'/', ..] => position(rest, b"\n").unwrap_or(rest.len()),
            [b'/', b'*', ..] => position(&rest[2..], b"*/").map_or(rest.len(), |end| end + 4),
            [quote @ (b'"' | b'\''), ..] => string_length(rest, *quote),
            [first, ..] if is_word(first) => rest.iter().take_while(|byte| is_word(byte)).count(),
            // Any other character.
            _ => {
                1 + rest[1..]
                    .iter()
                    .take_while(|byte| (0x80..0xc0).contains(*byte))
                    .count()
            }
        };
        let piece = &rest[..length];
        if piece.starts_with(b"//") || piece.starts_with(b"/*") {
            self.source.text.push_str(&String::from_utf8_lossy(piece));
            return Ok(at + length);
        }
        let Ok(text) = std::str::from_utf8(piece) else {
            return Err(self.mistake(at, "outside of comments, a .proto file is UTF-8"));
        };
        self.source.text.push_str(text);
        match piece {
            [b'{' | b'[' | b'(' | b'<', ..] => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    let message = format!("nested deeper than {MAX_DEPTH} levels");
                    return Err(self.mistake(at, &message));
                }
            }
            [b'}' | b']' | b')' | b'>', ..] => {
                self.depth = self.depth.saturating_sub(1);
                self.statement.clear();
            }
            [b';', ..] if self.depth == 0 => self.end_statement(),
            _ if self.depth > 0 || text.trim().is_empty() => {}
            [b'"' | b'\'', ..] => {
                let inner = text.get(1..text.len().saturating_sub(1));
                self.statement
                    .push(Token::Text(inner.unwrap_or_default().to_owned()));
            }
            [first, ..] if is_word(first) => self.statement.push(Token::Word(text.to_owned())),
            _ => self.statement.push(Token::Sign),
        }
        Ok(at + length)
    }

    fn end_statement(&mut self) {
        let statement = std::mem::take(&mut self.statement);
        let Some((Token::Word(first), rest)) = statement.split_first() else {
            return;
        };
        let text: Option<String> = rest
            .iter()
            .filter_map(|token| match token {
                Token::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .map(str::to_owned)
            .reduce(|all, more| all + &more);
        let is_assignment = matches!(rest, [Token::Sign, Token::Text(_), ..]);
        match (first.as_str(), text) {
            ("edition", Some(edition)) if is_assignment => self.source.edition = Some(edition),
            ("import", Some(name)) => self.source.imports.push(name),
            _ => {}
        }
    }

    fn mistake(&self, at: usize, message: &str) -> Mistake {
        let before = &self.bytes[..at];
        let line = before.split(|byte| *byte == b'\n').count();
        let start = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let column = 1 + String::from_utf8_lossy(&before[start..]).chars().count();
        let mut text = message.to_owned();
        if self.bytes[at] >= 0x80 {
            let _ = write!(text, ", and this is the byte 0x{:02x}", self.bytes[at]);
        }
        Mistake {
            position: (line, column),
            message: text,
        }
    }
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|here| here == wanted)
}

/// Length of a string literal with its quotes, or up to the end of the line if it is not closed.
fn string_length(bytes: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'\n' => return at,
            byte if *byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn the_top_of_a_file_is_read() {
        let text = b"\xef\xbb\xbf// edition = \"1\"; caf\xe9\n/* import \"no\"; \xff */ edition = '2023';\n\
            package a.b;\nimport \"x/y.proto\";import public 'z.proto' ;import weak \"w\"\n\".proto\";\n\
            option (o) = { import: \"no\" };\nmessage M { string edition = 1; }\n";
        let source = read(text).unwrap();
        assert_eq!(source.edition.as_deref(), Some("2023"));
        assert_eq!(source.imports, ["x/y.proto", "z.proto", "w.proto"]);
        assert!(source.text.starts_with("// edition = \"1\"; caf\u{fffd}\n"));
        assert!(source.text.ends_with("message M { string edition = 1; }\n"));
        let plain = read("syntax = \"proto3\"; // \u{e9}\n".as_bytes()).unwrap();
        assert_eq!((plain.edition, plain.text.chars().count()), (None, 24));
        assert!(read(b"/* not closed \xff").is_ok() && read(b"\"not closed \\").is_ok());
    }

    #[test]
    fn bytes_that_are_no_text_and_deep_nesting_have_a_place() {
        for (bytes, position) in [
            (&b"syntax = \"proto3\";\nmessage caf\xe9 {}\n"[..], (2, 12)),
            (b"option a = \"\xe9\";", (1, 12)),
            (b"\xef\xbb\xbf\xff", (1, 1)),
            (b"\xff\xfem\0", (1, 1)),
        ] {
            assert_eq!(read(bytes).unwrap_err().position, position);
        }
        let deep = "message A {".repeat(101);
        assert_eq!(
            read(deep.as_bytes()).unwrap_err().message,
            "nested deeper than 100 levels"
        );
        assert!(read("message A {}".repeat(1000).as_bytes()).is_ok());
    }
}
