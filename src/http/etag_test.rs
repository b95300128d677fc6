use super::{ETag, expected};
use crate::expected::Expected;

#[test]
fn if_match_compares_revisions_and_knows_no_weak_tags() {
    let revisions = |header| match expected(Some(header)) {
        Ok(Expected::Revisions(revisions)) => revisions,
        other => panic!("{header}: {other:?}"),
    };
    assert_eq!(revisions(r#""7.00ff""#), [7]);
    assert_eq!(revisions(r#""7.00ff", "8" ,"9.1""#), [7, 8, 9]);
    assert_eq!(revisions(r#"W/"7.00ff", "8.1""#), [8]);
    assert_eq!(revisions(r#""some,one, else's","8.1""#), [8]);
    assert_eq!(revisions(r#""","x.1""#), []);
    assert_eq!(expected(None).unwrap(), Expected::Anything);
    assert_eq!(expected(Some(" * ")).unwrap(), Expected::Existing);
    let long = vec![r#""1.1""#; 17].join(",");
    assert!(expected(Some(&long)).is_err(), "a list without end");
}

#[test]
fn if_none_match_compares_all_of_the_tag() {
    let tag = ETag::new(7, b"body");
    let text = tag.to_string();
    assert!(text.starts_with("\"7."), "{text}");
    for header in [text.clone(), format!("W/{text}"), format!("\"a,b\", {text}"), "*".into()] {
        assert!(tag.is_in(&header), "{header}");
    }
    assert!(!tag.is_in(&ETag::new(7, b"other body").to_string()));
    assert!(!tag.is_in("\"7\""));
}
