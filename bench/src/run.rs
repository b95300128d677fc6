//! The whole run, from an empty folder to the table: some three minutes.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use omnitrack::demo::standin::StandIns;
use tempfile::TempDir;

use crate::bare::{self, Kind, token, wire};
use crate::load::{self, Plan};
use crate::postgres::Cluster;
use crate::race::{self, Outcome};
use crate::report::{Limit, Row, Table};
use crate::service::{self, Process};
use crate::{Result, cold, export, first_sync, footprint, frugality, place, seed, small_sync, streams};

const READERS: usize = 64;
const WRITERS: usize = 32;
const TOKEN_LIFETIME: Duration = Duration::from_secs(12 * 3600);

const PAGE: &str = "/v1/library";
const SEARCH: &str = "/v1/search?q=the";
const DETAIL: &str = "/v1/media/movie:tmdb:603";

/// What every part needs.
struct Bench {
    binary: PathBuf,
    stand_ins: StandIns,
    /// One of each account, in order.
    tokens: Vec<String>,
    folder: TempDir,
    rows: Vec<Row>,
    /// Where both sides do not answer the same.
    differences: Vec<String>,
}

/// Measures everything and prints the table. With an argument only the parts whose names contain it:
/// `footprint`, `frugality`, `streams`, `first_sync`, `small_sync`, `sqlite`, `postgres`.
///
/// # Errors
/// Something did not start or did not answer. A bar that is missed is no error.
pub async fn all(only: &[String]) -> Result<()> {
    let wanted = |part: &str| only.is_empty() || only.iter().any(|name| part.contains(name.as_str()));
    let first_look = |part: &String| ["streams", "small_sync"].contains(&part.as_str());
    let binary = place::service(only.iter().any(first_look))?;
    let stand_ins = StandIns::start()?;
    let tokens =
        (0..seed::ACCOUNTS).map(|index| stand_ins.token(&seed::user(index), TOKEN_LIFETIME)).collect();
    let folder = tempfile::Builder::new().prefix("bench-").tempdir()?;
    let mut bench = Bench { binary, stand_ins, tokens, folder, rows: Vec::new(), differences: Vec::new() };
    if wanted("sqlite") {
        bench.sqlite().await?;
    }
    if wanted("postgres") {
        bench.postgres().await?;
    }
    if wanted("footprint") {
        bench.footprint().await?;
    }
    if wanted("frugality") {
        bench.rows.extend(frugality::rows(frugality::Day::WHOLE).await?);
    }
    if wanted("streams") {
        bench.streams().await?;
    }
    if wanted("first_sync") {
        bench.first_sync().await?;
    }
    if wanted("small_sync") {
        bench.small_sync().await?;
    }
    println!("\n{}", Table(bench.rows));
    for difference in bench.differences {
        println!("- {difference}");
    }
    Ok(())
}

impl Bench {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn sqlite_url(&self, name: &str) -> String {
        format!("sqlite://{}", self.path(name).display())
    }

    fn token(&self) -> &str {
        self.tokens.first().map(String::as_str).unwrap_or_default()
    }

    fn serve(&self, database: &str) -> Result<Process> {
        Process::serve(&self.binary, &service::settings(database, &self.stand_ins.settings()))
    }

    /// Makes the schema with the service's own migrations.
    fn migrate(&self, database: &str) -> Result<()> {
        let mut command = Command::new(&self.binary);
        let done = command.arg("migrate").env_clear().env("DATABASE_URL", database).status()?;
        if done.success() { Ok(()) } else { Err("the migrations failed".into()) }
    }

    async fn sqlite_file(&self, name: &str) -> Result<String> {
        let url = self.sqlite_url(name);
        self.migrate(&format!("{url}?mode=rwc"))?;
        seed::sqlite(&url).await?;
        Ok(url)
    }

