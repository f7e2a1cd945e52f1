//! Rust source of tests for random definitions.

use super::Definition;
use super::definition::Kind;
use std::fmt::Write;

/// Returns the modules of `count` definitions, beginning with `seed`. Each contains a definition
/// and its test.
///
/// The surrounding module must provide `verify` and `on_a_large_stack`.
pub fn write_tests(seed: u64, count: u64) -> String {
    let mut source = String::new();
    for seed in seed..seed + count {
        write_test(&mut source, seed).expect("writing to a string does not fail");
    }
    source
}

fn write_test(source: &mut String, seed: u64) -> std::fmt::Result {
    let definition = Definition::new(seed);
    let sizes: String = definition.dimensions.iter().map(|(_, size)| format!("{size}, ")).collect();
    let name = &definition.name;
    let fill = if definition.inputs.iter().any(|(_, kind)| *kind == Kind::OneHot) {
        "|x, rng| x.w = std::array::from_fn(|_| rnn_cell::rng::below(rng, 5) as u32)"
    } else {
        "|_, _| {}"
    };
    writeln!(source, "mod random_{seed} {{")?;
    writeln!(source, "    use rnn_cell::prelude::*;\n")?;
    writeln!(source, "    rnn_cell! {{\n{}\n    }}\n", definition.text)?;
    writeln!(source, "    const DEFINITION: &str = r#\"{}\"#;\n", definition.text)?;
    writeln!(source, "    type Input = <{name}<{sizes}f64> as rnn_cell::cell::Layer<2>>::Input;\n")?;
    writeln!(source, "    #[test]\n    fn gradients() {{")?;
    writeln!(source, "        let fill: fn(&mut Input, &mut rnn_cell::rng::Xoshiro256PlusPlus) = {fill};")?;
    writeln!(source, "        super::on_a_large_stack(move || {{")?;
    writeln!(
        source,
        "            let cell = {name}::<{sizes}f64>::init(&mut tests::exactness::rng({seed}));"
    )?;
    writeln!(source, "            super::verify::<2, _>({seed}, DEFINITION, cell, fill);")?;
    writeln!(source, "        }});\n    }}\n}}\n")
}
