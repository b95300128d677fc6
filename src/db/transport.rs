//! How a PostgreSQL is reached: in clear text on this machine only.

use std::net::IpAddr;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::config::Secret;

/// Checks that a PostgreSQL on another host is reached through TLS. The modes `disable`, `allow` and
/// `prefer` (the default) may end in clear text.
///
/// # Errors
/// What is wrong with the address, in words that quote nothing of it.
pub fn check_transport(url: &Secret) -> Result<(), &'static str> {
    let options: PgConnectOptions = url.expose().parse().map_err(|_| "is not an address of a PostgreSQL")?;
    let encrypts =
        matches!(options.get_ssl_mode(), PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull);
    if encrypts || options.get_socket().is_some() || is_local(options.get_host()) {
        return Ok(());
    }
    Err("clear text is allowed on this machine only: add sslmode=verify-full (or verify-ca, require)")
}

fn is_local(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || host.starts_with('/') || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_host_is_reached_through_tls_alone() {
        let check = |url: &str| check_transport(&Secret::new(url));
        for fine in [
            "postgres://user:word@localhost/db",
            "postgres://user@127.0.0.1:5432/db",
            "postgres://user@[::1]/db",
            "postgres://user@localhost/db?host=%2Fvar%2Frun%2Fpostgresql",
            "postgres://user@db.example/db?sslmode=require",
            "postgresql://user@db.example/db?sslmode=verify-ca",
            "postgres://user@192.0.2.7/db?sslmode=verify-full",
        ] {
            assert_eq!(check(fine), Ok(()), "{fine}");
        }
        for refused in [
            "postgres://user:word@db.example/db",
            "postgres://localhost:5432@db.example/db",
            "postgres://user@localhost/db?host=db.example",
            "postgres://user@127.0.0.1/db?hostaddr=192.0.2.7",
            "postgres://user@192.0.2.7/db?sslmode=prefer",
            "postgres://user@db.example/db?sslmode=disable",
            "postgres://user@db.example/db?sslmode=perhaps",
        ] {
            assert!(check(refused).is_err(), "{refused}");
        }
    }
}
