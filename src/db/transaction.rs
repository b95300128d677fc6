//! A transaction on a connection of its own, controlled by statements and not by the database layer's
//! own nesting: when the future of sea-orm's `begin` is dropped or fails, it rolls back once more than
//! it began, and so ends a transaction that others share.

use sea_orm::{ConnAcquireErr, DbErr, ExecResult, QueryResult, Statement};

use super::connections::Connection;

/// Dropped before [`Transaction::end`], or once a statement of control has failed, the connection is
/// closed, because it is not known what it is in the middle of. The database then rolls back.
#[derive(Debug)]
pub(super) struct Transaction(Option<Connection>);

impl Transaction {
    /// Begins a transaction with the statements of the engine.
    pub(super) async fn begin(connection: Connection, sql: &str) -> Result<Self, DbErr> {
        let mut transaction = Self(Some(connection));
        transaction.control(sql).await?;
        Ok(transaction)
    }

    fn connection(&mut self) -> Result<&mut Connection, DbErr> {
        self.0.as_mut().ok_or(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))
    }

    /// Runs statements that control the transaction (BEGIN, SAVEPOINT, RELEASE, COMMIT, ROLLBACK). After
    /// an error the connection is closed and nothing more can be done with it.
    pub(super) async fn control(&mut self, sql: &str) -> Result<(), DbErr> {
        let result = self.connection()?.execute_unprepared(sql).await;
        if result.is_err() {
            self.close();
        }
        result.map(drop)
    }

    pub(super) async fn query_one(&mut self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.connection()?.query_one(statement).await
    }

    pub(super) async fn query_all(&mut self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.connection()?.query_all(statement).await
    }

    pub(super) async fn execute(&mut self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.connection()?.execute(statement).await
    }

    pub(super) async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, DbErr> {
        self.connection()?.execute_unprepared(sql).await
    }

    /// Ends the transaction with the statements of the engine; the connection stays at hand.
    pub(super) async fn end(mut self, sql: &str) -> Result<(), DbErr> {
        self.control(sql).await?;
        if let Some(connection) = self.0.take() {
            connection.keep();
        }
        Ok(())
    }

    fn close(&mut self) {
        if let Some(connection) = self.0.take() {
            connection.close();
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.close();
    }
}
