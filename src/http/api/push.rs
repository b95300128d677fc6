//! What devices send after they were offline.

use poem_openapi::OpenApi;

use super::{Area, Push};
use crate::account::Locale;
use crate::app::App;
use crate::http::answer::Plain;
use crate::http::auth::Caller;
use crate::http::json::Json;
use crate::http::problem::Fail;
use crate::http::view::push::{MutationBatch, MutationResult, MutationResults};
use crate::sync;

/// The bound on a batch, in bytes.
const BATCH_LIMIT: usize = 4 * 1024 * 1024;

pub struct PushApi {
    pub app: App,
}

#[OpenApi(prefix_path = "/v1", tag = "Area::Sync")]
impl PushApi {
    /// Send changes
    ///
    /// Up to 500 mutations in the order in which the device made them, 4 MiB in all. Each is judged on its
    /// own: fields that nobody else has touched since `base_revision` are written; where somebody has, the
    /// later `made_at` wins and the fields that lose are named. To delete what somebody else has changed
    /// since, or to write to what is gone, is a conflict. Sent again, a mutation does nothing and is answered
    /// as it was the first time.
    #[oai(path = "/sync", method = "post", operation_id = "pushChanges")]
    async fn push(
        &self,
        caller: Caller,
        body: Json<MutationBatch, BATCH_LIMIT>,
    ) -> Result<Plain<MutationResults>, Fail<Push>> {
        let MutationBatch { cursor, mutations, all_or_nothing } = body.0;
        let _ = cursor;
        let mutations = MutationBatch::domain(mutations)?;
        let locale = Locale::of(&caller.account, None);
        let pushed = sync::push(&self.app.db, caller.id(), locale, &mutations, all_or_nothing).await?;
        for title in &pushed.wanted {
            self.app.wanted.add(&self.app.db, title, locale.language).await;
        }
        Ok(Plain(MutationResults {
            results: pushed.judged.into_iter().map(MutationResult::from).collect(),
            revision: pushed.revision,
        }))
    }
}
