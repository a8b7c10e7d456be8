//! The rows and reference answers of `tests/golden/competing_risks/*.json`, which `competing_risks.R` writes.

use serde_json::Value;

use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::Incidence;

/// One data set.
pub struct Set {
    pub name: String,
    pub golden: Value,
    pub time: Vec<f64>,
    pub cause: Vec<i32>,
    /// Empty when the set has no groups.
    pub group: Vec<String>,
    /// Empty when nobody enters late.
    pub entry: Vec<f64>,
    /// Empty when all weights are 1.
    pub weight: Vec<f64>,
    /// Empty when the set has no covariates.
    pub x: Vec<Vec<f64>>,
}

pub fn sets() -> Vec<Set> {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/competing_risks");
    let files = std::fs::read_dir(directory).expect("tests/golden/competing_risks");
    let mut sets: Vec<Set> = files
        .map(|file| file.expect("a readable directory").path())
        .map(|path| read(&std::fs::read_to_string(path).expect("a readable file")))
        .collect();
    sets.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(sets.len() >= 8, "only {} sets", sets.len());
    sets
}

fn read(text: &str) -> Set {
    let golden: Value = serde_json::from_str(text).expect("JSON");
    let rows = &golden["rows"];
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    Set {
        name: golden["set"].as_str().expect("a name").into(),
        time: floats(&rows["time"]),
        cause: floats(&rows["cause"]).into_iter().map(|cause| cause as i32).collect(),
        group: list(&rows["group"]).iter().map(|group| group.as_str().expect("a group").into()).collect(),
        entry: floats(&rows["entry"]),
        weight: floats(&rows["weight"]),
        x: list(&rows["x"]).iter().map(floats).collect(),
        golden,
    }
}

/// An array of numbers, or one number alone.
pub fn floats(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().map(|item| item.as_f64().expect("a number")).collect(),
        other => other.as_f64().into_iter().collect(),
    }
}

impl Set {
    pub fn incidence(&self) -> Incidence {
        self.incidence_of(|_| true)
    }

    pub fn incidence_of(&self, wanted: impl Fn(usize) -> bool) -> Incidence {
        let mut incidence = Incidence::default();
        for row in (0..self.time.len()).filter(|row| wanted(*row)) {
            let entry = self.entry.get(row).copied().unwrap_or(0.0);
            let weight = self.weight.get(row).copied().unwrap_or(1.0);
            let (time, cause) = (self.time[row], self.cause[row]);
            incidence.add_row(entry, time, cause, weight, Budget::UNLIMITED).expect("a valid row");
        }
        incidence
    }

    /// The groups in the order of their names.
    pub fn groups(&self) -> Vec<Incidence> {
        let mut names = self.group.clone();
        names.sort();
        names.dedup();
        names.iter().map(|name| self.incidence_of(|row| self.group[row] == *name)).collect()
    }
}
