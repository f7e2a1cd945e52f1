//! The layout of a cell's tape, and access to the slices of values on it.

use crate::dim::polynomial::Polynomial;
use crate::dim::{Atom, Shape};
use crate::emit::context::EmitContext;
use crate::emit::hygiene::ident;
use crate::graph::grid::positions;
use crate::graph::ir::{BlockShape, Id, Level, Op, Piece};
use crate::plan::past::Source;
use crate::plan::schedule::Region;
use crate::plan::{Bound, Lifetime, Pass, Place, Plan};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use std::collections::HashSet;

/// A series of the tape.
pub struct TapeSeries {
    pub name: Ident,
    /// The type of the series.
    pub kind: TokenStream,
    pub lifetime: Option<Lifetime>,
    /// The number of scalars per step and sample.
    pub size: Polynomial,
    /// True if the series is allocated at the first backward pass, so that a forward pass alone
    /// does not pay for it.
    pub is_backward_only: bool,
    /// The number of values that the series holds besides those of the steps: the initial state and
    /// earlier values, or in a backward pass the cotangent from the next chunk.
    extra: Option<TokenStream>,
}

impl TapeSeries {
    /// Returns the number of elements that a pass needs.
    pub fn length(&self) -> TokenStream {
        let extra = self.extra.iter();
        let extra = quote!(#(+ #extra)*);
        match self.lifetime {
            None | Some(Lifetime::Step) => quote!(1),
            Some(Lifetime::Chunk) => quote!(__chunk #extra),
            Some(Lifetime::Sequence) => quote!(__steps #extra),
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

    /// Returns the output if it is one block per step, which is returned as it is stored on the
    /// tape. A row is stored as a vector, and a matrix over a stack as the matrices of the heads.
    fn output_in_place(&self) -> Option<&Bound> {
        let [output] = &self.plan.outputs[..] else { return None };
        let [bound] = &output[..] else { return None };
        let (rows, columns) = &self.plan.output_shapes[0];
        let shape = BlockShape::new(rows[0], columns[0]);
        let is_stacked = shape.has_heads() && shape.columns != Atom::ONE;
        (!shape.is_row() && !is_stacked).then_some(bound)
    }

    pub fn returns_outputs_in_place(&self) -> bool {
        self.output_in_place().is_some()
    }

    /// Returns the slice of the tape that is the output, if it is returned in place.
    pub fn outputs_in_place(&self) -> Option<TokenStream> {
        let bound = self.output_in_place()?;
        Some(match self.plan.forward.places.get(&bound.id) {
            Some(Place::State(piece)) => {
                let (series, front) = (self.state_series(*piece), self.state_front(*piece));
                quote!(#series.tail(#front))
            }
            Some(Place::Recorded(piece)) => {
                let (series, front) = (self.recorded_series(*piece), self.recorded_front(*piece));
                quote!(#series.tail(#front))
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
        let blocks = self.cx.shapes.declarations[piece.of].as_ref().map(Shape::blocks);
        if blocks.is_none_or(|blocks| blocks == (1, 1)) {
            return ident(&format!("{kind}_{name}"));
        }
        // No name starts with a digit, so no other series has this name.
        ident(&format!("{kind}_{}_{}_{name}", piece.row, piece.column))
    }

    pub fn bar_series(&self, piece: Piece) -> Ident {
        match &self.plan.outputs[..] {
            [blocks] if blocks.len() == 1 => ident("output_bar"),
            _ => ident(&format!("output_bar_{}_{}_{}", piece.of, piece.row, piece.column)),
        }
    }

    /// Returns the blocks of a declaration.
    pub fn pieces(&self, index: usize) -> Vec<Piece> {
        let Some(shape) = &self.cx.shapes.declarations[index] else { return vec![] };
        if self.cx.shapes.one_hot[index].is_some() {
            return vec![Piece { of: index, row: 0, column: 0 }];
        }
        positions(shape.blocks()).map(|(row, column)| Piece { of: index, row, column }).collect()
    }

    /// Returns the shape of a block of a declaration.
    pub fn piece_shape(&self, piece: Piece) -> Option<BlockShape> {
        let shape = self.cx.shapes.declarations[piece.of].as_ref()?;
        let (rows, columns) = (shape.rows.atoms().get(piece.row)?, shape.columns.atoms().get(piece.column)?);
        Some(BlockShape::of_heads(self.cx.heads_of(piece.of), *rows, *columns))
    }

    /// Returns the sizes of all matrices that differ at each step, in scalars per sample.
    pub fn matrices(&self) -> Vec<TokenStream> {
        let states = self.plan.states.iter().filter_map(|bound| self.piece_shape(bound.piece));
        let computed = self.plan.graph.ids().filter(|id| {
            let is_placed = |pass: &Pass| pass.places.contains_key(id);
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

    /// Returns the series that a pass allocates at its start.
    pub fn series(&self) -> Vec<TapeSeries> {
        let mut all = self.series_of_states();
        all.extend(self.series_of_recorded());
        all.extend(self.series_of_ring_bars());
        all.extend(self.series_of_inputs());
        all.extend(self.series_of_output_bars());
        all.extend(self.series_of_values());
        all
    }

    /// Returns the number of scalars that the tape stores per step and sample, for the
    /// documentation.
    pub fn scalars_per_step(&self) -> Polynomial {
        let mut sum = Polynomial::default();
        for series in self.series().iter().filter(|series| series.lifetime == Some(Lifetime::Sequence)) {
            sum.add(&series.size);
        }
        sum
    }

    /// Returns a series of blocks.
    fn blocks(&self, name: Ident, shape: BlockShape, level: Level, lifetime: Option<Lifetime>) -> TapeSeries {
        let kind = self.cx.series_type(shape, level);
        let size = Polynomial::product(1, &[shape.heads, shape.rows, shape.columns]);
        TapeSeries { name, kind, lifetime, size, is_backward_only: false, extra: None }
    }

    /// Returns a series of indices.
    fn indices(&self, name: Ident) -> TapeSeries {
        let (k, index, lifetime) = (&self.cx.k, self.cx.index_type(), Some(Lifetime::Sequence));
        let kind = quote!(#k::Series<#index>);
        TapeSeries {
            name,
            kind,
            lifetime,
            size: Polynomial::product(1, &[]),
            is_backward_only: false,
            extra: None,
        }
    }

    /// Returns the series of the states and of their cotangents.
    fn series_of_states(&self) -> Vec<TapeSeries> {
        let mut found = vec![];
        for bound in &self.plan.states {
            let Some(shape) = self.piece_shape(bound.piece) else { continue };
            let [state, carry] = [
                (self.state_series(bound.piece), Lifetime::Sequence),
                (self.carry_series(bound.piece), Lifetime::Chunk),
            ]
            .map(|(name, lifetime)| self.blocks(name, shape, Level::Time, Some(lifetime)));
            let (k, block) = (&self.cx.k, self.cx.block_type(shape, Level::Time));
            let carry = TapeSeries { kind: quote!(#k::Carry<#block>), ..carry };
            let front = self.state_front(bound.piece);
            found.push(TapeSeries { extra: Some(front), ..state });
            found.push(TapeSeries { extra: Some(quote!(1)), is_backward_only: true, ..carry });
        }
        found
    }

    /// Returns the series of recorded values that no other series holds.
    fn series_of_recorded(&self) -> Vec<TapeSeries> {
        let mut found = vec![];
        for record in &self.plan.recorded {
            let value = &self.cx.past.values[record.piece.of];
            let series = |name| {
                if value.is_one_hot {
                    return self.indices(name);
                }
                let shape = value.block(record.piece.row, record.piece.column);
                self.blocks(name, shape, Level::Time, Some(Lifetime::Sequence))
            };
            if let Source::Value(_) = record.source {
                let front = self.recorded_front(record.piece);
                found.push(TapeSeries { extra: Some(front), ..series(self.recorded_series(record.piece)) });
            }
            for (ring, name) in self.copies(record.piece) {
                found.push(TapeSeries { extra: Some(self.cx.depth(ring)), ..series(name) });
            }
        }
        found
    }

    /// Returns the series of the cotangents of earlier values.
    fn series_of_ring_bars(&self) -> Vec<TapeSeries> {
        let of_ring = |(piece, ring, _): (Piece, usize, Ident)| {
            let shape = self.cx.past.values[piece.of].block(piece.row, piece.column);
            let (name, front) = self.ring_bar(piece, ring);
            let series = self.blocks(name, shape, Level::Time, Some(Lifetime::Sequence));
            TapeSeries { is_backward_only: true, extra: Some(front), ..series }
        };
        self.differentiable_rings().into_iter().map(of_ring).collect()
    }

    /// Returns the series of the inputs, unless they are read in place.
    fn series_of_inputs(&self) -> Vec<TapeSeries> {
        if self.reads_inputs_in_place() {
            return vec![];
        }
        let of_piece = |piece: Piece| {
            let name = self.input_series(piece);
            let series = if self.cx.shapes.one_hot[piece.of].is_some() {
                self.indices(name)
            } else {
                self.blocks(name, self.piece_shape(piece)?, Level::Time, Some(Lifetime::Sequence))
            };
            Some(TapeSeries { extra: self.input_front(piece), ..series })
        };
        let inputs = self.cx.inputs();
        inputs.into_iter().flat_map(|index| self.pieces(index)).filter_map(of_piece).collect()
    }

    /// Returns the series of the cotangents of the outputs.
    fn series_of_output_bars(&self) -> Vec<TapeSeries> {
        let of_block = |bound: &Bound| {
            let (name, shape) = (self.bar_series(bound.piece), self.plan.graph[bound.id].shape);
            let series = self.blocks(name, shape, Level::Time, Some(Lifetime::Chunk));
            TapeSeries { is_backward_only: true, ..series }
        };
        self.plan.outputs.iter().flatten().map(of_block).collect()
    }

    /// Returns the series of all other values that a pass stores.
    fn series_of_values(&self) -> Vec<TapeSeries> {
        let of_value = |id: Id| {
            let at = |pass: &Pass| pass.places.get(&id).copied();
            let places = [at(&self.plan.forward), at(&self.plan.backward)];
            let lifetimes = places.iter().flatten().filter_map(|place| match place {
                Place::Buffer(lifetime) => Some(Some(*lifetime)),
                Place::Fixed => Some(None),
                _ => None,
            });
            let node = &self.plan.graph[id];
            let series = self.blocks(self.plan.names.field(id), node.shape, node.level, lifetimes.max()?);
            Some(TapeSeries { is_backward_only: places[0].is_none(), ..series })
        };
        self.plan.graph.ids().filter_map(of_value).collect()
    }
}
