//! Documents to serde types, naming every field that does not fit.
//!
//! Serde stops at the first field that does not fit. To name them all, the document is read again with a stand-in for
//! each field found so far, until reading succeeds or the same field fails even so. A stand-in answers whatever type
//! it is asked for with an empty one; where that is refused too (a UUID, a date), other well-known texts are tried.
//! Fields with a stand-in are read last, so that one which no stand-in satisfies hides no bad field beside it.

mod stand_in;

use std::collections::HashSet;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use stand_in::{Empty, STAND_IN_TEXTS};

use crate::{Document, Error, Result, Value};

/// Turns a document into a serde type.
pub(crate) fn from_document<T: DeserializeOwned>(document: &Document) -> Result<T> {
    // The common case goes first and takes no notes.
    let notes = Notes::default();
    match T::deserialize(Reader { value: Source::Document(document), path: Trail::Root, notes: &notes }) {
        Ok(record) => Ok(record),
        Err(_) => Err(error_of(&faults::<T>(document))),
    }
}

/// Finds what keeps a document from being a `T`, of the faults that matter to the caller; none where it fits.
///
/// # Errors
/// [`ErrorKind::Unprocessable`](crate::ErrorKind::Unprocessable) naming each.
pub(crate) fn check<T: DeserializeOwned>(document: &Document, matters: impl Fn(&Fault) -> bool) -> Result<()> {
    let notes = Notes::default();
    if T::deserialize(Reader { value: Source::Document(document), path: Trail::Root, notes: &notes }).is_ok() {
        return Ok(());
    }
    let mut faults = faults::<T>(document);
    faults.retain(matters);
    if faults.is_empty() { Ok(()) } else { Err(error_of(&faults)) }
}

/// How many bad fields are named at most. Each costs another reading of the document.
const FAULTS_MAX: usize = 32;

/// How often a document is read again at most: some fields are tried with several stand-ins.
const ATTEMPTS_MAX: usize = 96;

fn faults<T: DeserializeOwned>(document: &Document) -> Vec<Fault> {
    let mut notes = Notes::default();
    let mut faults: Vec<Fault> = Vec::new();
    for _ in 0..ATTEMPTS_MAX {
        let outcome = T::deserialize(Reader { value: Source::Document(document), path: Trail::Root, notes: &notes });
        let Err(fault) = outcome else { break };
        match notes.stand_ins.iter_mut().find(|stand_in| stand_in.path == fault.path) {
            None if faults.len() == FAULTS_MAX => break,
            None => {
                notes.stand_ins.push(StandIn { path: fault.path.clone(), text: 0 });
                faults.push(fault);
            }
            Some(stand_in) if stand_in.text + 1 < STAND_IN_TEXTS.len() => stand_in.text += 1,
            Some(_) => break,
        }
    }
    faults
}

fn error_of(faults: &[Fault]) -> Error {
    let named = faults.iter().map(|fault| (fault.path.as_str(), fault.message.as_str()));
    let mut error = Error::unprocessable(crate::error::summary(named));
    for fault in faults {
        error = error.with_field(&fault.path, fault.code, fault.message.clone());
    }
    error
}

/// What a field was found to be wrong in.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) path: String,
    pub(crate) code: &'static str,
    message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { path: String::new(), code: "invalid", message: format!("does not fit: {message}") }
    }

    fn invalid_type(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let message = format!("does not fit: expected {expected}, found {unexpected}");
        Self { path: String::new(), code: "type", message }
    }

    fn missing_field(field: &'static str) -> Self {
        Self { path: field.to_owned(), code: "required", message: "is required".to_owned() }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let message = format!("is not a field of this record; the fields are {}", expected.join(", "));
        Self { path: field.to_owned(), code: "unknown", message }
    }
}

impl Fault {
    /// Puts the way to the field that was being read before what is known already.
    fn at(mut self, trail: &Trail<'_>) -> Self {
        if let Trail::Field(_, name) = trail {
            self.path = if self.path.is_empty() { (*name).to_owned() } else { format!("{name}.{}", self.path) };
        }
        self
    }
}

