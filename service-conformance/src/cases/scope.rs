//! The scope: what the server adds to a call, and no query can widen. Records outside do not exist for it.

use futures::TryStreamExt;
use remex_core::{AllowQuery, Call, Document, ErrorKind, Filter, Method, Paginate, Params, Patch, Query, Value};
use serde_json::json;

use crate::check::{all_same, document, equal, holds, id, ids, is_record, named, named_somehow, refused, same};
use crate::suite::{client, server};
use crate::{Case, Failed, Outcome, People, Suite, people_fields};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(lists_hold_what_is_within, &[77]),
        Case::new(what_is_outside_is_not_found, &[77]),
        Case::new(what_is_outside_is_not_found_among_many, &[14, 77]),
        Case::new(no_query_widens_it, &[77]),
        Case::new(it_holds_for_the_program_too, &[77]),
        Case::new(it_holds_where_queries_do_not, &[37]),
        Case::new(changing_what_is_outside_makes_nothing, &[46]),
        Case::new(removing_all_removes_what_is_within, &[64]),
        Case::new(changing_many_changes_what_is_within, &[48]),
        Case::new(new_records_are_stamped, &[77]),
        Case::new(new_records_that_lie_outside_are_refused, &[77]),
        Case::new(missing_records_are_stamped, &[45]),
        Case::new(missing_records_that_would_lie_outside_are_refused, &[45]),
        Case::new(no_change_moves_a_record_out, &[77]),
        Case::new(no_replacement_moves_a_record_out, &[77]),
        Case::new(no_change_of_many_moves_a_record_out, &[77]),
        Case::new(replacements_are_stamped, &[53]),
        Case::new(a_required_field_may_be_stamped, &[77]),
        Case::new(no_list_puts_a_record_within_two_scopes, &[77]),
        Case::new(what_is_in_several_scopes_may_be_changed_from_each, &[77]),
        Case::new(a_scope_may_be_more_than_equalities, &[77]),
        Case::new(json_and_streams_hold_what_is_within, &[77]),
    ]
}

/// One and three belong to 7, two and four to 8.
async fn owned(suite: &Suite) -> Result<People, Failed> {
    owned_with(suite, |options| options).await
}

async fn owned_with(
    suite: &Suite,
    shape: impl FnOnce(remex_core::Options) -> remex_core::Options,
) -> Result<People, Failed> {
    let people = suite.people(shape).await?;
    for (name, age, owner) in [("one", 1, 7), ("two", 2, 8), ("three", 3, 7), ("four", 4, 8)] {
        people.add(json!({"name": name, "age": age, "owner": owner})).await?;
    }
    Ok(people)
}

fn seven() -> Filter {
    Filter::eq("owner", 7)
}

async fn lists_hold_what_is_within(suite: Suite) -> Outcome {
    let people = owned_with(&suite, |options| options.paginate(Paginate::new(10, 10))).await?;
    for params in [client(), server()] {
        let params = params.with_scope(seven());
        let page = people.index(&params).await?;
        named(&page.data, &["one", "three"])?;
        equal("the total", page.info.total, Some(2))?;
        equal("the count", people.count(&params).await?, 2)?;
        named(people.find_one(&params).await?.as_slice(), &["one"])?;
        let old = params.with_query(Query::new().filter(Filter::gt("age", 1)));
        named(&people.index(&old).await?.data, &["three"])?;
        equal("the count", people.count(&old).await?, 1)?;
    }
    Ok(())
}

async fn what_is_outside_is_not_found(suite: Suite) -> Outcome {
    let people = owned(&suite).await?;
    let before = people.all().await?;
    let params = client().with_scope(seven());
    let outside = id(&before[1])?;
    refused(people.read(&outside, &params).await, ErrorKind::NotFound)?;
    refused(people.remove(&outside, &params).await, ErrorKind::NotFound)?;
    same(&people.read(&id(&before[0])?, &params).await?, &before[0])?;
    all_same(&people.all().await?, &before)?;
    same(&people.remove(&id(&before[0])?, &params).await?, &before[0])
}

async fn what_is_outside_is_not_found_among_many(suite: Suite) -> Outcome {
    let people = owned(&suite).await?;
    let all = ids(&people.all().await?)?;
    let params = client().with_scope(seven());
    refused(people.read_many(&all, &params).await, ErrorKind::NotFound)?;
    named(&people.read_many(&all, &Params { skip_missing: true, ..params }).await?, &["one", "three"])
}

