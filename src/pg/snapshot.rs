//! What a snapshot sees: to know when a name has to be looked up again, and to look at what is there by now.

use pgrx::pg_sys;

/// PostgreSQL's own functions without the guard that every other one is called behind, and which takes ten times as long
/// as they do: it is there for errors, and these read a variable.
mod unguarded {
    use pgrx::pg_sys;

    unsafe extern "C-unwind" {
        pub fn GetActiveSnapshot() -> pg_sys::Snapshot;
        pub fn GetCurrentSubTransactionId() -> pg_sys::SubTransactionId;
        pub fn GetUserId() -> pg_sys::Oid;
    }
}

/// What a snapshot sees of other transactions and of its own, and who looks: when any of it changes, a name may mean
/// another version, or none. An expression of a function keeps its site for the whole transaction, whoever calls it.
pub struct SnapshotKey {
    user: pg_sys::Oid,
    horizon: (u32, u32),
    command: u32,
    subtransaction: u32,
    running: Vec<u32>,
}

impl SnapshotKey {
    /// The key of the active snapshot, when it is not this one's.
    #[inline]
    pub fn changed(held: Option<&SnapshotKey>) -> Option<SnapshotKey> {
        // SAFETY: a function called by the executor has an active snapshot, which is only read; its arrays have the
        // lengths that it says.
        let (snapshot, xip, subxip, subtransaction, user) = unsafe {
            let snapshot = &*unguarded::GetActiveSnapshot();
            let ids = |start: *mut pg_sys::TransactionId, count: usize| {
                if count == 0 { &[][..] } else { std::slice::from_raw_parts(start, count) }
            };
            let (xip, subxip) = (snapshot.xcnt as usize, snapshot.subxcnt.max(0) as usize);
            let subtransaction = unguarded::GetCurrentSubTransactionId();
            (snapshot, ids(snapshot.xip, xip), ids(snapshot.subxip, subxip), subtransaction, unguarded::GetUserId())
        };
        let horizon = (snapshot.xmin.into_inner(), snapshot.xmax.into_inner());
        let running = xip.iter().chain(subxip).map(|id| id.into_inner());
        let same = held.is_some_and(|held| {
            held.user == user
                && held.horizon == horizon
                && held.command == snapshot.curcid
                && held.subtransaction == subtransaction
                && running.clone().eq(held.running.iter().copied())
        });
        (!same).then(|| SnapshotKey {
            user,
            horizon,
            command: snapshot.curcid,
            subtransaction,
            running: running.collect(),
        })
    }
}

/// While it lives, queries of a [`Reader`](crate::pg::reader::Reader) see what is committed by now, whatever the snapshot of the
/// transaction is: as PostgreSQL's own foreign keys are checked.
pub struct ByNow(());

impl ByNow {
    pub fn new() -> ByNow {
        // SAFETY: the function is called within a transaction, and not by a parallel worker, as it is PARALLEL UNSAFE; the
        // snapshot, which is PostgreSQL's own, is copied as it becomes the active one.
        unsafe { pg_sys::PushActiveSnapshot(pg_sys::GetLatestSnapshot()) };
        ByNow(())
    }
}

impl Drop for ByNow {
    fn drop(&mut self) {
        // After an error PostgreSQL takes the snapshots off itself, with those of whatever has failed.
        if !std::thread::panicking() {
            // SAFETY: whoever pushed a snapshot since has popped it, so the last is that of `new`.
            unsafe { pg_sys::PopActiveSnapshot() };
        }
    }
}