/// The fields that are answered by a stand-in.
#[derive(Default)]
struct Notes {
    stand_ins: Vec<StandIn>,
}

struct StandIn {
    path: String,
    /// Which of [`STAND_IN_TEXTS`] is tried.
    text: usize,
}

impl Notes {
    fn find(&self, trail: &Trail<'_>) -> Option<&StandIn> {
        if self.stand_ins.is_empty() {
            return None;
        }
        let path = trail.to_string();
        self.stand_ins.iter().find(|stand_in| stand_in.path == path)
    }
}

/// The way to what is being read, kept on the stack: it costs nothing until there is a fault.
#[derive(Clone, Copy)]
enum Trail<'a> {
    Root,
    Field(&'a Self, &'a str),
}

impl fmt::Display for Trail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
        }
    }
}

#[derive(Clone, Copy)]
enum Source<'a> {
    Document(&'a Document),
    Value(&'a Value),
}

struct Reader<'a> {
    value: Source<'a>,
    path: Trail<'a>,
    notes: &'a Notes,
}

impl<'a> Reader<'a> {
    fn is_null(&self) -> bool {
        matches!(self.value, Source::Value(Value::Null))
    }

    fn read<'de, V: Visitor<'de>>(self, visitor: V, fields: &'static [&'static str]) -> Result<V::Value, Fault> {
        let value = match self.value {
            Source::Document(document) => return read_object(document, &self.path, self.notes, visitor, fields),
            Source::Value(value) => value,
        };
        match value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Int(number) => match u64::try_from(*number) {
                Ok(number) => visitor.visit_u64(number),
                Err(_) => visitor.visit_i64(*number),
            },
            Value::UInt(number) => visitor.visit_u64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Text(text) => visitor.visit_str(text),
            Value::Array(values) => visitor.visit_seq(Items { values: values.iter().enumerate(), reader: &self }),
            Value::Document(document) => read_object(document, &self.path, self.notes, visitor, fields),
        }
    }
}

fn read_object<'de, V: Visitor<'de>>(
    document: &Document,
    path: &Trail<'_>,
    notes: &Notes,
    visitor: V,
    fields: &'static [&'static str],
) -> Result<V::Value, Fault> {
    if notes.stand_ins.is_empty() {
        return visitor.visit_map(Fields { pairs: document.iter(), value: None, path, notes });
    }
    // Fields that have a stand-in come last, and absent ones among them are there for the reader.
    let prefix = match path {
        Trail::Root => String::new(),
        path => format!("{path}."),
    };
    let stand_ins = notes.stand_ins.iter().filter_map(|stand_in| stand_in.path.strip_prefix(&prefix));
    let here: HashSet<&str> = stand_ins.filter(|name| !name.contains('.')).collect();
    // Of the fields that the type does not have, one is enough to find out whether it minds.
    let mut others = 0;
    let mut read = |name: &str| {
        let known = fields.is_empty() || fields.contains(&name);
        others += usize::from(!known);
        known || others == 1
    };
    let mut pairs: Vec<(&str, &Value)> =
        document.iter().filter(|(name, _)| !here.contains(name) && read(name)).collect();
    pairs.extend(document.iter().filter(|(name, _)| here.contains(name)));
    let absent = fields.iter().filter(|name| !document.contains(name) && here.contains(*name));
    pairs.extend(absent.map(|name| (*name, &Value::Null)));
    visitor.visit_map(Fields { pairs: pairs.into_iter(), value: None, path, notes })
}

