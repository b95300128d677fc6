//! The bare programs: poem, a token verified per request with a cached key, the same statements as the
//! service's, the same JSON from plain structs. No limits, no log, no metrics, no checks: what it costs
//! to do the work at all.

mod export;
mod rusqlite;
mod sqlx;
pub mod token;
mod tokio_postgres;
pub mod wire;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use poem::endpoint::make;
use poem::http::StatusCode;
use poem::listener::{Listener as _, TcpListener};
use poem::{EndpointExt as _, Request, Response, Route, Server};
use serde::Deserialize;
use uuid::Uuid;

use crate::service::Process;
use crate::{Result, place};
use token::Verifier;
use wire::{Answers, Entry, Mark};

/// The language of an account that has chosen none.
const LANGUAGE: &str = "en-US";
/// One more than a page, as whoever must know whether there are more asks for.
const ROWS: i64 = 51;

const PAGE: &str = "SELECT e.account_id, e.media_id, e.kind, e.status, e.status_set_by, e.rating, e.favorite, \
    e.progress_unit, e.progress_current, e.progress_total, e.started_on, e.finished_on, e.awaits_media, \
    e.revision, e.added_at, e.updated_at, m.state, COALESCE(t.title, m.title), m.release_date, \
    m.runtime_minutes, m.page_count, m.season_count, m.episode_count, COALESCE(t.cover, m.cover), \
    m.schedule, e.watched, e.updated_at \
    FROM library_entry e LEFT JOIN media m ON m.id = e.media_id \
    LEFT JOIN media_text t ON t.media_id = e.media_id AND t.language = $2 \
    WHERE e.account_id = $1 ORDER BY e.updated_at DESC, e.media_id DESC LIMIT $3";

const ONE: &str = "SELECT e.account_id, e.media_id, e.kind, e.status, e.status_set_by, e.rating, e.favorite, \
    e.progress_unit, e.progress_current, e.progress_total, e.started_on, e.finished_on, e.awaits_media, \
    e.revision, e.added_at, e.updated_at, m.state, COALESCE(t.title, m.title), m.release_date, \
    m.runtime_minutes, m.page_count, m.season_count, m.episode_count, COALESCE(t.cover, m.cover), \
    m.schedule, e.watched \
    FROM library_entry e LEFT JOIN media m ON m.id = e.media_id \
    LEFT JOIN media_text t ON t.media_id = e.media_id AND t.language = $2 \
    WHERE e.account_id = $1 AND e.media_id = $3";

/// One more than a page of changes, for the same reason.
const SYNC_ROWS: i64 = 1001;

const CHANGES: &str = "SELECT e.account_id, e.media_id, e.kind, e.status, e.status_set_by, e.rating, e.favorite, \
    e.progress_unit, e.progress_current, e.progress_total, e.started_on, e.finished_on, e.awaits_media, \
    e.revision, e.added_at, e.updated_at, m.state, COALESCE(t.title, m.title), m.release_date, \
    m.runtime_minutes, m.page_count, m.season_count, m.episode_count, COALESCE(t.cover, m.cover), \
    m.schedule, e.watched \
    FROM library_entry e LEFT JOIN media m ON m.id = e.media_id \
    LEFT JOIN media_text t ON t.media_id = e.media_id AND t.language = $2 \
    WHERE e.account_id = $1 AND e.revision > $3 ORDER BY e.revision LIMIT $4";

const ACCOUNT: &str = "SELECT * FROM account WHERE id = $1";

const LOCK: &str =
    "UPDATE account SET revision = revision + 1 WHERE id = $1 AND erased_at IS NULL RETURNING *";

const STORE: &str = "UPDATE library_entry SET kind = $3, status = $4, status_set_by = $5, rating = $6, \
    favorite = $7, progress_unit = $8, progress_current = $9, progress_total = $10, started_on = $11, \
    finished_on = $12, awaits_media = FALSE, revision = $13, added_at = $14, updated_at = $15 \
    WHERE account_id = $1 AND media_id = $2";

