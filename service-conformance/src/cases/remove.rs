//! Taking records away, one or many.

use remex_core::{ErrorKind, Filter, Id, Method, Paginate, Params, Query, Value};
use serde_json::json;

use crate::check::{
    all_same, document, equal, id, is_record, mentions, named, named_somehow, refused, refused_as, same,
};
use crate::suite::{client, server};
use crate::{Case, Need, Outcome, Suite};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(the_old_record_is_answered, &[61]),
        Case::new(missing_is_not_found, &[61]),
        Case::new(an_unparsable_id_is_not_found, &[10]),
        Case::new(select_shows_the_id_and_what_is_selected, &[62]),
        Case::new(a_query_that_does_not_match_removes_nothing, &[62, 77]),
        Case::new(clients_do_not_remove_all, &[63]),
        Case::new(the_program_removes_all, &[64]),
        Case::new(clients_can_be_let_remove_all, &[65]),
        Case::new(null_is_an_id_as_any_text, &[66]).needs(&[Need::TextIds]),
        Case::new(an_empty_id_removes_nothing, &[69]).needs(&[Need::InProgram]),
        Case::new(many_are_exactly_those_that_match, &[68]),
        Case::new(many_are_all_that_match_whatever_the_page, &[68]),
        Case::new(many_with_paging_are_refused, &[68]),
        Case::new(many_of_an_empty_list_are_none, &[70]),
        Case::new(clients_remove_many_only_where_they_may, &[63, 68]),
        Case::new(a_query_that_is_looked_past_never_widens, &[37, 63]),
        Case::new(a_query_without_a_filter_is_never_all, &[63, 69]),
        Case::new(an_empty_filter_is_never_all, &[63, 69]),
        Case::new(an_empty_filter_of_the_program_is_never_all, &[64, 69]).needs(&[Need::InProgram]),
    ]
}

async fn the_old_record_is_answered(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    for (name, params) in [("Doug", server()), ("Bob", client())] {
        let record = people.person(name).await?;
        same(&people.remove(&id(&record)?, &params).await?, &record)?;
        refused(people.read(&id(&record)?, &params).await, ErrorKind::NotFound)?;
        refused(people.remove(&id(&record)?, &params).await, ErrorKind::NotFound)?;
    }
    named(&people.all().await?, &["Alice"])
}

async fn missing_is_not_found(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let missing = people.free_id();
    let error = refused(people.remove(&missing, &client()).await, ErrorKind::NotFound)?;
    mentions(&error, missing.as_str())?;
    equal("how many records there are", people.all().await?.len(), 3)
}

async fn an_unparsable_id_is_not_found(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.allow_remove_all(true)).await?;
    for unparsable in people.unparsable_ids() {
        refused(people.remove(&unparsable, &client()).await, ErrorKind::NotFound)?;
    }
    equal("how many records there are", people.all().await?.len(), 3)
}

async fn select_shows_the_id_and_what_is_selected(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let doug = people.person("Doug").await?;
    let params = client().with_query(Query::new().select(["name"]));
    let found = people.remove(&id(&doug)?, &params).await?;
    equal("the names of the fields", found.names().collect::<Vec<_>>(), ["id", "name"])?;
    is_record(&found, json!({"name": "Doug"}))
}

async fn a_query_that_does_not_match_removes_nothing(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let before = people.all().await?;
    let filters = [Filter::eq("name", "Tester"), Filter::eq("id", before[0]["id"].clone())];
    for filter in filters {
        for params in [server(), client()] {
            let params = params.with_query(Query::new().filter(filter.clone()));
            refused(people.remove(&id(&before[1])?, &params).await, ErrorKind::NotFound)?;
        }
    }
    all_same(&people.all().await?, &before)?;
    let by_name = client().with_query(Query::new().filter(Filter::eq("name", "Doug")));
    same(&people.remove(&id(&before[1])?, &by_name).await?, &before[1])
}

async fn clients_do_not_remove_all(suite: Suite) -> Outcome {
    // Leave to remove many by a query is none to remove all.
    for methods in [vec![], vec![Method::Remove]] {
        let people = suite.three(|options| options.multi(methods.clone())).await?;
        refused(people.remove_many(&client()).await, ErrorKind::Forbidden)?;
        equal("how many records there are", people.all().await?.len(), 3)?;
    }
    Ok(())
}

async fn the_program_removes_all(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let before = people.all().await?;
    all_same(&people.remove_many(&server()).await?, &before)?;
    equal("the records", people.all().await?, vec![])?;
    equal("what is removed from nothing", people.remove_many(&server()).await?, vec![])
}

async fn clients_can_be_let_remove_all(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.allow_remove_all(true)).await?;
    let by_name = client().with_query(Query::new().filter(Filter::eq("name", "Doug")));
    named(&people.remove_many(&by_name).await?, &["Doug"])?;
    named(&people.remove_many(&client()).await?, &["Bob", "Alice"])?;
    equal("the records", people.all().await?, vec![])
}

async fn null_is_an_id_as_any_text(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.allow_remove_all(true)).await?;
    refused(people.remove(&Id::from("null"), &client()).await, ErrorKind::NotFound)?;
    refused(people.read(&Id::from("null"), &client()).await, ErrorKind::NotFound)?;
    people.add(json!({"id": "null", "name": "Null"})).await?;
    named(&[people.read(&Id::from("null"), &client()).await?], &["Null"])?;
    named(&[people.remove(&Id::from("null"), &client()).await?], &["Null"])?;
    equal("how many records there are", people.all().await?.len(), 3)
}

