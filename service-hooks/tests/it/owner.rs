use remex_core::{
    Call, Document, ErrorKind, FieldType, Fields, FnService, Id, Operation, Options, Params, Patch, Service,
    ServiceExt, Stored, Value,
};
use remex_hooks::Owner;

use crate::places::{Place, calls, client, document, open, patch, places};

/// Who has signed in.
#[derive(Clone)]
struct User(Value);

fn owner() -> Owner {
    Owner::new("user_id", |params: &Params| params.extensions.get::<User>().map(|user| user.0.clone()))
}

fn of(mut params: Params, user: impl Into<Value>) -> Params {
    params.extensions.insert(User(user.into()));
    params
}

/// Params of the client whose user is 1, with a query.
fn ada(query: &str) -> Params {
    of(crate::places::asking(query), 1)
}

const BOTH: &str = r#"[{"id":1,"user_id":1,"text":"a"},{"id":2,"user_id":2,"text":"b"}]"#;

async fn fill(place: &Place) {
    place.service.remove_many(&Params::new()).await.expect("emptied");
    place.put(r#"{"id":1,"user_id":1,"text":"a"}"#).await;
    place.put(r#"{"id":2,"user_id":2,"text":"b"}"#).await;
}

#[tokio::test]
async fn everybody_sees_their_own_records_only() {
    for place in places(&open(), &owner()) {
        fill(&place).await;
        let own = r#"{"id":1,"user_id":1,"text":"a"}"#;
        // What a query says narrows what is one's own and never widens it.
        for query in [
            "",
            "$or[0][user_id]=2&$or[1][user_id]=1",
            "user_id[$ne]=7",
            "$nor[0][user_id]=9",
            "user_id[$in][]=1&user_id[$in][]=2",
        ] {
            let params = ada(query);
            assert_eq!(place.call(Call::Index, &params).await.expect("listed"), format!("[{own}]"), "{query}");
            assert_eq!(place.call(Call::FindOne, &params).await.expect("found"), own);
            assert_eq!(place.call(Call::Count, &params).await.expect("counted"), "1");
            assert_eq!(place.call(Call::Read(1.into()), &params).await.expect("read"), own);
            assert_eq!(place.call(Call::ReadMany(vec![1.into()]), &params).await.expect("read"), format!("[{own}]"));
            assert_eq!(place.stream(&params).await.expect("listed"), format!("[{own}]"));
        }
        assert_eq!(place.call(Call::Count, &ada("user_id=2")).await.expect("counted"), "0");
        for call in [
            Call::Read(2.into()),
            Call::ReadMany(vec![1.into(), 2.into()]),
            Call::Modify(2.into(), patch(r#"{"text":"x"}"#)),
            Call::Modify(2.into(), patch(r#"{"user_id":1}"#)),
            Call::Update(2.into(), document(r#"{"text":"x"}"#)),
            Call::Remove(2.into()),
        ] {
            assert_eq!(place.refused(call, &ada("")).await, ErrorKind::NotFound, "{}", place.name);
        }
        assert_eq!(place.call(Call::ModifyMany(patch("{}")), &ada("user_id=2")).await.expect("none"), "[]");
        assert_eq!(place.call(Call::RemoveMany, &ada("user_id=2")).await.expect("none"), "[]");
        assert_eq!(place.stored().await, BOTH);
        // A program that acts for somebody is kept to what is theirs, one that does not is not.
        assert_eq!(place.call(Call::Count, &of(Params::new(), 2)).await.expect("counted"), "1");
        assert_eq!(place.call(Call::Count, &Params::new()).await.expect("counted"), "2");
        assert_eq!(place.call(Call::RemoveMany, &ada("")).await.expect("removed"), format!("[{own}]"));
        assert_eq!(place.stored().await, r#"[{"id":2,"user_id":2,"text":"b"}]"#);
    }
}

#[tokio::test]
async fn new_records_get_the_owner() {
    for place in places(&open(), &owner()) {
        for data in [r#"{"text":"n"}"#, r#"{"text":"n","user_id":null}"#, r#"{"text":"n","user_id":1}"#] {
            for call in calls(&document(data)) {
                let operation = call.operation();
                let call = match call {
                    Call::Modify(_, patch) if !data.contains("null") => Call::Modify(1.into(), patch),
                    Call::Create(_) | Call::CreateMany(_) | Call::Update(..) => call,
                    _ => continue,
                };
                let made = place.call(call, &ada("")).await.expect("made");
                assert!(made.contains(r#""user_id":1"#), "{} {operation} {data}: {made}", place.name);
                place.service.remove_many(&Params::new()).await.expect("emptied");
            }
        }
    }
    // The field may be one that is required.
    let fields = Fields::new().required("user_id", FieldType::Integer).optional("text", FieldType::Text);
    for place in places(&open().fields(fields), &owner()) {
        place.call(Call::Create(document(r#"{"text":"n"}"#)), &ada("")).await.expect("created");
        place.call(Call::Update(1.into(), document(r#"{"text":"m"}"#)), &ada("")).await.expect("updated");
        place.call(Call::Modify(7.into(), patch(r#"{"text":"o"}"#)), &ada("")).await.expect("made");
        assert_eq!(
            place.stored().await,
            r#"[{"id":1,"text":"m","user_id":1},{"id":7,"text":"o","user_id":1}]"#,
            "{}",
            place.name
        );
    }
}

#[tokio::test]
async fn nobody_gives_records_to_others() {
    let elsewhere = [
        r#"{"user_id":2}"#,
        r#"{"user_id":"1"}"#,
        r#"{"user_id":[1,2]}"#,
        r#"{"user_id":[1]}"#,
        r#"{"user_id":{"a":1}}"#,
        r#"{"user_id.0":2}"#,
        r#"{"text":"x","user_id":2}"#,
    ];
    for place in places(&open(), &owner()) {
        fill(&place).await;
        for data in elsewhere {
            let data = document(data);
            for call in calls(&data).into_iter().filter(|call| call.method().writes()) {
                if matches!(call.operation(), Operation::Remove | Operation::RemoveMany) {
                    continue;
                }
                let query = if call.operation() == Operation::ModifyMany { "id=1" } else { "" };
                assert_eq!(place.refused(call, &ada(query)).await, ErrorKind::Forbidden, "{} {data}", place.name);
            }
            for call in [
                Call::Modify(9.into(), Patch::from(data.clone())),
                Call::Modify(1.into(), Patch::MergeDeep(data.clone())),
                Call::Update(9.into(), data.clone()),
                Call::CreateMany(vec![document("{}"), data.clone()]),
            ] {
                assert_eq!(place.refused(call, &ada("")).await, ErrorKind::Forbidden, "{} {data}", place.name);
            }
        }
        // What is one's own is not to be lost either.
        for patch in [patch(r#"{"user_id":null}"#), Patch::MergeDeep(document(r#"{"user_id":null}"#))] {
            for call in [Call::Modify(1.into(), patch.clone()), Call::ModifyMany(patch.clone())] {
                assert_eq!(place.refused(call, &ada("id=1")).await, ErrorKind::Forbidden, "{}", place.name);
            }
        }
        assert_eq!(place.stored().await, BOTH);
    }
}

#[tokio::test]
async fn a_client_without_an_owner_is_refused() {
    for place in places(&open(), &owner()) {
        fill(&place).await;
        place.put(r#"{"id":3}"#).await;
        for params in [client(), of(client(), Value::Null)] {
            for call in calls(&document("{}")) {
                assert_eq!(place.refused(call, &params).await, ErrorKind::Unauthenticated, "{}", place.name);
            }
            assert_eq!(place.stream(&params).await.expect_err("refused").kind(), ErrorKind::Unauthenticated);
        }
        for call in calls(&document("{}")) {
            fill(&place).await;
            place.call(call, &Params::new()).await.expect("the program may");
        }
    }
}

#[test]
#[should_panic(expected = "a field of the record itself")]
fn the_owner_is_a_field_of_the_record() {
    drop(Owner::new("user.id", |_: &Params| None));
}

#[tokio::test]
async fn queries_that_are_looked_past_leave_the_scope() {
    let options = Options::new("people").allow_query(remex_core::AllowQuery::Nobody);
    for place in places(&options, &owner()) {
        fill(&place).await;
        assert_eq!(place.call(Call::Count, &ada("user_id=2")).await.expect("counted"), "1");
    }
}

#[tokio::test]
async fn a_service_of_closures_has_the_scope_and_no_data_of_others() {
    let notes = FnService::<Id>::new("notes")
        .on_create(|data: Document, params: Params| async move { Ok(data.with("scope", params.scope.to_string())) })
        .on_modify(|_, patch: Patch, _| async move { Ok(Stored::Changed(patch.data().clone())) })
        .hooked()
        .apply(owner());
    let made = notes.create(document(r#"{"user_id":null}"#), &ada("")).await.expect("created");
    assert_eq!(made["scope"].as_str(), Some(r#"{"user_id":1}"#));
    for data in [r#"{"user_id":null}"#, r#"{"user_id":2}"#] {
        let error = notes.modify(&1.into(), patch(data), &ada("")).await.expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{data}");
    }
    notes.modify(&1.into(), patch(r#"{"user_id":1}"#), &ada("")).await.expect("modified");
}
