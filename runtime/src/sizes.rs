//! Sizes that are known only at run time.

use core::error::Error;
use core::fmt;

/// A size for which [`with_sizes!`](crate::with_sizes) compiled no instance.
///
/// ```
/// use rnn_cell::{SizeError, with_sizes};
///
/// let hidden = 48;
/// let error: SizeError = with_sizes!(hidden in [16, 32, 64] => hidden).unwrap_err();
/// assert_eq!(error.to_string(), "hidden = 48 is not among the compiled sizes 16, 32, 64");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SizeError {
    /// The name of the size in the macro.
    pub name: &'static str,
    /// The size at run time.
    pub size: usize,
    /// The compiled sizes.
    pub compiled: &'static [usize],
}

impl fmt::Display for SizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} is not among the compiled sizes", self.name, self.size)?;
        for (place, size) in self.compiled.iter().enumerate() {
            write!(f, "{} {size}", if place > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

/// Shows the message: `fn main() -> Result<(), SizeError>` prints it.
impl fmt::Debug for SizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for SizeError {}

/// Evaluates an expression in which sizes of the run time are constants.
///
/// The sizes of cells are const generics, but a program often reads them from its command line or
/// from a file. `with_sizes!` compiles the expression once for each size in a list and evaluates
/// the instance that matches the size at run time:
///
/// ```
/// use rnn_cell::cells::{Dense, Lstm};
/// use rnn_cell::prelude::*;
/// use rnn_cell::with_sizes;
///
/// fn parameters<const HIDDEN: usize, const INPUTS: usize>(seed: u64) -> usize {
///     let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
///     let lstm = Lstm::<INPUTS, HIDDEN>::init_boxed(&mut rng);
///     Stack(lstm, Dense::<HIDDEN, 1>::init(&mut rng)).parameter_count()
/// }
///
/// let (hidden, inputs): (usize, usize) = (32, 2); // For example from the command line.
/// let count = with_sizes!(hidden in [16, 32, 64], inputs in [1, 2] => parameters::<hidden, inputs>(1))?;
/// assert_eq!(count, 4 * 32 * (2 + 32 + 1) + 32 + 1);
/// # Ok::<(), rnn_cell::SizeError>(())
/// ```
///
/// # Syntax
/// `with_sizes!(size in [SIZES], .. => EXPRESSION)` is a `Result` of the expression's value, or of
/// a [`SizeError`] if a size is not in its list. Each `size` is a variable of type `usize`, and a
/// constant of the same name in the expression. `size in [SIZES] = VALUE` takes the size from
/// another expression, such as `options.hidden` or `file.hidden_size()`. A size in a list may be
/// any constant expression.
///
/// All instances have one type. An expression whose type depends on a size is put in a box:
///
/// ```
/// use rnn_cell::cells::Gru;
/// use rnn_cell::prelude::*;
/// use rnn_cell::with_sizes;
///
/// type Player = Box<dyn FnMut(&SVector<f32, 3>) -> f32>;
///
/// fn player<const HIDDEN: usize>(seed: u64) -> Player {
///     let gru = Gru::<3, HIDDEN>::init(&mut Xoshiro256PlusPlus::seed_from_u64(seed));
///     let mut state = gru.initial_state();
///     Box::new(move |x| gru.step(x, &mut state)[HIDDEN - 1])
/// }
///
/// # struct Options { hidden: usize }
/// # let options = Options { hidden: 16 };
/// let mut last: Player = with_sizes!(hidden in [16, 32] = options.hidden => player::<hidden>(1))?;
/// assert!(last(&SVector::<f32, 3>::new(0.1, 0.2, 0.3)) != 0.0);
/// # Ok::<(), rnn_cell::SizeError>(())
/// ```
///
/// Several lists compile the expression for every combination, which takes time and space: three
/// sizes of two lists are nine instances. `return` and `?` in the expression leave the surrounding
/// function.
///
/// # Mistakes
/// The type of a size is `usize`:
/// ```compile_fail,E0308
/// let hidden: u32 = 16;
/// let _ = rnn_cell::with_sizes!(hidden in [16, 32] => hidden);
/// ```
///
/// The type of the expression must not depend on a size:
/// ```compile_fail,E0308
/// let hidden = 16;
/// let _ = rnn_cell::with_sizes!(hidden in [16, 32] => [0.0; hidden]);
/// ```
///
/// The sizes are a list of constants, not a range (`16..32`) and not variables:
/// ```compile_fail,E0435
/// let (hidden, most) = (16, 32);
/// let _ = rnn_cell::with_sizes!(hidden in [16, most] => hidden);
/// ```
#[macro_export]
macro_rules! with_sizes {
    ($($size:ident in [$($compiled:expr),+ $(,)?] $(= $value:expr)?),+ $(,)? => $body:expr $(,)?) => {
        $crate::__with_sizes! { {$($size [$($compiled),+] ($($value,)? $size),)+} $body }
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "expected `size in [16, 32, 64] => function::<size>(..)`, with commas between several sizes"
        )
    };
}

/// Removes one size after the other from the list in braces.
#[doc(hidden)]
#[macro_export]
macro_rules! __with_sizes {
    ({} $body:expr) => {
        ::core::result::Result::Ok($body)
    };
    ({$size:ident [$($compiled:expr),+] ($value:expr $(, $name:ident)?), $($rest:tt)*} $body:expr) => {
        $crate::__with_sizes! { @ $size [$($compiled),+] ($value) {$($rest)*} $body }
    };
    (@ $size:ident [$($compiled:expr),+] ($value:expr) $rest:tt $body:expr) => {{
        let value: ::core::primitive::usize = $value;
        $(if value == $compiled {
            #[allow(non_upper_case_globals)]
            const $size: ::core::primitive::usize = $compiled;
            $crate::__with_sizes! { $rest $body }
        } else)+ {
            ::core::result::Result::Err($crate::SizeError {
                name: ::core::stringify!($size),
                size: value,
                compiled: &[$($compiled),+],
            })
        }
    }};
}

#[cfg(test)]
mod tests {
    use super::SizeError;
    use crate::cells::Gru;
    use crate::prelude::*;

    struct Options {
        hidden: usize,
        layers: usize,
    }

    fn area<const H: usize, const L: usize>(text: &str) -> String {
        format!("{text} {H}x{L}")
    }

    fn chosen(options: &Options) -> Result<String, SizeError> {
        let layers = options.layers;
        crate::with_sizes!(
            hidden in [16, 2 * 16] = options.hidden,
            layers in [1, 2, SmallList::LAST],
            => area::<hidden, layers>("a"),
        )
    }

    struct SmallList;

    impl SmallList {
        const LAST: usize = 5;
    }

    #[test]
    fn every_combination_has_its_instance() {
        for hidden in [16, 32] {
            for layers in [1, 2, 5] {
                assert_eq!(chosen(&Options { hidden, layers }), Ok(format!("a {hidden}x{layers}")));
            }
        }
    }

    #[test]
    fn a_size_outside_the_list_is_an_error() {
        let message = |hidden, layers| chosen(&Options { hidden, layers }).unwrap_err().to_string();
        assert_eq!(message(17, 1), "hidden = 17 is not among the compiled sizes 16, 32");
        assert_eq!(message(32, 0), "layers = 0 is not among the compiled sizes 1, 2, 5");
        assert_eq!(message(0, 0), "hidden = 0 is not among the compiled sizes 16, 32");
    }

    /// The value is evaluated once, in the surrounding function, and the expression is moved into
    /// one instance.
    #[test]
    fn values_are_evaluated_once_and_moved_once() {
        fn run(calls: &mut u32, owned: Vec<u8>) -> Result<(usize, Vec<u8>), Box<dyn core::error::Error>> {
            let mut next = || {
                *calls += 1;
                "3".parse::<usize>()
            };
            let pair = crate::with_sizes!(N in [1, 2, 3, 4] = next()? => {
                if owned.is_empty() {
                    return Ok((0, owned));
                }
                (N, owned)
            })?;
            Ok(pair)
        }
        let mut calls = 0;
        assert_eq!(run(&mut calls, vec![7]).unwrap(), (3, vec![7]));
        assert_eq!(run(&mut calls, vec![]).unwrap(), (0, vec![]));
        assert_eq!(calls, 2);
    }

    #[test]
    fn cells_of_several_sizes_behind_one_type() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut build = |units: usize| {
            crate::with_sizes!(units in [4, 8] => {
                let gru = Gru::<1, units>::init(&mut rng);
                let mut state = gru.initial_state::<1>();
                let step = move |x: f32| gru.step(&SVector::<f32, 1>::new(x), &mut state).len();
                Box::new(step) as Box<dyn FnMut(f32) -> usize>
            })
        };
        assert_eq!((build(4).unwrap()(0.5), build(8).unwrap()(0.5)), (4, 8));
        let error = build(5).err().unwrap();
        assert_eq!(error, SizeError { name: "units", size: 5, compiled: &[4, 8] });
        assert_eq!(format!("{error:?}"), "units = 5 is not among the compiled sizes 4, 8");
    }
}
