//! The suite that every adapter must pass, on records in memory with a cache around them.

use std::process::ExitCode;
use std::sync::Arc;

use remex_conformance::{Backend, NewPerson, Person, RecordKind, in_process, run};
use remex_core::{Document, DynService, IdKind, Options, Result, ServiceExt, async_trait};
use remex_hooks::{CacheOptions, CachedExt};
use remex_memory::MemoryService;

fn main() -> ExitCode {
    let backend = |name, kind, record| Arc::new(Kept { name, kind, record }) as Arc<dyn Backend>;
    let backends = vec![
        backend("cached, documents, integer ids", IdKind::Integer, RecordKind::Documents),
        backend("cached, typed, uuid ids", IdKind::Uuid, RecordKind::Typed),
    ];
    run(backends, in_process())
}

struct Kept {
    name: &'static str,
    kind: IdKind,
    record: RecordKind,
}

#[async_trait]
impl Backend for Kept {
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
        let bounds = CacheOptions::new();
        Ok(match self.record {
            RecordKind::Typed => Arc::new(MemoryService::<Person, NewPerson>::new(options)?.cached(bounds).untyped()),
            _ => Arc::new(MemoryService::<Document>::new(options)?.cached(bounds)),
        })
    }
}
