use std::path::PathBuf;

use super::*;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        let path: PathBuf = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, content).expect("written");
    }
    folder
}

fn fault(files: &[(&str, &str)]) -> String {
    read(folder(files).path()).expect_err("it is refused").to_string()
}

const DAY: i64 = 86_400_000;
const GOOD: &str = "---\ntitle: Privacy\neffective: 1970-01-03\n---\nWhat we keep.\n";

#[test]
fn what_is_there_is_read_in_order() {
    let folder = folder(&[
        ("policies/terms/1.md", GOOD),
        (
            "policies/privacy/10.md",
            "---\r\ntitle: Privacy: the second\r\neffective: 1970-01-05\r\n---\r\n\r\n# New\r\n\r\nMore.\r\n",
        ),
        (
            "policies/privacy/9.md",
            "\u{feff}---\n\n  effective :  1970-01-02 \ntitle: Privacy\n---\nOld\n---\nand a rule.\n",
        ),
        ("policies/.DS_Store", "x"),
        ("announcements/a.md", "---\ntitle: A\npublished: 1970-01-02\n---\nA"),
        (
            "announcements/b.md",
            "---\ntitle: B\npublished: 1970-01-02T01:00:00+01:00\nexpires: 1970-01-02T00:00:01Z\n---\nB",
        ),
        ("announcements/c.md", "---\ntitle: C\npublished: 1970-01-03\n---\nC"),
        ("README.txt", "whatever else the operator keeps there"),
    ]);
    let set = read(folder.path()).expect("it is right");
    let names: Vec<&str> = set.policies.iter().map(|policy| policy.name.as_str()).collect();
    assert_eq!(names, ["privacy", "terms"]);
    let versions: Vec<(&str, i64)> =
        set.policies[0].versions.iter().map(|one| (one.version.as_str(), one.effective)).collect();
    assert_eq!(versions, [("9", DAY), ("10", 4 * DAY)]);
    assert_eq!(set.policies[0].versions[0].text, "Old\n---\nand a rule.");
    let second = &set.policies[0].versions[1];
    assert_eq!((second.title.as_str(), second.text.as_str()), ("Privacy: the second", "# New\n\nMore."));
    let shown: Vec<(&str, i64, Option<i64>)> =
        set.announcements.iter().map(|one| (one.id.as_str(), one.published, one.expires)).collect();
    assert_eq!(shown, [("c", 2 * DAY, None), ("b", DAY, Some(DAY + 1000)), ("a", DAY, None)]);
    assert_eq!(read(self::folder(&[]).path()), Ok(Set::default()));
}

#[test]
fn what_cannot_be_right_is_named() {
    for (content, expected) in [
        ("What we keep.", "does not begin with a line of ---"),
        ("---\ntitle: x\neffective: 2026-01-01\n", "the head does not end with a line of ---"),
        ("---\ntitle: x\neffective: 2026-01-01\n---\n \n", "has no text below its head"),
        ("---\ntitle\n---\nx", "a line of the head is not `key: value`"),
        ("---\ntitle:\neffective: 2026-01-01\n---\nx", "title: has no value"),
        ("---\neffective: 2026-01-01\n---\nx", "title: is missing"),
        ("---\ntitle: x\n---\nx", "effective: is missing"),
        ("---\ntitle: x\ntitle: y\neffective: 2026-01-01\n---\nx", "title: is there twice"),
        ("---\ntitle: x\neffective: 2026-02-30\n---\nx", "effective: must be a date, YYYY-MM-DD"),
        ("---\ntitle: x\neffective: soon\n---\nx", "effective: must be a date, YYYY-MM-DD"),
        ("---\ntitle: x\neffective: 2026-01-01\nefective: x\n---\nx", "efective: is not known"),
    ] {
        assert_eq!(
            fault(&[("policies/privacy/1.md", content)]),
            format!("policies/privacy/1.md: {expected}")
        );
    }
    let long = format!("---\ntitle: {}\neffective: 2026-01-01\n---\nx", "é".repeat(201));
    assert!(fault(&[("policies/privacy/1.md", &long)]).ends_with("title: must be at most 200 characters"));
    let expired = "---\ntitle: x\npublished: 2026-01-02\nexpires: 2026-01-02\n---\nx";
    assert_eq!(
        fault(&[("announcements/a.md", expired)]),
        "announcements/a.md: expires: must be after published"
    );
    let timeless = "---\ntitle: x\npublished: 2026-01-02T10:00\n---\nx";
    assert!(fault(&[("announcements/a.md", timeless)]).contains("published: must be a date"));
    let same = [("policies/privacy/1.md", GOOD), ("policies/privacy/2.md", GOOD)];
    assert_eq!(fault(&same), "policies/privacy/2.md: effective: is that of another version, too");
}

#[test]
fn what_is_out_of_place_is_named() {
    assert!(fault(&[("policies/privacy.md", GOOD)]).starts_with("policies/privacy.md: must be a folder"));
    assert!(fault(&[("policies/privacy/1.txt", GOOD)]).starts_with("policies/privacy/1.txt: must be a file"));
    assert!(
        fault(&[("policies/privacy/a b.md", GOOD)]).starts_with("policies/privacy/a b.md: must be a file")
    );
    assert!(fault(&[("announcements/2026/a.md", GOOD)]).starts_with("announcements/2026: must be a file"));
    assert_eq!(fault(&[("policies/privacy/.keep", "")]), "policies/privacy: holds no version");
    let long = format!("policies/{}/1.md", "x".repeat(41));
    assert!(fault(&[(&long, GOOD)]).contains("must be a folder"));
}

#[test]
fn everything_is_bounded() {
    let many = |count: usize, name: &dyn Fn(usize) -> String, content: &dyn Fn(usize) -> String| {
        let files: Vec<(String, String)> = (0..count).map(|n| (name(n), content(n))).collect();
        let files: Vec<(&str, &str)> =
            files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        read(folder(&files).path()).err().map(|error| error.to_string())
    };
    let policy = |n: usize| format!("policies/p{n}/1.md");
    let good = |_: usize| GOOD.to_owned();
    assert_eq!(many(20, &policy, &good), None);
    assert_eq!(many(21, &policy, &good).as_deref(), Some("policies: holds more than 20"));
    let news = |n: usize| format!("announcements/{n}.md");
    let note = |_: usize| "---\ntitle: x\npublished: 2026-01-01\n---\nx".to_owned();
    assert_eq!(many(200, &news, &note), None);
    assert_eq!(many(201, &news, &note).as_deref(), Some("announcements: holds more than 200"));
    let sized = |size: usize| move |_: usize| format!("{GOOD}{}", "x".repeat(size - GOOD.len()));
    assert_eq!(many(1, &policy, &sized(262_144)), None);
    assert_eq!(
        many(1, &policy, &sized(262_145)).as_deref(),
        Some("policies/p0/1.md: holds more than 262144 bytes")
    );
    assert_eq!(many(16, &policy, &sized(262_144)), None);
    assert!(many(17, &policy, &sized(262_144)).expect("too much").contains("all files together"));
    let folder = folder(&[]);
    fs::create_dir_all(folder.path().join("policies/p")).expect("made");
    fs::write(folder.path().join("policies/p/1.md"), [0xff, 0xfe]).expect("written");
    assert_eq!(read(folder.path()).expect_err("refused").to_string(), "policies/p/1.md: is not UTF-8");
}
