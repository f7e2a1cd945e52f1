//! Rust source of tests for random definitions.

use super::Definition;
use std::fmt::Write;

/// Returns the modules of `count` random definitions, beginning with `seed`, and of every
/// `stride`th small cell. Each contains a definition and its test.
///
/// The surrounding module must provide `verify` and `on_a_large_stack`.
pub fn write_tests(seed: u64, count: u64, stride: usize) -> String {
    let mut source = String::new();
    let random = (seed..seed + count).map(|seed| (seed, Definition::new(seed)));
    let small = Definition::small().into_iter().step_by(stride).map(|definition| (1, definition));
    for (seed, definition) in random.chain(small) {
        write_test(&mut source, seed, &definition).expect("writing to a string does not fail");
    }
    source
}

fn write_test(source: &mut String, seed: u64, definition: &Definition) -> std::fmt::Result {
    let sizes: String = definition.dimensions.iter().map(|(_, size)| format!("{size}, ")).collect();
    let name = &definition.name;
    let index = "std::array::from_fn(|_| rnn_cell::rng::below(rng, 5) as u32);";
    let fill: String = match &definition.indices[..] {
        [_] if definition.inputs == 1 => format!("*x = {index}"),
        indices => indices.iter().map(|name| format!("x.{name} = {index} ")).collect(),
    };
    let arguments = if fill.is_empty() { "|_, _|" } else { "|x, rng|" };
    writeln!(source, "mod {} {{", name.to_lowercase())?;
    writeln!(source, "    use rnn_cell::prelude::*;\n")?;
    writeln!(source, "    rnn_cell! {{\n{}\n    }}\n", definition.text)?;
    writeln!(source, "    const DEFINITION: &str = r#\"{}\"#;\n", definition.text)?;
    writeln!(source, "    type Input = <{name}<{sizes}f64> as rnn_cell::cell::Layer<2>>::Input;\n")?;
    writeln!(source, "    #[test]\n    fn gradients() {{")?;
    writeln!(
        source,
        "        let fill: fn(&mut Input, &mut rnn_cell::rng::Xoshiro256PlusPlus) = {arguments} {{ {fill} }};"
    )?;
    writeln!(source, "        super::on_a_large_stack(move || {{")?;
    writeln!(
        source,
        "            let cell = {name}::<{sizes}f64>::init(&mut tests::exactness::rng({seed}));"
    )?;
    writeln!(source, "            super::verify::<2, _>({seed}, DEFINITION, cell, fill);")?;
    writeln!(source, "        }});\n    }}\n}}\n")
}
