//! TLS over real connections: the handshake, the protocols, and the renewal of the certificate.

use std::path::Path;
use std::time::SystemTime;

use futures_util::FutureExt as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tempfile::TempDir;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;

struct Pair {
    cert: String,
    key: String,
    der: CertificateDer<'static>,
}

fn pair() -> Pair {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    Pair { cert: made.cert.pem(), key: made.signing_key.serialize_pem(), der: made.cert.der().clone() }
}

struct Files {
    tls: config::Tls,
    /// Each write gets a later time than the last, however quickly it follows.
    writes: u64,
    _dir: TempDir,
}

impl Files {
    fn new(pair: &Pair) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let tls = config::Tls { cert: dir.path().join("cert.pem"), key: dir.path().join("key.pem") };
        let mut files = Self { tls, writes: 0, _dir: dir };
        files.write_cert(&pair.cert);
        files.write_key(&pair.key);
        files
    }

    fn write_cert(&mut self, text: &str) {
        self.write(&self.tls.cert.clone(), text);
    }

    fn write_key(&mut self, text: &str) {
        self.write(&self.tls.key.clone(), text);
    }

    fn write(&mut self, path: &Path, text: &str) {
        self.writes += 1;
        std::fs::write(path, text).expect("writes");
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + self.writes);
        std::fs::File::options()
            .write(true)
            .open(path)
            .and_then(|file| file.set_modified(at))
            .expect("dates");
    }
}

/// A TLS client that trusts these certificates alone.
async fn handshake(
    addr: SocketAddr,
    trusted: &[&Pair],
    alpn: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    for pair in trusted {
        roots.add(pair.der.clone()).expect("a certificate");
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(addr).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    soon(TlsConnector::from(Arc::new(config)).connect(name, stream)).await
}

/// The certificate that new connections get.
async fn presented(addr: SocketAddr, trusted: &[&Pair]) -> CertificateDer<'static> {
    let stream = handshake(addr, trusted, &[]).await.expect("a handshake");
    let chain = stream.get_ref().1.peer_certificates().expect("a certificate");
    chain[0].clone().into_owned()
}

#[tokio::test]
async fn both_protocols_are_spoken_over_tls() {
    let pair = pair();
    let files = Files::new(&pair);
    let server = start(patient(), Some(&files.tls), 8);

    let mut stream = handshake(server.addr, &[&pair], &["http/1.1"]).await.expect("a handshake");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await
        .expect("writes");
    let mut text = String::new();
    soon(stream.read_to_string(&mut text)).await.expect("closed in order");
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with(" https HTTP/1.1"), "{text}");

    let stream = handshake(server.addr, &[&pair], &["h2", "http/1.1"]).await.expect("a handshake");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]), "preferred");
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("speaks");
    tokio::spawn(connection);
    let request = |path: &str| {
        let uri = format!("https://localhost{path}");
        hyper::Request::builder()
            .uri(uri)
            .body(http_body_util::Empty::<bytes::Bytes>::new())
            .expect("a request")
    };
    let response = soon(client.send_request(request("/"))).await.expect("an answer");
    assert_eq!(response.status(), 200);
    let body = http_body_util::BodyExt::collect(response.into_body()).await.expect("a body").to_bytes();
    assert!(body.ends_with(b" https HTTP/2.0"), "{body:?}");

    // A stream under way at the stop is finished, too.
    while server.probe.arrived.notified().now_or_never().is_some() {}
    let waiting = tokio::spawn(client.send_request(request("/wait")));
    soon(server.probe.arrived.notified()).await;
    server.shutdown.cancel();
    server.probe.gate.add_permits(1);
    assert_eq!(soon(waiting).await.expect("no panic").expect("an answer").status(), 200);
    server.ended().await;
}

