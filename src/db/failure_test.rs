use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use sea_orm::ConnAcquireErr;
use sea_orm::sqlx::error::ErrorKind;

use super::*;

/// An error as a database reports it: a code, and a message that quotes a row.
#[derive(Debug)]
struct Reported(&'static str);

impl fmt::Display for Reported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key (name)=(canary) already exists")
    }
}

impl StdError for Reported {}

impl DatabaseError for Reported {
    fn message(&self) -> &str {
        "Key (name)=(canary) already exists"
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(self.0.into())
    }

    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

fn query(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

fn reported(code: &'static str) -> DbErr {
    query(sqlx::Error::Database(Box::new(Reported(code))))
}

#[test]
fn codes_of_an_outage_are_unavailable() {
    for code in ["08000", "08003", "08006", "08P01", "53300", "57P01", "57P02", "57P03", "57P05", "25P03"] {
        assert!(is_unavailable(&reported(code)), "{code}");
        assert!(!is_busy(&reported(code)), "{code}");
    }
    for code in ["23505", "42P01", "57014", "40P01", "08", "5", "13"] {
        assert!(!is_unavailable(&reported(code)), "{code}");
    }
}

#[test]
fn codes_of_contention_are_busy() {
    for code in ["40P01", "40001", "55P03", "57014", "5", "517", "6"] {
        assert!(is_busy(&reported(code)), "{code}");
    }
    for code in ["23505", "42P01", "13", "1"] {
        assert!(!is_busy(&reported(code)), "{code}");
    }
    assert!(is_busy(&DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)));
}

#[test]
fn a_broken_connection_is_unavailable_wherever_it_is_noticed() {
    let broken = || sqlx::Error::Io(io::ErrorKind::ConnectionReset.into());
    assert!(is_unavailable(&query(broken())));
    assert!(is_unavailable(&DbErr::Exec(RuntimeErr::SqlxError(Arc::new(broken())))));
    assert!(is_unavailable(&DbErr::Conn(RuntimeErr::SqlxError(Arc::new(broken())))));
    assert!(is_unavailable(&DbErr::Conn(RuntimeErr::Internal("refused".into()))));
    assert!(!is_unavailable(&query(sqlx::Error::ColumnNotFound("name".into()))));
    assert!(!is_unavailable(&DbErr::Type("not a number".into())));
}

#[test]
fn the_kind_quotes_no_row() {
    for code in ["57P01", "23505"] {
        assert!(!error_kind(&reported(code)).contains("canary"));
    }
    assert_eq!(error_kind(&reported("57P01")), "connection lost");
    assert_eq!(error_kind(&reported("23505")), "query failed");
}
