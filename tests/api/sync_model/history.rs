//! One history: what devices do, what the network makes of it, what the API is called for beside them,
//! and that everything ends as the model says.

use std::collections::{BTreeSet, HashSet};
use std::time::Instant;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Map, Value, json};

use super::crash::Crashes;
use crate::support::model::{Model, Name};
use crate::support::persona::Persona;
use crate::support::replica::{Replica, shown};

pub const MEDIA: [&str; 2] = ["movie:tmdb:603", "book:google_books:zyTCAlFPjgYC"];
const IDS: [&str; 2] = ["7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001", "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a002"];
const STEPS: usize = 30;
const DEVICES: usize = 3;

/// One device: what it has read, and what it has done that nobody has confirmed.
#[derive(Default)]
pub struct Device {
    pub(super) replica: Replica,
    pub(super) outbox: Vec<Value>,
    /// How far its clock is off, in seconds.
    skew: i64,
}

pub struct History<'a> {
    pub(super) random: StdRng,
    /// The same person at each instance.
    pub(super) who: Vec<Persona>,
    model: Model,
    pub(super) devices: Vec<Device>,
    /// Batches that the network still holds.
    delayed: Vec<Vec<Value>>,
    time: i64,
    mutations: u32,
    /// The program, where it is killed at times.
    pub(super) crashes: Option<&'a mut Crashes>,
}

/// What a device sends.
pub fn batch(mutations: &[Value], cursor: &str) -> Value {
    json!({ "cursor": cursor, "mutations": mutations })
}

