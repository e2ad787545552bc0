//! What is read as JSON, written straight from packed records.

use remex_core::{Answer, Error, Id, Params, Result};

use crate::records::Record;
use crate::store::Store;

/// How much room a record is given in advance.
const RECORD_BYTES: usize = 128;

impl Store {
    /// Answers `index` with whole records.
    pub(crate) async fn answer_index(&self, params: &Params) -> Result<Answer> {
        let page = self.page(params).await?;
        let mut json = Vec::with_capacity(2 + RECORD_BYTES * page.data.len());
        json.push(b'[');
        for (at, held) in page.data.iter().enumerate() {
            if at > 0 {
                json.push(b',');
            }
            write(held.record(), &mut json)?;
        }
        json.push(b']');
        Ok(Answer { json: json.into(), page: Some(page.info), ..Answer::default() })
    }

    /// Answers `read` with a whole record.
    pub(crate) async fn answer_read(&self, id: &Id, params: &Params) -> Result<Answer> {
        self.home.enter().await?;
        let mut json = Vec::with_capacity(RECORD_BYTES);
        write(self.one(id, params)?.record(), &mut json)?;
        Ok(Answer { json: json.into(), ..Answer::default() })
    }
}

fn write(record: Record<'_>, json: &mut Vec<u8>) -> Result<()> {
    record
        .reader()
        .write_json(json)
        .map_err(|error| Error::internal("a record cannot be written as JSON").with_source(error))
}
