//! Tests that the guide's chapter on the compiler, which follows one cell through the stages, is up
//! to date.
//!
//! After a deliberate change, run `GUIDE=overwrite cargo test -p rnn-cell-compiler guide` and read
//! the changes.

use crate::analysis::reads;
use crate::expand::expand;
use crate::graph::ir::{Graph, Id, Op};
use crate::lower::names::{ValueNames, declared_name};
use crate::plan::schedule::{Group, Region};
use crate::plan::{Pass, Plan};
use crate::testing::source::{Definition, read};
use crate::text::adjoints::adjoints;
use crate::text::definition;
use quote::{ToTokens, quote};
use std::fmt::Write;
use syn::visit::Visit;

const CHAPTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../runtime/src/guide/the_compiler.md");

/// Writes one value per line: its name, shape, operation and arguments.
fn nodes(definition: &Definition, graph: &Graph, names: &ValueNames, shows: impl Fn(Id) -> bool) -> String {
    let dims: Vec<String> = definition.cell.dimensions.iter().map(ToString::to_string).collect();
    let side = |atom: crate::dim::Atom| crate::dim::Dim::sum([atom]).display(&dims);
    let mut text = String::new();
    for id in graph.ids().filter(|id| shows(*id)) {
        let node = &graph[id];
        let args: Vec<&str> = node.args.iter().map(|arg| names.text(*arg)).collect();
        let what = match &node.op {
            Op::Number(bits) => format!("{}", f64::from_bits(*bits)),
            Op::Read(piece) => {
                format!("read {}", declared_name(&definition.cell, &definition.shapes, *piece))
            }
            Op::Previous(piece) => {
                format!("{}[t-1]", declared_name(&definition.cell, &definition.shapes, *piece))
            }
            Op::Unary(op) => format!("{op:?}({})", args.join(", ")),
            Op::Binary(op) => format!("{op:?}({})", args.join(", ")),
            op => format!("{op:?}({})", args.join(", ")),
        };
        let shape = format!("[{}, {}]", side(node.shape.rows), side(node.shape.columns));
        let _ =
            writeln!(text, "{:<9} {shape:<8} {:<7} = {what}", names.text(id), format!("{:?}", node.level));
    }
    text
}

/// Writes the groups of each region, one per line.
fn regions(pass: &Pass, names: &ValueNames) -> String {
    let mut text = String::new();
    for region in Region::ALL {
        for group in pass.schedule.groups(region) {
            let kind = match group {
                Group::Elementwise { .. } => "one loop over the entries",
                Group::Products { .. } => "matrix products",
                Group::PullBack(_) => "transposed products",
                Group::Single(_) => "one operation",
            };
            let nodes: Vec<&str> = group.nodes().iter().map(|id| names.text(*id)).collect();
            let _ = writeln!(text, "{:<8} {kind}: {}", format!("{region:?}"), nodes.join(", "));
        }
    }
    text
}

/// Returns the generated function of that name, as text.
fn code(expansion: &syn::File, function: &str) -> String {
    struct Find<'a> {
        function: &'a str,
        found: Option<syn::ImplItemFn>,
    }
    impl<'a> Visit<'a> for Find<'_> {
        fn visit_impl_item_fn(&mut self, method: &'a syn::ImplItemFn) {
            if method.sig.ident == self.function {
                self.found = Some(method.clone());
            }
        }
    }
    let mut find = Find { function, found: None };
    find.visit_file(expansion);
    let method = find.found.unwrap_or_else(|| panic!("no function `{function}`"));
    let file: syn::File = syn::parse_quote!(#method);
    prettyplease::unparse(&file).replace("__k::", "")
}

fn stages(source: &str) -> Vec<(&'static str, String)> {
    let definition = read(source);
    let plan: Plan = definition.plan();
    let names = &plan.names;
    let dim_names = definition.shaped().dim_names();
    let mut shapes = String::new();
    for equation in &definition.resolved.order {
        let equation = &definition.cell.equations[*equation];
        reads::visit(&equation.value, &mut |part| {
            if let Some(shape) = &definition.shapes.expressions[part.id] {
                let text = crate::syntax::text::short(part);
                let _ = writeln!(shapes, "{text:<38} {}", shape.display(&dim_names));
            }
        });
    }
    let forward = |id: Id| {
        let needed = plan.graph.reachable(plan.states.iter().map(|bound| bound.id));
        needed[id.index()]
    };
    let residuals: Vec<&str> = plan.residuals.iter().map(|id| names.text(*id)).collect();
    let expansion =
        expand(&crate::emit::context::Runtime::new(quote!(::rnn_cell)), source.parse().expect("tokens"))
            .into_token_stream();
    let file: syn::File = syn::parse2(expansion).expect("Rust");
    vec![
        ("order", definition::equations(definition.shaped(), &definition.resolved.order)),
        ("shapes", shapes),
        ("graph", nodes(&definition, &plan.graph, names, forward)),
        ("backward", adjoints(definition.shaped(), &definition.past, &plan)),
        (
            "plan",
            format!(
                "kept on the tape: {}\n\nforward\n{}\nbackward\n{}",
                residuals.join(", "),
                regions(&plan.forward, names),
                regions(&plan.backward, names)
            ),
        ),
        ("code", code(&file, "step_on")),
    ]
}

#[test]
fn the_guide_shows_every_stage_correctly() {
    let chapter = std::fs::read_to_string(CHAPTER).expect("the chapter is in the repository");
    let definition =
        chapter.split("rnn_cell! {\n").nth(1).expect("the cell").split("\n}\n").next().expect("its end");
    let mut updated = chapter.clone();
    for (stage, found) in stages(definition) {
        let mark = format!("<!-- {stage} -->\n\n```text\n");
        let (before, rest) =
            updated.split_once(&mark).unwrap_or_else(|| panic!("no `{stage}` in the chapter"));
        let (_, after) = rest.split_once("\n```\n").expect("the block ends");
        updated = format!("{before}{mark}{}\n```\n{after}", found.trim_end());
    }
    if std::env::var_os("GUIDE").is_some_and(|value| value == "overwrite") {
        std::fs::write(CHAPTER, &updated).expect("the chapter can be written");
        return;
    }
    assert_eq!(chapter, updated, "run the test with `GUIDE=overwrite` and read the changes");
}
