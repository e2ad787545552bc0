//! What clients may not do, see or ask for, and that the program may.

use remex_core::{AllowQuery, Call, ErrorKind, Filter, Method, Params, Provider, Query, Service, ServiceExt, Value};
use serde_json::json;

use crate::check::{all_same, document, equal, holds, id, is_record, named, names_field, refused};
use crate::suite::{client, server};
use crate::{Case, Failed, Need, Outcome, People, Suite};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(clients_queries_can_be_looked_past, &[37]),
        Case::new(everybodys_queries_can_be_looked_past, &[37]),
        Case::new(a_query_that_nobody_may_make_changes_nothing, &[37, 63]),
        Case::new(any_provider_is_a_client, &[67]),
        Case::new(hidden_fields_are_not_shown, &[77]),
        Case::new(hidden_fields_are_not_set, &[77]),
        Case::new(hidden_fields_are_not_asked_for, &[77]),
        Case::new(hidden_fields_outlast_a_clients_replacement, &[53]),
        Case::new(hidden_fields_are_the_programs, &[77]),
        Case::new(hooks_set_what_clients_may_not, &[71, 77]).needs(&[Need::InProgram]),
        Case::new(queries_can_be_for_some_fields_only, &[77]),
    ]
}

async fn clients_queries_can_be_looked_past(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.allow_query(false)).await?;
    let query = Query::new().filter(Filter::eq("name", "Bob")).sort("age").select(["name"]).limit(1).skip(1);
    let found = people.index(&client().with_query(query.clone())).await?.data;
    named(&found, &["Bob", "Doug", "Alice"])?;
    is_record(&found[0], json!({"name": "Bob", "age": 25}))?;
    equal("the count", people.count(&client().with_query(query.clone())).await?, 3)?;
    let doug = people.person("Doug").await?;
    let found = people.read(&id(&doug)?, &client().with_query(query.clone())).await?;
    is_record(&found, json!({"name": "Doug", "age": 32}))?;
    // Nor is it an error what a query says that nobody reads.
    people.index(&client().with_query(Query::new().sort("nickname"))).await?;
    let by_name = Query::new().filter(Filter::eq("name", "Bob")).select(["name"]);
    let found = people.index(&server().with_query(by_name)).await?.data;
    named(&found, &["Bob"])?;
    equal("the age, which was not selected", &found[0]["age"], &Value::Null)
}

async fn everybodys_queries_can_be_looked_past(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.allow_query(AllowQuery::Nobody)).await?;
    let query = Query::new().filter(Filter::eq("name", "Bob")).select(["name"]);
    for params in [client(), server()] {
        let found = people.index(&params.with_query(query.clone())).await?.data;
        named(&found, &["Bob", "Doug", "Alice"])?;
        is_record(&found[0], json!({"name": "Bob", "age": 25}))?;
    }
    Ok(())
}

async fn a_query_that_nobody_may_make_changes_nothing(suite: Suite) -> Outcome {
    let shape = |options: remex_core::Options| options.allow_query(AllowQuery::Nobody).allow_remove_all(true);
    let people = suite.three(|options| shape(options).multi(remex_core::Method::ALL)).await?;
    let before = people.all().await?;
    for params in [server(), client()] {
        for filter in [Filter::eq("name", "Bob"), Filter::is_in("name", Vec::<Value>::new())] {
            let params = params.clone().with_query(Query::new().filter(filter));
            refused(people.remove_many(&params).await, ErrorKind::Forbidden)?;
            refused(people.modify_many(document(json!({"age": 1})).into(), &params).await, ErrorKind::Forbidden)?;
            all_same(&people.all().await?, &before)?;
        }
    }
    // Who says no filter means all, and a scope still holds.
    let young = server().with_scope(Filter::lt("age", 30));
    equal("how many are changed", people.modify_many(document(json!({"note": "x"})).into(), &young).await?.len(), 2)?;
    named(&people.remove_many(&young).await?, &["Bob", "Alice"])?;
    named(&people.remove_many(&server()).await?, &["Doug"])?;
    equal("the records", people.all().await?, vec![])
}

