//! Unused values: those that no output depends on.
//!
//! A graph leads from every value to the values that it reads, and from a state to its equation.
//! Values that cannot be reached from the outputs are unused. Of these, only values that no other
//! unused value reads are reported, since the others are used once these are. Nothing is reported
//! while an argument or operand is missing somewhere, since the unused value may belong there. An
//! unknown name does not suppress the report: both messages together show what was meant.

use super::findings::{Read, Reader};
use super::functions::may_stay_unused;
use super::graph::{components, reachable};
use super::names::{Definition, Lookup, Names};
use super::outputs::Outputs;
use super::symbols::Target;
use crate::diagnostics::{Diagnostics, Missing};
use crate::syntax::ast::{Cell, DeclarationKind, ShapeKind};
use crate::syntax::text;
use proc_macro2::Ident;

/// The data that the check reads.
pub struct Usage<'a> {
    pub cell: &'a Cell,
    pub names: &'a Names,
    pub reads: &'a [Read],
    pub outputs: &'a Outputs,
}

/// The nodes of the graph: first the declarations, then the targets of all equations.
struct Nodes {
    /// The node of each target, indexed by equation.
    targets: Vec<Vec<usize>>,
    /// The name of each node.
    names: Vec<Ident>,
    /// The nodes that are treated as outputs.
    roots: Vec<usize>,
}

