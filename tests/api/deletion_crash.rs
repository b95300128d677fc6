//! The real program killed (SIGKILL) between any two steps of a deletion: what was begun is either not there
//! at all or carried through after the next start. And the operator's command beside a running service.

use std::time::Duration;

use omnitrack::clerk::account_id;
use omnitrack::db::{Db, row, rows};
use omnitrack::demo::standin::{Fault, Source};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::coverage::furnish;
use crate::support::database::Database;
use crate::support::persona::Persona;
use crate::support::process::{Program, client};

const PATIENCE: Duration = Duration::from_secs(40);

/// Sends the deletion and does not wait for what comes of it.
fn ask(program: &Program, who: &Persona) -> tokio::task::JoinHandle<()> {
    let url = format!("http://{}/v1/account", program.address());
    let token = who.token.clone().unwrap();
    tokio::spawn(async move {
        let _ = client().delete(url).bearer_auth(token).send().await;
    })
}

/// How many rows the account has, the order to Clerk left out.
async fn count(db: &Db, name: &str) -> i64 {
    let account = account_id(&format!("user_{name}"));
    let mut count = 0;
    for table in omnitrack::erasure::TABLES.iter().filter(|table| table.name != "clerk_deletion") {
        let sql = format!("SELECT COUNT(*) FROM {} WHERE account_id = $1", table.name);
        let found = row(db.shared(), &sql, [account.into()]).await.unwrap().unwrap();
        count += found.try_get_by_index::<i64>(0).unwrap();
    }
    count
}

