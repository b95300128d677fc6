//! What devices read to stay the same: the feed of changes, where it ends, and the news that it has
//! grown.

use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Query};

use super::{Area, Common, Resume};
use crate::app::App;
use crate::http::answer::{Found, Plain};
use crate::http::auth::Caller;
use crate::http::problem::Fail;
use crate::http::sse::EventStream;
use crate::http::view::feed::{ChangePage, SyncHead};
use crate::sync;

const DEFAULT_LIMIT: usize = 200;

pub struct FeedApi {
    pub app: App,
}

#[OpenApi(prefix_path = "/v1/sync", tag = "Area::Sync")]
impl FeedApi {
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
        Ok(Plain(page.into()))
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
}
