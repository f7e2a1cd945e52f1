//! The frame of a pass over a sequence: the slices of series that each node reads and writes.

use crate::emit::body::{Body, Frame};
use crate::emit::hygiene::{ident, variable};
use crate::emit::layout::Layout;
use crate::graph::ir::{Earlier, Id, Op, Piece, Reach};
use crate::plan::past::Source;
use crate::plan::schedule::Region;
use crate::plan::{Lifetime, Place};
use crate::syntax::ast::DeclarationKind;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use std::collections::HashSet;

/// Writes a range of steps within the chunk of a region.
fn span(region: Region, lifetime: Option<Lifetime>, shift: Option<&TokenStream>) -> TokenStream {
    let shift = shift.map(|shift| quote!(+ #shift));
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
        shift: Option<&TokenStream>,
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
                let shift = self.layout.state_front(*piece).map(|front| quote!(#front - 1));
                let whole = self.series(&series, region, Some(Lifetime::Sequence), shift.as_ref(), false);
                if !self.is_backward {
                    return whole;
                }
                let before = self.layout.before_series(*piece);
                let clean = self.series(&before, region, Some(Lifetime::Chunk), None, false);
                return quote!(if __lengths.is_some() { #clean } else { #whole });
            }
            Op::Past(earlier) => return self.past(*earlier, id, region),
            Op::PastBar { piece, ring } => {
                let (bars, front) = self.layout.ring_bar(*piece, *ring);
                return self.series(&bars, region, Some(Lifetime::Sequence), Some(&front), false);
            }
            Op::OutputBar(piece) => {
                return self.series(
                    &self.layout.bar_series(*piece),
                    region,
                    Some(Lifetime::Chunk),
                    None,
                    false,
                );
            }
            Op::CarryBar(piece) => {
                return self.series(
                    &self.layout.carry_series(*piece),
                    region,
                    Some(Lifetime::Chunk),
                    Some(&quote!(1)),
                    false,
                );
            }
            _ => {}
        }
        let place = if self.is_backward { plan.backward.places.get(&id) } else { None };
        // The backward pass reads values that it does not compute from the places of the forward
        // pass.
        match place.or(plan.forward.places.get(&id)) {
            Some(Place::Fixed) => self.series(&names.field(id), region, None, None, mutable),
            Some(Place::Buffer(lifetime)) => {
                self.series(&names.field(id), region, Some(*lifetime), None, mutable)
            }
            Some(Place::State(piece)) => {
                let series = self.layout.state_series(*piece);
                let front = self.layout.state_front(*piece).unwrap_or(quote!(1));
                self.series(&series, region, Some(Lifetime::Sequence), Some(&front), mutable)
            }
            Some(Place::Recorded(piece)) => {
                let (series, front) =
                    (self.layout.recorded_series(*piece), self.layout.recorded_front(*piece));
                self.series(&series, region, Some(Lifetime::Sequence), Some(&front), mutable)
            }
            Some(Place::CarryOut(piece)) => {
                let series = self.layout.carry_series(*piece);
                self.series(&series, region, Some(Lifetime::Chunk), None, mutable)
            }
            Some(Place::Gradient(piece)) => cx.saved(quote!(__grads), *piece, true),
            None => quote!(&[]),
        }
    }

    /// Returns the slice that a read of earlier values finds in its series. That of a window ends
    /// with the present values.
    fn past(&self, earlier: Earlier, id: Id, region: Region) -> TokenStream {
        let series = self.layout.ring_series(earlier.piece, earlier.ring);
        let shift = self.layout.shift(earlier);
        if let Reach::Window { .. } = earlier.reach {
            let end = match region {
                // A padded step is replaced by the last step of its sample, or of another one.
                _ if self.is_backward => quote!(__steps),
                Region::Step => quote!(__t + 1),
                _ => quote!(__t1),
            };
            return quote!(__tape.#series.flat(0..#end + #shift));
        }
        let whole = self.series(&series, region, Some(Lifetime::Sequence), Some(&shift), false);
        if !self.is_backward {
            return whole;
        }
        let before = ident(&format!("before_{}", self.layout.plan.names.text(id)));
        let clean = self.series(&before, region, Some(Lifetime::Chunk), None, false);
        quote!(if __lengths.is_some() { #clean } else { #whole })
    }

    /// Returns the recorded series that a value is stored in, or from which it is read.
    fn recorded(&self, id: Id) -> Option<Piece> {
        let plan = self.layout.plan;
        let of_state = |state: Piece| {
            let record = plan.recorded.iter().find(|record| record.source == Source::State(state))?;
            Some(record.piece)
        };
        match (&plan.graph[id].op, plan.forward.places.get(&id)) {
            (Op::Previous(piece), _) => of_state(*piece),
            (Op::Past(earlier), _) => {
                let series = self.layout.ring_series(earlier.piece, earlier.ring);
                (series == self.layout.recorded_series(earlier.piece)).then_some(earlier.piece)
            }
            (_, Some(Place::State(piece))) => of_state(*piece),
            (_, Some(Place::Recorded(piece))) => Some(*piece),
            _ => None,
        }
    }

    /// Binds the values of recorded series that a step writes: the series is split into the earlier
    /// steps and the present one. Returns the values that are bound.
    fn bind_recorded(&self, reads: &[Id], writes: &[Id], bindings: &mut TokenStream) -> HashSet<Id> {
        let Layout { cx, plan } = self.layout;
        let (k, names) = (&cx.k, &plan.names);
        let mut bound = HashSet::new();
        for write in writes {
            let Some(piece) = self.recorded(*write) else { continue };
            let (series, front) = (self.layout.recorded_series(piece), self.layout.recorded_front(piece));
            let (past, now) = (variable(&format!("{series}_past")), variable(&format!("{series}_now")));
            bindings.extend(quote!(let (#past, #now) = __tape.#series.step_and_past(__t + #front);));
            for read in reads.iter().filter(|read| self.recorded(**read) == Some(piece)) {
                let shift = match &plan.graph[*read].op {
                    Op::Previous(_) => quote!(#front - 1),
                    Op::Past(Earlier { reach: Reach::Window { .. }, .. }) => {
                        let variable = names.variable(*read);
                        bindings.extend(quote!(let #variable = #k::Flat::flat_all(#past);));
                        bound.insert(*read);
                        continue;
                    }
                    Op::Past(earlier) => self.layout.shift(*earlier),
                    _ => continue,
                };
                let variable = names.variable(*read);
                bindings.extend(quote!(let #variable = #k::Flat::flat(&#past[__t + #shift]);));
                bound.insert(*read);
            }
            let variable = names.variable(*write);
            bindings.extend(quote!(let #variable = #k::Flat::flat_mut(#now);));
            bound.insert(*write);
        }
        bound
    }

    /// Returns the series of which one step reads one element and writes its neighbour.
    fn pair(&self, id: Id) -> Option<(Ident, bool)> {
        let plan = self.layout.plan;
        if !self.is_backward && self.recorded(id).is_some() {
            return None;
        }
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
            let front = layout.input_front(piece);
            let series = layout.input_series(piece);
            let span = span(region, Some(Lifetime::Sequence), front.as_ref());
            quote!(__tape.#series.flat(#span))
        }
    }
}

impl Frame for SequenceFrame<'_> {
    /// Passes the cotangents of finished samples through unchanged. The carry of a delay exists for
    /// a whole chunk.
    fn written(&self, region: Region, writes: &[Id]) -> TokenStream {
        let Layout { cx, plan, .. } = self.layout;
        let k = &cx.k;
        if !self.is_backward {
            return self.layout.copy_recorded(writes, region == Region::Step);
        }
        let first = if region == Region::Step { quote!(__t) } else { quote!(__t0) };
        let pushes = plan.pushes.iter().filter(|push| writes.contains(&push.id));
        let pushes: TokenStream = pushes
            .map(|push| self.layout.push(push, self.slice(push.id, region, false), first.clone()))
            .collect();
        if region == Region::Step {
            return pushes;
        }
        let delays = plan.carries.iter().filter(|bound| plan.delay_states.contains(&bound.piece));
        delays
            .filter(|bound| writes.contains(&bound.id))
            .map(|bound| {
                let series = self.layout.carry_series(bound.piece);
                quote!(#k::hand_over(&mut __tape.#series, __lengths, (__t0, __t1));)
            })
            .chain([pushes])
            .collect()
    }

    fn past_statement(&self, body: &Body, region: Region, id: Id) -> TokenStream {
        SequenceFrame::past_statement(self, body, region, id)
    }

    fn bind(&self, region: Region, reads: &[Id], writes: &[Id]) -> TokenStream {
        let names = &self.layout.plan.names;
        let k = &self.layout.cx.k;
        let mut bindings = TokenStream::new();
        let mut pairs: Vec<(Ident, bool, Option<Id>, Option<Id>)> = vec![];
        let bound = match region {
            Region::Step if !self.is_backward => self.bind_recorded(reads, writes, &mut bindings),
            _ => HashSet::new(),
        };
        let all = reads.iter().map(|id| (*id, false)).chain(writes.iter().map(|id| (*id, true)));
        for (id, is_write) in all.filter(|(id, _)| !bound.contains(id)) {
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
