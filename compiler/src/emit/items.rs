//! The items that a definition expands to: the cell, its helper types, and their methods.
//!
//! An erroneous definition has no [`Plan`]. Its items have the same signatures but no working
//! bodies, so that the user sees no errors except those of the definition.

use crate::analysis::initialisers::Initialiser;
use crate::analysis::resolve::{Resolved, Target};
use crate::dim::Shape;
use crate::emit::context::EmitContext;
use crate::emit::spans::SpannedNames;
use crate::emit::types::Types;
use crate::lower::jacobian::Jacobian;
use crate::plan::Plan;
use proc_macro2::TokenStream;
use quote::quote;

/// One cell with everything that its items are generated from.
pub struct Items<'a> {
    pub cx: &'a EmitContext<'a>,
    pub spanned: &'a SpannedNames,
    pub resolved: &'a Resolved,
    pub initialisers: &'a [Option<Initialiser>],
    /// The plan of the cell; `None` for an erroneous definition.
    pub plan: Option<&'a Plan>,
    /// The derivatives of the new states with respect to the old ones, for the text of `JACOBIAN`;
    /// `None` if there are none.
    pub jacobian: Option<&'a Jacobian>,
    /// The definition, for the page that rustdoc shows; `None` for an erroneous one.
    pub source: Option<&'a TokenStream>,
    pub types: Types,
}

impl<'a> Items<'a> {
    pub fn new(
        cx: &'a EmitContext<'a>,
        spanned: &'a SpannedNames,
        resolved: &'a Resolved,
        initialisers: &'a [Option<Initialiser>],
        plan: Option<&'a Plan>,
        jacobian: Option<&'a Jacobian>,
        source: Option<&'a TokenStream>,
    ) -> Self {
        let types = Types::new(cx, resolved);
        Items { cx, spanned, resolved, initialisers, plan, jacobian, source, types }
    }

    /// Returns the same items for the `const _` block, in which the boundary has a short name.
    pub fn within<'c>(&self, cx: &'c EmitContext<'c>) -> Items<'c>
    where
        'a: 'c,
    {
        let Items { spanned, resolved, initialisers, plan, jacobian, source, .. } = *self;
        Items::new(cx, spanned, resolved, initialisers, plan, jacobian, source)
    }

    /// Returns `const I: usize, const H: usize,` with the spans of the user's declarations.
    pub fn spanned_dims(&self) -> TokenStream {
        let dims = self.cx.dimensions.iter().zip(&self.spanned.dimensions).map(|(generic, user)| {
            let mut generic = generic.clone();
            generic.set_span(user.span());
            generic
        });
        quote!(#(const #dims: usize,)*)
    }

    /// Returns the `cfg` attributes of the cell, which every item shares.
    pub fn cfg_attributes(&self) -> TokenStream {
        let attributes = self.cx.cell.attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
        quote!(#(#attributes)*)
    }

    /// Returns the type of the context; `()` if the cell has none.
    pub(super) fn context_type(&self) -> TokenStream {
        self.types.context.clone().unwrap_or(quote!(()))
    }

    /// Returns the context as an argument of a function of the runtime.
    pub(super) fn context_argument(&self) -> TokenStream {
        if self.types.context.is_some() { quote!(context) } else { quote!(&()) }
    }

    /// Returns the generic parameters of an implementation for every batch.
    pub(super) fn generics(&self) -> TokenStream {
        let (dims, batch, scalar, k) = (&self.types.dims, &self.cx.batch, &self.cx.scalar, &self.cx.k);
        quote!(#dims const #batch: usize, #scalar: #k::Scalar)
    }

    /// Returns the shape of a target, if it is known.
    pub fn shape_of(&self, target: Target) -> Option<&Shape> {
        self.cx.shapes.targets.get(target.equation)?.get(target.index)?.as_ref()
    }

    /// Returns whether a target is a field of the struct that a step returns.
    pub fn is_field_of_outputs(&self, target: Target) -> bool {
        self.cx.cell.outputs.len() > 1 && self.resolved.outputs.contains(&Some(target))
    }
}
