//! Unusual but valid programs, which must compile and run: one module and one test per file in
//! `pass/`. Programs that need a crate of their own are in `pass-alone/`, which `ui.rs` runs.

macro_rules! cases {
    ($($name:ident $path:literal;)*) => {
        $(
            #[path = $path]
            mod $name;
        )*

        const PATHS: &[&str] = &[$($path),*];

        mod runs {
            $(
                #[test]
                fn $name() {
                    super::$name::main();
                }
            )*
        }
    };
}

cases! {
    any_order "../pass/any-order.rs";
    attributes "../pass/attributes.rs";
    blanket_traits "../pass/blanket-traits.rs";
    boxed_layers "../pass/boxed-layers.rs";
    budgets "../pass/budgets.rs";
    cell_named_like_ours "../pass/cell-named-like-ours.rs";
    cell_without_dimensions "../pass/cell-without-dimensions.rs";
    cell_without_inputs "../pass/cell-without-inputs.rs";
    cell_without_state "../pass/cell-without-state.rs";
    constants_named_like_values "../pass/constants-named-like-values.rs";
    dimensions_in_small_letters "../pass/dimensions-in-small-letters.rs";
    dimensions_named_like_generics "../pass/dimensions-named-like-generics.rs";
    generic_use "../pass/generic-use.rs";
    heads "../pass/heads.rs";
    imported_by_another_name "../pass/imported-by-another-name.rs";
    initial_states "../pass/initial-states.rs";
    inputs_and_outputs "../pass/inputs-and-outputs.rs";
    items_named_like_dimensions "../pass/items-named-like-dimensions.rs";
    items_named_like_ours "../pass/items-named-like-ours.rs";
    literal_sizes "../pass/literal-sizes.rs";
    made_by_a_macro "../pass/made-by-a-macro.rs";
    matrix_states "../pass/matrix-states.rs";
    names_of_arguments "../pass/names-of-arguments.rs";
    names_of_functions "../pass/names-of-functions.rs";
    products_and_quotients "../pass/products-and-quotients.rs";
    samples_of_every_kind "../pass/samples-of-every-kind.rs";
    several_cells "../pass/several-cells.rs";
    shadowed_prelude "../pass/shadowed-prelude.rs";
    trailing_commas "../pass/trailing-commas.rs";
    underscores "../pass/underscores.rs";
}

#[test]
fn no_file_is_left_out() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/pass");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder of programs")
        .map(|entry| format!("../pass/{}", entry.expect("an entry").file_name().display()))
        .collect();
    files.sort();
    assert_eq!(files, PATHS);
}
