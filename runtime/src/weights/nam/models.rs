//! Ready models: the published sizes.

use alloc::boxed::Box;

use super::super::family::Family;
use super::File;
use crate::Scalar;
use crate::cells::{
    Dense, InitialStateLstm, NamGatedLayer, NamHead, NamHead16, NamLayer, NamLeakyLayer6, NamLeakyLayer15,
    NamNext, NamStart,
};
use crate::kernels::boxed;
use crate::network::Stack;
use crate::rng::Rng;
use nalgebra::SVector;

/// A model of one layer of `H` units, with one input and one output channel.
pub type OneLayer<const H: usize, T = f32> = Stack<InitialStateLstm<1, H, T>, Dense<H, 1, T>>;

/// A model of two layers of `H` units, with one input and one output channel.
pub type TwoLayers<const H: usize, T = f32> =
    Stack<Stack<InitialStateLstm<1, H, T>, InitialStateLstm<H, H, T>>, Dense<H, 1, T>>;

/// Creates a model of one layer with all parameters zero.
pub fn one_layer<const H: usize>() -> OneLayer<H> {
    Stack(InitialStateLstm::zeros(), Dense::zeros())
}

/// Creates a model of two layers with all parameters zero.
pub fn two_layers<const H: usize>() -> TwoLayers<H> {
    Stack(Stack(InitialStateLstm::zeros(), InitialStateLstm::zeros()), Dense::zeros())
}

/// Nests the types of a chain of cells: `chain!(A, B, C)` is `Stack<Stack<A, B>, C>`.
macro_rules! chain {
    ($chain:ty) => { $chain };
    ($chain:ty, $next:ty $(, $rest:ty)*) => { chain!(Stack<$chain, $next> $(, $rest)*) };
}

/// Puts layers with these dilations on top of `below`.
macro_rules! layers {
    ($layer:ident, $below:ty, $channels:literal, $scalar:ident: $($dilation:literal)*) => {
        chain!($below $(, $layer<1, $channels, $dilation, $scalar>)*)
    };
}

/// Puts the ten layers of an array of [`Standard`] on top of `below`.
macro_rules! ten {
    ($below:ty, $channels:literal, $scalar:ident) => {
        layers!(NamLayer, $below, $channels, $scalar: 1 2 4 8 16 32 64 128 256 512)
    };
}

/// Expands to a WaveNet of two arrays of seven and thirteen layers.
macro_rules! classic {
    ($first:literal, $second:literal, $scalar:ident) => {
        Stack<
            layers!(NamLayer,
                chain!(
                    layers!(NamLayer, NamStart<1, $first, $scalar>, $first, $scalar: 1 2 4 8 16 32 64),
                    NamNext<1, $first, $second, $scalar>
                ),
                $second, $scalar: 128 256 512 1 2 4 8 16 32 64 128 256 512
            ),
            NamHead<1, $second, $scalar>,
        >
    };
}

/// Expands to a WaveNet of an A2 file.
macro_rules! a2 {
    ($channels:literal, $scalar:ident) => {
        Stack<
            layers!(NamLeakyLayer6,
                layers!(NamLeakyLayer15,
                    layers!(NamLeakyLayer6,
                        NamStart<1, $channels, $scalar>, $channels, $scalar:
                        1 3 7 17 41 101 239 1 3 7 17 41 101 239
                    ),
                    $channels, $scalar: 1 13
                ),
                $channels, $scalar: 1 3 7 17 41 101 239
            ),
            NamHead16<1, $channels, $scalar>,
        >
    };
}

/// The WaveNet "standard": two arrays of ten layers, of 16 and 8 channels.
pub type Standard<T = f32> =
    Stack<ten!(chain!(ten!(NamStart<1, 16, T>, 16, T), NamNext<1, 16, 8, T>), 8, T), NamHead<1, 8, T>>;

/// The WaveNet "lite": arrays of seven and thirteen layers, of 12 and 6 channels.
pub type Lite<T = f32> = classic!(12, 6, T);

