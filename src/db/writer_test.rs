use std::collections::BTreeSet;
use std::pin::pin;
use std::task::{Context, Waker};

use sea_orm::ConnectionTrait as _;
use tempfile::TempDir;

use super::super::{Db, execute, rows};
use crate::config::Secret;

/// A database with an empty table of numbers.
async fn empty() -> (Db, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = Secret::new(format!("sqlite://{}/numbers.db", folder.path().display()));
    let db = Db::open(&url).await.unwrap();
    db.shared().execute_unprepared("CREATE TABLE number (n bigint NOT NULL)").await.unwrap();
    (db, folder)
}

/// The numbers that a process started afresh finds.
async fn kept(folder: &TempDir) -> BTreeSet<i64> {
    let copy = tempfile::tempdir().unwrap();
    for name in ["numbers.db", "numbers.db-wal"] {
        let _ = std::fs::copy(folder.path().join(name), copy.path().join(name));
    }
    let url = Secret::new(format!("sqlite://{}/numbers.db", copy.path().display()));
    let db = Db::open(&url).await.unwrap();
    let found = rows(db.read(), "SELECT n FROM number", []).await.unwrap();
    found.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

async fn write(db: Db, number: i64) -> bool {
    let Ok(tx) = db.shared().begin().await else { return false };
    let sql = "INSERT INTO number VALUES ($1)";
    execute(&tx, sql, [number.into()]).await.is_ok() && tx.commit().await.is_ok()
}

/// Polls `future` at most `times` times and drops it; whether it came to its end.
async fn cut_after(times: usize, future: impl Future<Output = bool>) -> bool {
    let mut future = pin!(future);
    for _ in 0..times {
        if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return true;
        }
        tokio::task::yield_now().await;
        // The statement that was sent is carried out by another thread.
        tokio::time::sleep(std::time::Duration::from_micros(200)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn write_beside_one_that_is_cancelled_anywhere_is_kept_when_acknowledged() {
    let (db, folder) = empty().await;
    let mut acknowledged = BTreeSet::new();
    let mut number = 0;
    for times in (0..60).chain(0..60) {
        let mut writers = Vec::new();
        for _ in 0..4 {
            number += 1;
            writers.push((number, tokio::spawn(write(db.clone(), number))));
        }
        cut_after(times, write(db.clone(), -number)).await;
        for (number, writer) in writers {
            if writer.await.unwrap() {
                acknowledged.insert(number);
            }
        }
    }
    let kept = kept(&folder).await;
    assert!(acknowledged.len() > 400, "{} writes were acknowledged", acknowledged.len());
    assert_eq!(acknowledged.difference(&kept).count(), 0, "acknowledged writes are missing");
}

#[tokio::test]
async fn commit_of_a_transaction_that_is_gone_is_not_acknowledged() {
    let (db, folder) = empty().await;
    let tx = db.shared().begin().await.unwrap();
    execute(&tx, "INSERT INTO number VALUES (1)", []).await.unwrap();
    // What SQLite does by itself on a full disk or an I/O error.
    tx.execute_unprepared("ROLLBACK").await.unwrap();
    assert!(tx.commit().await.is_err());
    assert!(write(db.clone(), 2).await, "the next writer has a connection of its own");
    assert_eq!(kept(&folder).await, BTreeSet::from([2]));
}

#[tokio::test]
async fn commit_is_refused_for_all_of_a_group_that_is_gone() {
    let (db, folder) = empty().await;
    // Two writers queue while another one has its turn, so that they share the commit that follows.
    let turn = db.shared().begin().await.unwrap();
    let first = tokio::spawn(write(db.clone(), 1));
    let other = db.clone();
    let second = tokio::spawn(async move {
        let tx = other.shared().begin().await?;
        execute(&tx, "INSERT INTO number VALUES (2)", []).await?;
        // The transaction of the group is replaced by another one.
        tx.execute_unprepared("ROLLBACK; BEGIN; SAVEPOINT slot").await?;
        tx.commit().await
    });
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    turn.commit().await.unwrap();
    assert!(!first.await.unwrap(), "acknowledged by the commit of another transaction");
    assert!(second.await.unwrap().is_err());
    assert!(kept(&folder).await.is_empty());
    assert!(write(db.clone(), 3).await);
}

#[tokio::test]
async fn transaction_dropped_leaves_no_trace_and_no_lock() {
    let (db, folder) = empty().await;
    for round in 0..20 {
        let tx = db.shared().begin().await.unwrap();
        execute(&tx, "INSERT INTO number VALUES (-1)", []).await.unwrap();
        drop(tx);
        assert!(write(db.clone(), round).await);
    }
    assert_eq!(kept(&folder).await, (0..20).collect());
}
