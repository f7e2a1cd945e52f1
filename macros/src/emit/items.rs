//! The items that a definition expands to: the cell, its helper types, and their methods.
//!
//! A definition with mistakes has no [`Plan`]; its items then have the same signatures and no working bodies, so
//! that the mistakes are all that the user is told.

use crate::dim::Shape;
use crate::emit::context::Context;
use crate::emit::model;
use crate::emit::places::Places;
use crate::emit::traits;
use crate::emit::types::Types;
use crate::initial::Initialiser;
use crate::plan::Plan;
use crate::plan::declared;
use crate::resolve::{Resolved, Target};
use crate::syntax::ast::DeclarationKind;
use proc_macro2::TokenStream;
use quote::quote;

pub struct Items<'a> {
    pub cx: &'a Context<'a>,
    pub places: &'a Places,
    pub resolved: &'a Resolved,
    pub initialisers: &'a [Option<Initialiser>],
    /// None for a definition with mistakes.
    pub plan: Option<&'a Plan>,
    /// The definition, for the page that rustdoc asks for. None for one with mistakes.
    pub source: Option<&'a TokenStream>,
    pub types: Types,
}

impl<'a> Items<'a> {
    pub fn new(
        cx: &'a Context<'a>,
        places: &'a Places,
        resolved: &'a Resolved,
        initialisers: &'a [Option<Initialiser>],
        plan: Option<&'a Plan>,
        source: Option<&'a TokenStream>,
    ) -> Self {
        let types = Types::new(cx, resolved);
        Items { cx, places, resolved, initialisers, plan, source, types }
    }

    pub fn emit(&self) -> TokenStream {
        let cx = self.cx.within_block();
        let within = Items::new(&cx, self.places, self.resolved, self.initialisers, self.plan, self.source);
        let (public, private) = (self.public(), within.private());
        let (attributes, boundary) = (self.gates(), self.cx.boundary());
        quote! {
            #public
            #attributes
            #[allow(non_snake_case, non_upper_case_globals, unused_variables, unused_mut, unused_doc_comments, unused_parens)]
            #[allow(dead_code, unused_assignments, mixed_script_confusables, confusable_idents, uncommon_codepoints)]
            #[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
            const _: () = {
                #boundary
                #private
            };
        }
    }

    /// The types that a user can name.
    fn public(&self) -> TokenStream {
        let (cell, values, mentions) = (self.cell_struct(), self.helper_structs(), self.mentions());
        let tape = self.cx.on_heap(|| self.tape_struct());
        let copies = self.cx.if_quantised(|| self.quantised_structs());
        quote!(#cell #values #mentions #tape #copies)
    }

    /// What those types can do.
    fn private(&self) -> TokenStream {
        let (equations, step) = (self.equations(), self.step_methods());
        let (parameters, values) = (model::step(self), traits::values(self));
        // A tape, the passes over it and the traits of layers take a heap.
        let sequences = self.cx.on_heap(|| {
            let (passes, methods) = (self.passes(), self.sequence_methods());
            let (boxes, layers) = (model::boxes(self), traits::layers(self));
            quote!(#passes #methods #boxes #layers)
        });
        let copies = self.cx.if_quantised(|| self.quantised_methods());
        quote!(#equations #step #parameters #values #sequences #copies)
    }

    /// The `cfg` attributes of the cell, which every item shares.
    pub fn gates(&self) -> TokenStream {
        let gates = self.cx.cell.attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
        quote!(#(#gates)*)
    }

    /// The shape of a target, if it is known.
    pub fn shape_of(&self, target: Target) -> Option<&Shape> {
        self.cx.shapes.targets.get(target.equation)?.get(target.index)?.as_ref()
    }

    /// Whether a target is a field of the struct that a step returns.
    pub fn is_field_of_outputs(&self, target: Target) -> bool {
        self.cx.cell.outputs.len() > 1 && self.resolved.outputs.contains(&Some(target))
    }

    pub fn inputs(&self) -> Vec<usize> {
        declared(self.cx.cell, DeclarationKind::Input)
    }

    pub fn varying_inputs(&self) -> Vec<usize> {
        self.inputs().into_iter().filter(|index| self.cx.shapes.one_hot[*index].is_none()).collect()
    }
}
