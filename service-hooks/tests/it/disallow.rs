use remex_core::{ErrorKind, HookSet, Hooks, MethodSet, Params, Provider, Service};
use remex_hooks::{disallow, disallow_from, when};

use crate::places::{asking, calls, client, client_for, document, open, places};

#[derive(Clone)]
struct Closed;

impl<S: Service + ?Sized + 'static> HookSet<S> for Closed {
    fn add_to(self, hooks: &mut Hooks<S>) {
        hooks.before(MethodSet::ALL, disallow());
    }
}

#[tokio::test]
async fn clients_are_refused_and_the_program_is_not() {
    for place in places(&open(), &Closed) {
        for call in calls(&document(r#"{"name":"Ada"}"#)) {
            place.put(r#"{"id":1}"#).await;
            let (operation, method) = (call.operation(), call.method());
            let error = place.call(call.clone(), &client_for(operation)).await.expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::MethodNotAllowed, "{} {operation}", place.name);
            assert_eq!(error.message(), format!("`people` does not offer `{method}` to clients"));
            place.call(call, &Params::new()).await.expect("the program may");
            place.service.remove_many(&Params::new()).await.expect("emptied");
        }
        assert!(place.stream(&client()).await.is_err());
        assert!(place.stream(&Params::new()).await.is_ok());
    }
}

#[derive(Clone)]
struct Some;

impl<S: Service + ?Sized + 'static> HookSet<S> for Some {
    fn add_to(self, hooks: &mut Hooks<S>) {
        hooks.before(remex_core::Method::Read, disallow_from([Provider::WebSocket]));
        hooks.before(remex_core::Method::Index, when(|ctx| ctx.params().query.limit.is_none(), disallow()));
    }
}

#[tokio::test]
async fn some_providers_and_some_calls_are_refused() {
    for place in places(&open(), &Some) {
        place.put("{}").await;
        let read = || remex_core::Call::Read(1.into());
        assert_eq!(place.refused(read(), &Params::client(Provider::WebSocket)).await, ErrorKind::MethodNotAllowed);
        assert!(place.call(read(), &client()).await.is_ok());
        assert!(place.call(read(), &Params::new()).await.is_ok());
        assert_eq!(place.refused(remex_core::Call::Index, &client()).await, ErrorKind::MethodNotAllowed);
        assert!(place.call(remex_core::Call::Index, &asking("$limit=1")).await.is_ok());
    }
}
