//! Archives that are taken back: sent in one request, looked at as a whole, applied in the background.

use poem::http::StatusCode;
use poem::{IntoResponse, Response};
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, OpenApi};
use uuid::Uuid;

use super::{Absent, Area, Common, Import as TakeBack, limit};
use crate::account::idempotency;
use crate::app::App;
use crate::error::Error;
use crate::http::answer::Plain;
use crate::http::auth::Caller;
use crate::http::json;
use crate::http::problem::{Fail, Problem};
use crate::http::upload::Upload;
use crate::http::view::import::{Import, ImportCheck, ImportPage};
use crate::import::archive::{Faults, Packed};
use crate::import::{Checked, store};

pub struct ImportApi {
    pub app: App,
}

/// What became of an archive that was sent.
pub enum Received {
    /// It will be applied.
    Accepted(Box<Import>),
    /// It was looked at, as asked.
    Looked(Box<ImportCheck>),
}

#[OpenApi(prefix_path = "/v1/account/imports", tag = "Area::Account")]
impl ImportApi {
    /// Take an archive back
    ///
    /// Takes what `createExport` gave, as JSON or as ZIP: at most 64 MiB as it is sent, 512 MiB unpacked. First
    /// all of it is checked. If anything is wrong, nothing is taken: 422 `invalid_archive` says what and where.
    /// Else 202, and it is applied in the background: `getImport` tells how far. What the account has already
    /// under the same key stays as it is, and what hangs on an entry or a list and is missing here is taken: of two
    /// libraries nothing is lost. Taken twice, an archive changes nothing. With `dry_run` it is checked only.
    /// One import of an account is applied at a time: 409; and one is received at a time: 429
    /// `too_many_transfers`. It may take ten minutes to arrive, and is cut off when less than 30 KiB come within
    /// 30 seconds. Few are received at once, by turns of the accounts: 503 says when to come back.
    #[oai(path = "/", method = "post", operation_id = "createImport")]
    async fn create(
        &self,
        caller: Caller,
        #[oai(name = "Idempotency-Key", validator(min_length = 1, max_length = 255, pattern = "^[!-~]+$"))]
        key: Header<Option<String>>,
        /// Whether to check the archive only.
        dry_run: Query<Option<bool>>,
        upload: Upload,
    ) -> Result<Received, Fail<TakeBack>> {
        let imports = &self.app.imports;
        let slot = imports.slot(caller.id()).await?;
        let mut reservation = imports.bytes.reserve(caller.id()).map_err(Problem::from)?;
        let packed = upload.read(self.app.config.uploads, &mut reservation).await?;
        let Checked { packed, counts, faults } = imports.check(packed).await?;
        if dry_run.0 == Some(true) {
            return Ok(Received::Looked(Box::new(ImportCheck::new(counts, faults))));
        }
        if !faults.is_empty() {
            return Err(refused(faults).into());
        }
        let request = key.0.as_deref().map(|key| idempotency::Request {
            key,
            operation: "createImport",
            digest: digest(&packed),
        });
        let (row, duplicate) =
            store::create(&self.app.db, caller.id(), &packed, counts, request.as_ref()).await?;
        drop((packed, reservation, slot));
        imports.wake();
        Ok(Received::Accepted(Box::new(Import::new(row, Some(duplicate)))))
    }

    /// List the imports
    ///
    /// Those of the last 30 days, oldest first.
    #[oai(path = "/", method = "get", operation_id = "listImports")]
    async fn list(
        &self,
        caller: Caller,
        /// Imports on a page; 50 without it.
        #[oai(name = "limit", validator(minimum(value = "1"), maximum(value = "200")))]
        page_limit: Query<Option<i32>>,
        /// `next_cursor` of the page before.
        #[oai(validator(max_length = 2000))]
        cursor: Query<Option<String>>,
    ) -> Result<Plain<ImportPage>, Fail<Common>> {
        let question = "imports";
        let after = self.app.cursors.decode(question, cursor.0.as_deref())?;
        let (rows, end) = store::list(&self.app.db, caller.id(), after, limit(page_limit.0)).await?;
        Ok(Plain(ImportPage {
            items: rows.into_iter().map(|row| Import::new(row, None)).collect(),
            next_cursor: end.map(|end| self.app.cursors.encode(question, &end)),
        }))
    }

    /// Show an import
    ///
    /// How far it has come, and what was taken and what was not.
    #[oai(path = "/:import_id", method = "get", operation_id = "getImport")]
    async fn get(&self, caller: Caller, import_id: Path<Uuid>) -> Result<Plain<Import>, Fail<Absent>> {
        let row = store::get(&self.app.db, caller.id(), import_id.0).await?;
        Ok(Plain(Import::new(row, None)))
    }
}

/// What tells one archive from another.
fn digest(packed: &Packed) -> [u8; 32] {
    // Of the parts' digests, so that they need not be put together.
    let parts: Vec<u8> = packed.parts().iter().flat_map(|part| idempotency::digest(part)).collect();
    idempotency::digest(&parts)
}

fn refused(faults: Faults) -> Problem {
    let code = if faults.unsupported_version { "unsupported_version" } else { "invalid_archive" };
    let (count, listed) = (faults.count, faults.listed.len());
    Problem::from(Error::Invalid { code, violations: faults.listed })
        .detail(format!("{count} things are wrong, the first {listed} are listed; nothing was taken"))
}

impl IntoResponse for Received {
    fn into_response(self) -> Response {
        match self {
            Self::Accepted(import) => json::response(StatusCode::ACCEPTED, json::bytes(&import)),
            Self::Looked(check) => json::response(StatusCode::OK, json::bytes(&check)),
        }
    }
}

impl ApiResponse for Received {
    fn meta() -> MetaResponses {
        let response = |status, description, schema| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content: vec![MetaMediaType { content_type: "application/json", schema }],
            headers: Vec::new(),
        };
        MetaResponses {
            responses: vec![
                response(200, "It was checked, and nothing was taken.", ImportCheck::schema_ref()),
                response(202, "It is right and will be applied.", Import::schema_ref()),
            ],
        }
    }

    fn register(registry: &mut Registry) {
        Import::register(registry);
        ImportCheck::register(registry);
    }
}
