//! Conflicts between the names of the cells of one `rnn_cell!`.

use crate::diagnostics::Diagnostics;
use crate::syntax::ast::Cell;
use std::collections::HashMap;

/// The suffixes of the types that are generated beside a cell.
const GENERATED: [&str; 5] = ["State", "Input", "Output", "Context", "Tape"];

/// Reports cells whose types would have the same name. Two cells of the same name are allowed if
/// one has a `cfg`, because only one of them may be compiled.
pub fn check_cells(cells: &[Cell], diagnostics: &mut Diagnostics) {
    let mut first: HashMap<String, usize> = HashMap::new();
    for (index, cell) in cells.iter().enumerate() {
        let name = &cell.name;
        let is_conditional = cell.attributes.iter().any(|attribute| attribute.path().is_ident("cfg"));
        if first.insert(name.to_string(), index).is_some() && !is_conditional {
            diagnostics.error(name, format!("cell `{name}` is defined twice")).help("rename one of them");
        }
    }
    for cell in cells {
        let name = cell.name.to_string();
        for generated in GENERATED {
            let base = name.strip_suffix(generated).filter(|base| first.contains_key(*base));
            if let Some(base) = base {
                diagnostics
                    .error(&cell.name, format!("`{name}` is the name of a type that cell `{base}` generates"))
                    .help("rename one of them");
            }
        }
    }
}
