//! What a record can hold: every value comes back as it was given, or is refused.

use remex_core::{Document, ErrorKind, Filter, Options, Query, Value};
use serde_json::json;

use crate::check::{document, equal, id, is_record, named, names_field, refused, refused_as};
use crate::suite::{client, server};
use crate::{Case, Need, Outcome, Suite, people_fields};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(every_kind_keeps_its_type, &[13]),
        Case::new(nested_values_keep_their_types, &[13]),
        Case::new(integers_are_exact, &[13]),
        Case::new(integers_past_64_bits_signed_are_exact_or_refused, &[13]),
        Case::new(floats_are_exact, &[13]),
        Case::new(text_is_kept_to_the_letter, &[13]),
        Case::new(long_text_is_kept, &[13]),
        Case::new(nul_is_refused, &[13]),
        Case::new(names_of_operators_are_refused, &[36]),
        Case::new(names_are_kept, &[13, 36]).needs(&[Need::AnyField]),
        Case::new(many_shapes_live_side_by_side, &[13]).needs(&[Need::AnyField]),
        Case::new(days_and_moments_take_one_form, &[13]),
        Case::new(moments_are_found_however_they_are_written, &[13, 19, 77]),
        Case::new(times_of_day_take_one_form_and_are_sorted, &[13, 25]),
        Case::new(a_whole_float_is_an_integer_where_one_is_wanted, &[13]),
    ]
}

async fn every_kind_keeps_its_type(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let person = json!({
        "name": "Alice", "age": 19, "admin": true, "score": 1.5, "email": "", "note": "n", "tags": ["a", "b"],
        "address": {"city": "Bonn"}, "born": "2001-02-03", "owner": -7,
    });
    let made = people.create(people.new_data(person.clone()), &client()).await?;
    for found in [made.clone(), people.read(&id(&made)?, &server()).await?, people.all().await?[0].clone()] {
        is_record(&found, person.clone())?;
        // Not only equal but of the same type: 19 is no 19.0, true is no 1.
        for field in ["name", "age", "admin", "score", "email", "tags", "address", "owner"] {
            equal(field, &found[field], &Value::from(person[field].clone()))?;
        }
    }
    Ok(())
}

async fn nested_values_keep_their_types(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let values = [
        json!({"i": 1, "f": 1.5, "t": "1", "b": false, "n": null, "l": [], "o": {}, "m": [1, "1", null, true, [2], {"a": null}]}),
        json!([[], {}, [[[[1]]]], {"a": {"b": {"c": {"d": [1, {"e": 2}]}}}}]),
        json!([i64::MAX, i64::MIN, 0, -0.5, "", "null", "true"]),
        json!("text"),
        json!(""),
        json!(false),
        json!(0),
        json!([null]),
        json!({"ä ö": 1, "a-b": 2, "a/b": 3, "0": 4, "": 5}),
    ];
    for value in values {
        if value.get("").is_some() {
            // A name that is empty could not be asked for.
            let unfit = people.new_data(json!({"name": "Alice", "address": value}));
            refused(people.create(unfit, &client()).await, ErrorKind::BadRequest)?;
            continue;
        }
        let made = people.create(people.new_data(json!({"name": "Alice", "address": value})), &client()).await?;
        let found = people.read(&id(&made)?, &server()).await?;
        equal("the answered value", &made["address"], &Value::from(value.clone()))?;
        equal("the stored value", &found["address"], &Value::from(value))?;
    }
    Ok(())
}

async fn integers_are_exact(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let numbers =
        [i64::MIN, i64::MIN + 1, -9_007_199_254_740_993, -1, 0, 1, 9_007_199_254_740_993, i64::MAX - 1, i64::MAX];
    for number in numbers {
        let made = people.add(json!({"age": number, "tags": [number], "address": {"n": number}})).await?;
        let found = people.read(&id(&made)?, &client()).await?;
        equal("the number", &found["age"], &Value::Int(number))?;
        equal("the number in a list", &found["tags"], &Value::from([number]))?;
        equal("the number in an object", &found["address"], &document(json!({"n": number})).into())?;
    }
    for number in numbers {
        for filter in [Filter::eq("age", number), Filter::eq("tags", number), Filter::eq("address.n", number)] {
            let found = people.list(Query::new().filter(filter)).await?;
            equal("how many have this number", found.len(), 1)?;
            equal("the number", &found[0]["age"], &Value::Int(number))?;
        }
        let below = people.list(Query::new().filter(Filter::lt("age", number))).await?.len();
        equal("how many have less", below, numbers.iter().filter(|other| **other < number).count())?;
    }
    Ok(())
}

