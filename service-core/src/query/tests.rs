//! The query language as a whole: what is read, what is refused, how it is written, and that what is written reads back.

use proptest::prelude::*;

use super::*;
use crate::{Error, ErrorKind, FieldType, Fields, Text, Value};

fn known() -> QuerySyntax {
    let fields = Fields::new()
        .optional("id", FieldType::Integer)
        .optional("name", FieldType::Text)
        .optional("age", FieldType::Integer)
        .optional("score", FieldType::Number)
        .optional("done", FieldType::Boolean)
        .optional("born", FieldType::Date)
        .optional("at", FieldType::DateTime)
        .optional("key", FieldType::Uuid)
        .optional("address", FieldType::Json)
        .optional("price", FieldType::Decimal)
        .optional("wakes", FieldType::Time)
        .optional("query", FieldType::Text);
    QuerySyntax { fields: Some(fields), ..QuerySyntax::default() }
}

fn untyped() -> QuerySyntax {
    QuerySyntax::default()
}

fn texts() -> QuerySyntax {
    QuerySyntax { coerce: Coerce::Off, ..QuerySyntax::default() }
}

/// Bounds past which no query of these tests goes, for reading what has been written of a query within the bounds: a
/// literal of two readings makes two of one.
fn roomy(syntax: &QuerySyntax) -> QuerySyntax {
    let bounds = QueryBounds {
        bytes_max: usize::MAX,
        pairs_max: usize::MAX,
        list_max: usize::MAX,
        depth_max: 1_000,
        branches_max: usize::MAX,
        ..syntax.bounds
    };
    QuerySyntax { bounds, ..syntax.clone() }
}

/// Checks what a query string says, as JSON, and that the JSON says the same.
#[track_caller]
fn check(text: &str, syntax: &QuerySyntax, expected: &str) {
    let query = Query::parse(text, syntax).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    assert_eq!(query.to_json().to_string(), expected, "{text}");
    assert_eq!(Query::from_json(&query.to_json(), &roomy(syntax)).expect("readable"), unsaid(query), "{text}");
}

/// In one object an empty filter cannot be told from none.
fn unsaid(query: Query) -> Query {
    if query.filter.is_empty() { Query { filter: Filter::All, ..query } } else { query }
}

#[track_caller]
fn check_error(error: &Error, text: &str, key: &str, expected: &str) {
    assert_eq!(error.kind(), ErrorKind::BadRequest, "{text}: {error:?}");
    assert!(error.message().contains(expected), "{text}: {error:?}");
    assert!(error.fields().iter().any(|field| field.field == key), "{text}: {error:?}");
    assert!(error.message().contains(key), "{text}: {error:?}");
}

/// Checks that a query string is refused, for this key.
#[track_caller]
fn refused(text: &str, syntax: &QuerySyntax, key: &str, expected: &str) {
    check_error(&Query::parse(text, syntax).expect_err(text), text, key, expected);
}

#[track_caller]
fn json(text: &str, syntax: &QuerySyntax) -> Result<Query> {
    Query::from_json(&Document::from_json(text.as_bytes()).expect("a document"), syntax)
}

#[track_caller]
fn check_json(text: &str, expected: &str) {
    let query = json(text, &known()).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    assert_eq!(query.to_json().to_string(), expected, "{text}");
    assert_eq!(Query::from_json(&query.to_json(), &known()).expect("readable"), query, "{text}");
}

#[track_caller]
fn refused_json(text: &str, key: &str, expected: &str) {
    check_error(&json(text, &known()).expect_err(text), text, key, expected);
}

