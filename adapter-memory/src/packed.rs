//! Documents as text and back: how records are kept, in a fraction of the memory that their values would take.
//!
//! A value begins with a head, an ASCII character: three bits for its kind and four for a number up to 5, or for how many
//! characters behind the head hold the number, with seven bits each.
//!
//! | kind | value | number | behind the head |
//! | --- | --- | --- | --- |
//! | 0 | null, false, true | 0, 1, 2 | |
//! | 0 | a decimal | 3 | its digits, as a text |
//! | 1 | an integer from 0 on | the integer | |
//! | 2 | an integer below 0 | -1 minus the integer | |
//! | 3 | a float | its bits, the last byte first, since these are often zero | |
//! | 4 | a text | its length in bytes | the text |
//! | 5 | a list | how many values | the values |
//! | 6 | an object with names of its own | how many fields | a name, as a text, and a value for each |
//! | 7 | an object with shared names | the names' place among the [`Shapes`] | the values |
//!
//! So most integers take one to four bytes and a text one or two more than its own. Nothing is rounded: what is unpacked
//! is what was packed. As the whole is text, texts are read out of it without a look at each of their bytes.

use std::sync::Arc;

use remex_core::{Decimal, Document, Shape, Value, write_json_text};

const SIMPLE: u8 = 0;
const NATURAL: u8 = 1;
const NEGATIVE: u8 = 2;
const FLOAT: u8 = 3;
const TEXT: u8 = 4;
const LIST: u8 = 5;
const OBJECT: u8 = 6;
const SHAPED: u8 = 7;

const NULL: u64 = 0;
const FALSE: u64 = 1;
const TRUE: u64 = 2;
const DECIMAL: u64 = 3;

/// The largest number that the head itself holds.
const SMALL_MAX: u64 = 5;

/// Lists of names that packed documents share, found by their place; more may come, but none goes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shapes(Vec<Arc<Shape>>);

/// How many lists of names are shared at most. Names may come from clients, so there must be an end; a document past it
/// keeps its names to itself and takes more memory, nothing else.
const SHAPES_MAX: usize = 256;

/// How many of them objects inside records may take: these may be maps with other names in every record.
const SHAPES_INSIDE_MAX: usize = 128;

/// How long a shared list of names may be, all names together. It is kept even when no record has these names any more.
const NAMES_BYTES_MAX: usize = 4096;

impl Shapes {
    /// Returns the place of a shape, which is added if it is new and there is room.
    fn place(shapes: &mut Arc<Self>, shape: &Arc<Shape>, max: usize) -> Option<usize> {
        let place = shapes.0.iter().position(|known| Arc::ptr_eq(known, shape));
        let room =
            shapes.0.len() < max && shape.names().iter().map(|name| name.len()).sum::<usize>() <= NAMES_BYTES_MAX;
        if place.is_some() || !room {
            return place;
        }
        let shapes = Arc::make_mut(shapes);
        shapes.0.push(shape.clone());
        Some(shapes.0.len() - 1)
    }

    fn at(&self, place: u64) -> &Arc<Shape> {
        &self.0[place as usize]
    }
}

/// Writes a document behind what is in the buffer.
pub(crate) fn pack(document: &Document, shapes: &mut Arc<Shapes>, packed: &mut String) {
    pack_object(document, shapes, SHAPES_MAX, packed);
}

fn pack_object(document: &Document, shapes: &mut Arc<Shapes>, shapes_max: usize, packed: &mut String) {
    if let Some(place) = Shapes::place(shapes, document.shape(), shapes_max) {
        pack_head(SHAPED, place as u64, packed);
        for value in document.values() {
            pack_value(value, shapes, packed);
        }
    } else {
        pack_head(OBJECT, document.len() as u64, packed);
        for (name, value) in document.iter() {
            pack_text(name, packed);
            pack_value(value, shapes, packed);
        }
    }
}

fn pack_value(value: &Value, shapes: &mut Arc<Shapes>, packed: &mut String) {
    match value {
        Value::Null => pack_head(SIMPLE, NULL, packed),
        Value::Bool(flag) => pack_head(SIMPLE, if *flag { TRUE } else { FALSE }, packed),
        Value::Int(number @ 0..) => pack_head(NATURAL, number.cast_unsigned(), packed),
        Value::Int(number) => pack_head(NEGATIVE, (-1 - number).cast_unsigned(), packed),
        Value::UInt(number) => pack_head(NATURAL, *number, packed),
        Value::Float(number) => pack_head(FLOAT, number.to_bits().swap_bytes(), packed),
        Value::Decimal(decimal) => {
            pack_head(SIMPLE, DECIMAL, packed);
            pack_text(decimal.as_str(), packed);
        }
        Value::Text(text) => pack_text(text, packed),
        Value::Array(values) => {
            pack_head(LIST, values.len() as u64, packed);
            for value in values {
                pack_value(value, shapes, packed);
            }
        }
        Value::Document(document) => pack_object(document, shapes, SHAPES_INSIDE_MAX, packed),
    }
}