async fn no_query_widens_it(suite: Suite) -> Outcome {
    let people = owned_with(&suite, |options| options.multi(Method::ALL)).await?;
    let before = people.all().await?;
    let wide = [
        Filter::eq("owner", 8),
        Filter::any([Filter::eq("owner", 8), Filter::eq("name", "two")]),
        !Filter::eq("owner", 7),
        Filter::Nor(vec![Filter::eq("owner", 7)]),
        Filter::is_in("owner", [8]),
    ];
    for filter in wide {
        let params = client().with_scope(seven()).with_query(Query::new().filter(filter));
        equal("the records", people.index(&params).await?.data, vec![])?;
        equal("the count", people.count(&params).await?, 0)?;
        refused(people.read(&id(&before[1])?, &params).await, ErrorKind::NotFound)?;
        equal("what is removed", people.remove_many(&params).await?, vec![])?;
        let patch = Patch::Merge(document(json!({"age": 99})));
        equal("what is changed", people.modify_many(patch, &params).await?, vec![])?;
    }
    let either = Filter::any([Filter::eq("owner", 8), Filter::gt("age", 0)]);
    let params = client().with_scope(seven()).with_query(Query::new().filter(either));
    named(&people.index(&params).await?.data, &["one", "three"])?;
    all_same(&people.all().await?, &before)
}

async fn it_holds_for_the_program_too(suite: Suite) -> Outcome {
    let people = owned(&suite).await?;
    let before = people.all().await?;
    let params = server().with_scope(seven());
    refused(people.read(&id(&before[1])?, &params).await, ErrorKind::NotFound)?;
    refused(people.remove(&id(&before[1])?, &params).await, ErrorKind::NotFound)?;
    named(&people.index(&params).await?.data, &["one", "three"])
}

async fn it_holds_where_queries_do_not(suite: Suite) -> Outcome {
    for allow in [AllowQuery::ServerOnly, AllowQuery::Nobody] {
        let people = owned_with(&suite, |options| options.allow_query(allow)).await?;
        let params = client().with_scope(seven()).with_query(Query::new().filter(Filter::eq("name", "two")));
        named(&people.index(&params).await?.data, &["one", "three"])?;
        equal("the count", people.count(&params).await?, 2)?;
        let two = id(&people.all().await?[1])?;
        refused(people.read(&two, &params).await, ErrorKind::NotFound)?;
    }
    Ok(())
}

async fn changing_what_is_outside_makes_nothing(suite: Suite) -> Outcome {
    let people = owned(&suite).await?;
    let before = people.all().await?;
    let outside = id(&before[1])?;
    for params in [client().with_scope(seven()), server().with_scope(seven())] {
        let data = || document(json!({"name": "mine", "owner": 7}));
        refused(people.modify(&outside, data().into(), &params).await, ErrorKind::NotFound)?;
        refused(people.modify(&outside, Patch::MergeDeep(data()), &params).await, ErrorKind::NotFound)?;
        refused(people.update(&outside, data(), &params).await, ErrorKind::NotFound)?;
    }
    all_same(&people.all().await?, &before)
}

async fn removing_all_removes_what_is_within(suite: Suite) -> Outcome {
    for params in [client(), server()] {
        let people = owned_with(&suite, |options| options.allow_remove_all(true)).await?;
        named_somehow(&people.remove_many(&params.with_scope(seven())).await?, &["one", "three"])?;
        named(&people.all().await?, &["two", "four"])?;
    }
    Ok(())
}

async fn changing_many_changes_what_is_within(suite: Suite) -> Outcome {
    let people = owned_with(&suite, |options| options.multi([Method::Modify])).await?;
    let params = client().with_scope(seven()).with_query(Query::new().filter(Filter::gt("age", 0)));
    let changed = people.modify_many(Patch::Merge(document(json!({"note": "seen"}))), &params).await?;
    named_somehow(&changed, &["one", "three"])?;
    named(&people.list(Query::new().filter(Filter::exists("note", true))).await?, &["one", "three"])
}

async fn new_records_are_stamped(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let params = client().with_scope(seven().and(Filter::eq("admin", false)).and(Filter::ne("name", "x")));
    let made = people.create(people.new_data(json!({"name": "mine"})), &params).await?;
    is_record(&made, json!({"name": "mine", "owner": 7, "admin": false}))?;
    same(&people.read(&id(&made)?, &server()).await?, &made)?;
    // Null is as good as nothing, and the right value as good as none.
    let made = people.create(people.new_data(json!({"name": "null", "owner": null})), &params).await?;
    equal("the stamp", &made["owner"], &Value::from(7))?;
    let made = people.create(people.new_data(json!({"name": "said", "owner": 7})), &params).await?;
    equal("the stamp", &made["owner"], &Value::from(7))?;
    let many = vec![people.new_data(json!({"name": "a"})), people.new_data(json!({"name": "b"}))];
    let made = people.create_many(many, &server().with_scope(seven())).await?;
    holds(made.iter().all(|record| record["owner"] == Value::from(7)), "each of many is stamped")
}

