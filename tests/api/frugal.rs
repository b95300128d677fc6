//! What asks for the same thing is the same question, however it is put and however many put it.

use futures_util::future::join_all;
use omnitrack::demo::standin::{Fault, Source};

use crate::support::app::TestApp;
use crate::support::both;

const SOURCES: [Source; 3] = [Source::Tmdb, Source::Igdb, Source::GoogleBooks];

/// How many requests have come to each source, names of genres left out.
fn counts(t: &TestApp) -> [usize; 3] {
    SOURCES.map(|source| {
        let requests = t.stand_ins.requests(source);
        requests.iter().filter(|request| !request.target.contains("/genre/")).count()
    })
}

both! {
    async fn one_question_in_many_words_is_one_request(t: TestApp) {
        for path in [
            "/v1/search?q=Dune&kind=movie,tv&language=de",
            "/v1/search?q=dune&kind=tv,movie&language=de-DE",
            "/v1/search?kind=movie,tv,movie,tv&q=++DUNE+&language=de-AT",
            "/v1/search?language=DE-de&q=%20dune&kind=tv,tv,movie&page=1",
            "/v1/search?page=1&kind=tv%2Cmovie&q=du%C2%ADne&language=de-Latn-CH",
        ] {
            t.alice.get(path).send().await.expect(200);
            assert_eq!(counts(&t), [1, 0, 0], "{path}");
        }
        // What differs in a source's eyes is another one.
        for (path, count) in [
            ("/v1/search?q=d%C3%BCne&kind=movie,tv&language=de", 2),
            ("/v1/search?q=dune&kind=movie&language=de", 3),
            ("/v1/search?q=dune&kind=movie,tv&language=pt-BR", 4),
            ("/v1/search?q=dune&kind=movie,tv&language=pt", 5),
            ("/v1/search?q=dune&kind=movie,tv&language=de&page=2", 6),
        ] {
            t.alice.get(path).send().await.expect(200);
            assert_eq!(counts(&t), [count, 0, 0], "{path}");
        }
    }

    async fn a_language_is_told_only_where_it_matters(t: TestApp) {
        for language in ["de", "fr", "ja-JP", "tlh"] {
            for path in [
                "/v1/search?q=portal&kind=game,book",
                "/v1/media?ids=game:igdb:72,book:google_books:zyTCAlFPjgYC",
                "/v1/discover/game?list=popular",
                "/v1/media/lookup?isbn=9780345391803",
            ] {
                let separator = if path.contains('?') { '&' } else { '?' };
                t.alice.get(&format!("{path}{separator}language={language}")).send().await.expect(200);
            }
        }
        // Hits of games are details, so the batch asks for none.
        assert_eq!(counts(&t), [0, 2, 3]);
        for language in ["de", "de-CH", "DE", "de-Latn-AT"] {
            t.alice.get(&format!("/v1/media/movie:tmdb:603?language={language}")).send().await.expect(200);
            t.alice.get(&format!("/v1/discover/tv?language={language}&list=trending")).send().await.expect(200);
            t.alice.get(&format!("/v1/media/lookup?imdb_id=tt0133093&language={language}")).send().await.expect(200);
        }
        assert_eq!(counts(&t), [3, 2, 3]);
    }

    async fn a_crowd_with_one_question_is_one_request(t: TestApp) {
        SOURCES.into_iter().for_each(|source| t.stand_ins.fault(source, Some(Fault::Hang)));
        let crowd = ["/v1/search?q=dune&kind=movie", "/v1/media/tv:tmdb:1396", "/v1/media/lookup?isbn=9780345391803"]
            .into_iter()
            .flat_map(|path| (0..20).map(move |_| path))
            .map(|path| t.alice.get(path).send());
        let release = async {
            // The names of genres, the search and the series.
            t.stand_ins.arrived(Source::Tmdb, 3).await;
            t.stand_ins.arrived(Source::GoogleBooks, 1).await;
            SOURCES.into_iter().for_each(|source| t.stand_ins.fault(source, None));
        };
        let (answers, ()) = futures_util::join!(join_all(crowd), release);
        assert!(answers.into_iter().all(|answer| answer.status == 200));
        assert_eq!(counts(&t), [2, 0, 1]);
    }
}
