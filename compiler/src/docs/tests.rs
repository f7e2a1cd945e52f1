//! Tests of whole pages. `.ci/pages` checks how a browser renders them.

use crate::emit::context::Runtime;
use crate::emit::tests::within_bounds;
use crate::testing::samples::SAMPLES;
use quote::quote;

/// Returns the page of each cell of a definition.
fn pages(source: &str) -> Vec<String> {
    let expansion = crate::expand::expand(
        &Runtime::new(quote!(::rnn_cell)),
        source.parse().expect("brackets are balanced"),
    );
    assert!(expansion.errors.is_empty(), "{} of {source}", expansion.errors);
    let mut found = vec![];
    for (_, items) in expansion.cells {
        let syn::Item::Struct(item) = syn::parse2::<syn::File>(items).expect("Rust").items.remove(0) else {
            panic!("the cell comes first in {source}");
        };
        // The definition, as rustdoc receives it.
        let page = item.attrs.iter().find_map(|attribute| {
            let tokens = attribute.meta.require_list().ok()?.tokens.to_string();
            let definition = tokens.strip_prefix("doc , doc = ::")?.split_once(';')?.1.to_owned();
            Some(definition.strip_suffix(')').expect("a call").to_owned())
        });
        let definition = page.unwrap_or_else(|| panic!("no page of {source}"));
        found.push(crate::expand::page(definition.parse().expect("tokens")));
    }
    found
}

fn page(source: &str) -> String {
    let mut pages = pages(source);
    assert_eq!(pages.len(), 1);
    pages.remove(0)
}

/// Panics unless every opened tag is closed within its parent.
fn check_tags(html: &str) {
    let mut open = vec![];
    for tag in html.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        assert!(!tag.ends_with('/'), "<{tag}>");
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "</{name}> in {html}"),
            None => open.push(tag.split(' ').next().unwrap_or_default()),
        }
    }
    assert!(open.is_empty(), "{open:?} are not closed in {html}");
}

/// Returns the page without its plain text.
fn without_text(page: &str) -> String {
    let parts = page.split("\n```");
    parts.step_by(2).collect()
}

fn all() -> impl Iterator<Item = String> {
    let odd = [
        // Letters of all kinds, raw names, and names that look alike.
        "cell Odd<D_1> { input état: [D_1], 状態: [D_1], h0: [D_1], h_0: [D_1]; state _s_: [D_1] = -1e30;
            param W__: [D_1, D_1]; _s_ = tanh(W__ @ _s_[t-1] + état * 状態 - h0 / h_0); output _s_; }",
        // HTML and Markdown in comments.
        "cell Comments<H> {
            /// <b> & `a < b` | \"quoted\" [text](http://a.b) ** _ $
            ///
            /// ```
            /// let code = 1;
            /// ```
            input x: [H];
            /** ```

            </div><script> */
            y = exp(x);
            /// The _growth_ <p> of `x[t]`.
            z = y * y;
            output y, z; }",
        // All typeset forms of calls.
        "cell Calls<H> { input a: [H], b: [H]; param g: [H], k: [];
            fn twice(u) = 2 * u + pow(u, k2(u));
            fn k2(u) = u / 3;
            y = where(a >= b, sqrt(abs(a)), recip(1 + square(b))) + floor(a) * k + clamp(a, -1, 1) + twice(b);
            z = stop_gradient(layer_norm(y, g, b)) + rms_norm(a, g) + mean(y) + sum([a, b, 1].T @ [b, a, 1]) * square(a + b);
            output y, z; }",
    ];
    SAMPLES.iter().copied().chain(odd).map(str::to_owned).collect::<Vec<_>>().into_iter()
}

#[test]
fn html_is_balanced_and_has_no_blank_line() {
    for source in all() {
        for page in pages(&source) {
            let html = without_text(&page);
            check_tags(&html);
            for tag in ["<math", "<svg", "<table", "# Equations", "# Data flow"] {
                assert!(html.contains(tag), "{tag} of {source}");
            }
            // A blank line within an element would end the HTML.
            for element in ["table", "svg", "div class=\"rnn-math\""] {
                for part in html.split(&format!("<{element}")).skip(1) {
                    let part = part
                        .split(&format!("</{}>", element.split(' ').next().unwrap_or(element)))
                        .next()
                        .unwrap_or_default();
                    assert!(!part.contains("\n\n"), "{part}");
                }
            }
        }
    }
}

