//! What only a query string can say: types of its texts, its forms, its bounds, and what it may not say.

use remex_core::ErrorKind;
use serde_json::json;

use crate::check::{equal, id, mentions, named, names_field, refused};
use crate::{Case, Need, Outcome, Suite, people_fields};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(texts_become_of_their_fields_type, &[39]),
        Case::new(nothing_and_null_are_null_but_for_text, &[39]),
        Case::new(a_text_that_is_not_of_its_fields_type_is_refused, &[39]),
        Case::new(a_bare_literal_equals_whatever_is_written_so, &[39]).needs(&[Need::UnknownFields]),
        Case::new(brackets_have_equal_forms, &[40]),
        Case::new(json_says_the_same, &[40]),
        Case::new(a_long_list_is_a_list, &[40, 41]),
        Case::new(the_order_of_sort_keys_is_kept, &[25]),
        Case::new(paging_is_read_from_text, &[27, 28]),
        Case::new(malformed_paging_is_refused, &[27]),
        Case::new(malformed_sorts_are_refused, &[26]),
        Case::new(select_is_read_from_text, &[29]),
        Case::new(unknown_operators_are_refused_wherever_they_stand, &[34]),
        Case::new(further_parameters_can_be_allowed, &[35]),
        Case::new(parameters_can_belong_to_others, &[38]),
        Case::new(an_empty_either_is_refused, &[22]),
        Case::new(bounds_are_kept, &[41]),
        Case::new(patterns_have_a_longest_length, &[41]),
        Case::new(paths_have_so_many_names, &[41]),
        Case::new(names_that_are_special_elsewhere_are_harmless, &[36, 41]),
        Case::new(text_that_is_not_utf8_is_refused, &[41]),
        Case::new(operators_are_read_from_text, &[19, 35]),
    ]
}

async fn texts_become_of_their_fields_type(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.fields(people_fields())).await?;
    people.add(json!({"name": "25", "admin": true, "score": 1.5, "seen": "2026-11-22T04:34:02Z"})).await?;
    let alice = id(&people.person("Alice").await?)?;
    let by_id = format!("id[$in][]={alice}");
    let cases: [(&str, &[&str]); 10] = [
        ("age=25", &["Bob"]),
        ("age[$gt]=18&age[$lt]=30&$sort[name]=1", &["Alice", "Bob"]),
        ("age[$in][]=25&age[$in][]=32", &["Bob", "Doug"]),
        ("admin=true", &["25"]),
        ("admin[$ne]=true", &["Bob", "Doug", "Alice"]),
        ("name=25", &["25"]),
        ("score=1.5", &["25"]),
        ("score[$lt]=2", &["25"]),
        ("seen=2026-11-22T05:34:02%2B01:00", &["25"]),
        (&by_id, &["Alice"]),
    ];
    for (text, expected) in cases {
        named(&people.text(text).await?.data, expected)?;
    }
    Ok(())
}

async fn nothing_and_null_are_null_but_for_text(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.fields(people_fields())).await?;
    people.add(json!({"name": "null"})).await?;
    people.add(json!({"name": ""})).await?;
    named(&people.text("age=null").await?.data, &["null", ""])?;
    named(&people.text("age=").await?.data, &["null", ""])?;
    named(&people.text("age[$ne]=null").await?.data, &["Bob", "Doug", "Alice"])?;
    named(&people.text("name=null").await?.data, &["null"])?;
    named(&people.text("name=").await?.data, &[""])
}

async fn a_text_that_is_not_of_its_fields_type_is_refused(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.fields(people_fields())).await?;
    let cases = [
        ("age=abc", "age"),
        ("age[$gt]=abc", "age"),
        ("age[$in][]=1&age[$in][]=abc", "age"),
        ("age=2.5", "age"),
        ("admin=yes", "admin"),
        ("score=NaN", "score"),
        ("born=2026-02-30", "born"),
        ("seen=yesterday", "seen"),
        ("$or[0][age]=abc&$or[1][age]=1", "age"),
    ];
    for (text, field) in cases {
        let error = refused(people.text(text).await, ErrorKind::BadRequest)?;
        mentions(&error, field)?;
        equal("how many fields are named", error.fields().len(), 1)?;
    }
    Ok(())
}

