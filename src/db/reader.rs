//! Reading through connections that stay at hand.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseBackend, DatabaseConnection, DbErr, ExecResult, QueryResult, Statement,
};

use super::connections::{Connection, Connections};

/// Runs reads. Whatever else it is asked for goes to the pool.
#[derive(Debug, Clone)]
pub struct Reader {
    pool: DatabaseConnection,
    connections: Option<Arc<Connections>>,
}

impl Reader {
    /// Reads through at most `connections` of the pool, of which one account may hold half.
    pub(super) fn new(pool: DatabaseConnection, connections: usize, patience: Duration) -> Self {
        let share = connections.div_ceil(2);
        let connections = Some(Arc::new(Connections::new(&pool, connections, share, patience)));
        Self { pool, connections }
    }

    /// Connected to nothing.
    pub(super) fn detached() -> Self {
        Self { pool: DatabaseConnection::default(), connections: None }
    }

    /// A connection for several statements; none where it is connected to nothing.
    pub(super) async fn take(&self) -> Result<Option<Connection>, DbErr> {
        match &self.connections {
            Some(connections) => connections.take().await.map(Some),
            None => Ok(None),
        }
    }

    /// Lets go of the connections at hand.
    pub(super) fn release(&self) {
        if let Some(connections) = &self.connections {
            connections.clear();
        }
    }

    /// Lets go of the connections at hand and closes the pool.
    pub(super) async fn close(&self) -> Result<(), DbErr> {
        self.release();
        self.pool.close_by_ref().await
    }
}

#[async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DatabaseBackend {
        self.pool.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.pool.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.pool.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let Some(mut connection) = self.take().await? else {
            return self.pool.query_one_raw(statement).await;
        };
        let row = connection.query_one(statement).await?;
        connection.keep();
        Ok(row)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let Some(mut connection) = self.take().await? else {
            return self.pool.query_all_raw(statement).await;
        };
        let rows = connection.query_all(statement).await?;
        connection.keep();
        Ok(rows)
    }
}

#[cfg(test)]
#[path = "reader_test.rs"]
mod tests;
