//! poem + tokio-postgres: a few connections with statements prepared once, taken in turn; each carries
//! many requests at a time.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio_postgres::{Client, NoTls, Row, Statement};
use uuid::Uuid;

use super::wire::{self, Entry, Progress, Summary};
use super::{ACCOUNT, LANGUAGE, LANGUAGE_COLUMN, PAGE, Pages, ROWS};
use crate::Result;

const CONNECTIONS: usize = 4;

pub struct Clients {
    clients: Vec<Prepared>,
    next: AtomicUsize,
}

struct Prepared {
    client: Client,
    account: Statement,
    page: Statement,
}

impl Clients {
    pub async fn open(url: &str) -> Result<Self> {
        let mut clients = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            // It ends with its client.
            tokio::spawn(connection);
            let (account, page) = (client.prepare(ACCOUNT).await?, client.prepare(PAGE).await?);
            clients.push(Prepared { client, account, page });
        }
        Ok(Self { clients, next: AtomicUsize::new(0) })
    }

    fn next(&self) -> Result<&Prepared> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % CONNECTIONS;
        Ok(self.clients.get(turn).ok_or("no connection")?)
    }
}

impl Pages for Clients {
    async fn account(&self, id: Uuid) -> Result<Option<String>> {
        let Prepared { client, account, .. } = self.next()?;
        let Some(row) = client.query_opt(account, &[&id]).await? else { return Ok(None) };
        let language: Option<String> = row.try_get(LANGUAGE_COLUMN)?;
        Ok(Some(language.unwrap_or_else(|| LANGUAGE.to_owned())))
    }

    async fn page(&self, account: Uuid, language: &str) -> Result<Vec<Entry>> {
        let Prepared { client, page, .. } = self.next()?;
        client.query(page, &[&account, &language, &ROWS]).await?.iter().map(entry).collect()
    }
}

fn entry(row: &Row) -> Result<Entry> {
    let unit: Option<String> = row.try_get(7)?;
    let progress = match unit {
        Some(unit) => Some(Progress { unit, current: row.try_get(8)?, total: row.try_get(9)? }),
        None => None,
    };
    let title: Option<String> = row.try_get(17)?;
    let media = match title {
        Some(title) => Some(Summary {
            cover: wire::cover(row.try_get::<_, Option<String>>(23)?.as_deref()),
            title,
            release_date: row.try_get(18)?,
            runtime_minutes: row.try_get(19)?,
            page_count: row.try_get(20)?,
            season_count: row.try_get(21)?,
            episode_count: row.try_get(22)?,
        }),
        None => None,
    };
    let kind: String = row.try_get(2)?;
    let (schedule, watched) = (row.try_get::<_, Option<String>>(24)?, row.try_get::<_, Option<String>>(25)?);
    let following = (kind == "tv").then(|| wire::follow(schedule.as_deref(), watched.as_deref()));
    let (progress, caught_up, next_episode) = match following {
        Some((progress, caught_up, next)) => (Some(progress), Some(caught_up), next),
        None => (progress, None, None),
    };
    Ok(Entry {
        media_id: row.try_get(1)?,
        kind,
        status: row.try_get(3)?,
        status_set_by: row.try_get(4)?,
        rating: row.try_get(5)?,
        favorite: row.try_get(6)?,
        progress,
        caught_up,
        next_episode,
        started_on: row.try_get(10)?,
        finished_on: row.try_get(11)?,
        revision: row.try_get(13)?,
        added_at: row.try_get(14)?,
        updated_at: row.try_get(15)?,
        media_state: row.try_get(16)?,
        media,
    })
}
