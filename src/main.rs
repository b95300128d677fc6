//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use omnitrack::app::{App, StartError};
use omnitrack::config::{self, Config};
use omnitrack::db::Db;
use omnitrack::{demo, http, serve, telemetry};

/// The backend of a personal media tracker: movies, TV, video games and books.
#[derive(Parser)]
#[command(name = "omnitrack", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API (the default)
    Serve,
    /// Serve a demonstration that needs nothing: no database, no accounts elsewhere, no network
    Demo,
    /// Print the API's contract, as in openapi.yaml
    Openapi,
    /// Bring the database's schema up to date and end
    Migrate,
}

fn main() -> ExitCode {
    // Two providers are linked; the process uses one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("runtime: {error}")),
    };
    let command = Cli::parse().command.unwrap_or(Command::Serve);
    match runtime.block_on(run(command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

async fn run(command: Command) -> Result<(), StartError> {
    match command {
        Command::Serve => {
            let config = Config::from_env()?;
            telemetry::init(&config.log);
            serve::run(config).await
        }
        Command::Demo => demo::run().await,
        Command::Openapi => {
            print!("{}", http::spec::to_yaml(&http::document(&App::detached()?)));
            Ok(())
        }
        Command::Migrate => {
            let url = config::database_url_from_env()?;
            let db = Db::open(&url).await?;
            db.migrate(&url).await?;
            Ok(db.close().await?)
        }
    }
}

fn fail(line: &str) -> ExitCode {
    eprintln!("omnitrack: {line}");
    ExitCode::FAILURE
}
