//! The quantised copy of a cell, whose matrices are stored in fewer bits. Its step differs only in
//! the operands of products.

use crate::emit::access::Access;
use crate::emit::initial::InitialState;
use crate::emit::items::Items;
use crate::emit::prepare::PrepareParts;
use crate::emit::skeleton::panicking_body;
use crate::emit::stored::{StoredAs, StoredValues, computed_from};
use crate::emit::stream::Stream;
use crate::emit::structs::allow_names;
use crate::graph::grid::positions;
use crate::graph::ir::{Graph, Id, Op, Piece};
use crate::lower::names::ValueNames;
use crate::plan::Plan;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use std::collections::{BTreeMap, BTreeSet};

/// A part of the copy: the stored values of one graph.
struct Part<'a> {
    graph: &'a Graph,
    names: &'a ValueNames,
    stored: StoredValues,
}

impl Part<'_> {
    fn fields(&self) -> impl Iterator<Item = (Ident, Id, StoredAs)> {
        self.stored.ids().map(|(id, kind)| (self.stored.field(self.names, id), id, kind))
    }
}

/// The contents of the copy.
struct Parts<'a> {
    step: Part<'a>,
    /// The part for the initial state, if it is not zero.
    initial: Option<Part<'a>>,
}

impl<'a> Parts<'a> {
    fn iter(&self) -> impl Iterator<Item = &Part<'a>> {
        [&self.step].into_iter().chain(&self.initial)
    }
}

