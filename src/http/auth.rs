//! Who asks. The edge verifies the token before anything else is looked at and leaves the caller with
//! the request; an operation that takes a [`Caller`] is thereby documented as needing a token.

use entity::account;
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use uuid::Uuid;

use super::limit::Charge;
use super::problem::{Problem, Raised};
use crate::clerk::Session;

const SCHEME: &str = "ClerkSession";

/// The account that a verified session token names.
#[derive(Debug, Clone)]
pub struct Caller {
    pub account: account::Model,
    pub session: Session,
}

impl Caller {
    pub fn id(&self) -> Uuid {
        self.account.id
    }
}

impl<'a> ApiExtractor<'a> for Caller {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        registry.create_security_scheme(
            SCHEME,
            MetaSecurityScheme {
                ty: "http",
                description: Some("A Clerk session token, as `session.getToken()` gives it."),
                name: None,
                key_in: None,
                scheme: Some("bearer"),
                bearer_format: Some("JWT"),
                flows: None,
                openid_connect_url: None,
            },
        );
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![SCHEME]
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        request
            .extensions()
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Raised(Box::new(Problem::unauthorized())).into())
    }
}

impl<'a> ApiExtractor<'a> for Charge {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::PoemExtractor];
    type ParamType = ();
    type ParamRawType = ();

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let charge = request.extensions().get::<Self>().cloned();
        charge.ok_or_else(|| Raised(Box::new(Problem::unauthorized())).into())
    }
}

/// The token of an `Authorization: Bearer` header (RFC 6750; the scheme's case does not matter).
pub fn bearer(request: &Request) -> Option<&str> {
    let mut headers = request.headers().get_all("authorization").iter();
    let (header, None) = (headers.next()?.to_str().ok()?, headers.next()) else { return None };
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
