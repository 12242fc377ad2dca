//! Reads protobuf's wire encoding, field by field, without copying. Uses no descriptor.

use super::MAX_DEPTH;

/// Why bytes are not a message, or cannot be shown. Never contains the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    what: &'static str,
    place: Option<String>,
}

impl Flaw {
    pub(super) const fn new(what: &'static str) -> Self {
        Self { what, place: None }
    }

    /// Adds the location. The innermost one is kept.
    pub(super) fn inside(mut self, field: &str, message: &str) -> Self {
        self.place
            .get_or_insert_with(|| format!("`{field}` of {message}"));
        self
    }
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{}, in {place}", self.what),
            None => f.write_str(self.what),
        }
    }
}

const ENDS_EARLY: Flaw = Flaw::new("a field ends early");
const GROUP: Flaw = Flaw::new("a group begins or ends without the other");

/// A value in its wire form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
    Group(&'a [u8]),
}

/// Iterates over the fields of a message.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The unread bytes.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// The next field's number and value.
    pub(super) fn field(&mut self) -> Result<Option<(u32, Wire<'a>)>, Flaw> {
        if self.is_empty() {
            return Ok(None);
        }
        let (number, wire_type) = self.tag()?;
        let wire = match wire_type {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(self.fixed64()?),
            2 => Wire::Bytes(self.delimited()?),
            3 => Wire::Group(self.group(number)?),
            4 => return Err(GROUP),
            _ => Wire::Fixed32(self.fixed32()?),
        };
        Ok(Some((number, wire)))
    }

    fn tag(&mut self) -> Result<(u32, u8), Flaw> {
        let tag =
            u32::try_from(self.varint()?).map_err(|_| Flaw::new("a field number is too large"))?;
        let wire_type = tag.to_le_bytes()[0] & 7;
        match (tag >> 3, wire_type) {
            (0, _) => Err(Flaw::new("a field has number 0")),
            (_, 6 | 7) => Err(Flaw::new("a field has a wire type that does not exist")),
            (number, wire_type) => Ok((number, wire_type)),
        }
    }

    pub(super) fn varint(&mut self) -> Result<u64, Flaw> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.0.split_off_first().ok_or(ENDS_EARLY)?;
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Flaw::new("a number has more than 64 bits"))
    }

    pub(super) fn fixed32(&mut self) -> Result<u32, Flaw> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(ENDS_EARLY)?;
        self.0 = rest;
        Ok(u32::from_le_bytes(*bytes))
    }

    pub(super) fn fixed64(&mut self) -> Result<u64, Flaw> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(ENDS_EARLY)?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*bytes))
    }

    fn delimited(&mut self) -> Result<&'a [u8], Flaw> {
        let length = usize::try_from(self.varint()?).map_err(|_| ENDS_EARLY)?;
        self.0.split_off(..length).ok_or(ENDS_EARLY)
    }

    /// The bytes between a group's tags.
    fn group(&mut self, number: u32) -> Result<&'a [u8], Flaw> {
        let whole = self.0;
        let mut open = vec![number];
        loop {
            let content = whole.len() - self.0.len();
            if self.is_empty() {
                return Err(GROUP);
            }
            let (number, wire_type) = self.tag()?;
            match wire_type {
                0 => drop(self.varint()?),
                1 => drop(self.fixed64()?),
                2 => drop(self.delimited()?),
                3 if open.len() >= MAX_DEPTH => {
                    return Err(Flaw::new("groups are nested too deeply"));
                }
                3 => open.push(number),
                4 if open.pop() != Some(number) => return Err(GROUP),
                4 if open.is_empty() => return Ok(&whole[..content]),
                4 => {}
                _ => drop(self.fixed32()?),
            }
        }
    }
}
