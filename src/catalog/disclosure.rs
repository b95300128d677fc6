//! Says in words what each lookup tells its source, and proves what it is made of. A new lookup, or a
//! new field of one, does not compile until it is described here; `/privacy` shows what stands here.

use std::sync::Arc;

use super::chart::{IgdbChart, TmdbChart};
use super::code::{ImdbId, Slug, TvdbId};
use super::isbn::Isbn;
use super::language::Language;
use super::media_id::{Kind, MediaId, SourceName};
use super::picture::{Cover, CoverSize};
use super::request::{GoogleBooksLookup, IgdbLookup, Lookup, PictureLookup, TmdbLookup, TmdbScope};
use super::search_text::SearchText;
use super::source_text::{GoogleBooksText, IgdbText};

/// Makes the list of disclosures, so that none can be left out of [`Disclosure::ALL`].
macro_rules! disclosures {
    ($($name:ident { source: $source:ident, why: $why:literal, sent: $sent:literal })+) => {
        /// One kind of question to a source, in words for the people whom it is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Disclosure { $($name,)+ }

        impl Disclosure {
            pub const ALL: &'static [Disclosure] = &[$(Disclosure::$name,)+];

            /// Who is asked.
            pub const fn source(self) -> SourceName {
                match self { $(Disclosure::$name => SourceName::$source,)+ }
            }

            /// Why it is asked: what somebody did.
            pub const fn why(self) -> &'static str {
                match self { $(Disclosure::$name => $why,)+ }
            }

            /// All that the source is told.
            pub const fn sent(self) -> &'static str {
                match self { $(Disclosure::$name => $sent,)+ }
            }
        }
    };
}

disclosures! {
    TmdbSearch {
        source: Tmdb,
        why: "You search for movies or series",
        sent: "The words you search for, in lower case; whether movies, series or both; the page; the language"
    }
    TmdbMovie {
        source: Tmdb,
        why: "You open a movie, or keep one that is not known here yet",
        sent: "The movie’s number at TMDB; the language"
    }
    TmdbSeries {
        source: Tmdb,
        why: "You open a series, or keep one that is not known here yet",
        sent: "The series’ number at TMDB; the language"
    }
    TmdbSeason {
        source: Tmdb,
        why: "You open a season, or keep a series whose episodes are not known here yet",
        sent: "The series’ number at TMDB; the season’s number; the language"
    }
    TmdbGenres {
        source: Tmdb,
        why: "Somebody searches, and the names of the genres are not at hand",
        sent: "Whether movies or series; the language"
    }
    TmdbChart {
        source: Tmdb,
        why: "You look at what is trending, popular or upcoming",
        sent: "Whether movies or series; which list; of what is upcoming the day; the page; the language"
    }
    TmdbCode {
        source: Tmdb,
        why: "You look up an IMDb or TVDB number, or an address with one in it",
        sent: "That number, and of which register it is"
    }
    TmdbPicture {
        source: Tmdb,
        why: "A cover of a movie, a series or a season is shown, or is about to be",
        sent: "The picture’s name at TMDB; one of three sizes"
    }
    IgdbSearch {
        source: Igdb,
        why: "You search for games",
        sent: "The words you search for, in lower case and without quotation marks; the page"
    }
    IgdbGames {
        source: Igdb,
        why: "You open a game, or keep one that is not known here yet",
        sent: "The game’s number at IGDB, or several games’ numbers at once"
    }
    IgdbChart {
        source: Igdb,
        why: "You look at which games are trending, popular or upcoming",
        sent: "Which list; the day; the page"
    }
    IgdbSlug {
        source: Igdb,
        why: "You paste the address of a game’s page at IGDB",
        sent: "The game’s name as it stands in that address"
    }
    IgdbPicture {
        source: Igdb,
        why: "A cover of a game is shown, or is about to be",
        sent: "The picture’s name at IGDB; one of three sizes"
    }
    GoogleBooksSearch {
        source: GoogleBooks,
        why: "You search for books",
        sent: "The words you search for, in lower case and without punctuation that Google reads as a command; the page"
    }
    GoogleBooksVolume {
        source: GoogleBooks,
        why: "You open a book, or keep one that is not known here yet",
        sent: "The book’s id at Google Books"
    }
    GoogleBooksIsbn {
        source: GoogleBooks,
        why: "You scan or type an ISBN",
        sent: "The number, in its form of thirteen digits"
    }
    GoogleBooksPicture {
        source: GoogleBooks,
        why: "A cover of a book is shown, or is about to be",
        sent: "The book’s id at Google Books; one of three sizes"
    }
}

