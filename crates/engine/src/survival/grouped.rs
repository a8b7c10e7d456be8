//! Samples of several groups, within strata, gathered at once: what the tests between groups read.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use crate::memory::{Room, asking, no_memory};
use crate::numeric::bytes::{Reader, Writer};
use crate::numeric::tally::Budget;
use crate::survival::sample::Sample;
use crate::{Error, Result};

const VERSION: u8 = 1;

/// More cells than this are no groups: the column is an identifier.
pub const MOST_CELLS: usize = 10_000;

/// Rows between two looks at the memory of all cells.
const ROWS_PER_LOOK: usize = 1 << 10;

/// The name of a group or a stratum. Whole numbers come before texts; texts are ordered by their bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    /// The one stratum of rows that named none.
    None,
    Integer(i64),
    Text(Box<str>),
}

impl Label {
    /// As SQL shows it.
    pub fn name(&self) -> Option<String> {
        match self {
            Label::None => None,
            Label::Integer(value) => Some(value.to_string()),
            Label::Text(text) => Some(text.to_string()),
        }
    }

    /// SQL's texts hold no NUL, so none came from there.
    fn is_no_sql_text(&self) -> bool {
        matches!(self, Label::Text(text) if text.contains('\0'))
    }

    fn borrowed(&self) -> LabelRef<'_> {
        match self {
            Label::None => LabelRef::None,
            Label::Integer(value) => LabelRef::Integer(*value),
            Label::Text(text) => LabelRef::Text(text.as_bytes()),
        }
    }
}

/// A label where it lies in a row. The bytes of a text are judged only when they are new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LabelRef<'a> {
    None,
    Integer(i64),
    Text(&'a [u8]),
}

impl LabelRef<'_> {
    #[inline(always)]
    fn is(&self, label: &Label) -> bool {
        match (self, label) {
            (LabelRef::None, Label::None) => true,
            (LabelRef::Integer(a), Label::Integer(b)) => a == b,
            (LabelRef::Text(a), Label::Text(b)) => *a == b.as_bytes(),
            _ => false,
        }
    }

    fn owned(&self) -> Result<Label> {
        Ok(match self {
            LabelRef::None => Label::None,
            LabelRef::Integer(value) => Label::Integer(*value),
            LabelRef::Text(bytes) => {
                let text = std::str::from_utf8(bytes).map_err(|_| Error::malformed("a label is not valid UTF-8"))?;
                Label::Text(text.into())
            }
        })
    }
}

#[inline(always)]
fn hash_of(stratum: LabelRef, group: LabelRef) -> u64 {
    FxBuildHasher.hash_one((stratum, group))
}

/// The sample of one group within one stratum.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    pub stratum: Label,
    pub group: Label,
    pub sample: Sample,
}

/// One row of a study: who, in which group, from when until when, with what end.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    pub stratum: LabelRef<'a>,
    pub group: LabelRef<'a>,
    /// 0 for none.
    pub entry: f64,
    pub duration: f64,
    pub event: bool,
    pub weight: f64,
}

/// Samples per stratum and group; mergeable, the order of the rows does not matter.
#[derive(Debug, Clone, Default)]
pub struct Grouped {
    /// In the order in which they came.
    cells: Vec<Cell>,
    /// Where each is, by its labels.
    places: HashTable<usize>,
    /// Rows left out because an argument was NULL.
    skipped: u64,
    rows_to_look: usize,
}

impl PartialEq for Grouped {
    fn eq(&self, other: &Self) -> bool {
        self.skipped == other.skipped && self.sorted() == other.sorted()
    }
}

impl Grouped {
    /// Adds one row; the budget is asked for when memory may grow.
    ///
    /// # Errors
    /// As [`Sample::add_row`]; when there are more than [`MOST_CELLS`] groups within strata.
    #[inline(always)]
    pub fn add(&mut self, row: &Row, budget: impl Fn() -> Budget) -> Result<()> {
        if self.rows_to_look == 0 {
            self.look(budget())?;
        }
        self.rows_to_look -= 1;
        let cell = self.cell(row.stratum, row.group)?;
        let sample = &mut self.cells[cell].sample;
        if row.entry == 0.0 && row.weight == 1.0 {
            sample.add_asking(row.duration, row.event, budget)
        } else {
            sample.add_row(row.entry, row.duration, row.event, row.weight, budget())
        }
    }

