//! What is in the database before anything is measured: 1,000 accounts with one entry each, the first
//! of them with 1,000 entries of known titles. Written as SQL, so that both engines get the same rows.

use std::fmt::Write as _;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use uuid::Uuid;

use crate::Result;

pub const ACCOUNTS: usize = 1000;
pub const ENTRIES: usize = 1000;

/// Entries of the account of [`LARGE_USER`], where there is one.
pub const LARGE: usize = 100_000;
pub const LARGE_USER: &str = "bench-large";
/// What the ids of those titles begin with; the numbers follow from 9,000,001 on.
const LARGE_MEDIA: &str = "movie:tmdb:";
/// The first of them, which every such library has.
pub const LARGE_FIRST: &str = "movie:tmdb:9000001";

/// The entry that every account but the first has, and the first has too.
pub const SHARED: &str = "movie:tmdb:603";

/// When the seeded titles are due for another look: not while anything is measured.
const FAR_OFF: i64 = 4_102_444_800_000;

/// 2026-01-01, in milliseconds.
const DAY_ONE: i64 = 1_767_225_600_000;

/// Of every cover.
pub const THUMBHASH: &str = "1QcSHQRnh493V4dIh4eXh1h4kJUI";

/// The name of an account at the stand-in of Clerk.
pub fn user(index: usize) -> String {
    format!("bench{index}")
}

fn account(index: usize) -> Uuid {
    omnitrack::clerk::account_id(&format!("user_{}", user(index)))
}

pub async fn sqlite(url: &str) -> Result<()> {
    let mut connection = SqliteConnection::connect(url).await?;
    for statement in statements(&|id| format!("X'{}'", id.simple())) {
        connection.execute(AssertSqlSafe(statement)).await?;
    }
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await?;
    Ok(connection.close().await?)
}

pub async fn postgres(url: &str) -> Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    for statement in statements(&|id| format!("'{id}'")) {
        connection.execute(AssertSqlSafe(statement)).await?;
    }
    connection.execute("VACUUM ANALYZE").await?;
    Ok(connection.close().await?)
}

/// Adds one account with many entries of known titles.
pub async fn sqlite_large(url: &str) -> Result<()> {
    sqlite_libraries(url, &[(LARGE_USER, LARGE)]).await
}

/// Adds accounts with so many entries each, of the same known titles.
pub async fn sqlite_libraries(url: &str, libraries: &[(&str, usize)]) -> Result<()> {
    let mut connection = SqliteConnection::connect(url).await?;
    let most = libraries.iter().map(|(_, entries)| *entries).max().unwrap_or_default();
    let numbers = up_to(most);
    for statement in [
        format!(
            "INSERT INTO media (id, state, title, sort_title, release_date, runtime_minutes, refreshed_at) \
             {numbers} SELECT '{LARGE_MEDIA}' || (9000000 + n), 'known', 'the long way home, part ' || n, \
             'long way home', '1999-05-17', 118, {DAY_ONE} FROM n"
        ),
        format!(
            "INSERT INTO media_text (media_id, language, title, sort_title, overview, genres, refreshed_at) \
             {numbers} SELECT '{LARGE_MEDIA}' || (9000000 + n), 'en-US', 'the long way home, part ' || n, \
             'long way home', 'A story in a few sentences.', '[]', {DAY_ONE} FROM n"
        ),
    ] {
        connection.execute(AssertSqlSafe(statement)).await?;
    }
    for (user, entries) in libraries {
        let account = omnitrack::clerk::account_id(&format!("user_{user}"));
        let account = format!("X'{}'", account.simple());
        let (numbers, last) = (up_to(*entries), entries + 1);
        for statement in [
            format!(
                "INSERT INTO account (id, revision, settings_revision, time_zone, progress_sets_status, \
                 created_at, updated_at) VALUES ({account}, {last}, 1, 'UTC', TRUE, {DAY_ONE}, {DAY_ONE})"
            ),
            format!(
                "INSERT INTO library_entry (account_id, media_id, kind, status, status_set_by, rating, favorite, \
                 started_on, finished_on, awaits_media, revision, added_at, updated_at) {numbers} \
                 SELECT {account}, '{LARGE_MEDIA}' || (9000000 + n), 'movie', 'completed', 'person', n % 100 + 1, \
                 TRUE, '2026-01-04', '2026-02-11', FALSE, n + 1, {DAY_ONE}, {DAY_ONE} + n FROM n"
            ),
        ] {
            connection.execute(AssertSqlSafe(statement)).await?;
        }
    }
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await?;
    Ok(connection.close().await?)
}

/// The numbers from 1 to `most`, as `n`.
fn up_to(most: usize) -> String {
    format!("WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {most})")
}

