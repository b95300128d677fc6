//! Where an account's changes end.

use super::persona::Persona;

/// A cursor with which everything is known.
pub async fn cursor(who: &Persona) -> String {
    let mut path = "/v1/sync?limit=1000".to_owned();
    loop {
        let page = who.get(&path).send().await.expect(200).json();
        let cursor = page["cursor"].as_str().unwrap().to_owned();
        if page["has_more"] == false {
            return cursor;
        }
        path = format!("/v1/sync?limit=1000&cursor={cursor}");
    }
}
