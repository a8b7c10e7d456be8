//! Where the mass of an estimate from intervals can be: between a left end and the next right end (Peto 1973).

use crate::survival::intervals::Interval;
use crate::survival::risk::distinct_times;

/// The rows that cover the same innermost intervals.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cover {
    pub first: usize,
    pub last: usize,
    pub weight: f64,
}

/// Ends that differ by rounding only become one (see [`distinct_times`]).
pub(super) fn tied(mut rows: Vec<Interval>) -> Vec<Interval> {
    let mut ends: Vec<f64> = rows.iter().flat_map(|row| [row.left, row.right]).filter(|end| end.is_finite()).collect();
    ends.sort_unstable_by(f64::total_cmp);
    ends.dedup();
    let times = distinct_times(&ends);
    let representative = |end: f64| match times.partition_point(|time| *time <= end) {
        place if place > 0 && end.is_finite() => times[place - 1],
        _ => end,
    };
    for row in &mut rows {
        (row.left, row.right) = (representative(row.left), representative(row.right));
    }
    rows
}

/// Where an end stands among the ends of one and the same time: an interval closed on the left starts before those that
/// end there, an open one after them.
const CLOSED_START: u8 = 0;
const END: u8 = 1;
const OPEN_START: u8 = 2;

fn start_of(row: &Interval) -> (f64, u8) {
    let closed = row.left == row.right || (row.left == 0.0 && row.right.is_finite());
    (row.left, if closed { CLOSED_START } else { OPEN_START })
}

/// The innermost intervals, left and right end each, and the rows by those they cover.
pub(super) fn innermost(rows: &[Interval]) -> (Vec<(f64, f64)>, Vec<Cover>) {
    let mut ends: Vec<(f64, u8)> = rows.iter().flat_map(|row| [start_of(row), (row.right, END)]).collect();
    let order = |a: &(f64, u8), b: &(f64, u8)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    ends.sort_unstable_by(order);
    ends.dedup();
    let found: Vec<[(f64, u8); 2]> =
        ends.windows(2).filter(|pair| pair[0].1 != END && pair[1].1 == END).map(|pair| [pair[0], pair[1]]).collect();
    let mut covers: Vec<Cover> = rows
        .iter()
        .map(|row| Cover {
            first: found.partition_point(|place| order(&place[0], &start_of(row)).is_lt()),
            // A row covers at least the innermost interval that begins with the last start before its end.
            last: found.partition_point(|place| order(&place[1], &(row.right, END)).is_le()) - 1,
            weight: row.weight,
        })
        .collect();
    covers.sort_by_key(|cover| (cover.first, cover.last));
    covers.dedup_by(|next, first| {
        let same = next.first == first.first && next.last == first.last;
        if same {
            first.weight += next.weight;
        }
        same
    });
    (found.into_iter().map(|[left, right]| (left.0, right.0)).collect(), covers)
}
