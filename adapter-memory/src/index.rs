//! [`FieldIndex`]: the records in the order of what one field holds.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Bound;

use remex_core::{Direction, Document, Text, Value};

use crate::key::Key;

/// A value in the order of sorts.
#[derive(Clone, Debug)]
pub(crate) struct Ordered(pub(crate) Value);

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.compare(&other.0)
    }
}

/// A place in an index.
pub(crate) type Place = (Ordered, Slot);

/// Where among the records that hold one value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slot {
    /// Before all of them.
    Front,
    /// At this one.
    At(Key),
    /// Behind all of them.
    Back,
}

impl Slot {
    pub(crate) const fn key(&self) -> Option<&Key> {
        match self {
            Self::At(key) => Some(key),
            Self::Front | Self::Back => None,
        }
    }
}

/// The records in the order of what one field holds, ties by id.
///
/// Every record is in it, one without the field under null. A record with a list stands under the list and under each of
/// its elements, since an equality with one of them is to find it.
#[derive(Clone, Debug)]
pub(crate) struct FieldIndex {
    pub(crate) field: Text,
    pub(crate) unique: bool,
    places: BTreeSet<Place>,
    /// How many records hold a list. While there is one, the index has records in several places and is no sort.
    lists: usize,
}

impl FieldIndex {
    pub(crate) const fn new(field: Text, unique: bool) -> Self {
        Self { field, unique, places: BTreeSet::new(), lists: 0 }
    }

    /// Returns whether every record is in exactly one place.
    pub(crate) const fn is_sort(&self) -> bool {
        self.lists == 0
    }

    pub(crate) fn add(&mut self, key: &Key, record: &Document) {
        let value = &record[&self.field];
        self.places.insert((Ordered(value.clone()), Slot::At(key.clone())));
        if let Value::Array(elements) = value {
            self.lists += 1;
            for element in elements {
                self.places.insert((Ordered(element.clone()), Slot::At(key.clone())));
            }
        }
    }

    pub(crate) fn remove(&mut self, key: &Key, record: &Document) {
        let value = &record[&self.field];
        self.places.remove(&(Ordered(value.clone()), Slot::At(key.clone())));
        if let Value::Array(elements) = value {
            self.lists -= 1;
            for element in elements {
                self.places.remove(&(Ordered(element.clone()), Slot::At(key.clone())));
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.places.clear();
        self.lists = 0;
    }

    /// Lists the records that stand under a value.
    pub(crate) fn equal<'a>(&'a self, value: &Value) -> impl Iterator<Item = &'a Key> + use<'a> {
        let value = Ordered(value.clone());
        self.places
            .range((Bound::Included((value.clone(), Slot::Front)), Bound::Unbounded))
            .take_while(move |(other, _)| *other == value)
            .filter_map(|(_, slot)| slot.key())
    }

    /// Lists the records that stand between two values, those included or not as the bounds say.
    pub(crate) fn between(&self, bounds: &Bounds) -> impl Iterator<Item = &Key> {
        let upper = bounds.upper.clone();
        self.places
            .range((bounds.start(), Bound::Unbounded))
            .take_while(move |(value, _)| below(value, &upper))
            .filter_map(|(_, slot)| slot.key())
    }

    /// Lists up to `count` places of a sort that come behind `from`, within the bounds.
    pub(crate) fn walk(&self, direction: Direction, bounds: &Bounds, from: Option<&Place>, count: usize) -> Vec<Place> {
        let mut found = Vec::new();
        match direction {
            Direction::Ascending => {
                let start = from.map_or_else(|| bounds.start(), |place| Bound::Excluded(place.clone()));
                let places = self.places.range((start, Bound::Unbounded));
                found.extend(places.take_while(|(value, _)| below(value, &bounds.upper)).take(count).cloned());
            }
            Direction::Descending => {
                // Values go down, but the ids of equal ones go up: one value after the other, each from its front.
                let mut rest = match from {
                    Some(place) => {
                        let (value, _) = place;
                        let same = self.places.range((Bound::Excluded(place.clone()), Bound::Unbounded));
                        found.extend(same.take_while(|(other, _)| other == value).take(count).cloned());
                        Bound::Excluded((value.clone(), Slot::Front))
                    }
                    None => bounds.end(),
                };
                while found.len() < count {
                    let Some((value, _)) = self.places.range((Bound::Unbounded, rest)).next_back() else { break };
                    if !bounds.above_lower(value) {
                        break;
                    }
                    let front = (value.clone(), Slot::Front);
                    let same = self.places.range((Bound::Included(front.clone()), Bound::Unbounded));
                    found.extend(same.take_while(|(other, _)| other == value).take(count - found.len()).cloned());
                    rest = Bound::Excluded(front);
                }
            }
        }
        found
    }
}

/// Between which values a field has to lie.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    pub(crate) lower: Bound<Ordered>,
    pub(crate) upper: Bound<Ordered>,
}

