//! What the macro says of wrong definitions, word for word, and odd but right ones that must compile and run.
//!
//! `fail/` holds one mistake a file (several in `fail/several`), in folders by the kind of mistake. Each file uses the
//! generated type after the mistake, so its `.stderr` also shows that no error of rustc follows. After a deliberate change of
//! wording: `TRYBUILD=overwrite cargo test -p ui-tests --test ui`, then read every `.stderr` that changed.

/// One test, so that the cases are built as one project, and not by two at a time.
#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("fail/*/*.rs");
    cases.pass("pass/*.rs");
}
