use super::*;

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
