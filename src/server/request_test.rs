//! Requests over HTTP/1 that are malformed, or whose bodies nobody reads.

use super::*;

#[tokio::test]
async fn host_is_given_exactly_once() {
    let server = start(patient(), None, 8);
    let cases = [
        ("GET / HTTP/1.1\r\nHost: a\r\n", false),
        ("GET / HTTP/1.1\r\nHost:\r\n", false),
        ("GET / HTTP/1.1\r\n", true),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", true),
        ("GET / HTTP/1.0\r\n", false),
        ("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n", true),
    ];
    for (head, refused) in cases {
        let mut client = server.connect().await;
        client.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).await.expect("writes");
        let text = rest(&mut client).await;
        assert_eq!(text.contains(" 400 "), refused, "{head} {text}");
    }
}

#[tokio::test]
async fn answer_before_the_body_closes_the_connection_and_says_so() {
    let server = start(patient(), None, 8);
    let cases = [
        ("/", "Content-Length: 100000\r\n", "begin", true),
        ("/", "Transfer-Encoding: chunked\r\n", "5\r\nbegin", true),
        ("/", "Content-Length: 100000\r\nExpect: 100-continue\r\n", "", true),
        ("/read", "Content-Length: 5\r\n", "whole", false),
        ("/read", "Transfer-Encoding: chunked\r\n", "5\r\nwhole\r\n0\r\n\r\n", false),
        ("/", "Content-Length: 0\r\n", "", false),
        ("/", "", "", false),
    ];
    for (path, headers, body, closes) in cases {
        let mut client = server.connect().await;
        let request = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n{body}");
        client.write_all(request.as_bytes()).await.expect("writes");
        let text = answer(&mut client).await;
        assert_eq!(text.contains("connection: close\r\n"), closes, "{headers} {text}");
        if closes {
            rest(&mut client).await;
        }
    }
}
