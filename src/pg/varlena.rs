//! Values of our own SQL types: a varlena whose payload the engine encodes and validates.

use ltv_engine::Result;
use ltv_engine::memory::at_hand;
use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::{Datum, UnboxDatum};
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::prelude::*;
use pgrx::{FromDatum, IntoDatum, pg_sys};

use crate::pg::error;

/// A type of the engine that SQL can hold.
pub trait Stored: Sized {
    const SQL_NAME: &'static str;
    fn to_bytes(&self) -> Vec<u8>;
    /// Validates: the bytes may come from anywhere.
    fn from_bytes(bytes: &[u8]) -> Result<Self>;
}

/// The payload of a varlena, detoasted if need be. It lives as long as the current memory context.
///
/// # Safety
/// `datum` is a non-NULL varlena.
#[inline]
pub unsafe fn payload<'a>(datum: pg_sys::Datum) -> &'a [u8] {
    // SAFETY: the caller promises a varlena; one that does not lie here whole is detoasted to one that does.
    unsafe {
        let start = datum.cast_mut_ptr::<pg_sys::varlena>();
        let plain = if is_plain(start) { start } else { pg_sys::pg_detoast_datum_packed(start) };
        pgrx::varlena::varlena_to_byte_slice(plain)
    }
}

/// The first `count` bytes of a payload, or all when it has less. Of a value that is toasted no more than these is read,
/// if its compression allows. It lives as long as the current memory context.
///
/// # Safety
/// `datum` is a non-NULL varlena.
#[inline]
pub unsafe fn beginning<'a>(datum: pg_sys::Datum, count: usize) -> &'a [u8] {
    // SAFETY: the caller promises a varlena; a slice of a toasted one is a varlena that lies here whole.
    let bytes = unsafe {
        let start = datum.cast_mut_ptr::<pg_sys::varlena>();
        let length = i32::try_from(count).unwrap_or(i32::MAX);
        let plain = if is_plain(start) { start } else { pg_sys::pg_detoast_datum_slice(start, 0, length) };
        pgrx::varlena::varlena_to_byte_slice(plain)
    };
    bytes.get(..count).unwrap_or(bytes)
}

/// Whether a varlena is known to lie here whole.
///
/// # Safety
/// `start` points to a varlena.
#[inline]
unsafe fn is_plain(start: *const pg_sys::varlena) -> bool {
    // SAFETY: a varlena has a first byte; on little-endian machines its low bits say whether the value lies here whole,
    // with a header of four bytes (00) or of one (1, and not alone).
    let first = unsafe { *start.cast::<u8>() };
    cfg!(target_endian = "little") && (first & 0x03 == 0 || (first & 0x01 == 1 && first != 0x01))
}

/// What a value may take for each byte of its stored form, with what reads it.
const BYTES_PER_STORED_BYTE: usize = 8;

/// A value from its stored bytes, by `decode`, when there is memory for it.
pub fn decoded<T>(bytes: &[u8], decode: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
    at_hand(bytes.len().saturating_mul(BYTES_PER_STORED_BYTE))?;
    decode(bytes)
}

/// A copy of the payload of a result that is one of our types.
pub fn copied(datum: pg_sys::Datum) -> Vec<u8> {
    // SAFETY: callers pass the non-NULL result of a function that is declared to return one of our varlena types.
    unsafe { payload(datum) }.to_vec()
}

/// The size of a varlena with so many bytes of payload; the end of the statement when PostgreSQL has none of that size.
pub fn size_of_varlena(payload: usize) -> usize {
    const LARGEST: usize = 0x3fff_ffff;
    let size = payload.saturating_add(pg_sys::VARHDRSZ);
    if size > LARGEST {
        error::report(
            PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
            format!("a value of {} MB is larger than any value of PostgreSQL can be", payload >> 20),
            "A value that is stored, sorted or sent must be less than 1 GB: gather fewer rows, or let a function read it straight from its aggregate.",
        );
    }
    size
}

