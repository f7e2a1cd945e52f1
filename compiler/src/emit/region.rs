//! The code of one region: each group of the schedule as a loop or a kernel call over slices.

use super::body::{Body, Frame, Statement, commented};
use super::bug::bug;
use super::fused::Loop;
use super::ops::{one_hot, parts, product, rearrange, reduce};
use crate::graph::ir::{Id, Op};
use crate::plan::schedule::{Group, Region, Schedule, is_accumulated_product};
use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use std::collections::HashSet;

impl Body<'_> {
    /// Returns the code of a region. Empty if nothing runs there.
    pub fn region(&self, region: Region, frame: &dyn Frame) -> TokenStream {
        let parts = self.parts(region).into_iter().map(|part| self.part(region, part, frame));
        parts.collect()
    }

    /// Splits the groups of a region before each group that reads, at another step, a series that
    /// an earlier group wrote. The slices of a series cannot be bound for reading and for writing
    /// at the same time.
    fn parts(&self, region: Region) -> Vec<&[Group]> {
        let Schedule { delayed, users, .. } = &self.pass.schedule;
        let mut parts = vec![];
        let mut rest = self.pass.schedule.groups(region);
        while !rest.is_empty() {
            let mut written: HashSet<Id> = HashSet::new();
            let is_cut = |group: &Group| {
                let operands = group.operands(self.graph, users);
                let series = operands.iter().filter_map(|id| delayed.get(&self.graph.storage(*id)));
                let is_cut = series.flatten().any(|node| written.contains(node));
                written.extend(group.nodes());
                is_cut
            };
            let (part, after) = rest.split_at(rest.iter().position(is_cut).unwrap_or(rest.len()));
            parts.push(part);
            rest = after;
        }
        parts
    }

    fn part(&self, region: Region, groups: &[Group], frame: &dyn Frame) -> TokenStream {
        let computed: Vec<Id> = groups.iter().flat_map(Group::nodes).collect();
        let mut seen: HashSet<Id> = computed.iter().copied().collect();
        let users = &self.pass.schedule.users;
        let operands = groups.iter().flat_map(|group| group.operands(self.graph, users));
        let reads: Vec<Id> = operands
            .map(|id| self.graph.storage(id))
            .filter(|id| {
                !self.graph.is_constant(*id) && !self.pass.in_place.contains_key(id) && seen.insert(*id)
            })
            .collect();
        let writes: Vec<Id> = computed.into_iter().filter(|id| self.pass.places.contains_key(id)).collect();
        let bindings = frame.bind(region, &reads, &writes);
        let groups: TokenStream = groups.iter().map(|group| self.group(region, group, frame)).collect();
        let after_writes = frame.after_writes(region, &writes);
        // A block's last expression has no attributes, and so no comment: it becomes a statement.
        let ends_with_block = matches!(groups.clone().into_iter().last(), Some(TokenTree::Group(_)));
        let end = ends_with_block.then(|| quote!(;));
        quote!({ #bindings #groups #end } #after_writes)
    }

    fn is_accumulated_product(&self, id: Id) -> bool {
        is_accumulated_product(self.graph, &self.pass.schedule.users, id)
    }

    fn group(&self, region: Region, group: &Group, frame: &dyn Frame) -> TokenStream {
        match group {
            Group::Elementwise { space, nodes } => Loop::new(self, region, *space, nodes).emit(),
            Group::Products { sums } => product::emit_products(self, sums),
            Group::PullBack(sum) => product::emit_pull_back(self, sum),
            Group::Single(id) if self.is_accumulated_product(*id) => self.accumulated(region, *id),
            Group::Single(id) if matches!(self.graph[*id].op, Op::Window { .. } | Op::Present { .. }) => {
                let (comment, statement) = (self.comment(&[*id]), frame.window_statement(self, region, *id));
                commented(&comment, statement)
            }
            Group::Single(id) => self.single(region, *id),
        }
    }

    /// Returns the code of a node with its own statement.
    fn single(&self, region: Region, id: Id) -> TokenStream {
        let node = Statement { body: self, region, id };
        match &self.graph[id].op {
            Op::MatMul { .. } => product::emit(&node),
            Op::Gather { offset } => one_hot::emit_gather(&node, offset),
            Op::Scatter { offset } => one_hot::emit_scatter(&node, offset),
            Op::HeadSum => reduce::emit_head_sum(&node),
            Op::RepeatHeads => parts::emit_repeat_heads(&node),
            Op::GroupSum => parts::emit_group_sum(&node),
            Op::Blocks => parts::emit_blocks(&node),
            Op::BlockSum => parts::emit_block_sum(&node),
            Op::Maximum => reduce::emit_maximum(&node),
            Op::Transpose => rearrange::emit_transpose(&node),
            Op::Concat => rearrange::emit_concat(&node),
            Op::LastColumn => rearrange::emit_last_column(&node),
            Op::Slice { start, count } => rearrange::emit_slice(&node, *start, *count),
            _ => bug("a node without a statement"),
        }
    }

    /// Returns the code of a product that adds itself to a sum over time.
    fn accumulated(&self, region: Region, id: Id) -> TokenStream {
        let node = Statement { body: self, region, id };
        match &self.graph[self.graph[id].args[0]].op {
            Op::Scatter { offset } => one_hot::emit_accumulated(&node, offset),
            _ => product::emit_accumulated(&node),
        }
    }
}
