//! Services that are broken on purpose, and the cases that must find them out: one that cannot fail proves nothing.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::BoxStream;
use remex_conformance::{Case, Need, cases};
use remex_core::{
    Answer, Call, Condition, Description, Document, DynService, Error, ErrorKind, Filter, FnService, Id, Missing, Page,
    Paginate, Params, Patch, Query, Result, Service, Stored, Value, async_trait,
};

use crate::suite::{Wrap, failures_of};

/// Fails unless each of the cases failed.
#[track_caller]
fn found_by(wrap: Wrap, expected: &[&str]) {
    let failed: Vec<&str> = failures_of(wrap).into_iter().map(|(name, _)| name).collect();
    for name in expected {
        assert!(cases().iter().any(|case| case.name() == *name), "there is no case `{name}`");
        assert!(failed.contains(name), "`{name}` did not find it out; these did: {failed:?}");
    }
}

#[test]
fn what_is_sound_passes() {
    let failed = failures_of(|service| service);
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn what_offers_nothing_passes_nothing() {
    let failed: Vec<&str> =
        failures_of(|_| Arc::new(FnService::<Id>::new("nothing"))).into_iter().map(|(name, _)| name).collect();
    // The ids are integers here.
    let applies = |case: &Case| !case.has_need(Need::TextIds) && !case.has_need(Need::UuidIds);
    let passed = cases().into_iter().filter(|case| applies(case) && !failed.contains(&case.name()));
    let passed: Vec<&str> = passed.map(|case| case.name()).collect();
    assert!(passed.is_empty(), "{passed:?}");
}

/// A service with one fault.
struct Broken {
    service: Arc<DynService>,
    fault: Fault,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    LosesTheGivenId,
    IgnoresTheScope,
    IgnoresTheQueryOfOne,
    MakesASecondRecord,
    TakesAnEmptyListForAll,
    LosesNullUnderUnequal,
    RoundsIntegers,
    ReadsThenWrites,
    ReplacesInsteadOfMerging,
    KeepsHalfABatch,
    ShowsWhatIsHidden,
    ForgetsTheLastPartOfAStream,
    WritesOtherJson,
    TellsOfTheStore,
    SaysNothingOfFields,
    LetsAnybodyRemoveAll,
    AnswersTheNewRecordOnRemoval,
    BreaksTies,
    CountsThePage,
    NeverSaysWhereTheNextPageBegins,
    ChangesOnePieceOnly,
    CountsBehindThePlace,
    TakesAnEmptyFilterForAll,
}

impl Fault {
    /// Changes the params that a sound service is called with.
    fn params(self, params: &Params) -> Params {
        let mut params = params.clone();
        match self {
            Self::IgnoresTheScope => params.scope = Filter::All,
            Self::TakesAnEmptyListForAll => params.query.filter = without_empty_lists(params.query.filter),
            Self::TakesAnEmptyFilterForAll if params.query.filter.is_empty() => params.query.filter = Filter::All,
            Self::LosesNullUnderUnequal => params.query.filter = with_three_answers(params.query.filter),
            Self::ShowsWhatIsHidden | Self::LetsAnybodyRemoveAll => params.provider = None,
            _ => {}
        }
        params
    }

    fn params_of_one(self, params: &Params) -> Params {
        let mut params = self.params(params);
        if self == Self::IgnoresTheQueryOfOne {
            params.query.filter = Filter::All;
        }
        params
    }

    fn error(self, error: Error) -> Error {
        match (self, error.kind()) {
            (Self::TellsOfTheStore, ErrorKind::Conflict) => Error::conflict("UNIQUE constraint failed: people.email"),
            (Self::SaysNothingOfFields, kind) if kind != ErrorKind::Internal => Error::new(kind, error.message()),
            _ => error,
        }
    }

    fn data(self, mut data: Document) -> Document {
        if self == Self::RoundsIntegers
            && let Some(Value::Int(age)) = data.get("age")
        {
            #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "that is the fault")]
            let rounded = *age as f64 as i64;
            data.insert("age", rounded);
        }
        data
    }
}

fn without_empty_lists(filter: Filter) -> Filter {
    match filter {
        Filter::Field(_, Condition::In(values)) if values.is_empty() => Filter::All,
        other => other,
    }
}

/// As SQL has it: null is neither equal nor unequal.
fn with_three_answers(filter: Filter) -> Filter {
    match filter {
        Filter::Field(path, condition @ (Condition::Ne(_) | Condition::Nin(_))) => {
            Filter::exists(&path, true).and(Filter::Field(path, condition))
        }
        other => other,
    }
}

#[async_trait]
impl Service for Broken {
    type Id = Id;
    type Data = Document;
    type Input = Document;

    async fn index(&self, params: &Params) -> Result<Page<Document>> {
        let fault = self.fault;
        let mut page = self.service.index(&fault.params(params)).await.map_err(|error| fault.error(error))?;
        match fault {
            Fault::BreaksTies if !params.query.sort.is_empty() => {
                // Those that came later come first among equals.
                page.data.reverse();
                page.data.sort_by(|one, other| remex_core::compare_by(&params.query.sort, one, other));
            }
            Fault::CountsThePage => page.info.total = page.info.total.map(|_| page.data.len() as u64),
            Fault::NeverSaysWhereTheNextPageBegins => page.info.next = None,
            Fault::CountsBehindThePlace if page.info.total.is_some() => {
                let query = Query { skip: None, limit: None, ..params.query.clone() };
                let rest = Params { paginate: Some(Paginate::Off), query, ..params.clone() };
                page.info.total = Some(self.service.index(&rest).await?.data.len() as u64);
            }
            _ => {}
        }
        Ok(page)
    }

    async fn read(&self, id: &Id, params: &Params) -> Result<Document> {
        self.service.read(id, &self.fault.params_of_one(params)).await.map_err(|error| self.fault.error(error))
    }

    async fn create(&self, data: Document, params: &Params) -> Result<Document> {
        let fault = self.fault;
        self.service.create(fault.data(data), &fault.params(params)).await.map_err(|error| fault.error(error))
    }

    async fn modify(&self, id: &Id, patch: Patch, params: &Params) -> Result<Stored<Document>> {
        let fault = self.fault;
        let given = params;
        let params = fault.params_of_one(params);
        match fault {
            Fault::LosesTheGivenId => {
                let found = Params { missing: Some(Missing::NotFound), ..params.clone() };
                match self.service.modify(id, patch.clone(), &found).await {
                    Err(error) if error.is_not_found() => {
                        let mut data = patch.data().clone();
                        data.remove("id");
                        self.service.create(data, &params).await.map(Stored::Created)
                    }
                    outcome => outcome,
                }
            }
            Fault::MakesASecondRecord if self.service.read(id, given).await.is_err() => {
                let mut data = patch.data().clone();
                data.remove("id");
                self.service.create(data, &params).await.map(Stored::Created)
            }
            Fault::ReadsThenWrites => {
                let mut record = match self.service.read(id, &params).await {
                    Ok(record) => record,
                    Err(_) => return self.service.modify(id, patch, &params).await,
                };
                tokio::task::yield_now().await;
                patch.apply(&mut record);
                let unfiltered = Params { query: Query::new(), ..params };
                self.service.update(id, record, &unfiltered).await
            }
            Fault::ReplacesInsteadOfMerging => self.service.update(id, patch.data().clone(), &params).await,
            _ => self.service.modify(id, patch, &params).await.map_err(|error| fault.error(error)),
        }
    }

    async fn update(&self, id: &Id, data: Document, params: &Params) -> Result<Stored<Document>> {
        let fault = self.fault;
        self.service
            .update(id, fault.data(data), &fault.params_of_one(params))
            .await
            .map_err(|error| fault.error(error))
    }

    async fn remove(&self, id: &Id, params: &Params) -> Result<Document> {
        let fault = self.fault;
        let old = self.service.remove(id, &fault.params_of_one(params)).await.map_err(|error| fault.error(error))?;
        Ok(if fault == Fault::AnswersTheNewRecordOnRemoval {
            Document::new().with("id", old["id"].clone())
        } else {
            old
        })
    }

    async fn find_one(&self, params: &Params) -> Result<Option<Document>> {
        self.service.find_one(&self.fault.params(params)).await.map_err(|error| self.fault.error(error))
    }

    async fn read_many(&self, ids: &[Id], params: &Params) -> Result<Vec<Document>> {
        self.service.read_many(ids, &self.fault.params(params)).await
    }

    async fn count(&self, params: &Params) -> Result<u64> {
        self.service.count(&self.fault.params(params)).await.map_err(|error| self.fault.error(error))
    }

    async fn create_many(&self, data: Vec<Document>, params: &Params) -> Result<Vec<Document>> {
        let params = self.fault.params(params);
        if self.fault == Fault::KeepsHalfABatch && data.len() > 1 {
            let mut records = Vec::new();
            for data in data {
                records.push(self.service.create(data, &params).await?);
            }
            return Ok(records);
        }
        self.service.create_many(data, &params).await.map_err(|error| self.fault.error(error))
    }

    async fn modify_many(&self, patch: Patch, params: &Params) -> Result<Vec<Document>> {
        let mut params = self.fault.params(params);
        if self.fault == Fault::ChangesOnePieceOnly {
            let query = params.query.clone().limit(1_024);
            let piece = Params { paginate: Some(Paginate::Off), query, ..params.clone() };
            let piece = self.service.index(&piece).await?.data;
            if piece.len() == 1_024 {
                params.query.filter = Filter::is_in("id", piece.iter().map(|record| record["id"].clone()));
            }
        }
        self.service.modify_many(patch, &params).await.map_err(|error| self.fault.error(error))
    }

    async fn remove_many(&self, params: &Params) -> Result<Vec<Document>> {
        self.service.remove_many(&self.fault.params(params)).await
    }

    fn index_stream(&self, params: Params) -> BoxStream<'_, Result<Document>> {
        let records = self.service.index_stream(self.fault.params(&params));
        if self.fault == Fault::ForgetsTheLastPartOfAStream { records.take(2_000).boxed() } else { records }
    }

    async fn answer(&self, call: Call<Id, Document>, params: &Params) -> Result<Answer> {
        let mut answer = self.service.answer(call, &self.fault.params(params)).await?;
        if self.fault == Fault::WritesOtherJson {
            // Integers as floats, as some databases write them.
            let text = String::from_utf8_lossy(&answer.json).replace("19", "19.0").replace("32", "32.0");
            answer.json = text.into_bytes().into();
        }
        Ok(answer)
    }

    fn describe(&self) -> Arc<Description> {
        self.service.describe()
    }
}

