//! The methods that run and train on sequences: those that need a tape, which needs a heap.

use crate::emit::items::Items;
use crate::emit::layout::Layout;
use crate::emit::start::Start;
use crate::lower::names::Names;
use proc_macro2::TokenStream;
use quote::format_ident;
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
        let bar: Vec<TokenStream> = with.iter().map(|_| quote!(dcontext)).collect();
        let (take_clean, leave_clean) = self.clean_inputs();
        let (outputs, new_tape, start_backward) =
            (self.outputs_on_tape(), self.new_tape(), self.start_backward());
        let job_context: TokenStream = match with.is_empty() {
            true => quote!(&()),
            false => quote!(context),
        };
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
                    #new_tape
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
                /// its state as it is, and reads its input as zero.
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
                    __forward(self, xs, #job_context, ::core::option::Option::None, state, tape);
                    self.outputs(tape)
                }

                /// [`forward`](Self::forward) for samples of different lengths: a step at or past a sample's length
                /// leaves its state as it is, and reads its input as zero.
                pub fn forward_ragged<'t, const #batch: usize>(
                    &self, xs: &[#input], #(context: &#with,)* lengths: &[usize; #batch], state: &mut #state,
                    tape: &'t mut #tape,
                ) -> &'t [#output] {
                    #take_clean
                    __forward(self, xs, #job_context, ::core::option::Option::Some(lengths), state, tape);
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
                    __backward(
                        self, xs, #job_context, ::core::option::Option::None, tape, dys, dstate, grads, dxs, #(#bar,)*
                    );
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
                    __backward(
                        self, xs, #job_context, ::core::option::Option::Some(lengths), tape, dys, dstate, grads, dxs,
                        #(#bar,)*
                    );
                    #leave_clean
                }
            }
        }
    }

    /// The outputs of the last forward pass, where the tape has them.
    fn outputs_on_tape(&self) -> TokenStream {
        let cx = self.cx;
        let Some(plan) = self.plan else { return quote!(&[]) };
        let names = Names::new(cx.cell, cx.shapes, &plan.graph);
        let layout = Layout { cx, plan, names: &names };
        match plan.outputs.first().and_then(|output| output.first()) {
            Some(bound) if layout.returns_outputs_in_place() => match plan.forward.places.get(&bound.id) {
                Some(crate::plan::Place::State(piece)) => {
                    let series = layout.state_series(*piece);
                    quote!(tape.#series.as_slice().get(1..).unwrap_or(&[]))
                }
                _ => {
                    let field = names.field(bound.id);
                    quote!(tape.#field.as_slice())
                }
            },
            _ => quote!(tape.outputs.as_slice()),
        }
    }

    /// What reads its inputs where they stand must not meet what lies past a sample's end: statements before a ragged pass,
    /// which reads a copy on the tape, and after it.
    fn clean_inputs(&self) -> (TokenStream, TokenStream) {
        let k = &self.cx.k;
        let Some(plan) = self.plan else { return (TokenStream::new(), TokenStream::new()) };
        let names = Names::new(self.cx.cell, self.cx.shapes, &plan.graph);
        let layout = Layout { cx: self.cx, plan, names: &names };
        if !layout.reads_inputs_in_place() {
            return (TokenStream::new(), TokenStream::new());
        }
        let take = quote! {
            let mut __clean = ::core::mem::take(&mut tape.clean);
            #k::without_padding(xs, lengths, &mut __clean);
            let xs = __clean.as_slice();
        };
        (take, quote!(tape.clean = __clean;))
    }

    fn new_tape(&self) -> TokenStream {
        let (cx, k) = (self.cx, &self.cx.k);
        let name = format_ident!("{}Tape", cx.cell.name);
        let mut fields = vec![quote!(steps: 0)];
        if let Some(plan) = self.plan {
            let names = Names::new(cx.cell, cx.shapes, &plan.graph);
            let layout = Layout { cx, plan, names: &names };
            for field in layout.fields() {
                let name = &field.name;
                fields.push(quote!(#name: #k::Series::new()));
            }
            for bound in plan.recurrent() {
                let held = format_ident!("held_{}", layout.carry_series(bound.piece));
                fields.push(quote!(#held: #k::Series::new()));
            }
            if !layout.returns_outputs_in_place() {
                fields.push(quote!(outputs: #k::Vec::new()));
            }
            if layout.reads_inputs_in_place() {
                fields.push(quote!(clean: #k::Series::new()));
            }
        }
        quote!(#name { #(#fields,)* marker: ::core::marker::PhantomData })
    }

    /// Statements that pull `dstate` back through the initial state.
    fn start_backward(&self) -> TokenStream {
        let (cx, k) = (self.cx, &self.cx.k);
        let Some(initial) = self.plan.and_then(|plan| plan.initial.as_ref()) else {
            return TokenStream::new();
        };
        let names = Names::new(cx.cell, cx.shapes, &initial.graph);
        let backward = Start { cx, plan: initial, names: &names, storage: None }.backward();
        let (scalar, batch, dims, dim_args) = (&cx.scalar, &cx.batch, &self.types.dims, &self.types.dim_args);
        let (cell, state) = (&self.types.cell, &self.types.state);
        let with: Vec<&TokenStream> = self.types.context.iter().collect();
        let give: Vec<TokenStream> = with.iter().map(|_| quote!(context)).collect();
        let bar: Vec<TokenStream> = with.iter().map(|_| quote!(dcontext)).collect();
        let head = quote!('a, #dims const #batch: usize, #scalar: #k::Scalar);
        let args = quote!('a, #dim_args { #batch }, #scalar);
        quote! {
            struct __StartBackward<#head> {
                cell: &'a #cell, #(context: &'a #with,)* dstate: &'a #state, grads: &'a mut #cell,
                #(dcontext: ::core::option::Option<&'a mut #with>,)*
            }
            impl<#head> #k::Job for __StartBackward<#args> {
                type Out = ();
                #[inline(always)]
                fn run<__S: #k::Isa>(self, isa: __S) {
                    let __StartBackward {
                        cell: __cell, #(#give: __context,)* dstate: __dstate, grads: __grads, #(#bar: __dcontext,)*
                    } = self;
                    #backward
                }
            }
            #k::dispatch(__StartBackward { cell: self, #(#give,)* dstate, grads, #(#bar,)* });
        }
    }
}
