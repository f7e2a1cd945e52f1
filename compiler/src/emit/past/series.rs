//! The series of recorded values on the tape. Each begins with the values before the first step.

use crate::emit::hygiene::ident;
use crate::emit::layout::{Layout, first_step};
use crate::graph::ir::{Earlier, Id, Op, Piece, Reach};
use crate::plan::past::{Push, Recorded, Source};
use crate::plan::schedule::Region;
use proc_macro2::{Ident, TokenStream};
use quote::quote;

impl Layout<'_> {
    /// Returns the rings of a recorded block that keep it between sequences, by their fields.
    pub(super) fn rings(&self, piece: Piece) -> Vec<(usize, Ident)> {
        self.cx.past.rings_of(piece.of).map(|ring| (ring, self.cx.ring_field(piece, ring))).collect()
    }

    /// Returns the series of a recorded block.
    pub fn recorded_series(&self, piece: Piece) -> Ident {
        match self.plan.source(piece) {
            Source::Input(declared) | Source::Index(declared) => self.input_series(declared),
            Source::State(declared) => self.state_series(declared),
            Source::Value(_) => {
                let name = &self.cx.past.values[piece.of].name;
                ident(&format!("recorded_{name}_{}_{}_{}", piece.of, piece.row, piece.column))
            }
        }
    }

    /// Returns the number of entries before the first step in the series of a recorded block.
    pub fn recorded_front(&self, piece: Piece) -> TokenStream {
        self.cx.past.rings_of(piece.of).next().map_or(quote!(0), |ring| self.cx.depth(ring))
    }

    /// Returns the series that begins with the contents of a ring. A recorded value begins with its
    /// first ring. Its other rings have copies, because a state that was assembled by hand may hold
    /// a different past in each.
    pub fn ring_series(&self, piece: Piece, ring: usize) -> Ident {
        if self.is_first(piece, ring) {
            return self.recorded_series(piece);
        }
        ident(&format!("copy_{}", self.cx.ring_field(piece, ring)))
    }

    fn is_first(&self, piece: Piece, ring: usize) -> bool {
        self.cx.past.rings_of(piece.of).next() == Some(ring)
    }

    /// Returns the copies of the series of a recorded block, with their rings.
    pub fn copies(&self, piece: Piece) -> Vec<(usize, Ident)> {
        let rings = self.cx.past.rings_of(piece.of).skip(1);
        rings.map(|ring| (ring, self.ring_series(piece, ring))).collect()
    }

    /// Returns statements that copy recorded values to the series of their other rings.
    pub fn copy_recorded(&self, region: Region, writes: &[Id]) -> TokenStream {
        let (k, first) = (&self.cx.k, first_step(region));
        let count = if region == Region::Step { quote!(1) } else { quote!(__t1 - __t0) };
        let mut lines = TokenStream::new();
        for record in &self.plan.recorded {
            let id = match record.source {
                Source::Value(id) => Some(id),
                Source::State(piece) => {
                    self.plan.states.iter().find(|bound| bound.piece == piece).map(|bound| bound.id)
                }
                Source::Input(_) | Source::Index(_) => None,
            };
            if !id.is_some_and(|id| writes.contains(&id)) {
                continue;
            }
            let (series, front) = (self.recorded_series(record.piece), self.recorded_front(record.piece));
            for (ring, copy) in self.copies(record.piece) {
                let depth = self.cx.depth(ring);
                lines.extend(quote! {
                    #k::copy_past((&__tape.#series, #first + #front), (&mut __tape.#copy, #first + #depth), #count);
                });
            }
        }
        lines
    }

    /// Returns the recorded block of a state, if earlier steps of it are read.
    pub fn recorded_state(&self, piece: Piece) -> Option<Piece> {
        let is_it = |record: &&Recorded| record.source == Source::State(piece);
        self.plan.recorded.iter().find(is_it).map(|record| record.piece)
    }

    /// Returns the number of entries before the first step in the series of a state: one, the
    /// initial state, unless earlier steps are read.
    pub fn state_front(&self, piece: Piece) -> TokenStream {
        self.recorded_state(piece).map_or(quote!(1), |recorded| self.recorded_front(recorded))
    }

    /// Returns the number of entries before the initial state in the series of a state, if there
    /// are any.
    pub fn state_shift(&self, piece: Piece) -> Option<TokenStream> {
        let front = self.recorded_front(self.recorded_state(piece)?);
        Some(quote!(#front - 1))
    }

    /// Returns the recorded block of an input, if earlier steps of it are read.
    pub fn recorded_input(&self, piece: Piece) -> Option<Piece> {
        let is_it = |source| source == Source::Input(piece) || source == Source::Index(piece);
        self.plan.recorded.iter().find(|record| is_it(record.source)).map(|record| record.piece)
    }

    /// Returns the number of entries before the first step in the series of an input, if there are
    /// any.
    pub fn input_front(&self, piece: Piece) -> Option<TokenStream> {
        Some(self.recorded_front(self.recorded_input(piece)?))
    }

    /// Returns the position in a series at which a delayed read finds its value at step 0. The
    /// series of a window is read as a whole.
    pub fn shift(&self, earlier: Earlier) -> TokenStream {
        let front = self.cx.depth(earlier.ring);
        match earlier.reach {
            Reach::Delay { count, dimension } => {
                let delay = self.cx.delay(count, dimension);
                quote!((#front - #delay))
            }
            Reach::Window { .. } => front,
        }
    }

    /// Returns the series of the cotangents of earlier values that a ring keeps, with the number of
    /// entries before the first step.
    pub fn ring_bar(&self, piece: Piece, ring: usize) -> (Ident, TokenStream) {
        let depth = self.cx.depth(ring);
        let name = ident(&format!("ring_bar_{}", self.cx.ring_field(piece, ring)));
        match self.plan.source(piece) {
            Source::State(_) => (name, quote!((#depth + 1))),
            _ => (name, depth),
        }
    }

    /// Returns the rings that have cotangents: their blocks and fields.
    pub fn differentiable_rings(&self) -> Vec<(Piece, usize, Ident)> {
        let records = self.plan.recorded.iter().filter(|record| !matches!(record.source, Source::Index(_)));
        records
            .flat_map(|record| {
                let piece = record.piece;
                self.rings(piece).into_iter().map(move |(ring, field)| (piece, ring, field))
            })
            .collect()
    }

    /// Returns the index of the entry after the latest value of a ring at the start of a sequence.
    fn ring_end(&self, piece: Piece, ring: usize) -> TokenStream {
        let front = self.cx.depth(ring);
        match self.plan.source(piece) {
            // The latest value is the state itself.
            Source::State(_) => quote!((#front - 1)),
            _ => front,
        }
    }

    /// Returns the delays with which a ring is read, the shortest first. The list is empty if a
    /// window reads it.
    fn delays_of(&self, piece: Piece, ring: usize) -> Vec<TokenStream> {
        let mut delays: Vec<(u64, Option<usize>)> = vec![];
        for id in self.plan.graph.ids() {
            match self.plan.graph[id].op {
                Op::Past(earlier) if (earlier.piece, earlier.ring) == (piece, ring) => match earlier.reach {
                    Reach::Delay { count, dimension } => delays.push((count, dimension)),
                    Reach::Window { .. } => return vec![],
                },
                _ => {}
            }
        }
        delays.sort_unstable();
        delays.dedup();
        delays.into_iter().map(|(count, dimension)| self.cx.delay(count, dimension)).collect()
    }

    /// Returns statements that load the earlier values from the state.
    pub fn load_past(&self) -> TokenStream {
        let k = &self.cx.k;
        let mut lines = TokenStream::new();
        for record in &self.plan.recorded {
            for (ring, field) in self.rings(record.piece) {
                let (series, end) = (self.ring_series(record.piece, ring), self.ring_end(record.piece, ring));
                if let (Source::State(_), false) = (record.source, self.is_first(record.piece, ring)) {
                    let (first, front) =
                        (self.recorded_series(record.piece), self.recorded_front(record.piece));
                    lines.extend(quote! {
                        #k::copy_past((&__tape.#first, #front - 1), (&mut __tape.#series, #end), 1);
                    });
                }
                let delays = self.delays_of(record.piece, ring);
                lines.extend(quote! {
                    #k::load_past(&mut __tape.#series, &__state.#field, (#end, __steps), &[#(#delays),*]);
                });
            }
        }
        if self.cx.past.counts_steps {
            let field = ident(&self.cx.steps_field);
            lines.extend(quote! {
                __tape.steps_before.resize(1);
                *__tape.steps_before.step_mut(0) = *__state.#field.counts();
            });
        }
        lines
    }

    /// Returns statements that store the last values in the state.
    pub fn save_past(&self) -> TokenStream {
        let k = &self.cx.k;
        let mut lines = TokenStream::new();
        for record in &self.plan.recorded {
            let series = self.recorded_series(record.piece);
            let Some(first) = self.cx.past.rings_of(record.piece.of).next() else { continue };
            let end = self.ring_end(record.piece, first);
            for (_, field) in self.rings(record.piece) {
                lines.extend(quote! {
                    #k::save_past(&__tape.#series, &mut __state.#field, #end, __lengths, __steps);
                });
            }
        }
        if self.cx.past.counts_steps {
            let field = ident(&self.cx.steps_field);
            lines.extend(quote!(#k::count_steps(&mut __state.#field, __lengths, __steps);));
        }
        lines
    }

    /// Returns statements that load the cotangents of the earlier values in the final state.
    pub fn load_past_bars(&self) -> TokenStream {
        let k = &self.cx.k;
        let lines = self.differentiable_rings().into_iter().map(|(piece, ring, field)| {
            let (bars, _) = self.ring_bar(piece, ring);
            quote! {
                #k::load_past_bars(
                    &mut __tape.#bars, __dstate.as_deref().map(|__dstate| &__dstate.#field), __lengths, __steps,
                );
            }
        });
        lines.collect()
    }

    /// Returns statements that store the cotangents of the earlier values in the initial state.
    pub fn store_past_bars(&self) -> TokenStream {
        let k = &self.cx.k;
        let lines = self.differentiable_rings().into_iter().map(|(piece, ring, field)| {
            let (bars, _) = self.ring_bar(piece, ring);
            let latest = match self.plan.source(piece) {
                Source::State(declared) => {
                    let (depth, path) = (self.cx.depth(ring), self.cx.declared_path(declared));
                    quote! {
                        #k::add_into(#k::Flat::flat_mut(&mut __dstate.#path), __tape.#bars.flat_step(#depth));
                    }
                }
                _ => TokenStream::new(),
            };
            quote!(#k::store_past_bars(&__tape.#bars, &mut __dstate.#field); #latest)
        });
        lines.collect()
    }

    /// Returns statements that replace padding in the series of recorded states and equations.
    /// Padding of inputs is replaced where they are copied.
    pub fn clean_all_recorded(&self) -> TokenStream {
        let values = self.plan.recorded.iter().filter(|record| !record.source.is_input());
        values.map(|record| self.clean_recorded(record.piece)).collect()
    }

    /// Returns statements that replace padding in the series of a recorded block and in its copies.
    pub fn clean_recorded(&self, piece: Piece) -> TokenStream {
        let (k, series, front) = (&self.cx.k, self.recorded_series(piece), self.recorded_front(piece));
        let copies = self.copies(piece).into_iter().map(|(ring, copy)| {
            let front = self.cx.depth(ring);
            quote!(#k::clean_padding(&mut __tape.#copy, #front, __steps, __lengths);)
        });
        quote! {
            #k::clean_padding(&mut __tape.#series, #front, __steps, __lengths);
            #(#copies)*
        }
    }

    /// Returns the delayed reads of the backward pass, each with the leaf that reads.
    pub fn delayed_reads(&self) -> Vec<(Earlier, Id)> {
        let read = self.read_backward();
        let delayed_read = |id: Id| match self.plan.graph[id].op {
            Op::Past(earlier @ Earlier { reach: Reach::Delay { .. }, .. }) => Some((earlier, id)),
            _ => None,
        };
        self.plan.graph.ids().filter(|id| read.contains(id)).filter_map(delayed_read).collect()
    }

    /// Returns the name of the series of the values of a delayed read in the steps of a chunk,
    /// which the backward pass of a ragged batch reads.
    pub fn delay_series(&self, id: Id) -> Ident {
        ident(&format!("before_{}", self.plan.names.text(id)))
    }

    /// Returns statements that copy the values of delayed reads of a ragged batch.
    pub fn delays_before(&self) -> TokenStream {
        let k = &self.cx.k;
        let lines = self.delayed_reads().into_iter().map(|(earlier, id)| {
            let (series, shift) = (self.ring_series(earlier.piece, earlier.ring), self.shift(earlier));
            let before = self.delay_series(id);
            quote! {
                #k::past_before(
                    &__tape.#series, &mut __tape.#before, __lengths, (__t0, __t1), (#shift, __steps),
                );
            }
        });
        lines.collect()
    }

    /// Returns the statement that adds the cotangents of a read of earlier values to the series of
    /// its ring.
    pub fn push(&self, push: &Push, from: TokenStream, first: TokenStream) -> TokenStream {
        let (k, batch) = (&self.cx.k, &self.cx.batch);
        let (bars, front) = self.ring_bar(push.earlier.piece, push.earlier.ring);
        let first = quote!(#first + #front);
        match push.earlier.reach {
            Reach::Delay { count, dimension } => {
                let delay = self.cx.delay(count, dimension);
                quote!(#k::push_delay(&mut __tape.#bars, #from, #first, #delay);)
            }
            Reach::Window { entries, spacing } => {
                let heads = self.cx.atom(self.plan.graph[push.id].shape.heads);
                let (entries, spacing) = (self.cx.atom(entries), self.cx.atom(spacing));
                quote! {
                    #k::push_window::<_, { #batch }>(
                        &mut __tape.#bars, #from, #first, (#heads, #entries, #spacing),
                    );
                }
            }
        }
    }
}
