//! [`Glance`]: the fields of a record that a plan looks at, so that the others need not be unpacked.

use std::sync::Arc;

use remex_core::{Document, Plan, Shape, Value};

use crate::records::Record;

/// Unpacks the fields that a plan filters and sorts by, of one record after the other, into the same document.
///
/// A field that a record does not have is null there, which is the same to filters and sorts.
#[derive(Debug)]
pub(crate) struct Glance {
    seen: Document,
    /// The names of the record that was seen last.
    shape: Option<Arc<Shape>>,
    /// For the values of a record with these names, as far as they matter: which field of `seen` each is, if any.
    places: Vec<Option<usize>>,
}

impl Glance {
    pub(crate) fn new(plan: &Plan<'_>) -> Self {
        let mut names = Vec::new();
        plan.filter.each_path(&mut |path| names.push(path.first()));
        names.extend(plan.sort.iter().map(|key| key.path.first()));
        let seen = names.into_iter().map(|name| (name, Value::Null)).collect();
        Self { seen, shape: None, places: Vec::new() }
    }

    /// Looks at a record.
    pub(crate) fn at(&mut self, record: Record<'_>) -> &Document {
        if self.seen.is_empty() {
            return &self.seen;
        }
        let mut reader = record.reader();
        let Some(shape) = reader.shape() else {
            self.shape = None;
            let document = record.document();
            self.seen = self.seen.names().map(|name| (name, document[name].clone())).collect();
            return &self.seen;
        };
        if !self.shape.as_ref().is_some_and(|known| Arc::ptr_eq(known, shape)) {
            self.learn(shape);
        }
        let values = self.seen.values_mut();
        for place in &self.places {
            match place {
                Some(place) => values[*place] = reader.value(),
                None => reader.skip(),
            }
        }
        &self.seen
    }

    /// Finds out where in records with these names the fields are.
    fn learn(&mut self, shape: &Arc<Shape>) {
        self.seen.values_mut().fill(Value::Null);
        self.shape = Some(shape.clone());
        self.places = shape.names().iter().map(|name| self.seen.shape().position(name)).collect();
        let matter = self.places.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        self.places.truncate(matter);
    }
}

#[cfg(test)]
mod tests {
    use remex_core::{Description, Filter, Intent, Options, Params, Query};

    use super::*;
    use crate::key::Key;
    use crate::records::Records;

    #[test]
    fn what_is_seen_is_what_the_record_holds() {
        let description = Description::new(Options::new("things")).expect("options");
        let query = Query::new().filter(Filter::eq("a", 1).or(Filter::eq("b.c", 1))).sort("d").sort("a");
        let params = Params::from(query);
        let mut glance = Glance::new(&description.plan(Intent::Index, &params).expect("a plan"));

        // More lists of names than are shared, with the fields at various places, or not there.
        let mut records = Records::default();
        for number in 0..1000_i64 {
            let names = ["a", "b", "d", "other"];
            let pairs = (0..number % 5).map(|at| (names[((number + at) % 4) as usize].to_owned(), number * at));
            let document: Document = [(format!("f{}", number % 400), 0)].into_iter().chain(pairs).collect();
            records.insert(Key::Integer(number), &document);
        }
        for record in records.behind(None) {
            let (seen, document) = (glance.at(record).clone(), record.document());
            assert_eq!(seen.names().collect::<Vec<_>>(), ["a", "b", "d"]);
            assert!(seen.iter().all(|(name, value)| *value == document[name]), "{seen:?} of {document:?}");
        }
    }
}
