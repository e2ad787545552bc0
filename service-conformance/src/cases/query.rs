//! Which records match a filter.

use remex_core::{Condition, ErrorKind, Filter, Method, Params, Query, Value};
use serde_json::json;

use crate::check::{document, equal, ids, named, named_somehow, names_field, refused};
use crate::suite::{client, server};
use crate::{Case, Need, Outcome, People, Suite, people_fields};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(conditions_on_several_fields_all_hold, &[17]),
        Case::new(a_value_equals_no_absent_field, &[18]),
        Case::new(null_matches_null_and_absent, &[18]),
        Case::new(numbers_are_compared, &[19]),
        Case::new(unequal_includes_null_and_absent, &[20]),
        Case::new(lists_of_values_match_any_of_them, &[21]),
        Case::new(lists_of_values_may_hold_null, &[21]),
        Case::new(either_matches_without_doubles, &[22]),
        Case::new(either_and_another_field_both_hold, &[22]),
        Case::new(both_and_either_nest, &[23]),
        Case::new(neither_and_not_turn_round, &[23]),
        Case::new(kinds_are_not_compared_with_one_another, &[24]),
        Case::new(fields_of_one_kind_are_not_compared_with_another, &[24]),
        Case::new(existence_is_being_neither_null_nor_absent, &[18]),
        Case::new(text_is_equal_to_the_letter, &[17]),
        Case::new(patterns_match_whole_texts, &[35]),
        Case::new(parts_of_texts_are_no_patterns, &[35]),
        Case::new(text_is_compared_by_code_point, &[25]),
        Case::new(an_element_of_a_list_matches, &[17]),
        Case::new(paths_reach_into_objects, &[17]),
        Case::new(paths_reach_through_lists, &[17]),
        Case::new(ids_are_fields_as_well, &[11]),
        Case::new(moments_and_days_are_compared, &[19]),
        Case::new(unknown_fields_are_refused_where_fields_are_known, &[26, 29]),
        Case::new(unknown_fields_make_no_difference_where_fields_are_not_known, &[26, 29])
            .needs(&[Need::UnknownFields]),
        Case::new(names_are_data, &[36]),
        Case::new(values_are_data, &[36]),
        Case::new(indexes_make_no_difference, &[25]),
    ]
}

async fn list(people: &People, filter: Filter) -> remex_core::Result<Vec<remex_core::Document>> {
    people.list(Query::new().filter(filter)).await
}

/// Three with an age, one with null, one without.
pub(super) async fn five(suite: &Suite) -> Result<People, crate::Failed> {
    let people = suite.three(|options| options).await?;
    people.add(json!({"name": "Null", "age": null})).await?;
    people.add(json!({"name": "None"})).await?;
    Ok(people)
}

async fn conditions_on_several_fields_all_hold(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    named(&list(&people, Filter::eq("name", "Alice")).await?, &["Alice"])?;
    named(&list(&people, Filter::eq("name", "Alice").and(Filter::eq("age", 19))).await?, &["Alice"])?;
    named(&list(&people, Filter::eq("name", "Alice").and(Filter::eq("age", 20))).await?, &[])?;
    let within = Filter::gt("age", 18).and(Filter::lt("age", 30));
    named(&people.list(Query::new().filter(within).sort("name")).await?, &["Alice", "Bob"])
}

async fn a_value_equals_no_absent_field(suite: Suite) -> Outcome {
    let people = five(&suite).await?;
    named(&list(&people, Filter::eq("note", "x")).await?, &[])?;
    named(&list(&people, Filter::eq("age", 0)).await?, &[])?;
    named(&list(&people, Filter::eq("note", "")).await?, &[])?;
    named(&list(&people, Filter::eq("admin", false)).await?, &[])
}

async fn null_matches_null_and_absent(suite: Suite) -> Outcome {
    let people = five(&suite).await?;
    named(&list(&people, Filter::eq("age", Value::Null)).await?, &["Null", "None"])?;
    named(&list(&people, Filter::ne("age", Value::Null)).await?, &["Bob", "Doug", "Alice"])?;
    named(&list(&people, Filter::gte("age", Value::Null)).await?, &["Null", "None"])?;
    named(&list(&people, Filter::lte("age", Value::Null)).await?, &["Null", "None"])?;
    named(&list(&people, Filter::gt("age", Value::Null)).await?, &[])
}

