//! What a device that keeps a connection open is told: that the account has moved on, and nothing else.

use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::db::{Bounds, Db, Full, Listener, News, row};
use crate::error::{Error, Result};

/// How streams of events behave.
#[derive(Debug, Clone)]
pub struct Events {
    /// How often a quiet stream says that it is alive, and looks whether an announcement was lost.
    pub heartbeat: Duration,
    /// How long a stream lives. It outlives the token that it was opened with, since all it says is a
    /// number.
    pub lifetime: Duration,
    /// Numbers that follow each other within this time are told as one.
    pub pause: Duration,
    pub bounds: Bounds,
    /// Ends every stream: the service stops.
    pub stop: CancellationToken,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(15),
            lifetime: Duration::from_secs(15 * 60),
            pause: Duration::from_millis(100),
            bounds: Bounds { per_account: 10, per_instance: 4096 },
            stop: CancellationToken::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The account's revision is now this.
    Revision(i64),
    Heartbeat,
    /// The last one, with the revision told last.
    Bye(i64),
}

impl Events {
    /// Begins to tell what happens to an account. `last` is the number that the device was told last: any
    /// other is said at once.
    ///
    /// # Errors
    /// [`Error::TooManyStreams`] where the account has as many as it may, [`Error::Busy`] where the instance
    /// has.
    pub fn open(
        &self,
        db: &Db,
        account: Uuid,
        last: Option<i64>,
    ) -> Result<impl Stream<Item = Event> + Send + 'static> {
        let listener = db.heads().listen(account, self.bounds).map_err(|full| match full {
            Full::Account => Error::TooManyStreams,
            Full::Instance => Error::Busy,
        })?;
        let now = Instant::now();
        let watch = Watch {
            db: db.clone(),
            account,
            listener,
            told: last,
            opening: true,
            over: false,
            quiet_until: now,
            // What was committed before the listening began is not announced: it is looked for first.
            beat_at: now,
            ends_at: now + self.lifetime,
            heartbeat: self.heartbeat,
            pause: self.pause,
            stop: self.stop.clone(),
        };
        Ok(unfold(watch, async |mut watch| {
            let event = watch.next().await?;
            Some((event, watch))
        }))
    }
}

/// One stream. It is kept small: there may be thousands, and nearly all of them wait.
struct Watch {
    db: Db,
    account: Uuid,
    listener: Listener,
    told: Option<i64>,
    opening: bool,
    over: bool,
    quiet_until: Instant,
    beat_at: Instant,
    ends_at: Instant,
    heartbeat: Duration,
    pause: Duration,
    stop: CancellationToken,
}

impl Watch {
    async fn next(&mut self) -> Option<Event> {
        if self.over {
            return None;
        }
        loop {
            let due = self.beat_at.min(self.ends_at);
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return self.bye(),
                news = hear(&mut self.listener, self.quiet_until) => match news {
                    News::Ended => return self.bye(),
                    News::Head(head) if self.is_new(head) => return self.tell(head),
                    News::Head(_) => {}
                },
                () = sleep_until(due) => {
                    if due == self.ends_at {
                        return self.bye();
                    }
                    self.beat_at = Instant::now() + self.heartbeat;
                    // Boxed, so that a stream that waits has no room for it.
                    return match Box::pin(head(&self.db, self.account)).await {
                        Ok(None) => self.bye(),
                        Ok(Some(head)) if self.is_new(head) => self.tell(head),
                        // A database that does not answer now is asked again at the next one.
                        Ok(Some(_)) | Err(_) => Some(Event::Heartbeat),
                    };
                }
            }
        }
    }

    /// A device that was told more than there is, before the database was put back, is told so.
    fn is_new(&self, head: i64) -> bool {
        self.told.is_none_or(|told| if self.opening { head != told } else { head > told })
    }

    fn tell(&mut self, head: i64) -> Option<Event> {
        self.told = Some(head);
        self.opening = false;
        self.quiet_until = Instant::now() + self.pause;
        Some(Event::Revision(head))
    }

    fn bye(&mut self) -> Option<Event> {
        self.over = true;
        Some(Event::Bye(self.told.unwrap_or(0)))
    }
}

/// The next news, not before a time.
async fn hear(listener: &mut Listener, not_before: Instant) -> News {
    sleep_until(not_before).await;
    listener.news().await
}

/// The account's revision; none if there is no such account any more.
async fn head(db: &Db, account: Uuid) -> Result<Option<i64>> {
    let sql = "SELECT revision FROM account WHERE id = $1 AND erased_at IS NULL AND deletion_due_at IS NULL";
    let found = row(db.read(), sql, [account.into()]).await?;
    Ok(found.map(|row| row.try_get_by_index(0)).transpose()?)
}
