//! Answers for the wire, made from records. Stores that write JSON themselves do without.

use std::any::Any;

use bytes::Bytes;
use serde::Serialize;

use crate::json::write_document;
use crate::output::perform;
use crate::{
    Answer, Call, Description, Document, Error, Id, Operation, Output, Params, Result, Service, Value, read_fields,
};

/// Runs a call through the methods that answer records, and writes these as JSON.
pub(crate) async fn through_records<S: Service + ?Sized>(
    service: &S,
    call: Call<S::Id, S::Input>,
    params: &Params,
) -> Result<Answer> {
    let operation = call.operation();
    let output = perform(service, call, params).await?;
    encode(output, operation, &service.describe(), params)
}

/// Writes what came of a call as JSON, with what the caller may see and asked for.
pub(crate) fn encode<T: Serialize + 'static>(
    output: Output<T>,
    operation: Operation,
    description: &Description,
    params: &Params,
) -> Result<Answer> {
    let created = output.is_created() || operation.method() == crate::Method::Create;
    let one = |record: &T| -> Result<Answer> {
        let id = if created { id_of(record, description) } else { None };
        let mut json = Vec::with_capacity(256);
        write_record(record, description, params, &mut json)?;
        Ok(Answer { json: json.into(), id, created, page: None })
    };
    match output {
        Output::Answer(answer) => Ok(answer),
        Output::Count(count) => Ok(Answer { json: count.to_string().into(), ..Answer::default() }),
        Output::Found(None) => Ok(Answer { json: Bytes::from_static(b"null"), ..Answer::default() }),
        Output::Found(Some(record)) | Output::Record(record) => one(&record),
        Output::Stored(stored) => one(&stored.into_inner()),
        Output::Page(page) => {
            let json = encode_list(&page.data, description, params)?;
            Ok(Answer { json, page: Some(page.info), ..Answer::default() })
        }
        Output::Records(records) => {
            let json = encode_list(&records, description, params)?;
            Ok(Answer { json, id: None, created, page: None })
        }
    }
}

/// Returns the document that a record is, if it is one: no conversion is then needed.
fn as_document<T: 'static>(record: &T) -> Option<&Document> {
    (record as &dyn Any).downcast_ref()
}

/// Returns the id that a record holds.
pub(crate) fn id_of<T: Serialize + 'static>(record: &T, description: &Description) -> Option<Id> {
    if let Some(document) = as_document(record) {
        return Id::from_value(document.get(description.id_field())?);
    }
    let mut slot = [Value::Null];
    // A record that is not an object has no id, and needs none.
    read_fields(record, &[description.id_field().into()], &mut slot).ok()?;
    Id::from_value(&slot[0])
}

fn encode_list<T: Serialize + 'static>(records: &[T], description: &Description, params: &Params) -> Result<Bytes> {
    let mut json = Vec::with_capacity(64 + 128 * records.len());
    json.push(b'[');
    for (position, record) in records.iter().enumerate() {
        if position > 0 {
            json.push(b',');
        }
        write_record(record, description, params, &mut json)?;
    }
    json.push(b']');
    Ok(json.into())
}

/// Writes a record as JSON behind what is in the buffer, with what the caller may see and asked for.
///
/// # Errors
/// [`ErrorKind::Internal`](crate::ErrorKind::Internal) where the record's `Serialize` fails.
pub fn write_record<T: Serialize + 'static>(
    record: &T,
    description: &Description,
    params: &Params,
    json: &mut Vec<u8>,
) -> Result<()> {
    let written = match as_document(record) {
        // Hooks may have added to what was revealed.
        Some(document) if description.is_revealed() || description.reveals_all(params) => {
            write_document(document, json)
        }
        Some(document) => write_document(&description.reveal(document.clone(), params), json),
        None if description.reveals_all(params) => serde_json::to_writer(json, record),
        None => match Value::from_serialize(record)? {
            Value::Document(document) => write_document(&description.reveal(document, params), json),
            // What is not an object has no fields to select or hide.
            other => serde_json::to_writer(json, &other),
        },
    };
    written.map_err(|error| Error::internal("a record cannot be written as JSON").with_source(error))
}