async fn new_records_that_lie_outside_are_refused(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.multi([Method::Create])).await?;
    for params in [client().with_scope(seven()), server().with_scope(seven())] {
        let foreign = || people.new_data(json!({"name": "foreign", "owner": 8}));
        refused(people.create(foreign(), &params).await, ErrorKind::Forbidden)?;
        let many = vec![people.new_data(json!({"name": "mine"})), foreign()];
        refused(people.create_many(many, &params).await, ErrorKind::Forbidden)?;
    }
    equal("the records", people.all().await?, vec![])
}

async fn missing_records_are_stamped(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let params = client().with_scope(seven());
    let made = [
        people.modify(&people.free_id(), document(json!({"name": "m"})).into(), &params).await?,
        people.modify(&people.free_id(), Patch::MergeDeep(document(json!({"name": "d"}))), &params).await?,
        people.update(&people.free_id(), document(json!({"name": "u"})), &params).await?,
    ];
    for stored in made {
        holds(stored.is_created(), "a record that was not there is created")?;
        equal("the stamp", &stored.get()["owner"], &Value::from(7))?;
        same(&people.read(&id(stored.get())?, &server()).await?, stored.get())?;
    }
    Ok(())
}

async fn missing_records_that_would_lie_outside_are_refused(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let params = client().with_scope(seven());
    let foreign = || document(json!({"name": "foreign", "owner": 8}));
    refused(people.modify(&people.free_id(), foreign().into(), &params).await, ErrorKind::Forbidden)?;
    refused(people.update(&people.free_id(), foreign(), &params).await, ErrorKind::Forbidden)?;
    equal("the records", people.all().await?, vec![])
}

async fn no_change_moves_a_record_out(suite: Suite) -> Outcome {
    let people = owned(&suite).await?;
    let before = people.all().await?;
    let one = id(&before[0])?;
    for params in [client().with_scope(seven()), server().with_scope(seven())] {
        for data in [json!({"owner": 8, "name": "moved"}), json!({"owner": null})] {
            let data = document(data);
            refused(people.modify(&one, data.clone().into(), &params).await, ErrorKind::Forbidden)?;
            refused(people.modify(&one, Patch::MergeDeep(data), &params).await, ErrorKind::Forbidden)?;
        }
    }
    all_same(&people.all().await?, &before)
}

async fn no_replacement_moves_a_record_out(suite: Suite) -> Outcome {
    let people = owned(&suite).await?;
    let before = people.all().await?;
    let params = client().with_scope(seven());
    let foreign = document(json!({"owner": 8, "name": "moved"}));
    refused(people.update(&id(&before[0])?, foreign, &params).await, ErrorKind::Forbidden)?;
    all_same(&people.all().await?, &before)
}

async fn no_change_of_many_moves_a_record_out(suite: Suite) -> Outcome {
    let people = owned_with(&suite, |options| options.multi([Method::Modify])).await?;
    let before = people.all().await?;
    for params in [client(), server()] {
        let params = params.with_scope(seven()).with_query(Query::new().filter(Filter::gt("age", 0)));
        let outcome = people.modify_many(Patch::Merge(document(json!({"owner": 8}))), &params).await;
        refused(outcome, ErrorKind::Forbidden)?;
    }
    // A change that moves only some out changes none.
    let young = server().with_scope(Filter::lt("age", 3).or(Filter::eq("name", "four")));
    let outcome = people.modify_many(Patch::Merge(document(json!({"age": 5}))), &young).await;
    refused(outcome, ErrorKind::Forbidden)?;
    all_same(&people.all().await?, &before)
}

async fn replacements_are_stamped(suite: Suite) -> Outcome {
    let people = owned(&suite).await?;
    let one = id(&people.all().await?[0])?;
    let params = client().with_scope(seven());
    let found = people.update(&one, document(json!({"name": "new"})), &params).await?.into_inner();
    is_record(&found, json!({"name": "new", "owner": 7}))?;
    same(&people.read(&one, &server()).await?, &found)
}

async fn a_required_field_may_be_stamped(suite: Suite) -> Outcome {
    let fields = people_fields().iter().fold(remex_core::Fields::new(), |fields, field| match field.name.as_str() {
        "owner" => fields.required("owner", field.kind),
        _ => fields.optional(field.name.clone(), field.kind),
    });
    let people = suite.people(|options| options.fields(fields)).await?;
    refused(people.create(people.new_data(json!({"name": "a"})), &client()).await, ErrorKind::Unprocessable)?;
    let made = people.create(people.new_data(json!({"name": "a"})), &client().with_scope(seven())).await?;
    equal("the stamp", &made["owner"], &Value::from(7))
}

