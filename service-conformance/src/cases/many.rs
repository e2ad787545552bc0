//! More records than a store takes in one piece: what holds for a few holds for all of them.

use remex_core::{Cursor, Document, Filter, Id, Options, Paginate, Params, Patch, Query, Value};
use serde_json::json;

use crate::check::{document, equal, ids, named};
use crate::suite::{client, server};
use crate::{Case, Failed, Outcome, People, Suite};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(all_are_made, &[8]),
        Case::new(all_that_match_are_changed, &[48]),
        Case::new(all_that_match_are_removed, &[68]),
        Case::new(all_that_match_are_found, &[21]),
        Case::new(all_are_on_some_page, &[33]),
    ]
}

/// More than a store reads or writes at once.
const RECORDS: usize = 1_600;

/// People who are 0 and 1 in turn, as many of the one as of the other.
async fn throng(suite: &Suite, count: usize, shape: impl FnOnce(Options) -> Options) -> Result<People, Failed> {
    let people = suite.people(shape).await?;
    for start in (0..count).step_by(500) {
        let data = (start..count.min(start + 500))
            .map(|number| people.new_data(json!({"age": number % 2, "owner": number})))
            .collect::<Vec<_>>();
        people.create_many(data, &server()).await?;
    }
    Ok(people)
}

fn of_filter(filter: Filter) -> Params {
    Params::from(Query::new().filter(filter))
}

async fn all_are_made(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.index("age")).await?;
    let data = (0..RECORDS).map(|number| people.new_data(json!({"owner": number}))).collect::<Vec<_>>();
    let made = people.create_many(data, &server()).await?;
    let owners = |records: &[Document]| records.iter().map(|record| record["owner"].as_i64()).collect::<Vec<_>>();
    let expected: Vec<_> = (0..RECORDS).map(|number| i64::try_from(number).ok()).collect();
    equal("the owners that are answered", owners(&made), expected.clone())?;
    equal("the owners in the order of ids", owners(&people.all().await?), expected)
}

async fn all_that_match_are_changed(suite: Suite) -> Outcome {
    let people = throng(&suite, 2 * RECORDS, |options| options.index("age")).await?;
    // By an index, by none, and by one whose value the change is about.
    let changes = [
        (Filter::eq("age", 1), "note", Value::from("by an index")),
        (Filter::is_in("age", [1, 7]), "note", Value::from("by a list of an index")),
        (Filter::eq("note", "by a list of an index"), "name", Value::from("by none")),
        (Filter::eq("age", 1), "age", Value::from(5)),
    ];
    for (filter, field, value) in changes {
        let params = of_filter(filter.clone());
        let patch = Document::new().with(field, value.clone());
        let changed = people.modify_many(Patch::Merge(patch), &params).await?;
        equal(&format!("how many are changed of {filter:?}"), changed.len(), RECORDS)?;
        let unlike = changed.iter().filter(|record| record[field] != value).count();
        equal("how many of them are answered as they were", unlike, 0)?;
        let count = people.count(&of_filter(Filter::eq(field, value))).await?;
        equal("how many are now so", count, RECORDS as u64)?;
    }
    equal("how many are as they were", people.count(&of_filter(Filter::eq("age", 0))).await?, RECORDS as u64)?;
    equal("how many are so no more", people.count(&of_filter(Filter::eq("age", 1))).await?, 0)?;
    let all = people.modify_many(document(json!({"admin": true})).into(), &server()).await?;
    equal("how many are changed without a filter", all.len(), 2 * RECORDS)?;
    equal("how many are now so", people.count(&of_filter(Filter::eq("admin", true))).await?, 2 * RECORDS as u64)
}

async fn all_that_match_are_removed(suite: Suite) -> Outcome {
    let number = i64::try_from(RECORDS).unwrap_or_default();
    for filter in [Filter::eq("age", 1), Filter::is_in("age", [1, 7]), Filter::lt("owner", number)] {
        let people = throng(&suite, 2 * RECORDS, |options| options.index("age")).await?;
        let removed = people.remove_many(&of_filter(filter.clone())).await?;
        equal(&format!("how many are removed of {filter:?}"), removed.len(), RECORDS)?;
        equal("how many are left of them", people.count(&of_filter(filter.clone())).await?, 0)?;
        equal("how many are left", people.count(&of_filter(!filter)).await?, RECORDS as u64)?;
        equal("how many the rest is", people.remove_many(&server()).await?.len(), RECORDS)?;
        named(&people.all().await?, &[])?;
    }
    Ok(())
}

async fn all_that_match_are_found(suite: Suite) -> Outcome {
    let people = throng(&suite, 2 * RECORDS, |options| options.index("age")).await?;
    let all = people.all().await?;
    let of_age = |ages: &[i64]| -> Vec<Document> {
        all.iter().filter(|record| record["age"].as_i64().is_some_and(|age| ages.contains(&age))).cloned().collect()
    };
    let filters = [
        (Filter::eq("age", 1), of_age(&[1])),
        (Filter::is_in("age", [1, 1, 9]), of_age(&[1])),
        (Filter::is_in("age", [1, 0]), of_age(&[0, 1])),
        (Filter::gte("age", 1), of_age(&[1])),
        (Filter::any([Filter::eq("age", 0), Filter::eq("age", 1)]), of_age(&[0, 1])),
    ];
    for (filter, expected) in filters {
        let found = people.list(Query::new().filter(filter.clone())).await?;
        equal(&format!("the ids found by {filter:?}"), ids(&found)?, ids(&expected)?)?;
        equal(
            &format!("the count of {filter:?}"),
            people.count(&of_filter(filter.clone())).await?,
            expected.len() as u64,
        )?;
        let sorted = people.list(Query::new().filter(filter).sort_descending("owner").skip(1_200).limit(9)).await?;
        let expected: Vec<Document> = expected.into_iter().rev().skip(1_200).take(9).collect();
        equal("the ids of a part", ids(&sorted)?, ids(&expected)?)?;
    }
    Ok(())
}

async fn all_are_on_some_page(suite: Suite) -> Outcome {
    const PEOPLE: usize = 2_500;
    let people = throng(&suite, PEOPLE, |options| options.index("age").paginate(Paginate::new(300, 300))).await?;
    for query in [Query::new(), Query::new().sort("age"), Query::new().sort_descending("age").sort("owner")] {
        let expected = ids(&people.list(query.clone()).await?)?;
        equal("how many there are", expected.len(), PEOPLE)?;
        let mut found: Vec<Id> = Vec::new();
        let mut after: Option<Cursor> = None;
        // Were there more pages than that, they would never end.
        for _ in 0..=PEOPLE / 300 {
            let asked = Query { after: after.take(), ..query.clone() };
            let page = people.index(&client().with_query(asked)).await?;
            equal("the total", page.info.total, Some(PEOPLE as u64))?;
            found.extend(ids(&page.data)?);
            after = page.info.next;
            if after.is_none() {
                break;
            }
        }
        equal(&format!("the ids on all pages of {query:?}"), found, expected)?;
    }
    Ok(())
}