    /// The place of a cell, which is made when it is new.
    #[inline(always)]
    fn cell(&mut self, stratum: LabelRef, group: LabelRef) -> Result<usize> {
        let hash = hash_of(stratum, group);
        let same = |place: &usize| {
            let cell = &self.cells[*place];
            group.is(&cell.group) && stratum.is(&cell.stratum)
        };
        match self.places.find(hash, same) {
            Some(place) => Ok(*place),
            None => self.add_cell(stratum, group, hash),
        }
    }

    #[inline(never)]
    fn add_cell(&mut self, stratum: LabelRef, group: LabelRef, hash: u64) -> Result<usize> {
        if self.cells.len() >= MOST_CELLS {
            return Err(Error::invalid(
                format!("more than {MOST_CELLS} groups within strata"),
                "A column with so many values looks like an identifier, not like a group: group by a segment, or by ranges of the number.",
            ));
        }
        let named = |label: LabelRef| {
            let hint = "Convert the column to UTF-8, or number the groups.";
            label.owned().map_err(|_| Error::invalid("the name of a group or stratum is not valid UTF-8", hint))
        };
        self.cells.room(1).map_err(|_| no_memory(2 * self.cells.len() * size_of::<Cell>()))?;
        let cells = &self.cells;
        let hash_at = |place: &usize| hash_of(cells[*place].stratum.borrowed(), cells[*place].group.borrowed());
        let asked = asking(|| self.places.try_reserve(1, hash_at));
        asked.map_err(|_| no_memory(2 * cells.len() * size_of::<usize>()))?;
        self.cells.push(Cell { stratum: named(stratum)?, group: named(group)?, sample: Sample::default() });
        // Names may be long.
        self.rows_to_look = 0;
        let place = self.cells.len() - 1;
        let cells = &self.cells;
        self.places.insert_unique(hash, place, |place| {
            let cell = &cells[*place];
            hash_of(cell.stratum.borrowed(), cell.group.borrowed())
        });
        Ok(place)
    }

    #[inline(never)]
    fn look(&mut self, budget: Budget) -> Result<()> {
        budget.check(self.memory_bytes(), "the summary")?;
        // A look costs a step per cell, so there is one for as many rows at most.
        self.rows_to_look = ROWS_PER_LOOK.max(self.cells.len());
        Ok(())
    }

    /// Notes a row that was left out because an argument was NULL.
    pub fn skip(&mut self) {
        self.skipped = self.skipped.saturating_add(1);
    }

    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Adds everything that `other` has seen.
    pub fn merge(&mut self, other: &Grouped, budget: Budget) -> Result<()> {
        for theirs in &other.cells {
            budget.check(self.memory_bytes(), "the summary")?;
            let cell = self.cell(theirs.stratum.borrowed(), theirs.group.borrowed())?;
            self.cells[cell].sample.merge(&theirs.sample, budget)?;
        }
        self.skipped = self.skipped.saturating_add(other.skipped);
        budget.check(self.memory_bytes(), "the summary")
    }

    /// The cells by stratum, then group.
    pub fn sorted(&self) -> Vec<&Cell> {
        let mut cells: Vec<&Cell> = self.cells.iter().collect();
        cells.sort_by(|a, b| (&a.stratum, &a.group).cmp(&(&b.stratum, &b.group)));
        cells
    }

    /// The groups of all strata, in order.
    pub fn groups(&self) -> Vec<&Label> {
        let mut groups: Vec<&Label> = self.cells.iter().map(|cell| &cell.group).collect();
        groups.sort();
        groups.dedup();
        groups
    }

    /// The samples of each stratum in order, each with the place of its group in [`Grouped::groups`].
    pub fn strata(&self) -> Vec<Vec<(usize, &Sample)>> {
        let groups = self.groups();
        let sorted = self.sorted();
        let strata = sorted.chunk_by(|a, b| a.stratum == b.stratum);
        // Every group is in the list of groups.
        let place = |cell: &Cell| groups.partition_point(|group| **group < cell.group);
        strata.map(|cells| cells.iter().map(|cell| (place(cell), &cell.sample)).collect()).collect()
    }

