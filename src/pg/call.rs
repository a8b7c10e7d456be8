//! A call of one of our functions, taken apart safely: arguments by place, the answer as datum, tuple or rows.

use ltv_engine::assess::held_out::HeldOut;
use ltv_engine::assess::held_out_limits::WindowLimits;
use ltv_engine::assess::profile::Profile;
use ltv_engine::hazard::design::Design;
use ltv_engine::model::Model;
use ltv_engine::model::features::{Unscorable, Value};
use ltv_engine::model::scoring::Window;
use ltv_engine::model::subject::Subject;
use ltv_engine::survival::CurveView;
use pgrx::{FromDatum, PgSqlErrorCode, pg_sys};

use crate::ages::Ages;
use crate::pg::call_site::CallSite;
use crate::pg::error::{report, settle};
pub use crate::pg::row::{Field, Row};
use crate::pg::{array, expanded, interrupts, varlena};

/// One call. Made only by the exported symbols, with PostgreSQL's own `fcinfo`.
pub struct Call {
    fcinfo: pg_sys::FunctionCallInfo,
}

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
        self.score_in(0, by, |_, subject, _| answer(subject))
    }

    /// The probability by the model of argument 0 that the contract of the row of argument 1 lasts; `None` when either is
    /// NULL, and where there is none.
    #[inline(always)]
    pub fn renewal_probability(&self, by: ModelBy, given: f64, horizon: f64) -> Option<f64> {
        self.at_model_and_row(0, by, |site, row| {
            // SAFETY: declared record, and not NULL.
            unsafe { site.renewal_probability(row, given, horizon) }.or_else(|| {
                // SAFETY: as above.
                unsafe { site.score(row, |_, subject, window| lasting(subject, given, horizon, window)) }
            })
        })
        .flatten()
    }

    /// A model that is an argument; `None` when it is NULL.
    pub fn model<R>(&self, place: usize, read: impl FnOnce(&Model) -> R) -> Option<R> {
        let bytes = self.bytes(place)?;
        // SAFETY: the functions that read models keep nothing else in fn_extra.
        let site = unsafe { CallSite::of(self.fcinfo) };
        Some(read(site.model(bytes)))
    }

    /// The same of a model that is given as a value or by its name.
    pub fn model_by<R>(&self, by: ModelBy, place: usize, read: impl FnOnce(&Model) -> R) -> Option<R> {
        if by == ModelBy::Value {
            return self.model(place, read);
        }
        let name = self.text(place)?;
        // SAFETY: as in `model`.
        let site = unsafe { CallSite::of(self.fcinfo) };
        Some(read(site.model_named(name, crate::registry::model_bytes)))
    }

    /// A profile that is an argument; `None` when it is NULL.
    pub fn profile<R>(&self, place: usize, read: impl FnOnce(&Profile) -> R) -> Option<R> {
        let bytes = self.bytes(place)?;
        // SAFETY: the functions that read profiles keep nothing else in fn_extra.
        let site = unsafe { CallSite::of(self.fcinfo) };
        Some(read(site.profile(bytes)))
    }

    /// The limits in a window by the model of argument 0, of the rows held out of argument 1; `None` when either is NULL.
    pub fn window_limits<R>(
        &self,
        given: f64,
        horizon: f64,
        read: impl FnOnce(&HeldOut, &WindowLimits) -> R,
    ) -> Option<R> {
        let (model, text) = (self.argument(0)?, self.bytes(1)?);
        // SAFETY: the functions that tell limits keep nothing else in fn_extra; declared ltv.model, and not NULL.
        let site = unsafe {
            let site = CallSite::of(self.fcinfo);
            site.hold_datum(model);
            site
        };
        let (rows, limits) = site.window_limits(text, given, horizon);
        Some(read(rows, limits))
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
        self.score_in(first, by, |header, subject, _| answer(header, subject))
    }

    #[inline]
    fn score_in<R>(
        &self,
        first: usize,
        by: ModelBy,
        answer: impl FnOnce(&[u8], Result<Subject<'_>, Unscorable>, &mut Window) -> R,
    ) -> Option<R> {
        // SAFETY: declared record, and not NULL.
        self.at_model_and_row(first, by, |site, row| unsafe { site.score(row, answer) })
    }

    /// Calls `answer` with the call site, the model in use being that of argument `first`, and the row of the next; `None`
    /// when either is NULL.
    #[inline(always)]
    fn at_model_and_row<R>(
        &self,
        first: usize,
        by: ModelBy,
        answer: impl FnOnce(&mut CallSite, pg_sys::Datum) -> R,
    ) -> Option<R> {
        let (model, row) = (self.argument(first)?, self.argument(first + 1)?);
        // SAFETY: the functions that score keep nothing else in fn_extra.
        let site = unsafe { CallSite::of(self.fcinfo) };
        match by {
            // SAFETY: declared ltv.model, and not NULL.
            ModelBy::Value => unsafe { site.hold_datum(model) },
            ModelBy::Name => {
                let look_up = || {
                    let name = self.text(first).unwrap_or_default();
                    (name.to_owned(), crate::registry::model_bytes(name))
                };
                // SAFETY: declared text, and not NULL.
                site.hold_named(unsafe { varlena::payload(model) }, look_up);
            }
        }
        Some(answer(site, row))
    }

    /// The model of argument 0 and the values of its features in the row of argument 1; `None` when either is NULL.
    pub fn look<R>(&self, by: ModelBy, answer: impl FnOnce(&Model, &[Value]) -> R) -> Option<R> {
        // SAFETY: declared record, and not NULL.
        self.at_model_and_row(0, by, |site, row| unsafe { site.look(row, answer) })
    }

    /// The same, and which of the values are of columns of type real.
    pub fn look_typed<R>(&self, by: ModelBy, answer: impl FnOnce(&Model, &[Value], &[bool]) -> R) -> Option<R> {
        // SAFETY: declared record, and not NULL.
        self.at_model_and_row(0, by, |site, row| unsafe { site.look_typed(row, answer) })
    }

    /// The horizon of argument `place` for the model of argument 0 and the row of the next; of none the one that the
    /// registered version answers for, where the model is given by name and has horizons.
    pub fn horizon(&self, place: usize, by: ModelBy) -> Option<f64> {
        let asked = self.float(place);
        if asked.is_some() || by == ModelBy::Value {
            return asked;
        }
        self.look(by, |model, _| settle(model.horizon(None))).flatten()?;
        let name = self.text(0)?;
        // SAFETY: as in `at_model_and_row`.
        let site = unsafe { CallSite::of(self.fcinfo) };
        Some(site.horizon_named(name, crate::registry::model_horizon))
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

    /// The same, written column by column: rows of the hot path need no memory of their own then.
    pub fn answer_row(&self, fill: impl FnOnce(&mut Row)) -> pg_sys::Datum {
        // SAFETY: as in `score`.
        let site = unsafe { CallSite::of(self.fcinfo) };
        self.shape(site);
        let row = &mut site.row;
        row.clear();
        fill(row);
        pg_sys::Datum::from(row.tuple().0)
    }

    /// The same of the curve of argument 0 and what this call site keeps of its valuations; `None` when the curve is NULL
    /// or of an empty cohort, and where there is nothing to `fill` in.
    #[inline]
    pub fn answer_row_of_curve(
        &self,
        fill: impl FnOnce(CurveView<'_>, &mut Ages, &mut Row) -> Option<()>,
    ) -> Option<pg_sys::Datum> {
        let bytes = self.bytes(0)?;
        // SAFETY: as in `curve`.
        let site = unsafe { CallSite::of(self.fcinfo) };
        self.shape(site);
        let (curve, ages, row) = site.curve_ages_and_row(bytes)?;
        row.clear();
        fill(curve.view(), ages, row)?;
        Some(pg_sys::Datum::from(row.tuple().0))
    }

    /// Finds out, for the first row, of what type the rows are.
    #[inline]
    fn shape(&self, site: &mut CallSite) {
        if site.is_shaped {
            return;
        }
        let mut descriptor: pg_sys::TupleDesc = std::ptr::null_mut();
        // SAFETY: PostgreSQL writes the descriptor, which is blessed and read while it is there.
        unsafe {
            let class = pg_sys::get_call_result_type(self.fcinfo, std::ptr::null_mut(), &raw mut descriptor);
            if class != pg_sys::TypeFuncClass::TYPEFUNC_COMPOSITE {
                report(PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED, "this function returns a composite type", "");
            }
            site.row.shape(pg_sys::BlessTupleDesc(pg_sys::CreateTupleDescCopy(descriptor)));
        }
        site.is_shaped = true;
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
        // SAFETY: the descriptor was just made.
        unsafe { row.shape(result.setDesc) };
        for item in items {
            settle(interrupts::check());
            row.clear();
            fill(&mut row, item);
            let (header, length) = row.tuple();
            let mut tuple = pg_sys::HeapTupleData { t_len: length as u32, t_data: header, ..Default::default() };
            // SAFETY: the store was just made, and copies the row, which is ours to free.
            unsafe {
                pg_sys::tuplestore_puttuple(result.setResult, &raw mut tuple);
                pg_sys::pfree(header.cast());
            }
        }
        self.null()
    }
}

/// The probability of a row that went the long way.
#[inline(never)]
fn lasting(subject: Result<Subject<'_>, Unscorable>, given: f64, horizon: f64, window: &mut Window) -> Option<f64> {
    subject.ok().and_then(|subject| settle(subject.renewal_probability_in(given, horizon, window)))
}
