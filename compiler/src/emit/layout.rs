//! The layout of a cell's tape, and access to the slices of values on it.

use crate::emit::context::Context;
use crate::emit::hygiene::{ident, variable};
use crate::graph::ir::{Id, Level, Op, Piece};
use crate::plan::schedule::Region;
use crate::plan::{Bound, Lifetime, Place, Plan};
use crate::syntax::ast::{DeclarationKind, declared};
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
    /// The series also holds a value before the first step: the initial state, or in a backward
    /// pass the cotangent from the next chunk.
    has_initial: bool,
}

impl Field {
    /// Returns the number of elements that a pass needs.
    pub fn length(&self) -> TokenStream {
        let initial = self.has_initial.then(|| quote!(+ 1));
        match self.lifetime {
            None | Some(Lifetime::Step) => quote!(1),
            Some(Lifetime::Chunk) => quote!(__chunk #initial),
            Some(Lifetime::Sequence) => quote!(__steps #initial),
        }
    }
}

pub struct Layout<'a> {
    pub cx: &'a Context<'a>,
    pub plan: &'a Plan,
}

impl Layout<'_> {
    /// Returns whether the input is one plain block per step, which is read in place. Other inputs
    /// are copied to the tape, one series per block.
    pub fn reads_inputs_in_place(&self) -> bool {
        match declared(self.cx.cell, DeclarationKind::Input)[..] {
            [only] => {
                let shape = &self.cx.shapes.declarations[only];
                shape
                    .as_ref()
                    .is_none_or(|shape| shape.rows.atoms().len() == 1 && shape.columns.atoms().len() == 1)
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
                let series = self.state_series(*piece);
                quote!(#series.as_slice().get(1..).unwrap_or(&[]))
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
        let mut pieces = vec![];
        for row in 0..shape.rows.atoms().len() {
            for column in 0..shape.columns.atoms().len() {
                pieces.push(Piece { of: index, row, column });
            }
        }
        pieces
    }

    fn piece_shape(&self, piece: Piece) -> Option<crate::graph::ir::BlockShape> {
        let shape = self.cx.shapes.declarations[piece.of].as_ref()?;
        let (rows, columns) = (shape.rows.atoms().get(piece.row)?, shape.columns.atoms().get(piece.column)?);
        let block = crate::graph::ir::BlockShape::new(*rows, *columns);
        Some(match self.cx.cell.declarations[piece.of].block {
            Some(_) => block.with_heads(self.cx.heads_of(piece.of)),
            None => block,
        })
    }

    fn size(&self, shape: crate::graph::ir::BlockShape) -> TokenStream {
        let (rows, columns) = (self.cx.atom(shape.rows), self.cx.atom(shape.columns));
        let heads = shape.has_heads().then(|| self.cx.atom(shape.heads)).map(|heads| quote!(#heads *));
        quote!(#heads #rows * #columns)
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
                sizes.push(self.size(shape));
            }
        }
        sizes
    }

    /// Returns the states whose previous values the backward pass reads.
    pub fn read_before(&self) -> impl Iterator<Item = &Bound> {
        let graph = &self.plan.graph;
        let region = &self.plan.backward.schedule.region;
        let read: HashSet<Id> = graph
            .ids()
            .filter(|id| region[id.index()].is_some())
            .flat_map(|id| graph[id].args.iter().map(|arg| graph.storage(*arg)))
            .collect();
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
                    size: self.size(shape),
                    is_backward_only: lifetime == Lifetime::Chunk,
                    has_initial: true,
                });
            }
        }
        if !self.reads_inputs_in_place() {
            for index in declared(cx.cell, DeclarationKind::Input) {
                for piece in self.pieces(index) {
                    let (element, size) = match self.piece_shape(piece) {
                        _ if cx.shapes.one_hot[index].is_some() => {
                            let batch = &cx.batch;
                            (quote!([u32; #batch]), quote!(1))
                        }
                        Some(shape) => (cx.block_type(shape, Level::Time), self.size(shape)),
                        None => continue,
                    };
                    let (name, lifetime) = (self.input_series(piece), Some(Lifetime::Sequence));
                    let (is_backward_only, has_initial) = (false, false);
                    fields.push(Field { name, element, lifetime, size, is_backward_only, has_initial });
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
                size: self.size(shape),
                is_backward_only: true,
                has_initial: false,
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
                    size: self.size(node.shape),
                    is_backward_only: places[0].is_none(),
                    has_initial: false,
                });
            }
        }
        fields
    }
}

/// Writes a range of steps within the chunk of a region.
fn span(region: Region, lifetime: Option<Lifetime>, shift: usize) -> TokenStream {
    let shift = (shift > 0).then(|| quote!(+ 1));
    match (region, lifetime) {
        (_, None) | (Region::Step, Some(Lifetime::Step)) => quote!(0..1),
        (Region::Step, Some(Lifetime::Chunk)) => quote!(__t - __t0 #shift..__t - __t0 + 1 #shift),
        (Region::Step, Some(Lifetime::Sequence)) => quote!(__t #shift..__t + 1 #shift),
        (_, Some(Lifetime::Sequence)) => quote!(__t0 #shift..__t1 #shift),
        (_, Some(_)) => quote!(0 #shift..__t1 - __t0 #shift),
    }
}

/// The frame of a pass over a sequence.
pub struct SequenceFrame<'a> {
    pub layout: &'a Layout<'a>,
    pub is_backward: bool,
}

impl SequenceFrame<'_> {
    fn series(
        &self,
        name: &Ident,
        region: Region,
        lifetime: Option<Lifetime>,
        shift: usize,
        mutable: bool,
    ) -> TokenStream {
        let span = span(region, lifetime, shift);
        match mutable {
            true => quote!(__tape.#name.flat_mut(#span)),
            false => quote!(__tape.#name.flat(#span)),
        }
    }

    fn slice(&self, id: Id, region: Region, mutable: bool) -> TokenStream {
        let Layout { cx, plan } = self.layout;
        let names = &plan.names;
        match &plan.graph[id].op {
            Op::Read(piece) => return read_leaf(self.layout, *piece, region),
            Op::Previous(piece) => {
                let series = self.layout.state_series(*piece);
                let whole = self.series(&series, region, Some(Lifetime::Sequence), 0, false);
                if !self.is_backward {
                    return whole;
                }
                let before = self.layout.before_series(*piece);
                let clean = self.series(&before, region, Some(Lifetime::Chunk), 0, false);
                return quote!(if __lengths.is_some() { #clean } else { #whole });
            }
            Op::OutputBar(piece) => {
                return self.series(&self.layout.bar_series(*piece), region, Some(Lifetime::Chunk), 0, false);
            }
            Op::CarryBar(piece) => {
                return self.series(
                    &self.layout.carry_series(*piece),
                    region,
                    Some(Lifetime::Chunk),
                    1,
                    false,
                );
            }
            _ => {}
        }
        let place = if self.is_backward { plan.backward.places.get(&id) } else { None };
        // The backward pass reads values that it does not compute from the places of the forward
        // pass.
        match place.or(plan.forward.places.get(&id)) {
            Some(Place::Fixed) => self.series(&names.field(id), region, None, 0, mutable),
            Some(Place::Buffer(lifetime)) => {
                self.series(&names.field(id), region, Some(*lifetime), 0, mutable)
            }
            Some(Place::State(piece)) => {
                let series = self.layout.state_series(*piece);
                self.series(&series, region, Some(Lifetime::Sequence), 1, mutable)
            }
            Some(Place::CarryOut(piece)) => {
                let series = self.layout.carry_series(*piece);
                self.series(&series, region, Some(Lifetime::Chunk), 0, mutable)
            }
            Some(Place::Gradient(piece)) => cx.saved(quote!(__grads), *piece, true),
            None => quote!(&[]),
        }
    }

    /// Returns the series of which one step reads one element and writes its neighbour.
    fn pair(&self, id: Id) -> Option<(Ident, bool)> {
        let plan = self.layout.plan;
        match &plan.graph[id].op {
            Op::Previous(piece) if !self.is_backward => Some((self.layout.state_series(*piece), false)),
            Op::CarryBar(piece) if self.is_backward => Some((self.layout.carry_series(*piece), true)),
            _ => {
                let pass = if self.is_backward { &plan.backward } else { &plan.forward };
                match pass.places.get(&id) {
                    Some(Place::State(piece)) if !self.is_backward => {
                        Some((self.layout.state_series(*piece), false))
                    }
                    Some(Place::CarryOut(piece)) => Some((self.layout.carry_series(*piece), true)),
                    _ => None,
                }
            }
        }
    }
}

/// Returns the slice of a block of the cell, the context or an input.
pub fn read_leaf(layout: &Layout, piece: Piece, region: Region) -> TokenStream {
    let cx = layout.cx;
    let k = &cx.k;
    let path = cx.declared_path(piece);
    match cx.cell.declarations[piece.of].kind {
        DeclarationKind::Param | DeclarationKind::Buffer => cx.saved(quote!(__cell), piece, false),
        DeclarationKind::Context => quote!(#k::Flat::flat(&__context.#path)),
        DeclarationKind::Input if layout.reads_inputs_in_place() => match region {
            Region::Step => quote!(#k::Flat::flat(&__xs[__t])),
            _ => quote!(#k::Flat::flat_all(&__xs[__t0..__t1])),
        },
        DeclarationKind::Input | DeclarationKind::State => {
            let (series, span) = (layout.input_series(piece), span(region, Some(Lifetime::Sequence), 0));
            quote!(__tape.#series.flat(#span))
        }
    }
}

impl crate::emit::body::Frame for SequenceFrame<'_> {
    /// Passes the cotangents of finished samples through unchanged. The carry of a delay exists for
    /// a whole chunk.
    fn written(&self, region: Region, writes: &[Id]) -> TokenStream {
        let Layout { cx, plan, .. } = self.layout;
        let k = &cx.k;
        if !self.is_backward || region == Region::Step {
            return TokenStream::new();
        }
        let delays = plan.carries.iter().filter(|bound| plan.delays.contains(&bound.piece));
        delays
            .filter(|bound| writes.contains(&bound.id))
            .map(|bound| {
                let series = self.layout.carry_series(bound.piece);
                quote!(#k::hand_over(&mut __tape.#series, __lengths, (__t0, __t1));)
            })
            .collect()
    }

    fn bind(&self, region: Region, reads: &[Id], writes: &[Id]) -> TokenStream {
        let names = &self.layout.plan.names;
        let k = &self.layout.cx.k;
        let mut bindings = TokenStream::new();
        let mut pairs: Vec<(Ident, bool, Option<Id>, Option<Id>)> = vec![];
        for (id, is_write) in reads.iter().map(|id| (*id, false)).chain(writes.iter().map(|id| (*id, true))) {
            if let (Region::Step, Some((series, backwards))) = (region, self.pair(id)) {
                let index = match pairs.iter().position(|(other, ..)| *other == series) {
                    Some(index) => index,
                    None => {
                        pairs.push((series, backwards, None, None));
                        pairs.len() - 1
                    }
                };
                let is_leaf = self.layout.plan.graph[id].op.is_leaf();
                let pair = &mut pairs[index];
                if is_leaf {
                    pair.2 = Some(id)
                } else {
                    pair.3 = Some(id)
                }
                continue;
            }
            let (variable, slice) = (names.variable(id), self.slice(id, region, is_write));
            bindings.extend(quote!(let #variable = #slice;));
        }
        for (series, backwards, read, written) in pairs {
            let (a, b) = (variable(&format!("{series}_read")), variable(&format!("{series}_written")));
            bindings.extend(match backwards {
                false => quote!(let (#a, #b) = __tape.#series.step_pair(__t);),
                true => quote!(let (#b, #a) = __tape.#series.step_pair_back(__t - __t0);),
            });
            if let Some(id) = read {
                let variable = names.variable(id);
                bindings.extend(quote!(let #variable = #k::Flat::flat(#a);));
            }
            if let Some(id) = written {
                let variable = names.variable(id);
                bindings.extend(quote!(let #variable = #k::Flat::flat_mut(#b);));
            }
        }
        bindings
    }
}
