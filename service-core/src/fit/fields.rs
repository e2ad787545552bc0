//! What fields a serde type has, found out by trying it.
//!
//! A derived `Deserialize` tells the names of its fields, and each field then asks for what it is read from: an integer,
//! text, anything. What reads text may be more than text, so it is given a UUID, a moment, a day and so on, in the form in
//! which records hold them: a type that takes only one of these is of that kind.

use std::cell::Cell;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::draft::Node;
use super::fault::{Fault, Kind};
use super::reader::Reader;
use super::search;
use crate::{Document, FieldType, Fields, Value};

/// Lists the fields of a type, or `None` where it does not tell them.
pub(crate) fn of<T: DeserializeOwned>() -> Option<Fields> {
    let mut found: Vec<(&'static str, Guess)> = Vec::new();
    for name in names::<T>()? {
        let guess = guess::<T>(name);
        // Other names of a field are among the names; a field that is given twice is told by its own.
        let own = guess.sample.as_ref().and_then(|sample| own_name::<T>(name, sample)).unwrap_or(name);
        if own == *name {
            found.push((name, guess));
        }
    }
    let sample = |left_out: &str| -> Document {
        let others = found.iter().filter(|(name, _)| *name != left_out);
        others.filter_map(|(name, guess)| Some((*name, guess.sample.clone()?))).collect()
    };
    let fields = found.iter().fold(Fields::new(), |fields, (name, guess)| {
        let is_missing = |bad: &super::BadField| bad.path == *name && bad.code == "required";
        if !guess.optional && search::bad_fields::<T>(&sample(name)).iter().any(is_missing) {
            fields.required(*name, guess.kind)
        } else {
            fields.optional(*name, guess.kind)
        }
    });
    Some(fields)
}

/// What was found out about a field.
struct Guess {
    kind: FieldType,
    /// Whether it takes null.
    optional: bool,
    /// A value that it takes, if one was found.
    sample: Option<Value>,
}

/// What a field asks to be read from.
#[derive(Clone, Copy)]
enum Asked {
    /// Whatever there is, or what no column is for: lists and objects.
    Any,
    Boolean,
    Integer,
    Number,
    Text,
    Bytes,
    /// One of these variants.
    Variant(&'static [&'static str]),
}

/// Texts of every kind but plain text, in the form in which records hold them.
const TEXTS: [(FieldType, &str); 5] = [
    (FieldType::Uuid, "0192f0c1-0000-7000-8000-00000000000a"),
    (FieldType::DateTime, "2026-11-22T04:34:02.123000Z"),
    (FieldType::Date, "2026-11-22"),
    (FieldType::Time, "04:34:02.123000"),
    (FieldType::Decimal, "12.50"),
];

fn guess<T: DeserializeOwned>(name: &'static str) -> Guess {
    let (asked, optional) = ask::<T>(name);
    let takes = |value: &Value| takes::<T>(name, value);
    let (kind, candidates) = match asked {
        Asked::Boolean => (FieldType::Boolean, vec![Value::Bool(true)]),
        Asked::Integer => (FieldType::Integer, vec![Value::Int(1), Value::Int(0)]),
        Asked::Number => (FieldType::Number, vec![Value::Float(1.5), Value::Float(0.5)]),
        Asked::Bytes => (FieldType::Binary, vec!["AAE=".into()]),
        Asked::Variant(variants) => {
            // A variant that holds something is an object.
            let plain = variants.iter().all(|variant| takes(&(*variant).into()));
            let kind = if plain { FieldType::Text } else { FieldType::Json };
            (kind, variants.iter().map(|variant| Value::from(*variant)).collect())
        }
        Asked::Text | Asked::Any => {
            let plain = takes(&"x".into());
            let mut special = TEXTS.iter().filter(|(_, text)| !plain && takes(&(*text).into()));
            let found = special.next().filter(|_| special.next().is_none());
            let kind = match (found, asked) {
                (Some((kind, _)), _) => *kind,
                (None, Asked::Text) => FieldType::Text,
                (None, _) => FieldType::Json,
            };
            let texts = found.map(|(_, text)| *text).into_iter().chain(["x"]).map(Value::from);
            let others = [Value::Document(Document::new()), Vec::<Value>::new().into(), Value::Int(1), true.into()];
            (kind, texts.chain(others).collect())
        }
    };
    let sample = candidates.into_iter().find(takes);
    Guess { kind, optional, sample }
}

