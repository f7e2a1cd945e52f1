//! The runtime's traits for the cell itself.

use crate::emit::items::Items;
use crate::emit::layout::Layout;
use crate::emit::values;
use crate::syntax::ast::{DeclarationKind, declared};
use proc_macro2::TokenStream;
use quote::quote;

/// Those of the values of a step.
pub fn values(items: &Items) -> TokenStream {
    let (varying, default) = (values::varying(items), context_default(items));
    quote!(#varying #default)
}

/// Those of the cell: a layer that runs and trains on sequences.
pub fn layers(items: &Items) -> TokenStream {
    let fields = values::state_fields(items);
    let layer = match items.types.context {
        Some(_) => context_layer(items),
        None => layer(items),
    };
    quote!(#fields #layer)
}

fn associated(items: &Items) -> TokenStream {
    let types = &items.types;
    let (input, output, input_bar, state, tape) =
        (&types.input, &types.output, &types.input_bar, &types.state, &types.tape);
    quote! {
        type Input = #input;
        type Output = #output;
        type InputBar = #input_bar;
        type State = #state;
        type Tape = #tape;
    }
}

/// The steps of a chunk of the passes over a sequence.
fn chunk(items: &Items) -> TokenStream {
    let (cx, k, scalar, batch) = (items.cx, &items.cx.k, &items.cx.scalar, &items.cx.batch);
    let Some(plan) = items.plan else { return quote!(1) };
    let matrices = Layout { cx, plan }.matrices();
    quote!(#k::chunk_steps::<#scalar>(#batch, ::core::primitive::usize::MAX, &[#(#matrices),*]))
}

fn layer(items: &Items) -> TokenStream {
    let (cx, types) = (items.cx, &items.types);
    let (k, scalar, batch) = (&cx.k, &cx.scalar, &cx.batch);
    let (dims, cell) = (&types.dims, &types.cell);
    let (associated, chunk) = (associated(items), chunk(items));
    quote! {
        impl<#dims const #batch: usize, #scalar: #k::Scalar> #k::Layer<{ #batch }> for #cell {
            #associated

            fn initial_state(&self) -> Self::State {
                <#cell>::initial_state(self)
            }

            fn zero_state(&self) -> Self::State {
                #k::Varying::zero()
            }

            fn initial_state_backward(&self, dstate: &Self::State, grads: &mut Self) {
                <#cell>::initial_state_backward(self, dstate, grads);
            }

            fn tape(&self) -> Self::Tape {
                <#cell>::tape(self)
            }

            fn run(
                &self,
                xs: &[Self::Input],
                lengths: ::core::option::Option<&[usize; #batch]>,
                state: &mut Self::State,
            ) -> #k::Vec<Self::Output> {
                match lengths {
                    ::core::option::Option::Some(lengths) => <#cell>::run_ragged(self, xs, lengths, state),
                    ::core::option::Option::None => <#cell>::run(self, xs, state),
                }
            }

            fn forward(
                &self,
                xs: &[Self::Input],
                lengths: ::core::option::Option<&[usize; #batch]>,
                state: &mut Self::State,
                tape: &mut Self::Tape,
            ) {
                match lengths {
                    ::core::option::Option::Some(lengths) => {
                        <#cell>::forward_ragged(self, xs, lengths, state, tape);
                    }
                    ::core::option::Option::None => {
                        <#cell>::forward(self, xs, state, tape);
                    }
                }
            }

            fn outputs<'t>(&self, tape: &'t Self::Tape) -> &'t [Self::Output] {
                <#cell>::outputs(self, tape)
            }

            fn backward(
                &self,
                xs: &[Self::Input],
                lengths: ::core::option::Option<&[usize; #batch]>,
                tape: &mut Self::Tape,
                dys: &[Self::Output],
                dstate: &mut Self::State,
                grads: &mut Self,
                dxs: ::core::option::Option<&mut [Self::InputBar]>,
            ) {
                match lengths {
                    ::core::option::Option::Some(lengths) => {
                        <#cell>::backward_ragged(self, xs, lengths, tape, dys, dstate, grads, dxs);
                    }
                    ::core::option::Option::None => <#cell>::backward(self, xs, tape, dys, dstate, grads, dxs),
                }
            }

            fn inspect_forward(
                &self,
                xs: &[Self::Input],
                lengths: ::core::option::Option<&[usize; #batch]>,
                state: &Self::State,
                _: &Self::Tape,
            ) -> ::core::result::Result<(), #k::Fault> {
                #k::inspect_steps(self, xs, lengths, state)
            }

            fn inspect_backward(
                &self,
                xs: &[Self::Input],
                lengths: ::core::option::Option<&[usize; #batch]>,
                state: &Self::State,
                _: [&Self::Tape; 2],
                dys: &[Self::Output],
                _: &Self,
            ) -> ::core::result::Result<(), #k::Fault> {
                #k::inspect_steps_back(self, xs, lengths, state, dys)
            }
        }

        impl<#dims const #batch: usize, #scalar: #k::Scalar> #k::Cell<{ #batch }> for #cell {
            fn step(&self, x: &Self::Input, state: &mut Self::State) -> Self::Output {
                <#cell>::step(self, x, state)
            }

            fn chunk(&self) -> usize {
                #chunk
            }
        }
    }
}

fn context_layer(items: &Items) -> TokenStream {
    let (cx, types) = (items.cx, &items.types);
    let (k, scalar, batch) = (&cx.k, &cx.scalar, &cx.batch);
    let (dims, cell, context) = (&types.dims, &types.cell, &types.context);
    let (associated, chunk) = (associated(items), chunk(items));
    quote! {
        impl<#dims const #batch: usize, #scalar: #k::Scalar> #k::ContextLayer<{ #batch }> for #cell {
            #associated
            type Context = #context;

            fn initial_state(&self, context: &Self::Context) -> Self::State {
                <#cell>::initial_state(self, context)
            }

            fn zero_state(&self) -> Self::State {
                #k::Varying::zero()
            }

            fn zero_context_bar(&self) -> Self::Context {
                #k::Varying::zero()
            }

            fn initial_state_backward(
                &self,
                context: &Self::Context,
                dstate: &Self::State,
                grads: &mut Self,
                dcontext: ::core::option::Option<&mut Self::Context>,
            ) {
                <#cell>::initial_state_backward(self, context, dstate, grads, dcontext);
            }

            fn tape(&self) -> Self::Tape {
                <#cell>::tape(self)
            }

            fn step(&self, x: &Self::Input, context: &Self::Context, state: &mut Self::State) -> Self::Output {
                <#cell>::step(self, x, context, state)
            }

            fn chunk(&self) -> usize {
                #chunk
            }

            fn run(
                &self,
                xs: &[Self::Input],
                context: &Self::Context,
                lengths: ::core::option::Option<&[usize; #batch]>,
                state: &mut Self::State,
            ) -> #k::Vec<Self::Output> {
                match lengths {
                    ::core::option::Option::Some(lengths) => {
                        <#cell>::run_ragged(self, xs, context, lengths, state)
                    }
                    ::core::option::Option::None => <#cell>::run(self, xs, context, state),
                }
            }

            fn forward(
                &self,
                xs: &[Self::Input],
                context: &Self::Context,
                lengths: ::core::option::Option<&[usize; #batch]>,
                state: &mut Self::State,
                tape: &mut Self::Tape,
            ) {
                match lengths {
                    ::core::option::Option::Some(lengths) => {
                        <#cell>::forward_ragged(self, xs, context, lengths, state, tape);
                    }
                    ::core::option::Option::None => {
                        <#cell>::forward(self, xs, context, state, tape);
                    }
                }
            }

            fn outputs<'t>(&self, tape: &'t Self::Tape) -> &'t [Self::Output] {
                <#cell>::outputs(self, tape)
            }

            fn backward(
                &self,
                xs: &[Self::Input],
                context: &Self::Context,
                lengths: ::core::option::Option<&[usize; #batch]>,
                tape: &mut Self::Tape,
                dys: &[Self::Output],
                dstate: &mut Self::State,
                grads: &mut Self,
                dxs: ::core::option::Option<&mut [Self::InputBar]>,
                dcontext: ::core::option::Option<&mut Self::Context>,
            ) {
                match lengths {
                    ::core::option::Option::Some(lengths) => {
                        <#cell>::backward_ragged(self, xs, context, lengths, tape, dys, dstate, grads, dxs, dcontext);
                    }
                    ::core::option::Option::None => {
                        <#cell>::backward(self, xs, context, tape, dys, dstate, grads, dxs, dcontext);
                    }
                }
            }
        }
    }
}

