//! Pages: how large they are, what they say of the rest, and how one goes on from another.

use remex_core::{Cursor, Direction, Document, ErrorKind, Filter, Paginate, Params, Query, Sort};
use serde_json::json;

use crate::check::{equal, holds, id, ids, named, refused};
use crate::suite::{client, server};
use crate::{Case, Failed, Outcome, People, Suite};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(a_page_says_where_it_stands, &[30]),
        Case::new(a_page_is_no_larger_than_the_service_allows, &[30]),
        Case::new(an_empty_page_has_a_total, &[30]),
        Case::new(the_total_is_of_all_that_match, &[30]),
        Case::new(the_total_is_the_same_on_every_page, &[30, 33]),
        Case::new(a_bound_alone_is_the_size_too, &[31]),
        Case::new(the_program_can_do_without_pages, &[30]),
        Case::new(the_program_can_have_other_pages, &[30]),
        Case::new(clients_cannot_have_other_pages, &[30, 77]),
        Case::new(the_total_can_be_left_out, &[32]),
        Case::new(clients_cannot_have_a_total_that_is_not_offered, &[32]),
        Case::new(a_list_can_have_a_total, &[32]),
        Case::new(a_full_page_says_where_the_next_begins, &[33]),
        Case::new(the_last_page_says_that_there_is_no_more, &[33]),
        Case::new(pages_go_on_without_gaps_or_doubles_while_records_come, &[33]),
        Case::new(pages_go_on_while_records_go, &[33]),
        Case::new(pages_go_on_over_mixed_kinds, &[33]),
        Case::new(a_place_belongs_to_its_sort, &[33]),
        Case::new(records_behind_a_place_can_be_skipped, &[28, 33]),
        Case::new(skipping_pages_has_neither_gaps_nor_doubles, &[28]),
    ]
}

async fn a_page_says_where_it_stands(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.paginate(Paginate::new(1, 2))).await?;
    for params in [server(), client()] {
        let page = people.index(&params).await?;
        holds(page.info.paginated, "the answer is a page")?;
        equal("the total", page.info.total, Some(3))?;
        equal("the limit", page.info.limit, Some(1))?;
        equal("the skip", page.info.skip, 0)?;
        named(&page.data, &["Bob"])?;
        let page = people.index(&params.with_query(Query::new().sort("name").skip(2))).await?;
        equal("the skip", page.info.skip, 2)?;
        named(&page.data, &["Doug"])?;
    }
    Ok(())
}

async fn a_page_is_no_larger_than_the_service_allows(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.paginate(Paginate::new(1, 2))).await?;
    for params in [server(), client()] {
        let page = people.index(&params.with_query(Query::new().limit(4))).await?;
        equal("the limit", page.info.limit, Some(2))?;
        named(&page.data, &["Bob", "Doug"])?;
    }
    Ok(())
}

async fn an_empty_page_has_a_total(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.paginate(Paginate::new(1, 2))).await?;
    let page = people.index(&client().with_query(Query::new().limit(0))).await?;
    equal("the total", page.info.total, Some(3))?;
    equal("the records", page.data, vec![])?;
    let page = people.index(&client().with_query(Query::new().skip(7))).await?;
    equal("the total", page.info.total, Some(3))?;
    equal("the records", page.data, vec![])
}

async fn the_total_is_of_all_that_match(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.paginate(Paginate::new(1, 2))).await?;
    let young = client().with_query(Query::new().filter(Filter::lt("age", 30)).sort("age"));
    let page = people.index(&young).await?;
    equal("the total", page.info.total, Some(2))?;
    named(&page.data, &["Alice"])?;
    let scoped = client().with_scope(Filter::eq("name", "Bob"));
    equal("the total within a scope", people.index(&scoped).await?.info.total, Some(1))
}

