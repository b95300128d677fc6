//! What was acknowledged to one account, and whether the service still shows it.

use std::collections::BTreeMap;

use reqwest::Method;

use super::traffic::Traffic;

/// The rating of an entry; `None` where there is no entry.
pub type State = Option<i64>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasure {
    NotAsked,
    /// Asked for, and no answer said that it was done.
    Asked,
    Acknowledged,
}

#[derive(Clone)]
pub struct Ledger {
    pub name: String,
    pub token: String,
    /// By title: the states that the service may show. It is one state once a write was acknowledged, and that
    /// one or the new one while, or after, a write was not.
    titles: BTreeMap<u32, Vec<State>>,
    pub acknowledged: usize,
    pub erasure: Erasure,
}

/// What the service shows of an account.
enum Shown {
    Erased,
    Titles(BTreeMap<u32, i64>),
}

/// What was found in all accounts.
#[derive(Debug, Default)]
pub struct Findings {
    pub acknowledged: usize,
    pub erasures: usize,
    /// Titles that are not as they were acknowledged.
    pub lost: Vec<String>,
    /// Erasures that were acknowledged and are not there.
    pub undone: Vec<String>,
    /// Accounts that are there although Clerk was told to delete the person.
    pub told_too_early: Vec<String>,
    /// Answers that blamed a writer.
    pub wrong: Vec<String>,
}

impl Ledger {
    pub fn new(name: &str, token: String) -> Self {
        Self {
            name: name.to_owned(),
            token,
            titles: BTreeMap::new(),
            acknowledged: 0,
            erasure: Erasure::NotAsked,
        }
    }

    /// A write is sent.
    pub fn sent(&mut self, title: u32, state: State) {
        self.titles.entry(title).or_insert_with(|| vec![None]).push(state);
    }

    /// The write that was sent last to this title was acknowledged.
    pub fn confirmed(&mut self, title: u32, state: State) {
        self.titles.insert(title, vec![state]);
        self.acknowledged += 1;
    }

    /// Titles whose state is certain, and the state. A write without an answer may be applied at any time
    /// later, so that its title is not written to again.
    pub fn certain(&self) -> Vec<(u32, State)> {
        let one = |(title, states): (&u32, &Vec<State>)| match states.as_slice() {
            [state] => Some((*title, *state)),
            _ => None,
        };
        self.titles.iter().filter_map(one).collect()
    }

    /// Compares the account with what the service shows. `known_to_clerk` is from before this process began.
    pub async fn check(&self, traffic: &Traffic, known_to_clerk: bool, findings: &mut Findings) {
        findings.acknowledged += self.acknowledged;
        findings.erasures += usize::from(self.erasure == Erasure::Acknowledged);
        let titles = match shown(traffic, &self.token).await {
            Shown::Erased if self.erasure != Erasure::NotAsked => return,
            Shown::Erased => BTreeMap::new(),
            Shown::Titles(titles) => titles,
        };
        if self.erasure == Erasure::Acknowledged {
            findings.undone.push(self.name.clone());
            return;
        }
        if !known_to_clerk {
            findings.told_too_early.push(self.name.clone());
        }
        for (title, states) in &self.titles {
            let state = titles.get(title).copied();
            if !states.contains(&state) {
                findings.lost.push(format!("{} movie {title}: {state:?} instead of {states:?}", self.name));
            }
        }
    }
}

impl Findings {
    /// Fails unless everything is as it was acknowledged.
    #[track_caller]
    pub fn expect_nothing_lost(&self, what: &str) {
        let (lost, undone, early) = (self.lost.len(), self.undone.len(), self.told_too_early.len());
        let told = format!(
            "{what}: {lost} of {} acknowledged writes missing, {undone} of {} acknowledged erasures undone, \
             {early} accounts there that Clerk was told to delete",
            self.acknowledged, self.erasures
        );
        println!("{told}");
        let some = self.lost.iter().chain(&self.undone);
        let some: Vec<_> = some.chain(&self.told_too_early).chain(&self.wrong).take(10).collect();
        assert!(some.is_empty(), "{told}\n{some:#?}");
    }
}

async fn shown(traffic: &Traffic, token: &str) -> Shown {
    let mut titles = BTreeMap::new();
    let mut path = "/v1/library?limit=200".to_owned();
    loop {
        let reply = traffic.send(Method::GET, &path, token, None).await.expect("a page");
        let page = reply.json();
        if reply.status == 401 && page["code"] == "account_erased" {
            return Shown::Erased;
        }
        assert_eq!(reply.status, 200, "{page}");
        for entry in page["items"].as_array().expect("items") {
            let id = entry["media_id"].as_str().expect("a media id");
            let title = id.rsplit(':').next().and_then(|number| number.parse().ok()).expect("a number");
            titles.insert(title, entry["rating"].as_i64().unwrap_or_default());
        }
        let Some(cursor) = page["next_cursor"].as_str() else { return Shown::Titles(titles) };
        path = format!("/v1/library?limit=200&cursor={cursor}");
    }
}