    async fn sqlite(&mut self) -> Result<()> {
        let service = self.serve(&self.sqlite_file("service.db").await?)?;
        self.note_answers(&service).await?;
        let file = self.sqlite_file("bare.db").await?;
        let sqlx = bare::start(Kind::SqliteSqlx, &file, self.folder.path())?;
        let rusqlite = bare::start(Kind::SqliteRusqlite, &file, self.folder.path())?;
        for path in [PAGE, SEARCH, DETAIL] {
            self.compare("sqlx", path, &service, &sqlx).await?;
        }
        self.compare("rusqlite", PAGE, &service, &rusqlite).await?;

        let [ours, sqlx_page, rusqlite_page] =
            self.read("page, SQLite", PAGE, [&service, &sqlx, &rusqlite]).await?;
        self.pages("SQLite", &ours, &sqlx_page);
        let what = "library page, SQLite, against rusqlite";
        self.rows.push(Row::ratio(what, &ours, "rusqlite", &rusqlite_page).aim(Limit::AtLeast(0.5)));
        for (what, path) in [("cached search", SEARCH), ("cached detail", DETAIL)] {
            let [ours, bare] = self.read(what, path, [&service, &sqlx]).await?;
            self.rows.push(Row::ratio(what, &ours, "poem + sqlx", &bare).bar(Limit::AtLeast(0.6)));
        }
        let ours = self.writes("SQLite", [&service, &sqlx]).await?;
        let what = "one entry written, SQLite, acknowledged per second";
        self.rows
            .push(Row::new(what, format!("{:.0}/s", ours.rate), ours.rate).aim(Limit::AtLeast(10_000.0)));
        self.cold(&service).await
    }

    async fn postgres(&mut self) -> Result<()> {
        let Some(cluster) = Cluster::start()? else {
            self.differences.push("PostgreSQL is not installed here: its rows are missing".into());
            return Ok(());
        };
        let (own, other) = (cluster.database("service")?, cluster.database("bare")?);
        for database in [&own, &other] {
            self.migrate(database)?;
            seed::postgres(database).await?;
        }
        let service = self.serve(&own)?;
        self.note_answers(&service).await?;
        let sqlx = bare::start(Kind::PostgresSqlx, &other, self.folder.path())?;
        let tokio = bare::start(Kind::PostgresTokio, &other, self.folder.path())?;
        self.compare("sqlx", PAGE, &service, &sqlx).await?;
        self.compare("tokio-postgres", PAGE, &service, &tokio).await?;

        let [ours, sqlx_page, tokio_page] =
            self.read("page, PostgreSQL", PAGE, [&service, &sqlx, &tokio]).await?;
        self.pages("PostgreSQL", &ours, &sqlx_page);
        let what = "library page, PostgreSQL, against tokio-postgres";
        self.rows.push(Row::ratio(what, &ours, "tokio-postgres", &tokio_page).aim(Limit::AtLeast(0.6)));
        self.writes("PostgreSQL", [&service, &sqlx]).await?;
        Ok(())
    }

    async fn footprint(&mut self) -> Result<()> {
        eprintln!("  start and memory");
        let database = self.sqlite_file("footprint.db").await?;
        let settings = service::settings(&database, &self.stand_ins.settings());
        let start = footprint::start(&self.binary, &settings)?;
        let idle = footprint::idle(&self.binary, &settings).await?;
        let full = footprint::full(&self.binary, &settings, self.token()).await?;
        let (mebibytes, limit) = (|number: f64| format!("{number:.1} MiB"), Limit::AtMost);
        self.rows.extend([
            Row::new("start to ready", format!("{start:.0} ms"), start).bar(limit(150.0)).aim(limit(50.0)),
            Row::new("idle memory", mebibytes(idle), idle).bar(limit(30.0)).aim(limit(15.0)),
            Row::new("memory beyond a full cache, 64 connections", mebibytes(full), full)
                .bar(limit(60.0))
                .aim(limit(30.0)),
        ]);
        Ok(())
    }

