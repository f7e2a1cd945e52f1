// A definition is allowed wherever an item is.

use nalgebra::SVector;

mod outer {
    pub mod inner {
        use rnn_cell::rnn_cell;

        const fn _unrelated() {}

        rnn_cell! {
            pub(in crate::outer) cell Hidden<I, H> {
                input x: [I];
                state h: [H];
                param W: [H, I];

                h = tanh(W @ x) + h[t-1];

                output h;
            }

            pub cell Shown<I> {
                input x: [I];

                y = square(x);

                output y;
            }
        }
    }

    pub fn hidden() -> f32 {
        let cell = inner::Hidden::<3, 4>::zeros();
        cell.step(&[[1.0; 3]].into(), &mut cell.zero_state()).norm()
    }
}

fn generic<const N: usize, Kind>(_: Kind) -> f32 {
    rnn_cell::rnn_cell! {
        cell Local<N> {
            input x: [N];
            state h: [N];

            h = h[t-1] + x;

            output h;
        }
    }
    let cell: Local<N> = Local::zeros();
    cell.step(&SVector::repeat(1.0), &mut cell.zero_state()).sum()
}

struct Owner;

impl Owner {
    fn call(&self) -> f32 {
        let inside_a_closure = || {
            use rnn_cell::prelude::*;
            rnn_cell! {
                cell Sum<N> {
                    input x: [N];

                    y = sum(x);

                    output y;
                }
            }
            let cell: Sum<2> = Sum::zeros();
            cell.step(&SVector::repeat(1.0), &mut cell.zero_state())[0]
        };
        inside_a_closure()
    }
}

fn main() {
    assert_eq!(outer::hidden(), 0.0);
    assert_eq!(generic::<5, _>("text"), 5.0);
    assert_eq!(Owner.call(), 2.0);
    let shown: outer::inner::Shown<1> = outer::inner::Shown::zeros();
    assert_eq!(shown.step(&SVector::repeat(3.0), &mut shown.zero_state())[0], 9.0);
}
