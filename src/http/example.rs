//! The examples of the contract: one for each shape that an operation sends or answers, all about the
//! same few titles. Each must fit its schema, which a test holds; problems are made as the service
//! makes them.

use poem::http::StatusCode;
use serde_json::{Value, json};

use super::body::Unread;
use super::json;
use super::problem::Problem;
use crate::config::{Operator, Retention};
use crate::error::{Error, Violation};

pub const REQUEST_ID: &str = "0198c2f04e6b7a31b1a9c5d2e8f70641";

const LIST: &str = "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001";
const MOVIE: &str = "movie:tmdb:603";
pub const SERIES: &str = "tv:tmdb:1399";
const BEGUN: &str = "2026-08-14T18:03:27.512Z";
const CHANGED: &str = "2026-08-15T20:41:05.090Z";
const PUSH_TOKEN: &str = "740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad";
const CURSOR: &str = "3q2-7yIyMDI2LTA4LTE1Ig";

/// The example of a schema that operations send or answer.
pub fn of(schema: &str) -> Option<Value> {
    Some(match schema {
        "Account" => json!({
            "id": "5f2d8a90-4f3c-4b1e-9a57-1d6c0e8b2f43",
            "language": "de-DE",
            "time_zone": "Europe/Berlin",
            "progress_sets_status": true,
            "revision": 1,
            "created_at": BEGUN,
            "updated_at": BEGUN,
            "holdings": {
                "entries": 412, "reviews": 37, "comments": 90, "history_events": 431,
                "watched_episodes": 1893, "lists": 6, "list_items": 118, "devices": 2, "consents": 1,
                "exports": 0, "imports": 0,
            },
        }),
        "Device" => device(),
        "DevicePage" => page(device()),
        "DeviceWrite" => json!({
            "model": "iPhone17,1",
            "os_version": "26.1",
            "app_version": "3.2.0 (418)",
            "push": { "token": PUSH_TOKEN, "environment": "production" },
        }),
        "PolicyList" => json!({ "items": [policy()] }),
        "Consent" => consent(),
        "ConsentPage" => page(consent()),
        "ConsentWrite" => json!({ "version": "2", "decision": "accepted" }),
        "AnnouncementPage" => page(json!({
            "id": "2026-09-books",
            "title": "More books",
            "text": "Editions of a book are now shown together.",
            "published_at": "2026-09-01T00:00:00.000Z",
            "expires_at": "2026-10-01T00:00:00.000Z",
        })),
        "ChangePage" => json!({
            "changes": [
                { "revision": 12, "kind": "entry", "key": MOVIE, "deleted": false, "entry": entry() },
                { "revision": 17, "kind": "list", "key": LIST, "deleted": true },
            ],
            "cursor": "0pXRZ3vZ0kSmp0sF2iYk8XbFvY4AAAAAAAAAEQAAAAAAAAAJ",
            "has_more": false,
            "head": 17,
        }),
        "SyncHead" => json!({ "revision": 17 }),
        "DeletionReceipt" => json!({
            "id": "0f3c9c52-1b7e-4a39-8a0e-5d2f6b7c8d01",
            "state": "erased",
            "reason": "person",
            "asked_at": CHANGED,
            "erased_at": CHANGED,
            "clerk": "pending",
        }),
        "AccountPatch" => json!({ "language": null, "time_zone": "Europe/Berlin" }),
        "MediaItem" => movie(),
        "MediaBatch" => json!({
            "items": [movie()],
            "missing": [{ "id": "tv:tmdb:1", "reason": "unknown_to_source" }],
        }),
        "SearchAnswer" => json!({
            "items": [book()],
            "sources": [
                { "source": "tmdb", "state": "timed_out", "has_more": false },
                { "source": "google_books", "state": "ok", "has_more": true },
            ],
        }),
        "LookupAnswer" => json!({ "items": [book()] }),
        "DiscoverAnswer" => json!({
            "items": [movie()],
            "source": { "source": "tmdb", "state": "ok", "has_more": true },
        }),
        "LibraryEntry" => entry(),
        "LibraryEntryPage" => page(entry()),
        "LibraryEntryWrite" => json!({ "status": "completed", "rating": 90, "finished_on": "2026-08-15" }),
        "LibraryEntryPatch" => json!({ "rating": 95, "favorite": true, "started_on": null }),
        "Season" => season(),
        "WatchedEpisode" => episode(),
        "WatchedEpisodePage" => page(episode()),
        "WatchedEpisodeWrite" => json!({ "watched_on": "2026-08-15" }),
        "AiredEpisodesWrite" => json!({ "on": "2026-08-15" }),
        "SeasonEpisodesWrite" => json!({ "on": "2026-08-15", "first": 1, "last": 6, "watched_on": null }),
        "MutationBatchWrite" => json!({
            "cursor": CURSOR,
            "mutations": [{
                "id": "5b1c7e2a-0f4d-4c9b-8a37-2e6d90c1b401",
                "made_at": CHANGED,
                "kind": "entry",
                "key": MOVIE,
                "base_revision": 12,
                "set": { "rating": 95 },
                "clear": ["finished_on"],
            }],
        }),
        "MutationResults" => json!({
            "results": [{
                "id": "5b1c7e2a-0f4d-4c9b-8a37-2e6d90c1b401",
                "outcome": "applied",
                "duplicate": false,
                "revision": 18,
                "lost": [{ "field": "finished_on" }],
            }],
            "revision": 18,
        }),
        "Review" => json!({
            "media_id": MOVIE,
            "title": "Still holds up",
            "body": "The lobby scene alone is worth the evening.",
            "spoiler": false,
            "revision": 13,
            "created_at": CHANGED,
            "updated_at": CHANGED,
        }),
        "ReviewWrite" => json!({
            "title": "Still holds up",
            "body": "The lobby scene alone is worth the evening.",
        }),
        "Comment" => comment(),
        "CommentPage" => page(comment()),
        "CommentWrite" => json!({
            "body": "Half-way in and no idea where this is going.",
            "anchor": { "kind": "percent", "percent": 50 },
        }),
        "HistoryEvent" => event(),
        "HistoryEventPage" => page(event()),
        "HistoryEventWrite" => json!({ "finished_on": "2019-03-01", "precision": "month" }),
        "MediaList" => list(),
        "MediaListPage" => page(list()),
        "MediaListWrite" => {
            json!({ "name": "Rainy days", "description": "For when nobody wants to go out." })
        }
        "MediaListPatch" => json!({ "name": "Rainy evenings", "description": null }),
        "ExportWrite" => json!({ "format": "zip" }),
        "Export" => {
            let mut export = export();
            export["duplicate"] = json!(false);
            export
        }
        "ExportPage" => page(export()),
        "Import" => {
            let mut import = import();
            import["duplicate"] = json!(false);
            import
        }
        "ImportPage" => page(import()),
        "ImportCheck" => json!({
            "valid": false,
            "archive": import_counts(0, 0),
            "error_count": 1,
            "errors": [{ "pointer": "/library/0/rating", "message": "must be at most 100" }],
            "not_taken": crate::import::report::NOT_TAKEN,
        }),
        "Archive" => archive(),
        "ListItem" => item(),
        "ListItemPage" => page(item()),
        "ListItemWrite" => json!({ "note": "With the good headphones." }),
        "ListItemPatch" => json!({ "note": null }),
        _ => return None,
    })
}

