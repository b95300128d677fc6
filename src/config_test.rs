use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let pairs: Vec<(String, String)> = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
    Config::read(&|name| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()))
}

const ISSUER: (&str, &str) = ("CLERK_ISSUER", "https://clerk.example.com");

#[test]
fn the_publishable_key_gives_issuer_and_jwks() {
    // "happy-fox-12.clerk.accounts.dev$" in base64
    let config = read(&[("CLERK_PUBLISHABLE_KEY", "pk_test_aGFwcHktZm94LTEyLmNsZXJrLmFjY291bnRzLmRldiQ")])
        .expect("a valid key");
    assert_eq!(config.clerk.issuer, "https://happy-fox-12.clerk.accounts.dev");
    let ClerkKeys::JwksUrl(url) = config.clerk.keys else { panic!("a JWKS address") };
    assert_eq!(url, "https://happy-fox-12.clerk.accounts.dev/.well-known/jwks.json");
}

#[test]
fn wrong_settings_name_themselves() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[], "CLERK_PUBLISHABLE_KEY"),
        (&[("CLERK_PUBLISHABLE_KEY", "sk_test_x")], "CLERK_PUBLISHABLE_KEY"),
        (&[("CLERK_PUBLISHABLE_KEY", "pk_test_!!!")], "CLERK_PUBLISHABLE_KEY"),
        (&[ISSUER, ("OMNITRACK_LISTEN", "0.0.0.0:80")], "OMNITRACK_LISTEN"),
        (&[ISSUER, ("OMNITRACK_TLS_CERT", "a.pem")], "OMNITRACK_TLS_KEY"),
        (&[ISSUER, ("DATABASE_URL", "mysql://x")], "DATABASE_URL"),
        (&[ISSUER, ("DATABASE_URL", "postgres://localhost/d")], "OMNITRACK_SECRET_KEY"),
        (&[ISSUER, ("DATABASE_URL", "postgres://h/d")], "DATABASE_URL"),
        (&[ISSUER, ("OMNITRACK_SECRET_KEY", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")], "OMNITRACK_SECRET_KEY"),
        (&[ISSUER, ("OMNITRACK_SECRET_KEY", "fifteen letters")], "OMNITRACK_SECRET_KEY"),
        (&[ISSUER, ("OMNITRACK_SECRET_KEY", "sixteen letters!,")], "OMNITRACK_SECRET_KEY"),
        (&[ISSUER, ("OMNITRACK_SOURCE_SHARE", "0")], "OMNITRACK_SOURCE_SHARE"),
        (
            &[ISSUER, ("TMDB_ACCESS_TOKEN", "x"), ("TMDB_IMAGE_BASE_URL", "http://example.com")],
            "TMDB_IMAGE_BASE_URL",
        ),
        (&[ISSUER, ("OMNITRACK_TOMBSTONE_DAYS", "0")], "OMNITRACK_TOMBSTONE_DAYS"),
        (&[ISSUER, ("OMNITRACK_TOMBSTONE_DAYS", "99999")], "OMNITRACK_TOMBSTONE_DAYS"),
        (&[ISSUER, ("OMNITRACK_DELETION_GRACE_DAYS", "31")], "OMNITRACK_DELETION_GRACE_DAYS"),
        (&[ISSUER, ("OMNITRACK_BACKUP_DAYS", "0")], "OMNITRACK_BACKUP_DAYS"),
        (&[ISSUER, ("CLERK_API_URL", "http://example.com")], "CLERK_API_URL"),
        (&[ISSUER, ("CLERK_WEBHOOK_SIGNING_SECRET", "secret")], "CLERK_WEBHOOK_SIGNING_SECRET"),
        (&[ISSUER, ("OMNITRACK_LOG", "loud")], "OMNITRACK_LOG"),
        (&[ISSUER, ("TWITCH_CLIENT_ID", "x")], "TWITCH_CLIENT_SECRET"),
        (&[ISSUER, ("TMDB_ACCESS_TOKEN", "x"), ("TMDB_BASE_URL", "http://example.com")], "TMDB_BASE_URL"),
        (&[ISSUER, ("OMNITRACK_RATE_ACCOUNT", "0")], "OMNITRACK_RATE_ACCOUNT"),
        (&[ISSUER, ("OMNITRACK_BODY_BYTES", "16777215")], "OMNITRACK_BODY_BYTES"),
        (&[ISSUER, ("OMNITRACK_BODY_BYTES", "64 MiB")], "OMNITRACK_BODY_BYTES"),
        (&[ISSUER, ("OMNITRACK_MAX_CONNECTIONS_PER_ADDRESS", "0")], "OMNITRACK_MAX_CONNECTIONS_PER_ADDRESS"),
    ];
    for (pairs, name) in cases {
        let error = read(pairs).expect_err("a wrong setting");
        assert_eq!(&error.name, name, "{error}");
    }
}

#[test]
fn base_addresses_are_read_as_clients_read_them() {
    let read = |url: &str| super::http_url("CLERK_API_URL", url);
    for (given, understood) in [
        ("https://api.clerk.com", "https://api.clerk.com"),
        ("https://API.clerk.com:443/v1//", "https://api.clerk.com/v1"),
        ("http://localhost:8080/3/", "http://localhost:8080/3"),
        ("http://127.0.0.9:80", "http://127.0.0.9"),
        ("http://[::1]:7/x", "http://[::1]:7/x"),
        // What follows the backslash is a path, here and where it is asked.
        ("http://localhost\\@evil.example", "http://localhost/@evil.example"),
        // An address in another form is the same one.
        ("http://2130706433/", "http://127.0.0.1"),
    ] {
        assert_eq!(read(given).as_deref(), Ok(understood), "{given}");
    }
    for refused in [
        "http://localhost:80@evil.example",
        "http://localhost@evil.example/",
        "https://user:word@example.com",
        "http://localhost.evil.example",
        "http://[::2]/",
        "http://10.0.0.1",
        "https://example.com/?key=1",
        "https://example.com/#part",
        "ftp://localhost",
        "https://",
        "localhost:8080",
        "",
    ] {
        assert!(read(refused).is_err(), "{refused}");
    }
}

#[test]
fn a_webhook_secret_must_be_one() {
    let read = |secret: &str| read(&[ISSUER, ("CLERK_WEBHOOK_SIGNING_SECRET", secret)]);
    let encode = |bytes: &[u8]| format!("whsec_{}", STANDARD.encode(bytes));
    let random: Vec<u8> = (0..65).map(|n: u8| n.wrapping_mul(151)).collect();
    for length in [24, 25, 32, 64] {
        assert!(read(&encode(&random[..length])).is_ok(), "{length}");
    }
    for length in [0, 1, 16, 23, 65] {
        assert!(read(&encode(&random[..length])).is_err(), "{length}");
    }
    for wrong in ["whsec_", "whsec_***", "secret", &encode(&[7; 24]), &encode(&random[..24])[6..]] {
        let error = read(wrong).expect_err("refused");
        assert_eq!(error.name, "CLERK_WEBHOOK_SIGNING_SECRET", "{wrong}");
    }
}

#[test]
fn an_outside_address_is_fine_behind_a_proxy_or_with_tls() {
    let outside = ("OMNITRACK_LISTEN", "0.0.0.0:443");
    assert!(read(&[ISSUER, outside, ("OMNITRACK_BEHIND_PROXY", "true")]).is_ok());
    assert!(read(&[ISSUER, outside, ("OMNITRACK_TLS_CERT", "c"), ("OMNITRACK_TLS_KEY", "k")]).is_ok());
}

#[test]
fn secrets_do_not_show() {
    let config = read(&[
        ISSUER,
        ("TMDB_ACCESS_TOKEN", "hunter2"),
        ("DATABASE_URL", "postgres://u:hunter2@h/d?sslmode=require"),
        ("OMNITRACK_SECRET_KEY", "hunter2hunter2hunter2"),
    ]);
    assert!(!format!("{:?}", config.expect("valid")).contains("hunter2"));
}
