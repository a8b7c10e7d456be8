//! Rows of answers, written down as PostgreSQL keeps them: forming a tuple from datums would cost as much again as a
//! valuation.
//!
//! The form is that of rows on disk (`htup_details.h`, `heap_fill_tuple`): a header with a bit for each column where some
//! are NULL, then the columns that are there, each aligned as its type is but for short texts and numerics. The header
//! is PostgreSQL's own, of a row that it formed: minor releases add to it (15.20 the version of the row's type).

use ltv_engine::value::Minor;
use pgrx::{AnyNumeric, IntoDatum, PgSqlErrorCode, pg_sys};

use crate::pg::column::tuple_desc_attribute;
use crate::pg::error::report;
use crate::pg::numeric::{self, money};
use crate::pg::varlena;

/// A column of an answer.
pub enum Field {
    Float(Option<f64>),
    Integer(Option<i64>),
    /// An integer, or a date as days since 2000-01-01.
    Int4(Option<i32>),
    Text(Option<String>),
    Bool(bool),
    /// A text that is always there, such as a status.
    Name(&'static str),
    Texts(Vec<String>),
    /// The digits of a number, exactly.
    Numeric(Option<String>),
    /// Money in minor units, and how many decimals they are.
    Money(Option<Minor>, u32),
    /// The payload of a value of one of our types.
    Bytes(Vec<u8>),
}

/// The longest payload of a varlena whose header is one byte.
const LONGEST_SHORT: usize = 0x7e;

/// The bytes of a header before its bits.
const HEADER: usize = std::mem::offset_of!(pg_sys::HeapTupleHeaderData, t_bits);

/// How wide the values of a column are, and on what they begin.
#[derive(Clone, Copy)]
struct Place {
    /// −1 for a varlena.
    length: i16,
    alignment: usize,
}

/// A row of an answer. Memory is kept from one to the next.
#[derive(Default)]
pub struct Row {
    places: Vec<Place>,
    /// The header of a row of this type.
    header: [u8; HEADER],
    columns: usize,
    /// A bit for each column: whether it is there.
    bits: Vec<u8>,
    has_null: bool,
    has_varlena: bool,
    data: Vec<u8>,
    /// How much of `data` is written.
    used: usize,
}

impl Row {
    /// From now on rows of this type.
    ///
    /// # Safety
    /// A tuple descriptor.
    pub(super) unsafe fn shape(&mut self, descriptor: pg_sys::TupleDesc) {
        // SAFETY: the descriptor has `natts` attributes, and so have the row of NULLs that is formed of it; a row is longer
        // than a header.
        unsafe {
            let columns = (*descriptor).natts as usize;
            let (mut values, mut nulls) = (vec![pg_sys::Datum::from(0); columns], vec![true; columns]);
            let formed = pg_sys::heap_form_tuple(descriptor, values.as_mut_ptr(), nulls.as_mut_ptr());
            std::ptr::copy_nonoverlapping((*formed).t_data.cast::<u8>(), self.header.as_mut_ptr(), HEADER);
            pg_sys::heap_freetuple(formed);
            let place = |index| {
                let attribute = &*tuple_desc_attribute(descriptor, index);
                let alignment = match attribute.attalign as u8 {
                    b'c' => 1,
                    b's' => 2,
                    b'i' => 4,
                    _ => 8,
                };
                Place { length: attribute.attlen, alignment }
            };
            self.places = (0..columns).map(place).collect();
        }
    }

    pub(super) fn clear(&mut self) {
        self.bits.clear();
        (self.columns, self.used, self.has_null, self.has_varlena) = (0, 0, false, false);
    }

    pub fn push(&mut self, field: Field) {
        match field {
            Field::Float(value) => self.float(value),
            Field::Integer(value) => self.integer(value),
            Field::Int4(value) => self.int4(value),
            Field::Text(value) => self.text(value.as_deref()),
            Field::Name(value) => self.text(Some(value)),
            Field::Bool(value) => self.integer(Some(i64::from(value))),
            Field::Texts(value) => self.varlena(value.into_datum()),
            Field::Numeric(value) => self.varlena(value.and_then(|digits| number(&digits).into_datum())),
            Field::Money(value, digits) => self.money(value, digits),
            Field::Bytes(payload) => self.bytes(&payload),
        }
    }

    /// No NaN and no infinity leaves for SQL.
    #[inline]
    pub fn float(&mut self, value: Option<f64>) {
        match value.filter(|value| value.is_finite()) {
            Some(value) => self.fixed(value.to_ne_bytes()),
            None => self.absent(),
        }
    }

    #[inline]
    pub fn int4(&mut self, value: Option<i32>) {
        match value {
            Some(value) => self.fixed(value.to_ne_bytes()),
            None => self.absent(),
        }
    }

    /// An integer of whatever width the column has, or a boolean.
    fn integer(&mut self, value: Option<i64>) {
        match (value, self.places.get(self.columns).map(|place| place.length)) {
            (None, _) => self.absent(),
            (Some(value), Some(1)) => self.fixed((value as i8).to_ne_bytes()),
            (Some(value), Some(4)) => self.fixed((value as i32).to_ne_bytes()),
            (Some(value), _) => self.fixed(value.to_ne_bytes()),
        }
    }

    #[inline]
    pub fn text(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.bytes(value.as_bytes()),
            None => self.absent(),
        }
    }

