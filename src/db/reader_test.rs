use futures_util::FutureExt as _;
use sea_orm::{ConnectionTrait, DbErr};
use tempfile::TempDir;

use super::super::{Db, execute, row, rows};
use crate::config::Secret;

/// A database with a table of the numbers 1 to 1,000.
async fn numbers() -> (Db, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = Secret::new(format!("sqlite://{}/numbers.db", folder.path().display()));
    let db = Db::open(&url).await.unwrap();
    db.shared().execute_unprepared("CREATE TABLE number (n bigint NOT NULL)").await.unwrap();
    execute(
        db.shared(),
        "INSERT INTO number WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 1000) \
         SELECT n FROM up",
        [],
    )
    .await
    .unwrap();
    (db, folder)
}

async fn count(db: &Db) -> Result<i64, DbErr> {
    let found = row(db.read(), "SELECT count(*) FROM number", []).await?;
    found.unwrap().try_get_by_index(0)
}

#[tokio::test]
async fn a_read_sees_what_was_committed_before_it() {
    let (db, _folder) = numbers().await;
    assert_eq!(count(&db).await.unwrap(), 1000);
    // More rows than are asked for: the connection at hand must not keep an old moment open.
    row(db.read(), "SELECT n FROM number", []).await.unwrap();
    execute(db.shared(), "INSERT INTO number VALUES (1001)", []).await.unwrap();
    assert_eq!(count(&db).await.unwrap(), 1001);
    assert!(db.cut_log().await.unwrap(), "no reader is in the way");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_readers_than_connections_all_get_their_rows() {
    let (db, _folder) = numbers().await;
    let readers = (0..100).map(|start: i64| {
        let db = db.clone();
        tokio::spawn(async move {
            let sql = "SELECT n FROM number WHERE n > $1 ORDER BY n";
            let found = rows(db.read(), sql, [start.into()]).await.unwrap();
            let first: i64 = found.first().unwrap().try_get_by_index(0).unwrap();
            assert_eq!((found.len(), first), (usize::try_from(1000 - start).unwrap(), start + 1));
        })
    });
    for reader in readers.collect::<Vec<_>>() {
        reader.await.unwrap();
    }
}

#[tokio::test]
async fn a_statement_that_fails_spoils_no_connection() {
    let (db, _folder) = numbers().await;
    for _ in 0..20 {
        let failed = rows(db.read(), "SELECT nothing FROM number", []).await.unwrap_err();
        assert!(matches!(failed, DbErr::Query(_)), "{failed}");
    }
    assert_eq!(count(&db).await.unwrap(), 1000);
}

#[tokio::test]
async fn a_read_cut_off_leaves_the_next_one_whole() {
    let (db, _folder) = numbers().await;
    for _ in 0..8 {
        // A connection is at hand, so that one poll sends the statement.
        assert_eq!(count(&db).await.unwrap(), 1000);
        drop(rows(db.read(), "SELECT n FROM number", []).now_or_never());
    }
    assert_eq!(count(&db).await.unwrap(), 1000);
}

#[tokio::test]
async fn a_snapshot_sees_one_moment_and_leaves_none_open() {
    let (db, _folder) = numbers().await;
    let count_in = async |snapshot: &crate::db::Snapshot| {
        let found = row(snapshot, "SELECT count(*) FROM number", []).await.unwrap();
        found.unwrap().try_get_by_index::<i64>(0).unwrap()
    };
    for round in 0..12 {
        let snapshot = db.read().snapshot().await.unwrap();
        assert_eq!(count_in(&snapshot).await, 1000 + round);
        execute(db.shared(), "INSERT INTO number VALUES (0)", []).await.unwrap();
        assert_eq!(count_in(&snapshot).await, 1000 + round, "what came meanwhile is not in it");
        assert!(snapshot.execute_unprepared("DELETE FROM number").await.is_err());
        match round % 3 {
            0 => snapshot.end().await.unwrap(),
            1 => drop(snapshot),
            // Cut off in the middle of a statement.
            _ => {
                drop(rows(&snapshot, "SELECT n FROM number", []).now_or_never());
                drop(snapshot);
            }
        }
        assert_eq!(count(&db).await.unwrap(), 1001 + round);
        assert!(db.cut_log().await.unwrap(), "no reader is in the way");
    }
}

#[tokio::test]
async fn one_account_holds_half_of_the_connections_at_most() {
    let (db, _folder) = numbers().await;
    let (greedy, other) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
    let snapshot = |account| crate::db::on_behalf_of(account, db.read().snapshot());
    let held = (snapshot(greedy).await.unwrap(), snapshot(greedy).await.unwrap());
    let mut waiting = Box::pin(snapshot(greedy));
    assert!((&mut waiting).now_or_never().is_none());
    let others = (snapshot(other).await.unwrap(), snapshot(other).await.unwrap());
    held.0.end().await.unwrap();
    waiting.await.unwrap().end().await.unwrap();
    drop((held.1, others));
}

#[tokio::test]
async fn a_closed_database_reads_nothing() {
    let (db, _folder) = numbers().await;
    assert_eq!(count(&db).await.unwrap(), 1000);
    db.clone().close().await.unwrap();
    assert!(matches!(count(&db).await, Err(DbErr::ConnectionAcquire(_))));
}
