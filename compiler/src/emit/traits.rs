//! The runtime's traits for the cell.

use crate::analysis::initialisers::{Amount, Initialiser};
use crate::emit::context::number;
use crate::emit::items::Items;
use crate::emit::layout::Layout;
use crate::emit::types::Types;
use crate::emit::values;
use crate::syntax::ast::{DeclarationKind, declared};
use proc_macro2::TokenStream;
use quote::quote;

/// Returns the implementations for the values of a step.
pub fn values(items: &Items) -> TokenStream {
    let (state, varying, sample) = (values::state(items), values::varying(items), values::sample(items));
    let (default, serde) = (context_default(items), values::serde(items));
    quote!(#state #varying #sample #default #serde)
}

/// Returns the implementations for the cell, which make it a layer for inference, streaming and
/// training.
pub fn layers(items: &Items) -> TokenStream {
    let (layer, cell) = (layer(items), cell(items));
    quote!(#layer #cell)
}

fn layer(items: &Items) -> TokenStream {
    let (k, batch) = (&items.cx.k, &items.cx.batch);
    let Types { cell, input, output, input_bar, state, tape, .. } = &items.types;
    let (generics, context) = (items.generics(), items.context_type());
    let (initial_state, outputs) = (initial_state(items), outputs(items));
    quote! {
        impl<#generics> #k::Layer<{ #batch }> for #cell {
            type Input = #input;
            type Output = #output;
            type InputBar = #input_bar;
            type Context = #context;
            type State = #state;
            type Tape = #tape;

            #initial_state

            fn outputs<'t>(&self, tape: &'t Self::Tape) -> &'t [Self::Output] {
                #outputs
            }

            #k::layer_methods!({ #batch });
        }
    }
}

fn cell(items: &Items) -> TokenStream {
    let (cx, k, scalar, batch) = (items.cx, &items.cx.k, &items.cx.scalar, &items.cx.batch);
    let (generics, cell) = (items.generics(), &items.types.cell);
    let matrices = items.plan.map_or(vec![], |plan| Layout { cx, plan }.matrices());
    quote! {
        impl<#generics> #k::Cell<{ #batch }> for #cell {
            #k::cell_methods!({ #batch } #scalar [#(#matrices),*]);
        }
    }
}

/// Implements the initial state and its cotangent, if the definition has initial values.
fn initial_state(items: &Items) -> TokenStream {
    let (k, batch) = (&items.cx.k, &items.cx.batch);
    if items.plan.is_none_or(|plan| plan.initial.is_none()) {
        return TokenStream::new();
    }
    quote! {
        fn initial_state_with(&self, context: &Self::Context) -> Self::State {
            #k::initial_state::<Self, { #batch }>(self, context)
        }

        fn initial_state_with_backward(
            &self, context: &Self::Context, dstate: &Self::State, gradients: &mut Self,
            dcontext: ::core::option::Option<&mut Self::Context>,
        ) {
            #k::start_backward::<Self, { #batch }>(self, context, dstate, gradients, dcontext);
        }
    }
}

/// Returns the outputs of the last forward pass, if they are stored on the tape.
fn outputs(items: &Items) -> TokenStream {
    let in_place = items.plan.and_then(|plan| (Layout { cx: items.cx, plan }).outputs_in_place());
    match in_place {
        // The outputs of a ragged batch are a copy.
        Some(in_place) => quote!(tape.common.copied_outputs().unwrap_or(tape.#in_place)),
        None => quote!(&tape.common.outputs),
    }
}

/// Implements `NameContext::default()`: the defaults of the definition, zero elsewhere.
fn context_default(items: &Items) -> TokenStream {
    let (cx, types) = (items.cx, &items.types);
    let Some(context) = &types.context else { return TokenStream::new() };
    let (k, scalar, batch) = (&cx.k, &cx.scalar, &cx.batch);
    let dims = values::dims_in(items, context);
    let fills = declared(cx.cell, DeclarationKind::Context).into_iter().filter_map(|index| {
        let name = &cx.cell.declarations[index].name;
        match items.initialisers.get(index)? {
            Some(Initialiser::Constant(Amount::Number(value))) => {
                let value = number(*value);
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
