//! The web layer: all routes on this page. It turns requests into calls of the domain and answers
//! into views; poem is known here and in `server` only.

mod access_log;
pub mod answer;
pub mod api;
mod archive_schema;
mod asset;
pub mod auth;
mod body;
mod client_address;
pub mod contract;
mod current;
pub mod docs;
pub mod download;
pub mod edge;
pub mod etag;
mod example;
mod health;
mod impersonation;
pub mod json;
pub mod limit;
pub mod page;
pub mod pages;
pub mod problem;
pub mod spec;
pub mod sse;
pub mod text;
pub mod upload;
pub mod view;
mod webhook;
mod yaml;

use std::sync::Arc;

use poem::http::Method;
use poem::{EndpointExt, Route, get, post};
use poem_openapi::OpenApiService;
use serde_json::Value;

use self::api::account::AccountApi;
use self::api::comment::CommentApi;
use self::api::deletion::DeletionApi;
use self::api::device::DeviceApi;
use self::api::discover::DiscoverApi;
use self::api::entry::EntryApi;
use self::api::episode::{EpisodeApi, SeasonApi};
use self::api::export::ExportApi;
use self::api::history::HistoryApi;
use self::api::image::ImageApi;
use self::api::import::ImportApi;
use self::api::list::ListApi;
use self::api::list_item::ListItemApi;
use self::api::media::MediaApi;
use self::api::policy::PolicyApi;
use self::api::review::ReviewApi;
use self::api::sync::SyncApi;
use self::contract::Contract;
use self::docs::{Docs, OpenApiFile};
use self::edge::Edge;
use crate::app::App;

const DESCRIPTION: &str = "The backend of a personal media tracker: movies, TV, video games and books \
in one library that belongs to one person. Times are RFC 3339 in UTC, dates are the person's own \
calendar days. Errors are problem documents (RFC 9457): switch on `code`. Enums may grow in answers. \
Every write may be repeated; `If-Match` keeps one device from undoing another's change. In a patch what is \
absent stays and null clears (a generated Swift client sends null unless told `.encodeNothing`).";

type Apis = (
    MediaApi,
    DiscoverApi,
    SeasonApi,
    ImageApi,
    EntryApi,
    EpisodeApi,
    ReviewApi,
    CommentApi,
    HistoryApi,
    ListApi,
    ListItemApi,
    Personal,
    SyncApi,
);

/// A tuple holds sixteen at most.
type Personal = (AccountApi, DeviceApi, PolicyApi, ExportApi, ImportApi, DeletionApi);

fn service(app: &App) -> OpenApiService<Apis, ()> {
    let app = || app.clone();
    let apis = (
        MediaApi { app: app() },
        DiscoverApi { app: app() },
        SeasonApi { app: app() },
        ImageApi { app: app() },
        EntryApi { app: app() },
        EpisodeApi { app: app() },
        ReviewApi { app: app() },
        CommentApi { app: app() },
        HistoryApi { app: app() },
        ListApi { app: app() },
        ListItemApi { app: app() },
        (
            AccountApi { app: app() },
            DeviceApi { app: app() },
            PolicyApi { app: app() },
            ExportApi { app: app() },
            ImportApi { app: app() },
            DeletionApi { app: app() },
        ),
        SyncApi { app: app() },
    );
    OpenApiService::new(apis, "OmniTrack", env!("CARGO_PKG_VERSION")).description(DESCRIPTION).server("/")
}

/// The contract that `app` serves.
pub fn document(app: &App) -> Value {
    spec::finish(&service(app).spec())
}

/// What is outside the contract: pages, and Clerk's door.
pub const PLAIN: [(&str, Method); 8] = [
    ("/healthz", Method::GET),
    ("/readyz", Method::GET),
    ("/metrics", Method::GET),
    ("/openapi.yaml", Method::GET),
    ("/docs", Method::GET),
    ("/privacy", Method::GET),
    ("/account-deletion", Method::GET),
    ("/webhooks/clerk", Method::POST),
];

/// The whole service, ready to be put behind a listener: the routes behind its edge.
pub fn endpoint(app: &App) -> Edge<poem::endpoint::BoxEndpoint<'static>> {
    let service = Arc::new(service(app));
    let contract = Arc::new(Contract::new(spec::finish(&service.spec()), &PLAIN));
    let docs = Docs::new(service.clone(), contract.clone());
    let routes = Route::new()
        .at("/healthz", get(health::healthz))
        .at("/readyz", get(health::readyz))
        .at("/metrics", get(pages::metrics))
        .at("/openapi.yaml", get(docs::openapi))
        .at("/docs", get(docs::show))
        .at("/privacy", get(pages::privacy))
        .at("/account-deletion", get(pages::account_deletion))
        .at("/webhooks/clerk", post(webhook::clerk))
        .nest("/", self::service(app))
        .data(app.clone())
        .data(docs)
        .data(OpenApiFile::default())
        .data(contract.clone());
    Edge::new(routes.map_to_response().boxed(), app.clone(), contract)
}
