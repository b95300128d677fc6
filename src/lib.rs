//! OmniTrack: the backend of a personal media tracker.
//!
//! # The life of a request
//!
//! [`server`] accepts the connection and bounds it (TLS, header time-out, number of connections).
//! `http::edge` gives the request its id, finds the operation, applies the rate limit, verifies the
//! Clerk token ([`clerk`]), checks the parameters against the contract, and turns every failure into
//! a problem document. `http::api::<noun>` parses, makes one call into the domain ([`account`],
//! [`library`], [`list`], [`policy`], [`sync`], [`export`], [`erasure`]) and renders a view. The domain holds
//! the rules and the queries; every write to a person's rows goes through `db::Db::change`. [`catalog`]
//! looks titles up anonymously: it can import nothing that knows an account.
pub mod account;
pub mod admission;
pub mod app;
pub mod archive;
pub mod catalog;
pub mod clerk;
pub mod clock;
pub mod config;
pub mod db;
pub mod demo;
pub mod erasure;
pub mod error;
pub mod expected;
pub mod export;
pub mod fair_queue;
pub mod http;
pub mod import;
pub mod job;
pub mod library;
pub mod list;
pub mod media;
pub mod network;
pub mod operator;
pub mod policy;
mod private_file;
pub mod schema;
pub mod secret;
pub mod serve;
pub mod server;
pub mod sync;
pub mod telemetry;
