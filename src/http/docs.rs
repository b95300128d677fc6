//! `/docs`: the contract as a page on which calls can be made. Everything it needs is inside it, and
//! its policy lets it reach nothing but this service.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poem::web::Data;
use poem::{Response, handler};
use poem_openapi::{OpenApi, OpenApiService};

use super::contract::Contract;

/// The page, put together when it is first asked for: it is large and rarely seen.
#[derive(Clone)]
pub struct Docs(Arc<Inner>);

struct Inner {
    make: Box<dyn Fn() -> Page + Send + Sync>,
    page: OnceLock<Page>,
}

struct Page {
    html: String,
    policy: String,
}

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
    let html = html.replace(generated, &finished).replace("<title>Swagger UI", "<title>OmniTrack API");
    let hashes: Vec<String> = scripts(&html).map(|script| format!("'sha256-{}'", hash(script))).collect();
    let policy = format!(
        "default-src 'none'; script-src {}; style-src 'unsafe-inline'; img-src 'self' data:; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hashes.join(" ")
    );
    Page { html, policy }
}

/// The texts of the page's scripts, which the policy allows by their hashes.
fn scripts(html: &str) -> impl Iterator<Item = &str> {
    html.split("<script").skip(1).filter_map(|rest| {
        let (_, body) = rest.split_once('>')?;
        body.split_once("</script>").map(|(script, _)| script)
    })
}

fn hash(script: &str) -> String {
    STANDARD.encode(digest::digest(&digest::SHA256, script.as_bytes()))
}

#[handler]
pub fn show(docs: Data<&Docs>) -> Response {
    let inner = &docs.0.0;
    let page = inner.page.get_or_init(|| (inner.make)());
    Response::builder()
        .content_type("text/html; charset=utf-8")
        .header("content-security-policy", &page.policy)
        .body(page.html.clone())
}
