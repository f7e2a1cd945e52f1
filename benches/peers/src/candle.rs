//! The library `candle-nn` on the CPU.

use benches::measure::Work;
use benches::peers::{Kind, WIDTH};
use candle_core::{DType, Device, Module, Result, Tensor, Var};
use candle_nn::rnn::{GRUConfig, LSTMConfig, RNN, gru, lstm};
use candle_nn::{Conv1d, VarBuilder, VarMap, conv1d};
use std::hint::black_box;

/// Returns the workload of a step at batch 1.
pub fn step(kind: Kind, i: usize, h: usize) -> Option<Work<'static>> {
    match kind {
        Kind::Convolution => Some(Box::new(convolving(i, h))),
        Kind::Lstm => Some(Box::new(stepping(move |vars| lstm(i, h, LSTMConfig::default(), vars), i))),
        Kind::Gru => Some(Box::new(stepping(move |vars| gru(i, h, GRUConfig::default(), vars), i))),
        _ => None,
    }
}

/// Returns the workload of a sequence without residuals.
pub fn run(kind: Kind, i: usize, h: usize, batch: usize, steps: usize) -> Option<Work<'static>> {
    if kind != Kind::Convolution {
        return None;
    }
    let filters = constant(|vars| convolution(i, h, vars));
    let x = Tensor::rand(-1f32, 1f32, (batch, i, steps), &Device::Cpu).expect(RUN);
    Some(Box::new(move || {
        black_box(causal(&filters, black_box(&x)).expect(RUN));
    }))
}

/// Returns the workload of a forward and a backward pass through a sequence, with the gradients of
/// parameters and inputs.
pub fn train(kind: Kind, i: usize, h: usize, batch: usize, steps: usize) -> Option<Work<'static>> {
    let (map, vars) = variables();
    match kind {
        Kind::Convolution => {
            let filters = convolution(i, h, vars).expect(BUILT);
            let x = Var::rand(-1f32, 1f32, (batch, i, steps), &Device::Cpu).expect(RUN);
            Some(Box::new(move || pass(&map, &x, |x| causal(&filters, x)).expect(RUN)))
        }
        Kind::Lstm => {
            let cell = lstm(i, h, LSTMConfig::default(), vars).expect(BUILT);
            Some(Box::new(training(map, cell, i, batch, steps)))
        }
        Kind::Gru => {
            let cell = gru(i, h, GRUConfig::default(), vars).expect(BUILT);
            Some(Box::new(training(map, cell, i, batch, steps)))
        }
        _ => None,
    }
}

const BUILT: &str = "candle builds a cell of any size";
const RUN: &str = "the shapes agree";

fn variables() -> (VarMap, VarBuilder<'static>) {
    let map = VarMap::new();
    let vars = VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu);
    (map, vars)
}

/// Builds a model whose weights are constants. With variables, each state would keep all previous
/// steps alive for a backward pass.
fn constant<C>(build: impl Fn(VarBuilder<'static>) -> Result<C>) -> C {
    let (map, vars) = variables();
    build(vars).expect(BUILT);
    let constants = |(name, var): (&String, &Var)| (name.clone(), var.as_detached_tensor());
    let weights = map.data().lock().expect(BUILT).iter().map(constants).collect();
    build(VarBuilder::from_tensors(weights, DType::F32, &Device::Cpu)).expect(BUILT)
}

/// Returns the workload of steps.
fn stepping<C: RNN>(build: impl Fn(VarBuilder<'static>) -> Result<C>, i: usize) -> impl FnMut() {
    let cell = constant(build);
    let x = Tensor::full(0.5f32, (1, i), &Device::Cpu).expect(RUN);
    let mut state = cell.zero_state(1).expect(RUN);
    move || state = black_box(cell.step(black_box(&x), &state).expect(RUN))
}

fn training<C: RNN>(map: VarMap, cell: C, i: usize, batch: usize, steps: usize) -> impl FnMut() {
    let x = Var::rand(-1f32, 1f32, (batch, steps, i), &Device::Cpu).expect(RUN);
    move || pass(&map, &x, |x| cell.states_to_tensor(&cell.seq(x)?)).expect(RUN)
}

/// Computes a forward and a backward pass.
fn pass(map: &VarMap, x: &Var, outputs: impl Fn(&Tensor) -> Result<Tensor>) -> Result<()> {
    let loss = outputs(x.as_tensor())?.sqr()?.sum_all()?;
    let grads = loss.backward()?;
    // All gradients must have been computed, even unused ones.
    assert!(map.all_vars().iter().chain([x]).all(|var| grads.get(var).is_some()));
    black_box(grads);
    Ok(())
}

fn convolution(i: usize, o: usize, vars: VarBuilder<'static>) -> Result<Conv1d> {
    conv1d(i, o, WIDTH, Default::default(), vars)
}

/// Computes a causal convolution: before the start, the input is zero.
fn causal(filters: &Conv1d, x: &Tensor) -> Result<Tensor> {
    filters.forward(&x.pad_with_zeros(2, WIDTH - 1, 0)?)
}

/// Returns the workload of steps of a convolution. The last inputs are kept in a tensor.
fn convolving(i: usize, o: usize) -> impl FnMut() {
    let filters = constant(|vars| convolution(i, o, vars));
    let x = Tensor::full(0.5f32, (1, i, 1), &Device::Cpu).expect(RUN);
    let mut window = Tensor::zeros((1, i, WIDTH), DType::F32, &Device::Cpu).expect(RUN);
    move || {
        let earlier = window.narrow(2, 1, WIDTH - 1).expect(RUN);
        window = Tensor::cat(&[&earlier, black_box(&x)], 2).expect(RUN);
        black_box(filters.forward(&window).expect(RUN));
    }
}
