//! The one order of values, MongoDB's, that sorts and comparisons follow in every store.

use std::cmp::Ordering;

use crate::{Decimal, Document, Value};

/// The kinds that are compared with one another; their order is that of values of different kinds.
///
/// See [Comparison and Sort Order](https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Bracket {
    Null,
    Number,
    Text,
    Document,
    Array,
    Bool,
}

pub(super) const fn bracket(value: &Value) -> Bracket {
    match value {
        Value::Null => Bracket::Null,
        Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Decimal(_) => Bracket::Number,
        Value::Text(_) => Bracket::Text,
        Value::Document(_) => Bracket::Document,
        Value::Array(_) => Bracket::Array,
        Value::Bool(_) => Bracket::Bool,
    }
}

impl Value {
    /// Compares two values in the order of every sort: null, numbers, text by code point, objects, lists, booleans.
    ///
    /// Numbers compare by what they are worth, exactly: `1` equals `1.0`, and nothing is rounded.
    ///
    /// ```
    /// use remex_core::Value;
    ///
    /// let mut values: Vec<Value> = vec![true.into(), "b".into(), 2.5.into(), Value::Null, 2.into(), "B".into()];
    /// values.sort_by(Value::compare);
    /// let text: Vec<String> = values.iter().map(Value::to_string).collect();
    /// assert_eq!(text.join(" "), r#"null 2 2.5 "B" "b" true"#);
    /// ```
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Bool(one), Self::Bool(other)) => one.cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            (Self::Int(one), Self::Int(other)) => one.cmp(other),
            (Self::UInt(one), Self::UInt(other)) => one.cmp(other),
            (Self::Int(one), Self::UInt(other)) => i128::from(*one).cmp(&i128::from(*other)),
            (Self::UInt(one), Self::Int(other)) => i128::from(*one).cmp(&i128::from(*other)),
            (Self::Float(one), Self::Float(other)) => float_order(*one, *other),
            (Self::Float(one), Self::Int(other)) => compare_float(*one, i128::from(*other)),
            (Self::Float(one), Self::UInt(other)) => compare_float(*one, i128::from(*other)),
            (Self::Int(one), Self::Float(other)) => compare_float(*other, i128::from(*one)).reverse(),
            (Self::UInt(one), Self::Float(other)) => compare_float(*other, i128::from(*one)).reverse(),
            (Self::Decimal(one), other) => compare_decimal(one, other),
            (one, Self::Decimal(other)) => compare_decimal(other, one).reverse(),
            (Self::Array(one), Self::Array(other)) => compare_lists(one, other),
            (Self::Document(one), Self::Document(other)) => compare_documents(one, other),
            (one, other) => bracket(one).cmp(&bracket(other)),
        }
    }

    /// Returns whether two values are equal in that order.
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        self.compare(other) == Ordering::Equal
    }
}

/// Floats in values are finite, so `-0.0` and `0.0` are the only pair on which the total order needs help.
fn float_order(one: f64, other: f64) -> Ordering {
    one.partial_cmp(&other).unwrap_or_else(|| one.total_cmp(&other))
}

/// Compares a float with an integer without rounding either.
fn compare_float(float: f64, integer: i128) -> Ordering {
    // Past these bounds the float is beyond every 64-bit integer; within them its whole part is exact in an i128.
    const BEYOND: f64 = 2e19;
    if float >= BEYOND {
        return Ordering::Greater;
    }
    if float <= -BEYOND {
        return Ordering::Less;
    }
    let whole = float.trunc();
    #[allow(clippy::cast_possible_truncation, reason = "the float is whole and within the bounds above")]
    let order = (whole as i128).cmp(&integer);
    order.then_with(|| float_order(float, whole))
}

fn compare_decimal(one: &Decimal, other: &Value) -> Ordering {
    match other {
        Value::Decimal(other) => one.compare(other),
        Value::Int(other) => one.compare(&Decimal::from(*other)),
        Value::UInt(other) => one.compare(&Decimal::from(*other)),
        Value::Float(other) => one.compare_float(*other),
        other => Bracket::Number.cmp(&bracket(other)),
    }
}

fn compare_lists(one: &[Value], other: &[Value]) -> Ordering {
    one.iter()
        .zip(other)
        .map(|(one, other)| one.compare(other))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| one.len().cmp(&other.len()))
}

/// Objects compare field by field in the order of their names, so that the order in which fields were written, which
/// not every store keeps, makes no difference.
fn compare_documents(one: &Document, other: &Document) -> Ordering {
    let sorted = |document: &Document| {
        let mut names: Vec<_> = document.names().map(str::to_owned).collect();
        names.sort_unstable();
        names
    };
    let (names, other_names) = (sorted(one), sorted(other));
    names
        .iter()
        .zip(&other_names)
        .map(|(name, other_name)| {
            name.cmp(other_name).then_with(|| one[name.as_str()].compare(&other[other_name.as_str()]))
        })
        .find(|order| order.is_ne())
        .unwrap_or_else(|| names.len().cmp(&other_names.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_never_rounded() {
        let check = |one: Value, other: Value, expected| {
            assert_eq!(one.compare(&other), expected, "{one} {other}");
            assert_eq!(other.compare(&one), expected.reverse(), "{other} {one}");
        };
        check(Value::Int(1), Value::Float(1.0), Ordering::Equal);
        check(Value::Float(-0.0), Value::Float(0.0), Ordering::Equal);
        // 2^53 + 1 is not a float; the nearest one is 2^53.
        check(Value::Int(9_007_199_254_740_993), Value::Float(9_007_199_254_740_992.0), Ordering::Greater);
        check(Value::Int(i64::MAX), Value::Float(9_223_372_036_854_775_808.0), Ordering::Less);
        check(Value::UInt(u64::MAX), Value::Float(1e300), Ordering::Less);
        check(Value::Int(-3), Value::Float(-3.5), Ordering::Greater);
        check(Value::UInt(u64::MAX), Value::Int(-1), Ordering::Greater);
        let decimal = |text: &str| Value::from(Decimal::new(text).expect("a decimal"));
        check(decimal("9.5"), decimal("10"), Ordering::Less);
        check(decimal("1.50"), decimal("1.5"), Ordering::Equal);
        check(decimal("1.50"), Value::Float(1.5), Ordering::Equal);
        check(decimal("9007199254740993"), Value::Int(9_007_199_254_740_993), Ordering::Equal);
        check(decimal("9007199254740993"), Value::Float(9_007_199_254_740_992.0), Ordering::Greater);
        check(decimal("18446744073709551615.1"), Value::UInt(u64::MAX), Ordering::Greater);
        check(decimal("1"), Value::from("0"), Ordering::Less);
        check(decimal("1"), Value::Null, Ordering::Greater);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            prop_oneof![any::<i64>(), -3..3_i64].prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            prop_oneof![any::<f64>(), Just(1.0), Just(-0.0)].prop_map(Value::from),
            "-?[0-2]{1,2}(\\.[05]{1,2})?"
                .prop_filter_map("a decimal", |text| Decimal::new(&text))
                .prop_map(Value::from),
            "[a-cA-C]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(2, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::vec(("[ab]", inner), 0..3)
                    .prop_map(|pairs| Value::Document(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_order_is_total(one in value(), two in value(), three in value()) {
            prop_assert_eq!(one.compare(&one), Ordering::Equal);
            prop_assert_eq!(one.compare(&two), two.compare(&one).reverse());
            if one.compare(&two).is_le() && two.compare(&three).is_le() {
                prop_assert!(one.compare(&three).is_le());
            }
        }
    }
}
