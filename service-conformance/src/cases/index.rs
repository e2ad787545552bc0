//! Listing: all records, in their order, and the ways to list them.

use futures::TryStreamExt;
use remex_core::{ErrorKind, Filter, Method, Options, Paginate, Params, Query, ServiceExt};
use serde_json::json;

use crate::check::{all_same, document, equal, holds, id, ids, mentions, named, refused, same};
use crate::suite::{client, server};
use crate::{Case, Outcome, Suite};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(an_empty_store_answers_nothing, &[16]),
        Case::new(all_come_in_the_order_of_ids, &[16]),
        Case::new(the_answered_list_is_a_copy, &[16]),
        Case::new(a_plain_list_is_no_page, &[30]),
        Case::new(clients_and_the_program_see_the_same, &[16]),
        Case::new(find_one_answers_the_first, &[15]),
        Case::new(find_one_answers_the_first_by_id_where_queries_are_looked_past, &[15, 37]),
        Case::new(find_one_answers_none_where_none_matches, &[15]),
        Case::new(require_one_is_not_found_where_none_matches, &[15]),
        Case::new(count_is_of_all_that_match, &[30]),
        Case::new(count_looks_past_paging, &[30]),
        Case::new(count_of_a_filter_looks_past_paging, &[30]),
        Case::new(a_stream_is_what_index_answers, &[16]),
        Case::new(a_stream_has_what_the_query_says_within_the_scope, &[16, 77]),
        Case::new(a_stream_shows_clients_nothing_hidden, &[77]),
        Case::new(a_stream_holds_for_many_records, &[16]),
        Case::new(the_description_says_how_the_service_behaves, &[78]),
    ]
}

async fn an_empty_store_answers_nothing(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    for params in [server(), client(), Params::from(Query::new().filter(Filter::eq("name", "Alice")).sort("name"))] {
        equal("the records", people.index(&params).await?.data, vec![])?;
        equal("their count", people.count(&params).await?, 0)?;
        equal("the first", people.find_one(&params).await?, None)?;
    }
    Ok(())
}

async fn all_come_in_the_order_of_ids(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    named(&people.index(&server()).await?.data, &["Bob", "Doug", "Alice"])?;
    // A change moves no record.
    let bob = id(&people.person("Bob").await?)?;
    people.modify(&bob, document(json!({"age": 99})).into(), &server()).await?;
    named(&people.index(&client()).await?.data, &["Bob", "Doug", "Alice"])
}

async fn the_answered_list_is_a_copy(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let mut found = people.all().await?;
    let before = people.all().await?;
    for record in &mut found {
        record.insert("name", "Mallory");
        record.remove("age");
    }
    found.clear();
    all_same(&people.all().await?, &before)
}

async fn a_plain_list_is_no_page(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let page = people.index(&client()).await?;
    holds(!page.info.paginated, "a service without pagination answers no pages")?;
    equal("the total, which nobody asked for", page.info.total, None)
}

async fn clients_and_the_program_see_the_same(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    all_same(&people.index(&client()).await?.data, &people.index(&server()).await?.data)
}

async fn find_one_answers_the_first(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let find = async |query: Query| people.find_one(&Params::from(query)).await;
    named(find(Query::new().sort("age")).await?.as_slice(), &["Alice"])?;
    named(find(Query::new().sort_descending("age")).await?.as_slice(), &["Doug"])?;
    named(find(Query::new().filter(Filter::gt("age", 19)).sort("name")).await?.as_slice(), &["Bob"])?;
    named(find(Query::new()).await?.as_slice(), &["Bob"])
}

async fn find_one_answers_the_first_by_id_where_queries_are_looked_past(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.allow_query(false)).await?;
    let queries =
        [Query::new(), Query::new().sort("age"), Query::new().filter(Filter::eq("name", "Doug")).select(["name"])];
    for query in queries {
        let found = people.find_one(&client().with_query(query)).await?;
        named(found.as_slice(), &["Bob"])?;
    }
    let within = client().with_scope(Filter::gt("age", 30)).with_query(Query::new().filter(Filter::eq("name", "Bob")));
    named(people.find_one(&within).await?.as_slice(), &["Doug"])
}

async fn find_one_answers_none_where_none_matches(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.paginate(Paginate::new(1, 1))).await?;
    let nobody = Query::new().filter(Filter::eq("name", "Tester"));
    equal("the first that matches", people.find_one(&Params::from(nobody)).await?, None)
}

async fn require_one_is_not_found_where_none_matches(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let nobody = Query::new().filter(Filter::eq("name", "Tester"));
    let error = refused(people.service().require_one(&Params::from(nobody)).await, ErrorKind::NotFound)?;
    mentions(&error, "no record was found matching the given query")?;
    let alice = people.service().require_one(&Params::from(Query::new().filter(Filter::eq("age", 19)))).await?;
    same(&alice, &people.person("Alice").await?)
}

async fn count_is_of_all_that_match(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    equal("the count of all", people.count(&server()).await?, 3)?;
    let young = Query::new().filter(Filter::lt("age", 30));
    equal("the count of those that match", people.count(&client().with_query(young)).await?, 2)
}

async fn count_looks_past_paging(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.paginate(Paginate::new(1, 2))).await?;
    let paged = Query::new().limit(1).skip(2).sort("age");
    equal("the count with limit and skip", people.count(&Params::from(paged.clone())).await?, 3)?;
    equal("the same for a client", people.count(&client().with_query(paged)).await?, 3)
}

