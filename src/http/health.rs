//! Health for load balancers: whether the process is alive, and whether it can serve requests. Each
//! condition of readiness has a fixed text, which names the part that is not ready and nothing of a
//! client, a person or an address.

use poem::http::{StatusCode, header};
use poem::web::Data;
use poem::{IntoResponse, Response, handler};

use super::problem::{Problem, Raised};
use crate::app::App;
use crate::db;

/// Answers as long as the process can.
#[handler]
pub fn healthz() -> Response {
    plain("ok\n")
}

/// Answers 200 when every part that a request needs is ready, otherwise 503 with the part in `detail`.
#[handler]
pub async fn readyz(app: Data<&App>) -> poem::Result<Response> {
    match not_ready(app.0).await {
        None => Ok(plain("ready\n")),
        Some(reason) => {
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", "Not ready")
                .detail(reason)
                .header(header::RETRY_AFTER, "1");
            Err(Raised(Box::new(problem)).into())
        }
    }
}

/// Returns the first part that is not ready.
async fn not_ready(app: &App) -> Option<&'static str> {
    match app.db.is_migrated().await {
        Ok(true) => {}
        Ok(false) => return Some("database schema not up to date"),
        Err(_) => return Some("database not available"),
    }
    match app.db.writable().await {
        Ok(()) => {}
        Err(error) if db::is_storage_full(&error) => return Some("storage full"),
        Err(_) => return Some("database not writable"),
    }
    if !app.clerk.ready() {
        return Some("clerk keys not fetched");
    }
    None
}

fn plain(body: &'static str) -> Response {
    Response::builder().content_type("text/plain; charset=utf-8").body(body).into_response()
}