async fn numbers_are_compared(suite: Suite) -> Outcome {
    let people = five(&suite).await?;
    let cases: [(Filter, &[&str]); 9] = [
        (Filter::lt("age", 30), &["Bob", "Alice"]),
        (Filter::lte("age", 25), &["Bob", "Alice"]),
        (Filter::lt("age", 25), &["Alice"]),
        (Filter::gt("age", 30), &["Doug"]),
        (Filter::gte("age", 25), &["Bob", "Doug"]),
        (Filter::gt("age", 24.5), &["Bob", "Doug"]),
        (Filter::lte("age", 18.999), &[]),
        (Filter::eq("age", 25.0), &["Bob"]),
        (Filter::eq("age", 25.5), &[]),
    ];
    for (filter, expected) in cases {
        named(&list(&people, filter).await?, expected)?;
    }
    Ok(())
}

async fn unequal_includes_null_and_absent(suite: Suite) -> Outcome {
    let people = five(&suite).await?;
    named(&list(&people, Filter::ne("age", 25)).await?, &["Doug", "Alice", "Null", "None"])?;
    named(&list(&people, Filter::not_in("age", [25, 19])).await?, &["Doug", "Null", "None"])?;
    named(&list(&people, !Filter::eq("age", 25)).await?, &["Doug", "Alice", "Null", "None"])?;
    named(&list(&people, !Filter::gt("age", 20)).await?, &["Alice", "Null", "None"])
}

async fn lists_of_values_match_any_of_them(suite: Suite) -> Outcome {
    let people = five(&suite).await?;
    named(&list(&people, Filter::is_in("name", ["Alice", "Bob", "Bob", "Zoe"])).await?, &["Bob", "Alice"])?;
    named(&list(&people, Filter::is_in("name", Vec::<Value>::new())).await?, &[])?;
    let all = ["Bob", "Doug", "Alice", "Null", "None"];
    named(&list(&people, Filter::not_in("name", Vec::<Value>::new())).await?, &all)?;
    named(&list(&people, Filter::not_in("name", ["Alice", "Null"])).await?, &["Bob", "Doug", "None"])?;
    named(
        &list(&people, Filter::is_in("age", [Value::from("19"), Value::from(25.0), Value::from(true)])).await?,
        &["Bob"],
    )?;
    let thousand: Vec<i64> = (20..1_020).collect();
    named(&list(&people, Filter::is_in("age", thousand)).await?, &["Bob", "Doug"])
}

async fn lists_of_values_may_hold_null(suite: Suite) -> Outcome {
    let people = five(&suite).await?;
    let null_or_19 = || [Value::Null, Value::from(19)];
    named(&list(&people, Filter::is_in("age", null_or_19())).await?, &["Alice", "Null", "None"])?;
    named(&list(&people, Filter::not_in("age", null_or_19())).await?, &["Bob", "Doug"])?;
    named(&list(&people, Filter::is_in("age", [Value::Null])).await?, &["Null", "None"])
}

async fn either_matches_without_doubles(suite: Suite) -> Outcome {
    let people = five(&suite).await?;
    let either = Filter::any([Filter::eq("name", "Alice"), Filter::eq("age", 19), Filter::gt("age", 30)]);
    named(&list(&people, either).await?, &["Doug", "Alice"])?;
    named(&list(&people, Filter::any([Filter::eq("name", "Alice")])).await?, &["Alice"])
}

async fn either_and_another_field_both_hold(suite: Suite) -> Outcome {
    let people = five(&suite).await?;
    let either = || Filter::any([Filter::eq("name", "Alice"), Filter::eq("name", "Bob")]);
    named(&list(&people, either().and(Filter::gt("age", 20))).await?, &["Bob"])?;
    named(&list(&people, Filter::gt("age", 20).and(either())).await?, &["Bob"])?;
    let two = either().and(Filter::any([Filter::eq("age", 19), Filter::eq("age", 32)]));
    named(&list(&people, two).await?, &["Alice"])
}

