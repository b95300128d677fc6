use std::time::Duration;

use serde_json::json;
use tokio::sync::Semaphore;

use super::*;
use crate::catalog::stub::{Setup, Stub, id, says, some_games, stats, text, title, token};

const EN: Language = Language::DEFAULT;

fn states(answer: &SearchAnswer) -> Vec<(SourceName, State)> {
    answer.sources.iter().map(|source| (source.source, source.state)).collect()
}

fn titles(answer: &SearchAnswer) -> Vec<&str> {
    answer.items.iter().map(|item| item.title.as_str()).collect()
}

#[tokio::test]
async fn a_source_that_hangs_does_not_spoil_a_search() {
    let hold = Arc::new(Semaphore::new(0));
    let wait = hold.clone();
    let igdb = Stub::start(move |seen| match seen.path.as_str() {
        "/token" => token(),
        _ => says(200, json!([{"id": 1, "name": "Game"}])).when(&wait),
    })
    .await;
    let tmdb = Stub::constant(200, json!({"results": [{"media_type": "tv", "id": 2, "name": "Show"}]})).await;
    let google = Stub::constant(503, "down").await;
    let mut setup = Setup::new().tmdb(&tmdb).igdb(&igdb).google_books(&google);
    setup.timing.search_deadline = Duration::from_secs(2);
    let catalog = setup.catalog();
    let share = FairShare::new();
    let answer = catalog.search(&text("x"), &[], EN, 1, &share).await;
    assert_eq!(
        states(&answer),
        [
            (SourceName::Tmdb, State::Ok),
            (SourceName::Igdb, State::TimedOut),
            (SourceName::GoogleBooks, State::Failed)
        ]
    );
    assert_eq!(titles(&answer), ["Show"]);
    // The late answer still comes, and into the cache.
    hold.add_permits(9);
    while catalog.peek(&id("game:igdb:1"), EN).is_none() {
        tokio::task::yield_now().await;
    }
    let games = catalog.search(&text("x"), &[Kind::Game], EN, 1, &share).await;
    assert_eq!((states(&games), titles(&games)), (vec![(SourceName::Igdb, State::Ok)], vec!["Game"]));
    assert_eq!(igdb.count("/v4/games"), 1);
}

#[tokio::test]
async fn a_search_asks_what_its_kinds_need_and_mixes_the_answers() {
    let tmdb = Stub::start(|seen| match seen.path.as_str() {
        "/3/genre/tv/list" | "/3/genre/movie/list" => {
            says(200, json!({"genres": [{"id": 18, "name": "Drama"}]}))
        }
        _ => says(
            200,
            json!({"total_pages": 2, "results": [
                {"media_type": "movie", "id": 1, "title": "Dune Drifter", "name": "Dune Drifter"},
                {"media_type": "movie", "id": 2, "title": "DUNE", "name": "Dune", "genre_ids": [18]},
            ]}),
        ),
    })
    .await;
    let igdb = Stub::start(|seen| match seen.path.as_str() {
        "/token" => token(),
        _ => says(200, json!([{"id": 5, "name": "Dune II"}, {"id": 6, "name": "Dune"}])),
    })
    .await;
    let catalog = Setup::new().tmdb(&tmdb).igdb(&igdb).catalog();
    let share = FairShare::new();
    let caller = catalog.clone();
    // In a task of its own: the future must be fit for any server.
    let answer =
        tokio::spawn(async move { caller.search(&text("  Dune "), &[], EN, 1, &FairShare::new()).await })
            .await;
    let answer = answer.unwrap();
    assert_eq!(titles(&answer), ["DUNE", "Dune", "Dune Drifter", "Dune II"]);
    assert_eq!(
        answer.sources,
        [
            SourceState { source: SourceName::Tmdb, state: State::Ok, has_more: true },
            SourceState { source: SourceName::Igdb, state: State::Ok, has_more: false },
            SourceState { source: SourceName::GoogleBooks, state: State::NotConfigured, has_more: false },
        ]
    );
    assert_eq!(tmdb.count("/3/search/multi"), 1);
    // The genres are asked for before the first search and are at hand for later ones.
    assert_eq!(answer.items[0].genres, ["Drama"]);
    catalog.search(&text("dune"), &[Kind::Tv], EN, 1, &share).await;
    let movies = catalog.search(&text("dune"), &[Kind::Movie], EN, 1, &share).await;
    assert_eq!((tmdb.count("/3/search/tv"), tmdb.count("/3/search/movie")), (1, 1));
    assert_eq!(movies.items[0].genres, ["Drama"]);
    assert_eq!((tmdb.count("/3/genre/tv/list"), tmdb.count("/3/genre/movie/list")), (1, 1));
    // Hits of games are details.
    assert_eq!(title(&catalog, "game:igdb:6").await, "Dune");
    assert_eq!(igdb.count("/v4/games"), 1);
    // Nothing that could be asked for is left of this one.
    let nothing = catalog.search(&text("\";"), &[Kind::Game], EN, 1, &share).await;
    assert_eq!((states(&nothing), nothing.items.len()), (vec![(SourceName::Igdb, State::Ok)], 0));
    assert_eq!(igdb.count("/v4/games"), 1);
}

