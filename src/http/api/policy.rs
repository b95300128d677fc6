//! Policies, what the account decided about them, and announcements.

use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path, Query};

use super::{Area, Common, PutBelow, limit, refused};
use crate::app::App;
use crate::clock;
use crate::error::Error;
use crate::http::answer::{Plain, Written};
use crate::http::auth::Caller;
use crate::http::etag::expected;
use crate::http::json::Json;
use crate::http::problem::Fail;
use crate::http::view::policy::{
    Announcement, AnnouncementPage, Consent, ConsentPage, ConsentWrite, Policy, PolicyList,
};
use crate::policy::{self, consent};

pub struct PolicyApi {
    pub app: App,
}

#[OpenApi(prefix_path = "/v1", tag = "Area::Policies")]
impl PolicyApi {
    /// List policies
    ///
    /// Each with the version that holds, the one that is announced, and what the account decided last. A version takes effect no sooner than 14 days after it was first shown here; only the very first of a policy may take effect at once.
    #[oai(path = "/policies", method = "get", operation_id = "listPolicies")]
    async fn list(&self, caller: Caller) -> Result<Plain<PolicyList>, Fail<Common>> {
        let set = self.app.policies.set();
        let stands = policy::serve(&self.app.db, &set, clock::now()).await?;
        let mut decisions = consent::latest(&self.app.db, caller.id()).await?;
        let policies = set.policies.iter().zip(stands);
        let view = policies.map(|(policy, stand)| Policy::new(policy, stand, decisions.remove(&policy.name)));
        Ok(Plain(PolicyList { items: view.collect() }))
    }

    /// List announcements
    ///
    /// News for everybody, newest first, as long as they are up to date.
    #[oai(path = "/announcements", method = "get", operation_id = "listAnnouncements")]
    async fn announcements(
        &self,
        _caller: Caller,
        /// Rows on a page; 50 without it.
        #[oai(name = "limit", validator(minimum(value = "1"), maximum(value = "200")))]
        page_limit: Query<Option<i32>>,
        /// `next_cursor` of the page before.
        #[oai(validator(max_length = 2000))]
        cursor: Query<Option<String>>,
    ) -> Result<Plain<AnnouncementPage>, Fail<Common>> {
        let after = self.app.cursors.decode("announcements", cursor.0.as_deref())?;
        let set = self.app.policies.set();
        let limit = usize::try_from(limit(page_limit.0)).unwrap_or(usize::MAX);
        let (shown, end) = policy::announcements(&set, clock::now(), after.as_ref(), limit);
        Ok(Plain(AnnouncementPage {
            items: shown.into_iter().map(Announcement::from).collect(),
            next_cursor: end.map(|end| self.app.cursors.encode("announcements", &end)),
        }))
    }

    /// List decisions
    ///
    /// Every decision that the account made about policies, newest first.
    #[oai(path = "/account/consents", method = "get", operation_id = "listConsents")]
    async fn consents(
        &self,
        caller: Caller,
        /// Rows on a page; 50 without it.
        #[oai(name = "limit", validator(minimum(value = "1"), maximum(value = "200")))]
        page_limit: Query<Option<i32>>,
        /// `next_cursor` of the page before.
        #[oai(validator(max_length = 2000))]
        cursor: Query<Option<String>>,
    ) -> Result<Plain<ConsentPage>, Fail<Common>> {
        let after = self.app.cursors.decode("consents", cursor.0.as_deref())?;
        let (rows, end) = consent::list(&self.app.db, caller.id(), after, limit(page_limit.0)).await?;
        Ok(Plain(ConsentPage {
            items: rows.into_iter().map(Consent::from).collect(),
            next_cursor: end.map(|end| self.app.cursors.encode("consents", &end)),
        }))
    }

    /// Accept or withdraw
    ///
    /// Records what the person says of a version of a policy that was shown. Each decision is kept with its time, and the latest holds; to repeat it changes nothing. `If-Match` compares the revision of the latest decision about this policy.
    #[oai(path = "/account/consents/:policy", method = "put", operation_id = "putConsent")]
    async fn decide(
        &self,
        caller: Caller,
        #[oai(validator(max_length = 40, pattern = "^[A-Za-z0-9_-][A-Za-z0-9_.-]*$"))] policy: Path<String>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
        body: Json<ConsentWrite>,
    ) -> Result<Written<Consent>, Fail<PutBelow>> {
        let expected = expected(if_match.0.as_deref())?;
        let name = &policy.0;
        let is_known = self.app.policies.set().policies.iter().any(|policy| policy.name == *name);
        let decision = (body.0.version, body.0.decision.into());
        match consent::decide(&self.app.db, caller.id(), name, is_known, &expected, decision).await {
            Ok((row, created)) => {
                let revision = row.revision;
                Ok(Written { view: row.into(), revision, created })
            }
            Err(error) => Err(refused(error, self.current(&caller, name)).await),
        }
    }
}

impl PolicyApi {
    async fn current(&self, caller: &Caller, policy: &str) -> Result<Consent, Error> {
        let mut decisions = consent::latest(&self.app.db, caller.id()).await?;
        decisions.remove(policy).map(Consent::from).ok_or(Error::NotFound)
    }
}
