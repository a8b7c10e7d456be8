//! What a call site remembers between rows: the decoded model, where the row keeps its features, the result's shape.
//!
//! It lives in `fn_extra` of the FmgrInfo, so it is as old as one execution of one expression.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::c_void;

use ltv_engine::assess::held_out::HeldOut;
use ltv_engine::assess::held_out_limits::WindowLimits;
use ltv_engine::assess::profile::Profile;
use ltv_engine::model::codec::{FINGERPRINT_BYTES, HEADER_BYTES, fingerprint};
use ltv_engine::model::features::{Unscorable, Value};
use ltv_engine::model::scoring::{Proportional, Term, Window};
use ltv_engine::model::subject::Subject;
use ltv_engine::model::{Fit, Model};
use ltv_engine::survival::{Reading, Survival};
use pgrx::pg_sys;

use crate::ages::Ages;
use crate::pg::error::settle;
use crate::pg::record::RowReader;
use crate::pg::row::Row;
use crate::pg::snapshot::SnapshotKey;
use crate::pg::varlena::decoded;
use crate::pg::{interrupts, varlena};
use crate::text::Text;

/// As many models or curves as a call site remembers: one per segment, say.
const REMEMBERED: usize = 32;
/// Curves beyond this many stored bytes are not remembered beside others.
const REMEMBERED_BYTES: usize = 4 << 20;
/// Limits of as many windows, each about a kilobyte.
const REMEMBERED_WINDOWS: usize = 4096;
/// The level of the limits of trees.
const LEVEL: f64 = 0.95;

#[derive(Default)]
pub struct CallSite {
    /// The one in use first.
    models: Vec<HeldModel>,
    /// The models of names, good for one snapshot.
    named: Vec<(String, Header)>,
    /// And for how long ahead they answer when they are asked for nothing else.
    horizons: Vec<(String, f64)>,
    snapshot: Option<SnapshotKey>,
    curves: Vec<HeldCurve>,
    profile: Option<(Vec<u8>, Profile)>,
    held_out: Option<HeldRows>,
    /// Whether `row` knows of what type it is.
    pub is_shaped: bool,
    /// Room for one row of the result.
    pub row: Row,
}

struct HeldCurve {
    bytes: Vec<u8>,
    /// `None` for an empty cohort.
    curve: Option<Reading>,
    ages: Ages,
    /// Of `bytes`, when it has been asked for.
    fingerprint: Option<[u8; FINGERPRINT_BYTES]>,
}

/// Rows held out, and the limits by a model that they have been asked for: one answer for each age.
struct HeldRows {
    text: Vec<u8>,
    model: Header,
    rows: HeldOut,
    /// By the bits of the age and the horizon.
    limits: HashMap<(u64, u64), WindowLimits>,
}

/// What tells stored models apart.
type Header = [u8; HEADER_BYTES];

struct HeldModel {
    header: Header,
    model: Model,
    reader: Option<RowReader>,
    columns: Vec<f64>,
    /// Whether rows of numbers take the short way.
    is_of_numbers: bool,
    /// The shortest way, where there is one.
    proportional: Option<Proportional>,
    window: Window,
}

impl CallSite {
    /// The site of this call, made on its first row.
    ///
    /// # Safety
    /// `fcinfo` is PostgreSQL's for a function that keeps nothing else in `fn_extra`. The reference must not outlive
    /// the call.
    #[inline(always)]
    pub unsafe fn of<'a>(fcinfo: pg_sys::FunctionCallInfo) -> &'a mut CallSite {
        // SAFETY: flinfo is set for every call through the function manager; fn_extra is NULL or what we put there.
        unsafe {
            let flinfo = (*fcinfo).flinfo;
            if (*flinfo).fn_extra.is_null() {
                CallSite::open(flinfo);
            }
            &mut *(*flinfo).fn_extra.cast::<CallSite>()
        }
    }