async fn no_list_puts_a_record_within_two_scopes(suite: Suite) -> Outcome {
    let people = owned_with(&suite, |options| options.multi([Method::Create, Method::Modify])).await?;
    let before = people.all().await?;
    let (one, free) = (id(&before[0])?, people.free_id());
    let params = client().with_scope(seven());
    let shared = || document(json!({"name": "new", "owner": [7, 8]}));
    let outcomes = [
        people.create(people.new_data(json!({"name": "new", "owner": [7, 8]})), &params).await.map(drop),
        people.create_many(vec![people.new_data(json!({"name": "new", "owner": [8, 7]}))], &params).await.map(drop),
        people.modify(&one, shared().into(), &params).await.map(drop),
        people.modify(&one, Patch::MergeDeep(shared()), &params).await.map(drop),
        people.modify(&free, shared().into(), &params).await.map(drop),
        people.update(&one, shared(), &params).await.map(drop),
        people.update(&free, shared(), &params).await.map(drop),
        people
            .modify_many(shared().into(), &params.clone().with_query(Query::new().filter(Filter::gt("age", 0))))
            .await
            .map(drop),
    ];
    for outcome in outcomes {
        // Where the field is known to hold a number, the list does not fit.
        let kind = outcome.err().map(|error| error.kind());
        let refused = matches!(kind, Some(ErrorKind::Forbidden | ErrorKind::Unprocessable));
        holds(refused, &format!("a list with an owner outside is refused, but it came to {kind:?}"))?;
    }
    all_same(&people.all().await?, &before)
}

async fn what_is_in_several_scopes_may_be_changed_from_each(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.multi([Method::Modify])).await?;
    let made = people.add(json!({"name": "shared", "tags": ["a", "b"]})).await?;
    let made = id(&made)?;
    for (age, tag) in [(1, "a"), (2, "b")] {
        let params = client().with_scope(Filter::eq("tags", tag));
        let changed = people.modify(&made, document(json!({"age": age})).into(), &params).await?.into_inner();
        equal("the age", changed["age"].as_i64(), Some(age))?;
        let all = params.clone().with_query(Query::new().filter(Filter::eq("name", "shared")));
        equal("changed among many", people.modify_many(document(json!({"score": 1.5})).into(), &all).await?.len(), 1)?;
        // Who shares it is not for one of them to say.
        let given_away = people.modify(&made, document(json!({"tags": [tag, "c"]})).into(), &params).await;
        refused(given_away, ErrorKind::Forbidden)?;
    }
    is_record(
        &people.read(&made, &server()).await?,
        json!({"name": "shared", "tags": ["a", "b"], "age": 2, "score": 1.5}),
    )
}

async fn a_scope_may_be_more_than_equalities(suite: Suite) -> Outcome {
    let people = owned(&suite).await?;
    let params = client().with_scope(Filter::gt("age", 1).and(Filter::any([seven(), Filter::eq("name", "four")])));
    named(&people.index(&params).await?.data, &["three", "four"])?;
    let all = people.all().await?;
    refused(people.read(&id(&all[0])?, &params).await, ErrorKind::NotFound)?;
    named(&[people.read(&id(&all[3])?, &params).await?], &["four"])?;
    refused(people.create(people.new_data(json!({"name": "new", "age": 9})), &params).await, ErrorKind::Forbidden)?;
    people.create(people.new_data(json!({"name": "new", "age": 9, "owner": 7})), &params).await?;
    refused(people.modify(&id(&all[2])?, document(json!({"age": 0})).into(), &params).await, ErrorKind::Forbidden)?;
    named(&people.index(&params).await?.data, &["three", "four", "new"])
}

async fn json_and_streams_hold_what_is_within(suite: Suite) -> Outcome {
    let people = owned(&suite).await?;
    let params = client().with_scope(seven());
    let streamed: Vec<Document> = people.index_stream(params.clone()).try_collect().await?;
    named(&streamed, &["one", "three"])?;
    let answer = people.answer(Call::Index, &params).await?;
    let text = std::str::from_utf8(&answer.json).unwrap_or_default();
    holds(text.contains("\"three\"") && !text.contains("\"two\""), "JSON text holds what is within, and only that")?;
    let two = id(&people.all().await?[1])?;
    refused(people.answer(Call::Read(two), &params).await, ErrorKind::NotFound)?;
    Ok(())
}
