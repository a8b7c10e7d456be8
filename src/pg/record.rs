//! Features by name from a row of any type.

use std::ffi::CStr;

use ltv_engine::model::features::{Feature, Value};
use pgrx::{PgSqlErrorCode, pg_sys};

use crate::pg::error::report;
use crate::pg::relations;
use crate::pg::varlena::payload;

/// How the bytes of a column become a feature's value.
#[derive(Clone, Copy)]
enum Conversion {
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Boolean,
    Numeric,
    Text,
    /// char(n): trailing blanks do not count.
    Padded,
    BooleanText,
    /// By the type's output function.
    Output(pg_sys::Oid),
}

impl Conversion {
    /// Bytes of a value that is read where it lies; `None` where it takes PostgreSQL to read it.
    fn width(self) -> Option<usize> {
        match self {
            Conversion::Boolean | Conversion::BooleanText => Some(1),
            Conversion::Int2 => Some(2),
            Conversion::Int4 | Conversion::Float4 => Some(4),
            Conversion::Int8 | Conversion::Float8 => Some(8),
            _ => None,
        }
    }
}

struct Column {
    index: usize,
    conversion: Conversion,
}

/// Where the columns lie in every row that has no NULL: all of them, and all before them, are of fixed width.
struct Fixed {
    offsets: Vec<usize>,
    /// Attributes and bytes of data that a row has at the least.
    attributes: usize,
    bytes: usize,
}

/// Where a row type keeps the features of a model, and room for one row.
pub struct RowReader {
    type_id: pg_sys::Oid,
    typmod: i32,
    /// The state of the catalog when the descriptor was looked up.
    generation: u64,
    descriptor: pg_sys::TupleDesc,
    columns: Vec<Column>,
    fixed: Option<Fixed>,
    datums: Vec<pg_sys::Datum>,
    nulls: Vec<bool>,
    /// Text made by output functions, kept while the values are used.
    texts: Vec<String>,
    values: Vec<Value<'static>>,
}

impl Drop for RowReader {
    fn drop(&mut self) {
        // SAFETY: made by CreateTupleDescCopyConstr in TopMemoryContext, and ours alone.
        unsafe { pg_sys::FreeTupleDesc(self.descriptor) };
    }
}

impl RowReader {
    /// The features of `row` in their order; `reader` is remade when the row type has changed.
    ///
    /// # Safety
    /// `row` is a non-NULL composite value. The values borrow from it and from `reader` and are good for this call.
    pub unsafe fn values<'a>(
        reader: &'a mut Option<RowReader>,
        row: pg_sys::Datum,
        features: &[Feature],
    ) -> &'a [Value<'a>] {
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
            let length = pgrx::varlena::varsize_4b(header.cast());
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
            fixed: None,
            datums: vec![pg_sys::Datum::from(0usize); length],
            nulls: vec![true; length],
            texts: Vec::new(),
            values: Vec::with_capacity(features.len()),
        };
        for feature in features {
            // SAFETY: the descriptor has `length` attributes.
            let column = unsafe { find_column(descriptor, length, feature) };
            reader.columns.push(column);
        }
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
                    Conversion::Float8 => Value::Number(at.cast::<f64>().read_unaligned()),
                    Conversion::Float4 => Value::Number(f64::from(at.cast::<f32>().read_unaligned())),
                    Conversion::Int2 => Value::Number(f64::from(at.cast::<i16>().read_unaligned())),
                    Conversion::Int4 => Value::Number(f64::from(at.cast::<i32>().read_unaligned())),
                    Conversion::Int8 => Value::Number(at.cast::<i64>().read_unaligned() as f64),
                    Conversion::Boolean => Value::Number(if *at != 0 { 1.0 } else { 0.0 }),
                    Conversion::BooleanText => Value::Text(if *at != 0 { "true" } else { "false" }),
                    _ => Value::Null,
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
                    Conversion::Numeric => {
                        let converted = pg_sys::OidFunctionCall1Coll(NUMERIC_TO_FLOAT8, pg_sys::InvalidOid, datum);
                        Value::Number(f64::from_bits(converted.value() as u64))
                    }
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
        Some(Fixed { offsets: offsets?, attributes, bytes })
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