async fn any_provider_is_a_client(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    for provider in [Provider::Rest, Provider::WebSocket, Provider::GraphQl, Provider::Other("testing".into())] {
        refused(people.remove_many(&Params::client(provider.clone())).await, ErrorKind::Forbidden)?;
        refused(people.create_many(vec![], &Params::client(provider)).await, ErrorKind::MethodNotAllowed)?;
    }
    // Params alone make no client: they have no provider.
    let params = Params::from(Query::new().filter(Filter::eq("name", "Bob")));
    equal("how many are removed", people.remove_many(&params).await?.len(), 1)
}

async fn secretive(suite: &Suite) -> Result<People, Failed> {
    let people = suite.people(|options| options.hidden_field("note").multi(remex_core::Method::ALL)).await?;
    people.add(json!({"name": "Alice", "age": 19, "note": "secret"})).await?;
    Ok(people)
}

async fn hidden_fields_are_not_shown(suite: Suite) -> Outcome {
    let people = secretive(&suite).await?;
    let alice = id(&people.all().await?[0])?;
    let change = || document(json!({"age": 20}));
    let by_name = client().with_query(Query::new().filter(Filter::eq("name", "Alice")));
    let mut shown = vec![
        people.read(&alice, &client()).await?,
        people.modify(&alice, change().into(), &client()).await?.into_inner(),
        people.update(&alice, change().with("name", "Alice"), &client()).await?.into_inner(),
        people.create(people.new_data(json!({"name": "Bob"})), &client()).await?,
    ];
    shown.extend(people.index(&client()).await?.data);
    shown.extend(people.find_one(&client()).await?);
    shown.extend(people.read_many(std::slice::from_ref(&alice), &client()).await?);
    shown.extend(people.modify_many(change().into(), &by_name).await?);
    for call in [Call::Index, Call::Read(alice.clone()), Call::Modify(alice.clone(), change().into())] {
        let answer = people.answer(call, &client()).await?;
        let text = String::from_utf8_lossy(&answer.json).into_owned();
        holds(!text.contains("note") && !text.contains("secret"), "JSON text does not show what is hidden")?;
    }
    let stored = people.read(&alice, &server()).await?;
    equal("the hidden value", &stored["note"], &Value::from("secret"))?;
    shown.extend(people.remove_many(&by_name).await?);
    let other = people.add(json!({"name": "Eve", "note": "secret"})).await?;
    shown.push(people.remove(&id(&other)?, &client()).await?);
    for record in shown {
        holds(!record.contains("note"), &format!("`note` is hidden in {record}"))?;
    }
    Ok(())
}

async fn hidden_fields_are_not_set(suite: Suite) -> Outcome {
    let people = secretive(&suite).await?;
    let alice = id(&people.all().await?[0])?;
    let data = || document(json!({"name": "Alice", "note": "mine"}));
    let outcomes = [
        people.create(people.new_data(json!({"name": "Bob", "note": "mine"})), &client()).await.map(drop),
        people.create_many(vec![people.new_data(json!({"name": "Bob", "note": "mine"}))], &client()).await.map(drop),
        people.modify(&alice, data().into(), &client()).await.map(drop),
        people.update(&alice, data(), &client()).await.map(drop),
        people.modify(&people.free_id(), data().into(), &client()).await.map(drop),
        people.update(&people.free_id(), data(), &client()).await.map(drop),
    ];
    for outcome in outcomes {
        names_field(&refused(outcome, ErrorKind::Unprocessable)?, "note")?;
    }
    let all = people.all().await?;
    equal("how many records there are", all.len(), 1)?;
    is_record(&all[0], json!({"name": "Alice", "age": 19, "note": "secret"}))
}

async fn hidden_fields_are_not_asked_for(suite: Suite) -> Outcome {
    let people = secretive(&suite).await?;
    let queries = [
        Query::new().filter(Filter::eq("note", "secret")),
        Query::new().filter(Filter::eq("name", "Alice").and(!Filter::any([Filter::starts_with("note", "s")]))),
        Query::new().filter(Filter::eq("note.inside", 1)),
        Query::new().sort("note"),
        Query::new().select(["note"]),
    ];
    let alice = id(&people.all().await?[0])?;
    for query in queries {
        let params = client().with_query(query.clone());
        refused(people.index(&params).await, ErrorKind::BadRequest)?;
        refused(people.read(&alice, &params).await, ErrorKind::BadRequest)?;
        refused(people.remove(&alice, &params).await, ErrorKind::BadRequest)?;
        refused(people.modify(&alice, document(json!({"age": 1})).into(), &params).await, ErrorKind::BadRequest)?;
        if !query.filter.is_all() {
            refused(people.count(&params).await, ErrorKind::BadRequest)?;
        }
    }
    is_record(&people.all().await?[0], json!({"name": "Alice", "age": 19, "note": "secret"}))
}

