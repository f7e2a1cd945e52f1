//! The jobs that the runtime runs for the instruction set it finds: a step, a pass forward, a pass backward.

use crate::emit::items::Items;
use crate::emit::layout::Layout;
use crate::emit::sequence::Sequence;
use crate::emit::stream::Stream;
use proc_macro2::TokenStream;
use quote::quote;

impl Items<'_> {
    /// A step.
    pub(super) fn step_job(&self) -> TokenStream {
        let (cx, types) = (self.cx, &self.types);
        let (k, scalar, batch) = (&cx.k, &cx.scalar, &cx.batch);
        let (dims, dim_args, prepared) = (&types.dims, &types.dim_args, &types.prepared);
        let (input, state, output) = (&types.input, &types.state, &types.output);
        let give: Vec<TokenStream> = types.context.iter().map(|_| quote!(__context)).collect();
        let step = match self.plan {
            None => mistaken(),
            Some(plan) => Stream { cx, plan, names: &plan.names, storage: None }.step(),
        };
        let head = quote!('a, #dims const #batch: usize, #scalar: #k::Scalar);
        let args = quote!('a, #dim_args { #batch }, #scalar);
        quote! {
            struct __Step<'p, #head> { prepared: &'p #prepared, x: &'p #input, state: &'p mut #state }
            impl<'p, #head> #k::Job for __Step<'p, #args> {
                type Out = #output;
                #[inline(always)]
                fn run<__S: #k::Isa>(self, isa: __S) -> Self::Out {
                    let __Step { prepared: __prepared, x: __x, state: __state } = self;
                    let __cell = __prepared.cell;
                    #(let #give = __prepared.context;)*
                    #step
                }
            }
            #[inline]
            fn __step<#head>(prepared: &#prepared, x: &#input, state: &mut #state) -> #output {
                #k::dispatch(__Step { prepared, x, state })
            }
        }
    }

    /// A pass forward and a pass backward.
    pub(super) fn sequence_jobs(&self) -> TokenStream {
        let (cx, types) = (self.cx, &self.types);
        let (k, scalar, batch) = (&cx.k, &cx.scalar, &cx.batch);
        let (dims, dim_args, cell, state, tape) =
            (&types.dims, &types.dim_args, &types.cell, &types.state, &types.tape);
        let (input, input_bar, output) = (&types.input, &types.input_bar, &types.output);
        let context = types.context.clone().unwrap_or(quote!(()));
        let bars: Vec<TokenStream> = types.context.iter().map(|_| quote!(dcontext)).collect();
        let with: Vec<&TokenStream> = types.context.iter().collect();
        let (forward, backward, clear) = match self.plan {
            None => (mistaken(), mistaken(), TokenStream::new()),
            Some(plan) => {
                let sequence = Sequence { cx, plan, names: &plan.names, output };
                let layout = Layout { cx, plan, names: &plan.names };
                let clear = match layout.returns_outputs_in_place() {
                    true => TokenStream::new(),
                    false => quote!(tape.outputs.clear();),
                };
                (sequence.forward(), sequence.backward(), clear)
            }
        };
        let head = quote!('a, #dims const #batch: usize, #scalar: #k::Scalar);
        let args = quote!('a, #dim_args { #batch }, #scalar);
        let plain = quote!(#dims const #batch: usize, #scalar: #k::Scalar);
        quote! {
            struct __Forward<#head> {
                cell: &'a #cell,
                xs: &'a [#input],
                context: &'a #context,
                lengths: ::core::option::Option<&'a [usize; #batch]>,
                state: &'a mut #state,
                tape: &'a mut #tape,
            }
            impl<#head> #k::Job for __Forward<#args> {
                type Out = ();
                #[inline(always)]
                fn run<__S: #k::Isa>(self, isa: __S) {
                    let __Forward {
                        cell: __cell, xs: __xs, context: __context, lengths: __lengths, state: __state, tape: __tape,
                    } = self;
                    #forward
                }
            }
            fn __forward<#plain>(
                cell: &#cell,
                xs: &[#input],
                context: &#context,
                lengths: ::core::option::Option<&[usize; #batch]>,
                state: &mut #state,
                tape: &mut #tape,
            ) {
                #clear
                #k::dispatch(__Forward { cell, xs, context, lengths, state, tape });
            }

            struct __Backward<#head> {
                cell: &'a #cell,
                xs: &'a [#input],
                context: &'a #context,
                lengths: ::core::option::Option<&'a [usize; #batch]>,
                tape: &'a mut #tape,
                dys: &'a [#output],
                dstate: &'a mut #state,
                grads: &'a mut #cell,
                dxs: ::core::option::Option<&'a mut [#input_bar]>,
                #(dcontext: ::core::option::Option<&'a mut #with>,)*
            }
            impl<#head> #k::Job for __Backward<#args> {
                type Out = ();
                #[inline(always)]
                fn run<__S: #k::Isa>(self, isa: __S) {
                    let __Backward {
                        cell: __cell, xs: __xs, context: __context, lengths: __lengths, tape: __tape, dys: __dys,
                        dstate: __dstate, grads: __grads, dxs: mut __dxs, #(#bars: __dcontext,)*
                    } = self;
                    #backward
                }
            }
            fn __backward<#plain>(
                cell: &#cell,
                xs: &[#input],
                context: &#context,
                lengths: ::core::option::Option<&[usize; #batch]>,
                tape: &mut #tape,
                dys: &[#output],
                dstate: &mut #state,
                grads: &mut #cell,
                dxs: ::core::option::Option<&mut [#input_bar]>,
                #(dcontext: ::core::option::Option<&mut #with>,)*
            ) {
                #k::check_lengths(tape.steps, xs.len(), dys.len(), dxs.as_deref().map(<[#input_bar]>::len));
                #k::dispatch(__Backward { cell, xs, context, lengths, tape, dys, dstate, grads, dxs, #(#bars,)* });
            }
        }
    }
}

/// The body of what can't be computed.
pub(super) fn mistaken() -> TokenStream {
    quote!(::core::panic!("the definition of this cell has mistakes"))
}