async fn both_and_either_nest(suite: Suite) -> Outcome {
    let people = five(&suite).await?;
    named(&list(&people, Filter::And(vec![Filter::eq("age", 19)])).await?, &["Alice"])?;
    let either = Filter::any([Filter::eq("age", 19), Filter::eq("age", 25)]);
    named(&list(&people, Filter::And(vec![either.clone(), Filter::ne("name", "Bob")])).await?, &["Alice"])?;
    let both = Filter::And(vec![Filter::gt("age", 20), Filter::lt("age", 30)]);
    named(&list(&people, Filter::any([both, Filter::eq("name", "Alice")])).await?, &["Bob", "Alice"])?;
    named(&list(&people, Filter::And(vec![Filter::eq("name", "Bob"), Filter::eq("name", "Alice")])).await?, &[])
}

async fn neither_and_not_turn_round(suite: Suite) -> Outcome {
    let people = five(&suite).await?;
    let nor = Filter::Nor(vec![Filter::eq("name", "Bob"), Filter::lt("age", 20)]);
    named(&list(&people, nor.clone()).await?, &["Doug", "Null", "None"])?;
    named(&list(&people, !nor).await?, &["Bob", "Alice"])?;
    let both = Filter::gt("age", 20).and(Filter::lt("age", 30));
    named(&list(&people, !both).await?, &["Doug", "Alice", "Null", "None"])?;
    named(&list(&people, !Filter::is_in("age", [25, 32])).await?, &["Alice", "Null", "None"])?;
    named(&list(&people, !Filter::like("name", "%o%")).await?, &["Alice", "Null"])
}

async fn kinds_are_not_compared_with_one_another(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    people
        .add_all([
            json!({"name": "number", "tags": 5}),
            json!({"name": "text", "tags": "5"}),
            json!({"name": "boolean", "tags": true}),
            json!({"name": "object", "tags": {"a": 5}}),
            json!({"name": "none"}),
        ])
        .await?;
    named(&list(&people, Filter::gt("tags", 0)).await?, &["number"])?;
    named(&list(&people, Filter::lt("tags", 9)).await?, &["number"])?;
    named(&list(&people, Filter::gte("tags", "")).await?, &["text"])?;
    named(&list(&people, Filter::eq("tags", 5)).await?, &["number"])?;
    named(&list(&people, Filter::eq("tags", "5")).await?, &["text"])?;
    named(&list(&people, Filter::eq("tags", 1)).await?, &[])?;
    named(&list(&people, Filter::gte("tags", false)).await?, &["boolean"])?;
    named(&list(&people, Filter::starts_with("tags", "5")).await?, &["text"])?;
    named(&list(&people, Filter::ne("tags", 5)).await?, &["text", "boolean", "object", "none"])
}

/// A column has a type, to which a database would gladly turn whatever it is compared with.
async fn fields_of_one_kind_are_not_compared_with_another(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    people.add(json!({"name": "5", "age": 5, "admin": true, "score": 0})).await?;
    people.add(json!({"name": "true", "age": 1, "admin": false, "score": 1})).await?;
    let none = [
        Filter::gt("age", "a"),
        Filter::lt("age", "a"),
        Filter::eq("age", "5"),
        Filter::eq("age", true),
        Filter::eq("name", 5),
        Filter::eq("name", true),
        Filter::gte("name", 0),
        Filter::eq("admin", 1),
        Filter::eq("admin", "true"),
        Filter::gt("admin", 0),
        Filter::eq("score", false),
        Filter::lt("score", "9"),
        Filter::is_in("age", [Value::from("5"), Value::from(true)]),
        Filter::like("age", "%"),
        Filter::contains("admin", ""),
        Filter::eq("name", vec!["5"]),
        Filter::eq("age", document(json!({"a": 5}))),
    ];
    for filter in none {
        let what = format!("the names of those of whom {filter} holds");
        let found = list(&people, filter.clone()).await?;
        equal(&what, found.iter().map(|record| record["name"].to_string()).collect::<Vec<_>>(), Vec::<String>::new())?;
        equal("how many it does not hold for", list(&people, !filter).await?.len(), 2)?;
    }
    named(&list(&people, Filter::ne("age", "5")).await?, &["5", "true"])
}

async fn existence_is_being_neither_null_nor_absent(suite: Suite) -> Outcome {
    let people = five(&suite).await?;
    named(&list(&people, Filter::exists("age", true)).await?, &["Bob", "Doug", "Alice"])?;
    named(&list(&people, Filter::exists("age", false)).await?, &["Null", "None"])?;
    named(&list(&people, !Filter::exists("age", true)).await?, &["Null", "None"])
}

