//! The shortest story that touches everything: a write, the title found in the background, another
//! account, a restart. It also shows how tests are written here.

use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::support::both;
use crate::support::titles::MOVIE;

both! {
    async fn a_title_put_in_the_library_stays_there(t: TestApp) {
        let path = format!("/v1/library/{MOVIE}");
        let made =
            t.alice.put(&path, json!({ "status": "completed", "rating": 90 })).send().await.expect(201);
        t.filled(MOVIE).await;
        let shown = t.alice.get(&path).send().await.expect(200);
        assert_eq!(shown.json()["media"]["title"], "The Matrix");
        assert_ne!(made.etag(), shown.etag());
        t.bob.get(&path).send().await.expect_problem(404, "not_found");
        t.anon.get(&path).send().await.expect_problem(401, "unauthorized");

        let t = t.restart(|_| ()).await;
        let again = t.alice.get(&path).send().await.expect(200);
        assert_eq!((again.json(), again.etag()), (shown.json(), shown.etag()));
    }

    async fn the_database_alone_would_sort_as_people_do(t: TestApp) {
        if t.is_sqlite() {
            return;
        }
        let sql = "DO $$ BEGIN ASSERT 'a'::text < 'B'::text, 'sorted by bytes'; END $$";
        t.app.db.shared().execute_unprepared(sql).await.unwrap();
    }
}
