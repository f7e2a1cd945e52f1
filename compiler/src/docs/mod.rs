//! The page that rustdoc shows for a cell.
//!
//! The expansion of a definition contains `#[cfg_attr(doc, doc = page!(.. the definition ..))]`:
//! only rustdoc creates and reads the page, not a build. HTML on the page contains no blank lines,
//! since they would end it.

#[cfg(any(test, feature = "report"))]
pub mod derived;
mod example;
mod flow;
mod layers;
mod math;
mod names;
mod table;

#[cfg(test)]
mod tests;

use crate::analysis::Analysis;
use crate::analysis::shapes::Shaped;
use crate::dim::polynomial::Polynomial;
use crate::plan::Plan;
use crate::plan::cost::{entries, operations};
use crate::plan::schedule::Region;
use crate::syntax::ast::{Cell, DeclarationKind};
use crate::text::adjoints::adjoints;
use crate::text::definition::{equations, line, returns};
use math::{At, Math, Rows, name, row};
use names::{MathNames, escaped};

/// The style sheet of the page. It keeps rustdoc's colours and text font, so that it suits all
/// themes.
const STYLE: &str = "<style>\
.rnn-scroll{overflow-x:auto;overflow-y:hidden;margin:0 0 1em}\
.rnn-math{display:grid;grid-template-columns:max-content 1fr;column-gap:.35em;row-gap:.55em;align-items:center}\
.rnn-math>div:nth-of-type(odd){text-align:right}\
.rnn-math>p{grid-column:1/-1;margin:.6em 0 0;opacity:.8}\
.rnn-math math{font-size:1.08em}\
.docblock .rnn-shape code{white-space:nowrap}\
.docblock math{font-family:\"Latin Modern Math\",\"STIX Two Math\",\"Cambria Math\",\"XITS Math\",\"STIX Math\",math}\
.rnn-scroll svg{display:block;max-width:100%;height:auto}\
</style>";

pub const CONVENTIONS: &str = "<p>⊙ is the element-wise product; fractions and functions are element-wise too, and columns, rows and scalars are \
repeated to fit. Vectors are columns; brackets stack them. <math><mi>t</mi></math> is the step.</p>";

/// The parts of a page, as HTML unless stated otherwise.
pub struct Parts {
    /// The equations as mathematics.
    pub mathematics: String,
    /// The equations as plain text.
    pub equations: String,
    /// The backward equations as plain text.
    pub backward: String,
    /// The table of the declarations.
    pub declarations: String,
    /// A sentence that lists the outputs, as Markdown.
    pub returns: String,
    /// The drawing of the data flow.
    pub flow: String,
    /// A program that uses the cell, as plain text.
    pub example: String,
    /// The table of sizes and costs.
    pub sizes: String,
}

/// Returns the first paragraph of the user's doc comment, as HTML.
#[cfg(feature = "report")]
pub fn summary(cell: &Cell) -> String {
    table::comment(&cell.attributes)
}

/// Returns the parts of the page of a correct cell.
pub fn parts(cell: &Cell, analysis: &Analysis, plan: &Plan) -> Parts {
    let Analysis { resolved, shapes, initialisers, past } = analysis;
    let definition = Shaped { cell, shapes };
    let names = MathNames::of(cell);
    let math = Math::new(cell, resolved, shapes, &names);
    Parts {
        mathematics: mathematics(&math, analysis),
        equations: equations(definition, &resolved.order),
        backward: adjoints(definition, past, plan),
        declarations: table::declarations(definition, initialisers),
        returns: returns(definition),
        flow: flow::drawing(&math, |equation| line(&cell.equations[equation])),
        example: example::example(definition),
        sizes: sizes(definition, plan, &names),
    }
}

/// Returns the documentation of a correct cell, to follow the user's own.
pub fn page(cell: &Cell, analysis: &Analysis, plan: &Plan) -> String {
    let parts = parts(cell, analysis, plan);
    let mut page = format!("\n# Equations\n\n{STYLE}\n\n{}\n", parts.mathematics);
    page.push_str(CONVENTIONS);
    page.push_str(&folded("The equations as text", &parts.equations));
    page.push_str(&folded(
        "The backward equations: <code>x_bar</code> is the cotangent of <code>x</code>, Σ sums the product that follows it over \
         steps and samples; <code>o_pre</code> is the argument in <code>o = sigmoid(..)</code>",
        &parts.backward,
    ));
    page.push_str(&format!("\n# Declarations\n\n{}\n{}\n", parts.declarations, parts.returns));
    page.push_str(&format!("\n# Data flow\n\n<div class=\"rnn-scroll\">\n{}</div>\n\n", parts.flow));
    page.push_str(&format!("# Example\n\n```text\n{}```\n\n", parts.example));
    page.push_str(&format!("# Size and cost\n\n{}", parts.sizes));
    page
}