async fn text_is_equal_to_the_letter(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    // é as one code point and as two.
    let names = [
        "Alice",
        "alice",
        "Alice ",
        " Alice",
        "ÅSA",
        "åsa",
        "Asa",
        "caf\u{e9}",
        "cafe\u{301}",
        "straße",
        "strasse",
        "",
    ];
    people.add_all(names.iter().map(|name| json!({"name": name}))).await?;
    for name in names {
        named(&list(&people, Filter::eq("name", name)).await?, &[name])?;
        named(&list(&people, Filter::is_in("name", [name])).await?, &[name])?;
    }
    equal("how many are unequal", list(&people, Filter::ne("name", "Alice")).await?.len(), names.len() - 1)
}

async fn patterns_match_whole_texts(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let names = ["Alice", "alice", "Al", "100%", "1000", "a_b", "axb", "a\\b", "é", "line\nbreak", ""];
    people.add_all(names.iter().map(|name| json!({"name": name}))).await?;
    people.add(json!({"age": 5})).await?;
    let cases: [(&str, &[&str]); 12] = [
        ("Al%", &["Alice", "Al"]),
        ("%lice", &["Alice", "alice"]),
        ("A_ice", &["Alice"]),
        ("lic", &[]),
        ("%l%", &["Alice", "alice", "Al", "line\nbreak"]),
        ("100\\%", &["100%"]),
        ("100_", &["100%", "1000"]),
        ("a\\_b", &["a_b"]),
        ("a_b", &["a_b", "axb", "a\\b"]),
        ("a\\\\b", &["a\\b"]),
        ("_", &["é"]),
        ("", &[""]),
    ];
    for (pattern, expected) in cases {
        named(&list(&people, Filter::like("name", pattern)).await?, expected)?;
    }
    equal("what any pattern matches: every text", list(&people, Filter::like("name", "%")).await?.len(), names.len())?;
    named(&list(&people, Filter::like("name", "line%break")).await?, &["line\nbreak"])
}

async fn parts_of_texts_are_no_patterns(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let names = ["Alice", "alice", "100%", "1000", "a_b", "axb", "a\\b", "a.*b", "[ab]", "ÄÖ"];
    people.add_all(names.iter().map(|name| json!({"name": name}))).await?;
    let starts: [(&str, &[&str]); 6] = [
        ("Al", &["Alice"]),
        ("100%", &["100%"]),
        ("a_", &["a_b"]),
        ("a\\", &["a\\b"]),
        ("[", &["[ab]"]),
        ("Ä", &["ÄÖ"]),
    ];
    for (start, expected) in starts {
        named(&list(&people, Filter::starts_with("name", start)).await?, expected)?;
    }
    let parts: [(&str, &[&str]); 6] = [
        ("lic", &["Alice", "alice"]),
        ("%", &["100%"]),
        ("_", &["a_b"]),
        ("\\", &["a\\b"]),
        (".*", &["a.*b"]),
        ("Ö", &["ÄÖ"]),
    ];
    for (part, expected) in parts {
        named(&list(&people, Filter::contains("name", part)).await?, expected)?;
    }
    equal(
        "what nothing is a part of: every text",
        list(&people, Filter::contains("name", "")).await?.len(),
        names.len(),
    )?;
    equal("what nothing starts: every text", list(&people, Filter::starts_with("name", "")).await?.len(), names.len())
}

async fn text_is_compared_by_code_point(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    people.add_all(["B", "a", "ä", "Z", "10", "9"].iter().map(|name| json!({"name": name}))).await?;
    named(&list(&people, Filter::lt("name", "a")).await?, &["B", "Z", "10", "9"])?;
    named(&list(&people, Filter::gt("name", "a")).await?, &["ä"])?;
    named(&list(&people, Filter::gte("name", "Z")).await?, &["a", "ä", "Z"])?;
    named(&list(&people, Filter::lt("name", "9")).await?, &["10"])
}

