//! Writers beside one another, and beside readers.

use std::collections::HashSet;
use std::sync::Arc;

use remex_core::{Document, ErrorKind, Filter, Id, Options, Params, Query, Service};
use remex_memory::MemoryService;
use serde::{Deserialize, Serialize};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_meets_each_record_once_while_writers_move_them() {
    let things = Arc::new(MemoryService::<Document>::new(Options::new("things").index("rank")).expect("options"));
    let program = Params::new();
    let data = (0..4000_i64).map(|rank| Document::new().with("rank", rank)).collect();
    things.create_many(data, &program).await.expect("created");

    let writer = tokio::spawn({
        let things = things.clone();
        async move {
            // Records move from the front of the index to its back, where a walk is yet to come by.
            for id in 1..=2000_i64 {
                let patch = Document::new().with("rank", 10_000 + id).into();
                things.modify(&id.into(), patch, &Params::new()).await.expect("modified");
            }
        }
    });
    while !writer.is_finished() {
        let query = Query::new().filter(Filter::gte("rank", 0)).sort("rank").limit(100_000);
        let found = things.index(&Params::from(query)).await.expect("a page").data;
        let ids: HashSet<_> = found.iter().map(|record| record["id"].as_i64()).collect();
        assert_eq!((ids.len(), found.len()), (4000, 4000), "a record came twice or was left out");
    }
    writer.await.expect("the writer ends");
    assert_eq!(things.count(&program).await.expect("a count"), 4000);
}

#[tokio::test]
async fn a_batch_that_fails_leaves_nothing_behind() {
    let options = Options::new("people").unique("name").index("age");
    let people = MemoryService::<Document>::new(options).expect("options");
    let program = Params::new();
    let person = |name: &str, age: i64| Document::new().with("name", name).with("age", age);
    people.create_many(vec![person("a", 1), person("b", 2)], &program).await.expect("created");
    let before = people.index(&program).await.expect("all").data;

    let error = people.create_many(vec![person("c", 3), person("a", 4)], &program).await.expect_err("taken");
    assert_eq!((error.kind(), error.fields()[0].field.as_str()), (ErrorKind::Conflict, "name"));
    let patch = Document::new().with("name", "same").with("age", 9).into();
    assert!(people.modify_many(patch, &program).await.is_err());

    assert_eq!(people.index(&program).await.expect("all").data, before);
    for (age, expected) in [(1, 1), (2, 1), (3, 0), (4, 0), (9, 0)] {
        let query = Query::new().filter(Filter::eq("age", age));
        assert_eq!(people.count(&Params::from(query)).await.expect("a count"), expected, "age {age}");
    }
}

#[tokio::test]
async fn ids_never_come_again() {
    let people = MemoryService::<Document>::new(Options::new("people")).expect("options");
    let program = Params::new();
    let mut seen = HashSet::new();
    for round in 0..5_i64 {
        let explicit = Document::new().with("id", 10 * round + 3);
        for data in [Document::new(), explicit, Document::new()] {
            let id = people.create(data, &program).await.expect("created")["id"].as_i64().expect("an id");
            assert!(seen.insert(id), "{id} came again");
        }
        people.remove_many(&program).await.expect("removed");
    }
    // The largest of all ids does not use up those below it.
    people.create(Document::new().with("id", i64::MAX), &program).await.expect("created");
    people.create(Document::new(), &program).await.expect("created");
}

