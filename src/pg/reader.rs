//! Queries that all see the same data.
//!
//! pgrx's client gives each query a snapshot of its own once the transaction has written: what another session changes
//! between two of them would be fitted on one state of a relation and judged on another.

use std::ffi::CString;
use std::marker::PhantomData;

use ltv_engine::{Error, Result};
use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;
use pgrx::spi::{SpiClient, SpiHeapTupleData};

/// Reads with the snapshot of the statement that called the function, for as long as SPI is connected.
pub struct Reader<'conn> {
    connected: PhantomData<&'conn ()>,
}

impl<'conn> Reader<'conn> {
    pub fn new(_: &SpiClient<'conn>) -> Reader<'conn> {
        Reader { connected: PhantomData }
    }

    /// The rows of a query, which may not write. PostgreSQL's own errors end the statement.
    pub fn select(&self, query: &str, arguments: &[DatumWithOid]) -> Result<Rows<'conn>> {
        let text = CString::new(query).map_err(|_| Error::OutOfRange("a query holds a NUL".into()))?;
        let mut types: Vec<pg_sys::Oid> = arguments.iter().map(DatumWithOid::oid).collect();
        let nulls: Vec<_> =
            arguments.iter().map(|argument| if argument.datum().is_some() { b' ' } else { b'n' } as i8).collect();
        let mut values: Vec<pg_sys::Datum> = arguments
            .iter()
            .map(|argument| argument.datum().map_or(pg_sys::Datum::from(0), |datum| datum.sans_lifetime()))
            .collect();
        // SAFETY: SPI is connected, for a Reader is made of its client; the arrays are as long as is said, and the text
        // ends with a NUL. Read-only queries run with the active snapshot, whatever the transaction has written.
        let (status, table, count) = unsafe {
            pg_sys::SPI_tuptable = std::ptr::null_mut();
            let status = pg_sys::SPI_execute_with_args(
                text.as_ptr(),
                arguments.len() as i32,
                types.as_mut_ptr(),
                values.as_mut_ptr(),
                nulls.as_ptr(),
                true,
                0,
            );
            (status, pg_sys::SPI_tuptable, pg_sys::SPI_processed)
        };
        if status != pg_sys::SPI_OK_SELECT as i32 || table.is_null() {
            return Err(Error::OutOfRange(format!("a query answered with status {status} of SPI, and no rows")));
        }
        Ok(Rows { table, count: count as usize, next: 0, connected: PhantomData })
    }
}

/// The rows of an answer, from the first on. They are PostgreSQL's until SPI disconnects.
pub struct Rows<'conn> {
    table: *const pg_sys::SPITupleTable,
    count: usize,
    next: usize,
    connected: PhantomData<&'conn ()>,
}

impl<'conn> Rows<'conn> {
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The first row; of no rows, one of NULLs.
    pub fn first(mut self) -> Row<'conn> {
        self.next = 0;
        self.next().unwrap_or(Row(None))
    }
}

impl<'conn> Iterator for Rows<'conn> {
    type Item = Row<'conn>;

    fn next(&mut self) -> Option<Row<'conn>> {
        if self.next >= self.count {
            return None;
        }
        // SAFETY: the table lives until SPI disconnects, which 'conn does not outlive, and has `count` tuples of the
        // descriptor beside them.
        let row = unsafe {
            let tuple = *(*self.table).vals.add(self.next);
            SpiHeapTupleData::new((*self.table).tupdesc, tuple)
        };
        self.next += 1;
        Some(Row(row.ok().flatten()))
    }
}

/// A row of an answer.
pub struct Row<'conn>(Option<SpiHeapTupleData<'conn>>);

impl Row<'_> {
    /// A column by its place, from 1; an error when it is of another type.
    pub fn get<T: IntoDatum + FromDatum>(&self, place: usize) -> Result<Option<T>> {
        match &self.0 {
            Some(row) => row.get(place).map_err(|error| Error::OutOfRange(error.to_string())),
            None => Ok(None),
        }
    }

    /// The only column.
    pub fn get_one<T: IntoDatum + FromDatum>(&self) -> Result<Option<T>> {
        self.get(1)
    }
}