fn pack_text(text: &str, packed: &mut String) {
    pack_head(TEXT, text.len() as u64, packed);
    packed.push_str(text);
}

fn pack_head(kind: u8, number: u64, packed: &mut String) {
    if number <= SMALL_MAX {
        packed.push(ascii(u64::from(kind) << 4 | number));
        return;
    }
    let digits = (u64::BITS - number.leading_zeros()).div_ceil(7);
    packed.push(ascii(u64::from(kind) << 4 | (SMALL_MAX + u64::from(digits))));
    for digit in (0..digits).rev() {
        packed.push(ascii(number >> (7 * digit)));
    }
}

/// Returns the character of the lowest seven bits.
fn ascii(bits: u64) -> char {
    char::from(bits as u8 & 0x7f)
}

/// Reads a packed document, value by value.
///
/// It trusts what it reads: it was packed here, and is read with the same shapes or with those that came of them.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    packed: &'a str,
    at: usize,
    shapes: &'a Shapes,
}

impl<'a> Reader<'a> {
    /// Reads a document that begins somewhere in a text.
    pub(crate) const fn new(packed: &'a str, at: usize, shapes: &'a Shapes) -> Self {
        Self { packed, at, shapes }
    }

    /// Reads the document.
    pub(crate) fn document(mut self) -> Document {
        match self.value() {
            Value::Document(document) => document,
            other => unreachable!("{} where a document was packed", other.type_name()),
        }
    }

    /// Enters the document, if its names are shared, and returns them; its values come next.
    pub(crate) fn shape(&mut self) -> Option<&'a Arc<Shape>> {
        let (kind, number) = self.head();
        (kind == SHAPED).then(|| self.shapes.at(number))
    }

    /// Reads the next value.
    pub(crate) fn value(&mut self) -> Value {
        let (kind, number) = self.head();
        match kind {
            TEXT => self.text(number).into(),
            LIST => (0..number).map(|_| self.value()).collect::<Vec<_>>().into(),
            OBJECT => Value::Document((0..number).map(|_| (self.name(), self.value())).collect()),
            SHAPED => {
                let shape = self.shapes.at(number);
                let values = shape.names().iter().map(|_| self.value()).collect();
                Value::Document(Document::from_shape(shape.clone(), values))
            }
            SIMPLE => match number {
                FALSE => Value::Bool(false),
                TRUE => Value::Bool(true),
                DECIMAL => Decimal::new(self.name()).map_or(Value::Null, Value::Decimal),
                _ => Value::Null,
            },
            NATURAL => i64::try_from(number).map_or(Value::UInt(number), Value::Int),
            NEGATIVE => Value::Int(negative(number)),
            _ => Value::Float(float(number)),
        }
    }

    /// Goes past the next value.
    pub(crate) fn skip(&mut self) {
        let (kind, number) = self.head();
        let values = match kind {
            TEXT => {
                self.at += number as usize;
                return;
            }
            LIST => number,
            OBJECT => 2 * number,
            SHAPED => self.shapes.at(number).names().len() as u64,
            SIMPLE if number == DECIMAL => 1,
            _ => return,
        };
        for _ in 0..values {
            self.skip();
        }
    }

    /// Writes the next value as the JSON that would be made of it unpacked.
    pub(crate) fn write_json(&mut self, json: &mut Vec<u8>) -> serde_json::Result<()> {
        let (kind, number) = self.head();
        match kind {
            TEXT => write_json_text(self.text(number), json)?,
            LIST => {
                json.push(b'[');
                for at in 0..number {
                    if at > 0 {
                        json.push(b',');
                    }
                    self.write_json(json)?;
                }
                json.push(b']');
            }
            OBJECT => {
                json.push(b'{');
                for at in 0..number {
                    if at > 0 {
                        json.push(b',');
                    }
                    write_json_text(self.name(), json)?;
                    json.push(b':');
                    self.write_json(json)?;
                }
                json.push(b'}');
            }
            SHAPED => {
                json.push(b'{');
                for (at, key) in self.shapes.at(number).json_keys().iter().enumerate() {
                    if at > 0 {
                        json.push(b',');
                    }
                    json.extend_from_slice(key.as_bytes());
                    self.write_json(json)?;
                }
                json.push(b'}');
            }
            SIMPLE if number == DECIMAL => write_json_text(self.name(), json)?,
            SIMPLE => json.extend_from_slice(match number {
                FALSE => b"false",
                TRUE => b"true",
                _ => b"null",
            }),
            NATURAL => serde_json::to_writer(json, &number)?,
            NEGATIVE => serde_json::to_writer(json, &negative(number))?,
            _ => serde_json::to_writer(json, &float(number))?,
        }
        Ok(())
    }

    fn name(&mut self) -> &'a str {
        let (_, length) = self.head();
        self.text(length)
    }

    fn text(&mut self, length: u64) -> &'a str {
        let start = self.at;
        // It was the length of a text in memory, so it fits.
        self.at += length as usize;
        &self.packed[start..self.at]
    }

    /// Reads a head: the kind and the number.
    fn head(&mut self) -> (u8, u64) {
        let bytes = self.packed.as_bytes();
        let (kind, small) = (bytes[self.at] >> 4, u64::from(bytes[self.at] & 0b1111));
        self.at += 1;
        if small <= SMALL_MAX {
            return (kind, small);
        }
        let digits = &bytes[self.at..][..(small - SMALL_MAX) as usize];
        self.at += digits.len();
        (kind, digits.iter().fold(0, |number, digit| number << 7 | u64::from(*digit)))
    }
}