impl Lookup {
    /// What this lookup tells its source.
    // Without `..`: a new field has to be described, and to be of a type that may leave.
    #[cfg_attr(not(test), expect(dead_code, reason = "it is the compiler that has to read this"))]
    pub(super) fn disclosure(&self) -> Disclosure {
        match self {
            Lookup::Tmdb(TmdbLookup::Search { scope, text, page, language }) => {
                made_of(&[scope, text, page, language], Disclosure::TmdbSearch)
            }
            Lookup::Tmdb(TmdbLookup::Movie { id, language }) => {
                made_of(&[id, language], Disclosure::TmdbMovie)
            }
            Lookup::Tmdb(TmdbLookup::Tv { id, language }) => made_of(&[id, language], Disclosure::TmdbSeries),
            Lookup::Tmdb(TmdbLookup::Season { series, number, language }) => {
                made_of(&[series, number, language], Disclosure::TmdbSeason)
            }
            Lookup::Tmdb(TmdbLookup::Genres { kind, language }) => {
                made_of(&[kind, language], Disclosure::TmdbGenres)
            }
            Lookup::Tmdb(TmdbLookup::Chart { kind, chart, page, language }) => {
                made_of(&[kind, chart, page, language], Disclosure::TmdbChart)
            }
            Lookup::Tmdb(TmdbLookup::FindImdb(id)) => made_of(&[id], Disclosure::TmdbCode),
            Lookup::Tmdb(TmdbLookup::FindTvdb(id)) => made_of(&[id], Disclosure::TmdbCode),
            Lookup::Igdb(IgdbLookup::Search { text, page }) => made_of(&[text, page], Disclosure::IgdbSearch),
            Lookup::Igdb(IgdbLookup::Games { ids }) => made_of(&[ids], Disclosure::IgdbGames),
            Lookup::Igdb(IgdbLookup::Slug { slug }) => made_of(&[slug], Disclosure::IgdbSlug),
            Lookup::Igdb(IgdbLookup::Chart { chart, page }) => made_of(&[chart, page], Disclosure::IgdbChart),
            Lookup::GoogleBooks(GoogleBooksLookup::Isbn { isbn }) => {
                made_of(&[isbn], Disclosure::GoogleBooksIsbn)
            }
            Lookup::Picture(PictureLookup { cover, size }) => {
                let disclosure = match cover.source() {
                    SourceName::Tmdb => Disclosure::TmdbPicture,
                    SourceName::Igdb => Disclosure::IgdbPicture,
                    SourceName::GoogleBooks => Disclosure::GoogleBooksPicture,
                };
                made_of(&[cover, size], disclosure)
            }
            Lookup::GoogleBooks(GoogleBooksLookup::Search { text, page }) => {
                made_of(&[text, page], Disclosure::GoogleBooksSearch)
            }
            Lookup::GoogleBooks(GoogleBooksLookup::Volume { id }) => {
                made_of(&[id], Disclosure::GoogleBooksVolume)
            }
        }
    }
}

/// The types that a lookup may be made of, and there are no others: text that was judged, numbers,
/// choices from a short list, and ids whose form was checked. A `String` is none of them.
trait MayLeave {}

impl MayLeave for SearchText {}
impl MayLeave for IgdbText {}
impl MayLeave for GoogleBooksText {}
impl MayLeave for u32 {}
impl MayLeave for u64 {}
impl MayLeave for Arc<[u64]> {}
impl MayLeave for TmdbScope {}
impl MayLeave for Kind {}
impl MayLeave for Language {}
impl MayLeave for MediaId {}
impl MayLeave for TmdbChart {}
impl MayLeave for IgdbChart {}
impl MayLeave for ImdbId {}
impl MayLeave for TvdbId {}
impl MayLeave for Slug {}
impl MayLeave for Isbn {}
impl MayLeave for Cover {}
impl MayLeave for CoverSize {}

fn made_of(_fields: &[&dyn MayLeave], disclosure: Disclosure) -> Disclosure {
    disclosure
}

#[cfg(test)]
#[path = "disclosure_test.rs"]
mod tests;
