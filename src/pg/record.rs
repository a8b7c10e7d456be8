//! Features by name from a row of any type.

use std::ffi::CStr;

use ltv_engine::model::features::{Feature, Value};
use pgrx::pg_sys;

use crate::pg::column::{Column, Conversion, find_column, tuple_desc_attribute};
use crate::pg::numeric;
use crate::pg::relations;
use crate::pg::varlena::payload;

/// Where the columns lie in every row that has no NULL: all of them, and all before them, are of fixed width.
struct Fixed {
    offsets: Vec<usize>,
    /// Attributes and bytes of data that a row has at the least.
    attributes: usize,
    bytes: usize,
    /// Whether each of them is a number, and one of eight bytes at that.
    numbers: bool,
    doubles: bool,
}

/// Where a row type keeps the features of a model, and room for one row.
pub struct RowReader {
    type_id: pg_sys::Oid,
    typmod: i32,
    /// The state of the catalog when the descriptor was looked up.
    generation: u64,
    descriptor: pg_sys::TupleDesc,
    columns: Vec<Column>,
    /// Which of the columns are of type real, whose values people write with fewer digits.
    reals: Vec<bool>,
    fixed: Option<Fixed>,
    datums: Vec<pg_sys::Datum>,
    nulls: Vec<bool>,
    /// Text made by output functions, kept while the values are used.
    texts: Vec<String>,
    values: Vec<Value<'static>>,
    numbers: Vec<f64>,
}

impl Drop for RowReader {
    fn drop(&mut self) {
        // SAFETY: made by CreateTupleDescCopyConstr in TopMemoryContext, and ours alone.
        unsafe { pg_sys::FreeTupleDesc(self.descriptor) };
    }
}

