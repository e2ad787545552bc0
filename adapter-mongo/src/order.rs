//! Sorts and cursors as BSON. Pure: nothing here speaks to a database.
//!
//! MongoDB sorts a field that holds a list by one of its elements, while records are sorted by the list as a whole. A field
//! that is known to hold no list is sorted by as it is, along an index if there is one. For any other the server works out
//! a key: an object with the value in it, since a list within an object is compared as a whole.
//!
//! What is left are objects, whose order in MongoDB is that of their fields as they were written. All objects stand
//! together in both orders, so it is their order among one another that is put right, by whoever reads them: see
//! [`Order::is_unsettled`].

use mongodb::bson::{Bson, Document, doc};
use remex_core::{Cursor, Description, Direction, FieldType, Path, Plan, Sort};

use crate::query::{Comparison, Place, Said, holds_object, not_null, place};
use crate::spelled::{id_to_bson, spelled};
use crate::value::to_bson;

/// In which order documents come from the server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Order {
    /// By fields as they are.
    Plain(Document),
    /// By keys that the server works out: the stage that does it, and the sort.
    Keyed(Document, Document),
}

/// The name of a document beside its keys.
const DOCUMENT: &str = "d";

impl Order {
    pub(crate) fn of(description: &Description, plan: &Plan<'_>) -> Self {
        if plan.sort.iter().all(|key| is_plain(description, &key.path)) {
            return Self::Plain(plain(description, plan.sort));
        }
        let (mut keys, mut sort) = (Document::new(), Document::new());
        for (position, Sort { path, direction }) in plan.sort.iter().enumerate() {
            let name = key_name(position);
            keys.insert(name.clone(), key(description, path));
            sort.insert(name, sign(*direction));
        }
        keys.insert(DOCUMENT, "$$ROOT");
        sort.insert(format!("{DOCUMENT}._id"), 1);
        Self::Keyed(keys, sort)
    }

    /// Returns the stages that put documents in order behind a place, and take a window of them.
    pub(crate) fn stages(
        &self,
        filter: Document,
        after: Option<Document>,
        skip: u64,
        limit: Option<u64>,
    ) -> Vec<Document> {
        let mut stages = vec![doc! { "$match": filter }];
        let Self::Keyed(keys, sort) = self else { return stages };
        stages.push(doc! { "$project": keys.clone() });
        stages.extend(after.map(|after| doc! { "$match": { "$expr": after } }));
        stages.push(doc! { "$sort": sort.clone() });
        if skip > 0 {
            stages.push(doc! { "$skip": bounded(skip) });
        }
        // A limit of zero is none that the server takes; nobody asks for it.
        stages.extend(limit.map(|limit| doc! { "$limit": bounded(limit).max(1) }));
        stages.push(doc! { "$replaceWith": format!("${DOCUMENT}") });
        stages
    }

    /// Returns whether two neighbours may be in the wrong order, as far as the server knows: whether objects decide.
    pub(crate) fn is_unsettled(&self, sort: &[Sort], one: &remex_core::Document, other: &remex_core::Document) -> bool {
        if matches!(self, Self::Plain(_)) {
            return false;
        }
        for key in sort {
            let (one, other) = (key.value_in(one), key.value_in(other));
            if holds_object(one) && holds_object(other) {
                return true;
            }
            if !one.equals(other) {
                return false;
            }
        }
        false
    }
}

