//! Exact gradients of long sequences from checkpoints of the state.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use crate::cell::{Bars, Cell, IntoBars, IntoPass, Layer, check_lengths};
use crate::types::varying::Varying;

/// The gradient of a whole sequence without its whole tape (Chen et al. 2016, section 4.1; Gruslys
/// et al. 2016).
///
/// The forward pass keeps the state at the start of each segment. The backward pass runs each
/// segment again and then goes back through it. With segments of about the square root of the
/// length, memory grows with the square root. The tapes of the last few segments are
/// [kept](Self::keep) and need no second run.
///
/// States and cotangents are equal to those of a single pass, to the last bit. The gradients are
/// equal too if the layers add them in place, chunk by chunk, as generated cells do, because a
/// segment is a whole number of [chunks](Cell::chunk), unless [`every`](Self::every) changes it.
/// The gradients of two kinds of parameters differ by rounding: those that the equations use in
/// several places, because each use is summed separately, and those that they use through a
/// function (`exp(a)`).
///
/// Outputs exist for one segment at a time, from the last to the first, so the loss must be a sum
/// over the steps:
///
/// ```
/// use rnn_cell::train::bptt::Checkpointed;
/// use rnn_cell::cells::Lstm;
/// use rnn_cell::prelude::*;
///
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let lstm = Lstm::<1, 4>::init(&mut rng);
/// let xs: Vec<_> = (0..1000).map(|t| SVector::<f32, 1>::new((0.1 * t as f32).sin())).collect();
///
/// let mut checkpointed = Checkpointed::new();
/// checkpointed.forward(&lstm, &xs, &mut lstm.zero_state());
/// let (mut loss, mut gradients) = (0.0, Lstm::zeros());
/// let cotangents = |_steps, ys: &[SVector<f32, 4>], dys: &mut [SVector<f32, 4>]| {
///     for (y, dy) in ys.iter().zip(dys) {
///         loss += 0.5 * y.norm_squared();
///         *dy = *y;
///     }
/// };
/// checkpointed.backward(&lstm, &xs, cotangents, &mut gradients);
/// ```
pub struct Checkpointed<L: Cell<B>, const B: usize> {
    every: Option<usize>,
    keep: Option<usize>,
    /// The number of steps of a segment.
    segment: usize,
    steps: usize,
    /// The state at the start of each segment.
    states: Vec<L::State>,
    /// The first segment whose tape is kept.
    first_kept: usize,
    /// The tapes of these segments. The first one is also used for all earlier segments.
    tapes: Vec<L::Tape>,
    dys: Vec<L::Output>,
}

