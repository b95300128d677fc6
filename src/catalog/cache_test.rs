use std::sync::atomic::{AtomicI64, Ordering};

use chrono::NaiveDate;

use super::*;
use crate::catalog::chart::Chart;
use crate::catalog::isbn::Isbn;
use crate::catalog::language::Language;
use crate::catalog::media_id::Kind;

fn cache(bytes: u64) -> (Cache, Arc<AtomicI64>) {
    let time = Arc::new(AtomicI64::new(1_000));
    let read = time.clone();
    (Cache::new(bytes, Arc::new(move || read.load(Ordering::SeqCst))), time)
}

fn volume(id: &str) -> Lookup {
    Lookup::GoogleBooks(GoogleBooksLookup::Volume { id: format!("book:google_books:{id}").parse().unwrap() })
}

fn item(overview: usize) -> Value {
    let mut item = MediaItem::new("book:google_books:a".parse().unwrap(), "A".into());
    item.overview = Some("x".repeat(overview));
    Value::Item(Arc::new(item))
}

fn pass(time: &AtomicI64, span: Duration) {
    time.fetch_add(span.as_millis() as i64, Ordering::SeqCst);
}

#[test]
fn answers_are_fresh_for_as_long_as_their_kind_says() {
    let page = |items: Vec<_>| Value::Page(Arc::new(Page { items, has_more: false }));
    let Value::Item(hit) = item(0) else { unreachable!() };
    let some = || page(vec![hit.clone()]);
    let chart = || Lookup::chart(Kind::Game, Chart::Popular, NaiveDate::MIN, Language::DEFAULT, 1).unwrap();
    let isbn = || {
        let isbn = Isbn::parse("9780345391803").unwrap();
        Lookup::GoogleBooks(GoogleBooksLookup::Isbn { isbn })
    };
    let title = "tv:tmdb:1".parse().unwrap();
    for (lookup, value, fresh_for) in [
        (volume("a"), some(), 30 * MINUTE),
        (chart(), some(), 6 * HOUR),
        (isbn(), some(), DAY),
        (volume("a"), page(Vec::new()), 10 * MINUTE),
        (chart(), page(Vec::new()), 10 * MINUTE),
        (isbn(), page(Vec::new()), 10 * MINUTE),
        (volume("a"), Value::Titles([title].into()), DAY),
        (volume("a"), Value::Titles([].into()), 10 * MINUTE),
        (volume("a"), Value::Unknown, 10 * MINUTE),
        (volume("a"), item(0), DAY),
    ] {
        let (cache, time) = cache(1 << 20);
        cache.insert(lookup.clone(), value);
        pass(&time, fresh_for - Duration::from_millis(1));
        assert!(cache.fresh(&lookup).is_some());
        pass(&time, Duration::from_millis(1));
        assert!(cache.fresh(&lookup).is_none());
        assert!(cache.get(&lookup).is_some());
    }
}

#[test]
fn a_renewed_entry_lives_as_long_as_a_new_one() {
    let entry = Entry { value: item(0), fresh_until: 0, kept_for: KEPT };
    let now = Instant::now();
    assert_eq!(KeptFor.expire_after_create(&volume("a"), &entry, now), Some(KEPT));
    assert_eq!(KeptFor.expire_after_update(&volume("a"), &entry, now, Some(MINUTE)), Some(KEPT));
    assert_eq!(Value::Unknown.kept_for(Sort::Search), 10 * MINUTE);
}

#[test]
fn the_cache_is_bounded_by_weight() {
    let (cache, _) = cache(100_000);
    for number in 0..1000 {
        cache.insert(volume(&number.to_string()), item(1000));
    }
    cache.settle();
    let (entries, bytes) = cache.size();
    assert!(bytes <= 100_000, "{bytes}");
    assert!((20..100).contains(&entries), "{entries}");
}
