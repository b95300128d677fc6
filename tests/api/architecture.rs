//! Who may know whom. What looks titles up cannot name an account, because it cannot reach the code
//! that knows one; and the rules of the domain do not know that they are reached over HTTP.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The program's own files below a folder: no tests.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(ROOT).join(folder)];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|e| e == "rs") && !path.to_str().unwrap().ends_with("_test.rs")
        {
            found.push(path);
        }
    }
    assert!(!found.is_empty(), "no files in {folder}");
    found
}

/// The code of a file, without its comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn word(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The modules of this crate that a code names: `crate::a::…`, `crate::{a, b::…}`.
fn own_modules(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let Some(group) = rest.strip_prefix('{') else {
            names.insert(word(rest));
            continue;
        };
        let (mut depth, mut item) = (1, String::new());
        for c in group.chars() {
            depth += match c {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            if depth == 0 || (depth == 1 && c == ',') {
                names.insert(word(&item));
                item.clear();
            } else {
                item.push(c);
            }
            if depth == 0 {
                break;
            }
        }
    }
    names
}

/// The first parts of all paths that a code names: other crates, among others.
fn roots(code: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices("::")
        .map(|(at, _)| code[..at].rsplit(|c| !is_part(c)).next().unwrap_or_default().to_owned())
        .chain(code.split("use ").skip(1).map(word))
        .collect()
}

fn forbid(folders: &[&str], modules: &[&str], crates: &[&str]) {
    for path in folders.iter().flat_map(|folder| files(folder)) {
        let code = code(&path);
        let (own, roots) = (own_modules(&code), roots(&code));
        let found: Vec<&str> = modules
            .iter()
            .filter(|name| own.contains(**name))
            .chain(crates.iter().filter(|name| roots.contains(**name)))
            .copied()
            .collect();
        assert!(found.is_empty(), "{} uses {found:?}", path.display());
    }
}

#[test]
fn the_catalog_cannot_know_who_asks() {
    let people =
        ["account", "app", "clerk", "db", "http", "job", "library", "list", "media", "secret", "serve"];
    forbid(
        &["src/fair_queue.rs", "src/catalog"],
        &people,
        &["entity", "migration", "poem", "poem_openapi", "sea_orm"],
    );
}

#[test]
fn the_domain_does_not_know_the_web() {
    let domain = [
        "src/account",
        "src/archive",
        "src/erasure",
        "src/export",
        "src/import",
        "src/library",
        "src/list",
        "src/media",
        "src/policy",
        "src/sync",
        "src/db",
        "src/error.rs",
        "src/clock.rs",
    ];
    forbid(&domain, &["app", "http", "server", "serve"], &["poem", "poem_openapi", "hyper"]);
}

#[test]
fn titles_are_kept_without_a_word_of_who_wants_them() {
    forbid(&["src/media/store.rs"], &["account", "library", "list"], &[]);
}

#[test]
fn the_web_layer_holds_no_sql() {
    forbid(&["src/http"], &[], &["sea_orm"]);
    forbid(&["src/http/api"], &["db"], &["sea_orm"]);
}

#[test]
fn the_tables_know_nothing_above_them() {
    forbid(&["entity/src", "migration/src"], &[], &["omnitrack", "poem", "poem_openapi", "reqwest"]);
}

#[test]
fn only_what_talks_to_others_can() {
    let folders = [
        "src/account",
        "src/archive",
        "src/db",
        "src/export",
        "src/http",
        "src/import",
        "src/job",
        "src/library",
        "src/list",
        "src/media",
        "src/policy",
        "src/sync",
    ];
    forbid(&folders, &[], &["reqwest"]);
    forbid(&["src/app.rs", "src/serve.rs", "src/server.rs", "src/telemetry.rs"], &[], &["reqwest"]);
}

/// The reader of the code must find what it is there to find.
#[test]
fn uses_are_found_in_every_form() {
    let code =
        "use crate::{db::{Db, rows}, library as shelf};\nlet x = crate::http::endpoint(poem::Route::new());";
    assert_eq!(own_modules(code), ["db", "library", "http"].map(str::to_owned).into());
    assert!(roots(code).contains("poem") && roots("use entity;").contains("entity"));
}

/// What the page for auditors names must be there, or it says what is not true.
#[test]
fn the_code_and_the_tests_that_keep_the_promises_are_where_the_page_says() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/promises.md")).unwrap();
    let mut sources = String::new();
    let mut open = vec![Path::new(ROOT).join("src"), Path::new(ROOT).join("tests/api")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            sources.push_str(&fs::read_to_string(&path).unwrap_or_default());
        }
    }
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| P")).collect();
    assert_eq!(rows.len(), 12, "one for each promise");
    for row in rows {
        let cells: Vec<&str> = row.split('|').collect();
        let named = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        let (code, tests) = (named(cells[3]), named(cells[4]));
        assert!(!code.is_empty() && !tests.is_empty(), "{row}");
        for file in code {
            assert!(Path::new(ROOT).join(&file).is_file(), "{file} is not there");
        }
        for test in tests {
            assert!(sources.contains(&format!("fn {test}(")), "{test} is no test");
        }
    }
}
