use super::*;
use crate::catalog::chart::Chart;
use crate::catalog::code::Code;

fn base() -> Url {
    Url::parse("http://127.0.0.1:9/v").unwrap()
}

fn secret(text: &'static str) -> HeaderValue {
    HeaderValue::from_static(text)
}

fn text(raw: &str) -> SearchText {
    SearchText::parse(raw).unwrap()
}

fn igdb_body(lookup: &IgdbLookup) -> String {
    let request = igdb(&base(), &secret("id"), &secret("Bearer t"), lookup);
    assert_eq!(request.url().as_str(), "http://127.0.0.1:9/v/games");
    String::from_utf8(request.body().unwrap().as_bytes().unwrap().to_vec()).unwrap()
}

#[test]
fn tmdb_gets_text_page_and_language() {
    let language = Language::parse("de").unwrap();
    let search = TmdbLookup::Search { scope: TmdbScope::Both, text: text("Tom & Jerry?"), page: 3, language };
    let request = tmdb(&base(), &secret("Bearer t"), &search);
    assert_eq!(
        request.url().as_str(),
        "http://127.0.0.1:9/v/search/multi?query=tom+%26+jerry%3F&include_adult=false&language=de-DE&page=3"
    );
    let movie = tmdb(&base(), &secret("Bearer t"), &TmdbLookup::Movie { id: 603, language });
    assert_eq!(
        movie.url().as_str(),
        "http://127.0.0.1:9/v/movie/603?language=de-DE&append_to_response=credits%2Cexternal_ids"
    );
    let mut names: Vec<_> = movie.headers().keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "authorization"]);
}

