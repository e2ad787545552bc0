//! Collections in which other programs write too: what only BSON has is read as text, found by it, and left as it is.

use remex_core::{Document, Filter, Id, IdKind, Options, Params, Patch, Query, Service, Value};
use remex_mongo::MongoService;
use remex_mongo::mongodb::bson::oid::ObjectId;
use remex_mongo::mongodb::bson::spec::BinarySubtype;
use remex_mongo::mongodb::bson::{self, Binary, Bson, DateTime, doc};

use crate::server;

const MOMENT: &str = "2026-11-22T04:34:02.123000Z";
const HEX: &str = "0123456789abcdef01234567";
const UUID: &str = "0192f0c1-0000-7000-8000-00000000000a";

fn foreign() -> bson::Document {
    doc! {
        "_id": ObjectId::parse_str(HEX).expect("an id"),
        "seen": DateTime::from_millis(1_795_322_042_123),
        "price": Bson::Decimal128("12.30".parse().expect("a decimal")),
        "owner": ObjectId::parse_str(HEX).expect("an id"),
        "bytes": Binary { subtype: BinarySubtype::Generic, bytes: vec![0, 1] },
        "key": Binary { subtype: BinarySubtype::Uuid, bytes: uuid() },
        "large": i64::MAX,
        "small": 5_i32,
        "deep": { "seen": [DateTime::from_millis(0)] },
    }
}

fn uuid() -> Vec<u8> {
    [0x01, 0x92, 0xf0, 0xc1, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0x0a].to_vec()
}

async fn service(kind: IdKind) -> Option<MongoService> {
    let options = Options::new(server::collection_name()).id_kind(kind);
    Some(MongoService::new(server::database().await?, options).await.expect("a service"))
}

#[tokio::test]
async fn what_others_wrote_is_read_found_and_kept() {
    let Some(service) = service(IdKind::ObjectId).await else { return };
    service.collection().insert_one(foreign()).await.expect("inserted");
    let record = service.read(&Id::from(HEX), &Params::new()).await.expect("a record");
    let expected =
        format!(r#"{{"id":"{HEX}","seen":"{MOMENT}","price":"12.30","owner":"{HEX}","bytes":"AAE=","key":"{UUID}","#)
            + r#""large":9223372036854775807,"small":5,"deep":{"seen":["1970-01-01T00:00:00.000000Z"]}}"#;
    assert_eq!(record.to_string(), expected);

    let found = [
        Filter::eq("id", HEX),
        Filter::eq("seen", MOMENT),
        Filter::gte("seen", MOMENT),
        Filter::gt("seen", "2026-11-22"),
        Filter::lt("seen", "2026-11-22T04:34:02.123001Z"),
        Filter::is_in("owner", [HEX, "other"]),
        Filter::eq("key", UUID),
        Filter::ne("owner", "other"),
        Filter::eq("deep.seen", "1970-01-01T00:00:00.000000Z"),
        Filter::eq("small", 5.0),
    ];
    let lost = [
        Filter::ne("seen", MOMENT),
        Filter::gt("seen", MOMENT),
        Filter::lt("seen", "2026-11-22"),
        Filter::eq("seen", "2026-11-22T04:34:02.123001Z"),
        Filter::not_in("owner", [HEX]),
        Filter::eq("price", 12),
    ];
    for (filters, count) in [(&found[..], 1), (&lost[..], 0)] {
        for filter in filters {
            let asked = Params::from(Query::new().filter(filter.clone()));
            assert_eq!(service.count(&asked).await.expect("a count"), count, "{filter}");
        }
    }

    // Each of the ways in which a record is changed.
    let scoped = Params::new().with_scope(Filter::eq("small", 5));
    let patches = [
        (Patch::from(Document::new().with("note", "a")), Params::new()),
        (Patch::MergeDeep(Document::new().with("deep", Document::new().with("note", "a"))), Params::new()),
        (Patch::from(Document::new().with("small", 5)), scoped),
    ];
    for (patch, params) in patches {
        service.modify(&Id::from(HEX), patch, &params).await.expect("changed");
        let stored = service.collection().find_one(doc! {}).await.expect("an answer").expect("a document");
        for name in ["_id", "seen", "price", "owner", "bytes", "key"] {
            assert_eq!(stored.get(name), foreign().get(name), "{name}");
        }
        let deep = stored.get_document("deep").expect("an object");
        assert_eq!(deep.get("seen"), Some(&Bson::Array(vec![DateTime::from_millis(0).into()])));
    }
    service.collection().drop().await.expect("dropped");
}

#[tokio::test]
async fn integer_ids_go_on_behind_those_there() {
    let Some(service) = service(IdKind::Integer).await else { return };
    let name = service.describe().name().to_owned();
    for id in [Bson::Int32(41), Bson::Int64(7), Bson::Int64(1 << 60), Bson::from("x")] {
        service.collection().insert_one(doc! { "_id": id }).await.expect("inserted");
    }
    let database = server::database().await.expect("as before");
    let again = MongoService::<Document>::new(database, Options::new(name)).await.expect("a service");
    for expected in [42, 43] {
        let made = again.create(Document::new(), &Params::new()).await.expect("made");
        assert_eq!(made["id"].as_i64(), Some(expected));
    }
    // One that is in the way is passed.
    service.collection().insert_one(doc! { "_id": 44 }).await.expect("inserted");
    let made = again.create(Document::new(), &Params::new()).await.expect("made");
    assert_eq!(made["id"].as_i64(), Some(45));
    service.collection().drop().await.expect("dropped");
}

#[tokio::test]
async fn text_ids_are_text_whatever_they_spell() {
    let Some(service) = service(IdKind::Text).await else { return };
    for id in [HEX, UUID, "null", "7"] {
        service.create(Document::new().with("id", id), &Params::new()).await.expect("made");
        assert_eq!(service.read(&Id::from(id), &Params::new()).await.expect("a record")["id"], Value::from(id));
    }
    assert_eq!(service.collection().count_documents(doc! { "_id": { "$type": "string" } }).await.expect("a count"), 4);
    service.collection().drop().await.expect("dropped");
}

#[tokio::test]
async fn the_id_may_have_its_own_name_outside() {
    let Some(database) = server::database().await else { return };
    let options = Options::new(server::collection_name()).id_field("_id");
    let service = MongoService::<Document>::new(database, options).await.expect("a service");
    let made = service.create(Document::new().with("id", "mine"), &Params::new()).await.expect("made");
    assert_eq!(made.to_string(), r#"{"_id":1,"id":"mine"}"#);
    let found = service.index(&Params::from(Query::new().filter(Filter::eq("_id", 1)))).await.expect("a list").data;
    assert_eq!(found, [made]);
    service.collection().drop().await.expect("dropped");
}