async fn an_empty_id_removes_nothing(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.allow_remove_all(true)).await?;
    for params in [client(), server()] {
        refused_as(people.remove(&Id::from(""), &params).await, &[ErrorKind::NotFound, ErrorKind::BadRequest])?;
    }
    equal("how many records there are", people.all().await?.len(), 3)
}

async fn many_are_exactly_those_that_match(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.multi([Method::Remove])).await?;
    let young = client().with_query(Query::new().filter(Filter::lt("age", 30)));
    let wanted = people.list(young.query.clone()).await?;
    let removed = people.remove_many(&young).await?;
    named_somehow(&removed, &["Bob", "Alice"])?;
    for record in &removed {
        let same_one = wanted.iter().find(|other| other["id"] == record["id"]);
        same(record, same_one.unwrap_or(&document(json!({}))))?;
    }
    named(&people.all().await?, &["Doug"])?;
    let names = Params::from(Query::new().filter(Filter::eq("name", "Doug")).select(["name"]));
    let removed = people.remove_many(&names).await?;
    equal("the names of the fields", removed[0].names().collect::<Vec<_>>(), ["id", "name"])
}

async fn many_are_all_that_match_whatever_the_page(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.multi([Method::Remove]).paginate(Paginate::new(10, 10))).await?;
    people.add_all((0..14).map(|number| json!({"age": number % 2}))).await?;
    let even = client().with_query(Query::new().filter(Filter::is_in("age", [0, 1])));
    equal("how many are removed", people.remove_many(&even).await?.len(), 14)?;
    equal("the records", people.all().await?, vec![])
}

async fn many_with_paging_are_refused(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.allow_remove_all(true)).await?;
    let young = || Query::new().filter(Filter::lt("age", 30));
    for query in [young().limit(1), young().skip(1), Query::new().limit(1), Query::new().skip(0)] {
        for params in [client(), server()] {
            refused(people.remove_many(&params.with_query(query.clone())).await, ErrorKind::BadRequest)?;
        }
    }
    equal("how many records there are", people.all().await?.len(), 3)
}

async fn many_of_an_empty_list_are_none(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.allow_remove_all(true)).await?;
    for path in ["id", "name"] {
        let nobody = Query::new().filter(Filter::is_in(path, Vec::<Value>::new()));
        for params in [client(), server()] {
            equal("what is removed", people.remove_many(&params.with_query(nobody.clone())).await?, vec![])?;
        }
    }
    equal("how many records there are", people.all().await?.len(), 3)
}

async fn clients_remove_many_only_where_they_may(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.multi([Method::Create, Method::Modify])).await?;
    let young = Query::new().filter(Filter::lt("age", 30));
    refused(people.remove_many(&client().with_query(young.clone())).await, ErrorKind::Forbidden)?;
    equal("how many records there are", people.all().await?.len(), 3)?;
    named_somehow(&people.remove_many(&server().with_query(young)).await?, &["Bob", "Alice"])
}

async fn a_query_that_is_looked_past_never_widens(suite: Suite) -> Outcome {
    let people =
        suite.three(|options| options.allow_query(false).allow_remove_all(true).multi([Method::Remove])).await?;
    let young = client().with_query(Query::new().filter(Filter::lt("age", 30)));
    refused(people.remove_many(&young).await, ErrorKind::Forbidden)?;
    equal("how many records there are", people.all().await?.len(), 3)
}

async fn a_query_without_a_filter_is_never_all(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.allow_remove_all(true)).await?;
    let texts = [
        "$limit=1",
        "$sort[name]=1",
        "$select=name",
        "$foo=1",
        "name[$foo]=1",
        "$or=",
        "age[$gt",
        "%ff=1",
        "query=%7B",
        "$limit=x",
    ];
    for text in texts {
        let outcome = people.remove_text(text).await;
        equal(&format!("how many records there are after `{text}`"), people.all().await?.len(), 3)?;
        refused(outcome, ErrorKind::BadRequest)?;
    }
    named(&people.remove_text("name=Doug").await?, &["Doug"])?;
    named_somehow(&people.remove_text("").await?, &["Bob", "Alice"])
}

async fn an_empty_filter_is_never_all(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.allow_remove_all(true).multi([Method::Remove])).await?;
    // {} and {"$and":[]}
    for text in ["query=%7B%7D", "query=%7B%22%24and%22%3A%5B%5D%7D"] {
        let outcome = people.remove_text(text).await;
        equal(&format!("how many records there are after `{text}`"), people.all().await?.len(), 3)?;
        refused(outcome, ErrorKind::BadRequest)?;
    }
    Ok(())
}

/// Whoever says an empty filter has lost one.
async fn an_empty_filter_of_the_program_is_never_all(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.allow_remove_all(true).multi([Method::Remove])).await?;
    for params in [server(), client(), server().with_scope(Filter::lt("age", 30))] {
        let nothing = params.with_query(Query::new().filter(Filter::And(vec![])));
        refused(people.remove_many(&nothing).await, ErrorKind::BadRequest)?;
        equal("how many records there are", people.all().await?.len(), 3)?;
    }
    Ok(())
}
