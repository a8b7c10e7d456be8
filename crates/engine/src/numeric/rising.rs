//! Two sequences of cells in rising order as one.

use crate::numeric::tally::Cell;

/// The sum of two rising sequences of cells: where both have a key, the counts of the left and the right one add up.
pub(super) struct Together<const K: usize, A, B> {
    left: A,
    right: B,
    next_left: Option<Cell<K>>,
    next_right: Option<Cell<K>>,
}

impl<const K: usize, A: Iterator<Item = Cell<K>>, B: Iterator<Item = Cell<K>>> Together<K, A, B> {
    pub fn new(mut left: A, mut right: B) -> Self {
        let (next_left, next_right) = (left.next(), right.next());
        Together { left, right, next_left, next_right }
    }
}

impl<const K: usize, A: Iterator<Item = Cell<K>>, B: Iterator<Item = Cell<K>>> Iterator for Together<K, A, B> {
    type Item = Cell<K>;

    #[inline]
    fn next(&mut self) -> Option<Cell<K>> {
        match (self.next_left, self.next_right) {
            (None, None) => None,
            (Some(a), Some(b)) if a.key == b.key => {
                (self.next_left, self.next_right) = (self.left.next(), self.right.next());
                Some(Cell { key: a.key, counts: std::array::from_fn(|k| a.counts[k] + b.counts[k]) })
            }
            (Some(a), b) if b.is_none_or(|b| a.key < b.key) => {
                self.next_left = self.left.next();
                Some(a)
            }
            (_, b) => {
                self.next_right = self.right.next();
                b
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let waiting = usize::from(self.next_left.is_some()) + usize::from(self.next_right.is_some());
        let ((least_left, most_left), (least_right, most_right)) = (self.left.size_hint(), self.right.size_hint());
        let most = most_left.zip(most_right).map(|(left, right)| left + right + waiting);
        (least_left.max(least_right), most)
    }
}
