//! Models of customers who buy without a contract: a row is a customer's history, as `purchase_summary` makes it.
//!
//! What the model is held against, where a target says it, lies after the history: the fit has seen nothing of it, whether
//! the row was held out or not.

use ltv_engine::model::{Fit, Model};
use ltv_engine::survival::Sample;
use ltv_engine::{Error, Result};
use pgrx::spi::quote_literal;

use crate::pg::reader::Reader;
use crate::pg::varlena::Value;
use crate::train::Trained;
use crate::train::clauses::Unit;
use crate::train::column::Column;
use crate::train::customers::Customers;
use crate::train::evaluate::Metric;
use crate::train::fit::no_rows;
use crate::train::knowledge::Window;
use crate::train::request::Request;
use crate::train::source::Source;
use crate::train::statement::number;

/// The columns in the source.
#[derive(Clone)]
pub struct History {
    pub customers: Customers,
    pub columns: Vec<Column>,
    /// Each as a number.
    pub numbers: Vec<String>,
    /// The name of a row's segment, where there are segments.
    pub segment: Option<String>,
}

impl History {
    pub fn load(customers: &Customers, segment_by: &[String], find: impl Fn(&str) -> Column) -> Result<History> {
        let columns: Vec<Column> = customers.columns.iter().map(|(_, name)| find(name)).collect();
        let number = |(column, (role, _)): (&Column, &(&str, String))| {
            if column.is_number() {
                return Ok(format!("{}::float8", column.sql()));
            }
            let hint = "It must be a number: ltv.purchase_summary makes frequency, recency, age and mean_value of transactions.";
            Err(column.unusable(&role.replace('_', " "), hint))
        };
        let numbers = columns.iter().zip(&customers.columns).map(number).collect::<Result<_>>()?;
        let levels: Vec<String> = segment_by.iter().map(|name| format!("{}::text", find(name).sql())).collect();
        let segment = (!levels.is_empty()).then(|| levels.join(" || ' / ' || "));
        Ok(History { customers: customers.clone(), columns, numbers, segment })
    }

    /// Numbers that the fit estimates.
    pub fn parameters(&self) -> usize {
        if self.customers.is_of_spend() { 3 } else { 4 }
    }

    pub fn frequency(&self) -> &str {
        &self.numbers[0]
    }

    /// The arguments of the fit and of what a model is asked, in their order.
    pub fn arguments(&self) -> String {
        self.numbers.join(", ")
    }

    /// True for rows that came again.
    pub fn came_again(&self) -> String {
        format!("({} > 0)", self.frequency())
    }

    /// The column that may be NULL, and the condition under which it may: nobody who bought once has a mean value of the
    /// purchases after.
    pub fn may_lack(&self, column: &Column) -> Option<String> {
        let is_mean = self.customers.is_of_spend() && self.columns[1].name == column.name;
        is_mean.then(|| format!("coalesce({} = 0, false)", self.frequency()))
    }

    /// Rows begin at most on the day of the knowledge; an age that ends later than that knows too much.
    pub fn window(&self, request: &Request, started: Option<&str>, (duration, event): (String, String)) -> Window {
        let (Some(day), Some(started)) = (&request.as_of, started) else {
            return Window { begun: "true".into(), cut_off: None, duration, event, untold: None };
        };
        let day = format!("CAST({} AS date)", quote_literal(day));
        // As purchase_summary measures it.
        let days = match request.unit {
            Unit::Day => 1.0,
            Unit::Week => 7.0,
            Unit::Month => 365.0 / 12.0,
            Unit::Year => 365.0,
        };
        let until = format!("(({day} - {started}) / {})", number(days));
        let beyond = |age: &String| format!("coalesce({age} > {until} * {} + 1e-9, false)", number(1.0 + 1e-9));
        Window {
            untold: None,
            begun: format!("coalesce({started} <= {day}, true)"),
            cut_off: self.numbers.get(2).map(beyond),
            duration,
            event,
        }
    }

    /// What a model is asked beside the history.
    fn of_segment(&self) -> String {
        self.segment.as_ref().map(|name| format!(", segment => {name}")).unwrap_or_default()
    }

    /// What the model `$1` expects of a row: purchases within the horizon, or the value of one; `None` without a horizon.
    fn expected(&self, request: &Request) -> Option<String> {
        match self.customers.is_of_spend() {
            true => Some(format!("ltv.expected_spend($1, {}{})", self.arguments(), self.of_segment())),
            false => {
                let horizon = number(request.horizon?);
                Some(format!("ltv.expected_purchases($1, {}, {horizon}{})", self.arguments(), self.of_segment()))
            }
        }
    }

