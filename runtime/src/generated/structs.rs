//! The macros that implement the runtime's traits for the structs of a definition, field by field.
//! An expansion lists the fields of each struct once.

/// Implements `Varying` for a struct of values: a state, a context, inputs, outputs, or their
/// cotangents.
#[doc(hidden)]
#[macro_export]
macro_rules! __values {
    ([$($generics:tt)*] $T:ident $values:ty { $($field:ident)* }) => {
        impl<$($generics)*> $crate::generated::Varying<$T> for $values {
            #[inline(always)]
            fn zero() -> Self {
                Self { $($field: $crate::generated::Varying::<$T>::zero(),)* }
            }

            fn scalars(&self, __f: &mut dyn ::core::ops::FnMut($T)) {
                $($crate::generated::Varying::<$T>::scalars(&self.$field, __f);)*
            }

            fn scalars_mut(&mut self, __f: &mut dyn ::core::ops::FnMut(&mut $T)) {
                $($crate::generated::Varying::<$T>::scalars_mut(&mut self.$field, __f);)*
            }

            fn sample_mut(
                &mut self,
                __sample: ::core::primitive::usize,
                __batch: ::core::primitive::usize,
                __f: &mut dyn ::core::ops::FnMut(&mut $T),
            ) {
                $($crate::generated::Varying::<$T>::sample_mut(&mut self.$field, __sample, __batch, __f);)*
            }

            fn swap_sample(
                &mut self,
                __other: &mut Self,
                __sample: ::core::primitive::usize,
                __batch: ::core::primitive::usize,
            ) {
                $($crate::generated::Varying::<$T>::swap_sample(
                    &mut self.$field, &mut __other.$field, __sample, __batch,
                );)*
            }

            fn zip_scalars(&mut self, __other: &Self, __f: &mut dyn ::core::ops::FnMut(&mut $T, $T)) {
                $($crate::generated::Varying::<$T>::zip_scalars(&mut self.$field, &__other.$field, __f);)*
            }
        }
    };
}

/// Implements the traits and methods of a state: `Varying`, `StateFields`, serde's traits, and
/// access to one sample of a batch.
///
/// The arguments are the name of the struct, its generic parameters and arguments; the state
/// variables, each with the paths of its blocks; the fields that hold the past; a marker field if
/// the struct has no scalars; and the output of a step, with the state variables that it repeats
/// and their places in it.
#[doc(hidden)]
#[macro_export]
macro_rules! __state {
    (
        $State:ident $name:literal [$($dims:tt)*] [$($of:tt)*] $B:ident $T:ident
        { $($field:ident: $([$($block:tt)*])*;)* } { $($past:ident)* } { $($marker:ident)? }
        [$($output_dims:tt)*] $Output:ty { $($output:ident [$($place:tt)*])* }
    ) => {
        $crate::generated::values! {
            [$($dims)* const $B: ::core::primitive::usize, $T: $crate::Scalar] $T
            $State<$($of)* { $B }, $T> { $($field)* $($past)* $($marker)? }
        }

        $crate::generated::serde! {
            [$($dims)* const $B: ::core::primitive::usize, $T: $crate::Scalar] $T $name
            $State<$($of)* { $B }, $T> = $crate::generated::Varying::<$T>::zero(); $($field)* $($past)*,
        }

        impl<$($dims)* const $B: ::core::primitive::usize, $T: $crate::Scalar> $State<$($of)* { $B }, $T> {
            /// Returns the state of one sample of the batch.
            ///
            /// # Panics
            /// Panics if `sample` is not less than the batch size.
            pub fn sample(&self, sample: ::core::primitive::usize) -> $State<$($of)* 1, $T> {
                let mut one: $State<$($of)* 1, $T> = $crate::generated::Varying::zero();
                $crate::generated::check_sample(sample, $B);
                $($($crate::generated::take_sample(
                    $crate::generated::Flat::flat(&self.$($block)*),
                    sample,
                    $crate::generated::Flat::flat_mut(&mut one.$($block)*),
                );)*)*
                $(self.$past.take_sample(sample, &mut one.$past);)*
                one
            }

            /// Replaces the state of one sample of the batch.
            ///
            /// # Panics
            /// Panics if `sample` is not less than the batch size.
            pub fn set_sample(&mut self, sample: ::core::primitive::usize, one: &$State<$($of)* 1, $T>) {
                $crate::generated::check_sample(sample, $B);
                $($($crate::generated::replace_sample(
                    $crate::generated::Flat::flat_mut(&mut self.$($block)*),
                    sample,
                    $crate::generated::Flat::flat(&one.$($block)*),
                );)*)*
                $(self.$past.replace_sample(sample, &one.$past);)*
            }
        }

        $crate::generated::if_alloc! {
            impl<$($output_dims)* const $B: ::core::primitive::usize, $T: $crate::Scalar>
                $crate::generated::StateFields<$T, $Output> for $State<$($of)* { $B }, $T>
            {
                const NAMES: &'static [&'static ::core::primitive::str] =
                    &[$(::core::stringify!($field)),*];

                fn zip_fields(
                    &mut self,
                    __other: &Self,
                    __f: &mut dyn ::core::ops::FnMut(::core::primitive::usize, &mut $T, $T),
                ) {
                    let mut __index = 0;
                    $(
                        $crate::generated::Varying::<$T>::zip_scalars(
                            &mut self.$field, &__other.$field, &mut |__x, __y| __f(__index, __x, __y),
                        );
                        __index += 1;
                    )*
                }

                fn visit_past(&mut self, __visitor: &mut $crate::generated::StateVisitor<'_, $T>) {
                    $($crate::generated::PastField::<$T>::visit(
                        &mut self.$past, ::core::stringify!($past), __visitor,
                    );)*
                }

                fn reread(&self, __y: &mut $Output) {
                    $((*__y)$($place)* = ::core::clone::Clone::clone(&self.$output);)*
                }

                fn pull_reread(&mut self, __dy: &mut $Output) {
                    $(
                        $crate::generated::Varying::<$T>::add(&mut self.$output, &(*__dy)$($place)*);
                        (*__dy)$($place)* = $crate::generated::Varying::<$T>::zero();
                    )*
                }
            }
        }
    };
}

