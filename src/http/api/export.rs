//! Copies of everything that is held of an account: asked for with a token, downloaded without one.

use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path, Query};

use super::{Absent, Area, Export as Asked, Personal, limit};
use crate::app::App;
use crate::http::answer::{Made, Plain};
use crate::http::auth::Caller;
use crate::http::download::Attachment;
use crate::http::json::Json;
use crate::http::problem::Fail;
use crate::http::view::export::{Export, ExportPage, ExportWrite};

pub struct ExportApi {
    pub app: App,
}

#[OpenApi(prefix_path = "/v1", tag = "Area::Account")]
impl ExportApi {
    /// Ask for a copy
    ///
    /// Makes an address from which everything that is held of the account can be downloaded, for 15 minutes
    /// and without a token. The copy is made when it is downloaded. Repeated with the same
    /// `Idempotency-Key` it gives the first one again. A session that somebody else has opened in the
    /// person's name may not ask for copies. At most 20 at once.
    #[oai(path = "/account/exports", method = "post", operation_id = "createExport")]
    async fn create(
        &self,
        caller: Caller,
        #[oai(name = "Idempotency-Key", validator(min_length = 1, max_length = 255, pattern = "^[!-~]+$"))]
        key: Header<Option<String>>,
        body: Json<ExportWrite>,
    ) -> Result<Made<Export>, Fail<Asked>> {
        let (format, key) = (body.0.format.into(), key.0.as_deref());
        let (link, duplicate) = self.app.exports.create(&self.app.db, &caller.session, format, key).await?;
        Ok(Made(Export::new(link, Some(duplicate))))
    }

    /// List the copies
    ///
    /// Those that can still be downloaded, oldest first.
    #[oai(path = "/account/exports", method = "get", operation_id = "listExports")]
    async fn list(
        &self,
        caller: Caller,
        /// Copies on a page; 50 without it.
        #[oai(name = "limit", validator(minimum(value = "1"), maximum(value = "200")))]
        page_limit: Query<Option<i32>>,
        /// `next_cursor` of the page before.
        #[oai(validator(max_length = 2000))]
        cursor: Query<Option<String>>,
    ) -> Result<Plain<ExportPage>, Fail<Personal>> {
        let question = "exports";
        let after = self.app.cursors.decode(question, cursor.0.as_deref())?;
        let limit = limit(page_limit.0);
        let (links, end) = self.app.exports.list(&self.app.db, &caller.session, after, limit).await?;
        Ok(Plain(ExportPage {
            items: links.into_iter().map(|link| Export::new(link, None)).collect(),
            next_cursor: end.map(|end| self.app.cursors.encode(question, &end)),
        }))
    }

    /// Download a copy
    ///
    /// The archive, or a ZIP with it and with tables that other services import, written while it is read:
    /// all of it as it was in one moment. Needs no token; whatever is wrong with the address, or where the
    /// account was deleted, it is 404. A download that takes more than two minutes is cut off, and so is one
    /// whose account is deleted meanwhile: the connection then ends before the body does. It can be begun
    /// again. Few are served at once, by turns of the accounts: 503 says when to come back. Of one account one is
    /// served at a time: 429 `too_many_transfers`.
    #[oai(path = "/exports/:token", method = "get", operation_id = "downloadExport")]
    async fn download(&self, token: Path<String>) -> Result<Attachment, Fail<Absent>> {
        let app = &self.app;
        let download = app.exports.download(&app.db, &app.users, &token.0).await?;
        Ok(Attachment::new(download))
    }
}
