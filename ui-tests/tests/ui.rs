//! The exact messages of the macro for wrong definitions, and unusual but valid definitions that
//! must compile and run.
//!
//! `fail/` contains one mistake per file (several in `fail/several`), in folders by the kind of
//! mistake. Each file uses the generated type after the mistake, so its `.stderr` also shows that
//! rustc reports no further errors.
//!
//! After a deliberate change of a message, run
//! `TRYBUILD=overwrite cargo test -p ui-tests --test ui` and read every `.stderr` that changed.

/// Runs all cases as one test, so that trybuild builds a single project.
#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("fail/*/*.rs");
    cases.pass("pass/*.rs");
}
