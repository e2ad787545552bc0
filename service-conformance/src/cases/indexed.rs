//! What is found by an index is what is there: it follows every change, and nothing else.

use remex_core::{ErrorKind, Filter, Patch, Query, Value};
use serde_json::json;

use crate::check::{all_same, document, equal, id, named, names_field, refused};
use crate::suite::{client, server};
use crate::{Case, Outcome, People, Suite};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(removing_all_forgets_all, &[64]),
        Case::new(an_element_of_a_list_is_found_once, &[17]),
        Case::new(elements_follow_changes_and_removals, &[42, 53, 61]),
        Case::new(records_that_were_not_made_are_not_found, &[8]),
        Case::new(changes_that_were_not_made_are_not_found, &[48]),
    ]
}

/// Fails unless the filter finds these, by index, count and whatever the order.
async fn finds(people: &People, filter: Filter, expected: &[&str]) -> Outcome {
    named(&people.list(Query::new().filter(filter.clone()).sort("name")).await?, expected)?;
    let params = client().with_query(Query::new().filter(filter.clone()));
    equal(&format!("the count of {filter:?}"), people.count(&params).await?, expected.len() as u64)?;
    equal(&format!("whether {filter:?} finds one"), people.find_one(&params).await?.is_some(), !expected.is_empty())
}

async fn removing_all_forgets_all(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.unique("email").index("age")).await?;
    for round in ["first", "second", "third"] {
        let alice = json!({"name": round, "age": 19, "email": "a@example.org"});
        let made = people.add(alice.clone()).await?;
        people.add(json!({"name": "old", "age": 80})).await?;
        for filter in [
            Filter::eq("age", 19),
            Filter::is_in("age", [19, 20]),
            Filter::lt("age", 30),
            Filter::eq("email", "a@example.org"),
        ] {
            let found = people.list(Query::new().filter(filter.clone())).await?;
            all_same(&found, std::slice::from_ref(&made))?;
            finds(&people, filter, &[round]).await?;
        }
        named(&people.list(Query::new().sort("age")).await?, &[round, "old"])?;
        let twin = people.create(people.new_data(alice), &client()).await;
        names_field(&refused(twin, ErrorKind::Conflict)?, "email")?;
        equal("how many are removed", people.remove_many(&server()).await?.len(), 2)?;
        finds(&people, Filter::eq("age", 19), &[]).await?;
        finds(&people, Filter::eq("email", "a@example.org"), &[]).await?;
    }
    Ok(())
}

/// People with lists, and one who has a value that is none.
async fn tagged(suite: &Suite) -> Result<People, crate::Failed> {
    let people = suite.people(|options| options.index("tags").unique("email")).await?;
    people
        .add_all([
            json!({"name": "a", "tags": ["x", "y"]}),
            json!({"name": "b", "tags": ["y", "x", "x", 7]}),
            json!({"name": "c", "tags": "x", "email": "c@example.org"}),
            json!({"name": "d", "tags": []}),
            json!({"name": "e"}),
        ])
        .await?;
    Ok(people)
}

async fn an_element_of_a_list_is_found_once(suite: Suite) -> Outcome {
    let people = tagged(&suite).await?;
    finds(&people, Filter::eq("tags", "x"), &["a", "b", "c"]).await?;
    finds(&people, Filter::is_in("tags", ["x", "y", "x"]), &["a", "b", "c"]).await?;
    finds(&people, Filter::is_in("tags", [Value::from("y"), Value::from(7)]), &["a", "b"]).await?;
    finds(&people, Filter::any([Filter::eq("tags", "x"), Filter::eq("tags", "y")]), &["a", "b", "c"]).await?;
    finds(&people, Filter::eq("tags", vec!["x", "y"]), &["a"]).await?;
    finds(&people, Filter::eq("tags", Vec::<Value>::new()), &["d"]).await?;
    finds(&people, Filter::eq("tags", Value::Null), &["e"]).await?;
    finds(&people, Filter::ne("tags", "x"), &["d", "e"]).await
}

async fn elements_follow_changes_and_removals(suite: Suite) -> Outcome {
    let people = tagged(&suite).await?;
    let named_id = async |name: &str| -> Result<remex_core::Id, crate::Failed> { id(&people.person(name).await?) };
    people.modify(&named_id("a").await?, document(json!({"tags": ["y", "z"]})).into(), &client()).await?;
    finds(&people, Filter::eq("tags", "x"), &["b", "c"]).await?;
    finds(&people, Filter::eq("tags", "y"), &["a", "b"]).await?;
    finds(&people, Filter::eq("tags", "z"), &["a"]).await?;
    people.update(&named_id("b").await?, document(json!({"name": "b", "tags": ["x"]})), &client()).await?;
    finds(&people, Filter::is_in("tags", [Value::from("y"), Value::from(7)]), &["a"]).await?;
    finds(&people, Filter::eq("tags", "x"), &["b", "c"]).await?;
    people.remove(&named_id("b").await?, &client()).await?;
    finds(&people, Filter::eq("tags", "x"), &["c"]).await?;
    let of_tags = server().with_query(Query::new().filter(Filter::is_in("tags", ["x", "z"])));
    let patch = Patch::Merge(document(json!({"tags": ["z", "w"]})));
    equal("how many are changed", people.modify_many(patch, &of_tags).await?.len(), 2)?;
    finds(&people, Filter::eq("tags", "x"), &[]).await?;
    finds(&people, Filter::eq("tags", "w"), &["a", "c"]).await?;
    equal("how many are removed", people.remove_many(&of_tags).await?.len(), 2)?;
    finds(&people, Filter::is_in("tags", ["w", "z"]), &[]).await?;
    named(&people.all().await?, &["d", "e"])
}

async fn records_that_were_not_made_are_not_found(suite: Suite) -> Outcome {
    let people = tagged(&suite).await?;
    let taken = id(&people.person("a").await?)?;
    for fault in [json!({"id": people.id_value(&taken)}), json!({"email": "c@example.org"})] {
        let data = vec![
            people.new_data(json!({"name": "new", "tags": ["x", "w"], "email": "new@example.org"})),
            people.new_data(json!({"name": "new", "tags": ["w"]})),
            people.new_data(fault),
        ];
        refused(people.create_many(data, &server()).await, ErrorKind::Conflict)?;
        finds(&people, Filter::eq("tags", "x"), &["a", "b", "c"]).await?;
        finds(&people, Filter::eq("tags", "w"), &[]).await?;
        finds(&people, Filter::eq("email", "new@example.org"), &[]).await?;
        finds(&people, Filter::eq("tags", Value::Null), &["e"]).await?;
    }
    // Nor is what they would have had taken.
    people.add(json!({"name": "new", "tags": ["w"], "email": "new@example.org"})).await?;
    finds(&people, Filter::eq("tags", "w"), &["new"]).await
}

async fn changes_that_were_not_made_are_not_found(suite: Suite) -> Outcome {
    let people = tagged(&suite).await?;
    // Two cannot have the address, which is found out when one has been changed.
    let of_tags = server().with_query(Query::new().filter(Filter::eq("tags", "y")));
    let patch = Patch::Merge(document(json!({"tags": ["w"], "email": "new@example.org"})));
    refused(people.modify_many(patch, &of_tags).await, ErrorKind::Conflict)?;
    finds(&people, Filter::eq("tags", "w"), &[]).await?;
    finds(&people, Filter::eq("tags", "y"), &["a", "b"]).await?;
    finds(&people, Filter::eq("email", "new@example.org"), &[]).await
}
