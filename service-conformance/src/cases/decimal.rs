//! Exact decimals: their digits are kept, and they are numbers to filters, sorts, pages and indexes.

use remex_core::{Document, ErrorKind, Filter, Options, Paginate, Patch, Query, Value};
use serde_json::json;

use crate::check::{document, equal, id, named, names_field, refused};
use crate::suite::{client, server};
use crate::{Case, Outcome, People, Suite, people_fields};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(digits_are_kept, &[13]),
        Case::new(digits_are_kept_up_to_the_bound, &[13]),
        Case::new(numbers_are_decimals_where_they_are_exact, &[13]),
        Case::new(what_is_no_decimal_is_refused, &[13]),
        Case::new(decimals_are_compared_as_numbers, &[19, 20, 21, 24]),
        Case::new(decimals_are_filtered_by_clients, &[39]),
        Case::new(decimals_are_sorted_as_numbers, &[25]),
        Case::new(pages_go_on_behind_a_decimal, &[33]),
        Case::new(equal_decimals_are_not_unique, &[8]),
        Case::new(a_scope_may_be_of_a_decimal, &[77]),
    ]
}

/// Makes a service whose prices are decimals.
async fn priced(suite: &Suite, shape: impl FnOnce(Options) -> Options) -> Result<People, crate::Failed> {
    Ok(suite.people(|options| shape(options.fields(people_fields()))).await?)
}

fn price(record: &Document) -> Option<&str> {
    record["price"].as_str()
}

/// In ascending order, each with a name of its own; `1.5` is there twice.
const PRICES: [(&str, &str); 10] = [
    ("a", "-10"),
    ("b", "-9.55"),
    ("c", "-9.5"),
    ("d", "0.00"),
    ("e", "0.05"),
    ("f", "1.5"),
    ("g", "1.50"),
    ("h", "9.5"),
    ("i", "10"),
    ("j", "1234567890123456789012345.678901234"),
];

async fn all_prices(suite: &Suite, shape: impl FnOnce(Options) -> Options) -> Result<People, crate::Failed> {
    let people = priced(suite, shape).await?;
    // Made in an order that is none of theirs, but for the two that are equal.
    for position in [7, 0, 9, 5, 2, 6, 4, 1, 8, 3] {
        let (name, price) = PRICES[position];
        people.add(json!({"name": name, "price": price})).await?;
    }
    people.add(json!({"name": "none"})).await?;
    Ok(people)
}

async fn digits_are_kept(suite: Suite) -> Outcome {
    let people = priced(&suite, |options| options).await?;
    for (given, kept) in [
        ("1.50", "1.50"),
        ("1.5", "1.5"),
        ("0", "0"),
        ("-0.00", "0.00"),
        ("007.10", "7.10"),
        ("-0.000000000000000000000000000001", "-0.000000000000000000000000000001"),
        ("9999999999999999999999999999999999", "9999999999999999999999999999999999"),
        (PRICES[9].1, PRICES[9].1),
    ] {
        let made = people.create(people.new_data(json!({"price": given})), &client()).await?;
        equal("the answered decimal", price(&made), Some(kept))?;
        equal("the decimal", price(&people.read(&id(&made)?, &client()).await?), Some(kept))?;
        let listed = people.list(Query::new().filter(Filter::eq("id", made["id"].clone()))).await?;
        equal("the listed decimal", price(&listed[0]), Some(kept))?;
    }
    // A change of digits is a change, though both are worth the same.
    let made = people.add(json!({"price": "2.5"})).await?;
    let patch = Patch::from(document(json!({"price": "2.500"})));
    let changed = people.modify(&id(&made)?, patch, &client()).await?.into_inner();
    equal("the changed decimal", price(&changed), Some("2.500"))?;
    let updated = people.update(&id(&made)?, people.new_data(json!({"price": "2.0"})), &client()).await?.into_inner();
    equal("the replaced decimal", price(&updated), Some("2.0"))
}

/// The bound is 35 digits before the point and 30 behind it, more than some stores have a type for.
async fn digits_are_kept_up_to_the_bound(suite: Suite) -> Outcome {
    let people = priced(&suite, |options| options).await?;
    let (one, other) = ("9".repeat(35), format!("{}.{}1", "9".repeat(35), "0".repeat(29)));
    for (name, given) in [("other", &other), ("one", &one)] {
        let made = people.add(json!({"name": name, "price": given})).await?;
        equal("the answered decimal", price(&made), Some(given.as_str()))?;
        equal("the decimal", price(&people.read(&id(&made)?, &client()).await?), Some(given.as_str()))?;
    }
    named(&people.list(Query::new().sort("price")).await?, &["one", "other"])?;
    named(&people.list(Query::new().filter(Filter::gt("price", one.as_str()))).await?, &["other"])
}

