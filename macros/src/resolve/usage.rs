//! What is never used: nothing that leads to an output reads it.
//!
//! A graph leads from every value to those that it reads, from a state to its equation. What the outputs
//! don't reach is dead; of the dead, only those that no other dead value reads are reported, since the
//! rest may well be right once these are.

use super::functions::may_stay_unused;
use super::graph::{components, reachable};
use super::names::{Definition, Lookup, Names};
use super::outputs::Outputs;
use super::text;
use super::walk::{Read, Reader};
use crate::diagnostics::Diagnostics;
use crate::syntax::ast::{Cell, DeclarationKind, ShapeKind};
use proc_macro2::Ident;

/// All that the check looks at.
pub struct Usage<'a> {
    pub cell: &'a Cell,
    pub names: &'a Names,
    pub reads: &'a [Read],
    pub outputs: &'a Outputs,
}

/// The nodes: first the declarations, then the targets of all equations.
struct Nodes {
    /// By equation: the node of each of its targets.
    targets: Vec<Vec<usize>>,
    /// By node.
    names: Vec<Ident>,
    /// Nodes that are as good as outputs.
    roots: Vec<usize>,
}

impl Usage<'_> {
    /// Reports what is never used; `dimensions_used` says which dimensions stand in a shape.
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
            // A group of values that feed only each other is one mistake, reported at its first state.
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
        // A shape that failed to parse may have used any of them.
        if shapes.any(|shape| matches!(shape.kind, ShapeKind::Unknown)) {
            return;
        }
        let mut used = used.to_vec();
        let mentioned = self.cell.mentioned.iter().filter_map(|name| match self.names.value(name) {
            Lookup::Found(definition) => Some(definition),
            _ => None,
        });
        for what in self.reads.iter().map(|read| read.what).chain(mentioned) {
            if let Definition::Dimension(index) = what {
                used[index] = true;
            }
        }
        for (index, name) in self.cell.dimensions.iter().enumerate() {
            let is_first = self.names.value(name) == Lookup::Found(Definition::Dimension(index));
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
        let mut names: Vec<Ident> = declarations.iter().map(|declared| declared.name.clone()).collect();
        let mut roots = vec![];
        for (index, name) in names.iter().enumerate() {
            // The second of two declarations of a name has been reported.
            if self.names.value(name) != Lookup::Found(Definition::Declaration(index)) || may_stay_unused(name) {
                roots.push(index);
            }
        }
        let mut targets: Vec<Vec<usize>> = vec![];
        for (equation, definition) in self.cell.equations.iter().enumerate() {
            let mut nodes = vec![];
            for (index, name) in definition.targets.iter().enumerate() {
                let own = names.len();
                let node = match self.names.value(name) {
                    Lookup::Found(Definition::Declaration(declared)) if self.is_state(declared) => declared,
                    // Of a name that is defined twice both equations count.
                    Lookup::Found(Definition::Target(first)) if (first.equation, first.index) != (equation, index) => {
                        let earlier = targets.get(first.equation).unwrap_or(&nodes);
                        earlier.get(first.index).copied().unwrap_or(own)
                    }
                    _ => own,
                };
                let is_wrong = matches!(
                    self.names.value(name),
                    Lookup::Found(Definition::Dimension(_)) | Lookup::Poisoned | Lookup::Unknown
                ) || matches!(self.names.value(name), Lookup::Found(Definition::Declaration(d)) if !self.is_state(d));
                // A target that shares its node with a definition keeps one of its own, so that the numbering holds.
                names.push(name.clone());
                if own != node || is_wrong || may_stay_unused(name) || !self.outputs.are_known {
                    roots.push(own);
                }
                if may_stay_unused(name) || !self.outputs.are_known {
                    roots.push(node);
                }
                nodes.push(node);
            }
            targets.push(nodes);
        }
        if !self.outputs.are_known {
            roots.extend((0..declarations.len()).filter(|node| self.is_state(*node)));
        }
        let mut nodes = Nodes { targets, names, roots };
        for name in &self.cell.mentioned {
            if let Lookup::Found(definition) = self.names.value(name) {
                let root = nodes.of(definition);
                nodes.roots.extend(root);
            }
        }
        // Functions can't read values; what one wrongly reads is silent.
        for read in self.reads.iter().filter(|read| matches!(read.reader, Reader::Function(_))) {
            let root = nodes.of(read.what);
            nodes.roots.extend(root);
        }
        for root in &self.outputs.roots {
            let root = nodes.of(*root);
            nodes.roots.extend(root);
        }
        nodes
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
                .note("no other equation reads it and it is no output")
                .help(format!("remove it, add it to `output`, or name it `_{name}` to keep it"));
            return;
        };
        let kind = text::kind(declaration.kind);
        let mistake = diagnostics.error(name, format!("{kind} `{name}` is never used"));
        if declaration.kind != DeclarationKind::State {
            mistake.help(format!("remove it, or name it `_{name}` to keep it"));
            return;
        }
        mistake.note(match group {
            _ if !feeds_itself => "no equation reads it and it is no output".to_owned(),
            [_] => "it feeds only itself".to_owned(),
            _ => {
                let shown: Vec<String> = group.iter().take(6).map(|node| format!("`{}`", nodes.names[*node])).collect();
                format!("{} feed only each other", shown.join(", "))
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
