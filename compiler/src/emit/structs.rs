//! The structs of a definition: the cell, its state, context, inputs, outputs, tape and fixed
//! values.

use crate::analysis::resolve::Target;
use crate::emit::items::Items;
use crate::emit::layout::{Layout, TapeSeries};
use crate::emit::stream::Stream;
use crate::emit::types::{one_hot_free, output_shapes};
use crate::graph::ir::Level;
use crate::syntax::ast::{DeclarationKind, declared, saved};
use crate::text::definition;
use proc_macro2::{Ident, TokenStream};
use quote::format_ident;
use quote::quote;

impl Items<'_> {
    /// Returns a helper struct with the generic parameters `B` and `T`.
    fn helper(
        &self,
        suffix: &str,
        doc: &str,
        dims: &[usize],
        fields: &[(TokenStream, TokenStream)],
    ) -> TokenStream {
        let scalar = &self.cx.scalar;
        self.helper_of(suffix, doc, (dims, Some(quote!(#scalar = f32))), fields)
    }

    /// Returns a helper struct with the generic parameters `B` and `scalar`, which values without
    /// scalars do not have.
    fn helper_of(
        &self,
        suffix: &str,
        doc: &str,
        (dims, scalar): (&[usize], Option<TokenStream>),
        fields: &[(TokenStream, TokenStream)],
    ) -> TokenStream {
        let (cx, batch) = (self.cx, &self.cx.batch);
        let (visibility, cfg_attributes, allowed) =
            (&cx.cell.visibility, self.cfg_attributes(), allow_names());
        let name = format_ident!("{}{}", self.spanned.cell, suffix);
        let dims = cx.dim_parameters(dims);
        let fields: Vec<TokenStream> = fields.iter().map(|(field, kind)| quote!(#field: #kind)).collect();
        quote! {
            #cfg_attributes
            #[doc = #doc]
            #allowed
            #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::cmp::PartialEq)]
            #visibility struct #name<#dims const #batch: usize = 1, #scalar> {
                #(#fields,)*
            }
        }
    }

    /// Returns public fields for declarations.
    fn fields(&self, indices: &[usize]) -> Vec<(TokenStream, TokenStream)> {
        let cx = self.cx;
        indices
            .iter()
            .map(|index| {
                let (name, docs) = (&self.spanned.declarations[*index], self.declaration_docs(*index));
                // The type that rustdoc shows is a nest of blocks.
                let blocks = definition::blocks(cx.shaped(), *index).map(|blocks| {
                    // If the crate has another name, the link remains plain text.
                    quote!(#[doc = ""] #[doc = #blocks] #[allow(rustdoc::broken_intra_doc_links)])
                });
                (quote!(#docs #blocks pub #name), cx.declared_type(*index))
            })
            .collect()
    }

    /// Returns the user's comment on a declaration, its shape, and the equation of a state.
    pub fn declaration_docs(&self, index: usize) -> TokenStream {
        let cx = self.cx;
        let attributes = docs_of(&cx.cell.declarations[index].attributes);
        let value =
            self.resolved.state_values[index].and_then(|target| cx.cell.equations.get(target.equation));
        let equation =
            value.map_or_else(String::new, |equation| format!(": `{}`", definition::line(equation)));
        let shape = format!("`{}`{equation}", definition::shape(cx.shaped(), index));
        quote!(#attributes #[doc = #shape])
    }

    /// Returns the user's comment on an equation, its shape, and the equation.
    pub fn equation_docs(&self, target: Target) -> TokenStream {
        let cx = self.cx;
        let shape =
            self.shape_of(target).map_or_else(|| "?".to_owned(), |shape| shape.display(&cx.dim_names));
        let Some(equation) = cx.cell.equations.get(target.equation) else { return TokenStream::new() };
        let (attributes, line) = (docs_of(&equation.attributes), definition::line(equation));
        let line = format!("`{shape}`: `{line}`");
        quote!(#attributes #[doc = #line])
    }

    pub(super) fn cell_struct(&self) -> TokenStream {
        let cx = self.cx;
        let cell = cx.cell;
        let (visibility, name, scalar) = (&cell.visibility, &self.spanned.cell, &cx.scalar);
        let attributes = &cell.attributes;
        let derives_clone = has_derive(attributes, "Clone");
        let derives_eq = has_derive(attributes, "PartialEq");
        let mut derives = vec![];
        if !derives_clone {
            derives.push(quote!(::core::clone::Clone));
        }
        if !derives_eq {
            derives.push(quote!(::core::cmp::PartialEq));
        }
        let (doc, allowed) = (self.cell_docs(), allow_names());
        let dims = self.spanned_dims();
        let fields: Vec<TokenStream> =
            self.fields(&saved(cell)).into_iter().map(|(field, kind)| quote!(#field: #kind)).collect();
        // Rust requires that a type parameter is used.
        let marker = fields.is_empty().then(|| {
            quote!(#[doc = "A cell without parameters."] pub nothing: ::core::marker::PhantomData<#scalar>,)
        });
        quote! {
            #(#attributes)*
            #doc
            #allowed
            #[derive(#(#derives),*)]
            // Products read whole columns: a parameter that starts within a cache line is up to 1.5
            // times slower.
            #[repr(align(64))]
            #visibility struct #name<#dims #scalar = f32> {
                #(#fields,)*
                #marker
            }
        }
    }

    /// Returns plain text in a build, and the whole page in rustdoc.
    fn cell_docs(&self) -> TokenStream {
        let (text, root, k) =
            (definition::cell(self.cx.shaped(), &self.resolved.order), &self.cx.root, &self.cx.k);
        match self.source {
            Some(source) => quote! {
                #[cfg_attr(not(doc), doc = #text)]
                #[cfg_attr(doc, doc = #k::page!(#root; #source))]
            },
            None => quote!(#[doc = #text]),
        }
    }

    pub(super) fn helper_structs(&self) -> TokenStream {
        let cx = self.cx;
        let name = &cx.cell.name;
        let of = |indices: &[usize]| cx.dims_of_declared(indices);
        let states = declared(cx.cell, DeclarationKind::State);
        let mut fields = self.fields(&states);
        for (name, kind, doc) in cx.past_fields() {
            fields.push((quote!(#[doc = #doc] pub #name), kind));
        }
        if !cx.state_has_scalars() {
            let (scalar, batch) = (&cx.scalar, &cx.batch);
            let doc = "A placeholder: all cells have the same signatures.";
            fields.push((
                quote!(#[doc = #doc] pub nothing),
                quote!(::core::marker::PhantomData<[#scalar; #batch]>),
            ));
        }
        let mut items = self.helper(
            "State",
            &format!("The state of [`{name}`] for `B` samples, passed from step to step. The same type holds its cotangents."),
            &cx.state_dims(),
            &fields,
        );
        let contexts = declared(cx.cell, DeclarationKind::Context);
        if !contexts.is_empty() {
            let doc = format!("The context of [`{name}`]: values that are the same for a whole sequence.");
            items.extend(self.helper("Context", &doc, &of(&contexts), &self.fields(&contexts)));
        }
        let inputs = self.cx.inputs();
        if inputs.len() > 1 {
            let doc = format!("The inputs of one step of [`{name}`].");
            let scalar = cx.inputs_have_scalars().then_some(&cx.scalar).map(|scalar| quote!(#scalar = f32));
            let generics = (&one_hot_free(cx, &inputs)[..], scalar);
            items.extend(self.helper_of("Input", &doc, generics, &self.fields(&inputs)));
            let varying = self.cx.varying_inputs();
            if varying.len() < inputs.len() && !varying.is_empty() {
                let doc = format!("The cotangents of [`{name}Input`]. Indices have none.");
                items.extend(self.helper("InputBar", &doc, &of(&varying), &self.fields(&varying)));
            }
        }
        if cx.cell.outputs.len() > 1 {
            let shapes = output_shapes(cx, self.resolved);
            let dims = cx.dims_of(shapes.iter());
            let fields: Vec<_> = (self.output_names().into_iter().zip(&self.resolved.outputs).zip(&shapes))
                .map(|((name, target), shape)| {
                    let docs = target.map(|target| self.equation_docs(target));
                    (quote!(#docs pub #name), cx.shape_type(shape, Level::Time))
                })
                .collect();
            items.extend(self.helper(
                "Output",
                &format!("The outputs of one step of [`{name}`]."),
                &dims,
                &fields,
            ));
        }
        items.extend(self.prepared_struct());
        items
    }

    /// Returns the fields of several outputs. Each is defined by its equation, unless it is a
    /// state, which has its own field.
    fn output_names(&self) -> Vec<&Ident> {
        (self.spanned.outputs.iter().zip(&self.resolved.outputs))
            .map(|(mention, value)| {
                let value = value.filter(|value| self.resolved.state_of(*value).is_none());
                let defined =
                    value.and_then(|value| self.spanned.targets.get(value.equation)?.get(value.index));
                defined.unwrap_or(mention)
            })
            .collect()
    }

    pub(super) fn tape_struct(&self) -> TokenStream {
        let cx = self.cx;
        let (visibility, cfg_attributes, k) = (&cx.cell.visibility, self.cfg_attributes(), &cx.k);
        let name = format_ident!("{}Tape", self.spanned.cell);
        let (scalar, batch, dims) = (&cx.scalar, &cx.batch, &self.types.dims);
        let doc = format!(
            "The residuals of a forward pass of [`{}`], which its backward pass reads: one series per value, with one \
             column per step and sample. Created by `tape()`. Passes over more sequences reuse its memory.",
            cx.cell.name
        );
        let (cell, allowed) = (&self.types.cell, allow_names());
        let mut fields = vec![quote!(common: #k::CommonTape<#cell, { #batch }>)];
        if let Some(plan) = self.plan {
            let layout = Layout { cx, plan };
            for TapeSeries { name, kind, .. } in layout.series() {
                fields.push(quote!(#name: #kind));
            }
            for (earlier, id) in layout.delayed_reads() {
                let (before, element) = (layout.delay_series(id), cx.recorded_type(earlier.piece));
                fields.push(quote!(#before: #k::Series<#element>));
            }
            if cx.past.counts_steps {
                fields.push(quote!(steps_before: #k::Series<[u32; #batch]>));
            }
            for bound in layout.read_before() {
                let Some(shape) = layout.piece_shape(bound.piece) else { continue };
                let before = layout.before_series(bound.piece);
                let kind = cx.series_type(shape, Level::Time);
                fields.push(quote!(#before: #kind));
            }
        }
        quote! {
            #cfg_attributes
            #[doc = #doc]
            #allowed
            #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::default::Default)]
            #visibility struct #name<#dims const #batch: usize = 1, #scalar: #k::Scalar = f32> {
                #(#fields,)*
            }
        }
    }

    /// Returns the struct of the values that depend on parameters and context alone, if there are
    /// any.
    fn prepared_struct(&self) -> Option<TokenStream> {
        let cx = self.cx;
        let fields = Stream { cx, plan: self.plan?, quantised: None }.fixed_fields();
        let (visibility, cfg_attributes, k) = (&cx.cell.visibility, self.cfg_attributes(), &cx.k);
        let name = format_ident!("{}Prepared", self.spanned.cell);
        let (scalar, batch, dims) = (&cx.scalar, &cx.batch, &self.types.dims);
        let doc = format!(
            "The values of [`{}`] that depend on parameters{} alone. `prepare` computes them.",
            cx.cell.name,
            if self.types.context.is_some() { " and context" } else { "" }
        );
        let (names, kinds): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
        let allowed = allow_names();
        (!names.is_empty()).then(|| {
            quote! {
                #cfg_attributes
                #[doc = #doc]
                #allowed
                #[derive(::core::fmt::Debug, ::core::clone::Clone)]
                #visibility struct #name<#dims const #batch: usize = 1, #scalar: #k::Scalar = f32> {
                    #(#names: #kinds,)*
                }
            }
        })
    }
}

/// Returns the attributes that allow any name of the user for a struct and its fields.
pub fn allow_names() -> TokenStream {
    quote! {
        #[allow(non_snake_case, dead_code)]
        #[allow(mixed_script_confusables, confusable_idents, uncommon_codepoints)]
    }
}

/// Returns the doc comments alone.
fn docs_of(attributes: &[syn::Attribute]) -> TokenStream {
    let docs = attributes.iter().filter(|attribute| attribute.path().is_ident("doc"));
    quote!(#(#docs)*)
}

/// Returns whether the user derives a trait that the expansion would derive.
pub fn has_derive(attributes: &[syn::Attribute], name: &str) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("derive")).any(|attribute| {
        let mut found = false;
        // A malformed derive is reported by rustc.
        let _ = attribute.parse_nested_meta(|meta| {
            found |= meta.path.segments.last().is_some_and(|segment| segment.ident == name);
            Ok(())
        });
        found
    })
}
