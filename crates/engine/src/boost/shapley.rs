//! What each feature has to do with the score of a row: Shapley values over the trees, exactly.
//!
//! In the game of a tree a set of features is worth what the tree says of the row when only these are known: at a question
//! about another, both sides count by the share of the rows that went there when the tree was grown. Lundberg, Erion &
//! Lee (2018), *Consistent individualized feature attribution for tree ensembles*, algorithm 2 ("TreeSHAP", path-dependent):
//! one walk through the tree, carrying for each number of known features on the way the share of sets of that size that
//! come along. The parts add up to the score less its mean.

use crate::boost::trees::Trees;

/// A feature on the way to a node.
#[derive(Debug, Clone, Copy)]
struct Known {
    player: usize,
    /// The share that comes along when the feature is unknown.
    unknown: f64,
    /// 1 when the row itself goes this way, else 0.
    known: f64,
    /// Of the sets with so many of the features on the way, the share that comes along.
    share: f64,
}

impl Trees {
    /// The parts of the features in what the trees add up to for `x`, less the mean. `players` tells for each covariate
    /// which feature it belongs to, of `features`: all covariates of one feature are known together.
    pub fn shapley_values(&self, x: &[f64], players: &[usize], features: usize) -> Vec<f64> {
        let mut parts = vec![0.0; features];
        for root in &self.roots {
            let walk = Walk { trees: self, x, players };
            walk.visit(*root as usize, &[], None, &mut parts);
        }
        parts
    }
}

struct Walk<'a> {
    trees: &'a Trees,
    x: &'a [f64],
    players: &'a [usize],
}

impl Walk<'_> {
    /// `way`: the features asked on the way to the parent; `step`: the one asked there, and which way this is.
    fn visit(&self, node: usize, way: &[Known], step: Option<(usize, f64, f64)>, parts: &mut [f64]) {
        let mut way = way.to_vec();
        match step {
            // Before the first question the empty set is all there is.
            None => way.push(Known { player: usize::MAX, unknown: 1.0, known: 1.0, share: 1.0 }),
            Some((player, unknown, known)) => extend(&mut way, player, unknown, known),
        }
        if self.trees.is_leaf(node) {
            let value = self.trees.values[node];
            for at in 1..way.len() {
                let share: f64 = without_sum(&way, at);
                parts[way[at].player] += share * (way[at].known - way[at].unknown) * value;
            }
            return;
        }
        let player = self.players[self.trees.nodes[node].covariate as usize];
        let (mut unknown, mut known) = (1.0, 1.0);
        if let Some(at) = way.iter().position(|step| step.player == player) {
            // Asked again, the feature counts once, with both answers.
            (unknown, known) = (way[at].unknown, way[at].known);
            unwind(&mut way, at);
        }
        let own = self.trees.child(node, self.x);
        let left = self.trees.nodes[node].left as usize;
        let other = if own == left { left + 1 } else { left };
        let cover = self.trees.covers[node];
        let share = |child: usize| if cover > 0.0 { self.trees.covers[child] / cover } else { 0.5 };
        self.visit(own, &way, Some((player, unknown * share(own), known)), parts);
        self.visit(other, &way, Some((player, unknown * share(other), 0.0)), parts);
    }
}

/// One more feature on the way: sets of each size come along with it, or without it.
fn extend(way: &mut Vec<Known>, player: usize, unknown: f64, known: f64) {
    let length = way.len();
    way.push(Known { player, unknown, known, share: 0.0 });
    for at in (0..length).rev() {
        let size = (length + 1) as f64;
        way[at + 1].share += known * way[at].share * (at + 1) as f64 / size;
        way[at].share *= unknown * (length - at) as f64 / size;
    }
}

/// The way as if a feature on it had never been asked.
fn unwind(way: &mut Vec<Known>, feature: usize) {
    let last = way.len() - 1;
    let Known { unknown, known, .. } = way[feature];
    let mut next = way[last].share;
    for at in (0..last).rev() {
        let size = (last + 1) as f64;
        if known != 0.0 {
            let before = way[at].share;
            way[at].share = next * size / ((at + 1) as f64 * known);
            next = before - way[at].share * unknown * (last - at) as f64 / size;
        } else {
            way[at].share = way[at].share * size / (unknown * (last - at) as f64);
        }
    }
    for at in feature..last {
        let Known { player, unknown, known, .. } = way[at + 1];
        way[at] = Known { player, unknown, known, share: way[at].share };
    }
    way.pop();
}

/// The sum of the shares that [`unwind`] would leave.
fn without_sum(way: &[Known], feature: usize) -> f64 {
    let last = way.len() - 1;
    let Known { unknown, known, .. } = way[feature];
    let mut next = way[last].share;
    let mut total = 0.0;
    for at in (0..last).rev() {
        let size = (last + 1) as f64;
        if known != 0.0 {
            let share = next * size / ((at + 1) as f64 * known);
            total += share;
            next = way[at].share - share * unknown * (last - at) as f64 / size;
        } else {
            total += way[at].share * size / (unknown * (last - at) as f64);
        }
    }
    total
}
