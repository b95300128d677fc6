use std::collections::BTreeSet;

use super::*;

fn catalog() -> Catalog {
    Catalog::load().unwrap()
}

fn all_different<T: Ord>(ids: impl Iterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    ids.into_iter().all(|id| seen.insert(id))
}

/// The weighted sum of an ISBN's digits; 0 where the check digit is right.
fn isbn_rest(isbn: &str) -> u32 {
    let digits: Vec<u32> =
        isbn.chars().map(|c| if c == 'X' { 10 } else { c.to_digit(10).unwrap() }).collect();
    match digits.len() {
        10 => digits.iter().zip((1..=10).rev()).map(|(digit, weight)| digit * weight).sum::<u32>() % 11,
        13 => {
            digits.iter().zip([1, 3].into_iter().cycle()).map(|(digit, weight)| digit * weight).sum::<u32>()
                % 10
        }
        _ => panic!("neither 10 nor 13 digits: {isbn}"),
    }
}

#[test]
fn there_are_a_few_dozen_titles_of_each_kind() {
    let catalog = catalog();
    let counts = [catalog.movies.len(), catalog.series.len(), catalog.games.len(), catalog.books.len()];
    assert!(counts.iter().all(|count| (12..=40).contains(count)), "{counts:?}");
}

#[test]
fn ids_are_used_once() {
    let catalog = catalog();
    assert!(all_different(catalog.movies.iter().map(|movie| movie.id)));
    assert!(all_different(catalog.series.iter().map(|series| series.id)));
    assert!(all_different(catalog.games.iter().map(|game| game.id)));
    assert!(all_different(catalog.books.iter().map(|book| &book.id)));
    let films = catalog.movies.iter().map(|movie| &movie.imdb_id);
    let series = &catalog.series;
    let shows =
        series.iter().flat_map(|series| std::iter::once(&series.imdb_id).chain(&series.pilot_imdb_id));
    assert!(all_different(films.chain(shows)));
    assert!(all_different(catalog.series.iter().filter_map(|series| series.tvdb_id)));
    assert!(all_different(catalog.games.iter().filter_map(|game| game.cover.as_ref())));
    assert!(all_different(catalog.games.iter().map(|game| &game.slug)));
    assert!(all_different(catalog.books.iter().flat_map(|book| book.isbn_13.iter().chain(&book.isbn_10))));
}

#[test]
fn ids_have_the_forms_of_their_sources() {
    let catalog = catalog();
    let imdb =
        |id: &str| id.len() >= 9 && id[2..].bytes().all(|b| b.is_ascii_digit()) && id.starts_with("tt");
    assert!(catalog.movies.iter().all(|movie| imdb(&movie.imdb_id)));
    assert!(catalog.series.iter().all(|series| imdb(&series.imdb_id)));
    let image = |id: &String| id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    assert!(catalog.games.iter().filter_map(|game| game.cover.as_ref()).all(image));
    let volume =
        |id: &str| id.len() == 12 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    assert!(catalog.books.iter().all(|book| volume(&book.id)));
}

#[test]
fn isbns_have_right_check_digits() {
    let catalog = catalog();
    let isbns: Vec<&String> =
        catalog.books.iter().flat_map(|book| book.isbn_13.iter().chain(&book.isbn_10)).collect();
    assert!(isbns.iter().any(|isbn| isbn.ends_with('X')));
    for isbn in isbns {
        assert_eq!(isbn_rest(isbn), 0, "{isbn}");
    }
    assert_ne!(isbn_rest("9780553804578"), 0);
}

#[test]
fn no_overview_is_empty_but_two_translations_are() {
    let catalog = catalog();
    let texts = catalog.movies.iter().map(|movie| &movie.overview);
    let texts = texts.chain(catalog.series.iter().map(|series| &series.overview));
    let texts = texts.chain(catalog.games.iter().map(|game| &game.summary));
    let mut texts = texts.chain(catalog.books.iter().map(|book| &book.description));
    assert!(texts.all(|text| text.len() > 30 && text.ends_with('.')));
    let german = catalog.movies.iter().filter_map(|movie| movie.german.as_ref());
    let german = german.chain(catalog.series.iter().filter_map(|series| series.german.as_ref()));
    let (empty, full): (Vec<_>, Vec<_>) = german.partition(|german| german.overview.is_empty());
    assert_eq!(empty.len(), 2);
    assert!(full.len() >= 10 && full.iter().all(|german| !german.title.is_empty()));
}

#[test]
fn seasons_and_episodes_have_their_days() {
    let catalog = catalog();
    let thrones = catalog.series(1399).unwrap();
    assert_eq!(thrones.episodes(), 73);
    assert_eq!(thrones.last_episode(), Some((8, 6)));
    assert_eq!(thrones.aired(8, 6).unwrap().to_string(), "2019-05-19");
    assert_eq!(thrones.season(0).unwrap().1, 12);
    assert_eq!((thrones.aired(1, 0), thrones.aired(1, 11), thrones.aired(9, 1)), (None, None, None));
    let bear = catalog.series(136_315).unwrap();
    assert_eq!((bear.season(5), bear.season(6), bear.season(0)), (Some((None, 0)), None, None));
    assert_eq!(bear.last_episode(), Some((4, 10)));
    assert_eq!(catalog.series(224_372).unwrap().first_aired(), None);
}

#[test]
fn games_point_at_games_that_exist() {
    let catalog = catalog();
    let known = |id: &u64| catalog.games.iter().any(|game| game.id == *id);
    for game in &catalog.games {
        assert!(
            game.similar.iter().chain(&game.version_parent).chain(&game.parent_game).all(known),
            "{}",
            game.name
        );
    }
    let released = |id| catalog.games.iter().find(|game| game.id == id).unwrap().released_at();
    assert_eq!(released(1942), Some(1_431_993_600));
    assert!(released(26_845).unwrap() < 0);
    assert_eq!(released(306_990), None);
}
