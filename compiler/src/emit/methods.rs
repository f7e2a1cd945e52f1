//! The methods of a single step, and the constants of the cell.

use crate::emit::items::Items;
use crate::emit::layout::Layout;
use crate::plan::cost::{entries, operations};
use crate::plan::schedule::Region;
use crate::syntax::ast::DeclarationKind;
use crate::text::adjoints::adjoints;
use crate::text::{definition, jacobian};
use proc_macro2::TokenStream;
use quote::quote;

impl Items<'_> {
    /// Returns the constants and everything that belongs to a single step: states, the step, and
    /// its preparation.
    pub(super) fn step_methods(&self) -> TokenStream {
        let constants = self.constants();
        let (cx, types) = (self.cx, &self.types);
        let (k, scalar, batch) = (&cx.k, &cx.scalar, &cx.batch);
        let (dims, cell, state) = (&types.dims, &types.cell, &types.state);
        let (input, output) = (&types.input, &types.output);
        let context = self.context_argument();
        let states = self.state_methods();
        let reads = match &types.context {
            Some(context) => quote!((x, context): (&#input, &#context)),
            None => quote!(x: &#input),
        };
        let prepare = self.prepare_method();
        quote! {
            impl<#dims #scalar: #k::Scalar> #cell {
                #constants

                #states

                #prepare

                /// Computes one step: reads `x`, advances `state` and returns the output. Does not
                /// allocate. Values that no input changes are computed at every call; `prepare`
                /// computes them once.
                #[inline]
                pub fn step<const #batch: usize>(&self, #reads, state: &mut #state) -> #output {
                    #k::step(self, &#k::prepare::<Self, { #batch }>(self, #context), x, #context, state)
                }
            }
        }
    }

    /// Returns the method that prepares a stream, for the cell and for its copies.
    pub(super) fn prepare_method(&self) -> TokenStream {
        let (k, batch) = (&self.cx.k, &self.cx.batch);
        let (parameter, kind, value) = match &self.types.context {
            Some(context) => (quote!(context: &'a #context), quote!(&'a #context), quote!(context)),
            None => (quote!(), quote!(()), quote!(())),
        };
        quote! {
            /// Returns a handle for streaming, which holds everything that does not depend on the
            /// inputs. It borrows the cell; `Prepared::new` makes one that owns it.
            pub fn prepare<'a, const #batch: usize>(
                &'a self, #parameter
            ) -> #k::Prepared<&'a Self, #kind, { #batch }> {
                #k::Prepared::with(self, #value)
            }
        }
    }

    /// Returns the methods that create a state, for the cell and for its copies.
    pub(super) fn state_methods(&self) -> TokenStream {
        let (k, batch, state) = (&self.cx.k, &self.cx.batch, &self.types.state);
        let context = self.context_argument();
        let (name, parameter) = match &self.types.context {
            Some(context) => (quote!(initial_state_with), quote!(context: &#context)),
            None => (quote!(initial_state), quote!()),
        };
        quote! {
            /// Returns a state of zeros. It also serves as the cotangent of a final state that the
            /// loss ignores.
            pub fn zero_state<const #batch: usize>(&self) -> #state {
                #k::Varying::zero()
            }

            /// Returns the initial state of a sequence: zero unless the definition gives initial
            /// values.
            pub fn #name<const #batch: usize>(&self, #parameter) -> #state {
                #k::initial_state::<Self, { #batch }>(self, #context)
            }
        }
    }

    pub(super) fn constants(&self) -> TokenStream {
        let (cx, scalar) = (self.cx, &self.cx.scalar);
        let [parameters, states] = [DeclarationKind::Param, DeclarationKind::State]
            .map(|kind| cx.polynomial(&entries(cx.shaped(), kind)));
        let (flops, recurrent, tape, adjoints, jacobian) = match self.plan {
            Some(plan) => {
                let layout = Layout { cx, plan };
                (
                    cx.polynomial(&operations(&plan.graph, &plan.streaming, |_| true)),
                    cx.polynomial(&operations(&plan.graph, &plan.forward, |region| region == Region::Step)),
                    cx.polynomial(&layout.scalars_per_step()),
                    adjoints(cx.shaped(), cx.past, plan),
                    jacobian::text(cx.shaped(), cx.past, self.jacobian),
                )
            }
            None => (quote!(0), quote!(0), quote!(0), String::new(), String::new()),
        };
        let equations = definition::equations(cx.shaped(), &self.resolved.order);
        let rings = (!cx.past.is_empty()).then(|| {
            let (scalars, integers) = cx.ring_sizes();
            quote!(+ (#scalars) * ::core::mem::size_of::<#scalar>() + 4 * (#integers))
        });
        quote! {
            /// The number of learned scalars.
            pub const PARAMETER_COUNT: usize = #parameters;
            /// The number of floating-point operations per step and sample. Each multiply-add of a
            /// matrix product counts as two; each element-wise operation and each elementary
            /// function counts as one.
            pub const FLOPS_PER_STEP: usize = #flops;
            /// The part of `FLOPS_PER_STEP` that is sequential. The rest is computed for many steps
            /// at once.
            pub const RECURRENT_FLOPS_PER_STEP: usize = #recurrent;
            /// The number of bytes that a tape stores per step and sample.
            pub const TAPE_BYTES_PER_STEP: usize = (#tape) * ::core::mem::size_of::<#scalar>();
            /// The size of the state of one sample, in bytes.
            pub const STATE_BYTES: usize = (#states) * ::core::mem::size_of::<#scalar>() #rings;
            /// The equations of a step, in order of evaluation.
            pub const EQUATIONS: &'static str = #equations;
            /// The equations of the backward pass. `x_bar` is the cotangent of `x`. `Σ` sums the
            /// product that follows it over steps and samples. `o_pre` is the argument of the
            /// activation in `o = sigmoid(..)`, and `tanh_c` is `tanh(c)`.
            pub const ADJOINTS: &'static str = #adjoints;
            /// The derivative of each new state with respect to each old state, by the chain rule
            /// through the equations. Between vectors it is a matrix: `diag(f)` has `f` on its
            /// diagonal, `I` is the identity, and `ones` is a column of ones. If either state is a
            /// matrix, the derivative is written as a linear map of a small change:
            /// `∂S/∂S[t-1](δS) = f * δS`.
            pub const JACOBIAN: &'static str = #jacobian;
        }
    }
}
