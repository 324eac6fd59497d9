//! A cursor over a record's payload whose errors name the record and the field.

use crate::WireError;

pub(crate) struct Cursor<'a> {
    kind: &'static str,
    all: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(kind: &'static str, all: &'a [u8]) -> Self {
        Self { kind, all, at: 0 }
    }

    pub(crate) fn take(
        &mut self,
        count: usize,
        field: &'static str,
    ) -> Result<&'a [u8], WireError> {
        let rest = &self.all[self.at..];
        if rest.len() < count {
            return Err(WireError::Truncated { kind: self.kind, length: self.all.len(), field });
        }
        self.at += count;
        Ok(&rest[..count])
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], WireError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, field)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, WireError> {
        Ok(self.array::<1>(field)?[0])
    }

    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, WireError> {
        self.array(field).map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, WireError> {
        self.array(field).map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64, WireError> {
        self.array(field).map(u64::from_le_bytes)
    }

    /// A finite number; NaN and infinities are refused, because nothing behind this expects them.
    pub(crate) fn f32(&mut self, field: &'static str) -> Result<f32, WireError> {
        let value = self.array(field).map(f32::from_le_bytes)?;
        self.check(value.is_finite(), field, value, "the finite numbers")?;
        Ok(value)
    }

    /// A finite number; NaN and infinities are refused, because nothing behind this expects them.
    pub(crate) fn f64(&mut self, field: &'static str) -> Result<f64, WireError> {
        let value = self.array(field).map(f64::from_le_bytes)?;
        self.check(value.is_finite(), field, value, "the finite numbers")?;
        Ok(value)
    }

    /// `count` bytes of text for people: what is not UTF-8 is replaced, control characters are dropped.
    pub(crate) fn text(&mut self, count: usize, field: &'static str) -> Result<String, WireError> {
        let text = String::from_utf8_lossy(self.take(count, field)?).into_owned();
        Ok(text.chars().filter(|c| !c.is_control()).collect())
    }

    pub(crate) fn check(
        &self,
        holds: bool,
        field: &'static str,
        value: impl ToString,
        range: &'static str,
    ) -> Result<(), WireError> {
        if holds {
            return Ok(());
        }
        Err(WireError::OutOfRange { kind: self.kind, field, value: value.to_string(), range })
    }
}

/// The longest prefix of `text` that fits `limit` bytes and ends between two characters.
pub(crate) fn fitting(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}