macro_rules! read_as_it_is {
    ($($name:ident)*) => {
        $(
            fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
                self.read(visitor, &[])
            }
        )*
    };
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Fault;

    read_as_it_is! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string
        deserialize_unit deserialize_seq deserialize_map deserialize_identifier
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        use base64::Engine;
        // Text is how a document holds binary.
        if let Source::Value(Value::Text(text)) = self.value {
            return match base64::engine::general_purpose::STANDARD.decode(text.as_bytes()) {
                Ok(bytes) => visitor.visit_byte_buf(bytes),
                Err(_) => Err(de::Error::custom("expected base64")),
            };
        }
        self.read(visitor, &[])
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        self.read(visitor, &[])
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.read(visitor, &[])
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.read(visitor, &[])
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.read(visitor, fields)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let document = match self.value {
            Source::Value(Value::Text(text)) => return visitor.visit_enum(text.as_str().into_deserializer()),
            Source::Document(document) | Source::Value(Value::Document(document)) => document,
            Source::Value(other) => {
                return Err(de::Error::custom(format_args!(
                    "expected a variant's name or an object with one, found {}",
                    other.type_name()
                )));
            }
        };
        match (document.iter().next(), document.len()) {
            (Some((variant, content)), 1) => visitor.visit_enum(Variant { variant, content, notes: self.notes }),
            _ => Err(de::Error::custom("expected an object with one field, the variant's name")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }
}

struct Fields<'a, I> {
    pairs: I,
    value: Option<(&'a str, &'a Value)>,
    path: &'a Trail<'a>,
    notes: &'a Notes,
}

impl<'de, 'a, I: Iterator<Item = (&'a str, &'a Value)>> MapAccess<'de> for Fields<'a, I> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.value = self.pairs.next();
        match self.value {
            Some((name, _)) => seed.deserialize(StrDeserializer::<Fault>::new(name)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let Some((name, value)) = self.value.take() else {
            return Err(de::Error::custom("a value was asked for before its name"));
        };
        let trail = Trail::Field(self.path, name);
        let outcome = match self.notes.find(&trail) {
            Some(stand_in) => seed.deserialize(Empty { text: STAND_IN_TEXTS[stand_in.text] }),
            None => seed.deserialize(Reader { value: Source::Value(value), path: trail, notes: self.notes }),
        };
        outcome.map_err(|fault| fault.at(&trail))
    }
}

struct Items<'a, 'r> {
    values: std::iter::Enumerate<std::slice::Iter<'a, Value>>,
    reader: &'r Reader<'a>,
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Some((position, value)) = self.values.next() else { return Ok(None) };
        let name = position.to_string();
        let trail = Trail::Field(&self.reader.path, &name);
        let outcome = match self.reader.notes.find(&trail) {
            Some(stand_in) => seed.deserialize(Empty { text: STAND_IN_TEXTS[stand_in.text] }),
            None => seed.deserialize(Reader { value: Source::Value(value), path: trail, notes: self.reader.notes }),
        };
        outcome.map(Some).map_err(|fault| fault.at(&trail))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.values.len())
    }
}

struct Variant<'a> {
    variant: &'a str,
    content: &'a Value,
    notes: &'a Notes,
}

impl<'a, 'de> EnumAccess<'de> for Variant<'a> {
    type Error = Fault;
    type Variant = Reader<'a>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Reader<'a>), Fault> {
        let variant = seed.deserialize(StrDeserializer::<Fault>::new(self.variant))?;
        Ok((variant, Reader { value: Source::Value(self.content), path: Trail::Root, notes: self.notes }))
    }
}

impl<'de> VariantAccess<'de> for Reader<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        if self.is_null() { Ok(()) } else { Err(de::Error::custom("expected no content for this variant")) }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fault> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.read(visitor, &[])
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        self.read(visitor, fields)
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use uuid::Uuid;

    use super::*;

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

    #[test]
    fn every_bad_field_is_named() {
        let check = |text: &str, expected: &[(&str, &str)]| {
            let error = from_document::<Person>(&document(text)).expect_err("does not fit");
            let mut found: Vec<_> =
                error.fields().iter().map(|field| (field.field.as_str(), field.code.as_str())).collect();
            found.sort_unstable();
            assert_eq!(found, expected, "{text}");
        };
        check(
            "{}",
            &[
                ("address", "required"),
                ("age", "required"),
                ("key", "required"),
                ("kinds", "required"),
                ("name", "required"),
            ],
        );
        check(
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
}
