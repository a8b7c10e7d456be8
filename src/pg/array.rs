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
        // With a bitmap `dataoffset` says where the elements start; it may be there without a NULL, and then they are as
        // dense as without it.
        let header = size_of::<pg_sys::ArrayType>() + 2 * size_of::<i32>() * dimensions;
        let offset = match (*array).dataoffset {
            0 => header.next_multiple_of(8),
            _ if pg_sys::array_contains_nulls(array) => return None,
            offset => offset as usize,
        };
        let lengths = array.cast::<u8>().add(size_of::<pg_sys::ArrayType>()).cast::<i32>();
        let length: usize = (0..dimensions).map(|d| *lengths.add(d) as usize).product();
        Some(std::slice::from_raw_parts(array.cast::<u8>().add(offset).cast::<f64>(), length))
    }
}