/// A fresh varlena in the current memory context.
pub fn to_datum(payload: &[u8]) -> pg_sys::Datum {
    let size = size_of_varlena(payload.len());
    // SAFETY: palloc gives `size` bytes or raises; header and payload fill them exactly.
    unsafe {
        let start = pg_sys::palloc(size).cast::<u8>();
        pgrx::varlena::set_varsize_4b(start.cast(), size as i32);
        std::ptr::copy_nonoverlapping(payload.as_ptr(), start.add(pg_sys::VARHDRSZ), payload.len());
        pg_sys::Datum::from(start)
    }
}

/// An argument or result of one of our SQL types.
#[derive(Debug, Clone)]
pub struct Value<T>(pub T);

impl<T: Stored> FromDatum for Value<T> {
    unsafe fn from_polymorphic_datum(datum: pg_sys::Datum, is_null: bool, _oid: pg_sys::Oid) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: PostgreSQL passes a varlena for a type declared with INTERNALLENGTH = VARIABLE.
        Some(Value(error::settle(decoded(unsafe { payload(datum) }, T::from_bytes))))
    }
}

impl<T: Stored> IntoDatum for Value<T> {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        Some(to_datum(&self.0.to_bytes()))
    }

    fn type_oid() -> pg_sys::Oid {
        pgrx::wrappers::regtypein(T::SQL_NAME)
    }
}

// SAFETY: the datum of a non-NULL argument is unboxed by FromDatum, which copies what it needs.
unsafe impl<T: Stored> UnboxDatum for Value<T> {
    type As<'dat>
        = Self
    where
        Self: 'dat;
    unsafe fn unbox<'dat>(datum: Datum<'dat>) -> Self::As<'dat>
    where
        Self: 'dat,
    {
        // SAFETY: pgrx calls this for non-NULL elements only; `Datum` is a transparent wrapper with a lifetime.
        let raw: pg_sys::Datum = unsafe { std::mem::transmute(datum) };
        // SAFETY: see above.
        Value(error::settle(decoded(unsafe { payload(raw) }, T::from_bytes)))
    }
}

// SAFETY: unboxing goes through FromDatum; a NULL for a non-Option argument is refused, as SQL declares it STRICT.
unsafe impl<'fcx, T: Stored + 'fcx> ArgAbi<'fcx> for Value<T> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: the argument is of the SQL type that the function was declared with.
        match unsafe { arg.unbox_arg_using_from_datum() } {
            Some(value) => value,
            None => error::report(
                PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
                "a value of ltv must not be NULL here",
                "",
            ),
        }
    }
}

// SAFETY: IntoDatum returns a palloc'd varlena of the declared type.
unsafe impl<T: Stored> BoxRet for Value<T> {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        match self.into_datum() {
            None => fcinfo.return_null(),
            // SAFETY: the datum was made for this result.
            Some(datum) => unsafe { fcinfo.return_raw_datum(datum) },
        }
    }
}

// SAFETY: the SQL name is the type's own; the SQL itself is written by hand in sql/.
unsafe impl<T: Stored> SqlTranslatable for Value<T> {
    const TYPE_IDENT: &'static str = T::SQL_NAME;
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: std::result::Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::As(T::SQL_NAME));
    const RETURN_SQL: std::result::Result<ReturnsRef, ReturnsError> =
        Ok(ReturnsRef::One(SqlMappingRef::As(T::SQL_NAME)));
}

/// The value in a message of the binary protocol.
pub fn received<T: Stored>(message: pgrx::Internal) -> Value<T> {
    let Some(datum) = message.unwrap() else {
        error::report(PgSqlErrorCode::ERRCODE_INVALID_BINARY_REPRESENTATION, "no message to receive", "")
    };
    // SAFETY: a receive function's argument is a StringInfo whose unread part is the value; the cursor is moved past it.
    let bytes = unsafe {
        let message = datum.cast_mut_ptr::<pg_sys::StringInfoData>();
        let left = (*message).len - (*message).cursor;
        let start = pg_sys::pq_getmsgbytes(message, left).cast::<u8>();
        std::slice::from_raw_parts(start, left as usize)
    };
    Value(error::settle(decoded(bytes, T::from_bytes)))
}
