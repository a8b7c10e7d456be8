//! Cumulative incidences by cause (Aalen & Johansen 1978), their variances and intervals, and the time lost to a cause.
//!
//! Andersen, Borgan, Gill & Keiding (1993), *Statistical Models Based on Counting Processes*, §4.4.

use crate::memory::Room;
use crate::numeric::sum::Sum;
use crate::survival::curve::bad_time;
use crate::survival::incidence::{Incidence, cause_number};
use crate::survival::kaplan_meier::{Interval, Transform, interval};
use crate::survival::risk::{ROUNDING, distinct_times, union};
use crate::{Error, Result};

/// Asked now and then whether to go on, and before it takes so many bytes.
pub type Asking<'a> = &'a mut dyn FnMut(usize) -> Result<()>;

const ROWS_PER_QUESTION: usize = 1 << 16;

/// How the variance of an incidence is estimated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Variance {
    /// The endings at a time are multinomial: Greenwood's formula for several causes (Andersen et al. 1993, (4.4.20);
    /// Dinse & Larson 1986; Marubini & Valsecchi 1995, (10.12)). Without late entries it is the infinitesimal jackknife,
    /// number for number; without censoring it is that of a binomial share. With weights they count as repetitions.
    #[default]
    Greenwood,
    /// The causes jump on their own (Aalen 1978), tied endings of one cause being drawn without replacement.
    Aalen,
}

impl std::str::FromStr for Variance {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "greenwood" => Ok(Variance::Greenwood),
            "aalen" => Ok(Variance::Aalen),
            _ => Err(Error::invalid(
                format!("unknown variance \"{name}\" of an incidence"),
                "One of: greenwood (that of R's survfit), aalen (that of cmprsk's cuminc).",
            )),
        }
    }
}

/// Who was at risk when, and how many ended by what.
#[derive(Debug, Clone, PartialEq)]
pub struct CauseTable {
    /// The largest cause.
    pub causes: usize,
    /// Distinct times, rising; times that differ by rounding only are one (see [`distinct_times`]).
    pub times: Vec<f64>,
    pub at_risk: Vec<f64>,
    /// Times × causes.
    events: Vec<f64>,
    max_followup: Option<f64>,
}

impl CauseTable {
    /// # Errors
    /// Whatever `go_on` returns; [`Error::OutOfRange`] when there is no memory.
    pub fn new(incidence: &Incidence, go_on: Asking) -> Result<CauseTable> {
        let mut times = Vec::new();
        for tally in incidence.exits().iter().chain([incidence.entries()]) {
            go_on(2 * size_of_val(times.as_slice()))?;
            times = union(&times, tally.sorted().iter().map(|cell| cell.key));
        }
        let times = distinct_times(&times);
        let causes = incidence.exits().len().saturating_sub(1);
        let cells = times.len().saturating_mul(causes);
        go_on(cells.saturating_mul(size_of::<f64>()))?;
        let mut events = Vec::new();
        events.exact_room(cells).map_err(|_| Error::NoMemory("no memory is left for the incidences".into()))?;
        events.resize(cells, 0.0);
        let mut table = CauseTable {
            causes,
            at_risk: vec![0.0; times.len()],
            times,
            events,
            max_followup: incidence.max_followup(),
        };
        for (cause, tally) in incidence.exits().iter().enumerate() {
            go_on(0)?;
            let mut row = 0;
            for cell in tally.sorted() {
                row = table.row_of(row, cell.key);
                table.at_risk[row] += cell.counts[0];
                if cause > 0 {
                    table.events[row * causes + cause - 1] += cell.counts[0];
                }
            }
        }
        // So far these are those who leave; at risk are those who leave now or later and have come.
        let total: f64 = table.at_risk.iter().sum();
        let mut entered = vec![0.0; if incidence.entries().is_empty() { 0 } else { table.times.len() }];
        let mut row = 0;
        for cell in incidence.entries().sorted() {
            row = table.row_of(row, cell.key);
            entered[row] += cell.counts[0];
        }
        let mut staying: f64 = 0.0;
        for (row, leaving) in table.at_risk.iter_mut().enumerate().rev() {
            staying -= entered.get(row).copied().unwrap_or(0.0);
            if staying.abs() <= ROUNDING * total {
                staying = 0.0;
            }
            staying += *leaving;
            *leaving = staying;
        }
        Ok(table)
    }

    /// The row of a time, at or after `from`.
    fn row_of(&self, from: usize, time: f64) -> usize {
        let mut row = from;
        while row + 1 < self.times.len() && self.times[row + 1] <= time {
            row += 1;
        }
        row
    }

    /// The endings of a row by cause, from cause 1 on.
    pub fn events(&self, row: usize) -> &[f64] {
        &self.events[row * self.causes..(row + 1) * self.causes]
    }

