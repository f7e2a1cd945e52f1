//! The answers of the module, compared with what rustc prints for the same definitions.

use playground::{GALLERY, analysed, constants, generated};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn report(text: &str) -> Value {
    serde_json::from_str(&analysed(text)).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

/// Returns the text between two places, which are in UTF-16 units.
fn underlined(text: &str, mistake: &Value) -> String {
    let units: Vec<u16> = text.encode_utf16().collect();
    let [start, end] = ["start", "end"].map(|key| mistake[key].as_u64().unwrap() as usize);
    String::from_utf16(&units[start..end]).unwrap()
}

/// Returns the definition in the only `rnn_cell!` of a file, with the place of its first line.
fn definition(source: &str) -> Option<(&str, usize)> {
    let (before, rest) = source.split_once("rnn_cell! {\n")?;
    let (definition, _) = rest.split_once("\n}\n")?;
    (!rest.contains("rnn_cell! {")).then(|| (definition, before.matches('\n').count() + 1))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path => found.push(path),
        }
    }
    found.sort();
    found
}

/// A message: the line, the column, and the words. rustc and the report differ in the spaces of
/// quoted code.
type Message = (usize, usize, String);

fn words(text: &str) -> String {
    text.split_whitespace().collect()
}

fn in_snapshot(stderr: &str) -> Vec<Message> {
    let message = |block: &str| {
        let (text, rest) = block.split_once("--> ").unwrap();
        let place = rest.lines().next().unwrap().rsplit(':');
        let numbers: Vec<usize> = place.take(2).map(|number| number.parse().unwrap()).collect();
        (numbers[1], numbers[0], words(text))
    };
    stderr.split("error: ").skip(1).map(message).collect()
}

fn in_report(report: &Value, lines_before: usize) -> Vec<Message> {
    let message = |mistake: &Value| {
        let mut text = mistake["fact"].as_str().unwrap().to_owned();
        strings(&mistake["notes"]).iter().for_each(|note| text += &format!("note: {note}"));
        strings(&mistake["helps"]).iter().for_each(|help| text += &format!("help: {help}"));
        let [line, column] = ["line", "column"].map(|key| mistake[key].as_u64().unwrap() as usize);
        (line + lines_before, column, words(&text))
    };
    report["mistakes"].as_array().unwrap().iter().map(message).collect()
}

/// rustc's messages are in the snapshots of the compile-fail tests.
#[test]
fn mistakes_are_reported_as_by_rustc() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui-tests/fail");
    let mut compared = 0;
    for file in files(&folder) {
        let Ok(stderr) = fs::read_to_string(file.with_extension("stderr")) else { continue };
        let source = fs::read_to_string(&file).unwrap();
        let Some((definition, line)) = definition(&source).filter(|_| file.extension().unwrap() == "rs")
        else {
            continue;
        };
        let report = report(definition);
        let (mut found, mut expected) = (in_report(&report, line), in_snapshot(&stderr));
        for messages in [&mut found, &mut expected] {
            messages.sort();
            // Only rustc has a place behind the last token.
            messages
                .iter_mut()
                .filter(|message| message.2.starts_with("expected`;`"))
                .for_each(|message| message.1 = 0);
        }
        assert_eq!(found, expected, "{}", file.display());
        assert!(report["cells"].as_array().unwrap().is_empty());
        compared += 1;
    }
    assert!(compared > 150, "{compared}");
}

#[test]
fn every_cell_of_the_gallery_is_correct() {
    let cells: Vec<&(&str, &str)> = GALLERY.iter().flat_map(|(_, cells)| *cells).collect();
    assert!(cells.len() > 60, "{}", cells.len());
    for (name, text) in cells {
        let report = report(text);
        assert_eq!(report["mistakes"], Value::Array(vec![]), "{name}");
        let [cell] = &report["cells"].as_array().unwrap()[..] else { panic!("{name}") };
        let part = |key: &str| cell[key].as_str().unwrap();
        assert!(part("name").starts_with(name));
        for (key, beginning) in
            [("mathematics", "<div"), ("flow", "<svg"), ("declarations", "<div"), ("sizes", "<div")]
        {
            assert!(part(key).starts_with(beginning) && !part(key).contains("<a "), "{name}: {key}");
        }
        assert!(part("backward").contains("<math") && !part("summary").is_empty(), "{name}");
        // Every derived line is a formula, unless a sentence says why there is no Jacobian.
        for (html, text) in [("backward", "backwardText"), ("jacobian", "jacobianText")] {
            if !part(text).starts_with("The ") {
                assert_eq!(
                    part(html).matches("<math").count(),
                    2 * part(text).lines().count(),
                    "{name}: {html}"
                );
                assert!(!part(html).contains("<p>"), "{name}: {html}");
            }
        }
    }
    let names: Value = serde_json::from_str(&constants()).unwrap();
    assert_eq!(names["gallery"][1]["cells"][0]["name"], "Lstm");
}