impl Bounds {
    pub(crate) const NONE: Self = Self { lower: Bound::Unbounded, upper: Bound::Unbounded };

    fn start(&self) -> Bound<Place> {
        match &self.lower {
            Bound::Included(value) => Bound::Included((value.clone(), Slot::Front)),
            Bound::Excluded(value) => Bound::Excluded((value.clone(), Slot::Back)),
            Bound::Unbounded => Bound::Unbounded,
        }
    }

    fn end(&self) -> Bound<Place> {
        match &self.upper {
            Bound::Included(value) => Bound::Excluded((value.clone(), Slot::Back)),
            Bound::Excluded(value) => Bound::Excluded((value.clone(), Slot::Front)),
            Bound::Unbounded => Bound::Unbounded,
        }
    }

    fn above_lower(&self, value: &Ordered) -> bool {
        match &self.lower {
            Bound::Included(bound) => value >= bound,
            Bound::Excluded(bound) => value > bound,
            Bound::Unbounded => true,
        }
    }
}

fn below(value: &Ordered, upper: &Bound<Ordered>) -> bool {
    match upper {
        Bound::Included(bound) => value <= bound,
        Bound::Excluded(bound) => value < bound,
        Bound::Unbounded => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> FieldIndex {
        let mut index = FieldIndex::new("age".into(), false);
        for (id, age) in [(1, Some(30)), (2, None), (3, Some(20)), (4, Some(30)), (5, Some(10))] {
            index.add(&Key::Integer(id), &age.map(|age| ("age", age)).into_iter().collect());
        }
        index
    }

    fn ids(places: &[Place]) -> Vec<i64> {
        places.iter().map(|(_, slot)| if let Slot::At(Key::Integer(id)) = slot { *id } else { 0 }).collect()
    }

    #[test]
    fn a_walk_in_pieces_is_the_sort_with_ties_by_id() {
        let index = index();
        for (direction, expected) in [(Direction::Ascending, [2, 5, 3, 1, 4]), (Direction::Descending, [1, 4, 3, 5, 2])]
        {
            for piece in 1..=6 {
                let (mut from, mut found) = (None, Vec::new());
                loop {
                    let places = index.walk(direction, &Bounds::NONE, from.as_ref(), piece);
                    let Some(last) = places.last() else { break };
                    from = Some(last.clone());
                    found.extend(ids(&places));
                }
                assert_eq!(found, expected, "{direction:?} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn bounds_hold_in_both_directions() {
        let index = index();
        let bounds =
            Bounds { lower: Bound::Excluded(Ordered(10.into())), upper: Bound::Included(Ordered(Value::Float(30.0))) };
        assert_eq!(ids(&index.walk(Direction::Ascending, &bounds, None, 9)), [3, 1, 4]);
        assert_eq!(ids(&index.walk(Direction::Descending, &bounds, None, 9)), [1, 4, 3]);
        assert_eq!(index.between(&bounds).count(), 3);
        assert_eq!(index.equal(&Value::Int(30)).count(), 2);
        assert_eq!(index.equal(&Value::Null).count(), 1);
    }

    #[test]
    fn lists_are_found_by_their_elements() {
        let mut index = index();
        let record = Document::new().with("age", vec![Value::from(10), 77.into()]);
        index.add(&Key::Integer(9), &record);
        assert_eq!(index.equal(&Value::Int(77)).count(), 1);
        assert_eq!(index.equal(&Value::Int(10)).count(), 2);
        assert!(!index.is_sort());
        index.remove(&Key::Integer(9), &record);
        assert!(index.is_sort());
        assert_eq!(index.equal(&Value::Int(77)).count(), 0);
    }
}