#[tokio::test]
async fn a_text_that_igdb_stumbles_over_finds_nothing() {
    let igdb = Stub::start(|seen| if seen.path == "/token" { token() } else { says(400, "[]") }).await;
    let catalog = Setup::new().igdb(&igdb).catalog();
    let answer = catalog.search(&text("where name ="), &[Kind::Game], EN, 1, &FairShare::new()).await;
    assert_eq!((states(&answer), answer.items.len()), (vec![(SourceName::Igdb, State::Ok)], 0));
    assert_eq!(stats(&catalog, SourceName::Igdb).texts_refused, 1);
}

#[tokio::test]
async fn many_games_are_one_request_and_answers_come_in_order() {
    let igdb = Stub::start(some_games).await;
    let tmdb = Stub::start(|seen| match seen.path.as_str() {
        "/3/tv/9" => says(404, json!({"success": false, "status_code": 34})),
        _ => says(200, json!({"id": 7, "title": "Seven"})),
    })
    .await;
    let catalog = Setup::new().igdb(&igdb).tmdb(&tmdb).catalog();
    let ids = [
        "game:igdb:3",
        "movie:tmdb:7",
        "game:igdb:2",
        "book:google_books:a",
        "tv:tmdb:9",
        "game:igdb:2",
        "game:igdb:1",
    ]
    .map(id);
    let caller = catalog.clone();
    let asked = ids.clone();
    let answers =
        tokio::spawn(async move { caller.media_many(&asked, EN, &FairShare::new()).await }).await.unwrap();
    let told: Vec<String> = answers
        .iter()
        .map(|(id, answer)| match answer {
            Ok(Answer::Found { item, .. }) => {
                assert_eq!(*id, item.id);
                item.title.clone()
            }
            Ok(Answer::Unknown) => "unknown".into(),
            Err(_) => "unavailable".into(),
        })
        .collect();
    assert_eq!(told, ["unknown", "Seven", "Two", "unavailable", "unknown", "Two", "One"]);
    let bodies: Vec<_> =
        igdb.seen().into_iter().filter(|seen| seen.path == "/v4/games").map(|seen| seen.body).collect();
    assert_eq!(bodies.len(), 1);
    assert!(bodies[0].ends_with("where id = (1,2,3); limit 3;"), "{}", bodies[0]);
    assert_eq!(title(&catalog, "game:igdb:3").await, "unknown");
    assert_eq!(title(&catalog, "game:igdb:1").await, "One");
    assert_eq!(igdb.count("/v4/games"), 1);
}