#[test]
fn comments_of_users_are_text() {
    let source = all().find(|source| source.contains("cell Comments")).expect("the cell is in the list");
    let html = without_text(&page(&source));
    assert!(html.contains("&lt;b&gt; &amp; <code>a &lt; b</code> | &quot;quoted&quot; text"), "{html}");
    assert!(html.contains("<p>The _growth_ &lt;p&gt; of <code>x[t]</code>.</p>\n<div>"), "{html}");
    assert!(!html.contains("<script>") && !html.contains("let code"), "{html}");
}

/// Returns the contents of the formula with the given left-hand side.
fn right_side(page: &str, left: &str) -> String {
    let rows: Vec<&str> = page.split("<div>").collect();
    let at = rows.iter().position(|row| row.contains(&format!("<mrow>{left}</mrow>"))).expect(left);
    rows[at + 1].to_owned()
}

#[test]
fn equations_as_mathematics() {
    let page = page("cell Small<I, H> { input x: [I]; state h: [H]; param W_f: [H, I], U: [H, H], k: [];
        f = sigmoid(W_f @ x + U.T @ h[t-1]); h = k * f * h[t-1] + where(f > 0.5, f, -f) / sqrt(H); output h; }");
    let f = right_side(&page, "<msub><mi>f</mi><mrow><mi>t</mi></mrow></msub>");
    let space = "<mspace width=\"0.17em\"></mspace>";
    let previous = "<msub><mi>h</mi><mrow><mi>t</mi><mo>−</mo><mn>1</mn></mrow></msub>";
    for part in [
        "<mi mathvariant=\"normal\">σ</mi><mo>&#x2061;</mo>",
        &format!("<msub><mi>W</mi><mrow><mi>f</mi></mrow></msub>{space}<msub><mi>x</mi>"),
        &format!("<msup><mi>U</mi><mo>⊤</mo></msup>{space}{previous}"),
    ] {
        assert!(f.contains(part), "{part} of {f}");
    }
    let h = right_side(&page, "<msub><mi>h</mi><mrow><mi>t</mi></mrow></msub>");
    for part in [
        // A scalar multiplies; vectors are multiplied entry by entry.
        "<mi>k</mi><mo>⋅</mo><msub>",
        &format!("<mo>⊙</mo>{previous}"),
        "<mfrac><mrow><mrow><mo form=\"prefix\" stretchy=\"true\">{</mo><mtable>",
        "<mtext>if&#xa0;</mtext>",
        "<msqrt><mi>H</mi></msqrt>",
    ] {
        assert!(h.contains(part), "{part} of {h}");
    }
}

/// A sum that is too wide for the page is continued on the next line.
#[test]
fn long_sums_are_broken() {
    let terms: Vec<String> = (0..30).map(|index| format!("k_{index} * x")).collect();
    let declared: Vec<String> = (0..30).map(|index| format!("k_{index}")).collect();
    let definition = |value: &str| {
        format!("cell Long<H> {{ input x: [H]; param {}: [H]; y = {value}; output y; }}", declared.join(", "))
    };
    let sum = terms.join(" + ");
    for value in [sum.clone(), format!("tanh({sum})")] {
        let page = page(&definition(&value));
        let lines = page.matches("<div></div><div><math").count();
        assert!((3..7).contains(&lines), "{lines}");
    }
}

#[test]
fn sizes_as_formulas() {
    let page = page(
        "cell Elman<I, H> { input x: [I]; state h: [H]; param W: [H, H + I], b: [H];
        h = tanh(W @ [h[t-1], x] + b); output h; }",
    );
    let dimension = |name: &str| format!("<mi>{name}</mi>");
    let (i, h, space) = (dimension("I"), dimension("H"), "<mspace width=\"0.17em\"></mspace>");
    let term = |inner: &str| format!("<math><mrow>{inner}</mrow></math>");
    let parameters =
        [term(&format!("{i}{space}{h}")), term(&format!("<msup>{h}<mn>2</mn></msup>")), term(&h)].join(" + ");
    assert!(page.contains(&parameters), "{parameters} of {page}");
    assert!(page.contains("#associatedconstant.FLOPS_PER_STEP"));
}

#[test]
fn builds_contain_no_page() {
    for source in all() {
        let expansion =
            crate::expand::expand(&Runtime::new(quote!(::rnn_cell)), source.parse().expect("brackets"));
        let text = quote::ToTokens::to_token_stream(&expansion).to_string();
        assert!(!text.contains("<math") && !text.contains("<svg"), "{source}");
        assert!(text.contains("cfg_attr (not (doc) , doc ="), "{source}");
    }
}

