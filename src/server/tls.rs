//! The server's certificate: read from two PEM files, and read again when either changes, so that a
//! renewal needs no restart. A file that cannot be used never replaces a certificate that works.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::{self, ConfigError};

const CERT: &str = "OMNITRACK_TLS_CERT";
const KEY: &str = "OMNITRACK_TLS_KEY";

/// The largest file that is read, in bytes; a chain with its key has some thousand.
const MAX_BYTES: u64 = 1024 * 1024;

/// When a file was last written and its length, or `None` while it is not there.
type Mark = Option<(SystemTime, u64)>;

pub(super) struct Certificates {
    files: config::Tls,
    current: RwLock<Arc<ServerConfig>>,
    /// The state of both files when they were last read, whether or not they were any good.
    seen: Mutex<[Mark; 2]>,
}

impl Certificates {
    /// Reads both files.
    ///
    /// # Errors
    /// Either is unreadable or not PEM, or they do not belong together; the setting is named.
    pub(super) fn load(files: &config::Tls) -> Result<Self, ConfigError> {
        // Marked before reading: a change in between is then seen as one.
        let seen = marks(files);
        let current = read(files)?;
        Ok(Self { files: files.clone(), current: RwLock::new(Arc::new(current)), seen: Mutex::new(seen) })
    }

    /// The certificate for new connections; open ones keep the one they began with.
    pub(super) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the files again if either has changed since they were last read. Blocks on the files.
    /// One warning per change that cannot be used: a renewal that writes the certificate first and the
    /// key a moment later gives at most one.
    pub(super) fn refresh(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let marks = marks(&self.files);
        if *seen == marks {
            return;
        }
        *seen = marks;
        match read(&self.files) {
            Ok(config) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
                tracing::info!("the new certificate is in use");
            }
            Err(error) => tracing::warn!(%error, "the new certificate cannot be used, the old one stays"),
        }
    }
}

/// Looks after the certificate for ever; without one, just waits.
pub(super) async fn watch(certificates: Option<Arc<Certificates>>, every: Duration) {
    let Some(certificates) = certificates else {
        return std::future::pending().await;
    };
    loop {
        tokio::time::sleep(every).await;
        let certificates = Arc::clone(&certificates);
        let _ = tokio::task::spawn_blocking(move || certificates.refresh()).await;
    }
}

fn marks(files: &config::Tls) -> [Mark; 2] {
    let mark = |path: &Path| {
        let data = std::fs::metadata(path).ok()?;
        Some((data.modified().ok()?, data.len()))
    };
    [mark(&files.cert), mark(&files.key)]
}

/// Reads a file whole, within [`MAX_BYTES`]. Never waits for anybody: a pipe, which has no bytes and no end
/// until somebody opens its other side, is refused like whatever else is no regular file.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let mut bytes = Vec::new();
    if file.take(MAX_BYTES + 1).read_to_end(&mut bytes)? as u64 > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "too large"));
    }
    Ok(bytes)
}

fn read(files: &config::Tls) -> Result<ServerConfig, ConfigError> {
    let wrong = |name, path: &Path, reason: &dyn std::fmt::Display| ConfigError {
        name,
        reason: format!("{} cannot be used: {reason}", path.display()),
    };
    let cert_is = |reason: &dyn std::fmt::Display| wrong(CERT, &files.cert, reason);
    let key_is = |reason: &dyn std::fmt::Display| wrong(KEY, &files.key, reason);

    let pem = read_file(&files.cert).map_err(|error| cert_is(&error))?;
    let chain = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| cert_is(&error))?;
    if chain.is_empty() {
        return Err(cert_is(&"there is no certificate in it"));
    }
    let pem = read_file(&files.key).map_err(|error| key_is(&error))?;
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| key_is(&error))?;
    // The provider is named because two are linked; with none named the choice would be a panic.
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| cert_is(&error))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| key_is(&error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