async fn hidden_fields_outlast_a_clients_replacement(suite: Suite) -> Outcome {
    let people = secretive(&suite).await?;
    let alice = id(&people.all().await?[0])?;
    people.update(&alice, document(json!({"name": "Alicia"})), &client()).await?;
    is_record(&people.read(&alice, &server()).await?, json!({"name": "Alicia", "note": "secret"}))?;
    people.update(&alice, document(json!({"name": "Alice"})), &server()).await?;
    is_record(&people.read(&alice, &server()).await?, json!({"name": "Alice"}))
}

async fn hidden_fields_are_the_programs(suite: Suite) -> Outcome {
    let people = secretive(&suite).await?;
    let by_note = Query::new().filter(Filter::eq("note", "secret")).sort("note").select(["note"]);
    let found = people.list(by_note).await?;
    is_record(&found[0], json!({"note": "secret"}))?;
    let changed = people.modify(&id(&found[0])?, document(json!({"note": "other"})).into(), &server()).await?;
    is_record(changed.get(), json!({"name": "Alice", "age": 19, "note": "other"}))?;
    // A scope may be about what is hidden from the client that it is for.
    let params = client().with_scope(Filter::eq("note", "other"));
    let found = people.index(&params).await?.data;
    named(&found, &["Alice"])?;
    holds(!found[0].contains("note"), "`note` is hidden")
}

async fn queries_can_be_for_some_fields_only(suite: Suite) -> Outcome {
    let people =
        suite.three(|options| options.fields(crate::people_fields()).query_fields(["name", "address"])).await?;
    let alice = people.person("Alice").await?;
    named(&people.index(&client().with_query(Query::new().filter(Filter::eq("name", "Bob")))).await?.data, &["Bob"])?;
    let by_id = Query::new().filter(Filter::eq("id", alice["id"].clone())).sort_descending("id");
    named(&people.index(&client().with_query(by_id)).await?.data, &["Alice"])?;
    let inside = Query::new().filter(Filter::eq("address.city", "Bonn")).sort("address");
    named(&people.index(&client().with_query(inside)).await?.data, &[])?;
    let shown = Query::new().select(["age"]);
    is_record(&people.index(&client().with_query(shown)).await?.data[0], json!({"age": 25}))?;
    for query in [Query::new().filter(Filter::gt("age", 1)), Query::new().sort("age")] {
        let error = refused(people.index(&client().with_query(query.clone())).await, ErrorKind::BadRequest)?;
        names_field(&error, "age")?;
        people.index(&server().with_query(query)).await?;
    }
    named(&people.index(&client().with_scope(Filter::gt("age", 30))).await?.data, &["Doug"])
}

async fn hooks_set_what_clients_may_not(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.hidden_field("note")).await?;
    let hooked = people.service().clone().hooked().before([Method::Create, Method::Update], |mut ctx| async move {
        ctx.data_mut()?.insert("note", "by a hook");
        Ok(ctx)
    });
    // As an app has it.
    let mounted = hooked.untyped();
    let made = mounted.create(people.new_data(json!({"name": "Eve"})), &client()).await?;
    equal("what a client sees", &made["note"], &Value::Null)?;
    let id = id(&made)?;
    equal("the note", people.read(&id, &server()).await?["note"].as_str(), Some("by a hook"))?;
    mounted.update(&id, document(json!({"name": "Eva"})), &client()).await?;
    equal("the note", people.read(&id, &server()).await?["note"].as_str(), Some("by a hook"))?;
    let own = people.new_data(json!({"name": "Fay", "note": "by herself"}));
    refused(mounted.create(own, &client()).await, ErrorKind::Unprocessable)?;
    Ok(())
}
