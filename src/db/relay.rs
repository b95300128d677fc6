//! Carries announcements between the instances that share one PostgreSQL, by NOTIFY. Inside a writing
//! transaction a NOTIFY would make all commits of the database queue, so it is sent afterwards, for many
//! accounts at once, on connections of its own. Nothing depends on its arrival.

use std::fmt::Write as _;
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgListener, PgPoolOptions};
use sea_orm::sqlx::{self, PgPool};
use tokio::time::sleep;
use uuid::Uuid;

use super::Db;
use super::heads::{Heads, News};

const CHANNEL: &str = "omnitrack_heads";
/// How long news gather before they go out together.
const BATCH: Duration = Duration::from_millis(50);
/// Accounts in one payload, which PostgreSQL bounds to 8,000 bytes: each takes at most 53 of them.
const PER_PAYLOAD: usize = 140;
/// How long a connection is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// The first pause after a failure; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(10);

impl Db {
    /// Tells the other instances what is announced here, and here what they announce, for as long as it
    /// is polled. On SQLite there are none.
    pub async fn relay(&self) {
        if self.is_sqlite() {
            return;
        }
        let options = self.write.pool().get_postgres_connection_pool().connect_options();
        let pool = PgPoolOptions::new().max_connections(2).acquire_timeout(PATIENCE);
        let pool = pool.connect_lazy_with(options.as_ref().clone());
        let own = Uuid::new_v4();
        tokio::join!(speak(&self.heads, &pool, own), hear(&self.heads, &pool, own));
    }
}

impl Db {
    /// Tells the other instances once what was announced here, for a process that ends: it waits a few
    /// seconds at most, and what is lost is found out at the next heartbeat.
    pub async fn tell_others(&self) {
        let news = self.heads.take();
        if self.is_sqlite() || news.is_empty() {
            return;
        }
        let payloads = payloads(Uuid::new_v4(), &news);
        let pool = self.write.pool().get_postgres_connection_pool();
        let sent = send(pool, payloads);
        if !matches!(tokio::time::timeout(PATIENCE, sent).await, Ok(Ok(()))) {
            tracing::warn!("announcements could not be sent to other instances");
        }
    }
}

async fn send(pool: &PgPool, payloads: Vec<String>) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_notify($1, payload) FROM unnest($2::text[]) payload")
        .bind(CHANNEL)
        .bind(payloads)
        .execute(pool)
        .await?;
    Ok(())
}

async fn speak(heads: &Heads, pool: &PgPool, own: Uuid) {
    let mut pause = FIRST_PAUSE;
    loop {
        heads.woken().await;
        sleep(BATCH).await;
        let news = heads.take();
        if news.is_empty() {
            continue;
        }
        if send(pool, payloads(own, &news)).await.is_ok() {
            pause = FIRST_PAUSE;
            continue;
        }
        tracing::warn!("announcements could not be sent to other instances");
        sleep(pause).await;
        pause = (pause * 2).min(MAX_PAUSE);
        for (account, news) in news {
            heads.put(account, news);
        }
    }
}

async fn hear(heads: &Heads, pool: &PgPool, own: Uuid) {
    let mut pause = FIRST_PAUSE;
    loop {
        if let Ok(mut listener) = open(pool).await {
            pause = FIRST_PAUSE;
            while let Ok(Some(notification)) = listener.try_recv().await {
                for (account, news) in parse(notification.payload(), own) {
                    heads.tell(account, news);
                }
            }
        }
        tracing::warn!("other instances cannot be heard: trying again");
        sleep(pause).await;
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

async fn open(pool: &PgPool) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// The sender, then for each account its id and its revision, or `x` where it has ended.
fn payloads(own: Uuid, news: &[(Uuid, News)]) -> Vec<String> {
    let payload = |part: &[(Uuid, News)]| {
        let mut text = own.simple().to_string();
        for (account, news) in part {
            // Writing to a string cannot fail.
            let _ = match news {
                News::Head(head) => write!(text, " {}:{head}", account.simple()),
                News::Ended => write!(text, " {}:x", account.simple()),
            };
        }
        text
    };
    news.chunks(PER_PAYLOAD).map(payload).collect()
}

/// What [`payloads`] of another instance says; nothing of what is our own or not readable.
fn parse(payload: &str, own: Uuid) -> impl Iterator<Item = (Uuid, News)> + '_ {
    let mut words = payload.split(' ');
    let others = words.next().and_then(|word| word.parse().ok()).is_some_and(|sender: Uuid| sender != own);
    words.filter(move |_| others).filter_map(|word| {
        let (account, news) = word.split_once(':')?;
        let news = if news == "x" { News::Ended } else { News::Head(news.parse().ok()?) };
        Some((account.parse().ok()?, news))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_arrive_as_they_were_sent_but_not_at_their_sender() {
        let news: Vec<(Uuid, News)> = (0..500)
            .map(|number| {
                (Uuid::new_v4(), if number == 7 { News::Ended } else { News::Head(i64::MAX - number) })
            })
            .collect();
        let own = Uuid::new_v4();
        let sent = payloads(own, &news);
        assert_eq!(sent.len(), 4);
        assert!(sent.iter().all(|payload| payload.len() < 8000));
        let arrived: Vec<_> = sent.iter().flat_map(|payload| parse(payload, Uuid::new_v4())).collect();
        assert_eq!(arrived, news);
        assert_eq!(sent.iter().flat_map(|payload| parse(payload, own)).count(), 0);
        for payload in ["", "x", "a b:c", &format!("{} x:1 {}:y", Uuid::new_v4(), Uuid::new_v4())] {
            assert_eq!(parse(payload, own).count(), 0, "{payload}");
        }
    }
}
