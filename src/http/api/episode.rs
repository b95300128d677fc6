//! Watched episodes of a series, and its seasons.

use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path, Query};

use super::{Absent, Area, Delete, PutBelow, cover, limit, refused};
use crate::account::Locale;
use crate::app::App;
use crate::catalog::{self, Answer, Cover};
use crate::error::Error;
use crate::http::answer::{Changed, Found, Gone, Plain, Written};
use crate::http::auth::Caller;
use crate::http::etag::expected;
use crate::http::json::Json;
use crate::http::problem::Fail;
use crate::http::text::{Language, MediaId};
use crate::http::view::entry::LibraryEntry;
use crate::http::view::episode::{
    AiredEpisodesWrite, Season, SeasonEpisodesWrite, WatchedEpisode, WatchedEpisodePage, WatchedEpisodeWrite,
    day_of,
};
use crate::http::view::media::language;
use crate::library::entry;
use crate::library::episode::{self, Span};
use crate::media::{self, Place};

pub struct SeasonApi {
    pub app: App,
}

#[OpenApi(prefix_path = "/v1/media", tag = "Area::Catalog")]
impl SeasonApi {
    /// Show a season
    ///
    /// A season of a series with its episodes, and which of them the account has watched. While the
    /// source is away, what was known last.
    #[oai(path = "/:media_id/seasons/:season", method = "get", operation_id = "getSeason")]
    async fn get(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        /// The season's number; 0 holds the specials.
        #[oai(validator(minimum(value = "0"), maximum(value = "99999")))]
        season: Path<i32>,
        /// The language of titles; the account's setting without it.
        #[oai(name = "language")]
        named: Query<Option<Language>>,
    ) -> Result<Plain<Season>, Fail<Absent>> {
        let (db, id) = (&self.app.db, media_id.0.0);
        let language = language(named.0, &caller.account);
        let number = u32::try_from(season.0).unwrap_or(0);
        let share = self.app.share(caller.id());
        let found = match self.app.catalog.season(&id, number, language, &share).await {
            Ok(Answer::Found { item, .. }) => item,
            Ok(Answer::Unknown) => return Err(Error::NotFound.into()),
            Err(catalog::Unavailable { retry_after_seconds }) => {
                let kept = media::find_season(db, &id, number, language).await?;
                kept.ok_or(Error::SourceUnavailable { retry_after_seconds })?.into()
            }
        };
        let marks = episode::of_season(db, caller.id(), &id, season.0).await?;
        let cover = cover(&self.app, Cover::of_season(&id, found.cover.as_ref())).await;
        Ok(Plain(Season::new(id, &found, &marks, cover)))
    }
}

pub struct EpisodeApi {
    pub app: App,
}

