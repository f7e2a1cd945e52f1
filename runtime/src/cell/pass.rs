//! The arguments of a pass over a sequence: the values that it reads, and the cotangents of a
//! backward pass.

use core::ops::Range;

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::data::{Batch, ends, window};

/// The values that a pass over a sequence of `B` samples reads: inputs `X`, a context `C`, and the
/// samples' lengths.
///
/// Callers rarely construct one: `&xs`, `&batch` and `(&xs, &context)` [convert to it](IntoPass). A
/// pass is a plain value that can be used again:
///
/// ```
/// use rnn_cell::prelude::*;
///
/// let xs = [[0.5_f32; 4]; 3];
/// let pass = Pass::of(&xs).lengths([3, 2, 2, 1]);
/// assert_eq!(pass.window(1..3).lengths, Some([2, 1, 1, 0]));
/// ```
#[derive(Debug)]
pub struct Pass<'a, X, C, const B: usize> {
    /// `xs[t]` is step `t` of every sample.
    pub xs: &'a [X],
    /// The context, which stays the same for the whole sequence; `&()` for a layer without one.
    pub context: &'a C,
    /// The number of steps of each sample, if they differ. The contents of the steps past a
    /// sample's end do not matter.
    pub lengths: Option<[usize; B]>,
}

impl<X, C, const B: usize> Clone for Pass<'_, X, C, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<X, C, const B: usize> Copy for Pass<'_, X, C, B> {}

impl<'a, X, const B: usize> Pass<'a, X, (), B> {
    /// Returns a pass over `xs`, whose samples all have the same length.
    pub fn of(xs: &'a [X]) -> Self {
        Pass { xs, context: &(), lengths: None }
    }
}

impl<'a, X, C, const B: usize> Pass<'a, X, C, B> {
    /// Sets the lengths of the samples; `None` means that all are as long as `xs`.
    #[must_use]
    pub fn lengths(mut self, lengths: impl Into<Option<[usize; B]>>) -> Self {
        self.lengths = lengths.into();
        self
    }

    /// Sets the context.
    #[must_use]
    pub fn context<D>(self, context: &'a D) -> Pass<'a, X, D, B> {
        Pass { xs: self.xs, context, lengths: self.lengths }
    }

    /// Replaces the inputs by those of another layer, for the same samples and steps.
    #[must_use]
    pub fn inputs<'b, Y>(self, xs: &'b [Y]) -> Pass<'b, Y, C, B>
    where
        'a: 'b,
    {
        Pass { xs, context: self.context, lengths: self.lengths }
    }

    /// Returns the part of the pass over the steps `steps`.
    ///
    /// # Panics
    /// Panics if the sequence has no such steps.
    #[must_use]
    #[track_caller]
    pub fn window(self, steps: Range<usize>) -> Self {
        let lengths = self.lengths.map(|lengths| window(lengths, steps.start, steps.len()));
        Pass { xs: &self.xs[steps], context: self.context, lengths }
    }

    /// Returns the samples that have ended before step `step`.
    pub fn ended(&self, step: usize) -> impl Iterator<Item = usize> + use<X, C, B> {
        let lengths = self.lengths;
        (0..B).filter(move |sample| lengths.is_some_and(|lengths| step >= lengths[*sample]))
    }
}

/// The arguments from which a pass can be made:
///
/// | argument | meaning |
/// | --- | --- |
/// | `&xs` (a `Vec`, an array, a slice) | samples of the same length |
/// | `&batch` (a [`Batch`]) | samples of different lengths |
/// | `(&xs, &context)`, `(&batch, &context)` | the same, for a layer with a context |
/// | a [`Pass`] | every part by itself: `Pass::of(&xs).lengths(lengths)` |
#[diagnostic::on_unimplemented(
    message = "this layer does not read `{Self}`",
    label = "not a sequence of `{X}` with the context `{C}`",
    note = "a pass reads `&xs` or `&batch`; with a context, `(&xs, &context)`; generic code says `Layer<B, Context = ()>`"
)]
pub trait IntoPass<'a, X, C, const B: usize> {
    /// Returns the pass.
    fn into_pass(self) -> Pass<'a, X, C, B>;
}