async fn the_total_is_the_same_on_every_page(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.index("age").paginate(Paginate::new(1, 2))).await?;
    let young = || Filter::lt("age", 30);
    for (query, total) in [
        (Query::new(), 3),
        (Query::new().sort("name"), 3),
        (Query::new().filter(young()), 2),
        (Query::new().filter(young()).sort_descending("age"), 2),
        (Query::new().filter(Filter::is_in("age", [19, 25])).sort("age"), 2),
    ] {
        for params in [server(), client()] {
            let first = people.index(&params.clone().with_query(query.clone())).await?;
            equal("the total of the first page", first.info.total, Some(total))?;
            holds(first.info.next.is_some(), "a full page says where the next begins")?;
            let behind = Query { after: first.info.next, ..query.clone() };
            for asked in [behind.clone(), behind.clone().skip(1), behind.clone().limit(0)] {
                let page = people.index(&params.clone().with_query(asked)).await?;
                equal(&format!("the total of the second page of {query:?}"), page.info.total, Some(total))?;
            }
            let list = Params { paginate: Some(Paginate::Off), ..params.clone().with_query(behind.total(true)) };
            equal("the total of the list behind it", people.index(&list).await?.info.total, Some(total))?;
        }
    }
    Ok(())
}

async fn a_bound_alone_is_the_size_too(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.paginate(Paginate::max(2))).await?;
    let page = people.index(&client()).await?;
    equal("the limit", page.info.limit, Some(2))?;
    equal("the total", page.info.total, Some(3))?;
    named(&page.data, &["Bob", "Doug"])
}

async fn the_program_can_do_without_pages(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.paginate(Paginate::new(1, 2))).await?;
    for params in [server(), client()] {
        let page = people.index(&Params { paginate: Some(Paginate::Off), ..params }).await?;
        holds(!page.info.paginated, "the answer is a list")?;
        named(&page.data, &["Bob", "Doug", "Alice"])?;
    }
    Ok(())
}

async fn the_program_can_have_other_pages(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.paginate(Paginate::new(1, 2))).await?;
    let page = people.index(&Params { paginate: Some(Paginate::new(3, 10)), ..server() }).await?;
    equal("the limit", page.info.limit, Some(3))?;
    named(&page.data, &["Bob", "Doug", "Alice"])
}

async fn clients_cannot_have_other_pages(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.paginate(Paginate::new(1, 2))).await?;
    for text in
        ["paginate=false", "paginate[default]=10&paginate[max]=10", "$paginate=false", "$limit=1000", "provider="]
    {
        match people.text(text).await {
            Ok(page) => holds(page.data.len() <= 2, "no query string lifts the bound of a page")?,
            Err(error) => equal("the error otherwise", error.kind(), ErrorKind::BadRequest)?,
        }
    }
    Ok(())
}

async fn the_total_can_be_left_out(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.paginate(Paginate::new(1, 2))).await?;
    for params in [server(), client()] {
        let page = people.index(&params.with_query(Query::new().total(false))).await?;
        holds(page.info.paginated, "the answer is a page")?;
        equal("the total", page.info.total, None)?;
        equal("the limit", page.info.limit, Some(1))?;
    }
    equal("the total", people.text("$total=false").await?.info.total, None)?;
    equal("the total", people.text("$total=true").await?.info.total, Some(3))
}

async fn clients_cannot_have_a_total_that_is_not_offered(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.paginate(Paginate::new(1, 2).without_total())).await?;
    equal("the total", people.index(&client()).await?.info.total, None)?;
    let wanted = Query::new().total(true);
    equal("the total", people.index(&client().with_query(wanted.clone())).await?.info.total, None)?;
    equal("the total for the program", people.index(&server().with_query(wanted)).await?.info.total, Some(3))
}

async fn a_list_can_have_a_total(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let page = people.index(&server().with_query(Query::new().total(true).limit(1).skip(1))).await?;
    equal("the total", page.info.total, Some(3))?;
    named(&page.data, &["Doug"])
}

async fn a_full_page_says_where_the_next_begins(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.paginate(Paginate::new(2, 2))).await?;
    for query in [Query::new(), Query::new().sort("name"), Query::new().sort_descending("age").sort("name")] {
        let params = client().with_query(query.clone());
        let first = people.index(&params).await?;
        let Some(next) = first.info.next else { return Err(Failed::new("a full page says where the next begins")) };
        let second = people.index(&client().with_query(query.clone().after(next))).await?;
        let all = people.list(query).await?;
        equal("the ids of the second page", ids(&second.data)?, ids(&all[2..])?)?;
    }
    Ok(())
}

