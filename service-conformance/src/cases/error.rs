//! Errors: the same fault is the same kind from every store, and tells what a client needs and no more.

use remex_core::{ErrorKind, Filter, Id, Patch, Query};
use serde_json::json;

use crate::check::{document, equal, holds, id, mentions, named, refused};
use crate::suite::client;
use crate::{Case, Outcome, Suite, people_fields};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(messages_name_the_service_and_the_id, &[9, 79]),
        Case::new(long_texts_from_outside_are_shortened, &[36]),
        Case::new(field_errors_say_what_is_wrong_and_for_whom, &[79]),
        Case::new(conflicts_tell_nothing_of_the_other_record, &[5, 79]),
        Case::new(options_that_contradict_themselves_make_no_service, &[36]),
        Case::new(an_error_leaves_the_service_working, &[36]),
    ]
}

async fn messages_name_the_service_and_the_id(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let missing = people.free_id();
    let error = refused(people.read(&missing, &client()).await, ErrorKind::NotFound)?;
    let name = people.describe().name().to_owned();
    mentions(&error, &format!("no record of `{name}` with id `{missing}`"))?;
    let error = refused(people.remove(&missing, &client()).await, ErrorKind::NotFound)?;
    mentions(&error, &format!("no record of `{name}` with id `{missing}`"))
}

async fn long_texts_from_outside_are_shortened(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.fields(people_fields())).await?;
    let error = refused(people.read(&Id::from("x".repeat(2_000)), &client()).await, ErrorKind::NotFound)?;
    holds(error.message().len() < 400, "a long id is shortened in the message")?;
    let query = Query::new().filter(Filter::eq("age", 1)).sort("age");
    equal("the records", people.index(&client().with_query(query)).await?.data, vec![])?;
    let error = refused(people.text(&format!("age={}", "9".repeat(2_000))).await, ErrorKind::BadRequest)?;
    holds(error.message().len() < 400, "a long literal is shortened in the message")
}

async fn field_errors_say_what_is_wrong_and_for_whom(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.fields(people_fields())).await?;
    let error =
        refused(people.create(people.new_data(json!({"age": "x"})), &client()).await, ErrorKind::Unprocessable)?;
    let Some(fault) = error.fields().iter().find(|fault| fault.field == "age") else {
        return crate::check::names_field(&error, "age");
    };
    equal("the code, for programs", fault.code.as_str(), "type")?;
    holds(!fault.message.is_empty(), "there is a message, for people")?;
    let error =
        refused(people.create(people.new_data(json!({"nickname": "x"})), &client()).await, ErrorKind::Unprocessable)?;
    let code = error.fields().iter().find(|fault| fault.field == "nickname").map(|fault| fault.code.to_string());
    equal("the code of a field that is not known", code.as_deref(), Some("unknown"))
}

async fn conflicts_tell_nothing_of_the_other_record(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.unique("email")).await?;
    let other = people.add(json!({"name": "Very Private", "email": "a@example.org"})).await?;
    let twin = people.new_data(json!({"name": "Twin", "email": "a@example.org"}));
    let same_id = document(json!({"name": "Twin"})).with("id", other["id"].clone());
    let outcomes = [
        people.create(twin, &client()).await.map(drop),
        people.create(same_id, &client()).await.map(drop),
        people
            .modify(&people.free_id(), Patch::Merge(document(json!({"email": "a@example.org"}))), &client())
            .await
            .map(drop),
    ];
    for outcome in outcomes {
        let error = refused(outcome, ErrorKind::Conflict)?;
        holds(!format!("{error} {:?}", error.fields()).contains("Private"), "the other record stays private")?;
    }
    Ok(())
}

async fn options_that_contradict_themselves_make_no_service(suite: Suite) -> Outcome {
    let fields = people_fields;
    let outcomes = [
        suite.people(|options| options.fields(fields()).index("nickname")).await.map(drop),
        suite.people(|options| options.fields(fields()).unique("nickname")).await.map(drop),
        suite.people(|options| options.fields(fields()).hidden_field("nickname")).await.map(drop),
        suite.people(|options| options.hidden_field("id")).await.map(drop),
        suite.people(|options| options.allow_parameter("populate")).await.map(drop),
    ];
    for outcome in outcomes {
        // Whose fault it is: the program's, and it finds out at once.
        refused(outcome, ErrorKind::Internal)?;
    }
    let people = suite.three(|options| options.fields(fields()).index("age").hidden_field("note")).await?;
    named(&people.all().await?, &["Bob", "Doug", "Alice"])
}

async fn an_error_leaves_the_service_working(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.unique("email").fields(people_fields())).await?;
    let bob = id(&people.person("Bob").await?)?;
    for round in 0..20 {
        refused(people.read(&people.free_id(), &client()).await, ErrorKind::NotFound)?;
        refused(people.create(people.new_data(json!({"age": "x"})), &client()).await, ErrorKind::Unprocessable)?;
        refused(
            people.create(document(json!({"name": "Twin"})).with("id", people.id_value(&bob)), &client()).await,
            ErrorKind::Conflict,
        )?;
        refused(people.text("$foo=1").await, ErrorKind::BadRequest)?;
        people.modify(&bob, document(json!({"age": round})).into(), &client()).await?;
    }
    named(&people.all().await?, &["Bob", "Doug", "Alice"])
}
