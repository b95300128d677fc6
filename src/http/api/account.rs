//! The account: its settings, and its end.

use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Query};

use super::{Area, Common, Settings, refused};
use crate::account::{self, holdings, profile};
use crate::app::App;
use crate::error::Result as Outcome;
use crate::http::answer::{Accepted, Changed, Found, MaybeKept};
use crate::http::auth::Caller;
use crate::http::etag::expected;
use crate::http::json::Json;
use crate::http::problem::Fail;
use crate::http::view::account::{Account, AccountPart, AccountPatch};
use crate::http::view::receipt::Receipt;

pub struct AccountApi {
    pub app: App,
}

#[OpenApi(prefix_path = "/v1/account", tag = "Area::Account")]
impl AccountApi {
    /// Show the account
    ///
    /// The account's settings, how much is held about the person, and where it is asked for the person's profile, which is read from Clerk then and there. It is kept nowhere: such an answer has no `ETag` and is not to be kept by the phone either. Where Clerk does not answer, the profile says so and the rest is as ever.
    #[oai(path = "/", method = "get", operation_id = "getAccount")]
    async fn get(
        &self,
        caller: Caller,
        #[oai(name = "If-None-Match")] if_none_match: Header<Option<String>>,
        /// What to show besides.
        #[oai(explode = false, default)]
        include: Query<Vec<AccountPart>>,
    ) -> Result<MaybeKept<Account>, Fail<Common>> {
        let revision = caller.account.settings_revision;
        if !include.0.contains(&AccountPart::Profile) {
            let view = self.view(caller.account).await?;
            return Ok(MaybeKept::Found(Found::new(view, revision, if_none_match.0)));
        }
        let shown = profile::show(&self.app.users, &caller.session).await;
        let view = Account { profile: Some(shown.into()), ..self.view(caller.account).await? };
        Ok(MaybeKept::NotKept(view))
    }

    /// Change settings and names
    ///
    /// What is absent stays as it is. Names are corrected in Clerk, where they stay, once everything else is found right; where Clerk does not answer nothing is changed. Nobody may change them in the person's name.
    #[oai(path = "/", method = "patch", operation_id = "updateAccount")]
    async fn update(
        &self,
        caller: Caller,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
        body: Json<AccountPatch>,
    ) -> Result<Changed<Account>, Fail<Settings>> {
        let expected = expected(if_match.0.as_deref())?;
        let (patch, names) = body.0.domain();
        let App { db, users, .. } = &self.app;
        let who = (&caller.account, &caller.session);
        match profile::update(db, users, who, &expected, patch, names).await {
            Ok(account) => {
                if account.language != caller.account.language {
                    let language = account::language(&account);
                    self.app.wanted.add_library(db, caller.id(), language).await;
                }
                let revision = account.settings_revision;
                Ok(Changed { view: self.view(account).await?, revision })
            }
            Err(error) => Err(refused(error, self.view(caller.account)).await),
        }
    }

    /// Delete the account
    ///
    /// Everything of the person's is erased here at once and at Clerk as soon as it answers; from then on
    /// every token of theirs is refused with `account_erased`, and nothing brings the account back. Where
    /// the operator grants days of grace, it happens at `due_at` unless it is taken back (`restoreAccount`),
    /// or at once with `now=true`. An answer that got lost is given again: repeat the call.
    #[oai(path = "/", method = "delete", operation_id = "deleteAccount")]
    async fn delete(
        &self,
        caller: Caller,
        /// Do not wait for the end of the days of grace.
        now: Query<Option<bool>>,
    ) -> Result<Accepted<Receipt>, Fail<Common>> {
        Ok(Accepted(self.app.erase(caller.session.user_id, now.0.unwrap_or(false)).await?.into()))
    }
}

impl AccountApi {
    async fn view(&self, account: entity::account::Model) -> Outcome<Account> {
        let held = holdings::count(&self.app.db, account.id).await?;
        Ok(Account::with(account, held))
    }
}
