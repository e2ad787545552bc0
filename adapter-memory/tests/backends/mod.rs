//! The stores in memory that the suite is run on, here and over HTTP.

use std::sync::Arc;

use remex_conformance::{Backend, NewPerson, Person, RecordKind};
use remex_core::{Document, DynService, IdKind, Options, Result, ServiceExt, async_trait};
use remex_memory::MemoryService;

/// Returns them all: records of both kinds, ids of every kind.
pub(crate) fn backends() -> Vec<Arc<dyn Backend>> {
    let documents = |name, kind| Memory { name, kind, record: RecordKind::Documents };
    let people = |name, kind| Memory { name, kind, record: RecordKind::Typed };
    vec![
        Arc::new(documents("memory, documents, integer ids", IdKind::Integer)),
        Arc::new(documents("memory, documents, uuid ids", IdKind::Uuid)),
        Arc::new(documents("memory, documents, object ids", IdKind::ObjectId)),
        Arc::new(documents("memory, documents, text ids", IdKind::Text)),
        Arc::new(people("memory, typed, integer ids", IdKind::Integer)),
        Arc::new(people("memory, typed, uuid ids", IdKind::Uuid)),
    ]
}

struct Memory {
    name: &'static str,
    kind: IdKind,
    record: RecordKind,
}

#[async_trait]
impl Backend for Memory {
    fn name(&self) -> &str {
        self.name
    }

    fn id_kind(&self) -> IdKind {
        self.kind
    }

    fn record(&self) -> RecordKind {
        self.record
    }

    async fn service(&self, options: Options) -> Result<Arc<DynService>> {
        Ok(match self.record {
            RecordKind::Typed => Arc::new(MemoryService::<Person, NewPerson>::new(options)?.untyped()),
            _ => Arc::new(MemoryService::<Document>::new(options)?),
        })
    }
}
