//! The API as a client sees it: one binary, in process, on both database engines. Every answer is
//! held to the published contract (`support::conform`), whatever else a test looks at.
//!
//! PostgreSQL is a throw-away cluster that is started when its server binaries are found; without them
//! those tests say `skipped` and pass, unless `OMNITRACK_TEST_POSTGRES=required`.

#![allow(clippy::unwrap_used, clippy::expect_used)] // how a test fails

mod account;
mod acknowledged;
mod anonymity;
mod architecture;
mod archive;
mod bodies;
mod contract;
mod convex;
mod cover;
mod coverage;
mod deletion;
mod deletion_crash;
mod deletion_marks;
mod deletion_raw;
mod device;
mod discover;
mod episode;
mod errors;
mod export;
mod fair_share;
mod fair_share_of_writes;
mod fault;
mod first_steps;
mod frugal;
mod import;
mod import_refused;
mod importers;
mod library;
mod limits;
mod list;
mod lookup;
mod media;
mod note;
mod outage;
mod overload;
mod policy;
mod privacy;
mod process;
mod push;
mod refresh;
mod round_trip;
mod storage;
mod support;
mod sync_events;
mod sync_feed;
mod sync_model;
mod sync_plan;
mod title;
mod webhook;
