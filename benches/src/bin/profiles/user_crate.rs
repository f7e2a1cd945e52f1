//! The user's crate, written to a temporary folder and compiled under many profiles.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A build profile.
pub struct Profile {
    /// The title in the table.
    pub title: &'static str,
    /// The name for Cargo.
    name: &'static str,
    /// The settings in `Cargo.toml`.
    settings: &'static str,
    /// True for the library's deterministic mode.
    deterministic: bool,
    /// True if the profile must be nearly as fast as the default.
    pub promised: bool,
}

impl Profile {
    /// Returns whether this is the profile that others are compared with.
    pub fn is_default(&self) -> bool {
        self.name == "release"
    }
}

/// The profiles, the default first.
pub const PROFILES: [Profile; 11] = [
    Profile { title: "release", name: "release", settings: "", deterministic: false, promised: false },
    Profile {
        title: "opt-level = 2",
        name: "level-2",
        settings: "inherits = 'release'\nopt-level = 2",
        deterministic: false,
        promised: true,
    },
    Profile {
        title: "lto = \"off\"",
        name: "lto-off",
        settings: "inherits = 'release'\nlto = 'off'",
        deterministic: false,
        promised: true,
    },
    Profile {
        title: "opt-level = 2, lto = \"off\"",
        name: "level-2-lto-off",
        settings: "inherits = 'release'\nopt-level = 2\nlto = 'off'",
        deterministic: false,
        promised: true,
    },
    Profile {
        title: "codegen-units = 1",
        name: "one-unit",
        settings: "inherits = 'release'\ncodegen-units = 1",
        deterministic: false,
        promised: true,
    },
    Profile {
        title: "lto = \"fat\"",
        name: "lto-fat",
        settings: "inherits = 'release'\nlto = 'fat'",
        deterministic: false,
        promised: true,
    },
    Profile {
        title: "the feature `deterministic`",
        name: "deterministic",
        settings: "inherits = 'release'",
        deterministic: true,
        promised: false,
    },
    Profile {
        title: "opt-level = \"s\"",
        name: "level-s",
        settings: "inherits = 'release'\nopt-level = 's'",
        deterministic: false,
        promised: false,
    },
    Profile {
        title: "overflow checks and assertions",
        name: "checked",
        settings: "inherits = 'release'\ndebug-assertions = true\noverflow-checks = true",
        deterministic: false,
        promised: false,
    },
    Profile {
        title: "dev, as the README recommends",
        name: "dev-readme",
        settings: "inherits = 'dev'\nopt-level = 1\n[profile.dev-readme.package.'*']\nopt-level = 3",
        deterministic: false,
        promised: false,
    },
    Profile { title: "dev", name: "dev", settings: "", deterministic: false, promised: false },
];

/// The crate on disk.
pub struct UserCrate {
    folder: PathBuf,
    target: PathBuf,
}

impl UserCrate {
    /// Writes the crate, which depends on this package by its path and uses its lock file.
    pub fn write() -> std::io::Result<Self> {
        let benches = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = std::env::temp_dir().join("rnn-cell-profiles");
        std::fs::create_dir_all(&folder)?;
        let mut manifest = format!(
            "[package]\nname = 'user'\nversion = '0.0.0'\nedition = '2024'\n[[bin]]\nname = 'user'\npath = 'user.rs'\n[workspace]\n\
             [features]\ndeterministic = ['rnn-cell/deterministic']\n[dependencies]\nbenches = {{ path = {benches:?} }}\nrnn-cell = {{ path = {:?} }}\n",
            benches.join("../runtime")
        );
        for profile in &PROFILES {
            manifest += &format!("[profile.{}]\n{}\n", profile.name, profile.settings);
        }
        std::fs::write(folder.join("Cargo.toml"), manifest)?;
        std::fs::write(folder.join("user.rs"), include_str!("user.rs"))?;
        std::fs::copy(benches.join("../Cargo.lock"), folder.join("Cargo.lock"))?;
        // The target folder is kept between runs, so that a build after a small change is fast.
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| benches.join("../target"), PathBuf::from);
        Ok(UserCrate { folder, target: target.join("profiles") })
    }

    /// Builds the crate. Returns the command that runs it.
    pub fn build(&self, profile: &Profile) -> std::io::Result<Command> {
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--profile", profile.name])
            .arg("--target-dir")
            .arg(&self.target)
            .args(profile.deterministic.then_some("--features=deterministic"))
            .current_dir(&self.folder)
            .status()?;
        if !status.success() {
            return Err(std::io::Error::other(format!("the user's crate does not build: {}", profile.title)));
        }
        let folder = if profile.name == "dev" { "debug" } else { profile.name };
        Ok(Command::new(self.target.join(folder).join("user")))
    }
}
