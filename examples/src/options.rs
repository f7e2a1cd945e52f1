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
    operand: Option<PathBuf>,
}

/// What a run may take besides options: its name and what it means, for `--help`.
type Operand<'a> = Option<(&'a str, &'a str)>;

impl Options {
    /// Reads the process's arguments. `known` lists each option with its default and what it means; one whose default is
    /// [`OFF`] is a flag. `--data DIR` is always known.
    ///
    /// Prints the list and leaves the process if the user asks for `--help`.
    pub fn read(about: &str, known: &[(&'static str, &str, &str)]) -> Result<Self, Box<dyn Error>> {
        Self::parse(about, None, known, std::env::args().skip(1))
    }

    /// [`read`](Self::read), where one path may stand among the options: `operand` is its name and what it means.
    pub fn read_with_operand(
        about: &str,
        operand: (&str, &str),
        known: &[(&'static str, &str, &str)],
    ) -> Result<Self, Box<dyn Error>> {
        Self::parse(about, Some(operand), known, std::env::args().skip(1))
    }

    fn parse(
        about: &str,
        operand: Operand,
        known: &[(&'static str, &str, &str)],
        arguments: impl Iterator<Item = String>,
    ) -> Result<Self, Box<dyn Error>> {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").display().to_string();
        let always = [("data", data.as_str(), "the folder of the data files")];
        let known: Vec<_> = known.iter().copied().chain(always).collect();
        let mut values: BTreeMap<_, _> =
            known.iter().map(|(name, default, _)| (*name, (*default).to_string())).collect();
        let mut given = None;
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            if argument == "--help" || argument == "-h" {
                println!("{about}");
                if let Some((name, meaning)) = operand {
                    println!("\n{name}: {meaning}");
                }
                println!("\noptions:");
                for (name, default, meaning) in &known {
                    let default = if default.is_empty() { String::new() } else { format!(" [{default}]") };
                    println!("  --{name:<9} {meaning}{default}");
                }
                std::process::exit(0);
            }
            if operand.is_some() && given.is_none() && !argument.starts_with('-') {
                given = Some(PathBuf::from(argument));
                continue;
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
        Ok(Self { values, operand: given })
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

    /// The path besides the options, if one was given.
    pub fn operand(&self) -> Option<&Path> {
        self.operand.as_deref()
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
        Options::parse("", None, &known, arguments.iter().map(|argument| argument.to_string()))
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
    fn one_path_among_the_options() {
        let parse = |arguments: &[&str]| {
            let arguments = arguments.iter().map(|argument| argument.to_string());
            Options::parse("", Some(("FILE", "")), &[("seed", "1", "")], arguments)
        };
        let options = parse(&["--seed", "7", "a.wav"]).unwrap();
        assert_eq!((options.operand(), options.get::<u64>("seed").unwrap()), (Some(Path::new("a.wav")), 7));
        assert_eq!(parse(&[]).unwrap().operand(), None);
        assert!(parse(&["a.wav", "b.wav"]).unwrap_err().to_string().contains("unknown option `b.wav`"));
    }

    #[test]
    fn mistakes_are_named() {
        assert!(parse(&["--sed", "7"]).unwrap_err().to_string().contains("unknown option `--sed`"));
        assert!(parse(&["--seed"]).unwrap_err().to_string().contains("needs a value"));
        let error = parse(&["--seed", "x"]).unwrap().get::<u64>("seed").unwrap_err().to_string();
        assert!(error.contains("`--seed x`"), "{error}");
    }
}
