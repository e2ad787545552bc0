//! Answers as JSON text, which a store may write without building records: they say what the records say.

use remex_core::{
    Answer, Call, Document, ErrorKind, Filter, Id, Missing, Paginate, Params, Patch, Query, Timestamps, Value,
    read_json,
};
use serde_json::json;

use crate::check::{document, equal, id, is_record, refused, same};
use crate::suite::{client, server};
use crate::{Case, Failed, Outcome, Suite};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(of_index_is_its_list, &[16]),
        Case::new(of_index_says_where_the_page_stands, &[30, 33]),
        Case::new(of_read_is_its_record, &[13]),
        Case::new(of_create_has_the_id, &[1, 78]),
        Case::new(of_changes_says_what_was_made, &[45, 55, 78]),
        Case::new(of_remove_is_the_old_record, &[61]),
        Case::new(of_many_is_their_list, &[8, 48, 68]),
        Case::new(shows_what_is_selected, &[12, 29]),
        Case::new(of_errors_is_the_same_error, &[9, 46]),
        Case::new(is_json_to_the_letter, &[13]),
    ]
}

/// Makes a call that changes the record with this id, or makes it.
type MakeCall = fn(Id, Document) -> Call<Id, Document>;

fn record(answer: &Answer) -> Result<Document, Failed> {
    Ok(Document::from_json(&answer.json)?)
}

fn records(answer: &Answer) -> Result<Vec<Document>, Failed> {
    let Value::Array(values) = read_json(&answer.json)? else { return Err(Failed::new("the answer is no list")) };
    let documents = values.iter().map(|value| value.as_document().cloned());
    documents.collect::<Option<_>>().ok_or_else(|| Failed::new("the answer is no list of objects"))
}

/// JSON text and records are written by different code, and must agree to the type and the order of records.
fn agree(found: &[Document], expected: &[Document]) -> Outcome {
    crate::check::all_same(found, expected)?;
    for (found, expected) in found.iter().zip(expected) {
        for (name, value) in expected.iter().filter(|(_, value)| !value.is_null()) {
            equal(name, &found[name], value)?;
        }
    }
    Ok(())
}

async fn of_index_is_its_list(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.timestamps(Timestamps::Snake)).await?;
    people
        .add(json!({"name": "All", "admin": true, "score": 2.5, "tags": [1, null, {"a": "ä"}], "address": {"x": {}}}))
        .await?;
    let queries = [
        Query::new(),
        Query::new().sort_descending("age"),
        Query::new().filter(Filter::gt("age", 19)).sort("name"),
        Query::new().skip(1).limit(2),
        Query::new().filter(Filter::eq("name", "Tester")),
    ];
    for query in queries {
        for params in [server(), client()] {
            let params = params.with_query(query.clone());
            agree(&records(&people.answer(Call::Index, &params).await?)?, &people.index(&params).await?.data)?;
        }
    }
    Ok(())
}

async fn of_index_says_where_the_page_stands(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.paginate(Paginate::new(1, 2))).await?;
    for query in
        [Query::new(), Query::new().limit(5).skip(1), Query::new().sort("age").limit(2), Query::new().total(false)]
    {
        let params = client().with_query(query);
        let answer = people.answer(Call::Index, &params).await?;
        let page = people.index(&params).await?;
        equal("where the page stands", answer.page, Some(page.info))?;
        agree(&records(&Answer { page: None, ..answer })?, &page.data)?;
    }
    Ok(())
}

async fn of_read_is_its_record(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    for wanted in people.all().await? {
        let answer = people.answer(Call::Read(id(&wanted)?), &client()).await?;
        agree(&[record(&answer)?], &[wanted])?;
        equal("whether a record was made", answer.created, false)?;
        equal("where the page stands", answer.page, None)?;
    }
    Ok(())
}

async fn of_create_has_the_id(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let answer = people.answer(Call::Create(people.new_data(json!({"name": "Alice", "age": 19}))), &client()).await?;
    let found = record(&answer)?;
    is_record(&found, json!({"name": "Alice", "age": 19}))?;
    equal("the id of the answer", answer.id, Some(id(&found)?))?;
    equal("whether a record was made", answer.created, true)?;
    agree(&people.all().await?, &[found])
}

async fn of_changes_says_what_was_made(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let doug = people.person("Doug").await?;
    let data = || document(json!({"name": "New", "age": 1}));
    let calls: [MakeCall; 3] = [
        |id, data| Call::Modify(id, Patch::Merge(data)),
        |id, data| Call::Modify(id, Patch::MergeDeep(data)),
        Call::Update,
    ];
    for call in calls {
        let answer = people.answer(call(id(&doug)?, data()), &client()).await?;
        equal("whether a record was made", answer.created, false)?;
        agree(&[record(&answer)?], &[people.read(&id(&doug)?, &client()).await?])?;
        let missing = people.free_id();
        let answer = people.answer(call(missing.clone(), data()), &client()).await?;
        equal("whether a record was made", answer.created, true)?;
        equal("the id of the answer", answer.id.clone(), Some(missing.clone()))?;
        agree(&[record(&answer)?], &[people.read(&missing, &client()).await?])?;
    }
    Ok(())
}

