//! Whatever ails one source: the others' answers come in time, what was known stays to be seen, and
//! nothing grows or waits without bound.

use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _};

use super::answer::{SearchAnswer, State};
use super::fair_share::FairShare;
use super::language::Language;
use super::media_id::SourceName;
use super::service::Catalog;
use super::sick::{Illness, Sick, with_status};
use super::stub::{Setup, Stub, stats, text, title};

const DEADLINE: Duration = Duration::from_secs(2);

/// 60 MB, a little more than is ever read.
const FLOOD: usize = 60_000_000;

fn setup(source: SourceName, sick: &str, well: &str) -> Setup {
    let at = |own| if own == source { sick } else { well };
    let mut setup = Setup::new()
        .tmdb_at(at(SourceName::Tmdb))
        .igdb_at(at(SourceName::Igdb))
        .google_books_at(at(SourceName::GoogleBooks));
    setup.timing.search_deadline = DEADLINE;
    setup.timing.lookup_deadline = DEADLINE;
    // No pace of its own: what is measured are the answers.
    setup.sources.share = 100.0;
    setup
}

async fn search(catalog: &Catalog, words: &str) -> SearchAnswer {
    catalog.search(&text(words), &[], Language::DEFAULT, 1, &FairShare::new()).await
}

fn titles(answer: &SearchAnswer) -> Vec<&str> {
    answer.items.iter().map(|item| item.title.as_str()).collect()
}

fn state(answer: &SearchAnswer, source: SourceName) -> State {
    answer.sources.iter().find(|state| state.source == source).unwrap().state
}

/// A title of each source.
fn known(source: SourceName) -> (&'static str, &'static str) {
    match source {
        SourceName::Tmdb => ("Movie", "movie:tmdb:7"),
        SourceName::Igdb => ("Game", "game:igdb:1"),
        SourceName::GoogleBooks => ("Book", "book:google_books:a"),
    }
}

fn says(status: u16, headers: &str, body: &str) -> Illness {
    Illness::Says(with_status(status, headers, body))
}

/// What can be wrong, and how the person is told.
fn illnesses() -> Vec<(&'static str, Illness, State)> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    let html = "<html><title>Maintenance</title></html>";
    let limited = |retry_after: &str| says(429, &format!("retry-after: {retry_after}\r\n"), "{}");
    vec![
        ("says nothing", Illness::Silent, State::TimedOut),
        (
            "hangs after the header",
            Illness::Stalls(format!("{head}content-length: 9\r\n\r\n")),
            State::TimedOut,
        ),
        ("hangs in the header", Illness::Stalls("HTTP/1.1 200 OK\r\nconte".into()), State::TimedOut),
        ("hangs in the body", Illness::Stalls(format!("{head}content-length: 9\r\n\r\n[1")), State::TimedOut),
        ("drips for ever", Illness::Drips(format!("{head}content-length: 900000\r\n\r\n[")), State::TimedOut),
        ("hangs up", Illness::HangsUp, State::Failed),
        ("speaks no HTTP", Illness::Says("SSH-2.0-OpenSSH_9.6\r\n".into()), State::Failed),
        ("breaks off", Illness::Says(format!("{head}content-length: 900\r\n\r\n[{{")), State::Failed),
        ("has no body", says(200, "", ""), State::Failed),
        ("sends HTML as a success", says(200, "content-type: text/html\r\n", html), State::Failed),
        ("sends HTML as an error", says(502, "content-type: text/html\r\n", html), State::Failed),
        ("sends no gzip as gzip", says(200, "content-encoding: gzip\r\n", "[]"), State::Failed),
        ("sends JSON without bottom", says(200, "", &"[".repeat(200_000)), State::Failed),
        ("sends the wrong JSON", says(200, "", "7"), State::Failed),
        ("sends elsewhere", says(302, "location: http://127.0.0.1:9/\r\n", ""), State::Failed),
        ("is broken", says(500, "", "{}"), State::Failed),
        ("is away", says(503, "", "down"), State::Failed),
        ("is away for a while", says(503, "retry-after: 60\r\n", "down"), State::Failed),
        ("is busy", says(429, "", "{}"), State::RateLimited),
        ("is busy for seconds", limited("7"), State::RateLimited),
        ("is busy until a time", limited("Mon, 01 Jun 2099 19:01:30 GMT"), State::RateLimited),
        ("was busy until a time", limited("Mon, 01 Jun 1998 19:01:30 GMT"), State::RateLimited),
        ("is busy for no time", limited("0"), State::RateLimited),
        ("is busy for ever", limited("99999999999999999999999999"), State::RateLimited),
        ("is busy for less than nothing", limited("-30"), State::RateLimited),
        ("is busy until soon", limited("soon"), State::RateLimited),
        (
            "sends 60 MB and says so",
            Illness::Pours(format!("{head}content-length: {FLOOD}\r\n\r\n["), FLOOD),
            State::Failed,
        ),
        ("sends 60 MB", Illness::Pours(format!("{head}connection: close\r\n\r\n["), FLOOD), State::Failed),
        (
            "sends 60 MB of header",
            Illness::Pours("HTTP/1.1 200 OK\r\nx-filler: ".into(), FLOOD),
            State::Failed,
        ),
    ]
}

