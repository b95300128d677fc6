//! Policies with their notice, what people decide about them, and announcements.

use std::fs;
use std::path::Path;

use omnitrack::policy::{self, Policies};
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::both;
use crate::support::persona::Persona;

const PRIVACY: &str = "/v1/account/consents/privacy";
const DAY: i64 = 24 * 3600 * 1000;

fn write(folder: &Path, name: &str, head: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("---\ntitle: {name}\n{head}\n---\n# Text\n\nof {name}")).unwrap();
}

/// The service with such a folder.
async fn with(t: TestApp, folder: &Path) -> TestApp {
    t.restart(|config| config.operator.policies = Some(folder.to_owned())).await
}

async fn policies(who: &Persona) -> Vec<Value> {
    who.get("/v1/policies").send().await.expect(200).items()
}

fn decide(version: &str, decision: &str) -> Value {
    json!({ "version": version, "decision": decision })
}

/// Moves everything that was served so many days into the past.
async fn days_pass(t: &TestApp, days: i64) {
    t.sql(&format!("UPDATE policy_version SET first_served_at = first_served_at - {}", days * DAY)).await;
}

async fn rows_of_versions(t: &TestApp) -> usize {
    omnitrack::db::rows(t.app.db.read(), "SELECT version FROM policy_version", []).await.unwrap().len()
}