/// The values are those of the guide: Elman's network by hand.
#[test]
fn the_derivatives_of_an_elman_network() {
    let report = report(
        "cell Elman<I, H> { input x: [I]; state h: [H]; param W: [H, I], U: [H, H], b: [H];
         h = tanh(W @ x + U @ h[t-1] + b); output h; }",
    );
    let cell = &report["cells"][0];
    let lines = |key: &str| cell[key].as_str().unwrap().lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines("jacobianText"), ["∂h/∂h[t-1] = diag(1 - (h * h)) @ U"]);
    let backward = lines("backwardText");
    for line in ["h_bar[t-1] = U.T @ h_pre_bar", "x_bar = W.T @ h_pre_bar", "b_bar = Σ h_pre_bar"] {
        assert!(backward.contains(&line.to_owned()), "{backward:?}");
    }
    // H·I + H² + H parameters.
    let sizes = cell["sizes"].as_str().unwrap();
    let row = sizes.split("<tr>").find(|row| row.contains("parameters")).unwrap();
    assert_eq!(row.matches("<math>").count(), 3, "{row}");
}

#[test]
fn a_text_that_is_no_sequence_of_tokens() {
    for (text, place, fact, help) in [
        ("cell A<I> { y = tanh(x + 1; }", "(", "`(` is not closed", "write `)` before the `;`"),
        ("cell A<I> { y = [x, (1]; }", "(", "`(` is not closed", "write `)`"),
        ("cell A<I> { y = x); }", ")", "`)` closes no bracket", "remove it, or open a bracket before it"),
        ("cell A<I> { // }\n", "{", "`{` is not closed", "write `}`"),
        (
            "cell A<I> { /* ( /* { */ */ y = x]; }",
            "]",
            "`]` closes no bracket",
            "remove it, or open a bracket before it",
        ),
        ("cell 🦀A { y = x × 2; }", "🦀", "unknown character `🦀`", ""),
        (
            "cell A /* 🦀 */ { y = x × 2; }",
            "×",
            "unknown character `×`",
            "write `*` for the element-wise product, `@` for the matrix product",
        ),
    ] {
        let report = report(text);
        let [mistake] = &report["mistakes"].as_array().unwrap()[..] else { panic!("{report}") };
        assert_eq!(mistake["fact"], fact, "{text}");
        assert_eq!(underlined(text, mistake), place, "{text}");
        assert_eq!(strings(&mistake["helps"]).join(""), help, "{text}");
    }
}

#[test]
fn places_are_counted_in_utf16_units() {
    let text = "// 🦀 élan\ncell Größe<I> { input x: [I]; y = tahn(x); output y; }";
    let report = report(text);
    let [mistake] = &report["mistakes"].as_array().unwrap()[..] else { panic!("{report}") };
    assert_eq!(underlined(text, mistake), "tahn");
    assert_eq!((mistake["line"].as_u64(), mistake["column"].as_u64()), (Some(2), Some(35)));
}

#[test]
fn a_whole_call_of_the_macro_and_several_cells() {
    let text = "rnn_cell! { cell A<I> { input x: [I]; y = tanh(x); output y; } cell B { input x: [3]; y = exp(x); output y; } }";
    let report = report(text);
    let names: Vec<&str> =
        report["cells"].as_array().unwrap().iter().map(|cell| cell["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["A<I>", "B"]);
}

/// A link may hold any text, so the text of a definition must never become markup.
#[test]
fn markup_in_a_definition_remains_text() {
    let text = "/// <script>a</script> `<img src=x>`\ncell A<I> { /// <b>\n input x: [I];\n/// <i> & \"\n y = tanh(x); output y; }";
    let report = report(text);
    assert_eq!(report["mistakes"], Value::Array(vec![]));
    let cell = &report["cells"][0];
    for key in ["summary", "mathematics", "flow", "declarations", "sizes"] {
        let html = cell[key].as_str().unwrap();
        for tag in ["<script", "<img", "<b>", "<i>"] {
            assert!(!html.contains(tag), "{key}: {html}");
        }
    }
    assert!(cell["summary"].as_str().unwrap().contains("&lt;script&gt;"));
}

#[test]
fn the_generated_code_is_formatted_rust_or_null() {
    let code: String =
        serde_json::from_str(&generated("cell A<I> { input x: [I]; y = tanh(x); output y; }")).unwrap();
    assert!(
        code.contains("pub fn") && code.contains("::rnn_cell::generated") && !code.contains("$crate"),
        "{code}"
    );
    assert!(code.lines().count() > 100 && code.lines().all(|line| line.len() < 300));
    assert_eq!(generated("cell A<I> {}"), "null");
    assert_eq!(generated("cell ("), "null");
}
