//! Documents that fit and such that do not, with every bad field named.

use std::cell::Cell;
use std::collections::HashMap;

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::*;
use crate::Value;

/// A type that is read from text and refuses most of it, as UUIDs and dates do.
#[derive(Debug, PartialEq)]
struct Parsed(Uuid);

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(de::Error::custom)
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Plain,
    Sized(u8),
    Named { name: String },
}

#[derive(Debug, PartialEq, Deserialize)]
struct Address {
    city: String,
    zip: u32,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Person {
    name: String,
    age: u8,
    key: Parsed,
    address: Address,
    kinds: Vec<Kind>,
    note: Option<String>,
}

fn document(text: &str) -> Document {
    Document::from_json(text.as_bytes()).expect("a document")
}

#[test]
fn what_fits_is_read() {
    let person: Person = from_document(&document(
        r#"{"name":"A","age":7,"key":"00000000-0000-0000-0000-000000000001","extra":[{}],
            "address":{"city":"B","zip":1},"kinds":["Plain",{"Sized":2},{"Named":{"name":"x"}}],"note":null}"#,
    ))
    .expect("fits");
    assert_eq!(person.kinds, [Kind::Plain, Kind::Sized(2), Kind::Named { name: "x".to_owned() }]);
    assert_eq!(person.address, Address { city: "B".to_owned(), zip: 1 });
    assert_eq!((person.age, person.note, person.key), (7, None, Parsed(Uuid::from_u128(1))));
}

fn check<T: DeserializeOwned>(text: &str, expected: &[(&str, &str)]) {
    let found = from_document::<T>(&document(text)).map_or_else(
        |error| {
            let fields = error.fields().iter();
            let mut found: Vec<_> = fields.map(|field| (field.field.to_string(), field.code.to_string())).collect();
            found.sort_unstable();
            found
        },
        |_| Vec::new(),
    );
    let found: Vec<_> = found.iter().map(|(field, code)| (field.as_str(), code.as_str())).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn every_bad_field_is_named() {
    check::<Person>(
        "{}",
        &[
            ("address", "required"),
            ("age", "required"),
            ("key", "required"),
            ("kinds", "required"),
            ("name", "required"),
        ],
    );
    check::<Person>(
        r#"{"name":1,"age":300,"key":"x","address":{"city":null,"zip":"1"},"kinds":["Plain","Other"],"note":false}"#,
        &[
            ("address.city", "type"),
            ("address.zip", "type"),
            ("age", "invalid"),
            ("key", "invalid"),
            ("kinds.1", "invalid"),
            ("name", "type"),
            ("note", "type"),
        ],
    );
}

#[test]
fn variants_are_on_the_way() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code)]
    struct Kinds {
        kinds: Vec<Kind>,
        last: u8,
    }
    check::<Kinds>(
        r#"{"kinds":[{"Named":{"name":5}},{"Sized":"x"},{"Named":{}},{"Plain":1},{"Sized":1,"Plain":null}],"last":""}"#,
        &[
            ("kinds.0.Named.name", "type"),
            ("kinds.1.Sized", "type"),
            ("kinds.2.Named.name", "required"),
            ("kinds.3.Plain", "invalid"),
            ("kinds.4", "invalid"),
            ("last", "type"),
        ],
    );
}

/// A type that nothing stands in for.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Odd;

impl TryFrom<String> for Odd {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "odd" { Ok(Self) } else { Err("not odd".to_owned()) }
    }
}

#[derive(Debug, Deserialize)]
#[expect(dead_code)]
struct Inner {
    city: String,
    zip: u32,
    #[serde(default)]
    level: u8,
    key: Parsed,
    #[serde(alias = "colour")]
    color: Color,
}

#[derive(Debug, Deserialize)]
enum Color {
    Red,
    Green,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code)]
struct Deep {
    home: Address,
    pair: (u8, String),
    items: Vec<Address>,
    kind: Kind,
    #[serde(rename = "dotted.name")]
    dotted: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code)]