fn statements(uuid: &dyn Fn(Uuid) -> String) -> Vec<String> {
    let accounts = (0..ACCOUNTS).map(|index| {
        format!("({}, {}, 1, NULL, 'UTC', TRUE, {DAY_ONE}, {DAY_ONE})", uuid(account(index)), ENTRIES + 1)
    });
    let titles = 1..=ENTRIES;
    let media = titles.clone().map(|number| {
        let (id, title) = (media_id(number), title(number));
        let (details, (_, image)) = (details(number), cover(number));
        format!(
            "('{id}', 'known', '{title}', '{title}', '{image}', '19{:02}-05-17', {details}, {DAY_ONE}, {}, {FAR_OFF})",
            number % 100,
            schedule(number)
        )
    });
    let texts = titles.clone().map(|number| {
        let (id, title, (_, image)) = (media_id(number), title(number), cover(number));
        let text = "A story in a few sentences.";
        format!("('{id}', 'en-US', '{title}', '{title}', '{image}', '{text}', '[]', {DAY_ONE})")
    });
    let covers = titles.clone().map(|number| {
        let (source, image) = cover(number);
        format!("('{source}', '{image}', '{THUMBHASH}', FALSE, {DAY_ONE})")
    });
    let own = titles.map(|number| entry(&uuid(account(0)), number));
    let others = (1..ACCOUNTS).map(|index| entry(&uuid(account(index)), 603));
    let insert = |into: &str, rows: &mut dyn Iterator<Item = String>| {
        let mut sql = format!("INSERT INTO {into} VALUES ");
        for (index, row) in rows.enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            // Writing to a string cannot fail.
            let _ = write!(sql, "{comma}{row}");
        }
        sql
    };
    let entry_columns = "library_entry (account_id, media_id, kind, status, status_set_by, rating, favorite, \
         progress_unit, progress_current, progress_total, started_on, finished_on, awaits_media, revision, \
         added_at, updated_at, watched)";
    let mut accounts = accounts;
    vec![
        insert(
            "account (id, revision, settings_revision, language, time_zone, progress_sets_status, created_at, \
             updated_at)",
            &mut accounts,
        ),
        insert(
            "media (id, state, title, sort_title, cover, release_date, runtime_minutes, page_count, season_count, \
             episode_count, refreshed_at, schedule, refresh_at)",
            &mut { media },
        ),
        insert(
            "media_text (media_id, language, title, sort_title, cover, overview, genres, refreshed_at)",
            &mut { texts },
        ),
        insert("cover (source, image, thumbhash, missing, seen_at)", &mut { covers }),
        insert(entry_columns, &mut own.chain(others)),
    ]
}

/// Every fourth title is a movie, a series, a game, a book.
fn media_id(number: usize) -> String {
    match number % 4 {
        3 => format!("movie:tmdb:{number}"),
        0 => format!("tv:tmdb:{number}"),
        1 => format!("game:igdb:{number}"),
        _ => format!("book:google_books:volume{number:06}"),
    }
}

/// The source of a title's cover and what it is called there.
fn cover(number: usize) -> (&'static str, String) {
    match number % 4 {
        1 => ("igdb", format!("co{number}")),
        2 => ("google_books", format!("volume{number:06}")),
        _ => ("tmdb", format!("/poster{number:020}.jpg")),
    }
}

fn kind(number: usize) -> &'static str {
    match number % 4 {
        3 => "movie",
        0 => "tv",
        1 => "game",
        _ => "book",
    }
}

fn title(number: usize) -> String {
    format!("the long way home, part {number}")
}

/// Runtime, pages, seasons, episodes.
fn details(number: usize) -> String {
    match number % 4 {
        3 => "118, NULL, NULL, NULL".into(),
        0 => "45, NULL, 3, 30".into(),
        1 => "NULL, NULL, NULL, NULL".into(),
        _ => "NULL, 412, NULL, NULL".into(),
    }
}

/// Thirty weekly episodes in three seasons, and two specials, the way the service keeps them.
fn schedule(number: usize) -> String {
    if !number.is_multiple_of(4) {
        return "NULL".into();
    }
    let special = |episode: usize| format!("0,{episode},null,{}", number * 1000 + episode);
    let regular = |at: usize| {
        let (season, episode) = (1 + at / 10, 1 + at % 10);
        format!("{season},{episode},{},{}", 15_000 + 7 * at, number * 1000 + 100 + at)
    };
    let slots: Vec<String> = (1..=2).map(special).chain((0..30).map(regular)).collect();
    format!("'[{}]'", slots.join(","))
}

/// The first season and half of the second of every other series.
fn watched(number: usize) -> &'static str {
    if number.is_multiple_of(8) { "'[1,1,10,2,1,5]'" } else { "NULL" }
}

fn entry(account: &str, number: usize) -> String {
    let (id, kind) = (media_id(number), kind(number));
    let rating = if number.is_multiple_of(3) { "NULL".into() } else { (1 + number % 100).to_string() };
    let rest = match number % 5 {
        0 => "FALSE, NULL, NULL, NULL, NULL, NULL",
        1 | 2 => "FALSE, 'percent', 40, 100, '2026-01-04', NULL",
        _ => "TRUE, NULL, NULL, NULL, '2026-01-04', '2026-02-11'",
    };
    let status = ["backlog", "in_progress", "in_progress", "completed", "completed"];
    let status = status.get(number % 5).copied().unwrap_or_default();
    let time = DAY_ONE + 60_123 * i64::try_from(number).unwrap_or_default();
    format!(
        "({account}, '{id}', '{kind}', '{status}', 'person', {rating}, {rest}, FALSE, {}, {DAY_ONE}, {time}, {})",
        number + 1,
        watched(number)
    )
}
