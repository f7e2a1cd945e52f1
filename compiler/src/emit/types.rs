//! The generated types, as they appear in signatures.

use crate::analysis::heads::visible;
use crate::analysis::resolve::Resolved;
use crate::dim::Shape;
use crate::emit::context::EmitContext;
use crate::graph::ir::Level;
use crate::syntax::ast::{DeclarationKind, declared};
use proc_macro2::TokenStream;
use quote::format_ident;
use quote::quote;

/// The generated types, as they appear in signatures.
pub struct Types {
    pub cell: TokenStream,
    pub state: TokenStream,
    pub tape: TokenStream,
    pub context: Option<TokenStream>,
    pub input: TokenStream,
    pub input_bar: TokenStream,
    pub output: TokenStream,
    /// `const I: usize, const H: usize,`
    pub dims: TokenStream,
    /// `I, H,`
    pub dim_args: TokenStream,
}

impl Types {
    pub fn new(cx: &EmitContext, resolved: &Resolved) -> Self {
        let name = &cx.cell.name;
        let (scalar, batch) = (&cx.scalar, &cx.batch);
        let helper = |suffix: &str, dims: &[usize]| {
            let (name, dims) = (format_ident!("{}{}", name, suffix), cx.dim_arguments(dims));
            quote!(#name<#dims { #batch }, #scalar>)
        };
        let of = |indices: &[usize]| cx.dims_of_declared(indices);
        let all = cx.all_dims();
        let dim_args = cx.dim_arguments(&all);
        let (inputs, varying) = (cx.inputs(), cx.varying_inputs());
        let input = match inputs[..] {
            [] => quote!(()),
            [only] => cx.declared_type(only),
            _ => cx.input_struct(&quote!({ #batch })),
        };
        let input_bar = match (inputs.len(), varying.len()) {
            (_, 0) => quote!(()),
            (1, 1) => input.clone(),
            (all, some) if all == some => input.clone(),
            _ => helper("InputBar", &of(&varying)),
        };
        let shapes = output_shapes(cx, resolved);
        let output = match &shapes[..] {
            [only] => cx.shape_type(only, Level::Time),
            shapes => helper("Output", &cx.dims_of(shapes.iter())),
        };
        let contexts = declared(cx.cell, DeclarationKind::Context);
        Types {
            cell: quote!(#name<#dim_args #scalar>),
            state: helper("State", &cx.state_dims()),
            tape: helper("Tape", &all),
            context: (!contexts.is_empty()).then(|| helper("Context", &of(&contexts))),
            input,
            input_bar,
            output,
            dims: cx.dim_parameters(&all),
            dim_args,
        }
    }
}

impl EmitContext<'_> {
    /// Returns the type of several inputs. If all of them are indices, it has no generic parameter
    /// `T`.
    pub fn input_struct(&self, batch: &TokenStream) -> TokenStream {
        let name = format_ident!("{}Input", self.cell.name);
        let dims = self.dim_arguments(&one_hot_free(self, &self.inputs()));
        let scalar = self.inputs_have_scalars().then_some(&self.scalar);
        quote!(#name<#dims #batch, #scalar>)
    }

    pub fn inputs_have_scalars(&self) -> bool {
        !self.varying_inputs().is_empty()
    }

    /// Returns whether the state holds scalars: not if it is empty, counts steps or keeps indices.
    pub fn state_has_scalars(&self) -> bool {
        let mut recorded = self.past.rings.iter().map(|ring| &self.past.values[ring.value]);
        !declared(self.cell, DeclarationKind::State).is_empty() || recorded.any(|value| !value.is_one_hot)
    }
}

/// Returns the dimensions of the fields of an input. An index has none.
pub fn one_hot_free(cx: &EmitContext, inputs: &[usize]) -> Vec<usize> {
    let varying = inputs.iter().filter(|index| cx.shapes.one_hot[**index].is_none());
    cx.dims_of(varying.filter_map(|index| cx.shapes.declarations[*index].as_ref()))
}

/// Returns the shapes of the outputs. An unknown shape (an error that has been reported) is treated
/// as a scalar.
pub fn output_shapes(cx: &EmitContext, resolved: &Resolved) -> Vec<Shape> {
    resolved
        .outputs
        .iter()
        .map(|target| {
            let target = (*target)?;
            visible(cx.cell, cx.shapes, target)
        })
        .map(|shape| shape.unwrap_or_else(Shape::scalar))
        .collect()
}