impl Usage<'_> {
    /// Reports unused values. `dimensions_used` has a flag for each dimension: a shape uses it.
    pub fn check(&self, dimensions_used: &[bool], diagnostics: &mut Diagnostics) {
        self.dimensions(dimensions_used, diagnostics);
        let nodes = self.nodes();
        let edges = self.edges(&nodes);
        let live = reachable(&edges, nodes.roots.iter().copied());
        let component = components(&edges);
        let mut read_from_outside = vec![false; edges.len()];
        let mut members: Vec<Vec<usize>> = vec![vec![]; edges.len()];
        for (node, reads) in edges.iter().enumerate() {
            members[component[node]].push(node);
            for read in reads.iter().filter(|read| component[**read] != component[node]) {
                read_from_outside[component[*read]] = true;
            }
        }
        for node in 0..edges.len() {
            let group = &members[component[node]];
            // A group of values that only read each other is one mistake, which is reported at its
            // first state.
            let first = group.iter().find(|member| self.is_state(**member)).or(group.first());
            if !live[node] && !read_from_outside[component[node]] && first == Some(&node) {
                let feeds_itself = group.len() > 1 || edges[node].contains(&node);
                self.report(node, &nodes, group, feeds_itself, diagnostics);
            }
        }
    }

    fn dimensions(&self, used: &[bool], diagnostics: &mut Diagnostics) {
        let asserted = self.cell.equations.iter().filter_map(|equation| equation.shape.as_ref());
        let mut shapes = self.cell.declarations.iter().map(|declared| &declared.shape).chain(asserted);
        // A shape that failed to parse may have used any dimension.
        if shapes.any(|shape| matches!(shape.kind, ShapeKind::Unknown)) {
            return;
        }
        let mut used = used.to_vec();
        for what in self.reads.iter().map(|read| read.what).chain(self.mentioned()) {
            if let Definition::Dimension(index) = what {
                used[index] = true;
            }
        }
        for (index, name) in self.cell.dimensions.iter().enumerate() {
            let is_first = self.names.look_up(name) == Lookup::Found(Definition::Dimension(index));
            if !used[index] && is_first && !may_stay_unused(name) {
                diagnostics
                    .error(name, format!("dimension `{name}` is never used"))
                    .help(format!("remove it, or name it `_{name}` to keep it"));
            }
        }
    }

    fn is_state(&self, node: usize) -> bool {
        self.cell.declarations.get(node).is_some_and(|declared| declared.kind == DeclarationKind::State)
    }

    fn nodes(&self) -> Nodes {
        let declarations = &self.cell.declarations;
        let mut nodes = Nodes {
            targets: vec![],
            names: declarations.iter().map(|declared| declared.name.clone()).collect(),
            roots: vec![],
        };
        for (index, declared) in declarations.iter().enumerate() {
            // A second declaration of the same name has been reported.
            let is_first =
                self.names.look_up(&declared.name) == Lookup::Found(Definition::Declaration(index));
            let may_be_output = self.is_state(index) && !self.outputs.are_known;
            if !is_first || may_stay_unused(&declared.name) || may_be_output {
                nodes.roots.push(index);
            }
        }
        for (equation, definition) in self.cell.equations.iter().enumerate() {
            nodes.targets.push(vec![]);
            for (index, name) in definition.targets.iter().enumerate() {
                // A target that defines a state, or a name for a second time, shares the node of
                // that state or name. Its own node then represents nothing.
                let own = nodes.names.len();
                nodes.names.push(name.clone());
                let node = match self.names.look_up(name) {
                    Lookup::Found(Definition::Declaration(declared)) if self.is_state(declared) => declared,
                    Lookup::Found(Definition::Target(first)) if first == (Target { equation, index }) => own,
                    Lookup::Found(earlier @ Definition::Target(_)) => nodes.of(earlier).unwrap_or(own),
                    // The name has been reported.
                    _ => own,
                };
                let is_defined =
                    self.names.look_up(name) == Lookup::Found(Definition::Target(Target { equation, index }));
                if !is_defined {
                    nodes.roots.push(own);
                }
                if may_stay_unused(name) || !self.outputs.are_known {
                    nodes.roots.push(node);
                }
                nodes.targets[equation].push(node);
            }
        }
        let roots: Vec<usize> = self.certainly_used().filter_map(|definition| nodes.of(definition)).collect();
        nodes.roots.extend(roots);
        nodes
    }

    /// Returns the definitions that are used outside of valid equations.
    fn certainly_used(&self) -> impl Iterator<Item = Definition> {
        let outputs = self.outputs.roots.iter().copied();
        let misnamed = self.names.misnamed.iter().map(|target| Definition::Target(*target));
        let read_by_functions =
            self.reads.iter().filter(|read| matches!(read.reader, Reader::Function(_))).map(|read| read.what);
        outputs.chain(misnamed).chain(read_by_functions).chain(self.mentioned())
    }

    /// Returns the definitions that are named in an item that failed to parse.
    fn mentioned(&self) -> impl Iterator<Item = Definition> {
        self.cell.mentioned.iter().filter_map(|name| match self.names.look_up(name) {
            Lookup::Found(definition) => Some(definition),
            Lookup::Poisoned | Lookup::Unknown => None,
        })
    }

    fn edges(&self, nodes: &Nodes) -> Vec<Vec<usize>> {
        let mut edges = vec![vec![]; nodes.names.len()];
        for read in self.reads {
            let Some(to) = nodes.of(read.what) else { continue };
            match read.reader {
                Reader::Equation(equation) => {
                    for from in &nodes.targets[equation] {
                        edges[*from].push(to);
                    }
                }
                Reader::Initial(state) => edges[state].push(to),
                Reader::Function(_) => {}
            }
        }
        edges
    }

    fn report(
        &self,
        node: usize,
        nodes: &Nodes,
        group: &[usize],
        feeds_itself: bool,
        diagnostics: &mut Diagnostics,
    ) {
        let name = &nodes.names[node];
        let Some(declaration) = self.cell.declarations.get(node) else {
            diagnostics
                .error(name, format!("`{name}` is never used"))
                .unless_missing(Missing::Read)
                .note("no other equation reads it and it is not an output")
                .help(format!("remove it, add it to `output`, or name it `_{name}` to keep it"));
            return;
        };
        let kind = text::kind(declaration.kind);
        let mistake = diagnostics.error(name, format!("{kind} `{name}` is never used"));
        mistake.unless_missing(Missing::Read);
        if declaration.kind != DeclarationKind::State {
            mistake.help(format!("remove it, or name it `_{name}` to keep it"));
            return;
        }
        mistake.note(match group {
            _ if !feeds_itself => "no equation reads it and it is not an output".to_owned(),
            [_] => "it feeds only itself".to_owned(),
            _ => {
                const SHOWN: usize = 6;
                let shown: Vec<String> =
                    group.iter().take(SHOWN).map(|node| format!("`{}`", nodes.names[*node])).collect();
                let others = match group.len().saturating_sub(SHOWN) {
                    0 => String::new(),
                    1 => " and one other".to_owned(),
                    count => format!(" and {count} others"),
                };
                format!("{}{others} feed only each other", shown.join(", "))
            }
        });
        mistake.help(format!("remove it, add it to `output`, or name it `_{name}` to keep it"));
    }
}

impl Nodes {
    fn of(&self, definition: Definition) -> Option<usize> {
        match definition {
            Definition::Dimension(_) => None,
            Definition::Declaration(index) => Some(index),
            Definition::Target(target) => self.targets.get(target.equation)?.get(target.index).copied(),
        }
    }
}