    /// What ended by `cause` in a row; 0 for a cause beyond the largest.
    pub fn events_of(&self, row: usize, cause: usize) -> f64 {
        self.events(row).get(cause - 1).copied().unwrap_or(0.0)
    }

    /// Whether nothing is left of the survival at the end, so that what is known of its last time holds for ever.
    fn has_ended(&self) -> bool {
        let all_ended = |row: usize| {
            let events: f64 = self.events(row).iter().sum();
            events > 0.0 && self.at_risk[row] - events <= ROUNDING * self.at_risk[row]
        };
        (0..self.times.len()).any(all_ended)
    }

    fn knows(&self, t: f64) -> bool {
        self.max_followup.is_some_and(|end| t <= end || self.has_ended())
    }
}

/// The survival S, the incidence F of one cause, the area A under F, and their covariances, just after a time.
///
/// At each time the state is mapped linearly – S loses its hazard's share, F gains what the cause takes of S, A gains F
/// for the time that has passed – and receives the variance of the new endings: errors never meet a division, so that
/// the last row at risk does no harm.
#[derive(Debug, Clone, Copy)]
struct Walk {
    time: f64,
    survival: f64,
    incidence: f64,
    area: Sum,
    /// Covariances: survival, incidence, area.
    ss: f64,
    sf: f64,
    ff: f64,
    sa: f64,
    fa: f64,
    aa: f64,
}

impl Walk {
    fn new() -> Walk {
        let area = Sum::default();
        Walk { time: 0.0, survival: 1.0, incidence: 0.0, area, ss: 0.0, sf: 0.0, ff: 0.0, sa: 0.0, fa: 0.0, aa: 0.0 }
    }

    /// Lets time pass.
    fn pass(&mut self, until: f64) {
        let width = until - self.time;
        self.area.add(width * self.incidence);
        self.aa += width * (2.0 * self.fa + width * self.ff);
        self.sa += width * self.sf;
        self.fa += width * self.ff;
        self.time = until;
    }

    /// `own` of `at_risk` end by the cause and `others` by another one.
    fn step(&mut self, at_risk: f64, own: f64, others: f64, variance: Variance) {
        if !(own + others > 0.0 && at_risk > 0.0) {
            return;
        }
        let (hazard, own_hazard) = (((own + others) / at_risk).min(1.0), own / at_risk);
        let left = 1.0 - hazard;
        self.ff += own_hazard * (2.0 * self.sf + own_hazard * self.ss);
        self.fa += own_hazard * self.sa;
        self.sf = left * (self.sf + own_hazard * self.ss);
        self.sa *= left;
        self.ss *= left * left;
        let scale = self.survival * self.survival / at_risk;
        let (ss, sf, ff) = match variance {
            Variance::Greenwood => (hazard * left, -own_hazard * left, own_hazard * (1.0 - own_hazard)),
            Variance::Aalen => {
                let jump = |events: f64| {
                    let tied = if events > 1.0 && at_risk > 1.0 { (events - 1.0) / (at_risk - 1.0) } else { 0.0 };
                    (1.0 - tied) * events / at_risk
                };
                (jump(own) + jump(others), -jump(own), jump(own))
            }
        };
        self.ss += scale * ss;
        self.sf += scale * sf;
        self.ff += scale * ff;
        self.incidence = (self.incidence + self.survival * own_hazard).min(1.0);
        self.survival *= left;
    }
}

/// Calls `visit` with the state just after each row of the table, until it returns false.
fn walk(
    table: &CauseTable,
    cause: usize,
    variance: Variance,
    go_on: Asking,
    mut visit: impl FnMut(usize, &Walk) -> bool,
) -> Result<()> {
    let mut state = Walk::new();
    for row in 0..table.times.len() {
        if row % ROWS_PER_QUESTION == ROWS_PER_QUESTION - 1 {
            go_on(0)?;
        }
        let own = table.events_of(row, cause);
        let others = table.events(row).iter().sum::<f64>() - own;
        state.pass(table.times[row]);
        state.step(table.at_risk[row], own, others.max(0.0), variance);
        if !visit(row, &state) {
            break;
        }
    }
    Ok(())
}

/// One row of `incidence_curve(...)`: the counts of a time and cause, and the incidence just after it.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidenceRow {
    pub time: f64,
    pub cause: usize,
    pub at_risk: f64,
    pub events: f64,
    /// `None` beyond the observed time. Its `survival` is the incidence.
    pub estimate: Option<Interval>,
}

/// An incidence with its interval; where nothing has ended by the cause yet, the limits are 0.
fn estimate(incidence: f64, variance: f64, z: f64, transform: Transform) -> Interval {
    if incidence <= 0.0 {
        return Interval { survival: 0.0, std_error: Some(0.0), lower: Some(0.0), upper: Some(0.0) };
    }
    interval(incidence, Some(variance.max(0.0) / (incidence * incidence)), z, transform)
}