both! {
    async fn without_a_folder_there_is_nothing_to_agree_to(t: TestApp) {
        assert_eq!(policies(&t.alice).await, [] as [Value; 0]);
        assert_eq!(t.alice.get("/v1/announcements").send().await.expect(200).items(), [] as [Value; 0]);
        t.alice.put(PRIVACY, decide("1", "accepted")).send().await.expect_problem(404, "not_found");
    }

    async fn a_change_of_policy_is_announced_for_fourteen_days(t: TestApp) {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "policies/privacy/1.md", "effective: 2020-01-01");
        let t = with(t, folder.path()).await;
        let first = &policies(&t.alice).await[0];
        assert_eq!((&first["name"], first.get("upcoming"), first.get("decision")), (&json!("privacy"), None, None));
        assert_eq!(first["current"]["version"], "1");
        assert_eq!(first["current"]["text"], "# Text\n\nof policies/privacy/1.md");
        assert_eq!(first["current"]["takes_effect_at"], "2020-01-01T00:00:00.000Z", "the first may at once");

        write(folder.path(), "policies/privacy/2.md", "effective: 2020-02-01");
        assert_eq!(t.app.policies.reload(), Ok(true));
        let announced = policies(&t.alice).await[0].clone();
        assert_eq!((&announced["current"], &announced["upcoming"]["version"]), (&first["current"], &json!("2")));
        let times = ["first_served_at", "takes_effect_at"].map(|name| {
            let time = announced["upcoming"][name].as_str().unwrap();
            chrono::DateTime::parse_from_rfc3339(time).unwrap().timestamp_millis()
        });
        assert_eq!(times[1] - times[0], 14 * DAY);

        days_pass(&t, 13).await;
        assert_eq!(policies(&t.bob).await[0]["upcoming"]["version"], "2");
        // The database keeps it: another instance knows no less, and no restart begins anew.
        let another = t.another(|_| ()).await;
        assert_eq!(policies(&another.seen_by(&t.bob)).await, policies(&t.bob).await);
        another.stop_jobs().await;
        days_pass(&t, 1).await;
        let t = with(t, folder.path()).await;
        let changed = policies(&t.alice).await[0].clone();
        assert_eq!((&changed["current"]["version"], changed.get("upcoming")), (&json!("2"), None));
        assert_eq!(rows_of_versions(&t).await, 2);
    }

    async fn whoever_serves_a_version_first_it_is_one_row(t: TestApp) {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "policies/privacy/1.md", "effective: 2020-01-01");
        write(folder.path(), "policies/privacy/2.md", "effective: 2999-01-01");
        let set = Policies::open(Some(folder.path().to_owned())).unwrap().set();
        let calls = (0..8).map(|number| {
            let (db, set) = (t.app.db.clone(), set.clone());
            tokio::spawn(async move { policy::serve(&db, &set, 1_800_000_000_000 - number).await.map(|stands| stands.len()) })
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(call.await.unwrap().unwrap(), 1);
        }
        let sql = "SELECT version, first_served_at FROM policy_version ORDER BY first_served_at";
        let rows = omnitrack::db::rows(t.app.db.read(), sql, []).await.unwrap();
        let rows: Vec<(String, i64)> =
            rows.iter().map(|row| (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap())).collect();
        assert_eq!(rows.iter().map(|(version, _)| version.as_str()).collect::<Vec<_>>(), ["1", "2"]);
        assert!(rows[0].1 < rows[1].1, "which was the first is plain for ever");
    }

    async fn a_decision_is_kept_and_withdrawn_as_easily(t: TestApp) {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "policies/privacy/1.md", "effective: 2020-01-01");
        let t = with(t, folder.path()).await;
        let put = |body: Value| t.alice.put(PRIVACY, body);
        let unread = put(decide("1", "accepted")).send().await.expect_problem(422, "unknown_version");
        assert_eq!(unread.pointers(), ["/version"], "nobody has read it");
        policies(&t.bob).await;
        put(decide("2", "accepted")).send().await.expect_problem(422, "unknown_version");
        put(decide("1", "perhaps")).send().await.expect(422);
        t.alice.put("/v1/account/consents/terms", decide("1", "accepted")).send().await.expect(404);

        let accepted = put(decide("1", "accepted")).send().await.expect(201);
        assert_eq!((&accepted.json()["policy"], &accepted.json()["version"]), (&json!("privacy"), &json!("1")));
        let same = put(decide("1", "accepted")).send().await.expect(200);
        assert_eq!((same.json(), same.etag()), (accepted.json(), accepted.etag()));
        assert_eq!(policies(&t.alice).await[0]["decision"], accepted.json());
        assert_eq!(policies(&t.bob).await[0].get("decision"), None);
        let withdrawn = put(decide("1", "withdrawn")).header("If-Match", &accepted.etag()).send().await.expect(200);
        let stale = put(decide("1", "accepted")).header("If-Match", &accepted.etag()).send().await;
        assert_eq!(stale.expect_problem(412, "revision_conflict").json()["current"], withdrawn.json());
        let again = put(decide("1", "accepted")).send().await.expect(200);

        let log = t.alice.get("/v1/account/consents?limit=2").send().await.expect(200);
        assert_eq!(log.items(), [again.json(), withdrawn.json()]);
        let rest = format!("/v1/account/consents?cursor={}", log.next_cursor().unwrap());
        assert_eq!(t.alice.get(&rest).send().await.expect(200).items(), [accepted.json()]);
        assert_eq!(t.bob.get("/v1/account/consents").send().await.expect(200).items(), [] as [Value; 0]);
        assert_eq!(t.alice.get("/v1/account").send().await.expect(200).json()["holdings"]["consents"], 3);

        // A policy that the operator has taken away can still be withdrawn.
        fs::remove_dir_all(folder.path().join("policies")).unwrap();
        assert_eq!(t.app.policies.reload(), Ok(true));
        assert_eq!(policies(&t.alice).await, [] as [Value; 0]);
        t.alice.put(PRIVACY, decide("1", "withdrawn")).send().await.expect(200);
    }

    async fn decisions_are_bounded_but_can_be_withdrawn(t: TestApp) {
        t.sql("INSERT INTO policy_version (policy, version, first_served_at) VALUES ('privacy', '1', 1), ('privacy', '2', 1)").await;
        let put = |body: Value| t.alice.put(PRIVACY, body);
        put(decide("1", "accepted")).send().await.expect(201);
        t.sql(
            "INSERT INTO consent (account_id, policy, revision, version, decision, decided_at) \
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999) \
             SELECT a.account_id, 'terms', -i, '1', 'accepted', 1 FROM n, (SELECT account_id FROM consent) a",
        )
        .await;
        put(decide("2", "accepted")).send().await.expect_problem(409, "limit_reached");
        put(decide("1", "accepted")).send().await.expect(200);
        put(decide("2", "withdrawn")).send().await.expect(200);
        put(decide("1", "withdrawn")).send().await.expect_problem(409, "limit_reached");
    }

    async fn announcements_come_newest_first(t: TestApp) {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "announcements/old.md", "published: 2020-01-01");
        write(folder.path(), "announcements/new.md", "published: 2020-02-01T12:00:00Z\nexpires: 2999-01-01");
        write(folder.path(), "announcements/over.md", "published: 2020-01-01\nexpires: 2020-01-02");
        write(folder.path(), "announcements/later.md", "published: 2999-01-01");
        let t = with(t, folder.path()).await;
        t.anon.get("/v1/announcements").send().await.expect(401);
        let first = t.alice.get("/v1/announcements?limit=1").send().await.expect(200);
        assert_eq!(first.items(), [json!({
            "id": "new", "title": "announcements/new.md", "text": "# Text\n\nof announcements/new.md",
            "published_at": "2020-02-01T12:00:00.000Z", "expires_at": "2999-01-01T00:00:00.000Z",
        })]);
        let rest = format!("/v1/announcements?cursor={}", first.next_cursor().unwrap());
        let rest = t.alice.get(&rest).send().await.expect(200);
        assert_eq!((rest.items()[0]["id"].clone(), rest.items().len(), rest.next_cursor()), (json!("old"), 1, None));
    }
}
