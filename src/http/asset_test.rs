use std::io::Read as _;

use flate2::read::GzDecoder;

use super::*;

fn ask(headers: &[(&str, &str)]) -> Request {
    headers.iter().fold(Request::builder(), |request, (name, value)| request.header(*name, *value)).finish()
}

fn header(response: &Response, name: &str) -> String {
    response.header(name).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn gzip_is_sent_to_who_accepts_it() {
    let asset = Asset::new("text/html", "a document ".repeat(100));
    let plain = asset.respond(&ask(&[]));
    let gzip = asset.respond(&ask(&[("accept-encoding", "br, gzip;q=0.5")]));
    for response in [&plain, &gzip] {
        assert_eq!(header(response, "vary"), "Accept-Encoding");
        assert_eq!(header(response, "content-type"), "text/html");
    }
    assert_eq!(header(&plain, "content-encoding"), "");
    assert_eq!(header(&gzip, "content-encoding"), "gzip");
    assert_ne!(header(&plain, "etag"), header(&gzip, "etag"));
    let compressed = gzip.into_body().into_vec().await.expect("a body");
    let mut text = String::new();
    GzDecoder::new(compressed.as_slice()).read_to_string(&mut text).expect("gzip");
    assert!(compressed.len() < text.len() / 10);
    assert_eq!(text, plain.into_body().into_string().await.expect("a body"));
}

#[tokio::test]
async fn known_document_is_not_sent_again() {
    let asset = Asset::new("text/html", "a document".to_owned());
    for coding in ["identity", "gzip"] {
        let encoding = ("accept-encoding", coding);
        let etag = header(&asset.respond(&ask(&[encoding])), "etag");
        let again = asset.respond(&ask(&[encoding, ("if-none-match", &etag)]));
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(header(&again, "etag"), etag);
        let other = if coding == "gzip" { "identity" } else { "gzip" };
        let other = asset.respond(&ask(&[("accept-encoding", other), ("if-none-match", &etag)]));
        assert_eq!(other.status(), StatusCode::OK, "a tag names one coding");
    }
}

#[tokio::test]
async fn answers_share_one_body() {
    let asset = Asset::new("text/html", "a document".to_owned());
    let body = asset.respond(&ask(&[])).into_body().into_bytes().await.expect("a body");
    assert_eq!(body.as_ptr(), asset.plain.body.as_ptr());
}

#[test]
fn accept_encoding_is_read_with_its_weights() {
    let accepts = |value: &str| accepts_gzip(ask(&[("accept-encoding", value)]).headers());
    for value in ["gzip", "GZIP", "deflate, gzip ;q=0.1", "*", "br;q=1, *;q=0.1", "x-gzip"] {
        assert!(accepts(value), "{value}");
    }
    for value in ["", "br", "gzip;q=0", "gzip;q=0.0, *", "*;q=0", "gzip;q=much", "identity"] {
        assert!(!accepts(value), "{value}");
    }
    assert!(!accepts_gzip(&HeaderMap::new()));
}
