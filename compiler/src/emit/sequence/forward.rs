//! The forward pass over a sequence.

use super::Sequence;
use crate::emit::body::Frame;
use crate::emit::frame::SequenceFrame;
use crate::emit::layout::Layout;
use crate::graph::ir::{Id, Piece};
use crate::plan::schedule::Region;
use proc_macro2::TokenStream;
use quote::quote;

impl Sequence<'_> {
    /// Returns the statements of the forward pass.
    pub fn forward(&self) -> TokenStream {
        let layout = self.layout();
        let (cx, k) = (self.cx, &self.cx.k);
        let batch = &cx.batch;
        let frame = SequenceFrame { layout: &layout, is_backward: false };
        let body = self.body(&self.plan.forward);
        let region = |region| body.region(region, &frame);
        let (scalar, matrices) = (&cx.scalar, layout.matrices());
        let resize = self.resize(&layout, |series| !series.is_backward_only);

        let load_states = self.plan.states.iter().map(|bound| {
            let (series, path) = (layout.state_series(bound.piece), cx.declared_path(bound.piece));
            let at = layout.state_shift(bound.piece).unwrap_or(quote!(0));
            quote!(#k::write_step(&mut __tape.#series, #at, &__state.#path);)
        });
        let save_states = self.plan.states.iter().map(|bound| {
            let (series, path) = (layout.state_series(bound.piece), cx.declared_path(bound.piece));
            let shift = layout.state_shift(bound.piece).into_iter();
            quote!(#k::read_step(&__tape.#series, __steps #(+ #shift)*, &mut __state.#path);)
        });
        let freeze: Vec<TokenStream> = self
            .plan
            .states
            .iter()
            .map(|bound| {
                let (series, front) = (layout.state_series(bound.piece), layout.state_front(bound.piece));
                quote!(#k::freeze_step(&mut __tape.#series, __lengths, __t, #front);)
            })
            .collect();
        let copy_inputs = self.copy_inputs(&layout);
        let (load_past, save_past) = (layout.load_past(), layout.save_past());
        let outputs = self.assemble_outputs(&layout);
        let resize_outputs = (!layout.returns_outputs_in_place())
            .then(|| quote!(__tape.common.outputs.resize_with(__steps, #k::Varying::<#scalar>::zero);));
        let copy_outputs = layout
            .outputs_in_place()
            .map(|series| quote!(__tape.common.copy_outputs(__tape.#series, __lengths);));
        let (param, context) = (region(Region::Param), region(Region::Context));
        let (before, step, after) = (region(Region::Before), region(Region::Step), region(Region::After));
        quote! {
            let __steps = #k::longest(__lengths, __xs.len());
            let __chunk = #k::chunk_steps::<#scalar>(#batch, __steps, &[#(#matrices),*]);
            #resize
            #resize_outputs
            #(#load_states)*
            #load_past
            #copy_inputs
            #param
            #context
            let mut __t0 = 0;
            while __t0 < __steps {
                let __t1 = ::core::cmp::min(__t0 + __chunk, __steps);
                let __columns = (__t1 - __t0) * #batch;
                #before
                for __t in __t0..__t1 {
                    #step
                    #(#freeze)*
                }
                #after
                #outputs
                __t0 = __t1;
            }
            #(#save_states)*
            #save_past
            #copy_outputs
        }
    }

    /// Returns statements that copy several inputs, or one input of several blocks, to one series
    /// per block.
    fn copy_inputs(&self, layout: &Layout) -> TokenStream {
        if layout.reads_inputs_in_place() {
            return TokenStream::new();
        }
        let inputs = self.cx.inputs();
        let pieces = || inputs.iter().flat_map(|index| layout.pieces(*index));
        let load = pieces().map(|piece| self.load_input(layout, piece));
        let clean = pieces().map(|piece| self.clean_input(layout, piece));
        quote!(#(#load)* #(#clean)*)
    }

    /// Copies a block of an input to its series, and to the series of its further rings.
    fn load_input(&self, layout: &Layout, piece: Piece) -> TokenStream {
        let (cx, k) = (self.cx, &self.cx.k);
        let (series, path) = (layout.input_series(piece), cx.input_path(piece));
        let front = layout.input_front(piece).into_iter();
        let further = layout.recorded_input(piece).map_or(vec![], |recorded| layout.copies(recorded));
        let further = further.into_iter().map(|(ring, copy)| {
            let depth = cx.depth(ring);
            quote!(#k::load_columns(&mut __tape.#copy, #depth, &__xs[..__steps], |__x| &(*__x) #path);)
        });
        quote! {
            #k::load_columns(&mut __tape.#series, 0 #(+ #front)*, &__xs[..__steps], |__x| &(*__x) #path);
            #(#further)*
        }
    }

    /// Replaces padding in the series of a block of an input.
    fn clean_input(&self, layout: &Layout, piece: Piece) -> TokenStream {
        if let Some(recorded) = layout.recorded_input(piece) {
            return layout.clean_recorded(recorded);
        }
        let (k, series) = (&self.cx.k, layout.input_series(piece));
        quote!(#k::clean_padding(&mut __tape.#series, 0, __steps, __lengths);)
    }

    /// Returns statements that assemble the outputs at the end of each chunk, if they are structs
    /// or have several blocks.
    fn assemble_outputs(&self, layout: &Layout) -> TokenStream {
        if layout.returns_outputs_in_place() {
            return TokenStream::new();
        }
        let k = &self.cx.k;
        let frame = SequenceFrame { layout, is_backward: false };
        let mut ids: Vec<Id> = vec![];
        for bound in self.plan.outputs.iter().flatten() {
            if !ids.contains(&bound.id) {
                ids.push(bound.id);
            }
        }
        let bindings = frame.bind(Region::After, &ids, &[]);
        let copies = self.plan.outputs.iter().flatten().map(|bound| {
            let variable = self.plan.names.variable(bound.id);
            let path = self.output_path(bound);
            quote! {
                #k::store_columns(&mut __tape.common.outputs[__t0..__t1], #variable, |__y| &mut (*__y) #path);
            }
        });
        quote!({ #bindings #(#copies)* })
    }
}
