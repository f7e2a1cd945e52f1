//! The backward pass over a sequence.

use super::Sequence;
use crate::emit::body::{Body, Frame};
use crate::emit::frame::SequenceFrame;
use crate::emit::layout::Layout;
use crate::graph::ir::{Id, Op};
use crate::plan::schedule::Region;
use crate::plan::{Bound, Place};
use proc_macro2::TokenStream;
use quote::quote;

impl Sequence<'_> {
    /// Returns the statements of the backward pass.
    pub fn backward(&self) -> TokenStream {
        let layout = self.layout();
        let (cx, k) = (self.cx, &self.cx.k);
        let batch = &cx.batch;
        let frame = SequenceFrame { layout: &layout, is_backward: true };
        let body = self.body(&self.plan.backward);
        let region = |region| body.region(region, &frame);

        // The first call allocates the chunk buffers that only the backward pass uses. Sums start
        // at zero.
        let sums = self.plan.graph.ids().filter_map(|id| {
            let is_sum = self.plan.graph[id].op == Op::Accumulate;
            let is_fixed = self.plan.backward.places.get(&id) == Some(&Place::Fixed);
            let field = self.plan.names.field(id);
            (is_sum && is_fixed).then(|| quote!(__tape.#field.fill_zero(0..1);))
        });
        let load_bars: Vec<TokenStream> =
            self.plan.outputs.iter().flatten().map(|bound| self.load_bar(&layout, bound)).collect();
        let carry_in = self.plan.states.iter().map(|bound| {
            let (series, path) = (layout.carry_series(bound.piece), cx.declared_path(bound.piece));
            quote!(__tape.#series.load(&__dstate, |__dstate| &__dstate.#path);)
        });
        let carry_out = self.plan.states.iter().map(|bound| {
            let (series, path) = (layout.carry_series(bound.piece), cx.declared_path(bound.piece));
            quote!(#k::read_step(&__tape.#series, 0, &mut __dstate.#path);)
        });
        // The chunk that follows in time, which was computed first, left its carry at the front of
        // the series. This chunk reads it at the end.
        let pass_carry = self.plan.states.iter().map(|bound| {
            let series = layout.carry_series(bound.piece);
            quote!(#k::copy_step(&mut __tape.#series, 0, __t1 - __t0);)
        });
        let (past_in, past_out) = (layout.load_past_bars(), layout.store_past_bars());
        let (mut hold, mut restore) = (vec![], vec![]);
        for bound in self.plan.recurrent() {
            let series = layout.carry_series(bound.piece);
            hold.push(quote!(__tape.#series.hold(__t - __t0 + 1, __lengths, __t);));
            restore.push(quote!(__tape.#series.restore(__t - __t0, __lengths, __t);));
        }
        let in_step = self
            .plan
            .carries
            .iter()
            .filter(|bound| self.plan.backward.schedule.region[bound.id.index()] == Some(Region::Step));
        let in_step: Vec<Id> = in_step.map(|bound| bound.id).collect();
        let handed_over = frame.after_writes(Region::After, &in_step);
        let (scalar, matrices) = (&cx.scalar, layout.matrices());
        let resize = self.resize(&layout, |series| series.is_backward_only);
        let inputs = self.input_bars(&layout, &body, &frame);
        let (clean_residuals, states_before) = (self.clean_residuals(&layout), self.states_before(&layout));
        let (gradients, context_bars) =
            (self.add_gradients(&body, &frame), self.add_context_bars(&body, &frame));
        let (param, context) = (region(Region::Param), region(Region::Context));
        let (before, step, after) = (region(Region::Before), region(Region::Step), region(Region::After));
        let (context_end, param_end) = (region(Region::ContextEnd), region(Region::ParamEnd));
        quote! {
            let __steps = #k::longest(__lengths, __xs.len());
            let __chunk = #k::chunk_steps::<#scalar>(#batch, __steps, &[#(#matrices),*]);
            #resize
            #(#sums)*
            #clean_residuals
            #(#carry_in)*
            #past_in
            #param
            #context
            let mut __t1 = __steps;
            while __t1 > 0 {
                // The chunks have the same boundaries as in the forward pass.
                let __t0 = (__t1 - 1) / __chunk * __chunk;
                let __columns = (__t1 - __t0) * #batch;
                #(#load_bars)*
                #(#pass_carry)*
                #states_before
                #before
                for __t in (__t0..__t1).rev() {
                    #(#hold)*
                    #step
                    #(#restore)*
                }
                #handed_over
                #after
                #inputs
                __t1 = __t0;
            }
            #k::clear_input_bars::<#scalar, _, { #batch }>(__dxs, __lengths);
            #context_end
            #param_end
            #gradients
            #context_bars
            if let ::core::option::Option::Some(__dstate) = __dstate {
                #(#carry_out)*
                #past_out
            }
        }
    }

    /// Returns statements that keep padding out of the gradients: they overwrite the padded steps
    /// that the backward pass reads by the last step of the sample.
    fn clean_residuals(&self, layout: &Layout) -> TokenStream {
        let k = &self.cx.k;
        let kept = layout.kept().into_iter().map(|series| (series, quote!(0)));
        let states = self.plan.states.iter().filter(|bound| layout.recorded_state(bound.piece).is_none());
        let states = states.map(|bound| (layout.state_series(bound.piece), quote!(1)));
        let lines = kept.chain(states).map(
            |(series, first)| quote!(#k::clean_padding(&mut __tape.#series, #first, __steps, __lengths);),
        );
        let recorded = layout.clean_all_recorded();
        quote!(#(#lines)* #recorded)
    }

    /// Returns statements that copy the states before the steps of a chunk, if they are read.
    fn states_before(&self, layout: &Layout) -> TokenStream {
        let k = &self.cx.k;
        let states = layout.read_before().map(|bound| {
            let (states, before) = (layout.state_series(bound.piece), layout.before_series(bound.piece));
            let shift = layout.state_shift(bound.piece).unwrap_or(quote!(0));
            quote! {
                #k::past_before(
                    &__tape.#states, &mut __tape.#before, __lengths, (__t0, __t1), (#shift, __steps),
                );
            }
        });
        let delays = layout.delays_before();
        quote!(#(#states)* #delays)
    }

    fn load_bar(&self, layout: &Layout, bound: &Bound) -> TokenStream {
        let k = &self.cx.k;
        let series = layout.bar_series(bound.piece);
        if layout.returns_outputs_in_place() {
            return quote!(#k::load_bars(&mut __tape.#series, __dys, (__t0, __t1), __lengths););
        }
        let path = self.output_path(bound);
        quote!(#k::load_bars_of(&mut __tape.#series, __dys, (__t0, __t1), __lengths, |__dy| &(*__dy) #path);)
    }

    /// Writes the cotangents of the inputs of a chunk, if they are requested.
    fn input_bars(&self, layout: &Layout, body: &Body, frame: &SequenceFrame) -> TokenStream {
        let (cx, k) = (self.cx, &self.cx.k);
        let varying = cx.varying_inputs();
        if varying.is_empty() {
            return TokenStream::new();
        }
        let computed = body.region(Region::Inputs, frame);
        let mut copies = vec![];
        for piece in varying.iter().flat_map(|index| layout.pieces(*index)) {
            let path = cx.input_path(piece);
            let bound = self.plan.input_bars.iter().find(|bound| bound.piece == piece);
            copies.push(match bound {
                Some(bound) => {
                    let id = self.plan.graph.storage(bound.id);
                    let bindings = frame.bind(Region::Inputs, &[id], &[]);
                    let variable = self.plan.names.variable(id);
                    let block = if path.is_empty() { quote!(__dx) } else { quote!(&mut __dx #path) };
                    quote! {
                        #bindings
                        #k::store_columns(&mut __dxs[__t0..__t1], #variable, |__dx| #block);
                    }
                }
                None => quote! {
                    for __dx in &mut __dxs[__t0..__t1] {
                        #k::zero_fill(#k::Flat::flat_mut(&mut (*__dx) #path));
                    }
                },
            });
        }
        // The state holds earlier inputs, which have cotangents of their own.
        if self.plan.pushes.iter().any(|push| self.plan.source(push.earlier.piece).is_input()) {
            return quote! {
                if __dxs.is_some() || __dstate.is_some() {
                    #computed
                }
                if let ::core::option::Option::Some(__dxs) = __dxs.as_deref_mut() {
                    #(#copies)*
                }
            };
        }
        quote! {
            if let ::core::option::Option::Some(__dxs) = __dxs.as_deref_mut() {
                #computed
                #(#copies)*
            }
        }
    }

    /// Adds the values to the gradients that were not accumulated in place.
    fn add_gradients(&self, body: &Body, frame: &SequenceFrame) -> TokenStream {
        let mut lines = TokenStream::new();
        for bound in &self.plan.gradients {
            let id = self.plan.graph.storage(bound.id);
            if matches!(self.plan.backward.places.get(&id), Some(Place::Gradient(_))) {
                continue;
            }
            lines.extend(body.add_to_gradient(frame, bound));
        }
        lines
    }

    fn add_context_bars(&self, body: &Body, frame: &SequenceFrame) -> TokenStream {
        if self.plan.context_bars.is_empty() {
            return TokenStream::new();
        }
        let lines = self.plan.context_bars.iter().map(|bound| body.add_to_context_bar(frame, bound));
        quote! {
            if let ::core::option::Option::Some(__dcontext) = __dcontext {
                #(#lines)*
            }
        }
    }
}
