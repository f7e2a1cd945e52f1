//! A function as a layer.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use nalgebra::{SMatrix, SVector};

use crate::Scalar;
use crate::cell::{
    Cell, Isa, Layer, LayerBars, LayerPass, Model, ModelMut, Parameter, ParameterMut, Prepare, check_lengths,
};
use crate::types::varying::Varying;

/// A function of one step of one sample, applied to every step of every sample. It has no
/// parameters.
///
/// An equation is shorter as a cell, whose derivative needs no writing (`y = abs(x)`). This layer
/// is for functions that the equations cannot express: sorting, an FFT, a table.
///
/// The second function pulls a cotangent back: it receives the input and the cotangent of the
/// output, and returns the cotangent of the input. The [gradient
/// check](mod@crate::inspect::gradcheck) compares the two. Neither is called in the padding.
///
/// ```
/// use rnn_cell::cells::Gru;
/// use rnn_cell::inspect::gradcheck::gradcheck;
/// use rnn_cell::network::Map;
/// use rnn_cell::prelude::*;
///
/// // The cumulative sum over the entries of a vector; its transpose sums from the end.
/// fn cumulative(mut x: SVector<f64, 4>, reverse: bool) -> SVector<f64, 4> {
///     for i in 1..4 {
///         if reverse { x[3 - i] += x[4 - i] } else { x[i] += x[i - 1] }
///     }
///     x
/// }
///
/// let map = Map::new(|x| cumulative(*x, false), |_, dy| cumulative(*dy, true));
/// let mut net = Gru::<2, 4, f64>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1)).then(map);
///
/// let xs = vec![SMatrix::<f64, 2, 3>::repeat(0.3); 5];
/// let state = net.initial_state();
/// gradcheck(&mut net, &xs, &state).assert_ok();
/// ```
#[derive(Clone, Copy)]
pub struct Map<F, G, T, const I: usize, const O: usize> {
    function: F,
    backward: G,
    scalar: PhantomData<T>,
}

impl<F, G, T: Scalar, const I: usize, const O: usize> Map<F, G, T, I, O>
where
    F: Fn(&SVector<T, I>) -> SVector<T, O>,
    G: Fn(&SVector<T, I>, &SVector<T, O>) -> SVector<T, I>,
{
    /// Creates a layer of `function` and its `backward`, from `I` inputs to `O` outputs.
    pub fn new(function: F, backward: G) -> Self {
        Map { function, backward, scalar: PhantomData }
    }

    /// Applies the function to the samples of one step that are longer than `step`.
    fn apply<const B: usize>(
        &self,
        x: &SMatrix<T, I, B>,
        step: usize,
        lengths: Option<[usize; B]>,
    ) -> SMatrix<T, O, B> {
        let mut y = SMatrix::<T, O, B>::zeros();
        for sample in running(step, lengths) {
            y.set_column(sample, &(self.function)(&column(x, sample)));
        }
        y
    }
}

fn running<const B: usize>(step: usize, lengths: Option<[usize; B]>) -> impl Iterator<Item = usize> {
    (0..B).filter(move |sample| lengths.is_none_or(|lengths| step < lengths[*sample]))
}

fn column<T: Scalar, const N: usize, const B: usize>(x: &SMatrix<T, N, B>, sample: usize) -> SVector<T, N> {
    SVector::from_column_slice(&x.as_slice()[sample * N..][..N])
}

impl<F, G, T, const I: usize, const O: usize> fmt::Debug for Map<F, G, T, I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").finish_non_exhaustive()
    }
}

/// A model without parameters: the gradients of a layer that has none.
impl<T: Scalar> Model for PhantomData<T> {
    type Scalar = T;
    type Gradients = Self;

    fn zero_gradients(&self) -> Box<Self> {
        Box::new(PhantomData)
    }

    fn visit<'v>(&'v self, _: &mut dyn for<'n> FnMut(Parameter<'n, 'v, T>)) {}
}

impl<T: Scalar> ModelMut for PhantomData<T> {
    fn visit_mut<'v>(&'v mut self, _: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, T>)) {}
}

impl<F, G, T: Scalar, const I: usize, const O: usize> Model for Map<F, G, T, I, O> {
    type Scalar = T;
    type Gradients = PhantomData<T>;

    fn zero_gradients(&self) -> Box<PhantomData<T>> {
        Box::new(PhantomData)
    }

    fn visit<'v>(&'v self, _: &mut dyn for<'n> FnMut(Parameter<'n, 'v, T>)) {}
}

impl<F, G, T: Scalar, const I: usize, const O: usize> ModelMut for Map<F, G, T, I, O> {
    fn visit_mut<'v>(&'v mut self, _: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, T>)) {}
}

impl<const B: usize, F, G, T: Scalar, const I: usize, const O: usize> Layer<B> for Map<F, G, T, I, O>
where
    F: Fn(&SVector<T, I>) -> SVector<T, O>,
    G: Fn(&SVector<T, I>, &SVector<T, O>) -> SVector<T, I>,
{
    type Input = SMatrix<T, I, B>;
    type Output = SMatrix<T, O, B>;
    type InputBar = SMatrix<T, I, B>;
    type Context = ();
    type State = ();
    /// The outputs.
    type Tape = Vec<SMatrix<T, O, B>>;

    fn forward_pass(&self, pass: LayerPass<'_, Self, B>, (): &mut (), tape: &mut Self::Tape) {
        tape.clear();
        tape.extend(pass.xs.iter().enumerate().map(|(t, x)| self.apply(x, t, pass.lengths)));
    }

    fn outputs<'t>(&self, tape: &'t Self::Tape) -> &'t [Self::Output] {
        tape
    }

    fn backward_pass(
        &self,
        pass: LayerPass<'_, Self, B>,
        tape: &mut Self::Tape,
        dys: &[Self::Output],
        bars: LayerBars<'_, Self, B>,
    ) {
        check_lengths(tape.len(), pass.xs.len(), dys.len(), bars.steps());
        let Some(dxs) = bars.inputs else { return };
        dxs.fill(Varying::zero());
        for (t, ((x, dy), dx)) in pass.xs.iter().zip(dys).zip(dxs).enumerate() {
            for sample in running(t, pass.lengths) {
                dx.set_column(sample, &(self.backward)(&column(x, sample), &column(dy, sample)));
            }
        }
    }
}

impl<const B: usize, F, G, T: Scalar, const I: usize, const O: usize> Cell<B> for Map<F, G, T, I, O>
where
    F: Fn(&SVector<T, I>) -> SVector<T, O>,
    G: Fn(&SVector<T, I>, &SVector<T, O>) -> SVector<T, I>,
{
    fn step_with(&self, x: &Self::Input, (): &(), (): &mut ()) -> Self::Output {
        self.apply(x, 0, None)
    }
}

impl<const B: usize, F, G, T: Scalar, const I: usize, const O: usize> Prepare<B> for Map<F, G, T, I, O>
where
    F: Fn(&SVector<T, I>) -> SVector<T, O>,
    G: Fn(&SVector<T, I>, &SVector<T, O>) -> SVector<T, I>,
{
    type Scalar = T;
    type Context = ();
    type Input = SMatrix<T, I, B>;
    type Output = SMatrix<T, O, B>;
    type State = ();
    type Fixed = ();

    #[inline(always)]
    fn prepare_on<S: Isa>(&self, _: S, (): &()) {}

    #[inline(always)]
    fn step_on<S: Isa>(&self, _: S, (): &(), x: &Self::Input, (): &(), (): &mut ()) -> Self::Output {
        self.apply(x, 0, None)
    }
}
