//! float8[] arguments on the hot path, read where they lie.

use pgrx::pg_sys;

/// The numbers of a one-dimensional float8[]; `None` when an element is NULL.
///
/// # Safety
/// `datum` is a non-NULL float8[] (the SQL declaration says so).
#[inline]
pub unsafe fn floats<'a>(datum: pg_sys::Datum) -> Option<&'a [f64]> {
    // SAFETY: an array is a varlena; a plain one has a four-byte header (low bits 00 on little-endian machines) and
    // starts MAXALIGNed, so its header and its float8 elements may be read in place. Others are detoasted first.
    unsafe {
        let start = datum.cast_mut_ptr::<pg_sys::varlena>();
        let plain = cfg!(target_endian = "little") && *start.cast::<u8>() & 0x03 == 0;
        let array = if plain { start } else { pg_sys::pg_detoast_datum(start) }.cast::<pg_sys::ArrayType>();
        let dimensions = (*array).ndim as usize;
        if dimensions == 0 {
            return Some(&[]);
        }
        if (*array).dataoffset != 0 {
            return with_null_bitmap(array, dimensions);
        }
        let lengths = array.cast::<u8>().add(size_of::<pg_sys::ArrayType>()).cast::<i32>();
        let length: usize = (0..dimensions).map(|d| *lengths.add(d) as usize).product();
        let header = size_of::<pg_sys::ArrayType>() + 2 * size_of::<i32>() * dimensions;
        let data = array.cast::<u8>().add(header.next_multiple_of(8)).cast::<f64>();
        Some(std::slice::from_raw_parts(data, length))
    }
}

/// An array with a NULL bitmap may still have no NULL in it.
///
/// # Safety
/// As [`floats`].
unsafe fn with_null_bitmap<'a>(array: *mut pg_sys::ArrayType, dimensions: usize) -> Option<&'a [f64]> {
    // SAFETY: `dataoffset` is where the elements start; without NULLs they are stored densely.
    unsafe {
        if pg_sys::array_contains_nulls(array) {
            return None;
        }
        let lengths = array.cast::<u8>().add(size_of::<pg_sys::ArrayType>()).cast::<i32>();
        let length: usize = (0..dimensions).map(|d| *lengths.add(d) as usize).product();
        let data = array.cast::<u8>().add((*array).dataoffset as usize).cast::<f64>();
        Some(std::slice::from_raw_parts(data, length))
    }
}