/// The columns of an account's row that are looked at.
const REVISION_COLUMN: usize = 1;
const LANGUAGE_COLUMN: usize = 3;

/// What the aim is measured against: a page and no more.
trait Pages: Send + Sync + 'static {
    /// The account's language; none if there is no such account.
    fn account(&self, id: Uuid) -> impl Future<Output = Result<Option<String>>> + Send;
    fn page(&self, account: Uuid, language: &str) -> impl Future<Output = Result<Vec<Entry>>> + Send;
}

/// What the bar is measured against.
trait Store: Pages {
    /// The account's own entries among these titles, by id.
    fn marks(
        &self,
        account: Uuid,
        ids: &[String],
    ) -> impl Future<Output = Result<Vec<(String, Mark)>>> + Send;
    /// Entries behind a revision, in order.
    fn changes(
        &self,
        account: Uuid,
        language: &str,
        after: i64,
    ) -> impl Future<Output = Result<Vec<Entry>>> + Send;
    fn rate(&self, account: Uuid, id: &str, rating: i32) -> impl Future<Output = Result<Entry>> + Send;
}

/// The kinds of bare programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    SqliteSqlx,
    SqliteRusqlite,
    PostgresSqlx,
    PostgresTokio,
}

impl Kind {
    const ALL: [Self; 4] = [Self::SqliteSqlx, Self::SqliteRusqlite, Self::PostgresSqlx, Self::PostgresTokio];

    fn name(self) -> &'static str {
        match self {
            Self::SqliteSqlx => "sqlite-sqlx",
            Self::SqliteRusqlite => "sqlite-rusqlite",
            Self::PostgresSqlx => "postgres-sqlx",
            Self::PostgresTokio => "postgres-tokio",
        }
    }
}

/// Starts one in a process of its own. `folder` holds what all of them need: see [`Answers`] and
/// [`Verifier`].
pub fn start(kind: Kind, database: &str, folder: &Path) -> Result<Process> {
    let address = place::free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bare", kind.name(), database, &address.to_string()]).arg(folder);
    Process::start(command, address)
}

/// Is one.
pub async fn run(arguments: &[String]) -> Result<()> {
    let [kind, database, address, folder] = arguments else {
        return Err("bare KIND DATABASE ADDRESS FOLDER".into());
    };
    let folder = Path::new(folder);
    let address: SocketAddr = address.parse()?;
    match Kind::ALL.into_iter().find(|known| known.name() == kind).ok_or("no such kind")? {
        Kind::SqliteSqlx => serve(with_store(sqlx::Sqlite::open(database).await?, folder)?, address).await,
        Kind::PostgresSqlx => {
            serve(with_store(sqlx::Postgres::open(database).await?, folder)?, address).await
        }
        Kind::SqliteRusqlite => {
            let shared = Shared::new(rusqlite::Threads::new(database), folder)?;
            let route =
                Route::new().at("/v1/library", page(&shared)).at("/v1/export", export::endpoint(&shared));
            serve(route, address).await
        }
        Kind::PostgresTokio => {
            serve(with_pages(tokio_postgres::Clients::open(database).await?, folder)?, address).await
        }
    }
}

async fn serve(route: Route, address: SocketAddr) -> Result<()> {
    let ready = make(async |_| Ok::<_, poem::Error>("ready"));
    let acceptor = TcpListener::bind(address).into_acceptor().await?;
    Ok(Server::new_with_acceptor(acceptor).run(route.at("/readyz", ready)).await?)
}

struct Shared<S> {
    store: S,
    verifier: Verifier,
    answers: Answers,
}

impl<S: Pages> Shared<S> {
    fn new(store: S, folder: &Path) -> Result<Arc<Self>> {
        Ok(Arc::new(Self { store, verifier: Verifier::read(folder)?, answers: Answers::read(folder)? }))
    }

