//! The runtime's traits for the structs of values: states, contexts, inputs, outputs.

use crate::emit::context::EmitContext;
use crate::emit::items::Items;
use crate::emit::structs::has_derive;
use crate::emit::types::one_hot_free;
use crate::syntax::ast::{DeclarationKind, declared, saved};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// Implements `Varying` for the state, context, input and output structs.
pub fn varying(items: &Items) -> TokenStream {
    let (cx, types) = (items.cx, &items.types);
    let names = |indices: Vec<usize>| -> Vec<Ident> {
        indices.into_iter().map(|index| cx.cell.declarations[index].name.clone()).collect()
    };
    let inputs = items.cx.inputs();
    let some_index = items.cx.varying_inputs().len() < inputs.len();
    let mut state = names(declared(cx.cell, DeclarationKind::State));
    state.extend(cx.past_fields().into_iter().map(|(name, ..)| name));
    let nothing = (!cx.state_has_scalars()).then(|| quote!(nothing: ::core::marker::PhantomData,));
    let mut found = vec![(&types.state, state, nothing)];
    if let Some(context) = &types.context {
        found.push((context, names(declared(cx.cell, DeclarationKind::Context)), None));
    }
    if inputs.len() > 1 {
        found.push((&types.input, names(inputs), None));
        if some_index && !items.cx.varying_inputs().is_empty() {
            found.push((&types.input_bar, names(items.cx.varying_inputs()), None));
        }
    }
    if cx.cell.outputs.len() > 1 {
        found.push((&types.output, cx.cell.outputs.clone(), None));
    }
    let (k, scalar, batch) = (&cx.k, &cx.scalar, &cx.batch);
    found
        .into_iter()
        .map(|(kind, fields, nothing)| {
            let dims = dims_in(items, kind);
            let zero = quote!(#(#fields: #k::Varying::<#scalar>::zero(),)* #nothing);
            let visit = quote!(#(#k::Varying::<#scalar>::scalars(&self.#fields, __f);)*);
            let sample =
                quote!(#(#k::Varying::<#scalar>::sample_mut(&mut self.#fields, sample, batch, __f);)*);
            let visit_mut = quote!(#(#k::Varying::<#scalar>::scalars_mut(&mut self.#fields, __f);)*);
            let swap = quote! {
                #(#k::Varying::<#scalar>::swap_sample(&mut self.#fields, &mut other.#fields, sample, batch);)*
            };
            let zip =
                quote!(#(#k::Varying::<#scalar>::zip_scalars(&mut self.#fields, &other.#fields, __f);)*);
            quote! {
                impl<#dims const #batch: usize, #scalar: #k::Scalar> #k::Varying<#scalar> for #kind {
                    #[inline(always)]
                    fn zero() -> Self {
                        Self { #zero }
                    }
                    fn scalars(&self, __f: &mut dyn ::core::ops::FnMut(#scalar)) {
                        #visit
                    }
                    fn scalars_mut(&mut self, __f: &mut dyn ::core::ops::FnMut(&mut #scalar)) {
                        #visit_mut
                    }
                    fn sample_mut(
                        &mut self,
                        sample: usize,
                        batch: usize,
                        __f: &mut dyn ::core::ops::FnMut(&mut #scalar),
                    ) {
                        #sample
                    }
                    fn swap_sample(&mut self, other: &mut Self, sample: usize, batch: usize) {
                        #swap
                    }
                    fn zip_scalars(
                        &mut self,
                        other: &Self,
                        __f: &mut dyn ::core::ops::FnMut(&mut #scalar, #scalar),
                    ) {
                        #zip
                    }
                }
            }
        })
        .collect()
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

/// Implements serde's traits for the cell, its state and its context, if the runtime has the
/// feature `serde`.
pub fn serde(items: &Items) -> TokenStream {
    let (cx, types) = (items.cx, &items.types);
    let (k, scalar, batch) = (&cx.k, &cx.scalar, &cx.batch);
    let of = |indices: Vec<usize>| -> TokenStream {
        let names = indices.into_iter().map(|index| &cx.cell.declarations[index].name);
        names.map(|name| (name, name.to_string())).map(|(name, text)| quote!(#name #text)).collect()
    };
    let past: TokenStream = past_fields(cx).into_iter().map(|(name, text)| quote!(#name #text)).collect();
    let name = cx.cell.name.to_string();
    let (dims, cell, fields) = (&types.dims, &types.cell, of(saved(cx.cell)));
    // The user's own implementation comes first.
    let is_derived = ["Serialize", "Deserialize"].iter().any(|name| has_derive(&cx.cell.attributes, name));
    let own = (!is_derived)
        .then(|| quote!([#dims #scalar: #k::Scalar] #scalar #name #cell = Self::zeros(); #fields,));
    let mut state = of(declared(cx.cell, DeclarationKind::State));
    state.extend(past);
    let mut values = vec![("State", &types.state, state)];
    if let Some(context) = &types.context {
        values.push(("Context", context, of(declared(cx.cell, DeclarationKind::Context))));
    }
    let values = values.into_iter().map(|(suffix, kind, fields)| {
        let (dims, name) = (dims_in(items, kind), format!("{name}{suffix}"));
        quote! {
            [#dims const #batch: usize, #scalar: #k::Scalar] #scalar #name #kind
                = #k::Varying::<#scalar>::zero(); #fields,
        }
    });
    quote!(#k::serde! { #own #(#values)* })
}

/// Returns the fields of the state that hold the past, with their names.
fn past_fields(cx: &EmitContext) -> Vec<(Ident, String)> {
    cx.past_fields().into_iter().map(|(name, ..)| (name.clone(), name.to_string())).collect()
}

/// Implements `StateFields` for the state.
pub fn state_fields(items: &Items) -> TokenStream {
    let (cx, types) = (items.cx, &items.types);
    let (k, scalar, batch) = (&cx.k, &cx.scalar, &cx.batch);
    let (state, output) = (&types.state, &types.output);
    let dims = dims_in(items, &quote!(#state #output));
    let states = declared(cx.cell, DeclarationKind::State);
    let fields: Vec<&Ident> = states.iter().map(|index| &cx.cell.declarations[*index].name).collect();
    let (indices, names): (Vec<usize>, Vec<String>) =
        fields.iter().map(|name| name.to_string()).enumerate().unzip();
    // An erroneous definition may give an output a different type from its state.
    let outputs = if items.plan.is_some() { &cx.cell.outputs[..] } else { &[] };
    let mut tied: Vec<&Ident> = vec![];
    for output in outputs.iter().filter(|output| fields.contains(output)) {
        if !tied.contains(&output) {
            tied.push(output);
        }
    }
    let (reread, pull): (TokenStream, TokenStream) = if cx.cell.outputs.len() > 1 {
        (
            quote!(#(y.#tied = ::core::clone::Clone::clone(&self.#tied);)*),
            quote! {#(
                #k::Varying::<#scalar>::add(&mut self.#tied, &dy.#tied);
                dy.#tied = #k::Varying::<#scalar>::zero();
            )*},
        )
    } else {
        (
            quote!(#(*y = ::core::clone::Clone::clone(&self.#tied);)*),
            quote! {#(
                #k::Varying::<#scalar>::add(&mut self.#tied, dy);
                *dy = #k::Varying::<#scalar>::zero();
            )*},
        )
    };
    let past = past_fields(cx);
    let visit_past = (!past.is_empty()).then(|| {
        let visits = past
            .iter()
            .map(|(name, text)| quote!(#k::PastField::<#scalar>::visit(&mut self.#name, #text, visitor);));
        quote! {
            fn visit_past(&mut self, visitor: &mut #k::StateVisitor<'_, #scalar>) {
                #(#visits)*
            }
        }
    });
    quote! {
        impl<#dims const #batch: usize, #scalar: #k::Scalar> #k::StateFields<#scalar, #output> for #state {
            const NAMES: &'static [&'static str] = &[#(#names),*];
            fn zip_fields(
                &mut self,
                other: &Self,
                __f: &mut dyn ::core::ops::FnMut(usize, &mut #scalar, #scalar),
            ) {
                #(#k::Varying::<#scalar>::zip_scalars(
                    &mut self.#fields,
                    &other.#fields,
                    &mut |__x, __y| __f(#indices, __x, __y),
                );)*
            }
            #visit_past
            fn reread(&self, y: &mut #output) {
                #reread
            }
            fn pull_reread(&mut self, dy: &mut #output) {
                #pull
            }
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
