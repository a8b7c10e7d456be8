//! What is read off a fitted Cox model and its rows, in SQL.

use ltv_engine::Error;
use ltv_engine::hazard::design::Design;
use ltv_engine::hazard::proportionality::Transform;
use ltv_engine::hazard::residuals::Residual;
use ltv_engine::model::{Fit, Model};
use ltv_engine::numeric::normal;
use pgrx::pg_sys;

use crate::pg::call::{Call, Field};
use crate::pg::error::{raise, settle};
use crate::pg::varlena::decoded;
use crate::pg::{interrupts, settings};

/// Numbers per row and covariate that residuals take beside the design: the sorted rows, three sums per event time, and
/// the answer.
const NUMBERS_PER_VALUE: usize = 5;
const NUMBERS_PER_ROW: usize = 16;

/// The design of argument 0 and the model of argument 1; `None` when either is NULL.
fn read<R>(call: &Call, answer: impl FnOnce(&Design, Model) -> R) -> Option<R> {
    let model = settle(decoded(call.bytes(1)?, Model::decode));
    call.design(0, |design| {
        let numbers = design.len() * (NUMBERS_PER_VALUE * design.covariates() + NUMBERS_PER_ROW);
        let needed = design.memory_bytes().saturating_add(numbers.saturating_mul(size_of::<f64>()));
        settle(settings::budget().check(needed, "what is read off the rows"));
        answer(design, model)
    })
}

/// `cox_residuals(d, m, kind)`: a row per row of the design, or per row and term.
pub fn cox_residuals(call: &Call) -> pg_sys::Datum {
    let Some(kind) = call.text(2) else { return call.answer_rows(Vec::new()) };
    let kind: Residual = settle(kind.parse());
    let answer = read(call, |design, model| {
        let residuals = settle(model.cox_residuals(design, kind, &mut interrupts::check));
        let terms: Vec<Option<String>> = match kind.is_per_term() {
            true => model.terms().into_iter().map(Some).collect(),
            false => vec![None],
        };
        let coefficients: &[Option<f64>] = match &model.fit {
            Fit::Cox(fit) => &fit.coefficients,
            _ => &[],
        };
        let known = |column: usize| !kind.is_per_term() || coefficients.get(column).is_some_and(Option::is_some);
        let rows = residuals.rows.iter().zip(residuals.values.chunks_exact(residuals.columns.max(1)));
        call.answer_rows(rows.flat_map(|(&row, values)| {
            settle(interrupts::check());
            let cluster = design.clusters().name(row);
            values.iter().zip(&terms).enumerate().map(move |(column, (value, term))| {
                vec![
                    Field::Integer(Some(row as i64 + 1)),
                    Field::Text(cluster.map(String::from)),
                    Field::Float(Some(design.exits()[row])),
                    Field::Text(term.clone()),
                    Field::Float(known(column).then_some(*value)),
                ]
            })
        }))
    });
    answer.unwrap_or_else(|| call.answer_rows(Vec::new()))
}

/// `proportional_hazards_test(d, m, transform, terms)`: a row per term, and `GLOBAL`.
pub fn proportional_hazards_test(call: &Call) -> pg_sys::Datum {
    let Some(transform) = call.text(2) else { return call.answer_rows(Vec::new()) };
    let transform: Transform = settle(transform.parse());
    let names = call.texts(3);
    let tests = read(call, |design, model| {
        settle(model.proportional_hazards_test(design, transform, names.as_deref(), &mut interrupts::check))
    });
    call.answer_rows(tests.unwrap_or_default().into_iter().map(|(term, test)| {
        let df = test.degrees_of_freedom;
        vec![
            Field::Text(Some(term)),
            Field::Float(test.chi_squared),
            Field::Int4(Some(df as i32)),
            Field::Float(test.chi_squared.map(|chi_squared| normal::chi_squared_upper_tail(chi_squared, df as f64))),
        ]
    }))
}

/// `concordance(d, m)`.
pub fn concordance(call: &Call) -> pg_sys::Datum {
    let estimated = read(call, |design, model| {
        if design.is_empty() {
            raise(Error::invalid("a concordance needs rows", "Check the filter, and whether every row has a NULL."));
        }
        settle(model.concordance(design, &mut interrupts::check))
    });
    let Some(estimated) = estimated else { return call.null() };
    let counts = estimated.counts;
    call.answer_tuple(vec![
        Field::Float(counts.estimate()),
        Field::Float(estimated.std_error),
        Field::Float(Some(counts.concordant)),
        Field::Float(Some(counts.discordant)),
        Field::Float(Some(counts.tied_x)),
        Field::Float(Some(counts.tied_y)),
        Field::Float(Some(counts.tied_xy)),
    ])
}
