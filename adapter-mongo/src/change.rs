//! Changing. A change of one record is one command wherever one can say it, else a record is read, and written if it is
//! still as it was read; changes of many are one transaction where there are such.

use mongodb::bson::{self, Bson, RawDocumentBuf, doc};
use remex_core::{
    Document, Error, Id, IdKind, Intent, Missing, NewRecord, Params, Patch, Plan, Result, Stored, Value, back_off,
};

use crate::driver::{Reading, Session, among};
use crate::error::{Failure, busy, id_taken, is_id_taken, too_large};
use crate::patch;
use crate::query::{Said, say};
use crate::store::{COUNTED_MAX, Store};
use crate::transaction::commit;
use crate::value::to_bson_keeping;

/// A call that writes.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Create(Vec<Document>),
    Modify(Id, Patch),
    Update(Id, Document),
    Remove(Id),
    ModifyMany(Patch),
    RemoveMany,
}

/// How often a call is tried at most.
const ATTEMPTS: u32 = 20;

/// How many documents one command is about at most.
const BATCH: usize = 1000;

/// How large a document may be; see
/// [Limits](https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-BSON-Document-Size).
const DOCUMENT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A record and the document that it was read from.
struct Old {
    record: Document,
    raw: RawDocumentBuf,
}

impl Store {
    /// Runs a call that writes, and answers the records that it made, changed or took away.
    pub(crate) async fn change(
        &self,
        mut session: Session<'_>,
        change: &Change,
        params: &Params,
    ) -> Result<Vec<Stored<Document>>, Failure> {
        let many = match change {
            Change::Create(data) => data.len() > 1,
            Change::ModifyMany(_) | Change::RemoveMany => true,
            _ => false,
        };
        // Within somebody else's transaction only its owner can begin again.
        let alone = session.is_none();
        // New records meet nobody.
        let meets = many && alone && !matches!(change, Change::Create(_));
        let _turn = if meets { Some(self.turn_of_many().await) } else { None };
        let mut attempt = 0;
        loop {
            let outcome = if many && alone && self.driver.has_transactions {
                self.in_transaction(change, params).await
            } else {
                self.attempt(session.as_deref_mut(), change, params).await
            };
            let failure = match outcome {
                Ok(stored) => return Ok(stored),
                Err(failure) => failure,
            };
            attempt += 1;
            match failure {
                Failure::Again(_) if alone && attempt < ATTEMPTS => back_off(attempt).await,
                failure => return Err(failure),
            }
        }
    }

    async fn in_transaction(&self, change: &Change, params: &Params) -> Result<Vec<Stored<Document>>, Failure> {
        let mut session = self.driver.begin().await.map_err(|error| self.failure(error))?;
        match self.attempt(Some(&mut session), change, params).await {
            Ok(stored) => {
                commit(self, &mut session).await?;
                Ok(stored)
            }
            Err(failure) => {
                // The first fault is the one to tell of.
                let _ = session.abort_transaction().await;
                Err(failure)
            }
        }
    }

    async fn attempt(
        &self,
        session: Session<'_>,
        change: &Change,
        params: &Params,
    ) -> Result<Vec<Stored<Document>>, Failure> {
        match change {
            Change::Create(data) => self.create(session, data, params).await,
            Change::Modify(id, patch) => Ok(vec![self.modify(session, id, patch, params).await?]),
            Change::Update(id, data) => Ok(vec![self.update(session, id, data, params).await?]),
            Change::Remove(id) => Ok(vec![Stored::Changed(self.remove(session, id, params).await?)]),
            Change::ModifyMany(patch) => self.modify_many(session, patch, params).await,
            Change::RemoveMany => self.remove_many(session, params).await,
        }
    }

