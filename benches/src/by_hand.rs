//! Straightforward hand-written LSTM and GRU in nalgebra: one field per matrix, one line per
//! equation, no optimisations.

use nalgebra::{SMatrix, SVector};

/// The parameters of a gate.
#[derive(Clone)]
pub struct Gate<const I: usize, const H: usize> {
    w: SMatrix<f32, H, I>,
    u: SMatrix<f32, H, H>,
    b: SVector<f32, H>,
}

impl<const I: usize, const H: usize> Gate<I, H> {
    /// Creates parameters that keep a state small and away from zero.
    fn new(seed: usize) -> Self {
        let scale = 1.0 / (H as f32).sqrt();
        let value = |r: usize, c: usize| ((seed + 7 * r + 13 * c) as f32).sin() * scale;
        Gate { w: SMatrix::from_fn(value), u: SMatrix::from_fn(value), b: SVector::zeros() }
    }

    fn zeros() -> Self {
        Gate { w: SMatrix::zeros(), u: SMatrix::zeros(), b: SVector::zeros() }
    }

    fn of(&self, x: &SVector<f32, I>, h: &SVector<f32, H>) -> SVector<f32, H> {
        self.w * x + self.u * h + self.b
    }

    /// Adds the gradients of one step.
    fn add(&mut self, dz: &SVector<f32, H>, x: &SVector<f32, I>, h: &SVector<f32, H>) {
        self.w += dz * x.transpose();
        self.u += dz * h.transpose();
        self.b += dz;
    }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Returns the derivative of a sigmoid whose value is `y`.
fn slope(y: f32) -> f32 {
    y * (1.0 - y)
}

/// The LSTM, with gates i, f, g, o.
#[derive(Clone)]
pub struct Lstm<const I: usize, const H: usize> {
    gates: [Gate<I, H>; 4],
}

/// The residuals of a step of the LSTM.
pub struct LstmStep<const H: usize> {
    h_before: SVector<f32, H>,
    c_before: SVector<f32, H>,
    gates: [SVector<f32, H>; 4],
    c_tanh: SVector<f32, H>,
}

impl<const I: usize, const H: usize> Lstm<I, H> {
    /// Creates a cell with fixed parameters on the heap.
    pub fn new() -> Box<Self> {
        Box::new(Lstm { gates: std::array::from_fn(Gate::new) })
    }

    /// Creates zero gradients on the heap.
    pub fn zeros() -> Box<Self> {
        Box::new(Lstm { gates: std::array::from_fn(|_| Gate::zeros()) })
    }

    /// Computes one step.
    pub fn step(&self, x: &SVector<f32, I>, h: &mut SVector<f32, H>, c: &mut SVector<f32, H>) {
        let [i, f, g, o] = &self.gates;
        let i = i.of(x, h).map(sigmoid);
        let f = f.of(x, h).map(sigmoid);
        let g = g.of(x, h).map(f32::tanh);
        let o = o.of(x, h).map(sigmoid);
        *c = f.component_mul(c) + i.component_mul(&g);
        *h = o.component_mul(&c.map(f32::tanh));
    }

    /// Computes a forward pass through a sequence, from a zero state.
    pub fn forward(&self, xs: &[SVector<f32, I>], tape: &mut Vec<LstmStep<H>>) {
        tape.clear();
        let (mut h, mut c) = (SVector::zeros(), SVector::zeros());
        for x in xs {
            let [i, f, g, o] = &self.gates;
            let i = i.of(x, &h).map(sigmoid);
            let f = f.of(x, &h).map(sigmoid);
            let g = g.of(x, &h).map(f32::tanh);
            let o = o.of(x, &h).map(sigmoid);
            let (h_before, c_before) = (h, c);
            c = f.component_mul(&c) + i.component_mul(&g);
            let c_tanh = c.map(f32::tanh);
            h = o.component_mul(&c_tanh);
            tape.push(LstmStep { h_before, c_before, gates: [i, f, g, o], c_tanh });
        }
    }

