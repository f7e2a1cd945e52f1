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
        let mut public = vec![self.cell_struct(), self.helper_structs(), self.mentions()];
        let mut private = vec![self.step_job(), self.step_methods(), model::step(self), traits::values(self)];
        // What a sequence takes: a tape, the passes over it, the traits of layers.
        public.push(self.cx.on_heap(|| self.tape_struct()));
        private.push(self.cx.on_heap(|| {
            let (jobs, methods) = (self.sequence_jobs(), self.sequence_methods());
            let (boxes, layers) = (model::boxes(self), traits::layers(self));
            quote!(#jobs #methods #boxes #layers)
        }));
        public.push(self.cx.if_quantised(|| self.quantised_structs()));
        private.push(self.cx.if_quantised(|| self.quantised_methods()));
        let attributes = self.gates();
        quote! {
            #(#public)*
            #attributes
            #[allow(non_snake_case, non_upper_case_globals, unused_variables, unused_mut, unused_doc_comments, unused_parens)]
            #[allow(dead_code, unused_assignments, mixed_script_confusables, confusable_idents, uncommon_codepoints)]
            #[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
            const _: () = {
                #(#private)*
            };
        }
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