    async fn create(
        &self,
        mut session: Session<'_>,
        data: &[Document],
        params: &Params,
    ) -> Result<Vec<Stored<Document>>, Failure> {
        let prepare = |data: &Document| self.description.prepare_create(data.clone(), params);
        let mut new = data.iter().map(prepare).collect::<Result<Vec<_>>>()?;
        let all_given = new.iter().all(|new| new.id.is_some());
        self.give_ids(&mut new).await?;
        let mut records = Vec::with_capacity(new.len());
        let mut documents = Vec::with_capacity(new.len());
        for NewRecord { id, data } in new {
            // Given above, where there was none.
            let id = id.ok_or_else(|| Error::internal("a record has no id"))?;
            let record = self.complete(&id, data, params)?;
            documents.push(self.encode(&record, None)?);
            records.push(Stored::Created(record));
        }
        let taken = |error: mongodb::error::Error| match is_id_taken(&error) {
            // The next id that is made may be free.
            true if !all_given => Failure::Again(id_taken(&self.description)),
            _ => self.failure(error),
        };
        if documents.len() == 1 || !self.driver.has_transactions && session.is_none() {
            let mut made = Vec::new();
            for document in documents {
                let key = document.get("_id").ok().flatten().and_then(|id| Bson::try_from(id).ok());
                if let Err(error) = self.driver.insert(session.as_deref_mut(), document).await {
                    self.take_back(made).await;
                    return Err(taken(error));
                }
                made.extend(key);
            }
        } else {
            self.driver.insert_many(session, documents).await.map_err(taken)?;
        }
        Ok(records)
    }

    /// Takes records away again that were made before one that could not be, where there are no transactions.
    async fn take_back(&self, made: Vec<Bson>) {
        if !made.is_empty() {
            // The first fault is the one to tell of.
            let _ = self.driver.take_all(None, among(made)).await;
        }
    }

    /// Gives an id to every record that has none, and sees to it that those given are not made later.
    async fn give_ids(&self, new: &mut [NewRecord]) -> Result<(), Failure> {
        if self.description.id_kind() != IdKind::Integer {
            for new in new.iter_mut().filter(|new| new.id.is_none()) {
                new.id = self.description.id_kind().make();
            }
            return Ok(());
        }
        let given = new.iter().filter_map(|new| new.id.as_ref()?.as_i64());
        self.count_past(given.filter(|id| *id <= COUNTED_MAX).max()).await?;
        let lacking = new.iter().filter(|new| new.id.is_none()).count();
        if lacking > 0 {
            let count = i64::try_from(lacking).unwrap_or(i64::MAX);
            let last = self.driver.count_ids(count).await.map_err(|error| self.failure(error))?;
            let made = last - count + 1..=last;
            for (new, id) in new.iter_mut().filter(|new| new.id.is_none()).zip(made) {
                new.id = Some(Value::Int(id));
            }
        }
        Ok(())
    }

    async fn count_past(&self, id: Option<i64>) -> Result<(), Failure> {
        match id {
            Some(id) if id > 0 => self.driver.count_past(id).await.map_err(|error| self.failure(error)),
            _ => Ok(()),
        }
    }

    /// Completes the data of a record with its id, and checks it as a whole.
    fn complete(&self, id: &Value, mut data: Document, params: &Params) -> Result<Document> {
        data.insert_first(self.description.id_field(), id.clone());
        let record = self.conformed(data)?;
        self.description.check_scope(&record, params)?;
        Ok(record)
    }

    fn conformed(&self, record: Document) -> Result<Document> {
        self.conform.map_or(Ok(record.clone()), |conform| conform(&self.description, record))
    }

    /// Writes a record as the document that is stored, with what is as it was left as it is.
    fn encode(&self, record: &Document, old: Option<&bson::Document>) -> Result<RawDocumentBuf> {
        let id_field = self.description.id_field();
        self.check_names(record.names().filter(|name| *name != id_field))?;
        self.check_decimals(record)?;
        let mut document = doc! { "_id": self.key(&record[id_field])? };
        for (name, value) in record.iter().filter(|(name, _)| *name != id_field) {
            document.insert(name, to_bson_keeping(value, old.and_then(|old| old.get(name))));
        }
        let raw = RawDocumentBuf::try_from(&document)
            .map_err(|error| Error::internal("a record cannot be written as BSON").with_source(error))?;
        if raw.as_bytes().len() > DOCUMENT_BYTES_MAX {
            return Err(too_large(&self.description));
        }
        Ok(raw)
    }