/// The incidences of `causes` at every time at which something ended, or at the chosen `times`; by time, then by cause.
///
/// At chosen times at_risk is of just before each, and events counts since the chosen time before it. The interval is
/// `z` standard errors wide on the scale of `transform`, applied to the incidence itself: log(−log F) by default.
///
/// # Errors
/// Whatever `go_on` returns.
pub fn curve(
    incidence: &Incidence,
    causes: &[usize],
    times: Option<&[f64]>,
    (z, transform, variance): (f64, Transform, Variance),
    go_on: Asking,
) -> Result<Vec<IncidenceRow>> {
    let table = CauseTable::new(incidence, go_on)?;
    let mut asked = match times {
        Some(times) => times.to_vec(),
        None => (0..table.times.len())
            .filter(|row| table.events(*row).iter().any(|events| *events > 0.0))
            .map(|row| table.times[row])
            .collect(),
    };
    asked.sort_unstable_by(f64::total_cmp);
    go_on(asked.len().saturating_mul(causes.len()).saturating_mul(size_of::<IncidenceRow>()))?;
    let known: Vec<bool> = asked.iter().map(|t| table.knows(*t)).collect();
    let mut rows: Vec<IncidenceRow> = Vec::with_capacity(asked.len() * causes.len());
    for cause in causes {
        let (mut next, mut now, mut events) = (0, estimate(0.0, 0.0, z, transform), 0.0);
        let mut at_risk_then = 0.0;
        let mut emit = |t: f64, at_risk: f64, events: f64, now: Interval, known: bool| {
            rows.push(IncidenceRow { time: t, cause: *cause, at_risk, events, estimate: known.then_some(now) });
        };
        walk(&table, *cause, variance, go_on, |row, state| {
            // Times before this row's: nobody leaves or enters in between, so this row's risk set is theirs.
            while next < asked.len() && asked[next] < table.times[row] {
                emit(asked[next], table.at_risk[row], events, now, known[next]);
                (next, events) = (next + 1, 0.0);
            }
            now = estimate(state.incidence, state.ff, z, transform);
            events += table.events_of(row, *cause);
            at_risk_then = table.at_risk[row];
            while next < asked.len() && asked[next] == table.times[row] {
                emit(asked[next], at_risk_then, events, now, known[next]);
                (next, events) = (next + 1, 0.0);
            }
            next < asked.len()
        })?;
        while next < asked.len() {
            emit(asked[next], 0.0, events, now, known[next]);
            (next, events) = (next + 1, 0.0);
        }
    }
    // The walks went cause by cause; a stable sort by time interleaves them.
    rows.sort_by(|a, b| a.time.total_cmp(&b.time));
    Ok(rows)
}

/// F(t) of one cause: the share that has ended by it until t. `None` beyond the observed time, unless nobody is left,
/// and for no rows.
///
/// # Errors
/// [`Error::Invalid`] for a time that is negative or not finite, or a cause outside 1..=255; whatever `go_on` returns.
pub fn incidence_at(incidence: &Incidence, t: f64, cause: i32, go_on: Asking) -> Result<Option<f64>> {
    let cause = cause_number(cause, false)?;
    if !(0.0..f64::INFINITY).contains(&t) {
        return Err(bad_time("t", t));
    }
    let table = CauseTable::new(incidence, go_on)?;
    let mut found = 0.0;
    walk(&table, cause, Variance::Greenwood, go_on, |row, state| {
        if table.times[row] <= t {
            found = state.incidence;
        }
        table.times[row] <= t
    })?;
    Ok(table.knows(t).then_some(found))
}

/// The mean time until `tau` that the cause takes: the area under its incidence, with its standard error by the same
/// variance. With the restricted mean of the event-free survival, all causes add up to `tau` (Andersen 2013, *Decomposition
/// of number of life years lost according to causes of death*, Statistics in Medicine 32). `None` beyond the observed
/// time, unless nobody is left, and for no rows.
///
/// # Errors
/// [`Error::Invalid`] for a `tau` that is not finite and greater than 0, or a cause outside 1..=255; whatever `go_on`
/// returns.
pub fn time_lost(incidence: &Incidence, tau: f64, cause: i32, go_on: Asking) -> Result<Option<(f64, f64)>> {
    let cause = cause_number(cause, false)?;
    if !(tau > 0.0 && tau < f64::INFINITY) {
        return Err(Error::invalid(
            format!("tau must be finite and greater than 0, got {tau}"),
            "It is in the unit of the durations.",
        ));
    }
    let table = CauseTable::new(incidence, go_on)?;
    let mut end = Walk::new();
    walk(&table, cause, Variance::Greenwood, go_on, |row, state| {
        if table.times[row] < tau {
            end = *state;
        }
        table.times[row] < tau
    })?;
    end.pass(tau);
    Ok(table.knows(tau).then(|| (end.area.total(), end.aa.max(0.0).sqrt())))
}
