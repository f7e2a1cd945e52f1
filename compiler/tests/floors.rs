//! The floors of the compiler: a module imports from its own floor or from below, never from above,
//! and files never import each other in a circle.
//!
//! The test reads the sources as tokens and follows every path that names a module: `crate::..`,
//! `super::..`, `self::..`, and the children of a file by their names. Re-exported names count as
//! imports of the file that defines them. Code that is compiled for tests alone may import
//! anything.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A path of modules or of an item: `["graph", "ir", "Op"]`.
type Names = Vec<String>;

/// A file as its tokens, without code that is compiled for tests alone.
struct File {
    tokens: Vec<TokenTree>,
    children: BTreeSet<String>,
    /// The names that the file re-exports, each with its path.
    exports: BTreeMap<String, Names>,
}

/// The files of the crate, by module path.
struct Sources {
    files: BTreeMap<Names, File>,
    /// The floor of each module at the root.
    floors: BTreeMap<String, usize>,
}

/// The imports of a file, by the module path of the imported file.
type Imports = BTreeMap<Names, BTreeSet<Names>>;

impl Sources {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let map = std::fs::read_to_string(root.join("lib.rs")).expect("the crate has a root");
        let mut sources = Sources { files: BTreeMap::new(), floors: floors(&map) };
        sources.add(&root, &vec![], "lib.rs");
        sources.find_exports();
        sources
    }

    /// Adds the module in `folder`, whose own file is `own`, and its children.
    fn add(&mut self, folder: &Path, module: &Names, own: &str) {
        let path = folder.join(own);
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let tokens = without_tests(text.parse().expect("a source file is tokens"));
        let children = declared_modules(&tokens);
        for child in &children {
            let inner = [module.clone(), vec![child.clone()]].concat();
            let (file, nested) = (format!("{child}.rs"), folder.join(child));
            if nested.join("mod.rs").exists() {
                assert!(!folder.join(&file).exists(), "{file} stands beside the folder {}", nested.display());
                self.add(&nested, &inner, "mod.rs");
            } else {
                assert!(!nested.exists(), "the folder {} has no mod.rs", nested.display());
                self.add(folder, &inner, &file);
            }
        }
        self.files.insert(module.clone(), File { tokens, children, exports: BTreeMap::new() });
    }

    /// Learns what each file re-exports.
    fn find_exports(&mut self) {
        let modules: Vec<Names> = self.files.keys().cloned().collect();
        for module in modules {
            let file = &self.files[&module];
            let mut exports = BTreeMap::new();
            for (index, token) in file.tokens.iter().enumerate() {
                let is_public = index > 0
                    && (is_word(&file.tokens[index - 1], "pub")
                        || is_group(&file.tokens[index - 1], Delimiter::Parenthesis));
                if is_word(token, "use") && is_public {
                    let mut found = vec![];
                    tree(&file.tokens[index + 1..], &vec![], &mut found);
                    for path in found {
                        if let (Some(path), Some(name)) = (self.absolute(&module, &path), path.last()) {
                            exports.insert(name.clone(), path);
                        }
                    }
                }
            }
            self.files.get_mut(&module).expect("it is there").exports = exports;
        }
    }

    /// Returns a path as one from the root of the crate, or None for a path that leaves the crate
    /// or is local to a file.
    fn absolute(&self, module: &Names, path: &[String]) -> Option<Names> {
        let mut base = module.clone();
        let mut rest = path;
        match rest.first()?.as_str() {
            "crate" => {
                base.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|name| name == "super") {
                    base.pop()?;
                    rest = &rest[1..];
                }
            }
            child if self.files[module].children.contains(child) => {}
            _ => return None,
        }
        Some([base, rest.to_vec()].concat())
    }

    /// Returns the file that defines the item at a path from the root of the crate.
    fn file_of(&self, path: &[String]) -> Names {
        let mut module = vec![];
        let mut rest = path;
        while let Some(name) = rest.first() {
            let file = &self.files[&module];
            if file.children.contains(name) {
                module.push(name.clone());
            } else if let Some(export) = file.exports.get(name) {
                return self.file_of(&[export.clone(), rest[1..].to_vec()].concat());
            } else {
                break;
            }
            rest = &rest[1..];
        }
        module
    }

    /// Returns the floor of a file. The root of the crate is above all.
    fn floor(&self, module: &Names) -> usize {
        let Some(top) = module.first() else { return usize::MAX };
        *self.floors.get(top).unwrap_or_else(|| panic!("the map in lib.rs has no `{top}`"))
    }

    fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (module, file) in &self.files {
            let mut paths = vec![];
            collect(&file.tokens, &mut paths);
            let found =
                paths.iter().filter_map(|path| self.absolute(module, path)).map(|path| self.file_of(&path));
            imports.insert(module.clone(), found.filter(|imported| imported != module).collect());
        }
        imports
    }
}