#[OpenApi(prefix_path = "/v1/library", tag = "Area::Episodes")]
impl EpisodeApi {
    /// List watched episodes
    ///
    /// By season and number, the specials first.
    #[oai(path = "/:media_id/episodes", method = "get", operation_id = "listWatchedEpisodes")]
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
    ) -> Result<Plain<WatchedEpisodePage>, Fail<Absent>> {
        let id = &media_id.0.0;
        let question = format!("episodes {id}");
        let after = self.app.cursors.decode(&question, cursor.0.as_deref())?;
        let (rows, end) = episode::list(&self.app.db, caller.id(), id, after, limit(page_limit.0)).await?;
        Ok(Plain(WatchedEpisodePage {
            items: rows.into_iter().map(WatchedEpisode::from).collect(),
            next_cursor: end.map(|end| self.app.cursors.encode(&question, &end)),
        }))
    }

    /// Mark everything that has aired
    ///
    /// Marks every episode, but the specials, that aired up to the day `on`, and shows the entry. Where the
    /// episodes are not known yet it is done as soon as they are.
    #[oai(path = "/:media_id/episodes", method = "put", operation_id = "markAiredEpisodes")]
    async fn mark_aired(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
        body: Json<AiredEpisodesWrite>,
    ) -> Result<Changed<LibraryEntry>, Fail<PutBelow>> {
        let AiredEpisodesWrite { on, watched_on } = body.0;
        let all = Span { season: None, first: None, last: None };
        let mark = episode::Mark { span: all, aired_by: on.0, watched_on: day_of(watched_on, on) };
        self.mark(&caller, &media_id.0.0, if_match.0, mark).await
    }

    /// Take back every mark
    ///
    /// Takes the marks off every episode but the specials.
    #[oai(path = "/:media_id/episodes", method = "delete", operation_id = "unmarkEpisodes")]
    async fn unmark_all(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
    ) -> Result<Gone, Fail<Delete>> {
        let all = Span { season: None, first: None, last: None };
        self.unmark(&caller, &media_id.0.0, if_match.0, all).await
    }

    /// Mark a season
    ///
    /// Marks the episodes of a season that aired up to the day `on`: all of them, or those from `first` to
    /// `last`; and shows the entry. Where the episodes are not known yet it is done as soon as they are.
    #[oai(path = "/:media_id/episodes/:season", method = "put", operation_id = "markSeasonEpisodes")]
    async fn mark_season(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        /// The season's number; 0 holds the specials.
        #[oai(validator(minimum(value = "0"), maximum(value = "99999")))]
        season: Path<i32>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
        body: Json<SeasonEpisodesWrite>,
    ) -> Result<Changed<LibraryEntry>, Fail<PutBelow>> {
        let SeasonEpisodesWrite { on, first, last, watched_on } = body.0;
        let span = Span { season: Some(season.0), first, last };
        let mark = episode::Mark { span, aired_by: on.0, watched_on: day_of(watched_on, on) };
        self.mark(&caller, &media_id.0.0, if_match.0, mark).await
    }

    /// Take back the marks on a season
    ///
    /// All of them, or those from `first` to `last`.
    #[oai(path = "/:media_id/episodes/:season", method = "delete", operation_id = "unmarkSeasonEpisodes")]
    async fn unmark_season(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        /// The season's number; 0 holds the specials.
        #[oai(validator(minimum(value = "0"), maximum(value = "99999")))]
        season: Path<i32>,
        /// Only from this number on.
        #[oai(validator(minimum(value = "0"), maximum(value = "99999")))]
        first: Query<Option<i32>>,
        /// Only up to this number.
        #[oai(validator(minimum(value = "0"), maximum(value = "99999")))]
        last: Query<Option<i32>>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
    ) -> Result<Gone, Fail<Delete>> {
        let span = Span { season: Some(season.0), first: first.0, last: last.0 };
        self.unmark(&caller, &media_id.0.0, if_match.0, span).await
    }

    /// Show a watched episode
    ///
    /// The mark on one episode; 404 where it is not watched.
    #[oai(path = "/:media_id/episodes/:season/:episode", method = "get", operation_id = "getWatchedEpisode")]
    async fn get(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        /// The season's number; 0 holds the specials.
        #[oai(validator(minimum(value = "0"), maximum(value = "99999")))]
        season: Path<i32>,
        /// The episode's number.
        #[oai(validator(minimum(value = "0"), maximum(value = "99999")))]
        episode: Path<i32>,
        #[oai(name = "If-None-Match")] if_none_match: Header<Option<String>>,
    ) -> Result<Found<WatchedEpisode>, Fail<Absent>> {
        let place = Place { season: season.0, number: episode.0 };
        let row = episode::get(&self.app.db, caller.id(), &media_id.0.0, place).await?;
        let revision = row.revision;
        Ok(Found::new(row.into(), revision, if_none_match.0))
    }

    /// Mark an episode
    ///
    /// Marks one episode as watched; repeating it changes nothing. The person's own word counts for an
    /// episode, too, that has not aired yet. The first one moves a backlog entry to `in_progress`, unless
    /// the account's settings say otherwise.
    #[oai(path = "/:media_id/episodes/:season/:episode", method = "put", operation_id = "putWatchedEpisode")]
    #[allow(clippy::too_many_arguments)]
    async fn put(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        /// The season's number; 0 holds the specials.
        #[oai(validator(minimum(value = "0"), maximum(value = "99999")))]
        season: Path<i32>,
        /// The episode's number.
        #[oai(validator(minimum(value = "0"), maximum(value = "99999")))]
        episode: Path<i32>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
        body: Json<WatchedEpisodeWrite>,
    ) -> Result<Written<WatchedEpisode>, Fail<PutBelow>> {
        let expected = expected(if_match.0.as_deref())?;
        let (id, place) = (&media_id.0.0, Place { season: season.0, number: episode.0 });
        match episode::put(&self.app.db, caller.id(), id, place, &expected, body.0.into()).await {
            Ok((row, created)) => {
                let revision = row.revision;
                Ok(Written { view: row.into(), revision, created })
            }
            Err(error) => Err(refused(error, self.current(&caller, id, place)).await),
        }
    }

    /// Take back the mark on an episode
    ///
    /// The episode is not watched any more.
    #[oai(
        path = "/:media_id/episodes/:season/:episode",
        method = "delete",
        operation_id = "deleteWatchedEpisode"
    )]
    async fn delete(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        /// The season's number; 0 holds the specials.
        #[oai(validator(minimum(value = "0"), maximum(value = "99999")))]
        season: Path<i32>,
        /// The episode's number.
        #[oai(validator(minimum(value = "0"), maximum(value = "99999")))]
        episode: Path<i32>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
    ) -> Result<Gone, Fail<Delete>> {
        let expected = expected(if_match.0.as_deref())?;
        let (id, place) = (&media_id.0.0, Place { season: season.0, number: episode.0 });
        match episode::delete(&self.app.db, caller.id(), id, place, &expected).await {
            Ok(()) => Ok(Gone),
            Err(error) => Err(refused(error, self.current(&caller, id, place)).await),
        }
    }
}

