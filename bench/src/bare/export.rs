//! rusqlite + serde, streamed: one statement over the whole library, each row written as the archive has it.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat};
use poem::http::StatusCode;
use poem::{Body, Endpoint, EndpointExt as _, Request, Response};
use rusqlite::Row;
use serde::Serialize;
use tokio::io::AsyncWriteExt as _;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::Shared;
use super::rusqlite::Threads;
use crate::Result;

const ENTRIES: &str = "SELECT e.media_id, COALESCE(t.title, m.title), m.release_date, e.status, e.status_set_by, \
    e.rating, e.favorite, e.started_on, e.finished_on, e.added_at, e.updated_at FROM library_entry e \
    LEFT JOIN media m ON m.id = e.media_id LEFT JOIN media_text t ON t.media_id = e.media_id AND t.language = ?2 \
    WHERE e.account_id = ?1 ORDER BY e.media_id";
/// Bytes written at once, and that wait for the client at most.
const PIECE: usize = 64 * 1024;

#[derive(Serialize)]
struct Entry {
    media_id: String,
    title: Option<String>,
    release_date: Option<String>,
    status: String,
    status_set_by: String,
    rating: Option<i32>,
    favorite: bool,
    started_on: Option<String>,
    finished_on: Option<String>,
    added_at: String,
    updated_at: String,
    comments: [(); 0],
    history: [(); 0],
    episodes: [(); 0],
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let time = |column: usize| -> rusqlite::Result<String> {
        let time = DateTime::from_timestamp_millis(row.get(column)?).unwrap_or_default();
        Ok(time.to_rfc3339_opts(SecondsFormat::Millis, true))
    };
    Ok(Entry {
        media_id: row.get(0)?,
        title: row.get(1)?,
        release_date: row.get(2)?,
        status: row.get(3)?,
        status_set_by: row.get(4)?,
        rating: row.get(5)?,
        favorite: row.get(6)?,
        started_on: row.get(7)?,
        finished_on: row.get(8)?,
        added_at: time(9)?,
        updated_at: time(10)?,
        comments: [],
        history: [],
        episodes: [],
    })
}

pub(super) fn endpoint(shared: &Arc<Shared<Threads>>) -> impl Endpoint<Output = Response> + use<> {
    let shared = shared.clone();
    poem::endpoint::make(move |request: Request| {
        let shared = shared.clone();
        async move {
            let (account, language) = shared.caller(&request).await.map_err(|error| {
                poem::Error::from_string(error.to_string(), StatusCode::INTERNAL_SERVER_ERROR)
            })?;
            let (reader, writer) = tokio::io::duplex(2 * PIECE);
            let handle = Handle::current();
            tokio::task::spawn_blocking(move || {
                if let Err(error) = write(&shared.store, account, &language, writer, &handle) {
                    eprintln!("bare export: {error}");
                }
            });
            let body = Body::from_async_read(reader);
            Ok::<_, poem::Error>(Response::builder().content_type("application/json").body(body))
        }
    })
    .map_to_response()
}

fn write(
    threads: &Threads,
    account: Uuid,
    language: &str,
    mut client: tokio::io::DuplexStream,
    handle: &Handle,
) -> Result<()> {
    let connection = threads.open()?;
    let mut statement = connection.prepare(ENTRIES)?;
    let mut rows = statement.query((account.as_bytes().as_slice(), language))?;
    let mut gathered = Vec::with_capacity(2 * PIECE);
    let mut separator = "{\"library\":[";
    while let Some(row) = rows.next()? {
        gathered.extend_from_slice(separator.as_bytes());
        separator = ",";
        serde_json::to_writer(&mut gathered, &entry(row)?)?;
        if gathered.len() >= PIECE {
            handle.block_on(client.write_all(&gathered))?;
            gathered.clear();
        }
    }
    gathered.extend_from_slice(b"]}\n");
    handle.block_on(client.write_all(&gathered))?;
    Ok(())
}
