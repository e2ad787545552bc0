//! What holds while many calls run at the same time.

use std::collections::HashSet;
use std::sync::Arc;

use futures::future::try_join_all;
use remex_core::{Document, ErrorKind, Filter, Method, Params, Patch, Query, Result, Value};
use serde_json::json;
use tokio::sync::Barrier;

use crate::check::{document, equal, holds, id, ids, is_record};
use crate::suite::{client, server};
use crate::{Case, Failed, Need, Outcome, People, Suite};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(changes_of_different_fields_are_all_kept, &[50]),
        Case::new(deep_changes_of_different_fields_are_all_kept, &[50]),
        Case::new(changes_of_many_and_of_one_are_all_kept, &[50]),
        Case::new(a_missing_record_is_made_once, &[45, 50]),
        Case::new(new_records_have_ids_of_their_own, &[3]).needs(&[Need::GeneratedIds]),
        Case::new(a_given_id_is_taken_once, &[5]),
        Case::new(a_unique_value_is_taken_once, &[5]),
        Case::new(a_record_is_removed_once, &[61]),
        Case::new(readers_see_whole_changes, &[42, 53]),
        Case::new(a_query_holds_until_the_change, &[46]),
    ]
}

/// Runs so many calls, each in a task of its own, and answers what they answered.
async fn at_once<F, R, T>(people: &People, count: usize, call: F) -> Result<Vec<T>, Failed>
where
    F: Fn(People, usize) -> R,
    R: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    // None begins before all are there, so that they really meet.
    let start = Arc::new(Barrier::new(count));
    let tasks = (0..count).map(|number| {
        let (start, call) = (start.clone(), call(people.clone(), number));
        tokio::spawn(async move {
            start.wait().await;
            call.await
        })
    });
    try_join_all(tasks).await.map_err(|error| Failed::new(format!("a task panicked: {error}")))
}

/// Fails unless one call succeeded and all others were refused with an error of this kind.
#[track_caller]
fn one_succeeded<T>(outcomes: &[Result<T>], kind: ErrorKind) -> Outcome {
    let succeeded = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    equal("how many calls succeeded", succeeded, 1)?;
    let other = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).find(|error| error.kind() != kind);
    match other {
        Some(error) => {
            Err(Failed::new(format!("the others are expected to be refused as {kind:?}\n  found: {error:?}")))
        }
        None => Ok(()),
    }
}

async fn changes_of_different_fields_are_all_kept(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let alice = id(&people.add(json!({"name": "Alice"})).await?)?;
    let fields = |number: i64| {
        [
            ("age", Value::from(number)),
            ("admin", Value::from(number % 2 == 0)),
            ("score", Value::from(0.5 + f64::from(u8::try_from(number).unwrap_or(0)))),
            ("email", Value::from(format!("e{number}"))),
            ("note", Value::from(format!("n{number}"))),
            ("tags", Value::from([number])),
            ("address", document(json!({"number": number})).into()),
            ("owner", Value::from(-number)),
        ]
    };
    for round in 1..=12 {
        let outcomes = at_once(&people, 8, |people, task| {
            let (field, value) = fields(round)[task].clone();
            let alice = alice.clone();
            async move { people.modify(&alice, Document::new().with(field, value).into(), &client()).await }
        });
        outcomes.await?.into_iter().collect::<Result<Vec<_>>>()?;
        let found = people.read(&alice, &server()).await?;
        for (field, value) in fields(round) {
            equal(&format!("`{field}` after round {round}"), &found[field], &value)?;
        }
    }
    Ok(())
}

async fn deep_changes_of_different_fields_are_all_kept(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let alice = id(&people.add(json!({"name": "Alice"})).await?)?;
    let outcomes = at_once(&people, 100, |people, task| {
        let alice = alice.clone();
        let inside = Document::new().with(&format!("k{task}"), Value::from(task as u64));
        async move { people.modify(&alice, Patch::MergeDeep(Document::new().with("address", inside)), &client()).await }
    });
    outcomes.await?.into_iter().collect::<Result<Vec<_>>>()?;
    let found = people.read(&alice, &server()).await?;
    equal("how many changes were kept", found["address"].as_document().map(Document::len), Some(100))
}

async fn changes_of_many_and_of_one_are_all_kept(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.multi([Method::Modify])).await?;
    let made = people.add_all((0..10).map(|number| json!({"name": "n", "owner": number}))).await?;
    let all = ids(&made)?;
    let outcomes = at_once(&people, 40, |people, task| {
        let one = all[task % 10].clone();
        async move {
            let field = |name: &str| Document::new().with(name, Value::from(task as u64));
            if task % 4 == 0 {
                let named = client().with_query(Query::new().filter(Filter::eq("name", "n")));
                people.modify_many(field("age").into(), &named).await.map(drop)
            } else {
                people.modify(&one, Document::new().with("note", "kept").into(), &client()).await.map(drop)
            }
        }
    });
    outcomes.await?.into_iter().collect::<Result<Vec<_>>>()?;
    let records = people.all().await?;
    let ages: HashSet<String> = records.iter().map(|record| record["age"].to_string()).collect();
    equal("how many different ages the last change of all left", ages.len(), 1)?;
    let touched: HashSet<usize> = (0..40).filter(|task| task % 4 != 0).map(|task| task % 10).collect();
    for (number, record) in records.iter().enumerate() {
        let expected = if touched.contains(&number) { Value::from("kept") } else { Value::Null };
        equal("the change of this one", &record["note"], &expected)?;
    }
    Ok(())
}