async fn an_element_of_a_list_matches(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    people
        .add_all([
            json!({"name": "a", "tags": ["x", "y"]}),
            json!({"name": "b", "tags": ["y", 7, null]}),
            json!({"name": "c", "tags": "x"}),
            json!({"name": "d", "tags": []}),
            json!({"name": "e", "tags": [["x"]]}),
            json!({"name": "f"}),
        ])
        .await?;
    let cases: [(Filter, &[&str]); 12] = [
        (Filter::eq("tags", "x"), &["a", "c"]),
        (Filter::eq("tags", 7), &["b"]),
        (Filter::is_in("tags", [Value::from("x"), Value::from(7)]), &["a", "b", "c"]),
        (Filter::ne("tags", "x"), &["b", "d", "e", "f"]),
        (Filter::not_in("tags", ["x", "y"]), &["d", "e", "f"]),
        (Filter::eq("tags", vec!["x", "y"]), &["a"]),
        (Filter::eq("tags", vec!["y", "x"]), &[]),
        (Filter::eq("tags", Vec::<Value>::new()), &["d"]),
        (Filter::eq("tags", vec!["x"]), &["e"]),
        (Filter::eq("tags", Value::Null), &["b", "f"]),
        (Filter::gt("tags", 5), &["b"]),
        (Filter::starts_with("tags", "y"), &["a", "b"]),
    ];
    for (filter, expected) in cases {
        named(&list(&people, filter).await?, expected)?;
    }
    Ok(())
}

async fn paths_reach_into_objects(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    people
        .add_all([
            json!({"name": "a", "address": {"city": "Bonn", "street": {"number": 5}}}),
            json!({"name": "b", "address": {"city": "Köln", "street": {"number": 12}}}),
            json!({"name": "c", "address": {"city": null}}),
            json!({"name": "d", "address": "Bonn"}),
            json!({"name": "e"}),
        ])
        .await?;
    let cases: [(Filter, &[&str]); 10] = [
        (Filter::eq("address.city", "Bonn"), &["a"]),
        (Filter::ne("address.city", "Bonn"), &["b", "c", "d", "e"]),
        (Filter::eq("address.city", Value::Null), &["c", "d", "e"]),
        (Filter::exists("address.city", true), &["a", "b"]),
        (Filter::gt("address.street.number", 5), &["b"]),
        (Filter::gte("address.street.number", 5), &["a", "b"]),
        (Filter::is_in("address.street.number", [5, 6]), &["a"]),
        (Filter::eq("address.street", document(json!({"number": 5}))), &["a"]),
        (Filter::like("address.city", "%n"), &["a", "b"]),
        (Filter::eq("address.nowhere.at.all", 1), &[]),
    ];
    for (filter, expected) in cases {
        named(&list(&people, filter).await?, expected)?;
    }
    Ok(())
}

async fn paths_reach_through_lists(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    people
        .add_all([
            json!({"name": "a", "tags": [{"k": 1}, {"k": 2}]}),
            json!({"name": "b", "tags": [{"k": 3}, {}]}),
            json!({"name": "c", "tags": {"k": 2}}),
            json!({"name": "d", "tags": ["k"]}),
        ])
        .await?;
    named(&list(&people, Filter::eq("tags.k", 2)).await?, &["a", "c"])?;
    named(&list(&people, Filter::gt("tags.k", 2)).await?, &["b"])?;
    named(&list(&people, Filter::ne("tags.k", 2)).await?, &["b", "d"])?;
    named(&list(&people, Filter::eq("tags.0.k", 1)).await?, &["a"])?;
    named(&list(&people, Filter::eq("tags.1.k", 1)).await?, &[])?;
    named(&list(&people, Filter::eq("tags.0", "k")).await?, &["d"])
}

async fn ids_are_fields_as_well(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let all = people.all().await?;
    let (bob, alice) = (all[0]["id"].clone(), all[2]["id"].clone());
    named(&list(&people, Filter::eq("id", alice.clone())).await?, &["Alice"])?;
    named(&list(&people, Filter::is_in("id", [alice.clone(), bob.clone()])).await?, &["Bob", "Alice"])?;
    named(&list(&people, Filter::ne("id", alice)).await?, &["Bob", "Doug"])?;
    named(&list(&people, Filter::gt("id", bob)).await?, &["Doug", "Alice"])?;
    named(&people.list(Query::new().sort_descending("id")).await?, &["Alice", "Doug", "Bob"])?;
    named(&list(&people, Filter::eq("id", people.id_value(&people.free_id()))).await?, &[])
}

