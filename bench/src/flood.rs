//! A stand-in of TMDB that has an answer to every search, each with titles of its own: what fills a
//! cache. The project's other stand-ins know a few dozen titles only.

use std::net::SocketAddr;

use poem::endpoint::make;
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::{Request, Response, Server};
use serde_json::{Value, json};

use crate::Result;

const TITLES: u64 = 40;
/// As long as overviews are.
const SENTENCE: &str = "Somebody leaves home, loses the way, and comes back with more than was taken along. ";

/// Starts it; it ends with the process.
pub async fn start() -> Result<SocketAddr> {
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await?;
    let address = acceptor.local_addr().first().and_then(|local| local.as_socket_addr().copied());
    let answer = make(async |request: Request| {
        let genres = request.uri().path().contains("/genre/");
        let body =
            if genres { json!({"genres": []}) } else { page(request.uri().query().unwrap_or_default()) };
        Ok::<_, poem::Error>(Response::builder().content_type("application/json").body(body.to_string()))
    });
    tokio::spawn(Server::new_with_acceptor(acceptor).run(answer));
    address.ok_or_else(|| "no address".into())
}

/// Titles whose ids follow from the number in the search text.
fn page(query: &str) -> Value {
    let digits: String = query.chars().filter(char::is_ascii_digit).take(6).collect();
    let first = 1 + TITLES * digits.parse::<u64>().unwrap_or_default();
    let title = |id: u64| {
        json!({
            "id": id,
            "title": format!("The long way home, part {id}"),
            "original_title": format!("Der lange Weg nach Hause, Teil {id}"),
            "release_date": "2001-05-17",
            "overview": SENTENCE.repeat(4),
            "poster_path": format!("/poster{id}.jpg"),
            "genre_ids": [],
        })
    };
    json!({
        "page": 1,
        "results": (first..first + TITLES).map(title).collect::<Vec<_>>(),
        "total_pages": 1,
        "total_results": TITLES,
    })
}
