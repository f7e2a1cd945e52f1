//! Backpropagation through a limited window of past steps.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use crate::cell::{Bars, Cell, IntoBars, IntoPass, Layer};
use crate::types::varying::Varying;

/// Truncated backpropagation through time (Williams & Peng 1990, BPTT(h; h'); Sutskever 2013,
/// section 2.8.6). After every block of `k1` steps the cotangents of its outputs go back through
/// the last `k2` steps. The state is carried from block to block; its cotangent is cut at the start
/// of the window.
///
/// - With `k1 = k2` the sequence is cut into windows.
/// - With `k2 > k1` the windows overlap, and the cotangent of each output goes back through at
///   least `k2 - k1` steps. A block costs a forward and a backward pass over `k2` steps, because
///   the window runs again with the current parameters.
/// - With `k2 < k1` the outputs of the first steps of a block train nothing.
///
/// If the window is as long as the sequence, the gradients of all blocks add up to the gradient of
/// the sequence.
///
/// ```
/// use rnn_cell::train::bptt::Truncated;
/// use rnn_cell::cells::{Dense, Elman};
/// use rnn_cell::train::optim::{Optimiser, Sgd};
/// use rnn_cell::prelude::*;
///
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let mut net = Stack::new(Elman::<1, 8>::init(&mut rng), Dense::<8, 1>::init(&mut rng));
/// let xs: Vec<_> = (0..100).map(|t| SVector::<f32, 1>::new((0.3 * t as f32).sin())).collect();
///
/// let (mut sgd, mut gradients) = (Sgd::new(0.01), net.zero_gradients());
/// let mut bptt = Truncated::new(&net, 10, 20);
/// while let Some(block) = bptt.forward(&net, &xs[..99]) {
///     // Each output should predict the next input.
///     let errors = bptt.outputs().iter().zip(&xs[block.start + 1..]).map(|(y, x)| (y - x) / 10.0);
///     let dys: Vec<_> = errors.collect();
///     gradients.set_zero();
///     bptt.backward(&net, &xs[..99], &dys, &mut gradients);
///     sgd.step(&mut net, &gradients);
/// }
/// ```
pub struct Truncated<L: Cell<B>, const B: usize> {
    block: usize,
    reach: usize,
    /// The state at step `known`, the earliest at which the next window can start.
    known: usize,
    start: L::State,
    /// The length of the sequence, once it is known.
    steps: Option<usize>,
    /// The last block.
    last: Range<usize>,
    state: L::State,
    /// The last window in pieces, each with its own tape. The state between two pieces is therefore
    /// known, and every piece is either inside or outside the block.
    pieces: Vec<Range<usize>>,
    tapes: [L::Tape; 3],
    /// The start of the last window.
    edge: usize,
    outputs: Vec<L::Output>,
    dstate: L::State,
}

