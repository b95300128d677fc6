//! The catalog: search and titles by id.

use std::collections::HashMap;
use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use super::{Absent, Area, Common, covers};
use crate::app::App;
use crate::catalog::{self, Answer, Cover, Kind, SearchText, SearchTextError};
use crate::error::{Error, Result as DomainResult};
use crate::http::answer::Plain;
use crate::http::auth::Caller;
use crate::http::problem::Fail;
use crate::http::text::{Language, MediaId};
use crate::http::view::entry::EntryMark;
use crate::http::view::media::{
    MediaBatch, MediaItem, MediaKind, MissingMedia, MissingReason, SearchAnswer, SourceReport, language,
};
use crate::library::page;
use crate::media;

pub struct MediaApi {
    pub app: App,
}

#[OpenApi(prefix_path = "/v1", tag = "Area::Catalog")]
impl MediaApi {
    /// Search for titles
    ///
    /// Asks every source needed at once, under one deadline: a slow or failing one does not spoil the
    /// rest. Text that holds an e-mail address, a telephone number or a web address is refused with
    /// `personal_data_in_query`, since it would leave the service.
    #[oai(path = "/search", method = "get", operation_id = "searchMedia")]
    async fn search(
        &self,
        caller: Caller,
        /// What to look for.
        #[oai(validator(min_length = 1, max_length = 100))]
        q: Query<String>,
        /// Only these kinds; all without it.
        #[oai(explode = false, default)]
        kind: Query<Vec<MediaKind>>,
        /// The language of titles; the account's setting without it.
        #[oai(name = "language")]
        named: Query<Option<Language>>,
        /// The page, from 1.
        #[oai(validator(minimum(value = "1"), maximum(value = "50")))]
        page: Query<Option<i32>>,
    ) -> Result<Plain<SearchAnswer>, Fail<Common>> {
        let text = SearchText::parse(&q.0).map_err(refuse_text)?;
        let kinds: Vec<Kind> = match kind.0.is_empty() {
            true => Kind::ALL.to_vec(),
            false => kind.0.into_iter().map(Kind::from).collect(),
        };
        let language = language(named.0, &caller.account);
        let page = u32::try_from(page.0.unwrap_or(1)).unwrap_or(1);
        let share = self.app.share(caller.id());
        let answer = self.app.catalog.search(&text, &kinds, language, page, &share).await;
        Ok(Plain(SearchAnswer {
            items: marked(&self.app, &caller, &answer.items).await?,
            sources: answer.sources.into_iter().map(SourceReport::from).collect(),
        }))
    }

    /// Show several titles
    ///
    /// Up to 100 titles by id, in the order asked for; what cannot be shown is listed with the reason.
    #[oai(path = "/media", method = "get", operation_id = "listMedia")]
    async fn list(
        &self,
        caller: Caller,
        /// Media ids.
        // Not absent: the edge holds every call to the contract before.
        #[oai(explode = false, validator(min_items = 1, max_items = 100))]
        ids: Query<Vec<MediaId>>,
        /// The language of titles; the account's setting without it.
        #[oai(name = "language")]
        named: Query<Option<Language>>,
    ) -> Result<Plain<MediaBatch>, Fail<Common>> {
        let language = language(named.0, &caller.account);
        let mut ids: Vec<catalog::MediaId> = ids.0.into_iter().map(|id| id.0).collect();
        let mut seen = std::collections::HashSet::new();
        ids.retain(|id| seen.insert(id.clone()));
        let share = self.app.share(caller.id());
        let answers = self.app.catalog.media_many(&ids, language, &share).await;
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for (id, answer) in answers {
            let reason = match known(&self.app, &id, language, answer).await {
                Ok(Some(item)) => {
                    found.push(item);
                    continue;
                }
                Ok(None) => MissingReason::UnknownToSource,
                Err(Error::SourceUnavailable { .. }) => MissingReason::SourceUnavailable,
                Err(error) => return Err(error.into()),
            };
            missing.push(MissingMedia { id: MediaId(id), reason });
        }
        Ok(Plain(MediaBatch { items: marked(&self.app, &caller, &found).await?, missing }))
    }

    /// Show a title
    ///
    /// Everything its source tells of a title. While the source is away, what was known last.
    #[oai(path = "/media/:media_id", method = "get", operation_id = "getMedia")]
    async fn get(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        /// The language of the title; the account's setting without it.
        #[oai(name = "language")]
        named: Query<Option<Language>>,
    ) -> Result<Plain<MediaItem>, Fail<Absent>> {
        let language = language(named.0, &caller.account);
        let id = media_id.0.0;
        let share = self.app.share(caller.id());
        let answer = self.app.catalog.media(&id, language, &share).await;
        let item = known(&self.app, &id, language, answer).await?.ok_or(Error::NotFound)?;
        let shown = marked(&self.app, &caller, &[item]).await?.pop();
        Ok(Plain(shown.ok_or(Error::NotFound)?))
    }
}

/// Titles with their covers and the account's own entries for them.
pub(super) async fn marked(
    app: &App,
    caller: &Caller,
    items: &[Arc<catalog::MediaItem>],
) -> DomainResult<Vec<MediaItem>> {
    let ids: Vec<_> = items.iter().map(|item| item.id.clone()).collect();
    let mut marks = marks(app, caller, &ids).await?;
    // All at once: of each title its own, then those of its seasons.
    let of = |item: &'_ Arc<catalog::MediaItem>| {
        let posters = item.seasons.iter().map(|season| Cover::of_season(&item.id, season.cover.as_ref()));
        std::iter::once(Cover::of(item)).chain(posters).collect::<Vec<_>>()
    };
    let mut covers = covers(app, items.iter().flat_map(of)).await.into_iter();
    let show = |item: &Arc<catalog::MediaItem>| {
        let cover = covers.next().flatten();
        let posters = covers.by_ref().take(item.seasons.len()).collect();
        MediaItem::new(item, cover, marks.remove(item.id.as_str())).with_posters(posters)
    };
    Ok(items.iter().map(show).collect())
}

/// The account's own entries among these titles.
async fn marks(
    app: &App,
    caller: &Caller,
    ids: &[catalog::MediaId],
) -> DomainResult<HashMap<String, EntryMark>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = page::among(&app.db, caller.id(), ids).await?;
    Ok(rows.into_iter().map(|row| (row.media_id.clone(), EntryMark::new(&row))).collect())
}

/// What the catalog answered, or what was kept of the title when the source cannot say; `None` if
/// there is no such title.
pub(super) async fn known(
    app: &App,
    id: &catalog::MediaId,
    language: catalog::Language,
    answer: Result<Answer, catalog::Unavailable>,
) -> DomainResult<Option<Arc<catalog::MediaItem>>> {
    match answer {
        Ok(Answer::Found { item, .. }) => Ok(Some(item)),
        Ok(Answer::Unknown) => Ok(None),
        Err(unavailable) => match media::find(&app.db, id, language).await? {
            Some(item) => Ok(Some(Arc::new(item))),
            None => Err(unavailable.into()),
        },
    }
}

fn refuse_text(error: SearchTextError) -> Error {
    let (code, message) = match error {
        SearchTextError::Empty => ("invalid_parameter", "has nothing to look for"),
        SearchTextError::TooLong => ("invalid_parameter", "is longer than 100 characters"),
        SearchTextError::PersonalData => (
            "personal_data_in_query",
            "holds what looks like an e-mail address, a telephone number or a web address",
        ),
    };
    Error::invalid(code, "/query/q", message)
}