unsafe fn find_column(descriptor: pg_sys::TupleDesc, length: usize, feature: &Feature) -> Column {
    let mut present = Vec::new();
    for index in 0..length {
        // SAFETY: `index` is within the descriptor; TupleDescAttr hides how each release lays it out.
        let attribute = unsafe { &*tuple_desc_attribute(descriptor, index) };
        if attribute.attisdropped {
            continue;
        }
        let name = pgrx::name_data_to_str(&attribute.attname);
        if name == feature.name {
            // SAFETY: a catalog lookup by a valid type OID.
            let base = unsafe { pg_sys::getBaseType(attribute.atttypid) };
            return Column { index, conversion: conversion(feature, base) };
        }
        present.push(name.to_owned());
    }
    report(
        PgSqlErrorCode::ERRCODE_UNDEFINED_COLUMN,
        format!("the row has no column \"{}\", which the model needs", feature.name),
        format!("Features are found by name; the row has: {}.", present.join(", ")),
    )
}

#[cfg(feature = "pg18")]
unsafe fn tuple_desc_attribute(descriptor: pg_sys::TupleDesc, index: usize) -> *const pg_sys::FormData_pg_attribute {
    // SAFETY: from release 18 on the full attributes follow the compact ones in one allocation; the caller keeps `index`
    // within bounds.
    unsafe {
        let compact = (*descriptor).compact_attrs.as_ptr();
        compact.add((*descriptor).natts as usize).cast::<pg_sys::FormData_pg_attribute>().add(index)
    }
}

#[cfg(not(feature = "pg18"))]
unsafe fn tuple_desc_attribute(descriptor: pg_sys::TupleDesc, index: usize) -> *const pg_sys::FormData_pg_attribute {
    // SAFETY: the caller keeps `index` within bounds.
    unsafe { &raw const (*descriptor).attrs.as_slice(index + 1)[index] }
}

/// How a column of type `base` gives the feature, or the error that it cannot.
fn conversion(feature: &Feature, base: pg_sys::Oid) -> Conversion {
    let category = feature.kind.is_text();
    match base {
        pg_sys::TEXTOID | pg_sys::VARCHAROID if category => return Conversion::Text,
        pg_sys::BPCHAROID if category => return Conversion::Padded,
        pg_sys::BOOLOID if category => return Conversion::BooleanText,
        pg_sys::INT2OID if !category => return Conversion::Int2,
        pg_sys::INT4OID if !category => return Conversion::Int4,
        pg_sys::INT8OID if !category => return Conversion::Int8,
        pg_sys::FLOAT4OID if !category => return Conversion::Float4,
        pg_sys::FLOAT8OID if !category => return Conversion::Float8,
        pg_sys::BOOLOID => return Conversion::Boolean,
        pg_sys::NUMERICOID if !category => return Conversion::Numeric,
        _ => {}
    }
    if category && prints_the_same_everywhere(base) {
        let mut function = pg_sys::InvalidOid;
        let mut is_varlena = false;
        // SAFETY: a catalog lookup that writes both results.
        unsafe { pg_sys::getTypeOutputInfo(base, &raw mut function, &raw mut is_varlena) };
        return Conversion::Output(function);
    }
    // SAFETY: format_type_be returns a palloc'd C string for any OID.
    let type_name = unsafe { CStr::from_ptr(pg_sys::format_type_be(base)) }.to_string_lossy().into_owned();
    report(
        PgSqlErrorCode::ERRCODE_DATATYPE_MISMATCH,
        format!(
            "column \"{}\" is of type {type_name}, but the model was trained on {}",
            feature.name,
            if category { "a category" } else { "a number" }
        ),
        "Cast the column in the row that is scored.",
    )
}

/// Text, enums and exact numbers; dates and floats print as the session likes, and no setting may change a score.
fn prints_the_same_everywhere(base: pg_sys::Oid) -> bool {
    if [pg_sys::INT2OID, pg_sys::INT4OID, pg_sys::INT8OID, pg_sys::NUMERICOID].contains(&base) {
        return true;
    }
    let (mut category, mut preferred): (std::ffi::c_char, bool) = (0, false);
    // SAFETY: a catalog lookup that writes both results.
    unsafe { pg_sys::get_type_category_preferred(base, &raw mut category, &raw mut preferred) };
    matches!(category as u8, b'S' | b'E')
}
