//! A page of the feed costs what its own rows cost, however large the library is: every statement of it
//! finds them by keys. The engines themselves say so.

use std::sync::Mutex;

use omnitrack::db::{Snapshot, execute};
use omnitrack::sync::{self, Cursor};
use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, ExecResult, QueryResult, Statement, Value};

use crate::support::app::TestApp;
use crate::support::both;

/// How many of each thing there are.
const ROWS: i64 = 3000;

/// Runs what is read, and asks for each statement's plan.
struct Explained {
    moment: Snapshot,
    plans: Mutex<Vec<(String, Vec<String>)>>,
    /// PostgreSQL: plans made once for any values, as a connection that repeats a statement comes to use.
    generic: bool,
}

impl Explained {
    async fn explain(&self, statement: &Statement) -> Result<(), DbErr> {
        let backend = self.moment.get_database_backend();
        let raw = |sql: String| self.moment.query_all_raw(Statement::from_string(backend, sql));
        let values: Vec<Value> = statement.values.iter().flat_map(|values| values.0.clone()).collect();
        let lines = if backend == DatabaseBackend::Sqlite {
            let explain = Statement::from_sql_and_values(
                backend,
                format!("EXPLAIN QUERY PLAN {}", statement.sql),
                values,
            );
            lines(&self.moment.query_all_raw(explain).await?, 3)
        } else if self.generic {
            let number = self.plans.lock().unwrap().len();
            raw("SET LOCAL plan_cache_mode = force_generic_plan".into()).await?;
            raw(format!("PREPARE plan_{number} AS {}", statement.sql)).await?;
            let literals: Vec<String> = values.iter().map(literal).collect();
            lines(&raw(format!("EXPLAIN EXECUTE plan_{number} ({})", literals.join(", "))).await?, 0)
        } else {
            let explain =
                Statement::from_sql_and_values(backend, format!("EXPLAIN {}", statement.sql), values);
            lines(&self.moment.query_all_raw(explain).await?, 0)
        };
        self.plans.lock().unwrap().push((statement.sql.clone(), lines));
        Ok(())
    }
}

fn lines(rows: &[QueryResult], column: usize) -> Vec<String> {
    rows.iter().map(|row| row.try_get_by_index(column).unwrap()).collect()
}

fn literal(value: &Value) -> String {
    match value {
        Value::Uuid(Some(id)) => format!("'{id}'"),
        Value::String(Some(text)) => format!("'{text}'"),
        Value::BigInt(Some(number)) => number.to_string(),
        other => panic!("a value {other:?}"),
    }
}

#[async_trait]
impl ConnectionTrait for Explained {
    fn get_database_backend(&self) -> DatabaseBackend {
        self.moment.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.moment.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.moment.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.explain(&statement).await?;
        self.moment.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.explain(&statement).await?;
        self.moment.query_all_raw(statement).await
    }
}

/// What is wrong with a plan.
fn faults(sqlite: bool, lines: &[String]) -> Vec<String> {
    let mut faults = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let line = line.trim();
        if sqlite {
            // `part` is what one table has to offer to the page: at most as many rows as that may hold.
            if line.starts_with("SCAN") && line != "SCAN part" {
                faults.push(line.to_owned());
            }
        } else {
            let by_key = lines.get(index + 1).is_some_and(|next| next.contains("Index Cond"));
            let scans = line.contains("Scan") && !line.contains("Subquery Scan on part") && !by_key;
            // What is found and then thrown away was not found by its key; the account's is one row.
            let filters = line.starts_with("Filter")
                && !line.contains("erased_at")
                && !line.contains("settings_revision");
            if scans || filters {
                faults.push(line.to_owned());
            }
        }
    }
    faults
}

