//! A service as a table has it, with null for what is absent: sound all the same.

use std::sync::Arc;

use remex_conformance::{Direct, RecordKind, Views, people_fields};
use remex_core::{Document, DynService, ServiceExt, Value};

use crate::suite::{Wrapped, failures};

/// Stores null for every field that new data lacks.
fn with_nulls(service: Arc<DynService>) -> Arc<DynService> {
    let complete = |mut data: Document| {
        for field in people_fields().iter() {
            // The one is hidden in some cases and the other required in one, where null would be refused.
            let may_be_null = field.name != "note" && field.name != "owner";
            if may_be_null && !data.contains(&field.name) {
                data.insert(&field.name, Value::Null);
            }
        }
        Ok(data)
    };
    Arc::new(service.map(Ok, complete))
}

#[test]
fn null_for_absent_is_sound() {
    for entrance in [Arc::new(Direct) as _, Arc::new(Views) as _] {
        let failed = failures(Wrapped { record: RecordKind::Columns, wrap: with_nulls }, entrance);
        assert!(failed.is_empty(), "{failed:#?}");
    }
}