/// The WaveNet "feather": [`Lite`] with 8 and 4 channels.
pub type Feather<T = f32> = classic!(8, 4, T);

/// The WaveNet "nano": [`Lite`] with 4 and 2 channels.
pub type Nano<T = f32> = classic!(4, 2, T);

/// The large model of an A2 file: a WaveNet of 23 layers of 8 channels.
pub type A2<T = f32> = a2!(8, T);

/// The small model of an A2 file: [`A2`] with 3 channels.
pub type A2Nano<T = f32> = a2!(3, T);

/// A network that is created as a whole: the models of this module, and stacks of their cells.
///
/// ```
/// use rnn_cell::cells::{NamGatedLayer, NamHead, NamStart};
/// use rnn_cell::prelude::*;
/// use rnn_cell::weights::nam::{Create, Nano};
///
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let nano = Nano::<f32>::init_boxed(&mut rng);
/// assert_eq!(nano.parameter_count(), 842);
///
/// // A WaveNet of two gated layers.
/// type Small = Stack<Stack<Stack<NamStart<1, 4>, NamGatedLayer<1, 4, 1>>, NamGatedLayer<1, 4, 2>>, NamHead<1, 4>>;
/// let small = Small::init_boxed(&mut rng);
/// ```
pub trait Create: Sized + Send {
    /// Creates a network with all parameters zero.
    fn zeros() -> Self;

    /// Overwrites every parameter with its initial value.
    fn initialise(&mut self, rng: &mut impl Rng);

    /// Creates a network with all parameters zero on the heap.
    fn zeros_boxed() -> Box<Self> {
        boxed(Self::zeros)
    }

    /// Creates an initialised network on the heap.
    fn init_boxed(rng: &mut impl Rng) -> Box<Self> {
        let mut network = Self::zeros_boxed();
        network.initialise(rng);
        network
    }
}

impl<A: Create, L: Create> Create for Stack<A, L> {
    fn zeros() -> Self {
        Stack(A::zeros(), L::zeros())
    }

    fn initialise(&mut self, rng: &mut impl Rng) {
        self.0.initialise(rng);
        self.1.initialise(rng);
    }
}

macro_rules! create {
    ($($cell:ident<$($dimension:ident),*>)*) => {$(
        impl<$(const $dimension: usize,)* T: Scalar> Create for $cell<$($dimension,)* T> {
            fn zeros() -> Self {
                Self::zeros()
            }

            fn initialise(&mut self, rng: &mut impl Rng) {
                Self::initialise(self, rng);
            }
        }
    )*};
}

create! {
    NamStart<I, C> NamLayer<I, C, D> NamGatedLayer<I, C, D> NamNext<I, C, O> NamHead<I, C>
    NamLeakyLayer6<I, C, D> NamLeakyLayer15<I, C, D> NamHead16<I, C> InitialStateLstm<I, H> Dense<I, O>
}

/// Returns a family of the published models with one channel: the six WaveNets of this module, one
/// LSTM of 8, 12, 16, 24 or 40 units, two of 8 or 16.
///
/// All of them are compiled into a program that calls this function. A program that plays fewer
/// models lists them itself.
pub fn published<T: Scalar>(file: &File) -> Family<'_, File, SVector<T, 1>, SVector<T, 1>> {
    Family::of(file)
        .or(Standard::<T>::zeros_boxed)
        .or(Lite::<T>::zeros_boxed)
        .or(Feather::<T>::zeros_boxed)
        .or(Nano::<T>::zeros_boxed)
        .or(A2::<T>::zeros_boxed)
        .or(A2Nano::<T>::zeros_boxed)
        .or(OneLayer::<8, T>::zeros)
        .or(OneLayer::<12, T>::zeros)
        .or(OneLayer::<16, T>::zeros)
        .or(OneLayer::<24, T>::zeros)
        .or(OneLayer::<40, T>::zeros)
        .or(TwoLayers::<8, T>::zeros)
        .or(TwoLayers::<16, T>::zeros)
}
