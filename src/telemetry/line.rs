//! Bounds on what is logged: the length of a line, and the lines per second of one place in the code.
//! A client that finds a way to cause warnings cannot fill a disk with them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tracing::callsite::Identifier;
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// Bytes of one line, its line feed included.
pub(super) const MAX_LINE: usize = 4096;
/// Bytes of one value of a JSON line that would be longer than [`MAX_LINE`].
const MAX_VALUE: usize = 256;
/// Lines per second of one place that logs warnings or errors.
pub(super) const MAX_WARNINGS: u32 = 100;
/// Lines per second of one place that logs anything else: above what one instance answers.
const MAX_OTHERS: u32 = 10_000;

/// Lines that were left out since the start of the process, which has one log.
static SUPPRESSED: AtomicU64 = AtomicU64::new(0);

/// Returns how many lines were left out since the start of the process.
pub(super) fn suppressed() -> u64 {
    SUPPRESSED.load(Ordering::Relaxed)
}

/// Leaves out the lines of one place in the code that exceed its number per second. Its memory is
/// bounded by the number of such places.
#[derive(Default)]
struct RateLimit {
    windows: Mutex<HashMap<Identifier, Window>>,
}

struct Window {
    since: Instant,
    lines: u32,
}

impl RateLimit {
    fn admits(&self, metadata: &Metadata<'_>, now: Instant) -> bool {
        let limit = if *metadata.level() <= Level::WARN { MAX_WARNINGS } else { MAX_OTHERS };
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.entry(metadata.callsite()).or_insert(Window { since: now, lines: 0 });
        if now.saturating_duration_since(window.since) >= Duration::from_secs(1) {
            *window = Window { since: now, lines: 0 };
        }
        window.lines = window.lines.saturating_add(1);
        window.lines <= limit
    }
}

/// Keeps the bounds on the way of each line to `inner`. It decides where lines are written and not in a
/// filter, because a layer's filter that refuses an event leaves the next one of the thread refused
/// (tracing-subscriber 0.3.23).
pub(super) struct Bounded<M> {
    inner: M,
    json: bool,
    rate: RateLimit,
}

impl<M> Bounded<M> {
    pub(super) fn new(inner: M, json: bool) -> Self {
        Self { inner, json, rate: RateLimit::default() }
    }
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Bounded<M> {
    type Writer = LineWriter<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        LineWriter { inner: Some(self.inner.make_writer()), json: self.json }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Self::Writer {
        let admitted = self.rate.admits(metadata, Instant::now());
        if !admitted {
            SUPPRESSED.fetch_add(1, Ordering::Relaxed);
        }
        let inner = admitted.then(|| self.inner.make_writer_for(metadata));
        LineWriter { inner, json: self.json }
    }
}

/// Gets each line in one piece, as the formatting layer writes it, or leaves it out.
pub(super) struct LineWriter<W> {
    inner: Option<W>,
    json: bool,
}

impl<W: io::Write> io::Write for LineWriter<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(inner) = &mut self.inner {
            inner.write_all(&shorten(line, self.json))?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.as_mut().map_or(Ok(()), W::flush)
    }
}

fn shorten(line: &[u8], json: bool) -> Cow<'_, [u8]> {
    if line.len() <= MAX_LINE {
        return Cow::Borrowed(line);
    }
    let text = String::from_utf8_lossy(line);
    let mut short = if json { shorten_json(&text) } else { cut(&text, MAX_LINE - 4).to_owned() + "…" };
    short.push('\n');
    Cow::Owned(short.into_bytes())
}

/// Returns a JSON object that still is one. Where shorter values do not make the line short enough,
/// only what identifies it is left.
fn shorten_json(line: &str) -> String {
    let mut value: Value = serde_json::from_str(line).unwrap_or_default();
    shorten_strings(&mut value);
    let short = value.to_string();
    if short.len() < MAX_LINE {
        return short;
    }
    let Value::Object(fields) = value else { return "{}".to_owned() };
    let identifies = |name: &str| ["timestamp", "level", "target"].contains(&name);
    Value::Object(fields.into_iter().filter(|(name, _)| identifies(name)).collect()).to_string()
}

fn shorten_strings(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > MAX_VALUE => *text = cut(text, MAX_VALUE).to_owned() + "…",
        Value::Array(values) => values.iter_mut().for_each(shorten_strings),
        Value::Object(fields) => fields.values_mut().for_each(shorten_strings),
        _ => {}
    }
}

/// The beginning of `text`, at most `bytes` long.
fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or_default()
}
