//! `/docs`: the contract as a page on which calls can be made. Everything it needs is inside it, and
//! its policy lets it reach nothing but this service.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poem::http::{HeaderValue, header};
use poem::web::Data;
use poem::{Request, Response, handler};
use poem_openapi::{OpenApi, OpenApiService};

use super::asset::Asset;
use super::contract::Contract;
use super::spec;

/// The page, put together when it is first asked for: it is large and rarely seen.
#[derive(Clone)]
pub struct Docs(Arc<Inner>);

struct Inner {
    make: Box<dyn Fn() -> Page + Send + Sync>,
    page: OnceLock<Page>,
}

struct Page {
    html: Asset,
    policy: Option<HeaderValue>,
}

/// The contract as YAML, made when it is first asked for.
#[derive(Clone, Default)]
pub struct OpenApiFile(Arc<OnceLock<Asset>>);

impl Docs {
    pub fn new<T>(service: Arc<OpenApiService<T, ()>>, contract: Arc<Contract>) -> Self
    where
        T: OpenApi + Send + Sync + 'static,
    {
        let make = move || page(&service.swagger_ui_html(), &service.spec(), &contract);
        Self(Arc::new(Inner { make: Box::new(make), page: OnceLock::new() }))
    }
}

/// The generated page shows the generated document; ours is the finished one.
fn page(html: &str, generated: &str, contract: &Contract) -> Page {
    // A `</script>` inside the document would end the script that holds it.
    let finished = contract.schemas().document().to_string().replace("</", "<\\/");
    let html = html
        .replace(generated, &finished)
        .replace("<title>Swagger UI", "<link rel=\"icon\" href=\"data:,\"><title>OmniTrack API")
        .replace("<html charset=\"UTF-8\">", "<!doctype html><html lang=\"en\">");
    let hashes: Vec<String> = scripts(&html).map(|script| format!("'sha256-{}'", hash(script))).collect();
    let policy = format!(
        "default-src 'none'; script-src {}; style-src 'unsafe-inline'; img-src 'self' data:; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hashes.join(" ")
    );
    let policy = HeaderValue::try_from(policy).ok();
    Page { html: Asset::new("text/html; charset=utf-8", html), policy }
}

/// The texts of the page's scripts, which the policy allows by their hashes.
fn scripts(mut html: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        // A script goes on to its end tag, whatever else stands in it.
        let (_, tag) = html.split_once("<script")?;
        let (script, rest) = tag.split_once('>')?.1.split_once("</script>")?;
        html = rest;
        Some(script)
    })
}

fn hash(script: &str) -> String {
    STANDARD.encode(digest::digest(&digest::SHA256, script.as_bytes()))
}

#[handler]
pub fn show(request: &Request, docs: Data<&Docs>) -> Response {
    let inner = &docs.0.0;
    let page = inner.page.get_or_init(|| (inner.make)());
    let mut response = page.html.respond(request);
    if let Some(policy) = &page.policy {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy.clone());
    }
    response
}

/// The contract.
#[handler]
pub fn openapi(request: &Request, file: Data<&OpenApiFile>, contract: Data<&Arc<Contract>>) -> Response {
    let make = || Asset::new("application/yaml", spec::to_yaml(contract.schemas().document()));
    file.0.0.get_or_init(make).respond(request)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_script_may_speak_of_scripts() {
        let html = r#"<script src="x">one("<script>")</script><p><script>two</script>"#;
        assert_eq!(super::scripts(html).collect::<Vec<_>>(), [r#"one("<script>")"#, "two"]);
    }
}