async fn integers_past_64_bits_signed_are_exact_or_refused(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    for number in [u64::MAX, i64::MAX as u64 + 1] {
        for field in ["age", "tags"] {
            let data = people.new_data(json!({field: number}));
            let made = match people.create(data, &client()).await {
                Ok(made) => made,
                error => {
                    refused_as(error, &[ErrorKind::BadRequest, ErrorKind::Unprocessable])?;
                    continue;
                }
            };
            let found = people.read(&id(&made)?, &server()).await?;
            equal("the number", &found[field], &Value::UInt(number))?;
            let by_number = people.list(Query::new().filter(Filter::eq(field, number))).await?;
            equal("how many have this number", by_number.len(), 1)?;
        }
    }
    Ok(())
}

async fn floats_are_exact(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    for number in [0.1, -2.5, 1.0 / 3.0, 1e300, -1e-300, f64::MAX, f64::MIN_POSITIVE, 123_456_789.123_456_78] {
        let made = people.create(people.new_data(json!({"score": number, "tags": number})), &client()).await?;
        let found = people.read(&id(&made)?, &server()).await?;
        equal("the number", &found["score"], &Value::Float(number))?;
        equal("the number as JSON", &found["tags"], &Value::Float(number))?;
        let by_number = people.list(Query::new().filter(Filter::eq("score", number))).await?;
        equal("how many have this number", by_number.len(), 1)?;
    }
    Ok(())
}

async fn text_is_kept_to_the_letter(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let texts = [
        "",
        " ",
        "  both  ",
        "tab\tline\nreturn\r\n",
        "quotes ' \" ` \\ / {} [] <>",
        "%_*?",
        "Zürich",
        "ß",
        "日本語",
        "😀 👩‍👩‍👧",
        "e\u{301}",
        "\u{202e}right to left",
        "\u{feff}mark",
        "\u{1}\u{1f}\u{7f}",
        "null",
        "NULL",
        "undefined",
        "0",
        "true",
        "{{7*7}}",
        "</script>",
        "\u{2028}\u{2029}",
        "\u{10ffff}",
    ];
    for text in texts {
        let data = people.new_data(json!({"name": text, "tags": [text], "address": {"city": text}}));
        let made = people.create(data, &client()).await?;
        let found = people.read(&id(&made)?, &client()).await?;
        equal("the text", &found["name"], &Value::from(text))?;
        equal("the text in a list", &found["tags"], &Value::from([text]))?;
        equal("the text in an object", &found["address"], &document(json!({"city": text})).into())?;
        named(&people.list(Query::new().filter(Filter::eq("name", text))).await?, &[text])?;
    }
    Ok(())
}

async fn long_text_is_kept(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let text = "lang ä 😀 ".repeat(10_000);
    let made = people.create(people.new_data(json!({"note": text, "tags": [text]})), &client()).await?;
    let found = people.read(&id(&made)?, &client()).await?;
    // Without the text itself in the message.
    equal("whether the text is the same", found["note"] == Value::from(text.as_str()), true)?;
    equal("whether the text in a list is the same", found["tags"] == Value::from([text.as_str()]), true)?;
    // As long as a query string may still hold.
    let text = "ä".repeat(5_000);
    people.add(json!({"note": text})).await?;
    let count = async |filter: Filter| people.count(&server().with_query(Query::new().filter(filter))).await;
    equal("how many have the text", count(Filter::eq("note", text.as_str())).await?, 1)?;
    equal("how many have it but for its end", count(Filter::eq("note", "ä".repeat(4_999).as_str())).await?, 0)?;
    equal("how many hold a part", count(Filter::contains("note", "😀 lang")).await?, 1)
}

async fn nul_is_refused(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let bob = id(&people.person("Bob").await?)?;
    for (field, value) in
        [("name", json!("a\0b")), ("tags", json!(["\0"])), ("address", json!({"city": {"name": "x\0"}}))]
    {
        let data = people.new_data(json!({field: value}));
        let error = refused(people.create(data.clone(), &client()).await, ErrorKind::BadRequest)?;
        names_field(&error, field)?;
        let data = {
            let mut data = data;
            data.remove("id");
            data
        };
        refused(people.update(&bob, data.clone(), &client()).await, ErrorKind::BadRequest)?;
        refused(people.modify(&bob, data.into(), &client()).await, ErrorKind::BadRequest)?;
    }
    let nul_in_name = people.new_data(json!({"address": {"a\0": 1}}));
    refused(people.create(nul_in_name, &client()).await, ErrorKind::BadRequest)?;
    named(&people.all().await?, &["Bob", "Doug", "Alice"])
}

