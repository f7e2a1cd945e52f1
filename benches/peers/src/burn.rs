//! The library `burn` with its CPU backend `flex`.

use benches::measure::Work;
use benches::peers::Kind;
use burn::nn::gru::GruConfig;
use burn::nn::{LstmConfig, LstmState};
use burn::tensor::{Device, Distribution, Tensor};
use std::hint::black_box;

/// Returns the workload of a step at batch 1.
pub fn step(kind: Kind, i: usize, h: usize) -> Option<Work<'static>> {
    let device = Device::flex();
    let x = Tensor::<3>::full([1, 1, i], 0.5, &device);
    match kind {
        Kind::Lstm => {
            let cell = LstmConfig::new(i, h, true).init(&device);
            let mut state: Option<LstmState<2>> = None;
            Some(Box::new(move || {
                let (y, next) = cell.forward(black_box(x.clone()), state.take());
                black_box(y);
                state = Some(next);
            }))
        }
        Kind::Gru => {
            let cell = GruConfig::new(i, h, true).init(&device);
            let mut state: Option<Tensor<2>> = None;
            Some(Box::new(move || {
                let y = cell.forward(black_box(x.clone()), state.take());
                state = Some(black_box(y).reshape([1, h]));
            }))
        }
        _ => None,
    }
}

/// Returns the workload of a forward and a backward pass through a sequence, with the gradients of
/// parameters and inputs.
pub fn train(kind: Kind, i: usize, h: usize, batch: usize, steps: usize) -> Option<Work<'static>> {
    let device = Device::flex().autodiff();
    let sequence = Tensor::<3>::random([batch, steps, i], Distribution::Uniform(-1.0, 1.0), &Device::flex());
    let pass = move |outputs: &dyn Fn(Tensor<3>) -> Tensor<3>| {
        let x = sequence.clone().autodiff().require_grad();
        let gradients = outputs(x.clone()).powi_scalar(2).sum().backward();
        assert!(x.grad(&gradients).is_some(), "the inputs have gradients");
        black_box(gradients);
    };
    match kind {
        Kind::Lstm => {
            let cell = LstmConfig::new(i, h, true).init(&device);
            Some(Box::new(move || pass(&|x| cell.forward(x, None).0)))
        }
        Kind::Gru => {
            let cell = GruConfig::new(i, h, true).init(&device);
            Some(Box::new(move || pass(&|x| cell.forward(x, None))))
        }
        _ => None,
    }
}
