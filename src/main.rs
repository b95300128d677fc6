//! The command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use entity::value::ErasureReason;
use omnitrack::app::App;
use omnitrack::config::{self, Config};
use omnitrack::db::Db;
use omnitrack::import::convex::{self, ConvexError, Mapping};
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
    /// Take over what the app kept at Convex: a snapshot export, read by a mapping of its tables and fields
    ImportConvex {
        /// The ZIP file of the export
        file: PathBuf,
        /// A JSON file that says which table holds what; without it all names are the usual ones
        #[arg(long)]
        mapping: Option<PathBuf>,
        /// Read and report, and write nothing
        #[arg(long)]
        dry_run: bool,
    },
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

/// Some rows of an export were not taken, and everything else was.
const NOT_ALL_TAKEN: u8 = 3;

fn main() -> ExitCode {
    // Two providers are linked; the process uses one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("runtime: {error}")),
    };
    let command = Cli::parse().command.unwrap_or(Command::Serve);
    match runtime.block_on(run(command)) {
        Ok(code) => code,
        Err(error) => fail(&error.to_string()),
    }
}

async fn run(command: Command) -> Result<ExitCode, Box<dyn std::error::Error>> {
    match command {
        Command::Serve => {
            let config = Config::from_env()?;
            telemetry::init(&config.log);
            serve::run(config).await?;
        }
        Command::Demo => demo::run().await?,
        Command::Openapi => {
            print!("{}", http::spec::to_yaml(&http::document(&App::detached()?)));
        }
        Command::Migrate => {
            let url = config::database_url_from_env()?;
            let db = Db::open(&url).await?;
            db.migrate(&url).await?;
            db.close().await?;
        }
        Command::ImportConvex { file, mapping, dry_run } => {
            return import_convex(&file, mapping.as_deref(), dry_run).await;
        }
        Command::Erase(how) => erase(how).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn import_convex(
    file: &Path,
    mapping: Option<&Path>,
    dry_run: bool,
) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mapping = match mapping {
        Some(path) => Mapping::from_file(path).map_err(ConvexError::from)?,
        None => Mapping::default(),
    };
    let quota = config::quota_from_env()?;
    let db = Db::open(&config::database_url_from_env()?).await?.with_quota(quota);
    let summary = convex::run(&db, file, &mapping, dry_run, std::io::stdout()).await?;
    db.close().await?;
    Ok(if summary.refused() > 0 { ExitCode::from(NOT_ALL_TAKEN) } else { ExitCode::SUCCESS })
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