impl<L, const B: usize> Checkpointed<L, B>
where
    L: Cell<B>,
{
    /// Creates a pass with segments of about the square root of the length of the sequence, rounded
    /// up to whole [chunks](Cell::chunk) (usually 256 steps divided by the batch size in a
    /// generated cell). Keeps the tapes of the last segments, up to about 16 times the square root.
    pub fn new() -> Self {
        Checkpointed {
            every: None,
            keep: None,
            segment: 1,
            steps: 0,
            states: Vec::new(),
            first_kept: 0,
            tapes: Vec::new(),
            dys: Vec::new(),
        }
    }

    /// Sets the number of steps of a segment.
    ///
    /// # Panics
    /// Panics if `steps` is zero.
    #[must_use]
    #[track_caller]
    pub fn every(mut self, steps: usize) -> Self {
        assert!(steps > 0, "a segment must have at least one step");
        self.every = Some(steps);
        self
    }

    /// Sets the number of segments, counted from the last, whose tapes are kept. More segments take
    /// more memory and less time.
    ///
    /// # Panics
    /// Panics if `segments` is zero: the tape of the last segment is always kept.
    #[must_use]
    #[track_caller]
    pub fn keep(mut self, segments: usize) -> Self {
        assert!(segments > 0, "at least one tape must be kept, that of the last segment");
        self.keep = Some(segments);
        self
    }

    /// Returns the number of steps of a segment of the last sequence.
    pub fn segment(&self) -> usize {
        self.segment
    }

    /// Runs a sequence. `state` is the initial state on entry and the final one on return.
    pub fn forward<'a>(
        &mut self,
        layer: &L,
        pass: impl IntoPass<'a, L::Input, L::Context, B>,
        state: &mut L::State,
    ) where
        L: Layer<B, Input: 'a, Context: 'a>,
    {
        let pass = pass.into_pass();
        self.steps = pass.xs.len();
        let root = self.steps.isqrt().max(1);
        self.segment = self.every.unwrap_or_else(|| root.next_multiple_of(layer.chunk()));
        let segments = self.steps.div_ceil(self.segment);
        let keep = self.keep.unwrap_or_else(|| (16 * root).div_ceil(self.segment)).min(segments);
        self.first_kept = segments - keep;
        if self.tapes.len() < keep {
            self.tapes.resize_with(keep, L::Tape::default);
        }
        self.states.clear();
        for index in 0..segments {
            self.states.push(state.clone());
            let window = pass.window(self.steps_of(index));
            let tape = &mut self.tapes[index.saturating_sub(self.first_kept)];
            layer.forward_pass(window, state, tape);
        }
    }

    /// Returns the range of steps of a segment.
    fn steps_of(&self, segment: usize) -> Range<usize> {
        segment * self.segment..self.steps.min((segment + 1) * self.segment)
    }

    /// Pulls cotangents back through the sequence of the last forward pass. Each forward pass
    /// allows one backward pass.
    ///
    /// `loss` is called with the steps of a segment, its outputs, and their cotangents. The
    /// cotangents are all zero on entry, and `loss` sets them. `bars` has the same meaning as in
    /// [`Layer::backward`].
    ///
    /// # Panics
    /// Panics if the number of `xs` or of the cotangents of inputs differs from the forward pass.
    #[track_caller]
    pub fn backward<'a>(
        &mut self,
        layer: &L,
        pass: impl IntoPass<'a, L::Input, L::Context, B>,
        mut loss: impl FnMut(Range<usize>, &[L::Output], &mut [L::Output]),
        bars: impl IntoBars<'a, L::Gradients, L::State, L::InputBar, L::Context>,
    ) where
        L: Layer<B, Input: 'a, InputBar: 'a, Context: 'a, State: 'a, Gradients: 'a>,
    {
        let (pass, bars) = (pass.into_pass(), bars.into_bars());
        check_lengths(self.steps, pass.xs.len(), 0, bars.steps());
        let Bars { gradients, state: dstate, mut inputs, mut context } = bars;
        let mut zero = None;
        let dstate = match dstate {
            Some(dstate) => dstate,
            None => zero.insert(L::State::zero()),
        };
        for index in (0..self.states.len()).rev() {
            let steps = self.steps_of(index);
            let window = pass.window(steps.clone());
            let tape = &mut self.tapes[index.saturating_sub(self.first_kept)];
            if index < self.first_kept {
                layer.forward_pass(window, &mut self.states[index], tape);
            }
            self.dys.clear();
            self.dys.resize_with(steps.len(), Varying::zero);
            loss(steps.clone(), layer.outputs(tape), &mut self.dys);
            let bars = Bars {
                gradients: &mut *gradients,
                state: Some(&mut *dstate),
                inputs: inputs.as_deref_mut().map(|dxs| &mut dxs[steps]),
                context: context.as_deref_mut(),
            };
            layer.backward_pass(window, tape, &self.dys, bars);
        }
        // The tapes are used up.
        self.steps = 0;
        self.states.clear();
    }
}

impl<L, const B: usize> Default for Checkpointed<L, B>
where
    L: Cell<B>,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<L: Cell<B>, const B: usize> fmt::Debug for Checkpointed<L, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Checkpointed { every, keep, segment, steps, .. } = self;
        f.debug_struct("Checkpointed")
            .field("every", every)
            .field("keep", keep)
            .field("segment", segment)
            .field("steps", steps)
            .finish_non_exhaustive()
    }
}