/// The example of a problem with `status`.
pub fn problem(status: u16) -> Value {
    let at = |pointer: &str, message: &str| vec![Violation::new(pointer, message)];
    let problem = match status {
        400 => Problem::invalid_parameters(at("/query/limit", "must be at most 200")),
        401 => Problem::unauthorized(),
        403 => Error::DeletionPending { due_at: 1_788_000_000_000 }.into(),
        404 => Problem::not_found(),
        408 => Unread::TooSlow.into(),
        409 => Error::LimitReached { what: "lists", limit: 1000 }.into(),
        410 => Error::Deleted.into(),
        412 => Problem { current: Some(entry()), ..Error::RevisionConflict.into() },
        413 => Unread::TooLarge { limit: json::BODY_LIMIT }.into(),
        415 => json::unsupported(),
        422 => json::invalid().errors(at("/rating", "must be at most 100")),
        429 => Problem::rate_limited(3),
        501 => Error::ClerkNotConfigured.into(),
        503 => Problem::busy(1),
        _ => Problem::internal(),
    };
    let body = Problem { status: StatusCode::from_u16(status).unwrap_or(problem.status), ..problem };
    serde_json::to_value(body.body(REQUEST_ID)).unwrap_or_default()
}

fn page(item: Value) -> Value {
    json!({ "items": [item], "next_cursor": CURSOR })
}

