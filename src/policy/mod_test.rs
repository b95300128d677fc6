use std::fs;

use super::*;

fn one(id: &str, published: Millis, expires: Option<Millis>) -> Announcement {
    Announcement { id: id.into(), title: id.into(), text: id.into(), published, expires }
}

fn ids(page: &[&Announcement]) -> Vec<String> {
    page.iter().map(|one| one.id.clone()).collect()
}

#[test]
fn announcements_are_shown_in_their_time() {
    let set = Set {
        policies: Vec::new(),
        announcements: vec![
            one("later", 30, None),
            one("b", 20, Some(25)),
            one("a", 20, None),
            one("old", 10, Some(21)),
        ],
    };
    let at = |now| ids(&announcements(&set, now, None, 10).0);
    assert_eq!(at(9), [""; 0]);
    assert_eq!(at(10), ["old"]);
    assert_eq!(at(20), ["b", "a", "old"]);
    assert_eq!(at(21), ["b", "a"]);
    assert_eq!(at(25), ["a"]);
    assert_eq!(at(30), ["later", "a"]);
    let (page, end) = announcements(&set, 20, None, 1);
    assert_eq!(ids(&page), ["b"]);
    let (page, end) = announcements(&set, 20, end.as_ref(), 1);
    assert_eq!((ids(&page), end.as_ref()), (vec!["a".to_owned()], Some(&(20, "a".to_owned()))));
    let (page, end) = announcements(&set, 20, end.as_ref(), 1);
    assert_eq!((ids(&page), end), (vec!["old".to_owned()], None));
}

#[test]
fn a_file_that_breaks_later_leaves_everything_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("announcements/a.md");
    fs::create_dir(folder.path().join("announcements")).expect("made");
    let write = |title: &str| {
        fs::write(&file, format!("---\n{title}\npublished: 2026-01-01\n---\nx")).expect("written");
    };
    write("title: One");
    let policies = Policies::open(Some(folder.path().to_owned())).expect("it is right");
    let title = || policies.set().announcements[0].title.clone();
    assert_eq!(policies.reload(), Ok(false));
    write("title: Two");
    assert_eq!((title().as_str(), policies.reload()), ("One", Ok(true)));
    write("titel: Three");
    let fault = policies.reload().expect_err("it is refused");
    assert_eq!(fault.to_string(), "announcements/a.md: title: is missing");
    assert_eq!(title(), "Two");
    let refused = Policies::open(Some(folder.path().to_owned())).err().map(|error| error.to_string());
    assert_eq!(refused.as_deref(), Some("OMNITRACK_POLICIES: announcements/a.md: title: is missing"));
    write("title: Four");
    assert_eq!((policies.reload(), title().as_str()), (Ok(true), "Four"));
    let nowhere = Policies::open(Some(folder.path().join("nowhere"))).err().map(|error| error.to_string());
    assert_eq!(nowhere.as_deref(), Some("OMNITRACK_POLICIES: is not a folder"));
}