async fn a_bare_literal_equals_whatever_is_written_so(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    people
        .add_all([
            json!({"name": "number", "tags": 25}),
            json!({"name": "text", "tags": "25"}),
            json!({"name": "true", "tags": true}),
            json!({"name": "text of true", "tags": "true"}),
            json!({"name": "list", "tags": ["25", 7]}),
        ])
        .await?;
    named(&people.text("tags=25").await?.data, &["number", "text", "list"])?;
    named(&people.text("tags=true").await?.data, &["true", "text of true"])?;
    named(
        &people.text("tags[$in][]=25&tags[$in][]=true").await?.data,
        &["number", "text", "true", "text of true", "list"],
    )?;
    named(&people.text("tags[$ne]=25").await?.data, &["true", "text of true"])?;
    named(&people.text("tags=7").await?.data, &["list"])
}

async fn brackets_have_equal_forms(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.fields(people_fields())).await?;
    let forms = [
        "age[$in][]=19&age[$in][]=25",
        "age[$in][0]=19&age[$in][1]=25",
        "age[$in]=19&age[$in]=25",
        "age%5B%24in%5D%5B%5D=19&age%5B%24in%5D%5B%5D=25",
        "age[$in][7]=19&age[$in][3]=25",
        "?age[$in][]=19&age[$in][]=25",
        "$or[0][age]=19&$or[1][age]=25",
        "$or[][age]=19&$or[][age]=25",
    ];
    for form in forms {
        named(&people.text(form).await?.data, &["Bob", "Alice"])?;
    }
    named(&people.text("name=Al%69ce").await?.data, &["Alice"])?;
    people.add(json!({"name": "a b+c&d=e"})).await?;
    named(&people.text("name=a+b%2Bc%26d%3De").await?.data, &["a b+c&d=e"])?;
    named(&people.text("name=a%20b%2Bc%26d=e").await?.data, &["a b+c&d=e"])
}

async fn json_says_the_same(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    // {"age":{"$gte":25}} and {"age":-1}
    let text = "query=%7B%22age%22%3A%7B%22%24gte%22%3A25%7D%7D&sort=%7B%22age%22%3A-1%7D&limit=1&skip=1&fields=name";
    let found = people.text(text).await?.data;
    named(&found, &["Bob"])?;
    equal("the names of the fields", found[0].names().collect::<Vec<_>>(), ["id", "name"])?;
    for malformed in
        ["query=%7B", "query=%7B%7D&name=Bob", "query=%7B%7D&limit=x", "query=%7B%7D&sort=%7B%22a%22%3A0%7D"]
    {
        refused(people.text(malformed).await, ErrorKind::BadRequest)?;
    }
    Ok(())
}

async fn a_long_list_is_a_list(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.fields(people_fields())).await?;
    let indexed: Vec<String> = (20..1_020).enumerate().map(|(at, age)| format!("age[$in][{at}]={age}")).collect();
    named(&people.text(&indexed.join("&")).await?.data, &["Bob", "Doug"])?;
    let pushed: Vec<String> = (20..1_020).map(|age| format!("age[$in][]={age}")).collect();
    named(&people.text(&pushed.join("&")).await?.data, &["Bob", "Doug"])
}

async fn the_order_of_sort_keys_is_kept(suite: Suite) -> Outcome {
    let people = suite.people(|options| options).await?;
    for (name, age) in [("b", 1), ("a", 2), ("b", 2), ("a", 1)] {
        people.add(json!({"name": name, "age": age, "note": format!("{name}{age}")})).await?;
    }
    for (text, expected) in
        [("$sort[name]=1&$sort[age]=-1", "a2 a1 b2 b1"), ("$sort[age]=-1&$sort[name]=1", "a2 b2 a1 b1")]
    {
        let found = people.text(text).await?.data;
        let notes: Vec<_> = found.iter().filter_map(|record| record["note"].as_str()).collect();
        equal("the order", notes.join(" "), expected)?;
    }
    Ok(())
}

async fn paging_is_read_from_text(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    named(&people.text("$sort[name]=1&$limit=2").await?.data, &["Alice", "Bob"])?;
    named(&people.text("$limit=0").await?.data, &[])?;
    named(&people.text("$sort[name]=1&$skip=1").await?.data, &["Bob", "Doug"])?;
    named(&people.text("$skip=3").await?.data, &[])?;
    named(&people.text("$sort[name]=-1").await?.data, &["Doug", "Bob", "Alice"])
}

