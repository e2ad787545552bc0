//! [`Document`], a record as an ordered map of names to values.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::shape::Shape;
use crate::{Error, Path, Result, Text, Value};

/// A record: an ordered map of names to values.
///
/// Records with the same names share the list of names, and a clone shares the values until one of the two is changed,
/// so that reading a record out of a store costs a counter and a million of them fit where a million maps would not.
///
/// ```
/// use remex_core::Document;
///
/// let mut alice = Document::new().with("name", "Alice").with("age", 19);
/// alice.insert("age", 20);
/// assert_eq!(alice.to_string(), r#"{"name":"Alice","age":20}"#);
///
/// #[derive(serde::Deserialize)]
/// struct Person { name: String, age: u8 }
/// let person: Person = alice.to_typed()?;
/// assert_eq!((person.name.as_str(), person.age), ("Alice", 20));
/// # Ok::<(), remex_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Document(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    shape: Arc<Shape>,
    slots: Box<[Value]>,
}

/// How many levels of lists and objects a document from outside may nest.
///
/// More is refused while reading, before memory is spent on it.
pub const DEPTH_MAX: usize = 64;

impl Document {
    /// Returns a document without fields.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Inner { shape: Shape::empty(), slots: Box::default() }))
    }

    /// Builds a document of the values that fields of these names hold, in the order of the names.
    ///
    /// For stores that keep records in a form of their own: where they keep the [`shape`](Self::shape) too, a record is made
    /// again without looking at a name.
    ///
    /// # Panics
    /// Where there are more or fewer values than names.
    ///
    /// ```
    /// use remex_core::Document;
    ///
    /// let alice = Document::new().with("name", "Alice").with("age", 19);
    /// let bob = Document::from_shape(alice.shape().clone(), vec!["Bob".into(), 20.into()]);
    /// assert_eq!(bob.to_string(), r#"{"name":"Bob","age":20}"#);
    /// ```
    #[must_use]
    pub fn from_shape(shape: Arc<Shape>, values: Vec<Value>) -> Self {
        assert_eq!(shape.names().len(), values.len(), "as many values as names");
        Self(Arc::new(Inner { shape, slots: values.into_boxed_slice() }))
    }

    /// Returns the names, shared with the documents that have the same ones.
    #[must_use]
    pub fn shape(&self) -> &Arc<Shape> {
        &self.0.shape
    }

    /// Returns how many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.slots.len()
    }

    /// Returns whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.slots.is_empty()
    }

    /// Returns the value of a field, or `None` where it is absent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.shape.position(name).map(|position| &self.0.slots[position])
    }

    /// Returns the value of a field to change in place, or `None` where it is absent.
    #[must_use]
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let position = self.0.shape.position(name)?;
        Some(&mut Arc::make_mut(&mut self.0).slots[position])
    }

    /// Returns the value that a dotted path reaches through nested objects, or `None` where there is none.
    ///
    /// Lists are not entered; filters do that, see [`Filter`](crate::Filter).
    #[must_use]
    pub fn get_path(&self, path: &Path) -> Option<&Value> {
        let mut value = self.get(path.first())?;
        for name in path.rest() {
            value = value.as_document()?.get(name)?;
        }
        Some(value)
    }

    /// Returns whether a field is there, be it null.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.shape.position(name).is_some()
    }

    /// Sets a field and returns what it held before. A new field comes last.
    pub fn insert(&mut self, name: &str, value: impl Into<Value>) -> Option<Value> {
        let value = value.into();
        if let Some(slot) = self.get_mut(name) {
            return Some(std::mem::replace(slot, value));
        }
        let shape = {
            let names: Vec<&str> = self.names().chain([name]).collect();
            Shape::of(names.iter().copied())
        };
        let inner = Arc::make_mut(&mut self.0);
        let mut slots = Vec::with_capacity(inner.slots.len() + 1);
        slots.extend(std::mem::take(&mut inner.slots));
        slots.push(value);
        inner.slots = slots.into_boxed_slice();
        inner.shape = shape;
        None
    }

    /// Sets a field so that it comes first, as the id does, and returns what it held before.
    pub fn insert_first(&mut self, name: &str, value: Value) -> Option<Value> {
        if self.0.shape.names().first().is_some_and(|first| first == name) {
            return self.insert(name, value);
        }
        let old = self.remove(name);
        let pairs = std::iter::once((Text::from(name), value)).chain(self.clone());
        *self = pairs.collect();
        old
    }

    /// Sets a field and returns the document, for building one in a chain.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.insert(name, value);
        self
    }

    /// Takes a field out and returns what it held.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let position = self.0.shape.position(name)?;
        let shape = {
            let names: Vec<&str> = self.names().filter(|other| *other != name).collect();
            Shape::of(names.iter().copied())
        };
        let inner = Arc::make_mut(&mut self.0);
        let mut slots = std::mem::take(&mut inner.slots).into_vec();
        let value = slots.remove(position);
        inner.slots = slots.into_boxed_slice();
        inner.shape = shape;
        Some(value)
    }

    /// Returns the values in the order of their fields.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.0.slots
    }

    /// Returns the values in the order of their fields, to change in place.
    #[must_use]
    pub fn values_mut(&mut self) -> &mut [Value] {
        &mut Arc::make_mut(&mut self.0).slots
    }

    /// Keeps the fields for which the closure says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Value) -> bool) {
        if self.iter().all(|(name, value)| keep(name, value)) {
            return;
        }
        *self = self
            .iter()
            .filter(|(name, value)| keep(name, value))
            .map(|(name, value)| (Text::from(name), value.clone()))
            .collect();
    }

    /// Lists the fields in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> + Clone {
        self.0.shape.names().iter().map(Text::as_str).zip(self.0.slots.iter())
    }

    /// Lists the names in their order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        self.0.shape.names().iter().map(Text::as_str)
    }

    /// Sets the fields of `patch`, whole: an object replaces an object, null sets null.
    ///
    /// This is what `modify` does.
    pub fn merge(&mut self, patch: Self) {
        self.set_all(patch.into_iter());
    }

    /// Merges as [RFC 7396](https://www.rfc-editor.org/rfc/rfc7396) says: objects are merged into objects at every
    /// depth, and null takes a field away.
    pub fn merge_deep(&mut self, patch: Self) {
        let gone: HashSet<Text> =
            patch.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| Text::from(name)).collect();
        if !gone.is_empty() {
            self.retain(|name, _| !gone.contains(name));
        }
        let merged: Vec<(Text, Value)> = patch
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| match value {
                Value::Document(patch) => {
                    let mut target = match self.get(&name) {
                        Some(Value::Document(document)) => document.clone(),
                        _ => Self::new(),
                    };
                    target.merge_deep(patch);
                    (name, Value::Document(target))
                }
                value => (name, value),
            })
            .collect();
        self.set_all(merged.into_iter());
    }

    /// Sets fields, all new ones at once: one by one each would copy the list of names.
    fn set_all(&mut self, pairs: impl Iterator<Item = (Text, Value)>) {
        let mut new = Vec::new();
        for (name, value) in pairs {
            match self.get_mut(&name) {
                Some(slot) => *slot = value,
                None => new.push((name, value)),
            }
        }
        if !new.is_empty() {
            *self = std::mem::take(self).into_iter().chain(new).collect();
        }
    }

    /// Returns a document with the fields that the paths reach and nothing else, in the order of this document.
    ///
    /// A dotted path keeps the objects around it. A path that reaches nothing adds nothing.
    #[must_use]
    pub fn project<'a>(&self, paths: impl Iterator<Item = &'a Path> + Clone) -> Self {
        self.project_names(&paths.map(|path| path.names().collect::<Vec<_>>()).collect::<Vec<_>>())
    }

    fn project_names<N: AsRef<[S]>, S: AsRef<str>>(&self, paths: &[N]) -> Self {
        let mut pairs = Vec::with_capacity(self.len().min(paths.len()));
        for (name, value) in self.iter() {
            let mut deeper: Vec<&[S]> = Vec::new();
            let mut whole = false;
            for path in paths {
                match path.as_ref() {
                    [first] if first.as_ref() == name => whole = true,
                    [first, rest @ ..] if first.as_ref() == name => deeper.push(rest),
                    _ => {}
                }
            }
            if whole {
                pairs.push((name, value.clone()));
            } else if let (false, Value::Document(document)) = (deeper.is_empty(), value) {
                let document = document.project_names(&deeper);
                if !document.is_empty() {
                    pairs.push((name, Value::Document(document)));
                }
            }
        }
        Self::from_distinct(pairs)
    }

    /// Builds a document from pairs whose names are known to differ.
    fn from_distinct<N: AsRef<str>>(pairs: Vec<(N, Value)>) -> Self {
        let shape = Shape::of(pairs.iter().map(|(name, _)| name.as_ref()));
        // Of the exact size from the start: what is collected from the pairs in place, and then shrunk, leaves a hole behind
        // every record, and a million records twice the memory.
        let mut slots = Vec::with_capacity(pairs.len());
        slots.extend(pairs.into_iter().map(|(_, value)| value));
        Self(Arc::new(Inner { shape, slots: slots.into_boxed_slice() }))
    }

    /// Turns a serde type into a document.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) where the type is not an object in JSON.
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        match Value::from_serialize(value)? {
            Value::Document(document) => Ok(document),
            other => Err(Error::internal(format!(
                "`{}` is {} in JSON, and a record must be an object",
                std::any::type_name::<T>(),
                other.type_name()
            ))),
        }
    }

    /// Turns the document into a serde type.
    ///
    /// # Errors
    /// [`ErrorKind::Unprocessable`](crate::ErrorKind::Unprocessable) with one field error for every field that does not
    /// fit, or is missing; the first 32 of them, and of a document with a great many values perhaps fewer. That holds for
    /// flattened and tagged types, too. Where the tag names no variant, only the tag is named of what depends on it, and
    /// an untagged enum fits as a whole or not. What is missing beside a value for which no stand-in is found, one that
    /// must be like no other, may come to light only once that value is right.
    pub fn to_typed<T: DeserializeOwned>(&self) -> Result<T> {
        crate::fit::from_document(self)
    }

    /// Reads a document from JSON text.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest) where the text is not JSON or not an object, nests deeper
    /// than [`DEPTH_MAX`], names a field twice, or holds an integer past 64 bits.
    pub fn from_json(text: &[u8]) -> Result<Self> {
        crate::json::read(text)
    }
}

