//! In which order records come, how many of them, and which of their fields.

use remex_core::{Filter, Query};
use serde_json::json;

use super::query::five;
use crate::check::{equal, ids, is_record, named};
use crate::suite::{client, server};
use crate::{Case, Outcome, Suite};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(what_is_selected_is_sorted_and_filtered_by_the_rest, &[25, 29]),
        Case::new(sorts_ascend_and_descend, &[25]),
        Case::new(the_first_key_of_a_sort_wins, &[25]),
        Case::new(ties_are_ordered_by_id, &[25]),
        Case::new(null_comes_first_and_descending_last, &[25]),
        Case::new(kinds_have_an_order_among_them, &[25]),
        Case::new(text_is_sorted_by_code_point, &[25]),
        Case::new(numbers_are_sorted_by_worth, &[25]),
        Case::new(booleans_can_be_sorted_by, &[25]),
        Case::new(paths_can_be_sorted_by, &[25]),
        Case::new(limit_and_skip_cut_a_window, &[27, 28]),
        Case::new(select_keeps_the_id_and_what_is_selected, &[29]),
        Case::new(select_reaches_into_objects, &[29]),
    ]
}

async fn sorts_ascend_and_descend(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    named(&people.list(Query::new().sort("name")).await?, &["Alice", "Bob", "Doug"])?;
    named(&people.list(Query::new().sort_descending("name")).await?, &["Doug", "Bob", "Alice"])?;
    named(&people.list(Query::new().sort("age")).await?, &["Alice", "Bob", "Doug"])?;
    let params = client().with_query(Query::new().sort_descending("age"));
    named(&people.index(&params).await?.data, &["Doug", "Bob", "Alice"])
}

async fn the_first_key_of_a_sort_wins(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let pairs = [("b", 1), ("a", 2), ("b", 2), ("a", 1)];
    people
        .add_all(pairs.iter().map(|(name, age)| json!({"name": name, "age": age, "note": format!("{name}{age}")})))
        .await?;
    let order = async |query: Query| -> Result<String, crate::Failed> {
        let all = people.list(query).await?;
        Ok(all.iter().filter_map(|record| record["note"].as_str()).collect::<Vec<_>>().join(" "))
    };
    equal("by name, then age", order(Query::new().sort("name").sort("age")).await?, "a1 a2 b1 b2")?;
    equal("by name, then age down", order(Query::new().sort("name").sort_descending("age")).await?, "a2 a1 b2 b1")?;
    equal("by age down, then name", order(Query::new().sort_descending("age").sort("name")).await?, "a2 b2 a1 b1")
}

async fn ties_are_ordered_by_id(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let made = people.add_all((0..20).map(|number| json!({"name": "same", "age": number % 2}))).await?;
    equal("the ids in a sort by what is the same", ids(&people.list(Query::new().sort("name")).await?)?, ids(&made)?)?;
    let down = people.list(Query::new().sort_descending("name")).await?;
    equal("the ids, which ascend even then", ids(&down)?, ids(&made)?)?;
    let by_age = people.list(Query::new().sort_descending("age")).await?;
    let expected: Vec<_> = made.iter().skip(1).step_by(2).chain(made.iter().step_by(2)).cloned().collect();
    equal("the ids in a sort by age", ids(&by_age)?, ids(&expected)?)
}

async fn null_comes_first_and_descending_last(suite: Suite) -> Outcome {
    let people = five(&suite).await?;
    named(&people.list(Query::new().sort("age")).await?, &["Null", "None", "Alice", "Bob", "Doug"])?;
    named(&people.list(Query::new().sort_descending("age")).await?, &["Doug", "Bob", "Alice", "Null", "None"])
}

async fn kinds_have_an_order_among_them(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let in_order = [
        ("null", json!(null)),
        ("-1", json!(-1)),
        ("2", json!(2)),
        ("2.5", json!(2.5)),
        ("10", json!(10)),
        ("B", json!("B")),
        ("a", json!("a")),
        ("{a:1}", json!({"a": 1})),
        ("{a:2}", json!({"a": 2})),
        ("[]", json!([])),
        ("[1]", json!([1])),
        ("[1,2]", json!([1, 2])),
        ("false", json!(false)),
        ("true", json!(true)),
    ];
    let expected: Vec<&str> = in_order.iter().map(|(name, _)| *name).collect();
    // Made in an order that is no part of the right one.
    for step in 0..in_order.len() {
        let (name, value) = &in_order[(step * 5 + 3) % in_order.len()];
        people.add(json!({"name": name, "tags": value})).await?;
    }
    named(&people.list(Query::new().sort("tags")).await?, &expected)?;
    let reversed: Vec<&str> = expected.into_iter().rev().collect();
    named(&people.list(Query::new().sort_descending("tags")).await?, &reversed)
}

async fn text_is_sorted_by_code_point(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    // The last two are in another order where text is sorted by the units of UTF-16.
    let in_order =
        ["", " a", "10", "9", "A", "B", "Z", "_", "a", "aa", "ab", "b", "z", "Ä", "é", "ä", "日本", "\u{ffee}", "😀"];
    let mut sorted = in_order;
    sorted.sort_unstable();
    for name in in_order.iter().rev() {
        people.add(json!({"name": name})).await?;
    }
    named(&people.list(Query::new().sort("name")).await?, &sorted)?;
    sorted.reverse();
    named(&people.list(Query::new().sort_descending("name")).await?, &sorted)
}

