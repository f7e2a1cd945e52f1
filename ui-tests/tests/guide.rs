//! The messages that the guide and the README quote are those in `fail/`, which `ui.rs` compares
//! with the compiler.

const CHAPTER: &str = include_str!("../../runtime/src/guide/mistakes.md");
const README: &str = include_str!("../../README.md");

/// Compares every block of text after a comment that names a case with the message of that case.
/// Returns the number of blocks.
fn compare(page: &str) -> usize {
    let mut count = 0;
    for quote in page.split("<!-- ").skip(1) {
        let (case, rest) = quote.split_once(" -->").expect("the comment names a case and ends");
        let text = rest.split("```").nth(1).and_then(|block| block.strip_prefix("text\n"));
        let file = format!("{}/fail/{case}.stderr", env!("CARGO_MANIFEST_DIR"));
        let expected = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(text.map(str::trim_end), Some(expected.trim_end()), "{case}");
        count += 1;
    }
    count
}

#[test]
fn quoted_messages_are_the_compilers() {
    // Every block of text in the chapter must be such a quotation.
    assert_eq!(compare(CHAPTER), CHAPTER.matches("```text").count());
}

#[test]
fn the_readme_quotes_one() {
    assert_eq!(compare(README), 1);
}