#[tokio::test]
async fn ids_that_are_not_counted_past_do_not_come_again_either() {
    let people = MemoryService::<Document>::new(Options::new("people")).expect("options");
    let program = Params::new();
    let last_counted = 1_i64 << 52;
    for id in [last_counted, last_counted + 2] {
        people.create(Document::new().with("id", id), &program).await.expect("created");
    }
    people.remove(&(last_counted + 2).into(), &program).await.expect("removed");
    for expected in [last_counted + 1, last_counted + 3] {
        let made = people.create(Document::new(), &program).await.expect("created");
        assert_eq!(made["id"].as_i64(), Some(expected));
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Bird {
    id: i64,
    name: String,
    #[serde(default = "one")]
    wings: u8,
}

#[derive(Clone, Serialize, Deserialize)]
struct NewBird {
    name: String,
}

fn one() -> u8 {
    2
}

/// A type with a fault of its programmer's.
#[derive(Clone, Serialize)]
struct Unlucky {
    number: i64,
}

impl<'de> Deserialize<'de> for Unlucky {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let document = Document::deserialize(deserializer)?;
        let number = document["number"].as_i64().unwrap_or_default();
        assert_ne!(number, 13, "thirteen");
        Ok(Self { number })
    }
}

#[tokio::test]
async fn a_panic_in_a_batch_leaves_nothing_behind() {
    use futures::FutureExt;
    let service = MemoryService::<Unlucky, Document>::new(Options::new("numbers").index("number")).expect("options");
    let program = Params::new();
    let data = |numbers: [i64; 2]| numbers.map(|number| Document::new().with("number", number)).to_vec();
    service.create_many(data([1, 2]), &program).await.expect("created");
    let outcome = std::panic::AssertUnwindSafe(service.create_many(data([7, 13]), &program)).catch_unwind().await;
    assert!(outcome.is_err(), "the type panics");
    let patch = Document::new().with("number", 13).into();
    let outcome = std::panic::AssertUnwindSafe(service.modify_many(patch, &program)).catch_unwind().await;
    assert!(outcome.is_err(), "the type panics");
    assert_eq!(service.count(&program).await.expect("a count"), 2);
    for (number, expected) in [(1, 1), (2, 1), (7, 0), (13, 0)] {
        let query = Query::new().filter(Filter::eq("number", number));
        assert_eq!(service.count(&Params::from(query)).await.expect("a count"), expected, "{number}");
    }
}

/// A type that leaves out what it must have again.
#[derive(Clone, Serialize, Deserialize)]
struct Forgetful {
    name: String,
    #[serde(skip_serializing)]
    password: String,
}

#[tokio::test]
async fn a_type_that_does_not_read_what_it_writes_stores_nothing() {
    let service = MemoryService::<Forgetful, Document>::new(Options::new("users")).expect("options");
    let program = Params::new();
    let user = Document::new().with("name", "x").with("password", "y");
    let error =
        service.create(user, &program).await.map(|user| user.name + &user.password).expect_err("cannot be read again");
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert_eq!(service.count(&program).await.expect("a count"), 0);
}

#[tokio::test]
async fn what_is_stored_is_always_of_the_type() {
    let birds = MemoryService::<Bird, NewBird>::new(Options::new("birds")).expect("options");
    let program = Params::new();
    let wren = birds.create(NewBird { name: "Wren".into() }, &program).await.expect("created");
    assert_eq!(wren, Bird { id: 1, name: "Wren".into(), wings: 2 });

    let bad = Document::new().with("name", 1).with("wings", 300);
    let id = Id::from(1);
    let error = birds.modify(&id, bad.into(), &program).await.expect_err("does not fit");
    let mut fields: Vec<_> = error.fields().iter().map(|field| field.field.as_str()).collect();
    fields.sort_unstable();
    assert_eq!((error.kind(), fields), (ErrorKind::Unprocessable, vec!["name", "wings"]));
    assert_eq!(birds.read(&id, &program).await.expect("unchanged"), wren);

    // A patch is not enough to make a bird.
    let error = birds.modify(&7.into(), Document::new().with("wings", 1).into(), &program).await.expect_err("no name");
    assert_eq!(error.fields()[0].field, "name");
    assert!(birds.read(&7.into(), &program).await.expect_err("not made").is_not_found());
}

#[tokio::test]
async fn what_is_stored_is_what_the_type_writes() {
    let birds = MemoryService::<Bird, NewBird>::new(Options::new("birds")).expect("options");
    let program = Params::new();
    birds.create(NewBird { name: "Wren".into() }, &program).await.expect("created");
    birds.modify(&1.into(), Document::new().with("color", "brown").into(), &program).await.expect("modified");
    let count = async |filter: Filter| birds.count(&Params::from(Query::new().filter(filter))).await.expect("a count");
    assert_eq!(count(Filter::eq("wings", 2)).await, 1, "a default is filled in");
    assert_eq!(count(Filter::exists("color", true)).await, 0, "what the type does not read is not kept");
}

/// A type that has no room for what the service adds.
#[derive(Clone, Serialize, Deserialize)]
struct Name {
    name: String,
}

#[tokio::test]
async fn ids_and_times_are_kept_for_a_type_without_them() {
    use remex_core::{Call, Timestamps};
    let names = MemoryService::<Name>::new(Options::new("names").timestamps(Timestamps::Snake)).expect("options");
    let program = Params::new();
    names.create(Name { name: "x".into() }, &program).await.expect("created");
    let update = names.update(&1.into(), Name { name: "y".into() }, &program).await.expect("updated");
    assert!(!update.is_created());
    let answer = names.answer(Call::Read(Id::from(1)), &program).await.expect("an answer");
    let record = Document::from_json(&answer.json).expect("a document");
    assert_eq!(record.names().collect::<Vec<_>>(), ["id", "name", "updated_at", "created_at"]);
    assert_eq!(record["name"].as_str(), Some("y"));
}
