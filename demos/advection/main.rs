//! A picture that is carried by a flow and stirred by fingers, on as many ranks as there are; or a plain solver.

mod agreement;
mod arguments;
mod headless;
mod live;
mod measure;

use std::process::ExitCode;

use clap::Parser;

use agreement::Elsewhere;
use arguments::{Arguments, Command};

/// The exit code for a mistake on the command line or in a file, as `clap` uses it.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let job = match parallel::start() {
        Ok(job) => job,
        Err(error) => {
            parallel::say(format_args!("advection: {error}"));
            return ExitCode::FAILURE;
        }
    };
    // Every rank has the same command line and comes to the same conclusion; rank 0 says it.
    match Arguments::try_parse() {
        Ok(Arguments { command: Some(Command::Bench(measured)), .. }) => {
            conclude(measure::run(&job, &measured))
        }
        Ok(arguments) if arguments.headless => conclude(headless::run(&job, &arguments)),
        Ok(arguments) => conclude(live::run(&job, &arguments)),
        Err(error) => {
            if job.is_root() {
                // There is nothing to be done about a closed terminal.
                let _ = error.print();
            }
            ExitCode::from(if error.use_stderr() { USAGE } else { 0 })
        }
    }
}

/// Turns the outcome on which all ranks agree into an exit code; MPI ends in order after that.
fn conclude(outcome: anyhow::Result<()>) -> ExitCode {
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    if !error.is::<Elsewhere>() {
        parallel::say(format_args!("advection: {error:#}"));
    }
    ExitCode::from(USAGE)
}
