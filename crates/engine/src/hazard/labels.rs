//! A column of texts that repeat, as codes into the list of its distinct values: strata, clusters.

use crate::memory::Room;
use std::collections::HashMap;

use crate::numeric::bytes::{Reader, Writer};
use crate::{Error, Result};

/// The code of a row without a label.
const NONE: u32 = u32::MAX;

/// One label (or none) per row. Codes count the distinct labels in the order in which they came.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    codes: Vec<u32>,
    names: Vec<Box<str>>,
    places: HashMap<Box<str>, u32>,
    bytes: usize,
}

impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        self.codes == other.codes && self.names == other.names
    }
}

impl Labels {
    /// Adds a row.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] when memory, or the codes, are exhausted.
    pub fn push(&mut self, label: Option<&str>) -> Result<()> {
        self.codes.room(1).map_err(|_| no_memory())?;
        let code = label.map_or(Ok(NONE), |label| self.code(label))?;
        self.codes.push(code);
        Ok(())
    }

    fn code(&mut self, label: &str) -> Result<u32> {
        // Rows often come sorted, or have few labels: the last one is a good guess.
        if let Some(last) = self.codes.last().filter(|last| **last != NONE)
            && *self.names[*last as usize] == *label
        {
            return Ok(*last);
        }
        if let Some(code) = self.places.get(label) {
            return Ok(*code);
        }
        let code = u32::try_from(self.names.len()).ok().filter(|code| *code != NONE).ok_or_else(no_memory)?;
        let reserved = self.names.room(1).and_then(|()| self.places.room(1));
        reserved.map_err(|_| no_memory())?;
        self.names.push(label.into());
        self.places.insert(label.into(), code);
        self.bytes += 2 * label.len();
        Ok(code)
    }

    /// Appends the rows of `other`.
    pub fn merge(&mut self, other: &Labels) -> Result<()> {
        self.codes.room(other.codes.len()).map_err(|_| no_memory())?;
        let mut codes = Vec::with_capacity(other.names.len());
        for name in &other.names {
            codes.push(self.code(name)?);
        }
        self.codes.extend(other.codes.iter().map(|code| if *code == NONE { NONE } else { codes[*code as usize] }));
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// The distinct labels, by code.
    pub fn names(&self) -> &[Box<str>] {
        &self.names
    }

    /// The code of a row; `None` for a row without a label.
    pub fn get(&self, row: usize) -> Option<u32> {
        self.codes.get(row).copied().filter(|code| *code != NONE)
    }

    /// The label of a row.
    pub fn name(&self, row: usize) -> Option<&str> {
        self.get(row).map(|code| &*self.names[code as usize])
    }

    pub fn memory_bytes(&self) -> usize {
        // A name stands in the list and in the map, whose entries take about 40 bytes.
        4 * self.codes.capacity() + self.bytes + self.names.len() * 72
    }

    pub(super) fn write(&self, out: &mut Writer) {
        out.whole(self.names.len() as u64);
        for name in &self.names {
            out.whole(name.len() as u64);
            out.bytes.extend_from_slice(name.as_bytes());
        }
        for code in &self.codes {
            out.whole(u64::from(code.wrapping_add(1)));
        }
    }

    /// The labels of so many rows.
    pub(super) fn read(from: &mut Reader, rows: usize) -> Result<Labels> {
        let names = from.count(1)?;
        let mut labels = Labels::default();
        for _ in 0..names {
            let length = from.count(1)?;
            let bytes = (0..length).map(|_| from.byte()).collect::<Result<Vec<u8>>>()?;
            let name = String::from_utf8(bytes).map_err(|_| Error::malformed("a label is not valid UTF-8"))?;
            if name.contains('\0') {
                return Err(Error::malformed("a label holds a NUL character, which no text of SQL does"));
            }
            let before = labels.names.len();
            labels.code(&name)?;
            if labels.names.len() == before {
                return Err(Error::malformed("a list of labels names one twice"));
            }
        }
        for _ in 0..rows {
            let code = from.whole()?;
            if code > names as u64 {
                return Err(Error::malformed("a row has a label that is not in the list"));
            }
            labels.codes.push((code as u32).wrapping_sub(1));
        }
        Ok(labels)
    }
}

fn no_memory() -> Error {
    Error::NoMemory("no memory is left for the labels of the rows".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(rows: &[Option<String>]) -> Labels {
        let mut labels = Labels::default();
        rows.iter().for_each(|row| labels.push(row.as_deref()).unwrap());
        labels
    }

    proptest! {
        #[test]
        fn merged_and_stored_labels_are_those_pushed(
            first in prop::collection::vec(prop::option::of("[abü]{0,2}"), 0..20),
            second in prop::collection::vec(prop::option::of("[abü]{0,2}"), 0..20),
        ) {
            let mut both = labels(&first);
            both.merge(&labels(&second)).unwrap();
            let rows: Vec<Option<&str>> = first.iter().chain(&second).map(Option::as_deref).collect();
            prop_assert_eq!((0..both.len()).map(|row| both.name(row)).collect::<Vec<_>>(), rows);
            let mut out = Writer::default();
            both.write(&mut out);
            let mut from = Reader::new(&out.bytes);
            prop_assert_eq!(Labels::read(&mut from, both.len()).unwrap(), both);
            prop_assert!(from.finish().is_ok());
        }
    }
}