async fn names_of_operators_are_refused(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let bob = id(&people.person("Bob").await?)?;
    for value in [json!({"$gt": 1}), json!({"a": {"$set": {"b": 1}}}), json!([{"$where": "1"}])] {
        let data = || document(json!({"address": value.clone()}));
        refused(
            people.create(people.new_data(json!({"address": value.clone()})), &client()).await,
            ErrorKind::BadRequest,
        )?;
        refused(people.modify(&bob, data().into(), &client()).await, ErrorKind::BadRequest)?;
        refused(people.update(&bob, data(), &client()).await, ErrorKind::BadRequest)?;
    }
    // At the top a typed service may find first that there is no such field.
    let data = document(json!({"$set": {"name": "x"}}));
    let kinds = [ErrorKind::BadRequest, ErrorKind::Unprocessable];
    refused_as(people.modify(&bob, data.clone().into(), &client()).await, &kinds)?;
    refused_as(people.update(&bob, data, &client()).await, &kinds)?;
    named(&people.all().await?, &["Bob", "Doug", "Alice"])
}

async fn names_are_kept(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let names = [
        "a b",
        "a-b",
        "Ä",
        "日本",
        "a'b",
        "a\"b",
        "a`b",
        "constructor",
        "__proto__",
        "select",
        "order",
        "0",
        "a;b",
        "_x",
        "ID",
    ];
    let mut data = people.new_data(json!({}));
    for (value, name) in names.iter().enumerate() {
        data.insert(name, Value::from(value as u64));
    }
    let made = people.create(data, &client()).await?;
    let found = people.read(&id(&made)?, &client()).await?;
    for (value, name) in names.iter().enumerate() {
        equal(name, &found[*name], &Value::from(value as u64))?;
        let by_name = people.list(Query::new().filter(Filter::eq(*name, value as u64)).sort(*name)).await?;
        equal("how many are found by it", by_name.len(), 1)?;
    }
    Ok(())
}

async fn many_shapes_live_side_by_side(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    let mut made: Vec<Document> = Vec::new();
    for number in 0..50 {
        let mut data = people.new_data(json!({"name": format!("n{number}")}));
        for field in 0..number % 7 {
            data.insert(&format!("field_{}", (field * 3 + number) % 11), Value::from(number));
        }
        made.push(people.create(data, &server()).await?);
    }
    crate::check::all_same(&people.all().await?, &made)?;
    let with_field = people.list(Query::new().filter(Filter::exists("field_3", true))).await?;
    let expected: Vec<_> = made.into_iter().filter(|record| record.contains("field_3")).collect();
    crate::check::all_same(&with_field, &expected)
}

async fn days_and_moments_take_one_form(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.fields(people_fields())).await?;
    for (given, kept) in [
        ("2026-11-22T05:34:02+01:00", "2026-11-22T04:34:02.000000Z"),
        ("2026-11-22T04:34:02.123456Z", "2026-11-22T04:34:02.123456Z"),
        ("2026-11-22", "2026-11-22T00:00:00.000000Z"),
        ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
    ] {
        let made = people.create(people.new_data(json!({"seen": given})), &client()).await?;
        let found = people.read(&id(&made)?, &server()).await?;
        equal("the moment", &found["seen"], &Value::from(kept))?;
        equal("the answered moment", &made["seen"], &Value::from(kept))?;
    }
    let made = people.add(json!({"born": "2024-02-29"})).await?;
    equal("the day", &people.read(&id(&made)?, &server()).await?["born"], &Value::from("2024-02-29"))?;
    for (field, value) in [
        ("born", "2023-02-29"),
        ("born", "2024-2-9"),
        ("seen", "2026-11-22T25:00:00Z"),
        ("seen", "now"),
        ("seen", "2026-11-22T04:34:02"),
    ] {
        let data = people.new_data(json!({field: value}));
        let error = refused(people.create(data, &client()).await, ErrorKind::Unprocessable)?;
        names_field(&error, field)?;
    }
    Ok(())
}

