//! The copy that a person takes along: an address that works for a while without a token, and behind it
//! everything that is held of the account, read in one moment and written while it is read. No copy is
//! kept. Owns the rows of `export`; says nothing of how a copy is taken back.

mod archive;
mod cursor;
mod facts;
mod json;
mod rows;
mod sink;
mod tables;
mod ticket;

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use entity::{account, export};
use futures_util::Stream;
use futures_util::future::Either;
use sea_orm::{ActiveModelTrait, EntityTrait, FromQueryResult, IntoActiveModel};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::account::idempotency;
use crate::admission::{Slot, Slots};
use crate::archive::format::{Facts, Profile, ProfileState};
use crate::clerk::{self, Session, Users, UsersError};
use crate::clock::{self, Millis};
use crate::config::{Config, Secret};
use crate::db::{Bounds, Db, Kept, News, Snapshot, row, rows};
use crate::error::{Error, Result};
use crate::secret::Sealer;
pub use facts::facts;
use sink::{Broken, Sink};
use ticket::Ticket;

/// How long the address of a copy works, in minutes.
pub const LINK_MINUTES: i64 = 15;
/// Addresses that work at once, of one account.
pub const MAX_LINKS: i64 = 20;
/// Copies that are written at once, of one instance, one of each account: each holds a snapshot of the database
/// open.
const MAX_AT_ONCE: usize = 2;
/// How long a download waits for its slot.
const WAIT: Duration = Duration::from_secs(10);
/// How long that moment stays open at most. Whoever takes longer is cut off.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often a copy that is being written looks whether its account is still there, should nobody tell it.
const LOOK: Duration = Duration::from_secs(1);
const KEPT: Kept = Kept { table: "export", key: "id", time: "expires_at", only: "TRUE" };

/// What a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON document: the archive.
    Json,
    /// The archive, and tables that other services read.
    Zip,
}

impl Format {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Zip => "zip",
        }
    }

    fn parse(name: &str) -> Self {
        if name == "zip" { Self::Zip } else { Self::Json }
    }
}

/// Makes addresses and writes what is behind them.
#[derive(Clone)]
pub struct Exports {
    sealer: Sealer,
    facts: Arc<Facts>,
    slots: Slots<Uuid>,
    pub wait: Duration,
    /// How long a copy may take.
    pub patience: Duration,
    pub look: Duration,
}

/// An address and what it leads to.
#[derive(Debug, Clone)]
pub struct Link {
    pub row: export::Model,
    /// The secret part of the address.
    pub token: String,
}

impl Link {
    pub fn format(&self) -> Format {
        Format::parse(&self.row.format)
    }
}

/// A copy under way.
pub struct Download<S> {
    pub format: Format,
    /// When the copy was asked for, for its name.
    pub asked_at: Millis,
    /// Ends in an error where the copy is not whole.
    pub pieces: S,
}

impl Exports {
    pub fn new(sealer: Sealer, config: &Config) -> Self {
        Self {
            sealer,
            facts: Arc::new(facts(&config.operator, &config.retention)),
            slots: Slots::new(MAX_AT_ONCE),
            wait: WAIT,
            patience: PATIENCE,
            look: LOOK,
        }
    }

    /// Makes an address; with a key, the one that was made under it before. Tells whether it is that one.
    ///
    /// # Errors
    /// [`Error::LimitReached`], [`Error::IdempotencyKeyReused`]; and
    /// [`Error::Deleted`] where what was made under the key is past and forgotten.
    pub async fn create(
        &self,
        db: &Db,
        session: &Session,
        format: Format,
        key: Option<&str>,
    ) -> Result<(Link, bool)> {
        let digest = idempotency::digest(format.as_str().as_bytes());
        let request = key.map(|key| idempotency::Request { key, operation: "createExport", digest });
        let mut change = db.change(session.account_id).await?;
        let (account_id, now) = (change.account_id(), change.now());
        if let Some(request) = &request
            && let Some(first) = idempotency::seen(&change, request).await?
        {
            let row = export::Entity::find_by_id((account_id, first)).one(change.tx()).await?;
            return Ok((self.link(row.ok_or(Error::Deleted)?, session)?, true));
        }
        let live = "SELECT COUNT(*) FROM export WHERE account_id = $1 AND expires_at > $2";
        let live = row(change.tx(), live, [account_id.into(), now.into()]).await?;
        if live.map(|row| row.try_get_by_index::<i64>(0)).transpose()?.unwrap_or(0) >= MAX_LINKS {
            let limit = u64::try_from(MAX_LINKS).unwrap_or(0);
            return Err(Error::LimitReached { what: "copies that can be downloaded", limit });
        }
        let made = export::Model {
            account_id,
            id: Uuid::now_v7(),
            format: format.as_str().to_owned(),
            created_at: now,
            expires_at: now + LINK_MINUTES * 60_000,
        };
        let row = made.clone().into_active_model().reset_all();
        export::Entity::insert(row).exec_without_returning(change.tx()).await?;
        if let Some(request) = &request {
            idempotency::keep(&mut change, request, made.id).await?;
        }
        // No device needs to hear of it.
        change.keep();
        change.commit().await?;
        Ok((self.link(made, session)?, false))
    }

