//! A table of the declarations of a cell: names, shapes, initial values, and the user's comments.

use super::names::escaped;
use crate::analysis::initialisers::Initialiser;
use crate::analysis::resolve::key;
use crate::analysis::shapes::Shaped;
use crate::syntax::ast::{Declaration, DeclarationKind};
use crate::text::definition::{expr, kind, shape};

/// Returns the table as HTML, in which Markdown needs no escaping. Names that have everything else
/// in common share a row.
pub fn declarations(definition: Shaped, initialisers: &[Option<Initialiser>]) -> String {
    let mut rows: Vec<(Vec<String>, String)> = vec![];
    for (index, declaration) in definition.cell.declarations.iter().enumerate() {
        let name = escaped(&key(&declaration.name));
        let is_field = declaration.kind.is_saved();
        let name = if is_field {
            format!("<a href=\"#structfield.{name}\"><code>{name}</code></a>")
        } else {
            format!("<code>{name}</code>")
        };
        let rest = format!(
            "<td>{}</td><td class=\"rnn-shape\"><code>{}</code></td><td>{}</td><td>{}</td>",
            kind(definition, index),
            escaped(&shape(definition, index)),
            start(declaration, initialisers.get(index).and_then(Option::as_ref)),
            comment(&declaration.attributes)
        );
        match rows.last_mut() {
            Some((names, same)) if *same == rest => names.push(name),
            _ => rows.push((vec![name], rest)),
        }
    }
    let mut out = String::from(
        "<div class=\"rnn-scroll\"><table><thead><tr><th>name</th><th>kind</th><th>shape</th><th>initial value</th><th></th></tr></thead><tbody>\n",
    );
    for (names, rest) in rows {
        out.push_str(&format!("<tr><td>{}</td>{rest}</tr>\n", names.join(", ")));
    }
    out.push_str("</tbody></table></div>\n");
    out
}

/// Returns the initialiser as written, or the default that the compiler chose.
fn start(declaration: &Declaration, chosen: Option<&Initialiser>) -> String {
    let code = |text: &str| format!("<code>{}</code>", escaped(text));
    match (&declaration.initial, chosen, declaration.kind) {
        (Some(initial), ..) => code(&expr(initial)),
        (None, Some(Initialiser::Orthogonal), _) => code("orthogonal"),
        (None, Some(Initialiser::XavierUniform), _) => code("xavier_uniform"),
        (None, Some(_), _) | (None, None, DeclarationKind::State) => code("0"),
        (None, None, _) => String::new(),
    }
}

/// Returns the first paragraph of a doc comment as HTML, up to an example. The documentation of a
/// field has all of it.
pub fn comment(attributes: &[syn::Attribute]) -> String {
    let mut text = String::new();
    for attribute in attributes {
        if let syn::Meta::NameValue(meta) = &attribute.meta
            && meta.path.is_ident("doc")
            && let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(comment), .. }) = &meta.value
        {
            text.push_str(&comment.value());
            text.push('\n');
        }
    }
    let lines: Vec<&str> = text
        .trim()
        .lines()
        .map(str::trim)
        .take_while(|line| !line.is_empty() && !line.starts_with("```"))
        .collect();
    inline(&lines.join(" "))
}

/// Converts one line of Markdown to HTML: code remains code, links are replaced by their text, and
/// everything else is text.
fn inline(markdown: &str) -> String {
    let mut out = String::new();
    for (index, part) in markdown.split('`').enumerate() {
        // The parts between an odd backtick and the next one are code.
        if index % 2 == 1 {
            out.push_str(&format!("<code>{}</code>", escaped(part)));
        } else {
            out.push_str(&escaped(part));
        }
    }
    unlinked(&out)
}

/// Removes the brackets of links and the parenthesised targets after them.
fn unlinked(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find(['[', '<']) {
        out.push_str(&rest[..open]);
        rest = &rest[open..];
        // Brackets within code are shapes.
        if rest.starts_with("<code>") {
            let end = rest.find("</code>").map_or(rest.len(), |at| at + "</code>".len());
            out.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        let Some(close) = rest.find(']').filter(|_| rest.starts_with('[')) else {
            out.push_str(&rest[..1]);
            rest = &rest[1..];
            continue;
        };
        out.push_str(&rest[1..close]);
        rest = &rest[close + 1..];
        let target = match rest.chars().next() {
            Some('(') => rest.find(')'),
            Some('[') => rest.find(']'),
            _ => None,
        };
        if let Some(end) = target {
            rest = &rest[end + 1..];
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doc_comments_as_html() {
        for (markdown, expected) in [
            ("The state `h` and `c[t-1]`.", "The state <code>h</code> and <code>c[t-1]</code>."),
            ("As in [`Mamba`].", "As in <code>Mamba</code>."),
            ("See [the paper](https://a.b/c), [x][y] & <b>", "See the paper, x &amp; &lt;b&gt;"),
            ("an open [ bracket", "an open [ bracket"),
            ("`Vec<[T; 2]>`", "<code>Vec&lt;[T; 2]&gt;</code>"),
            ("状態 [", "状態 ["),
        ] {
            assert_eq!(inline(markdown), expected);
        }
    }
}