#[diagnostic::do_not_recommend]
impl<'a, X, C, const B: usize> IntoPass<'a, X, C, B> for Pass<'a, X, C, B> {
    fn into_pass(self) -> Pass<'a, X, C, B> {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<'a, X, const B: usize> IntoPass<'a, X, (), B> for &'a [X] {
    fn into_pass(self) -> Pass<'a, X, (), B> {
        Pass::of(self)
    }
}

#[diagnostic::do_not_recommend]
impl<'a, X, const B: usize> IntoPass<'a, X, (), B> for &'a Vec<X> {
    fn into_pass(self) -> Pass<'a, X, (), B> {
        Pass::of(self)
    }
}

#[diagnostic::do_not_recommend]
impl<'a, X, const N: usize, const B: usize> IntoPass<'a, X, (), B> for &'a [X; N] {
    fn into_pass(self) -> Pass<'a, X, (), B> {
        Pass::of(self)
    }
}

#[diagnostic::do_not_recommend]
impl<'a, X, const B: usize> IntoPass<'a, X, (), B> for &'a Batch<X, B> {
    fn into_pass(self) -> Pass<'a, X, (), B> {
        Pass::of(&self.xs).lengths(self.lengths)
    }
}

#[diagnostic::do_not_recommend]
impl<'a, X, C, P: IntoPass<'a, X, (), B>, const B: usize> IntoPass<'a, X, C, B> for (P, &'a C) {
    fn into_pass(self) -> Pass<'a, X, C, B> {
        self.0.into_pass().context(self.1)
    }
}

/// The arguments that one step can read: `&x`, or `(&x, &context)` for a layer with a context.
#[diagnostic::on_unimplemented(
    message = "this layer does not read `{Self}`",
    label = "not an input `{X}` with the context `{C}`",
    note = "a step reads `&x`; with a context, `(&x, &context)`"
)]
pub trait IntoStep<'a, X, C> {
    /// Returns the input and the context.
    fn into_step(self) -> (&'a X, &'a C);
}

#[diagnostic::do_not_recommend]
impl<'a, X> IntoStep<'a, X, ()> for &'a X {
    #[inline(always)]
    fn into_step(self) -> (&'a X, &'a ()) {
        (self, &())
    }
}

#[diagnostic::do_not_recommend]
impl<'a, X, C> IntoStep<'a, X, C> for (&'a X, &'a C) {
    #[inline(always)]
    fn into_step(self) -> (&'a X, &'a C) {
        self
    }
}

/// The cotangents that a backward pass writes: of parameters `G`, of a state `S`, of inputs `D`, of
/// a context `C`.
///
/// `&mut gradients` alone stands for [`Bars::of`]`(&mut gradients)`, where the layer has no
/// context.
///
/// ```
/// use rnn_cell::cells::Lstm;
/// use rnn_cell::prelude::*;
///
/// let lstm = Lstm::<2, 4>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
/// let xs = vec![SVector::<f32, 2>::repeat(0.5); 3];
/// let (mut state, mut tape) = (lstm.zero_state(), lstm.tape());
/// let dys = lstm.forward(&xs, &mut state, &mut tape).to_vec();
///
/// let (mut gradients, mut dstate, mut dxs) = (lstm.zero_gradients(), lstm.zero_state(), xs.clone());
/// let bars = Bars::of(&mut gradients).state(&mut dstate).inputs(&mut dxs);
/// lstm.backward(&xs, &mut tape, &dys, bars);
/// ```
#[derive(Debug)]
pub struct Bars<'a, G, S, D, C = ()> {
    /// The gradients of the parameters, which are added to.
    pub gradients: &'a mut G,
    /// The cotangent of the final state on entry, and of the initial state on return. `None` means
    /// zero on entry.
    pub state: Option<&'a mut S>,
    /// The cotangents of the inputs, which are overwritten; zero past a sample's end.
    pub inputs: Option<&'a mut [D]>,
    /// The cotangent of the context, which is added to.
    pub context: Option<&'a mut C>,
}

impl<'a, G, S, D> Bars<'a, G, S, D> {
    /// Returns bars with the gradients alone. The cotangent of the final state is zero.
    pub fn of(gradients: &'a mut G) -> Self {
        Bars { gradients, state: None, inputs: None, context: None }
    }

