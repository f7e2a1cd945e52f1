//! The examples' command line: `--name value` pairs with defaults, and flags; nothing more.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The default of an option that takes no value: a flag is on if it is given.
pub const OFF: &str = "false";

/// The flag of a run that only shows that everything works, for tests.
pub const QUICK: (&str, &str, &str) = ("quick", OFF, "a run of seconds that learns next to nothing");

/// The options of one run.
#[derive(Debug)]
pub struct Options {
    values: BTreeMap<&'static str, String>,
}

impl Options {
    /// Reads the process's arguments. `known` lists each option with its default and what it means; one whose default is
    /// [`OFF`] is a flag. `--data DIR` is always known.
    ///
    /// Prints the list and leaves the process if the user asks for `--help`.
    pub fn read(about: &str, known: &[(&'static str, &str, &str)]) -> Result<Self, Box<dyn Error>> {
        Self::parse(about, known, std::env::args().skip(1))
    }

    fn parse(
        about: &str,
        known: &[(&'static str, &str, &str)],
        arguments: impl Iterator<Item = String>,
    ) -> Result<Self, Box<dyn Error>> {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").display().to_string();
        let always = [("data", data.as_str(), "the folder of the data files")];
        let known: Vec<_> = known.iter().copied().chain(always).collect();
        let mut values: BTreeMap<_, _> =
            known.iter().map(|(name, default, _)| (*name, (*default).to_string())).collect();
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            if argument == "--help" || argument == "-h" {
                println!("{about}\n\noptions:");
                for (name, default, meaning) in &known {
                    println!("  --{name:<9} {meaning} [{default}]");
                }
                std::process::exit(0);
            }
            let Some(&(name, _, meaning)) =
                known.iter().find(|(name, ..)| argument.strip_prefix("--") == Some(name))
            else {
                let names: Vec<String> = known.iter().map(|(name, ..)| format!("--{name}")).collect();
                return Err(format!(
                    "unknown option `{argument}`\nhelp: the options are {}",
                    names.join(", ")
                )
                .into());
            };
            if known.contains(&(name, OFF, meaning)) {
                values.insert(name, "true".into());
                continue;
            }
            let value = arguments.next().ok_or_else(|| format!("`{argument}` needs a value"))?;
            values.insert(name, value);
        }
        Ok(Self { values })
    }

    /// The value of an option.
    pub fn get<V: FromStr<Err: std::fmt::Display>>(&self, name: &str) -> Result<V, Box<dyn Error>> {
        let text = &self.values[name];
        text.parse().map_err(|error| format!("`--{name} {text}`: {error}").into())
    }

    /// Whether a flag is given.
    pub fn flag(&self, name: &str) -> bool {
        self.values[name] != OFF
    }

    /// The value of an option that is a path.
    pub fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(&self.values[name])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, Box<dyn Error>> {
        let known = [("seed", "1", "where randomness starts"), QUICK];
        Options::parse("", &known, arguments.iter().map(|argument| argument.to_string()))
    }

    #[test]
    fn defaults_and_values() {
        assert_eq!(parse(&[]).unwrap().get::<u64>("seed").unwrap(), 1);
        assert_eq!(parse(&["--seed", "7"]).unwrap().get::<u64>("seed").unwrap(), 7);
    }

    #[test]
    fn a_flag_takes_no_value() {
        assert!(!parse(&[]).unwrap().flag("quick"));
        let options = parse(&["--quick", "--seed", "7"]).unwrap();
        assert!(options.flag("quick") && options.get::<u64>("seed").unwrap() == 7);
    }

    #[test]
    fn mistakes_are_named() {
        assert!(parse(&["--sed", "7"]).unwrap_err().to_string().contains("unknown option `--sed`"));
        assert!(parse(&["--seed"]).unwrap_err().to_string().contains("needs a value"));
        let error = parse(&["--seed", "x"]).unwrap().get::<u64>("seed").unwrap_err().to_string();
        assert!(error.contains("`--seed x`"), "{error}");
    }
}