const fn negative(number: u64) -> i64 {
    -1 - number.cast_signed()
}

const fn float(number: u64) -> f64 {
    f64::from_bits(number.swap_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packed(document: &Document, shapes: &mut Arc<Shapes>) -> String {
        let mut packed = String::new();
        pack(document, shapes, &mut packed);
        packed
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            prop_oneof![any::<i64>(), -70_000..70_000_i64, -30..30_i64].prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            prop_oneof![any::<f64>(), any::<f32>().prop_map(f64::from), Just(1.0), Just(-0.0)].prop_map(Value::from),
            "-?[0-9]{1,9}\\.[0-9]{1,40}".prop_filter_map("a decimal", |text| Decimal::new(&text)).prop_map(Value::from),
            prop_oneof![".{0,3}", "[a-z\"\\\\]{20,70}", Just("é".repeat(200))].prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..30).prop_map(Value::from),
                document(inner).prop_map(Value::from),
            ]
        })
    }

    fn document(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Document> {
        prop::collection::vec(("[a-c\"é]{0,2}", value), 0..6).prop_map(|pairs| pairs.into_iter().collect())
    }

    /// Tells apart what `==` does not: the order of fields, and -0.0 from 0.0.
    fn exact(document: &Document) -> String {
        format!("{document:?}")
    }

    proptest! {
        #[test]
        fn what_is_unpacked_is_what_was_packed(documents in prop::collection::vec(document(value()), 1..4)) {
            for max in [0, 1, SHAPES_MAX] {
                let mut shapes = Arc::default();
                let mut packed = String::new();
                let mut places = vec![0];
                for document in &documents {
                    pack_object(document, &mut shapes, max, &mut packed);
                    places.push(packed.len());
                }
                for (document, place) in documents.iter().zip(places.windows(2)) {
                    let reader = Reader::new(&packed, place[0], &shapes);
                    let mut json = Vec::new();
                    reader.clone().write_json(&mut json).expect("JSON");
                    prop_assert_eq!(String::from_utf8(json).expect("text"), document.to_string());
                    let mut rest = reader.clone();
                    rest.skip();
                    prop_assert_eq!(rest.at, place[1]);
                    let unpacked = reader.document();
                    prop_assert_eq!(&unpacked, document);
                    prop_assert_eq!(exact(&unpacked), exact(document));
                }
            }
        }
    }

    #[test]
    fn values_take_few_bytes() {
        let check = |value: Value, expected: usize| {
            let document = Document::new().with("a", value);
            let packed = packed(&document, &mut Arc::default());
            // The first byte is the head of the document.
            assert_eq!(packed.len(), 1 + expected, "{document}");
        };
        check(Value::Null, 1);
        check(true.into(), 1);
        check(5.into(), 1);
        check((-6).into(), 1);
        check(127.into(), 2);
        check(1_000_000.into(), 4);
        check(i64::MIN.into(), 10);
        check(u64::MAX.into(), 11);
        check(0.0.into(), 1);
        check(1.5.into(), 4);
        check(f64::from(0.1_f32).into(), 7);
        check(0.1.into(), 11);
        check("Alice".into(), 6);
        check(vec![Value::from(1), "b".into()].into(), 4);
        check(Document::new().with("b", 1).into(), 2);
    }

    #[test]
    fn shapes_have_an_end() {
        let mut shapes = Arc::default();
        for number in 0..2 * SHAPES_MAX {
            let inner = Document::new().with(&format!("inside{number}"), 1);
            let document = Document::new().with("inside", inner);
            assert_eq!(Reader::new(&packed(&document, &mut shapes), 0, &shapes).document(), document);
        }
        assert_eq!(shapes.0.len(), SHAPES_INSIDE_MAX);
        for number in 0..2 * SHAPES_MAX {
            let document = Document::new().with(&format!("outside{number}"), 1);
            assert_eq!(Reader::new(&packed(&document, &mut shapes), 0, &shapes).document(), document);
        }
        assert_eq!(shapes.0.len(), SHAPES_MAX);
        let mut shapes = Arc::default();
        let document = Document::new().with(&"a".repeat(NAMES_BYTES_MAX + 1), 1);
        assert_eq!(Reader::new(&packed(&document, &mut shapes), 0, &shapes).document(), document);
        assert!(shapes.0.is_empty());
    }
}
