//! History of an entry.

use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path, Query};
use uuid::Uuid;

use super::{Absent, Area, Delete, PutOnce, limit, refused};
use crate::app::App;
use crate::catalog;
use crate::error::Error;
use crate::http::answer::{Found, Gone, Plain, Written};
use crate::http::auth::Caller;
use crate::http::etag::expected;
use crate::http::json::Json;
use crate::http::problem::Fail;
use crate::http::text::MediaId;
use crate::http::view::note::{HistoryEvent, HistoryEventPage, HistoryEventWrite};
use crate::library::history;

pub struct HistoryApi {
    pub app: App,
}

#[OpenApi(prefix_path = "/v1/library", tag = "Area::History")]
impl HistoryApi {
    /// List history
    ///
    /// Each time the entry was finished: the latest first, unknown dates last.
    #[oai(path = "/:media_id/history", method = "get", operation_id = "listHistory")]
    async fn list(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        /// Rows on a page; 50 without it.
        #[oai(name = "limit", validator(minimum(value = "1"), maximum(value = "200")))]
        page_limit: Query<Option<i32>>,
        /// `next_cursor` of the page before.
        #[oai(validator(max_length = 2000))]
        cursor: Query<Option<String>>,
    ) -> Result<Plain<HistoryEventPage>, Fail<Absent>> {
        let id = &media_id.0.0;
        let question = format!("history {id}");
        let after = self.app.cursors.decode(&question, cursor.0.as_deref())?;
        let (rows, end) = history::list(&self.app.db, caller.id(), id, after, limit(page_limit.0)).await?;
        Ok(Plain(HistoryEventPage {
            items: rows.into_iter().map(HistoryEvent::from).collect(),
            next_cursor: end.map(|end| self.app.cursors.encode(&question, &end)),
        }))
    }

    /// Show a history event
    ///
    /// One time the entry was finished.
    #[oai(path = "/:media_id/history/:event_id", method = "get", operation_id = "getHistoryEvent")]
    async fn get(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        event_id: Path<Uuid>,
        #[oai(name = "If-None-Match")] if_none_match: Header<Option<String>>,
    ) -> Result<Found<HistoryEvent>, Fail<Absent>> {
        let row = history::get(&self.app.db, caller.id(), &media_id.0.0, event_id.0).await?;
        let revision = row.revision;
        Ok(Found::new(row.into(), revision, if_none_match.0))
    }

    /// Write a history event
    ///
    /// Makes or replaces the event under the UUID that the phone chose. An id that was deleted is not used again. A move into `completed` adds an event by itself, under the UUIDv5 of `<media id>/<date>` in the namespace `6f6d6e69-7472-5163-8b66-696e69736865`.
    #[oai(path = "/:media_id/history/:event_id", method = "put", operation_id = "putHistoryEvent")]
    async fn put(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        event_id: Path<Uuid>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
        body: Json<HistoryEventWrite>,
    ) -> Result<Written<HistoryEvent>, Fail<PutOnce>> {
        let expected = expected(if_match.0.as_deref())?;
        let (id, event) = (&media_id.0.0, event_id.0);
        match history::put(&self.app.db, caller.id(), id, event, &expected, body.0.into()).await {
            Ok((row, created)) => {
                let revision = row.revision;
                Ok(Written { view: row.into(), revision, created })
            }
            Err(error) => Err(refused(error, self.current(&caller, id, event)).await),
        }
    }

    /// Delete a history event
    ///
    /// Its id is not used again.
    #[oai(path = "/:media_id/history/:event_id", method = "delete", operation_id = "deleteHistoryEvent")]
    async fn delete(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        event_id: Path<Uuid>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
    ) -> Result<Gone, Fail<Delete>> {
        let expected = expected(if_match.0.as_deref())?;
        let (id, event) = (&media_id.0.0, event_id.0);
        match history::delete(&self.app.db, caller.id(), id, event, &expected).await {
            Ok(()) => Ok(Gone),
            Err(error) => Err(refused(error, self.current(&caller, id, event)).await),
        }
    }
}

impl HistoryApi {
    async fn current(
        &self,
        caller: &Caller,
        id: &catalog::MediaId,
        event: Uuid,
    ) -> Result<HistoryEvent, Error> {
        history::get(&self.app.db, caller.id(), id, event).await.map(HistoryEvent::from)
    }
}
