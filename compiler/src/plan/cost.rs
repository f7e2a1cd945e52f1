//! Counts of floating-point operations, as expressions of the dimensions.

use super::planned::Pass;
use super::schedule::Region;
use crate::graph::ir::Graph;
use crate::graph::ops::{self, Work};

/// Returns the operations of each node in the regions that are counted.
pub fn operations(graph: &Graph, pass: &Pass, is_counted: impl Fn(Region) -> bool) -> Vec<Work> {
    let counted = graph.ids().filter(|id| pass.schedule.region[id.index()].is_some_and(&is_counted));
    counted.filter_map(|id| (ops::primitive(&graph[id].op)?.work)(graph, &graph[id])).collect()
}