    /// Puts a new site into `fn_extra`.
    ///
    /// # Safety
    /// `flinfo` is PostgreSQL's, with nothing in `fn_extra`.
    #[cold]
    unsafe fn open(flinfo: *mut pg_sys::FmgrInfo) {
        // SAFETY: the callback lies in the context whose end it is called at, and drops what was put there once.
        unsafe {
            let site = Box::into_raw(Box::<CallSite>::default());
            let callback =
                pg_sys::MemoryContextAllocZero((*flinfo).fn_mcxt, size_of::<pg_sys::MemoryContextCallback>())
                    .cast::<pg_sys::MemoryContextCallback>();
            (*callback).func = Some(drop_site);
            (*callback).arg = site.cast();
            pg_sys::MemoryContextRegisterResetCallback((*flinfo).fn_mcxt, callback);
            (*flinfo).fn_extra = site.cast();
        }
    }

    /// Makes the stored model `bytes` the one in use, decoding it only when it is not held already.
    #[inline]
    pub fn hold(&mut self, bytes: &[u8]) {
        if !self.find(bytes) {
            self.take(bytes);
        }
    }

    #[cold]
    fn take(&mut self, bytes: &[u8]) {
        let model = settle(decoded(bytes, Model::decode));
        self.models.truncate(REMEMBERED - 1);
        let held = HeldModel {
            header: *bytes.first_chunk().unwrap_or_else(|| unreachable!("a model that was decoded has a header")),
            reader: None,
            columns: Vec::new(),
            is_of_numbers: model.is_of_numbers(),
            proportional: Proportional::of(&model),
            window: Window::default(),
            model,
        };
        self.models.insert(0, held);
    }

    /// The same with a stored model that may be toasted: what says which it is stands first, so that one that is held
    /// already is not read whole for every row.
    ///
    /// # Safety
    /// `datum` is a non-NULL `ltv.model`.
    #[inline(always)]
    pub unsafe fn hold_datum(&mut self, datum: pg_sys::Datum) {
        // SAFETY: passed on.
        let held = !self.models.is_empty() && self.find(unsafe { varlena::beginning(datum, HEADER_BYTES) });
        if !held {
            // SAFETY: passed on.
            self.hold(unsafe { varlena::payload(datum) });
        }
    }

    /// Makes the model called `name` the one in use, looking it up once per snapshot.
    #[inline]
    pub fn hold_named(&mut self, name: &[u8], look_up: impl FnOnce() -> (String, Vec<u8>)) {
        if let Some(snapshot) = SnapshotKey::changed(self.snapshot.as_ref()) {
            self.named.clear();
            self.horizons.clear();
            self.snapshot = Some(snapshot);
        }
        let known = self.named.iter().find(|(held, _)| held.as_bytes() == name).map(|(_, header)| *header);
        if !known.is_some_and(|header| self.find(&header)) {
            self.take_named(look_up());
        }
    }

    #[cold]
    fn take_named(&mut self, (name, bytes): (String, Vec<u8>)) {
        self.hold(&bytes);
        self.named.retain(|(held, _)| *held != name);
        self.named.truncate(REMEMBERED - 1);
        self.named.insert(0, (name, self.models[0].header));
    }

    /// Moves the model whose stored bytes begin so to the front, if it is held.
    #[inline(always)]
    fn find(&mut self, bytes: &[u8]) -> bool {
        let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else { return false };
        self.models.first().is_some_and(|held| held.header == *header) || self.find_another(header)
    }

    #[inline(never)]
    fn find_another(&mut self, header: &Header) -> bool {
        let found = self.models.iter().position(|held| held.header == *header);
        if let Some(at) = found {
            self.models[..=at].rotate_right(1);
        }
        found.is_some()
    }

    /// The probability that the contract of a row lasts, by the shortest way; `None` where the model or the row needs a
    /// longer one, or has no answer.
    ///
    /// # Safety
    /// As [`CallSite::score`].
    #[inline(always)]
    pub unsafe fn renewal_probability(&mut self, row: pg_sys::Datum, given: f64, horizon: f64) -> Option<f64> {
        let held = self.models.first_mut()?;
        let proportional = held.proportional.as_ref()?;
        let mut linear_predictor = 0.0;
        let add = |term: &Term, number| linear_predictor += term.of(number);
        // SAFETY: passed on.
        unsafe { RowReader::numbers_with(&mut held.reader, row, &held.model.features, &proportional.terms, add)? };
        settle(Proportional::renewal_probability_in(&held.model, linear_predictor, given, horizon, &mut held.window))
    }

