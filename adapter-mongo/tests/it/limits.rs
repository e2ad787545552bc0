//! Names and sizes that MongoDB has its own rules about: right, or refused with the name; never lost.

use remex_core::{Document, ErrorKind, Filter, Id, Options, Params, Patch, Query, Service, Value};
use remex_mongo::MongoService;

use crate::server;

async fn service() -> Option<MongoService> {
    let database = server::database().await?;
    Some(MongoService::new(database, Options::new(server::collection_name())).await.expect("a service"))
}

/// The ways in which a field comes into a record.
async fn write(service: &MongoService, way: &str, data: Document) -> remex_core::Result<Document> {
    let params = Params::new();
    let made = service.create(Document::new().with("n", 1), &params).await?;
    let id = Id::from_value(&made["id"]).expect("an id");
    match way {
        "create" => service.create(data, &params).await,
        "create many" => Ok(service.create_many(vec![data.clone(), data], &params).await?.remove(0)),
        "modify" => Ok(service.modify(&id, data.into(), &params).await?.into_inner()),
        "merge patch" => Ok(service.modify(&id, Patch::MergeDeep(data), &params).await?.into_inner()),
        "modify many" => {
            let one = Params::from(Query::new().filter(Filter::eq("id", made["id"].clone())));
            Ok(service.modify_many(data.into(), &one).await?.remove(0))
        }
        "update" => Ok(service.update(&id, data, &params).await?.into_inner()),
        "make by modify" => Ok(service.modify(&Id::from(i64::MAX), data.into(), &params).await?.into_inner()),
        _ => Ok(service.update(&Id::from(i64::MAX - 1), data, &params).await?.into_inner()),
    }
}

const WAYS: [&str; 8] =
    ["create", "create many", "modify", "merge patch", "modify many", "update", "make by modify", "make by update"];

#[tokio::test]
async fn names_and_texts_are_what_they_are() {
    let Some(service) = service().await else { return };
    let inside = Document::new().with("x.y", "$n").with("a$b", Document::new().with("..", Value::Null));
    let data = Document::new()
        .with("a.b", 1)
        .with("a", inside)
        .with("cost$", "$n")
        .with("$$ROOT".trim_start_matches('$'), "$$ROOT")
        .with("list", vec![Value::from("$literal"), Document::new().with("z.z", true).into()]);
    for way in WAYS {
        let stored = write(&service, way, data.clone()).await.unwrap_or_else(|error| panic!("{way}: {error:?}"));
        let id = Id::from_value(&stored["id"]).expect("an id");
        let found = service.read(&id, &Params::new()).await.expect("a record");
        assert_eq!(found, stored, "{way}");
        // Of a merge patch, what is null takes away.
        for (name, value) in data.iter().filter(|(name, _)| way != "merge patch" || *name != "a") {
            assert_eq!(found[name], *value, "{way}");
        }
    }
    service.collection().drop().await.expect("dropped");
}

#[tokio::test]
async fn the_name_of_the_id_is_refused_inside_data() {
    let Some(service) = service().await else { return };
    for way in WAYS {
        let error = write(&service, way, Document::new().with("_id", 5)).await.expect_err(way);
        assert_eq!(error.kind(), ErrorKind::Unprocessable, "{way}");
        assert_eq!(error.fields()[0].field, "_id", "{way}");
    }
    service.collection().drop().await.expect("dropped");
}

#[tokio::test]
async fn a_record_that_is_too_large_is_refused_and_the_old_one_stays() {
    let Some(service) = service().await else { return };
    let megabytes = |count: usize| Value::from("x".repeat(count * 1024 * 1024));
    for way in WAYS {
        let error = write(&service, way, Document::new().with("text", megabytes(17))).await.expect_err(way);
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{way}: {error:?}");
    }
    // Each part fits, and the whole does not.
    let made = service.create(Document::new().with("one", megabytes(9)), &Params::new()).await.expect("made");
    let id = Id::from_value(&made["id"]).expect("an id");
    for patch in [
        Patch::from(Document::new().with("two", megabytes(9))),
        Patch::MergeDeep(Document::new().with("two", megabytes(9))),
    ] {
        let error = service.modify(&id, patch, &Params::new()).await.expect_err("too large");
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{error:?}");
    }
    let found = service.read(&id, &Params::new()).await.expect("a record");
    assert!(found == made, "the old record is as it was");
    service.modify(&id, Document::new().with("three", 3).into(), &Params::new()).await.expect("a small change");
    service.remove(&id, &Params::new()).await.expect("removed");
    service.collection().drop().await.expect("dropped");
}

#[tokio::test]
async fn deep_nesting_is_kept_or_refused() {
    let Some(service) = service().await else { return };
    let deep = |levels: usize| (0..levels).fold(Value::from(1), |value, _| Document::new().with("d", value).into());
    for way in WAYS {
        let data = Document::new().with("deep", deep(60));
        let stored = write(&service, way, data.clone()).await.unwrap_or_else(|error| panic!("{way}: {error:?}"));
        let found = service.read(&Id::from_value(&stored["id"]).expect("an id"), &Params::new()).await;
        assert!(found.expect("a record")["deep"] == data["deep"], "{way}");
        let error = write(&service, way, Document::new().with("deep", deep(300))).await.expect_err(way);
        assert_eq!(error.kind(), ErrorKind::Unprocessable, "{way}: {error:?}");
    }
    service.collection().drop().await.expect("dropped");
}
