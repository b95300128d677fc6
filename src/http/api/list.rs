//! Lists.

use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path, Query};
use uuid::Uuid;

use super::{Absent, Area, Common, Delete, Edit, PutOnce, limit, refused};
use crate::app::App;
use crate::error::Error;
use crate::http::answer::{Changed, Found, Gone, Plain, Written};
use crate::http::auth::Caller;
use crate::http::etag::expected;
use crate::http::json::Json;
use crate::http::problem::Fail;
use crate::http::view::list::{MediaList, MediaListPage, MediaListPatch, MediaListWrite};
use crate::list;

pub struct ListApi {
    pub app: App,
}

#[OpenApi(prefix_path = "/v1/lists", tag = "Area::Lists")]
impl ListApi {
    /// List the lists
    ///
    /// The account's lists, oldest first.
    #[oai(path = "/", method = "get", operation_id = "listLists")]
    async fn list(
        &self,
        caller: Caller,
        /// Lists on a page; 50 without it.
        #[oai(name = "limit", validator(minimum(value = "1"), maximum(value = "200")))]
        page_limit: Query<Option<i32>>,
        /// `next_cursor` of the page before.
        #[oai(validator(max_length = 2000))]
        cursor: Query<Option<String>>,
    ) -> Result<Plain<MediaListPage>, Fail<Common>> {
        let question = "lists";
        let after = self.app.cursors.decode(question, cursor.0.as_deref())?;
        let (lists, end) = list::list(&self.app.db, caller.id(), after, limit(page_limit.0)).await?;
        Ok(Plain(MediaListPage {
            items: lists.into_iter().map(MediaList::from).collect(),
            next_cursor: end.map(|end| self.app.cursors.encode(question, &end)),
        }))
    }

    /// Show a list
    ///
    /// The list's own fields; its items are a page of their own.
    #[oai(path = "/:list_id", method = "get", operation_id = "getList")]
    async fn get(
        &self,
        caller: Caller,
        list_id: Path<Uuid>,
        #[oai(name = "If-None-Match")] if_none_match: Header<Option<String>>,
    ) -> Result<Found<MediaList>, Fail<Absent>> {
        let list = list::get(&self.app.db, caller.id(), list_id.0).await?;
        let revision = list.row.revision;
        Ok(Found::new(list.into(), revision, if_none_match.0))
    }

    /// Write a list
    ///
    /// Makes or replaces the list under the UUID that the phone chose. An id that was deleted is not
    /// used again.
    #[oai(path = "/:list_id", method = "put", operation_id = "putList")]
    async fn put(
        &self,
        caller: Caller,
        list_id: Path<Uuid>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
        body: Json<MediaListWrite>,
    ) -> Result<Written<MediaList>, Fail<PutOnce>> {
        let expected = expected(if_match.0.as_deref())?;
        match list::write(&self.app.db, caller.id(), list_id.0, &expected, body.0.into()).await {
            Ok((list, created)) => {
                let revision = list.row.revision;
                Ok(Written { view: list.into(), revision, created })
            }
            Err(error) => Err(refused(error, self.current(&caller, list_id.0)).await),
        }
    }

    /// Change a list
    ///
    /// What is absent stays as it is, null clears.
    #[oai(path = "/:list_id", method = "patch", operation_id = "updateList")]
    async fn update(
        &self,
        caller: Caller,
        list_id: Path<Uuid>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
        body: Json<MediaListPatch>,
    ) -> Result<Changed<MediaList>, Fail<Edit>> {
        let expected = expected(if_match.0.as_deref())?;
        match list::update(&self.app.db, caller.id(), list_id.0, &expected, body.0.into()).await {
            Ok(list) => {
                let revision = list.row.revision;
                Ok(Changed { view: list.into(), revision })
            }
            Err(error) => Err(refused(error, self.current(&caller, list_id.0)).await),
        }
    }

    /// Delete a list
    ///
    /// Deletes the list with its items. Its id is not used again.
    #[oai(path = "/:list_id", method = "delete", operation_id = "deleteList")]
    async fn delete(
        &self,
        caller: Caller,
        list_id: Path<Uuid>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
    ) -> Result<Gone, Fail<Delete>> {
        let expected = expected(if_match.0.as_deref())?;
        match list::delete(&self.app.db, caller.id(), list_id.0, &expected).await {
            Ok(()) => Ok(Gone),
            Err(error) => Err(refused(error, self.current(&caller, list_id.0)).await),
        }
    }
}

impl ListApi {
    async fn current(&self, caller: &Caller, id: Uuid) -> Result<MediaList, Error> {
        list::get(&self.app.db, caller.id(), id).await.map(MediaList::from)
    }
}
