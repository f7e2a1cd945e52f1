//! The exact messages for wrong definitions and networks, and those unusual but valid programs that
//! need a crate of their own (`pass.rs` runs the others).
//!
//! `fail/` contains one mistake per file (several in `fail/several`), in folders by the kind of
//! mistake. Each file uses the generated type after the mistake, so its `.stderr` also shows which
//! errors of rustc follow.
//!
//! After a deliberate change of a message, run
//! `TRYBUILD=overwrite cargo test -p ui-tests --test ui` and read every `.stderr` that changed.

use std::process::{Command, ExitCode};
use trybuild::TestCases;

/// The flags with which trybuild compiles the cases. It compiles their dependencies with the same
/// flags but for the last, and so everything twice, unless this variable gives one list for all.
const FLAGS: (&str, [&str; 6]) = (
    "CARGO_ENCODED_RUSTFLAGS",
    ["--cfg", "trybuild", "--verbose", "-A", "dead_code", "--diagnostic-width=140"],
);

fn main() -> ExitCode {
    let (variable, flags) = (FLAGS.0, FLAGS.1.join("\x1f"));
    if std::env::var(variable).as_ref() == Ok(&flags) {
        mistakes_are_reported_word_for_word();
        builds_fail_or_run_as_expected();
        return ExitCode::SUCCESS;
    }
    let this = std::env::current_exe().expect("the path of this test");
    let status = Command::new(this)
        .args(std::env::args_os().skip(1))
        .env(variable, flags)
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .status();
    if status.is_ok_and(|status| status.success()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Checks mistakes that `cargo check` reports: one invocation for all cases.
fn mistakes_are_reported_word_for_word() {
    TestCases::new().compile_fail("fail/*/*.rs");
}

/// Checks cases that must be built: mistakes that appear when generic code is instantiated, and
/// valid programs.
fn builds_fail_or_run_as_expected() {
    let cases = TestCases::new();
    cases.compile_fail("fail-in-build/*.rs");
    cases.pass("pass-alone/*.rs");
}