impl Default for Document {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Document {
    /// Two documents are equal when they have the same fields with the same values, in whatever order.
    fn eq(&self, other: &Self) -> bool {
        if Arc::ptr_eq(&self.0, &other.0) {
            return true;
        }
        if Arc::ptr_eq(&self.0.shape, &other.0.shape) {
            return self.0.slots == other.0.slots;
        }
        self.len() == other.len() && self.iter().all(|(name, value)| other.get(name) == Some(value))
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Writes the document as JSON text.
impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

/// The value of a field; null where it is absent.
impl std::ops::Index<&str> for Document {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        static NULL: Value = Value::Null;
        self.get(name).unwrap_or(&NULL)
    }
}

/// A name that comes twice keeps its place and the later value.
impl<N: Into<Text>, V: Into<Value>> FromIterator<(N, V)> for Document {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut distinct: Vec<(Text, Value)> = Vec::new();
        let mut seen = Seen::default();
        for (name, value) in pairs {
            let (name, value) = (name.into(), value.into());
            match seen.position(&distinct, &name) {
                Some(position) => distinct[position].1 = value,
                None => {
                    distinct.push((name, value));
                    seen.pushed(&distinct);
                }
            }
        }
        Self::from_distinct(distinct)
    }
}

impl IntoIterator for Document {
    type Item = (Text, Value);
    type IntoIter = std::vec::IntoIter<(Text, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        let inner = Arc::unwrap_or_clone(self.0);
        let pairs: Vec<_> = inner.shape.names().iter().cloned().zip(inner.slots.into_vec()).collect();
        pairs.into_iter()
    }
}

/// Which names have been met, so that a wide document from outside is not compared name by name with itself.
#[derive(Default)]
struct Seen(Option<std::collections::HashMap<Text, usize>>);

/// Up to this many names, walking them is faster than hashing.
const SEEN_WALKED: usize = 16;

impl Seen {
    fn position(&self, pairs: &[(Text, Value)], name: &Text) -> Option<usize> {
        match &self.0 {
            Some(names) => names.get(name).copied(),
            None => pairs.iter().position(|(other, _)| other == name),
        }
    }

