//! Library entries.

use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path, Query};

use super::{Absent, Area, Common, Delete, Edit, Put, cover, covers, limit, refused};
use crate::account::Locale;
use crate::app::App;
use crate::catalog;
use crate::error::Error;
use crate::http::answer::{Changed, Found, Gone, Plain, Written};
use crate::http::auth::Caller;
use crate::http::etag::expected;
use crate::http::json::Json;
use crate::http::problem::Fail;
use crate::http::text::{Language, MediaId, Timestamp};
use crate::http::view::entry::{
    EntrySort, LibraryEntry, LibraryEntryPage, LibraryEntryPatch, LibraryEntryWrite, SortDirection, Status,
};
use crate::http::view::media::MediaKind;
use crate::library::entry::{self, Create, Entry};
use crate::library::page;

pub struct EntryApi {
    pub app: App,
}

#[OpenApi(prefix_path = "/v1/library", tag = "Area::Library")]
impl EntryApi {
    /// List the library
    ///
    /// Entries with what is known of their titles. Entries without the value that is sorted by come
    /// last in either direction.
    #[allow(clippy::too_many_arguments)]
    #[oai(path = "/", method = "get", operation_id = "listLibrary")]
    async fn list(
        &self,
        caller: Caller,
        /// Only these kinds.
        #[oai(explode = false, default)]
        kind: Query<Vec<MediaKind>>,
        /// Only these statuses.
        #[oai(explode = false, default)]
        status: Query<Vec<Status>>,
        /// Only favorites, or only the others.
        favorite: Query<Option<bool>>,
        /// Only entries rated at least this.
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
        min_rating: Query<Option<i32>>,
        /// Only entries rated at most this.
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
        max_rating: Query<Option<i32>>,
        /// Part of the title, in any case and without regard to accents.
        #[oai(validator(min_length = 1, max_length = 100))]
        text: Query<Option<String>>,
        /// Only entries changed at or after this time.
        updated_since: Query<Option<Timestamp>>,
        /// What to sort by; `updated_at` without it.
        sort: Query<Option<EntrySort>>,
        /// `desc` without it.
        order: Query<Option<SortDirection>>,
        /// The language of titles; the account's setting without it.
        language: Query<Option<Language>>,
        /// Entries on a page; 50 without it.
        #[oai(name = "limit", validator(minimum(value = "1"), maximum(value = "200")))]
        page_limit: Query<Option<i32>>,
        /// `next_cursor` of the page before.
        #[oai(validator(max_length = 2000))]
        cursor: Query<Option<String>>,
    ) -> Result<Plain<LibraryEntryPage>, Fail<Common>> {
        let query = page::Query {
            kinds: kind.0.into_iter().map(Into::into).collect(),
            statuses: status.0.into_iter().map(Into::into).collect(),
            favorite: favorite.0,
            min_rating: min_rating.0,
            max_rating: max_rating.0,
            text: text.0,
            updated_since: updated_since.0.map(|time| time.0),
            sort: sort.0.unwrap_or(EntrySort::UpdatedAt).into(),
            descending: order.0.unwrap_or(SortDirection::Desc) == SortDirection::Desc,
            language: locale(&language, &caller).language,
        };
        let today = Locale::of(&caller.account, None).today;
        let question = format!("library {query:?}");
        let after = self.app.cursors.decode(&question, cursor.0.as_deref())?;
        let (entries, end) =
            page::list(&self.app.db, caller.id(), &query, today, after, limit(page_limit.0)).await?;
        let covers = covers(&self.app, entries.iter().map(Entry::cover)).await;
        let shown = entries.into_iter().zip(covers).map(|(entry, cover)| LibraryEntry::new(entry, cover));
        Ok(Plain(LibraryEntryPage {
            items: shown.collect(),
            next_cursor: end.map(|end| self.app.cursors.encode(&question, &end)),
        }))
    }

