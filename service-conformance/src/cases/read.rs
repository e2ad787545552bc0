//! Reading one record, or those of a list of ids.

use remex_core::{ErrorKind, Filter, Id, Params, Query};
use serde_json::json;

use crate::check::{all_same, document, equal, id, ids, is_record, mentions, named, refused, same};
use crate::suite::{client, server};
use crate::{Case, Need, Outcome, Suite};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(a_record_is_read_as_it_is_listed, &[1, 13]),
        Case::new(missing_is_not_found, &[9]),
        Case::new(an_unparsable_id_is_not_found, &[10]),
        Case::new(a_query_narrows, &[11, 77]),
        Case::new(the_id_of_another_in_the_query_is_not_found, &[11]),
        Case::new(select_shows_the_id_and_what_is_selected, &[12]),
        Case::new(paging_makes_no_difference, &[12]),
        Case::new(many_come_in_the_order_of_their_ids, &[14]),
        Case::new(many_with_one_missing_are_not_found, &[14]),
        Case::new(missing_ones_among_many_can_be_left_out, &[14]),
        Case::new(no_ids_are_no_records, &[14]),
        Case::new(a_query_narrows_many, &[14]),
        Case::new(an_id_can_be_written_only_one_way, &[10]).needs(&[Need::IntegerIds]),
        Case::new(a_uuid_may_be_written_in_capitals, &[10]).needs(&[Need::UuidIds]),
    ]
}

async fn a_record_is_read_as_it_is_listed(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    for record in people.all().await? {
        same(&people.read(&id(&record)?, &server()).await?, &record)?;
        same(&people.read(&id(&record)?, &client()).await?, &record)?;
    }
    Ok(())
}

async fn missing_is_not_found(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let missing = people.free_id();
    for params in [server(), client()] {
        let error = refused(people.read(&missing, &params).await, ErrorKind::NotFound)?;
        mentions(&error, missing.as_str())?;
    }
    Ok(())
}

async fn an_unparsable_id_is_not_found(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    for unparsable in people.unparsable_ids() {
        refused(people.read(&unparsable, &client()).await, ErrorKind::NotFound)?;
        refused(people.read_many(&[unparsable], &client()).await, ErrorKind::NotFound)?;
    }
    Ok(())
}

async fn a_query_narrows(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let doug = people.person("Doug").await?;
    let by_name = |name: &str| Query::new().filter(Filter::eq("name", name));
    for params in [server(), client()] {
        refused(people.read(&id(&doug)?, &params.clone().with_query(by_name("Tester"))).await, ErrorKind::NotFound)?;
        same(&people.read(&id(&doug)?, &params.with_query(by_name("Doug"))).await?, &doug)?;
    }
    Ok(())
}

async fn the_id_of_another_in_the_query_is_not_found(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let (doug, alice) = (people.person("Doug").await?, people.person("Alice").await?);
    let by_id = |value| Params::from(Query::new().filter(Filter::eq("id", value)));
    refused(people.read(&id(&doug)?, &by_id(alice["id"].clone())).await, ErrorKind::NotFound)?;
    same(&people.read(&id(&doug)?, &by_id(doug["id"].clone())).await?, &doug)
}

async fn select_shows_the_id_and_what_is_selected(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let alice = people.person("Alice").await?;
    let select = |names: &[&str]| client().with_query(Query::new().select(names.iter().copied()));
    let found = people.read(&id(&alice)?, &select(&["name"])).await?;
    equal("the names of the fields", found.names().collect::<Vec<_>>(), ["id", "name"])?;
    is_record(&found, json!({"name": "Alice"}))?;
    equal("the id", &found["id"], &alice["id"])?;
    let found = people.read(&id(&alice)?, &select(&[])).await?;
    equal("the names of the fields", found.names().collect::<Vec<_>>(), ["id"])
}

async fn paging_makes_no_difference(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let alice = people.person("Alice").await?;
    let paged = Query::new().limit(0).skip(5).sort("name");
    same(&people.read(&id(&alice)?, &client().with_query(paged)).await?, &alice)
}