    /// The caller and the language of the answer.
    async fn caller(&self, request: &Request) -> Result<(Uuid, String)> {
        let account = self.verifier.account(request)?;
        let language = self.store.account(account).await?.ok_or("no such account")?;
        Ok((account, language))
    }
}

fn with_pages<S: Pages>(store: S, folder: &Path) -> Result<Route> {
    Ok(Route::new().at("/v1/library", page(&Shared::new(store, folder)?)))
}

fn with_store<S: Store>(store: S, folder: &Path) -> Result<Route> {
    let shared = Shared::new(store, folder)?;
    Ok(Route::new()
        .at("/v1/library", page(&shared))
        .at("/v1/library/:media_id", rate(&shared))
        .at("/v1/sync", changes(&shared))
        .at("/v1/search", search(&shared))
        .at("/v1/media/:media_id", detail(&shared)))
}

fn page<S: Pages>(shared: &Arc<Shared<S>>) -> impl poem::Endpoint<Output = Response> + use<S> {
    let shared = shared.clone();
    answering(move |request| {
        let shared = shared.clone();
        async move {
            let (account, language) = shared.caller(&request).await?;
            wire::page(shared.store.page(account, &language).await?)
        }
    })
}

#[derive(Deserialize)]
struct After {
    cursor: Option<i64>,
}

fn changes<S: Store>(shared: &Arc<Shared<S>>) -> impl poem::Endpoint<Output = Response> + use<S> {
    let shared = shared.clone();
    answering(move |request| {
        let shared = shared.clone();
        async move {
            let (account, language) = shared.caller(&request).await?;
            let after = request.params::<After>()?.cursor.unwrap_or(0);
            wire::changes(shared.store.changes(account, &language, after).await?)
        }
    })
}

#[derive(Deserialize)]
struct Patch {
    rating: i32,
}

fn rate<S: Store>(shared: &Arc<Shared<S>>) -> impl poem::Endpoint<Output = Response> + use<S> {
    let shared = shared.clone();
    answering(move |mut request| {
        let shared = shared.clone();
        async move {
            let (account, _) = shared.caller(&request).await?;
            let id: String = request.path_params()?;
            let patch: Patch = serde_json::from_slice(&request.take_body().into_bytes_limit(1 << 20).await?)?;
            wire::json(&shared.store.rate(account, &id, patch.rating).await?)
        }
    })
}

fn search<S: Store>(shared: &Arc<Shared<S>>) -> impl poem::Endpoint<Output = Response> + use<S> {
    let shared = shared.clone();
    answering(move |request| {
        let shared = shared.clone();
        async move {
            let (account, _) = shared.caller(&request).await?;
            let marks = shared.store.marks(account, &shared.answers.search_ids).await?;
            shared.answers.search(marks)
        }
    })
}

fn detail<S: Store>(shared: &Arc<Shared<S>>) -> impl poem::Endpoint<Output = Response> + use<S> {
    let shared = shared.clone();
    answering(move |request| {
        let shared = shared.clone();
        async move {
            let (account, _) = shared.caller(&request).await?;
            let mark = shared.store.marks(account, &shared.answers.detail_ids).await?.pop();
            shared.answers.detail(mark)
        }
    })
}

/// An endpoint that answers with JSON, or with 500 and the reason.
fn answering<F, A>(answer: F) -> impl poem::Endpoint<Output = Response>
where
    F: Fn(Request) -> A + Send + Sync,
    A: Future<Output = Result<Vec<u8>>> + Send,
{
    make(move |request| {
        let answer = answer(request);
        async move {
            let body = answer.await.map_err(|error| {
                poem::Error::from_string(error.to_string(), StatusCode::INTERNAL_SERVER_ERROR)
            })?;
            Ok::<_, poem::Error>(Response::builder().content_type("application/json").body(body))
        }
    })
    .map_to_response()
}
