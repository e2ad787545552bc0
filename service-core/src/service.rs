//! [`Service`], the trait that everything else is about.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{
    Answer, Call, Description, Document, Error, Id, Intent, Method, Page, Paginate, Params, Patch, Query, Result, Site,
    Stored, answer,
};

/// A resource whose records can be listed, read, created, modified, updated and removed.
///
/// # Contract
/// - An unknown id answers [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) to `read` and `remove`; `modify` and
///   `update` create the record with exactly that id, unless the service or the call says
///   [`Missing::NotFound`](crate::Missing::NotFound).
/// - The query's filter and the scope hold for every method but `create`: a record that they leave out answers as if it
///   were not there, and is not changed.
/// - `index` answers in the order of the query's sort, ties by id, so that pages have neither gaps nor doubles.
/// - Every method that changes a record answers it as it is stored; `remove` answers it as it was last.
/// - A call that answers an error has changed nothing.
///
/// # Implementing
/// Write the methods that the resource offers. The others answer
/// [`ErrorKind::MethodNotAllowed`](crate::ErrorKind::MethodNotAllowed); say in [`describe`](Self::describe) which are
/// offered, so that clients are told. The meta-methods behind the six have bodies that do their work through the six;
/// a store overrides those that it can do better.
///
/// ```
/// use remex_core::{Error, Page, Params, Result, Service, async_trait};
///
/// /// The squares of the numbers below a hundred.
/// struct Squares;
///
/// #[async_trait]
/// impl Service for Squares {
///     type Id = u32;
///     type Data = u32;
///     type Input = ();
///
///     async fn index(&self, _: &Params) -> Result<Page<u32>> {
///         Ok(Page::from((0..100).map(|number| number * number).collect::<Vec<_>>()))
///     }
///
///     async fn read(&self, id: &u32, _: &Params) -> Result<u32> {
///         if *id < 100 { Ok(id * id) } else { Err(Error::no_record("squares", id)) }
///     }
/// }
/// ```
///
/// # Types
/// - `Id` is read from text and written as text, since it stands in URLs.
/// - What goes in and what comes out are two types, since a record knows more than whoever creates it: id, times,
///   defaults. They may be the same; for services of documents both are [`Document`].
#[async_trait]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a service",
    note = "implement `remex_core::Service` with `#[async_trait]`, or build one with `FnService`, or take an adapter's"
)]
pub trait Service: Send + Sync {
    /// What names one record.
    type Id: Clone + Display + FromStr + Send + Sync + 'static;
    /// A record as it is stored and answered.
    type Data: Serialize + DeserializeOwned + Clone + Send + Sync + 'static;
    /// What `create` and `update` take.
    type Input: DeserializeOwned + Clone + Send + Sync + 'static;

    /// Lists the records that match the query, in its order.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest) for a query that the service does not take.
    #[doc(alias = "find")]
    #[doc(alias = "list")]
    async fn index(&self, params: &Params) -> Result<Page<Self::Data>> {
        let _ = params;
        Err(not_offered(&self.describe(), Method::Index))
    }

    /// Answers the record with this id.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) where there is none, or none within query and scope.
    #[doc(alias = "get")]
    async fn read(&self, id: &Self::Id, params: &Params) -> Result<Self::Data> {
        let _ = (id, params);
        Err(not_offered(&self.describe(), Method::Read))
    }

    /// Makes a record and answers it as it is stored.
    ///
    /// # Errors
    /// - [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) for an id, or a unique field, that is taken.
    /// - [`ErrorKind::Unprocessable`](crate::ErrorKind::Unprocessable) for data that does not fit, every field named.
    /// - [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden) for a record outside the scope.
    #[doc(alias = "insert")]
    async fn create(&self, data: Self::Input, params: &Params) -> Result<Self::Data> {
        let _ = (data, params);
        Err(not_offered(&self.describe(), Method::Create))
    }

    /// Merges fields into the record with this id, or creates it.
    ///
    /// # Errors
    /// As [`read`](Self::read) and [`create`](Self::create).
    #[doc(alias = "patch")]
    async fn modify(&self, id: &Self::Id, patch: Patch, params: &Params) -> Result<Stored<Self::Data>> {
        let _ = (id, patch, params);
        Err(not_offered(&self.describe(), Method::Modify))
    }

    /// Replaces the record with this id, or creates it.
    ///
    /// # Errors
    /// As [`read`](Self::read) and [`create`](Self::create).
    #[doc(alias = "replace")]
    async fn update(&self, id: &Self::Id, data: Self::Input, params: &Params) -> Result<Stored<Self::Data>> {
        let _ = (id, data, params);
        Err(not_offered(&self.describe(), Method::Update))
    }