#[tokio::test]
async fn a_handshake_that_takes_too_long_is_cut_off() {
    let pair = pair();
    let files = Files::new(&pair);
    let server = start(Times { handshake: Duration::from_millis(50), ..patient() }, Some(&files.tls), 8);
    let mut silent = server.connect().await;
    assert_eq!(rest(&mut silent).await, "");
    // And one that has not begun does not hold up the stop.
    let silent = server.connect().await;
    server.shutdown.cancel();
    server.ended().await;
    drop(silent);
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_up_while_serving() {
    let (old, new) = (pair(), pair());
    let mut files = Files::new(&old);
    let server = start(patient(), Some(&files.tls), 8);
    assert_eq!(presented(server.addr, &[&old, &new]).await, old.der);
    files.write_cert(&new.cert);
    files.write_key(&new.key);
    soon(async { while presented(server.addr, &[&old, &new]).await != new.der {} }).await;
}

#[test]
fn a_broken_file_keeps_the_certificate_and_warns_once() {
    let (old, new) = (pair(), pair());
    let mut files = Files::new(&old);
    let certificates = Certificates::load(&files.tls).expect("loads");
    let warnings = Warnings::default();
    tracing::subscriber::with_default(warnings.clone(), || {
        let before = certificates.current();
        certificates.refresh();
        assert!(Arc::ptr_eq(&before, &certificates.current()), "unchanged files are not read");

        let breakages: [&dyn Fn(&mut Files); 4] = [
            &|files| files.write_cert("not PEM"),
            &|files| files.write_cert(&new.cert),
            &|files| files.write_cert(""),
            &|files| std::fs::remove_file(&files.tls.cert).expect("removes"),
        ];
        for (n, breakage) in breakages.iter().enumerate() {
            breakage(&mut files);
            for _ in 0..3 {
                certificates.refresh();
            }
            assert!(Arc::ptr_eq(&before, &certificates.current()), "breakage {n}");
            assert_eq!(warnings.0.load(Ordering::SeqCst), n + 1, "one warning for breakage {n}");
        }
        files.write_cert(&new.cert);
        files.write_key(&new.key);
        certificates.refresh();
        assert!(!Arc::ptr_eq(&before, &certificates.current()));
    });
    assert_eq!(warnings.0.load(Ordering::SeqCst), 4);
}

#[test]
fn files_that_cannot_be_used_stop_the_start_and_are_named() {
    let (one, other) = (pair(), pair());
    let refused = |cert: &str, key: &str| {
        let mut files = Files::new(&one);
        files.write_cert(cert);
        files.write_key(key);
        Certificates::load(&files.tls).err().expect("refused")
    };
    for (cert, key, name, file) in [
        ("", &*one.key, "OMNITRACK_TLS_CERT", "cert.pem"),
        ("not PEM", &one.key, "OMNITRACK_TLS_CERT", "cert.pem"),
        (&one.key, &one.key, "OMNITRACK_TLS_CERT", "cert.pem"),
        (&one.cert, "", "OMNITRACK_TLS_KEY", "key.pem"),
        (&one.cert, &one.cert, "OMNITRACK_TLS_KEY", "key.pem"),
        (&one.cert, &other.key, "OMNITRACK_TLS_KEY", "key.pem"),
    ] {
        let error = refused(cert, key);
        assert_eq!(error.name, name, "{error}");
        assert!(error.reason.contains(file), "{error}");
        assert!(!error.reason.contains("BEGIN"), "{error}");
    }
    let missing = config::Tls { cert: "no/such.pem".into(), key: "no/such.key".into() };
    let error = Server::bind(([127, 0, 0, 1], 0).into(), Some(&missing), 1).err().expect("refused");
    assert!(error.to_string().starts_with("OMNITRACK_TLS_CERT: no/such.pem cannot be used: "), "{error}");
}

/// Puts a pipe without another end in the place of a file.
fn pipe(path: &Path) {
    std::fs::remove_file(path).expect("removes");
    assert!(std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
}

#[tokio::test]
async fn a_pipe_in_place_of_a_file_holds_up_neither_reload_nor_stop() {
    let (old, new) = (pair(), pair());
    let mut files = Files::new(&old);
    let times = Times { certificate_poll: Duration::from_millis(1), ..patient() };
    let server = start(times, Some(&files.tls), 8);
    assert_eq!(presented(server.addr, &[&old, &new]).await, old.der);
    for path in [files.tls.cert.clone(), files.tls.key.clone()] {
        pipe(&path);
        // Long enough for the reload to see it, or it is seen later: either way nothing waits for it.
        assert_eq!(presented(server.addr, &[&old, &new]).await, old.der);
    }
    for path in [&files.tls.cert, &files.tls.key] {
        std::fs::remove_file(path).expect("removes");
    }
    files.write_cert(&new.cert);
    files.write_key(&new.key);
    soon(async { while presented(server.addr, &[&old, &new]).await != new.der {} }).await;
    pipe(&files.tls.cert);
    server.shutdown.cancel();
    server.ended().await;
}

#[test]
fn a_pipe_or_a_file_without_end_is_refused_at_the_start() {
    let mut files = Files::new(&pair());
    pipe(&files.tls.key);
    let error = Certificates::load(&files.tls).err().expect("refused");
    assert_eq!(error.name, "OMNITRACK_TLS_KEY");
    assert!(error.reason.ends_with("not a regular file"), "{error}");
    files.tls.cert = "/dev/zero".into();
    assert_eq!(Certificates::load(&files.tls).err().expect("refused").name, "OMNITRACK_TLS_CERT");
}

/// Counts warnings.
#[derive(Clone, Default)]
struct Warnings(Arc<AtomicUsize>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::WARN
    }
    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::Id {
        tracing::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::Id, _: &tracing::Id) {}
    fn enter(&self, _: &tracing::Id) {}
    fn exit(&self, _: &tracing::Id) {}
}