    /// Computes a backward pass through a sequence.
    pub fn backward(
        &self,
        xs: &[SVector<f32, I>],
        tape: &[LstmStep<H>],
        dys: &[SVector<f32, H>],
        grads: &mut Self,
        dxs: &mut [SVector<f32, I>],
    ) {
        let (mut dh, mut dc) = (SVector::<f32, H>::zeros(), SVector::<f32, H>::zeros());
        for t in (0..xs.len()).rev() {
            let LstmStep { h_before, c_before, gates: [i, f, g, o], c_tanh } = &tape[t];
            dh += dys[t];
            dc += dh.component_mul(o).component_mul(&c_tanh.map(|y| 1.0 - y * y));
            let dz = [
                dc.component_mul(g).component_mul(&i.map(slope)),
                dc.component_mul(c_before).component_mul(&f.map(slope)),
                dc.component_mul(i).component_mul(&g.map(|y| 1.0 - y * y)),
                dh.component_mul(c_tanh).component_mul(&o.map(slope)),
            ];
            dc = dc.component_mul(f);
            (dh, dxs[t]) = back(&self.gates, &dz);
            for (grad, dz) in grads.gates.iter_mut().zip(&dz) {
                grad.add(dz, &xs[t], h_before);
            }
        }
    }
}

/// Computes the cotangents of `h[t-1]` and `x` from those of the gates' pre-activations.
fn back<const I: usize, const H: usize>(
    gates: &[Gate<I, H>],
    dz: &[SVector<f32, H>],
) -> (SVector<f32, H>, SVector<f32, I>) {
    let (mut dh, mut dx) = (SVector::zeros(), SVector::zeros());
    for (gate, dz) in gates.iter().zip(dz) {
        dh += gate.u.tr_mul(dz);
        dx += gate.w.tr_mul(dz);
    }
    (dh, dx)
}

/// The GRU with the reset after the product: gates r, z, n, and the bias within the reset.
#[derive(Clone)]
pub struct Gru<const I: usize, const H: usize> {
    r: Gate<I, H>,
    z: Gate<I, H>,
    n: Gate<I, H>,
    b_hn: SVector<f32, H>,
}

/// The residuals of a step of the GRU.
pub struct GruStep<const H: usize> {
    h_before: SVector<f32, H>,
    r: SVector<f32, H>,
    z: SVector<f32, H>,
    n: SVector<f32, H>,
    recurrent: SVector<f32, H>,
}

impl<const I: usize, const H: usize> Gru<I, H> {
    /// Creates a cell with fixed parameters on the heap.
    pub fn new() -> Box<Self> {
        Box::new(Gru { r: Gate::new(0), z: Gate::new(1), n: Gate::new(2), b_hn: SVector::zeros() })
    }

    /// Creates zero gradients on the heap.
    pub fn zeros() -> Box<Self> {
        Box::new(Gru { r: Gate::zeros(), z: Gate::zeros(), n: Gate::zeros(), b_hn: SVector::zeros() })
    }

    /// Computes one step.
    pub fn step(&self, x: &SVector<f32, I>, h: &mut SVector<f32, H>) {
        let r = self.r.of(x, h).map(sigmoid);
        let z = self.z.of(x, h).map(sigmoid);
        let recurrent = self.n.u * *h + self.b_hn;
        let n = (self.n.w * x + self.n.b + r.component_mul(&recurrent)).map(f32::tanh);
        *h = n - z.component_mul(&n) + z.component_mul(h);
    }

    /// Computes a forward pass through a sequence, from a zero state.
    pub fn forward(&self, xs: &[SVector<f32, I>], tape: &mut Vec<GruStep<H>>) {
        tape.clear();
        let mut h = SVector::zeros();
        for x in xs {
            let h_before = h;
            let r = self.r.of(x, &h).map(sigmoid);
            let z = self.z.of(x, &h).map(sigmoid);
            let recurrent = self.n.u * h + self.b_hn;
            let n = (self.n.w * x + self.n.b + r.component_mul(&recurrent)).map(f32::tanh);
            h = n - z.component_mul(&n) + z.component_mul(&h);
            tape.push(GruStep { h_before, r, z, n, recurrent });
        }
    }

    /// Computes a backward pass through a sequence.
    pub fn backward(
        &self,
        xs: &[SVector<f32, I>],
        tape: &[GruStep<H>],
        dys: &[SVector<f32, H>],
        grads: &mut Self,
        dxs: &mut [SVector<f32, I>],
    ) {
        let mut dh = SVector::<f32, H>::zeros();
        for t in (0..xs.len()).rev() {
            let GruStep { h_before, r, z, n, recurrent } = &tape[t];
            dh += dys[t];
            let dn = dh.component_mul(&z.map(|z| 1.0 - z)).component_mul(&n.map(|y| 1.0 - y * y));
            let dz = dh.component_mul(&(h_before - n)).component_mul(&z.map(slope));
            let dr = dn.component_mul(recurrent).component_mul(&r.map(slope));
            let drecurrent = dn.component_mul(r);
            dh = dh.component_mul(z)
                + self.r.u.tr_mul(&dr)
                + self.z.u.tr_mul(&dz)
                + self.n.u.tr_mul(&drecurrent);
            dxs[t] = self.r.w.tr_mul(&dr) + self.z.w.tr_mul(&dz) + self.n.w.tr_mul(&dn);
            grads.r.add(&dr, &xs[t], h_before);
            grads.z.add(&dz, &xs[t], h_before);
            grads.n.w += dn * xs[t].transpose();
            grads.n.u += drecurrent * h_before.transpose();
            grads.n.b += dn;
            grads.b_hn += drecurrent;
        }
    }
}
