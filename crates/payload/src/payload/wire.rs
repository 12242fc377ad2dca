//! Encodes numbers, lengths and tags in protobuf's wire format. Uses no descriptor.

/// A scalar in its wire form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scalar<'a> {
    Varint(u64),
    Fixed32(u32),
    Fixed64(u64),
    Text(&'a str),
    Bytes(Vec<u8>),
}

/// Wire type of length-delimited fields.
pub(super) const LENGTH_DELIMITED: u32 = 2;
/// Wire type that starts a group.
pub(super) const GROUP_START: u32 = 3;
/// Wire type that ends a group.
pub(super) const GROUP_END: u32 = 4;

impl Scalar<'_> {
    /// Whether this is the default value of its kind, bit for bit: `-0.0` is not.
    pub(super) fn is_default(&self) -> bool {
        match self {
            Self::Varint(value) | Self::Fixed64(value) => *value == 0,
            Self::Fixed32(value) => *value == 0,
            Self::Text(text) => text.is_empty(),
            Self::Bytes(bytes) => bytes.is_empty(),
        }
    }

    const fn wire_type(&self) -> u32 {
        match self {
            Self::Varint(_) => 0,
            Self::Fixed64(_) => 1,
            Self::Text(_) | Self::Bytes(_) => LENGTH_DELIMITED,
            Self::Fixed32(_) => 5,
        }
    }

    /// Writes tag and value.
    pub(super) fn write_field(&self, number: u32, out: &mut Vec<u8>) {
        write_tag(number, self.wire_type(), out);
        self.write(out);
    }

    /// Writes the value without a tag, as in a packed list.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Varint(value) => write_varint(*value, out),
            Self::Fixed32(value) => out.extend_from_slice(&value.to_le_bytes()),
            Self::Fixed64(value) => out.extend_from_slice(&value.to_le_bytes()),
            Self::Text(text) => write_bytes(text.as_bytes(), out),
            Self::Bytes(bytes) => write_bytes(bytes, out),
        }
    }
}

pub(super) fn write_tag(number: u32, wire_type: u32, out: &mut Vec<u8>) {
    write_varint(u64::from(number << 3 | wire_type), out);
}

pub(super) fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// Writes a length-delimited value.
pub(super) fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Reserves space for a length; [`close_length`] fills it in.
pub(super) fn open_length(out: &mut Vec<u8>) -> usize {
    out.push(0);
    out.len()
}

/// Writes the length of everything written since `start`. It mostly fits into the one byte that was reserved.
pub(super) fn close_length(start: usize, out: &mut Vec<u8>) {
    let length = out.len() - start;
    if length < 0x80 {
        out[start - 1] = length.to_le_bytes()[0];
    } else {
        let mut prefix = Vec::with_capacity(5);
        write_varint(length as u64, &mut prefix);
        out.splice(start - 1..start, prefix);
    }
}

/// The fields of an encoded message: number, all bytes, and the content of a length-delimited field. Stops at malformed
/// bytes.
pub(super) fn fields(bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8], &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let whole = rest;
        let tag = read_varint(&mut rest)?;
        let content = match tag & 7 {
            0 => read_varint(&mut rest).map(|_| &[][..])?,
            1 => rest.split_off(..8)?,
            2 => {
                let length = usize::try_from(read_varint(&mut rest)?).ok()?;
                rest.split_off(..length)?
            }
            5 => rest.split_off(..4)?,
            _ => return None,
        };
        Some((
            u32::try_from(tag >> 3).ok()?,
            &whole[..whole.len() - rest.len()],
            content,
        ))
    })
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.split_off_first()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}