fn export() -> Value {
    json!({
        "id": "0198c2f0-4e6b-7a31-b1a9-c5d2e8f70642",
        "format": "zip",
        "created_at": CHANGED,
        "expires_at": "2026-08-15T20:56:05.090Z",
        "url": "/v1/exports/bm90IGFuIGFkZHJlc3MgdGhhdCBsZWFkcyBhbnl3aGVyZQ",
    })
}

fn import() -> Value {
    json!({
        "id": "0198c2f0-4e6b-7a31-b1a9-c5d2e8f70643",
        "state": "done",
        "report": {
            "archive": import_counts(1, 2),
            "taken": import_counts(1, 1),
            "left": import_counts(0, 1),
            "no_room": import_counts(0, 0),
            "rows": [{ "pointer": "/library/1", "reason": "exists" }],
            "not_taken": crate::import::report::NOT_TAKEN,
        },
        "created_at": BEGUN,
        "updated_at": CHANGED,
    })
}

fn import_counts(settings: i64, entries: i64) -> Value {
    json!({
        "settings": settings,
        "entries": entries,
        "reviews": 0,
        "comments": 0,
        "history_events": 0,
        "episodes": 0,
        "pending_episodes": 0,
        "lists": 0,
        "list_items": 0,
    })
}

/// An archive of somebody who has but one movie.
fn archive() -> Value {
    let facts = crate::export::facts(
        &Operator {
            controller: Some("Example Ltd.".into()),
            contact: Some("privacy@example.com".into()),
            policies: None,
        },
        &Retention { tombstone_days: 180, grace_days: 0, backup_days: 90, receipt_days: 365 },
    );
    json!({
        "format": crate::archive::FORMAT,
        "version": crate::archive::VERSION,
        "exported_at": CHANGED,
        "facts": facts,
        "profile": { "state": "ok", "first_name": "Ada", "email_addresses": ["ada@example.com"] },
        "account": {
            "id": "5f2d8a90-4f3c-4b1e-9a57-1d6c0e8b2f43",
            "time_zone": "Europe/Berlin",
            "progress_sets_status": true,
            "revision": 12,
            "created_at": BEGUN,
            "updated_at": BEGUN,
        },
        "devices": [],
        "consents": [],
        "library": [{
            "media_id": MOVIE,
            "title": "The Matrix",
            "release_date": "1999-03-31",
            "status": "completed",
            "status_set_by": "person",
            "rating": 90,
            "favorite": true,
            "finished_on": "2026-08-15",
            "added_at": BEGUN,
            "updated_at": CHANGED,
            "comments": [],
            "history": [],
            "episodes": [],
        }],
        "lists": [],
        "records": { "deleted": [], "mutations": [], "exports": [], "imports": [], "idempotency_keys": [] },
    })
}

fn movie() -> Value {
    json!({
        "id": MOVIE,
        "kind": "movie",
        "source": "tmdb",
        "title": "The Matrix",
        "release_date": "1999-03-31",
        "overview": "A programmer who doubts the world around him is shown that it is a simulation.",
        "genres": ["Action", "Science Fiction"],
        "cover": cover("tmdb", "aOIuZAjPaRIE6CMzbazvcHuHXDc.jpg"),
        "creators": [
            { "name": "Lana Wachowski", "role": "director" },
            { "name": "Keanu Reeves", "role": "actor", "character": "Neo" },
            { "name": "Village Roadshow Pictures", "role": "studio" },
        ],
        "runtime_minutes": 136,
        "platforms": [],
        "external_ids": { "imdb_id": "tt0133093" },
        "attribution": tmdb(),
        "entry": { "status": "completed", "rating": 90, "favorite": true },
    })
}

fn tmdb() -> Value {
    json!({
        "text": "This product uses TMDB and the TMDB APIs but is not endorsed, certified, or otherwise approved by TMDB.",
        "logo": "tmdb",
    })
}

fn book() -> Value {
    json!({
        "id": "book:google_books:B1hSG45JCX4C",
        "kind": "book",
        "source": "google_books",
        "title": "Dune",
        "release_date": "1990-09-01",
        "genres": [],
        "cover": cover("google_books", "B1hSG45JCX4C"),
        "creators": [{ "name": "Frank Herbert", "role": "author" }],
        "page_count": 535,
        "platforms": [],
        "external_ids": {},
        "attribution": { "text": "Powered by Google", "logo": "google_books" },
    })
}