async fn many_come_in_the_order_of_their_ids(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let [bob, doug, alice]: [Id; 3] = ids(&people.all().await?)?.try_into().map_err(|_| crate::Failed::new("three"))?;
    let wanted = [alice.clone(), bob.clone(), alice.clone(), doug, bob];
    for params in [server(), client()] {
        let found = people.read_many(&wanted, &params).await?;
        named(&found, &["Alice", "Bob", "Alice", "Doug", "Bob"])?;
        equal("the ids", ids(&found)?, wanted.to_vec())?;
    }
    // As many ids as asked for, and not all records because of a filter that fell out empty.
    named(&people.read_many(&[alice], &server()).await?, &["Alice"])
}

async fn many_with_one_missing_are_not_found(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let missing = people.free_id();
    let wanted = [id(&people.person("Bob").await?)?, missing.clone(), id(&people.person("Doug").await?)?];
    let error = refused(people.read_many(&wanted, &server()).await, ErrorKind::NotFound)?;
    mentions(&error, missing.as_str())
}

async fn missing_ones_among_many_can_be_left_out(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let (bob, doug) = (id(&people.person("Bob").await?)?, id(&people.person("Doug").await?)?);
    let mut wanted = vec![doug.clone(), people.free_id(), bob, people.free_id(), doug];
    wanted.extend(people.unparsable_ids());
    let params = Params { skip_missing: true, ..server() };
    named(&people.read_many(&wanted, &params).await?, &["Doug", "Bob", "Doug"])?;
    equal("the records of ids that are all missing", people.read_many(&[people.free_id()], &params).await?, vec![])
}

async fn no_ids_are_no_records(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    equal("the records", people.read_many(&[], &server()).await?, vec![])?;
    equal("the records", people.read_many(&[], &client()).await?, vec![])
}

async fn a_query_narrows_many(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let all = people.all().await?;
    let wanted = ids(&all)?;
    let young = Params::from(Query::new().filter(Filter::lt("age", 30)));
    refused(people.read_many(&wanted, &young).await, ErrorKind::NotFound)?;
    let young = Params { skip_missing: true, ..young };
    named(&people.read_many(&wanted, &young).await?, &["Bob", "Alice"])?;
    let names = Params::from(Query::new().select(["name"]));
    let found = people.read_many(&wanted, &names).await?;
    equal("the names of the fields", found[0].names().collect::<Vec<_>>(), ["id", "name"])?;
    all_same(&people.read_many(&wanted, &Params::from(Query::new().limit(1).skip(1))).await?, &all)
}

async fn an_id_can_be_written_only_one_way(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    people.add(json!({"id": 7, "name": "Seven"})).await?;
    named(&[people.read(&Id::from("7"), &client()).await?], &["Seven"])?;
    for text in ["07", "+7", "7.0", "7e0", "0x7"] {
        refused(people.read(&Id::from(text), &client()).await, ErrorKind::NotFound)?;
        refused(people.remove(&Id::from(text), &client()).await, ErrorKind::NotFound)?;
    }
    Ok(())
}

async fn a_uuid_may_be_written_in_capitals(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let text = "0192F0C1-0000-7000-8000-00000000000A";
    let made = people.add(json!({"id": text, "name": "Alice"})).await?;
    equal("the id, which is kept in small letters", made["id"].as_str(), Some(text.to_lowercase().as_str()))?;
    for text in [text.to_owned(), text.to_lowercase()] {
        same(&people.read(&Id::from(text.as_str()), &client()).await?, &made)?;
        let changed = people.modify(&Id::from(text), document(json!({"name": "Alice"})).into(), &client()).await?;
        equal("whether a second record was made", changed.is_created(), false)?;
    }
    refused(people.add(json!({"id": text, "name": "Twin"})).await, ErrorKind::Conflict)?;
    Ok(())
}