    /// Applies the model in use to a row; `answer` is also told the model's header, and what this call site keeps of the
    /// questions that are asked of it.
    ///
    /// # Safety
    /// `row` is a non-NULL composite value; a model is held.
    #[inline]
    pub unsafe fn score<R>(
        &mut self,
        row: pg_sys::Datum,
        answer: impl FnOnce(&[u8], Result<Subject<'_>, Unscorable>, &mut Window) -> R,
    ) -> R {
        let held = self.models.first_mut().unwrap_or_else(|| unreachable!("a model is held before a row is scored"));
        if held.is_of_numbers {
            // SAFETY: passed on.
            let numbers = unsafe { RowReader::numbers(&mut held.reader, row, &held.model.features) };
            if let Some(subject) = numbers.and_then(|numbers| held.model.subject_of_numbers(numbers)) {
                return answer(&held.header, Ok(subject), &mut held.window);
            }
        }
        settle(held.model.check_lifetimes());
        // SAFETY: passed on.
        let values = unsafe { RowReader::values(&mut held.reader, row, &held.model.features) };
        if matches!(held.model.fit, Fit::Segmented(_)) {
            // Segments err by themselves: each counts as a model of its own.
            let mut header = held.header.to_vec();
            header.extend(held.model.segment_place(values).to_be_bytes());
            return answer(&header, held.model.subject(values, &mut held.columns), &mut held.window);
        }
        answer(&held.header, held.model.subject(values, &mut held.columns), &mut held.window)
    }

    /// The stored model `bytes`, decoded only when it is not held already.
    pub fn model(&mut self, bytes: &[u8]) -> &Model {
        self.hold(bytes);
        &self.models[0].model
    }

    /// The model called `name`, looked up once per snapshot.
    pub fn model_named(&mut self, name: &str, look_up: impl FnOnce(&str) -> Vec<u8>) -> &Model {
        self.hold_named(name.as_bytes(), || (name.to_owned(), look_up(name)));
        &self.models[0].model
    }

    /// For how long ahead the model called `name`, which is the one in use, answers, looked up once per snapshot.
    pub fn horizon_named(&mut self, name: &str, look_up: impl FnOnce(&str) -> f64) -> f64 {
        if let Some((_, horizon)) = self.horizons.iter().find(|(held, _)| held == name) {
            return *horizon;
        }
        let horizon = look_up(name);
        self.horizons.truncate(REMEMBERED - 1);
        self.horizons.insert(0, (name.to_owned(), horizon));
        horizon
    }

    /// The stored profile `bytes`, decoded only when it is not the one of the row before.
    pub fn profile(&mut self, bytes: &[u8]) -> &Profile {
        let held = match self.profile.take() {
            Some(held) if held.0 == bytes => held,
            _ => (bytes.to_vec(), settle(decoded(bytes, Profile::decode))),
        };
        &self.profile.insert(held).1
    }

    /// The limits by the model in use, in a window, of the rows held out that `text` tells of: found once for each window.
    pub fn window_limits(&mut self, text: &[u8], given: f64, horizon: f64) -> (&HeldOut, &WindowLimits) {
        let held = self.models.first().unwrap_or_else(|| unreachable!("a model is held before limits are asked for"));
        let rows = match self.held_out.take() {
            Some(rows) if rows.text == text && rows.model == held.header => rows,
            _ => HeldRows {
                text: text.to_vec(),
                model: held.header,
                rows: settle(HeldOut::from_text(&String::from_utf8_lossy(text))),
                limits: HashMap::new(),
            },
        };
        let kept = self.held_out.insert(rows);
        let window = (given.to_bits(), horizon.to_bits());
        if kept.limits.len() >= REMEMBERED_WINDOWS && !kept.limits.contains_key(&window) {
            kept.limits.clear();
        }
        let limits = match kept.limits.entry(window) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let found = held.model.window_limits(&kept.rows, given, horizon, LEVEL, &mut interrupts::check);
                place.insert(settle(found))
            }
        };
        (&kept.rows, limits)
    }

    /// The model in use and the values of its features in a row.
    ///
    /// # Safety
    /// As [`CallSite::score`].
    pub unsafe fn look<R>(&mut self, row: pg_sys::Datum, answer: impl FnOnce(&Model, &[Value]) -> R) -> R {
        let held = self.models.first_mut().unwrap_or_else(|| unreachable!("a model is held before a row is scored"));
        // SAFETY: passed on.
        let values = unsafe { RowReader::values(&mut held.reader, row, &held.model.features) };
        answer(&held.model, values)
    }

    /// The same, and which of the values are of columns of type real.
    ///
    /// # Safety
    /// As [`CallSite::score`].
    pub unsafe fn look_typed<R>(
        &mut self,
        row: pg_sys::Datum,
        answer: impl FnOnce(&Model, &[Value], &[bool]) -> R,
    ) -> R {
        let held = self.models.first_mut().unwrap_or_else(|| unreachable!("a model is held before a row is scored"));
        // SAFETY: passed on.
        let _ = unsafe { RowReader::values(&mut held.reader, row, &held.model.features) };
        let reals = held.reader.as_ref().map_or_else(Vec::new, |reader| reader.reals().to_vec());
        // SAFETY: passed on.
        let values = unsafe { RowReader::values(&mut held.reader, row, &held.model.features) };
        answer(&held.model, values, &reals)
    }

    /// A stored curve, ready to be asked; `None` for an empty cohort.
    pub fn curve(&mut self, bytes: &[u8]) -> Option<&Reading> {
        self.hold_curve(bytes).curve.as_ref()
    }

    /// The same with what is kept of its valuations.
    pub fn curve_and_ages(&mut self, bytes: &[u8]) -> Option<(&Reading, &mut Ages)> {
        let held = self.hold_curve(bytes);
        held.curve.as_ref().map(|curve| (curve, &mut held.ages))
    }

    /// The same with the room for a row.
    pub fn curve_ages_and_row(&mut self, bytes: &[u8]) -> Option<(&Reading, &mut Ages, &mut Row)> {
        self.hold_curve(bytes);
        let held = self.curves.first_mut()?;
        held.curve.as_ref().map(|curve| (curve, &mut held.ages, &mut self.row))
    }

    /// The same with its fingerprint.
    pub fn curve_and_fingerprint(&mut self, bytes: &[u8]) -> Option<(&Reading, &[u8])> {
        let held = self.hold_curve(bytes);
        let print = held.fingerprint.get_or_insert_with(|| fingerprint(&held.bytes));
        held.curve.as_ref().map(|curve| (curve, &print[..]))
    }

    /// Moves the curve of these bytes to the front, decoding it only when it is not held already.
    fn hold_curve(&mut self, bytes: &[u8]) -> &mut HeldCurve {
        match self.curves.iter().position(|held| held.bytes == bytes) {
            Some(at) => self.curves[..=at].rotate_right(1),
            None => {
                let curve = settle(decoded(bytes, Survival::decode)).reading();
                let ages = Ages::default();
                self.curves.insert(0, HeldCurve { bytes: bytes.to_vec(), curve, ages, fingerprint: None });
                let mut total = 0;
                let fit = self.curves.iter().take_while(|held| {
                    total += held.bytes.len();
                    total <= REMEMBERED_BYTES
                });
                let kept = fit.count().clamp(1, REMEMBERED);
                self.curves.truncate(kept);
            }
        }
        &mut self.curves[0]
    }
}

unsafe extern "C-unwind" fn drop_site(site: *mut c_void) {
    if crate::pg::allocator::is_leaving() {
        return;
    }
    // SAFETY: registered once for this box, called once when fn_mcxt goes.
    drop(unsafe { Box::from_raw(site.cast::<CallSite>()) });
}
