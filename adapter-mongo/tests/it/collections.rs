//! Indexes, rules and ways around the query language.

use std::time::Duration;

use futures::StreamExt;
use remex_core::{Document, ErrorKind, FieldType, Fields, Filter, Id, IdKind, Method, Options, Params, Query, Service};
use remex_mongo::mongodb::IndexModel;
use remex_mongo::mongodb::bson::{self, Bson, doc};
use remex_mongo::mongodb::options::IndexOptions;
use remex_mongo::{MongoOptions, MongoService};
use serde_json::json;

use crate::server;

fn document(value: serde_json::Value) -> Document {
    Document::from_serialize(&value).expect("an object")
}

async fn service(shape: impl FnOnce(Options) -> MongoOptions) -> Option<MongoService> {
    let database = server::database().await?;
    Some(MongoService::new(database, shape(Options::new(server::collection_name()))).await.expect("a service"))
}

#[tokio::test]
async fn indexes_are_made_and_name_their_fields() {
    let partial = IndexOptions::builder().unique(true).partial_filter_expression(doc! { "done": false }).build();
    let partial = IndexModel::builder().keys(doc! { "title": 1, "owner": 1 }).options(partial).build();
    let shape = |options: Options| MongoOptions::from(options.unique("email").index("age")).with_index(partial);
    let Some(service) = service(shape).await else { return };
    let names = service.collection().list_index_names().await.expect("a list");
    assert_eq!(names, ["_id_", "email_1", "age_1", "title_1_owner_1"]);
    let create = async |value| service.create(document(value), &Params::new()).await;
    create(json!({"email": "a", "title": "t", "owner": 1, "done": false})).await.expect("made");
    create(json!({"email": null, "title": "t", "owner": 1, "done": true})).await.expect("outside of the index");
    create(json!({"title": "t", "owner": 1})).await.expect("null and absent are no value");
    let error = create(json!({"email": "a"})).await.expect_err("taken");
    assert_eq!((error.kind(), error.fields()[0].field.as_str()), (ErrorKind::Conflict, "email"));
    let error = create(json!({"title": "t", "owner": 1, "done": false})).await.expect_err("taken");
    let fields: Vec<_> = error.fields().iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!((error.kind(), fields), (ErrorKind::Conflict, vec!["title", "owner"]));
    let error = service
        .modify(&Id::from(3), Document::new().with("email", "a").into(), &Params::new())
        .await
        .expect_err("taken by a change");
    assert_eq!((error.kind(), error.fields()[0].field.as_str()), (ErrorKind::Conflict, "email"));
    service.collection().drop().await.expect("dropped");
}

/// Returns the names of the indexes that a find goes along.
async fn indexes_used(service: &MongoService, filter: bson::Document, sort: bson::Document) -> Vec<String> {
    fn collect(plan: &Bson, names: &mut Vec<String>) {
        match plan {
            Bson::Document(plan) => {
                names.extend(plan.get_str("indexName").map(str::to_owned));
                plan.values().for_each(|value| collect(value, names));
            }
            Bson::Array(plans) => plans.iter().for_each(|plan| collect(plan, names)),
            _ => {}
        }
    }
    let name = service.collection().name().to_owned();
    let find = doc! { "find": name, "filter": filter, "sort": sort, "collation": { "locale": "simple" } };
    let database = server::database().await.expect("as before");
    let plan = database.run_command(doc! { "explain": find, "verbosity": "queryPlanner" }).await.expect("a plan");
    let mut names = Vec::new();
    collect(plan.get_document("queryPlanner").expect("a plan").get("winningPlan").expect("a plan"), &mut names);
    names
}

#[tokio::test]
async fn declared_fields_use_their_indexes() {
    let fields = Fields::new().optional("email", FieldType::Text).optional("age", FieldType::Integer);
    let shape = |options: Options| options.fields(fields).unique("email").index("age").into();
    let Some(service) = service(shape).await else { return };
    for number in 0..100 {
        let data = document(json!({"email": format!("e{number}"), "age": number}));
        service.create(data, &Params::new()).await.expect("made");
    }
    let of_email = indexes_used(&service, doc! { "email": { "$eq": "e5" } }, doc! {}).await;
    assert_eq!(of_email, ["email_1"]);
    let of_age = indexes_used(&service, doc! { "age": { "$gt": 5_i64 } }, doc! { "age": 1 }).await;
    assert_eq!(of_age, ["age_1"]);
    service.collection().drop().await.expect("dropped");
}

#[tokio::test]
async fn a_filter_says_what_a_unique_index_holds() {
    let shape = |options: Options| options.unique("email").into();
    let Some(service) = service(shape).await else { return };
    let data = (0..100).map(|number| document(json!({"email": format!("e{number}")}))).chain([Document::new()]);
    service.create_many(data.collect(), &Params::new()).await.expect("made");
    let found = |filter: Filter| {
        let service = &service;
        async move { service.count(&Params::from(Query::new().filter(filter))).await.expect("a count") }
    };
    assert_eq!(found(Filter::eq("email", "e5")).await, 1);
    assert_eq!(found(Filter::is_in("email", ["e5", "e6", "x"])).await, 2);
    assert_eq!(found(Filter::ne("email", "e5")).await, 100);
    assert_eq!(found(Filter::eq("email", remex_core::Value::Null)).await, 1);
    // The index has served those that ask for values.
    let statistics = service.aggregate(vec![doc! { "$indexStats": {} }]).await.expect("statistics");
    let used = statistics.iter().find(|index| index["name"].as_str() == Some("email_1")).expect("the index");
    assert_eq!(used["accesses"].as_document().expect("an object")["ops"].as_i64(), Some(2));
    service.collection().drop().await.expect("dropped");
}

