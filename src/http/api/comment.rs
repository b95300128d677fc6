//! Comments on an entry.

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
use crate::http::view::note::{Comment, CommentPage, CommentWrite};
use crate::library::comment;

pub struct CommentApi {
    pub app: App,
}

#[OpenApi(prefix_path = "/v1/library", tag = "Area::Comments")]
impl CommentApi {
    /// List comments
    ///
    /// The comments on an entry, oldest first.
    #[oai(path = "/:media_id/comments", method = "get", operation_id = "listComments")]
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
    ) -> Result<Plain<CommentPage>, Fail<Absent>> {
        let id = &media_id.0.0;
        let question = format!("comments {id}");
        let after = self.app.cursors.decode(&question, cursor.0.as_deref())?;
        let (rows, end) = comment::list(&self.app.db, caller.id(), id, after, limit(page_limit.0)).await?;
        Ok(Plain(CommentPage {
            items: rows.into_iter().map(Comment::from).collect(),
            next_cursor: end.map(|end| self.app.cursors.encode(&question, &end)),
        }))
    }

    /// Show a comment
    ///
    /// One comment.
    #[oai(path = "/:media_id/comments/:comment_id", method = "get", operation_id = "getComment")]
    async fn get(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        comment_id: Path<Uuid>,
        #[oai(name = "If-None-Match")] if_none_match: Header<Option<String>>,
    ) -> Result<Found<Comment>, Fail<Absent>> {
        let row = comment::get(&self.app.db, caller.id(), &media_id.0.0, comment_id.0).await?;
        let revision = row.revision;
        Ok(Found::new(row.into(), revision, if_none_match.0))
    }

    /// Write a comment
    ///
    /// Makes or replaces the comment under the UUID that the phone chose. An id that was deleted is not used again.
    #[oai(path = "/:media_id/comments/:comment_id", method = "put", operation_id = "putComment")]
    async fn put(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        comment_id: Path<Uuid>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
        body: Json<CommentWrite>,
    ) -> Result<Written<Comment>, Fail<PutOnce>> {
        let expected = expected(if_match.0.as_deref())?;
        let (id, comment) = (&media_id.0.0, comment_id.0);
        match comment::put(&self.app.db, caller.id(), id, comment, &expected, body.0.domain()?).await {
            Ok((row, created)) => {
                let revision = row.revision;
                Ok(Written { view: row.into(), revision, created })
            }
            Err(error) => Err(refused(error, self.current(&caller, id, comment)).await),
        }
    }

    /// Delete a comment
    ///
    /// Its id is not used again.
    #[oai(path = "/:media_id/comments/:comment_id", method = "delete", operation_id = "deleteComment")]
    async fn delete(
        &self,
        caller: Caller,
        media_id: Path<MediaId>,
        comment_id: Path<Uuid>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
    ) -> Result<Gone, Fail<Delete>> {
        let expected = expected(if_match.0.as_deref())?;
        let (id, comment) = (&media_id.0.0, comment_id.0);
        match comment::delete(&self.app.db, caller.id(), id, comment, &expected).await {
            Ok(()) => Ok(Gone),
            Err(error) => Err(refused(error, self.current(&caller, id, comment)).await),
        }
    }
}

impl CommentApi {
    async fn current(&self, caller: &Caller, id: &catalog::MediaId, comment: Uuid) -> Result<Comment, Error> {
        comment::get(&self.app.db, caller.id(), id, comment).await.map(Comment::from)
    }
}