macro_rules! faults {
    ($($test:ident: $fault:ident is found by [$($case:literal),* $(,)?];)*) => {
        $(
            #[test]
            fn $test() {
                found_by(|service| Arc::new(Broken { service, fault: Fault::$fault }), &[$($case),*]);
            }
        )*
    };
}

// One line a fault; each is a test of its own.
faults! {
    a_lost_id: LosesTheGivenId is found by [
        "modify::missing_is_created_under_exactly_that_id",
        "modify::a_merge_patch_makes_what_is_missing",
        "concurrency::a_missing_record_is_made_once",
    ];
    an_ignored_scope: IgnoresTheScope is found by [
        "scope::lists_hold_what_is_within",
        "scope::what_is_outside_is_not_found",
        "scope::what_is_outside_is_not_found_among_many",
        "scope::no_query_widens_it",
        "scope::it_holds_where_queries_do_not",
        "scope::changing_what_is_outside_makes_nothing",
        "scope::removing_all_removes_what_is_within",
        "scope::changing_many_changes_what_is_within",
        "scope::new_records_are_stamped",
        "scope::new_records_that_lie_outside_are_refused",
        "scope::missing_records_are_stamped",
        "scope::missing_records_that_would_lie_outside_are_refused",
        "scope::no_change_moves_a_record_out",
        "scope::no_replacement_moves_a_record_out",
        "scope::no_change_of_many_moves_a_record_out",
        "scope::replacements_are_stamped",
        "scope::json_and_streams_hold_what_is_within",
        "index::a_stream_has_what_the_query_says_within_the_scope",
    ];
    an_ignored_query: IgnoresTheQueryOfOne is found by [
        "read::a_query_narrows",
        "modify::a_query_that_does_not_match_changes_nothing",
        "update::a_query_that_does_not_match_changes_nothing",
        "remove::a_query_that_does_not_match_removes_nothing",
        "concurrency::a_query_holds_until_the_change",
    ];
    a_second_record: MakesASecondRecord is found by ["modify::a_query_that_does_not_match_makes_no_second_record"];
    an_empty_list_for_all: TakesAnEmptyListForAll is found by [
        "remove::many_of_an_empty_list_are_none",
        "query::lists_of_values_match_any_of_them",
        "modify::many_that_are_none_are_none",
    ];
    nulls_of_sql: LosesNullUnderUnequal is found by [
        "query::unequal_includes_null_and_absent",
        "query::paths_reach_into_objects",
    ];
    rounded_integers: RoundsIntegers is found by ["value::integers_are_exact", "order::numbers_are_sorted_by_worth"];
    lost_changes: ReadsThenWrites is found by [
        "concurrency::changes_of_different_fields_are_all_kept",
        "concurrency::deep_changes_of_different_fields_are_all_kept",
        "concurrency::a_query_holds_until_the_change",
    ];
    modify_as_update: ReplacesInsteadOfMerging is found by ["modify::fields_are_merged_and_the_stored_record_answered"];
    half_a_batch: KeepsHalfABatch is found by [
        "create::many_are_made_all_or_none",
        "create::many_may_not_collide_among_themselves",
        "indexed::records_that_were_not_made_are_not_found",
        "scope::new_records_that_lie_outside_are_refused",
    ];
    shown_secrets: ShowsWhatIsHidden is found by [
        "rights::hidden_fields_are_not_shown",
        "rights::hidden_fields_are_not_set",
        "rights::hidden_fields_are_not_asked_for",
        "rights::hidden_fields_outlast_a_clients_replacement",
        "index::a_stream_shows_clients_nothing_hidden",
        "view::a_typed_view_keeps_what_is_hidden",
    ];
    cut_streams: ForgetsTheLastPartOfAStream is found by ["index::a_stream_holds_for_many_records"];
    other_json: WritesOtherJson is found by ["answer::of_index_is_its_list", "answer::of_read_is_its_record"];
    talk_of_the_store: TellsOfTheStore is found by [
        "create::a_taken_id_is_a_conflict",
        "create::a_value_can_have_to_be_unique",
        "modify::a_value_that_is_taken_is_a_conflict",
        "update::a_value_that_is_taken_is_a_conflict",
    ];
    unnamed_fields: SaysNothingOfFields is found by [
        "create::data_that_does_not_fit_is_refused_with_every_field_named",
        "create::fields_can_be_required",
        "query::unknown_fields_are_refused_where_fields_are_known",
        "error::field_errors_say_what_is_wrong_and_for_whom",
    ];
    anybody_as_the_program: LetsAnybodyRemoveAll is found by [
        "remove::clients_do_not_remove_all",
        "remove::clients_remove_many_only_where_they_may",
        "remove::a_query_without_a_filter_is_never_all",
        "rights::any_provider_is_a_client",
        "create::clients_make_many_only_where_they_may",
        "create::clients_make_so_many_at_once",
        "modify::clients_change_many_only_where_they_may",
        "page::clients_cannot_have_a_total_that_is_not_offered",
    ];
    forgotten_removals: AnswersTheNewRecordOnRemoval is found by ["remove::the_old_record_is_answered"];
    broken_ties: BreaksTies is found by ["order::ties_are_ordered_by_id"];
    totals_of_pages: CountsThePage is found by ["page::a_page_says_where_it_stands", "page::the_total_is_of_all_that_match"];
    endless_ends: NeverSaysWhereTheNextPageBegins is found by [
        "page::a_full_page_says_where_the_next_begins",
        "page::pages_go_on_without_gaps_or_doubles_while_records_come",
    ];
    one_piece_of_many: ChangesOnePieceOnly is found by ["many::all_that_match_are_changed"];
    totals_of_the_rest: CountsBehindThePlace is found by [
        "page::the_total_is_the_same_on_every_page",
        "many::all_are_on_some_page",
    ];
    an_empty_filter_for_all: TakesAnEmptyFilterForAll is found by [
        "remove::an_empty_filter_of_the_program_is_never_all",
        "modify::an_empty_filter_is_never_all",
    ];
}
