//! Contributions by their definition: what trees say of a row of which only some features are known, read from the stored
//! text by other code than that which scores, and the mean over all orders in which the features become known.

use serde_json::Value as Json;

/// A node as it is stored: one more than its covariate (0: a leaf), threshold, whether the missing go left, value, cover.
type Node = (usize, f64, bool, f64, f64);

/// The trees of the stored text, read by other code.
pub struct Read {
    trees: Vec<Vec<Node>>,
}

impl Read {
    pub fn of(trees: &Json) -> Read {
        let numbers =
            |key: &str| trees[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect::<Vec<_>>();
        let missing: Vec<bool> =
            trees["missing_left"].as_array().unwrap().iter().map(|v| v.as_bool().unwrap()).collect();
        let (covariate, threshold) = (numbers("covariate"), numbers("threshold"));
        let (value, cover) = (numbers("value"), numbers("cover"));
        let (mut at, mut question, mut leaf) = (0, 0, 0);
        let mut read = Read { trees: Vec::new() };
        for nodes in numbers("nodes") {
            let mut tree = Vec::new();
            for _ in 0..nodes as usize {
                if covariate[at] == 0.0 {
                    tree.push((0, 0.0, false, value[leaf], cover[leaf]));
                    leaf += 1;
                } else {
                    tree.push((covariate[at] as usize, threshold[question], missing[question], 0.0, 0.0));
                    question += 1;
                }
                at += 1;
            }
            read.trees.push(tree);
        }
        read
    }

    /// What the tree says, and how many rows were there, of those who share what is known of `x`.
    fn known(tree: &[Node], at: usize, x: &[f64], known: &dyn Fn(usize) -> bool) -> (f64, f64) {
        let (covariate, threshold, missing_left, value, cover) = tree[at];
        if covariate == 0 {
            return (value, cover);
        }
        let before = tree[..at].iter().filter(|node| node.0 > 0).count();
        let [left, right] = [2 * before + 1, 2 * before + 2].map(|child| Read::known(tree, child, x, known));
        let x = x[covariate - 1];
        let goes_left = if x.is_nan() { missing_left } else { x <= threshold };
        let cover = left.1 + right.1;
        let value = match (known(covariate - 1), goes_left) {
            (true, true) => left.0,
            (true, false) => right.0,
            (false, _) => (left.0 * left.1 + right.0 * right.1) / cover,
        };
        (value, cover)
    }

    pub fn worth(&self, x: &[f64], known: &dyn Fn(usize) -> bool) -> f64 {
        self.trees.iter().map(|tree| Read::known(tree, 0, x, known).0).sum()
    }

    /// By feature; `owners`: of each column the feature that it belongs to.
    pub fn contributions(&self, x: &[f64], owners: &[usize]) -> Vec<f64> {
        let features = owners.iter().max().map_or(0, |last| last + 1);
        let all = orders(features);
        let mut parts = vec![0.0; features];
        for order in &all {
            for place in 0..features {
                let before = self.worth(x, &|column| order[..place].contains(&owners[column]));
                let after = self.worth(x, &|column| order[..=place].contains(&owners[column]));
                parts[order[place]] += (after - before) / all.len() as f64;
            }
        }
        parts
    }
}

fn orders(features: usize) -> Vec<Vec<usize>> {
    if features == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(features - 1);
    (0..features)
        .flat_map(|at| {
            shorter.iter().map(move |order| {
                let mut order = order.clone();
                order.insert(at.min(order.len()), features - 1);
                order
            })
        })
        .collect()
}