fn is_word(token: &TokenTree, text: &str) -> bool {
    matches!(token, TokenTree::Ident(word) if word == text)
}

fn is_group(token: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter)
}

fn is_sign(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

/// Leaves out items under `#[cfg(test)]` and `#[test]`, at any depth.
fn without_tests(tokens: TokenStream) -> Vec<TokenTree> {
    let all: Vec<TokenTree> = tokens.into_iter().collect();
    let mut kept = vec![];
    let mut index = 0;
    while index < all.len() {
        let attribute = match all.get(index + 1) {
            Some(TokenTree::Group(group)) if is_sign(all.get(index), '#') => group.stream().to_string(),
            _ => String::new(),
        };
        assert!(!attribute.starts_with("path ="), "`#[{attribute}]` renames a module");
        if matches!(attribute.replace(' ', "").as_str(), "cfg(test)" | "test") {
            // An item, a field or a statement ends at its braces or at its semicolon or comma.
            index += 2;
            while index < all.len() {
                let is_end = is_group(&all[index], Delimiter::Brace)
                    || is_sign(all.get(index), ';')
                    || is_sign(all.get(index), ',');
                index += 1;
                if is_end {
                    break;
                }
            }
            continue;
        }
        kept.push(match &all[index] {
            TokenTree::Group(group) => {
                let inner = without_tests(group.stream()).into_iter().collect();
                proc_macro2::Group::new(group.delimiter(), inner).into()
            }
            token => token.clone(),
        });
        index += 1;
    }
    kept
}

/// Returns the modules that a file declares with `mod name;`.
fn declared_modules(tokens: &[TokenTree]) -> BTreeSet<String> {
    let declared =
        tokens.windows(3).filter(|window| is_word(&window[0], "mod") && is_sign(window.get(2), ';'));
    declared.map(|window| window[1].to_string()).collect()
}

/// Collects all paths of at least two names, those within `use` trees among them.
fn collect(tokens: &[TokenTree], found: &mut Vec<Names>) {
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                collect(&inner, found);
            }
            TokenTree::Ident(_) => {
                let is_continued =
                    index >= 2 && is_sign(tokens.get(index - 1), ':') && is_sign(tokens.get(index - 2), ':');
                let is_path = is_sign(tokens.get(index + 1), ':') && is_sign(tokens.get(index + 2), ':');
                if is_path && !is_continued {
                    tree(&tokens[index..], &vec![], found);
                }
            }
            _ => {}
        }
    }
}

/// Collects the paths of a `use` tree, or the path at the front of an expression.
fn tree(tokens: &[TokenTree], before: &Names, found: &mut Vec<Names>) {
    let mut path = before.clone();
    let mut rest = tokens;
    loop {
        match rest {
            [TokenTree::Ident(name), after @ ..] => {
                path.push(name.to_string());
                rest = after;
            }
            [TokenTree::Group(group), ..] if group.delimiter() == Delimiter::Brace && !path.is_empty() => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                for part in inner.split(|token| is_sign(Some(token), ',')) {
                    if !part.is_empty() {
                        tree(part, &path, found);
                    }
                }
                return;
            }
            _ => break,
        }
        if is_sign(rest.first(), ':') && is_sign(rest.get(1), ':') {
            rest = &rest[2..];
        } else {
            break;
        }
    }
    if path.len() > 1 {
        found.push(path);
    }
}

