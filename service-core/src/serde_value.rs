//! Serde types to [`Value`]s: whole, or only the fields that somebody asked for.

use std::fmt;

use base64::Engine;
use serde::Serialize;
use serde::ser::{self, Impossible};

use crate::{Document, Error, Result, Text, Value};

/// Turns a serde type into a value.
pub(crate) fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value> {
    value.serialize(ToValue).map_err(|fault| fault.into_error(std::any::type_name::<T>()))
}

/// Turns the named fields of a serde type, and no others, into values.
///
/// This is how a store looks into records of your own type: a filter on two fields visits all but converts two.
/// `slots` gets one value a name, null where the type has no such field.
///
/// # Errors
/// [`ErrorKind::Internal`](crate::ErrorKind::Internal) where the type is not an object in JSON, or its `Serialize` fails.
pub fn read_fields<T: Serialize + ?Sized>(value: &T, names: &[Text], slots: &mut [Value]) -> Result<()> {
    slots.fill(Value::Null);
    value.serialize(ReadFields { names, slots }).map_err(|fault| fault.into_error(std::any::type_name::<T>()))
}

/// Why a type cannot be turned into a value.
#[derive(Debug)]
pub(crate) struct Fault(String);

impl Fault {
    fn into_error(self, type_name: &str) -> Error {
        Error::internal(format!("`{type_name}` cannot be turned into a record: {}", self.0))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

impl ser::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

struct ToValue;

impl ser::Serializer for ToValue {
    type Ok = Value;
    type Error = Fault;
    type SerializeSeq = ListBuilder;
    type SerializeTuple = ListBuilder;
    type SerializeTupleStruct = ListBuilder;
    type SerializeTupleVariant = ListBuilder;
    type SerializeMap = DocumentBuilder;
    type SerializeStruct = DocumentBuilder;
    type SerializeStructVariant = DocumentBuilder;

    fn serialize_bool(self, flag: bool) -> Result<Value, Fault> {
        Ok(Value::Bool(flag))
    }

    fn serialize_i8(self, number: i8) -> Result<Value, Fault> {
        Ok(Value::Int(number.into()))
    }

    fn serialize_i16(self, number: i16) -> Result<Value, Fault> {
        Ok(Value::Int(number.into()))
    }

    fn serialize_i32(self, number: i32) -> Result<Value, Fault> {
        Ok(Value::Int(number.into()))
    }

    fn serialize_i64(self, number: i64) -> Result<Value, Fault> {
        Ok(Value::Int(number))
    }

    fn serialize_i128(self, number: i128) -> Result<Value, Fault> {
        i64::try_from(number)
            .map(Value::Int)
            .or_else(|_| u64::try_from(number).map(Value::UInt))
            .map_err(|_| Fault(format!("the integer {number} is past 64 bits")))
    }

    fn serialize_u8(self, number: u8) -> Result<Value, Fault> {
        Ok(Value::Int(number.into()))
    }

    fn serialize_u16(self, number: u16) -> Result<Value, Fault> {
        Ok(Value::Int(number.into()))
    }

    fn serialize_u32(self, number: u32) -> Result<Value, Fault> {
        Ok(Value::Int(number.into()))
    }

    fn serialize_u64(self, number: u64) -> Result<Value, Fault> {
        Ok(Value::from(number))
    }

    fn serialize_u128(self, number: u128) -> Result<Value, Fault> {
        u64::try_from(number).map(Value::from).map_err(|_| Fault(format!("the integer {number} is past 64 bits")))
    }

    fn serialize_f32(self, number: f32) -> Result<Value, Fault> {
        // By its shortest digits, as JSON writes it: 0.1 and not 0.10000000149011612.
        Ok(number.to_string().parse::<f64>().map_or(Value::Null, Value::from))
    }

    fn serialize_f64(self, number: f64) -> Result<Value, Fault> {
        Ok(Value::from(number))
    }

    fn serialize_char(self, character: char) -> Result<Value, Fault> {
        Ok(Value::from(character.encode_utf8(&mut [0; 4]) as &str))
    }

    fn serialize_str(self, text: &str) -> Result<Value, Fault> {
        Ok(Value::from(text))
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Value, Fault> {
        Ok(Value::from(base64::engine::general_purpose::STANDARD.encode(bytes)))
    }

    fn serialize_none(self) -> Result<Value, Fault> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Fault> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Fault> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, Fault> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Value, Fault> {
        Ok(Value::from(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<Value, Fault> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, Fault> {
        Ok(Document::new().with(variant, value.serialize(self)?).into())
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<ListBuilder, Fault> {
        Ok(ListBuilder { values: Vec::with_capacity(len.unwrap_or(0)), variant: None })
    }

    fn serialize_tuple(self, len: usize) -> Result<ListBuilder, Fault> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<ListBuilder, Fault> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<ListBuilder, Fault> {
        Ok(ListBuilder { values: Vec::with_capacity(len), variant: Some(variant) })
    }

    fn serialize_map(self, len: Option<usize>) -> Result<DocumentBuilder, Fault> {
        Ok(DocumentBuilder { pairs: Vec::with_capacity(len.unwrap_or(0)), name: None, variant: None })
    }

    fn serialize_struct(self, _: &'static str, len: usize) -> Result<DocumentBuilder, Fault> {
        self.serialize_map(Some(len))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<DocumentBuilder, Fault> {
        Ok(DocumentBuilder { pairs: Vec::with_capacity(len), name: None, variant: Some(variant) })
    }
}

struct ListBuilder {
    values: Vec<Value>,
    variant: Option<&'static str>,
}

impl ListBuilder {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.values.push(value.serialize(ToValue)?);
        Ok(())
    }

    fn finish(self) -> Value {
        in_variant(self.variant, Value::Array(self.values.into_boxed_slice()))
    }
}

/// Wraps the content of an enum's variant as serde's default representation does: `{"Variant": content}`.
fn in_variant(variant: Option<&'static str>, value: Value) -> Value {
    match variant {
        Some(variant) => Document::new().with(variant, value).into(),
        None => value,
    }
}

impl ser::SerializeSeq for ListBuilder {
    type Ok = Value;
    type Error = Fault;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Fault> {
        Ok(self.finish())
    }
}

impl ser::SerializeTuple for ListBuilder {
    type Ok = Value;
    type Error = Fault;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Fault> {
        Ok(self.finish())
    }
}

impl ser::SerializeTupleStruct for ListBuilder {
    type Ok = Value;
    type Error = Fault;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Fault> {
        Ok(self.finish())
    }
}

impl ser::SerializeTupleVariant for ListBuilder {
    type Ok = Value;
    type Error = Fault;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Fault> {
        Ok(self.finish())
    }
}

struct DocumentBuilder {
    pairs: Vec<(Text, Value)>,
    name: Option<Text>,
    variant: Option<&'static str>,
}

impl DocumentBuilder {
    fn finish(self) -> Value {
        in_variant(self.variant, Value::Document(self.pairs.into_iter().collect()))
    }
}

impl ser::SerializeMap for DocumentBuilder {
    type Ok = Value;
    type Error = Fault;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        self.name = Some(name_of(key)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let name = self.name.take().unwrap_or_default();
        self.pairs.push((name, value.serialize(ToValue)?));
        Ok(())
    }

    fn end(self) -> Result<Value, Fault> {
        Ok(self.finish())
    }
}

impl ser::SerializeStruct for DocumentBuilder {
    type Ok = Value;
    type Error = Fault;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Fault> {
        self.pairs.push((name.into(), value.serialize(ToValue)?));
        Ok(())
    }

    fn end(self) -> Result<Value, Fault> {
        Ok(self.finish())
    }
}

impl ser::SerializeStructVariant for DocumentBuilder {
    type Ok = Value;
    type Error = Fault;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Fault> {
        ser::SerializeStruct::serialize_field(self, name, value)
    }

    fn end(self) -> Result<Value, Fault> {
        Ok(self.finish())
    }
}

/// Turns a map's key into a name, as JSON does: text as it is, numbers and booleans as their text.
fn name_of<T: Serialize + ?Sized>(key: &T) -> Result<Text, Fault> {
    match key.serialize(ToValue)? {
        Value::Text(text) => Ok(text),
        value @ (Value::Int(_) | Value::UInt(_) | Value::Bool(_)) => Ok(value.to_string().into()),
        other => Err(Fault(format!("a map has {} for a key", other.type_name()))),
    }
}

struct ReadFields<'a> {
    names: &'a [Text],
    slots: &'a mut [Value],
}

impl ReadFields<'_> {
    fn set<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Fault> {
        if let Some(position) = self.names.iter().position(|wanted| wanted.as_str() == name) {
            self.slots[position] = value.serialize(ToValue)?;
        }
        Ok(())
    }
}

fn not_an_object<T>() -> Result<T, Fault> {
    Err(Fault("it is not an object in JSON".to_owned()))
}

impl<'a> ser::Serializer for ReadFields<'a> {
    type Ok = ();
    type Error = Fault;
    type SerializeSeq = Impossible<(), Fault>;
    type SerializeTuple = Impossible<(), Fault>;
    type SerializeTupleStruct = Impossible<(), Fault>;
    type SerializeTupleVariant = Impossible<(), Fault>;
    type SerializeMap = ReadMap<'a>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), Fault>;

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Fault> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Fault> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        self.set(variant, value)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<ReadMap<'a>, Fault> {
        Ok(ReadMap { fields: self, name: None })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Fault> {
        Ok(self)
    }

    fn serialize_bool(self, _: bool) -> Result<(), Fault> {
        not_an_object()
    }

    fn serialize_i8(self, _: i8) -> Result<(), Fault> {
        not_an_object()
    }

    fn serialize_i16(self, _: i16) -> Result<(), Fault> {
        not_an_object()
    }

    fn serialize_i32(self, _: i32) -> Result<(), Fault> {
        not_an_object()
    }

    fn serialize_i64(self, _: i64) -> Result<(), Fault> {
        not_an_object()
    }

    fn serialize_u8(self, _: u8) -> Result<(), Fault> {
        not_an_object()
    }

    fn serialize_u16(self, _: u16) -> Result<(), Fault> {
        not_an_object()
    }

    fn serialize_u32(self, _: u32) -> Result<(), Fault> {
        not_an_object()
    }

    fn serialize_u64(self, _: u64) -> Result<(), Fault> {
        not_an_object()
    }

    fn serialize_f32(self, _: f32) -> Result<(), Fault> {
        not_an_object()
    }

    fn serialize_f64(self, _: f64) -> Result<(), Fault> {
        not_an_object()
    }

    fn serialize_char(self, _: char) -> Result<(), Fault> {
        not_an_object()
    }

    fn serialize_str(self, _: &str) -> Result<(), Fault> {
        not_an_object()
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Fault> {
        not_an_object()
    }

    fn serialize_none(self) -> Result<(), Fault> {
        not_an_object()
    }

    fn serialize_unit(self) -> Result<(), Fault> {
        not_an_object()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Fault> {
        not_an_object()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Fault> {
        not_an_object()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Fault> {
        not_an_object()
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Fault> {
        not_an_object()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Fault> {
        not_an_object()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Fault> {
        not_an_object()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Fault> {
        not_an_object()
    }
}

impl ser::SerializeStruct for ReadFields<'_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Fault> {
        self.set(name, value)
    }

    fn end(self) -> Result<(), Fault> {
        Ok(())
    }
}

struct ReadMap<'a> {
    fields: ReadFields<'a>,
    name: Option<Text>,
}

impl ser::SerializeMap for ReadMap<'_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        self.name = Some(name_of(key)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let name = self.name.take().unwrap_or_default();
        self.fields.set(&name, value)
    }

    fn end(self) -> Result<(), Fault> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Serialize)]
    enum Kind {
        Unit,
        New(u8),
        Tuple(u8, u8),
        Struct { a: u8 },
    }

    #[derive(Serialize)]
    struct Everything {
        id: u64,
        ratio: f32,
        letter: char,
        none: Option<u8>,
        kinds: Vec<Kind>,
        by_number: BTreeMap<u8, bool>,
        #[serde(flatten)]
        rest: BTreeMap<String, i128>,
    }

    fn everything() -> Everything {
        Everything {
            id: u64::MAX,
            ratio: 0.1,
            letter: 'é',
            none: None,
            kinds: vec![Kind::Unit, Kind::New(1), Kind::Tuple(1, 2), Kind::Struct { a: 3 }],
            by_number: BTreeMap::from([(7, true)]),
            rest: BTreeMap::from([("x".to_owned(), -5)]),
        }
    }

    #[test]
    fn values_are_what_json_would_be() {
        let value = to_value(&everything()).expect("a value");
        let json = serde_json::to_string(&everything()).expect("JSON");
        assert_eq!(value, serde_json::from_str(&json).expect("JSON"));
    }

    #[test]
    fn only_the_named_fields_are_read() {
        let mut slots = [Value::Bool(true), Value::Null, Value::Null];
        read_fields(&everything(), &["absent".into(), "x".into(), "letter".into()], &mut slots).expect("read");
        assert_eq!(slots, [Value::Null, Value::Int(-5), Value::from("é")]);
        assert!(read_fields("text", &[], &mut []).is_err());
    }

    #[test]
    fn what_json_cannot_say_is_an_error() {
        assert!(to_value(&BTreeMap::from([("x", i128::MAX)])).is_err());
        assert!(to_value(&BTreeMap::from([(vec![1], 1)])).is_err());
        assert_eq!(to_value(&f64::NAN).expect("null"), Value::Null);
    }
}
