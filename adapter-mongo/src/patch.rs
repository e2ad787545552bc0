//! Patches and replacements as stages of a pipeline. Pure: nothing here speaks to a database.
//!
//! What a client sent stands behind `$literal`, so that names with dots and texts with dollars are what they are and no
//! paths or expressions.

use mongodb::bson::{Bson, Document, doc};
use remex_core::{Patch, Value};

use crate::value::{to_bson, to_document};

/// How deep a merge patch may go to be said in one stage. Each level takes some ten levels of an expression, of which the
/// server allows as many as of any document.
const DEPTH_MAX: usize = 5;

/// Merges a patch into whichever document; `None` where it goes too deep for one stage.
pub(crate) fn merge(patch: &Patch) -> Option<Document> {
    let merged = match patch {
        Patch::Merge(data) => Bson::from(doc! { "$mergeObjects": ["$$ROOT", { "$literal": to_document(data) }] }),
        Patch::MergeDeep(data) => merge_deep("$$ROOT".into(), data, DEPTH_MAX)?,
    };
    Some(doc! { "$replaceWith": merged })
}

/// Merges a patch of [RFC 7396](https://www.rfc-editor.org/rfc/rfc7396) into what an expression answers, or into an empty
/// object where that is none: `null` takes a field away, an object is merged into what is there, all else takes its place.
///
/// Fields are told by name as the elements of `$objectToArray`, since a path would take a dot in a name for a way further
/// in. The object is `$$t` for what is within.
fn merge_deep(target: Bson, data: &remex_core::Document, levels: usize) -> Option<Bson> {
    let levels = levels.checked_sub(1)?;
    let removed: Vec<&str> = data.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name).collect();
    let mut set = Vec::with_capacity(data.len() - removed.len());
    for (name, value) in data.iter().filter(|(_, value)| !value.is_null()) {
        let value = match value {
            Value::Document(data) => merge_deep(field(name), data, levels)?,
            value => Bson::from(doc! { "$literal": to_bson(value) }),
        };
        set.push(doc! { "k": { "$literal": name }, "v": value });
    }
    let kept = match removed.is_empty() {
        true => Bson::from("$$t"),
        false => {
            let others = doc! { "$not": [{ "$in": ["$$this.k", { "$literal": removed }] }] };
            let fields = doc! { "$filter": { "input": { "$objectToArray": "$$t" }, "cond": others } };
            Bson::from(doc! { "$arrayToObject": fields })
        }
    };
    let object = doc! { "$cond": [{ "$eq": [{ "$type": "$$any" }, "object"] }, "$$any", {}] };
    let merged = doc! { "$mergeObjects": [kept, { "$arrayToObject": [set] }] };
    let within = doc! { "$let": { "vars": { "t": object }, "in": merged } };
    Some(Bson::from(doc! { "$let": { "vars": { "any": target }, "in": within } }))
}

/// Answers what `$$t` holds under a name.
fn field(name: &str) -> Bson {
    let is_it = doc! { "$eq": ["$$this.k", { "$literal": name }] };
    let found = doc! { "$first": [{ "$filter": { "input": { "$objectToArray": "$$t" }, "cond": is_it } }] };
    Bson::from(doc! { "$let": { "vars": { "found": found }, "in": "$$found.v" } })
}

/// Replaces whichever document, but for its id and the fields that are to be kept.
pub(crate) fn replacement<'a>(data: &remex_core::Document, kept: impl Iterator<Item = &'a str>) -> Document {
    // A field that is not there adds nothing.
    let kept: Document = kept.map(|name| (name.to_owned(), Bson::from(format!("${name}")))).collect();
    doc! { "$replaceWith": { "$mergeObjects": [{ "_id": "$_id" }, { "$literal": to_document(data) }, kept] } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_sent_is_literal() {
        let data = remex_core::Document::new().with("a.b", "$c");
        let expected = doc! { "$replaceWith": { "$mergeObjects": ["$$ROOT", { "$literal": { "a.b": "$c" } }] } };
        assert_eq!(merge(&Patch::from(data.clone())), Some(expected));
        let expected = doc! { "$replaceWith": { "$mergeObjects": [
            { "_id": "$_id" }, { "$literal": { "a.b": "$c" } }, { "created_at": "$created_at" },
        ] } };
        assert_eq!(replacement(&data, ["created_at"].into_iter()), expected);
    }

    #[test]
    fn a_merge_patch_is_said_as_deep_as_the_server_reads() {
        let deep = |levels: usize| {
            let inside =
                (1..levels).fold(Value::from(1), |value, _| remex_core::Document::new().with("a", value).into());
            Patch::MergeDeep(remex_core::Document::new().with("a", inside))
        };
        assert!(merge(&deep(DEPTH_MAX)).is_some());
        assert!(merge(&deep(DEPTH_MAX + 1)).is_none());
    }
}
