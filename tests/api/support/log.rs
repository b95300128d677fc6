//! Everything that the service logs during the whole run, at its finest level, kept in memory.

use std::io;
use std::panic;
use std::sync::{Mutex, OnceLock, PoisonError};

use omnitrack::{config, telemetry};

static TEXT: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Keep;

impl io::Write for Keep {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        TEXT.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Begins to keep the log. The panic hook of the service stays, and that of the tests as well, which
/// is the one that prints what failed.
pub fn capture() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let print = panic::take_hook();
        telemetry::init_to(|| Keep, &config::Log { level: tracing::Level::TRACE, json: false });
        let log = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            log(panic);
            print(panic);
        }));
    });
}

/// What was logged so far, by all tests together.
pub fn text() -> String {
    String::from_utf8_lossy(&TEXT.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

/// The last warnings and errors, which often say why an answer is not what it should be.
pub fn troubles() -> String {
    let text = text();
    let found: Vec<&str> =
        text.lines().filter(|line| line.contains(" WARN ") || line.contains("ERROR ")).collect();
    found[found.len().saturating_sub(5)..].join("\n")
}
