use super::*;

#[test]
fn a_tag_is_found_in_a_list_strong_or_weak() {
    let etag = ETag::new(7, b"body");
    let text = etag.to_string();
    assert!(text.starts_with("\"7.") && text.len() == 20, "{text}");
    assert!(etag.is_in(&text) && etag.is_in(&format!("\"1.0\", W/{text}")) && etag.is_in("*"));
    assert!(!etag.is_in(&ETag::new(7, b"other").to_string()));
    assert!(!etag.is_in("\"7\""));
}

#[test]
fn if_match_compares_the_revision() {
    let current = ETag::new(7, b"then").to_string();
    assert!(expected(None).expect("valid").allows(None).is_ok());
    assert!(expected(Some("*")).expect("valid").allows(Some(3)).is_ok());
    assert!(expected(Some("*")).expect("valid").allows(None).is_err());
    let seven = expected(Some(&current)).expect("valid");
    assert!(seven.allows(Some(7)).is_ok());
    assert!(seven.allows(Some(8)).is_err() && seven.allows(None).is_err());
    // a weak tag never matches, a tag of somebody else's making matches nothing
    assert!(expected(Some(&format!("W/{current}"))).expect("valid").allows(Some(7)).is_err());
    assert!(expected(Some("\"abc\"")).expect("valid").allows(Some(7)).is_err());
}

#[test]
fn a_tag_may_hold_commas_and_a_list_has_an_end() {
    let listed = expected(Some("\"a,7,b\" , W/\"6.0\",\"8.0\"")).expect("valid");
    assert!(listed.allows(Some(8)).is_ok());
    assert!(listed.allows(Some(7)).is_err() && listed.allows(Some(6)).is_err());
    assert!(expected(Some(&"\"1.0\",".repeat(40))).is_err());
}