/// Writes the user's functions, initial values, and the equations in order of evaluation.
fn mathematics(math: &Math, analysis: &Analysis) -> String {
    let cell: &Cell = math.cell;
    let mut out = String::from("<div class=\"rnn-scroll\"><div class=\"rnn-math\">\n");
    let show = |out: &mut String, rows: Rows| {
        for (index, right) in rows.right.iter().enumerate() {
            let (left, equals) = if index == 0 { (rows.left.as_str(), "<mo>=</mo>") } else { ("", "") };
            let left = if left.is_empty() { String::new() } else { set(left) };
            out.push_str(&format!("<div>{left}</div><div>{}</div>\n", set(&format!("{equals}{right}"))));
        }
    };
    for function in &cell.functions {
        show(&mut out, math.function(function));
    }
    for (index, declaration) in cell.declarations.iter().enumerate() {
        let is_computed = analysis.initialisers.get(index).is_none_or(Option::is_none);
        if let (DeclarationKind::State, Some(initial), true) =
            (declaration.kind, &declaration.initial, is_computed)
        {
            show(&mut out, math.initial(&declaration.name, initial));
        }
    }
    for &index in &analysis.resolved.order {
        let comment = table::comment(&cell.equations[index].attributes);
        if !comment.is_empty() {
            out.push_str(&format!("<p>{comment}</p>\n"));
        }
        show(&mut out, math.equation(index));
    }
    out.push_str("</div></div>\n");
    out
}

fn set(inner: &str) -> String {
    format!("<math displaystyle=\"true\"><mrow>{inner}</mrow></math>")
}

/// Returns text that is collapsed until clicked.
fn folded(summary: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    format!("\n<details><summary>{summary}</summary>\n\n```text\n{text}```\n\n</details>\n\n")
}

fn sizes(definition: Shaped, plan: &Plan, names: &MathNames) -> String {
    let rows = [
        ("parameters", "PARAMETER_COUNT", entries(definition, DeclarationKind::Param)),
        ("scalars in a state", "STATE_BYTES", entries(definition, DeclarationKind::State)),
        ("operations per step", "FLOPS_PER_STEP", operations(&plan.graph, &plan.streaming, |_| true)),
        (
            "sequential operations per step",
            "RECURRENT_FLOPS_PER_STEP",
            operations(&plan.graph, &plan.forward, |region| region == Region::Step),
        ),
    ];
    let mut out = String::from("<div class=\"rnn-scroll\"><table><tbody>\n");
    for (what, constant, sum) in rows {
        out.push_str(&format!(
            "<tr><td>{}</td><td>{}</td><td><a href=\"#associatedconstant.{constant}\"><code>{constant}</code></a></td></tr>\n",
            escaped(what),
            polynomial(&sum, definition.cell, names)
        ));
    }
    out.push_str("</tbody></table></div>\n");
    out
}

/// Writes a polynomial in the dimensions as MathML.
fn polynomial(of: &Polynomial, cell: &Cell, names: &MathNames) -> String {
    let dimension = |index: usize, power: u32| {
        let raised = (power > 1).then(|| format!("<mn>{power}</mn>"));
        name(&names.get(&cell.dimensions[index]), &At::Always, raised.as_deref())
    };
    let terms: Vec<String> = of
        .terms()
        .into_iter()
        .map(|(powers, count)| {
            let used = powers.iter().enumerate().filter(|(_, power)| **power > 0);
            let mut factors: Vec<String> = used.map(|(index, power)| dimension(index, *power)).collect();
            if count != 1 || factors.is_empty() {
                factors.insert(0, format!("<mn>{count}</mn>"));
            }
            factors.join("<mspace width=\"0.17em\"></mspace>")
        })
        .collect();
    // Each term is a separate formula: a browser breaks lines between them.
    let terms = if terms.is_empty() { vec!["<mn>0</mn>".to_owned()] } else { terms };
    let terms: Vec<String> = terms.iter().map(|term| format!("<math>{}</math>", row(term))).collect();
    terms.join(" + ")
}
