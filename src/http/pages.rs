//! What is outside the contract: for operators (metrics; `health` has the probes) and for people (plain
//! pages that say what the code does).

use std::fmt::Write as _;

use poem::web::Data;
use poem::{IntoResponse, Request, Response, handler};

use super::auth::bearer;
use super::edge::FromLoopback;
use super::problem::{Problem, Raised};
use crate::app::App;
use crate::catalog::{Disclosure, SourceName};
use crate::erasure;
use crate::telemetry::Metrics;

/// Prometheus metrics: with the token where one is set, else to this machine alone.
#[handler]
pub fn metrics(
    request: &Request,
    app: Data<&App>,
    Data(FromLoopback(from_loopback)): Data<&FromLoopback>,
) -> poem::Result<Response> {
    let allowed = match &app.config.metrics_token {
        Some(token) => {
            let given = bearer(request).unwrap_or_default().as_bytes();
            // In constant time, so that the token cannot be guessed piece by piece.
            aws_lc_rs::constant_time::verify_slices_are_equal(given, token.expose().as_bytes()).is_ok()
        }
        None => *from_loopback,
    };
    if !allowed {
        return Err(Raised(Box::new(Problem::unauthorized())).into());
    }
    app.publish_source_metrics();
    Ok(text(Metrics::CONTENT_TYPE, app.metrics.encode()))
}

/// What is kept and what is sent to whom, in plain words.
#[handler]
pub fn privacy(app: Data<&App>) -> Response {
    html(
        "Privacy",
        &format!(
            "<p>{controller} runs this service. {contact}</p>\
             <h2>What is kept</h2>\
             <p>Your library (statuses, ratings, progress, dates), reviews, comments, history and lists, \
             your settings, what you accepted and withdrew, and of each device that registers its model, \
             its versions, the number it chose for itself and its push token. Your name and e-mail address stay \
             at Clerk, which signs you in: this service does not keep them, and knows you by a number \
             derived from your Clerk id.</p>\
             <p>In the app you can see all of it, correct it, take a copy of it along, and \
             <a href=\"/account-deletion\">delete it</a>.</p>\
             <h2>What is sent to whom</h2>\
             <p>When you search or open a title, this service asks the sources of its catalog, not your \
             phone. They see the service’s address and its own key. Of you they get what stands in the \
             right-hand column and nothing else: no account, no name, no address, no device. Two people \
             who ask the same cannot be told apart. A search that looks like an e-mail address, a \
             telephone number or a web address is refused.</p>\
             {disclosures}\
             <h2>Who else gets something</h2>\
             <p>Clerk signs you in: your app talks to it directly, and it keeps your name, your e-mail \
             address and how you sign in. This service fetches Clerk’s public keys and \
             learns from your app’s session token which account is yours. When you look at your profile in \
             the app, correct your name there or take a copy along, it asks Clerk for you, and keeps nothing \
             of the answer; when you delete your account, it has Clerk delete you. Twitch, which lets this \
             service into IGDB, gets the service’s own credentials and nothing of yours. Nobody else gets \
             anything.</p>\
             <h2>Logs</h2>\
             <p>A log line names the kind of request, its result and how long it took. It holds no name, \
             address, token, search text or review.</p>",
            controller =
                escape(app.config.operator.controller.as_deref().unwrap_or("The operator of this address")),
            contact = contact(app.0),
            disclosures = disclosures(),
        ),
    )
}

