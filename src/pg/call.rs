//! A call of one of our functions, taken apart safely: arguments by place, the answer as datum, tuple or rows.

use ltv_engine::assess::profile::Profile;
use ltv_engine::hazard::design::Design;
use ltv_engine::model::Model;
use ltv_engine::model::features::{Unscorable, Value};
use ltv_engine::model::subject::Subject;
use ltv_engine::survival::CurveView;
use ltv_engine::value::Minor;
use pgrx::{AnyNumeric, FromDatum, IntoDatum, PgSqlErrorCode, pg_sys};

use crate::ages::Ages;
use crate::pg::call_site::CallSite;
use crate::pg::error::{report, settle};
use crate::pg::numeric::money;
use crate::pg::{array, expanded, interrupts, varlena};

/// One call. Made only by the exported symbols, with PostgreSQL's own `fcinfo`.
pub struct Call {
    fcinfo: pg_sys::FunctionCallInfo,
}

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

/// Bytes for the short values of a row: numbers of money take five to twenty-five each.
const SCRATCH: usize = 512;

/// How argument 0 gives the model.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ModelBy {
    Value,
    Name,
}

impl Call {
    /// # Safety
    /// `fcinfo` is the argument of a version-1 function called by PostgreSQL.
    #[inline(always)]
    pub unsafe fn new(fcinfo: pg_sys::FunctionCallInfo) -> Self {
        Call { fcinfo }
    }

    #[inline(always)]
    fn argument(&self, place: usize) -> Option<pg_sys::Datum> {
        // SAFETY: `nargs` slots were allocated by the caller of the function.
        let slots = unsafe { (*self.fcinfo).args.as_slice((*self.fcinfo).nargs as usize) };
        slots.get(place).filter(|slot| !slot.isnull).map(|slot| slot.value)
    }

    pub fn is_null(&self, place: usize) -> bool {
        self.argument(place).is_none()
    }

    #[inline(always)]
    pub fn float(&self, place: usize) -> Option<f64> {
        self.argument(place).map(|datum| f64::from_bits(datum.value() as u64))
    }

    /// The bits of an argument that is passed by value, for comparison.
    #[inline]
    pub fn bits(&self, place: usize) -> Option<usize> {
        self.argument(place).map(|datum| datum.value())
    }

    /// An integer, or a date as days since 2000-01-01.
    pub fn integer(&self, place: usize) -> Option<i32> {
        self.argument(place).map(|datum| datum.value() as i32)
    }

    /// An argument that pgrx knows how to read, off the hot path.
    pub fn get<T: FromDatum>(&self, place: usize) -> Option<T> {
        // SAFETY: callers ask for the type that the SQL declaration names; the datum is not NULL.
        self.argument(place).and_then(|datum| unsafe { T::from_datum(datum, false) })
    }

    /// A jsonb as its text: numbers of any size are for the reader to judge.
    pub fn jsonb(&self, place: usize) -> Option<String> {
        let datum = self.argument(place)?;
        // SAFETY: declared jsonb, and not NULL; jsonb_out returns a palloc'd C string.
        unsafe {
            let printed = pgrx::direct_function_call::<&std::ffi::CStr>(pg_sys::jsonb_out, &[Some(datum)])?;
            Some(printed.to_string_lossy().into_owned())
        }
    }

    pub fn text(&self, place: usize) -> Option<&str> {
        // SAFETY: declared text, and not NULL.
        let bytes = self.argument(place).map(|datum| unsafe { varlena::payload(datum) })?;
        Some(std::str::from_utf8(bytes).unwrap_or_else(|_| {
            report(PgSqlErrorCode::ERRCODE_CHARACTER_NOT_IN_REPERTOIRE, "a text argument is not valid UTF-8", "")
        }))
    }

    /// An untyped literal, which PostgreSQL passes as a C string.
    pub fn literal(&self, place: usize) -> Option<String> {
        let datum = self.argument(place)?;
        // SAFETY: declared unknown, and not NULL.
        let text = unsafe { std::ffi::CStr::from_ptr(datum.cast_mut_ptr::<std::ffi::c_char>()) };
        Some(text.to_string_lossy().into_owned())
    }

    /// A float8[]; a NULL in it ends the statement.
    pub fn floats(&self, place: usize) -> Option<&[f64]> {
        // SAFETY: declared float8[], and not NULL.
        let floats = self.argument(place).map(|datum| unsafe { array::floats(datum) })?;
        floats.or_else(|| {
            report(
                PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
                "the array must not hold a NULL",
                "Use array_remove(array, NULL).",
            )
        })
    }

    /// A text[]; a NULL in it ends the statement.
    pub fn texts(&self, place: usize) -> Option<Vec<String>> {
        let texts: Vec<Option<String>> = self.get(place)?;
        let named = |text: Option<String>| {
            text.unwrap_or_else(|| {
                report(
                    PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
                    "the array of names must not hold a NULL",
                    "Name each, or leave the argument out.",
                )
            })
        };
        Some(texts.into_iter().map(named).collect())
    }

