use std::io::{Read as _, Write as _};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use super::*;
use crate::catalog::answer::Unavailable;
use crate::catalog::service::Catalog;
use crate::catalog::stub::{Seen, Setup, Stub, id, says, shows, text};
use crate::catalog::{FairShare, Kind, Language};

const JPEG: &[u8] = b"\xFF\xD8\xFF\xE0 a poster";
const PNG: &[u8] = b"\x89PNG\r\n\x1A\n a poster";
const WEBP: &[u8] = b"RIFF\x04\0\0\0WEBP a poster";

fn tmdb(name: &str) -> Cover {
    Cover::named(SourceName::Tmdb, name).expect("a cover")
}

async fn small(catalog: &Catalog, cover: &Cover) -> Result<Option<Vec<u8>>, Unavailable> {
    let found = catalog.picture(cover, CoverSize::Small).await?;
    Ok(found.map(|picture| picture.bytes.to_vec()))
}

#[tokio::test]
async fn every_size_of_every_source_is_asked_for_without_a_word_of_who_asks() {
    let host = Stub::start(|_| shows("image/jpeg", JPEG)).await;
    let catalog = Setup::new().tmdb(&host).igdb(&host).google_books(&host).catalog();
    let covers = [
        tmdb("aB-c_1.jpg"),
        Cover::new(SourceName::Igdb, "co1abc").unwrap(),
        Cover::new(SourceName::GoogleBooks, "zyTCAlFPjgYC").unwrap(),
    ];
    for cover in &covers {
        for size in CoverSize::ALL {
            // The stub shows a volume that nobody knows the same: see below.
            let found = catalog.picture(cover, size).await.unwrap();
            assert_eq!(found.is_some(), cover.source() != SourceName::GoogleBooks);
        }
    }
    let book =
        |id: &str, width: &str| format!("/content?id={id}&printsec=frontcover&img=1&zoom=1&fife={width}");
    let asked: Vec<String> =
        host.seen()
            .iter()
            .map(|seen| {
                if seen.query.is_empty() {
                    seen.path.clone()
                } else {
                    format!("{}?{}", seen.path, seen.query)
                }
            })
            .collect();
    assert_eq!(
        asked,
        [
            "/t/p/w154/aB-c_1.jpg",
            "/t/p/w342/aB-c_1.jpg",
            "/t/p/w780/aB-c_1.jpg",
            "/upload/t_cover_small_2x/co1abc.jpg",
            "/upload/t_cover_big/co1abc.jpg",
            "/upload/t_720p/co1abc.jpg",
            &book("zyTCAlFPjgYC", "w154"),
            &book(NO_VOLUME, "w154"),
            &book("zyTCAlFPjgYC", "w342"),
            &book(NO_VOLUME, "w342"),
            &book("zyTCAlFPjgYC", "w780"),
            &book(NO_VOLUME, "w780"),
        ]
    );
    for Seen { method, headers, body, .. } in host.seen() {
        let mut headers: Vec<_> = headers.into_iter().filter(|(name, _)| name != "host").collect();
        headers.sort();
        let expected = [
            ("accept", "image/jpeg, image/png, image/webp"),
            ("accept-encoding", "gzip"),
            ("user-agent", "OmniTrack"),
        ];
        assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!((method.as_str(), body.as_str()), ("GET", ""));
    }
}