/// Implements the traits `Model` and `ModelMut` of a cell, and its constructors.
///
/// The arguments are the generic parameters, the scalar and the type of the cell; the parameters
/// and the buffers, each with its rank and the storage of its blocks; a marker field if the cell
/// has neither; and the depths of its rings.
#[doc(hidden)]
#[macro_export]
macro_rules! __model {
    (
        [$($generics:tt)*] $T:ident $Cell:ty
        { $($param:ident $param_rank:literal [$($param_storage:expr),*];)* }
        { $($buffer:ident $buffer_rank:literal [$($buffer_storage:expr),*];)* }
        { $($marker:ident)? } [$($ring:expr),*]
    ) => {
        impl<$($generics)*> $Cell {
            /// Returns a cell whose parameters and buffers are all zero.
            pub fn zeros() -> Self {
                Self {
                    $($param: $crate::generated::Block::zeros(),)*
                    $($buffer: $crate::generated::Block::zeros(),)*
                    $($marker: ::core::marker::PhantomData,)?
                }
            }

            /// Returns a cell initialised by the initialisers of the definition.
            pub fn init(rng: &mut (impl $crate::generated::Rng + ?::core::marker::Sized)) -> Self {
                let mut __cell = Self::zeros();
                __cell.initialise(rng);
                __cell
            }
        }

        $crate::generated::if_alloc! {
            impl<$($generics)*> $Cell {
                /// Returns [`zeros`](Self::zeros), constructed on the heap: a large cell would
                /// overflow the stack of a thread.
                pub fn zeros_boxed() -> $crate::generated::Box<Self> {
                    $crate::generated::boxed(Self::zeros)
                }

                /// Returns [`init`](Self::init), constructed on the heap.
                pub fn init_boxed(
                    rng: &mut (impl $crate::generated::Rng + ?::core::marker::Sized),
                ) -> $crate::generated::Box<Self> {
                    let mut __cell = Self::zeros_boxed();
                    __cell.initialise(rng);
                    __cell
                }
            }
        }

        impl<$($generics)*> $crate::generated::Model for $Cell {
            type Scalar = $T;
            type Gradients = Self;

            $crate::generated::if_alloc! {
                fn zero_gradients(&self) -> $crate::generated::Box<Self> {
                    Self::zeros_boxed()
                }
            }

            fn visit<'v>(
                &'v self,
                __visitor: &mut dyn for<'n> ::core::ops::FnMut($crate::generated::Parameter<'n, 'v, $T>),
            ) {
                $($crate::generated::Block::visit_declared(
                    &self.$param, ::core::stringify!($param), $param_rank, &[$($param_storage),*], __visitor,
                );)*
            }

            fn visit_buffers<'v>(
                &'v self,
                __visitor: &mut dyn for<'n> ::core::ops::FnMut($crate::generated::Parameter<'n, 'v, $T>),
            ) {
                $($crate::generated::Block::visit_declared(
                    &self.$buffer, ::core::stringify!($buffer), $buffer_rank, &[$($buffer_storage),*], __visitor,
                );)*
            }

            fn visit_layers(
                &self,
                __visitor: &mut dyn ::core::ops::FnMut($crate::generated::LayerInfo<'_>),
            ) {
                $crate::generated::visit_layer::<Self>(
                    Self::FLOPS_PER_STEP, Self::EQUATIONS, &[$($ring),*], __visitor,
                );
            }
        }

        impl<$($generics)*> $crate::generated::ModelMut for $Cell {
            fn visit_mut<'v>(
                &'v mut self,
                __visitor: &mut dyn for<'n> ::core::ops::FnMut($crate::generated::ParameterMut<'n, 'v, $T>),
            ) {
                $($crate::generated::Block::visit_declared_mut(
                    &mut self.$param, ::core::stringify!($param), $param_rank, &[$($param_storage),*], __visitor,
                );)*
            }

            fn visit_buffers_mut<'v>(
                &'v mut self,
                __visitor: &mut dyn for<'n> ::core::ops::FnMut($crate::generated::ParameterMut<'n, 'v, $T>),
            ) {
                $($crate::generated::Block::visit_declared_mut(
                    &mut self.$buffer, ::core::stringify!($buffer), $buffer_rank, &[$($buffer_storage),*], __visitor,
                );)*
            }
        }
    };
}

/// Implements `Debug` for a cell.
#[doc(hidden)]
#[macro_export]
macro_rules! __debug {
    ([$($generics:tt)*] $Cell:ty) => {
        impl<$($generics)*> ::core::fmt::Debug for $Cell {
            fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::generated::debug(self, __f)
            }
        }
    };
}