/// How an account is deleted, and what goes with it: the very list that the erasure works through.
#[handler]
pub fn account_deletion(app: Data<&App>) -> Response {
    let retention = app.config.retention;
    let when = match retention.grace_days {
        0 => "It takes effect at once and cannot be taken back.".to_owned(),
        days => format!(
            "It takes effect after {days} days. Until then you can take it back in the app, or ask there for \
             it to be done at once."
        ),
    };
    let tables: String =
        erasure::TABLES.iter().map(|table| format!("<li>{}</li>", escape(table.holds))).collect();
    let clerk = if app.users.is_configured() {
        "You are deleted at Clerk too, which signs you in and has your name and e-mail address. If Clerk does \
         not answer, it is asked again until it has confirmed."
    } else {
        "This service has no access to Clerk, which signs you in and has your name and e-mail address: the \
         operator deletes you there."
    };
    let files = if app.db.is_sqlite() {
        "The deleted bytes are overwritten in the database’s files within minutes; the receipt says when."
    } else {
        "The database overwrites the deleted bytes in its files in its own time, as it needs the room."
    };
    html(
        "Deleting your account",
        &format!(
            "<h2>How</h2>\
             <p>Open the app’s settings, choose your account, choose “Delete account”, and confirm. {when}</p>\
             <p>If you signed in with Apple, the app stays in the list of your Apple Account’s settings until \
             you remove it there, under “Sign in with Apple”. A subscription is ended in the App Store.</p>\
             <p>If you cannot get into the app any more, ask the operator. {contact}</p>\
             <h2>What is removed</h2><ul>{tables}<li>your settings</li></ul>\
             <p>{clerk}</p>\
             <h2>What stays, and for how long</h2>\
             <p>A mark that an account of this number was erased, so that nothing brings it back: it holds no \
             name and no address, and goes {backups} days after Clerk has confirmed. Backups of the \
             database are gone after that time; one that is put back has the erasure applied to it again. {files}</p>\
             <p>The receipt that you get holds times and nothing of yours. It can be looked up under its number, \
             without signing in, for {receipts} days: <code>/v1/deletions/…</code></p>\
             <h2>Deleting less</h2>\
             <p>In the app you can delete any entry, review, comment, history event and list of yours; what \
             is deleted leaves only its key and its number behind, for {tombstones} days, so that your other \
             devices hear of it.</p>",
            contact = contact(app.0),
            backups = retention.backup_days,
            receipts = retention.receipt_days,
            tombstones = retention.tombstone_days,
        ),
    )
}

/// All that can leave, as the catalog describes it, by source.
fn disclosures() -> String {
    let mut tables = String::new();
    for source in SourceName::ALL {
        let (name, knows) = match source {
            SourceName::Tmdb => ("TMDB", "movies and series"),
            SourceName::Igdb => ("IGDB", "games"),
            SourceName::GoogleBooks => ("Google Books", "books"),
        };
        let rows: String = Disclosure::ALL
            .iter()
            .filter(|disclosure| disclosure.source() == source)
            .map(|disclosure| {
                format!(
                    "<tr><td>{}</td><td>{}</td></tr>",
                    escape(disclosure.why()),
                    escape(disclosure.sent())
                )
            })
            .collect();
        let _ = write!(
            tables,
            "<table><caption>{name}, for {knows}</caption>\
             <thead><tr><th scope=\"col\">Why it is asked</th><th scope=\"col\">What it is told</th></tr></thead>\
             <tbody>{rows}</tbody></table>"
        );
    }
    tables
}

fn contact(app: &App) -> String {
    match &app.config.operator.contact {
        Some(contact) => format!("Questions go to {}.", escape(contact)),
        None => String::new(),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1d2129;--soft:#5b6472;--line:#dde1e7;--ground:#fff;--link:#1f5fbf}
@media(prefers-color-scheme:dark){:root{--ink:#e4e7ec;--soft:#9aa4b2;--line:#333a45;--ground:#15181d;--link:#8ab4f8}}
body{margin:0 auto;max-width:40rem;padding:2rem 1.25rem 3rem;background:var(--ground);color:var(--ink);
font:1.0625rem/1.65 system-ui,sans-serif}
header,footer{color:var(--soft);font-size:.9375rem}
header{padding-bottom:.75rem;border-bottom:1px solid var(--line);font-weight:600;letter-spacing:.02em}
footer{margin-top:3rem;padding-top:1rem;border-top:1px solid var(--line)}
h1{margin:2rem 0 1rem;font-size:2rem;line-height:1.2}
h2{margin:2rem 0 .5rem;font-size:1.25rem;line-height:1.3}
p{margin:0 0 1rem}
table{width:100%;margin:0 0 1.5rem;border-collapse:collapse;font-size:.9375rem;line-height:1.5}
caption{padding:.5rem 0;text-align:left;font-weight:600}
th,td{padding:.5rem 0;border-top:1px solid var(--line);text-align:left;vertical-align:top}
th:first-child,td:first-child{width:42%;padding-right:1.25rem}
th{color:var(--soft);font-weight:400}
a{color:var(--link)}
footer a{margin-right:1.25rem}";

fn html(title: &str, body: &str) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <link rel=\"icon\" href=\"data:,\"><title>{title} – OmniTrack</title><style>{STYLE}</style></head>\
         <body><header>OmniTrack</header><main><h1>{title}</h1>{body}</main>\
         <footer><nav><a href=\"/privacy\">Privacy</a><a href=\"/account-deletion\">Deleting your account</a>\
         </nav></footer></body></html>\n"
    );
    Response::builder()
        .content_type("text/html; charset=utf-8")
        .header(
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'",
        )
        .body(page)
}

fn text(content_type: &str, body: String) -> Response {
    Response::builder().content_type(content_type).body(body).into_response()
}
