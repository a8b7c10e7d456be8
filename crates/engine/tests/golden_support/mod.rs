//! Reads `tests/golden/*.json` with the data each was computed from, and compares with a readable complaint.
#![allow(dead_code)]

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use serde_json::Value;

/// A CSV file: one map of column to text per row.
pub type Table = Vec<HashMap<String, String>>;

/// One golden file and the rows it speaks of.
pub struct Case {
    pub name: String,
    pub golden: Value,
    pub table: Table,
}

/// What survival analysis needs of a row.
#[derive(Debug, Clone)]
pub struct Subject {
    pub start: f64,
    pub time: f64,
    pub event: bool,
    pub group: Option<String>,
}

fn tests_directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests")
}

/// The names of all golden files, sorted.
pub fn names() -> Vec<String> {
    let files = std::fs::read_dir(tests_directory().join("golden")).expect("tests/golden");
    let mut names: Vec<String> = files
        .map(|file| file.expect("a readable directory").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

pub fn golden(name: &str) -> Value {
    let path = tests_directory().join("golden").join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn table(file: &str) -> Table {
    let path = tests_directory().join("data").join(file);
    let mut reader = csv::Reader::from_path(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    reader.deserialize().map(|row| row.expect("a CSV row")).collect()
}

/// A golden file with the rows that its `preparation` leaves.
pub fn case(name: &str) -> Case {
    let golden = golden(name);
    let file = golden["csv"].as_str().expect("csv").trim_start_matches("csv/");
    let table = prepare(table(file), golden["preparation"].as_str().unwrap_or("none"));
    if let Some(rows) = golden["rows_used"].as_u64() {
        assert_eq!(table.len() as u64, rows, "{name}: rows after preparation");
    }
    Case { name: name.into(), golden, table }
}

/// The preparations that the golden files name, each told by its first words.
fn prepare(mut table: Table, preparation: &str) -> Table {
    if preparation == "none" || preparation.starts_with("cr = 1 full-time job") {
        // The latter derives columns for competing risks; spell, censor1 and ui are there as they are.
    } else if let Some(kept) = preparation.strip_prefix("rows with etype == ") {
        table.retain(|row| row["etype"] == kept[..1]);
    } else if preparation.starts_with("rows with age > ageentry") {
        table.retain(|row| number(row, "age") > number(row, "ageentry"));
    } else if preparation.starts_with("food = ") {
        for row in &mut table {
            let food = row["license_description"] == "Retail Food Establishment";
            row.insert("food".into(), String::from(if food { "1" } else { "0" }));
        }
    } else if preparation.starts_with("days = (end_date or 2024-12-31) - start_date; event = churn_flag") {
        for row in &mut table {
            let end = if row["end_date"].is_empty() { "2024-12-31" } else { &row["end_date"] };
            let days = day_number(end) - day_number(&row["start_date"]);
            let event = if row["churn_flag"] == "True" { "1" } else { "0" };
            row.insert("days".into(), days.to_string());
            row.insert("event".into(), event.into());
        }
    } else {
        panic!("no reader for the preparation \"{preparation}\"");
    }
    table
}

/// Days since 1970-01-01 in the Gregorian calendar, for an ISO date (Hinnant's days_from_civil).
fn day_number(date: &str) -> i64 {
    let parts: Vec<i64> = date.split('-').map(|part| part.parse().expect("an ISO date")).collect();
    let [year, month, day] = parts[..] else { panic!("{date} is not an ISO date") };
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

pub fn number(row: &HashMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column}: \"{}\" is not a number", row[column]))
}

impl Case {
    /// The rows by the golden file's `columns`.
    pub fn subjects(&self) -> Vec<Subject> {
        let column = |role: &str| self.golden["columns"][role].as_str();
        let (time, event) = (column("time").expect("a time column"), column("event").expect("an event column"));
        let subject = |row: &HashMap<String, String>| Subject {
            start: column("start").map_or(0.0, |start| number(row, start)),
            time: number(row, time),
            event: number(row, event) == 1.0,
            group: column("group").map(|group| row[group].clone()),
        };
        self.table.iter().map(subject).collect()
    }
}

/// The numbers of a JSON array; `null` is undefined.
pub fn numbers(value: &Value) -> Vec<Option<f64>> {
    value.as_array().unwrap_or_else(|| panic!("not an array: {value}")).iter().map(Value::as_f64).collect()
}

/// One line of the report that `make proof` collects: fields between tabs, the case first.
pub fn tell(case: &str, quantity: &str, ours: Option<f64>, reference: Option<f64>, difference: f64) {
    let number = |value: Option<f64>| value.map_or_else(|| "undefined".into(), |value| format!("{value:?}"));
    println!("\nproof\t{case}\t{quantity}\t{}\t{}\t{difference:.1e}", number(ours), number(reference));
}

/// Collects comparisons; the whole list of differences is the message of one failure.
#[derive(Default)]
pub struct Comparison {
    tolerance: f64,
    failures: Vec<String>,
    worst: BTreeMap<String, (f64, String)>,
    compared: usize,
}

impl Comparison {
    pub fn with_tolerance(tolerance: f64) -> Self {
        Comparison { tolerance, ..Self::default() }
    }

    /// Compares relatively; a reference smaller than 1e-12 counts as 0 and is compared absolutely.
    pub fn check(&mut self, case: &str, quantity: &str, ours: impl Into<Option<f64>>, reference: Option<f64>) {
        let ours: Option<f64> = ours.into();
        self.compared += 1;
        let difference = match (ours, reference) {
            (None, None) => 0.0,
            (Some(ours), Some(reference)) if reference.abs() < 1e-12 => (ours - reference).abs(),
            (Some(ours), Some(reference)) => ((ours - reference) / reference).abs(),
            _ => f64::INFINITY,
        };
        let difference = if difference.is_nan() { f64::INFINITY } else { difference };
        tell(case, quantity, ours, reference, difference);
        // The family of a quantity is its name up to a bracket or an at sign.
        let family = quantity.split(['[', '@']).next().unwrap_or(quantity).trim();
        let worst = self.worst.entry(family.into()).or_insert((0.0, String::new()));
        if difference > worst.0 {
            *worst = (difference, format!("{case} {quantity}"));
        }
        if difference > self.tolerance {
            self.failures.push(format!(
                "{case}: {quantity}: ours {ours:?}, reference {reference:?}, relative difference {difference:.3e}"
            ));
        }
    }

    /// Panics with every difference; prints the worst of each quantity (`cargo test -- --nocapture`).
    pub fn finish(self) {
        println!("{} numbers compared; worst relative difference by quantity:", self.compared);
        for (quantity, (difference, place)) in &self.worst {
            println!("  {quantity:<28} {difference:.2e}  {place}");
        }
        assert!(self.compared > 0, "nothing was compared");
        let shown: Vec<&str> = self.failures.iter().take(60).map(String::as_str).collect();
        assert!(shown.is_empty(), "{} of {} differ:\n{}", self.failures.len(), self.compared, shown.join("\n"));
    }
}
