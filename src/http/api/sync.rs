//! How devices stay the same: the feed of changes, where it ends, the news that it has grown, and the
//! batches of changes that they send.

use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Query};

use super::{Area, Common, Push, Resume, cover, covers};
use crate::account::Locale;
use crate::app::App;
use crate::error::Error;
use crate::http::answer::{Found, Plain};
use crate::http::auth::Caller;
use crate::http::json::Json;
use crate::http::limit::Charge;
use crate::http::problem::{Fail, Problem};
use crate::http::sse::EventStream;
use crate::http::view::feed::{Change, ChangePage, SyncHead};
use crate::http::view::push::{MutationBatchWrite, MutationResult, MutationResults};
use crate::sync::{self, Cursor, Judged, Outcome};

const DEFAULT_LIMIT: usize = 200;

/// The bound on a batch of mutations, in bytes.
const BATCH_LIMIT: usize = 4 * 1024 * 1024;

pub struct SyncApi {
    pub app: App,
}

#[OpenApi(prefix_path = "/v1/sync", tag = "Area::Sync")]
impl SyncApi {
    /// Read what has changed
    ///
    /// Everything that the account owns, each thing once as it is now, in the order of its last change;
    /// what was deleted as its key alone. Without a cursor from the beginning, with one from where it was
    /// handed out: nothing is left out, whatever is written meanwhile. A change replaces what the device
    /// has under its key. A thing may come before the one that it hangs on, and an entry that was deleted and
    /// made again comes as both, in this order. What is known of titles comes
    /// with the rows, in the account's language; when it is looked up again later, no row changes. The
    /// number of a list's items is not a change of the list.
    #[oai(path = "/", method = "get", operation_id = "getChanges")]
    async fn changes(
        &self,
        caller: Caller,
        /// `cursor` of the page before, or of the last time.
        #[oai(validator(max_length = 200))]
        cursor: Query<Option<String>>,
        /// Changes on a page at most; 200 without it. Where texts are long a page has fewer.
        #[oai(validator(minimum(value = "1"), maximum(value = "1000")))]
        limit: Query<Option<i32>>,
    ) -> Result<Plain<ChangePage>, Fail<Resume>> {
        let limit = limit.0.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(DEFAULT_LIMIT);
        let page = sync::page(&self.app.db, caller.id(), cursor.0.as_deref(), limit).await?;
        let sync::Page { changes, cursor, has_more, head } = page;
        let covers = covers(&self.app, changes.iter().map(sync::Change::cover)).await;
        let changes = changes.into_iter().zip(covers).map(|(change, cover)| Change::new(change, cover));
        Ok(Plain(ChangePage { changes: changes.collect(), cursor, has_more, head }))
    }

    /// Show where the account stands
    ///
    /// The revision that the feed ends at now. It costs next to nothing, and with `If-None-Match` next to
    /// no bytes either.
    #[oai(path = "/head", method = "get", operation_id = "getSyncHead")]
    async fn head(
        &self,
        caller: Caller,
        #[oai(name = "If-None-Match")] if_none_match: Header<Option<String>>,
    ) -> Result<Found<SyncHead>, Fail<Common>> {
        // The account's row was read to let the caller in, a moment ago: that was the one read.
        let revision = caller.account.revision;
        Ok(Found::new(SyncHead { revision }, revision, if_none_match.0))
    }

    /// Be told when something changes
    ///
    /// Server-sent events. `revision`, with the account's revision as its id and a `SyncHead` as its data:
    /// at once unless it is the one in `Last-Event-ID`, then within a second of each change, several in
    /// quick succession as one. `bye` is the last one: after 15 minutes, when the service stops, or when the
    /// account is no more; connect again with a fresh token. A comment every 15 seconds shows that the
    /// connection is alive. An account may have ten of these open.
    #[oai(path = "/events", method = "get", operation_id = "streamSyncEvents")]
    async fn events(
        &self,
        caller: Caller,
        /// The id of the last event that was received.
        #[oai(name = "Last-Event-ID", validator(minimum(value = "0")))]
        last_event_id: Header<Option<i64>>,
    ) -> Result<EventStream, Fail<Common>> {
        let events = self.app.events.open(&self.app.db, caller.id(), last_event_id.0)?;
        Ok(EventStream::new(events))
    }

    /// Send changes
    ///
    /// Up to 500 mutations in the order in which the device made them, 4 MiB in all. Each is judged on its
    /// own: fields that nobody else has touched since `base_revision` are written; where somebody has, the
    /// later `made_at` wins and the fields that lose are named. To delete what somebody else has changed
    /// since, or to write to what is gone, is a conflict. Sent again, a mutation does nothing and is answered
    /// as it was the first time. In the rate limit each mutation counts as a request.
    #[oai(path = "/", method = "post", operation_id = "pushChanges")]
    async fn push(
        &self,
        caller: Caller,
        charge: Charge,
        body: Json<MutationBatchWrite, BATCH_LIMIT>,
    ) -> Result<Plain<MutationResults>, Fail<Push>> {
        let MutationBatchWrite { cursor, mutations, all_or_nothing } = body.0;
        charge.count_as(mutations.len()).map_err(Problem::rate_limited)?;
        let epoch = self.app.db.epoch().await.map_err(Error::from)?;
        Cursor::read(&cursor, "/cursor", epoch, &caller.account)?;
        let mutations = MutationBatchWrite::domain(mutations)?;
        let locale = Locale::of(&caller.account, None);
        let mut wanted = Vec::new();
        let pushed =
            sync::push(&self.app.db, caller.id(), locale, &mutations, all_or_nothing, &mut wanted).await;
        // Also what a part of the batch left that failed half-way.
        self.app.wanted.add_many(&self.app.db, caller.id(), &wanted, locale.language).await;
        let pushed = pushed?;
        let mut results = Vec::with_capacity(pushed.judged.len());
        for judged in pushed.judged {
            let current = self.current(&caller, &judged, locale).await?;
            results.push(MutationResult::new(judged, current));
        }
        Ok(Plain(MutationResults { results, revision: pushed.revision }))
    }
}

impl SyncApi {
    /// What stands where a mutation met a conflict.
    async fn current(
        &self,
        caller: &Caller,
        judged: &Judged,
        locale: Locale,
    ) -> Result<Option<Change>, Error> {
        let Some(key) = judged.key.as_ref().filter(|_| judged.outcome == Outcome::Conflict) else {
            return Ok(None);
        };
        let Some(found) = sync::current(&self.app.db, caller.id(), key, locale).await? else {
            return Ok(None);
        };
        let cover = cover(&self.app, found.cover()).await;
        Ok(Some(Change::new(found, cover)))
    }
}