async fn numbers_are_decimals_where_they_are_exact(suite: Suite) -> Outcome {
    let people = priced(&suite, |options| options).await?;
    for (given, kept) in [
        (json!(5), "5"),
        (json!(-7), "-7"),
        (json!(1.5), "1.5"),
        (json!(0.1), "0.1"),
        (json!(i64::MIN), "-9223372036854775808"),
    ] {
        let made = people.create(people.new_data(json!({"price": given})), &client()).await?;
        equal("the decimal of a number", price(&made), Some(kept))?;
    }
    // More digits than a float is certain to have kept.
    for unsure in [json!(0.123_456_789_012_345_67), json!(0.1 + 0.2)] {
        let data = people.new_data(json!({"price": unsure}));
        names_field(&refused(people.create(data, &client()).await, ErrorKind::Unprocessable)?, "price")?;
    }
    Ok(())
}

async fn what_is_no_decimal_is_refused(suite: Suite) -> Outcome {
    let people = priced(&suite, |options| options).await?;
    let made = people.add(json!({"name": "Alice", "price": "1.50"})).await?;
    let (long, fine) = ("9".repeat(36), format!("0.{}", "1".repeat(31)));
    for value in [
        json!("abc"),
        json!(""),
        json!("1e3"),
        json!("1,5"),
        json!("+1"),
        json!(".5"),
        json!("1."),
        json!(true),
        json!([]),
        json!(long),
        json!(fine),
    ] {
        let data = people.new_data(json!({"price": value}));
        names_field(&refused(people.create(data, &client()).await, ErrorKind::Unprocessable)?, "price")?;
        let patch = Patch::from(document(json!({"price": value})));
        let error = refused(people.modify(&id(&made)?, patch, &client()).await, ErrorKind::Unprocessable)?;
        names_field(&error, "price")?;
    }
    equal("the decimal that nobody changed", price(&people.read(&id(&made)?, &server()).await?), Some("1.50"))
}

async fn decimals_are_compared_as_numbers(suite: Suite) -> Outcome {
    for indexed in [false, true] {
        let people = all_prices(&suite, |options| if indexed { options.index("price") } else { options }).await?;
        let huge = "1234567890123456789012345";
        let filters: [(Filter, &str); 23] = [
            (Filter::eq("price", "1.5"), "f g"),
            (Filter::eq("price", "1.500"), "f g"),
            (Filter::eq("price", 1.5), "f g"),
            (Filter::eq("price", 10), "i"),
            (Filter::eq("price", "0"), "d"),
            (Filter::eq("price", "-0.0"), "d"),
            (Filter::ne("price", "1.5"), "a b c d e h i j none"),
            (Filter::lt("price", "9.5"), "a b c d e f g"),
            (Filter::lte("price", "9.50"), "a b c d e f g h"),
            (Filter::gt("price", "9.5"), "i j"),
            (Filter::gte("price", 9.5), "h i j"),
            (Filter::lt("price", -9), "a b c"),
            (Filter::lt("price", "-9.5"), "a b"),
            (Filter::gt("price", huge), "j"),
            (Filter::lt("price", 1e300), "a b c d e f g h i j"),
            (Filter::gt("price", 0.1 + 0.2), "f g h i j"),
            (Filter::is_in("price", [Value::from("1.50"), 10.into(), Value::Null]), "f g i none"),
            (Filter::not_in("price", ["1.5", "-10"]), "b c d e h i j none"),
            (Filter::gt("price", "0.05").and(Filter::lt("price", 10)), "f g h"),
            (!Filter::gt("price", 0), "a b c d none"),
            (Filter::eq("price", Value::Null), "none"),
            // It is a number, and neither before nor after what is none, and has no pattern.
            (Filter::gt("price", "abc"), ""),
            (Filter::starts_with("price", "1"), ""),
        ];
        for (filter, expected) in filters {
            let expected: Vec<&str> = expected.split_whitespace().collect();
            let asked = server().with_query(Query::new().filter(filter.clone()).sort("name"));
            named(&people.index(&asked).await?.data, &expected)?;
            equal(&format!("the count of {filter:?}"), people.count(&asked).await?, expected.len() as u64)?;
            let scoped = client().with_scope(filter.clone()).with_query(Query::new().sort("name"));
            named(&people.index(&scoped).await?.data, &expected)?;
        }
    }
    Ok(())
}