async fn moments_and_days_are_compared(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.fields(people_fields())).await?;
    people
        .add_all([
            json!({"name": "a", "seen": "2026-11-22T05:34:02+01:00", "born": "2001-02-03"}),
            json!({"name": "b", "seen": "2026-11-22T04:34:02.5Z", "born": "1999-12-31"}),
            json!({"name": "c", "seen": "2026-11-22T04:34:01.999999Z"}),
        ])
        .await?;
    named(&people.list(Query::new().sort("seen")).await?, &["c", "a", "b"])?;
    named(&people.list(Query::new().sort("born")).await?, &["c", "b", "a"])?;
    named(&list(&people, Filter::gt("born", "2000-01-01")).await?, &["a"])?;
    named(&list(&people, Filter::lt("seen", "2026-11-22T04:34:02.000000Z")).await?, &["c"])?;
    named(&list(&people, Filter::eq("seen", "2026-11-22T04:34:02.000000Z")).await?, &["a"])
}

async fn unknown_fields_are_refused_where_fields_are_known(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.fields(people_fields())).await?;
    let queries = [
        Query::new().filter(Filter::eq("nickname", "Al")),
        Query::new().filter(Filter::eq("name", "Bob").and(!Filter::any([Filter::exists("nickname", true)]))),
        Query::new().sort("nickname"),
        Query::new().select(["nickname"]),
    ];
    for query in queries {
        for params in [server(), client()] {
            let params = params.with_query(query.clone());
            let error = refused(people.index(&params).await, ErrorKind::BadRequest)?;
            names_field(&error, "nickname")?;
            let error = refused(people.find_one(&params).await, ErrorKind::BadRequest)?;
            names_field(&error, "nickname")?;
        }
    }
    // A field without an inside has none.
    refused(people.list(Query::new().filter(Filter::eq("name.first", "Al"))).await, ErrorKind::BadRequest)?;
    Ok(())
}

async fn unknown_fields_make_no_difference_where_fields_are_not_known(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    named(&list(&people, Filter::eq("nickname", "Al")).await?, &[])?;
    named(&list(&people, Filter::ne("nickname", "Al")).await?, &["Bob", "Doug", "Alice"])?;
    named(&people.list(Query::new().sort_descending("nickname")).await?, &["Bob", "Doug", "Alice"])?;
    let found = people.list(Query::new().select(["nickname"])).await?;
    equal("the names of the fields", found[0].names().collect::<Vec<_>>(), ["id"])
}

async fn names_are_data(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.allow_remove_all(true).multi(Method::ALL)).await?;
    let known = people.describe().fields().is_some();
    let names = [
        "name; DROP TABLE people",
        "name' OR '1'='1",
        "name\" OR 1=1 --",
        "name`",
        "name) OR (1=1",
        "na\\me",
        "name\n",
        "x'y\"z`",
    ];
    for name in names {
        let queries = [
            Query::new().filter(Filter::eq(name, 1)),
            Query::new().filter(Filter::gt("age", 0).and(Filter::eq(name, "x"))),
        ];
        for query in queries {
            for params in [server().with_query(query.clone()), client().with_query(query)] {
                if known {
                    refused(people.index(&params).await, ErrorKind::BadRequest)?;
                    refused(people.remove_many(&params).await, ErrorKind::BadRequest)?;
                } else {
                    named(&people.index(&params).await?.data, &[])?;
                    equal("what is removed", people.remove_many(&params).await?, vec![])?;
                }
            }
        }
        let sorted = people.list(Query::new().sort(name)).await;
        if known {
            refused(sorted, ErrorKind::BadRequest)?;
        } else {
            named(&sorted?, &["Bob", "Doug", "Alice"])?;
        }
    }
    named(&people.all().await?, &["Bob", "Doug", "Alice"])
}

