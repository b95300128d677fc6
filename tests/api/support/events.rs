//! Listening to a stream of events, as a phone does.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use poem::Body;
use serde_json::Value;

/// How long any event is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Revision(i64),
    /// A comment.
    Beat,
    Bye,
}

pub struct EventReader {
    parts: BoxStream<'static, Vec<u8>>,
    text: String,
}

impl EventReader {
    pub fn new(body: Body) -> Self {
        let parts = body.into_bytes_stream().map(|part| part.expect("a stream that does not break").to_vec());
        Self { parts: parts.boxed(), text: String::new() }
    }

    /// The next event or comment; none at the end.
    pub async fn next(&mut self) -> Option<Event> {
        tokio::time::timeout(PATIENCE, self.read()).await.expect("an event")
    }

    /// The next event that is no comment.
    pub async fn event(&mut self) -> Option<Event> {
        loop {
            match self.next().await {
                Some(Event::Beat) => {}
                event => return event,
            }
        }
    }

    /// The next revision that is told.
    pub async fn revision(&mut self) -> i64 {
        match self.event().await {
            Some(Event::Revision(revision)) => revision,
            other => panic!("{other:?} instead of a revision"),
        }
    }

    /// Fails unless the stream says goodbye and ends, with nothing but comments before.
    pub async fn expect_bye(mut self) {
        assert_eq!(self.event().await, Some(Event::Bye));
        assert_eq!(self.next().await, None);
    }

    async fn read(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let event = parse(event);
                self.text = rest.to_owned();
                return Some(event);
            }
            match self.parts.next().await {
                Some(part) => self.text.push_str(std::str::from_utf8(&part).expect("text")),
                None => {
                    assert_eq!(self.text, "", "half an event");
                    return None;
                }
            }
        }
    }
}

fn parse(text: &str) -> Event {
    if text == ":" {
        return Event::Beat;
    }
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    let data: Value = serde_json::from_str(&field("data: ").expect("data")).expect("JSON");
    let revision = data["revision"].as_i64().expect("a revision");
    match field("event: ").as_deref() {
        Some("revision") => {
            assert_eq!(field("id: ").expect("an id"), revision.to_string());
            Event::Revision(revision)
        }
        Some("bye") => Event::Bye,
        other => panic!("an event {other:?}"),
    }
}