    /// The payload of an argument of one of our types, or of text.
    pub fn bytes(&self, place: usize) -> Option<&[u8]> {
        // SAFETY: declared a varlena type, and not NULL.
        self.argument(place).map(|datum| unsafe { varlena::payload(datum) })
    }

    /// The rows of times of an argument that is a design: read in place when an aggregate has just made it. Rows of
    /// amounts end the statement, and so do covariates that are missing.
    pub fn design<R>(&self, place: usize, read: impl FnOnce(&Design) -> R) -> Option<R> {
        self.incomplete_design(place, |design| {
            settle(design.check_complete());
            read(design)
        })
    }

    /// The same for a reader that knows what to do with covariates that are missing.
    pub fn incomplete_design<R>(&self, place: usize, read: impl FnOnce(&Design) -> R) -> Option<R> {
        let design = self.argument(place);
        let of_times = |design: &Design| {
            settle(crate::amount::check_times(design));
            read(design)
        };
        // SAFETY: declared ltv.design, and not NULL; reading changes nothing.
        design.map(|datum| unsafe { expanded::with_state::<Design, _>(datum, of_times) })
    }

    /// An argument that is an aggregate's state: read in place when an aggregate has just made it.
    pub fn state<S: expanded::State, R>(&self, place: usize, read: impl FnOnce(&S) -> R) -> Option<R> {
        // SAFETY: declared of the SQL type of S, and not NULL; reading changes nothing.
        self.argument(place).map(|datum| unsafe { expanded::with_state::<S, _>(datum, read) })
    }

    pub fn boolean(&self, place: usize) -> Option<bool> {
        self.argument(place).map(|datum| datum.value() as u8 != 0)
    }

