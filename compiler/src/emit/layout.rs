//! The layout of a cell's tape, and access to the slices of values on it.

use crate::emit::context::EmitContext;
use crate::emit::hygiene::ident;
use crate::graph::grid::positions;
use crate::graph::ir::{BlockShape, Id, Level, Op, Piece};
use crate::plan::past::Source;
use crate::plan::schedule::Region;
use crate::plan::{Bound, Lifetime, Place, Plan};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use std::collections::HashSet;

/// A series of the tape.
pub struct Field {
    pub name: Ident,
    /// The type of one element.
    pub element: TokenStream,
    pub lifetime: Option<Lifetime>,
    /// The number of scalars per step and sample.
    pub size: TokenStream,
    /// The series is allocated at the first backward pass, so that a forward pass alone does not
    /// pay for it.
    pub is_backward_only: bool,
    /// The number of values that the series holds besides those of the steps: the initial state and
    /// earlier values, or in a backward pass the cotangent from the next chunk.
    more: Option<TokenStream>,
}

impl Field {
    /// Returns the number of elements that a pass needs.
    pub fn length(&self) -> TokenStream {
        let more = self.more.iter();
        let more = quote!(#(+ #more)*);
        match self.lifetime {
            None | Some(Lifetime::Step) => quote!(1),
            Some(Lifetime::Chunk) => quote!(__chunk #more),
            Some(Lifetime::Sequence) => quote!(__steps #more),
        }
    }
}

/// Writes the first of the steps that the statements of a region run for.
pub fn first_step(region: Region) -> TokenStream {
    if region == Region::Step { quote!(__t) } else { quote!(__t0) }
}

/// The layout of the tape of one cell.
pub struct Layout<'a> {
    pub cx: &'a EmitContext<'a>,
    pub plan: &'a Plan,
}

impl Layout<'_> {
    /// Returns whether the input is one plain block per step, which is read in place. Other inputs
    /// are copied to the tape, one series per block.
    pub fn reads_inputs_in_place(&self) -> bool {
        match self.cx.inputs()[..] {
            // The series of an input also holds the values before the first step.
            _ if self.plan.recorded.iter().any(|record| record.source.is_input()) => false,
            [only] => {
                let shape = &self.cx.shapes.declarations[only];
                shape.as_ref().is_none_or(|shape| shape.blocks() == (1, 1))
            }
            _ => false,
        }
    }

    /// Returns whether the output is one block per step, which is returned as it is stored on the
    /// tape.
    pub fn returns_outputs_in_place(&self) -> bool {
        self.plan.outputs.len() == 1 && self.plan.outputs[0].len() == 1
    }

    /// Returns the slice of the tape that is the output, if it is returned in place.
    pub fn outputs_in_place(&self) -> Option<TokenStream> {
        let [output] = &self.plan.outputs[..] else { return None };
        let [bound] = &output[..] else { return None };
        Some(match self.plan.forward.places.get(&bound.id) {
            Some(Place::State(piece)) => {
                let (series, front) =
                    (self.state_series(*piece), self.state_front(*piece).unwrap_or(quote!(1)));
                quote!(#series.as_slice().get(#front..).unwrap_or(&[]))
            }
            Some(Place::Recorded(piece)) => {
                let (series, front) = (self.recorded_series(*piece), self.recorded_front(*piece));
                quote!(#series.as_slice().get(#front..).unwrap_or(&[]))
            }
            _ => {
                let field = self.plan.names.field(bound.id);
                quote!(#field.as_slice())
            }
        })
    }

    pub fn state_series(&self, piece: Piece) -> Ident {
        self.series_of("state", piece)
    }

    /// Returns the name of the series of states before the steps of a chunk, which the backward
    /// pass of a ragged batch reads.
    pub fn before_series(&self, piece: Piece) -> Ident {
        self.series_of("before", piece)
    }

    pub fn carry_series(&self, piece: Piece) -> Ident {
        self.series_of("carry", piece)
    }

    pub fn input_series(&self, piece: Piece) -> Ident {
        self.series_of("input", piece)
    }

    fn series_of(&self, kind: &str, piece: Piece) -> Ident {
        let name = &self.cx.cell.declarations[piece.of].name;
        ident(&format!("{kind}_{name}_{}_{}", piece.row, piece.column))
    }

    pub fn bar_series(&self, piece: Piece) -> Ident {
        ident(&format!("output_bar_{}_{}_{}", piece.of, piece.row, piece.column))
    }

    /// Returns the blocks of a declaration.
    pub fn pieces(&self, index: usize) -> Vec<Piece> {
        let Some(shape) = &self.cx.shapes.declarations[index] else { return vec![] };
        if self.cx.shapes.one_hot[index].is_some() {
            return vec![Piece { of: index, row: 0, column: 0 }];
        }
        positions(shape.blocks()).map(|(row, column)| Piece { of: index, row, column }).collect()
    }

    fn piece_shape(&self, piece: Piece) -> Option<BlockShape> {
        let shape = self.cx.shapes.declarations[piece.of].as_ref()?;
        let (rows, columns) = (shape.rows.atoms().get(piece.row)?, shape.columns.atoms().get(piece.column)?);
        Some(BlockShape::of_heads(self.cx.heads_of(piece.of), *rows, *columns))
    }

    /// Returns the sizes of all matrices that differ at each step, in scalars per sample.
    pub fn matrices(&self) -> Vec<TokenStream> {
        let states = self.plan.states.iter().filter_map(|bound| self.piece_shape(bound.piece));
        let computed = self.plan.graph.ids().filter(|id| {
            let is_placed = |pass: &crate::plan::Pass| pass.places.contains_key(id);
            self.plan.graph[*id].level == Level::Time
                && (is_placed(&self.plan.forward) || is_placed(&self.plan.backward))
        });
        let shapes = states.chain(computed.map(|id| self.plan.graph[id].shape));
        let mut sizes: Vec<TokenStream> = vec![];
        let mut seen = vec![];
        for shape in shapes.filter(|shape| shape.is_matrix()) {
            if !seen.contains(&shape) {
                seen.push(shape);
                sizes.push(self.cx.block_size(shape));
            }
        }
        sizes
    }

    /// Returns the values that the backward pass reads.
    pub fn read_backward(&self) -> HashSet<Id> {
        let graph = &self.plan.graph;
        let region = &self.plan.backward.schedule.region;
        let computed = graph.ids().filter(|id| region[id.index()].is_some());
        computed.flat_map(|id| graph[id].args.iter().map(|arg| graph.storage(*arg))).collect()
    }

    /// Returns the states whose previous values the backward pass reads.
    pub fn read_before(&self) -> impl Iterator<Item = &Bound> {
        let graph = &self.plan.graph;
        let read = self.read_backward();
        let is_read = move |piece: Piece| read.iter().any(|id| graph[*id].op == Op::Previous(piece));
        self.plan.states.iter().filter(move |bound| is_read(bound.piece))
    }

    /// Returns the series of the values that the forward pass stores for the whole sequence.
    pub fn kept(&self) -> Vec<Ident> {
        let graph = &self.plan.graph;
        let is_kept = |id: &Id| {
            self.plan.forward.places.get(id) == Some(&Place::Buffer(Lifetime::Sequence))
                && graph[*id].level == Level::Time
        };
        graph.ids().filter(is_kept).map(|id| self.plan.names.field(id)).collect()
    }

    /// Returns all series, without duplicates.
    pub fn fields(&self) -> Vec<Field> {
        let cx = self.cx;
        let mut fields: Vec<Field> = vec![];
        for bound in &self.plan.states {
            let Some(shape) = self.piece_shape(bound.piece) else { continue };
            for (name, lifetime) in [
                (self.state_series(bound.piece), Lifetime::Sequence),
                (self.carry_series(bound.piece), Lifetime::Chunk),
            ] {
                let element = cx.block_type(shape, Level::Time);
                fields.push(Field {
                    name,
                    element,
                    lifetime: Some(lifetime),
                    size: cx.block_size(shape),
                    is_backward_only: lifetime == Lifetime::Chunk,
                    more: match lifetime {
                        Lifetime::Sequence => self.state_front(bound.piece).or(Some(quote!(1))),
                        _ => Some(quote!(1)),
                    },
                });
            }
        }
        for record in &self.plan.recorded {
            if let Source::Value(id) = record.source {
                let node = &self.plan.graph[id];
                fields.push(Field {
                    name: self.recorded_series(record.piece),
                    element: cx.block_type(node.shape, node.level),
                    lifetime: Some(Lifetime::Sequence),
                    size: cx.block_size(node.shape),
                    is_backward_only: false,
                    more: Some(self.recorded_front(record.piece)),
                });
            }
            for (ring, name) in self.copies(record.piece) {
                let value = &cx.past.values[record.piece.of];
                let shape = value.block(record.piece.row, record.piece.column);
                fields.push(Field {
                    name,
                    element: cx.recorded_type(record.piece),
                    lifetime: Some(Lifetime::Sequence),
                    size: if value.is_one_hot { quote!(1) } else { cx.block_size(shape) },
                    is_backward_only: false,
                    more: Some(cx.depth(ring)),
                });
            }
        }
        for (piece, ring, _) in self.differentiable_rings() {
            let shape = cx.past.values[piece.of].block(piece.row, piece.column);
            let (name, front) = self.ring_bar(piece, ring);
            fields.push(Field {
                name,
                element: cx.block_type(shape, Level::Time),
                lifetime: Some(Lifetime::Sequence),
                size: cx.block_size(shape),
                is_backward_only: true,
                more: Some(front),
            });
        }
        if !self.reads_inputs_in_place() {
            for index in cx.inputs() {
                for piece in self.pieces(index) {
                    let (element, size) = match self.piece_shape(piece) {
                        _ if cx.shapes.one_hot[index].is_some() => (cx.index_type(), quote!(1)),
                        Some(shape) => (cx.block_type(shape, Level::Time), cx.block_size(shape)),
                        None => continue,
                    };
                    let (name, lifetime) = (self.input_series(piece), Some(Lifetime::Sequence));
                    let more = self.input_front(piece);
                    fields.push(Field { name, element, lifetime, size, is_backward_only: false, more });
                }
            }
        }
        for bound in self.plan.outputs.iter().flatten() {
            let shape = self.plan.graph[bound.id].shape;
            let element = cx.block_type(shape, Level::Time);
            let name = self.bar_series(bound.piece);
            fields.push(Field {
                name,
                element,
                lifetime: Some(Lifetime::Chunk),
                size: cx.block_size(shape),
                is_backward_only: true,
                more: None,
            });
        }
        for id in self.plan.graph.ids() {
            let at = |pass: &crate::plan::Pass| pass.places.get(&id).copied();
            let places = [at(&self.plan.forward), at(&self.plan.backward)];
            let lifetime = places.iter().flatten().filter_map(|place| match place {
                Place::Buffer(lifetime) => Some(Some(*lifetime)),
                Place::Fixed => Some(None),
                _ => None,
            });
            if let Some(lifetime) = lifetime.max() {
                let node = &self.plan.graph[id];
                let element = cx.block_type(node.shape, node.level);
                fields.push(Field {
                    name: self.plan.names.field(id),
                    element,
                    lifetime,
                    size: cx.block_size(node.shape),
                    is_backward_only: places[0].is_none(),
                    more: None,
                });
            }
        }
        fields
    }
}
