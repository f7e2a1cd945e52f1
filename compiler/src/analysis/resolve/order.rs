//! The order in which a step evaluates its equations, and cycles, for which there is no order.

use super::findings::{Read, Reader};
use super::graph::{components, path};
use super::names::Definition;
use super::symbols::Symbol;
use crate::diagnostics::Diagnostics;
use crate::syntax::ast::{Cell, DeclarationKind};
use crate::syntax::text;
use std::collections::HashMap;

/// The number of edges that are compared to find the best place to report a cycle.
const CANDIDATES: usize = 32;

/// The largest number of cycles that are reported one by one. Each takes a pass over the equations.
const MOST_REPORTED: usize = 100;

/// The largest number of equations in a path that is shown in full.
const PATH_SHOWN: usize = 12;

/// Returns the indices of the equations, each after those whose values it reads, at `t` or delayed.
/// A read that closes a cycle is reported, and its symbol is removed.
pub fn evaluation_order(
    cell: &Cell,
    reads: &[Read],
    symbols: &mut [Option<Symbol>],
    diagnostics: &mut Diagnostics,
) -> Vec<usize> {
    let mut dependencies = Dependencies::new(cell, reads);
    let mut cycles = vec![];
    while let Some(cycle) = dependencies.find_cycle() {
        cycles.extend(dependencies.describe(&cycle));
        let mut closing = vec![(cycle[0], cycle[1])];
        if cycles.len() == MOST_REPORTED {
            closing = dependencies.cyclic_edges(&components(&dependencies.edges));
        }
        for read in closing.into_iter().flat_map(|(reader, to)| dependencies.remove(reader, to)) {
            if let Some(symbol) = symbols.get_mut(reads[read].expression) {
                *symbol = None;
            }
        }
    }
    cycles.extend(dependencies.delayed(symbols));
    cycles.sort_by_key(|cycle| cycle.read);
    for cycle in cycles {
        diagnostics.error(reads[cycle.read].extent, cycle.fact).note(cycle.note).help(cycle.help);
    }
    dependencies.sorted()
}

/// The diagnostic of a cycle, at the read that closes it.
pub(super) struct Cycle {
    pub read: usize,
    pub fact: String,
    pub note: String,
    pub help: String,
}

/// The equations as a graph. Each edge leads from the reader to the equation that it reads.
pub(super) struct Dependencies<'a> {
    pub(super) cell: &'a Cell,
    pub(super) reads: &'a [Read],
    pub(super) edges: Vec<Vec<usize>>,
    /// The reads that each edge represents.
    by_edge: HashMap<(usize, usize), Vec<usize>>,
}

impl<'a> Dependencies<'a> {
    fn new(cell: &'a Cell, reads: &'a [Read]) -> Self {
        let mut edges = vec![vec![]; cell.equations.len()];
        let mut by_edge: HashMap<(usize, usize), Vec<usize>> = HashMap::new();
        for (index, read) in reads.iter().enumerate() {
            if let (Reader::Equation(reader), Some(Symbol::Target(target))) = (read.reader, read.symbol) {
                let same = by_edge.entry((reader, target.equation)).or_default();
                if same.is_empty() {
                    edges[reader].push(target.equation);
                }
                same.push(index);
            }
        }
        Dependencies { cell, reads, edges, by_edge }
    }

    fn remove(&mut self, reader: usize, to: usize) -> Vec<usize> {
        self.edges[reader].retain(|other| *other != to);
        self.by_edge.remove(&(reader, to)).unwrap_or_default()
    }

    /// Returns the equations of a cycle. Each reads the next one, and the last reads the first. The
    /// first read is the one to report.
    ///
    /// Users write equations in the order of evaluation, so the mistake is a read of a later
    /// equation. Most likely it is the read of a state (`h` for `h[t-1]`). Of the cycles with such
    /// a read, the shortest is returned.
    fn find_cycle(&self) -> Option<Vec<usize>> {
        let component = components(&self.edges);
        let mut cyclic = self.cyclic_edges(&component);
        let rank = |&(reader, to): &(usize, usize)| {
            let goes_down = to >= reader;
            match (self.state_read(reader, to).is_some(), goes_down) {
                (true, true) => 0,
                (true, false) => 2,
                (false, true) => 1,
                (false, false) => 3,
            }
        };
        let best = cyclic.iter().map(rank).min()?;
        // All places are equally good to report a cycle without a state.
        cyclic.retain(|edge| rank(edge) == best);
        cyclic
            .into_iter()
            .take(CANDIDATES)
            .filter_map(|(reader, to)| {
                let mut cycle = path(&self.edges, &component, to, reader)?;
                cycle.rotate_right(1);
                Some(cycle)
            })
            .map(|cycle| if cycle.len() == 1 { vec![cycle[0], cycle[0]] } else { cycle })
            .min_by_key(Vec::len)
    }