#[tokio::test]
async fn a_missing_translation_falls_back_to_the_default_language_once() {
    let tmdb = Stub::start(|seen| {
        let overview = if seen.query.contains("language=en-US") { "A river." } else { "" };
        says(200, json!({"id": 7, "title": "", "original_title": "Rivière", "overview": overview}))
    })
    .await;
    let catalog = Setup::new().tmdb(&tmdb).catalog();
    let german = Language::parse("de").unwrap();
    for _ in 0..2 {
        let Ok(Answer::Found { item, .. }) =
            catalog.media(&id("movie:tmdb:7"), german, &FairShare::new()).await
        else {
            panic!()
        };
        assert_eq!((item.title.as_str(), item.overview.as_deref()), ("Rivière", Some("A river.")));
    }
    assert_eq!(tmdb.seen().len(), 2);
    assert_eq!(title(&catalog, "movie:tmdb:7").await, "Rivière");
    assert_eq!(tmdb.seen().len(), 2);
}

#[tokio::test]
async fn a_request_has_these_headers_and_no_others() {
    let tmdb =
        Stub::start(|_| says(200, json!({"id": 7, "title": "Seven"})).header("set-cookie", "id=1")).await;
    let igdb = Stub::start(some_games).await;
    let google = Stub::constant(200, json!({"totalItems": 0})).await;
    let catalog = Setup::new().tmdb(&tmdb).igdb(&igdb).google_books(&google).catalog();
    title(&catalog, "movie:tmdb:7").await;
    title(&catalog, "movie:tmdb:8").await;
    catalog.search(&text("x"), &[Kind::Game, Kind::Book], EN, 1, &FairShare::new()).await;
    let get = ["accept", "accept-encoding", "host", "user-agent"];
    let get_with_token = ["accept", "accept-encoding", "authorization", "host", "user-agent"];
    let form = ["accept", "accept-encoding", "content-length", "content-type", "host", "user-agent"];
    let post = [
        "accept",
        "accept-encoding",
        "authorization",
        "client-id",
        "content-length",
        "content-type",
        "host",
        "user-agent",
    ];
    for (stub, path, method, allowed) in [
        (&tmdb, "/3/movie/7", "GET", &get_with_token[..]),
        (&tmdb, "/3/movie/8", "GET", &get_with_token[..]),
        (&igdb, "/token", "POST", &form[..]),
        (&igdb, "/v4/games", "POST", &post[..]),
        (&google, "/b/volumes", "GET", &get[..]),
    ] {
        let seen = stub.seen().into_iter().find(|seen| seen.path == path).unwrap();
        let mut names: Vec<_> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!((seen.method.as_str(), names), (method, allowed.to_vec()), "{path}");
        assert!(seen.headers.contains(&("user-agent".into(), "OmniTrack".into())));
        assert!(seen.headers.contains(&("accept-encoding".into(), "gzip".into())));
    }
}