fn entry() -> Value {
    json!({
        "media_id": MOVIE,
        "kind": "movie",
        "status": "completed",
        "status_set_by": "person",
        "rating": 90,
        "favorite": true,
        "progress": { "unit": "minutes", "current": 136, "total": 136 },
        "started_on": "2026-08-14",
        "finished_on": "2026-08-15",
        "revision": 12,
        "added_at": BEGUN,
        "updated_at": CHANGED,
        "media_state": "known",
        "media": summary(),
    })
}

fn summary() -> Value {
    json!({
        "title": "The Matrix",
        "cover": cover("tmdb", "aOIuZAjPaRIE6CMzbazvcHuHXDc.jpg"),
        "release_date": "1999-03-31",
        "runtime_minutes": 136,
    })
}

fn cover(source: &str, image: &str) -> Value {
    json!({
        "small": format!("/v1/images/{source}/small/{image}/oC9qCWLZ0h4JNQ1jWZkPyA"),
        "medium": format!("/v1/images/{source}/medium/{image}/3kyX4Xb0cTz1vQ2c1xv4Yg"),
        "large": format!("/v1/images/{source}/large/{image}/5n0r5GQm3c6mJ0Yw8sZb9A"),
        "thumbhash": "1QcSHQRnh493V4dIh4eXh1h4kJUI",
    })
}

fn season() -> Value {
    json!({
        "media_id": SERIES,
        "number": 1,
        "title": "Season 1",
        "air_date": "2011-04-17",
        "episodes": [{
            "number": 1,
            "title": "Winter Is Coming",
            "overview": "A lord in the north is asked to serve his king in the south.",
            "air_date": "2011-04-17",
            "runtime_minutes": 61,
            "watched": true,
            "watched_on": "2026-08-15",
        }],
        "attribution": tmdb(),
    })
}

fn episode() -> Value {
    json!({
        "media_id": SERIES,
        "season": 1,
        "episode": 1,
        "watched_on": "2026-08-15",
        "revision": 17,
        "created_at": CHANGED,
        "updated_at": CHANGED,
    })
}

fn comment() -> Value {
    json!({
        "id": "0b9a6b0e-5d5e-4c0b-8a3c-6d1f0f2a7c01",
        "media_id": MOVIE,
        "body": "Half-way in and no idea where this is going.",
        "anchor": { "kind": "percent", "percent": 50 },
        "revision": 11,
        "created_at": BEGUN,
        "updated_at": BEGUN,
    })
}

fn event() -> Value {
    json!({
        "id": "4c4a3f0e-2b57-4f0c-9d53-8e0b1c6f2d01",
        "media_id": MOVIE,
        "finished_on": "2019-03-01",
        "precision": "month",
        "revision": 14,
        "created_at": CHANGED,
        "updated_at": CHANGED,
    })
}

fn device() -> Value {
    json!({
        "id": "c2a6e0f4-3b0d-4a7e-8f55-91d7a3b60c01",
        "model": "iPhone17,1",
        "os_version": "26.1",
        "app_version": "3.2.0 (418)",
        "push": { "token": PUSH_TOKEN, "environment": "production" },
        "revision": 18,
        "created_at": BEGUN,
        "updated_at": CHANGED,
    })
}

fn policy() -> Value {
    json!({
        "name": "privacy",
        "current": {
            "version": "2",
            "title": "Privacy policy",
            "text": "# Privacy policy\n\nWhat we keep, and for how long.",
            "first_served_at": BEGUN,
            "takes_effect_at": "2026-09-01T00:00:00.000Z",
        },
        "decision": consent(),
    })
}

fn consent() -> Value {
    json!({
        "policy": "privacy",
        "version": "2",
        "decision": "accepted",
        "revision": 19,
        "decided_at": CHANGED,
    })
}

fn list() -> Value {
    json!({
        "id": LIST,
        "name": "Rainy days",
        "description": "For when nobody wants to go out.",
        "item_count": 1,
        "revision": 15,
        "created_at": CHANGED,
        "updated_at": CHANGED,
    })
}

fn item() -> Value {
    json!({
        "media_id": MOVIE,
        "list_id": LIST,
        "note": "With the good headphones.",
        "revision": 16,
        "added_at": CHANGED,
        "updated_at": CHANGED,
        "media_state": "known",
        "media": summary(),
    })
}
