//! The schedule of a pass: when each node runs, and which nodes run together.
//!
//! Equations are split by their dependence on the recurrence. Equations that depend on it and feed
//! it run *step by step*. Equations that it reads but that do not depend on it run *before*, for
//! all steps of a chunk at once. All others run *after*, for all steps at once again, or before if
//! an earlier node reads them. The recurrence of the backward pass is that of the cotangents of
//! states. States that only delay values are not part of it: their series are written before it
//! starts, and those of their cotangents after it has run. Within a region, element-wise chains are
//! fused into one loop. Products that share their right-hand side or add up to one sum run
//! together.

mod group;
mod products;
mod region;
mod task;

use crate::graph::ir::{Graph, Id};
use std::collections::HashMap;

pub use group::{Group, ProductSum};
#[cfg(test)]
pub use products::is_flat_product;
pub use products::{HeadProduct, head_product, is_accumulated_product};
pub use region::Region;
pub use task::Task;

use task::Needed;

#[derive(Debug)]
pub struct Schedule {
    /// The region of each node; `None` for leaves, constants, available values and unused ones.
    pub region: Vec<Option<Region>>,
    groups: Vec<(Region, Vec<Group>)>,
    /// The leaves that read nodes at earlier steps (in the backward pass, at later ones), each with
    /// these nodes. The nodes are computed for a whole chunk before the leaf is read.
    pub delayed: HashMap<Id, Vec<Id>>,
    /// The nodes that read each node, directly or through reshapes.
    pub users: Vec<Vec<Id>>,
}

impl Schedule {
    pub fn groups(&self, region: Region) -> &[Group] {
        self.groups.iter().find(|(other, _)| *other == region).map_or(&[], |(_, groups)| groups)
    }

    /// Returns the groups of a region mutably, for tests that break a schedule.
    #[cfg(test)]
    pub fn groups_mut(&mut self, region: Region) -> &mut Vec<Group> {
        let found = self.groups.iter_mut().find(|(other, _)| *other == region);
        &mut found.expect("every region has a list").1
    }
}

/// Schedules a pass.
pub fn schedule(graph: &Graph, task: &Task) -> Schedule {
    let needed = Needed::of(graph, task);
    let region = region::regions(graph, task, &needed);
    let groups_of = |here: Region| group::groups(graph, &needed, &task.delayed, &region, here);
    let groups = Region::ALL.map(|here| (here, groups_of(here))).into();
    Schedule { region, groups, delayed: task.delayed.clone(), users: needed.users }
}
