//! Parameters: construction, initialisation and visiting.

use crate::analysis::initialisers::{Amount, Initialiser};
use crate::dim::Atom;
use crate::emit::context::{EmitContext, number};
use crate::emit::items::Items;
use crate::emit::structs::has_derive;
use crate::syntax::ast::{BinaryOp, DeclarationKind, ShapeKind, declared, saved};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

/// Returns the implementations that concern the parameters: construction, initialisation, visits.
pub fn parameters(items: &Items) -> TokenStream {
    let (cx, types) = (items.cx, &items.types);
    let (k, scalar) = (&cx.k, &cx.scalar);
    let (dims, cell) = (&types.dims, &types.cell);
    let fields = |kind: DeclarationKind| -> TokenStream {
        let declarations = declared(cx.cell, kind).into_iter();
        declarations
            .map(|index| {
                let declaration = &cx.cell.declarations[index];
                let (name, storages) = (&declaration.name, items.storages(index));
                let rank = match &declaration.shape.kind {
                    ShapeKind::Dense(dims) => Literal::usize_unsuffixed(dims.len()),
                    ShapeKind::OneHot(_) | ShapeKind::Unknown => Literal::usize_unsuffixed(0),
                };
                quote!(#name #rank [#(#storages),*];)
            })
            .collect()
    };
    let (params, buffers) = (fields(DeclarationKind::Param), fields(DeclarationKind::Buffer));
    let saved = saved(cx.cell);
    let marker = saved.is_empty().then(|| quote!(nothing));
    let initialise = saved.iter().map(|index| {
        let name = &cx.cell.declarations[*index].name;
        match &items.initialisers.get(*index).cloned().flatten() {
            Some(initialiser) => initialiser_call(cx, name, initialiser),
            None => TokenStream::new(),
        }
    });
    let rings = cx.depths();
    let derives = |name| has_derive(&cx.cell.attributes, name);
    let generics = quote!([#dims #scalar: #k::Scalar]);
    let debug = (!derives("Debug")).then(|| quote!(#k::debug! { #generics #cell }));
    let serde = (!derives("Serialize") && !derives("Deserialize")).then(|| {
        let (name, fields) =
            (cx.cell.name.to_string(), saved.iter().map(|index| &cx.cell.declarations[*index].name));
        quote!(#k::serde! { #generics #scalar #name #cell = Self::zeros(); #(#fields)*, })
    });
    quote! {
        #k::model! { #generics #scalar #cell { #params } { #buffers } { #marker } [#(#rings),*] }
        #debug
        #serde

        impl<#dims #scalar: #k::Scalar> #cell {
            /// Overwrites every parameter and buffer with its initial value.
            pub fn initialise(&mut self, rng: &mut (impl #k::Rng + ?::core::marker::Sized)) {
                #(#initialise)*
            }
        }
    }
}

fn initialiser_call(cx: &EmitContext, name: &Ident, initialiser: &Initialiser) -> TokenStream {
    let k = &cx.k;
    let init = quote!(#k::init);
    match initialiser {
        Initialiser::Constant(value) => {
            let value = amount(cx, value);
            quote!(#init::constant(&mut self.#name, #value);)
        }
        Initialiser::Identity(value) => {
            let value = amount(cx, value);
            quote!(#init::identity(&mut self.#name, #value);)
        }
        Initialiser::Uniform(low, high) => {
            let (low, high) = (amount(cx, low), amount(cx, high));
            quote!(#init::uniform(&mut self.#name, #low, #high, rng);)
        }
        Initialiser::Normal(deviation) => {
            let deviation = amount(cx, deviation);
            quote!(#init::normal(&mut self.#name, #deviation, rng);)
        }
        Initialiser::XavierUniform => quote!(#init::xavier_uniform(&mut self.#name, rng);),
        Initialiser::XavierNormal => quote!(#init::xavier_normal(&mut self.#name, rng);),
        Initialiser::KaimingUniform => quote!(#init::kaiming_uniform(&mut self.#name, rng);),
        Initialiser::KaimingNormal => quote!(#init::kaiming_normal(&mut self.#name, rng);),
        Initialiser::LecunNormal => quote!(#init::lecun_normal(&mut self.#name, rng);),
        Initialiser::Orthogonal => quote!(#init::orthogonal(&mut self.#name, rng);),
        Initialiser::FromFn(path) => quote!(#init::from_fn(&mut self.#name, #path);),
    }
}

/// Writes a number, or arithmetic on the dimensions in `f64`.
fn amount(cx: &EmitContext, of: &Amount) -> TokenStream {
    match of {
        Amount::Number(value) => number(*value),
        Amount::Size(index) => {
            let size = cx.atom(Atom::Name(*index));
            quote!((#size as f64))
        }
        Amount::Neg(inner) => {
            let inner = amount(cx, inner);
            quote!((-#inner))
        }
        Amount::Sqrt(inner) => {
            let (k, inner) = (&cx.k, amount(cx, inner));
            quote!(#k::root(#inner))
        }
        Amount::Binary(op, operands) => {
            let [left, right] = operands.each_ref().map(|operand| amount(cx, operand));
            match op {
                BinaryOp::Add => quote!((#left + #right)),
                BinaryOp::Sub => quote!((#left - #right)),
                BinaryOp::Mul | BinaryOp::MatMul => quote!((#left * #right)),
                BinaryOp::Div => quote!((#left / #right)),
            }
        }
    }
}
