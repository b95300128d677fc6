use std::io;

use bytes::Bytes;
use futures_util::stream;

use super::*;
use crate::admission::ByteBudget;

const WINDOW: Duration = Duration::from_millis(20);
const BOUNDS: Bounds = Bounds { bytes: 1000, window: WINDOW, least: 10 };

/// Pieces of these lengths, one each time that so long has passed.
fn pieces(lengths: &'static [usize], pause: Duration) -> Body {
    Body::from_bytes_stream(stream::iter(lengths).then(move |length| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, io::Error>(Bytes::from(vec![b'x'; *length]))
    }))
}

/// These pieces at once, and then nothing for ever.
fn stalled(lengths: &'static [usize]) -> Body {
    let pieces = stream::iter(lengths).map(|length| Ok::<_, io::Error>(Bytes::from(vec![b'x'; *length])));
    Body::from_bytes_stream(pieces.chain(stream::pending()))
}

async fn read_within(body: Body, declared: Option<usize>, budget: usize) -> Result<usize, Unread> {
    let budget = ByteBudget::new(budget, budget);
    let mut reservation = budget.reserve(1).unwrap();
    let read = collect(body, declared, BOUNDS, &mut reservation).await;
    drop(reservation);
    assert_eq!(budget.used(), 0);
    read.map(|bytes| bytes.len())
}

#[tokio::test]
async fn body_is_read_to_its_bound_and_not_beyond() {
    let too_large = Err(Unread::TooLarge { limit: 1000 });
    assert_eq!(read_within(pieces(&[400, 600], Duration::ZERO), None, 10_000).await, Ok(1000));
    assert_eq!(read_within(pieces(&[400, 600, 1], Duration::ZERO), None, 10_000).await, too_large);
    // By what it declares, before anything is read: this one never ends.
    assert_eq!(read_within(stalled(&[]), Some(1001), 10_000).await, too_large);
}

#[tokio::test]
async fn body_without_room_is_refused() {
    let no_room = Err(Unread::NoRoom(Exhausted::Share));
    assert_eq!(read_within(pieces(&[400, 600], Duration::ZERO), None, 1_511).await, no_room);
    assert_eq!(read_within(pieces(&[400, 600], Duration::ZERO), None, 1_512).await, Ok(1000));
    assert_eq!(read_within(stalled(&[]), Some(1000), 1_511).await, no_room);
}

#[tokio::test]
async fn body_that_stalls_is_cut_off_however_much_came_before() {
    assert_eq!(read_within(stalled(&[9]), None, 10_000).await, Err(Unread::TooSlow));
    assert_eq!(read_within(stalled(&[900]), None, 10_000).await, Err(Unread::TooSlow));
}

#[tokio::test]
async fn body_that_drips_below_the_least_rate_is_cut_off() {
    // Two or three of the ten bytes arrive in each window.
    let drips = pieces(&[1; 1000], Duration::from_millis(8));
    assert_eq!(read_within(drips, None, 10_000).await, Err(Unread::TooSlow));
}

#[tokio::test]
async fn body_above_the_least_rate_may_take_many_windows() {
    // The next piece is due before each window ends, and what is due is taken before the window is judged.
    let steady = pieces(&[100; 10], WINDOW / 4);
    assert_eq!(read_within(steady, None, 10_000).await, Ok(1000));
}

#[tokio::test]
async fn body_that_breaks_off_is_told_apart() {
    let broken = stream::iter([Ok(Bytes::from_static(b"x")), Err(io::Error::other("reset"))]);
    let read = read_within(Body::from_bytes_stream(broken), None, 10_000).await;
    assert_eq!(read, Err(Unread::EndedEarly));
}

#[test]
fn only_the_identity_coding_is_taken() {
    let judge = |lines: &[&str]| {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::CONTENT_ENCODING, line.parse().unwrap());
        }
        refuse_compressed(&headers)
    };
    for lines in [&[][..], &["identity"], &["Identity, identity"], &[""]] {
        assert!(judge(lines).is_ok(), "{lines:?}");
    }
    for lines in [&["gzip"][..], &["identity, br"], &["identity", "zstd"], &["x-unknown"]] {
        let problem = judge(lines).unwrap_err();
        assert_eq!(problem.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(problem.headers, [(header::ACCEPT_ENCODING, "identity".parse().unwrap())]);
    }
}
