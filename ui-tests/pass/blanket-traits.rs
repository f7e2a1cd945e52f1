// A user's trait that gives every type methods with the names of methods that generated code calls.
// A method call would be ambiguous.

#![deny(warnings)]
#![allow(dead_code, clippy::wrong_self_convention)]

trait Everything {
    fn clone(&self) {}
    fn default() {}
    fn add(&self) {}
    fn mul(&self) {}
    fn sub(&self) {}
    fn neg(&self) {}
    fn max(&self) {}
    fn min(&self) {}
    fn abs(&self) {}
    fn sqrt(&self) {}
    fn tanh(&self) {}
    fn exp(&self) {}
    fn of(&self) {}
    fn as_f64(&self) {}
    fn run(&self) {}
    fn run_pass(&self) {}
    fn forward(&self) {}
    fn forward_pass(&self) {}
    fn outputs(&self) {}
    fn backward(&self) {}
    fn backward_pass(&self) {}
    fn into_pass(&self) {}
    fn into_bars(&self) {}
    fn flat(&self) {}
    fn flat_mut(&mut self) {}
    fn flat_all(&self) {}
    fn visit(&self) {}
    fn visit_mut(&self) {}
    fn into(&self) {}
    fn fmt(&self) {}
    fn eq(&self) {}
    fn step_mut(&self) {}
    fn zero_gradients(&self) {}
    fn fill(&self) {}
    fn copy_from(&self) {}
}

impl<Anything: ?Sized> Everything for Anything {}

rnn_cell::rnn_cell! {
    pub cell Attention<I, E, S> {
        input   x: [I], w: one_hot[I];
        context M: [E, S], mask: [S] = 1;
        state   s: [E] = row_sum(M), R: [E, E];
        param   W: [2*E, E + I] = 0.1, V: [E, I], k: [] = 1;
        buffer  leak: [] = 0.3;

        a = softmax(M.T @ s[t-1], mask);
        [u, v] = W @ [s[t-1], x];
        R = R[t-1] + k * u @ v.T;
        s = leak * tanh(M @ a + max(u, V @ w)) + R @ sqrt(abs(v));

        output s, a;
    }
}

pub fn main() {
    let cell = Attention::<1, 2, 3>::zeros();
    let context = AttentionContext { M: [nalgebra::SMatrix::zeros()], mask: nalgebra::SVector::zeros() };
    let mut state = cell.initial_state_with(&context);
    let x = AttentionInput { x: nalgebra::SVector::zeros(), w: [0] };
    assert_eq!(cell.step((&x, &context), &mut state).s[0], 0.0);
}