    /// Takes the record with this id away and answers it as it was.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    #[doc(alias = "delete")]
    #[doc(alias = "destroy")]
    async fn remove(&self, id: &Self::Id, params: &Params) -> Result<Self::Data> {
        let _ = (id, params);
        Err(not_offered(&self.describe(), Method::Remove))
    }

    /// Answers the first record that matches the query, in its order, if there is one.
    ///
    /// # Errors
    /// As [`index`](Self::index).
    async fn find_one(&self, params: &Params) -> Result<Option<Self::Data>> {
        let mut params = unpaged(params);
        params.query.limit = Some(1);
        Ok(self.index(&params).await?.data.into_iter().next())
    }

    /// Answers the records with these ids in the order of the ids, one as often as its id is there.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for the first id without a record, unless
    /// [`Params::skip_missing`] leaves such ids out.
    async fn read_many(&self, ids: &[Self::Id], params: &Params) -> Result<Vec<Self::Data>> {
        let mut records = Vec::with_capacity(ids.len());
        for id in ids {
            match self.read(id, params).await {
                Ok(record) => records.push(record),
                Err(error) if error.is_not_found() && params.skip_missing => {}
                Err(error) => return Err(error),
            }
        }
        Ok(records)
    }

    /// Counts the records that match the query; its paging makes no difference.
    ///
    /// # Errors
    /// As [`index`](Self::index).
    async fn count(&self, params: &Params) -> Result<u64> {
        let mut params = unpaged(params);
        params.query.sort.clear();
        Ok(self.index(&params).await?.data.len() as u64)
    }

    /// Makes several records and answers them in their order: all of them or, where the store can promise it, none.
    ///
    /// # Errors
    /// As [`create`](Self::create), and [`ErrorKind::MethodNotAllowed`](crate::ErrorKind::MethodNotAllowed) for a client
    /// unless [`Options::multi`](crate::Options::multi) lets it.
    async fn create_many(&self, data: Vec<Self::Input>, params: &Params) -> Result<Vec<Self::Data>> {
        let description = self.describe();
        offered(&description, Method::Create)?;
        description.plan(Intent::CreateMany(data.len()), params)?;
        let mut records = Vec::with_capacity(data.len());
        for data in data {
            records.push(self.create(data, params).await?);
        }
        Ok(records)
    }

    /// Merges fields into every record that matches the query, and answers the changed records.
    ///
    /// # Errors
    /// As [`modify`](Self::modify), and [`ErrorKind::MethodNotAllowed`](crate::ErrorKind::MethodNotAllowed) for a client
    /// unless [`Options::multi`](crate::Options::multi) lets it.
    async fn modify_many(&self, patch: Patch, params: &Params) -> Result<Vec<Self::Data>> {
        let description = self.describe();
        offered(&description, Method::Modify)?;
        description.plan(Intent::ModifyMany, params)?;
        let mut records = Vec::new();
        for id in matching_ids(self, &description, params).await? {
            records.push(self.modify(&id, patch.clone(), &one_of_many(params)).await?.into_inner());
        }
        Ok(records)
    }

    /// Takes every record away that matches the query, and answers them as they were. Without a filter that is all.
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden) for a client, unless
    /// [`Options::allow_remove_all`](crate::Options::allow_remove_all) or, with a filter,
    /// [`Options::multi`](crate::Options::multi) lets it.
    async fn remove_many(&self, params: &Params) -> Result<Vec<Self::Data>> {
        let description = self.describe();
        offered(&description, Method::Remove)?;
        description.plan(Intent::RemoveMany, params)?;
        let mut records = Vec::new();
        for id in matching_ids(self, &description, params).await? {
            records.push(self.remove(&id, &one_of_many(params)).await?);
        }
        Ok(records)
    }

    /// Lists the records that match the query one by one, without ever holding more than a bounded number of them.
    ///
    /// Unless the service overrides it, the bound is what `index` answers at once.
    fn index_stream(&self, params: Params) -> BoxStream<'_, Result<Self::Data>> {
        let page = async move { Ok::<_, Error>(stream::iter(self.index(&params).await?.data).map(Ok)) };
        stream::once(page).try_flatten().boxed()
    }

    /// Runs a call and answers JSON text: what transports ask for.
    ///
    /// A store that can write JSON without building records overrides it; the answer is the same.
    ///
    /// # Errors
    /// As the method that is called.
    async fn answer(&self, call: Call<Self::Id, Self::Input>, params: &Params) -> Result<Answer> {
        answer::through_records(self, call, params).await
    }

    /// Says which methods the service offers and how it behaves.
    fn describe(&self) -> Arc<Description> {
        Description::of_name("this service")
    }

    /// Is told where the service has been mounted. A service that needs nothing of its app does without.
    fn mounted(&self, site: &Site) {
        let _ = site;
    }

    /// Returns whether a call of the service begins with hooks, to which hooks around it may hand on what they decided.
    ///
    /// Nobody else has anything to say here.
    #[doc(hidden)]
    fn begins_with_hooks(&self) -> bool {
        false
    }
}