/// `NameContext::default()`: the defaults of the definition, zero elsewhere.
fn context_default(items: &Items) -> TokenStream {
    let (cx, types) = (items.cx, &items.types);
    let Some(context) = &types.context else { return TokenStream::new() };
    let (k, scalar, batch) = (&cx.k, &cx.scalar, &cx.batch);
    let dims = values::dims_in(items, context);
    let fills = declared(cx.cell, DeclarationKind::Context).into_iter().filter_map(|index| {
        let name = &cx.cell.declarations[index].name;
        match items.initialisers.get(index)? {
            Some(crate::analysis::initialisers::Initialiser::Constant(value)) => {
                let magnitude = proc_macro2::Literal::f64_suffixed(value.abs());
                let value = if *value < 0.0 { quote!(-#magnitude) } else { quote!(#magnitude) };
                Some(quote! {
                    #k::Varying::<#scalar>::scalars_mut(&mut context.#name, &mut |entry| {
                        *entry = <#scalar as #k::Scalar>::of(#value);
                    });
                })
            }
            _ => None,
        }
    });
    quote! {
        impl<#dims const #batch: usize, #scalar: #k::Scalar> ::core::default::Default for #context {
            fn default() -> Self {
                let mut context: Self = #k::Varying::zero();
                #(#fills)*
                context
            }
        }
    }
}