struct Flat {
    id: u8,
    note: Option<String>,
    #[serde(flatten)]
    inner: Inner,
    #[serde(flatten)]
    deep: Deep,
}

const FLAT: &str = r#"{"id":1,"note":"n","city":"B","zip":2,"level":3,"key":"00000000-0000-0000-0000-000000000001",
    "color":"Green","home":{"city":"C","zip":4},"pair":[5,"p"],"items":[{"city":"D","zip":6},{"city":"E","zip":7}],
    "kind":{"Named":{"name":"k"}},"dotted.name":true,"other":[]}"#;

#[test]
fn flattened_fields_are_named() {
    check::<Flat>(FLAT, &[]);
    check::<Flat>(
        "{}",
        &[
            ("city", "required"),
            ("color", "required"),
            ("home", "required"),
            ("id", "required"),
            ("items", "required"),
            ("key", "required"),
            ("kind", "required"),
            ("pair", "required"),
            ("zip", "required"),
        ],
    );
    check::<Flat>(
        r#"{"id":"x","note":7,"city":null,"zip":-1,"level":300,"key":"x","colour":"Blue","home":{"city":1},"pair":[1,2],
            "items":[{"city":"D","zip":"6"},{"city":"E","zip":7},8],"kind":{"Named":{"name":0}},"dotted.name":"no"}"#,
        &[
            ("city", "type"),
            ("colour", "invalid"),
            ("dotted.name", "type"),
            ("home.city", "type"),
            ("home.zip", "required"),
            ("id", "type"),
            ("items.0.zip", "type"),
            ("items.2", "type"),
            ("key", "invalid"),
            ("kind.Named.name", "type"),
            ("level", "invalid"),
            ("note", "type"),
            ("pair.1", "type"),
            ("zip", "invalid"),
        ],
    );
    // A nested object lacks what the outer one has, and the other way round.
    #[derive(Debug, Deserialize)]
    #[expect(dead_code)]
    struct Same {
        #[serde(flatten)]
        inner: Names,
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code)]
    struct Names {
        address: Address,
        city: String,
        zip: u32,
    }
    check::<Same>(r#"{"address":{"zip":1},"city":"x","zip":2}"#, &[("address.city", "required")]);
    check::<Same>(r#"{"address":{"city":"x","zip":1},"zip":2}"#, &[("city", "required")]);
    check::<Same>(
        r#"{"address":{},"zip":"2"}"#,
        &[("address.city", "required"), ("address.zip", "required"), ("city", "required"), ("zip", "type")],
    );
}

#[test]
fn what_else_is_flattened_is_named() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code)]
    struct Rest<R> {
        name: String,
        #[serde(flatten)]
        rest: R,
    }
    check::<Rest<HashMap<String, u32>>>(
        r#"{"name":1,"a":1,"b":"x","c.d":null,"e":5}"#,
        &[("b", "type"), ("c.d", "type"), ("name", "type")],
    );
    check::<Rest<HashMap<String, Address>>>(
        r#"{"name":"n","a":{"city":"A","zip":1},"b":{"zip":"x"},"c":1}"#,
        &[("b.city", "required"), ("b.zip", "type"), ("c", "type")],
    );
    // Serde turns what does not fit into nothing.
    check::<Rest<Option<Address>>>(r#"{"name":"n","city":1}"#, &[]);
    check::<Rest<Option<Address>>>(r#"{"city":1}"#, &[("name", "required")]);
    check::<Rest<Rest2>>(
        r#"{"name":"n","level":"x","zip":"x","city":"c","extra":1}"#,
        &[("level", "type"), ("zip", "type")],
    );
    #[derive(Debug, Deserialize)]
    #[expect(dead_code)]
    struct Rest2 {
        level: u8,
        #[serde(flatten)]
        address: Address,
    }
    // A variant's name is a field.
    check::<Rest<Kind>>(r#"{"name":1,"Sized":"x"}"#, &[("Sized", "type"), ("name", "type")]);
    check::<Rest<Kind>>(r#"{"name":"n","Named":{"name":5}}"#, &[("Named.name", "type")]);
    // Without a variant, nothing but the whole is wrong.
    check::<Rest<Kind>>(r#"{"name":"n"}"#, &[("", "invalid")]);
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[expect(dead_code)]
enum Shape {
    Circle { radius: f64, center: Address },
    Square { side: u8, label: Option<String> },
    Place(Address),
    Nothing,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "t", content = "c")]
#[expect(dead_code)]
enum Adjacent {
    Address(Address),
    Number(u8),
    Nothing,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code)]
struct Shapes<A, B> {
    first: A,
    list: Vec<A>,
    last: u8,
    #[serde(flatten)]
    flat: B,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code)]
struct Buffered {
    inside: Shape,
    insides: Vec<Shape>,
    color: Color,
    zip: u32,
}

#[test]
fn fields_beside_a_tag_are_named() {
    check::<Shape>(
        r#"{"type":"circle","radius":"x","center":{"city":5,"zip":1}}"#,
        &[("center.city", "type"), ("radius", "type")],
    );
    check::<Shape>(r#"{"type":"circle"}"#, &[("center", "required"), ("radius", "required")]);
    check::<Shape>(r#"{"type":"square","side":256,"label":1}"#, &[("label", "type"), ("side", "invalid")]);
    check::<Shape>(r#"{"type":"place","zip":"x"}"#, &[("city", "required"), ("zip", "type")]);
    check::<Shape>(r#"{"type":"other","side":"x"}"#, &[("type", "invalid")]);
    check::<Shape>(r#"{"type":null,"side":"x"}"#, &[("type", "type")]);
    check::<Shape>(r#"{"side":"x"}"#, &[("type", "required")]);
    check::<Shapes<Shape, Buffered>>(
        r#"{"first":{"type":"square","side":"x"},"list":[{"type":"nothing"},{"type":"circle","center":1},{"type":"x"},{}],
            "last":"x","inside":{"type":"circle","radius":1,"center":{"zip":"x"}},
            "insides":[{"type":"place"},{"type":"x","side":"x"},{"type":"square","side":1},{"type":"square"}],
            "color":"x","zip":"x"}"#,
        &[
            ("color", "invalid"),
            ("first.side", "type"),
            ("inside.center.city", "required"),
            ("inside.center.zip", "type"),
            ("insides.0.city", "required"),
            ("insides.0.zip", "required"),
            ("insides.1.type", "invalid"),
            ("insides.3.side", "required"),
            ("last", "type"),
            ("list.1.center", "type"),
            ("list.1.radius", "required"),
            ("list.2.type", "invalid"),
            ("list.3.type", "required"),
            ("zip", "type"),
        ],
    );
    check::<Shapes<Shape, Shape>>(
        r#"{"first":{"type":"nothing"},"list":[],"last":"x","type":"square","side":"x","label":true}"#,
        &[("label", "type"), ("last", "type"), ("side", "type")],
    );
    check::<Shapes<Shape, Shape>>(
        r#"{"first":{"type":"nothing"},"list":[],"last":"x","type":"what","side":"x","label":true}"#,
        &[("last", "type"), ("type", "invalid")],
    );
    check::<Shapes<Adjacent, Adjacent>>(
        r#"{"first":{"t":"Address","c":{"city":1,"zip":"x"}},
            "list":[{"c":{"city":1},"t":"Address"},{"t":"Number"},{"t":"Number","c":"x"},{"t":"x","c":"x"},{"c":1},
                {"t":"Nothing"},{"c":"x","t":"x"}],
            "last":1,"c":{"city":1},"t":"Address"}"#,
        &[
            ("c.city", "type"),
            ("c.zip", "required"),
            ("first.c.city", "type"),
            ("first.c.zip", "type"),
            ("list.0.c.city", "type"),
            ("list.0.c.zip", "required"),
            ("list.1.c", "required"),
            ("list.2.c", "type"),
            ("list.3.t", "invalid"),
            ("list.4.t", "required"),
            ("list.6.t", "invalid"),
        ],
    );
    check::<Adjacent>(r#"{"t":"x","c":1}"#, &[("t", "invalid")]);
    check::<Adjacent>(r#"{"c":1}"#, &[("t", "required")]);
    check::<Shapes<Adjacent, Adjacent>>(
        r#"{"first":{"t":"Nothing"},"list":[],"last":"x","c":"x","t":"what"}"#,
        &[("last", "type"), ("t", "invalid")],
    );
}

#[test]
fn untagged_values_fit_as_a_whole() {
    #[derive(Debug, Deserialize)]
    #[serde(untagged)]
    #[expect(dead_code)]
    enum Either {
        Address(Address),
        Number { n: u32 },
        Text(String),
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code)]
    struct Holder<F> {
        id: u32,
        direct: Either,
        #[serde(flatten)]
        flat: F,
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code)]
    struct Buffered {
        name: String,
        buffered: Either,
        list: Vec<Either>,
    }
    check::<Either>(r#"{"n":"x"}"#, &[("", "invalid")]);
    check::<Holder<Buffered>>(
        r#"{"id":"x","direct":{"n":"x"},"name":1,"buffered":{"city":"x"},"list":["a",{"n":1},{"n":"x"},1]}"#,
        &[
            ("buffered", "invalid"),
            ("direct", "invalid"),
            ("id", "type"),
            ("list.2", "invalid"),
            ("list.3", "invalid"),
            ("name", "type"),
        ],
    );
    check::<Holder<Either>>(r#"{"id":1,"direct":"x","n":"x"}"#, &[("", "invalid")]);
}

#[test]
fn what_is_refused_besides_is_named() {
    #[derive(Debug, Deserialize)]
    #[serde(tag = "type", deny_unknown_fields)]
    #[expect(dead_code)]
    enum Strict {
        One { a: u8, b: Option<Only> },
    }
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code)]
    struct Only {
        #[serde(alias = "d")]
        c: u8,
    }
    check::<Only>(r#"{"x":1,"y":2}"#, &[("c", "required"), ("x", "unknown"), ("y", "unknown")]);
    check::<Only>(r#"{"c":1,"d":2}"#, &[("c", "invalid")]);
    check::<Strict>(
        r#"{"type":"One","x":1,"a":"x","b":{"c":"x","x":1},"y":{}}"#,
        &[("a", "type"), ("b.c", "type"), ("b.x", "unknown"), ("x", "unknown"), ("y", "unknown")],
    );
    check::<Strict>(r#"{"type":"One","a":1,"b":{"d":1}}"#, &[]);
    check::<Strict>(r#"{"type":"One","a":1,"b":{"d":"x"}}"#, &[("b.d", "type")]);
}

#[test]
fn what_nothing_stands_in_for_hides_no_bad_value() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code)]
    struct Tasks {
        tasks: Vec<Task>,
        zip: u8,
    }
    #[derive(Debug, Deserialize)]
    #[serde(tag = "type")]
    #[expect(dead_code)]
    enum Task {
        Run { odd: Odd, size: u8, list: Vec<Odd>, urgent: bool },
    }
    check::<Task>(
        r#"{"type":"Run","odd":"x","size":"x","list":["odd","c","odd","f"],"urgent":1}"#,
        &[("list.1", "invalid"), ("list.3", "invalid"), ("odd", "invalid"), ("size", "type"), ("urgent", "type")],
    );
    // What is missing beside it is hidden, as serde names only the first.
    check::<Tasks>(
        r#"{"tasks":[{"type":"Run"},{"type":"Run","odd":"x","size":"x"}],"zip":"x"}"#,
        &[("tasks.0.odd", "required"), ("tasks.1.odd", "invalid"), ("tasks.1.size", "type"), ("zip", "type")],
    );
}

fn spoiled(text: &str, spoils: &[Spoil]) -> Document {
    let mut whole = Value::Document(document(text));
    for (path, value, _) in spoils {
        let (around, name) = path.rsplit_once('.').unwrap_or(("", path));
        let outer = around.split('.').filter(|name| !name.is_empty()).fold(&mut whole, part);
        match (outer, value) {
            (Value::Document(outer), None) => drop(outer.remove(name)),
            (Value::Document(outer), Some(_)) => drop(outer.insert(name, Value::Null)),
            _ => {}
        }
        if let Some(value) = value {
            let value = document(&format!("{{\"v\":{value}}}"))["v"].clone();
            *path.split('.').fold(&mut whole, part) = value;
        }
    }
    let Value::Document(document) = whole else { panic!("no longer an object") };
    document
}

fn part<'a>(value: &'a mut Value, name: &str) -> &'a mut Value {
    match value {
        Value::Document(document) => document.get_mut(name).expect("a field"),
        Value::Array(items) => &mut items[name.parse::<usize>().expect("a position")],
        other => panic!("nothing in {other:?}"),
    }
}

/// Spoils the fields that a mask picks, and asserts that exactly these are named.
fn check_spoiled<T: DeserializeOwned>(text: &str, spoils: &[Spoil], mask: u32) {
    let picked = spoils.iter().enumerate().filter(|(position, _)| mask & (1 << position) != 0);
    let picked: Vec<_> = picked.map(|(_, spoil)| *spoil).collect();
    let mut expected: Vec<_> = picked.iter().map(|(path, _, code)| (*path, *code)).collect();
    expected.sort_unstable();
    check::<T>(&spoiled(text, &picked).to_string(), &expected);
}

/// The path of a field, what to put there (nothing takes it out), and the code that it is then named with.
type Spoil = (&'static str, Option<&'static str>, &'static str);

const FLAT_SPOILS: &[Spoil] = &[
    ("id", Some("-1"), "invalid"),
    ("note", Some("[]"), "type"),
    ("city", None, "required"),
    ("zip", Some("\"x\""), "type"),
    ("level", Some("256"), "invalid"),
    ("key", Some("\"x\""), "invalid"),
    ("color", Some("\"Blue\""), "invalid"),
    ("home.city", None, "required"),
    ("home.zip", Some("{}"), "type"),
    ("pair.0", Some("null"), "type"),
    ("pair.1", Some("1"), "type"),
    ("items.0.city", Some("1"), "type"),
    ("items.1.zip", None, "required"),
    ("kind.Named.name", Some("null"), "type"),
];

const SHAPES: &str = r#"{"first":{"type":"square","side":1,"label":"l"},"list":[{"type":"nothing"},
    {"radius":1.5,"type":"circle","center":{"city":"A","zip":1}}],"last":1,"inside":{"type":"place","city":"B","zip":2},
    "insides":[{"type":"square","side":1},{"type":"square","side":2,"label":null}],"color":"Red","zip":3}"#;

const SHAPES_SPOILS: &[Spoil] = &[
    ("first.side", Some("\"x\""), "type"),
    ("first.label", Some("1"), "type"),
    ("list.0.type", Some("\"x\""), "invalid"),
    ("list.1.radius", None, "required"),
    ("list.1.center.zip", Some("-1"), "invalid"),
    ("last", None, "required"),
    ("inside.city", Some("1"), "type"),
    ("inside.zip", None, "required"),
    ("insides.0.type", None, "required"),
    ("insides.1.side", Some("null"), "type"),
    ("insides.1.label", Some("1"), "type"),
    ("color", Some("1"), "type"),
    ("zip", Some("1.5"), "type"),
];

proptest::proptest! {
    #[test]
    fn exactly_the_spoiled_fields_are_named(mask: u32) {
        check_spoiled::<Flat>(FLAT, FLAT_SPOILS, mask);
        check_spoiled::<Shapes<Shape, Buffered>>(SHAPES, SHAPES_SPOILS, mask);
    }
}

#[test]
fn endless_types_and_nested_tuples_end() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code)]
    enum Endless {
        Not(Box<Self>),
        All { items: Vec<Self> },
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code)]
    struct Tree {
        value: u8,
        children: Vec<Self>,
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code)]
    struct Odds {
        #[serde(flatten)]
        inner: Buffered,
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code)]
    struct Buffered {
        endless: Endless,
        tree: Tree,
        open: Value,
        #[serde(alias = "other")]
        number: u8,
        // Nothing is made up for tuples in tuples: what is missing after them would be hidden.
        pairs: ((u8, u8), [(u8, bool); 2]),
    }
    check::<Odds>(
        r#"{"endless":{"Not":{"All":{"items":[{"Not":1},{"All":{}}]}}},"tree":{"value":1,"children":[
            {"value":"x","children":[{"children":[]}]},{"value":1,"children":[1]}]},
            "pairs":[[1,"x"],[[2,true],["x",false]]],"open":{"number":{}},"other":"x"}"#,
        &[
            ("endless.Not.All.items.0.Not", "type"),
            ("endless.Not.All.items.1.All.items", "required"),
            ("other", "type"),
            ("pairs.0.1", "type"),
            ("pairs.1.1.0", "type"),
            ("tree.children.0.children.0.value", "required"),
            ("tree.children.0.value", "type"),
            ("tree.children.1.children.0", "type"),
        ],
    );
    check::<Odds>(
        r#"{"endless":{"Maybe":1},"tree":[],"pairs":[[1],[[2,true],[3,true],[4,true]]],"number":1,"other":1,"open":1}"#,
        &[("endless", "invalid"), ("number", "invalid"), ("pairs", "invalid"), ("tree", "invalid")],
    );
    check::<Odds>(
        "{}",
        &[
            ("endless", "required"),
            ("number", "required"),
            ("open", "required"),
            ("pairs", "required"),
            ("tree", "required"),
        ],
    );
}

