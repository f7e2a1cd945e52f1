//! The messages for wrong definitions and networks, word for word, and unusual but right ones that must compile and run.
//!
//! `fail/` holds one mistake per file (several in `fail/several`), in folders by the kind of mistake. Each file uses the
//! generated type after the mistake, so its `.stderr` also shows that no error of rustc follows. After a deliberate change of
//! wording: `TRYBUILD=overwrite cargo test -p ui-tests --test ui`, then read every `.stderr` that changed.

use trybuild::TestCases;

/// Mistakes that `cargo check` reports: one invocation checks all cases, because no case has to be built.
#[test]
fn mistakes() {
    TestCases::new().compile_fail("fail/*/*.rs");
}

/// Cases that must be built: mistakes that are found when generic code is instantiated, and right programs.
#[test]
fn builds() {
    let cases = TestCases::new();
    cases.compile_fail("fail-in-build/*.rs");
    cases.pass("pass/*.rs");
}
