//! `row_hash`: what PostgreSQL's `hash_record_extended(ROW(...), 0)` is, without a row being made and taken apart again.

use std::mem::size_of;

use pgrx::prelude::*;

use crate::pg::error::report;
use crate::pg::symbols::export;

/// The 64-bit hash of so many bytes in two words with the seed 0, as PostgreSQL's `hash_bytes_extended` and
/// `hash_bytes_uint32_extended` have it (Jenkins 2006, *lookup3*).
#[inline(always)]
fn hash_of_words(low: u32, high: u32, bytes: u32) -> u64 {
    let start = 0x9e37_79b9u32.wrapping_add(bytes + 3_923_095);
    let (mut a, mut b, mut c) = (start.wrapping_add(low), start.wrapping_add(high), start);
    let mix = |to: &mut u32, from: u32, turn: u32| *to = (*to ^ from).wrapping_sub(from.rotate_left(turn));
    mix(&mut c, b, 14);
    mix(&mut a, c, 11);
    mix(&mut b, a, 25);
    mix(&mut c, b, 16);
    mix(&mut a, c, 4);
    mix(&mut b, a, 14);
    mix(&mut c, b, 24);
    u64::from(b) << 32 | u64::from(c)
}

/// The hash of a value as the operator class of its type has it, where that is known here.
#[inline(always)]
fn known_hash(type_id: pg_sys::Oid, value: pg_sys::Datum) -> Option<u64> {
    // Elsewhere the words of a double are hashed in the other order.
    if cfg!(target_endian = "big") {
        return None;
    }
    let bits = value.value() as u64;
    match type_id {
        pg_sys::FLOAT8OID => match f64::from_bits(bits) {
            // There are many, and all are equal.
            value if value.is_nan() => None,
            // So are 0 and -0.
            0.0 => Some(0),
            _ => Some(hash_of_words(bits as u32, (bits >> 32) as u32, 8)),
        },
        pg_sys::INT4OID => Some(hash_of_words(bits as u32, 0, 4)),
        pg_sys::BOOLOID => Some(hash_of_words(u32::from(bits as u8 != 0), 0, 4)),
        _ => None,
    }
}

/// How an argument is hashed.
struct Hashing {
    entry: *mut pg_sys::TypeCacheEntry,
    collation: pg_sys::Oid,
    /// A literal of no type yet, which is a C string: hashed as the text that a row would hold.
    is_literal: bool,
}

/// The collation of an argument, as a row would have it: arguments may have different ones.
///
/// # Safety
/// `flinfo` is that of a call.
unsafe fn collation(flinfo: *const pg_sys::FmgrInfo, at: usize) -> pg_sys::Oid {
    // SAFETY: the expression of a call, if there is one, outlives it; a node begins with its tag, and a FuncExpr has a list
    // of as many arguments as are passed.
    unsafe {
        let expression = (*flinfo).fn_expr;
        if expression.is_null() || (*expression).type_ != pg_sys::NodeTag::T_FuncExpr {
            return pg_sys::InvalidOid;
        }
        let arguments = (*expression.cast::<pg_sys::FuncExpr>()).args;
        if arguments.is_null() || at >= (*arguments).length as usize {
            return pg_sys::InvalidOid;
        }
        pg_sys::exprCollation((*(*arguments).elements.add(at)).ptr_value.cast())
    }
}

/// How the arguments are hashed, one entry each, found on the first call and kept with the call site.
///
/// # Safety
/// `fcinfo` is PostgreSQL's for a function that keeps nothing else in `fn_extra`.
unsafe fn types<'a>(fcinfo: pg_sys::FunctionCallInfo, count: usize) -> &'a [Hashing] {
    // SAFETY: flinfo is set for every call through the function manager; what is in fn_extra is put there here, as long
    // as there are arguments, whose number a call site never changes. Entries of the type cache are never freed.
    unsafe {
        let flinfo = (*fcinfo).flinfo;
        if (*flinfo).fn_extra.is_null() {
            let size = count * size_of::<Hashing>();
            let entries = pg_sys::MemoryContextAlloc((*flinfo).fn_mcxt, size).cast::<Hashing>();
            for at in 0..count {
                let type_id = pg_sys::get_fn_expr_argtype(flinfo, at as i32);
                let is_literal = type_id == pg_sys::UNKNOWNOID;
                let type_id = if is_literal { pg_sys::TEXTOID } else { type_id };
                let entry = match type_id {
                    pg_sys::InvalidOid => std::ptr::null_mut(),
                    _ => pg_sys::lookup_type_cache(type_id, pg_sys::TYPECACHE_HASH_EXTENDED_PROC_FINFO as i32),
                };
                if entry.is_null() || (*entry).hash_extended_proc_finfo.fn_oid == pg_sys::InvalidOid {
                    report(
                        PgSqlErrorCode::ERRCODE_UNDEFINED_FUNCTION,
                        format!("argument {} of row_hash is of a type that has no hash", at + 1),
                        "Cast it to text.",
                    );
                }
                let collation = match is_literal {
                    true => pg_sys::DEFAULT_COLLATION_OID,
                    false => collation(flinfo, at),
                };
                entries.add(at).write(Hashing { entry, collation, is_literal });
            }
            (*flinfo).fn_extra = entries.cast();
        }
        std::slice::from_raw_parts((*flinfo).fn_extra.cast(), count)
    }
}

/// `row_hash(VARIADIC "any")`.
///
/// # Safety
/// Called by PostgreSQL as the function that is declared so.
#[inline(always)]
unsafe fn row_hash(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: PostgreSQL allocates one slot per argument, and says how many there are; each value is of the type that its
    // expression has, which is the one that its entry hashes.
    unsafe {
        let count = (*fcinfo).nargs as usize;
        let entries = types(fcinfo, count);
        let mut hash = 0u64;
        for (slot, hashing) in (*fcinfo).args.as_slice(count).iter().zip(entries) {
            let own = match slot.isnull {
                true => Some(0),
                false => known_hash((*hashing.entry).type_id, slot.value),
            };
            let own = own.unwrap_or_else(|| {
                let function = &raw mut (*hashing.entry).hash_extended_proc_finfo;
                let value = match hashing.is_literal {
                    true => pg_sys::Datum::from(pg_sys::cstring_to_text(slot.value.cast_mut_ptr())),
                    false => slot.value,
                };
                let seed = pg_sys::Datum::from(0u64);
                pg_sys::FunctionCall2Coll(function, hashing.collation, value, seed).value() as u64
            });
            hash = hash.wrapping_mul(31).wrapping_add(own);
        }
        pg_sys::Datum::from(hash)
    }
}

export!(row_hash_values, pg_finfo_row_hash_values, |f| row_hash(f));
