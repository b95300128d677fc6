//! The catalog without a search: titles by a code, and lists that are the same for everybody.

use poem::http::StatusCode;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use super::media::{known, marked};
use super::{Area, Common, Judged};
use crate::app::App;
use crate::catalog::Code;
use crate::error::{Error, Violation};
use crate::http::answer::Plain;
use crate::http::auth::Caller;
use crate::http::problem::{Fail, Problem};
use crate::http::text::Language;
use crate::http::view::discover::{DiscoverAnswer, DiscoverList, LookupAnswer};
use crate::http::view::media::{MediaKind, language};

pub struct DiscoverApi {
    pub app: App,
}

#[OpenApi(prefix_path = "/v1", tag = "Area::Catalog")]
impl DiscoverApi {
    /// Find a title by a code
    ///
    /// By the number on a book's back, by another register's id, or by the address of a page about it:
    /// exactly one of the four. What nobody knows is an empty answer. Of an address only the id in it
    /// is used; the page is not fetched. What is no ISBN, or not with this check digit, is refused with
    /// `invalid_isbn`, the address of another page with `unknown_address`.
    #[oai(path = "/media/lookup", method = "get", operation_id = "lookupMedia")]
    async fn lookup(
        &self,
        caller: Caller,
        /// An ISBN with 10 or 13 digits, as typed or as scanned: hyphens, blanks, `ISBN` before it and a
        /// barcode's add-on behind a blank do not matter.
        #[oai(validator(min_length = 1, max_length = 100))]
        isbn: Query<Option<String>>,
        /// An id of IMDb: a film, a series, or an episode, which leads to its series.
        #[oai(validator(pattern = "^tt[0-9]{7,10}$"))]
        imdb_id: Query<Option<String>>,
        /// A number of TheTVDB: a series, or an episode, which leads to its series.
        #[oai(validator(minimum(value = "1")))]
        tvdb_id: Query<Option<i32>>,
        /// The address of a page about a title at TMDB, IGDB, Google Books or IMDb.
        #[oai(validator(min_length = 1, max_length = 2000))]
        url: Query<Option<String>>,
        /// The language of titles; the account's setting without it.
        #[oai(name = "language")]
        named: Query<Option<Language>>,
    ) -> Result<Plain<LookupAnswer>, Fail<Judged>> {
        let code = one_code(isbn.0, imdb_id.0, tvdb_id.0, url.0)?;
        let language = language(named.0, &caller.account);
        let share = self.app.share(caller.id());
        let answers = self.app.catalog.find(&code, language, &share).await.map_err(Error::from)?;
        let mut found = Vec::new();
        for (id, answer) in answers {
            found.extend(known(&self.app, &id, language, answer).await?);
        }
        Ok(Plain(LookupAnswer { items: marked(&self.app, &caller, &found).await? }))
    }

    /// Discover titles
    ///
    /// A list that is the same for everybody and looked up a few times a day. While the source is away,
    /// what it said last; where there is nothing of that either, `source` says why `items` is empty. For
    /// books there are no such lists: `not_offered`.
    #[oai(path = "/discover/:kind", method = "get", operation_id = "discoverMedia")]
    async fn discover(
        &self,
        caller: Caller,
        kind: Path<MediaKind>,
        /// Which list.
        list: Query<DiscoverList>,
        /// The page, from 1.
        #[oai(validator(minimum(value = "1"), maximum(value = "50")))]
        page: Query<Option<i32>>,
        /// The language of titles; the account's setting without it.
        #[oai(name = "language")]
        named: Query<Option<Language>>,
    ) -> Result<Plain<DiscoverAnswer>, Fail<Common>> {
        let language = language(named.0, &caller.account);
        let page = u32::try_from(page.0.unwrap_or(1)).unwrap_or(1);
        let share = self.app.share(caller.id());
        let answer = self.app.catalog.chart(kind.0.into(), list.0.into(), language, page, &share).await;
        Ok(Plain(DiscoverAnswer {
            items: marked(&self.app, &caller, &answer.items).await?,
            source: answer.source.into(),
        }))
    }
}

/// The one that is given, read; what it may be refused for stands beside it.
fn one_code(
    isbn: Option<String>,
    imdb_id: Option<String>,
    tvdb_id: Option<i32>,
    url: Option<String>,
) -> Result<Code, Problem> {
    let isbn = isbn.map(|text| {
        ("/query/isbn", Code::isbn(&text), "invalid_isbn", "is not an ISBN, or its check digit is wrong")
    });
    let imdb_id = imdb_id
        .map(|text| ("/query/imdb_id", Code::imdb(&text), "invalid_parameter", "is not an id of IMDb"));
    let tvdb_id = tvdb_id.map(|number| {
        ("/query/tvdb_id", Code::tvdb(number), "invalid_parameter", "is not a number of TheTVDB")
    });
    let url = url.map(|text| {
        ("/query/url", Code::address(&text), "unknown_address", "is not the address of a title's page")
    });
    let mut given: Vec<_> = [isbn, imdb_id, tvdb_id, url].into_iter().flatten().collect();
    match (given.pop(), given.is_empty()) {
        (Some((_, Some(code), ..)), true) => Ok(code),
        (Some((pointer, None, fault, message)), true) => {
            Err(refuse(fault, vec![Violation::new(pointer, message)]))
        }
        (None, _) => {
            let message = "must have one of isbn, imdb_id, tvdb_id and url";
            Err(refuse("not_one_code", vec![Violation::new("/query", message)]))
        }
        (Some(last), false) => {
            let message = "must be the only one of isbn, imdb_id, tvdb_id and url";
            let all = given.into_iter().chain([last]);
            Err(refuse("not_one_code", all.map(|(place, ..)| Violation::new(place, message)).collect()))
        }
    }
}

/// The form is right, and the sense is not.
fn refuse(code: &'static str, violations: Vec<Violation>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, "The input is not valid").errors(violations)
}