/// Asks until the receipt says so.
async fn told(who: &Persona, what: impl Fn(&Value) -> bool) -> Value {
    let look = async {
        loop {
            let receipt = who.delete("/v1/account").send().await.expect(202).json();
            if what(&receipt) {
                return receipt;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, look).await.expect("the receipt says so in time")
}

/// Waits until Clerk is asked to delete somebody.
async fn clerk_is_asked(program: &Program) {
    let asked = || program.stand_ins.requests(Source::Clerk).iter().any(|r| r.method == "DELETE");
    let wait = async {
        while !asked() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("Clerk is asked");
}

async fn killed_at_any_moment(database: Database) {
    let seed = 20_261_124;
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut program = Program::start(database);
    let db = Db::open(&program.database.url).await.unwrap();
    let (mut untouched, mut erased) = (0, 0);
    for round in 0..12 {
        let name = format!("person{round}");
        let who = program.persona(&name);
        furnish(&who).await;
        for number in 1..100 {
            let path = format!("/v1/library/movie:tmdb:{number}");
            who.put(&path, json!({ "status": "backlog" })).send().await.expect(201);
        }
        let before = count(&db, &name).await;
        let request = ask(&program, &who);
        tokio::time::sleep(Duration::from_micros(random.random_range(0..40_000))).await;
        program.kill();
        request.await.unwrap();
        program.start_again();
        let who = program.persona(&name);
        let answer = who.get("/v1/account").send().await;
        let left = count(&db, &name).await;
        if answer.status == 200 {
            assert!(left >= before, "an account that is there has all that it had");
            untouched += 1;
        } else {
            answer.expect_problem(401, "account_erased");
            assert_eq!(left, 0, "an account that is erased has nothing");
            erased += 1;
        }
        let receipt = told(&who, |receipt| receipt["clerk"] == "done").await;
        assert_eq!(receipt["state"], "erased");
        assert_eq!(count(&db, &name).await, 0);
        assert!(program.stand_ins.user(&format!("user_{name}")).is_none());
    }
    println!("killed before {untouched} times, after {erased} times");
    if program.database.is_sqlite() {
        let who = program.persona("person11");
        told(&who, |receipt| receipt["wiped_at"].is_string()).await;
    }
}

async fn killed_while_clerk_is_asked(database: Database) {
    let mut program = Program::start(database);
    let who = program.persona("alice");
    furnish(&who).await;
    program.stand_ins.fault(Source::Clerk, Some(Fault::Hang));
    let request = ask(&program, &who);
    clerk_is_asked(&program).await;
    program.kill();
    request.await.unwrap();
    let db = Db::open(&program.database.url).await.unwrap();
    assert_eq!(count(&db, "alice").await, 0, "what is here is gone, whatever Clerk does");
    // Clerk does not come back for a while: keys neither, so that no token can be verified.
    program.stand_ins.fault(Source::Clerk, Some(Fault::clerk_internal()));
    program.start_again();
    program.stand_ins.fault(Source::Clerk, None);
    let confirmed = async {
        while program.stand_ins.user("user_alice").is_some() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, confirmed).await.expect("the job asks Clerk by itself");
    told(&program.persona("alice"), |receipt| receipt["clerk"] == "done").await;
    assert!(rows(db.shared(), "SELECT user_id FROM clerk_deletion", []).await.unwrap().is_empty());
}

async fn killed_when_clerk_has_deleted_and_nobody_has_heard_it(database: Database) {
    let mut program = Program::start(database);
    let who = program.persona("alice");
    furnish(&who).await;
    program.stand_ins.fault(Source::Clerk, Some(Fault::Hang));
    let request = ask(&program, &who);
    clerk_is_asked(&program).await;
    program.kill();
    request.await.unwrap();
    program.stand_ins.fault(Source::Clerk, None);
    let url = format!("http://{}/v1/users/user_alice", program.stand_ins.address(Source::Clerk));
    let secret = omnitrack::demo::standin::CLERK_SECRET_KEY;
    let answer = client().delete(url).bearer_auth(secret).send().await.unwrap();
    assert!(answer.status().is_success());
    program.start_again();
    told(&program.persona("alice"), |receipt| receipt["clerk"] == "done").await;
}

/// PostgreSQL lets a test stop the deletion half-way: it waits for a row that somebody holds.
#[tokio::test(flavor = "multi_thread")]
async fn killed_inside_the_transaction() {
    let Some(database) = Database::postgres() else { return };
    let mut program = Program::start(database);
    let who = program.persona("alice");
    furnish(&who).await;
    let db = Db::open(&program.database.url).await.unwrap();
    let before = count(&db, "alice").await;
    let held = db.shared().begin().await.unwrap();
    rows(&held, "SELECT id FROM list FOR UPDATE", []).await.unwrap();
    let request = ask(&program, &who);
    let waits =
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'DELETE FROM list %'";
    let wait = async {
        while rows(db.shared(), waits, []).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("the deletion waits for the row");
    program.kill();
    request.await.unwrap();
    held.rollback().await.unwrap();
    program.start_again();
    let who = program.persona("alice");
    who.get("/v1/account").send().await.expect(200);
    assert_eq!(count(&db, "alice").await, before, "nothing of it has happened");
    told(&who, |receipt| receipt["clerk"] == "done").await;
    assert_eq!(count(&db, "alice").await, 0);
}

/// Killed before the files are wiped, because somebody still reads an older moment.
#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_files_are_wiped() {
    let mut program = Program::start(Database::sqlite());
    let who = program.persona("alice");
    furnish(&who).await;
    let db = Db::open(&program.database.url).await.unwrap();
    let snapshot = db.read().snapshot().await.unwrap();
    row(&snapshot, "SELECT COUNT(*) FROM account", []).await.unwrap();
    let receipt = who.delete("/v1/account").send().await.expect(202).json();
    assert!(receipt.get("wiped_at").is_none());
    program.kill();
    snapshot.end().await.unwrap();
    program.start_again();
    told(&program.persona("alice"), |receipt| receipt["wiped_at"].is_string()).await;
}

async fn the_operator_erases_beside_a_running_service(database: Database) {
    let program = Program::start(database);
    let (alice, bob) = (program.persona("alice"), program.persona("bob"));
    furnish(&alice).await;
    furnish(&bob).await;
    let run = |arguments: &[&str]| {
        let output = program.command(arguments).output().expect("the program runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };
    let (good, said, _) = run(&["erase", "--user", "user_alice", "--reason", "underage"]);
    assert!(good, "{said}");
    assert!(said.contains("at Clerk  done") && !said.contains("alice"), "{said}");
    let id = said.lines().find_map(|line| line.strip_prefix("receipt   ")).expect("a receipt");
    alice.get("/v1/account").send().await.expect_problem(401, "account_erased");
    bob.get("/v1/account").send().await.expect(200);
    let receipt = bob.get(&format!("/v1/deletions/{id}")).send().await.expect(200).json();
    assert_eq!((&receipt["reason"], &receipt["state"]), (&json!("underage"), &json!("erased")));
    // Again, and for somebody who was never here: the same, and no harm.
    let (good, again, _) = run(&["erase", "--user", "user_alice", "--reason", "request"]);
    assert!(good && again.contains(id), "{again}");
    assert!(run(&["erase", "--user", "user_never", "--reason", "request"]).0);
    // The marks, and what is no order at all.
    let (good, marks, _) = run(&["erase", "--marks"]);
    assert!(good && marks.lines().count() == 3 && marks.contains(id), "{marks}");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &marks).unwrap();
    let (good, said, _) = run(&["erase", "--from", file.path().to_str().unwrap()]);
    assert!(good && said.starts_with("0 accounts erased, 2 were marked already"), "{said}");
    for wrong in [
        &["erase"][..],
        &["erase", "--user", "user_bob"],
        &["erase", "--user", "bob", "--reason", "request"],
        &["erase", "--reason", "request"],
        &["erase", "--marks", "--user", "user_bob", "--reason", "request"],
        &["erase", "--from", "/nowhere"],
        &["erase", "--user", "user_bob", "--reason", "whim"],
    ] {
        let (good, said, errors) = run(wrong);
        assert!(!good && said.is_empty() && !errors.is_empty(), "{wrong:?}: {said}{errors}");
    }
    bob.get("/v1/account").send().await.expect(200);
}

macro_rules! on_both {
    ($($name:ident)+) => {
        mod sqlite {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(Database::sqlite()).await;
            })+
        }

        mod postgres {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let Some(database) = Database::postgres() else { return };
                super::$name(database).await;
            })+
        }
    };
}

on_both! {
    killed_at_any_moment
    killed_while_clerk_is_asked
    killed_when_clerk_has_deleted_and_nobody_has_heard_it
    the_operator_erases_beside_a_running_service
}