async fn values_are_data(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let values = [
        "' OR '1'='1",
        "'; DROP TABLE people; --",
        "\" OR \"\"=\"",
        "\\",
        "\\'",
        "%",
        "$where",
        "{\"$gt\":\"\"}",
        "?",
        ":1",
        "$1",
    ];
    for value in values {
        named(&list(&people, Filter::eq("name", value)).await?, &[])?;
        named(&list(&people, Filter::starts_with("name", value)).await?, &[])?;
        let made = people.add(json!({"name": value})).await?;
        named(&list(&people, Filter::eq("name", value)).await?, &[value])?;
        named(&list(&people, Filter::field("name", Condition::Contains(value.into()))).await?, &[value])?;
        let id = crate::check::id(&made)?;
        people.modify(&id, document(json!({"note": value})).into(), &server()).await?;
        let by_note = Params::from(Query::new().filter(Filter::eq("note", value)));
        named(&people.remove_many(&by_note).await?, &[value])?;
    }
    // An object is a value to be equal to, never operators.
    let object = document(json!({"$gt": ""}));
    if people.describe().fields().is_none() {
        named(&list(&people, Filter::eq("name", object)).await.or_else(only_bad_request)?, &[])?;
    }
    named(&people.all().await?, &["Bob", "Doug", "Alice"])
}

/// A wire takes an object for operators, and must then refuse what is none.
fn only_bad_request(error: remex_core::Error) -> remex_core::Result<Vec<remex_core::Document>> {
    if error.kind() == ErrorKind::BadRequest { Ok(Vec::new()) } else { Err(error) }
}

async fn indexes_make_no_difference(suite: Suite) -> Outcome {
    let plain = suite.people(|options| options).await?;
    let indexed = suite.people(|options| options.index("age").index("name").index("score").unique("email")).await?;
    for number in 0..60 {
        let mut person =
            json!({"name": format!("n{}", number * 7 % 10), "age": number * 13 % 9, "email": format!("e{number}")});
        match number % 5 {
            0 => person["age"] = json!(null),
            1 => person["score"] = json!(f64::from(number) / 4.0),
            2 => {
                person.as_object_mut().map(|fields| fields.remove("age"));
            }
            _ => {}
        }
        for people in [&plain, &indexed] {
            people.add(person.clone()).await?;
        }
    }
    for people in [&plain, &indexed] {
        let all = ids(&people.all().await?)?;
        for (position, id) in all.iter().enumerate().step_by(7) {
            people.modify(id, document(json!({"age": position, "email": null})).into(), &server()).await?;
        }
        for id in all.iter().skip(3).step_by(11) {
            people.remove(id, &server()).await?;
        }
    }
    let filters = [
        Filter::All,
        Filter::eq("age", 4),
        Filter::eq("age", Value::Null),
        Filter::ne("age", 4),
        Filter::gt("age", 3).and(Filter::lte("age", 7)),
        Filter::is_in("age", [Value::Null, Value::from(2), Value::from(3.0), Value::from("4")]),
        Filter::not_in("age", [1, 2]),
        Filter::eq("email", "e13"),
        Filter::starts_with("email", "e1"),
        Filter::any([Filter::eq("name", "n1"), Filter::eq("age", 5), Filter::eq("email", "e20")]),
        Filter::eq("name", "n7").and(Filter::lt("score", 10)),
        Filter::lt("age", "x"),
        Filter::gte("name", "n5").and(Filter::ne("age", 1)),
    ];
    let shapes = [
        Query::new(),
        Query::new().sort("age"),
        Query::new().sort_descending("age"),
        Query::new().sort("name").sort_descending("age"),
        Query::new().sort_descending("score").limit(7),
        Query::new().sort("age").skip(5).limit(9),
        Query::new().sort_descending("email").limit(3),
        Query::new().skip(2).limit(4),
    ];
    let emails = async |people: &People, query: Query| -> Result<Vec<String>, crate::Failed> {
        Ok(people
            .list(query)
            .await?
            .iter()
            .map(|record| format!("{} {} {}", record["name"], record["age"], record["email"]))
            .collect())
    };
    for filter in &filters {
        for shape in &shapes {
            let query = Query { filter: filter.clone(), ..shape.clone() };
            let (found, expected) = (emails(&indexed, query.clone()).await?, emails(&plain, query.clone()).await?);
            equal(&format!("what {query:?} finds with indexes"), found, expected)?;
            let params = Params::from(query);
            equal("the count", indexed.count(&params).await?, plain.count(&params).await?)?;
        }
    }
    named_somehow(&list(&indexed, Filter::eq("age", 4).and(Filter::eq("age", 5))).await?, &[])
}
