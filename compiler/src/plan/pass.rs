//! One graph's pass: what runs when, and where values live.

use super::schedule::{Group, Region, Schedule};
use crate::graph::ir::{Graph, Id, Level, Piece};
use std::collections::{HashMap, HashSet};

/// A block of something declared, and its value.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    pub piece: Piece,
    pub id: Id,
}

/// How long a value that is computed in the loop over time has to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lifetime {
    /// Within a step.
    Step,
    /// Within a chunk of steps.
    Chunk,
    /// Through the whole sequence, for the backward pass or as an output.
    Sequence,
}

/// Where a stored value lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// One value a call (and sample), at a level below time.
    Fixed,
    /// A buffer of its own on the tape.
    Buffer(Lifetime),
    /// A state's new value: the step after in the state's series, or the state itself where nothing reads the old one
    /// any more.
    State(Piece),
    /// Backward: the cotangent of a state at the step before.
    CarryOut(Piece),
    /// Backward: the gradient of a parameter, accumulated in place.
    Gradient(Piece),
}

/// One graph's pass: what runs when, and where values live.
#[derive(Debug)]
pub struct Pass {
    pub schedule: Schedule,
    pub places: HashMap<Id, Place>,
    /// What is overwritten where it is: the leaf of an old state, and the node of the new one.
    pub in_place: HashMap<Id, Id>,
}

impl Pass {
    /// Finds a place for all that is stored. `fixed_place` knows the places of special values.
    pub fn new(
        graph: &Graph,
        schedule: Schedule,
        roots: &[Id],
        fixed_place: impl Fn(Id) -> Option<Place>,
    ) -> Self {
        let mut is_root = vec![false; graph.len()];
        for root in roots {
            is_root[graph.storage(*root).index()] = true;
        }
        let mut places = HashMap::new();
        for region in Region::ALL {
            for group in schedule.groups(region) {
                let nodes = group.nodes();
                let fused: HashSet<Id> = match group {
                    Group::Elementwise { nodes, .. } => nodes.iter().copied().collect(),
                    _ => HashSet::new(),
                };
                for id in nodes {
                    let place = fixed_place(id).or_else(|| match graph[id].level {
                        Level::Time => {
                            lifetime(&schedule, region, &fused, id, is_root[id.index()]).map(Place::Buffer)
                        }
                        _ => Some(Place::Fixed),
                    });
                    if let Some(place) = place {
                        places.insert(id, place);
                    }
                }
            }
        }
        Pass { schedule, places, in_place: HashMap::new() }
    }
}

/// None for a value that lives in a register within its loop, whose nodes are `fused`.
fn lifetime(
    schedule: &Schedule,
    region: Region,
    fused: &HashSet<Id>,
    id: Id,
    is_root: bool,
) -> Option<Lifetime> {
    let users = &schedule.users[id.index()];
    if !is_root && fused.contains(&id) && users.iter().all(|user| fused.contains(user)) {
        return None;
    }
    let leaves_region = is_root || users.iter().any(|user| schedule.region[user.index()] != Some(region));
    Some(if region == Region::Step && !leaves_region { Lifetime::Step } else { Lifetime::Chunk })
}
