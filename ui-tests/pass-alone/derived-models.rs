// Derived models in a crate with strict lints, and beside items named like those of the prelude.

//! A crate with documentation.

#![forbid(unsafe_code)]
#![deny(warnings, unused, nonstandard_style, missing_docs, missing_debug_implementations)]
#![deny(unreachable_pub, unused_lifetimes, elided_lifetimes_in_paths, unused_qualifications)]
#![deny(trivial_casts, trivial_numeric_casts, unused_import_braces, keyword_idents, trivial_bounds)]
#![deny(future_incompatible, rust_2018_idioms, rust_2021_compatibility, rust_2024_compatibility)]

use rnn_cell::cells::{Dense, Lstm};

/// A public module with its own `Model` and `Box`.
pub mod models {
    #![allow(dead_code, non_camel_case_types, missing_debug_implementations)]

    use super::{Dense, Lstm};

    struct Result;
    struct Option;
    struct Some;
    struct Vec;
    struct Box;
    struct String;
    struct Default;
    struct Debug;
    struct Model;
    struct ModelMut;
    struct Parameter;
    struct Scalar;
    struct PhantomData;
    struct FnMut;
    mod core {}
    mod std {}
    mod alloc {}
    mod generated {}
    trait visit {}

    /// A model with every kind of field.
    #[derive(rnn_cell::cell::Model)]
    pub struct Net<'a, T: rnn_cell::Scalar, L, const H: usize, N = u8>
    where
        L: Clone,
    {
        /// A documented field.
        pub lstm: Lstm<2, H, T>,
        pub(crate) r#type: [Lstm<H, H, T>; 3],
        visitor: ::std::boxed::Box<Dense<H, 2, T>>,
        layer: L,
        #[model(skip)]
        names: &'a [N],
    }

    /// A tuple.
    #[derive(rnn_cell::cell::Model)]
    pub struct Pair(pub Lstm<2, 2>, #[model(skip)] u8, Dense<2, 2>);

    impl Pair {
        /// Makes a pair.
        pub fn new(lstm: Lstm<2, 2>, dense: Dense<2, 2>) -> Self {
            Pair(lstm, 0, dense)
        }
    }

    /// A generic tuple.
    #[derive(rnn_cell::cell::Model)]
    pub struct Wrapped<L>(L, #[model(skip)] u8)
    where
        L: rnn_cell::cell::Layer<1>;

    /// A model whose lifetimes are named like those of the trait.
    #[derive(rnn_cell::cell::Model)]
    pub struct Labelled<'v, 'n> {
        dense: Dense<2, 2>,
        #[model(skip)]
        labels: (&'v str, &'n str),
    }

    mod inner {
        rnn_cell::rnn_cell! {
            cell Private<H> {
                input x: [H];
                param w: [H];
                y = w * x;
                output y;
            }
        }

        #[derive(rnn_cell::cell::Model)]
        pub(super) struct Nested {
            private: Private<2>,
            pub(super) pair: super::Pair,
        }
    }
}

fn main() {
    use rnn_cell::prelude::*;
    let pair = models::Pair::new(Lstm::zeros(), Dense::zeros());
    let mut gradients = pair.zero_gradients();
    gradients.0.set_zero();
    let mut names = Vec::new();
    gradients.visit(&mut |parameter| names.push(parameter.name.to_owned()));
    assert_eq!(names.last().map(String::as_str), Some("2.b"));
    assert_eq!(names.len(), 14);

    /// Models within functions.
    #[derive(Debug, Clone, PartialEq, Model)]
    struct Local {
        dense: Dense<2, 2>,
    }
    let local = Local { dense: Dense::zeros() };
    assert_eq!(format!("{local:?}"), "Local { dense: Dense<2, 2> { W: [2, 2] max 0, b: [2] max 0 } }");
}