#[test]
fn brackets_say_the_same_as_json() {
    check(
        "?done=false&score[$gte]=3&$sort[score]=-1&$sort[name]=1&$limit=5&$skip=5&$select[]=name\
         &$or[0][age]=1&$or[1][name][$in][]=x",
        &known(),
        r#"{"done":false,"score":{"$gte":3},"$or":[{"age":1},{"name":{"$in":["x"]}}],"$sort":{"score":-1,"name":1},"$limit":5,"$skip":5,"$select":["name"]}"#,
    );
    check("", &known(), "{}");
    check("?", &known(), "{}");
    check("&&", &known(), "{}");
    check("name=Alice&&age=20&", &known(), r#"{"name":"Alice","age":20}"#);
    check("age[$gt]=18&age[$lt]=30", &known(), r#"{"age":{"$gt":18,"$lt":30}}"#);
    check("age[$gte]=1&name=x&age[$lt]=5", &known(), r#"{"age":{"$gte":1,"$lt":5},"name":"x"}"#);
    check("age%5B%24gte%5D=18", &known(), r#"{"age":{"$gte":18}}"#);
    check("name=Al+ice%2B%C3%A9%26", &known(), r#"{"name":"Al ice+é&"}"#);
    check("name=a=b", &known(), r#"{"name":"a=b"}"#);
    check(
        "name[$like]=A%25&name[$startsWith]=A&name[$contains]=25",
        &untyped(),
        r#"{"name":{"$like":"A%","$startsWith":"A","$contains":"25"}}"#,
    );
    check("name[$exists]=true&age[$exists]=false", &untyped(), r#"{"name":{"$exists":true},"age":{"$exists":false}}"#);
    check("__proto__[x]=1&constructor=y", &texts(), r#"{"__proto__.x":"1","constructor":"y"}"#);
    check("address[city]=x&address[$exists]=true", &known(), r#"{"address.city":"x","address":{"$exists":true}}"#);
    check("address[city][$ne]=x", &known(), r#"{"address.city":{"$ne":"x"}}"#);
    check("address.city=x&address[city]=y", &known(), r#"{"address.city":"x","$and":[{"address.city":"y"}]}"#);
    let query = Query::parse("age[$gte]=1&age[$lt]=5", &known()).expect("a query");
    assert_eq!(query, Query::new().filter(Filter::gte("age", 1)).filter(Filter::lt("age", 5)));
}

#[test]
fn every_form_of_a_list_is_the_same() {
    for text in ["a[$in][]=1&a[$in][]=2", "a[$in][0]=1&a[$in][1]=2", "a[$in]=1&a[$in]=2", "a[$in][7]=2&a[$in][3]=1"] {
        check(text, &texts(), r#"{"a":{"$in":["1","2"]}}"#);
    }
    for text in ["a[]=1&a[]=2", "a[0]=1&a[1]=2", "a=1&a=2", "a=1&a[]=2", "a[1]=2&a[0]=1", "a%5B%5D=1&a%5B%5D=2"] {
        check(text, &texts(), r#"{"a":["1","2"]}"#);
        check(text, &untyped(), r#"{"a":{"$in":[["1","2"],[1,2]]}}"#);
    }
    check("a[]=1", &texts(), r#"{"a":["1"]}"#);
    check("a[$in]=1", &texts(), r#"{"a":{"$in":["1"]}}"#);
    check("a[$nin]=", &texts(), r#"{"a":{"$nin":[""]}}"#);
    check("id[$in][]=1&id[$in][]=1", &known(), r#"{"id":{"$in":[1,1]}}"#);
    let numbered: Vec<String> = (0..1_000).map(|number| format!("id[$in][{number}]={number}")).collect();
    let query = Query::parse(&numbered.join("&"), &known()).expect("a thousand");
    assert_eq!(query, Query::new().filter(Filter::is_in("id", 0..1_000)));
    let backwards: Vec<String> = (0..2_000).rev().map(|number| format!("id[$in][{number}]={number}")).collect();
    assert_eq!(
        Query::parse(&backwards.join("&"), &known()).expect("two thousand"),
        Query::new().filter(Filter::is_in("id", 0..2_000))
    );
}

#[test]
fn what_qs_guesses_is_refused_or_plain() {
    // The probes on which qs and serde_qs differ.
    check("age%5B%24gte%5D=18", &known(), r#"{"age":{"$gte":18}}"#);
    check("$sort[name]=1&$sort[age]=-1", &known(), r#"{"$sort":{"name":1,"age":-1}}"#);
    check("a[0]=x&a[2]=z", &untyped(), r#"{"a":["x","z"]}"#);
    refused("a[100000000]=x", &untyped(), "a[100000000]", "more than 2000 entries");
    refused("a[99999999999999999999999]=x", &untyped(), "a[99999999999999999999999]", "more than 2000 entries");
    refused("a=1&a[b]=2", &untyped(), "a[b]", "another form");
    refused("a[b]=2&a=1", &untyped(), "a", "another form");
    refused("a[]=1&a[b]=2", &untyped(), "a[b]", "another form");
    refused("a[b]=1&a[]=2", &untyped(), "a[]", "another form");
    refused("a[0]=1&a[]=2", &untyped(), "a[]", "another form");
    refused("a=1&a[0]=2", &untyped(), "a[0]", "another form");
    refused("a=1&a[$gt]=2", &untyped(), "a[$gt]", "another form");
    check("flag", &untyped(), r#"{"flag":""}"#);
    check("__proto__[x]=1", &texts(), r#"{"__proto__.x":"1"}"#);
    refused("a[b=1", &untyped(), "a[b", "brackets");
    refused("%ff=1&ok=1", &untyped(), "%ff", "UTF-8");
    refused("ok=%ff", &untyped(), "ok", "UTF-8");
    refused("a[b][c][d][e][f][g]=1", &untyped(), "a[b][c][d][e][f][g]", "5 levels");
    for name in ["a]", "[a]", "a[b]c", "a[b]]", "a[[b]]", "a[b][", "a][b"] {
        refused(&format!("{name}=1"), &untyped(), name, "brackets");
    }
    for value in ["%", "%2", "%zz", "100%", "%-1"] {
        refused(&format!("a={value}"), &untyped(), "a", "`%`");
    }
    refused("a=%00", &untyped(), "a", "NUL");
    refused("a=\0", &untyped(), "a", "NUL");
    assert!(Query::parse("a%00=1", &untyped()).is_err());
    assert!(Query::parse("=1", &untyped()).is_err());
    refused("a..b=1", &untyped(), "a..b", "empty");
    refused("a[0][]=1", &untyped(), "a", "JSON");
    refused("a[0][b]=1", &untyped(), "a", "JSON");
    refused("a[$in][b]=1", &untyped(), "a", "takes a list");
    refused("a[$eq][b]=1", &untyped(), "a", "JSON");
}

#[test]
fn literals_have_the_type_of_their_field() {
    check("name=25&age=25&score=2.5&done=true", &known(), r#"{"name":"25","age":25,"score":2.5,"done":true}"#);
    check("name=null&age=null&score=", &known(), r#"{"name":"null","age":null,"score":null}"#);
    check("key=0192F0C1-0000-7000-8000-000000000000", &known(), r#"{"key":"0192f0c1-0000-7000-8000-000000000000"}"#);
    check("at[$gt]=2026-11-22T05:34:02%2B01:00", &known(), r#"{"at":{"$gt":"2026-11-22T04:34:02.000000Z"}}"#);
    check("price=1.50&wakes[$lt]=04:34", &known(), r#"{"price":"1.50","wakes":{"$lt":"04:34:00.000000"}}"#);
    refused("price[$gt]=1e3", &known(), "price", "takes a decimal such as 12.50");
    refused("wakes=soon", &known(), "wakes", "takes a time of day");
    check("age[$in][]=1&age[$in][]=null", &known(), r#"{"age":{"$in":[1,null]}}"#);
    refused("age=abc", &known(), "age", "takes an integer, not `abc`");
    refused("age[$in][]=1&age[$in][]=x", &known(), "age", "takes an integer, not `x`");
    refused("done[$ne]=1", &known(), "done", "takes a boolean");
    refused("born=2026-02-29", &known(), "born", "takes a date");

    check("a=x", &untyped(), r#"{"a":"x"}"#);
    check("a=25", &untyped(), r#"{"a":{"$in":["25",25]}}"#);
    check("a=true", &untyped(), r#"{"a":{"$in":["true",true]}}"#);
    check("a=null", &untyped(), r#"{"a":"null"}"#);
    check("a=025", &untyped(), r#"{"a":"025"}"#);
    check("a[$ne]=2.5", &untyped(), r#"{"a":{"$nin":["2.5",2.5]}}"#);
    check("a[$in]=1&a[$in]=x&a[$in]=1", &untyped(), r#"{"a":{"$in":["1",1,"x"]}}"#);
    check("a[$nin][]=true", &untyped(), r#"{"a":{"$nin":["true",true]}}"#);
    check("a[$gt]=5", &untyped(), r#"{"$or":[{"a":{"$gt":"5"}},{"a":{"$gt":5}}]}"#);
    check("a[$lte]=x", &untyped(), r#"{"a":{"$lte":"x"}}"#);
    check("a[$not][$gt]=5", &untyped(), r#"{"$not":{"$or":[{"a":{"$gt":"5"}},{"a":{"$gt":5}}]}}"#);
    check(
        "address[zip]=5&unknown=5&name.x=5",
        &known(),
        r#"{"address.zip":{"$in":["5",5]},"unknown":{"$in":["5",5]},"name.x":{"$in":["5",5]}}"#,
    );

    let off = QuerySyntax { coerce: Coerce::Off, ..known() };
    check(
        "age=25&done[$ne]=true&name[$exists]=true",
        &off,
        r#"{"age":"25","done":{"$ne":"true"},"name":{"$exists":true}}"#,
    );
    refused("name[$exists]=1", &untyped(), "name", "takes true or false under `$exists`, not `1`");
    refused("name[$like]=a&name[$like]=b", &untyped(), "name", "takes one text under `$like`, not a list");
    refused("name[$gt]=1&name[$gt]=2", &untyped(), "name", "takes one value under `$gt`");
}

#[test]
fn filters_combine() {
    check("$or[0][age]=1&$or[1][name]=x", &known(), r#"{"$or":[{"age":1},{"name":"x"}]}"#);
    check("$or[][age]=1&$or[][name]=x", &known(), r#"{"$or":[{"age":1},{"name":"x"}]}"#);
    check("$or[0][age]=1&$or[0][name]=x", &known(), r#"{"$or":[{"age":1,"name":"x"}]}"#);
    check("$or[1][name][$in][]=x&$or[0][age]=1", &known(), r#"{"$or":[{"age":1},{"name":{"$in":["x"]}}]}"#);
    check("$or[0][$and][0][age][$gt]=1", &known(), r#"{"$or":[{"age":{"$gt":1}}]}"#);
    check("$and[0][$or][0][age][$gt]=1", &known(), r#"{"$or":[{"age":{"$gt":1}}]}"#);
    check("$and[0][age]=1&$and[1][age]=2&name=x", &known(), r#"{"age":1,"$and":[{"age":2,"name":"x"}]}"#);
    check("$nor[0][age]=1", &known(), r#"{"$nor":[{"age":1}]}"#);
    check("$not[age]=1&$not[name]=x", &known(), r#"{"$not":{"age":1,"name":"x"}}"#);
    check("$not[age]=1", &known(), r#"{"age":{"$not":1}}"#);
    check("age[$not]=5", &known(), r#"{"age":{"$not":5}}"#);
    check("age[$not][$gt]=5&age[$lt]=9", &known(), r#"{"age":{"$not":{"$gt":5},"$lt":9}}"#);
    check("age[$not][$gt]=5&age[$not][$lt]=1", &known(), r#"{"$not":{"age":{"$gt":5,"$lt":1}}}"#);
    check("age[$not][$not]=5", &known(), r#"{"$not":{"age":{"$not":5}}}"#);
    for name in ["$or", "$and", "$nor"] {
        refused(name, &known(), name, "takes a list of objects, not ``");
        refused(&format!("{name}[a]=1"), &known(), name, "takes a list of objects, not an object");
        refused(&format!("{name}[]=1"), &known(), name, "takes objects, not `1`");
        refused_json(&format!("{{\"{name}\":[]}}"), name, "holds something");
        refused_json(&format!("{{\"{name}\":[{{\"age\":1}},{{}}]}}"), name, "empty object");
        refused_json(&format!("{{\"{name}\":{{\"age\":1}}}}"), name, "takes a list of objects, not an object");
        refused_json(&format!("{{\"{name}\":[1]}}"), name, "takes objects, not `1`");
    }
    refused("$not=1", &known(), "$not", "takes objects");
    refused("$not[]=1", &known(), "$not", "takes objects");
    refused_json(r#"{"$not":{}}"#, "$not", "empty object");
}

#[test]
fn operators_are_known_and_in_their_place() {
    for text in [
        "$foo=1",
        "name[$foo]=1",
        "$or[0][$foo]=1",
        "$or[0][name][$foo]=1",
        "$not[$foo]=1",
        "name[$not][$foo]=1",
        "$and[0][$nor][0][$foo]=1",
        "$sort[$foo]=1",
        "$sort[a.$foo]=1",
        "$select[]=$foo",
        "$select=a.$foo",
        "a.$foo=1",
        "address[$foo][x]=1",
        "name[$in][$foo]=1&$foo=1",
    ] {
        let error = Query::parse(text, &known()).expect_err(text);
        if !text.contains("$in") {
            check_error(&error, text, "$foo", "unknown operator `$foo`; known are $eq, $ne, ");
        }
    }
    for text in [
        r#"{"$where":"1"}"#,
        r#"{"a":{"$where":1}}"#,
        r#"{"a":{"$in":[{"$where":1}]}}"#,
        r#"{"a":{"$eq":{"x":[{"$where":1}]}}}"#,
        r#"{"a":[{"$where":1}]}"#,
        r#"{"$or":[{"$where":1}]}"#,
        r#"{"$sort":{"$where":1}}"#,
        r#"{"$select":["$where"]}"#,
        r#"{"a":{"b":{"$where":1}}}"#,
    ] {
        refused_json(text, "$where", "unknown operator `$where`");
    }
    refused("name[$sort]=1", &known(), "$sort", "at the top of a query");
    refused("$or[0][$limit]=1", &known(), "$limit", "at the top of a query");
    refused("$not[$select]=a", &known(), "$select", "at the top of a query");
    refused("$gt=5", &known(), "$gt", "under the name of a field");
    refused("name[$or][0][$gt]=5", &known(), "$or", "beside the names of fields");
    refused("$sort[$gt]=1", &known(), "$gt", "wrong place");
    refused_json(r#"{"a":{"$in":[{"$gt":1}]}}"#, "$gt", "wrong place");
    refused(&format!("${}=1", "x".repeat(500)), &known(), &format!("${}…", "x".repeat(79)), "unknown operator");
}

#[test]
fn paging_and_sorting_are_strict() {
    for (name, values) in [
        ("$limit", ["-1", "x", "1.5", "", "18446744073709551616", "%2B5", "+5", "1e3"]),
        ("$skip", ["-1", "x", "1.5", "", "1000001", "%2B5", "0x1", "null"]),
    ] {
        for value in values {
            refused(&format!("{name}={value}"), &known(), name, "");
        }
        refused(&format!("{name}=1&{name}=2"), &known(), name, "not a list");
        refused(&format!("{name}[$gt]=1"), &known(), name, "not an object");
        for value in ["-1", "1.5", "true", "null", "\"x\"", "[1]", "{}"] {
            refused_json(&format!("{{\"{name}\":{value}}}"), name, "");
        }
        check_json(&format!("{{\"{name}\":\"7\"}}"), &format!("{{\"{name}\":7}}"));
    }
    check("$limit=0&$skip=1000000", &known(), r#"{"$limit":0,"$skip":1000000}"#);
    check("$limit=18446744073709551615", &known(), r#"{"$limit":18446744073709551615}"#);

    check("$sort[b]=-1&$sort[a]=1&$sort[address.city]=1", &untyped(), r#"{"$sort":{"b":-1,"a":1,"address.city":1}}"#);
    check_json(r#"{"$sort":{"b":"-1","a":1.0}}"#, r#"{"$sort":{"b":-1,"a":1}}"#);
    for text in [
        "$sort=up",
        "$sort[]=a",
        "$sort[0]=1",
        "$sort[a]=0",
        "$sort[a]=asc",
        "$sort[a]=2",
        "$sort[a]=",
        "$sort[a][b]=1",
        "$sort[a]=1&$sort[a]=-1",
        "$sort=",
    ] {
        refused(text, &untyped(), "$sort", "");
    }
    refused_json(r#"{"$sort":["a"]}"#, "$sort", "a list");
    refused_json(r#"{"$sort":{"a":true}}"#, "$sort", "`true`");

    check("$select[]=a&$select[]=b.c", &untyped(), r#"{"$select":["a","b.c"]}"#);
    check("$select=name", &untyped(), r#"{"$select":["name"]}"#);
    check("$select=a,b", &untyped(), r#"{"$select":["a,b"]}"#);
    check("$select[]=", &untyped(), r#"{"$select":[]}"#);
    check_json(r#"{"$select":[]}"#, r#"{"$select":[]}"#);
    refused("$select[a]=1", &untyped(), "$select", "an object");
    refused_json(r#"{"$select":[1]}"#, "$select", "`1`");
    assert!(Query::parse("$select[]=a&$select[]=", &untyped()).is_err());

    check("$total=false", &untyped(), r#"{"$total":false}"#);
    refused("$total=0", &untyped(), "$total", "takes true or false, not `0`");
    refused("$after=x", &untyped(), "$after", "cursor");
    refused("$after[a]=x", &untyped(), "$after", "cursor");
    let cursor = Cursor::behind(&Document::new().with("id", 7), &[], "id");
    let query = Query::parse(&format!("$after={}", cursor.encode()), &untyped()).expect("a query");
    assert_eq!(query, Query::new().after(cursor));
    assert_eq!(Query::from_json(&query.to_json(), &untyped()).expect("a query"), query);
}

#[test]
fn further_parameters_are_kept_and_foreign_ones_passed_over() {
    let syntax = QuerySyntax { extra: vec!["$populate".into()], ignored: vec!["token".into()], ..untyped() };
    check("$populate=a&token=%ff&token[b=1", &syntax, r#"{"$populate":"a"}"#);
    check("$populate[a][$select][]=5&$populate[b]=", &syntax, r#"{"$populate":{"a":{"$select":["5"]},"b":""}}"#);
    refused("name[$in][0][$populate]=1", &syntax, "$populate", "unknown operator");
    refused("$or[0][$populate]=1", &syntax, "$populate", "unknown operator");
    refused("$other=1", &syntax, "$other", "$total, $populate");
    let query = Query::parse("$populate[a][]=x&$populate[b]=null&c=d", &syntax).expect("a query");
    assert_eq!(query.extra.to_string(), r#"{"$populate":{"a":["x"],"b":"null"}}"#);
    assert_eq!(Query::parse(&query.to_brackets().expect("brackets"), &syntax).expect("a query"), query);
}

#[test]
fn text_with_a_nul_is_refused_in_both_forms() {
    refused("name=a%00", &known(), "name", "NUL");
    refused_json(r#"{"name":"a\u0000"}"#, "name", "NUL");
    refused_json(r#"{"tags":{"$in":[["\u0000"]]}}"#, "tags", "NUL");
}

#[test]
fn bounds_hold_at_the_last_and_refuse_the_next() {
    let bounds = QueryBounds {
        bytes_max: 100,
        pairs_max: 4,
        list_max: 3,
        depth_max: 2,
        branches_max: 3,
        pattern_bytes_max: 8,
        sort_keys_max: 2,
        skip_max: 10,
    };
    let syntax = QuerySyntax { bounds, ..texts() };
    let at = |text: &str| assert!(Query::parse(text, &syntax).is_ok(), "{text}: {:?}", Query::parse(text, &syntax));
    at(&format!("?a={}", "x".repeat(98)));
    assert!(Query::parse(&format!("a={}", "x".repeat(99)), &syntax).expect_err("long").message().contains("100 bytes"));
    at("a=1&b=1&c=1&d=1&&&");
    assert!(Query::parse("a=1&b=1&c=1&d=1&e=1", &syntax).expect_err("many").message().contains("more than 4"));
    for [last, next, key] in [
        ["a=1&a=2&a=3", "a=1&a=2&a=3&a=4", "a"],
        ["a[]=1&a[]=2&a[]=3", "a[]=1&a[]=2&a[]=3&a[]=4", "a[]"],
        ["a[2]=1", "a[3]=1", "a[3]"],
        ["a[$in][]=1", "a[$not][$in][]=1", "a[$not][$in][]"],
        ["$or[0][a]=1&$or[1][a]=1&$and[0][a]=1", "$or[0][a]=1&$or[1][a]=1&$and[0][a]=1&$nor[0][a]=1", "$nor"],
        ["$sort[a]=1&$sort[b]=1", "$sort[a]=1&$sort[b]=1&$sort[c]=1", "$sort"],
        ["$skip=10", "$skip=11", "$skip"],
        ["a[$like]=12345678", "a[$like]=123456789", "a"],
    ] {
        at(last);
        refused(next, &syntax, key, "");
    }
    for [last, next, key] in [
        [r#"{"a":[1,2,3]}"#, r#"{"a":[1,2,3,4]}"#, "a"],
        [r#"{"a":[[[[[]]]]]}"#, r#"{"a":[[[[[[]]]]]]}"#, "a"],
        [r#"{"a":1,"b":1,"c":1,"d":1}"#, r#"{"a":1,"b":1,"c":1,"d":1,"e":1}"#, "e"],
        [
            r#"{"$or":[{"a":1},{"b":{"$not":1}},{"c":1,"d":1}]}"#,
            r#"{"$or":[{"a":1},{"b":{"$not":1}},{"$or":[{"c":1}]}]}"#,
            "$or",
        ],
    ] {
        assert!(json(last, &syntax).is_ok(), "{last}: {:?}", json(last, &syntax));
        check_error(&json(next, &syntax).expect_err(next), next, key, "");
    }
    let wide: Vec<String> = (0..2_000).map(|number| format!("f{number}={number}")).collect();
    let query = Query::parse(&wide.join("&"), &texts()).expect("two thousand fields");
    assert_eq!(Query::from_json(&query.to_json(), &texts()).expect("two thousand fields"), query);
    assert!(Query::parse(&format!("{}&x=1", wide.join("&")), &texts()).is_err());
}

#[test]
fn json_parameters_say_the_same() {
    check(
        r#"?query={"done":false,"score":{"$gte":3}}&sort={"score":-1,"age":1}&limit=5&skip=5&fields=name,age&total=true"#,
        &known(),
        r#"{"done":false,"score":{"$gte":3},"$sort":{"score":-1,"age":1},"$limit":5,"$skip":5,"$select":["name","age"],"$total":true}"#,
    );
    check("query=%20%7B%7D", &known(), "{}");
    check("query={}&sort=name&fields=", &known(), r#"{"$sort":{"name":1},"$select":[]}"#);
    check("query={}&sort=-name", &known(), r#"{"$sort":{"name":-1}}"#);
    check(r#"sort={"name":1}"#, &known(), r#"{"$sort":{"name":1}}"#);
    check("query=text&sort=-name&limit=x", &texts(), r#"{"query":"text","sort":"-name","limit":"x"}"#);
    check("query[$eq]={", &known(), r#"{"query":"{"}"#);
    refused("query={}&name=x", &known(), "name", "cannot stand beside JSON");
    refused("query={}&$limit=5", &known(), "$limit", "cannot stand beside JSON");
    refused("query={}&query={}", &known(), "query", "twice");
    refused("query={}&limit=1&limit=2", &known(), "limit", "twice");
    refused("query={}&limit=-1", &known(), "limit", "not `-1`");
    refused("query={}&skip=1000001", &known(), "skip", "at most");
    refused("query={}&total=1", &known(), "total", "true or false");
    refused("query={}&after=1", &known(), "after", "cursor");
    refused("query={}&fields=$a", &known(), "$a", "unknown operator");
    refused("query={}&sort=$a", &known(), "$a", "unknown operator");
    refused("query={", &known(), "query", "malformed JSON");
    refused(r#"query={"a":1,"a":2}"#, &known(), "query", "twice");
    refused("query={}x", &known(), "query", "malformed");
    refused(r#"sort={"a":1}&query=[]"#, &known(), "query", "not an object");
    refused(r#"query={"$limit":1}"#, &known(), "$limit", "at the top of a query");
    refused(r#"query={"$foo":1}"#, &known(), "$foo", "unknown operator");
    assert!(Query::parse("query={}&sort=", &known()).is_err());
    assert!(Query::parse("query={}&fields=a,,b", &known()).is_err());
}

#[test]
fn json_keeps_types() {
    check_json(
        r#"{"name":25,"age":"25","done":null,"score":1.0}"#,
        r#"{"name":25,"age":"25","done":null,"score":1.0}"#,
    );
    check_json(r#"{"at":"2026-11-22","born":"x"}"#, r#"{"at":"2026-11-22T00:00:00.000000Z","born":"x"}"#);
    check_json(r#"{"at":{"$in":["2026-11-22",5]}}"#, r#"{"at":{"$in":["2026-11-22T00:00:00.000000Z",5]}}"#);
    check_json(r#"{"a":{"b":1},"c":{},"d":[{"e":[]}]}"#, r#"{"a":{"$eq":{"b":1}},"c":{"$eq":{}},"d":[{"e":[]}]}"#);
    check_json(r#"{"a":{"$not":{"b":1}}}"#, r#"{"a":{"$not":{"$eq":{"b":1}}}}"#);
    check_json(r#"{"a":{"$eq":1,"$ne":2,"$gt":[3]}}"#, r#"{"a":{"$eq":1,"$ne":2,"$gt":[3]}}"#);
    check_json(
        r#"{"a":{"$in":[]},"b.c":{"$nin":[null,1,[2],{"x":3}]}}"#,
        r#"{"a":{"$in":[]},"b.c":{"$nin":[null,1,[2],{"x":3}]}}"#,
    );
    refused_json(r#"{"a":{"$gt":1,"b":2}}"#, "a", "holds `b` beside operators");
    refused_json(r#"{"a":{"b":2,"$gt":1}}"#, "a", "holds `b` beside operators");
    refused_json(r#"{"a":{"$in":1}}"#, "a", "takes a list under `$in`, not `1`");
    refused_json(r#"{"a":{"$nin":{"0":1}}}"#, "a", "takes a list under `$nin`, not an object");
    refused_json(r#"{"a":{"$exists":"true"}}"#, "a", "takes true or false under `$exists`, not `true`");
    refused_json(r#"{"a":{"$like":5}}"#, "a", "takes one text under `$like`, not `5`");
    refused_json(r#"{"$total":"true"}"#, "$total", "true or false");
    assert!(json(r#"{"":1}"#, &known()).is_err());
    let filter = Filter::eq("a", Value::Null);
    assert_eq!(json(r#"{"a":null}"#, &known()).expect("a query"), Query::new().filter(filter));
}

#[test]
fn hand_built_filters_are_written_in_normal_form() {
    let check = |filter: Filter, expected: &str| {
        let written = filter.to_string();
        assert_eq!(written, expected, "{filter:?}");
        json(&written, &untyped()).unwrap_or_else(|error| panic!("{written}: {error:?}"));
    };
    let (a, b) = (|| Filter::eq("a", 1), || Filter::eq("b", 2));
    let nothing = r#"{"id":{"$in":[]}}"#;
    check(Filter::All, "{}");
    check(Filter::And(vec![]), "{}");
    check(Filter::And(vec![Filter::All, Filter::And(vec![a()])]), r#"{"a":1}"#);
    check(Filter::Or(vec![]), nothing);
    check(Filter::Or(vec![a(), Filter::All]), "{}");
    check(Filter::Or(vec![a(), Filter::Or(vec![])]), r#"{"$or":[{"a":1}]}"#);
    check(Filter::Nor(vec![]), "{}");
    check(Filter::Nor(vec![Filter::All]), nothing);
    check(!Filter::All, nothing);
    check(!!Filter::All, "{}");
    check(a().and(!Filter::All), nothing);
    check(a().and(b()).and(a()), r#"{"a":1,"b":2,"$and":[{"a":1}]}"#);
    check(a().or(b()).and(b().or(a())), r#"{"$or":[{"a":1},{"b":2}],"$and":[{"$or":[{"b":2},{"a":1}]}]}"#);
    check((!a().and(b())).and(!b().or(a())), r#"{"$not":{"a":1,"b":2},"$and":[{"$not":{"$or":[{"b":2},{"a":1}]}}]}"#);
    check(a().and(Filter::gt("a", 0)), r#"{"a":{"$eq":1,"$gt":0}}"#);
}

#[test]
fn brackets_refuse_what_they_cannot_say() {
    let check = |query: Query, expected: &str| assert_eq!(query.to_brackets().expect("brackets"), expected);
    check(Query::new().filter(Filter::eq("a b", "x &=+%é/?#")), "a%20b=x%20%26%3D%2B%25%C3%A9/%3F%23");
    check(Query::new().filter(Filter::eq("a=b&c", 1)), "a%3Db%26c=1");
    check(Query::new().filter(Filter::eq("a", vec![1, 2])), "a[]=1&a[]=2");
    check(Query::new().filter(Filter::is_in("a", ["x"])), "a[$in][]=x");
    check(Query::new().filter(Filter::like("a", "")), "a[$like]=");
    check(Query::new().filter(Filter::eq("query", "{}")), "query[$eq]=%7B%7D");
    check(Query::new().filter(!Filter::gt("a", 5)), "a[$not][$gt]=5");
    check(Query::new().filter(Filter::eq("a", 1).or(Filter::eq("b", true))), "$or[0][a]=1&$or[1][b]=true");
    check(Query::new().select(Vec::<&str>::new()).total(false), "$select[]=&$total=false");
    check(Query::new().select(["a", "b.c"]).sort("a").sort_descending("a"), "$sort[a]=1&$select[]=a&$select[]=b.c");
    let refused = |query: Query| {
        let error = query.to_brackets().expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("JSON"), "{error}");
    };
    let values: [Value; 8] = [
        Value::Null,
        "".into(),
        "null".into(),
        "\0".into(),
        Vec::<Value>::new().into(),
        Document::new().with("x", 1).into(),
        Value::from(vec![vec![1]]),
        vec![Value::Null].into(),
    ];
    for value in values {
        refused(Query::new().filter(Filter::eq("a", value.clone())));
        refused(Query::new().filter(!Filter::ne("a", value)));
    }
    refused(Query::new().filter(Filter::is_in("a", Vec::<Value>::new())));
    refused(Query::new().filter(Filter::gt("a", vec![1])));
    refused(Query::new().filter(Filter::eq("a[b]", 1)));
    refused(Query::new().filter(Filter::any([])));
    refused(Query::new().sort("a]"));
    refused(Query::new().sort("0"));
}

/// Text put together from pieces of the grammar, which goes deeper into the parser than arbitrary text.
fn assembled() -> impl Strategy<Value = String> {
    let pieces = [
        "$or", "$and", "$nor", "$not", "$in", "$nin", "$eq", "$gt", "$exists", "$like", "$sort", "$limit", "$skip",
        "$select", "$after", "$total", "$foo", "[", "]", "[]", "[0]", "[1]", "[a]", "[$in]", "[$not]", "[$or]", "%5B",
        "%5D", "%", "+", "=", "=", "=", "&", "&", "&", "a", "b", "a.b", "name", "age", "address", "0", "1", "-1",
        "1999", "2.5", "true", "null", "query={", "sort={", "{", "}", "\"", "\"a\":", ":", ",", "é", "%ff", "%00", "x",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..24).prop_map(|pieces| pieces.concat())
}

/// Query strings of which most can be read.
fn likely() -> impl Strategy<Value = String> {
    let names = [
        "a",
        "b",
        "a.b",
        "address[city]",
        "name",
        "age",
        "$or[0][a]",
        "$or[1][age]",
        "$or[1][b]",
        "$and[0][a]",
        "$and[1][a]",
        "$and[1][$or][0][b]",
        "$nor[][a]",
        "$not[a]",
        "$not[$not][b]",
    ];
    let operators = [
        "",
        "",
        "[$eq]",
        "[$ne]",
        "[$gt]",
        "[$lte]",
        "[$in]",
        "[$in][]",
        "[$nin][]",
        "[$not]",
        "[$not][$gt]",
        "[$not][$not]",
        "[$like]",
        "[$contains]",
        "[]",
    ];
    let values = ["1", "2.50", "1e3", "true", "x", "%25", "", "null", "-0"];
    let pair = (
        prop::sample::select(names.to_vec()),
        prop::sample::select(operators.to_vec()),
        prop::sample::select(values.to_vec()),
    )
        .prop_map(|(name, operator, value)| format!("{name}{operator}={value}"));
    prop::collection::vec(pair, 0..7).prop_map(|pairs| pairs.join("&"))
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2..3_i64).prop_map(Value::from),
        Just(Value::Float(1.0)),
        Just(Value::UInt(u64::MAX)),
        "[ab]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec(("[ab]", inner), 0..3).prop_map(|pairs| Value::Document(pairs.into_iter().collect())),
        ]
    })
}

fn filter(
    path: impl Strategy<Value = &'static str> + Clone + 'static,
    value: BoxedStrategy<Value>,
) -> BoxedStrategy<Filter> {
    let text = || "[ab%_]{0,2}".prop_map(Text::from);
    let values = prop::collection::vec(value.clone(), 0..3);
    let condition = prop_oneof![
        value.clone().prop_map(Condition::Eq),
        value.clone().prop_map(Condition::Ne),
        value.clone().prop_map(Condition::Gt),
        value.clone().prop_map(Condition::Gte),
        value.clone().prop_map(Condition::Lt),
        value.prop_map(Condition::Lte),
        values.clone().prop_map(Condition::In),
        values.prop_map(Condition::Nin),
        any::<bool>().prop_map(Condition::Exists),
        text().prop_map(Condition::Like),
        text().prop_map(Condition::StartsWith),
        text().prop_map(Condition::Contains),
    ];
    let field = (path, condition).prop_map(|(path, condition)| Filter::field(path, condition));
    prop_oneof![1 => Just(Filter::All), 9 => field]
        .prop_recursive(3, 16, 4, |inner| {
            let filters = || prop::collection::vec(inner.clone(), 0..4);
            prop_oneof![
                filters().prop_map(Filter::And),
                filters().prop_map(Filter::Or),
                filters().prop_map(Filter::Nor),
                inner.prop_map(|filter| !filter),
            ]
        })
        .boxed()
}

/// Checks that whatever can be read of a text is the same when it has been written and read again.
fn reads_back(text: &str) {
    for syntax in [untyped(), texts(), known()] {
        let Ok(query) = Query::parse(text, &syntax) else { continue };
        let syntax = roomy(&syntax);
        let query = unsaid(query);
        assert_eq!(Query::from_json(&query.to_json(), &syntax).expect("what was written"), query);
        let Ok(brackets) = query.to_brackets() else { continue };
        let again = Query::parse(&brackets, &syntax).expect("what was written");
        // Where every value is text, brackets lose nothing; JSON, to which the brace leads, has other values.
        if syntax.coerce == Coerce::Off && !text.contains('{') {
            assert_eq!(again, query);
        }
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        reads_back(&text);
    }

    #[test]
    fn what_is_read_can_be_written(text in assembled()) {
        reads_back(&text);
    }

    #[test]
    fn what_is_likely_can_be_written(text in likely()) {
        reads_back(&text);
    }

    #[test]
    fn json_means_the_same(
        filter in filter(prop::sample::select(vec!["a", "b", "a.b", "id"]), value().boxed()),
        records in prop::collection::vec(prop::collection::vec((prop::sample::select(vec!["a", "b", "id"]), value()), 0..3), 1..6),
    ) {
        let written = super::write::filter_json(&filter);
        let read = Query::from_json(&written, &roomy(&untyped())).expect("what was written").filter;
        for record in records {
            let record: Document = record.into_iter().collect();
            prop_assert_eq!(filter.matches(&record), read.matches(&record), "{} {}", record, written);
        }
        // What has been read is in normal form.
        let written = super::write::filter_json(&read);
        prop_assert_eq!(Query::from_json(&written, &roomy(&untyped())).expect("what was written").filter, read);
    }

    #[test]
    fn brackets_read_back_where_types_are_known(
        texts in filter(Just("name"), "[a-c\\[\\]&=+% é{}$\"]{1,3}".prop_map(Value::from).boxed()),
        numbers in filter(Just("age"), any::<i64>().prop_map(Value::from).boxed()),
        prices in filter(Just("price"), prop_oneof!["-?[0-9]{1,3}(\\.[0-9]{1,2})?".prop_map(Value::from), (-9..9_i64).prop_map(Value::from), Just(Value::Float(1.5))].boxed()),
        sort in prop::sample::subsequence(vec!["name", "age", "id"], 0..3),
        limit in proptest::option::of(any::<u64>()),
        select in proptest::option::of(prop::sample::subsequence(vec!["name", "age", "address.city"], 0..3)),
    ) {
        let mut query = Query::new().filter(texts).filter(numbers).filter(prices);
        query.limit = limit;
        query = sort.into_iter().fold(query, Query::sort_descending);
        if let Some(select) = select {
            query = query.select(select);
        }
        let syntax = roomy(&known());
        let query = Query::from_json(&query.to_json(), &syntax).expect("what was written");
        if let Ok(brackets) = query.to_brackets() {
            prop_assert_eq!(Query::parse(&brackets, &syntax).expect("what was written"), query, "{}", brackets);
        }
    }
}
