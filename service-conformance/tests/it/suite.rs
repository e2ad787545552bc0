//! What the tests of the suite share.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream;
use remex_conformance::{Backend, Case, Direct, Entrance, RecordKind, Suite, cases};
use remex_core::{Document, DynService, IdKind, Options, Result, async_trait};
use remex_memory::MemoryService;

/// Turns a sound service into the one under test.
pub(crate) type Wrap = fn(Arc<DynService>) -> Arc<DynService>;

/// Records in memory with integer ids, behind a wrapper.
pub(crate) struct Wrapped {
    pub(crate) record: RecordKind,
    pub(crate) wrap: Wrap,
}

#[async_trait]
impl Backend for Wrapped {
    fn name(&self) -> &str {
        "wrapped"
    }

    fn id_kind(&self) -> IdKind {
        IdKind::Integer
    }

    fn record(&self) -> RecordKind {
        self.record
    }

    async fn service(&self, options: Options) -> Result<Arc<DynService>> {
        Ok((self.wrap)(Arc::new(MemoryService::<Document>::new(options)?)))
    }
}

/// Tries every case that applies, and lists those that failed with what they said.
pub(crate) fn failures(backend: Wrapped, entrance: Arc<dyn Entrance>) -> Vec<(&'static str, String)> {
    let backend: Arc<dyn Backend> = Arc::new(backend);
    let applicable = |case: &Case| case.not_applicable(&*backend).or_else(|| entrance.not_applicable(case)).is_none();
    let cases: Vec<Case> = cases().into_iter().filter(applicable).collect();
    assert!(cases.len() > 200, "most cases apply");
    let outcomes = stream::iter(cases).map(|case| {
        let suite = Suite::new(backend.clone(), entrance.clone());
        let name = case.name();
        // A panic is a failure as well.
        let task = tokio::spawn(async move { case.run(suite).await });
        async move {
            match task.await {
                Ok(Ok(())) => None,
                Ok(Err(failed)) => Some((name, failed.to_string())),
                Err(error) => Some((name, error.to_string())),
            }
        }
    });
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("a runtime");
    runtime.block_on(outcomes.buffer_unordered(8).filter_map(async |outcome| outcome).collect())
}

pub(crate) fn failures_of(wrap: Wrap) -> Vec<(&'static str, String)> {
    failures(Wrapped { record: RecordKind::Documents, wrap }, Arc::new(Direct))
}
