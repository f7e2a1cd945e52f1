//! The same work under different build profiles. Generic code is compiled in the user's crate, so
//! the user's settings apply.
//!
//! `cargo run --release -p benches --bin profiles -- [--quick] [TEXT..]` builds `user.rs` as a
//! separate crate under each profile (or under the default and the profiles whose name contains one
//! of the texts), then measures all of them in turns.

mod user_crate;

use benches::measure::{Contest, Effort, Server, Times};
use benches::run::exit_code;
use benches::table::{Table, figure};
use lexopt::{Arg, Parser, ValueExt};
use std::error::Error;
use std::process::ExitCode;
use std::rc::Rc;
use user_crate::{PROFILES, Profile, UserCrate};

/// The workloads of `user.rs`.
const WORK: [&str; 9] = [
    "step Peephole (1, 8)",
    "step Peephole (1, 32)",
    "step Peephole (1, 128)",
    "step Peephole (16, 32), batch 4",
    "step LayerNormLstm (64, 64)",
    "step FastWeights (32, 32)",
    "training Peephole (16, 32)",
    "training Peephole (64, 64), batch 16",
    "training LayerNormLstm (16, 32)",
];

/// The maximal time of the profiles with a goal, relative to the default release build.
const LIMIT: f64 = 1.3;

fn main() -> ExitCode {
    exit_code(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let (mut effort, mut texts) = (Effort::FULL, vec![]);
    let mut arguments = Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("quick") => effort = Effort::QUICK,
            Arg::Value(text) => texts.push(text.string()?),
            _ => return Err(argument.unexpected().into()),
        }
    }
    let wanted = |profile: &&Profile| {
        texts.is_empty()
            || profile.is_default()
            || texts.iter().any(|text| profile.title.contains(text.as_str()))
    };
    report(&PROFILES.iter().filter(wanted).collect::<Vec<_>>(), effort)?;
    Ok(())
}

fn report(profiles: &[&Profile], effort: Effort) -> std::io::Result<()> {
    let user = UserCrate::write()?;
    let mut servers = vec![];
    for profile in profiles {
        eprintln!("building: {}", profile.title);
        servers.push(Rc::new(Server::start(&mut user.build(profile)?)?));
    }
    let all: Vec<Times> = WORK.iter().map(|work| contest(work, profiles, &servers, effort)).collect();

    let note = "A user's crate: ns in the default release build, then the relative time under other profiles, the median over \
                rounds in which all take turns. The last column is the worst of the row; where it is marked, the target is at most 1.3.";
    let columns = ["profile"].into_iter().chain(WORK).chain(["worst", ""]);
    let mut table = Table::new("Profiles", note, columns);
    let base = PROFILES[0].title;
    for profile in profiles {
        let ratios: Vec<f64> =
            all.iter().map(|times| times.ratio(profile.title, base).unwrap_or(f64::NAN)).collect();
        let worst = ratios.iter().copied().fold(0.0, f64::max);
        let verdict = if !profile.promised {
            String::new()
        } else if worst <= LIMIT {
            "reached".to_owned()
        } else {
            format!("missed by {:.2}", worst / LIMIT)
        };
        let cell = |(times, ratio): (&Times, &f64)| {
            if profile.is_default() {
                format!("{} ns", figure(times.get(base)))
            } else {
                format!("{ratio:.2}")
            }
        };
        let mut row = vec![profile.title.to_owned()];
        row.extend(all.iter().zip(&ratios).map(cell));
        row.extend([format!("{worst:.2}"), verdict]);
        table.row(row);
    }
    table.print();
    Ok(())
}

fn contest(work: &str, profiles: &[&Profile], servers: &[Rc<Server>], effort: Effort) -> Times {
    let mut contest = Contest::new(effort);
    for (profile, server) in profiles.iter().zip(servers) {
        contest.enter_remote(profile.title, 1, server, work);
    }
    contest.run()
}