    /// What is profiled beside the columns: role, name, horizon and expression.
    pub fn predictions(&self, request: &Request) -> Vec<(&'static str, String, Option<f64>, String)> {
        let mut predictions = Vec::new();
        if !self.customers.is_of_spend() {
            let alive = format!("ltv.probability_alive($1, {}{})", self.arguments(), self.of_segment());
            predictions.push(("prediction", "probability_alive".to_owned(), None, alive));
        }
        let name = if self.customers.is_of_spend() { "expected_spend" } else { "expected_purchases" };
        predictions
            .extend(self.expected(request).map(|expected| ("prediction", name.to_owned(), request.horizon, expected)));
        predictions
    }

    /// The columns as inputs of the profile.
    pub fn inputs(&self) -> Vec<(&'static str, String, Option<f64>, String)> {
        let input = |(column, number): (&Column, &String)| ("feature", column.name.clone(), None, number.clone());
        self.columns.iter().zip(&self.numbers).map(input).collect()
    }

    /// The call that fits the rows.
    pub fn call(&self, source: &Source) -> String {
        let weight = source.weight.as_ref().map(|weight| format!(", {weight}")).unwrap_or_default();
        format!("ltv.{}({}{weight})", self.customers.function, self.arguments())
    }
}

/// Fits the training rows.
pub fn fit(reader: &Reader, source: &Source, history: &History) -> Result<Trained> {
    let query = format!("SELECT count(*), {} FROM {} WHERE {}", history.call(source), source.from, source.training());
    let row = reader.select(&query, &[])?.first();
    let n_rows = row.get::<i64>(1)?.unwrap_or(0);
    if n_rows == 0 {
        return Err(no_rows(source));
    }
    match row.get::<Value<Model>>(2)?.map(|Value(model)| model) {
        Some(model) if came_again(&model) > 0.0 => {
            Ok(Trained { model, pooled: Sample::default(), n_rows, candidates: Vec::new(), horizon: None })
        }
        _ => Err(nobody_came_again(n_rows)),
    }
}

pub fn nobody_came_again(rows: i64) -> Error {
    Error::invalid(
        format!("none of the {rows} training rows has a repeat purchase"),
        "frequency counts the purchases after the first. Check the columns, the holdout, and that there is more than one purchase of somebody.",
    )
}

/// Customers with repeat purchases, by weight.
pub fn came_again(model: &Model) -> f64 {
    match &model.fit {
        Fit::Transactional(fit) => fit.repeat_customers,
        Fit::Segmented(segmented) => came_again(&segmented.pooled),
        _ => 0.0,
    }
}

/// What a reader must know of the version beside what is said of every model.
pub fn remarks(history: &History, request: &Request) -> Vec<String> {
    let mut remarks = Vec::new();
    if !history.customers.is_of_spend() {
        return remarks;
    }
    if let Some(day) = request.as_of.as_ref().filter(|_| request.started_on.is_some()) {
        remarks.push(format!("as of {day}: mean values have no age, and are taken as known on that day"));
    }
    remarks
}

/// RMSE, MAE and bias of what was expected of the time after the history, beside customers who go on as they did; without
/// a target the log-likelihood beside that of customers who are all alike and never leave.
///
/// Who came once has nothing to tell of values, and who does not come later nothing to hold against them: so it must be,
/// and is counted among the metrics instead of warned of.
pub fn metrics(
    reader: &Reader,
    source: &Source,
    history: &History,
    request: &Request,
    trained: &Trained,
    warnings: &mut Vec<String>,
) -> Result<Vec<Metric>> {
    let mut metrics = judged(reader, source, history, request, trained, warnings)?;
    if history.customers.is_of_spend() {
        let once = Metric::plain("customers without repeat purchases".into(), Some(trained.model.skipped as f64));
        metrics.push(once);
    }
    Ok(metrics)
}