    async fn first_sync(&mut self) -> Result<()> {
        eprintln!("  first sync of a large library");
        let database = self.sqlite_file("large.db").await?;
        seed::sqlite_large(&database).await?;
        let service = self.serve(&database)?;
        self.note_answers(&service).await?;
        let bare = bare::start(Kind::SqliteSqlx, &database, self.folder.path())?;
        let token = self.stand_ins.token(seed::LARGE_USER, TOKEN_LIFETIME);
        let [ours, bare] = first_sync::run([&service, &bare], &token).await?;
        let measured = format!("{:.0}/s; poem + sqlx {:.0}/s", ours.rate, bare.rate);
        let what = format!("first sync of {} entries, entries per second", seed::LARGE);
        self.rows.push(Row::new(what, measured, ours.rate / bare.rate).aim(Limit::AtLeast(0.5)));
        let measured = format!(
            "{:.1} MiB ({:.1} with the mapped file); poem + sqlx {:.1} MiB",
            ours.growth, ours.with_file, bare.growth
        );
        let what = "its memory above idle";
        self.rows.push(Row::new(what, measured, ours.growth).bar(Limit::AtMost(40.0)));
        let bare = bare::start(Kind::SqliteRusqlite, &database, self.folder.path())?;
        let [ours, bare] = export::run(&service, &bare, &token).await?;
        let measured = format!("{:.0}/s; poem + rusqlite {:.0}/s", ours.rate, bare.rate);
        let what = format!("export of {} entries, entries per second", seed::LARGE);
        self.rows.push(Row::new(what, measured, ours.rate / bare.rate).aim(Limit::AtLeast(0.5)));
        let measured = format!("{:.1} MiB; poem + rusqlite {:.1} MiB", ours.growth, bare.growth);
        self.rows.push(Row::new("its memory above idle", measured, ours.growth).bar(Limit::AtMost(40.0)));
        Ok(())
    }

    async fn small_sync(&mut self) -> Result<()> {
        eprintln!("  small syncs of libraries of three sizes");
        let database = self.sqlite_file("libraries.db").await?;
        seed::sqlite_libraries(&database, &small_sync::SIZES).await?;
        let service = self.serve(&database)?;
        let tokens = small_sync::SIZES.map(|(user, _)| self.stand_ins.token(user, TOKEN_LIFETIME));
        let [small, medium, large] = small_sync::run(&service, &tokens, 300).await?;
        let sizes = small_sync::SIZES.iter().zip([small, medium, large]).map(|((_, entries), outcome)| {
            format!("{entries}: {:.0} + {:.0} µs", outcome.push, outcome.pull)
        });
        let what = "one change sent + read, by entries of the library: largest by smallest";
        let ratio = large.both() / small.both();
        let measured = sizes.collect::<Vec<_>>().join("; ");
        self.rows.push(Row::new(what, measured, ratio).bar(Limit::AtMost(1.25)));
        Ok(())
    }

    async fn streams(&mut self) -> Result<()> {
        eprintln!("  idle streams");
        let database = self.sqlite_file("streams.db").await?;
        let settings = service::settings(&database, &self.stand_ins.settings());
        let kibibytes = streams::run(&self.binary, &settings, &self.tokens).await?;
        let what = format!("memory of an idle event stream, {} open", streams::STREAMS);
        self.rows.push(Row::new(what, format!("{kibibytes:.1} KiB"), kibibytes).bar(Limit::AtMost(40.0)));
        Ok(())
    }

    /// Leaves what the bare programs need: the key, the issuer, the service's cached answers.
    async fn note_answers(&self, service: &Process) -> Result<()> {
        let settings = self.stand_ins.settings();
        let issuer = settings.iter().find(|(name, _)| *name == "CLERK_ISSUER");
        let issuer = issuer.map(|(_, issuer)| issuer.as_str()).unwrap_or_default();
        std::fs::write(self.path(token::KEY), self.stand_ins.public_key_pem()?)?;
        std::fs::write(self.path(token::ISSUER), issuer)?;
        for (path, file) in [(SEARCH, wire::SEARCH), (DETAIL, wire::DETAIL)] {
            // The second answer comes from the cache and has what a late source brought.
            load::fetch(service.address, &load::get(path, self.token())).await?;
            let answer = load::fetch(service.address, &load::get(path, self.token())).await?;
            std::fs::write(self.path(file), answer)?;
        }
        Ok(())
    }

