use remex_core::{Call, Document, ErrorKind, Id, Missing, Operation, Params, Patch, Service, ServiceExt};
use remex_hooks::TimeFields;

use crate::places::{Place, calls, client_for, document, open, places};

const OLD: &str = "2001-01-01T00:00:00.000000Z";

async fn stored(place: &Place, id: i64) -> Document {
    place.service.silent().read(&Id::from(id), &Params::new()).await.expect("there")
}

fn is_new(value: &remex_core::Value) -> bool {
    value.as_str().is_some_and(|text| text.len() == OLD.len() && text > "2026")
}

#[tokio::test]
async fn times_are_kept_in_every_call() {
    let sent = document(r#"{"text":"b","made":"mine","changed":"mine","made.x":"mine"}"#);
    for place in places(&open(), &TimeFields::new("made", "changed")) {
        for call in calls(&sent) {
            let operation = call.operation();
            let creates = matches!(operation, Operation::Create | Operation::CreateMany);
            if !creates {
                place.put(&format!(r#"{{"id":1,"text":"a","made":"{OLD}","changed":"{OLD}"}}"#)).await;
            }
            place.call(call.clone(), &client_for(operation)).await.expect("answered");
            if matches!(operation, Operation::Remove | Operation::RemoveMany) {
                continue;
            }
            let id = if creates { 0 } else { 1 };
            let record = match id {
                0 => place.service.find_one(&Params::new()).await.expect("found").expect("one"),
                id => stored(&place, id).await,
            };
            let shown = format!("{} {operation}: {record}", place.name);
            assert_eq!(record.len(), 4, "{shown}");
            if creates {
                assert!(is_new(&record["made"]) && record["made"] == record["changed"], "{shown}");
            } else {
                assert_eq!(record["made"].as_str(), Some(OLD), "{shown}");
                assert_eq!(is_new(&record["changed"]), call.method().writes(), "{shown}");
            }
            place.service.silent().remove_many(&Params::new()).await.expect("emptied");
        }
    }
}

#[tokio::test]
async fn records_that_are_made_have_both() {
    for place in places(&open(), &TimeFields::new("made", "changed")) {
        let data = document(r#"{"text":"a","made":"mine"}"#);
        let calls = [
            Call::Modify(7.into(), Patch::from(data.clone())),
            Call::Modify(8.into(), Patch::MergeDeep(data.clone())),
            Call::Modify(9.into(), Patch::from(Document::new())),
            Call::Update(10.into(), data.clone()),
        ];
        for (call, id) in calls.into_iter().zip(7..) {
            place.call(call, &client_for(Operation::Modify)).await.expect("made");
            let record = stored(&place, id).await;
            assert!(is_new(&record["made"]) && record["made"] == record["changed"], "{}: {record}", place.name);
        }
        // A patch of nothing changes nothing.
        let before = stored(&place, 7).await;
        place.call(Call::Modify(7.into(), Patch::from(Document::new())), &Params::new()).await.expect("answered");
        assert_eq!(stored(&place, 7).await, before);
        // A record without times has none made up.
        place.put(r#"{"id":20}"#).await;
        place.call(Call::Update(20.into(), data.clone()), &Params::new()).await.expect("updated");
        let record = stored(&place, 20).await;
        assert!(!record.contains("made") && is_new(&record["changed"]), "{record}");
        let strict = Params { missing: Some(Missing::NotFound), ..Params::new() };
        assert_eq!(
            place.refused(Call::Modify(99.into(), Patch::from(data.clone())), &strict).await,
            ErrorKind::NotFound
        );
        assert_eq!(place.refused(Call::Update(99.into(), data), &strict).await, ErrorKind::NotFound);
    }
}