#[tokio::test]
async fn a_picture_is_what_it_is_said_to_be_or_nothing() {
    let host = Stub::start(|seen| match seen.path.rsplit('/').next().unwrap() {
        "jpeg.jpg" => shows("image/jpeg", JPEG),
        "png.png" => shows("Image/PNG; charset=binary", PNG),
        "webp.webp" => shows("image/webp", WEBP),
        "wrong.jpg" => shows("image/jpeg", PNG),
        "page.jpg" => shows("image/jpeg", "<html><script>alert(1)</script></html>"),
        "svg.jpg" => shows("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
        "gif.jpg" => shows("image/gif", "GIF89a"),
        "untyped.jpg" => says(200, "").header("x-nothing", "1"),
        "moved.jpg" => says(302, "").header("location", "/t/p/w154/jpeg.jpg"),
        "refused.jpg" => says(403, "no"),
        _ => says(404, "Not Found"),
    })
    .await;
    let catalog = Setup::new().tmdb(&host).catalog();
    for (name, bytes) in [("jpeg.jpg", JPEG), ("png.png", PNG), ("webp.webp", WEBP)] {
        assert_eq!(small(&catalog, &tmdb(name)).await, Ok(Some(bytes.to_vec())), "{name}");
    }
    for name in ["wrong.jpg", "page.jpg", "svg.jpg", "gif.jpg", "untyped.jpg", "moved.jpg", "refused.jpg"] {
        let unavailable = Err(Unavailable { retry_after_seconds: 30 });
        assert_eq!(small(&catalog, &tmdb(name)).await, unavailable, "{name}");
        assert_eq!(host.count(&format!("/t/p/w154/{name}")), 1, "{name} is asked for once");
    }
    assert_eq!(host.count("/t/p/w154/jpeg.jpg"), 1, "no redirect is followed");
}

#[tokio::test]
async fn a_picture_that_is_not_there_is_not_asked_for_again_for_an_hour() {
    let host = Stub::constant(404, "Not Found").await;
    let setup = Setup::new().tmdb(&host);
    let catalog = setup.catalog();
    for _ in 0..3 {
        assert_eq!(small(&catalog, &tmdb("a.jpg")).await, Ok(None));
    }
    setup.pass(Duration::from_secs(3599));
    assert_eq!(small(&catalog, &tmdb("a.jpg")).await, Ok(None));
    assert_eq!(host.seen().len(), 1);
    setup.pass(Duration::from_secs(1));
    assert_eq!(small(&catalog, &tmdb("a.jpg")).await, Ok(None));
    assert_eq!(host.seen().len(), 2);
}

#[tokio::test]
async fn what_google_shows_for_a_book_it_cannot_know_is_no_cover() {
    let host = Stub::start(|seen| match seen.query.contains("id=known") {
        true => shows("image/png", PNG),
        false => shows("image/png", [PNG, seen.query.split("fife=").last().unwrap().as_bytes()].concat()),
    })
    .await;
    let catalog = Setup::new().google_books(&host).catalog();
    let book = |id| Cover::new(SourceName::GoogleBooks, id).unwrap();
    for size in CoverSize::ALL {
        for _ in 0..2 {
            assert!(catalog.picture(&book("known"), size).await.unwrap().is_some());
            assert!(catalog.picture(&book("blank"), size).await.unwrap().is_none());
        }
    }
    // Each, and once for each size the picture that stands for none.
    assert_eq!(host.seen().len(), 9);
}

#[tokio::test]
async fn a_book_has_its_cover_where_google_refuses_a_book_it_cannot_know() {
    for (status, body) in [(404, ""), (400, "{}"), (503, "backendFailed")] {
        let host = Stub::start(move |seen| match seen.query.contains("id=known") {
            true => shows("image/jpeg", JPEG),
            false => says(status, body),
        })
        .await;
        let catalog = Setup::new().google_books(&host).catalog();
        for id in ["known1", "known2"] {
            let cover = Cover::new(SourceName::GoogleBooks, id).unwrap();
            assert_eq!(small(&catalog, &cover).await, Ok(Some(JPEG.to_vec())));
        }
        assert_eq!(host.seen().len(), 3, "{status}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_who_ask_at_once_are_one_request() {
    let hold = Arc::new(tokio::sync::Semaphore::new(0));
    let wait = hold.clone();
    let host = Stub::start(move |_| shows("image/jpeg", JPEG).when(&wait)).await;
    let catalog = Setup::new().tmdb(&host).catalog();
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let catalog = catalog.clone();
        callers.spawn(async move { small(&catalog, &tmdb("a.jpg")).await });
    }
    let misses = || catalog.stats().pictures.iter().map(|stats| stats.cache_misses).sum::<u64>();
    while misses() < 200 {
        tokio::task::yield_now().await;
    }
    hold.add_permits(9);
    assert!(callers.join_all().await.into_iter().all(|found| found == Ok(Some(JPEG.to_vec()))));
    assert_eq!(host.seen().len(), 1);
}

#[tokio::test]
async fn a_picture_is_fresh_for_a_month_and_serves_longer_while_its_host_is_down() {
    let down = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_down = down.clone();
    let host = Stub::start(move |_| match is_down.load(std::sync::atomic::Ordering::SeqCst) {
        true => says(500, "down"),
        false => shows("image/jpeg", JPEG),
    })
    .await;
    let setup = Setup::new().tmdb(&host);
    let catalog = setup.catalog();
    let day = Duration::from_secs(24 * 3600);
    let found = Ok(Some(JPEG.to_vec()));
    assert_eq!(small(&catalog, &tmdb("a.jpg")).await, found);
    setup.pass(day * 29);
    down.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(small(&catalog, &tmdb("a.jpg")).await, found);
    assert_eq!(host.seen().len(), 1);
    setup.pass(day * 2);
    assert_eq!(small(&catalog, &tmdb("a.jpg")).await, found);
    // One try and one more.
    assert_eq!(host.seen().len(), 3);
    assert!(small(&catalog, &tmdb("b.jpg")).await.is_err());
}

#[tokio::test]
async fn a_host_has_an_allowance_of_its_own() {
    let host = Stub::start(|seen| match seen.path.starts_with("/t/p/") {
        true => says(429, "").header("retry-after", "60"),
        false => says(200, json!({"id": 7, "title": "Seven"})),
    })
    .await;
    let catalog = Setup::new().tmdb(&host).catalog();
    assert_eq!(small(&catalog, &tmdb("a.jpg")).await, Err(Unavailable { retry_after_seconds: 60 }));
    let title = catalog.media(&id("movie:tmdb:7"), Language::DEFAULT, &FairShare::new()).await;
    assert!(title.is_ok(), "titles are still looked up");
    assert_eq!(host.seen().len(), 2);
}

#[tokio::test]
async fn a_source_without_credentials_shows_no_pictures() {
    let catalog = Setup::new().catalog();
    assert_eq!(small(&catalog, &tmdb("a.jpg")).await, Err(Unavailable { retry_after_seconds: 3600 }));
}

#[tokio::test]
async fn a_picture_of_more_than_two_mebibytes_is_none() {
    let sized = |size: usize| [JPEG, &vec![0; size - JPEG.len()]].concat();
    let host = Stub::start(move |seen| match seen.path.ends_with("large.jpg") {
        true => shows("image/jpeg", sized(MAX_PICTURE + 1)),
        false => shows("image/jpeg", sized(MAX_PICTURE)),
    })
    .await;
    let catalog = Setup::new().tmdb(&host).catalog();
    assert!(small(&catalog, &tmdb("large.jpg")).await.is_err());
    assert_eq!(small(&catalog, &tmdb("a.jpg")).await.unwrap().map(|bytes| bytes.len()), Some(MAX_PICTURE));
}

#[tokio::test]
async fn a_picture_that_does_not_end_is_left() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let endless = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: image/jpeg\r\n\r\n");
        let mut sent = 0_u64;
        // Ends when the other side hangs up, or after far more than anybody should read.
        while sent < 1 << 30 && stream.write_all(&[0xFF; 16_384]).is_ok() {
            sent += 16_384;
        }
        sent
    });
    let stub = Stub::constant(200, "").await;
    let mut setup = Setup::new().tmdb(&stub);
    setup.sources.tmdb.as_mut().unwrap().image_base_url = format!("http://{address}");
    assert!(small(&setup.catalog(), &tmdb("a.jpg")).await.is_err());
    let sent = endless.join().unwrap();
    assert!(sent < 64 << 20, "{sent} bytes were taken");
}

#[tokio::test]
async fn one_bound_holds_for_pictures_and_titles_together() {
    let host = Stub::start(|seen| match seen.path.starts_with("/t/p/") {
        true => shows("image/jpeg", [JPEG, &[0; 50_000]].concat()),
        false => says(200, json!({"results": [{"id": 7, "title": "Seven"}], "total_pages": 1})),
    })
    .await;
    let mut setup = Setup::new().tmdb(&host);
    setup.sources.cache_bytes = 500_000;
    let catalog = setup.catalog();
    let words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    for word in words {
        let name = format!("{word}.jpg");
        let covers = ["a", "b", "c"].map(|letter| tmdb(&format!("{letter}{name}")));
        join_all(covers.iter().map(|cover| small(&catalog, cover))).await;
        catalog.search(&text(word), &[Kind::Movie], Language::DEFAULT, 1, &FairShare::new()).await;
    }
    catalog.settle();
    let stats = catalog.stats();
    assert!(stats.cache_bytes <= 500_000, "{}", stats.cache_bytes);
    assert!(stats.cache_bytes > 200_000, "pictures are kept: {}", stats.cache_bytes);
}
