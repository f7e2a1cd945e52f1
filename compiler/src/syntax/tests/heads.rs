//! Tests of the heads of cells and their attributes.

use super::*;

#[track_caller]
fn head(source: &str, parts: &[&str]) -> Program {
    let (program, messages) = read(source);
    check(source, &messages, parts);
    program
}

#[test]
fn invalid_dimensions_are_reported() {
    let rest = "{ input x: [I]; output x; }";
    let named = |program: &Program| {
        let names: Vec<String> = program.cells[0].dimensions.iter().map(ToString::to_string).collect();
        names.join(" ")
    };
    let p = head(&format!("cell A<const I: usize, const H: usize> {rest}"), &["just names", "`<I, H>`"]);
    assert_eq!(named(&p), "I H");
    let p = head(&format!("cell A<I: usize> {rest}"), &["just names", "write `I`"]);
    assert_eq!(named(&p), "I");
    let p = head(&format!("cell A(I, H) {rest}"), &["angle brackets", "`<I, H>`"]);
    assert_eq!(named(&p), "I H");
    head(&format!("cell A<I, 16> {rest}"), &["name of a dimension, found `16`", "`[16]`"]);
    head(&format!("cell A<I H> {rest}"), &["missing `,` between `I` and `H`"]);
    head(&format!("cell A<I, H {rest}"), &["expected `>`"]);
    head(&format!("cell A<t> {rest}"), &["`t` is the current step"]);
    head(&format!("cell A<I, type> {rest}"), &["`type` is reserved by Rust", "`type_`"]);
}

#[test]
fn invalid_keywords_and_names_are_reported() {
    let rest = "<I> { input x: [I]; output x; }";
    for source in [format!("pub struct Lstm{rest}"), format!("Lstm{rest}"), format!("Cell Lstm{rest}")] {
        let p = head(&source, &["expected `cell`", "cell Name<I, H>"]);
        assert_eq!(p.cells[0].name, "Lstm");
        assert_eq!(p.cells[0].outputs.len(), 1);
    }
    head("cell <I> { input x: [I]; }", &["expected the cell's name"]);
    head(&format!("cell match{rest}"), &["`match` is reserved by Rust"]);
    head("", &["expected a cell"]);
    head("pub", &["expected `cell`"]);
    head("cell A<I>", &["expected `{ .. }`"]);
    head("input x: [3]; output x;", &["an item outside of a cell"]);
    head("h = tanh(x);", &["an item outside of a cell"]);
    head("1 + 2", &["expected `cell`, found `1`"]);
    head(&format!("pub(sideways) cell A{rest}"), &["invalid visibility", "`pub(crate)`"]);
    let p = head(
        "cell A where I: Sized { input x: [3]; output x; }",
        &["expected `{` after the head of `A`, found `where`"],
    );
    assert_eq!(p.cells[0].declarations.len(), 1);
}

#[test]
fn invalid_attributes_are_reported() {
    let rest = "cell A<I> { input x: [I]; output x; }";
    head(&format!("#[inline] {rest}"), &["`#[inline]` isn't allowed on a cell"]);
    head(&format!("//! inner\n {rest}"), &["inner attribute"]);
    head(&format!("#[=] {rest}"), &["invalid attribute"]);
    mistake("#[cfg(test)] input x: [I];", &["`#[cfg]` isn't allowed on an item"]);
    mistake("/// nothing\n", &["documents nothing"]);
    mistake("y = x + #[allow(dead_code)] 1;", &["expected an expression, found `#`"]);
    mistake("y = f(x #[allow(dead_code)]);", &["attributes aren't allowed in an expression"]);
}

#[test]
fn each_of_several_cells_reports_its_mistakes() {
    let (program, messages) = read("cell A<I> { y = x z; } junk; cell B<I> { y = ; output y; }");
    assert_eq!(messages.len(), 3, "{messages:#?}");
    assert_eq!(program.cells.len(), 2);
}
