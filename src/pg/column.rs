//! The column of a row type that a feature is read from, and how its values become numbers or text.

use std::ffi::CStr;

use ltv_engine::model::features::Feature;
use pgrx::{PgSqlErrorCode, pg_sys};

use crate::pg::error::report;

/// How the bytes of a column become a feature's value.
#[derive(Clone, Copy)]
pub(super) enum Conversion {
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
    pub fn width(self) -> Option<usize> {
        match self {
            Conversion::Boolean | Conversion::BooleanText => Some(1),
            Conversion::Int2 => Some(2),
            Conversion::Int4 | Conversion::Float4 => Some(4),
            Conversion::Int8 | Conversion::Float8 => Some(8),
            _ => None,
        }
    }
}

impl Conversion {
    /// Whether it makes a number of a value that is read where it lies.
    pub fn is_number(self) -> bool {
        self.width().is_some() && !matches!(self, Conversion::BooleanText)
    }

    /// The number that lies there; NaN for what [is none](Self::is_number).
    ///
    /// # Safety
    /// A value of this width lies there; nothing is presumed of its alignment.
    #[inline(always)]
    pub unsafe fn number_at(self, at: *const u8) -> f64 {
        // SAFETY: as the caller promises.
        unsafe {
            match self {
                Conversion::Float8 => at.cast::<f64>().read_unaligned(),
                Conversion::Float4 => f64::from(at.cast::<f32>().read_unaligned()),
                Conversion::Int2 => f64::from(at.cast::<i16>().read_unaligned()),
                Conversion::Int4 => f64::from(at.cast::<i32>().read_unaligned()),
                Conversion::Int8 => at.cast::<i64>().read_unaligned() as f64,
                Conversion::Boolean => f64::from(u8::from(*at != 0)),
                _ => f64::NAN,
            }
        }
    }
}

/// Where a row type keeps a feature.
pub(super) struct Column {
    pub index: usize,
    pub conversion: Conversion,
}

/// # Safety
/// The descriptor has `length` attributes.
pub(super) unsafe fn find_column(descriptor: pg_sys::TupleDesc, length: usize, feature: &Feature) -> Column {
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

/// # Safety
/// The descriptor has more than `index` attributes.
#[cfg(feature = "pg18")]
pub(super) unsafe fn tuple_desc_attribute(
    descriptor: pg_sys::TupleDesc,
    index: usize,
) -> *const pg_sys::FormData_pg_attribute {
    // SAFETY: from release 18 on the full attributes follow the compact ones in one allocation; the caller keeps `index`
    // within bounds.
    unsafe {
        let compact = (*descriptor).compact_attrs.as_ptr();
        compact.add((*descriptor).natts as usize).cast::<pg_sys::FormData_pg_attribute>().add(index)
    }
}

/// # Safety
/// The descriptor has more than `index` attributes.
#[cfg(not(feature = "pg18"))]
pub(super) unsafe fn tuple_desc_attribute(
    descriptor: pg_sys::TupleDesc,
    index: usize,
) -> *const pg_sys::FormData_pg_attribute {
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