    /// Takes note of the pair that was pushed last, and starts hashing once there are too many to walk.
    fn pushed(&mut self, pairs: &[(Text, Value)]) {
        match (&mut self.0, pairs) {
            (Some(names), [.., (name, _)]) => {
                names.insert(name.clone(), pairs.len() - 1);
            }
            (None, pairs) if pairs.len() > SEEN_WALKED => {
                self.0 = Some(pairs.iter().enumerate().map(|(position, (name, _))| (name.clone(), position)).collect());
            }
            _ => {}
        }
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(flag) => serializer.serialize_bool(*flag),
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::UInt(number) => serializer.serialize_u64(*number),
            Self::Float(number) => serializer.serialize_f64(*number),
            Self::Decimal(decimal) => decimal.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Array(values) => {
                let mut sequence = serializer.serialize_seq(Some(values.len()))?;
                for value in values {
                    sequence.serialize_element(value)?;
                }
                sequence.end()
            }
            Self::Document(document) => document.serialize(serializer),
        }
    }
}

/// Reads a value that may nest `depth` levels further.
struct ValueSeed {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let depth = self.depth.checked_sub(1).ok_or_else(too_deep)?;
        // The hint is the sender's word, so it buys no memory in advance beyond a page.
        let mut values = Vec::with_capacity(sequence.size_hint().unwrap_or(0).min(128));
        while let Some(value) = sequence.next_element_seed(Self { depth })? {
            values.push(value);
        }
        Ok(Value::Array(values.into_boxed_slice()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let depth = self.depth.checked_sub(1).ok_or_else(too_deep)?;
        let mut pairs: Vec<(Text, Value)> = Vec::with_capacity(map.size_hint().unwrap_or(8).min(32));
        let mut seen = Seen::default();
        while let Some(name) = map.next_key::<Text>()? {
            if seen.position(&pairs, &name).is_some() {
                return Err(A::Error::custom(format_args!("field `{name}` is there twice")));
            }
            let value = map.next_value_seed(Self { depth })?;
            pairs.push((name, value));
            seen.pushed(&pairs);
        }
        Ok(Value::Document(Document::from_distinct(pairs)))
    }
}

fn too_deep<E: serde::de::Error>() -> E {
    E::custom(format_args!("lists and objects nest deeper than {DEPTH_MAX} levels"))
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ValueSeed { depth: DEPTH_MAX }.deserialize(deserializer)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Document(document) => Ok(document),
            other => Err(D::Error::custom(format_args!("expected an object, found {}", other.type_name()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::from_json(text.as_bytes()).expect("a document")
    }

    #[test]
    fn a_clone_is_independent() {
        let original = document(r#"{"name":"Alice","tags":["a"]}"#);
        let mut copy = original.clone();
        copy.insert("name", "Bob");
        copy.insert("age", 3);
        copy.remove("tags");
        assert_eq!(original.to_string(), r#"{"name":"Alice","tags":["a"]}"#);
        assert_eq!(copy.to_string(), r#"{"name":"Bob","age":3}"#);
    }

    #[test]
    fn merging_is_shallow_or_deep() {
        let mut shallow = document(r#"{"a":{"b":1,"c":2},"d":3}"#);
        shallow.merge(document(r#"{"a":{"b":9},"d":null}"#));
        assert_eq!(shallow.to_string(), r#"{"a":{"b":9},"d":null}"#);

        let mut deep = document(r#"{"a":{"b":1,"c":2},"d":3}"#);
        deep.merge_deep(document(r#"{"a":{"b":9,"c":null},"d":null,"e":{"f":null,"g":1}}"#));
        assert_eq!(deep.to_string(), r#"{"a":{"b":9},"e":{"g":1}}"#);
    }

    #[test]
    fn merging_many_fields_keeps_their_order() {
        let wide = |from: i64| (from..from + 1000).map(|n| (format!("f{n}"), n)).collect::<Document>();
        let mut merged = wide(0);
        merged.merge(wide(500));
        assert_eq!(merged, wide(0).into_iter().chain(wide(1000).into_iter().take(500)).collect());
        assert!(merged.names().eq((0..1500).map(|n| format!("f{n}")).collect::<Vec<_>>().iter().map(String::as_str)));
    }

    #[test]
    fn projection_keeps_paths() {
        let whole = document(r#"{"id":1,"a":{"b":1,"c":{"d":2,"e":3}},"f":[1]}"#);
        let check = |paths: &[&str], expected: &str| {
            let paths: Vec<Path> = paths.iter().map(|path| Path::new(*path).expect("a path")).collect();
            assert_eq!(whole.project(paths.iter()).to_string(), expected);
        };
        check(&["f", "id"], r#"{"id":1,"f":[1]}"#);
        check(&["a.c.d", "a.b"], r#"{"a":{"b":1,"c":{"d":2}}}"#);
        check(&["a", "a.b"], r#"{"a":{"b":1,"c":{"d":2,"e":3}}}"#);
        check(&["a.x", "x", "f.g"], "{}");
    }

    #[test]
    fn equality_ignores_order() {
        assert_eq!(document(r#"{"a":1,"b":2}"#), document(r#"{"b":2,"a":1}"#));
        assert_ne!(document(r#"{"a":1,"b":2}"#), document(r#"{"a":1}"#));
        assert_ne!(document(r#"{"a":1}"#), document(r#"{"a":1.0}"#));
    }

    #[test]
    fn reading_refuses_what_would_be_lost() {
        let check = |text: &str, expected: &str| {
            let error = Document::from_json(text.as_bytes()).expect_err("refused");
            assert!(error.message().contains(expected), "{text}: {}", error.message());
        };
        check(r#"{"a":1,"a":2}"#, "`a` is there twice");
        check(r#"{"a":{"b":1,"b":2}}"#, "`b` is there twice");
        check("[1]", "expected an object, found a list");
        check(r#"{"a":123456789012345678901}"#, "123456789012345678901");
        check(&format!("{{\"a\":{}{}}}", "[".repeat(64), "]".repeat(64)), "64 levels");
        assert!(Document::from_json(format!("{{\"a\":{}{}}}", "[".repeat(63), "]".repeat(63)).as_bytes()).is_ok());
        let wide: String = (0..100).map(|n| format!("\"f{n}\":1,")).collect();
        check(&format!("{{{wide}\"f7\":2}}"), "`f7` is there twice");
    }
}