    #[inline]
    pub fn money(&mut self, value: Option<Minor>, digits: u32) {
        let Some(value) = value else { return self.absent() };
        self.present(-1);
        self.has_varlena = true;
        let start = self.used;
        let room: &mut [u8; 1 + numeric::LONGEST] = self.room();
        let (payload, length) = money(value, digits);
        room[0] = short_header(length);
        room[1..].copy_from_slice(&payload);
        self.used = start + 1 + length;
    }

    /// The next column is NULL.
    #[inline]
    fn absent(&mut self) {
        self.has_null = true;
        self.next_column(0);
    }

    /// The next column is there, and of this length.
    #[inline]
    fn present(&mut self, length: i16) -> usize {
        let place = self.places.get(self.columns).filter(|place| place.length == length);
        let Some(place) = place.copied() else { wrong_columns() };
        self.next_column(1);
        place.alignment
    }

    #[inline]
    fn next_column(&mut self, is_there: u8) {
        if self.columns.is_multiple_of(8) {
            self.bits.push(0);
        }
        if let Some(bits) = self.bits.last_mut() {
            *bits |= is_there << (self.columns % 8);
        }
        self.columns += 1;
    }

    /// `N` bytes behind those that are written.
    #[inline]
    fn room<const N: usize>(&mut self) -> &mut [u8; N] {
        self.reserve(N);
        self.data[self.used..].first_chunk_mut().unwrap_or_else(|| unreachable!("there is room"))
    }

    #[inline]
    fn reserve(&mut self, bytes: usize) {
        if self.data.len() < self.used + bytes {
            self.data.resize(2 * (self.used + bytes), 0);
        }
    }

    /// Fills up to what the next value begins on.
    #[inline]
    fn align(&mut self, alignment: usize) {
        *self.room() = [0; 8];
        self.used = self.used.next_multiple_of(alignment);
    }

    #[inline]
    fn fixed<const N: usize>(&mut self, value: [u8; N]) {
        let alignment = self.present(N as i16);
        self.align(alignment);
        *self.room() = value;
        self.used += N;
    }

    /// A varlena, its header one byte where the payload is short.
    fn bytes(&mut self, payload: &[u8]) {
        if payload.len() > LONGEST_SHORT {
            return self.varlena(Some(varlena::to_datum(payload)));
        }
        self.present(-1);
        self.has_varlena = true;
        self.reserve(1 + payload.len());
        self.data[self.used] = short_header(payload.len());
        self.data[self.used + 1..][..payload.len()].copy_from_slice(payload);
        self.used += 1 + payload.len();
    }

    /// A varlena that was just made, whole.
    fn varlena(&mut self, datum: Option<pg_sys::Datum>) {
        let Some(datum) = datum else { return self.absent() };
        let alignment = self.present(-1);
        self.has_varlena = true;
        self.align(alignment);
        // SAFETY: it was just made, with a header of four bytes.
        let value = unsafe {
            let start = datum.cast_mut_ptr::<pg_sys::varlena>();
            std::slice::from_raw_parts(start.cast::<u8>(), pgrx::varlena::varsize_4b(start))
        };
        self.reserve(value.len());
        self.data[self.used..][..value.len()].copy_from_slice(value);
        self.used += value.len();
    }

    /// The row in PostgreSQL's memory, and its length.
    #[inline]
    pub(super) fn tuple(&self) -> (*mut pg_sys::HeapTupleHeaderData, usize) {
        if self.columns != self.places.len() {
            wrong_columns();
        }
        let bitmap = if self.has_null { self.bits.len() } else { 0 };
        let data_at = (HEADER + bitmap).next_multiple_of(8);
        let length = data_at + self.used;
        let flags = if self.has_null { pg_sys::HEAP_HASNULL } else { 0 }
            | if self.has_varlena { pg_sys::HEAP_HASVARWIDTH } else { 0 };
        // SAFETY: palloc gives `length` bytes, aligned as any type is, or raises; header, bitmap and data fill them.
        unsafe {
            let start = pg_sys::palloc(length).cast::<u8>();
            std::ptr::write_bytes(start, 0, data_at);
            std::ptr::copy_nonoverlapping(self.header.as_ptr(), start, HEADER);
            let header = start.cast::<pg_sys::HeapTupleHeaderData>();
            pgrx::varlena::set_varsize_4b(start.cast(), length as i32);
            let kept = (*header).t_infomask & !((pg_sys::HEAP_HASNULL | pg_sys::HEAP_HASVARWIDTH) as u16);
            (*header).t_infomask = kept | flags as u16;
            (*header).t_hoff = data_at as u8;
            std::ptr::copy_nonoverlapping(self.bits.as_ptr(), start.add(HEADER), bitmap);
            std::ptr::copy_nonoverlapping(self.data.as_ptr(), start.add(data_at), self.used);
            (header, length)
        }
    }
}

/// The header of a varlena with a payload that is not [longer](LONGEST_SHORT).
#[inline]
fn short_header(payload: usize) -> u8 {
    let size = payload as u8 + 1;
    if cfg!(target_endian = "little") { size << 1 | 1 } else { size | 0x80 }
}

#[cold]
fn wrong_columns() -> ! {
    // The surface tests call every function.
    report(PgSqlErrorCode::ERRCODE_INTERNAL_ERROR, "the columns of the answer are not those of its type", "")
}

fn number(digits: &str) -> AnyNumeric {
    AnyNumeric::try_from(digits)
        .unwrap_or_else(|_| report(PgSqlErrorCode::ERRCODE_INTERNAL_ERROR, format!("{digits} is not a number"), ""))
}