impl RowReader {
    /// The row's header and length, and the reader of rows like it: `reader`, remade when the row type has changed.
    ///
    /// # Safety
    /// `row` is a non-NULL composite value, good for this call.
    #[inline(always)]
    unsafe fn of<'a>(
        reader: &'a mut Option<RowReader>,
        row: pg_sys::Datum,
        features: &[Feature],
    ) -> (*mut pg_sys::HeapTupleHeaderData, usize, &'a mut RowReader) {
        // SAFETY: a composite datum is a varlena whose payload is a heap tuple header with its type in it.
        unsafe {
            let header = whole(row).cast::<pg_sys::HeapTupleHeaderData>();
            let row_type = (*header).t_choice.t_datum;
            let fits = |reader: &RowReader| {
                reader.type_id == row_type.datum_typeid
                    && reader.typmod == row_type.datum_typmod
                    && reader.generation == relations::generation()
            };
            if !reader.as_ref().is_some_and(fits) {
                *reader = Some(RowReader::new(row_type.datum_typeid, row_type.datum_typmod, features));
            }
            let reader = reader.as_mut().unwrap_or_else(|| unreachable!("just made"));
            (header, pgrx::varlena::varsize_4b(header.cast()), reader)
        }
    }

    /// The features of `row` in their order, where all are numbers and lie at fixed places; `None` where they do not.
    ///
    /// # Safety
    /// `row` is a non-NULL composite value.
    #[inline]
    pub unsafe fn numbers<'a>(
        reader: &'a mut Option<RowReader>,
        row: pg_sys::Datum,
        features: &[Feature],
    ) -> Option<&'a [f64]> {
        // SAFETY: passed on from the caller; the data are those of a row that has all columns.
        unsafe {
            let (header, length, reader) = RowReader::of(reader, row, features);
            let fixed = reader.fixed.as_ref().filter(|fixed| fixed.numbers)?;
            let data = fixed.data(header, length)?;
            reader.numbers.resize(reader.columns.len(), 0.0);
            fixed.read(&reader.columns, data, reader.numbers.iter_mut(), |place, number| *place = number);
            Some(&reader.numbers)
        }
    }

    /// Calls `visit` with each of `beside`, one for each feature, and the feature's number in `row`; `None`, and no call,
    /// where [`RowReader::numbers`] has none.
    ///
    /// # Safety
    /// `row` is a non-NULL composite value.
    #[inline(always)]
    pub unsafe fn numbers_with<T>(
        reader: &mut Option<RowReader>,
        row: pg_sys::Datum,
        features: &[Feature],
        beside: &[T],
        visit: impl FnMut(&T, f64),
    ) -> Option<()> {
        // SAFETY: as in `numbers`.
        unsafe {
            let (header, length, reader) = RowReader::of(reader, row, features);
            let fixed = reader.fixed.as_ref().filter(|fixed| fixed.numbers)?;
            fixed.read(&reader.columns, fixed.data(header, length)?, beside.iter(), visit);
        }
        Some(())
    }

    /// The features of `row` in their order.
    ///
    /// # Safety
    /// `row` is a non-NULL composite value. The values borrow from it and from `reader` and are good for this call.
    pub unsafe fn values<'a>(
        reader: &'a mut Option<RowReader>,
        row: pg_sys::Datum,
        features: &[Feature],
    ) -> &'a [Value<'a>] {
        // SAFETY: passed on from the caller.
        unsafe {
            let (header, length, reader) = RowReader::of(reader, row, features);
            if let Some(fixed) = reader.fixed.as_ref().and_then(|fixed| fixed.data(header, length)) {
                reader.read_in_place(fixed);
                return std::mem::transmute::<&[Value<'static>], &'a [Value<'a>]>(&reader.values);
            }
            let mut tuple = pg_sys::HeapTupleData { t_len: length as u32, t_data: header, ..Default::default() };
            pg_sys::heap_deform_tuple(
                &raw mut tuple,
                reader.descriptor,
                reader.datums.as_mut_ptr(),
                reader.nulls.as_mut_ptr(),
            );
            reader.convert();
            // The lifetimes are those of the row and of the reader; `values` is cleared before it is filled again.
            std::mem::transmute::<&[Value<'static>], &'a [Value<'a>]>(&reader.values)
        }
    }

    /// Which of the features are columns of type real.
    pub fn reals(&self) -> &[bool] {
        &self.reals
    }

    #[cold]
    unsafe fn new(type_id: pg_sys::Oid, typmod: i32, features: &[Feature]) -> RowReader {
        // SAFETY: the descriptor is copied into memory of our own and the cached one released.
        let (descriptor, length) = unsafe {
            let cached = pg_sys::lookup_rowtype_tupdesc(type_id, typmod);
            let before = pg_sys::MemoryContextSwitchTo(pg_sys::TopMemoryContext);
            // With its constraints: they hold the values of columns that were added after a row was formed.
            let copy = pg_sys::CreateTupleDescCopyConstr(cached);
            pg_sys::MemoryContextSwitchTo(before);
            if (*cached).tdrefcount >= 0 {
                pg_sys::DecrTupleDescRefCount(cached);
            }
            (copy, (*copy).natts as usize)
        };
        let mut reader = RowReader {
            type_id,
            typmod,
            generation: relations::generation(),
            descriptor,
            columns: Vec::with_capacity(features.len()),
            reals: Vec::new(),
            fixed: None,
            datums: vec![pg_sys::Datum::from(0usize); length],
            nulls: vec![true; length],
            texts: Vec::new(),
            values: Vec::with_capacity(features.len()),
            numbers: Vec::new(),
        };
        for feature in features {
            // SAFETY: the descriptor has `length` attributes.
            let column = unsafe { find_column(descriptor, length, feature) };
            reader.columns.push(column);
        }
        reader.reals = reader.columns.iter().map(|column| matches!(column.conversion, Conversion::Float4)).collect();
        // SAFETY: the descriptor has `length` attributes.
        reader.fixed = unsafe { Fixed::of(descriptor, length, &reader.columns) };
        reader
    }

    /// Turns a row's data into values without taking the whole row apart.
    ///
    /// # Safety
    /// `data` is of a row that [`Fixed::data`] has found to have all columns.
    #[inline]
    unsafe fn read_in_place(&mut self, data: *const u8) {
        self.values.clear();
        let Some(fixed) = &self.fixed else { return };
        for (column, offset) in self.columns.iter().zip(&fixed.offsets) {
            // SAFETY: a value of this width lies there; nothing is presumed of its alignment.
            let value = unsafe {
                let at = data.add(*offset);
                match column.conversion {
                    Conversion::BooleanText => Value::Text(if *at != 0 { "true" } else { "false" }),
                    conversion => Value::Number(conversion.number_at(at)),
                }
            };
            self.values.push(value);
        }
    }

    /// Turns the deformed row into values.
    ///
    /// # Safety
    /// `datums` and `nulls` hold a row of `descriptor`'s type that outlives the use of `values`.
    unsafe fn convert(&mut self) {
        self.values.clear();
        self.texts.clear();
        // Values point into `texts`, so it must not move while it grows.
        self.texts.reserve(self.columns.len());
        for column in &self.columns {
            if self.nulls[column.index] {
                self.values.push(Value::Null);
                continue;
            }
            let datum = self.datums[column.index];
            let bits = datum.value() as u64;
            // SAFETY: each conversion matches the column's type, by which it was chosen.
            let value = unsafe {
                match column.conversion {
                    Conversion::Int2 => Value::Number(f64::from(bits as i16)),
                    Conversion::Int4 => Value::Number(f64::from(bits as i32)),
                    Conversion::Int8 => Value::Number(bits as i64 as f64),
                    Conversion::Float4 => Value::Number(f64::from(f32::from_bits(bits as u32))),
                    Conversion::Float8 => Value::Number(f64::from_bits(bits)),
                    Conversion::Boolean => Value::Number(if bits as u8 != 0 { 1.0 } else { 0.0 }),
                    Conversion::BooleanText => Value::Text(if bits as u8 != 0 { "true" } else { "false" }),
                    Conversion::Numeric => Value::Number(numeric::to_float(payload(datum)).unwrap_or_else(|| {
                        let converted = pg_sys::OidFunctionCall1Coll(NUMERIC_TO_FLOAT8, pg_sys::InvalidOid, datum);
                        f64::from_bits(converted.value() as u64)
                    })),
                    Conversion::Text => Value::Text(text(payload(datum))),
                    Conversion::Padded => Value::Text(text(payload(datum)).trim_end_matches(' ')),
                    Conversion::Output(function) => {
                        let printed = CStr::from_ptr(pg_sys::OidOutputFunctionCall(function, datum));
                        self.texts.push(printed.to_string_lossy().into_owned());
                        let kept = &self.texts[self.texts.len() - 1];
                        Value::Text(std::mem::transmute::<&str, &'static str>(kept.as_str()))
                    }
                }
            };
            self.values.push(value);
        }
    }
}

impl Fixed {
    /// `None` when a column, or one before it, may lie anywhere.
    ///
    /// # Safety
    /// The descriptor has `length` attributes.
    unsafe fn of(descriptor: pg_sys::TupleDesc, length: usize, columns: &[Column]) -> Option<Fixed> {
        let attributes = columns.iter().map(|column| column.index + 1).max()?;
        let mut places = Vec::with_capacity(attributes);
        let mut bytes = 0usize;
        for index in 0..attributes.min(length) {
            // SAFETY: `index` is within the descriptor.
            let attribute = unsafe { &*tuple_desc_attribute(descriptor, index) };
            let width = usize::try_from(attribute.attlen).ok().filter(|width| *width > 0)?;
            let alignment = match attribute.attalign as u8 {
                b'c' => 1,
                b's' => 2,
                b'i' => 4,
                b'd' => 8,
                _ => return None,
            };
            let start = bytes.next_multiple_of(alignment);
            places.push((start, width));
            bytes = start + width;
        }
        let place = |column: &Column| {
            let (start, width) = *places.get(column.index)?;
            (column.conversion.width() == Some(width)).then_some(start)
        };
        let offsets: Option<Vec<usize>> = columns.iter().map(place).collect();
        let numbers = columns.iter().all(|column| column.conversion.is_number());
        let doubles = columns.iter().all(|column| matches!(column.conversion, Conversion::Float8));
        Some(Fixed { offsets: offsets?, attributes, bytes, numbers, doubles })
    }

    /// Calls `visit` with each of `beside` and the number of the column.
    ///
    /// # Safety
    /// `columns` are those that these places were found for, and [numbers](Fixed::numbers); `data` is of a row that
    /// [`Fixed::data`] has found to have them.
    #[inline(always)]
    unsafe fn read<T>(
        &self,
        columns: &[Column],
        data: *const u8,
        beside: impl Iterator<Item = T>,
        mut visit: impl FnMut(T, f64),
    ) {
        // SAFETY: a value of the column's width lies at its offset; nothing is presumed of its alignment.
        unsafe {
            if self.doubles {
                for (offset, beside) in self.offsets.iter().zip(beside) {
                    visit(beside, data.add(*offset).cast::<f64>().read_unaligned());
                }
            } else {
                for ((offset, column), beside) in self.offsets.iter().zip(columns).zip(beside) {
                    visit(beside, column.conversion.number_at(data.add(*offset)));
                }
            }
        }
    }

    /// The data of a row that has all columns and no NULL.
    ///
    /// # Safety
    /// `header` is that of a composite value of the descriptor's type, `length` bytes long.
    #[inline]
    unsafe fn data(&self, header: *const pg_sys::HeapTupleHeaderData, length: usize) -> Option<*const u8> {
        const ATTRIBUTES: u16 = 0x07ff;
        // SAFETY: the fields are those of a header that is there.
        let (has_null, attributes, start) = unsafe {
            let header = &*header;
            (
                u32::from(header.t_infomask) & pg_sys::HEAP_HASNULL != 0,
                usize::from(header.t_infomask2 & ATTRIBUTES),
                usize::from(header.t_hoff),
            )
        };
        let fits = !has_null && attributes >= self.attributes && length >= start + self.bytes;
        // SAFETY: the data begin there and end within the value.
        fits.then(|| unsafe { header.cast::<u8>().add(start) })
    }
}

/// The value as it lies here whole, detoasted if need be.
///
/// # Safety
/// `row` is a non-NULL composite value.
#[inline]
unsafe fn whole(row: pg_sys::Datum) -> *mut pg_sys::varlena {
    let start = row.cast_mut_ptr::<pg_sys::varlena>();
    // SAFETY: on little-endian machines the low bits of a varlena's first byte are 00 for one with a header of four bytes,
    // neither compressed nor elsewhere; pg_detoast_datum makes such a one of any.
    unsafe {
        if cfg!(target_endian = "little") && *start.cast::<u8>() & 0x03 == 0 {
            return start;
        }
        pg_sys::pg_detoast_datum(start)
    }
}

/// `float8(numeric)`.
const NUMERIC_TO_FLOAT8: pg_sys::Oid = pg_sys::Oid::from_u32(1746);

/// The database's encoding may be any; what is not UTF-8 is no level that training has seen.
fn text(bytes: &[u8]) -> &'static str {
    // SAFETY: the lifetime is cut down to the row's by the caller's signature.
    std::str::from_utf8(unsafe { std::mem::transmute::<&[u8], &'static [u8]>(bytes) }).unwrap_or("\u{fffd}")
}