fn judged(
    reader: &Reader,
    source: &Source,
    history: &History,
    request: &Request,
    trained: &Trained,
    warnings: &mut Vec<String>,
) -> Result<Vec<Metric>> {
    let (Some(expected), Some(_)) = (history.expected(request), &request.target) else {
        warnings.push("no target: nothing here says how well it predicts".into());
        return log_likelihood(reader, source, history, trained);
    };
    let (from, frequency) = (&source.from, history.frequency());
    let (learnt, weight) =
        (source.weight.as_deref().unwrap_or("1::float8"), source.judged_weight.as_deref().unwrap_or("1::float8"));
    let (named, naive) = match &history.numbers[..] {
        [_, mean] => {
            let query = format!(
                "SELECT sum({learnt} * {mean}) / sum({learnt}) FROM {from} WHERE {} AND {frequency} > 0",
                source.training()
            );
            let all = reader.select(&query, &[])?.first().get_one::<f64>()?;
            let all = all.filter(|all| all.is_finite()).map_or_else(|| "NULL::float8".to_owned(), number);
            ("the mean value so far", format!("CASE WHEN {frequency} > 0 THEN {mean} ELSE {all} END"))
        }
        _ => {
            let (age, horizon) = (&history.numbers[2], number(request.horizon.unwrap_or_default()));
            ("the same rate as so far", format!("coalesce({frequency} / nullif({age}, 0), 0) * {horizon}"))
        }
    };
    let judged = if request.holdout.is_some() { source.held_out() } else { source.training() };
    let query = format!(
        "WITH said AS MATERIALIZED (SELECT {y} AS y, {weight} AS w, {expected} AS e, {naive} AS n FROM {from} WHERE {judged}),
              told AS (SELECT * FROM said WHERE y IS NOT NULL AND e IS NOT NULL AND n IS NOT NULL)
         SELECT sqrt(sum(w * (y - e) ^ 2) / sum(w)), sum(w * abs(y - e)) / sum(w), sum(w * (e - y)) / sum(w),
                sqrt(sum(w * (y - n) ^ 2) / sum(w)), sum(w * abs(y - n)) / sum(w), sum(w * (n - y)) / sum(w), count(*),
                (SELECT count(*) FROM said WHERE y IS NULL), (SELECT count(*) FROM said WHERE y IS NOT NULL AND (e IS NULL OR n IS NULL))
         FROM told",
        y = source.duration,
    );
    let row = reader.select(&query, &[Value(trained.model.clone()).into()])?.first();
    let count = |at: usize| row.get::<i64>(at).map(|count| count.unwrap_or(0));
    let (told, unknown, unscored) = (count(7)?, count(8)?, count(9)?);
    if request.holdout.is_none() {
        warnings.push(
            "no holdout: it is judged on the customers that it was fitted to, in the time after, of which the fit knows nothing"
                .into(),
        );
    }
    if unscored > 0 {
        warnings.push(format!("{unscored} customers with a target could not be scored"));
    }
    if told == 0 {
        warnings.push(if unknown > 0 { "no customer has a target" } else { "the holdout is empty" }.into());
        return Ok(Vec::new());
    }
    let metric = |(at, name): (usize, &str)| {
        Ok(Metric {
            name: name.into(),
            value: row.get::<f64>(at + 1)?,
            baseline: row.get::<f64>(at + 4)?,
            named: Some(named),
            is_loss: name != "bias",
        })
    };
    let mut metrics: Vec<Metric> =
        ["rmse", "mae", "bias"].into_iter().enumerate().map(metric).collect::<Result<_>>()?;
    if history.customers.is_of_spend() {
        metrics.push(Metric::plain("customers judged".into(), Some(told as f64)));
    }
    Ok(metrics)
}

/// Of purchases beside a Poisson process: X ln(X / T) − X of X repeat purchases in ages that add up to T.
fn log_likelihood(reader: &Reader, source: &Source, history: &History, trained: &Trained) -> Result<Vec<Metric>> {
    let value = trained.model.quality().and_then(|quality| quality.log_likelihood);
    // Segments have likelihoods of their own rows: each model tells its.
    if value.is_none() {
        return Ok(Vec::new());
    }
    let mut metric = Metric::plain("log_likelihood in sample".into(), value);
    if let [frequency, _, age] = &history.numbers[..] {
        let weight = source.weight.as_deref().unwrap_or("1::float8");
        let query = format!(
            "SELECT x * ln(x / nullif(t, 0)) - x
             FROM (SELECT sum({weight} * {frequency}) AS x, sum({weight} * {age}) AS t FROM {} WHERE {}) q WHERE x > 0",
            source.from,
            source.training(),
        );
        let table = reader.select(&query, &[])?;
        metric.baseline = if table.is_empty() { None } else { table.first().get_one::<f64>()? };
        metric.named = Some("one rate for all, nobody leaves");
    }
    Ok(vec![metric])
}

/// Why the day of the knowledge cannot be honoured: ages that end after it.
pub fn beyond(rows: i64, source: &Source, request: &Request) -> Option<Error> {
    let (day, started) = request.as_of.as_ref().zip(request.started_on.as_ref())?;
    let (_, age) = source.history.as_ref()?.customers.columns.get(2)?;
    let unit = request.unit.name();
    let what = format!(
        "as_of {day} cannot be honoured: in {rows} rows of {} {age} ends after that day, counted from {started} in units of a {unit}",
        source.display
    );
    let hint = "Make the histories as of that day: ltv.purchase_summary(..., as_of => ...). Or is the age in another unit? unit => 'week'.";
    (rows > 0).then(|| Error::invalid(what, hint))
}
