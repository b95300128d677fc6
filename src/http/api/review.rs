//! The review of an entry.

use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path};

use super::{Absent, Area, Delete, PutBelow, refused};
use crate::app::App;
use crate::catalog;
use crate::error::Error;
use crate::http::answer::{Found, Gone, Written};
use crate::http::auth::Caller;
use crate::http::etag::expected;
use crate::http::json::Json;
use crate::http::problem::Fail;
use crate::http::text::MediaId;
use crate::http::view::note::{Review, ReviewWrite};
use crate::library::review;

pub struct ReviewApi {
    pub app: App,
}

#[OpenApi(prefix_path = "/v1/library", tag = "Area::Reviews")]
impl ReviewApi {
    /// Show the review
    ///
    /// The account's review of an entry.
    #[oai(path = "/:media_id/review", method = "get", operation_id = "getReview")]
    async fn get(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        #[oai(name = "If-None-Match")] if_none_match: Header<Option<String>>,
    ) -> Result<Found<Review>, Fail<Absent>> {
        let row = review::get(&self.app.db, caller.id(), &media_id.0.0).await?;
        let revision = row.revision;
        Ok(Found::new(row.into(), revision, if_none_match.0))
    }

    /// Write the review
    ///
    /// Makes or replaces the review of an entry that exists.
    #[oai(path = "/:media_id/review", method = "put", operation_id = "putReview")]
    async fn put(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
        body: Json<ReviewWrite>,
    ) -> Result<Written<Review>, Fail<PutBelow>> {
        let expected = expected(if_match.0.as_deref())?;
        let id = &media_id.0.0;
        match review::put(&self.app.db, caller.id(), id, &expected, body.0.into()).await {
            Ok((row, created)) => {
                let revision = row.revision;
                Ok(Written { view: row.into(), revision, created })
            }
            Err(error) => Err(refused(error, self.current(&caller, id)).await),
        }
    }

    /// Delete the review
    ///
    /// The entry stays.
    #[oai(path = "/:media_id/review", method = "delete", operation_id = "deleteReview")]
    async fn delete(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
    ) -> Result<Gone, Fail<Delete>> {
        let expected = expected(if_match.0.as_deref())?;
        let id = &media_id.0.0;
        match review::delete(&self.app.db, caller.id(), id, &expected).await {
            Ok(()) => Ok(Gone),
            Err(error) => Err(refused(error, self.current(&caller, id)).await),
        }
    }
}

impl ReviewApi {
    async fn current(&self, caller: &Caller, id: &catalog::MediaId) -> Result<Review, Error> {
        review::get(&self.app.db, caller.id(), id).await.map(Review::from)
    }
}