/// Returns the names that a type has for its fields.
fn names<T: DeserializeOwned>() -> Option<&'static [&'static str]> {
    let names = Cell::new(None);
    // Nothing is read: the type is refused as soon as it has told them.
    let _ = T::deserialize(Names(&names));
    names.get()
}

/// Returns what a field asks for, and whether it takes null.
fn ask<T: DeserializeOwned>(name: &'static str) -> (Asked, bool) {
    let (asked, optional) = (Cell::new(Asked::Any), Cell::new(false));
    let _ = T::deserialize(Record(vec![(name, Answer::Question(&asked, &optional))]));
    (asked.get(), optional.get())
}

/// Returns whether a field takes a value.
fn takes<T: DeserializeOwned>(name: &'static str, value: &Value) -> bool {
    let taken = Cell::new(false);
    let _ = T::deserialize(Record(vec![(name, Answer::Value(value, &taken))]));
    taken.get()
}

/// Returns the field's own name, as it is told where a field is given twice.
fn own_name<T: DeserializeOwned>(name: &'static str, value: &Value) -> Option<&'static str> {
    let taken = Cell::new(false);
    let twice = (0..2).map(|_| (name, Answer::Value(value, &taken))).collect();
    match T::deserialize(Record(twice)).map_err(|fault| fault.kind) {
        Err(Kind::Duplicate(own)) => Some(own),
        _ => None,
    }
}

fn enough() -> Fault {
    serde::de::Error::custom("enough is known")
}

/// Asks a type for the names of its fields.
struct Names<'a>(&'a Cell<Option<&'static [&'static str]>>);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Fault> {
        Err(enough())
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Fault> {
        self.0.set(Some(fields));
        Err(enough())
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map enum identifier ignored_any
    }
}

/// What a field is given.
enum Answer<'a> {
    /// Nothing: what it asks for is noted, and whether it takes null.
    Question(&'a Cell<Asked>, &'a Cell<bool>),
    /// A value, and it is noted that it was taken.
    Value(&'a Value, &'a Cell<bool>),
}

/// A record of few fields.
struct Record<'a>(Vec<(&'static str, Answer<'a>)>);

impl<'de> Deserializer<'de> for Record<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_map(Entries { rest: self.0.into_iter(), answer: None })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Entries<'a> {
    rest: std::vec::IntoIter<(&'static str, Answer<'a>)>,
    answer: Option<Answer<'a>>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((name, answer)) = self.rest.next() else { return Ok(None) };
        self.answer = Some(answer);
        seed.deserialize(name.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        match self.answer.take().ok_or_else(enough)? {
            Answer::Question(asked, optional) => seed.deserialize(Question { asked, optional }),
            Answer::Value(value, taken) => {
                let read = seed.deserialize(Reader::new(Node::Value(value)))?;
                taken.set(true);
                Ok(read)
            }
        }
    }
}

/// Notes what it is asked for, and answers nothing.
struct Question<'a> {
    asked: &'a Cell<Asked>,
    optional: &'a Cell<bool>,
}

impl Question<'_> {
    fn note<V>(self, asked: Asked) -> Result<V, Fault> {
        self.asked.set(asked);
        Err(enough())
    }
}

/// Writes the methods that note what was asked and do nothing else.
macro_rules! note {
    ($($method:ident => $asked:ident),+ $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Fault> {
            self.note(Asked::$asked)
        })+
    };
}

