//! The columns that Goodreads exports, which others import as well.

use entity::account;

use super::{Shelf, day, foreign, of_five, put, row, year};
use crate::catalog::{Kind, MediaItem, Role};
use crate::db::Snapshot;
use crate::export::sink::{Broken, Sink};

const GOODREADS: [&str; 24] = [
    "Book Id",
    "Title",
    "Author",
    "Author l-f",
    "Additional Authors",
    "ISBN",
    "ISBN13",
    "My Rating",
    "Average Rating",
    "Publisher",
    "Binding",
    "Number of Pages",
    "Year Published",
    "Original Publication Year",
    "Date Read",
    "Date Added",
    "Bookshelves",
    "Bookshelves with positions",
    "Exclusive Shelf",
    "My Review",
    "Spoiler",
    "Private Notes",
    "Read Count",
    "Owned Copies",
];

/// Goodreads' shelf of a status; the last is one that its readers make themselves.
fn shelf(status: &str) -> &'static str {
    match status {
        "in_progress" => "currently-reading",
        "completed" => "read",
        "dropped" => "did-not-finish",
        _ => "to-read",
    }
}

/// "Frank Herbert" as "Herbert, Frank".
fn last_name_first(name: &str) -> String {
    name.rsplit_once(' ').map_or_else(|| name.to_owned(), |(first, last)| format!("{last}, {first}"))
}

pub(super) async fn write(own: &account::Model, moment: &Snapshot, sink: &mut Sink) -> Result<(), Broken> {
    sink.begin("goodreads.csv")?;
    put(sink, &GOODREADS)?;
    let mut books = Shelf::new(own, Kind::Book);
    while let Some((entry, title)) = books.next_titled(moment).await? {
        let review = books.review(moment, &entry).await?;
        let times = books.times(moment, &entry).await?;
        let read_on = times.iter().filter_map(day).next_back().unwrap_or_default().replace('-', "/");
        let read_count = times.len().max(usize::from(entry.status == "completed")).to_string();
        let title = title.as_ref();
        let authors: Vec<&str> = title.map(authors).unwrap_or_default();
        let (author, others) = authors.split_first().map_or(("", String::new()), |(a, b)| (a, b.join(", ")));
        let ids = title.map(|title| &title.external_ids);
        let added_on = entry.added_at.0.get(..10).unwrap_or_default().replace('-', "/");
        let pages = title.and_then(|title| title.page_count).map(|n| n.to_string()).unwrap_or_default();
        let (rating, by_last_name) = (of_five(entry.rating), last_name_first(author));
        let values: [(&str, &str); 16] = [
            ("Title", &foreign(entry.title.as_deref().unwrap_or_default())),
            ("Author", &foreign(author)),
            ("Author l-f", &foreign(&by_last_name)),
            ("Additional Authors", &foreign(&others)),
            ("ISBN", &foreign(ids.and_then(|ids| ids.isbn_10.as_deref()).unwrap_or_default())),
            ("ISBN13", &foreign(ids.and_then(|ids| ids.isbn_13.as_deref()).unwrap_or_default())),
            ("My Rating", &rating),
            ("Number of Pages", &pages),
            ("Year Published", year(entry.release_date.as_ref())),
            ("Date Read", &read_on),
            ("Date Added", &added_on),
            ("Bookshelves", shelf(&entry.status)),
            ("Exclusive Shelf", shelf(&entry.status)),
            ("My Review", review.as_ref().map(|review| review.body.as_str()).unwrap_or_default()),
            ("Spoiler", if review.as_ref().is_some_and(|review| review.spoiler) { "true" } else { "" }),
            ("Read Count", &read_count),
        ];
        put(sink, &row(&GOODREADS, &values))?;
        sink.pass_on().await?;
    }
    Ok(())
}

fn authors(title: &MediaItem) -> Vec<&str> {
    let authors = title.creators.iter().filter(|creator| creator.role == Role::Author);
    authors.map(|creator| creator.name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_turned_round() {
        assert_eq!(last_name_first("Ursula K. Le Guin"), "Guin, Ursula K. Le");
        assert_eq!(last_name_first("Homer"), "Homer");
    }
}
