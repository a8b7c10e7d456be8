//! The stored bytes of `ltv.design`. Designs pass between processes while a fit gathers its rows.

use crate::hazard::design::Design;
use crate::hazard::labels::Labels;
use crate::numeric::bytes::{Reader, Writer};
use crate::{Error, Result};

const VERSION: u8 = 1;
/// The version of rows of amounts: these stand where exits and events do.
const OF_AMOUNTS: u8 = 2;
const HAS_ENTRIES: u8 = 1;
const HAS_WEIGHTS: u8 = 2;
const HAS_OFFSETS: u8 = 4;
const HAS_UPPERS: u8 = 8;
const HAS_STRATA: u8 = 16;
const HAS_CLUSTERS: u8 = 32;
const HAS_CAUSES: u8 = 64;
const TAKES_MISSING: u8 = 128;
const FLOATS: u8 = HAS_ENTRIES | HAS_WEIGHTS | HAS_OFFSETS | HAS_UPPERS;

impl Design {
    /// The stored form: version, flags, numbers of covariates, skipped rows and rows; then the columns exit, event,
    /// entry, weight, offset, upper, strata, clusters and causes (where flagged) and the covariates row by row. Whole numbers as
    /// LEB128, floats little-endian. Rows of amounts have another version, and amounts in place of exits and events.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.bytes.reserve(self.memory_bytes() + 64);
        out.byte(if self.amounts.is_empty() { VERSION } else { OF_AMOUNTS });
        let flags = [
            (HAS_ENTRIES, self.entries.is_empty()),
            (HAS_WEIGHTS, self.weights.is_empty()),
            (HAS_OFFSETS, self.offsets.is_empty()),
            (HAS_UPPERS, self.uppers.is_empty()),
            (HAS_STRATA, self.strata.is_empty()),
            (HAS_CLUSTERS, self.clusters.is_empty()),
            (HAS_CAUSES, self.causes.is_empty()),
            // Of no rows there is nothing to say.
            (TAKES_MISSING, !self.takes_missing || self.is_empty()),
        ];
        out.byte(flags.iter().filter(|(_, absent)| !absent).map(|(flag, _)| flag).sum());
        out.whole(self.covariates as u64);
        out.whole(self.skipped);
        out.whole(self.exits.len() as u64);
        if self.amounts.is_empty() {
            self.exits.iter().for_each(|exit| out.float(*exit));
            self.events.iter().for_each(|event| out.byte(u8::from(*event)));
        }
        self.amounts.iter().for_each(|amount| out.float(*amount));
        for column in [&self.entries, &self.weights, &self.offsets, &self.uppers] {
            column.iter().for_each(|value| out.float(*value));
        }
        for labels in [&self.strata, &self.clusters] {
            if !labels.is_empty() {
                labels.write(&mut out);
            }
        }
        self.causes.iter().for_each(|cause| out.byte(*cause));
        self.x.iter().for_each(|value| out.float(*value));
        out.bytes
    }

    /// # Errors
    /// [`Error::Malformed`] for anything that [`Design::encode`] could not have written.
    pub fn decode(bytes: &[u8]) -> Result<Design> {
        let mut from = Reader::new(bytes);
        let version = from.byte()?;
        if ![VERSION, OF_AMOUNTS].contains(&version) {
            return Err(Error::malformed(format!("format version {version} of a design is not known to this release")));
        }
        let flags = from.byte()?;
        let covariates = usize::try_from(from.whole()?).map_err(|_| inconsistent())?;
        let skipped = from.whole()?;
        let columns = 1 + (flags & FLOATS).count_ones() as usize;
        let bytes_per_row =
            covariates.checked_add(columns).and_then(|floats| floats.checked_mul(8)).ok_or_else(inconsistent)?;
        let of_amounts = version == OF_AMOUNTS;
        let rows = from.count(bytes_per_row.saturating_add(usize::from(!of_amounts)))?;
        if rows == 0 && (flags != 0 || covariates != 0 || of_amounts) {
            return Err(inconsistent());
        }
        let rows_of = |flag: u8| if flags & flag != 0 { rows } else { 0 };
        let first = column(&mut from, rows)?;
        let (exits, events, amounts) = match of_amounts {
            true => (vec![0.0; rows], vec![false; rows], first),
            false => {
                let events = (0..rows).map(|_| flag(&mut from)).collect::<Result<Vec<bool>>>()?;
                (first, events, Vec::new())
            }
        };
        let entries = column(&mut from, rows_of(HAS_ENTRIES))?;
        let weights = column(&mut from, rows_of(HAS_WEIGHTS))?;
        let offsets = column(&mut from, rows_of(HAS_OFFSETS))?;
        let uppers = column(&mut from, rows_of(HAS_UPPERS))?;
        let strata = labels(&mut from, rows_of(HAS_STRATA))?;
        let clusters = labels(&mut from, rows_of(HAS_CLUSTERS))?;
        let causes = (0..rows_of(HAS_CAUSES)).map(|_| from.byte()).collect::<Result<Vec<u8>>>()?;
        let x = column(&mut from, rows.checked_mul(covariates).ok_or_else(inconsistent)?)?;
        from.finish()?;
        let design = Design {
            covariates,
            exits,
            events,
            entries,
            weights,
            offsets,
            uppers,
            strata,
            clusters,
            causes,
            amounts,
            x,
            skipped,
            takes_missing: flags & TAKES_MISSING != 0,
        };
        design.validate()?;
        Ok(design)
    }

    fn validate(&self) -> Result<()> {
        let agree = self.causes.iter().zip(&self.events).all(|(cause, event)| (*cause > 0) == *event);
        if !agree || (!self.causes.is_empty() && self.has_extras()) {
            return Err(inconsistent());
        }
        let of_times = [&self.entries, &self.uppers].iter().any(|column| !column.is_empty())
            || !(self.strata.is_empty() && self.causes.is_empty());
        if !self.amounts.is_empty() && (of_times || self.amounts.iter().any(|amount| !amount.is_finite())) {
            return Err(inconsistent());
        }
        for (i, exit) in self.exits.iter().enumerate() {
            let entry = self.entries.get(i).copied().unwrap_or(0.0);
            let weight = self.weights.get(i).copied().unwrap_or(1.0);
            let x = &self.x[i * self.covariates..(i + 1) * self.covariates];
            self.check_row(entry, *exit, weight, x).map_err(|error| Error::malformed(error.to_string()))?;
            let upper = self.uppers.get(i).copied().unwrap_or(f64::INFINITY);
            let bounded = upper == f64::INFINITY || (upper.is_finite() && upper > *exit && !self.events[i]);
            let in_a_stratum = self.strata.is_empty() || self.strata.get(i).is_some();
            if !(bounded && in_a_stratum && self.offsets.get(i).is_none_or(|offset| offset.is_finite())) {
                return Err(inconsistent());
            }
        }
        Ok(())
    }
}

fn labels(from: &mut Reader, rows: usize) -> Result<Labels> {
    if rows == 0 { Ok(Labels::default()) } else { Labels::read(from, rows) }
}

fn column(from: &mut Reader, length: usize) -> Result<Vec<f64>> {
    (0..length).map(|_| from.float()).collect()
}

fn flag(from: &mut Reader) -> Result<bool> {
    match from.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Error::malformed(format!("event flag {other} of a design is neither 0 nor 1"))),
    }
}

fn inconsistent() -> Error {
    Error::malformed("the counts of a design contradict each other")
}
