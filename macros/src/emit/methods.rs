//! The methods of the generated types, and the constants of the cell.

use crate::emit::context::Names;
use crate::emit::docs;
use crate::emit::items::Items;
use crate::emit::layout::Layout;
use crate::emit::model;
use crate::emit::start::Start;
use crate::emit::stream::Stream;
use crate::plan::declared;
use crate::schedule::Region;
use crate::syntax::ast::DeclarationKind;
use proc_macro2::TokenStream;
use quote::format_ident;
use quote::quote;

impl Items<'_> {
    pub(super) fn methods(&self) -> TokenStream {
        let (constants, passes) = (self.constants(), self.passes());
        let (cx, types) = (self.cx, &self.types);
        let (k, scalar, batch) = (&cx.k, &cx.scalar, &cx.batch);
        let (dims, cell, state, tape, prepared) =
            (&types.dims, &types.cell, &types.state, &types.tape, &types.prepared);
        let (input, input_bar, output) = (&types.input, &types.input_bar, &types.output);
        // With a context every signature has one more argument.
        let with: Vec<&TokenStream> = types.context.iter().collect();
        let give: Vec<TokenStream> = with.iter().map(|_| quote!(context)).collect();
        let bar: Vec<TokenStream> = with.iter().map(|_| quote!(dcontext)).collect();
        let (take_clean, leave_clean) = self.clean_inputs();
        let outputs = match self.plan {
            None => quote!(&[]),
            Some(plan) => {
                let names = Names::new(cx.cell, cx.shapes, &plan.graph);
                let layout = Layout { cx, plan, names: &names };
                match plan.outputs.first().and_then(|output| output.first()) {
                    Some(bound) if layout.returns_outputs_in_place() => {
                        match plan.forward.places.get(&bound.id) {
                            Some(crate::plan::Place::State(piece)) => {
                                let series = layout.state_series(*piece);
                                quote!(tape.#series.as_slice().get(1..).unwrap_or(&[]))
                            }
                            _ => {
                                let field = names.field(bound.id);
                                quote!(tape.#field.as_slice())
                            }
                        }
                    }
                    _ => quote!(tape.outputs.as_slice()),
                }
            }
        };
        let new_tape = self.new_tape();
        let (start_forward, start_backward) = self.start();
        let (prepare, prepared_fields) = match self.plan {
            Some(plan) => {
                let names = Names::new(cx.cell, cx.shapes, &plan.graph);
                Stream { cx, plan, names: &names }.prepare()
            }
            None => (TokenStream::new(), TokenStream::new()),
        };
        let name = &cx.cell.name;
        let prepared_name = format_ident!("{}Prepared", name);
        let state_name = format_ident!("{}State", name);
        let (state_dims, sample_of) = self.sample_methods();
        let dim_args = &types.dim_args;
        let job_context: TokenStream = match with.is_empty() {
            true => quote!(&()),
            false => quote!(context),
        };
        quote! {
            #passes
            impl<#dims #scalar: #k::Scalar> #cell {
                #constants

                /// A state that is all zero: also the cotangent of a final state that no loss reads.
                pub fn zero_state<const #batch: usize>(&self) -> #state {
                    #k::Varying::zero()
                }

                /// The state that a sequence starts from: zero, or what the definition says.
                pub fn initial_state<const #batch: usize>(&self, #(context: &#with,)*) -> #state {
                    let mut __state: #state = #k::Varying::zero();
                    #start_forward
                    __state
                }

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

                /// Puts `state` back to where a sequence starts.
                pub fn reset<const #batch: usize>(&self, #(context: &#with,)* state: &mut #state) {
                    *state = self.initial_state(#(#give,)*);
                }

                /// An empty tape.
                pub fn tape<const #batch: usize>(&self) -> #tape {
                    #new_tape
                }

                /// A handle for streaming, with everything computed that no input changes.
                pub fn prepare<'a, const #batch: usize>(&'a self, #(context: &'a #with,)*) -> #prepared {
                    struct __Prepare<'a, #dims const #batch: usize, #scalar: #k::Scalar>(
                        &'a #cell, #(&'a #with,)* ::core::marker::PhantomData<[#scalar; #batch]>,
                    );
                    impl<'a, #dims const #batch: usize, #scalar: #k::Scalar> #k::Job
                        for __Prepare<'a, #dim_args { #batch }, #scalar>
                    {
                        type Out = #prepared;
                        #[inline(always)]
                        fn run<__S: #k::Isa>(self, isa: __S) -> Self::Out {
                            let __Prepare(__cell, #(#give,)* _) = self;
                            #(let __context = #give;)*
                            #prepare
                            #prepared_name {
                                cell: __cell, #(#give,)* #prepared_fields marker: ::core::marker::PhantomData,
                            }
                        }
                    }
                    #k::dispatch(__Prepare::<#dim_args { #batch }, #scalar>(self, #(#give,)* ::core::marker::PhantomData))
                }

                /// One step: reads `x`, advances `state`, returns the output. Allocates nothing.
                #[inline]
                pub fn step<const #batch: usize>(&self, x: &#input, #(context: &#with,)* state: &mut #state) -> #output {
                    self.prepare(#(#give,)*).step(x, state)
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

            impl<'a, #dims const #batch: usize, #scalar: #k::Scalar> #prepared_name<'a, #dim_args { #batch }, #scalar> {
                /// One step: reads `x`, advances `state`, returns the output. Allocates nothing.
                #[inline]
                pub fn step(&self, x: &#input, state: &mut #state) -> #output {
                    __step(self, x, state)
                }
            }

            impl<#state_dims const #batch: usize, #scalar: #k::Scalar> #state_name<#sample_of { #batch }, #scalar> {
                /// The state of one sample of the batch.
                ///
                /// # Panics
                /// If there is no such sample.
                pub fn sample(&self, sample: usize) -> #state_name<#sample_of 1, #scalar> {
                    let mut one: #state_name<#sample_of 1, #scalar> = #k::Varying::zero();
                    #k::take_sample(self, sample, #batch, &mut one);
                    one
                }

                /// Replaces the state of one sample of the batch.
                ///
                /// # Panics
                /// If there is no such sample.
                pub fn set_sample(&mut self, sample: usize, one: &#state_name<#sample_of 1, #scalar>) {
                    #k::replace_sample(self, sample, #batch, one);
                }
            }
        }
    }

    /// The state's dimensions as parameters and as arguments.
    fn sample_methods(&self) -> (TokenStream, TokenStream) {
        let cx = self.cx;
        let states = declared(cx.cell, DeclarationKind::State);
        let dims = cx.dims_of(states.iter().filter_map(|index| cx.shapes.declarations[*index].as_ref()));
        (cx.dim_parameters(&dims), cx.dim_arguments(&dims))
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

    fn start(&self) -> (TokenStream, TokenStream) {
        let (cx, k) = (self.cx, &self.cx.k);
        let Some(initial) = self.plan.and_then(|plan| plan.initial.as_ref()) else {
            return (TokenStream::new(), TokenStream::new());
        };
        let names = Names::new(cx.cell, cx.shapes, &initial.graph);
        let start = Start { cx, plan: initial, names: &names };
        let (forward, backward) = (start.forward(), start.backward());
        let (scalar, batch, dims, dim_args) = (&cx.scalar, &cx.batch, &self.types.dims, &self.types.dim_args);
        let (cell, state) = (&self.types.cell, &self.types.state);
        let with: Vec<&TokenStream> = self.types.context.iter().collect();
        let give: Vec<TokenStream> = with.iter().map(|_| quote!(context)).collect();
        let bar: Vec<TokenStream> = with.iter().map(|_| quote!(dcontext)).collect();
        let head = quote!('a, #dims const #batch: usize, #scalar: #k::Scalar);
        let args = quote!('a, #dim_args { #batch }, #scalar);
        (
            quote! {
                struct __Start<#head> { cell: &'a #cell, #(context: &'a #with,)* state: &'a mut #state }
                impl<#head> #k::Job for __Start<#args> {
                    type Out = ();
                    #[inline(always)]
                    fn run<__S: #k::Isa>(self, isa: __S) {
                        let __Start { cell: __cell, #(#give: __context,)* state: __state } = self;
                        #forward
                    }
                }
                #k::dispatch(__Start { cell: self, #(#give,)* state: &mut __state });
            },
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
            },
        )
    }

    pub(super) fn constants(&self) -> TokenStream {
        let (cx, scalar) = (self.cx, &self.cx.scalar);
        let size = |kind: DeclarationKind| {
            let sizes = declared(cx.cell, kind).into_iter().filter_map(|index| {
                let shape = cx.shapes.declarations[index].as_ref()?;
                let (rows, columns) = (cx.dim(&shape.rows), cx.dim(&shape.columns));
                Some(quote!(#rows * #columns))
            });
            quote!((0 #(+ #sizes)*))
        };
        let (parameters, states) = (size(DeclarationKind::Param), size(DeclarationKind::State));
        let (flops, recurrent, tape, adjoints, jacobian) = match self.plan {
            Some(plan) => {
                let names = Names::new(cx.cell, cx.shapes, &plan.graph);
                let layout = Layout { cx, plan, names: &names };
                (
                    model::flops(cx, &plan.graph, &plan.streaming, |_| true),
                    model::flops(cx, &plan.graph, &plan.forward, |region| region == Region::Step),
                    crate::emit::sequence::tape_scalars(&layout),
                    docs::adjoints(cx, plan, &names),
                    crate::jacobian::text::write(cx, &plan.jacobian),
                )
            }
            None => (quote!(0), quote!(0), quote!(0), String::new(), String::new()),
        };
        let equations = docs::equations(cx, &self.resolved.order);
        quote! {
            /// The number of learned scalars.
            pub const PARAMETER_COUNT: usize = #parameters;
            /// Floating-point operations of one step and sample: two for each multiplication of a product with
            /// its addition, one for each element-wise operation and each elementary function.
            pub const FLOPS_PER_STEP: usize = #flops;
            /// Those of them that wait for the step before when a sequence runs; all others are done for many steps at once.
            pub const RECURRENT_FLOPS_PER_STEP: usize = #recurrent;
            /// Bytes that a tape keeps for each step and sample.
            pub const TAPE_BYTES_PER_STEP: usize = #tape * ::core::mem::size_of::<#scalar>();
            /// Bytes of one sample's state.
            pub const STATE_BYTES: usize = #states * ::core::mem::size_of::<#scalar>();
            /// The equations of a step, in the order of their evaluation.
            pub const EQUATIONS: &'static str = #equations;
            /// The derived equations of the backward pass: `x_bar` is the cotangent of `x`, `Σ` a sum over steps
            /// and samples.
            pub const ADJOINTS: &'static str = #adjoints;
            /// The derivative of each state after a step by each state before it, by the chain rule through the equations: between
            /// vectors a matrix (`diag(f)` has `f` on its diagonal, `I` is the identity, `ones` a column of ones); by or of a matrix what
            /// becomes of a small change, `∂S/∂S[t-1](δS) = f * δS`.
            pub const JACOBIAN: &'static str = #jacobian;
        }
    }
}
