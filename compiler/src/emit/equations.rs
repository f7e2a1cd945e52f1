//! The runtime's traits for the equations of a cell and for its passes over a sequence.

use crate::emit::items::Items;
use crate::emit::layout::Layout;
use crate::emit::sequence::Sequence;
use crate::emit::start::Start;
use crate::emit::stream::Stream;
use crate::emit::types::Types;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// The bodies of an implementation of `Prepare`, for a cell or its quantised copy.
pub(super) struct Equations<'a> {
    /// The generic parameters of the implementation.
    pub head: &'a TokenStream,
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
    /// Returns the type of the context; `()` if the cell has none.
    pub(super) fn context(&self) -> TokenStream {
        self.types.context.clone().unwrap_or(quote!(()))
    }

    /// Returns the context as an argument of a function of the runtime.
    pub(super) fn context_argument(&self) -> TokenStream {
        if self.types.context.is_some() { quote!(context) } else { quote!(&()) }
    }

    /// Returns the generic parameters of an implementation for every batch.
    pub(super) fn head(&self) -> TokenStream {
        let (dims, batch, scalar, k) = (&self.types.dims, &self.cx.batch, &self.cx.scalar, &self.cx.k);
        quote!(#dims const #batch: usize, #scalar: #k::Scalar)
    }

    /// Implements `Prepare` for one type.
    pub(super) fn implement(&self, equations: Equations) -> TokenStream {
        let (k, batch, types) = (&self.cx.k, &self.cx.batch, &self.types);
        let Equations { head, cell, fixed, prepare, step, start } = equations;
        let scalar = &self.cx.scalar;
        let (context, input, output, state) = (self.context(), &types.input, &types.output, &types.state);
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
            impl<#head> #k::Prepare<{ #batch }> for #cell {
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

    /// Implements the equations of the cell.
    pub(super) fn equations(&self) -> TokenStream {
        let (cx, types) = (self.cx, &self.types);
        let (prepare, step, start) = match self.plan {
            None => (panicking_body(), panicking_body(), None),
            Some(plan) => {
                let stream = Stream { cx, plan, storage: None };
                let start = plan.initial.as_ref().map(|initial| {
                    Start { cx, plan: initial, recorded: &plan.recorded, storage: None }.forward()
                });
                (stream.prepare(&self.handle()), stream.step(), start)
            }
        };
        let (head, cell, fixed) = (&self.head(), &types.cell, &self.fixed());
        self.implement(Equations { head, cell, fixed, prepare, step, start })
    }

    /// Returns the name of the struct of prepared values.
    pub(super) fn handle(&self) -> Ident {
        format_ident!("{}Prepared", self.cx.cell.name)
    }

    /// Returns the type of the values that depend on parameters and context alone; `()` if there
    /// are none.
    fn fixed(&self) -> TokenStream {
        let (cx, handle, dims) = (self.cx, self.handle(), &self.types.dim_args);
        let (batch, scalar) = (&cx.batch, &cx.scalar);
        match self.plan {
            Some(plan) if !(Stream { cx, plan, storage: None }).fields().is_empty() => {
                quote!(#handle<#dims { #batch }, #scalar>)
            }
            _ => quote!(()),
        }
    }

    /// Implements the passes over a sequence.
    pub(super) fn passes(&self) -> TokenStream {
        let (cx, types) = (self.cx, &self.types);
        let (k, batch, head) = (&cx.k, &cx.batch, self.head());
        let Types { cell, tape, input, output, state, .. } = types;
        let (forward, backward) = match self.plan {
            None => (panicking_body(), panicking_body()),
            Some(plan) => {
                let sequence = Sequence { cx, plan };
                (sequence.forward(), sequence.backward())
            }
        };
        let context = self.context();
        let start_backward = self.plan.and_then(|plan| Some((plan, plan.initial.as_ref()?)));
        let start_backward = start_backward.map(|(plan, initial)| {
            let body = Start { cx, plan: initial, recorded: &plan.recorded, storage: None }.backward();
            quote! {
                #[inline(always)]
                fn start_backward_on<__S: #k::Isa>(
                    &self, isa: __S, __context: &#context, __dstate: &#state, __grads: &mut Self,
                    __dcontext: ::core::option::Option<&mut #context>,
                ) {
                    let __cell = self;
                    #body
                }
            }
        });
        let reads_in_place = self.plan.is_some_and(|plan| (Layout { cx, plan }).reads_inputs_in_place());
        let clean_inputs = if reads_in_place { quote!(#k::Series<#input>) } else { quote!(()) };
        quote! {
            impl<#head> #k::Passes<{ #batch }> for #cell {
                type CleanInputs = #clean_inputs;

                fn common(tape: &mut #tape) -> &mut #k::CommonTape<Self, { #batch }> {
                    &mut tape.common
                }

                #[inline(always)]
                fn forward_on<__S: #k::Isa>(
                    &self, isa: __S, __pass: #k::LayerPass<'_, Self, { #batch }>, __state: &mut #state,
                    __tape: &mut #tape,
                ) {
                    let #k::Pass { xs: __xs, context: __context, lengths: ref __lengths } = __pass;
                    let (__cell, __lengths) = (self, __lengths.as_ref());
                    #forward
                }

                #[inline(always)]
                fn backward_on<__S: #k::Isa>(
                    &self, isa: __S, __pass: #k::LayerPass<'_, Self, { #batch }>, __tape: &mut #tape,
                    __dys: &[#output], __bars: #k::LayerBars<'_, Self, { #batch }>,
                ) {
                    let #k::Pass { xs: __xs, context: __context, lengths: ref __lengths } = __pass;
                    let (__cell, __lengths) = (self, __lengths.as_ref());
                    let #k::Bars {
                        gradients: __grads, state: __dstate, inputs: mut __dxs, context: __dcontext,
                    } = __bars;
                    #backward
                }

                #start_backward
            }
        }
    }
}

/// Returns the body of a function that an erroneous definition leaves undefined.
pub(super) fn panicking_body() -> TokenStream {
    quote!(::core::panic!("the definition of this cell has errors"))
}
