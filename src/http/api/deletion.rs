//! What follows when somebody asks for the end of their account (`account`): it can be taken back while
//! days of grace last, and the receipt is shown to whoever has its number.

use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use super::{Absent, Area, Common};
use crate::app::App;
use crate::erasure;
use crate::http::answer::Plain;
use crate::http::auth::Caller;
use crate::http::problem::Fail;
use crate::http::view::account::Account;
use crate::http::view::receipt::Receipt;

pub struct DeletionApi {
    pub app: App,
}

#[OpenApi(prefix_path = "/v1", tag = "Area::Account")]
impl DeletionApi {
    /// Take the deletion back
    ///
    /// While the days of grace last. Where no deletion was asked for, nothing happens.
    #[oai(path = "/account/restore", method = "post", operation_id = "restoreAccount")]
    async fn restore(&self, caller: Caller) -> Result<Plain<Account>, Fail<Common>> {
        Ok(Plain(erasure::restore(&self.app.db, caller.id()).await?.into()))
    }

    /// Show the receipt of a deletion
    ///
    /// Needs no token: the account that had one is gone.
    #[oai(path = "/deletions/:receipt_id", method = "get", operation_id = "getDeletion")]
    async fn receipt(&self, receipt_id: Path<Uuid>) -> Result<Plain<Receipt>, Fail<Absent>> {
        Ok(Plain(erasure::receipt::find(&self.app.db, receipt_id.0).await?.into()))
    }
}