    /// Refuses the one name that a collection has for itself.
    fn check_names<'a>(&self, mut names: impl Iterator<Item = &'a str>) -> Result<()> {
        if names.any(|name| name == "_id") {
            let id = self.description.id_field();
            let says = format!("is what MongoDB calls the id, which is `{id}` here");
            return Err(Error::unprocessable(format!("`_id` {says}")).with_field("_id", "reserved", says));
        }
        Ok(())
    }

    async fn modify(
        &self,
        mut session: Session<'_>,
        id: &Id,
        patch: &Patch,
        params: &Params,
    ) -> Result<Stored<Document>, Failure> {
        let plan = self.description.plan(Intent::Modify, params)?;
        let id_value = self.description.read_id(id)?;
        let key = self.key(&id_value)?;
        let prepared = self.description.prepare_modify(patch.clone(), params)?;
        self.check_names(prepared.data().names())?;
        self.check_decimals(prepared.data())?;
        if let Some(stages) = self.one_change_for_all(&prepared, params)
            && let Some(record) = self.change_at_once(session.as_deref_mut(), &key, &plan, stages).await?
        {
            return Ok(Stored::Changed(record));
        }
        let _turn = self.turn(&key).await;
        match self.old(session.as_deref_mut(), &key).await? {
            Some(old) if plan.filter.matches(&old.record) => {
                let new = self.modified(&old.record, prepared, params)?;
                Ok(Stored::Changed(self.replace(session, &key, old, new).await?))
            }
            None if plan.missing == Missing::Create => {
                let mut data = Document::new();
                patch.clone().apply(&mut data);
                self.make_missing(session, id_value, data, params).await
            }
            _ => Err(self.missing(id).into()),
        }
    }

    async fn update(
        &self,
        mut session: Session<'_>,
        id: &Id,
        data: &Document,
        params: &Params,
    ) -> Result<Stored<Document>, Failure> {
        let plan = self.description.plan(Intent::Update, params)?;
        let id_value = self.description.read_id_to_update(id, plan.missing)?;
        let key = self.key(&id_value)?;
        let mut prepared = self.description.prepare_update(data.clone(), params)?;
        self.check_names(prepared.names())?;
        self.check_decimals(&prepared)?;
        if self.conform.is_none() && params.scope.is_all() {
            let kept = self.description.carried_over(&prepared, params);
            let stages = vec![patch::replacement(&prepared, kept)];
            if let Some(record) = self.change_at_once(session.as_deref_mut(), &key, &plan, stages).await? {
                return Ok(Stored::Changed(record));
            }
        }
        let _turn = self.turn(&key).await;
        match self.old(session.as_deref_mut(), &key).await? {
            Some(old) if plan.filter.matches(&old.record) => {
                self.description.carry_over(&old.record, &mut prepared, params);
                let new = self.complete(&id_value, prepared, params)?;
                Ok(Stored::Changed(self.replace(session, &key, old, new).await?))
            }
            None if plan.missing == Missing::Create => self.make_missing(session, id_value, data.clone(), params).await,
            _ => Err(self.missing(id).into()),
        }
    }

    async fn remove(&self, mut session: Session<'_>, id: &Id, params: &Params) -> Result<Document, Failure> {
        let plan = self.description.plan(Intent::Remove, params)?;
        let key = self.key(&self.description.read_id(id)?)?;
        let said = say(&self.description, &plan.filter);
        if said.is_exact() {
            let filter = said.and(Said::Exactly(doc! { "_id": key })).into_document();
            let taken = self.driver.take(session, filter).await.map_err(|error| self.failure(error))?;
            let taken = taken.ok_or_else(|| self.missing(id))?;
            return Ok(self.decode(&taken)?);
        }
        let _turn = self.turn(&key).await;
        let old = self.old(session.as_deref_mut(), &key).await?.filter(|old| plan.filter.matches(&old.record));
        let old = old.ok_or_else(|| self.missing(id))?;
        let filter = self.as_it_was(&key, &old.raw)?;
        match self.driver.take(session, filter).await.map_err(|error| self.failure(error))? {
            Some(_) => Ok(old.record),
            None => Err(Failure::Again(busy())),
        }
    }

    async fn modify_many(
        &self,
        mut session: Session<'_>,
        patch: &Patch,
        params: &Params,
    ) -> Result<Vec<Stored<Document>>, Failure> {
        let plan = self.description.plan(Intent::ModifyMany, params)?;
        let prepared = self.description.prepare_modify(patch.clone(), params)?;
        self.check_names(prepared.data().names())?;
        self.check_decimals(prepared.data())?;
        let found = self.matching(session.as_deref_mut(), &plan.filter).await?;
        let mut changed = Vec::with_capacity(found.len());
        for (record, raw) in found {
            let new = self.modified(&record, prepared.clone(), params)?;
            changed.push((Old { record, raw }, new));
        }
        let alike = self.one_change_for_all(&prepared, params);
        if let (Some(stages), Some(session)) = (alike, session.as_deref_mut()) {
            for part in changed.chunks(BATCH) {
                let keys = part.iter().map(|(_, new)| self.key(&new[self.description.id_field()]));
                let filter = among(keys.collect::<Result<_>>()?);
                let changing = self.driver.change_all(Some(&mut *session), filter, stages.clone()).await;
                changing.map_err(|error| self.failure(error))?;
            }
            return Ok(changed.into_iter().map(|(_, new)| Stored::Changed(new)).collect());
        }
        let mut stored = Vec::with_capacity(changed.len());
        for (old, new) in changed {
            let key = self.key(&new[self.description.id_field()])?;
            stored.push(Stored::Changed(self.replace(session.as_deref_mut(), &key, old, new).await?));
        }
        Ok(stored)
    }

    async fn remove_many(&self, mut session: Session<'_>, params: &Params) -> Result<Vec<Stored<Document>>, Failure> {
        let plan = self.description.plan(Intent::RemoveMany, params)?;
        let found = self.matching(session.as_deref_mut(), &plan.filter).await?;
        let mut stored = Vec::with_capacity(found.len());
        let whole = session.is_some();
        let mut keys = Vec::with_capacity(found.len());
        for (record, raw) in found {
            let key = self.key(&record[self.description.id_field()])?;
            if whole {
                keys.push(key);
                stored.push(Stored::Changed(record));
                continue;
            }
            // Without transactions each is taken for itself, and only as it was found.
            let filter = self.as_it_was(&key, &raw)?;
            if self.driver.take(None, filter).await.map_err(|error| self.failure(error))?.is_some() {
                stored.push(Stored::Changed(record));
            }
        }
        for part in keys.chunks(BATCH) {
            let taking = self.driver.take_all(session.as_deref_mut(), among(part.to_vec())).await;
            taking.map_err(|error| self.failure(error))?;
        }
        Ok(stored)
    }

    /// Returns the stages that make a change of whichever record, where its own type has no say and its scope is not touched.
    fn one_change_for_all(&self, patch: &Patch, params: &Params) -> Option<Vec<bson::Document>> {
        let mut scoped = false;
        params.scope.each_path(&mut |path| scoped |= patch.data().contains(path.first()));
        if self.conform.is_some() || scoped || patch.data().is_empty() {
            return None;
        }
        Some(vec![patch::merge(patch)?])
    }

    /// Changes a record in one command. `None` is for a second look: there is no such record, none that matches, or the
    /// server cannot tell.
    async fn change_at_once(
        &self,
        session: Session<'_>,
        key: &Bson,
        plan: &Plan<'_>,
        stages: Vec<bson::Document>,
    ) -> Result<Option<Document>, Failure> {
        let said = say(&self.description, &plan.filter);
        if !said.is_exact() {
            return Ok(None);
        }
        let filter = said.and(Said::Exactly(doc! { "_id": key })).into_document();
        let changed = self.driver.change(session, filter, stages).await.map_err(|error| self.failure(error))?;
        Ok(changed.map(|raw| self.decode(&raw)).transpose()?)
    }

    async fn old(&self, session: Session<'_>, key: &Bson) -> Result<Option<Old>, Failure> {
        let reading = Reading { wanted: Some(1), ..Reading::default() };
        let rows = self.driver.find(session, doc! { "_id": key }, bson::Document::new(), 0, Some(1), reading).await;
        let mut rows = rows.map_err(|error| self.failure(error))?;
        if !rows.advance().await.map_err(|error| self.failure(error))? {
            return Ok(None);
        }
        let raw = rows.current().to_owned();
        Ok(Some(Old { record: self.decode(&raw)?, raw }))
    }

    /// Finds a document only as long as it is what it was.
    fn as_it_was(&self, key: &Bson, raw: &RawDocumentBuf) -> Result<bson::Document> {
        // The document goes along in the filter, and a message holds so much.
        if raw.as_bytes().len() > DOCUMENT_BYTES_MAX / 2 {
            let message = "the record is too large for this change, which needs it twice: at most 8 MiB";
            return Err(Error::too_large(message));
        }
        let old = bson::Document::try_from(raw)
            .map_err(|error| Error::internal("a document of the collection cannot be read").with_source(error))?;
        Ok(doc! { "_id": key, "$expr": { "$eq": ["$$ROOT", { "$literal": old }] } })
    }

    /// Writes a record in the place of an old one, unless somebody else was there in between.
    async fn replace(&self, session: Session<'_>, key: &Bson, old: Old, new: Document) -> Result<Document, Failure> {
        if new == old.record {
            return Ok(new);
        }
        let filter = self.as_it_was(key, &old.raw)?;
        let was = bson::Document::try_from(&old.raw).ok();
        let document = self.encode(&new, was.as_ref())?;
        let stage = doc! { "$replaceWith": { "$literal": bson_of(&document)? } };
        let changed = self.driver.change(session, filter, vec![stage]).await.map_err(|error| self.failure(error))?;
        match changed {
            Some(_) => Ok(new),
            None => Err(Failure::Again(busy())),
        }
    }

    fn modified(&self, record: &Document, patch: Patch, params: &Params) -> Result<Document> {
        let mut new = record.clone();
        if patch.data().is_empty() {
            return Ok(new);
        }
        patch.clone().apply(&mut new);
        let new = self.conformed(new)?;
        self.description.check_scope_changed(&new, &patch, params)?;
        Ok(new)
    }

    /// Makes the record that `modify` or `update` found missing.
    async fn make_missing(
        &self,
        session: Session<'_>,
        id: Value,
        data: Document,
        params: &Params,
    ) -> Result<Stored<Document>, Failure> {
        let data = self.description.prepare_missing(&id, data, params)?;
        let record = self.complete(&id, data, params)?;
        let document = self.encode(&record, None)?;
        if self.description.id_kind() == IdKind::Integer {
            self.count_past(id.as_i64().filter(|id| *id <= COUNTED_MAX)).await?;
        }
        match self.driver.insert(session, document).await {
            Ok(()) => Ok(Stored::Created(record)),
            // Somebody else has made it in between: there is a record to change now, or one that does not match.
            Err(error) if is_id_taken(&error) => Err(Failure::Again(id_taken(&self.description))),
            Err(error) => Err(self.failure(error)),
        }
    }
}

fn bson_of(document: &RawDocumentBuf) -> Result<bson::Document> {
    bson::Document::try_from(document)
        .map_err(|error| Error::internal("a record cannot be written as BSON").with_source(error))
}