async fn decimals_are_filtered_by_clients(suite: Suite) -> Outcome {
    let people = all_prices(&suite, |options| options).await?;
    for (query, expected) in [
        ("price=1.5&$sort[name]=1", "f g"),
        ("price=1.500&$sort[name]=1", "f g"),
        ("price[$lt]=9.5&$sort[name]=1", "a b c d e f g"),
        ("price[$in][]=10&price[$in][]=-10&$sort[name]=1", "a i"),
        ("query=%7B%22price%22:%7B%22$gte%22:9.5%7D%7D&sort=%7B%22name%22:1%7D", "h i j"),
        ("query=%7B%22price%22:%7B%22$gte%22:%229.50%22%7D%7D&sort=%7B%22name%22:1%7D", "h i j"),
        ("query=%7B%22price%22:%7B%22$gt%22:9.5%7D%7D&sort=%7B%22name%22:1%7D", "i j"),
    ] {
        let expected: Vec<&str> = expected.split_whitespace().collect();
        named(&people.text(query).await?.data, &expected)?;
    }
    for query in ["price=abc", "price[$gt]=1e3", "price[$in][]=1,5"] {
        names_field(&refused(people.text(query).await, ErrorKind::BadRequest)?, "price")?;
    }
    Ok(())
}

async fn decimals_are_sorted_as_numbers(suite: Suite) -> Outcome {
    for indexed in [false, true] {
        let people = all_prices(&suite, |options| if indexed { options.index("price") } else { options }).await?;
        let up = ["none", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        named(&people.list(Query::new().sort("price")).await?, &up)?;
        // Those that are worth the same are in the order of their ids, both ways.
        let down = ["j", "i", "h", "f", "g", "e", "d", "c", "b", "a", "none"];
        named(&people.list(Query::new().sort_descending("price")).await?, &down)?;
        named(&people.list(Query::new().sort("price").skip(2).limit(3)).await?, &up[2..5])?;
    }
    Ok(())
}

async fn pages_go_on_behind_a_decimal(suite: Suite) -> Outcome {
    let people = all_prices(&suite, |options| options.paginate(Paginate::new(3, 3))).await?;
    for (query, expected) in [
        (Query::new().sort("price"), ["none", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]),
        (Query::new().sort_descending("price"), ["j", "i", "h", "f", "g", "e", "d", "c", "b", "a", "none"]),
    ] {
        let (mut seen, mut query) = (Vec::new(), query);
        loop {
            let page = people.index(&client().with_query(query.clone())).await?;
            seen.extend(page.data);
            match page.info.next {
                Some(next) => query = query.after(next),
                None => break,
            }
        }
        named(&seen, &expected)?;
    }
    Ok(())
}

async fn equal_decimals_are_not_unique(suite: Suite) -> Outcome {
    let people = priced(&suite, |options| options.unique("price")).await?;
    let made = people.add(json!({"name": "one", "price": "1.50"})).await?;
    people.add(json!({"name": "two", "price": "1.51"})).await?;
    people.add(json!({"name": "none"})).await?;
    people.add(json!({"name": "neither"})).await?;
    for same in ["1.5", "1.50", "1.500"] {
        let twin = people.create(people.new_data(json!({"price": same})), &client()).await;
        names_field(&refused(twin, ErrorKind::Conflict)?, "price")?;
    }
    let patch = Patch::from(document(json!({"price": "1.5"})));
    let changed = people.modify(&id(&made)?, patch, &client()).await?.into_inner();
    equal("a record's own decimal in another form", price(&changed), Some("1.5"))?;
    named(&people.list(Query::new().sort("id")).await?, &["one", "two", "none", "neither"])
}

async fn a_scope_may_be_of_a_decimal(suite: Suite) -> Outcome {
    let people = priced(&suite, |options| options).await?;
    let scoped = client().with_scope(Filter::eq("price", "1.50"));
    let made = people.create(people.new_data(json!({"name": "stamped"})), &scoped).await?;
    equal("the stamped decimal", price(&made), Some("1.50"))?;
    people.create(people.new_data(json!({"name": "same", "price": "1.5"})), &scoped).await?;
    let outside = people.new_data(json!({"name": "outside", "price": "1.51"}));
    refused(people.create(outside, &scoped).await, ErrorKind::Forbidden)?;
    named(&people.index(&scoped).await?.data, &["stamped", "same"])
}