/// A drawing of thirty equations is complete, and a large one takes little time.
#[test]
fn many_equations_are_drawn() {
    for count in [30, 300] {
        let mut equations = "v0 = W @ x + h[t-1];".to_owned();
        for index in 1..count {
            let (a, b) = (index - 1, index / 2);
            equations.push_str(&format!("v{index} = tanh(v{a} * v{b} + x);"));
        }
        let last = count - 1;
        let cell = format!(
            "cell Many<H> {{ input x: [H]; state h: [H]; param W: [H, H]; {equations} h = v{last}; output h; }}"
        );
        let page = within_bounds("a drawing", || page(&cell));
        assert_eq!(page.matches("<rect").count(), count + 4);
    }
}

/// Fields whose types are nested blocks have a sentence about the blocks.
#[test]
fn blocks_of_fields() {
    let expansion = crate::expand::expand(
        &Runtime::new(quote!(::rnn_cell)),
        "cell Blocks<I, H> { input x: [I]; state h: [H]; param W: [3*H, H + I], U: [H, H + I], k: [H];
            [f, g, o] = W @ [h[t-1], x]; h = (f * g + o) * tanh(U @ [h[t-1], x]) + k; output h; }"
            .parse()
            .expect("tokens"),
    );
    let text = quote::ToTokens::to_token_stream(&expansion).to_string();
    for sentence in [
        "One [block](rnn_cell::types::blocks) per term: `U.left` is `[H, H]`, `U.right` is `[H, I]`. `U[(row, column)]` is an entry of the whole matrix.",
        "One [block](rnn_cell::types::blocks) per term: `W.top.left` is `[H, H]`, `W.top.right` is `[H, I]`, .., `W.bottom.bottom.right` is `[H, I]`. \
         `W[(row, column)]` is an entry of the whole matrix.",
    ] {
        assert!(text.contains(sentence), "{sentence}");
    }
    assert!(!text.contains("`k` is"));
}

#[test]
fn examples_follow_the_declarations() {
    let example = |source: &str| {
        let page = page(source);
        let (_, rest) = page.split_once("# Example\n\n```text\n").expect("an example");
        rest.split_once("```").expect("its end").0.to_owned()
    };
    let plain = example(
        "cell Elman<I, H> { input x: [I]; state h: [H]; param W: [H, H + I];
        h = tanh(W @ [h[t-1], x]); output h; }",
    );
    assert_eq!(
        plain,
        "use rnn_cell::prelude::*;\n\nconst I: usize = 3;\nconst H: usize = 4;\n\n\
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);\n\
        let mut cell: Elman<I, H> = Elman::init(&mut rng);\n\n\
        // One step.\n\
        let x = SVector::<f32, I>::zeros();\n\
        let mut state = cell.initial_state();\n\
        let y = cell.step(&x, &mut state);\n\n\
        // One update on a sequence; the loss is half the sum of squares.\n\
        let xs = vec![x; 10];\n\
        let (mut state, mut tape) = (cell.initial_state(), cell.tape());\n\
        let ys = cell.forward(&xs, &mut state, &mut tape);\n\
        let dys = ys.to_vec();\n\
        let mut gradients = cell.zero_gradients();\n\
        cell.backward(&xs, &mut tape, &dys, &mut gradients);\n\
        Adam::new(1e-3).step(&mut cell, &gradients);\n"
    );
    let rich = example(
        "cell Rich<I, H> { input x: one_hot[I], k: [], M: [H, 2], z: [H + I]; context c: [H];
        param W: [H, I], U: [H, H + I]; y = W @ x + k * c + U @ z + M @ [1, 1]; output y; }",
    );
    for part in [
        "let x = RichInput { x: [0], k: SVector::<f32, 1>::zeros(), M: [SMatrix::<f32, H, 2>::zeros()], \
        z: rnn_cell::types::varying::Varying::<f32>::zero() };",
        "let context = RichContext::default();",
        "let mut state = cell.initial_state_with(&context);",
        "cell.step((&x, &context), &mut state)",
        "cell.backward((&xs, &context), &mut tape, &dys, Bars::of(&mut *gradients).without_context());",
    ] {
        assert!(rich.contains(part), "{part} of {rich}");
    }
}
