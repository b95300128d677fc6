//! The account: its settings, and its end.

use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Query};

use super::{Area, Common, Settings, refused};
use crate::account;
use crate::app::App;
use crate::error::Error;
use crate::http::answer::{Accepted, Changed, Found};
use crate::http::auth::Caller;
use crate::http::etag::expected;
use crate::http::json::Json;
use crate::http::problem::Fail;
use crate::http::view::account::{Account, AccountPatch};
use crate::http::view::receipt::Receipt;

pub struct AccountApi {
    pub app: App,
}

#[OpenApi(prefix_path = "/v1/account", tag = "Area::Account")]
impl AccountApi {
    /// Show the account
    ///
    /// The account's settings.
    #[oai(path = "/", method = "get", operation_id = "getAccount")]
    async fn get(
        &self,
        caller: Caller,
        #[oai(name = "If-None-Match")] if_none_match: Header<Option<String>>,
    ) -> Result<Found<Account>, Fail<Common>> {
        let revision = caller.account.settings_revision;
        Ok(Found::new(caller.account.into(), revision, if_none_match.0))
    }

    /// Change settings
    ///
    /// What is absent stays as it is.
    #[oai(path = "/", method = "patch", operation_id = "updateAccount")]
    async fn update(
        &self,
        caller: Caller,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
        body: Json<AccountPatch>,
    ) -> Result<Changed<Account>, Fail<Settings>> {
        let expected = expected(if_match.0.as_deref())?;
        match account::update(&self.app.db, caller.id(), &expected, body.0.into()).await {
            Ok(account) => {
                if account.language != caller.account.language {
                    let language = account::language(&account);
                    self.app.wanted.add_library(&self.app.db, caller.id(), language).await;
                }
                let revision = account.settings_revision;
                Ok(Changed { view: account.into(), revision })
            }
            Err(error) => Err(refused(error, async { Ok(Account::from(caller.account)) }).await),
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
        if caller.session.impersonated {
            return Err(Error::Impersonated.into());
        }
        Ok(Accepted(self.app.erase(caller.session.user_id, now.0.unwrap_or(false)).await?.into()))
    }
}