thread_local! {
    static READINGS: Cell<usize> = const { Cell::new(0) };
}

/// A field that counts how often it is read.
#[derive(Debug)]
struct Counted;

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        READINGS.set(READINGS.get() + 1);
        de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

#[test]
fn a_document_is_not_read_without_end() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code)]
    struct Holder {
        count: Counted,
        #[serde(flatten)]
        rest: HashMap<String, Shape>,
    }
    let check = |many: usize, readings: usize, named: usize| {
        let shapes = (0..many).map(|position| (format!("f{position}"), document(r#"{"type":"circle","radius":"x"}"#)));
        let whole: Document = shapes.collect();
        READINGS.set(0);
        let error = from_document::<Holder>(&whole.with("count", 1)).expect_err("does not fit");
        assert!(READINGS.get() <= readings, "read {} times", READINGS.get());
        assert_eq!(error.fields().len(), named);
    };
    check(10, 1000, 20);
    check(100, 2048, 32);
    check(100_000, 100, 4);

    // A search that ends before it comes to the field has found that the document does not fit.
    #[derive(Debug, Deserialize)]
    #[expect(dead_code)]
    struct Nested {
        #[serde(flatten)]
        levels: Level<Level<Level<Level<Level<Shape>>>>>,
    }
    type Level<T> = HashMap<String, Option<T>>;
    let wide = |last: Document| {
        let others = (0..2000).map(|position| (format!("f{position}"), Value::Null));
        others.chain([("last".to_owned(), Value::Document(last))]).collect::<Document>()
    };
    let whole = (0..5).fold(document(r#"{"type":"square"}"#), |inner, _| wide(inner));
    assert!(super::check::<Nested>(&whole, |_| true).is_err());
}
