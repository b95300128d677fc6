use std::sync::atomic::{AtomicI64, Ordering};

use super::*;

fn cache(bytes: u64) -> (Cache, Arc<AtomicI64>) {
    let time = Arc::new(AtomicI64::new(1_000));
    let read = time.clone();
    (Cache::new(bytes, Arc::new(move || read.load(Ordering::SeqCst))), time)
}

fn volume(id: &str) -> Lookup {
    Lookup::GoogleBooks(GoogleBooksLookup::Volume { id: id.into() })
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
    for (value, fresh_for) in [
        (page(vec![hit]), 30 * MINUTE),
        (page(Vec::new()), 10 * MINUTE),
        (Value::Unknown, 10 * MINUTE),
        (item(0), DAY),
    ] {
        let (cache, time) = cache(1 << 20);
        cache.insert(volume("a"), value);
        pass(&time, fresh_for - Duration::from_millis(1));
        assert!(cache.fresh(&volume("a")).is_some());
        pass(&time, Duration::from_millis(1));
        assert!(cache.fresh(&volume("a")).is_none());
        assert!(cache.get(&volume("a")).is_some());
    }
}

#[test]
fn a_renewed_entry_lives_as_long_as_a_new_one() {
    let entry = Entry { value: item(0), fresh_until: 0, kept_for: KEPT };
    let now = Instant::now();
    assert_eq!(KeptFor.expire_after_create(&volume("a"), &entry, now), Some(KEPT));
    assert_eq!(KeptFor.expire_after_update(&volume("a"), &entry, now, Some(MINUTE)), Some(KEPT));
    assert_eq!(Value::Unknown.kept_for(), 10 * MINUTE);
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
