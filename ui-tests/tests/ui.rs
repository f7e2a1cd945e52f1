//! The exact messages for wrong definitions and networks, and those unusual but valid programs that
//! need a crate of their own (`pass.rs` runs the others).
//!
//! `fail/` contains one mistake per file (several in `fail/several`), in folders by the kind of
//! mistake. Each file uses the generated type after the mistake, so its `.stderr` also shows which
//! errors of rustc follow.
//!
//! After a deliberate change of a message, run
//! `TRYBUILD=overwrite cargo test -p ui-tests --test ui` and read every `.stderr` that changed.

use trybuild::TestCases;

/// Mistakes that `cargo check` reports: one invocation checks all cases.
#[test]
fn mistakes_are_reported_word_for_word() {
    TestCases::new().compile_fail("fail/*/*.rs");
}

/// Cases that must be built: mistakes that appear when generic code is instantiated, and valid
/// programs.
#[test]
fn builds_fail_or_run_as_expected() {
    let cases = TestCases::new();
    cases.compile_fail("fail-in-build/*.rs");
    cases.pass("pass-alone/*.rs");
}