async fn of_remove_is_the_old_record(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let doug = people.person("Doug").await?;
    let answer = people.answer(Call::Remove(id(&doug)?), &client()).await?;
    agree(&[record(&answer)?], std::slice::from_ref(&doug))?;
    refused(people.answer(Call::Remove(id(&doug)?), &client()).await, ErrorKind::NotFound)?;
    Ok(())
}

async fn of_many_is_their_list(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let data = vec![people.new_data(json!({"name": "b"})), people.new_data(json!({"name": "a"}))];
    let made = people.answer(Call::CreateMany(data), &server()).await?;
    equal("whether records were made", made.created, true)?;
    let made = records(&made)?;
    crate::check::named(&made, &["b", "a"])?;
    let changed = people.answer(Call::ModifyMany(document(json!({"age": 5})).into()), &server()).await?;
    let mut changed = records(&changed)?;
    // Many changed records come in no promised order.
    changed.sort_by(|one, other| one["id"].compare(&other["id"]));
    agree(&changed, &people.all().await?)?;
    let mut removed = records(&people.answer(Call::RemoveMany, &server()).await?)?;
    removed.sort_by(|one, other| one["id"].compare(&other["id"]));
    agree(&removed, &changed)?;
    equal("what is removed from nothing", records(&people.answer(Call::RemoveMany, &server()).await?)?, vec![])
}

async fn shows_what_is_selected(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let params = client().with_query(Query::new().select(["name"]));
    let doug = id(&people.person("Doug").await?)?;
    let calls = [
        Call::Read(doug.clone()),
        Call::Modify(doug.clone(), document(json!({"age": 1})).into()),
        Call::Update(doug.clone(), document(json!({"name": "Doug", "age": 2}))),
        Call::Remove(doug),
        Call::Create(people.new_data(json!({"name": "Eve", "age": 3}))),
    ];
    for call in calls {
        let found = record(&people.answer(call, &params).await?)?;
        equal("the names of the fields", found.names().collect::<Vec<_>>(), ["id", "name"])?;
    }
    let list = people.answer(Call::Index, &params).await?;
    for found in records(&list)? {
        equal("the names of the fields", found.names().collect::<Vec<_>>(), ["id", "name"])?;
    }
    Ok(())
}

async fn of_errors_is_the_same_error(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let not_found = Params { missing: Some(Missing::NotFound), ..client() };
    let missing = people.free_id();
    refused(people.answer(Call::Read(missing.clone()), &client()).await, ErrorKind::NotFound)?;
    let patch = || Patch::Merge(document(json!({"age": 1})));
    refused(people.answer(Call::Modify(missing.clone(), patch()), &not_found).await, ErrorKind::NotFound)?;
    refused(people.answer(Call::Update(missing, document(json!({}))), &not_found).await, ErrorKind::NotFound)?;
    let taken = document(json!({"name": "Mallory"})).with("id", people.all().await?[0]["id"].clone());
    refused(people.answer(Call::Create(taken), &client()).await, ErrorKind::Conflict)?;
    refused(people.answer(Call::RemoveMany, &client()).await, ErrorKind::Forbidden)?;
    refused(people.answer(Call::ModifyMany(patch()), &client()).await, ErrorKind::MethodNotAllowed)?;
    refused(people.answer(Call::CreateMany(vec![]), &client()).await, ErrorKind::MethodNotAllowed)?;
    let elsewhere = client().with_scope(Filter::eq("owner", 7));
    let bob = people.person("Bob").await?;
    refused(people.answer(Call::Modify(id(&bob)?, patch()), &elsewhere).await, ErrorKind::NotFound)?;
    same(&people.person("Bob").await?, &bob)
}

async fn is_json_to_the_letter(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let person = json!({
        "name": "quote \" backslash \\ tab \t line \n \u{1} \u{2028} é 😀 </script>", "age": i64::MIN, "admin": false, "score": 1e-7,
        "tags": [i64::MAX, 0.1, null, [], {}, "\u{7f}"], "address": {"a \"b\"": {"c": [true]}},
    });
    let made = people.create(people.new_data(person.clone()), &client()).await?;
    let answer = people.answer(Call::Read(id(&made)?), &client()).await?;
    let found = record(&answer)?;
    is_record(&found, person.clone())?;
    for field in ["name", "age", "admin", "tags", "address"] {
        equal(field, &found[field], &Value::from(person[field].clone()))?;
    }
    Ok(())
}