async fn the_last_page_says_that_there_is_no_more(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.paginate(Paginate::new(2, 3))).await?;
    for (query, more) in [
        (Query::new().limit(3), false),
        (Query::new().limit(2).skip(1), false),
        (Query::new().limit(2).skip(2), false),
        (Query::new().filter(Filter::eq("name", "Bob")).limit(1), false),
        (Query::new().limit(2), true),
        (Query::new().skip(1).limit(1), true),
    ] {
        for params in [server(), client()] {
            let page = people.index(&params.with_query(query.clone())).await?;
            equal(&format!("whether there is more behind {query:?}"), page.info.next.is_some(), more)?;
        }
    }
    Ok(())
}

/// Goes from page to page by the places where they end.
#[derive(Default)]
struct Walk {
    after: Option<Cursor>,
    pages: usize,
    ended: bool,
}

impl Walk {
    /// Answers the next page, or `None` behind the last.
    async fn next(&mut self, people: &People, query: &Query) -> Result<Option<Vec<Document>>, Failed> {
        if self.ended {
            return Ok(None);
        }
        self.pages += 1;
        if self.pages > 100 {
            return Err(Failed::new(format!("the pages of {query:?} have no end")));
        }
        let page = people.index(&client().with_query(Query { after: self.after.take(), ..query.clone() })).await?;
        self.after = page.info.next;
        self.ended = self.after.is_none();
        Ok(Some(page.data))
    }
}

fn by(keys: &[(&str, Direction)]) -> Query {
    let query = Query::new();
    let sort = keys
        .iter()
        .map(|(name, direction)| Sort { path: remex_core::IntoPath::into_path(*name), direction: *direction });
    Query { sort: sort.collect(), ..query }
}

const SORTS: [&[(&str, Direction)]; 6] = [
    &[],
    &[("age", Direction::Ascending)],
    &[("age", Direction::Descending)],
    &[("age", Direction::Ascending), ("name", Direction::Descending)],
    &[("name", Direction::Descending), ("age", Direction::Ascending)],
    &[("id", Direction::Descending)],
];

/// People of whom some are of the same age, and some of none.
async fn crowd(suite: &Suite) -> Result<People, Failed> {
    let people = suite.people(|options| options.paginate(Paginate::new(2, 100))).await?;
    let ages = [Some(3), None, Some(1), Some(3), None, Some(2), Some(3), Some(1), None, Some(3), None];
    for (number, age) in ages.into_iter().enumerate() {
        people.add(json!({"name": format!("n{}", number % 3), "age": age, "owner": number})).await?;
    }
    Ok(people)
}

async fn pages_go_on_without_gaps_or_doubles_while_records_come(suite: Suite) -> Outcome {
    for sort in SORTS {
        let people = crowd(&suite).await?;
        let query = by(sort);
        let expected = ids(&people.list(query.clone()).await?)?;
        let (mut walk, mut found) = (Walk::default(), Vec::new());
        while let Some(page) = walk.next(&people, &query).await? {
            found.extend(page);
            // Were there more and more behind the last place, there would be no last page.
            if walk.pages <= 4 {
                for age in [None, Some(0), Some(2), Some(9)] {
                    people.add(json!({"name": "n1", "age": age, "note": "new"})).await?;
                }
            }
        }
        let old: Vec<_> = found.iter().filter(|record| record["note"].is_null()).cloned().collect();
        equal(&format!("the ids of those that were there, by {sort:?}"), ids(&old)?, expected)?;
        let mut all = ids(&found)?;
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        equal("how many different records there are on all pages", all.len(), count)?;
    }
    Ok(())
}

