use super::*;

#[test]
fn ids_that_are_right_come_back_unchanged() {
    for (text, kind, source, id) in [
        ("movie:tmdb:603", Kind::Movie, SourceName::Tmdb, "603"),
        ("tv:tmdb:2147483647", Kind::Tv, SourceName::Tmdb, "2147483647"),
        ("game:igdb:9223372036854775807", Kind::Game, SourceName::Igdb, "9223372036854775807"),
        ("book:google_books:zyTCAlFPjgYC", Kind::Book, SourceName::GoogleBooks, "zyTCAlFPjgYC"),
        ("book:google_books:_-a", Kind::Book, SourceName::GoogleBooks, "_-a"),
    ] {
        let parsed: MediaId = text.parse().unwrap();
        assert_eq!(
            (parsed.kind(), parsed.source(), parsed.source_id(), parsed.as_str()),
            (kind, source, id, text)
        );
        assert_eq!(parsed.to_string(), text);
        assert_eq!(serde_json::to_string(&parsed).unwrap(), format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<MediaId>(&format!("\"{text}\"")).unwrap(), parsed);
        assert!(text.len() <= MediaId::MAX_LEN);
    }
}

#[test]
fn ids_that_are_wrong_say_why() {
    let forty_one = format!("book:google_books:{}", "a".repeat(41));
    for (text, error) in [
        ("", MediaIdError::Form),
        ("movie:603", MediaIdError::Form),
        ("film:tmdb:603", MediaIdError::UnknownKind),
        ("Movie:tmdb:603", MediaIdError::UnknownKind),
        ("movie:imdb:603", MediaIdError::UnknownSource),
        ("movie:igdb:603", MediaIdError::WrongSource),
        ("book:tmdb:603", MediaIdError::WrongSource),
        ("movie:tmdb:", MediaIdError::TmdbId),
        ("movie:tmdb:0", MediaIdError::TmdbId),
        ("movie:tmdb:0603", MediaIdError::TmdbId),
        ("movie:tmdb:+603", MediaIdError::TmdbId),
        ("movie:tmdb:-603", MediaIdError::TmdbId),
        ("movie:tmdb:603 ", MediaIdError::TmdbId),
        ("movie:tmdb:603:1", MediaIdError::TmdbId),
        ("movie:tmdb:603/credits", MediaIdError::TmdbId),
        ("movie:tmdb:2147483648", MediaIdError::TmdbId),
        ("game:igdb:9223372036854775808", MediaIdError::IgdbId),
        ("game:igdb:1942;", MediaIdError::IgdbId),
        ("game:igdb:99999999999999999999999", MediaIdError::IgdbId),
        ("book:google_books:", MediaIdError::GoogleBooksId),
        ("book:google_books:a/b", MediaIdError::GoogleBooksId),
        ("book:google_books:..", MediaIdError::GoogleBooksId),
        ("book:google_books:ä", MediaIdError::GoogleBooksId),
        (forty_one.as_str(), MediaIdError::GoogleBooksId),
    ] {
        assert_eq!(text.parse::<MediaId>(), Err(error), "{text}");
    }
}

#[test]
fn ids_are_ordered_by_their_text() {
    let mut ids: Vec<MediaId> = ["tv:tmdb:1", "movie:tmdb:9", "game:igdb:1", "movie:tmdb:10"]
        .iter()
        .map(|id| id.parse().unwrap())
        .collect();
    ids.sort();
    let sorted: Vec<_> = ids.iter().map(MediaId::as_str).collect();
    assert_eq!(sorted, ["game:igdb:1", "movie:tmdb:10", "movie:tmdb:9", "tv:tmdb:1"]);
}
