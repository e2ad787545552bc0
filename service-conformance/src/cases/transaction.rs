//! Calls that are kept together or not at all.

use std::pin::pin;

use futures::future::{Either, select, try_join_all};
use futures::{StreamExt, TryStreamExt};
use remex_core::{Document, Error, ErrorKind, Filter, Query, Transaction, finish_detached};
use serde_json::json;
use tokio::sync::Notify;

use crate::check::{all_same, document, equal, holds, id, named, named_somehow, refused};
use crate::suite::server;
use crate::{Case, Failed, Need, Outcome, Suite};

pub(super) fn cases() -> Vec<Case> {
    let case = |case: Case| case.needs(&[Need::InProgram]);
    vec![
        case(Case::new(what_succeeds_is_kept, &[76])),
        case(Case::new(what_fails_is_undone, &[76])),
        case(Case::new(what_is_given_up_is_undone, &[76])),
        case(Case::new(calls_see_what_others_do_not, &[])),
        case(Case::new(a_call_that_fails_leaves_the_rest, &[])),
        case(Case::new(lists_may_be_read_between_calls, &[])),
        case(Case::new(one_inside_another_is_a_part_of_it, &[])),
        case(Case::new(many_at_once_are_all_kept, &[50])),
        case(Case::new(what_was_read_holds_until_the_end, &[50])),
    ]
}

fn on_purpose() -> Error {
    Error::conflict("on purpose")
}

async fn what_succeeds_is_kept(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.unique("email")).await?;
    let (bob, doug) = (id(&people.person("Bob").await?)?, id(&people.person("Doug").await?)?);
    let made = Transaction::run(|| async {
        let made = people.add(json!({"name": "Eve", "age": 40})).await?;
        people.modify(&bob, document(json!({"age": 26})).into(), &server()).await?;
        people.remove(&doug, &server()).await?;
        Ok(made)
    });
    let made = made.await?;
    let kept = people.list(Query::new().sort("name")).await?;
    named(&kept, &["Alice", "Bob", "Eve"])?;
    equal("Bob's age", kept[1]["age"].as_i64(), Some(26))?;
    equal("the id that was answered", &kept[2]["id"], &made["id"])
}

async fn what_fails_is_undone(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.unique("email").index("age")).await?;
    let before = people.all().await?;
    let (bob, doug) = (id(&before[0])?, id(&before[1])?);
    let missing = people.free_id();
    let failed = Transaction::run(|| async {
        people.add(json!({"name": "Eve", "email": "eve"})).await?;
        people.modify(&bob, document(json!({"age": 26})).into(), &server()).await?;
        people.update(&missing, document(json!({"name": "New"})), &server()).await?;
        people.remove(&doug, &server()).await?;
        let teens = remex_core::Params::from(Query::new().filter(Filter::lt("age", 20)));
        people.modify_many(document(json!({"age": 20})).into(), &teens).await?;
        people.create_many(vec![people.new_data(json!({"name": "Fay"}))], &server()).await?;
        people.remove_many(&server()).await?;
        Err::<(), _>(on_purpose())
    });
    equal("the message", refused(failed.await, ErrorKind::Conflict)?.message(), "on purpose")?;
    all_same(&people.all().await?, &before)?;
    // What was undone is not in the way: neither of its values, nor by a lock that it left.
    people.add(json!({"name": "Eve", "email": "eve"})).await?;
    named(&people.list(Query::new().filter(Filter::lt("age", 20))).await?, &["Alice"])
}

async fn what_is_given_up_is_undone(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let before = people.all().await?;
    let reached = Notify::new();
    let endless = Transaction::run(|| async {
        people.add(json!({"name": "Eve"})).await?;
        people.remove(&id(&before[0]).map_err(|_| on_purpose())?, &server()).await?;
        reached.notify_one();
        std::future::pending::<Result<(), Error>>().await
    });
    // Dropped at the end of the block.
    {
        let endless = pin!(endless);
        if let Either::Left((ended, _)) = select(endless, pin!(reached.notified())).await {
            return Err(Failed::new(format!("expected no end, found {ended:?}")));
        }
    }
    finish_detached().await;
    all_same(&people.all().await?, &before)?;
    people.add(json!({"name": "Fay"})).await?;
    Ok(())
}

async fn calls_see_what_others_do_not(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let outside = people.service().clone();
    let seen = Transaction::run(|| async {
        people.add(json!({"name": "Eve", "age": 40})).await?;
        let inside = people.count(&server()).await?;
        let found = people.list(Query::new().filter(Filter::eq("age", 40))).await?;
        // A task of its own does not belong to the transaction.
        let outside = outside.clone();
        let other = tokio::spawn(async move { outside.count(&server()).await });
        Ok((inside, found.len(), other.await.map_err(|error| on_purpose().with_source(error))?))
    });
    let (inside, found, other) = seen.await?;
    equal("how many there are inside", inside, 4)?;
    equal("how many are found inside", found, 1)?;
    match other {
        Ok(other) => equal("how many there are outside", other, 3),
        // A store of a single connection has none left.
        Err(error) => equal("what others are told", error.kind(), ErrorKind::Unavailable),
    }
}