async fn malformed_paging_is_refused(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let texts = [
        "$limit=-1",
        "$limit=x",
        "$limit=1.5",
        "$limit=",
        "$limit=1e3",
        "$limit[]=1&$limit[]=2",
        "$skip=-1",
        "$skip=x",
        "$skip=99999999999999999999",
        "$after=xyz",
        "$after=",
        "$total=maybe",
    ];
    for text in texts {
        refused(people.text(text).await, ErrorKind::BadRequest)?;
    }
    Ok(())
}

async fn malformed_sorts_are_refused(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    for text in [
        "$sort[name]=0",
        "$sort[name]=asc",
        "$sort[name]=up",
        "$sort=up",
        "$sort[name]=2",
        "$sort[name]=",
        "$sort[name][x]=1",
    ] {
        refused(people.text(text).await, ErrorKind::BadRequest)?;
    }
    Ok(())
}

async fn select_is_read_from_text(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    for text in ["$select[]=name", "$select=name", "$select[0]=name", "fields=name&query=%7B%7D"] {
        let found = people.text(text).await?.data;
        named(&found, &["Bob", "Doug", "Alice"])?;
        equal("the names of the fields", found[0].names().collect::<Vec<_>>(), ["id", "name"])?;
    }
    Ok(())
}

async fn unknown_operators_are_refused_wherever_they_stand(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let texts = [
        "$foo=1",
        "$foo[a]=1",
        "name[$foo]=1",
        "$or[0][$foo]=1",
        "$or[0][name][$foo]=1",
        "$and[0][name][$foo]=1",
        "$nor[0][name][$foo]=1",
        "name[$not][$foo]=1",
        "$sort[$foo]=1",
        "$select[]=$foo",
        "query=%7B%22name%22%3A%7B%22%24foo%22%3A1%7D%7D",
        "query=%7B%22%24foo%22%3A1%7D",
        // {"name":{"$in":[{"$foo":1}]}} and {"name":{"$eq":{"a":{"$foo":1}}}}
        "query=%7B%22name%22%3A%7B%22%24in%22%3A%5B%7B%22%24foo%22%3A1%7D%5D%7D%7D",
        "query=%7B%22name%22%3A%7B%22%24eq%22%3A%7B%22a%22%3A%7B%22%24foo%22%3A1%7D%7D%7D%7D",
    ];
    for text in texts {
        let error = refused(people.text(text).await, ErrorKind::BadRequest)?;
        mentions(&error, "$foo")?;
    }
    for text in ["$where=1", "$expr=1", "name[$regex]=.*", "name[$where]=1", "name[$in][0][$foo]=1"] {
        refused(people.text(text).await, ErrorKind::BadRequest)?;
    }
    Ok(())
}

async fn further_parameters_can_be_allowed(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.allow_parameter("$populate")).await?;
    named(&people.text("$populate=friends&name=Bob").await?.data, &["Bob"])?;
    let people = suite.three(|options| options).await?;
    refused(people.text("$populate=friends&name=Bob").await, ErrorKind::BadRequest)?;
    Ok(())
}

async fn parameters_can_belong_to_others(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.fields(people_fields()).ignore_parameter("token")).await?;
    named(&people.text("token=secret&name=Bob").await?.data, &["Bob"])?;
    let people = suite.three(|options| options.fields(people_fields())).await?;
    let error = refused(people.text("token=secret&name=Bob").await, ErrorKind::BadRequest)?;
    names_field(&error, "token")
}

async fn an_empty_either_is_refused(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    // {"$or":[]} and {"name":"Bob","$or":[]}
    let texts =
        ["query=%7B%22%24or%22%3A%5B%5D%7D", "query=%7B%22name%22%3A%22Bob%22%2C%22%24or%22%3A%5B%5D%7D", "$or="];
    for text in texts {
        refused(people.text(text).await, ErrorKind::BadRequest)?;
    }
    Ok(())
}

async fn bounds_are_kept(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let pairs: Vec<String> = (0..2_001).map(|number| format!("a{number}=1")).collect();
    let list: Vec<String> = (0..2_001).map(|number| format!("age[$in][]={number}")).collect();
    let branches: Vec<String> = (0..51).map(|number| format!("$or[{number}][age]=1")).collect();
    let texts = [
        "a[b][c][d][e][f][g]=1".to_owned(),
        format!("a{}=1", "[b]".repeat(1_000)),
        format!("query={}1{}", "%7B%22a%22%3A".repeat(30), "%7D".repeat(30)),
        pairs.join("&"),
        list.join("&"),
        branches.join("&"),
        "$skip=1000001".to_owned(),
        format!("{}=1", "n".repeat(2_000)),
    ];
    for text in texts {
        refused(people.text(&text).await, ErrorKind::BadRequest)?;
    }
    Ok(())
}

