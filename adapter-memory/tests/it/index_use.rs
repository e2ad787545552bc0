//! Indexes and pieces change how fast an answer comes, never which.

use std::cmp::Ordering;

use proptest::prelude::*;
use remex_core::{Document, Filter, IdKind, Options, Paginate, Params, Query, Service, Value, compare_by};
use remex_memory::MemoryService;

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => (0..6_i64).prop_map(Value::from),
        1 => Just(Value::Null),
        1 => prop::sample::select(vec![1.5, 3.0]).prop_map(Value::from),
        1 => "[ab]".prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => prop::collection::vec(0..4_i64, 0..3).prop_map(Value::from),
    ]
}

fn record() -> impl Strategy<Value = Document> {
    let pair = (prop::sample::select(vec!["a", "b", "c"]), value());
    prop::collection::vec(pair, 0..4).prop_map(|pairs| pairs.into_iter().collect())
}

fn filter() -> impl Strategy<Value = Filter> {
    let field = || prop::sample::select(vec!["a", "b", "c", "id"]);
    let leaf = prop_oneof![
        (field(), value()).prop_map(|(name, value)| Filter::eq(name, value)),
        (field(), value()).prop_map(|(name, value)| Filter::ne(name, value)),
        (field(), value()).prop_map(|(name, value)| Filter::gt(name, value)),
        (field(), value()).prop_map(|(name, value)| Filter::gte(name, value)),
        (field(), value()).prop_map(|(name, value)| Filter::lt(name, value)),
        (field(), value()).prop_map(|(name, value)| Filter::lte(name, value)),
        (field(), prop::collection::vec(value(), 0..4)).prop_map(|(name, values)| Filter::is_in(name, values)),
        Just(Filter::All),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(Filter::all),
            prop::collection::vec(inner.clone(), 1..3).prop_map(Filter::any),
            inner.prop_map(|filter| !filter),
        ]
    })
}

fn query() -> impl Strategy<Value = Query> {
    let sort = prop::collection::vec((prop::sample::select(vec!["a", "b", "c"]), any::<bool>()), 0..3);
    (filter(), sort, prop::option::of(0..4_u64), prop::option::of(0..8_u64)).prop_map(|(filter, sort, skip, limit)| {
        let query = sort.into_iter().fold(Query::new().filter(filter), |query, (name, descending)| {
            if descending { query.sort_descending(name) } else { query.sort(name) }
        });
        Query { skip, limit, ..query }
    })
}

/// What a query answers, the long way.
fn expected(records: &[Document], query: &Query) -> Vec<Document> {
    let mut found: Vec<_> = records.iter().filter(|record| query.filter.matches(record)).cloned().collect();
    let by_id = |one: &Document, other: &Document| one["id"].compare(&other["id"]);
    found.sort_by(|one, other| compare_by(&query.sort, one, other).then_with(|| by_id(one, other)));
    let limit = query.limit.map_or(usize::MAX, |limit| usize::try_from(limit).expect("small"));
    found.into_iter().skip(usize::try_from(query.skip.unwrap_or(0)).expect("small")).take(limit).collect()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn an_index_answers_what_the_evaluator_does(
        records in prop::collection::vec(record(), 0..12),
        changes in prop::collection::vec((1..13_i64, prop::option::of(record())), 0..6),
        queries in prop::collection::vec(query(), 1..4),
    ) {
        runtime().block_on(async {
            let options = Options::new("things").index("a").index("b");
            let things = MemoryService::<Document>::new(options).expect("options");
            let program = Params::new();
            for record in records {
                things.create(record, &program).await.expect("created");
            }
            for (id, change) in changes {
                // An id that is not there is made by `update` and left alone by `remove`.
                match change {
                    Some(record) => drop(things.update(&id.into(), record, &program).await.expect("updated")),
                    None => drop(things.remove(&id.into(), &program).await),
                }
            }
            let all = things.index(&program).await.expect("all").data;
            for query in queries {
                let page = things.index(&Params::from(query.clone())).await.expect("a page");
                assert_eq!(page.data, expected(&all, &query), "{query:?}");

                let matching = expected(&all, &Query::new().filter(query.filter.clone())).len() as u64;
                assert_eq!(things.count(&Params::from(query.clone())).await.expect("a count"), matching);
                let counted = Params { paginate: Some(Paginate::new(3, 5)), ..Params::from(query.clone()) };
                assert_eq!(things.index(&counted).await.expect("a page").info.total, Some(matching));

                // Pages joined by their cursors are the whole list.
                let whole = Query { skip: None, limit: None, ..query };
                let mut joined = Vec::new();
                let mut next = Query { limit: Some(2), ..whole.clone() };
                loop {
                    let page = things.index(&Params::from(next.clone())).await.expect("a page");
                    joined.extend(page.data);
                    let Some(cursor) = page.info.next else { break };
                    next = next.after(cursor);
                }
                assert_eq!(joined, expected(&all, &whole));
            }
        });
    }
}

#[tokio::test]
async fn lists_longer_than_a_piece_are_whole() {
    use futures::TryStreamExt;
    let options = Options::new("numbers").index("half").id_kind(IdKind::Uuid);
    let numbers = MemoryService::<Document>::new(options).expect("options");
    let program = Params::new();
    let data = (0..5000_i64).map(|number| Document::new().with("number", number).with("half", number / 2)).collect();
    let made = numbers.create_many(data, &program).await.expect("created");
    let all = numbers.index(&program).await.expect("all").data;
    assert_eq!(all, made);
    let streamed: Vec<_> = numbers.index_stream(Params::new()).try_collect().await.expect("a stream");
    assert_eq!(streamed, made);
    let descending = Params::from(Query::new().sort_descending("half").skip(1200).limit(1500));
    let page = numbers.index(&descending).await.expect("a page").data;
    assert_eq!(page.len(), 1500);
    assert!(page.is_sorted_by(|one, other| {
        let order = other["half"].compare(&one["half"]).then_with(|| one["id"].compare(&other["id"]));
        order == Ordering::Less
    }));
    assert_eq!(page[0]["half"], Value::from(1899));
}