async fn a_missing_record_is_made_once(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    for way in ["modify", "update", "merge patch"] {
        let missing = people.free_id();
        let outcomes = at_once(&people, 100, |people, task| {
            let missing = missing.clone();
            let data = Document::new().with("age", Value::from(task as u64));
            async move {
                match way {
                    "modify" => people.modify(&missing, data.into(), &client()).await,
                    "update" => people.update(&missing, data, &client()).await,
                    _ => people.modify(&missing, Patch::MergeDeep(data), &client()).await,
                }
            }
        });
        let stored = outcomes.await?.into_iter().collect::<Result<Vec<_>>>()?;
        let created = stored.iter().filter(|stored| stored.is_created()).count();
        equal(&format!("how many calls of {way} made the record"), created, 1)?;
        let by_id = Params::from(Query::new().filter(Filter::eq("id", people.id_value(&missing))));
        equal("how many records there are under the id", people.count(&by_id).await?, 1)?;
    }
    Ok(())
}

async fn new_records_have_ids_of_their_own(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let made = at_once(&people, 100, |people, task| async move {
        people.create(Document::new().with("age", Value::from(task as u64)), &client()).await
    });
    let made = made.await?.into_iter().collect::<Result<Vec<_>>>()?;
    let different: HashSet<_> = ids(&made)?.into_iter().collect();
    equal("how many ids there are", different.len(), 100)?;
    let all = people.all().await?;
    equal("how many records there are", all.len(), 100)?;
    let ages: HashSet<_> = all.iter().map(|record| record["age"].to_string()).collect();
    equal("how many of them were asked for", ages.len(), 100)
}

async fn a_given_id_is_taken_once(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let given = people.id_value(&people.free_id());
    let outcomes = at_once(&people, 50, |people, task| {
        let data = Document::new().with("id", given.clone()).with("age", Value::from(task as u64));
        async move { people.create(data, &client()).await }
    });
    let outcomes = outcomes.await?;
    one_succeeded(&outcomes, ErrorKind::Conflict)?;
    let winner = outcomes.into_iter().flatten().collect::<Vec<_>>();
    crate::check::all_same(&people.all().await?, &winner)
}

async fn a_unique_value_is_taken_once(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.unique("email")).await?;
    let outcomes = at_once(&people, 50, |people, task| async move {
        let data = people.new_data(json!({"email": "same", "age": task}));
        people.create(data, &client()).await
    });
    one_succeeded(&outcomes.await?, ErrorKind::Conflict)?;
    equal("how many records there are", people.all().await?.len(), 1)
}

async fn a_record_is_removed_once(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let alice = id(&people.add(json!({"name": "Alice"})).await?)?;
    let outcomes = at_once(&people, 50, |people, _| {
        let alice = alice.clone();
        async move { people.remove(&alice, &client()).await }
    });
    one_succeeded(&outcomes.await?, ErrorKind::NotFound)?;
    equal("the records", people.all().await?, vec![])
}

async fn readers_see_whole_changes(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let alice = id(&people.add(json!({"name": "Alice", "age": 0, "owner": 0})).await?)?;
    let outcomes = at_once(&people, 100, |people, task| {
        let alice = alice.clone();
        async move {
            let data = || document(json!({"age": task, "owner": task}));
            let found = match task % 4 {
                0 => people.modify(&alice, data().into(), &client()).await?.into_inner(),
                1 => people.update(&alice, data(), &client()).await?.into_inner(),
                2 => people.index(&client()).await?.data.remove(0),
                _ => people.read(&alice, &client()).await?,
            };
            holds(found["age"] == found["owner"], &format!("a change is seen whole or not at all: {found}"))
        }
    });
    outcomes.await?.into_iter().collect()
}

async fn a_query_holds_until_the_change(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    for _ in 0..10 {
        let alice = id(&people.add(json!({"name": "Alice", "admin": false})).await?)?;
        // Who takes it first, has it: no other call may find it free in between.
        let outcomes = at_once(&people, 30, |people, task| {
            let alice = alice.clone();
            async move {
                let free = client().with_query(Query::new().filter(Filter::eq("admin", false)));
                people.modify(&alice, document(json!({"admin": true, "owner": task})).into(), &free).await
            }
        });
        let outcomes = outcomes.await?;
        one_succeeded(&outcomes, ErrorKind::NotFound)?;
        let winner = outcomes.into_iter().flatten().next().map(|stored| stored.into_inner()["owner"].clone());
        let found = people.read(&alice, &server()).await?;
        equal("who has it", Some(found["owner"].clone()), winner)?;
        is_record(&found.with("owner", Value::Null), json!({"name": "Alice", "admin": true}))?;
    }
    Ok(())
}