async fn patterns_have_a_longest_length(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let long = |bytes: usize| "x".repeat(bytes);
    for text in [format!("name[$like]=B%25{}", long(254)), format!("name[$not][$like]={}%25", long(255))] {
        people.text(&text).await?;
    }
    let texts = [
        format!("name[$like]={}", long(257)),
        format!("name[$like]={}", "%25".repeat(257)),
        format!("name[$like]={}", "%C3%A9".repeat(129)),
        format!("$or[0][name]=Bob&$or[1][name][$not][$like]={}", long(257)),
        format!("query=%7B%22name%22%3A%7B%22%24like%22%3A%22{}%22%7D%7D", long(257)),
    ];
    for text in texts {
        refused(people.text(&text).await, ErrorKind::BadRequest)?;
    }
    Ok(())
}

async fn paths_have_so_many_names(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let path = |names: usize| format!("address{}", ".a".repeat(names - 1));
    named(&people.text(&format!("{}=1", path(16))).await?.data, &[])?;
    let deep = path(17);
    let texts = [
        format!("{deep}=1"),
        format!("{deep}[$gt]=1"),
        format!("$or[0][{deep}]=1"),
        format!("$sort[{deep}]=1"),
        format!("$select={deep}"),
        format!("query=%7B%22{deep}%22%3A1%7D"),
    ];
    for text in texts {
        refused(people.text(&text).await, ErrorKind::BadRequest)?;
    }
    Ok(())
}

async fn names_that_are_special_elsewhere_are_harmless(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    let known = people.describe().fields().is_some();
    let names = [
        "__proto__",
        "constructor",
        "toString",
        "name%3B%20DROP%20TABLE%20people",
        "name%27%20OR%201%3D1",
        "name%22",
        "a.b",
        "page",
    ];
    for name in names {
        let found = people.text(&format!("{name}=1")).await;
        if known {
            refused(found, ErrorKind::BadRequest)?;
        } else {
            named(&found?.data, &[])?;
        }
    }
    for name in ["", "a..b", ".a", "a.", "a.$b", "%00", "a%00b"] {
        refused(people.text(&format!("{name}=1")).await, ErrorKind::BadRequest)?;
    }
    named(&people.all().await?, &["Bob", "Doug", "Alice"])
}

async fn text_that_is_not_utf8_is_refused(suite: Suite) -> Outcome {
    let people = suite.three(|options| options).await?;
    for text in ["name=%ff", "%ff=1", "name=%C3", "name[%ff]=1"] {
        refused(people.text(text).await, ErrorKind::BadRequest)?;
    }
    Ok(())
}

async fn operators_are_read_from_text(suite: Suite) -> Outcome {
    let people = suite.three(|options| options.fields(people_fields())).await?;
    people.add(json!({"name": "Eve"})).await?;
    let cases: [(&str, &[&str]); 14] = [
        ("name[$eq]=Bob", &["Bob"]),
        ("name[$ne]=Bob", &["Doug", "Alice", "Eve"]),
        ("age[$lte]=25", &["Bob", "Alice"]),
        ("age[$gte]=25", &["Bob", "Doug"]),
        ("name[$nin][]=Bob&name[$nin][]=Doug", &["Alice", "Eve"]),
        ("age[$exists]=false", &["Eve"]),
        ("age[$exists]=true", &["Bob", "Doug", "Alice"]),
        ("name[$like]=%25o%25", &["Bob", "Doug"]),
        ("name[$startsWith]=A", &["Alice"]),
        ("name[$contains]=v", &["Eve"]),
        ("$nor[0][name]=Bob&$nor[1][name]=Doug", &["Alice", "Eve"]),
        ("$and[0][age][$gt]=20&$and[1][age][$lt]=30", &["Bob"]),
        ("age[$not][$gt]=20", &["Alice", "Eve"]),
        ("$or[0][name]=Eve&$or[1][$and][0][age]=25&$or[1][$and][1][name]=Bob", &["Bob", "Eve"]),
    ];
    for (text, expected) in cases {
        named(&people.text(text).await?.data, expected)?;
    }
    Ok(())
}
