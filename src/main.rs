//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use entity::value::ErasureReason;
use omnitrack::app::App;
use omnitrack::config::{self, Config};
use omnitrack::db::Db;
use omnitrack::{demo, http, operator, serve, telemetry};

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
    /// Erase an account as the person themselves would in the app; safe beside a running service
    Erase(Erase),
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Ways {
    /// Clerk's id of the person: `user_…`
    #[arg(long, value_name = "ID", requires = "reason")]
    user: Option<String>,
    /// Apply the erasure marks of this file, as the last step of a restore and before the service starts
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Print the erasure marks, to be kept beside the backups
    #[arg(long)]
    marks: bool,
}

#[derive(clap::Args)]
struct Erase {
    #[command(flatten)]
    ways: Ways,
    /// Why
    #[arg(long, requires = "user")]
    reason: Option<Reason>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Reason {
    Underage,
    Request,
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

async fn run(command: Command) -> Result<(), Box<dyn std::error::Error>> {
    match command {
        Command::Serve => {
            let config = Config::from_env()?;
            telemetry::init(&config.log);
            Ok(serve::run(config).await?)
        }
        Command::Demo => Ok(demo::run().await?),
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
        Command::Erase(how) => erase(how).await,
    }
}

async fn erase(how: Erase) -> Result<(), Box<dyn std::error::Error>> {
    let app = App::open(Config::from_env()?).await?;
    let done = match (how.ways, how.reason) {
        (Ways { user: Some(user), .. }, Some(reason)) => {
            let reason = match reason {
                Reason::Underage => ErasureReason::Underage,
                Reason::Request => ErasureReason::Request,
            };
            operator::erase(&app, &user, reason).await
        }
        (Ways { from: Some(file), .. }, _) => operator::apply_marks(&app, &file).await,
        _ => operator::print_marks(&app).await,
    };
    app.db.close().await?;
    done
}

fn fail(line: &str) -> ExitCode {
    eprintln!("omnitrack: {line}");
    ExitCode::FAILURE
}
