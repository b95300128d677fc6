use super::*;
use crate::catalog::chart::Chart;

fn asked() -> Vec<Lookup> {
    let text = SearchText::parse("dune").unwrap();
    let (kinds, language) = (&Kind::ALL, Language::DEFAULT);
    let searches =
        SourceName::ALL.into_iter().filter_map(|source| Lookup::search(source, &text, kinds, language, 1));
    let ids = ["movie:tmdb:1", "tv:tmdb:1", "game:igdb:1", "book:google_books:a"];
    let details = ids.into_iter().map(|id| Lookup::detail(&id.parse::<MediaId>().unwrap(), language));
    let genres = Lookup::Tmdb(TmdbLookup::Genres { kind: Kind::Tv, language });
    let season = Lookup::Tmdb(TmdbLookup::Season { series: 1, number: 1, language });
    let day = "2026-01-01".parse().unwrap();
    let charts = [Kind::Movie, Kind::Game];
    let charts = charts.into_iter().filter_map(|kind| Lookup::chart(kind, Chart::Upcoming, day, language, 1));
    let codes = [
        Lookup::Tmdb(TmdbLookup::FindImdb(ImdbId::parse("tt0133093").unwrap())),
        Lookup::Tmdb(TmdbLookup::FindTvdb(TvdbId::new(121_361).unwrap())),
        Lookup::Igdb(IgdbLookup::Slug { slug: Slug::parse("portal-2").unwrap() }),
        Lookup::GoogleBooks(GoogleBooksLookup::Isbn { isbn: Isbn::parse("9780345391803").unwrap() }),
    ];
    let covers = [(SourceName::Tmdb, "/a.jpg"), (SourceName::Igdb, "co1"), (SourceName::GoogleBooks, "abc")];
    let covers = covers.into_iter().map(|(source, name)| {
        Lookup::Picture(PictureLookup { cover: Cover::new(source, name).unwrap(), size: CoverSize::Small })
    });
    let known = searches.chain(details).chain([season, genres]);
    known.chain(charts).chain(codes).chain(covers).collect()
}

#[test]
fn each_lookup_is_described_as_a_question_to_its_own_source() {
    let lookups = asked();
    for lookup in &lookups {
        assert_eq!(lookup.disclosure().source(), lookup.source());
    }
    // What is described is asked: the page promises nothing that the code does not do.
    for disclosure in Disclosure::ALL {
        assert!(lookups.iter().any(|lookup| lookup.disclosure() == *disclosure), "{disclosure:?}");
    }
}

#[test]
fn each_has_words_of_its_own() {
    for (at, one) in Disclosure::ALL.iter().enumerate() {
        assert!(one.why().len() > 10 && one.sent().len() > 10, "{one:?}");
        assert!(!one.why().ends_with('.') && !one.sent().ends_with('.'), "{one:?}: a cell of a table");
        for other in &Disclosure::ALL[..at] {
            assert!((one.source(), one.why()) != (other.source(), other.why()), "{one:?}, {other:?}");
        }
    }
}