    /// The addresses that work, oldest first, and where the page ended if there are more.
    pub async fn list(
        &self,
        db: &Db,
        session: &Session,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<(Vec<Link>, Option<Uuid>)> {
        let bound = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let found = rows(
            db.read(),
            "SELECT * FROM export WHERE account_id = $1 AND expires_at > $2 AND id > $3 ORDER BY id LIMIT $4",
            [session.account_id.into(), clock::now().into(), after.unwrap_or_default().into(), bound.into()],
        )
        .await?;
        let more = found.len() as u64 > limit;
        let found = found.iter().take(usize::try_from(limit).unwrap_or(usize::MAX));
        let links = found
            .map(|row| self.link(export::Model::from_query_result(row, "")?, session))
            .collect::<Result<Vec<_>>>()?;
        let end = links.last().filter(|_| more).map(|link| link.row.id);
        Ok((links, end))
    }

    /// Begins to write the copy that a token leads to.
    ///
    /// # Errors
    /// [`Error::NotFound`] for whatever is wrong with the token: never made here, past, of an erased account.
    /// [`Error::TooManyTransfers`] while another copy of the account is written, [`Error::Busy`] while as many
    /// as may be are, in both cases after some waiting.
    pub async fn download(
        &self,
        db: &Db,
        users: &Users,
        token: &str,
    ) -> Result<Download<impl Stream<Item = io::Result<Bytes>> + Send + use<>>> {
        let ticket = Ticket::open(token, &self.sealer).ok_or(Error::NotFound)?;
        let row = find(db, &ticket).await?;
        let slot = self.slots.acquire(row.account_id, self.wait).await?;
        // Before the moment that the copy shows: nobody waits for the network while it is held open.
        let profile = profile(users, &ticket.user_id).await;
        let format = Format::parse(&row.format);
        let (sink, pieces) = match format {
            Format::Json => {
                let (sink, pieces) = Sink::plain();
                (sink, Either::Left(pieces))
            }
            Format::Zip => {
                let (sink, pieces) = Sink::zip();
                (sink, Either::Right(pieces))
            }
        };
        let (begun, beginning) = oneshot::channel();
        let copy =
            Copy { db: db.clone(), account: row.account_id, format, facts: self.facts.clone(), profile };
        tokio::spawn(copy.run(sink, slot, begun, self.patience, self.look));
        beginning.await.unwrap_or(Err(Error::Busy))?;
        Ok(Download { format, asked_at: row.created_at, pieces })
    }

    /// How many copies are being written.
    pub fn running(&self) -> usize {
        self.slots.running()
    }

    fn link(&self, row: export::Model, session: &Session) -> Result<Link> {
        let ticket = Ticket {
            export: row.id,
            account: row.account_id,
            expires_at: row.expires_at,
            user_id: session.user_id.clone(),
        };
        let token = ticket.seal(&self.sealer).ok_or(Error::Busy)?;
        Ok(Link { row, token })
    }
}

/// The copy that a ticket is for, while it can be had.
async fn find(db: &Db, ticket: &Ticket) -> Result<export::Model> {
    let now = clock::now();
    let found = row(
        db.read(),
        "SELECT e.* FROM export e JOIN account a ON a.id = e.account_id AND a.erased_at IS NULL \
         WHERE e.account_id = $1 AND e.id = $2 AND e.expires_at > $3",
        [ticket.account.into(), ticket.export.into(), now.into()],
    )
    .await?;
    let found = found.filter(|_| ticket.expires_at > now).ok_or(Error::NotFound)?;
    Ok(export::Model::from_query_result(&found, "")?)
}

/// The profile as Clerk has it now. A copy waits for nobody: without an answer it says so.
async fn profile(users: &Users, user_id: &Secret) -> Profile {
    let without = |state| Profile {
        state,
        first_name: None,
        last_name: None,
        username: None,
        email_addresses: Vec::new(),
    };
    match users.get(user_id).await {
        Ok(clerk::Profile { first_name, last_name, username, email_addresses }) => {
            Profile { state: ProfileState::Ok, first_name, last_name, username, email_addresses }
        }
        Err(UsersError::NotConfigured) => without(ProfileState::NotConfigured),
        Err(_) => without(ProfileState::Unavailable),
    }
}

/// One copy that is being written.
struct Copy {
    db: Db,
    account: Uuid,
    format: Format,
    facts: Arc<Facts>,
    profile: Profile,
}

impl Copy {
    /// Writes it, unless it takes too long or the account ends.
    async fn run(
        self,
        sink: Sink,
        slot: Slot<Uuid>,
        begun: oneshot::Sender<Result<()>>,
        patience: Duration,
        look: Duration,
    ) {
        let outcome = tokio::select! {
            biased;
            () = ended(&self.db, self.account, look) => "the account is no more",
            written = timeout(patience, self.write(sink, begun)) => match written {
                Ok(Ok(())) => "whole",
                Ok(Err(Broken::Gone)) => "given up by the client",
                Ok(Err(Broken::Database(error))) => {
                    tracing::warn!(kind = crate::db::error_kind(&error), "a copy could not be read");
                    "cut off"
                }
                Ok(Err(Broken::Write(error))) => {
                    tracing::warn!(kind = %error.kind(), "a copy could not be written");
                    "cut off"
                }
                Err(_) => "too slow, cut off",
            },
        };
        drop(slot);
        tracing::info!(outcome, format = self.format.as_str(), "copy of an account's data");
    }

