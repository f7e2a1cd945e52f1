//! Values that are read some steps back: the dimension of a delay, and equations that must be
//! states instead.

use super::findings::{Reader, Walk};
use super::graph::reachable;
use super::names::{Definition, Lookup, key, what_it_is};
use super::order::{Cycle, Dependencies};
use super::symbols::{Delayed, Symbol};
use crate::syntax::ast::{Expr, Time};
use crate::syntax::suggest::nearest;
use crate::syntax::text;
use proc_macro2::Ident;
use std::collections::{HashSet, VecDeque};

impl Walk<'_> {
    /// Notes that a delay uses its dimension, even if the value can't be delayed.
    pub(super) fn read_delay(&mut self, expr: &Expr, time: &Time, reader: Reader) {
        if let Time::Delay { dimension, .. } = time
            && let Lookup::Found(definition @ Definition::Dimension(index)) = self.names.look_up(dimension)
        {
            self.read(reader, definition, Some(Symbol::Dimension(index)), expr);
        }
    }

    /// Looks up the dimension of a delay. Returns `None` if there is no such dimension, which is
    /// reported.
    pub(super) fn delay(
        &mut self,
        expr: &Expr,
        value: &Ident,
        dimension: &Ident,
        reader: Reader,
    ) -> Option<()> {
        match self.names.look_up(dimension) {
            Lookup::Found(Definition::Dimension(_)) => return Some(()),
            Lookup::Poisoned => {}
            Lookup::Found(definition) => {
                let what = what_it_is(self.cell, definition);
                self.read(reader, definition, None, expr);
                self.diagnostics
                    .error(dimension, format!("`{dimension}` is {what}, not a dimension"))
                    .note("a delay is the same number of steps at every step")
                    .help(format!(
                        "delay by a number, `{value}[t-2]`, or by a dimension of the cell, as in `{value}[t-D]`"
                    ));
            }
            Lookup::Unknown => {
                let known: Vec<String> = self.cell.dimensions.iter().map(key).collect();
                let near = nearest(&key(dimension), known.iter().map(String::as_str));
                let help = match near {
                    Some(near) => format!("should this be `{near}`?"),
                    None => format!("declare it: `{}`", text::cell_head(self.cell, dimension)),
                };
                self.diagnostics.error(dimension, format!("unknown dimension `{dimension}`")).help(help);
            }
        }
        None
    }

    /// Reports a window in the initial value of a state.
    pub(super) fn past_in_initial(&mut self, function: &Ident, state: usize) {
        let state = &self.cell.declarations[state].name;
        self.diagnostics
            .error(function, format!("the initial value of `{state}` can't call `{function}`"))
            .note("it is computed before the first step, where there are no earlier steps");
    }
}

impl Dependencies<'_> {
    /// Adds the delayed reads of equations to the graph. Returns the reads that close a cycle, and
    /// removes their symbols.
    pub(super) fn delayed(&mut self, symbols: &mut [Option<Symbol>]) -> Vec<Cycle> {
        let mut cycles = vec![];
        let mut reported = HashSet::new();
        for (index, read) in self.reads.iter().enumerate() {
            let (Reader::Equation(reader), Some(Symbol::Delayed(Delayed::Target(target)))) =
                (read.reader, read.symbol)
            else {
                continue;
            };
            let to = target.equation;
            if !reachable(&self.edges, [to])[reader] {
                if !self.edges[reader].contains(&to) {
                    self.edges[reader].push(to);
                }
                continue;
            }
            if let Some(symbol) = symbols.get_mut(read.expression) {
                *symbol = None;
            }
            if reported.insert(to) {
                let name = &self.cell.equations[to].targets[target.index];
                cycles.push(self.own_past(index, name, &self.path_to(to, reader)));
            }
        }
        cycles
    }

    /// Describes an equation that is computed from its own earlier values. `path` leads from it to
    /// the equation that reads them.
    fn own_past(&self, read: usize, name: &Ident, path: &[usize]) -> Cycle {
        let equation = &self.cell.equations[path[0]];
        let shape = equation.shape.as_ref().map_or_else(|| "[..]".to_owned(), text::shape);
        let names: Vec<String> =
            path[1..].iter().map(|equation| text::targets(&self.cell.equations[*equation])).collect();
        let through = match names.last() {
            None => String::new(),
            Some(_) => format!(" through `{}`", names.join(" -> ")),
        };
        Cycle {
            read,
            fact: format!("`{name}` depends on its own earlier values{through}"),
            note: "only a state can depend on its own past: it has an initial value".to_owned(),
            help: format!("declare it: `state {name}: {shape};`"),
        }
    }

    /// Returns the shortest path from one equation to another, both ends included.
    fn path_to(&self, from: usize, to: usize) -> Vec<usize> {
        let mut came_from = vec![None; self.edges.len()];
        let mut queue = VecDeque::from([from]);
        while let Some(node) = queue.pop_front() {
            if node == to {
                break;
            }
            for &next in &self.edges[node] {
                if next != from && came_from[next].is_none() {
                    came_from[next] = Some(node);
                    queue.push_back(next);
                }
            }
        }
        let mut path = vec![to];
        while let Some(before) = came_from[path[path.len() - 1]] {
            path.push(before);
        }
        path.reverse();
        path
    }
}