    /// Show an entry
    ///
    /// One entry with what is known of its title.
    #[oai(path = "/:media_id", method = "get", operation_id = "getLibraryEntry")]
    async fn get(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        /// The language of the title; the account's setting without it.
        language: Query<Option<Language>>,
        #[oai(name = "If-None-Match")] if_none_match: Header<Option<String>>,
    ) -> Result<Found<LibraryEntry>, Fail<Absent>> {
        let locale = locale(&language, &caller);
        let entry = entry::get(&self.app.db, caller.id(), &media_id.0.0, locale).await?;
        let revision = entry.row.revision;
        Ok(Found::new(self.show(entry).await, revision, if_none_match.0))
    }

    /// Put a title in the library
    ///
    /// Makes or replaces the entry; repeating it changes nothing. The title need not be known yet.
    #[oai(path = "/:media_id", method = "put", operation_id = "putLibraryEntry")]
    async fn put(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        /// The language of the title; the account's setting without it.
        language: Query<Option<Language>>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
        body: Json<LibraryEntryWrite>,
    ) -> Result<Written<LibraryEntry>, Fail<Put>> {
        let changes = body.0.into();
        let expected = expected(if_match.0.as_deref())?;
        let locale = locale(&language, &caller);
        let id = &media_id.0.0;
        self.app.keep_if_seen(id, locale.language).await;
        let write = entry::write(&self.app.db, caller.id(), id, locale, &expected, Create::Allowed, &changes);
        match write.await {
            Ok(written) => {
                self.want(&caller, &written, id, locale.language).await;
                let revision = written.entry.row.revision;
                Ok(Written { view: self.show(written.entry).await, revision, created: written.created })
            }
            Err(error) => Err(refused(error, self.current(&caller, id, locale)).await),
        }
    }

    /// Change an entry
    ///
    /// What is absent stays as it is, null clears. The first progress on a backlog entry moves it to
    /// `in_progress`, unless the account's settings say otherwise or the write names a status.
    #[oai(path = "/:media_id", method = "patch", operation_id = "updateLibraryEntry")]
    async fn update(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        /// The language of the title; the account's setting without it.
        language: Query<Option<Language>>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
        body: Json<LibraryEntryPatch>,
    ) -> Result<Changed<LibraryEntry>, Fail<Edit>> {
        let changes = body.0.into();
        let expected = expected(if_match.0.as_deref())?;
        let locale = locale(&language, &caller);
        let id = &media_id.0.0;
        let write = entry::write(&self.app.db, caller.id(), id, locale, &expected, Create::Refused, &changes);
        match write.await {
            Ok(written) => {
                let revision = written.entry.row.revision;
                Ok(Changed { view: self.show(written.entry).await, revision })
            }
            Err(error) => Err(refused(error, self.current(&caller, id, locale)).await),
        }
    }

    /// Take a title out of the library
    ///
    /// Deletes the entry with its review, comments and history.
    #[oai(path = "/:media_id", method = "delete", operation_id = "deleteLibraryEntry")]
    async fn delete(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
    ) -> Result<Gone, Fail<Delete>> {
        let expected = expected(if_match.0.as_deref())?;
        let id = &media_id.0.0;
        match entry::delete(&self.app.db, caller.id(), id, &expected).await {
            Ok(()) => Ok(Gone),
            Err(error) => {
                let locale = Locale::of(&caller.account, None);
                Err(refused(error, self.current(&caller, id, locale)).await)
            }
        }
    }
}

impl EntryApi {
    async fn current(
        &self,
        caller: &Caller,
        id: &catalog::MediaId,
        locale: Locale,
    ) -> Result<LibraryEntry, Error> {
        Ok(self.show(entry::get(&self.app.db, caller.id(), id, locale).await?).await)
    }

    async fn show(&self, entry: Entry) -> LibraryEntry {
        let cover = cover(&self.app, entry.cover()).await;
        LibraryEntry::new(entry, cover)
    }

    /// A title that is new to us, or to us in this language, is looked up in the background, after the
    /// commit.
    async fn want(
        &self,
        caller: &Caller,
        written: &entry::Written,
        id: &catalog::MediaId,
        language: catalog::Language,
    ) {
        if written.wanted {
            self.app.wanted.add(&self.app.db, caller.id(), id, language).await;
        }
    }
}

fn locale(named: &Query<Option<Language>>, caller: &Caller) -> Locale {
    Locale::of(&caller.account, named.0.map(|language| language.0.unwrap_or_default()))
}
