//! The implementation of the runtime's trait for a single step, `Prepare`.

use crate::emit::initial::InitialState;
use crate::emit::items::Items;
use crate::emit::skeleton::panicking_body;
use crate::emit::stream::Stream;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// The parts of an implementation of `Prepare`, for a cell or its quantised copy.
pub(super) struct PrepareParts<'a> {
    /// The generic parameters of the implementation.
    pub generics: &'a TokenStream,
    /// The type that has the equations.
    pub cell: &'a TokenStream,
    /// The type of the values that depend on parameters and context alone.
    pub fixed: &'a TokenStream,
    /// Statements that end in these values.
    pub prepare: TokenStream,
    /// Statements that end in the output.
    pub step: TokenStream,
    /// Statements that overwrite `__state`, if the initial state is not zero.
    pub start: Option<TokenStream>,
}

impl Items<'_> {
    /// Implements `Prepare` for one type.
    pub(super) fn implement_prepare_for(&self, parts: PrepareParts) -> TokenStream {
        let (k, batch, types) = (&self.cx.k, &self.cx.batch, &self.types);
        let PrepareParts { generics, cell, fixed, prepare, step, start } = parts;
        let scalar = &self.cx.scalar;
        let (context, input, output, state) =
            (self.context_type(), &types.input, &types.output, &types.state);
        let start = start.map(|start| {
            quote! {
                #[inline(always)]
                fn start_on<__S: #k::Isa>(&self, isa: __S, __context: &Self::Context, __state: &mut Self::State) {
                    let __cell = self;
                    #start
                }
            }
        });
        quote! {
            impl<#generics> #k::Prepare<{ #batch }> for #cell {
                type Scalar = #scalar;
                type Context = #context;
                type Input = #input;
                type Output = #output;
                type State = #state;
                type Fixed = #fixed;

                #[inline(always)]
                fn prepare_on<__S: #k::Isa>(&self, isa: __S, __context: &Self::Context) -> Self::Fixed {
                    let __cell = self;
                    #prepare
                }

                #[inline(always)]
                fn step_on<__S: #k::Isa>(
                    &self, isa: __S, __fixed: &Self::Fixed, __x: &Self::Input, __context: &Self::Context,
                    __state: &mut Self::State,
                ) -> Self::Output {
                    let __cell = self;
                    #step
                }

                #start
            }
        }
    }

    /// Implements `Prepare` for the cell.
    pub(super) fn implement_prepare(&self) -> TokenStream {
        let (cx, types) = (self.cx, &self.types);
        let (prepare, step, start) = match self.plan {
            None => (panicking_body(), panicking_body(), None),
            Some(plan) => {
                let stream = Stream { cx, plan, quantised: None };
                let start = plan.initial.as_ref().map(|initial| {
                    InitialState { cx, plan: initial, recorded: &plan.recorded, quantised: None }.forward()
                });
                (stream.prepare(&self.fixed_name()), stream.step(), start)
            }
        };
        let (generics, cell, fixed) = (&self.generics(), &types.cell, &self.fixed_type());
        self.implement_prepare_for(PrepareParts { generics, cell, fixed, prepare, step, start })
    }

    /// Returns the name of the struct of the values that depend on parameters and context alone.
    pub(super) fn fixed_name(&self) -> Ident {
        format_ident!("{}Prepared", self.cx.cell.name)
    }

    /// Returns the type of the values that depend on parameters and context alone; `()` if there
    /// are none.
    fn fixed_type(&self) -> TokenStream {
        let (cx, name, dims) = (self.cx, self.fixed_name(), &self.types.dim_args);
        let (batch, scalar) = (&cx.batch, &cx.scalar);
        match self.plan {
            Some(plan) if !(Stream { cx, plan, quantised: None }).fixed_fields().is_empty() => {
                quote!(#name<#dims { #batch }, #scalar>)
            }
            _ => quote!(()),
        }
    }
}
