//! What a call site remembers between rows: the decoded model, where the row keeps its features, the result's shape.
//!
//! It lives in `fn_extra` of the FmgrInfo, so it is as old as one execution of one expression.

use std::ffi::c_void;

use ltv_engine::model::Model;
use ltv_engine::model::codec::HEADER_BYTES;
use ltv_engine::model::features::Unscorable;
use ltv_engine::model::subject::Subject;
use pgrx::pg_sys;

use crate::pg::error::settle;
use crate::pg::record::RowReader;

#[derive(Default)]
pub struct CallSite {
    model: Option<(Vec<u8>, Model)>,
    reader: Option<RowReader>,
    columns: Vec<f64>,
    pub named: Option<NamedModel>,
    pub result: Option<pg_sys::TupleDesc>,
}

/// A model looked up by name, good for one snapshot.
pub struct NamedModel {
    pub name: String,
    pub snapshot: SnapshotKey,
}

/// What a snapshot sees of other transactions and of its own: when any of it changes, a name may mean another version.
#[derive(PartialEq, Eq)]
pub struct SnapshotKey {
    horizon: (u32, u32),
    command: u32,
    subtransaction: u32,
    running: Vec<u32>,
}

impl SnapshotKey {
    pub fn current() -> Self {
        // SAFETY: a function called by the executor has an active snapshot, which is only read; its arrays have the
        // lengths that it says.
        unsafe {
            let snapshot = &*pg_sys::GetActiveSnapshot();
            let ids = |start: *mut pg_sys::TransactionId, count: usize| {
                let ids = if count == 0 { &[][..] } else { std::slice::from_raw_parts(start, count) };
                ids.iter().map(|id| id.into_inner()).collect::<Vec<u32>>()
            };
            let mut running = ids(snapshot.xip, snapshot.xcnt as usize);
            running.extend(ids(snapshot.subxip, snapshot.subxcnt.max(0) as usize));
            SnapshotKey {
                horizon: (snapshot.xmin.into_inner(), snapshot.xmax.into_inner()),
                command: snapshot.curcid,
                subtransaction: pg_sys::GetCurrentSubTransactionId(),
                running,
            }
        }
    }
}

impl CallSite {
    /// The site of this call, made on its first row.
    ///
    /// # Safety
    /// `fcinfo` is PostgreSQL's for a function that keeps nothing else in `fn_extra`. The reference must not outlive
    /// the call.
    #[inline]
    pub unsafe fn of<'a>(fcinfo: pg_sys::FunctionCallInfo) -> &'a mut CallSite {
        // SAFETY: flinfo is set for every call through the function manager; fn_extra is NULL or what we put there.
        unsafe {
            let flinfo = (*fcinfo).flinfo;
            if (*flinfo).fn_extra.is_null() {
                let site = Box::into_raw(Box::<CallSite>::default());
                let callback =
                    pg_sys::MemoryContextAllocZero((*flinfo).fn_mcxt, size_of::<pg_sys::MemoryContextCallback>())
                        .cast::<pg_sys::MemoryContextCallback>();
                (*callback).func = Some(drop_site);
                (*callback).arg = site.cast();
                pg_sys::MemoryContextRegisterResetCallback((*flinfo).fn_mcxt, callback);
                (*flinfo).fn_extra = site.cast();
            }
            &mut *(*flinfo).fn_extra.cast::<CallSite>()
        }
    }

    /// Makes the stored model `bytes` the current one; decoding it only when it is not already.
    #[inline]
    pub fn hold(&mut self, bytes: &[u8]) {
        let header = bytes.get(..HEADER_BYTES).unwrap_or(bytes);
        if self.model.as_ref().is_none_or(|(held, _)| held != header) {
            self.model = Some((header.to_vec(), settle(Model::decode(bytes))));
            self.reader = None;
        }
    }

    /// Applies the current model to a row.
    ///
    /// # Safety
    /// `row` is a non-NULL composite value; [`CallSite::hold`] has been called.
    #[inline]
    pub unsafe fn score<R>(
        &mut self,
        row: pg_sys::Datum,
        answer: impl FnOnce(Result<Subject<'_>, Unscorable>) -> R,
    ) -> R {
        let (_, model) = self.model.as_ref().unwrap_or_else(|| unreachable!("hold() comes before score()"));
        // SAFETY: passed on.
        let values = unsafe { RowReader::values(&mut self.reader, row, &model.features) };
        answer(model.subject(values, &mut self.columns))
    }
}

unsafe extern "C-unwind" fn drop_site(site: *mut c_void) {
    // SAFETY: registered once for this box, called once when fn_mcxt goes.
    drop(unsafe { Box::from_raw(site.cast::<CallSite>()) });
}
