//! The methods that run and train on sequences: those that need a tape, which needs a heap.

use crate::emit::items::Items;
use crate::emit::layout::Layout;
use proc_macro2::TokenStream;
use quote::quote;

impl Items<'_> {
    pub(super) fn sequence_methods(&self) -> TokenStream {
        let (cx, types) = (self.cx, &self.types);
        let (k, scalar, batch) = (&cx.k, &cx.scalar, &cx.batch);
        let (dims, cell, state, tape) = (&types.dims, &types.cell, &types.state, &types.tape);
        let (input, input_bar, output) = (&types.input, &types.input_bar, &types.output);
        // With a context every signature has one more argument.
        let with: Vec<&TokenStream> = types.context.iter().collect();
        let give: Vec<TokenStream> = with.iter().map(|_| quote!(context)).collect();
        let (take_clean, leave_clean) = self.clean_inputs();
        let (outputs, start_backward) = (self.outputs_on_tape(), self.start_backward());
        let context = self.context_argument();
        let dcontext = match with.is_empty() {
            true => quote!(::core::option::Option::None),
            false => quote!(dcontext),
        };
        let whole = quote!(#k::Pass { xs, context: #context, lengths: ::core::option::Option::None });
        let ragged =
            quote!(#k::Pass { xs, context: #context, lengths: ::core::option::Option::Some(lengths) });
        let bars = quote!(#k::Bars { dys, dstate, grads, dxs, dcontext: #dcontext });
        quote! {
            impl<#dims #scalar: #k::Scalar> #cell {
                /// Adds to `grads` what `dstate`, the cotangent of the initial state, hands to the parameters that
                /// the initial state is made of. Kept apart from `backward`: truncated BPTT must not reach it at a
                /// window's edge.
                pub fn initial_state_backward<const #batch: usize>(
                    &self,
                    #(context: &#with,)*
                    dstate: &#state,
                    grads: &mut Self,
                    #(dcontext: ::core::option::Option<&mut #with>,)*
                ) {
                    #start_backward
                }

                /// An empty tape.
                pub fn tape<const #batch: usize>(&self) -> #tape {
                    ::core::default::Default::default()
                }

                /// Runs a sequence without keeping residuals: memory doesn't grow with its length, but for the outputs.
                /// `state` is the initial state on entry and the final one on return.
                pub fn run<const #batch: usize>(
                    &self, xs: &[#input], #(context: &#with,)* state: &mut #state,
                ) -> #k::Vec<#output> {
                    let mut tape = self.tape();
                    let mut ys = #k::Vec::with_capacity(xs.len());
                    for chunk in xs.chunks(#k::run_steps(#batch, xs.len())) {
                        ys.extend_from_slice(self.forward(chunk, #(#give,)* state, &mut tape));
                    }
                    ys
                }

                /// [`run`](Self::run) for samples of different lengths: a step at or past a sample's length leaves
                /// its state as it is, and its output is zero.
                pub fn run_ragged<const #batch: usize>(
                    &self, xs: &[#input], #(context: &#with,)* lengths: &[usize; #batch], state: &mut #state,
                ) -> #k::Vec<#output> {
                    let mut tape = self.tape();
                    let mut ys = #k::Vec::with_capacity(xs.len());
                    let size = #k::run_steps(#batch, xs.len());
                    for (index, chunk) in xs.chunks(size).enumerate() {
                        let rest = lengths.map(|length| length.saturating_sub(index * size));
                        ys.extend_from_slice(self.forward_ragged(chunk, #(#give,)* &rest, state, &mut tape));
                    }
                    ys
                }

                /// Runs a sequence and keeps on `tape` what [`backward`](Self::backward) needs.
                ///
                /// `state` is the initial state on entry and the final one on return. The outputs live in the tape.
                pub fn forward<'t, const #batch: usize>(
                    &self, xs: &[#input], #(context: &#with,)* state: &mut #state, tape: &'t mut #tape,
                ) -> &'t [#output] {
                    tape.outputs.clear();
                    #k::forward::<Self, { #batch }>(self, #whole, state, tape);
                    self.outputs(tape)
                }

                /// [`forward`](Self::forward) for samples of different lengths: a step at or past a sample's length
                /// leaves its state as it is, and its output is zero.
                pub fn forward_ragged<'t, const #batch: usize>(
                    &self, xs: &[#input], #(context: &#with,)* lengths: &[usize; #batch], state: &mut #state,
                    tape: &'t mut #tape,
                ) -> &'t [#output] {
                    #take_clean
                    tape.outputs.clear();
                    #k::forward::<Self, { #batch }>(self, #ragged, state, tape);
                    #leave_clean
                    self.outputs(tape)
                }

                /// The outputs of the last forward pass.
                pub fn outputs<'t, const #batch: usize>(&self, tape: &'t #tape) -> &'t [#output] {
                    #outputs
                }

                /// Pulls cotangents back through the last forward pass on `tape`, which must have been over the same `xs`.
                ///
                /// `dys` are the cotangents of the outputs (empty: all zero). `dstate` is the cotangent of the final
                /// state on entry, of the initial one on return. Adds into `grads`; overwrites `dxs`.
                ///
                /// # Panics
                /// If the lengths of `xs`, `dys` or `dxs` are not the tape's.
                pub fn backward<const #batch: usize>(
                    &self, xs: &[#input], #(context: &#with,)* tape: &mut #tape, dys: &[#output], dstate: &mut #state,
                    grads: &mut Self, dxs: ::core::option::Option<&mut [#input_bar]>,
                    #(dcontext: ::core::option::Option<&mut #with>,)*
                ) {
                    #k::backward::<Self, { #batch }>(self, #whole, tape, #bars);
                }

                /// [`backward`](Self::backward) for samples of different lengths, as they were given to
                /// [`forward_ragged`](Self::forward_ragged): what lies past a sample's end carries no cotangent.
                ///
                /// # Panics
                /// If the lengths of `xs`, `dys` or `dxs` are not the tape's.
                pub fn backward_ragged<const #batch: usize>(
                    &self, xs: &[#input], #(context: &#with,)* lengths: &[usize; #batch], tape: &mut #tape,
                    dys: &[#output], dstate: &mut #state, grads: &mut Self,
                    dxs: ::core::option::Option<&mut [#input_bar]>,
                    #(dcontext: ::core::option::Option<&mut #with>,)*
                ) {
                    #take_clean
                    #k::backward::<Self, { #batch }>(self, #ragged, tape, #bars);
                    #leave_clean
                }
            }
        }
    }

    /// The outputs of the last forward pass, where the tape has them.
    fn outputs_on_tape(&self) -> TokenStream {
        let cx = self.cx;
        let Some(plan) = self.plan else { return quote!(&[]) };
        let layout = Layout { cx, plan };
        match layout.outputs_in_place() {
            // Those of a ragged batch are a copy.
            Some(in_place) => quote! {
                if tape.outputs.is_empty() { tape.#in_place } else { tape.outputs.as_slice() }
            },
            None => quote!(tape.outputs.as_slice()),
        }
    }

    /// Statements before and after a pass over a ragged batch, which reads copies of the inputs and the context without the padding.
    fn clean_inputs(&self) -> (TokenStream, TokenStream) {
        let k = &self.cx.k;
        let (mut take, mut leave) = (TokenStream::new(), TokenStream::new());
        let Some(plan) = self.plan else { return (take, leave) };
        if (Layout { cx: self.cx, plan }).reads_inputs_in_place() {
            take.extend(quote! {
                let mut __clean = ::core::mem::take(&mut tape.clean);
                #k::without_padding(xs, lengths, &mut __clean);
                let xs = __clean.as_slice();
            });
            leave.extend(quote!(tape.clean = __clean;));
        }
        if self.types.context.is_some() {
            take.extend(quote! {
                let mut __clean_context = ::core::mem::take(&mut tape.clean_context);
                let context = __clean_context.read(context, lengths, xs.len());
            });
            leave.extend(quote!(tape.clean_context = __clean_context;));
        }
        (take, leave)
    }

    /// Statements that pull `dstate` back through the initial state.
    fn start_backward(&self) -> TokenStream {
        let (k, batch) = (&self.cx.k, &self.cx.batch);
        if self.plan.is_none_or(|plan| plan.initial.is_none()) {
            return TokenStream::new();
        }
        if self.types.context.is_none() {
            let none = quote!(::core::option::Option::None);
            return quote!(#k::start_backward::<Self, { #batch }>(self, &(), dstate, grads, #none););
        }
        // A place without a sample may have no valid context.
        quote! {
            let mut clean = #k::CleanContext::new();
            let lengths = #k::with_cotangent::<_, _, { #batch }>(dstate);
            let context = clean.read(context, &lengths, 1);
            #k::start_backward::<Self, { #batch }>(self, context, dstate, grads, dcontext);
        }
    }
}