async fn a_call_that_fails_leaves_the_rest(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.unique("email")).await?;
    let bob = people.add(json!({"name": "Bob", "email": "bob"})).await?;
    let missing = people.free_id();
    Transaction::run(|| async {
        people.add(json!({"name": "Eve", "email": "eve"})).await?;
        let taken = people.add(json!({"name": "Bob II", "email": "bob"})).await;
        if !taken.is_err_and(|error| error.is_conflict()) {
            return Err(on_purpose());
        }
        let both = ["fay", "eve"].map(|email| people.new_data(json!({"name": "Twin", "email": email})));
        if people.create_many(both.to_vec(), &server()).await.is_ok() {
            return Err(on_purpose());
        }
        let gone = people.read(&missing, &server()).await;
        if !gone.is_err_and(|error| error.is_not_found()) {
            return Err(on_purpose());
        }
        people.add(json!({"name": "Fay", "email": "fay"})).await
    })
    .await?;
    holds(people.read(&id(&bob)?, &server()).await.is_ok(), "Bob is there")?;
    named_somehow(&people.all().await?, &["Bob", "Eve", "Fay"])
}

async fn lists_may_be_read_between_calls(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let names = Transaction::run(|| async {
        people.add(json!({"name": "Eve"})).await?;
        let mut records = people.index_stream(server());
        let mut names = Vec::new();
        while let Some(record) = records.next().await {
            let record: Document = record?;
            let name = record["name"].as_str().unwrap_or_default().to_owned();
            people.modify(&of(&record)?, document(json!({"note": name})).into(), &server()).await?;
            names.push(name);
        }
        let all: Vec<Document> = people.index_stream(server()).try_collect().await?;
        if all.iter().any(|record| record["note"] != record["name"]) {
            return Err(on_purpose());
        }
        Ok(names)
    });
    equal("how many records are streamed", names.await?.len(), 4)
}

fn of(record: &Document) -> remex_core::Result<remex_core::Id> {
    id(record).map_err(|_| on_purpose())
}

async fn one_inside_another_is_a_part_of_it(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let before = people.all().await?;
    let add = |name: &'static str| people.add(json!({"name": name}));
    Transaction::run(|| async { Transaction::run(|| add("Eve")).await }).await?;
    let failed = Transaction::run(|| async {
        Transaction::run(|| add("Fay")).await?;
        Err::<(), _>(on_purpose())
    });
    refused(failed.await, ErrorKind::Conflict)?;
    // What a part of it could not do, nobody is told to be done.
    let swallowed = Transaction::run(|| async {
        add("Gus").await?;
        let inner = Transaction::run(|| async { Err::<(), _>(on_purpose()) }).await;
        Ok(inner.is_err())
    });
    holds(swallowed.await.is_err(), "a transaction whose part failed is undone")?;
    equal("how many there are", people.all().await?.len(), before.len() + 1)
}

/// Transactions that change the same records in different orders wait for each other, until the store undoes one.
async fn many_at_once_are_all_kept(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let all = people.all().await?;
    let (one, other) = (id(&all[0])?, id(&all[1])?);
    let tasks = (0..6).map(|number| {
        let people = people.clone();
        let order = if number % 2 == 0 { [one.clone(), other.clone()] } else { [other.clone(), one.clone()] };
        tokio::spawn(async move {
            Transaction::run(|| async {
                for id in &order {
                    people.modify(id, document(json!({"owner": number})).into(), &server()).await?;
                }
                people.add(json!({"name": format!("new {number}"), "owner": number})).await
            })
            .await
        })
    });
    let outcomes = try_join_all(tasks).await.map_err(|error| Failed::new(format!("a task panicked: {error}")))?;
    for outcome in outcomes {
        outcome?;
    }
    let after = people.all().await?;
    equal("how many there are", after.len(), 9)?;
    equal("the last transaction changed both", &after[0]["owner"], &after[1]["owner"])
}

/// Whoever reads a record and writes what they make of it overwrites nobody.
async fn what_was_read_holds_until_the_end(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let bob = id(&people.person("Bob").await?)?;
    let tasks = (0..5).map(|_| {
        let (people, bob) = (people.clone(), bob.clone());
        tokio::spawn(async move {
            Transaction::run(|| async {
                let age = people.read(&bob, &server()).await?["age"].as_i64().unwrap_or_default();
                tokio::task::yield_now().await;
                people.modify(&bob, document(json!({"age": age + 1})).into(), &server()).await
            })
            .await
        })
    });
    let outcomes = try_join_all(tasks).await.map_err(|error| Failed::new(format!("a task panicked: {error}")))?;
    for outcome in outcomes {
        outcome?;
    }
    equal("the age", people.person("Bob").await?["age"].as_i64(), Some(25 + 5))
}
