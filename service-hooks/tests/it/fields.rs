use remex_core::{Call, Document, HookSet, Hooks, MethodSet, Operation, Options, Params, Patch, Received, Service};
use remex_hooks::{for_clients, keep_data, keep_result, strip_data, strip_result};

use crate::places::{asking, calls, client, client_for, document, open, patch, places};

const PERSON: &str = r#"{"id":1,"name":"Ada","secret":1,"homes":[{"city":"Rome","key":2},{"key":3}]}"#;

/// For clients: the result.
#[derive(Clone)]
struct Result {
    keep: bool,
}

impl<S: Service<Data = Document> + ?Sized + 'static> HookSet<S> for Result {
    fn add_to(self, hooks: &mut Hooks<S>) {
        if self.keep {
            hooks.after(MethodSet::ALL, for_clients(keep_result(["name", "homes.city"])));
        } else {
            hooks.after(MethodSet::ALL, for_clients(strip_result(["secret", "homes.key"])));
        }
    }
}

#[tokio::test]
async fn results_are_without_fields_for_clients() {
    for keep in [false, true] {
        for place in places(&open(), &Result { keep }) {
            for call in calls(&document(PERSON)) {
                let creates = matches!(call.operation(), Operation::Create | Operation::CreateMany);
                if !creates {
                    place.put(PERSON).await;
                }
                let place_name = format!("{} {}", place.name, call.operation());
                let answer = place.call(call.clone(), &client_for(call.operation())).await.expect("answered");
                if call.operation() == Operation::Count {
                    assert_eq!(answer, "1");
                } else {
                    let homes = if keep { r#"[{"city":"Rome"}]"# } else { r#"[{"city":"Rome"},{}]"# };
                    let record = format!(r#"{{"id":1,"name":"Ada","homes":{homes}}}"#);
                    let expected = if answer.starts_with('[') { format!("[{record}]") } else { record };
                    assert_eq!(answer, expected, "{place_name}");
                }
                place.service.remove_many(&Params::new()).await.expect("emptied");
                // The program sees everything.
                place.put(PERSON).await;
                if !creates {
                    let answer = place.call(call.clone(), &Params::new()).await.expect("answered");
                    assert!(answer == "1" || answer.contains("secret"), "{place_name}: {answer}");
                }
                place.service.remove_many(&Params::new()).await.expect("emptied");
            }
            place.put(PERSON).await;
            assert!(!place.stream(&client()).await.expect("listed").contains("secret"));
            assert!(place.stream(&Params::new()).await.expect("listed").contains("secret"));
            // What is selected makes no difference, and what is created by `update` neither.
            let answer =
                place.call(Call::Index, &asking("$select[]=secret&$select[]=homes.key")).await.expect("listed");
            assert!(!answer.contains("secret"), "{answer}");
            let made = place.call(Call::Update(7.into(), document(PERSON)), &client()).await.expect("made");
            assert!(made.starts_with(r#"{"id":7,"name""#) && !made.contains("secret"), "{made}");
        }
    }
}

#[tokio::test]
async fn what_is_stripped_can_be_filtered_by_and_is_not_in_events() {
    for place in places(&open(), &Result { keep: false }) {
        let mut events = place.app.subscribe("people").expect("a pattern");
        place.call(Call::Create(document(PERSON)), &client()).await.expect("created");
        let Some(Received::Event(event)) = events.next().await else { panic!("no event") };
        assert!(!event.record.contains("secret"));
        assert_eq!(place.call(Call::Count, &asking("secret=1")).await.expect("counted"), "1");
    }
    let hidden = Options::new("people").hidden_field("secret");
    for place in places(&hidden, &Result { keep: false }) {
        assert!(place.call(Call::Count, &asking("secret=1")).await.is_err());
    }
}

/// For everybody: the data.
#[derive(Clone)]
struct Data {
    keep: bool,
}

impl<S: Service<Input = Document> + ?Sized + 'static> HookSet<S> for Data {
    fn add_to(self, hooks: &mut Hooks<S>) {
        if self.keep {
            hooks.before(MethodSet::ALL, keep_data(["name", "homes.city"]));
        } else {
            hooks.before(MethodSet::ALL, strip_data(["id", "secret", "homes.key"]));
        }
    }
}

#[tokio::test]
async fn data_is_without_fields_in_every_call() {
    let sent = document(r#"{"id":9,"name":"Ada","secret":1,"secret.x":2,"homes":[{"city":"Rome","key":2}]}"#);
    let written = r#""name":"Ada","homes":[{"city":"Rome"}]}"#;
    for keep in [false, true] {
        for place in places(&open(), &Data { keep }) {
            for call in calls(&sent).into_iter().filter(|call| call.method().writes()) {
                let operation = call.operation();
                if matches!(operation, Operation::Remove | Operation::RemoveMany) {
                    continue;
                }
                if !matches!(operation, Operation::Create | Operation::CreateMany) {
                    place.put(r#"{"id":1}"#).await;
                }
                place.call(call, &client_for(operation)).await.expect("answered");
                let stored = place.stored().await;
                assert!(stored.ends_with(&format!("{written}]")), "{} {operation}: {stored}", place.name);
                place.service.remove_many(&Params::new()).await.expect("emptied");
            }
            // A record that `modify` makes, and one by a deep patch.
            place.call(Call::Modify(50.into(), Patch::from(sent.clone())), &client()).await.expect("made");
            place.call(Call::Modify(51.into(), Patch::MergeDeep(sent.clone())), &client()).await.expect("made");
            let made = format!(r#"[{{"id":50,{written},{{"id":51,{written}]"#);
            assert_eq!(place.stored().await, made);
            // What can only be a way around is left out, too.
            if keep {
                let around = patch(r#"{"homes":null,"name.x":1,"homes.city":"Oslo"}"#);
                let answer = place.call(Call::Modify(50.into(), around), &client()).await.expect("modified");
                assert!(answer.contains(r#"[{"city":"Rome"}]"#), "{answer}");
            }
        }
    }
}