/// Servers count in 64 bits with a sign.
pub(crate) fn bounded(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

const fn sign(direction: Direction) -> i32 {
    match direction {
        Direction::Ascending => 1,
        Direction::Descending => -1,
    }
}

fn key_name(position: usize) -> String {
    format!("k{position}")
}

/// Returns whether a path leads to values that the server sorts as records are sorted: those of a declared type that is
/// neither list nor object.
fn is_plain(description: &Description, path: &Path) -> bool {
    let declared = |fields: &remex_core::Fields| fields.find_path(path).map(|field| field.kind);
    match place(description, path) {
        Place::Id | Place::Nowhere => true,
        Place::Field(_) => description.fields().and_then(declared).is_some_and(|kind| kind != FieldType::Json),
    }
}

fn plain(description: &Description, sort: &[Sort]) -> Document {
    let mut document = Document::new();
    for Sort { path, direction } in sort {
        let name = match place(description, path) {
            Place::Id => "_id",
            Place::Field(path) => path,
            Place::Nowhere => continue,
        };
        // A field that comes a second time has nothing left to decide.
        if !document.contains_key(name) {
            document.insert(name, sign(*direction));
        }
    }
    if !document.contains_key("_id") {
        document.insert("_id", 1);
    }
    document
}

/// What records are sorted by, as an expression of the server.
fn key(description: &Description, path: &Path) -> Bson {
    let path = match place(description, path) {
        Place::Id => return Bson::from(doc! { "v": "$_id" }),
        Place::Nowhere => return Bson::from(doc! { "v": Bson::Null }),
        Place::Field(path) => path,
    };
    let reached = format!("${path}");
    let mut branches = Vec::new();
    // A list on the way is the end of it: sorts do not go into its elements.
    let steps = path.match_indices('.').map(|(end, _)| &path[..end]);
    branches.extend(steps.map(|step| doc! { "case": { "$isArray": format!("${step}") }, "then": Bson::Null }));
    let value = doc! { "$ifNull": [reached, Bson::Null] };
    match branches.is_empty() {
        true => Bson::from(doc! { "v": value }),
        false => Bson::from(doc! { "v": { "$switch": { "branches": branches, "default": value } } }),
    }
}

/// Says that records come behind the place where the page before ended.
pub(crate) fn say_after(description: &Description, order: &Order, sort: &[Sort], cursor: &Cursor) -> Said {
    // Objects, whose order is not the server's, are left to whoever reads them.
    if matches!(order, Order::Keyed(..)) && cursor.values().iter().any(holds_object) {
        return Said::AtLeast(Document::new());
    }
    // A text that a date, an id or a UUID is read as may have been one, and is neither before nor behind these to the server.
    if cursor.values().iter().any(|value| value.as_str().is_some_and(|text| spelled(text).is_some())) {
        return Said::AtLeast(Document::new());
    }
    let id = id_to_bson(description.id_kind(), cursor.id());
    match order {
        Order::Plain(_) => plain_after(description, sort, cursor, id),
        Order::Keyed(..) => Said::Exactly(keyed_after(description, sort, cursor, id)),
    }
}

/// One branch for each key: all before it equal, and it comes behind; at last the id.
fn plain_after(description: &Description, sort: &[Sort], cursor: &Cursor, id: Option<Bson>) -> Said {
    let mut branches = Vec::new();
    let mut equal: Vec<Document> = Vec::new();
    let mut decided_by_id = false;
    for (Sort { path, direction }, value) in sort.iter().zip(cursor.values()) {
        let (name, bson) = match place(description, path) {
            Place::Nowhere => continue,
            Place::Field(path) => (path, Some(to_bson(value))),
            Place::Id => ("_id", id_to_bson(description.id_kind(), value)),
        };
        let Some(bson) = bson else { return Said::AtLeast(Document::new()) };
        let branch = |behind: Document| doc! { "$and": equal.iter().cloned().chain([behind]).collect::<Vec<_>>() };
        match (direction, value.is_null()) {
            (Direction::Ascending, true) => branches.push(branch(not_null(name))),
            (Direction::Ascending, false) => {
                branches.push(branch(doc! { name: { Comparison::Greater.operator(): bson.clone() } }));
            }
            (Direction::Descending, true) => {}
            (Direction::Descending, false) => {
                let less = doc! { name: { Comparison::Less.operator(): bson.clone() } };
                branches.push(branch(doc! { "$or": [less, { name: { "$eq": null } }] }));
            }
        }
        equal.push(doc! { name: { "$eq": bson } });
        decided_by_id |= name == "_id";
    }
    if let (Some(id), false) = (id, decided_by_id) {
        branches.push(doc! { "$and": equal.into_iter().chain([doc! { "_id": { "$gt": id } }]).collect::<Vec<_>>() });
    }
    if branches.is_empty() { Said::None } else { Said::Exactly(doc! { "$or": branches }) }
}

/// The same of keys. Expressions compare values of all kinds in the order of sorts.
fn keyed_after(description: &Description, sort: &[Sort], cursor: &Cursor, id: Option<Bson>) -> Document {
    let mut branches = Vec::new();
    let mut equal: Vec<Document> = Vec::new();
    for (position, (Sort { path, direction }, value)) in sort.iter().zip(cursor.values()).enumerate() {
        let name = format!("${}", key_name(position));
        let value = match place(description, path) {
            Place::Id => id_to_bson(description.id_kind(), value).unwrap_or(Bson::Null),
            _ => to_bson(value),
        };
        let value = doc! { "$literal": { "v": value } };
        let operator = match direction {
            Direction::Ascending => "$gt",
            Direction::Descending => "$lt",
        };
        let behind = doc! { operator: [&name, value.clone()] };
        branches.push(doc! { "$and": equal.iter().cloned().chain([behind]).collect::<Vec<_>>() });
        equal.push(doc! { "$eq": [&name, value] });
    }
    if let Some(id) = id {
        let behind = doc! { "$gt": [format!("${DOCUMENT}._id"), { "$literal": id }] };
        branches.push(doc! { "$and": equal.into_iter().chain([behind]).collect::<Vec<_>>() });
    }
    doc! { "$or": branches }
}

#[cfg(test)]
mod tests {
    use remex_core::{Fields, Intent, Options, Params, Query};

    use super::*;

    fn of(fields: Option<Fields>, query: Query) -> (Order, Option<Said>) {
        let options = Options::new("people");
        let options = fields.map_or(options.clone(), |fields| options.fields(fields));
        let description = Description::new(options).expect("options");
        let params = Params::from(query);
        let plan = description.plan(Intent::Index, &params).expect("a plan");
        let order = Order::of(&description, &plan);
        let after = plan.after.map(|cursor| say_after(&description, &order, plan.sort, cursor));
        (order, after)
    }

    #[test]
    fn declared_fields_are_sorted_by_as_they_are() {
        let fields = Fields::new().optional("name", FieldType::Text).optional("tags", FieldType::Json);
        let plain = |query: Query| of(Some(fields.clone()), query).0;
        assert_eq!(plain(Query::new()), Order::Plain(doc! { "_id": 1 }));
        assert_eq!(plain(Query::new().sort_descending("name")), Order::Plain(doc! { "name": -1, "_id": 1 }));
        assert_eq!(plain(Query::new().sort_descending("id")), Order::Plain(doc! { "_id": -1 }));
        assert!(matches!(plain(Query::new().sort("tags")), Order::Keyed(..)));
        assert!(matches!(of(None, Query::new().sort("name")).0, Order::Keyed(..)));
    }

    #[test]
    fn a_page_begins_behind_its_cursor() {
        let fields = Fields::new().optional("name", FieldType::Text);
        let sorted = || Query::new().sort_descending("name");
        let record = remex_core::Document::new().with("id", 7).with("name", "x");
        let mut query = sorted();
        query.after = Some(Cursor::behind(&record, &sorted().sort, "id"));
        let (_, after) = of(Some(fields), query.clone());
        let expected = doc! { "$or": [
            { "$and": [{ "$or": [{ "name": { "$lt": "x" } }, { "name": { "$eq": null } }] }] },
            { "$and": [{ "name": { "$eq": "x" } }, { "_id": { "$gt": 7_i64 } }] },
        ] };
        assert_eq!(after, Some(Said::Exactly(expected)));
        let (_, after) = of(None, query);
        let expected = doc! { "$or": [
            { "$and": [{ "$lt": ["$k0", { "$literal": { "v": "x" } }] }] },
            { "$and": [{ "$eq": ["$k0", { "$literal": { "v": "x" } }] }, { "$gt": ["$d._id", { "$literal": 7_i64 }] }] },
        ] };
        assert_eq!(after, Some(Said::Exactly(expected)));
    }
}
