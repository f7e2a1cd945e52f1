//! The code that the macro generates only for editors is valid Rust without warnings, for any names
//! in the definition. An editor would underline mistakes in it. `build.rs` enables this code in
//! rustc. `../editors.py` tests it with a language server.

macro_rules! cases {
    ($($name:ident $path:literal;)*) => {
        $(
            #[allow(dead_code, missing_docs, reason = "the cases are programs, and nothing is run")]
            #[path = $path]
            mod $name;
        )*
    };
}

cases! {
    cell_named_like_ours "../../pass/cell-named-like-ours.rs";
    cell_without_dimensions "../../pass/cell-without-dimensions.rs";
    cell_without_inputs "../../pass/cell-without-inputs.rs";
    cell_without_state "../../pass/cell-without-state.rs";
    constants_named_like_values "../../pass/constants-named-like-values.rs";
    dimensions_named_like_generics "../../pass/dimensions-named-like-generics.rs";
    heads "../../pass/heads.rs";
    initial_states "../../pass/initial-states.rs";
    inputs_and_outputs "../../pass/inputs-and-outputs.rs";
    items_named_like_dimensions "../../pass/items-named-like-dimensions.rs";
    items_named_like_ours "../../pass/items-named-like-ours.rs";
    literal_sizes "../../pass/literal-sizes.rs";
    made_by_a_macro "../../pass/made-by-a-macro.rs";
    matrix_states "../../pass/matrix-states.rs";
    names_of_arguments "../../pass/names-of-arguments.rs";
    names_of_functions "../../pass/names-of-functions.rs";
    several_cells "../../pass/several-cells.rs";
    shadowed_prelude "../../pass/shadowed-prelude.rs";
    underscores "../../pass/underscores.rs";
}

// Without this configuration, the code for editors is not compiled.
const _: () = assert!(cfg!(rust_analyzer));
