use super::*;

fn title(text: &str) -> Option<String> {
    match read(text)? {
        Code::Title(id) => Some(id.to_string()),
        Code::Slug(slug) => Some(format!("slug {}", slug.as_str())),
        Code::Imdb(id) => Some(id.as_str().to_owned()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn pages_of_the_sources_are_read_in_all_their_forms() {
    for (text, expected) in [
        ("https://www.themoviedb.org/movie/603", "movie:tmdb:603"),
        ("https://www.themoviedb.org/movie/603-the-matrix?language=de-DE#cast", "movie:tmdb:603"),
        ("themoviedb.org/movie/603-the-matrix", "movie:tmdb:603"),
        ("HTTP://WWW.THEMOVIEDB.ORG/movie/603/", "movie:tmdb:603"),
        ("https://www.themoviedb.org:443/movie/603", "movie:tmdb:603"),
        ("https://www.themoviedb.org/movie/603-matrix/cast", "movie:tmdb:603"),
        ("https://www.themoviedb.org/de/tv/1399", "tv:tmdb:1399"),
        ("https://www.themoviedb.org/pt-BR/tv/1399-game-of-thrones/season/1/episode/2", "tv:tmdb:1399"),
        ("  https://www.themoviedb.org/tv/1399-game-of-thrones/seasons\n", "tv:tmdb:1399"),
        ("https://www.igdb.com/games/hades--1", "slug hades--1"),
        ("igdb.com/games/portal-2/reviews?utm_source=share", "slug portal-2"),
        ("https://www.imdb.com/title/tt0133093/?ref_=nv_sr_srsg_0", "tt0133093"),
        ("https://m.imdb.com/title/tt0133093", "tt0133093"),
        ("imdb.com/de/title/tt0133093/fullcredits", "tt0133093"),
        ("https://books.google.com/books?id=zyTCAlFPjgYC&pg=PA1&dq=google", "book:google_books:zyTCAlFPjgYC"),
        ("http://books.google.co.uk/books?pg=PA1&id=zyTCAlFPjgYC", "book:google_books:zyTCAlFPjgYC"),
        (
            "https://books.google.de/books/about/The_Google_Story.html?id=zyTCAlFPjgYC",
            "book:google_books:zyTCAlFPjgYC",
        ),
        ("https://books.google.com/books/about/?id=zyTCAlFPjgYC", "book:google_books:zyTCAlFPjgYC"),
        ("https://books.google.com.br/?id=zyTCAlFPjgYC", "book:google_books:zyTCAlFPjgYC"),
        ("https://www.google.de/books/edition/_/zyTCAlFPjgYC?hl=de&gbpv=1", "book:google_books:zyTCAlFPjgYC"),
        ("google.com/books/edition/The_Google_Story/zyTCAlFPjgYC", "book:google_books:zyTCAlFPjgYC"),
    ] {
        assert_eq!(title(text).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn other_hosts_ports_people_and_pages_are_not() {
    for text in [
        "",
        "603",
        "https://",
        "https:///movie/603",
        "//www.themoviedb.org/movie/603",
        "https://themoviedb.org.evil.example/movie/603",
        "https://evil-themoviedb.org/movie/603",
        "https://m.themoviedb.org/movie/603",
        "https://themoviedb.org./movie/603",
        "https://www.www.themoviedb.org/movie/603",
        "https://www.books.google.com/books?id=zyTCAlFPjgYC",
        "https://api.themoviedb.org/3/movie/603",
        "https://www.themoviedb.org:8443/movie/603",
        "http://www.themoviedb.org:443/movie/603",
        "https://www.themoviedb.org@evil.example/movie/603",
        "https://evil.example@www.themoviedb.org/movie/603",
        "https://@www.themoviedb.org/movie/603",
        "https://evil.example\\@www.themoviedb.org/movie/603",
        "https://evil.example/https://www.themoviedb.org/movie/603",
        "https://evil.example?www.themoviedb.org/movie/603",
        "https://evil.example#@www.themoviedb.org/movie/603",
        "ftp://www.themoviedb.org/movie/603",
        "javascript://www.themoviedb.org/movie/603",
        "https://www.themoviedb.org/mo\tvie/603",
        "https://www.themoviedb.org/movie/603 and more",
        "https://www.themoviedb.org/",
        "https://www.themoviedb.org/movie",
        "https://www.themoviedb.org/movie/",
        "https://www.themoviedb.org/movie/0",
        "https://www.themoviedb.org/movie/0603",
        "https://www.themoviedb.org/movie/603abc",
        "https://www.themoviedb.org/movie/99999999999",
        "https://www.themoviedb.org/movie/%36%30%33",
        "https://www.themoviedb.org/movie/../person/603",
        "https://www.themoviedb.org/person/6384",
        "https://www.themoviedb.org/collection/2344",
        "https://www.igdb.com/companies/valve",
        "https://www.igdb.com/games/Portal",
        "https://www.igdb.com/games/portal%22;fields%20*",
        "https://www.igdb.com/games/../users/me",
        "https://www.imdb.com/name/nm0000206",
        "https://www.imdb.com/title/603",
        "https://pro.imdb.com/title/tt0133093",
        "https://books.google.com/books?id=",
        "https://books.google.com/books?id=a&id=b",
        "https://books.google.com/books?id=../volumes",
        "https://books.google.evil/books?id=zyTCAlFPjgYC",
        "https://books.google.com.evil/books?id=zyTCAlFPjgYC",
        "https://google.com/?id=zyTCAlFPjgYC",
        "https://www.google.com/search?id=zyTCAlFPjgYC",
        "https://www.google.com/books/edition/zyTCAlFPjgYC",
        "https://127.0.0.1/movie/603",
        "https://[::1]/movie/603",
    ] {
        assert_eq!(title(text), None, "{text}");
    }
    assert_eq!(read(&format!("themoviedb.org/movie/603?{}", "x".repeat(MAX_LEN))), None);
}
