//! `cargo run --release -p bench`: the service beside programs that do the bare minimum, in one run on
//! loopback, and the table of ratios that the project holds itself to. Under other arguments this same
//! binary is one of those bare programs, so that each side has a process of its own.

mod bare;
mod cold;
mod export;
mod first_sync;
mod flood;
mod footprint;
mod frugality;
mod load;
mod place;
mod postgres;
mod race;
mod report;
mod run;
mod seed;
mod service;
mod small_sync;
mod streams;

use std::process::ExitCode;

/// Everything here ends with a line that says what went wrong.
type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ended = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(async {
            match arguments.first().map(String::as_str) {
                Some("bare") => bare::run(arguments.get(1..).unwrap_or_default()).await,
                Some("frugality") => frugality::print(arguments.get(1..).unwrap_or_default()).await,
                _ => run::all(&arguments).await,
            }
        }),
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