impl EpisodeApi {
    async fn mark(
        &self,
        caller: &Caller,
        id: &catalog::MediaId,
        if_match: Option<String>,
        mark: episode::Mark,
    ) -> Result<Changed<LibraryEntry>, Fail<PutBelow>> {
        let expected = expected(if_match.as_deref())?;
        match episode::put_many(&self.app.db, caller.id(), id, &expected, mark).await {
            Ok(()) => {
                let view = self.entry(caller, id).await?;
                let revision = view.revision;
                Ok(Changed { view, revision })
            }
            Err(error) => Err(refused(error, self.entry(caller, id)).await),
        }
    }

    async fn unmark(
        &self,
        caller: &Caller,
        id: &catalog::MediaId,
        if_match: Option<String>,
        span: Span,
    ) -> Result<Gone, Fail<Delete>> {
        let expected = expected(if_match.as_deref())?;
        match episode::delete_many(&self.app.db, caller.id(), id, &expected, span).await {
            Ok(()) => Ok(Gone),
            Err(error) => Err(refused(error, self.entry(caller, id)).await),
        }
    }

    async fn entry(&self, caller: &Caller, id: &catalog::MediaId) -> Result<LibraryEntry, Error> {
        let locale = Locale::of(&caller.account, None);
        let entry = entry::get(&self.app.db, caller.id(), id, locale).await?;
        let cover = cover(&self.app, entry.cover()).await;
        Ok(LibraryEntry::new(entry, cover))
    }

    async fn current(
        &self,
        caller: &Caller,
        id: &catalog::MediaId,
        place: Place,
    ) -> Result<WatchedEpisode, Error> {
        episode::get(&self.app.db, caller.id(), id, place).await.map(WatchedEpisode::from)
    }
}
