//! Counts of floating-point operations, as expressions of the dimensions.

use super::planned::Pass;
use super::schedule::Region;
use crate::dim::polynomial::Polynomial;
use crate::graph::ir::Graph;
use crate::graph::ops;

/// Returns the number of operations of the nodes in the regions that are counted.
pub fn operations(graph: &Graph, pass: &Pass, is_counted: impl Fn(Region) -> bool) -> Polynomial {
    let mut sum = Polynomial::default();
    for id in graph.ids().filter(|id| pass.schedule.region[id.index()].is_some_and(&is_counted)) {
        let work = ops::primitive(&graph[id].op).and_then(|primitive| (primitive.work)(graph, &graph[id]));
        if let Some((times, atoms)) = work {
            sum.add(&Polynomial::product(times, &atoms));
        }
    }
    sum
}
