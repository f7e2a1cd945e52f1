//! An example of the use of a cell, from its sizes, inputs and context.

use crate::analysis::shapes::Shaped;
use crate::dim::{Atom, Dim, Shape};
use crate::syntax::ast::{DeclarationKind, declared};

/// Returns a program of one step and one training pass. It is shown as text: rustdoc would compile
/// a code block for every cell of a user whenever the user's tests run.
pub fn example(definition: Shaped) -> String {
    let (cell, name) = (definition.cell, &definition.cell.name);
    let mut out = String::from("use rnn_cell::prelude::*;\n\n");
    for (index, dimension) in cell.dimensions.iter().enumerate() {
        out.push_str(&format!("const {dimension}: usize = {};\n", index + 3));
    }
    let dimensions: Vec<String> = cell.dimensions.iter().map(ToString::to_string).collect();
    let arguments =
        if dimensions.is_empty() { String::new() } else { format!("<{}>", dimensions.join(", ")) };
    let inputs = declared(cell, DeclarationKind::Input);
    let input = match inputs[..] {
        [] => "()".to_owned(),
        [only] => zero(definition, only),
        _ => {
            let field =
                |index: &usize| format!("{}: {}", cell.declarations[*index].name, zero(definition, *index));
            format!("{name}Input {{ {} }}", inputs.iter().map(field).collect::<Vec<_>>().join(", "))
        }
    };
    let has_context = !declared(cell, DeclarationKind::Context).is_empty();
    let (context, start) = if has_context {
        (format!("let context = {name}Context::default();\n"), "initial_state_with(&context)")
    } else {
        (String::new(), "initial_state()")
    };
    let reads = |value: &str| if has_context { format!("({value}, &context)") } else { value.to_owned() };
    let bars = if has_context { "Bars::of(&mut *gradients).without_context()" } else { "&mut gradients" };
    let (one, all) = (reads("&x"), reads("&xs"));
    out.push_str(&format!(
        "\n\
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);\n\
        let mut cell: {name}{arguments} = {name}::init(&mut rng);\n\
        {context}\
        \n\
        // One step.\n\
        let x = {input};\n\
        let mut state = cell.{start};\n\
        let y = cell.step({one}, &mut state);\n\
        \n\
        // One update on a sequence; the loss is half the sum of squares.\n\
        let xs = vec![x; 10];\n\
        let (mut state, mut tape) = (cell.{start}, cell.tape());\n\
        let ys = cell.forward({all}, &mut state, &mut tape);\n\
        let dys = ys.to_vec();\n\
        let mut gradients = cell.zero_gradients();\n\
        cell.backward({all}, &mut tape, &dys, {bars});\n\
        Adam::new(1e-3).step(&mut cell, &gradients);\n"
    ));
    out
}

/// Returns an expression for an input of one sample that is zero.
fn zero(definition: Shaped, index: usize) -> String {
    if definition.shapes.one_hot[index].is_some() {
        return "[0]".to_owned();
    }
    let names: Vec<String> = definition.cell.dimensions.iter().map(ToString::to_string).collect();
    let size = |atom: &Atom| Dim::sum([*atom]).display(&names);
    let shape = definition.shapes.declarations[index].clone().unwrap_or_else(Shape::scalar);
    let other = "rnn_cell::types::varying::Varying::<f32>::zero()".to_owned();
    match (shape.rows.atoms(), shape.columns.atoms()) {
        ([Atom::Product(..)], _) | (_, [Atom::Product(..)]) => other,
        ([rows], [Atom::Literal(1)]) => format!("SVector::<f32, {}>::zeros()", size(rows)),
        ([rows], [columns]) => format!("[SMatrix::<f32, {}, {}>::zeros()]", size(rows), size(columns)),
        _ => other,
    }
}