impl<L, const B: usize> Truncated<L, B>
where
    L: Cell<B>,
{
    /// Creates a pass with an update after every `k1` steps, whose cotangents go back through `k2`
    /// steps. The first sequence starts from the layer's initial state; for a layer with a context
    /// see [`from_state`](Self::from_state).
    ///
    /// # Panics
    /// Panics if `k1` or `k2` is zero.
    #[track_caller]
    pub fn new(layer: &L, k1: usize, k2: usize) -> Self
    where
        L: Layer<B, Context = ()>,
    {
        Self::from_state(layer.initial_state(), k1, k2)
    }

    /// Creates a pass like [`new`](Self::new), whose first sequence starts from `state`.
    ///
    /// # Panics
    /// Panics if `k1` or `k2` is zero.
    #[track_caller]
    pub fn from_state(state: L::State, k1: usize, k2: usize) -> Self {
        assert!(
            k1 > 0 && k2 > 0,
            "a block of {k1} steps, a window of {k2}: both must have at least one step"
        );
        Truncated {
            block: k1,
            reach: k2,
            known: 0,
            start: state.clone(),
            steps: None,
            last: 0..0,
            state,
            pieces: Vec::new(),
            tapes: Default::default(),
            edge: 0,
            outputs: Vec::new(),
            dstate: L::State::zero(),
        }
    }

    /// Begins another sequence from `state`.
    pub fn start(&mut self, state: L::State) {
        (self.known, self.edge, self.steps, self.last) = (0, 0, None, 0..0);
        self.start.clone_from(&state);
        self.state = state;
        self.outputs.clear();
        self.pieces.clear();
    }

    /// Runs the next block and returns its steps, or `None` at the end. The pass is always that of
    /// the whole sequence.
    ///
    /// # Panics
    /// Panics if the length of `xs` differs from the previous block. Call [`start`](Self::start)
    /// before another sequence.
    #[track_caller]
    pub fn forward<'a>(
        &mut self,
        layer: &L,
        pass: impl IntoPass<'a, L::Input, L::Context, B>,
    ) -> Option<Range<usize>>
    where
        L: Layer<B, Input: 'a, Context: 'a>,
    {
        let pass = pass.into_pass();
        let xs = pass.xs;
        check_sequence(*self.steps.get_or_insert(xs.len()), xs.len());
        let start = self.last.end;
        let end = xs.len().min(start + self.block);
        if start >= end {
            return None;
        }
        self.edge = self.known.max(end.saturating_sub(self.reach));
        // The start of the window of the next block.
        let next = xs.len().min(end + self.block).saturating_sub(self.reach).clamp(self.edge, end);
        let mut cuts = [self.known, self.edge, next, start, end];
        cuts.sort_unstable();
        self.pieces.clear();
        self.pieces.extend(cuts.windows(2).filter(|cut| cut[0] < cut[1]).map(|cut| cut[0]..cut[1]));

        let mut state = self.start.clone();
        self.outputs.clear();
        for (piece, tape) in self.pieces.iter().zip(&mut self.tapes) {
            if piece.start == next {
                self.start.clone_from(&state);
            }
            layer.forward_pass(pass.window(piece.clone()), &mut state, tape);
            if piece.start >= start {
                self.outputs.extend_from_slice(layer.outputs(tape));
            }
        }
        if next == end {
            self.start.clone_from(&state);
        }
        (self.known, self.last, self.state) = (next, start..end, state);
        Some(self.last.clone())
    }

    /// Returns the steps of the last window: those of the last block, and the earlier steps that
    /// its cotangents go back through. With `k2 < k1` it is the end of the block.
    pub fn window(&self) -> Range<usize> {
        self.edge..self.last.end
    }

    /// Returns the outputs of the last block.
    pub fn outputs(&self) -> &[L::Output] {
        &self.outputs
    }

    /// Returns the state at the end of the last block.
    pub fn state(&self) -> &L::State {
        &self.state
    }

    /// Pulls the cotangents of the last block's outputs back through the window. Call it after
    /// [`forward`](Self::forward), once per block.
    ///
    /// `bars` has the same meaning as in [`Layer::backward`], for a pass over the
    /// [window](Self::window): its state holds the cotangent of the state at the end of the block
    /// on entry (none: zero) and of the state at the start of the window on return; its inputs
    /// become the cotangents of the window's inputs.
    ///
    /// Returns the cotangent of the sequence's initial state if the window reaches it. Pass it to
    /// [`initial_state_backward`](crate::cell::Model::initial_state_backward).
    ///
    /// # Panics
    /// Panics if the number of `dys` differs from the number of outputs, the length of `xs` from
    /// that in [`forward`](Self::forward), or the number of the cotangents of inputs from the
    /// length of the window.
    #[track_caller]
    pub fn backward<'a>(
        &mut self,
        layer: &L,
        pass: impl IntoPass<'a, L::Input, L::Context, B>,
        dys: &[L::Output],
        bars: impl IntoBars<'a, L::Gradients, L::State, L::InputBar, L::Context>,
    ) -> Option<&L::State>
    where
        L: Layer<B, Input: 'a, InputBar: 'a, Context: 'a, State: 'a, Gradients: 'a>,
    {
        let (pass, bars) = (pass.into_pass(), bars.into_bars());
        let outputs = self.outputs.len();
        assert!(dys.len() == outputs, "the block has {outputs} steps, but `dys` has {}", dys.len());
        // Before the first block there are no pieces to go back through.
        check_sequence(self.steps.unwrap_or(pass.xs.len()), pass.xs.len());
        let window = self.window();
        if let Some(dxs) = bars.steps() {
            let steps = window.len();
            assert!(dxs == steps, "the window has {steps} steps, but `dxs` has {dxs}");
        }
        let Bars { gradients, state: dstate, mut inputs, mut context } = bars;
        match &dstate {
            Some(dstate) => self.dstate.clone_from(dstate),
            None => self.dstate = L::State::zero(),
        }
        for (piece, tape) in self.pieces.iter().zip(&mut self.tapes).rev() {
            if piece.start < window.start {
                break;
            }
            let block = &self.last;
            let dys = match piece.start.checked_sub(block.start) {
                Some(from) => &dys[from..from + piece.len()],
                None => &[],
            };
            let bars = Bars {
                gradients: &mut *gradients,
                state: Some(&mut self.dstate),
                inputs: inputs
                    .as_deref_mut()
                    .map(|dxs| &mut dxs[piece.start - window.start..][..piece.len()]),
                context: context.as_deref_mut(),
            };
            layer.backward_pass(pass.window(piece.clone()), tape, dys, bars);
        }
        if let Some(dstate) = dstate {
            dstate.clone_from(&self.dstate);
        }
        (self.edge == 0).then_some(&self.dstate)
    }
}

#[track_caller]
fn check_sequence(steps: usize, xs: usize) {
    assert!(xs == steps, "the sequence has {steps} steps, but `xs` has {xs}");
}

impl<L: Cell<B>, const B: usize> fmt::Debug for Truncated<L, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Truncated { block, reach, last, .. } = self;
        f.debug_struct("Truncated")
            .field("block", block)
            .field("reach", reach)
            .field("last", last)
            .finish_non_exhaustive()
    }
}