    pub fn memory_bytes(&self) -> usize {
        let text = |label: &Label| if let Label::Text(text) = label { text.len() } else { 0 };
        let cell = |cell: &Cell| cell.sample.memory_bytes() + text(&cell.group) + text(&cell.stratum);
        self.cells.iter().map(cell).sum::<usize>()
            + self.cells.capacity() * size_of::<Cell>()
            + self.places.allocation_size()
    }

    /// A summary of these cells, in any order.
    ///
    /// # Errors
    /// [`Error::Malformed`] when one is there twice, has no rows or no group, or there are more than [`MOST_CELLS`].
    pub fn from_cells(cells: Vec<Cell>, skipped: u64) -> Result<Self> {
        let mut grouped = Grouped { skipped, ..Grouped::default() };
        if cells.len() > MOST_CELLS {
            return Err(Error::malformed(format!("more than {MOST_CELLS} groups within strata")));
        }
        for cell in cells {
            if cell.group == Label::None || cell.sample.exits().is_empty() {
                return Err(Error::malformed("a group of a summary has no name or no rows"));
            }
            if [&cell.stratum, &cell.group].into_iter().any(Label::is_no_sql_text) {
                return Err(Error::malformed("the name of a group or stratum holds a NUL character"));
            }
            let before = grouped.cells.len();
            let place = grouped.cell(cell.stratum.borrowed(), cell.group.borrowed())?;
            if place < before {
                return Err(Error::malformed("a group of a summary is there twice"));
            }
            grouped.cells[place] = cell;
        }
        Ok(grouped)
    }

    /// Bytes: version, skipped, number of cells, then each cell by stratum and group: both labels and the sample.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.byte(VERSION);
        out.whole(self.skipped);
        // A cell in which the first row was refused has none; it is nowhere but in an aborted aggregate.
        let cells: Vec<&Cell> = self.sorted().into_iter().filter(|cell| !cell.sample.exits().is_empty()).collect();
        out.whole(cells.len() as u64);
        for cell in cells {
            write_label(&mut out, &cell.stratum);
            write_label(&mut out, &cell.group);
            let mut sample = Writer::default();
            cell.sample.write(&mut sample);
            out.part(&sample);
        }
        out.bytes
    }

    /// # Errors
    /// [`Error::Malformed`] for anything that [`Grouped::encode`] could not have written.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut from = Reader::new(bytes);
        let version = from.byte()?;
        if version != VERSION {
            return Err(Error::malformed(format!(
                "format version {version} of ltv.grouped_survival is not known to this release"
            )));
        }
        let skipped = from.whole()?;
        // Two labels, two tallies of no cells and no rows skipped take so much.
        let count = from.count(7)?;
        let mut cells: Vec<Cell> = Vec::with_capacity(count.min(MOST_CELLS));
        for _ in 0..count {
            let (stratum, group) = (read_label(&mut from)?, read_label(&mut from)?);
            let mut part = from.part()?;
            let sample = Sample::read(&mut part)?;
            part.finish()?;
            cells.push(Cell { stratum, group, sample });
        }
        from.finish()?;
        Self::from_cells(cells, skipped)
    }
}

fn write_label(out: &mut Writer, label: &Label) {
    match label {
        Label::None => out.byte(0),
        Label::Integer(value) => {
            out.byte(1);
            out.bytes.extend_from_slice(&value.to_le_bytes());
        }
        Label::Text(text) => {
            out.byte(2);
            out.whole(text.len() as u64);
            out.bytes.extend_from_slice(text.as_bytes());
        }
    }
}

fn read_label(from: &mut Reader) -> Result<Label> {
    match from.byte()? {
        0 => Ok(Label::None),
        1 => Ok(Label::Integer(from.float()?.to_bits() as i64)),
        2 => {
            let length = from.count(1)?;
            let bytes = (0..length).map(|_| from.byte()).collect::<Result<Vec<u8>>>()?;
            LabelRef::Text(&bytes).owned()
        }
        other => Err(Error::malformed(format!("unknown kind {other} of a label"))),
    }
}
