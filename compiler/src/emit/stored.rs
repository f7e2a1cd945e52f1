//! The contents of a quantised copy of a cell: the values of parameters alone that a pass reads,
//! and which of them are stored in fewer bits.

use crate::dim::Atom;
use crate::emit::context::EmitContext;
use crate::emit::hygiene::ident;
use crate::graph::ir::{Graph, Id, Level, Op, Piece};
use crate::lower::names::ValueNames;
use crate::plan::schedule::{Group, Region, Schedule};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use std::collections::{BTreeMap, BTreeSet};

/// The representation of a stored value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredAs {
    /// Unchanged.
    Plain,
    /// In fewer bits. All its uses are products.
    Narrow,
    /// In fewer bits, and transposed. All its uses are products with its transpose.
    Transposed,
}

/// The values of a pass, each with its representation.
pub struct StoredValues {
    kinds: BTreeMap<Id, StoredAs>,
    prefix: &'static str,
}

impl StoredValues {
    /// Returns the stored values of a step. A value that is computed from parameters alone is
    /// stored as computed. Blocks in `plain` stay unchanged.
    pub fn of_step(graph: &Graph, schedule: &Schedule, plain: &BTreeSet<Piece>) -> Self {
        let regions = [Region::Context, Region::Step];
        StoredValues { kinds: kinds(graph, schedule, &regions, plain, |_| true), prefix: "v" }
    }

    /// Returns the stored values of the initial state. It holds parameters alone, since everything
    /// else is computed there. Blocks in `plain` stay unchanged.
    pub fn of_start(graph: &Graph, schedule: &Schedule, plain: &BTreeSet<Piece>) -> Self {
        let is_stored = |id: Id| graph[id].op.is_leaf();
        StoredValues { kinds: kinds(graph, schedule, &Region::ALL, plain, is_stored), prefix: "start" }
    }

    /// Returns the blocks of parameters that are stored, each with its representation.
    pub fn pieces<'g>(&self, graph: &'g Graph) -> impl Iterator<Item = (Piece, StoredAs)> + use<'g, '_> {
        self.ids().filter_map(|(id, kind)| Some((piece(graph, id)?, kind)))
    }

    pub fn kind(&self, id: Id) -> Option<StoredAs> {
        self.kinds.get(&id).copied()
    }

    pub fn ids(&self) -> impl Iterator<Item = (Id, StoredAs)> {
        self.kinds.iter().map(|(id, kind)| (*id, *kind))
    }

    pub fn field(&self, names: &ValueNames, id: Id) -> Ident {
        ident(&format!("{}_{}", self.prefix, names.text(id)))
    }

    /// Returns the slice of a value, or its view if it is stored in fewer bits.
    pub fn read(&self, cx: &EmitContext, graph: &Graph, names: &ValueNames, id: Id) -> Option<TokenStream> {
        let (k, field) = (&cx.k, self.field(names, id));
        Some(match self.kind(id)? {
            StoredAs::Plain => quote!(#k::Flat::flat(&__cell.#field)),
            StoredAs::Narrow | StoredAs::Transposed if graph[id].shape.has_heads() => {
                quote!(__cell.#field.each_ref().map(#k::Stored::view))
            }
            StoredAs::Narrow | StoredAs::Transposed => quote!(#k::Stored::view(&__cell.#field)),
        })
    }

    /// Returns the type of a field.
    pub fn field_type(&self, cx: &EmitContext, graph: &Graph, id: Id) -> TokenStream {
        let (k, format, scalar, shape) = (&cx.k, &cx.format, &cx.scalar, graph[id].shape);
        let [rows, columns] = [shape.rows, shape.columns].map(|atom| cx.atom(atom));
        let stored = match self.kind(id) {
            Some(StoredAs::Narrow) => quote!(#k::Stored<#format, #scalar, { #rows }, { #columns }>),
            Some(StoredAs::Transposed) => quote!(#k::Stored<#format, #scalar, { #columns }, { #rows }>),
            _ => return cx.block_type(shape, Level::Param),
        };
        if !shape.has_heads() {
            return stored;
        }
        let heads = cx.atom(shape.heads);
        quote!([#stored; #heads])
    }
}

/// Returns the blocks whose unchanged entries are used to compute those values of a step that
/// depend on parameters alone.
pub fn computed_from(graph: &Graph, schedule: &Schedule) -> BTreeSet<Piece> {
    let operands =
        schedule.groups(Region::Param).iter().flat_map(|group| group.operands(graph, &schedule.users));
    operands.filter_map(|id| piece(graph, graph.storage(id))).collect()
}

fn piece(graph: &Graph, id: Id) -> Option<Piece> {
    match graph[id].op {
        Op::Read(piece) => Some(piece),
        _ => None,
    }
}

fn kinds(
    graph: &Graph,
    schedule: &Schedule,
    regions: &[Region],
    plain: &BTreeSet<Piece>,
    is_stored: impl Fn(Id) -> bool,
) -> BTreeMap<Id, StoredAs> {
    let groups: Vec<&Group> = regions.iter().flat_map(|region| schedule.groups(*region)).collect();
    let mut kinds: BTreeMap<Id, StoredAs> = BTreeMap::new();
    for group in &groups {
        let matrices = matrices(graph, group);
        for id in group.operands(graph, &schedule.users) {
            let storage = graph.storage(id);
            let node = &graph[storage];
            if node.level != Level::Param || graph.is_constant(storage) || !is_stored(storage) {
                continue;
            }
            let is_plain = piece(graph, storage).is_some_and(|piece| plain.contains(&piece));
            let is_matrix = !is_plain && node.shape.rows != Atom::ONE && node.shape.columns != Atom::ONE;
            let as_matrix = matrices.iter().find(|(own, _)| *own == id);
            let kind = match as_matrix {
                Some((_, kind)) if is_matrix && id == storage => *kind,
                _ => StoredAs::Plain,
            };
            kinds
                .entry(storage)
                .and_modify(|own| *own = if *own == kind { kind } else { StoredAs::Plain })
                .or_insert(kind);
        }
    }
    // Products that run together read matrices of the same kind.
    loop {
        let mut is_changed = false;
        for group in groups.iter().filter(|group| !group.sums().is_empty()) {
            let ids: Vec<(Id, StoredAs)> = matrices(graph, group);
            if ids.iter().all(|(id, kind)| kinds.get(&graph.storage(*id)) == Some(kind)) {
                continue;
            }
            for (id, _) in ids {
                if let Some(kind) = kinds.get_mut(&graph.storage(id)) {
                    is_changed |= *kind != StoredAs::Plain;
                    *kind = StoredAs::Plain;
                }
            }
        }
        if !is_changed {
            return kinds;
        }
    }
}

/// Returns the matrices that a group multiplies from the left or gathers columns of.
fn matrices(graph: &Graph, group: &Group) -> Vec<(Id, StoredAs)> {
    if let Group::Single(id) = group {
        return match graph[*id].op {
            Op::Gather { .. } => vec![(graph[*id].args[0], StoredAs::Narrow)],
            _ => vec![],
        };
    }
    let terms = group.sums().iter().flat_map(|sum| &sum.terms);
    let of_term = |term: &Id| {
        let is_transposed = matches!(graph[*term].op, Op::MatMul { ta: true, .. });
        (graph[*term].args[0], if is_transposed { StoredAs::Transposed } else { StoredAs::Narrow })
    };
    terms.map(of_term).collect()
}
