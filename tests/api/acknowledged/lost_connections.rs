//! The database closes connections in the middle of anything.

use omnitrack::db::execute;
use sea_orm::{ConnectOptions, Database as Connector, DatabaseConnection};

use super::crowd::Crowd;
use super::traffic::Traffic;
use crate::support::database::Database;
use crate::support::process::Program;

const ROUNDS: usize = 2;
/// How often connections are closed in a round.
const CLOSED: usize = 12;
/// Writes acknowledged between two times.
const BETWEEN: usize = 20;

const CLOSE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
    WHERE datname = current_database() AND pid <> pg_backend_pid()";

async fn apart(database: &Database) -> DatabaseConnection {
    let mut options = ConnectOptions::new(database.url.expose());
    options.max_connections(1).sqlx_logging(false);
    Connector::connect(options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_connections_lose_no_acknowledged_write_on_postgres() {
    let Some(database) = Database::postgres() else { return };
    let closer = apart(&database).await;
    let mut crowd = Crowd::new(Program::start(database));
    let mut findings = super::ledger::Findings::default();
    for _ in 0..ROUNDS {
        let at_work = crowd.start();
        let mut reached = true;
        for _ in 0..CLOSED {
            let enough = crowd.traffic.acknowledged() + BETWEEN;
            reached &= crowd.traffic.reaches(|traffic: &Traffic| traffic.acknowledged() >= enough).await;
            if !reached {
                break;
            }
            execute(&closer, CLOSE, []).await.unwrap();
        }
        crowd.kill(at_work).await;
        findings = crowd.check().await;
        assert!(reached, "{findings:#?}: writes are no longer acknowledged");
    }
    println!("{} writes failed", crowd.traffic.refused());
    findings.expect_nothing_lost("connections lost, program killed");
}
