//! Reading and writing of the stored byte forms: fixed little-endian floats and LEB128 whole numbers.
//!
//! The reader trusts nothing: every length is compared with what is left before anything is allocated.

use crate::{Error, Result};

/// Whole numbers up to here are exact in a double; larger ones are not stored as whole.
pub const EXACT_LIMIT: f64 = 9_007_199_254_740_992.0;

/// Appends to a growing buffer.
#[derive(Debug, Default)]
pub struct Writer {
    pub bytes: Vec<u8>,
}

impl Writer {
    pub fn byte(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub fn float(&mut self, value: f64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub fn floats(&mut self, values: &[f64]) {
        self.whole(values.len() as u64);
        for value in values {
            self.float(*value);
        }
    }

    /// A part with its length before it.
    pub fn part(&mut self, part: &Writer) {
        self.whole(part.bytes.len() as u64);
        self.bytes.extend_from_slice(&part.bytes);
    }

    /// LEB128: seven bits a byte, the lowest first.
    pub fn whole(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

/// Walks over bytes that may have come from anywhere.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    pub fn byte(&mut self) -> Result<u8> {
        let (first, rest) = self.rest.split_first().ok_or_else(truncated)?;
        self.rest = rest;
        Ok(*first)
    }

    pub fn float(&mut self) -> Result<f64> {
        let (head, rest) = self.rest.split_first_chunk::<8>().ok_or_else(truncated)?;
        self.rest = rest;
        Ok(f64::from_le_bytes(*head))
    }

    pub fn whole(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Error::malformed("a whole number in the stored value does not end"))
    }

    /// A count of items of at least `bytes_each` bytes, refused when the buffer cannot hold them.
    pub fn count(&mut self, bytes_each: usize) -> Result<usize> {
        let count = self.whole()?;
        let room = (self.rest.len() / bytes_each.max(1)) as u64;
        if count > room { Err(truncated()) } else { Ok(count as usize) }
    }

    pub fn floats(&mut self) -> Result<Vec<f64>> {
        let count = self.count(8)?;
        (0..count).map(|_| self.float()).collect()
    }

    /// Whether all has been read: the fields that follow are those that a value may be without.
    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// A part that says how long it is.
    pub fn part(&mut self) -> Result<Reader<'a>> {
        let length = self.count(1)?;
        let (part, rest) = self.rest.split_at_checked(length).ok_or_else(truncated)?;
        self.rest = rest;
        Ok(Reader::new(part))
    }

    /// Nothing may follow the last field.
    pub fn finish(self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(Error::malformed("bytes follow the end of the stored value")) }
    }
}

fn truncated() -> Error {
    Error::malformed("the stored value ends too early")
}