#[tokio::test]
async fn a_schema_names_the_fields_that_break_it() {
    let schema = doc! {
        "required": ["name"],
        "properties": { "name": { "bsonType": "string" }, "age": { "bsonType": "long", "minimum": 0 } },
    };
    let shape = |options: Options| MongoOptions::from(options).json_schema(schema);
    let Some(service) = service(shape).await else { return };
    service.create(document(json!({"name": "x", "age": 5})), &Params::new()).await.expect("made");
    let error = service.create(document(json!({"age": -5})), &Params::new()).await.expect_err("refused");
    let mut fields: Vec<_> = error.fields().iter().map(|fault| fault.field.as_str()).collect();
    fields.sort_unstable();
    assert_eq!((error.kind(), fields), (ErrorKind::Unprocessable, vec!["age", "name"]));
    let patch = Document::new().with("age", "old");
    let error = service.modify(&Id::from(1), patch.into(), &Params::new()).await.expect_err("refused");
    assert_eq!((error.kind(), error.fields()[0].field.as_str()), (ErrorKind::Unprocessable, "age"));
    service.collection().drop().await.expect("dropped");
}

#[tokio::test]
async fn a_pipeline_says_what_queries_cannot() {
    let Some(service) = service(MongoOptions::from).await else { return };
    for state in ["open", "done", "open"] {
        service.create(document(json!({"state": state})), &Params::new()).await.expect("made");
    }
    let counts = service.aggregate(vec![doc! { "$sortByCount": "$state" }]).await.expect("counts");
    let counts: Vec<String> = counts.iter().map(ToString::to_string).collect();
    assert_eq!(counts, [r#"{"id":"open","count":2}"#, r#"{"id":"done","count":1}"#]);
    let error = service.aggregate(vec![doc! { "$nonsense": 1 }]).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(!error.message().contains("nonsense"), "{error}");
    service.collection().drop().await.expect("dropped");
}

#[tokio::test]
async fn counts_may_be_estimated() {
    let shape = |options: Options| MongoOptions::from(options).estimated_count(true);
    let Some(service) = service(shape).await else { return };
    service.create_many(vec![Document::new(); 5], &Params::new()).await.expect("made");
    assert_eq!(service.count(&Params::new()).await.expect("a count"), 5);
    let some = Params::from(Query::new().filter(Filter::gt("id", 2)));
    assert_eq!(service.count(&some).await.expect("a count"), 3);
    service.collection().drop().await.expect("dropped");
}

#[tokio::test]
async fn many_are_changed_as_a_whole() {
    let shape = |options: Options| options.id_kind(IdKind::ObjectId).unique("email").multi(Method::ALL).into();
    let Some(service) = service(shape).await else { return };
    let data: Vec<_> = (0..2_500).map(|count| Document::new().with("count", count)).collect();
    let made = service.create_many(data, &Params::new()).await.expect("made");
    let counts: Vec<_> = made.iter().filter_map(|record| record["count"].as_i64()).collect();
    assert_eq!(counts, (0..2_500).collect::<Vec<_>>());
    let streamed: Vec<_> = service.index_stream(Params::new()).collect().await;
    assert!(streamed.into_iter().zip(&made).all(|(found, made)| found.expect("a record") == *made));
    for _ in 0..12 {
        let some: Vec<_> = service.index_stream(Params::new()).take(3).collect().await;
        assert!(some.iter().all(Result::is_ok));
    }
    // The second one that is changed meets the first one's value, and the first one is not changed either.
    let error = service.modify_many(Document::new().with("email", "same").into(), &Params::new()).await;
    assert_eq!(error.expect_err("taken").kind(), ErrorKind::Conflict);
    let changed = Params::from(Query::new().filter(Filter::exists("email", true)));
    assert_eq!(service.count(&changed).await.expect("a count"), 0);
    let data = ["a", "b", "a"].map(|email| Document::new().with("email", email)).to_vec();
    let error = service.create_many(data, &Params::new()).await.expect_err("taken");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(service.count(&Params::new()).await.expect("a count"), 2_500);
    let all = service.modify_many(Document::new().with("seen", true).into(), &Params::new()).await.expect("changed");
    assert!(all.len() == 2_500 && all.iter().all(|record| record["seen"].as_bool() == Some(true)));
    assert_eq!(service.remove_many(&Params::new()).await.expect("removed").len(), 2_500);
    assert_eq!(service.count(&Params::new()).await.expect("a count"), 0);
    service.collection().drop().await.expect("dropped");
}

#[tokio::test]
async fn writes_are_those_of_a_majority_unless_told_otherwise() {
    use remex_mongo::mongodb::options::{Acknowledgment, DatabaseOptions, WriteConcern};
    let Some(service) = service(|options| MongoOptions::from(options).time_max(Duration::from_secs(5))).await else {
        return;
    };
    let concern = service.collection().write_concern().cloned().expect("a write concern");
    assert_eq!((concern.w, concern.w_timeout), (Some(Acknowledgment::Majority), Some(Duration::from_secs(5))));
    let database = server::database().await.expect("as before");
    let one = WriteConcern::builder().w(Acknowledgment::Nodes(1)).build();
    let options = DatabaseOptions::builder().write_concern(one.clone()).build();
    let database = database.client().database_with_options(database.name(), options);
    let service = MongoService::<Document>::new(database, Options::new(server::collection_name())).await;
    let service = service.expect("a service");
    assert_eq!(service.collection().write_concern(), Some(&one));
    service.collection().drop().await.expect("dropped");
}