    /// Whether both sides answer with the same bytes. A cursor is each one's own affair.
    async fn compare(&mut self, name: &str, path: &str, service: &Process, bare: &Process) -> Result<()> {
        let request = load::get(path, self.token());
        let (ours, theirs) =
            (load::fetch(service.address, &request).await?, load::fetch(bare.address, &request).await?);
        let content = |body: &[u8]| {
            let cursor = body.windows(15).rposition(|part| part == b"\"next_cursor\":\"");
            body.get(..cursor.unwrap_or(body.len())).unwrap_or_default().to_vec()
        };
        let (left, right) = (content(&ours), content(&theirs));
        let same = left.iter().zip(&right).take_while(|(left, right)| left == right).count();
        if left == right {
            eprintln!("  {path}: {name} gives the same {} bytes, cursor apart", ours.len());
        } else {
            let shown = |body: &[u8]| {
                let part = body.get(same.saturating_sub(40)..(same + 40).min(body.len()));
                String::from_utf8_lossy(part.unwrap_or_default()).into_owned()
            };
            self.differences.push(format!(
                "{path}: {name} answers {} bytes, the service {}; they differ at `{}`, `{}`",
                theirs.len(),
                ours.len(),
                shown(&right),
                shown(&left)
            ));
        }
        Ok(())
    }

    async fn read<const N: usize>(
        &self,
        what: &str,
        path: &str,
        runners: [&Process; N],
    ) -> Result<[Outcome; N]> {
        let plan = Plan::same(READERS, &load::get(path, self.token()));
        race::run(what, &plan, runners).await
    }

    fn pages(&mut self, engine: &str, ours: &Outcome, bare: &Outcome) {
        let what = format!("library page of 50, {engine}");
        self.rows.push(Row::ratio(what, ours, "poem + sqlx", bare).bar(Limit::AtLeast(0.6)));
        let measured =
            format!("{:.1}/{:.1} ms; poem + sqlx {:.1}/{:.1} ms", ours.p99, ours.p50, bare.p99, bare.p50);
        let what = format!("its p99/p50 by the bare program's, {engine}");
        self.rows.push(Row::new(what, measured, ours.spread() / bare.spread()).bar(Limit::AtMost(1.5)));
    }

    /// Each connection goes through its part of the accounts, and every write changes a rating.
    async fn writes(&mut self, engine: &str, runners: [&Process; 2]) -> Result<Outcome> {
        let mut requests = vec![Vec::new(); WRITERS];
        let path = format!("{PAGE}/{}", seed::SHARED);
        for rating in [31, 62, 93] {
            for (index, token) in self.tokens.iter().enumerate() {
                if let Some(connection) = requests.get_mut(index % WRITERS) {
                    connection.push(load::patch(&path, token, &format!("{{\"rating\":{rating}}}")));
                }
            }
        }
        let what = format!("one entry written, {engine}");
        let [ours, bare] = race::run(&what, &Plan::new(requests), runners).await?;
        self.rows.push(Row::ratio(what, &ours, "poem + sqlx", &bare).bar(Limit::AtLeast(0.7)));
        Ok(ours)
    }

    async fn cold(&mut self, service: &Process) -> Result<()> {
        for (what, path) in [("searches", "/v1/search?q=quest"), ("details", "/v1/media/movie:tmdb:27205")] {
            let came = cold::run(service, &self.stand_ins, path, &self.tokens).await?;
            let list: Vec<_> = came.iter().map(|(source, requests)| format!("{source} {requests}")).collect();
            let most = came.iter().map(|(_, requests)| *requests).max().unwrap_or_default();
            let what = format!("{} identical cold {what}: requests per source", self.tokens.len());
            self.rows.push(Row::new(what, list.join(", "), most as f64).bar(Limit::Exactly(1.0)));
        }
        Ok(())
    }
}
