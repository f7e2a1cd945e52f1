//! The library `candle-nn` on the CPU.

use benches::measure::Work;
use benches::peers::Kind;
use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::rnn::{GRUConfig, LSTMConfig, RNN, gru, lstm};
use candle_nn::{VarBuilder, VarMap};
use std::hint::black_box;

/// Returns the workload of a step at batch 1.
pub fn step(kind: Kind, i: usize, h: usize) -> Option<Work<'static>> {
    match kind {
        Kind::Lstm => Some(Box::new(stepping(move |vars| lstm(i, h, LSTMConfig::default(), vars), i))),
        Kind::Gru => Some(Box::new(stepping(move |vars| gru(i, h, GRUConfig::default(), vars), i))),
        Kind::Peephole => None,
    }
}

/// Returns the workload of a forward and a backward pass through a sequence, with the gradients of
/// parameters and inputs.
pub fn train(kind: Kind, i: usize, h: usize, batch: usize, steps: usize) -> Option<Work<'static>> {
    let (map, vars) = variables();
    match kind {
        Kind::Lstm => {
            let cell = lstm(i, h, LSTMConfig::default(), vars).expect(BUILT);
            Some(Box::new(training(map, cell, i, batch, steps)))
        }
        Kind::Gru => {
            let cell = gru(i, h, GRUConfig::default(), vars).expect(BUILT);
            Some(Box::new(training(map, cell, i, batch, steps)))
        }
        Kind::Peephole => None,
    }
}

const BUILT: &str = "candle builds a cell of any size";
const RUN: &str = "the shapes agree";

fn variables() -> (VarMap, VarBuilder<'static>) {
    let map = VarMap::new();
    let vars = VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu);
    (map, vars)
}

/// Returns the workload of steps. The weights are constants: with variables, each state would keep
/// all previous steps alive for a backward pass.
fn stepping<C: RNN>(build: impl Fn(VarBuilder<'static>) -> Result<C>, i: usize) -> impl FnMut() {
    let (map, vars) = variables();
    build(vars).expect(BUILT);
    let constants = |(name, var): (&String, &Var)| (name.clone(), var.as_detached_tensor());
    let weights = map.data().lock().expect(BUILT).iter().map(constants).collect();
    let cell = build(VarBuilder::from_tensors(weights, DType::F32, &Device::Cpu)).expect(BUILT);
    let x = Tensor::full(0.5f32, (1, i), &Device::Cpu).expect(RUN);
    let mut state = cell.zero_state(1).expect(RUN);
    move || state = black_box(cell.step(black_box(&x), &state).expect(RUN))
}

fn training<C: RNN>(map: VarMap, cell: C, i: usize, batch: usize, steps: usize) -> impl FnMut() {
    let x = Var::rand(-1f32, 1f32, (batch, steps, i), &Device::Cpu).expect(RUN);
    let pass = move || -> Result<()> {
        let states = cell.seq(x.as_tensor())?;
        let loss = cell.states_to_tensor(&states)?.sqr()?.sum_all()?;
        let grads = loss.backward()?;
        // All gradients must have been computed, even unused ones.
        assert!(map.all_vars().iter().chain([&x]).all(|var| grads.get(var).is_some()));
        black_box(grads);
        Ok(())
    };
    move || pass().expect(RUN)
}