async fn pages_go_on_while_records_go(suite: Suite) -> Outcome {
    for sort in SORTS {
        let people = crowd(&suite).await?;
        let query = by(sort);
        let expected = ids(&people.list(query.clone()).await?)?;
        let (mut walk, mut found) = (Walk::default(), Vec::new());
        while let Some(page) = walk.next(&people, &query).await? {
            // The record at which a page ended is gone before the next is asked for.
            for record in &page {
                people.remove(&id(record)?, &server()).await?;
            }
            found.extend(page);
        }
        equal(&format!("the ids on all pages, by {sort:?}"), ids(&found)?, expected)?;
    }
    Ok(())
}

async fn pages_go_on_over_mixed_kinds(suite: Suite) -> Outcome {
    for direction in [Direction::Ascending, Direction::Descending] {
        let people = suite.people(|options| options.paginate(Paginate::new(1, 100))).await?;
        let values = [
            json!("b"),
            json!(2),
            json!(null),
            json!(true),
            json!([2]),
            json!({"a": 1}),
            json!(2.5),
            json!("a"),
            json!(2),
            json!([1, 2]),
            json!(i64::MAX),
            json!("é"),
            json!(null),
            json!({"a": {"b": []}}),
            json!(false),
        ];
        people.add_all(values.into_iter().map(|value| json!({"tags": value}))).await?;
        let query = by(&[("tags", direction)]);
        let expected = ids(&people.list(query.clone()).await?)?;
        let (mut walk, mut found) = (Walk::default(), Vec::new());
        while let Some(page) = walk.next(&people, &query).await? {
            found.extend(page);
        }
        equal("the ids on all pages", ids(&found)?, expected)?;
    }
    Ok(())
}

async fn a_place_belongs_to_its_sort(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.paginate(Paginate::new(1, 2))).await?;
    let page = people.index(&client().with_query(Query::new().sort("name"))).await?;
    let Some(next) = page.info.next else { return Err(Failed::new("a full page says where the next begins")) };
    let others = [
        Query::new(),
        Query::new().sort("age"),
        Query::new().sort_descending("name"),
        Query::new().sort("name").sort("age"),
    ];
    for query in others {
        let params = client().with_query(query.after(next.clone()));
        refused(people.index(&params).await, ErrorKind::BadRequest)?;
    }
    named(&people.index(&client().with_query(Query::new().sort("name").after(next))).await?.data, &["Bob"])
}

async fn records_behind_a_place_can_be_skipped(suite: Suite) -> Outcome {
    let people = crowd(&suite).await?;
    for sort in SORTS {
        let query = by(sort);
        let expected = ids(&people.list(query.clone()).await?)?;
        let first = people.index(&client().with_query(query.clone().limit(3))).await?;
        let behind = Query { after: first.info.next, ..query };
        for skip in [0, 1, 4, 20] {
            let page = people.index(&client().with_query(behind.clone().skip(skip).limit(2))).await?;
            let wanted: Vec<_> =
                expected.iter().skip(3 + usize::try_from(skip).unwrap_or(0)).take(2).cloned().collect();
            equal(&format!("the ids behind the place and {skip} further, by {sort:?}"), ids(&page.data)?, wanted)?;
        }
        // And from there it goes on.
        let second = people.index(&client().with_query(behind.clone().skip(1).limit(2))).await?;
        let third = Query { after: second.info.next, ..behind }.limit(100);
        let page = people.index(&client().with_query(third)).await?;
        equal(&format!("the ids of the rest, by {sort:?}"), ids(&page.data)?, expected[6..].to_vec())?;
    }
    Ok(())
}

async fn skipping_pages_has_neither_gaps_nor_doubles(suite: Suite) -> Outcome {
    let people = crowd(&suite).await?;
    for sort in SORTS {
        let query = by(sort);
        let expected = ids(&people.list(query.clone()).await?)?;
        let mut found = Vec::new();
        for skip in (0..12).step_by(3) {
            let page = people.index(&client().with_query(query.clone().skip(skip).limit(3))).await?;
            found.extend(ids(&page.data)?);
        }
        equal(&format!("the ids on all pages, by {sort:?}"), found, expected)?;
    }
    Ok(())
}