/// One source falls ill when everything has been asked once and is no longer fresh.
async fn falls_ill(source: SourceName, (name, illness, expected): (&str, Illness, State)) {
    let (sick, well) = (Sick::start().await, Sick::start().await);
    let setup = setup(source, &sick.url, &well.url);
    let catalog = setup.catalog();
    let (own_title, media) = known(source);
    assert_eq!(search(&catalog, "asked before").await.items.len(), 3, "{source} {name}");
    assert_eq!(title(&catalog, media).await, own_title);
    sick.falls_ill(illness);
    setup.pass(Duration::from_secs(25 * 3600));

    let started = Instant::now();
    let answer = search(&catalog, "never asked").await;
    assert!(started.elapsed() < 2 * DEADLINE, "{source} {name}: {:?}", started.elapsed());
    for other in SourceName::ALL {
        let wanted = if other == source { expected } else { State::Ok };
        assert_eq!(state(&answer, other), wanted, "{source} {name}");
    }
    let mut others: Vec<&str> = SourceName::ALL.into_iter().map(|source| known(source).0).collect();
    others.retain(|title| *title != own_title);
    assert_eq!(titles(&answer), others, "{source} {name}");

    let older = search(&catalog, "asked before").await;
    assert_eq!((state(&older, source), older.items.len()), (State::Ok, 3), "{source} {name}");
    assert_eq!(title(&catalog, media).await, format!("{own_title} (stale)"), "{source} {name}");
    assert_eq!(stats(&catalog, source).stale_served, 2, "{source} {name}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_others_answer_in_time_and_what_was_known_is_shown() {
    let stories = SourceName::ALL
        .into_iter()
        .flat_map(|source| illnesses().into_iter().map(move |illness| falls_ill(source, illness)));
    stream::iter(stories).map(tokio::spawn).buffer_unordered(30).for_each(async |story| story.unwrap()).await;
}

#[tokio::test]
async fn a_source_that_cannot_be_reached_spoils_nothing() {
    let well = Sick::start().await;
    // Bound and never accepted from: closed, once it is dropped.
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refusing = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let clear_text = Stub::constant(200, "{}").await.address().replace("http://", "https://");
    for source in SourceName::ALL {
        for (address, expected) in [
            (refusing.as_str(), &[State::Failed][..]),
            (clear_text.as_str(), &[State::Failed]),
            // A resolver that is away itself takes its time to say no.
            ("http://sources.invalid", &[State::Failed, State::TimedOut]),
        ] {
            let catalog = setup(source, address, &well.url).catalog();
            let started = Instant::now();
            let answer = search(&catalog, "x").await;
            assert!(started.elapsed() < 2 * DEADLINE, "{source} at {address}");
            assert!(expected.contains(&state(&answer, source)), "{source} at {address}: {answer:?}");
            assert_eq!(answer.items.len(), 2, "{source} at {address}");
        }
    }
}

#[tokio::test]
async fn the_pause_is_as_long_as_asked_for_within_reason() {
    for (retry_after, tmdb, igdb, google_books) in [
        // Each source's own idea of a pause.
        (None, 5, 2, 60),
        (Some("soon"), 5, 2, 60),
        (Some("-30"), 5, 2, 60),
        (Some("1.5"), 5, 2, 60),
        (Some("Mon, 01 Jun 1998 19:01:30 GMT"), 5, 2, 60),
        // Google's minute is never shorter than a minute.
        (Some("7"), 7, 7, 60),
        (Some("0"), 1, 1, 60),
        (Some("Mon, 01 Jun 2026 19:01:30 GMT"), 90, 90, 90),
        (Some("99999"), 3600, 3600, 3600),
        (Some("18446744073709551615"), 3600, 3600, 3600),
        (Some("Fri, 31 Dec 9999 23:59:59 GMT"), 3600, 3600, 3600),
    ] {
        let sick = Sick::start().await;
        let header = retry_after.map_or(String::new(), |pause| format!("retry-after: {pause}\r\n"));
        sick.falls_ill(says(429, &header, "{}"));
        let catalog = setup(SourceName::Tmdb, &sick.url, &sick.url).catalog();
        for (source, seconds) in
            [(SourceName::Tmdb, tmdb), (SourceName::Igdb, igdb), (SourceName::GoogleBooks, google_books)]
        {
            let told = title(&catalog, known(source).1).await;
            assert_eq!(told, format!("unavailable for {seconds}"), "{source} {retry_after:?}");
        }
        assert_eq!(sick.asked(), 3, "{retry_after:?}");
    }
}

#[tokio::test]
async fn a_flood_is_not_drunk() {
    for length in
        [format!("content-length: {FLOOD}\r\n"), "transfer-encoding: identity\r\n".into(), String::new()]
    {
        let sick = Sick::start().await;
        sick.falls_ill(Illness::Pours(format!("HTTP/1.1 200 OK\r\n{length}\r\n["), FLOOD));
        let catalog = setup(SourceName::Tmdb, &sick.url, &sick.url).catalog();
        assert_eq!(title(&catalog, "movie:tmdb:7").await, "unavailable for 30");
        assert_eq!(sick.asked(), 1, "it is not tried again");
        // What was read, and what the sockets hold.
        assert!(sick.poured() < FLOOD / 2, "{} bytes were taken", sick.poured());
    }
}

#[tokio::test]
async fn no_request_lasts_for_ever() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n[";
    for illness in [Illness::Silent, Illness::Stalls(head.into()), Illness::Drips(head.into())] {
        let sick = Sick::start().await;
        sick.falls_ill(illness.clone());
        let mut setup = setup(SourceName::Tmdb, &sick.url, &sick.url);
        setup.timing.lookup_deadline = Duration::from_secs(60);
        setup.timing.request_timeout = Duration::from_millis(200);
        let catalog = setup.catalog();
        assert_eq!(title(&catalog, "movie:tmdb:7").await, "unavailable for 30", "{illness:?}");
        // Who has waited so long does not try again.
        assert_eq!(sick.asked(), 1, "{illness:?}");
    }
}
