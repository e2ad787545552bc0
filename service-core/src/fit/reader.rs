//! [`Reader`], a serde deserializer of what a draft holds.

use std::iter::Enumerate;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::draft::{Draft, Node};
use super::fault::Fault;
use super::stand_in::{Empty, STAND_IN_TEXTS};
use crate::Value;

/// Reads a document, a value, or a draft of one. Every [`Fault`] learns its place on the way out.
pub(super) struct Reader<'a> {
    node: Node<'a>,
    /// The type whose field this is: an enum that has its own name there is a tag.
    owner: &'static str,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(node: Node<'a>) -> Self {
        Self { node, owner: "" }
    }

    fn read<'de, V: Visitor<'de>>(self, visitor: V, name: &'static str) -> Result<V::Value, Fault> {
        let value = match self.node {
            Node::Document(document) => return visitor.visit_map(Fields::new(own(document.iter()), name)),
            Node::Fields { fields, twice } => {
                let again = if twice { fields.last() } else { None };
                let fields = fields.iter().chain(again).map(|(name, draft)| (*name, draft.node()));
                return visitor.visit_map(Fields::new(fields, name));
            }
            Node::Items(items) => return visitor.visit_seq(Items(items.iter().map(Draft::node).enumerate())),
            Node::Text(text) => return visitor.visit_str(text),
            Node::Empty(_) => return visitor.visit_unit(),
            Node::Value(value) => value,
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
            Value::Decimal(decimal) => visitor.visit_str(decimal.as_str()),
            Value::Text(text) => visitor.visit_str(text),
            Value::Array(items) => visitor.visit_seq(Items(items.iter().map(Node::Value).enumerate())),
            Value::Document(document) => visitor.visit_map(Fields::new(own(document.iter()), name)),
        }
    }

    /// Returns the name and the content of the variant in an object that has nothing else.
    fn variant(&self) -> Option<(&'a str, Node<'a>)> {
        match self.node {
            Node::Fields { fields: [(name, draft)], .. } => Some((name, draft.node())),
            node => {
                let mut fields = node.fields().filter(|fields| fields.len() == 1)?;
                fields.next().map(|(name, value)| (name, Node::Value(value)))
            }
        }
    }
}

fn own<'a>(
    fields: impl ExactSizeIterator<Item = (&'a str, &'a Value)>,
) -> impl ExactSizeIterator<Item = (&'a str, Node<'a>)> {
    fields.map(|(name, value)| (name, Node::Value(value)))
}

fn read_part<'de, S: DeserializeSeed<'de>>(
    seed: S,
    name: &str,
    node: Node<'_>,
    owner: &'static str,
) -> Result<S::Value, Fault> {
    match node {
        Node::Empty(text) => seed.deserialize(Empty { text: STAND_IN_TEXTS[text], owner }),
        node => seed.deserialize(Reader { node, owner }),
    }
    .map_err(|fault| fault.at(name))
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.read(visitor, "")
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        use base64::Engine;
        // Text is how a document holds binary.
        if let Some(text) = self.node.as_text() {
            return match base64::engine::general_purpose::STANDARD.decode(text.as_bytes()) {
                Ok(bytes) => visitor.visit_byte_buf(bytes),
                Err(_) => Err(de::Error::custom("expected base64")),
            };
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.node.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.read(visitor, name)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if let Some(text) = self.node.as_text() {
            // An enum whose tag and content are two fields is read as a struct of its name, and so is its tag.
            let outcome = visitor.visit_enum(text.into_deserializer());
            return outcome.map_err(|fault: Fault| if name == self.owner { fault.of_tag() } else { fault });
        }
        match self.variant() {
            Some((variant, content)) => visitor.visit_enum(Variant { variant, content }),
            None => match self.node {
                Node::Value(value) if self.node.fields().is_none() => Err(de::Error::custom(format_args!(
                    "expected a variant's name or an object with one, found {}",
                    value.type_name()
                ))),
                _ => {
                    Err(de::Error::invalid_value(de::Unexpected::Map, &"an object with one field, the variant's name"))
                }
            },
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        // A name that is a value, too, is the tag of an enum.
        self.deserialize_any(visitor).map_err(Fault::of_tag)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string unit unit_struct seq tuple tuple_struct map
    }
}

struct Fields<'a, I> {
    fields: I,
    value: Option<(&'a str, Node<'a>)>,
    owner: &'static str,
}

impl<I> Fields<'_, I> {
    const fn new(fields: I, owner: &'static str) -> Self {
        Self { fields, value: None, owner }
    }
}

impl<'de, 'a, I: Iterator<Item = (&'a str, Node<'a>)>> MapAccess<'de> for Fields<'a, I> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.value = self.fields.next();
        match self.value {
            Some((name, _)) => seed.deserialize(StrDeserializer::<Fault>::new(name)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        match self.value.take() {
            Some((name, node)) => read_part(seed, name, node, self.owner),
            None => Err(de::Error::custom("a value was asked for before its name")),
        }
    }
}

struct Items<I>(Enumerate<I>);

impl<'de, 'a, I: ExactSizeIterator<Item = Node<'a>>> SeqAccess<'de> for Items<I> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Some((position, node)) = self.0.next() else { return Ok(None) };
        let outcome = match node {
            Node::Empty(text) => seed.deserialize(Empty { text: STAND_IN_TEXTS[text], owner: "" }),
            node => seed.deserialize(Reader::new(node)),
        };
        outcome.map(Some).map_err(|fault| fault.at(&position.to_string()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Variant<'a> {
    variant: &'a str,
    content: Node<'a>,
}

impl<'a, 'de> EnumAccess<'de> for Variant<'a> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Fault> {
        let variant = seed.deserialize(StrDeserializer::<Fault>::new(self.variant))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match self.content {
            Node::Empty(_) => Ok(()),
            content if content.is_null() => Ok(()),
            _ => Err(Fault::at(de::Error::custom("expected no content for this variant"), self.variant)),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fault> {
        read_part(seed, self.variant, self.content, "")
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Fault> {
        match self.content {
            Node::Empty(text) => Empty { text: STAND_IN_TEXTS[text], owner: "" }.deserialize_tuple(len, visitor),
            content => Reader::new(content).deserialize_tuple(len, visitor),
        }
        .map_err(|fault| fault.at(self.variant))
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        match self.content {
            Node::Empty(text) => {
                Empty { text: STAND_IN_TEXTS[text], owner: "" }.deserialize_struct("", fields, visitor)
            }
            content => Reader::new(content).deserialize_struct("", fields, visitor),
        }
        .map_err(|fault| fault.at(self.variant))
    }
}