/// A library with many of everything, written as SQL.
async fn fill(t: &TestApp, account: uuid::Uuid) {
    let random = if t.is_sqlite() { "randomblob(16)" } else { "gen_random_uuid()" };
    let numbers =
        format!("WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {ROWS})");
    let inserts = [
        ("media (id, state, title, sort_title, refreshed_at)", "'tv:tmdb:' || n, 'known', 't', 't', 0"),
        (
            "media_text (media_id, language, title, sort_title, genres, refreshed_at)",
            "'tv:tmdb:' || n, 'en-US', 't', 't', '[]', 0",
        ),
        (
            "library_entry (account_id, media_id, kind, status, status_set_by, favorite, awaits_media, revision, added_at, updated_at)",
            "$1, 'tv:tmdb:' || n, 'tv', 'backlog', 'person', FALSE, FALSE, 10 * n, 0, 0",
        ),
        (
            "review (account_id, media_id, body, spoiler, revision, created_at, updated_at)",
            "$1, 'tv:tmdb:' || n, 'x', FALSE, 10 * n + 1, 0, 0",
        ),
        (
            "comment (account_id, media_id, id, body, revision, created_at, updated_at)",
            &format!("$1, 'tv:tmdb:' || n, {random}, 'x', 10 * n + 2, 0, 0"),
        ),
        (
            "history_event (account_id, media_id, id, finished_precision, revision, created_at, updated_at)",
            &format!("$1, 'tv:tmdb:' || n, {random}, 'unknown', 10 * n + 3, 0, 0"),
        ),
        (
            "watched_episode (account_id, media_id, season, number, revision, created_at, updated_at)",
            "$1, 'tv:tmdb:' || n, 1, 1, 10 * n + 4, 0, 0",
        ),
        (
            "list (account_id, id, name, revision, created_at, updated_at)",
            &format!("$1, {random}, 'x', 10 * n + 5, 0, 0"),
        ),
        (
            "tombstone (account_id, kind, key, revision, deleted_at)",
            "$1, 'entry', 'movie:tmdb:' || n, 10 * n + 7, 0",
        ),
    ];
    for (into, select) in inserts {
        let values = select.contains("$1").then(|| Value::from(account));
        let sql = format!("INSERT INTO {into} {numbers} SELECT {select} FROM n");
        execute(t.app.db.shared(), &sql, values).await.unwrap();
    }
    let position =
        if t.is_sqlite() { "CAST(revision AS BLOB)" } else { "CAST(CAST(revision AS text) AS bytea)" };
    let items = format!(
        "INSERT INTO list_item (account_id, list_id, media_id, position, awaits_media, revision, added_at, updated_at) \
         SELECT account_id, id, 'tv:tmdb:' || (revision / 10), {position}, FALSE, revision + 1, 0, 0 FROM list"
    );
    t.sql(&items).await;
    let head = 10 * ROWS + 7;
    let sql = "UPDATE account SET revision = $2, settings_revision = $2 WHERE id = $1";
    execute(t.app.db.shared(), sql, [account.into(), head.into()]).await.unwrap();
    if !t.is_sqlite() {
        t.sql("ANALYZE").await;
    }
}

both! {
    async fn no_step_of_a_page_scans_a_table(t: TestApp) {
        t.stop_jobs().await;
        let own = t.alice.get("/v1/account").send().await.expect(200).json();
        let account: uuid::Uuid = own["id"].as_str().unwrap().parse().unwrap();
        fill(&t, account).await;
        let epoch = t.app.db.epoch().await.unwrap();
        let head = 10 * ROWS + 7;
        // A little at the end, a large page in the middle, and the beginning.
        for (revision, limit) in [(head - 9, 200), (head / 2, 1000), (0, 1000)] {
            for generic in [false, true] {
                let moment = t.app.db.read().snapshot().await.unwrap();
                let explained = Explained { moment, plans: Mutex::default(), generic };
                let cursor = Cursor { epoch, revision, began_at: 0 }.to_text(account);
                let page = sync::read(&explained, epoch, account, Some(&cursor), limit).await.unwrap();
                assert!(page.changes.len() >= 8, "{}", page.changes.len());
                let plans = explained.plans.into_inner().unwrap();
                // The account, the place where the page ends, and each kind of thing.
                assert_eq!(plans.len(), 10, "{plans:#?}");
                for (sql, lines) in plans {
                    if std::env::var_os("SHOW_PLANS").is_some() {
                        println!("-- generic {generic}, {limit} after {revision}\n{sql}\n  {}", lines.join("\n  "));
                    }
                    let faults = faults(t.is_sqlite(), &lines);
                    assert!(faults.is_empty(), "{faults:?} in\n{sql}\n{}", lines.join("\n"));
                }
            }
        }
    }
}
