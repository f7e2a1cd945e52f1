//! Parameters: construction, initialisation and visiting; and the cost of a step.

use crate::analysis::initialisers::{Amount, Initialiser};
use crate::dim::Atom;
use crate::emit::context::EmitContext;
use crate::emit::hygiene::ident;
use crate::emit::items::Items;
use crate::emit::structs::has_derive;
use crate::graph::ir::Graph;
use crate::plan::Pass;
use crate::plan::cost::operations;
use crate::plan::schedule::Region;
use crate::syntax::ast::{BinaryOp, DeclarationKind, ShapeKind, declared, saved};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

/// Returns the part of a cell that needs no allocator: construction, initialisation, visiting
/// parameters.
pub fn parameters(items: &Items) -> TokenStream {
    let (cx, types) = (items.cx, &items.types);
    let (k, scalar) = (&cx.k, &cx.scalar);
    let (dims, cell) = (&types.dims, &types.cell);
    let params = declared(cx.cell, DeclarationKind::Param);
    let buffers = declared(cx.cell, DeclarationKind::Buffer);
    let saved = saved(cx.cell);

    let zeros = saved.iter().map(|index| {
        let name = &cx.cell.declarations[*index].name;
        quote!(#name: #k::Block::zeros())
    });
    let marker = saved.is_empty().then(|| quote!(nothing: ::core::marker::PhantomData,));
    let initialise = saved.iter().map(|index| {
        let name = &cx.cell.declarations[*index].name;
        match &items.initialisers.get(*index).cloned().flatten() {
            Some(initialiser) => initialiser_call(cx, name, initialiser),
            None => TokenStream::new(),
        }
    });
    let visits = |indices: &[usize], suffix: &str, borrow: TokenStream| -> TokenStream {
        let visit = ident(&format!("visit_declared{suffix}"));
        indices
            .iter()
            .map(|index| {
                let name = &cx.cell.declarations[*index].name;
                let (text, storages) = (name.to_string(), items.storages(*index));
                let rank = match &cx.cell.declarations[*index].shape.kind {
                    ShapeKind::Dense(dims) => Literal::usize_unsuffixed(dims.len()),
                    ShapeKind::OneHot(_) | ShapeKind::Unknown => Literal::usize_unsuffixed(0),
                };
                quote!(#k::Block::#visit(#borrow self.#name, #text, #rank, &[#(#storages),*], visitor);)
            })
            .collect()
    };
    let (visit, visit_mut) = (visits(&params, "", quote!(&)), visits(&params, "_mut", quote!(&mut)));
    let (visit_buffers, visit_buffers_mut) =
        (visits(&buffers, "", quote!(&)), visits(&buffers, "_mut", quote!(&mut)));
    let zero_gradients = cx.on_heap(|| {
        quote! {
            fn zero_gradients(&self) -> #k::Box<Self> {
                Self::zeros_boxed()
            }
        }
    });
    let rings = cx.depths();
    let debug = (!has_derive(&cx.cell.attributes, "Debug")).then(|| {
        quote! {
            impl<#dims #scalar: #k::Scalar> ::core::fmt::Debug for #cell {
                fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    #k::debug(self, __f)
                }
            }
        }
    });
    quote! {
        impl<#dims #scalar: #k::Scalar> #cell {
            /// Returns a cell whose parameters and buffers are all zero.
            pub fn zeros() -> Self {
                Self { #(#zeros,)* #marker }
            }

            /// Returns a cell initialised by the initialisers of the definition.
            pub fn init(rng: &mut (impl #k::Rng + ?::core::marker::Sized)) -> Self {
                let mut cell = Self::zeros();
                cell.initialise(rng);
                cell
            }

            /// Overwrites every parameter and buffer with its initial value.
            pub fn initialise(&mut self, rng: &mut (impl #k::Rng + ?::core::marker::Sized)) {
                #(#initialise)*
            }
        }

        impl<#dims #scalar: #k::Scalar> #k::Model for #cell {
            type Scalar = #scalar;
            type Gradients = Self;

            #zero_gradients

            fn visit<'v>(&'v self, visitor: &mut dyn for<'n> ::core::ops::FnMut(#k::Parameter<'n, 'v, #scalar>)) {
                #visit
            }

            fn visit_buffers<'v>(
                &'v self,
                visitor: &mut dyn for<'n> ::core::ops::FnMut(#k::Parameter<'n, 'v, #scalar>),
            ) {
                #visit_buffers
            }

            fn visit_layers(&self, visitor: &mut dyn ::core::ops::FnMut(#k::LayerInfo<'_>)) {
                #k::visit_layer::<Self>(Self::FLOPS_PER_STEP, Self::EQUATIONS, &[#(#rings),*], visitor);
            }
        }

        impl<#dims #scalar: #k::Scalar> #k::ModelMut for #cell {
            fn visit_mut<'v>(
                &'v mut self,
                visitor: &mut dyn for<'n> ::core::ops::FnMut(#k::ParameterMut<'n, 'v, #scalar>),
            ) {
                #visit_mut
            }

            fn visit_buffers_mut<'v>(
                &'v mut self,
                visitor: &mut dyn for<'n> ::core::ops::FnMut(#k::ParameterMut<'n, 'v, #scalar>),
            ) {
                #visit_buffers_mut
            }
        }

        #debug
    }
}

/// Returns the functions that construct cells on the heap.
pub fn boxes(items: &Items) -> TokenStream {
    let (cx, types) = (items.cx, &items.types);
    let (k, scalar) = (&cx.k, &cx.scalar);
    let (dims, cell) = (&types.dims, &types.cell);
    quote! {
        impl<#dims #scalar: #k::Scalar> #cell {
            /// Returns [`zeros`](Self::zeros), constructed on the heap: a large cell would overflow
            /// the stack of a thread.
            pub fn zeros_boxed() -> #k::Box<Self> {
                #k::boxed(Self::zeros)
            }

            /// Returns [`init`](Self::init), constructed on the heap.
            pub fn init_boxed(rng: &mut (impl #k::Rng + ?::core::marker::Sized)) -> #k::Box<Self> {
                let mut cell = Self::zeros_boxed();
                cell.initialise(rng);
                cell
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
        Amount::Number(value) => {
            let magnitude = Literal::f64_suffixed(value.abs());
            if value.is_sign_negative() { quote!(-#magnitude) } else { quote!(#magnitude) }
        }
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

/// Returns the number of operations of one step as an expression of the dimensions. Counts the
/// nodes of a pass in the regions selected by `is_counted`.
pub fn flops(
    cx: &EmitContext,
    graph: &Graph,
    pass: &Pass,
    is_counted: impl Fn(Region) -> bool,
) -> TokenStream {
    let terms = operations(graph, pass, is_counted).into_iter().map(|(times, dimensions)| {
        let times = Literal::usize_unsuffixed(times as usize);
        let dimensions = dimensions.into_iter().map(|atom| cx.atom(atom));
        quote!(#times #(* #dimensions)*)
    });
    quote!((0 #(+ #terms)*))
}