async fn count_of_a_filter_looks_past_paging(suite: Suite) -> Outcome {
    for indexed in [false, true] {
        let shape = |options: Options| if indexed { options.index("age") } else { options };
        let people = suite.people(|options| shape(options).paginate(Paginate::new(1, 2))).await?;
        people.add_all((0..12).map(|number| json!({"age": number % 3}))).await?;
        let filters = [
            (Filter::eq("age", 1), 4),
            (Filter::is_in("age", [0, 2]), 8),
            (Filter::gte("age", 1), 8),
            (Filter::ne("age", 1), 8),
            (Filter::eq("age", 7), 0),
        ];
        for (filter, expected) in filters {
            let query = || Query::new().filter(filter.clone());
            for query in [query().limit(1), query().limit(0), query().skip(3), query().sort("age").skip(9).limit(2)] {
                for params in [server(), client()] {
                    let count = people.count(&params.with_query(query.clone())).await?;
                    equal(&format!("the count of {query:?}"), count, expected)?;
                }
            }
        }
    }
    Ok(())
}

async fn a_stream_is_what_index_answers(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let queries = [
        Query::new(),
        Query::new().sort_descending("age"),
        Query::new().filter(Filter::gte("age", 25)).sort("name"),
        Query::new().sort("age").skip(1).limit(1),
        Query::new().select(["name"]),
    ];
    for query in queries {
        let params = Params::from(query);
        let streamed: Vec<_> = people.index_stream(params.clone()).try_collect().await?;
        all_same(&streamed, &people.index(&params).await?.data)?;
    }
    let unfit = Query::new().filter(Filter::eq("name", "Alice")).sort("nickname");
    let (streamed, listed) = (
        people.index_stream(Params::from(unfit.clone())).try_collect::<Vec<_>>().await,
        people.index(&Params::from(unfit)).await,
    );
    equal(
        "the kind of error of a stream beside that of a list",
        streamed.err().map(|error| error.kind()),
        listed.err().map(|error| error.kind()),
    )
}

async fn a_stream_has_what_the_query_says_within_the_scope(suite: Suite) -> Outcome {
    for indexed in [false, true] {
        let people = suite.people(|options| if indexed { options.index("age") } else { options }).await?;
        let data =
            (0..20).map(|number| json!({"name": format!("{number:02}"), "age": number % 5, "owner": number % 2}));
        people.add_all(data).await?;
        let young = || Query::new().filter(Filter::is_in("age", [1, 2, 3]));
        let queries: [(Query, &[&str]); 7] = [
            (young(), &["01", "03", "07", "11", "13", "17"]),
            (young().sort_descending("name"), &["17", "13", "11", "07", "03", "01"]),
            (young().sort("age").sort_descending("name"), &["11", "01", "17", "07", "13", "03"]),
            (young().skip(2).limit(3), &["07", "11", "13"]),
            (young().sort_descending("name").skip(4), &["03", "01"]),
            (Query::new().filter(Filter::eq("age", 2)).limit(1), &["07"]),
            (young().limit(0), &[]),
        ];
        for (query, expected) in queries {
            for params in [server(), client()] {
                let params = params.with_scope(Filter::eq("owner", 1)).with_query(query.clone());
                named(&people.index_stream(params).try_collect::<Vec<_>>().await?, expected)?;
            }
        }
    }
    Ok(())
}

async fn a_stream_shows_clients_nothing_hidden(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.hidden_field("note")).await?;
    people.add_all((0..3).map(|number| json!({"name": "n", "age": number, "note": "secret"}))).await?;
    for query in [Query::new(), Query::new().sort_descending("age").skip(1), Query::new().filter(Filter::gt("age", 0))]
    {
        let shown: Vec<_> = people.index_stream(client().with_query(query.clone())).try_collect().await?;
        holds(!shown.is_empty(), "there are records in the stream")?;
        holds(shown.iter().all(|record| !record.contains("note")), "`note` is hidden from clients")?;
        let whole: Vec<_> = people.index_stream(server().with_query(query)).try_collect().await?;
        equal("how many there are", whole.len(), shown.len())?;
        holds(whole.iter().all(|record| record["note"].as_str() == Some("secret")), "the program sees it")?;
    }
    // What is hidden is not to be asked for either.
    let by_note = client().with_query(Query::new().sort("note"));
    refused(people.index_stream(by_note).try_collect::<Vec<_>>().await, ErrorKind::BadRequest)?;
    Ok(())
}

async fn a_stream_holds_for_many_records(suite: Suite) -> Outcome {
    /// More than a store reads at once.
    const RECORDS: usize = 2_345;
    let people = suite.people(|options| options).await?;
    for start in (0..RECORDS).step_by(500) {
        let data = (start..RECORDS.min(start + 500))
            .map(|number| people.new_data(json!({"age": number % 7, "owner": number})));
        people.create_many(data.collect(), &server()).await?;
    }
    let params = Params::from(Query::new().sort_descending("age"));
    let streamed: Vec<_> = people.index_stream(params.clone()).try_collect().await?;
    equal("how many records the stream has", streamed.len(), RECORDS)?;
    equal("their ids beside those of a list", ids(&streamed)?, ids(&people.index(&params).await?.data)?)?;
    let limited: Vec<_> = people.index_stream(Params::from(Query::new().skip(10).limit(2_100))).try_collect().await?;
    equal("how many records a limited stream has", limited.len(), 2_100)?;
    equal("where it begins", limited[0]["owner"].as_i64(), Some(10))
}

async fn the_description_says_how_the_service_behaves(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.paginate(Paginate::new(5, 50))).await?;
    let description = people.describe();
    equal("the field of the id", description.id_field(), "id")?;
    equal("the largest page", description.page_max(), Some(50))?;
    for method in Method::ALL {
        holds(description.methods().contains(method), "a store offers all six methods")?;
    }
    Ok(())
}