#[test]
fn nobody_ends_the_string_of_an_igdb_query() {
    for raw in [
        r#"zelda"; fields *; limit 500; search "x"#,
        r#"zelda\"; fields *;"#,
        "\"\\;zelda\\",
        "zelda\u{201d}",
        "zel\ndа",
    ] {
        let body = igdb_body(&IgdbLookup::Search { text: IgdbText::new(&text(raw)).unwrap(), page: 1 });
        let (start, rest) = body.split_once('"').unwrap();
        let (literal, rest) = rest.split_once('"').unwrap();
        assert_eq!(start, "search ");
        assert!(!literal.contains(['\\', ';', '\n']), "{literal}");
        assert!(rest.starts_with("; fields name,") && rest.ends_with("limit 20; offset 0;"), "{rest}");
        assert!(!rest.contains(['"', '*']));
    }
    assert!(IgdbText::new(&text(r#"";\ "#)).is_none());
}

#[test]
fn games_are_asked_for_together_with_a_limit() {
    let body = igdb_body(&IgdbLookup::Games { ids: [7, 1942].into() });
    assert!(body.ends_with("where id = (7,1942); limit 2;"), "{body}");
    let page = IgdbLookup::Search { text: IgdbText::new(&text("x-men")).unwrap(), page: 3 };
    assert!(igdb_body(&page).ends_with("offset 40;"));
}

#[test]
fn google_gets_words_without_operators() {
    for (raw, q) in [
        ("inauthor:Orwell", "inauthor orwell"),
        ("2001: A Space Odyssey", "2001 a space odyssey"),
        ("\"dune\" -messiah", "dune messiah"),
        ("cats OR dogs", "cats or dogs"),
        ("catch-22", "catch-22"),
        ("(it | us)*", "it us"),
        ("a & b=c#d", "a & b=c#d"),
    ] {
        let lookup = GoogleBooksLookup::Search { text: GoogleBooksText::new(&text(raw)).unwrap(), page: 2 };
        let request = google_books(&base(), "k&y", &lookup);
        let pairs: Vec<_> = request.url().query_pairs().into_owned().collect();
        let find = |name: &str| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.as_str());
        assert_eq!(find("q"), Some(q), "{raw}");
        assert_eq!(find("startIndex"), Some("20"));
        assert_eq!(find("key"), Some("k&y"));
        assert_eq!(find("country"), Some("US"));
        assert_eq!(pairs.len(), 7);
        assert_eq!(request.headers().len(), 1);
    }
    assert!(GoogleBooksText::new(&text(": - \"")).is_none());
    let id = "book:google_books:a-B_9".parse().unwrap();
    let volume = google_books(&base(), "k", &GoogleBooksLookup::Volume { id });
    assert_eq!(volume.url().as_str(), "http://127.0.0.1:9/v/volumes/a-B_9?country=US&key=k");
}

#[test]
fn the_secret_goes_in_the_body() {
    let url = Url::parse("http://127.0.0.1:9/token").unwrap();
    let request = twitch_token(&url, "me", "a&b=c");
    assert_eq!(request.url(), &url);
    let body = request.body().unwrap().as_bytes().unwrap();
    assert_eq!(body, b"client_id=me&client_secret=a%26b%3Dc&grant_type=client_credentials");
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn charts_hold_a_page_a_language_and_at_most_a_day() {
    let german = Language::parse("de").unwrap();
    let asked = |kind, chart| match Lookup::chart(kind, chart, day("2026-08-14"), german, 2) {
        Some(Lookup::Tmdb(lookup)) => {
            let request = tmdb(&base(), &secret("Bearer t"), &lookup);
            request.url().as_str().replace("http://127.0.0.1:9", "")
        }
        Some(Lookup::Igdb(lookup)) => igdb_body(&lookup).split_once(" where ").unwrap().1.to_owned(),
        _ => "nothing".to_owned(),
    };
    let filter = "version_parent = null & (themes = null | themes != (42))";
    for (kind, chart, expected) in [
        (Kind::Movie, Chart::Trending, "/v/trending/movie/week?language=de-DE&page=2".to_owned()),
        (Kind::Tv, Chart::Trending, "/v/trending/tv/week?language=de-DE&page=2".to_owned()),
        (
            Kind::Movie,
            Chart::Popular,
            "/v/discover/movie?language=de-DE&page=2&include_adult=false&sort_by=popularity.desc".to_owned(),
        ),
        (
            Kind::Movie,
            Chart::Upcoming,
            "/v/discover/movie?language=de-DE&page=2&include_adult=false&sort_by=popularity.desc\
             &primary_release_date.gte=2026-08-14"
                .to_owned(),
        ),
        (
            Kind::Tv,
            Chart::Upcoming,
            "/v/discover/tv?language=de-DE&page=2&include_adult=false&sort_by=popularity.desc\
             &first_air_date.gte=2026-08-14"
                .to_owned(),
        ),
        (
            Kind::Game,
            Chart::Trending,
            format!(
                "{filter} & hypes != null & first_release_date >= 1778889600 & first_release_date < 1786665600; \
                 sort hypes desc; limit 20; offset 20;"
            ),
        ),
        (
            Kind::Game,
            Chart::Popular,
            format!(
                "{filter} & total_rating_count != null; sort total_rating_count desc; limit 20; offset 20;"
            ),
        ),
        (
            Kind::Game,
            Chart::Upcoming,
            format!(
                "{filter} & hypes != null & first_release_date >= 1786665600; sort hypes desc; limit 20; offset 20;"
            ),
        ),
        (Kind::Book, Chart::Popular, "nothing".to_owned()),
    ] {
        assert_eq!(asked(kind, chart), expected, "{kind} {chart:?}");
    }
}

#[test]
fn a_code_is_all_that_a_source_gets_of_it() {
    let find = |lookup: TmdbLookup| tmdb(&base(), &secret("Bearer t"), &lookup).url().to_string();
    let Some(Code::Imdb(imdb)) = Code::imdb("tt0133093") else { panic!() };
    let Some(Code::Tvdb(tvdb)) = Code::tvdb(121_361) else { panic!() };
    assert_eq!(
        find(TmdbLookup::FindImdb(imdb)),
        "http://127.0.0.1:9/v/find/tt0133093?external_source=imdb_id"
    );
    assert_eq!(find(TmdbLookup::FindTvdb(tvdb)), "http://127.0.0.1:9/v/find/121361?external_source=tvdb_id");
    let Some(Code::Slug(slug)) = Code::address("igdb.com/games/hades--1?utm_source=x#y") else { panic!() };
    assert!(igdb_body(&IgdbLookup::Slug { slug }).ends_with("; where slug = \"hades--1\"; limit 1;"));
    let Some(Code::Isbn(isbn)) = Code::isbn("ISBN 0-345-39180-2") else { panic!() };
    let request = google_books(&base(), "k", &GoogleBooksLookup::Isbn { isbn });
    let pairs: Vec<_> = request.url().query_pairs().into_owned().collect();
    assert_eq!(pairs[0], ("q".into(), "isbn:9780345391803".into()));
    assert!(pairs.contains(&("maxAllowedMaturityRating".into(), "not-mature".into())));
}