/// A service of documents, of whatever make: what an [`App`](crate::App) holds.
pub type DynService = dyn Service<Id = Id, Data = Document, Input = Document>;

/// The error of a method that a service does not offer.
fn not_offered(description: &Description, method: Method) -> Error {
    Error::method_not_allowed(format!("`{}` does not offer `{method}`", description.name()))
}

fn offered(description: &Description, method: Method) -> Result<()> {
    if description.methods().contains(method) { Ok(()) } else { Err(not_offered(description, method)) }
}

/// The same query over all records that match, in no pages.
fn unpaged(params: &Params) -> Params {
    let mut params = params.clone();
    params.paginate = Some(Paginate::Off);
    let query = &mut params.query;
    (query.skip, query.limit, query.after, query.total) = (None, None, None, None);
    params
}

/// Params for one of the records that a query matched: the query has done its work, the scope holds on.
fn one_of_many(params: &Params) -> Params {
    let query = Query { select: params.query.select.clone(), ..Query::default() };
    Params { query, missing: Some(crate::Missing::NotFound), ..params.clone() }
}

async fn matching_ids<S: Service + ?Sized>(
    service: &S,
    description: &Description,
    params: &Params,
) -> Result<Vec<S::Id>> {
    let mut params = unpaged(params);
    params.query.select = None;
    let page = service.index(&params).await?;
    page.data
        .iter()
        .map(|record| {
            let id = answer::id_of(record, description).and_then(|id| id.as_str().parse().ok());
            id.ok_or_else(|| Error::internal("a record of `index` has no id, so that it cannot be changed among many"))
        })
        .collect()
}

/// Forwards every method, so that nothing goes slow or loses a rule by being pointed to.
macro_rules! forward_through_pointer {
    ($($pointer:ty),*) => {
        $(
            #[async_trait]
            #[deny(clippy::missing_trait_methods)]
            impl<S: Service + ?Sized> Service for $pointer {
                type Id = S::Id;
                type Data = S::Data;
                type Input = S::Input;

                async fn index(&self, params: &Params) -> Result<Page<S::Data>> {
                    (**self).index(params).await
                }

                async fn read(&self, id: &S::Id, params: &Params) -> Result<S::Data> {
                    (**self).read(id, params).await
                }

                async fn create(&self, data: S::Input, params: &Params) -> Result<S::Data> {
                    (**self).create(data, params).await
                }

                async fn modify(&self, id: &S::Id, patch: Patch, params: &Params) -> Result<Stored<S::Data>> {
                    (**self).modify(id, patch, params).await
                }

                async fn update(&self, id: &S::Id, data: S::Input, params: &Params) -> Result<Stored<S::Data>> {
                    (**self).update(id, data, params).await
                }

                async fn remove(&self, id: &S::Id, params: &Params) -> Result<S::Data> {
                    (**self).remove(id, params).await
                }

                async fn find_one(&self, params: &Params) -> Result<Option<S::Data>> {
                    (**self).find_one(params).await
                }

                async fn read_many(&self, ids: &[S::Id], params: &Params) -> Result<Vec<S::Data>> {
                    (**self).read_many(ids, params).await
                }

                async fn count(&self, params: &Params) -> Result<u64> {
                    (**self).count(params).await
                }

                async fn create_many(&self, data: Vec<S::Input>, params: &Params) -> Result<Vec<S::Data>> {
                    (**self).create_many(data, params).await
                }

                async fn modify_many(&self, patch: Patch, params: &Params) -> Result<Vec<S::Data>> {
                    (**self).modify_many(patch, params).await
                }

                async fn remove_many(&self, params: &Params) -> Result<Vec<S::Data>> {
                    (**self).remove_many(params).await
                }

                fn index_stream(&self, params: Params) -> BoxStream<'_, Result<S::Data>> {
                    (**self).index_stream(params)
                }

                async fn answer(&self, call: Call<S::Id, S::Input>, params: &Params) -> Result<Answer> {
                    (**self).answer(call, params).await
                }

                fn describe(&self) -> Arc<Description> {
                    (**self).describe()
                }

                fn mounted(&self, site: &Site) {
                    (**self).mounted(site);
                }

                fn begins_with_hooks(&self) -> bool {
                    (**self).begins_with_hooks()
                }
            }
        )*
    };
}