impl Items<'_> {
    /// Returns the contents of the copy. A block of a parameter is stored in the same way in both
    /// parts, so that rounding the parameters of the cell once gives the results of its copy.
    fn parts<'p>(&self, plan: &'p Plan) -> Parts<'p> {
        let mut plain = computed_from(&plan.graph, &plan.streaming.schedule);
        loop {
            let stored = StoredValues::of_step(&plan.graph, &plan.streaming.schedule, &plain);
            let step = Part { graph: &plan.graph, names: &plan.names, stored };
            let initial = plan.initial.as_ref().map(|initial| Part {
                graph: &initial.graph,
                names: &initial.names,
                stored: StoredValues::of_start(&initial.graph, &initial.forward.schedule, &plain),
            });
            let parts = Parts { step, initial };
            let (mut kinds, mut differ) = (BTreeMap::new(), BTreeSet::new());
            for (piece, kind) in parts.iter().flat_map(|part| part.stored.pieces(part.graph)) {
                if *kinds.entry(piece).or_insert(kind) != kind {
                    differ.insert(piece);
                }
            }
            if differ.is_empty() {
                return parts;
            }
            plain.append(&mut differ);
        }
    }

    /// Returns the storage of each block of a parameter, in the order in which they are visited.
    /// Empty if none is stored in fewer bits.
    pub fn storages(&self, index: usize) -> Vec<TokenStream> {
        let (Some(plan), Some(shape)) = (self.plan, &self.cx.shapes.declarations[index]) else {
            return vec![];
        };
        if !self.cx.is_quantised() {
            return vec![];
        }
        let parts = self.parts(plan);
        let kinds: BTreeMap<Piece, StoredAs> =
            parts.iter().flat_map(|part| part.stored.pieces(part.graph)).collect();
        let kind = |(row, column)| kinds.get(&Piece { of: index, row, column }).copied();
        let grid: Vec<StoredAs> =
            positions(shape.blocks()).map(|at| kind(at).unwrap_or(StoredAs::Plain)).collect();
        if grid.iter().all(|kind| *kind == StoredAs::Plain) {
            return vec![];
        }
        let k = &self.cx.k;
        let storage = |kind: &StoredAs| match kind {
            StoredAs::Plain => quote!(#k::Storage::Whole),
            StoredAs::Narrow => quote!(#k::Storage::ByRow),
            StoredAs::Transposed => quote!(#k::Storage::ByColumn),
        };
        grid.iter().map(storage).collect()
    }

    /// Returns the fields and their types.
    fn quantised_fields(&self) -> Vec<(Ident, TokenStream)> {
        let parts = self.plan.map(|plan| self.parts(plan));
        let of_part = |part: &Part| -> Vec<_> {
            part.fields()
                .map(|(field, id, _)| (field, part.stored.field_type(self.cx, part.graph, id)))
                .collect()
        };
        parts.iter().flat_map(Parts::iter).flat_map(of_part).collect()
    }

    /// Returns the values of the copy that depend on the context.
    fn quantised_fixed_fields(&self) -> Vec<(Ident, TokenStream)> {
        let cx = self.cx;
        self.plan.map_or(vec![], |plan| {
            let parts = self.parts(plan);
            Stream { cx, plan, quantised: Some(&parts.step.stored) }.context_fixed_fields()
        })
    }

    /// Returns the types of the copy and of the values that depend on its context.
    fn quantised_types(&self) -> (TokenStream, TokenStream) {
        let (cx, dim_args) = (self.cx, &self.types.dim_args);
        let (scalar, batch, format) = (&cx.scalar, &cx.batch, &cx.format);
        let (copy, fixed_name) = (format_ident!("{}Quantised", cx.cell.name), self.quantised_fixed_name());
        let fixed = if self.quantised_fixed_fields().is_empty() {
            quote!(())
        } else {
            quote!(#fixed_name<#dim_args { #batch }, #scalar>)
        };
        (quote!(#copy<#dim_args #format, #scalar>), fixed)
    }

    /// Returns the name of the struct of values that depend on the context of the copy.
    fn quantised_fixed_name(&self) -> Ident {
        format_ident!("{}QuantisedPrepared", self.cx.cell.name)
    }

    pub(super) fn quantised_structs(&self) -> TokenStream {
        let (cx, k, cfg_attributes) = (self.cx, &self.cx.k, self.cfg_attributes());
        let (visibility, name, dims) = (&cx.cell.visibility, &cx.cell.name, &self.types.dims);
        let (scalar, batch, format, allowed) = (&cx.scalar, &cx.batch, &cx.format, allow_names());
        let (copy, fixed_name) = (format_ident!("{name}Quantised"), self.quantised_fixed_name());
        let doc = format!(
            "A copy of [`{name}`] for inference, whose matrices are stored in fewer bits. Created by \
             [`quantised`]({name}::quantised)."
        );
        let attributes = quote! {
            #allowed
        };
        let (fields, kinds): (Vec<_>, Vec<_>) = self.quantised_fields().into_iter().unzip();
        let fixed = self.quantised_fixed_fields();
        let fixed = (!fixed.is_empty()).then(|| {
            let doc = format!(
                "The values of [`{copy}`] that depend on the context alone. `prepare` computes them."
            );
            let (names, kinds): (Vec<_>, Vec<_>) = fixed.into_iter().unzip();
            quote! {
                #cfg_attributes
                #[doc = #doc]
                #attributes
                #[derive(::core::fmt::Debug, ::core::clone::Clone)]
                #visibility struct #fixed_name<#dims const #batch: usize, #scalar: #k::Scalar = f32> {
                    #(#names: #kinds,)*
                }
            }
        });
        quote! {
            #cfg_attributes
            #[doc = #doc]
            #attributes
            #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::cmp::PartialEq)]
            #visibility struct #copy<#dims #format: #k::Format, #scalar: #k::Scalar = f32> {
                #(#fields: #kinds,)*
                marker: ::core::marker::PhantomData<(#format, #scalar)>,
            }
            #fixed
        }
    }

    pub(super) fn quantised_methods(&self) -> TokenStream {
        let (cx, k, types) = (self.cx, &self.cx.k, &self.types);
        let (scalar, format, dims, cell) = (&cx.scalar, &cx.format, &types.dims, &types.cell);
        let (copy, _) = self.quantised_types();
        let copy_name = format_ident!("{}Quantised", cx.cell.name);
        let (fields, kinds): (Vec<_>, Vec<_>) = self.quantised_fields().into_iter().unzip();
        let parts = self.plan.map(|plan| self.parts(plan));
        let zero = parts.iter().flat_map(Parts::iter).flat_map(|part| {
            let zero = |(field, id, kind): (Ident, Id, StoredAs)| match kind {
                StoredAs::Narrow | StoredAs::Transposed if part.graph[id].shape.has_heads() => {
                    quote!(#field: ::core::array::from_fn(|_| #k::Stored::zero()),)
                }
                StoredAs::Plain => quote!(#field: #k::Varying::<#scalar>::zero(),),
                StoredAs::Narrow | StoredAs::Transposed => quote!(#field: #k::Stored::zero(),),
            };
            part.fields().map(zero).collect::<Vec<_>>()
        });
        let states = self.state_methods();
        let boxed = cx.on_heap(|| {
            quote! {
                /// Returns [`quantised`](Self::quantised), constructed on the heap.
                ///
                /// # Errors
                /// Returns the errors of [`quantised`](Self::quantised).
                pub fn quantised_boxed<#format: #k::Format>(
                    &self,
                ) -> ::core::result::Result<#k::Box<#copy>, #k::NotFinite> {
                    let mut copy: #k::Box<#copy> = #k::boxed(#copy_name::zeros);
                    copy.quantise(self)?;
                    ::core::result::Result::Ok(copy)
                }
            }
        });
        let (quantise, step) = (self.quantise(), self.quantised_step());
        quote! {
            impl<#dims #scalar: #k::Scalar> #cell {
                /// Returns a copy for inference, whose matrices are stored in fewer bits.
                ///
                /// # Errors
                /// Returns an error if a matrix has an entry that is NaN, infinite or too large to
                /// be stored.
                pub fn quantised<#format: #k::Format>(&self) -> ::core::result::Result<#copy, #k::NotFinite> {
                    let mut copy: #copy = #copy_name::zeros();
                    copy.quantise(self)?;
                    ::core::result::Result::Ok(copy)
                }

                #boxed
            }

            impl<#dims #format: #k::Format, #scalar: #k::Scalar> #copy {
                /// Returns a copy of zeros, to be filled by `quantise` or read from bytes.
                pub fn zeros() -> Self {
                    Self { #(#zero)* marker: ::core::marker::PhantomData }
                }

                /// Returns the copy that `Quantised::write` wrote as bytes. A `static` copy stays
                /// in a device's flash memory. Big-endian targets are not supported.
                ///
                /// # Panics
                /// Panics unless there are exactly `Quantised::BYTES` bytes. A constant then does
                /// not compile.
                pub const fn from_bytes(bytes: &[u8]) -> Self {
                    let mut rest = bytes;
                    let copy = Self {
                        #(#fields: #k::from_bytes(&mut rest),)*
                        marker: ::core::marker::PhantomData,
                    };
                    #k::check_end(&mut rest);
                    copy
                }

                /// Overwrites this with a copy of `cell`.
                ///
                /// # Errors
                /// Returns an error if a matrix has an entry that is NaN, infinite or too large to
                /// be stored. The contents of the copy are then unspecified.
                pub fn quantise(&mut self, cell: &#cell) -> ::core::result::Result<(), #k::NotFinite> {
                    #quantise
                }

                #states
            }

            impl<#dims #format: #k::Format, #scalar: #k::Scalar> #k::Quantised for #copy {
                const BYTES: usize = 0 #(+ <#kinds as #k::Bytes>::BYTES)*;

                fn write(&self, to: &mut [u8]) -> bool {
                    let to = ::core::option::Option::Some(to);
                    #(let to = to.and_then(|to| #k::Bytes::write(&self.#fields, to));)*
                    to.is_some()
                }

                fn read(&mut self, from: &[u8]) -> bool {
                    let from = ::core::option::Option::Some(from);
                    #(let from = from.and_then(|from| #k::Bytes::read(&mut self.#fields, from));)*
                    from.is_some()
                }
            }

            #step
        }
    }

    /// Returns the statements that store `cell` in `self`, a copy.
    fn quantise(&self) -> TokenStream {
        let (cx, k) = (self.cx, &self.cx.k);
        let Some(plan) = self.plan else { return panicking_body() };
        let parts = self.parts(plan);
        let stores = parts.iter().flat_map(|part| {
            part.fields().map(|(field, id, kind)| self.store(part, &field, id, kind)).collect::<Vec<_>>()
        });
        let store = quote! {
            let mut __is_stored = true;
            #(#stores)*
            if __is_stored { ::core::result::Result::Ok(()) } else { ::core::result::Result::Err(#k::NotFinite) }
        };
        let stream = Stream { cx, plan, quantised: None };
        let is_computed = |part: &Part| part.fields().any(|(_, id, _)| !part.graph[id].op.is_leaf());
        if !parts.iter().any(is_computed) {
            return quote!(let (__copy, __cell) = (self, cell); #store);
        }
        let (dims, dim_args, scalar, format) =
            (&self.types.dims, &self.types.dim_args, &cx.scalar, &cx.format);
        let (cell, (copy, _)) = (&self.types.cell, self.quantised_types());
        let generics = quote!('a, #dims #format: #k::Format, #scalar: #k::Scalar);
        let prepare = stream.prepare_parameters();
        quote! {
            struct __Quantise<#generics> { copy: &'a mut #copy, cell: &'a #cell }
            impl<#generics> #k::Job for __Quantise<'a, #dim_args #format, #scalar> {
                type Out = ::core::result::Result<(), #k::NotFinite>;
                #[inline(always)]
                fn run<__S: #k::Isa>(self, isa: __S) -> Self::Out {
                    let __Quantise { copy: __copy, cell: __cell } = self;
                    #prepare
                    #store
                }
            }
            #k::dispatch(__Quantise { copy: self, cell })
        }
    }

    /// Returns the statement that stores a value in its field of the copy.
    fn store(&self, part: &Part, field: &Ident, id: Id, kind: StoredAs) -> TokenStream {
        let (cx, k, shape) = (self.cx, &self.cx.k, part.graph[id].shape);
        let (from, slice) = match &part.graph[id].op {
            Op::Read(piece) => {
                let matrix = cx.plain_matrix(quote!(__cell), *piece);
                (matrix, cx.saved(quote!(__cell), *piece, Access::Read))
            }
            _ => {
                let owner = part.names.owner(id);
                let matrix = if shape.has_heads() { quote!(#owner[__head]) } else { quote!(#owner) };
                (matrix, quote!(#k::Flat::flat(&#owner)))
            }
        };
        let to = if shape.has_heads() { quote!(#field[__head]) } else { quote!(#field) };
        let store = match kind {
            StoredAs::Plain => return quote!(#k::copy(#k::Flat::flat_mut(&mut __copy.#field), #slice);),
            StoredAs::Narrow => quote!(__is_stored &= #k::Stored::store(&mut __copy.#to, &#from);),
            StoredAs::Transposed => quote!(__is_stored &= #k::Stored::store_turned(&mut __copy.#to, &#from);),
        };
        if !shape.has_heads() {
            return store;
        }
        let heads = cx.atom(shape.heads);
        quote!(for __head in 0..#heads { #store })
    }

    /// Returns the implementation of `Prepare` for the copy, and the methods of its step.
    fn quantised_step(&self) -> TokenStream {
        let (cx, k, types) = (self.cx, &self.cx.k, &self.types);
        let (scalar, batch, format, dims) = (&cx.scalar, &cx.batch, &cx.format, &types.dims);
        let (state, input, output) = (&types.state, &types.input, &types.output);
        let (copy, fixed) = self.quantised_types();
        let (prepare, step, start) = match self.plan {
            None => (panicking_body(), panicking_body(), None),
            Some(plan) => {
                let parts = self.parts(plan);
                let stream = Stream { cx, plan, quantised: Some(&parts.step.stored) };
                let start = parts.initial.as_ref().zip(plan.initial.as_ref());
                let start = start.map(|(part, initial)| {
                    InitialState {
                        cx,
                        plan: initial,
                        recorded: &plan.recorded,
                        quantised: Some(&part.stored),
                    }
                    .forward()
                });
                (stream.prepare_context(&self.quantised_fixed_name()), stream.step(), start)
            }
        };
        let generics = quote!(#dims const #batch: usize, #format: #k::Format, #scalar: #k::Scalar);
        let parts = PrepareParts { generics: &generics, cell: &copy, fixed: &fixed, prepare, step, start };
        let implementation = self.implement_prepare_for(parts);
        let (context, prepare) = (self.context_argument(), self.prepare_method());
        let reads = match &types.context {
            Some(context) => quote!((x, context): (&#input, &#context)),
            None => quote!(x: &#input),
        };
        let step = quote! {
            impl<#dims #format: #k::Format, #scalar: #k::Scalar> #copy {
                #prepare

                /// Computes one step: reads `x`, advances `state` and returns the output. Does not
                /// allocate.
                #[inline]
                pub fn step<const #batch: usize>(&self, #reads, state: &mut #state) -> #output {
                    #k::step(self, &#k::prepare::<Self, { #batch }>(self, #context), x, #context, state)
                }
            }
        };
        quote!(#implementation #step)
    }
}