    /// Returns the edges within components. Each is part of a cycle.
    fn cyclic_edges(&self, component: &[usize]) -> Vec<(usize, usize)> {
        let mut cyclic = vec![];
        for (reader, edges) in self.edges.iter().enumerate() {
            cyclic.extend(
                edges.iter().filter(|to| component[**to] == component[reader]).map(|to| (reader, *to)),
            );
        }
        cyclic
    }

    /// Returns the name by which one equation reads another.
    fn name_read(&self, reader: usize, to: usize) -> String {
        let read = self.by_edge.get(&(reader, to)).and_then(|same| same.first());
        match read.and_then(|read| self.reads[*read].symbol) {
            Some(Symbol::Target(target)) => {
                let targets = &self.cell.equations[target.equation].targets;
                targets.get(target.index).map_or_else(String::new, ToString::to_string)
            }
            _ => String::new(),
        }
    }

    fn state_read(&self, reader: usize, to: usize) -> Option<usize> {
        let read = *self.by_edge.get(&(reader, to))?.first()?;
        match self.reads[read].what {
            Definition::Declaration(index)
                if self.cell.declarations[index].kind == DeclarationKind::State =>
            {
                Some(index)
            }
            _ => None,
        }
    }

    fn describe(&self, cycle: &[usize]) -> Option<Cycle> {
        // An equation that reads itself appears twice in its cycle, so that it has an edge.
        let is_loop = cycle[0] == cycle[1];
        let nodes = if is_loop { &cycle[..1] } else { cycle };
        let edges: Vec<(usize, usize)> =
            nodes.iter().copied().zip(nodes.iter().copied().cycle().skip(1)).collect();
        let mut names: Vec<String> = edges.iter().map(|(reader, to)| self.name_read(*reader, *to)).collect();
        names.rotate_right(1);
        names.push(names[0].clone());
        if names.len() > PATH_SHOWN {
            let last = names.len() - 2;
            names.splice(PATH_SHOWN / 2..last, ["..".to_owned()]);
        }
        let states: Vec<usize> =
            edges.iter().filter_map(|(reader, to)| self.state_read(*reader, *to)).collect();
        let read = *self.by_edge.get(&edges[0])?.first()?;
        let fact = format!("a cycle within one step: `{}`", names.join(" -> "));
        let note = if is_loop {
            "its value would have to be known before it is computed".to_owned()
        } else {
            format!("`{}` reads `{}`, and so on: none of them can be computed first", names[0], names[1])
        };
        let help = match states.first() {
            Some(state) => {
                format!("for the previous value write `{}[t-1]`", self.cell.declarations[*state].name)
            }
            None => {
                let name = &names[1];
                let equation = &self.cell.equations[edges[0].1];
                let shape = equation.shape.as_ref().map_or_else(|| "[..]".to_owned(), text::shape);
                format!("make one of them a state: `state {name}: {shape};`, read as `{name}[t-1]`")
            }
        };
        Some(Cycle { read, fact, note, help })
    }

    /// Sorts depth first from the top, so that equations keep the order of the source where they
    /// can.
    fn sorted(&self) -> Vec<usize> {
        let mut order = vec![];
        let mut seen = vec![false; self.edges.len()];
        for root in 0..self.edges.len() {
            if std::mem::replace(&mut seen[root], true) {
                continue;
            }
            let mut work = vec![(root, 0)];
            while let Some((node, next)) = work.last_mut() {
                if let Some(&to) = self.edges[*node].get(*next) {
                    *next += 1;
                    if !std::mem::replace(&mut seen[to], true) {
                        work.push((to, 0));
                    }
                } else {
                    order.push(*node);
                    work.pop();
                }
            }
        }
        order
    }
}