forward_through_pointer!(&S, Box<S>, Arc<S>);

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;
    use crate::{ErrorKind, FnService, Options, Provider};

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
    }

    /// Notes which of its methods were called.
    #[derive(Default)]
    struct Tracer(Mutex<Vec<&'static str>>);

    impl Tracer {
        fn note(&self, name: &'static str) -> Document {
            self.0.lock().push(name);
            Document::new().with("id", name)
        }
    }

    #[async_trait]
    #[deny(clippy::missing_trait_methods)]
    impl Service for Tracer {
        type Id = Id;
        type Data = Document;
        type Input = Document;

        async fn index(&self, _: &Params) -> Result<Page<Document>> {
            Ok(vec![self.note("index")].into())
        }

        async fn read(&self, _: &Id, _: &Params) -> Result<Document> {
            Ok(self.note("read"))
        }

        async fn create(&self, _: Document, _: &Params) -> Result<Document> {
            Ok(self.note("create"))
        }

        async fn modify(&self, _: &Id, _: Patch, _: &Params) -> Result<Stored<Document>> {
            Ok(Stored::Changed(self.note("modify")))
        }

        async fn update(&self, _: &Id, _: Document, _: &Params) -> Result<Stored<Document>> {
            Ok(Stored::Created(self.note("update")))
        }

        async fn remove(&self, _: &Id, _: &Params) -> Result<Document> {
            Ok(self.note("remove"))
        }

        async fn find_one(&self, _: &Params) -> Result<Option<Document>> {
            Ok(Some(self.note("find_one")))
        }

        async fn read_many(&self, _: &[Id], _: &Params) -> Result<Vec<Document>> {
            Ok(vec![self.note("read_many")])
        }

        async fn count(&self, _: &Params) -> Result<u64> {
            self.note("count");
            Ok(1)
        }

        async fn create_many(&self, _: Vec<Document>, _: &Params) -> Result<Vec<Document>> {
            Ok(vec![self.note("create_many")])
        }

        async fn modify_many(&self, _: Patch, _: &Params) -> Result<Vec<Document>> {
            Ok(vec![self.note("modify_many")])
        }

        async fn remove_many(&self, _: &Params) -> Result<Vec<Document>> {
            Ok(vec![self.note("remove_many")])
        }

        fn index_stream(&self, _: Params) -> BoxStream<'_, Result<Document>> {
            stream::iter([Ok(self.note("index_stream"))]).boxed()
        }

        async fn answer(&self, _: Call<Id, Document>, _: &Params) -> Result<Answer> {
            self.note("answer");
            Ok(Answer::default())
        }

        fn describe(&self) -> Arc<Description> {
            self.note("describe");
            Description::of_name("tracer")
        }

        fn mounted(&self, _: &Site) {
            self.note("mounted");
        }

        fn begins_with_hooks(&self) -> bool {
            false
        }
    }

    const EVERY_METHOD: [&str; 15] = [
        "index",
        "read",
        "create",
        "modify",
        "update",
        "remove",
        "find_one",
        "read_many",
        "count",
        "create_many",
        "modify_many",
        "remove_many",
        "index_stream",
        "answer",
        "describe",
    ];

    async fn call_every_method<S>(service: S) -> Result<()>
    where
        S: Service<Id = Id, Data = Document, Input = Document>,
    {
        let (id, params, data) = (Id::from(1), Params::new(), Document::new());
        service.index(&params).await?;
        service.read(&id, &params).await?;
        service.create(data.clone(), &params).await?;
        service.modify(&id, data.clone().into(), &params).await?;
        service.update(&id, data.clone(), &params).await?;
        service.remove(&id, &params).await?;
        service.find_one(&params).await?;
        service.read_many(std::slice::from_ref(&id), &params).await?;
        service.count(&params).await?;
        service.create_many(vec![data.clone()], &params).await?;
        service.modify_many(data.into(), &params).await?;
        service.remove_many(&params).await?;
        service.index_stream(Params::new()).try_collect::<Vec<_>>().await?;
        service.answer(Call::Index, &params).await?;
        service.describe();
        Ok(())
    }

    #[test]
    fn every_method_goes_through_every_pointer() {
        let tracer = Arc::new(Tracer::default());
        let check = |outcome: Result<()>| {
            outcome.expect("called");
            assert_eq!(std::mem::take(&mut *tracer.0.lock()), EVERY_METHOD);
        };
        check(block_on(call_every_method(&*tracer)));
        check(block_on(call_every_method(tracer.clone())));
        check(block_on(call_every_method(Box::new(tracer.clone()))));
        check(block_on(call_every_method(tracer.clone() as Arc<DynService>)));
        check(block_on(call_every_method(&*tracer as &DynService)));
        check(block_on(call_every_method(Box::new(tracer.clone()) as Box<DynService>)));
    }

    /// A service that has nothing but the six methods over a list, for the bodies of the others.
    fn numbers() -> FnService<u8, Document> {
        let record = |id: u8| Document::new().with("id", i64::from(id));
        FnService::new("numbers")
            .on_index(move |params: Params| async move {
                let all = (1..=3).map(record).filter(|record| params.query.filter.matches(record));
                let limit = params.query.limit.map_or(usize::MAX, |limit| usize::try_from(limit).expect("small"));
                Ok(all.take(limit).collect::<Vec<_>>().into())
            })
            .on_read(move |id: u8, _| async move {
                if id <= 3 { Ok(record(id)) } else { Err(Error::no_record("numbers", id)) }
            })
            .on_modify(move |id: u8, patch: Patch, _| async move {
                let mut record = record(id);
                patch.apply(&mut record);
                Ok(Stored::Changed(record))
            })
            .on_remove(move |id: u8, _| async move { Ok(record(id)) })
    }

    #[test]
    fn meta_methods_work_through_the_six() {
        use crate::Filter;
        block_on(async {
            let (numbers, program) = (numbers(), Params::new());
            let above_one = Params::from(Query::new().filter(Filter::gt("id", 1)));
            assert_eq!(numbers.find_one(&above_one).await.expect("found").expect("one")["id"].as_i64(), Some(2));
            assert_eq!(numbers.count(&above_one).await.expect("a count"), 2);
            assert_eq!(numbers.read_many(&[3, 1, 3], &program).await.expect("records").len(), 3);
            assert!(numbers.read_many(&[3, 9], &program).await.expect_err("missing").is_not_found());
            let skipping = Params { skip_missing: true, ..Params::new() };
            assert_eq!(numbers.read_many(&[3, 9], &skipping).await.expect("records").len(), 1);
            let patch = Patch::from(Document::new().with("seen", true));
            let modified = numbers.modify_many(patch, &above_one).await.expect("records");
            assert_eq!(modified[1].to_string(), r#"{"id":3,"seen":true}"#);
            assert_eq!(numbers.remove_many(&above_one).await.expect("records").len(), 2);
            let client = Params::client(Provider::Rest);
            let error = numbers.remove_many(&client).await.expect_err("not for clients");
            assert_eq!(error.kind(), ErrorKind::Forbidden);
            assert_eq!(numbers.index_stream(Params::new()).count().await, 3);
            let answer = numbers.answer(Call::Index, &program).await.expect("an answer");
            assert_eq!(answer.json, r#"[{"id":1},{"id":2},{"id":3}]"#);
        });
    }

    #[test]
    fn what_is_not_offered_is_405() {
        block_on(async {
            let nothing = FnService::<Id>::new("nothing").options(Options::new("nothing")).expect("options");
            let (id, params) = (Id::from(1), Params::new());
            let kinds = [
                nothing.index(&params).await.err(),
                nothing.read(&id, &params).await.err(),
                nothing.create(Document::new(), &params).await.err(),
                nothing.modify(&id, Document::new().into(), &params).await.err(),
                nothing.update(&id, Document::new(), &params).await.err(),
                nothing.remove(&id, &params).await.err(),
                nothing.find_one(&params).await.err(),
                nothing.count(&params).await.err(),
                nothing.create_many(Vec::new(), &params).await.err(),
                nothing.modify_many(Document::new().into(), &params).await.err(),
                nothing.remove_many(&params).await.err(),
                nothing.index_stream(Params::new()).try_next().await.err(),
            ];
            for error in kinds {
                assert_eq!(error.expect("not offered").kind(), ErrorKind::MethodNotAllowed);
            }
        });
    }

    #[test]
    fn answers_need_no_object() {
        block_on(async {
            let words = FnService::<Id, Option<String>>::new("words")
                .on_read(|id: Id, _| async move { Ok((id.as_str() == "a").then(|| "word".to_owned())) });
            let words = crate::Untyped::new(words);
            let json =
                async |id: &str| words.answer(Call::Read(id.into()), &Params::new()).await.expect("an answer").json;
            assert_eq!(json("a").await, "\"word\"");
            assert_eq!(json("b").await, "null");
        });
    }
}