async fn numbers_are_sorted_by_worth(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    for (name, score) in [("d", 10.0), ("b", -2.5), ("c", 0.5), ("a", -1e10), ("e", 1e10)] {
        people.add(json!({"name": name, "score": score})).await?;
    }
    named(&people.list(Query::new().sort("score")).await?, &["a", "b", "c", "d", "e"])?;
    let exact = [9_007_199_254_740_993_i64, 9_007_199_254_740_992, i64::MAX, i64::MIN, i64::MAX - 1];
    let people = suite.people(|options| options).await?;
    people.add_all(exact.iter().map(|age| json!({"age": age}))).await?;
    let found: Vec<_> =
        people.list(Query::new().sort("age")).await?.iter().filter_map(|found| found["age"].as_i64()).collect();
    let mut expected = exact.to_vec();
    expected.sort_unstable();
    equal("the numbers in their order", found, expected)
}

async fn booleans_can_be_sorted_by(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    for (name, admin) in [("yes", Some(true)), ("no", Some(false)), ("none", None)] {
        people.add(json!({"name": name, "admin": admin})).await?;
    }
    named(&people.list(Query::new().sort("admin")).await?, &["none", "no", "yes"])?;
    named(&people.list(Query::new().sort_descending("admin")).await?, &["yes", "no", "none"])
}

async fn paths_can_be_sorted_by(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    people
        .add_all([
            json!({"name": "a", "address": {"zip": 3}}),
            json!({"name": "b", "address": {"zip": 1}}),
            json!({"name": "c", "address": {}}),
            json!({"name": "d"}),
            json!({"name": "e", "address": {"zip": 2}}),
        ])
        .await?;
    named(&people.list(Query::new().sort("address.zip")).await?, &["c", "d", "b", "e", "a"])?;
    named(&people.list(Query::new().sort_descending("address.zip")).await?, &["a", "e", "b", "c", "d"])
}

async fn limit_and_skip_cut_a_window(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let sorted = || Query::new().sort("name");
    let cases: [(Query, &[&str]); 8] = [
        (Query::new().limit(2), &["Bob", "Doug"]),
        (Query::new().limit(0), &[]),
        (sorted().limit(2), &["Alice", "Bob"]),
        (sorted().skip(1), &["Bob", "Doug"]),
        (sorted().skip(1).limit(1), &["Bob"]),
        (sorted().skip(3), &[]),
        (sorted().skip(1_000), &[]),
        (sorted().limit(1_000_000), &["Alice", "Bob", "Doug"]),
    ];
    for (query, expected) in cases {
        for params in [server(), client()] {
            named(&people.index(&params.with_query(query.clone())).await?.data, expected)?;
        }
    }
    Ok(())
}

async fn select_keeps_the_id_and_what_is_selected(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let alice = people.add(json!({"name": "Alice", "age": 19, "admin": true})).await?;
    let cases: [(&[&str], &[&str]); 4] = [
        (&["name"], &["id", "name"]),
        (&["admin", "name"], &["admin", "id", "name"]),
        (&["id"], &["id"]),
        (&[], &["id"]),
    ];
    for (selected, expected) in cases {
        let query = Query::new().select(selected.iter().copied());
        for params in [server(), client()] {
            let found = people.index(&params.with_query(query.clone())).await?.data;
            let mut names: Vec<&str> = found[0].names().collect();
            names.sort_unstable();
            equal("the names of the fields", names, expected)?;
            equal("the id", &found[0]["id"], &alice["id"])?;
        }
    }
    // What is not selected may be filtered and sorted by all the same.
    let query = Query::new().filter(Filter::eq("age", 19)).sort("admin").select(["name"]);
    named(&people.list(query).await?, &["Alice"])
}

async fn select_reaches_into_objects(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let address = json!({"city": "Bonn", "street": {"name": "Am Hof", "number": 5}});
    people.add(json!({"name": "Alice", "address": address})).await?;
    let found = people.list(Query::new().select(["address.city", "address.street.number"])).await?;
    is_record(&found[0], json!({"address": {"city": "Bonn", "street": {"number": 5}}}))
}

/// What a query selects is not all that it is about.
async fn what_is_selected_is_sorted_and_filtered_by_the_rest(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    for (name, owner, tag) in [("a", 7, 2), ("b", 7, 1), ("c", 8, 0)] {
        people.add(json!({"name": name, "owner": owner, "tags": [tag]})).await?;
    }
    let selected = Query::new().sort("tags").select(["name"]);
    let filtered = remex_core::Params::from(selected.clone().filter(remex_core::Filter::eq("owner", 7)));
    named(&people.index(&filtered).await?.data, &["b", "a"])?;
    let scoped = remex_core::Params::from(selected).with_scope(remex_core::Filter::eq("owner", 7));
    named(&people.index(&scoped).await?.data, &["b", "a"])
}
