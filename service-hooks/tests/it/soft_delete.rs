use std::sync::Arc;

use remex_core::{
    AllowQuery, Call, Error, ErrorKind, FieldType, Fields, FnService, HookSet, Hooks, Id, Missing, Operation, Options,
    Params, Patch, Provider, Received, Service, ServiceExt, Stored, Timestamps,
};
use remex_hooks::{Owner, SoftDelete};

use crate::places::{Place, asking, calls, client, document, open, patch, places};

fn soft() -> SoftDelete {
    SoftDelete::new("deleted_at")
}

const GONE: &str = r#"{"id":2,"name":"Bob","deleted_at":"2001-01-01T00:00:00.000000Z"}"#;
const BOTH: &str = r#"[{"id":1,"name":"Ada"},{"id":2,"name":"Bob","deleted_at":"2001-01-01T00:00:00.000000Z"}]"#;

/// Puts one record that is there and one that was removed.
async fn fill(place: &Place) {
    place.service.silent().remove_many(&Params::new()).await.expect("emptied");
    place.put(r#"{"id":1,"name":"Ada"}"#).await;
    place.put(GONE).await;
}

#[tokio::test]
async fn removed_records_are_not_there() {
    for place in places(&open(), &soft()) {
        fill(&place).await;
        let there = r#"{"id":1,"name":"Ada"}"#;
        for query in
            ["", "$or[0][id]=1&$or[1][deleted_at][$exists]=true", "$nor[0][name]=x", "deleted_at[$exists]=false"]
        {
            for params in [asking(query), Params { provider: None, ..asking(query) }] {
                assert_eq!(place.call(Call::Index, &params).await.expect("listed"), format!("[{there}]"), "{query}");
                assert_eq!(place.call(Call::FindOne, &params).await.expect("found"), there);
                assert_eq!(place.call(Call::Count, &params).await.expect("counted"), "1");
                assert_eq!(place.call(Call::Read(1.into()), &params).await.expect("read"), there);
                assert_eq!(place.stream(&params).await.expect("listed"), format!("[{there}]"));
            }
        }
        assert_eq!(place.call(Call::Count, &asking("deleted_at[$exists]=true")).await.expect("counted"), "0");
        assert_eq!(place.call(Call::FindOne, &asking("id=2")).await.expect("found"), "null");
        let create = Params { missing: Some(Missing::Create), ..client() };
        for call in [
            Call::Read(2.into()),
            Call::ReadMany(vec![1.into(), 2.into()]),
            Call::Modify(2.into(), patch(r#"{"name":"x"}"#)),
            Call::Modify(2.into(), patch(r#"{"name":"x","deleted_at":null}"#)),
            Call::Modify(2.into(), Patch::MergeDeep(document(r#"{"deleted_at":null}"#))),
            Call::Update(2.into(), document(r#"{"name":"x"}"#)),
            Call::Remove(2.into()),
        ] {
            assert_eq!(place.refused(call, &create).await, ErrorKind::NotFound, "{}", place.name);
        }
        for call in [Call::Create(document(r#"{"id":2}"#)), Call::CreateMany(vec![document(r#"{"id":2}"#)])] {
            assert_eq!(place.refused(call, &client()).await, ErrorKind::Conflict, "{}", place.name);
        }
        let skipping = Params { skip_missing: true, ..client() };
        let read = place.call(Call::ReadMany(vec![2.into(), 1.into()]), &skipping).await.expect("read");
        assert_eq!(read, format!("[{there}]"));
        for params in [Params::new(), asking("id=2"), asking("deleted_at[$exists]=true")] {
            let call = Call::ModifyMany(patch(r#"{"name":"Ada"}"#));
            let changed = place.call(call, &params).await.expect("answered");
            assert!(!changed.contains("\"id\":2"), "{}: {changed}", place.name);
        }
        assert_eq!(place.call(Call::RemoveMany, &asking("id=2")).await.expect("none"), "[]");
        assert_eq!(place.call(Call::RemoveMany, &asking("deleted_at[$exists]=true")).await.expect("none"), "[]");
        assert_eq!(place.stored().await, BOTH, "{}", place.name);
    }
}

#[tokio::test]
async fn to_remove_is_to_mark() {
    for place in places(&open(), &soft()) {
        let mut events = place.app.subscribe("people").expect("a pattern");
        for (call, params) in [
            (Call::Remove(1.into()), client()),
            (Call::Remove(1.into()), Params::new()),
            (Call::Remove(1.into()), asking("name=Ada&deleted_at[$exists]=false")),
            (Call::RemoveMany, client()),
            (Call::RemoveMany, Params::new()),
            (Call::RemoveMany, asking("name=Ada")),
            (Call::RemoveMany, asking("deleted_at[$exists]=false")),
        ] {
            fill(&place).await;
            let answer = place.call(call.clone(), &params).await.expect("removed");
            assert_eq!(answer.trim_matches(['[', ']']), r#"{"id":1,"name":"Ada"}"#, "{}", place.name);
            let Some(Received::Event(event)) = events.next().await else { panic!("no event") };
            assert_eq!((event.name.as_str(), event.id.clone()), ("removed", Some(Id::from(1))));
            assert!(!event.record.contains("deleted_at"));
            let stored = place.stored().await;
            assert!(stored.starts_with(r#"[{"id":1,"name":"Ada","deleted_at":"20"#), "{stored}");
            assert!(stored.ends_with(&format!("{GONE}]")), "the other mark stays: {stored}");
            assert_eq!(place.refused(Call::Remove(1.into()), &params).await, ErrorKind::NotFound);
            assert_eq!(place.call(Call::RemoveMany, &Params::new()).await.expect("none"), "[]");
        }
        // One event a removal, and no other.
        place.app.emit("people", "end", document("{}")).expect("sent");
        let Some(Received::Event(event)) = events.next().await else { panic!("no event") };
        assert_eq!(event.name.as_str(), "end");
        // The program brings records back, and takes them away for good.
        fill(&place).await;
        place.service.silent().modify(&2.into(), patch(r#"{"deleted_at":null}"#), &Params::new()).await.expect("back");
        assert_eq!(place.call(Call::Count, &client()).await.expect("counted"), "2");
        place.service.silent().remove(&2.into(), &Params::new()).await.expect("removed");
        assert_eq!(place.stored().await, r#"[{"id":1,"name":"Ada"}]"#);
    }
}

#[tokio::test]
async fn who_may_remove_is_decided_as_ever() {
    for place in places(&Options::new("people"), &soft()) {
        fill(&place).await;
        for (params, kind) in [
            (client(), ErrorKind::Forbidden),
            (asking("name=Ada"), ErrorKind::Forbidden),
            (asking("$limit=1"), ErrorKind::BadRequest),
        ] {
            assert_eq!(place.refused(Call::RemoveMany, &params).await, kind, "{} {params:?}", place.name);
        }
        let params = asking("name=Bob");
        assert_eq!(place.refused(Call::Remove(1.into()), &params).await, ErrorKind::NotFound);
        assert_eq!(place.refused(Call::Remove("x".into()), &client()).await, ErrorKind::NotFound);
        assert_eq!(place.stored().await, BOTH);
    }
    // A query that is looked past is so for a removal, too, and one is still a removal of what is there.
    for allow in [AllowQuery::ServerOnly, AllowQuery::Nobody] {
        for place in places(&open().allow_query(allow), &soft()) {
            fill(&place).await;
            assert_eq!(place.refused(Call::RemoveMany, &asking("name=Bob")).await, ErrorKind::Forbidden);
            assert_eq!(place.refused(Call::Remove(2.into()), &client()).await, ErrorKind::NotFound);
            place.call(Call::Remove(1.into()), &asking("name=Bob")).await.expect("removed");
            assert_eq!(place.refused(Call::Remove(1.into()), &client()).await, ErrorKind::NotFound);
        }
    }
    let fields = Fields::new().optional("name", FieldType::Text).optional("deleted_at", FieldType::DateTime);
    for place in places(&open().fields(fields).hidden_field("deleted_at"), &soft()) {
        fill(&place).await;
        assert_eq!(place.refused(Call::RemoveMany, &asking("deleted_at[$exists]=true")).await, ErrorKind::BadRequest);
        assert_eq!(place.refused(Call::RemoveMany, &asking("nothing=1")).await, ErrorKind::BadRequest);
        place.call(Call::Remove(1.into()), &client()).await.expect("removed");
        assert_eq!(place.refused(Call::Remove(1.into()), &client()).await, ErrorKind::NotFound);
    }
}

#[tokio::test]
async fn the_mark_is_nobodys_to_set() {
    let sent = document(r#"{"name":"Ada","deleted_at":"2001-01-01T00:00:00Z","deleted_at.x":1}"#);
    for place in places(&open(), &soft()) {
        for params in [asking("id[$gte]=0"), Params::new()] {
            for call in calls(&sent) {
                if !call.method().writes() || matches!(call.operation(), Operation::Remove | Operation::RemoveMany) {
                    continue;
                }
                place.service.silent().remove_many(&Params::new()).await.expect("emptied");
                if !matches!(call, Call::Create(_) | Call::CreateMany(_)) {
                    place.put(r#"{"id":1}"#).await;
                }
                place.call(call, &params).await.expect("answered");
                assert_eq!(place.call(Call::Count, &params).await.expect("counted"), "1");
                assert!(!place.stored().await.contains("deleted_at"));
            }
            let update = Call::Update(7.into(), sent.clone());
            assert!(!place.call(update, &client()).await.expect("made").contains("deleted_at"));
        }
    }
}

#[tokio::test]
async fn a_removed_record_is_shown_as_any_other() {
    let options = open().timestamps(Timestamps::Snake).hidden_field("secret");
    for place in places(&options, &soft()) {
        for call in [Call::Remove(1.into()), Call::RemoveMany] {
            place.service.silent().remove_many(&Params::new()).await.expect("emptied");
            place.put(r#"{"id":1,"name":"Ada","secret":1}"#).await;
            let old = place.service.silent().read(&1.into(), &Params::new()).await.expect("there");
            let params = if call == Call::RemoveMany { asking("id=1&$select=name") } else { asking("$select=name") };
            let answer = place.call(call.clone(), &params).await.expect("removed");
            assert_eq!(answer.trim_matches(['[', ']']), r#"{"id":1,"name":"Ada"}"#, "{}", place.name);
            let new = place.service.silent().read(&1.into(), &Params::new()).await.expect("there");
            assert_eq!(new["created_at"], old["created_at"]);
            assert!(new["updated_at"].as_str() >= old["updated_at"].as_str());
        }
        place.service.silent().remove_many(&Params::new()).await.expect("emptied");
        place.put(r#"{"id":2,"name":"Bob","secret":1}"#).await;
        let answer = place.call(Call::Remove(2.into()), &client()).await.expect("removed");
        assert!(!answer.contains("secret") && answer.contains("created_at"), "{answer}");
        place.service.silent().remove_many(&Params::new()).await.expect("emptied");
        place.put(r#"{"id":3,"secret":1}"#).await;
        let answer = place.call(Call::Remove(3.into()), &Params::new()).await.expect("removed");
        assert!(answer.contains("secret"), "{answer}");
    }
}

/// Both, in the order in which one would go wrong.
#[derive(Clone)]
struct OfOwner {
    owner_first: bool,
}

#[derive(Clone)]
struct User(i64);

impl<S> HookSet<S> for OfOwner
where
    S: Service<Data = remex_core::Document, Input = remex_core::Document> + ?Sized + 'static,
{
    fn add_to(self, hooks: &mut Hooks<S>) {
        let owner = Owner::new("user_id", |params: &Params| params.extensions.get::<User>().map(|user| user.0.into()));
        if self.owner_first {
            hooks.apply(owner).apply(soft());
        } else {
            hooks.apply(soft()).apply(owner);
        }
    }
}

#[tokio::test]
async fn nobody_removes_records_of_others() {
    for owner_first in [true, false] {
        for place in places(&open(), &OfOwner { owner_first }) {
            place.put(r#"{"id":1,"user_id":1}"#).await;
            place.put(r#"{"id":2,"user_id":2}"#).await;
            let mut ada = client();
            ada.extensions.insert(User(1));
            assert_eq!(place.refused(Call::Remove(2.into()), &ada).await, ErrorKind::NotFound);
            assert_eq!(place.refused(Call::Remove(2.into()), &client()).await, ErrorKind::Unauthenticated);
            assert_eq!(place.refused(Call::RemoveMany, &client()).await, ErrorKind::Unauthenticated);
            assert_eq!(place.call(Call::RemoveMany, &ada).await.expect("removed"), r#"[{"id":1,"user_id":1}]"#);
            assert!(place.stored().await.ends_with(r#"{"id":2,"user_id":2}]"#));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_remove_at_once_one_does() {
    for place in places(&open(), &soft()) {
        place.put(r#"{"id":1}"#).await;
        let place = Arc::new(place);
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let place = place.clone();
                tokio::spawn(async move { place.call(Call::Remove(1.into()), &client()).await })
            })
            .collect();
        let mut removed = 0;
        for task in tasks {
            match task.await.expect("no panic") {
                Ok(_) => removed += 1,
                Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound),
            }
        }
        assert_eq!(removed, 1);
    }
}

#[tokio::test]
async fn a_removal_is_one_statement_of_the_program() {
    let notes = FnService::<Id>::new("notes").on_modify(|id, patch: Patch, params: Params| async move {
        assert_eq!((params.missing, params.provider), (Some(Missing::NotFound), None));
        assert!(params.extensions.get::<User>().is_some());
        let mut record = document(r#"{"name":"Ada"}"#).with("id", id.as_str());
        assert!(params.scope.matches(&record), "{}", params.scope);
        patch.apply(&mut record);
        assert!(params.scope.matches(&record), "{}", params.scope);
        assert!(!params.scope.matches(&record.clone().with("deleted_at", "2001-01-01T00:00:00.000000Z")));
        Ok(Stored::Changed(record))
    });
    // It is offered, and never called.
    let notes = notes.on_remove(|_, _| async { Err(Error::internal("removed for good")) });
    let mut params = Params::client(Provider::WebSocket);
    params.extensions.insert(User(1));
    let removed = notes.hooked().apply(soft()).remove(&1.into(), &params).await.expect("removed");
    assert_eq!(removed.to_string(), r#"{"name":"Ada","id":"1"}"#);
}
