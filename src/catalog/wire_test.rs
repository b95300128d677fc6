use super::*;

fn shown(status: u16, fault: Option<Fault>) -> Evidence {
    evidence((status > 0).then(|| StatusCode::from_u16(status).unwrap()), fault)
}

#[test]
fn only_what_a_working_source_would_not_do_counts_against_it() {
    for fault in [Fault::Passing, Fault::Lasting] {
        assert_eq!(shown(0, Some(fault)), Evidence::Fails, "no answer, or one broken off");
    }
    for status in [500, 502, 503, 504, 529] {
        assert_eq!(shown(status, Some(Fault::Passing)), Evidence::Fails);
        assert_eq!(shown(status, Some(Fault::Away(MIN_PAUSE))), Evidence::Fails);
    }
    assert_eq!(shown(200, Some(Fault::Passing)), Evidence::Fails, "no JSON");
    assert_eq!(shown(302, Some(Fault::Lasting)), Evidence::Fails);
    for status in [400, 403, 404, 422] {
        assert_eq!(shown(status, Some(Fault::Lasting)), Evidence::Works);
    }
    assert_eq!(shown(401, Some(Fault::Refused)), Evidence::Works);
    assert_eq!(shown(429, Some(Fault::Limited(MIN_PAUSE))), Evidence::Works);
    assert_eq!(shown(429, Some(Fault::DayLimited)), Evidence::Works);
    for status in [200, 401, 404] {
        assert_eq!(shown(status, None), Evidence::Works, "the source's module made something of it");
    }
    assert_eq!(shown(200, Some(Fault::Lasting)), Evidence::None, "JSON of another shape");
    assert_eq!(shown(503, Some(Fault::Unclear)), Evidence::None);
}
