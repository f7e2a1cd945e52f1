//! Tests of the repository's Markdown pages: links lead to files and headings, and the guide's
//! pictures are the same in rustdoc and in the repository.
//!
//! rustdoc can show a picture only if the documentation contains it. A chapter therefore names each
//! picture by a label, `![..][label]`. Its last lines define the label as a file in `pictures`, for
//! readers of the Markdown. In rustdoc, a definition before the chapter takes precedence, by the
//! rules of Markdown: `guide/pictures/label.uri`, which holds the picture as a data URI.
//! `GUIDE=overwrite cargo test -p rnn-cell-compiler pages` writes these files.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns the Markdown files below `folder`, without those of build folders.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap_or_default());
        if entry.file_type().expect("a type").is_dir() {
            if !name.starts_with('.') && !["target", "node_modules", "dist"].contains(&name.as_str()) {
                found.extend(pages(&path));
            }
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
    found
}

/// Returns a page without its blocks of code and its code within lines.
fn prose(page: &str) -> String {
    let mut text = String::new();
    let mut in_code = false;
    for line in page.lines() {
        let is_fence = line.trim_start().starts_with("```");
        if !in_code && !is_fence {
            // The parts at odd places are code.
            text.extend(line.split('`').step_by(2));
            text.push('\n');
        }
        in_code ^= is_fence;
    }
    text
}

/// Returns the destinations of the links and pictures of a page.
fn destinations(prose: &str) -> Vec<&str> {
    let until = |text: &'_ str, end: &[char]| text.find(end).unwrap_or(text.len());
    let after = |mark: &'static str, end: &'static [char]| {
        prose.split(mark).skip(1).map(move |rest| &rest[..until(rest, end)])
    };
    let definitions =
        prose.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: ")).map(|pair| pair.1);
    after("](", &[')', ' ']).chain(after("src=\"", &['"'])).chain(definitions).collect()
}

/// Returns the anchor that GitHub gives to a heading.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
    heading.trim().to_lowercase().chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn headings(page: &str) -> Vec<String> {
    let mut in_code = false;
    let mut found = Vec::new();
    for line in page.lines() {
        in_code ^= line.trim_start().starts_with("```");
        if !in_code && line.starts_with('#') {
            found.push(anchor(line.trim_start_matches('#')));
        }
    }
    found
}

/// Returns the mistake of a link, if there is one.
fn mistake(page: &Path, destination: &str) -> Option<String> {
    let (path, heading) = destination.split_once('#').unwrap_or((destination, ""));
    let target = if path.is_empty() { page.to_owned() } else { page.parent()?.join(path) };
    if !target.exists() {
        return Some(format!("{}: no file `{destination}`", page.display()));
    }
    let is_page = target.extension().is_some_and(|extension| extension == "md");
    let is_missing =
        || !headings(&fs::read_to_string(&target).expect("a page")).iter().any(|found| found == heading);
    (is_page && !heading.is_empty() && is_missing())
        .then(|| format!("{}: no heading `{destination}`", page.display()))
}

#[test]
fn every_link_of_a_page_leads_somewhere() {
    let mut mistakes = Vec::new();
    let mut links = 0;
    for page in pages(&root()) {
        let text = prose(&fs::read_to_string(&page).expect("a page"));
        // rustdoc checks links to items; nothing checks the web.
        let is_local = |link: &&str| !link.contains("::") && !link.contains('@') && !link.contains("://");
        for destination in destinations(&text).into_iter().filter(is_local) {
            links += 1;
            mistakes.extend(mistake(&page, destination));
        }
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
    assert!(links > 100, "only {links} links were found");
}

#[test]
fn mistakes_of_links_are_found() {
    let page = root().join("README.md");
    assert_eq!(mistake(&page, "runtime/src/guide/limits.md#alternatives"), None);
    assert!(
        mistake(&page, "runtime/src/guide/limits.md#alternative")
            .is_some_and(|text| text.contains("heading"))
    );
    assert!(mistake(&page, "runtime/src/guide/limit.md").is_some_and(|text| text.contains("file")));
    let text = prose("a [b](c.md#d) `[e](f)`\n```\n[g](h)\n```\n<img src=\"i.svg\">\n[j]: k.svg\n");
    assert_eq!(destinations(&text), ["c.md#d", "i.svg", "k.svg"]);
}

/// Returns the definition of a label as an SVG picture, for a link of Markdown.
fn definition(label: &str, svg: &str) -> String {
    let mut uri = format!("[{label}]: data:image/svg+xml,");
    for byte in svg.trim().bytes() {
        match byte {
            // Fewer characters than the code of a quotation mark.
            b'"' => uri.push('\''),
            b'\n' => uri.push_str("%0A"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b',' | b'/' | b':' | b'=' | b';' => {
                uri.push(char::from(byte));
            }
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri.push('\n');
    uri
}

/// Returns the label and the file of a line that defines a picture.
fn picture(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix('[')?.split_once("]: ../../../pictures/")
}

#[test]
fn rustdoc_shows_the_pictures_of_the_guide() {
    let guide = root().join("runtime/src/guide");
    let modules = fs::read_to_string(guide.join("mod.rs")).expect("the guide's module");
    let is_overwriting = std::env::var_os("GUIDE").is_some_and(|value| value == "overwrite");
    let mut pictures = 0;
    for page in pages(&guide) {
        let chapter = page.file_stem().and_then(|stem| stem.to_str()).expect("a name in UTF-8");
        let text = fs::read_to_string(&page).expect("a page");
        for (label, file) in text.lines().filter_map(picture) {
            pictures += 1;
            assert_eq!(file, format!("{label}.svg"), "{chapter}");
            let svg = fs::read_to_string(root().join("pictures").join(file)).expect("a picture");
            assert!(!svg.contains('\''), "{file} needs another quotation mark");
            let (uri, expected) =
                (guide.join("pictures").join(format!("{label}.uri")), definition(label, &svg));
            if is_overwriting {
                fs::write(&uri, &expected).expect("the file can be written");
            }
            let found = fs::read_to_string(&uri).unwrap_or_default();
            assert!(found == expected, "{}: run the test with `GUIDE=overwrite`", uri.display());
            let include = format!("include_str!(\"pictures/{label}.uri\")");
            let module = modules.split("\npub mod ").find(|part| part.contains(&format!("\"{chapter}.md\"")));
            let before = module.and_then(|part| part.split(".md\"").next());
            assert!(
                before.is_some_and(|part| part.contains(&include)),
                "{chapter}: no `{include}` before it"
            );
        }
    }
    assert!(pictures > 3, "only {pictures} pictures were found");
}
