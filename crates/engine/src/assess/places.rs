//! Where rows that a model has not seen stand in their own curves, few enough to be kept beside it.
//!
//! The place of a row is the share that its curve expects to have left by the time at which it leaves, or is seen last.
//! Bounds of single lifetimes are read off these places (split conformal prediction: Vovk, Gammerman & Shafer 2005), and
//! hold as well for some of the rows, drawn whatever their places, as for all: there are just fewer.

use crate::boost::order::share_of_one;
use crate::numeric::tally::{Cell, Tally};
use crate::survival::Sample;
use crate::{Error, Interrupt, Result};

/// So many rows between two looks at whether to go on.
const STRETCH: u64 = 1 << 16;

/// At most `most` of the rows, each as likely to be drawn as any other, without replacement: the same for the same rows and
/// seed, in whatever order they came (selection sampling: Fan, Muller & Rezucha 1962; Knuth, The Art of Computer Programming
/// 2, algorithm 3.4.2S).
///
/// # Errors
/// [`Error::Invalid`] for rows with weights that are not whole, and for late entries.
pub fn drawn(rows: &Sample, most: u64, seed: u64, interrupt: Interrupt) -> Result<Sample> {
    let cells = rows.exits().sorted();
    let whole = cells.iter().all(|cell| cell.counts.iter().all(|count| count.fract() == 0.0));
    if !whole || !rows.entries().is_empty() || rows.weights().is_some() {
        return Err(Error::invalid("places are of rows without weights and delayed entries", "Each row counts once."));
    }
    let mut left: u64 = cells.iter().flat_map(|cell| cell.counts).map(|count| count as u64).sum();
    let mut wanted = most.min(left);
    let mut kept = Vec::new();
    for cell in cells {
        if wanted == 0 {
            break;
        }
        let mut counts = [0.0; 2];
        for (column, count) in cell.counts.into_iter().enumerate() {
            for _ in 0..count as u64 {
                if left.is_multiple_of(STRETCH) {
                    interrupt()?;
                }
                if share_of_one(&[seed, left]) * (left as f64) < wanted as f64 {
                    counts[column] += 1.0;
                    wanted -= 1;
                }
                left -= 1;
            }
        }
        if counts != [0.0; 2] {
            kept.push(Cell { key: cell.key, counts });
        }
    }
    Sample::from_parts(Tally::from_sorted(kept)?, Tally::default(), None, rows.skipped())
}