async fn moments_are_found_however_they_are_written(suite: Suite) -> Outcome {
    const ELSEWHERE: &str = "2026-11-22T05:34:02+01:00";
    for indexed in [false, true] {
        let shape = |options: Options| if indexed { options.index("seen") } else { options };
        let people = suite.people(|options| shape(options.fields(people_fields()))).await?;
        people.add(json!({"name": "then", "seen": "2026-11-22T04:34:02Z"})).await?;
        people.add(json!({"name": "later", "seen": "2026-11-22T04:34:02.000001Z"})).await?;
        let filters: [(Filter, &[&str]); 7] = [
            (Filter::eq("seen", ELSEWHERE), &["then"]),
            (Filter::ne("seen", ELSEWHERE), &["later"]),
            (Filter::lte("seen", ELSEWHERE), &["then"]),
            (Filter::lt("seen", ELSEWHERE), &[]),
            (Filter::gte("seen", ELSEWHERE), &["then", "later"]),
            (Filter::is_in("seen", [Value::Null, Value::from(ELSEWHERE)]), &["then"]),
            (!Filter::any([Filter::eq("seen", ELSEWHERE)]), &["later"]),
        ];
        for (filter, expected) in filters {
            for params in [server(), client()] {
                let asked = params.clone().with_query(Query::new().filter(filter.clone()));
                named(&people.index(&asked).await?.data, expected)?;
                equal("the count", people.count(&asked).await?, expected.len() as u64)?;
                let scoped = params.with_scope(filter.clone());
                named(&people.index(&scoped).await?.data, expected)?;
                equal("the count within a scope", people.count(&scoped).await?, expected.len() as u64)?;
            }
        }
        let scoped = client().with_scope(Filter::eq("seen", ELSEWHERE));
        let stamped = people.create(people.new_data(json!({"name": "stamped"})), &scoped).await?;
        equal("the stamped moment", &stamped["seen"], &Value::from("2026-11-22T04:34:02.000000Z"))?;
        let found = people.index(&scoped).await?.data;
        named(&found, &["then", "stamped"])?;
        named(&[people.read(&id(&found[0])?, &scoped).await?], &["then"])?;
    }
    Ok(())
}

async fn times_of_day_take_one_form_and_are_sorted(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.fields(people_fields())).await?;
    for (name, given, kept) in [
        ("late", "23:59:59.999999", "23:59:59.999999"),
        ("first", "00:00", "00:00:00.000000"),
        ("early", "04:34:02", "04:34:02.000000"),
        ("then", "04:34:02.5", "04:34:02.500000"),
    ] {
        let made = people.create(people.new_data(json!({"name": name, "wakes": given})), &client()).await?;
        equal("the answered time", made["wakes"].as_str(), Some(kept))?;
        equal("the time", people.read(&id(&made)?, &server()).await?["wakes"].as_str(), Some(kept))?;
    }
    named(&people.list(Query::new().sort("wakes")).await?, &["first", "early", "then", "late"])?;
    let filters: [(Filter, &[&str]); 4] = [
        (Filter::eq("wakes", "04:34:02"), &["early"]),
        (Filter::gt("wakes", "04:34:02.0"), &["late", "then"]),
        (Filter::is_in("wakes", ["00:00:00", "04:34:02.50"]), &["first", "then"]),
        (Filter::eq("wakes", "soon"), &[]),
    ];
    for (filter, expected) in filters {
        named(&people.list(Query::new().filter(filter)).await?, expected)?;
    }
    named(&people.text("wakes[$lt]=04:34:02.1").await?.data, &["first", "early"])?;
    names_field(&refused(people.text("wakes=soon").await, ErrorKind::BadRequest)?, "wakes")?;
    for value in ["24:00", "4:00", "04:60:00", "soon", "04:34:02Z", "2026-11-22T04:34:02Z"] {
        let data = people.new_data(json!({"wakes": value}));
        names_field(&refused(people.create(data, &client()).await, ErrorKind::Unprocessable)?, "wakes")?;
    }
    Ok(())
}

async fn a_whole_float_is_an_integer_where_one_is_wanted(suite: Suite) -> Outcome {
    let people = suite.people(|options| options.fields(people_fields())).await?;
    let data = people.new_data(json!({"age": 19.5}));
    let error = refused(people.create(data, &client()).await, ErrorKind::Unprocessable)?;
    names_field(&error, "age")?;
    // A client whose language has no integers sends 19 as 19.0; it fits, or is said not to.
    match people.create(people.new_data(json!({"age": 19.0})), &client()).await {
        Ok(made) => equal("the number", &people.read(&id(&made)?, &server()).await?["age"], &Value::Int(19)),
        error => names_field(&refused(error, ErrorKind::Unprocessable)?, "age"),
    }
}