impl<'de> Deserializer<'de> for Question<'_> {
    type Error = Fault;

    note! {
        deserialize_any => Any, deserialize_bool => Boolean,
        deserialize_i8 => Integer, deserialize_i16 => Integer, deserialize_i32 => Integer, deserialize_i64 => Integer,
        deserialize_u8 => Integer, deserialize_u16 => Integer, deserialize_u32 => Integer, deserialize_u64 => Integer,
        deserialize_i128 => Integer, deserialize_u128 => Integer,
        deserialize_f32 => Number, deserialize_f64 => Number,
        deserialize_char => Text, deserialize_str => Text, deserialize_string => Text,
        deserialize_bytes => Bytes, deserialize_byte_buf => Bytes,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.optional.set(true);
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Fault> {
        self.note(Asked::Variant(variants))
    }

    forward_to_deserialize_any! { unit unit_struct seq tuple tuple_struct map struct identifier ignored_any }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde::Deserialize;

    use super::*;

    fn check<T: DeserializeOwned>(expected: &[(&str, FieldType, bool)]) {
        let found = of::<T>().expect("fields");
        let found: Vec<_> = found.iter().map(|field| (field.name.to_string(), field.kind, field.required)).collect();
        let expected: Vec<_> =
            expected.iter().map(|(name, kind, required)| ((*name).to_owned(), *kind, *required)).collect();
        assert_eq!(found, expected);
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[allow(dead_code, reason = "is never read")]
    struct Todo {
        id: Uuid,
        title: String,
        #[serde(default)]
        done: bool,
        due_in: Option<u16>,
        weight: f32,
        tags: Vec<String>,
        place: Option<Place>,
        state: State,
        shape: Shape,
        #[serde(alias = "author", alias = "by")]
        owner: Name,
        first: char,
        anything: Value,
        #[serde(skip)]
        cached: Option<String>,
        price: Option<Price>,
        day: Day,
        at: Moment,
        bytes: Bytes,
        email: Email,
    }

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "is never read")]
    struct Place {
        city: String,
        zip: u32,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum State {
        Open,
        Closed,
    }

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "is never read")]
    enum Shape {
        Point,
        Circle(f64),
    }

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "is never read")]
    struct Name(String);

    /// A type that reads text of a kind of its own, as those of other crates do for decimals, days and moments.
    struct Reads<const KIND: usize>;

    const KINDS: [fn(&str) -> bool; 5] = [
        |text| text.parse::<uuid::Uuid>().is_ok(),
        |text| crate::Decimal::new(text).is_some(),
        |text| text.len() == 10 && text.matches('-').count() == 2,
        |text| text.ends_with('Z'),
        |text| text.contains('@'),
    ];

    type Uuid = Reads<0>;
    type Price = Reads<1>;
    type Day = Reads<2>;
    type Moment = Reads<3>;
    type Email = Reads<4>;

    impl<'de, const KIND: usize> Deserialize<'de> for Reads<KIND> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let text = String::deserialize(deserializer)?;
            KINDS[KIND](&text).then_some(Self).ok_or_else(|| serde::de::Error::custom("something else"))
        }
    }

    struct Bytes;

    impl<'de> Deserialize<'de> for Bytes {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visit;
            impl Visitor<'_> for Visit {
                type Value = Bytes;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("bytes")
                }

                fn visit_bytes<E>(self, _: &[u8]) -> Result<Bytes, E> {
                    Ok(Bytes)
                }
            }
            deserializer.deserialize_bytes(Visit)
        }
    }

    #[test]
    fn fields_are_told_by_the_type() {
        use FieldType::{Binary, Boolean, Date, DateTime, Decimal, Integer, Json, Number, Text, Uuid};
        check::<Todo>(&[
            ("id", Uuid, true),
            ("title", Text, true),
            ("done", Boolean, false),
            ("dueIn", Integer, false),
            ("weight", Number, true),
            ("tags", Json, true),
            ("place", Json, false),
            ("state", Text, true),
            ("shape", Json, true),
            ("owner", Text, true),
            ("first", Text, true),
            ("anything", Json, true),
            ("price", Decimal, false),
            ("day", Date, true),
            ("at", DateTime, true),
            ("bytes", Binary, true),
            ("email", Text, true),
        ]);
    }

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "is never read")]
    struct Open {
        title: String,
        #[serde(flatten)]
        rest: HashMap<String, Value>,
    }

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "is never read")]
    struct Wrapped(Place);

    #[test]
    fn a_type_that_may_have_any_field_tells_none() {
        assert!(of::<Open>().is_none() && of::<Document>().is_none() && of::<HashMap<String, u8>>().is_none());
        assert!(of::<String>().is_none() && of::<Vec<Place>>().is_none());
        check::<Wrapped>(&[("city", FieldType::Text, true), ("zip", FieldType::Integer, true)]);
    }
}
