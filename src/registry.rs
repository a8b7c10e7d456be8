//! Reading the registry, whose tables and rules are SQL (`sql/50_registry.sql`).

use pgrx::prelude::*;

use crate::pg::call::Call;
use crate::pg::error::settle;
use crate::pg::function;
use crate::pg::reader::Reader;
use crate::pg::snapshot::ByNow;
use crate::pg::varlena;

/// The stored bytes of the model called `name` (`name`, `name@alias` or `name@version`), as `ltv.model(name)` finds it
/// – or ends the statement when it finds none.
///
/// The function is called directly, not through a query of ours: it reads without a command of its own, so this works
/// in parallel workers of a transaction that has written, and on a standby.
pub fn model_bytes(name: &str) -> Vec<u8> {
    varlena::copied(function::call_with_text(c"ltv.model(pg_catalog.text)", name))
}

/// For how long ahead the version called `name` answers when it is asked for nothing else, as `ltv.model_horizon(name)` tells
/// it; of a model that has a horizon.
pub fn model_horizon(name: &str) -> f64 {
    let found = function::call_with_text(c"ltv.model_horizon(pg_catalog.text)", name);
    // SAFETY: the function is declared to return double precision, and its result was not NULL.
    unsafe { f64::from_datum(found, false) }.unwrap_or_default()
}

/// `ltv.model('churn')` with a plain literal, which PostgreSQL passes untyped.
///
/// Without this overload the parser would take the call for a cast to the type of the same name.
pub fn model_by_literal(call: &Call) -> pg_sys::Datum {
    match call.literal(0) {
        Some(name) => call.answer_bytes(&model_bytes(&name)),
        None => call.null(),
    }
}

/// `version_stands(label)`: whether there is a version `name@version` by now; NULL where no model is called so.
pub fn version_stands(call: &Call) -> pg_sys::Datum {
    let stands = by_now::<bool>(
        call,
        "SELECT CASE WHEN EXISTS (SELECT FROM ltv.models m WHERE m.name = split_part($1, '@', 1))
                     THEN EXISTS (SELECT FROM ltv.model_versions v WHERE v.model = split_part($1, '@', 1) AND v.version::text = split_part($1, '@', 2)) END",
    );
    stands.map_or_else(|| call.null(), pg_sys::Datum::from)
}

/// `made_of(label)`: what holds the whole of a version by now, recalibrated or in a hybrid; NULL where nothing does.
pub fn made_of(call: &Call) -> pg_sys::Datum {
    let children = by_now::<String>(
        call,
        "SELECT string_agg(q.label, ', ' ORDER BY q.label COLLATE \"C\")
         FROM (SELECT format('%s@%s', v.model, v.version) FROM ltv.model_versions v WHERE v.model = split_part($1, '@', 1) AND v.parent::text = split_part($1, '@', 2)
               UNION SELECT format('%s@%s', v.model, v.version) FROM ltv.model_versions v, LATERAL ltv.hybrid_components(v.fitted) c WHERE v.algorithm = 'hybrid' AND c.model = $1) AS q (label)",
    );
    children.map_or_else(|| call.null(), |children| call.answer_bytes(children.as_bytes()))
}

/// The only value of a query about a label, of what is committed by now.
fn by_now<T: IntoDatum + FromDatum>(call: &Call, query: &str) -> Option<T> {
    let label = call.text(0)?;
    Spi::connect(|client| {
        let _by_now = ByNow::new();
        settle(settle(Reader::new(client).select(query, &[label.into()])).first().get_one())
    })
}
