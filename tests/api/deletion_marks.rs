//! A backup that is put back brings erased people with it: their marks are applied to it again.

use std::io::Cursor;

use omnitrack::clerk::account_id;
use omnitrack::demo::standin::{Fault, Source};
use omnitrack::erasure::marks;

use crate::coverage::furnish;
use crate::support::app::TestApp;
use crate::support::{both, rows};

async fn written(t: &TestApp) -> Vec<u8> {
    let mut file = Vec::new();
    marks::write(&t.app.db, &mut file).await.unwrap();
    file
}

both! {
    async fn marks_erase_again_what_a_backup_brought_back(t: TestApp) {
        furnish(&t.alice).await;
        let done = t.alice.delete("/v1/account").send().await.expect(202).json();
        // Clerk has not answered for this one.
        t.stand_ins.fault(Source::Clerk, Some(Fault::clerk_internal()));
        let waiting = t.bob.delete("/v1/account").send().await.expect(202).json();
        t.stand_ins.fault(Source::Clerk, None);
        let file = written(&t).await;
        // The database that is put back knows of neither.
        let mut t = t.afresh().await;
        t.stop_jobs().await;
        furnish(&t.alice).await;
        furnish(&t.persona("carol")).await;
        let carols = rows::of_account(&t, account_id("user_carol")).await;
        let before = t.persona("carol").get("/v1/sync").send().await.expect(200).json()["cursor"].clone();
        let applied = marks::apply(&t.app.db, Cursor::new(&file)).await.unwrap();
        assert_eq!((applied.erased, applied.marked), (2, 0));
        assert_eq!(rows::of_account(&t, account_id("user_alice")).await, []);
        assert_eq!(rows::of_account(&t, account_id("user_carol")).await, carols);
        for who in [&t.alice, &t.bob] {
            who.get("/v1/account").send().await.expect_problem(401, "account_erased");
        }
        let shown = t.anon.get(&format!("/v1/deletions/{}", done["id"].as_str().unwrap())).send().await;
        let shown = shown.expect(200).json();
        assert_eq!((&shown["clerk"], &shown["asked_at"]), (&done["clerk"], &done["asked_at"]));
        // Applied again it finds nothing to do.
        let again = marks::apply(&t.app.db, Cursor::new(&file)).await.unwrap();
        assert_eq!((again.erased, again.marked), (0, 2));
        // Devices read everything anew; what was to be told to Clerk is told.
        let t = t.restart(|_| ()).await;
        let cursor = before.as_str().unwrap();
        let carol = t.persona("carol");
        carol.get(&format!("/v1/sync?cursor={cursor}")).send().await.expect_problem(410, "cursor_expired");
        t.sql("UPDATE clerk_deletion SET next_attempt_at = 0").await;
        let path = format!("/v1/deletions/{}", waiting["id"].as_str().unwrap());
        let confirmed = async {
            while t.anon.get(&path).send().await.expect(200).json()["clerk"] != "done" {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), confirmed).await.expect("Clerk is told");
        assert!(t.stand_ins.user("user_bob").is_none());
    }

    async fn a_file_that_is_none_changes_nothing(t: TestApp) {
        furnish(&t.alice).await;
        t.bob.delete("/v1/account").send().await.expect(202);
        let good = String::from_utf8(written(&t).await).unwrap();
        let before = rows::of_account(&t, account_id("user_alice")).await;
        let second = good.lines().nth(1).unwrap();
        let bad = [
            String::new(),
            "{}\n".into(),
            good.replace("omnitrack-erasure-marks", "something"),
            good.replace("\"version\":1", "\"version\":2"),
            format!("{good}{{\"account_id\":7}}\n"),
            format!("{good}{}\n", second.replace("person", "whim")),
            format!("{good}{}\n", second.replace('}', ",\"more\":1}")),
            format!("{good}{}\n", "x".repeat(5_000)),
        ];
        for file in bad {
            let error = marks::apply(&t.app.db, Cursor::new(file.as_bytes())).await.expect_err("refused");
            assert!(error.to_string().starts_with("line "), "{error}");
        }
        assert_eq!(rows::of_account(&t, account_id("user_alice")).await, before);
    }
}
