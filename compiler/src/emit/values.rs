//! The runtime's traits for the structs of values: states, contexts, inputs, outputs.

use crate::emit::items::Items;
use crate::emit::types::one_hot_free;
use crate::syntax::ast::{DeclarationKind, declared};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// Implements `Varying` for the context, input and output structs.
pub fn varying(items: &Items) -> TokenStream {
    let (cx, types) = (items.cx, &items.types);
    let names = |indices: Vec<usize>| -> Vec<Ident> {
        indices.into_iter().map(|index| cx.cell.declarations[index].name.clone()).collect()
    };
    let (inputs, varying) = (cx.inputs(), cx.varying_inputs());
    let mut found = vec![];
    if let Some(context) = &types.context {
        found.push((context, names(declared(cx.cell, DeclarationKind::Context))));
    }
    if inputs.len() > 1 {
        if varying.len() < inputs.len() && !varying.is_empty() {
            found.push((&types.input_bar, names(varying)));
        }
        found.push((&types.input, names(inputs)));
    }
    if cx.cell.outputs.len() > 1 {
        found.push((&types.output, cx.cell.outputs.clone()));
    }
    let (k, scalar, batch) = (&cx.k, &cx.scalar, &cx.batch);
    let implement = |(kind, fields): (&TokenStream, Vec<Ident>)| {
        let dims = dims_in(items, kind);
        quote!(#k::values! { [#dims const #batch: usize, #scalar: #k::Scalar] #scalar #kind { #(#fields)* } })
    };
    found.into_iter().map(implement).collect()
}

/// Implements the traits and methods of the state.
pub fn state(items: &Items) -> TokenStream {
    let (cx, output) = (items.cx, &items.types.output);
    let (k, scalar, batch) = (&cx.k, &cx.scalar, &cx.batch);
    let (name, dims) = (format_ident!("{}State", cx.cell.name), cx.state_dims());
    let (generics, arguments) = (cx.dim_parameters(&dims), cx.dim_arguments(&dims));
    let output_generics = dims_in(items, &quote!(#arguments #output));
    let states = declared(cx.cell, DeclarationKind::State);
    let fields = states.iter().map(|index| {
        let bounds = items.plan.iter().flat_map(|plan| &plan.states);
        let blocks =
            bounds.filter(|bound| bound.piece.of == *index).map(|bound| cx.declared_path(bound.piece));
        let name = &cx.cell.declarations[*index].name;
        quote!(#name: #([#blocks])*;)
    });
    let past = cx.past_fields().into_iter().map(|(name, ..)| name);
    let marker = (!cx.state_has_scalars()).then(|| quote!(nothing));
    // An erroneous definition may give an output a different type from its state.
    let outputs = if items.plan.is_some() { &cx.cell.outputs[..] } else { &[] };
    let mut repeated: Vec<&Ident> = vec![];
    for output in outputs {
        if states.iter().any(|index| cx.cell.declarations[*index].name == *output)
            && !repeated.contains(&output)
        {
            repeated.push(output);
        }
    }
    let repeated = repeated.into_iter().map(|name| {
        let place = (cx.cell.outputs.len() > 1).then(|| quote!(.#name));
        quote!(#name [#place])
    });
    let text = name.to_string();
    quote! {
        #k::state! {
            #name #text [#generics] [#arguments] #batch #scalar { #(#fields)* } { #(#past)* } { #marker }
            [#output_generics] #output { #(#repeated)* }
        }
    }
}

/// Implements `Sample` for the struct of inputs, if there is one.
pub fn sample(items: &Items) -> TokenStream {
    let (cx, inputs) = (items.cx, items.cx.inputs());
    if inputs.len() < 2 {
        return TokenStream::new();
    }
    let (k, scalar, batch) = (&cx.k, &cx.scalar, &cx.batch);
    let scalar = cx.inputs_have_scalars().then(|| quote!(#scalar: #k::Scalar));
    let name = format_ident!("{}Input", cx.cell.name);
    let dims = cx.dim_parameters(&one_hot_free(cx, &inputs));
    let (one, all) = (cx.input_struct(&quote!(1)), cx.input_struct(&quote!({ #batch })));
    let fields: Vec<&Ident> = inputs.iter().map(|index| &cx.cell.declarations[*index].name).collect();
    quote! {
        impl<#dims const #batch: usize, #scalar> #k::Sample<{ #batch }> for #one {
            type Batch = #all;
            fn batch(samples: [::core::option::Option<&Self>; #batch]) -> Self::Batch {
                #name {
                    #(#fields: #k::Sample::batch(samples.map(|sample| sample.map(|sample| &sample.#fields))),)*
                }
            }
        }
    }
}

/// Implements serde's traits for the context, if the runtime has the feature `serde`.
pub fn serde(items: &Items) -> TokenStream {
    let (cx, types) = (items.cx, &items.types);
    let (k, scalar, batch) = (&cx.k, &cx.scalar, &cx.batch);
    let Some(context) = &types.context else { return TokenStream::new() };
    let (dims, name) = (dims_in(items, context), format!("{}Context", cx.cell.name));
    let fields = declared(cx.cell, DeclarationKind::Context).into_iter();
    let fields = fields.map(|index| &cx.cell.declarations[index].name);
    quote! {
        #k::serde! {
            [#dims const #batch: usize, #scalar: #k::Scalar] #scalar #name #context
                = #k::Varying::<#scalar>::zero(); #(#fields)*,
        }
    }
}

/// Returns the dimensions that occur in a type, as generic parameters.
pub fn dims_in(items: &Items, kind: &TokenStream) -> TokenStream {
    let mut found = vec![];
    let mut stack: Vec<TokenStream> = vec![kind.clone()];
    while let Some(tokens) = stack.pop() {
        for token in tokens {
            match token {
                proc_macro2::TokenTree::Group(group) => stack.push(group.stream()),
                proc_macro2::TokenTree::Ident(name) => {
                    if let Some(index) = items.cx.dimensions.iter().position(|dim| *dim == name) {
                        found.push(index);
                    }
                }
                _ => {}
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    items.cx.dim_parameters(&found)
}
