//! The items of a list.

use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path, Query};
use uuid::Uuid;

use super::{Absent, Area, Delete, Edit, PutBelow, cover, covers, limit, refused};
use crate::app::App;
use crate::catalog;
use crate::error::Error;
use crate::http::answer::{Changed, Found, Gone, Plain, Written};
use crate::http::auth::Caller;
use crate::http::etag::expected;
use crate::http::json::Json;
use crate::http::problem::Fail;
use crate::http::text::{Language, MediaId};
use crate::http::view::list::{ListItem, ListItemPage, ListItemPatch, ListItemWrite};
use crate::http::view::media::language;
use crate::library::entry::Create;
use crate::list::item;

pub struct ListItemApi {
    pub app: App,
}

#[OpenApi(prefix_path = "/v1/lists", tag = "Area::Lists")]
impl ListItemApi {
    /// List the items of a list
    ///
    /// In the list's order.
    #[oai(path = "/:list_id/items", method = "get", operation_id = "listListItems")]
    async fn list(
        &self,
        caller: Caller,
        list_id: Path<Uuid>,
        /// The language of titles; the account's setting without it.
        #[oai(name = "language")]
        named: Query<Option<Language>>,
        /// Items on a page; 50 without it.
        #[oai(name = "limit", validator(minimum(value = "1"), maximum(value = "200")))]
        page_limit: Query<Option<i32>>,
        /// `next_cursor` of the page before.
        #[oai(validator(max_length = 2000))]
        cursor: Query<Option<String>>,
    ) -> Result<Plain<ListItemPage>, Fail<Absent>> {
        let list = list_id.0;
        let question = format!("items {list}");
        let after = self.app.cursors.decode(&question, cursor.0.as_deref())?;
        let language = language(named.0, &caller.account);
        let (items, end) =
            item::list(&self.app.db, caller.id(), list, language, after, limit(page_limit.0)).await?;
        let covers = covers(&self.app, items.iter().map(item::Item::cover)).await;
        let shown = items.into_iter().zip(covers).map(|(item, cover)| ListItem::new(item, cover));
        Ok(Plain(ListItemPage {
            items: shown.collect(),
            next_cursor: end.map(|end| self.app.cursors.encode(&question, &end)),
        }))
    }

    /// Show an item of a list
    ///
    /// One item with what is known of its title.
    #[oai(path = "/:list_id/items/:media_id", method = "get", operation_id = "getListItem")]
    async fn get(
        &self,
        caller: Caller,
        list_id: Path<Uuid>,
        media_id: Path<MediaId>,
        /// The language of the title; the account's setting without it.
        #[oai(name = "language")]
        named: Query<Option<Language>>,
        #[oai(name = "If-None-Match")] if_none_match: Header<Option<String>>,
    ) -> Result<Found<ListItem>, Fail<Absent>> {
        let language = language(named.0, &caller.account);
        let item = item::get(&self.app.db, caller.id(), list_id.0, &media_id.0.0, language).await?;
        let revision = item.row.revision;
        Ok(Found::new(self.show(item).await, revision, if_none_match.0))
    }

    /// Put a title in a list
    ///
    /// Makes or replaces the item, or moves it; repeating it changes nothing.
    #[oai(path = "/:list_id/items/:media_id", method = "put", operation_id = "putListItem")]
    async fn put(
        &self,
        caller: Caller,
        list_id: Path<Uuid>,
        media_id: Path<MediaId>,
        /// The language of the title; the account's setting without it.
        #[oai(name = "language")]
        named: Query<Option<Language>>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
        body: Json<ListItemWrite>,
    ) -> Result<Written<ListItem>, Fail<PutBelow>> {
        let language = language(named.0, &caller.account);
        let item::Written { item, created, .. } = self
            .write(
                &caller,
                (list_id.0, &media_id.0.0),
                language,
                if_match.0,
                Create::Allowed,
                body.0.domain()?,
            )
            .await?;
        let revision = item.row.revision;
        Ok(Written { view: self.show(item).await, revision, created })
    }

    /// Change an item of a list
    ///
    /// What is absent stays as it is, null clears.
    #[oai(path = "/:list_id/items/:media_id", method = "patch", operation_id = "updateListItem")]
    async fn update(
        &self,
        caller: Caller,
        list_id: Path<Uuid>,
        media_id: Path<MediaId>,
        /// The language of the title; the account's setting without it.
        #[oai(name = "language")]
        named: Query<Option<Language>>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
        body: Json<ListItemPatch>,
    ) -> Result<Changed<ListItem>, Fail<Edit>> {
        let language = language(named.0, &caller.account);
        let item::Written { item, .. } = self
            .write(
                &caller,
                (list_id.0, &media_id.0.0),
                language,
                if_match.0,
                Create::Refused,
                body.0.domain()?,
            )
            .await?;
        let revision = item.row.revision;
        Ok(Changed { view: self.show(item).await, revision })
    }

    /// Take a title out of a list
    ///
    /// The title's library entry, if there is one, stays.
    #[oai(path = "/:list_id/items/:media_id", method = "delete", operation_id = "deleteListItem")]
    async fn delete(
        &self,
        caller: Caller,
        list_id: Path<Uuid>,
        media_id: Path<MediaId>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
    ) -> Result<Gone, Fail<Delete>> {
        let expected = expected(if_match.0.as_deref())?;
        let id = &media_id.0.0;
        match item::delete(&self.app.db, caller.id(), list_id.0, id, &expected).await {
            Ok(()) => Ok(Gone),
            Err(error) => {
                let language = crate::account::language(&caller.account);
                Err(refused(error, self.current(&caller, (list_id.0, id), language)).await)
            }
        }
    }
}

impl ListItemApi {
    async fn write<S>(
        &self,
        caller: &Caller,
        (list, id): (Uuid, &catalog::MediaId),
        language: catalog::Language,
        if_match: Option<String>,
        create: Create,
        write: item::Write,
    ) -> Result<item::Written, Fail<S>> {
        let expected = expected(if_match.as_deref())?;
        let (db, account) = (&self.app.db, caller.id());
        self.app.keep_if_seen(id, language).await;
        match item::write(db, account, (list, id), language, &expected, create, write).await {
            Ok(written) => {
                if written.wanted {
                    self.app.wanted.add(db, account, id, language).await;
                }
                Ok(written)
            }
            Err(error) => Err(refused(error, self.current(caller, (list, id), language)).await),
        }
    }

    async fn current(
        &self,
        caller: &Caller,
        (list, id): (Uuid, &catalog::MediaId),
        language: catalog::Language,
    ) -> Result<ListItem, Error> {
        Ok(self.show(item::get(&self.app.db, caller.id(), list, id, language).await?).await)
    }

    async fn show(&self, item: item::Item) -> ListItem {
        let cover = cover(&self.app, item.cover()).await;
        ListItem::new(item, cover)
    }
}
