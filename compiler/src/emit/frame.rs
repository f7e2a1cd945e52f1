//! The frame of a pass over a sequence: the slices of series that each node reads and writes.

use crate::emit::access::Access;
use crate::emit::body::{Body, Frame};
use crate::emit::hygiene::variable;
use crate::emit::layout::{Layout, first_step};
use crate::graph::ir::{Earlier, Id, Op, Piece, Reach};
use crate::plan::past::Source;
use crate::plan::schedule::Region;
use crate::plan::{Lifetime, Place};
use crate::syntax::ast::DeclarationKind;
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use std::collections::HashSet;

/// Returns the slice of a series that holds the steps of a region: one step, or a chunk.
fn slice_of(
    series: &Ident,
    region: Region,
    lifetime: Option<Lifetime>,
    shift: Option<&TokenStream>,
    access: Access,
) -> TokenStream {
    let shift = shift.map(|shift| quote!(+ #shift));
    let (is_one, steps) = match (region, lifetime) {
        (_, None) | (Region::Step, Some(Lifetime::Step)) => (true, quote!(0)),
        (Region::Step, Some(Lifetime::Chunk)) => (true, quote!(__t - __t0 #shift)),
        (Region::Step, Some(Lifetime::Sequence)) => (true, quote!(__t #shift)),
        (_, Some(Lifetime::Sequence)) => (false, quote!(__t0 #shift..__t1 #shift)),
        (_, Some(_)) => (false, quote!(0 #shift..__t1 - __t0 #shift)),
    };
    let method = match (is_one, access) {
        (true, Access::Read) => quote!(flat_step),
        (true, Access::Write) => quote!(flat_step_mut),
        (false, Access::Read) => quote!(flat),
        (false, Access::Write) => quote!(flat_mut),
    };
    quote!(__tape.#series.#method(#steps))
}

/// The frame of a pass over a sequence.
pub struct SequenceFrame<'a> {
    pub layout: &'a Layout<'a>,
    pub is_backward: bool,
}

impl SequenceFrame<'_> {
    fn slice(&self, id: Id, region: Region, access: Access) -> TokenStream {
        let Layout { cx, plan } = self.layout;
        let names = &plan.names;
        match &plan.graph[id].op {
            Op::Read(piece) => return read_leaf(self.layout, *piece, region),
            Op::Previous(piece) => {
                let series = self.layout.state_series(*piece);
                let shift = self.layout.state_shift(*piece);
                let whole = slice_of(&series, region, Some(Lifetime::Sequence), shift.as_ref(), Access::Read);
                if !self.is_backward {
                    return whole;
                }
                let before = self.layout.before_series(*piece);
                let clean = slice_of(&before, region, Some(Lifetime::Chunk), None, Access::Read);
                return quote!(if __lengths.is_some() { #clean } else { #whole });
            }
            Op::Past(earlier) => return self.past(*earlier, id, region),
            Op::PastBar { piece, ring } => {
                let (bars, front) = self.layout.ring_bar(*piece, *ring);
                return slice_of(&bars, region, Some(Lifetime::Sequence), Some(&front), Access::Read);
            }
            Op::OutputBar(piece) => {
                return slice_of(
                    &self.layout.bar_series(*piece),
                    region,
                    Some(Lifetime::Chunk),
                    None,
                    Access::Read,
                );
            }
            Op::CarryBar(piece) => {
                return slice_of(
                    &self.layout.carry_series(*piece),
                    region,
                    Some(Lifetime::Chunk),
                    Some(&quote!(1)),
                    Access::Read,
                );
            }
            _ => {}
        }
        let place = if self.is_backward { plan.backward.places.get(&id) } else { None };
        // The backward pass reads values that it does not compute from the places of the forward
        // pass.
        match place.or(plan.forward.places.get(&id)) {
            Some(Place::Fixed) => slice_of(&names.field(id), region, None, None, access),
            Some(Place::Buffer(lifetime)) => {
                slice_of(&names.field(id), region, Some(*lifetime), None, access)
            }
            Some(Place::State(piece)) => {
                let series = self.layout.state_series(*piece);
                let front = self.layout.state_front(*piece);
                slice_of(&series, region, Some(Lifetime::Sequence), Some(&front), access)
            }
            Some(Place::Recorded(piece)) => {
                let (series, front) =
                    (self.layout.recorded_series(*piece), self.layout.recorded_front(*piece));
                slice_of(&series, region, Some(Lifetime::Sequence), Some(&front), access)
            }
            Some(Place::CarryOut(piece)) => {
                let series = self.layout.carry_series(*piece);
                slice_of(&series, region, Some(Lifetime::Chunk), None, access)
            }
            Some(Place::Gradient(piece)) => cx.saved(quote!(__grads), *piece, Access::Write),
            // Only a single step reads columns from rings.
            Some(Place::Ring) | None => quote!(&[]),
        }
    }

    /// Returns the slice of a series that holds the values of a read of earlier steps. The slice of
    /// a window ends with the present values.
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
        let whole = slice_of(&series, region, Some(Lifetime::Sequence), Some(&shift), Access::Read);
        if !self.is_backward {
            return whole;
        }
        let before = self.layout.delay_series(id);
        let clean = slice_of(&before, region, Some(Lifetime::Chunk), None, Access::Read);
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
        let mut done = HashSet::new();
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
                        done.insert(*read);
                        continue;
                    }
                    Op::Past(earlier) => self.layout.shift(*earlier),
                    _ => continue,
                };
                let variable = names.variable(*read);
                bindings.extend(quote!(let #variable = #k::Flat::flat(&#past[__t + #shift]);));
                done.insert(*read);
            }
            let variable = names.variable(*write);
            bindings.extend(quote!(let #variable = #k::Flat::flat_mut(#now);));
            done.insert(*write);
        }
        done
    }

    /// Returns the series of a value if a step reads one element of the series and writes its
    /// neighbour: the states, or in the backward pass their cotangents.
    fn series_of_neighbours(&self, id: Id) -> Option<Ident> {
        let Layout { plan, .. } = self.layout;
        if self.is_backward {
            return match (&plan.graph[id].op, plan.backward.places.get(&id)) {
                (Op::CarryBar(piece), _) | (_, Some(Place::CarryOut(piece))) => {
                    Some(self.layout.carry_series(*piece))
                }
                _ => None,
            };
        }
        match (&plan.graph[id].op, plan.forward.places.get(&id)) {
            _ if self.recorded(id).is_some() => None,
            (Op::Previous(piece), _) | (_, Some(Place::State(piece))) => {
                Some(self.layout.state_series(*piece))
            }
            _ => None,
        }
    }

    /// Returns statements that pass the cotangents of finished samples through unchanged, for the
    /// carries of delays, which exist for a whole chunk.
    fn hand_over_delays(&self, writes: &[Id]) -> TokenStream {
        let Layout { cx, plan } = self.layout;
        let k = &cx.k;
        let delays = plan.carries.iter().filter(|carry| plan.delay_states.contains(&carry.piece));
        let statements = delays.filter(|carry| writes.contains(&carry.id)).map(|carry| {
            let series = self.layout.carry_series(carry.piece);
            quote!(#k::hand_over(&mut __tape.#series, __lengths, (__t0, __t1));)
        });
        statements.collect()
    }

    /// Binds two neighbours in a series: the element that a step reads, and the one that it writes.
    fn bind_neighbours(&self, neighbours: &Neighbours) -> TokenStream {
        let names = &self.layout.plan.names;
        let Neighbours { series, read, written } = neighbours;
        let [read, written] =
            [read, written].map(|id| id.map_or(quote!(_), |id| names.variable(id).into_token_stream()));
        if self.is_backward {
            quote!(let (#written, #read) = __tape.#series.flat_pair_back(__t - __t0);)
        } else {
            quote!(let (#read, #written) = __tape.#series.flat_pair(__t);)
        }
    }
}

/// Two neighbours in a series: the value that a step reads, and the value that it writes.
struct Neighbours {
    series: Ident,
    read: Option<Id>,
    written: Option<Id>,
}

/// Returns the slice of a block of the cell, the context or an input.
pub fn read_leaf(layout: &Layout, piece: Piece, region: Region) -> TokenStream {
    let cx = layout.cx;
    let k = &cx.k;
    let path = cx.declared_path(piece);
    match cx.cell.declarations[piece.of].kind {
        DeclarationKind::Param | DeclarationKind::Buffer => cx.saved(quote!(__cell), piece, Access::Read),
        DeclarationKind::Context => quote!(#k::Flat::flat(&__context.#path)),
        DeclarationKind::Input if layout.reads_inputs_in_place() => match region {
            Region::Step => quote!(#k::Flat::flat(&__xs[__t])),
            _ => quote!(#k::Flat::flat_all(&__xs[__t0..__t1])),
        },
        DeclarationKind::Input | DeclarationKind::State => {
            let front = layout.input_front(piece);
            let series = layout.input_series(piece);
            slice_of(&series, region, Some(Lifetime::Sequence), front.as_ref(), Access::Read)
        }
    }
}

impl Frame for SequenceFrame<'_> {
    fn after_writes(&self, region: Region, writes: &[Id]) -> TokenStream {
        if !self.is_backward {
            return self.layout.copy_recorded(region, writes);
        }
        let mut code = TokenStream::new();
        if region != Region::Step {
            code.extend(self.hand_over_delays(writes));
        }
        let pushes = self.layout.plan.pushes.iter().filter(|push| writes.contains(&push.id));
        code.extend(pushes.map(|push| {
            let cotangent = self.slice(push.id, region, Access::Read);
            self.layout.push(push, cotangent, first_step(region))
        }));
        code
    }

    fn window_statement(&self, body: &Body, region: Region, id: Id) -> TokenStream {
        self.window_in_sequence(body, region, id)
    }

    fn bind(&self, region: Region, reads: &[Id], writes: &[Id]) -> TokenStream {
        let names = &self.layout.plan.names;
        let mut bindings = TokenStream::new();
        let mut pairs: Vec<Neighbours> = vec![];
        let done = match region {
            Region::Step if !self.is_backward => self.bind_recorded(reads, writes, &mut bindings),
            _ => HashSet::new(),
        };
        let reads = reads.iter().map(|id| (*id, Access::Read));
        let all = reads.chain(writes.iter().map(|id| (*id, Access::Write)));
        for (id, access) in all.filter(|(id, _)| !done.contains(id)) {
            let series = (region == Region::Step).then(|| self.series_of_neighbours(id)).flatten();
            let Some(series) = series else {
                let (variable, slice) = (names.variable(id), self.slice(id, region, access));
                bindings.extend(quote!(let #variable = #slice;));
                continue;
            };
            let index = pairs.iter().position(|pair| pair.series == series).unwrap_or_else(|| {
                pairs.push(Neighbours { series, read: None, written: None });
                pairs.len() - 1
            });
            if self.layout.plan.graph[id].op.is_leaf() {
                pairs[index].read = Some(id);
            } else {
                pairs[index].written = Some(id);
            }
        }
        bindings.extend(pairs.iter().map(|pair| self.bind_neighbours(pair)));
        bindings
    }
}
