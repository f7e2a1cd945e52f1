//! The generated source as files, for whoever wants to read, profile or debug it: `RNN_CELL_DUMP=DIR cargo build`.

use proc_macro2::{Ident, TokenStream};
use std::path::Path;

/// The folder to write to.
const FOLDER: &str = "RNN_CELL_DUMP";

/// Writes a cell's expansion to `CRATE.CELL.rs` in the folder that `RNN_CELL_DUMP` names, if it names one.
pub fn dump(cell: &Ident, expansion: &TokenStream) -> Result<(), String> {
    let Some(folder) = std::env::var_os(FOLDER) else { return Ok(()) };
    let in_crate = std::env::var("CARGO_CRATE_NAME").unwrap_or_else(|_| "unknown".to_owned());
    let file = Path::new(&folder).join(format!("{in_crate}.{cell}.rs"));
    let text = source(expansion)?;
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&file, text))
        .map_err(|error| format!("`{}` can't be written: {error}", file.display()))
}

/// An expansion as a source file that compiles in any crate that depends on `rnn_cell`.
fn source(expansion: &TokenStream) -> Result<String, String> {
    // By its hygiene `$crate` is the runtime, whatever the user's crate calls it; text has no hygiene.
    let text = expansion.to_string().replace("$crate", "::rnn_cell");
    let file = syn::parse_file(&text).map_err(|error| format!("the expansion is no Rust: {error}"))?;
    Ok(prettyplease::unparse(&file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn equations_stand_above_their_lines() {
        let expansion = quote!(
            const _: () = {
                #[doc = "h = tanh(z)"]
                let x = a::B;
            };
        );
        assert_eq!(
            source(&expansion).unwrap(),
            "const _: () = {\n    /// h = tanh(z)\n    let x = a::B;\n};\n"
        );
        assert!(source(&quote!(const)).unwrap_err().starts_with("the expansion is no Rust"));
    }
}
