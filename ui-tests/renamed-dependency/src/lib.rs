//! A crate that knows `rnn-cell` under another name, and whose lints are as strict as they get: what the
//! macro generates must name the runtime by the name that the user gave it, and draw no warning.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, missing_debug_implementations, rustdoc::all)]

equations::rnn_cell! {
    /// Elman's network.
    pub cell Elman<I, H> {
        input x: [I];
        state h: [H];
        param W: [H, I], U: [H, H], b: [H];

        h = tanh(W @ x + U @ h[t-1] + b);

        output h;
    }

    /// Nothing in this crate uses it; that is no reason for a warning.
    cell Unused<I, H> {
        input   x: [I], gate: [];
        context memory: [H, 3] = 1;
        state   S: [H, H], h: [H] = h0;
        param   W: [H, H + I], h0: [H];
        buffer  leak: [] = 0.3;

        S = S[t-1] * gate + h @ h[t-1].T;
        h = leak * tanh(W @ [h[t-1], x] + row_sum(memory));
        y = S @ h;

        output h, y;
    }
}

equations::rnn_cell! {
    /// Names and comments that rustdoc must not take for HTML or Markdown.
    #[allow(mixed_script_confusables)]
    pub cell Odd<H_1> {
        /// Less than `a < b`, a [`H_1`](Self) & "more" of [this][link].
        ///
        /// [link]: Elman
        input état: [H_1], _x_: [H_1];
        /// A | in it, and a `[t-1]`.
        state состояние: [H_1] = -1e30;
        param W__1: [H_1, H_1];

        /// ``` isn't a fence here
        _y_ = where(_x_ < état, état / _x_, W__1 @ состояние[t-1]);
        состояние = tanh(_y_);

        output состояние;
    }
}

/// A derived model names the runtime in an attribute, as with serde.
#[derive(Debug, equations::cell::Model)]
#[model(crate = equations)]
pub struct Net {
    /// The recurrent layers.
    pub layers: [Elman<3, 3>; 2],
    readout: equations::cells::Dense<3, 1>,
}

#[cfg(test)]
mod tests {
    use super::{Elman, Net};
    use equations::cell::Model;

    #[test]
    fn a_derived_model_has_the_parameters_of_its_fields() {
        let net = Net { layers: [Elman::zeros(), Elman::zeros()], readout: equations::cells::Dense::zeros() };
        assert_eq!(net.parameter_count(), 2 * Elman::<3, 3>::PARAMETER_COUNT + 4);
    }

    #[test]
    fn a_step_of_a_zero_cell_is_zero() {
        let cell = Elman::<3, 4>::zeros();
        let mut state = cell.zero_state();
        let y = cell.step(&[[1.0; 3]].into(), &mut state);
        assert_eq!(y.norm(), 0.0);
    }
}