    async fn write(&self, mut sink: Sink, begun: oneshot::Sender<Result<()>>) -> Result<(), Broken> {
        let (snapshot, own) = match self.begin().await {
            Ok(moment) => moment,
            Err(error) => {
                let _ = begun.send(Err(error));
                return Err(Broken::Gone);
            }
        };
        begun.send(Ok(())).map_err(|_| Broken::Gone)?;
        if self.format == Format::Zip {
            sink.begin("README.txt")?;
            sink.write_all(include_bytes!("readme.txt"))?;
            sink.begin("archive.json")?;
        }
        archive::write(&self.facts, &self.profile, &own, &snapshot, &mut sink).await?;
        if self.format == Format::Zip {
            tables::write(&own, &snapshot, &mut sink).await?;
        }
        snapshot.end().await?;
        sink.finish().await
    }

    /// The moment that the copy shows, and the account in it.
    async fn begin(&self) -> Result<(Snapshot, account::Model)> {
        let snapshot = self.db.read().snapshot().await?;
        let sql = "SELECT * FROM account WHERE id = $1 AND erased_at IS NULL";
        let own = row(&snapshot, sql, [self.account.into()]).await?.ok_or(Error::NotFound)?;
        Ok((snapshot, account::Model::from_query_result(&own, "")?))
    }
}

/// Resolves when the account is erased: told at once, and found out soon where it was not told.
async fn ended(db: &Db, account: Uuid, look: Duration) {
    // As many as copies may be written at once.
    let bounds = Bounds { per_account: usize::MAX, per_instance: usize::MAX };
    let Ok(mut listener) = db.heads().listen(account, bounds) else { return };
    loop {
        let news = tokio::select! {
            news = listener.news() => Some(news),
            () = sleep(look) => None,
        };
        if news == Some(News::Ended) {
            return;
        }
        let sql = "SELECT 1 FROM account WHERE id = $1 AND erased_at IS NULL";
        if news.is_none() && matches!(row(db.read(), sql, [account.into()]).await, Ok(None)) {
            return;
        }
    }
}

/// Removes what nobody can download any more since before `before`; tells how many rows.
pub async fn forget(db: &Db, before: Millis) -> Result<u64> {
    db.forget(&KEPT, before).await
}