    /// Adds the cotangent of the context to `context`.
    #[must_use]
    pub fn context<C>(self, context: &'a mut C) -> Bars<'a, G, S, D, C> {
        Bars { context: Some(context), ..self.without_context() }
    }

    /// Omits the cotangent of the context. A layer with a context requires this call if that
    /// cotangent is not wanted.
    #[must_use]
    pub fn without_context<C>(self) -> Bars<'a, G, S, D, C> {
        let Bars { gradients, state, inputs, .. } = self;
        Bars { gradients, state, inputs, context: None }
    }
}

impl<'a, G, S, D, C> Bars<'a, G, S, D, C> {
    /// Reads the cotangent of the final state from `state`, and overwrites it with the cotangent of
    /// the initial state.
    #[must_use]
    pub fn state(mut self, state: &'a mut S) -> Self {
        self.state = Some(state);
        self
    }

    /// Overwrites `inputs` with the cotangents of the inputs, one per step.
    #[must_use]
    pub fn inputs(mut self, inputs: &'a mut [D]) -> Self {
        self.inputs = Some(inputs);
        self
    }

    /// Returns the same cotangents with a shorter lifetime, because a layer made of layers passes
    /// them on more than once.
    pub fn reborrow(&mut self) -> Bars<'_, G, S, D, C> {
        Bars {
            gradients: self.gradients,
            state: self.state.as_deref_mut(),
            inputs: self.inputs.as_deref_mut(),
            context: self.context.as_deref_mut(),
        }
    }

    /// Returns the number of steps for which cotangents of inputs are wanted.
    pub fn steps(&self) -> Option<usize> {
        self.inputs.as_deref().map(<[D]>::len)
    }
}

/// The arguments from which [`Bars`] can be made: `&mut gradients` for a layer without a context,
/// or [`Bars`] themselves.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not hold the cotangents of this layer",
    label = "not gradients `{G}` with the cotangent of the context `{C}`",
    note = "without a context: `&mut gradients` or `Bars::of(&mut gradients)`",
    note = "with a context: `Bars::of(&mut gradients).context(&mut dcontext)` or `.without_context()`"
)]
pub trait IntoBars<'a, G, S, D, C> {
    /// Returns the cotangents.
    fn into_bars(self) -> Bars<'a, G, S, D, C>;
}

#[diagnostic::do_not_recommend]
impl<'a, G, S, D, C> IntoBars<'a, G, S, D, C> for Bars<'a, G, S, D, C> {
    fn into_bars(self) -> Bars<'a, G, S, D, C> {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<'a, G, S, D, C> IntoBars<'a, G, S, D, C> for Bars<'a, Box<G>, S, D, C> {
    fn into_bars(self) -> Bars<'a, G, S, D, C> {
        let Bars { gradients, state, inputs, context } = self;
        Bars { gradients, state, inputs, context }
    }
}

#[diagnostic::do_not_recommend]
impl<'a, G, S, D> IntoBars<'a, G, S, D, ()> for &'a mut G {
    fn into_bars(self) -> Bars<'a, G, S, D> {
        Bars::of(self)
    }
}

#[diagnostic::do_not_recommend]
impl<'a, G, S, D> IntoBars<'a, G, S, D, ()> for &'a mut Box<G> {
    fn into_bars(self) -> Bars<'a, G, S, D> {
        Bars::of(self)
    }
}

/// Panics unless the arguments of a backward pass have the length of the tape.
///
/// # Panics
/// Panics if one length differs. The message contains both lengths.
pub(crate) fn check_lengths(tape: usize, xs: usize, dys: usize, dxs: Option<usize>) {
    assert!(xs == tape, "the tape holds a forward pass of {tape} steps, but `xs` has {xs}");
    assert!(dys == tape || dys == 0, "the tape holds a forward pass of {tape} steps, but `dys` has {dys}");
    if let Some(dxs) = dxs {
        assert!(dxs == tape, "the tape holds a forward pass of {tape} steps, but `dxs` has {dxs}");
    }
}

/// Panics unless the samples of a backward pass have the lengths of the forward pass on the tape.
///
/// # Panics
/// Panics if one length differs. The message contains all lengths.
pub(crate) fn check_ends<const B: usize>(
    forward: Option<[usize; B]>,
    backward: Option<[usize; B]>,
    steps: usize,
) {
    let (forward, backward) = (ends(steps, forward), ends(steps, backward));
    assert!(
        forward == backward,
        "the tape holds a forward pass of samples of the lengths {forward:?}, but `lengths` is {backward:?}"
    );
}