#[test]
fn settings_that_cannot_be_used_are_told_without_secrets() {
    let mut setup = Setup::new();
    setup.sources.tmdb = Some(config::Tmdb {
        access_token: config::Secret::new("secret\nvalue"),
        base_url: "http://127.0.0.1:1".into(),
        image_base_url: "http://127.0.0.1:1".into(),
    });
    let error = Catalog::new(&setup.sources).err().unwrap();
    assert_eq!(error.source_name, SourceName::Tmdb);
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn hits_wait_for_the_names_of_their_genres_but_not_for_long() {
    let hold = Arc::new(Semaphore::new(0));
    let wait = hold.clone();
    let tmdb = Stub::start(move |seen| match seen.path.as_str() {
        "/3/genre/movie/list" => says(200, json!({"genres": [{"id": 18, "name": "Drama"}]})).when(&wait),
        _ => says(200, json!({"results": [{"id": 1, "title": "One", "genre_ids": [18]}], "total_pages": 1})),
    })
    .await;
    let mut setup = Setup::new().tmdb(&tmdb);
    let search = async |catalog: &Catalog| {
        let found = catalog.search(&text("one"), &[Kind::Movie], EN, 1, &FairShare::new()).await;
        assert_eq!(titles(&found), ["One"]);
        found.items[0].genres.clone()
    };
    let patient = setup.catalog();
    let release = async {
        while tmdb.count("/3/genre/movie/list") == 0 {
            tokio::task::yield_now().await;
        }
        // Time enough for whoever does not wait.
        for _ in 0..10_000 {
            tokio::task::yield_now().await;
        }
        hold.add_permits(1);
    };
    assert_eq!(join(search(&patient), release).await.0, ["Drama"]);
    setup.timing.genre_patience = Duration::ZERO;
    hold.forget_permits(9);
    assert!(search(&setup.catalog()).await.is_empty());
}

#[tokio::test]
async fn hits_borrow_english_overviews_that_are_at_hand() {
    let tmdb = Stub::start(|seen| {
        let english = seen.query.contains("language=en-US");
        let overview = |text: &'static str| if english { text } else { "" };
        match seen.path.as_str() {
            "/3/movie/2" => says(200, json!({"id": 2, "title": "Two", "overview": overview("Two again.")})),
            "/3/search/movie" => says(
                200,
                json!({"total_pages": 1, "results": [
                    {"id": 1, "title": "", "original_title": "Un", "overview": overview("One.")},
                    {"id": 2, "title": "Deux", "overview": ""},
                    {"id": 3, "title": "Trois", "overview": "Trois."},
                ]}),
            ),
            _ => says(200, json!({"genres": []})),
        }
    })
    .await;
    let catalog = Setup::new().tmdb(&tmdb).catalog();
    let french = Language::parse("fr").unwrap();
    let search = async |language, page| {
        let share = FairShare::new();
        let found = catalog.search(&text("x"), &[Kind::Movie], language, page, &share).await;
        let hit = |item: &Arc<MediaItem>| (item.title.clone(), item.overview.clone().unwrap_or_default());
        found.items.iter().map(hit).collect::<Vec<_>>()
    };
    let of = |rows: [(&str, &str); 3]| rows.map(|(title, text)| (title.to_owned(), text.to_owned()));
    // Nothing English is at hand: nobody is asked for it.
    assert_eq!(search(french, 2).await, of([("Un", ""), ("Deux", ""), ("Trois", "Trois.")]));
    search(EN, 1).await;
    title(&catalog, "movie:tmdb:2").await;
    let asked = tmdb.seen().len();
    assert_eq!(search(french, 1).await, of([("Un", "One."), ("Deux", "Two again."), ("Trois", "Trois.")]));
    assert_eq!(tmdb.seen().len(), asked + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_of_each_question_at_once_are_one_request_each() {
    let hold = Arc::new(Semaphore::new(0));
    let (one, two, three) = (hold.clone(), hold.clone(), hold.clone());
    let tmdb = Stub::start(move |seen| match seen.path.as_str() {
        "/3/genre/movie/list" | "/3/genre/tv/list" => says(200, json!({"genres": []})),
        "/3/movie/7" => says(200, json!({"id": 7, "title": "Seven"})).when(&one),
        "/3/find/tt0000007" => says(200, json!({"movie_results": [{"id": 7}]})).when(&one),
        _ => says(200, json!({"results": [], "total_pages": 1})).when(&one),
    })
    .await;
    let igdb = Stub::start(move |seen| match seen.path.as_str() {
        "/token" => token(),
        _ => says(200, json!([{"id": 1, "name": "One"}])).when(&two),
    })
    .await;
    let google = Stub::start(move |_| says(200, json!({"totalItems": 0})).when(&three)).await;
    let catalog = Setup::new().tmdb(&tmdb).igdb(&igdb).google_books(&google).catalog();
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..1000 {
        let clone = || (catalog.clone(), FairShare::new());
        let (caller, share) = clone();
        callers.spawn(async move { caller.search(&text("x"), &[], EN, 1, &share).await.items.len() });
        let (caller, share) = clone();
        callers
            .spawn(async move { usize::from(caller.media(&id("movie:tmdb:7"), EN, &share).await.is_ok()) });
        for kind in [Kind::Movie, Kind::Game] {
            let (caller, _) = clone();
            callers.spawn(async move {
                caller.chart(kind, Chart::Popular, EN, 1, &FairShare::new()).await.items.len()
            });
        }
        for code in [Code::isbn("9780345391803"), Code::imdb("tt0000007"), Code::address("igdb.com/games/a")]
        {
            let (caller, share) = clone();
            let code = code.unwrap();
            callers.spawn(async move { caller.find(&code, EN, &share).await.unwrap().len() });
        }
    }
    // Only when all have asked is any of them answered: nine questions, of which a search asks three.
    while catalog.stats().sources.iter().map(|stats| stats.cache_misses).sum::<u64>() < 9000 {
        tokio::task::yield_now().await;
    }
    hold.add_permits(Semaphore::MAX_PERMITS);
    assert_eq!(callers.join_all().await.len(), 7000);
    for path in
        ["/3/search/multi", "/3/movie/7", "/3/discover/movie", "/3/find/tt0000007", "/3/genre/movie/list"]
    {
        assert_eq!(tmdb.count(path), 1, "{path}");
    }
    let mut games: Vec<_> = igdb.seen().into_iter().filter(|seen| seen.path != "/token").collect();
    games.sort_by(|a, b| a.body.cmp(&b.body));
    games.dedup_by(|a, b| a.body == b.body);
    assert_eq!((games.len(), igdb.count("/v4/games"), igdb.count("/token")), (3, 3, 1));
    assert_eq!(google.count("/b/volumes"), 2);
}

#[tokio::test]
async fn codes_find_titles() {
    let tmdb = Stub::start(|seen| match seen.path.as_str() {
        "/3/find/tt0959621" => says(200, json!({"tv_episode_results": [{"id": 5, "show_id": 7}]})),
        "/3/find/81189" => says(200, json!({"tv_results": [{"id": 7, "name": "Hit"}]})),
        "/3/find/404" => says(200, json!({"movie_results": [], "tv_results": []})),
        "/3/tv/7" => says(200, json!({"id": 7, "name": "Seven", "number_of_seasons": 3})),
        _ => says(500, "down"),
    })
    .await;
    let catalog = Setup::new().tmdb(&tmdb).catalog();
    let find = async |code: Option<Code>, language| {
        let answers = catalog.find(&code.unwrap(), language, &FairShare::new()).await?;
        let found = answers.into_iter().map(|(id, answer)| match answer {
            Ok(Answer::Found { item, .. }) => format!("{} {:?}", item.title, item.season_count),
            Ok(Answer::Unknown) => format!("{id} unknown"),
            Err(_) => format!("{id} unavailable"),
        });
        Ok::<_, Unavailable>(found.collect::<Vec<_>>())
    };
    let german = Language::parse("de").unwrap();
    assert_eq!(find(Code::imdb("tt0959621"), EN).await.unwrap(), ["Seven Some(3)"]);
    assert_eq!(find(Code::tvdb(81_189), EN).await.unwrap(), ["Seven Some(3)"]);
    assert_eq!(tmdb.paths(), ["/3/find/tt0959621", "/3/tv/7", "/3/find/81189"]);
    // What a code stands for is the same in every language.
    find(Code::imdb("tt0959621"), german).await.unwrap();
    assert_eq!(tmdb.count("/3/find/tt0959621"), 1);
    for _ in 0..2 {
        assert!(find(Code::tvdb(404), EN).await.unwrap().is_empty());
    }
    assert_eq!(tmdb.count("/3/find/404"), 1);
    assert!(find(Code::tvdb(500), EN).await.is_err());
    let address = Code::address("https://www.themoviedb.org/movie/9-nine");
    assert_eq!(find(address, EN).await.unwrap(), ["movie:tmdb:9 unavailable"]);
    assert!(find(Code::isbn("0345391802"), EN).await.is_err(), "nobody to ask");
}
