//! The examples' command line: `--name value` pairs with defaults, and flags.

use lexopt::{Arg, Parser, ValueExt};
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The default value that marks an option as a flag, which takes no value.
pub const OFF: &str = "false";

/// The flag for a short run that only shows that everything works, for tests.
pub const QUICK: (&str, &str, &str) = ("quick", OFF, "run for a few seconds and learn almost nothing");

/// The options of one run.
#[derive(Debug)]
pub struct Options {
    values: BTreeMap<&'static str, String>,
    operand: Option<PathBuf>,
}

/// The positional argument of a run: its name and its description for `--help`.
type Operand<'a> = Option<(&'a str, &'a str)>;

impl Options {
    /// Reads the arguments of the process. `known` lists each option with its default and its
    /// description. An option with the default [`OFF`] is a flag. `--data DIR` is always known.
    ///
    /// Prints the list and exits the process if the user passes `--help`.
    pub fn read(about: &str, known: &[(&'static str, &str, &str)]) -> Result<Self, Box<dyn Error>> {
        Self::parse(about, None, known, Parser::from_env())
    }

    /// Reads the arguments like [`read`](Self::read), and one path among them: `operand` is its
    /// name and its description.
    pub fn read_with_operand(
        about: &str,
        operand: (&str, &str),
        known: &[(&'static str, &str, &str)],
    ) -> Result<Self, Box<dyn Error>> {
        Self::parse(about, Some(operand), known, Parser::from_env())
    }

    fn parse(
        about: &str,
        operand: Operand,
        known: &[(&'static str, &str, &str)],
        mut arguments: Parser,
    ) -> Result<Self, Box<dyn Error>> {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").display().to_string();
        let always = [("data", data.as_str(), "the folder of the data files")];
        let known: Vec<_> = known.iter().copied().chain(always).collect();
        let mut values: BTreeMap<_, _> =
            known.iter().map(|(name, default, _)| (*name, (*default).to_string())).collect();
        let mut given = None;
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Short('h') | Arg::Long("help") => {
                    help(about, operand, &known);
                    std::process::exit(0);
                }
                Arg::Value(path) if operand.is_some() && given.is_none() => given = Some(path.into()),
                _ => {
                    let Some(&(name, default, _)) =
                        known.iter().find(|(name, ..)| argument == Arg::Long(name))
                    else {
                        return Err(unknown(argument, &known).into());
                    };
                    let value = match default {
                        OFF => "true".into(),
                        _ => arguments.value().map_err(|_| format!("`--{name}` needs a value"))?.string()?,
                    };
                    values.insert(name, value);
                }
            }
        }
        Ok(Self { values, operand: given })
    }

    /// Returns the value of an option.
    pub fn get<V: FromStr<Err: std::fmt::Display>>(&self, name: &str) -> Result<V, Box<dyn Error>> {
        let text = &self.values[name];
        text.parse().map_err(|error| format!("`--{name} {text}`: {error}").into())
    }

    /// Returns whether a flag is set.
    pub fn flag(&self, name: &str) -> bool {
        self.values[name] != OFF
    }

    /// Returns the positional path, if there is one.
    pub fn operand(&self) -> Option<&Path> {
        self.operand.as_deref()
    }

    /// Returns the value of an option that is a path.
    pub fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(&self.values[name])
    }
}

/// Prints the options of a run.
fn help(about: &str, operand: Operand, known: &[(&str, &str, &str)]) {
    println!("{about}");
    if let Some((name, meaning)) = operand {
        println!("\n{name}: {meaning}");
    }
    println!("\noptions:");
    for (name, default, meaning) in known {
        let default = if default.is_empty() { String::new() } else { format!(" [{default}]") };
        println!("  --{name:<9} {meaning}{default}");
    }
}

/// Returns the message for an unknown argument.
fn unknown(argument: Arg, known: &[(&str, &str, &str)]) -> String {
    let argument = match argument {
        Arg::Short(name) => format!("-{name}"),
        Arg::Long(name) => format!("--{name}"),
        Arg::Value(value) => value.display().to_string(),
    };
    let names: Vec<String> = known.iter().map(|(name, ..)| format!("--{name}")).collect();
    format!("unknown option `{argument}`\nhelp: the options are {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, Box<dyn Error>> {
        let known = [("seed", "1", "the first random seed"), QUICK];
        Options::parse("", None, &known, Parser::from_args(arguments))
    }

    #[test]
    fn defaults_and_values() {
        assert_eq!(parse(&[]).unwrap().get::<u64>("seed").unwrap(), 1);
        assert_eq!(parse(&["--seed", "7"]).unwrap().get::<u64>("seed").unwrap(), 7);
        assert_eq!(parse(&["--seed=-7"]).unwrap().get::<i64>("seed").unwrap(), -7);
    }

    #[test]
    fn a_flag_takes_no_value() {
        assert!(!parse(&[]).unwrap().flag("quick"));
        let options = parse(&["--quick", "--seed", "7"]).unwrap();
        assert!(options.flag("quick") && options.get::<u64>("seed").unwrap() == 7);
    }

    #[test]
    fn a_path_can_be_among_the_options() {
        let parse = |arguments: &[&str]| {
            let arguments = Parser::from_args(arguments);
            Options::parse("", Some(("FILE", "")), &[("seed", "1", "")], arguments)
        };
        let options = parse(&["--seed", "7", "a.wav"]).unwrap();
        assert_eq!((options.operand(), options.get::<u64>("seed").unwrap()), (Some(Path::new("a.wav")), 7));
        assert_eq!(parse(&[]).unwrap().operand(), None);
        assert!(parse(&["a.wav", "b.wav"]).unwrap_err().to_string().contains("unknown option `b.wav`"));
    }

    #[test]
    fn mistakes_are_reported() {
        assert!(parse(&["--sed", "7"]).unwrap_err().to_string().contains("unknown option `--sed`"));
        assert!(parse(&["-s"]).unwrap_err().to_string().contains("unknown option `-s`"));
        assert!(parse(&["--quick=7"]).unwrap_err().to_string().contains("--quick"));
        assert!(parse(&["--seed"]).unwrap_err().to_string().contains("needs a value"));
        let error = parse(&["--seed", "x"]).unwrap().get::<u64>("seed").unwrap_err().to_string();
        assert!(error.contains("`--seed x`"), "{error}");
    }
}