/// Reads the table of `lib.rs`: `| 3 | [`analysis`] | .. |`. A row without a number is on the floor
/// of the row above.
fn floors(map: &str) -> BTreeMap<String, usize> {
    let mut floors = BTreeMap::new();
    let mut floor = None;
    for row in map.lines().filter_map(|line| line.strip_prefix("//! |")) {
        let columns: Vec<&str> = row.split('|').map(str::trim).collect();
        floor = columns[0].parse().ok().or(floor);
        if let (Some(floor), Some(module)) = (floor, columns[1].split('`').nth(1)) {
            floors.insert(module.to_owned(), floor);
        }
    }
    floors
}

fn file(module: &Names) -> String {
    if module.is_empty() { "lib".to_owned() } else { module.join("/") }
}

/// Returns the shortest circle of imports that starts and ends at `start`, if there is one.
fn circle(imports: &Imports, start: &Names) -> Option<Vec<Names>> {
    let mut paths = vec![vec![start.clone()]];
    let mut seen = BTreeSet::new();
    while !paths.is_empty() {
        let mut longer = vec![];
        for path in paths {
            for next in imports.get(path.last()?)? {
                if next == start {
                    return Some(path);
                }
                if seen.insert(next.clone()) {
                    longer.push([path.clone(), vec![next.clone()]].concat());
                }
            }
        }
        paths = longer;
    }
    None
}

#[test]
fn imports_go_down_and_never_in_a_circle() {
    let sources = Sources::read();
    let imports = sources.imports();
    assert!(imports.values().map(BTreeSet::len).sum::<usize>() > 300, "the test reads no imports");
    let mut broken = vec![];
    for (module, imported) in &imports {
        for other in imported {
            if sources.floor(other) > sources.floor(module) {
                broken.push(format!("{} imports {}, which is on a higher floor", file(module), file(other)));
            }
        }
    }
    let mut in_circles = BTreeSet::new();
    for module in imports.keys() {
        if let Some(circle) = circle(&imports, module)
            && circle.iter().all(|other| !in_circles.contains(other))
        {
            let names: Vec<String> = circle.iter().map(file).collect();
            broken.push(format!("{} import each other in a circle", names.join(", ")));
            in_circles.extend(circle);
        }
    }
    assert!(broken.is_empty(), "{} imports break the floors:\n{}", broken.len(), broken.join("\n"));
}

/// Returns the drawing of the top-level modules: one box per module, one row per floor, one arrow
/// per pair of modules that import each other's files.
fn drawing(sources: &Sources, imports: &Imports) -> String {
    let mut text = "```mermaid\nflowchart TD\n".to_owned();
    let mut rows: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for (module, floor) in &sources.floors {
        rows.entry(*floor).or_default().push(module);
    }
    for (floor, modules) in rows.iter().rev() {
        text += &format!("    subgraph floor {floor}\n        {}\n    end\n", modules.join("\n        "));
    }
    let mut arrows = BTreeSet::new();
    for (module, imported) in imports {
        for (from, to) in imported.iter().filter_map(|other| module.first().zip(other.first())) {
            if from != to && sources.floors.contains_key(from) && sources.floors.contains_key(to) {
                arrows.insert(format!("    {from} --> {to}\n"));
            }
        }
    }
    text.extend(arrows);
    text + "```"
}

/// `ARCHITECTURE=overwrite cargo test -p rnn-cell-compiler --test floors` draws it again.
#[test]
fn the_drawing_shows_the_imports() {
    let sources = Sources::read();
    let drawing = drawing(&sources, &sources.imports());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md");
    let page = std::fs::read_to_string(&path).expect("the repository has a page on its architecture");
    let start = page.find("```mermaid").expect("the page has a drawing");
    let end = start + page[start + 3..].find("```").expect("the drawing ends") + 6;
    if std::env::var_os("ARCHITECTURE").is_some_and(|value| value == "overwrite") {
        std::fs::write(&path, [&page[..start], &drawing, &page[end..]].concat())
            .expect("the page can be written");
    } else {
        assert!(
            page[start..end] == drawing,
            "draw it again: ARCHITECTURE=overwrite cargo test --test floors"
        );
    }
}