    /// The model of argument 0 applied to the row of argument 1; `None` when either is NULL.
    #[inline]
    pub fn score<R>(&self, by: ModelBy, answer: impl FnOnce(Result<Subject<'_>, Unscorable>) -> R) -> Option<R> {
        self.score_from(0, by, |_, subject| answer(subject))
    }

    /// A model that is an argument; `None` when it is NULL.
    pub fn model<R>(&self, place: usize, read: impl FnOnce(&Model) -> R) -> Option<R> {
        let bytes = self.bytes(place)?;
        // SAFETY: the functions that read models keep nothing else in fn_extra.
        let site = unsafe { CallSite::of(self.fcinfo) };
        Some(read(site.model(bytes)))
    }

    /// A profile that is an argument; `None` when it is NULL.
    pub fn profile<R>(&self, place: usize, read: impl FnOnce(&Profile) -> R) -> Option<R> {
        let bytes = self.bytes(place)?;
        // SAFETY: the functions that read profiles keep nothing else in fn_extra.
        let site = unsafe { CallSite::of(self.fcinfo) };
        Some(read(site.profile(bytes)))
    }

    /// As [`Call::score`] with the model at a later place and the row right after it; `answer` is also told the header of
    /// the stored model, which equal models have in common.
    #[inline]
    pub fn score_from<R>(
        &self,
        first: usize,
        by: ModelBy,
        answer: impl FnOnce(&[u8], Result<Subject<'_>, Unscorable>) -> R,
    ) -> Option<R> {
        let (model, row) = (self.argument(first)?, self.argument(first + 1)?);
        // SAFETY: the functions that score keep nothing else in fn_extra.
        let site = unsafe { CallSite::of(self.fcinfo) };
        match by {
            // SAFETY: declared ltv.model, and not NULL.
            ModelBy::Value => unsafe { site.hold_datum(model) },
            ModelBy::Name => site.hold_named(self.text(first).unwrap_or_default(), crate::registry::model_bytes),
        }
        // SAFETY: declared record, and not NULL.
        Some(unsafe { site.score(row, answer) })
    }

    /// The model of argument 0 and the values of its features in the row of argument 1; `None` when either is NULL.
    pub fn look<R>(&self, by: ModelBy, answer: impl FnOnce(&Model, &[Value]) -> R) -> Option<R> {
        let (model, row) = (self.argument(0)?, self.argument(1)?);
        // SAFETY: the functions that score keep nothing else in fn_extra.
        let site = unsafe { CallSite::of(self.fcinfo) };
        match by {
            // SAFETY: declared ltv.model, and not NULL.
            ModelBy::Value => unsafe { site.hold_datum(model) },
            ModelBy::Name => site.hold_named(self.text(0).unwrap_or_default(), crate::registry::model_bytes),
        }
        // SAFETY: declared record, and not NULL.
        Some(unsafe { site.look(row, answer) })
    }

    /// As [`Call::curve`] at a later place; `look` is also told a fingerprint of the stored curve.
    pub fn curve_from<R>(&self, place: usize, look: impl FnOnce(&[u8], CurveView<'_>) -> R) -> Option<R> {
        let bytes = self.bytes(place)?;
        // SAFETY: as in `curve`.
        let site = unsafe { CallSite::of(self.fcinfo) };
        site.curve_and_fingerprint(bytes).map(|(curve, print)| look(print, curve.view()))
    }

    /// The curve of argument 0; `None` when it is NULL or of an empty cohort.
    pub fn curve<R>(&self, look: impl FnOnce(CurveView<'_>) -> R) -> Option<R> {
        let bytes = self.bytes(0)?;
        // SAFETY: the functions that read curves keep nothing else in fn_extra.
        let site = unsafe { CallSite::of(self.fcinfo) };
        site.curve(bytes).map(|curve| look(curve.view()))
    }

    /// The same with what this call site keeps of the curve's valuations.
    pub fn curve_and_ages<R>(&self, look: impl FnOnce(CurveView<'_>, &mut Ages) -> R) -> Option<R> {
        let bytes = self.bytes(0)?;
        // SAFETY: as in `curve`.
        let site = unsafe { CallSite::of(self.fcinfo) };
        site.curve_and_ages(bytes).map(|(curve, ages)| look(curve.view(), ages))
    }

    #[inline(always)]
    pub fn null(&self) -> pg_sys::Datum {
        // SAFETY: `fcinfo` is ours to answer through.
        unsafe { (*self.fcinfo).isnull = true };
        pg_sys::Datum::from(0usize)
    }

    #[inline(always)]
    pub fn answer_float(&self, value: Option<f64>) -> pg_sys::Datum {
        match value {
            // No NaN and no infinity leaves for SQL, whatever a forged value may have led to.
            Some(value) if value.is_finite() => pg_sys::Datum::from(value.to_bits() as usize),
            _ => self.null(),
        }
    }

    pub fn answer_bytes(&self, payload: &[u8]) -> pg_sys::Datum {
        varlena::to_datum(payload)
    }

    /// One composite value of the function's declared result type.
    pub fn answer_tuple(&self, fields: Vec<Field>) -> pg_sys::Datum {
        self.answer_row(|row| fields.into_iter().for_each(|field| row.push(field)))
    }

    /// The same, written column by column: rows of the hot path need no memory then.
    pub fn answer_row(&self, fill: impl FnOnce(&mut Row)) -> pg_sys::Datum {
        // SAFETY: as in `score`.
        let site = unsafe { CallSite::of(self.fcinfo) };
        let descriptor = *site.result.get_or_insert_with(|| {
            let mut descriptor: pg_sys::TupleDesc = std::ptr::null_mut();
            // SAFETY: the blessed copy is made in fn_mcxt, where the call site lives too.
            unsafe {
                let class = pg_sys::get_call_result_type(self.fcinfo, std::ptr::null_mut(), &raw mut descriptor);
                if class != pg_sys::TypeFuncClass::TYPEFUNC_COMPOSITE {
                    report(PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED, "this function returns a composite type", "");
                }
                let before = pg_sys::MemoryContextSwitchTo((*(*self.fcinfo).flinfo).fn_mcxt);
                let copy = pg_sys::BlessTupleDesc(pg_sys::CreateTupleDescCopy(descriptor));
                pg_sys::MemoryContextSwitchTo(before);
                copy
            }
        });
        site.row.clear();
        fill(&mut site.row);
        let row = &mut site.row;
        // SAFETY: the declared type has as many columns as there are fields (the surface tests call every function).
        unsafe {
            assert_eq!((*descriptor).natts as usize, row.values.len(), "result columns");
            let tuple = pg_sys::heap_form_tuple(descriptor, row.values.as_mut_ptr(), row.nulls.as_mut_ptr());
            pg_sys::HeapTupleHeaderGetDatum((*tuple).t_data)
        }
    }

    /// A set of rows of the function's declared result type.
    pub fn answer_rows(&self, rows: impl IntoIterator<Item = Vec<Field>>) -> pg_sys::Datum {
        self.answer_rows_by(rows, |row, fields| fields.into_iter().for_each(|field| row.push(field)))
    }

    /// The same, written column by column.
    pub fn answer_rows_by<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        mut fill: impl FnMut(&mut Row, T),
    ) -> pg_sys::Datum {
        // SAFETY: PostgreSQL's own helper checks that a set may be returned and makes the tuplestore.
        let result = unsafe {
            pg_sys::InitMaterializedSRF(self.fcinfo, 0);
            &mut *(*self.fcinfo).resultinfo.cast::<pg_sys::ReturnSetInfo>()
        };
        let mut row = Row::default();
        for item in items {
            settle(interrupts::check());
            row.clear();
            fill(&mut row, item);
            // SAFETY: store and descriptor were just made; the descriptor has as many columns as there are fields.
            unsafe {
                assert_eq!((*result.setDesc).natts as usize, row.values.len(), "result columns");
                pg_sys::tuplestore_putvalues(
                    result.setResult,
                    result.setDesc,
                    row.values.as_mut_ptr(),
                    row.nulls.as_mut_ptr(),
                );
            }
        }
        self.null()
    }
}

/// A row of an answer as PostgreSQL takes it. It copies what the datums point to, so short values need no memory of its
/// own: they lie in `scratch` for so long.
#[derive(Default)]
pub struct Row {
    values: Vec<pg_sys::Datum>,
    nulls: Vec<bool>,
    scratch: Vec<u8>,
    used: usize,
}

impl Row {
    fn clear(&mut self) {
        self.values.clear();
        self.nulls.clear();
        self.scratch.resize(SCRATCH, 0);
        self.used = 0;
    }

    fn push(&mut self, field: Field) {
        match field {
            Field::Float(value) => self.float(value),
            Field::Integer(value) => self.datum(value.and_then(IntoDatum::into_datum)),
            Field::Int4(value) => self.int4(value),
            Field::Text(value) => self.text(value.as_deref()),
            Field::Name(value) => self.text(Some(value)),
            Field::Bool(value) => self.datum(value.into_datum()),
            Field::Texts(value) => self.datum(value.into_datum()),
            Field::Numeric(value) => self.datum(value.and_then(|digits| numeric(&digits).into_datum())),
            Field::Money(value, digits) => self.money(value, digits),
            Field::Bytes(payload) => self.datum(Some(varlena::to_datum(&payload))),
        }
    }

    #[inline]
    fn datum(&mut self, datum: Option<pg_sys::Datum>) {
        self.values.push(datum.unwrap_or(pg_sys::Datum::from(0usize)));
        self.nulls.push(datum.is_none());
    }

    /// No NaN and no infinity leaves for SQL.
    #[inline]
    pub fn float(&mut self, value: Option<f64>) {
        let value = value.filter(|value| value.is_finite());
        self.datum(value.map(|value| pg_sys::Datum::from(value.to_bits() as usize)));
    }

    #[inline]
    pub fn int4(&mut self, value: Option<i32>) {
        self.datum(value.and_then(IntoDatum::into_datum));
    }

    #[inline]
    pub fn text(&mut self, value: Option<&str>) {
        let datum = value.map(|value| self.short(value.as_bytes()));
        self.datum(datum);
    }

    #[inline]
    pub fn money(&mut self, value: Option<Minor>, digits: u32) {
        let datum = value.map(|value| {
            let (bytes, length) = money(value, digits);
            self.short_of(&bytes, length)
        });
        self.datum(datum);
    }

    /// A varlena that is good for as long as the row, its header one byte as in a stored row; in PostgreSQL's memory when
    /// it is too long for that or there is no room left.
    fn short(&mut self, payload: &[u8]) -> pg_sys::Datum {
        const LONGEST: usize = 0x7e;
        if payload.len() > LONGEST {
            return varlena::to_datum(payload);
        }
        match self.room(payload.len()) {
            Some(start) => {
                self.scratch[start + 1..][..payload.len()].copy_from_slice(payload);
                self.headed(start, payload.len())
            }
            None => varlena::to_datum(payload),
        }
    }

    /// The same of the first `length` bytes (at most 100) of a payload that is copied whole: so many moves and no loop.
    #[inline]
    fn short_of<const N: usize>(&mut self, payload: &[u8; N], length: usize) -> pg_sys::Datum {
        match self.room(N) {
            Some(start) => {
                self.scratch[start + 1..][..N].copy_from_slice(payload);
                self.headed(start, length)
            }
            None => varlena::to_datum(&payload[..length]),
        }
    }

    /// Where a header and so many bytes fit.
    #[inline]
    fn room(&self, bytes: usize) -> Option<usize> {
        (self.used + 1 + bytes <= self.scratch.len()).then_some(self.used)
    }

    #[inline]
    fn headed(&mut self, start: usize, length: usize) -> pg_sys::Datum {
        self.used = start + 1 + length;
        let place = &mut self.scratch[start..self.used];
        // SAFETY: header and payload lie within the scratch, whose length does not change while the row is used.
        unsafe { pgrx::varlena::set_varsize_1b(place.as_mut_ptr().cast(), length as i32 + 1) };
        pg_sys::Datum::from(place.as_mut_ptr())
    }
}

fn numeric(digits: &str) -> AnyNumeric {
    AnyNumeric::try_from(digits)
        .unwrap_or_else(|_| report(PgSqlErrorCode::ERRCODE_INTERNAL_ERROR, format!("{digits} is not a number"), ""))
}