impl<'a> History<'a> {
    pub fn new(seed: u64, who: Vec<Persona>) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let device = |_| Device { skew: random.random_range(-5..=5), ..Device::default() };
        let devices = (0..DEVICES).map(device).collect();
        let (model, delayed) = (Model::default(), Vec::new());
        Self { random, who, model, devices, delayed, time: 0, mutations: 0, crashes: None }
    }

    /// The one instance that there is, is killed at times.
    pub fn with_crashes(self, crashes: &'a mut Crashes) -> Self {
        Self { crashes: Some(crashes), ..self }
    }

    pub(super) fn anyone(&mut self) -> Persona {
        self.who.choose(&mut self.random).unwrap().clone()
    }

    fn name(&mut self) -> Name {
        let media = (*MEDIA.choose(&mut self.random).unwrap()).to_owned();
        let id = *IDS.choose(&mut self.random).unwrap();
        match self.random.random_range(0..8) {
            0..=2 => ("entry".into(), media),
            3 => ("review".into(), media),
            4 => ("comment".into(), format!("{media}/{id}")),
            5 => ("list".into(), id.to_owned()),
            _ => ("list_item".into(), format!("{id}/{media}")),
        }
    }

    /// Fields that make a thing of this kind, or some of them that change it.
    fn fields(&mut self, kind: &str, whole: bool) -> (Map<String, Value>, Vec<&'static str>) {
        let number = self.random.random_range(1..=100);
        let (mut set, mut clear) = (Map::new(), Vec::new());
        let mut maybe = |random: &mut StdRng, name: &str, value: Value, needed: bool| {
            if needed || random.random_bool(0.5) {
                set.insert(name.into(), value);
            }
        };
        let random = &mut self.random;
        match kind {
            "entry" => {
                maybe(random, "rating", json!(number), !whole);
                let status = *["backlog", "dropped"].choose(random).unwrap();
                maybe(random, "status", json!(status), false);
                maybe(random, "started_on", json!("2026-01-05"), false);
            }
            "review" => {
                maybe(random, "body", json!(format!("body {number}")), true);
                maybe(random, "title", json!(format!("title {number}")), false);
            }
            "comment" => maybe(random, "body", json!(format!("body {number}")), true),
            "list" => {
                maybe(random, "name", json!(format!("name {number}")), true);
                maybe(random, "description", json!(format!("text {number}")), false);
            }
            _ => maybe(random, "note", json!(format!("note {number}")), !whole),
        }
        let clearable: &[&'static str] = match kind {
            "entry" => &["rating", "started_on"],
            "review" => &["title"],
            "list" => &["description"],
            "list_item" => &["note"],
            _ => &[],
        };
        for field in clearable {
            if !set.contains_key(*field) && self.random.random_bool(0.2) {
                clear.push(*field);
            }
        }
        (set, clear)
    }

    /// The person does something on a device.
    fn act(&mut self, device: usize) {
        let name = self.name();
        let known = self.devices[device].replica.things.contains_key(&name);
        let delete = known && self.random.random_bool(0.2);
        let create = !known || self.random.random_bool(0.3);
        self.mutations += 1;
        let time = (self.time + self.devices[device].skew).clamp(0, 3599);
        let mut mutation = json!({
            "id": format!("00000000-0000-4000-8000-{:012}", self.mutations),
            "made_at": format!("2026-01-01T00:{:02}:{:02}.000Z", time / 60, time % 60),
            "kind": name.0, "key": name.1, "base_revision": self.devices[device].replica.newest(),
        });
        if delete {
            mutation["delete"] = json!(true);
        } else {
            let (set, clear) = self.fields(&name.0, create);
            mutation["create"] = json!(create);
            mutation["set"] = Value::Object(set);
            mutation["clear"] = json!(clear);
        }
        self.devices[device].outbox.push(mutation);
    }

    /// The server hears a batch.
    async fn deliver(&mut self, mutations: &[Value], cursor: &str) {
        let asked = Instant::now();
        let answer = self.anyone().post("/v1/sync", batch(mutations, cursor)).send().await.expect(200).json();
        if let Some(crashes) = &mut self.crashes {
            crashes.usual = asked.elapsed();
        }
        self.agree(mutations, &answer, false);
    }

    /// What the server says of each must be what the model says. After a cut the model does not know
    /// whether the batch was heard before: it goes by `duplicate` then, and tells.
    ///
    /// That is enough to follow. A batch is one transaction together with the memory of its mutations, so
    /// those that the model has not judged are all duplicates or none is; and nobody wrote between the
    /// cut and the repeat, so whichever of the two was taken met the state that the model holds now, and
    /// the answer must be the same: outcome, lost fields, and the revision that the model takes over.
    pub(super) fn agree(&mut self, batch: &[Value], answer: &Value, cut: bool) -> bool {
        let results = answer["results"].as_array().unwrap();
        assert_eq!(results.len(), batch.len());
        let mut own = HashSet::new();
        let mut taken = HashSet::new();
        for (mutation, result) in batch.iter().zip(results) {
            let mut expected = self.model.push(mutation, &own, result["revision"].as_i64());
            if !expected.duplicate {
                own.insert(mutation["id"].as_str().unwrap().to_owned());
                if cut {
                    expected.duplicate = result["duplicate"] == true;
                    taken.insert(expected.duplicate);
                }
            }
            let lost: BTreeSet<String> = result["lost"]
                .as_array()
                .unwrap()
                .iter()
                .map(|lost| lost["field"].as_str().unwrap().to_owned())
                .collect();
            let said = (result["outcome"].as_str().unwrap(), result["duplicate"] == true, lost);
            assert_eq!(
                said,
                (expected.outcome, expected.duplicate, expected.lost),
                "{mutation:#}\n{result:#}"
            );
        }
        assert!(taken.len() < 2, "a part of a batch was taken: {answer:#}");
        taken.contains(&true)
    }

    /// A device sends the front of its outbox over a network that does what it likes.
    async fn send(&mut self, device: usize) {
        let count = self.random.random_range(1..=4).min(self.devices[device].outbox.len());
        let Some(cursor) = self.devices[device].replica.cursor.clone().filter(|_| count > 0) else { return };
        let batch = self.devices[device].outbox[..count].to_vec();
        match self.random.random_range(0..6) {
            // Lost on its way there.
            0 => return,
            // Lost on its way back: the device knows nothing of it.
            1 => return self.deliver(&batch, &cursor).await,
            // Twice.
            2 => {
                self.deliver(&batch, &cursor).await;
                self.deliver(&batch, &cursor).await;
            }
            // And once more, some time later.
            3 => {
                self.deliver(&batch, &cursor).await;
                self.delayed.push(batch);
            }
            _ => self.deliver(&batch, &cursor).await,
        }
        self.devices[device].outbox.drain(..count);
    }

    /// Somebody writes through the API, now.
    async fn call(&mut self) {
        let (who, name) = (self.anyone(), self.name());
        if name.0 != "entry" || !self.model.names().contains(&name) {
            return;
        }
        let path = format!("/v1/library/{}", name.1);
        if self.random.random_bool(0.2) {
            who.delete(&path).send().await.expect(204);
            return self.model.delete(&name);
        }
        let set = Map::from_iter([("rating".to_owned(), json!(self.random.random_range(1..=100)))]);
        let answer = who.patch(&path, Value::Object(set.clone())).send().await.expect(200).json();
        // Later than any clock of these devices.
        self.model.call(&name, &set, "9999", answer["revision"].as_i64().unwrap());
    }

    async fn step(&mut self) {
        self.time += 1;
        let device = self.random.random_range(0..DEVICES);
        if self.crashes.is_some() && self.random.random_bool(0.15) {
            return self.crash(device).await;
        }
        match self.random.random_range(0..10) {
            0..=3 => self.act(device),
            4..=6 => self.send(device).await,
            7 => {
                let (who, limit) = (self.anyone(), self.random.random_range(1..=4));
                self.devices[device].replica.read(&who, limit).await;
            }
            8 if !self.delayed.is_empty() => {
                let batch = self.delayed.swap_remove(self.random.random_range(0..self.delayed.len()));
                let cursor = self.devices[device].replica.cursor.clone();
                if let Some(cursor) = cursor {
                    self.deliver(&batch, &cursor).await;
                }
            }
            8 => {
                let who = self.anyone();
                self.devices[device].replica.catch_up(&who, 1000).await;
            }
            _ => self.call().await,
        }
    }

    pub async fn run(mut self) {
        for device in 0..DEVICES {
            let who = self.anyone();
            self.devices[device].replica.catch_up(&who, 1000).await;
        }
        for _ in 0..STEPS {
            self.step().await;
        }
        // The network comes back.
        let who = self.anyone();
        for device in 0..DEVICES {
            let outbox = std::mem::take(&mut self.devices[device].outbox);
            let cursor = self.devices[device].replica.cursor.clone().unwrap();
            if !outbox.is_empty() {
                self.deliver(&outbox, &cursor).await;
            }
        }
        let now = shown(&who).await;
        for device in &mut self.devices {
            device.replica.catch_up(&who, 7).await;
            assert_eq!(device.replica.counted(), now);
        }
        let names: BTreeSet<Name> = now.keys().filter(|(kind, _)| kind != "settings").cloned().collect();
        assert_eq!(names, self.model.names());
        for name in names {
            for (field, expected) in self.model.fields(&name) {
                let found = now[&name].get(&field).cloned().unwrap_or(Value::Null);
                assert_eq!(found, expected, "{name:?} {field}");
            }
        }
    }
}
