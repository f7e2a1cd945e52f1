//! Macros that step a cell and print its outputs.

use crate::{Text, restart};

/// The number of steps of each cell.
pub const STEPS: usize = 3;

/// Prints the name of the next cell, whose numbers are independent of the cells before it.
pub fn begin(name: &str) {
    restart();
    Text::new().str("# ").str(name).end();
}

/// Computes the initial state of a cell.
#[doc(hidden)]
#[macro_export]
macro_rules! initial_state {
    ($cell:ident) => {
        $cell.initial_state::<1>()
    };
    ($cell:ident $context:ident) => {
        $cell.initial_state_with::<1>(&$context)
    };
}

/// The arguments of a step.
#[doc(hidden)]
#[macro_export]
macro_rules! reads {
    ($x:ident) => {
        &$x
    };
    ($x:ident $context:ident) => {
        (&$x, &$context)
    };
}

/// Runs steps of a cell and a step of its handle.
#[macro_export]
macro_rules! of_size {
    ($cell:ty, $x:expr $(, $context:ident)?) => {{
        #[inline(never)]
        fn steps() -> bool {
            $crate::steps::begin(stringify!($cell));
            let mut cell = <$cell>::zeros();
            $crate::fill(&mut cell);
            $(let $context = $crate::any();)?
            let mut state = $crate::initial_state!(cell $($context)?);
            let mut finite = true;
            for _ in 0..$crate::steps::STEPS {
                let x = $x;
                finite &= $crate::print(&cell.step($crate::reads!(x $($context)?), &mut state));
            }
            let x = $x;
            finite & $crate::print(&cell.prepare($(&$context)?).step(&x, &mut state))
        }
        steps()
    }};
}

/// Runs a cell of several sizes, and returns whether all outputs are finite.
#[macro_export]
macro_rules! steps {
    ($cell:ident $(<$($size:literal),+>)+) => { [$($crate::of_size!($cell<$($size),+>, $crate::any())),+].iter().all(|finite| *finite) };
}

/// Runs a step and a block of a handle with approximate activations.
#[macro_export]
macro_rules! approximates {
    ($cell:ident $(<$($size:literal),+>)+) => { [$({
        #[inline(never)]
        fn steps() -> bool {
            $crate::steps::begin(concat!("approximate ", stringify!($cell<$($size),+>)));
            let mut cell = $cell::<$($size),+>::zeros();
            $crate::fill(&mut cell);
            let handle = cell.prepare::<1>().approximate::<rnn_cell::cell::FourDecimals>();
            let mut state = handle.initial_state();
            let xs = [$crate::any(), $crate::any()];
            let y = handle.step(&xs[0], &mut state);
            let mut ys = [y, y];
            handle.run(&xs, &mut ys, &mut state);
            $crate::print(&y) & $crate::print(&ys[0]) & $crate::print(&ys[1])
        }
        steps()
    }),+].iter().all(|finite| *finite) };
}

/// Runs a cell with a context.
#[macro_export]
macro_rules! attends {
    ($cell:ident $(<$($size:literal),+>)+) => { [$($crate::of_size!($cell<$($size),+>, $crate::any(), context)),+].iter().all(|finite| *finite) };
}

/// Runs decoders with an index outside of the vocabulary, which reads zeros.
#[macro_export]
macro_rules! decodes {
    ($cell:ident $(<$($size:literal),+>)+) => {
        [$($crate::of_size!($cell<$($size),+>, core::hint::black_box([u32::MAX]), context)),+].iter().all(|finite| *finite)
    };
}

/// Makes a quantised copy of a cell, writes it, reads it and runs it.
#[macro_export]
macro_rules! of_format {
    ($format:ident $cell:ident<$($size:literal),+>, $x:expr $(, $context:ident)?) => {{
        #[inline(never)]
        fn steps() -> bool {
            use rnn_cell::quantised::Quantised;
            $crate::steps::begin(concat!(stringify!($format), " ", stringify!($cell<$($size),+>)));
            let mut cell = $cell::<$($size),+>::zeros();
            $crate::fill(&mut cell);
            let Ok(mut copy) = cell.quantised::<$format>() else { return false };
            let mut bytes = [0; 8 * 1024];
            if !copy.write(&mut bytes) || !copy.read(core::hint::black_box(&bytes)) {
                return false;
            }
            $(let $context = $crate::any();)?
            let mut state = $crate::initial_state!(copy $($context)?);
            let mut finite = true;
            for _ in 0..$crate::steps::STEPS {
                let x = $x;
                finite &= $crate::print(&copy.step($crate::reads!(x $($context)?), &mut state));
            }
            finite
        }
        steps()
    }};
}

/// Runs quantised copies of a cell of several sizes.
#[macro_export]
macro_rules! quantised {
    ($cell:ident $(<$($size:literal),+>)+) => {
        [$(
            $crate::of_format!(Int8 $cell<$($size),+>, $crate::any()),
            $crate::of_format!(Bf16 $cell<$($size),+>, $crate::any()),
            $crate::of_format!(Int8By16 $cell<$($size),+>, $crate::any())
        ),+]
            .iter()
            .all(|finite| *finite)
    };
}
