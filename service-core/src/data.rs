//! Data on its way into a store, and records on their way out.
//!
//! Which ids are taken, which fields are refused, what times are set and what a client may not see is the same for
//! every store, so it is decided here.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::description::Description;
use crate::field::format_moment;
use crate::object_id;
use crate::options::{ClientIds, IdKind, Missing};
use crate::{Document, Error, Fields, Filter, ID_BYTES_MAX, Id, Params, Patch, Result, Value};

/// Data of a record that is to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRecord {
    /// The id that the caller gave, if it did and may; else the store makes one.
    pub id: Option<Value>,
    /// The fields without the id.
    pub data: Document,
}

impl IdKind {
    /// Reads an id of this kind, or `None` where the text is none.
    ///
    /// Only the one way in which the service itself writes an id is read (`7`, not `007`), but for the case of hexadecimal
    /// digits.
    #[must_use]
    pub fn read(self, id: &Id) -> Option<Value> {
        let text = id.as_str();
        match self {
            Self::Integer => {
                let number: i64 = text.parse().ok()?;
                let canonical =
                    !text.starts_with('+') && (text == "0" || !text.trim_start_matches('-').starts_with('0'));
                canonical.then_some(Value::Int(number))
            }
            Self::Uuid if text.len() == uuid::fmt::Hyphenated::LENGTH => {
                text.parse::<Uuid>().ok().map(|uuid| Value::from(uuid.hyphenated().to_string()))
            }
            Self::Uuid => None,
            Self::ObjectId => object_id::read(text).map(Value::from),
            Self::Text => (!text.is_empty() && text.len() <= ID_BYTES_MAX && !text.contains('\0')).then(|| text.into()),
        }
    }

    /// Makes an id that nobody else makes, or `None` where ids are counted by the store or made up by the caller.
    #[must_use]
    pub fn make(self) -> Option<Value> {
        match self {
            Self::Integer | Self::Text => None,
            Self::Uuid => Some(Value::from(Uuid::now_v7().hyphenated().to_string())),
            Self::ObjectId => Some(Value::from(object_id::make())),
        }
    }

    /// Names the kind, for messages.
    const fn name(self) -> &'static str {
        match self {
            Self::Integer => "an integer",
            Self::Uuid => "a UUID",
            Self::ObjectId => "24 hexadecimal digits",
            Self::Text => "a string of 1 to 255 bytes",
        }
    }
}

/// How many fields an error names at most; data with more faults than this is no slip of the pen.
const FIELD_ERRORS_MAX: usize = 100;

/// Whether all fields of a record are there, or only those to change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    Part,
}

impl Description {
    /// Reads the id of a record that must be there already.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) where it cannot be an id of this service.
    pub fn read_id(&self, id: &Id) -> Result<Value> {
        self.id_kind().read(id).ok_or_else(|| Error::no_record(self.name(), id))
    }

    /// Reads the id that `update` is given.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest) where it cannot be an id of this service and a record would
    /// have to be made, [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) where none would be.
    pub fn read_id_to_update(&self, id: &Id, missing: Missing) -> Result<Value> {
        match (self.id_kind().read(id), missing) {
            (Some(value), _) => Ok(value),
            (None, Missing::NotFound) => Err(Error::no_record(self.name(), id)),
            (None, Missing::Create) => Err(self.unfit_id(id.as_str())),
        }
    }

    fn unfit_id(&self, text: &str) -> Error {
        let (field, kind) = (self.id_field(), self.id_kind().name());
        Error::bad_request(format!(
            "`{}` cannot be an id of `{}`: expected {kind}",
            crate::error::shown(text),
            self.name()
        ))
        .with_field(field, "type", format!("expected {kind}"))
    }

    /// Reads the id that data brings along.
    fn read_new_id(&self, value: &Value) -> Result<Value> {
        // An integer field takes no text: data in JSON is typed.
        let fits = match self.id_kind() {
            IdKind::Integer => matches!(value, Value::Int(_)),
            IdKind::Uuid | IdKind::ObjectId | IdKind::Text => matches!(value, Value::Text(_)),
        };
        let id = Id::from_value(value).filter(|_| fits);
        let read = id.and_then(|id| self.id_kind().read(&id));
        let read = read.ok_or_else(|| self.unfit_id(&value.to_string()))?;
        self.check_new_id(&read)?;
        Ok(read)
    }

    /// Refuses ids under which no record may be made.
    fn check_new_id(&self, id: &Value) -> Result<()> {
        let why = match id.as_str() {
            Some(text) if text.starts_with('_') => "cannot begin with `_`, which is reserved for routes",
            // A path with one of these names something else by the time it is sent.
            Some("." | "..") => "cannot be `.` or `..`, which clients take out of a path",
            _ => return Ok(()),
        };
        Err(Error::bad_request(format!("an id {why}")).with_field(self.id_field(), "reserved", why))
    }

    /// Prepares the data of `create`: takes the id out, checks and completes the fields, sets times and the scope's
    /// equalities.
    ///
    /// # Errors
    /// - [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest) for an id that cannot be one, or text that no store keeps.
    /// - [`ErrorKind::Unprocessable`](crate::ErrorKind::Unprocessable) for fields that are not known, do not fit or are
    ///   missing, each named.
    /// - [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden) where the record would lie outside the caller's scope.
    pub fn prepare_create(&self, mut data: Document, params: &Params) -> Result<NewRecord> {
        let id = data.remove(self.id_field()).unwrap_or_default();
        let ignored = params.is_client() && self.options.client_ids == ClientIds::Ignore;
        let id = if id.is_null() || ignored { None } else { Some(self.read_new_id(&id)?) };
        if id.is_none() && self.id_kind() == IdKind::Text {
            return Err(Error::unprocessable(format!("`{}` is required", self.id_field())).with_field(
                self.id_field(),
                "required",
                "is required",
            ));
        }
        self.prepare_record(&mut data, params)?;
        Ok(NewRecord { id, data })
    }

    /// Prepares the data of a record that `modify` or `update` makes under an id that had none.
    ///
    /// # Errors
    /// As [`prepare_create`](Self::prepare_create).
    pub fn prepare_missing(&self, id: &Value, mut data: Document, params: &Params) -> Result<Document> {
        self.check_new_id(id)?;
        data.remove(self.id_field());
        self.prepare_record(&mut data, params)?;
        Ok(data)
    }

    fn prepare_record(&self, data: &mut Document, params: &Params) -> Result<()> {
        self.take_out_managed(data);
        self.check_data(data, params, Extent::Whole)?;
        self.stamp(data, params);
        if let Some((created_at, updated_at)) = self.options.timestamps.names() {
            let now = now();
            data.insert(created_at, now.clone());
            data.insert(updated_at, now);
        }
        Ok(())
    }

    /// Prepares the data of `modify`: what it may not change is taken out, the rest is checked.
    ///
    /// # Errors
    /// As [`prepare_create`](Self::prepare_create).
    pub fn prepare_modify(&self, mut patch: Patch, params: &Params) -> Result<Patch> {
        let data = patch.data_mut();
        data.remove(self.id_field());
        self.take_out_managed(data);
        self.check_data(data, params, Extent::Part)?;
        // A patch without fields changes nothing, not even the time of the last change.
        if let (Some((_, updated_at)), false) = (self.options.timestamps.names(), data.is_empty()) {
            data.insert(updated_at, now());
        }
        Ok(patch)
    }

    /// Prepares the data of `update`, which replaces a record that is there.
    ///
    /// The time of creation, and for a client whatever is hidden from it, are not part of what is replaced: see
    /// [`carry_over`](Self::carry_over).
    ///
    /// # Errors
    /// As [`prepare_create`](Self::prepare_create).
    pub fn prepare_update(&self, mut data: Document, params: &Params) -> Result<Document> {
        data.remove(self.id_field());
        self.take_out_managed(&mut data);
        self.check_data(&mut data, params, Extent::Whole)?;
        self.stamp(&mut data, params);
        if let Some((_, updated_at)) = self.options.timestamps.names() {
            data.insert(updated_at, now());
        }
        Ok(data)
    }

    /// Lists the fields of the old record that `update` to this new one leaves as they are.
    pub fn carried_over<'a>(&'a self, new: &'a Document, params: &Params) -> impl Iterator<Item = &'a str> + use<'a> {
        let hidden: &[_] = if params.is_client() { &self.options.hidden_fields } else { &[] };
        let vetted = self.is_vetted(params);
        let hidden = hidden.iter().map(crate::Text::as_str).filter(move |name| !(vetted && new.contains(name)));
        let created_at = self.options.timestamps.names().map(|(created_at, _)| created_at);
        created_at.into_iter().chain(hidden)
    }

    /// Copies what `update` leaves as it is from the old record into the new one.
    pub fn carry_over(&self, old: &Document, new: &mut Document, params: &Params) {
        let kept: Vec<_> = self.carried_over(new, params).filter_map(|name| Some((name, old.get(name)?))).collect();
        let kept: Vec<_> = kept.into_iter().map(|(name, value)| (crate::Text::from(name), value.clone())).collect();
        for (name, value) in kept {
            new.insert(&name, value);
        }
    }

    /// Refuses a record that lies outside the caller's scope: a call may not put one where it could not see it, nor where
    /// others see it as well: of a list that the caller wrote every element must be within the scope.
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden)
    pub fn check_scope(&self, record: &Document, params: &Params) -> Result<()> {
        self.check_scope_of(record, params, &|_| true)
    }

    /// As [`check_scope`](Self::check_scope), for a record that was there and of which a patch changed some fields.
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden)
    pub fn check_scope_changed(&self, record: &Document, patch: &Patch, params: &Params) -> Result<()> {
        self.check_scope_of(record, params, &|name| patch.data().contains(name))
    }

    fn check_scope_of(&self, record: &Document, params: &Params, written: &dyn Fn(&str) -> bool) -> Result<()> {
        if params.scope.is_all() {
            return Ok(());
        }
        let scope = self.kept(&params.scope);
        if scope.matches(record) && scope.matches_wholly(record, written) {
            return Ok(());
        }
        Err(Error::forbidden(format!("the record would be outside what you may access of `{}`", self.name())))
    }

    /// Puts the values of a record into the form in which their fields are kept, as far as they fit: a type of the program's
    /// own writes decimals as text and times in a form of its own.
    ///
    /// For adapters, where they make a document of a record that was checked before.
    pub fn keep_forms(&self, record: &mut Document) {
        for field in self.options.fields.iter().flat_map(Fields::iter).filter(|field| field.kind.has_one_form()) {
            if let Some(value) = record.get_mut(&field.name)
                && let Some(kept) = field.kind.keep(value.clone())
            {
                *value = kept;
            }
        }
    }

    /// Shows a record: hides what a client may not see, and keeps what the query selects, with the id.
    ///
    /// To be applied to every record that leaves a service as a document. Applying it twice does no harm.
    #[must_use]
    pub fn reveal(&self, mut record: Document, params: &Params) -> Document {
        if params.whole {
            return record;
        }
        if let Some(select) = self.selected(params) {
            record = record.project(std::iter::once(&self.id_path).chain(select));
        }
        if params.is_client() { self.without_hidden(&record) } else { record }
    }

    /// Returns a record without what is hidden from clients.
    pub(crate) fn without_hidden(&self, record: &Document) -> Document {
        let mut record = record.clone();
        if !self.options.hidden_fields.is_empty() {
            record.retain(|name, _| !self.options.hidden_fields.iter().any(|hidden| hidden.as_str() == name));
        }
        record
    }

    /// Returns a record without what is hidden from clients, as it is where there is nothing of that.
    pub(crate) fn showing(&self, record: Document) -> Document {
        let hidden = self.options.hidden_fields.iter().any(|name| record.contains(name));
        if hidden { self.without_hidden(&record) } else { record }
    }

    /// Returns whether anything is hidden from the caller.
    pub(crate) fn hides_from(&self, params: &Params) -> bool {
        params.is_client() && !params.whole && !self.options.hidden_fields.is_empty()
    }

    /// Returns whether [`reveal`](Self::reveal) would take anything away.
    #[must_use]
    pub fn reveals_all(&self, params: &Params) -> bool {
        params.whole
            || (!params.is_client() || self.options.hidden_fields.is_empty()) && self.selected(params).is_none()
    }

    fn selected<'a>(&self, params: &'a Params) -> Option<&'a [crate::Path]> {
        use crate::options::AllowQuery;
        match self.options.allow_query {
            AllowQuery::Nobody => None,
            AllowQuery::ServerOnly if params.is_client() => None,
            _ => params.query.select.as_deref(),
        }
    }

    /// The times of creation and change are the service's, whoever sends them.
    fn take_out_managed(&self, data: &mut Document) {
        if let Some((created_at, updated_at)) = self.options.timestamps.names() {
            data.remove(created_at);
            data.remove(updated_at);
        }
    }

    /// Puts the scope's equalities into a record, where it does not say otherwise.
    fn stamp(&self, data: &mut Document, params: &Params) {
        if matches!(params.scope, Filter::All) {
            return;
        }
        for (path, value) in self.kept(&params.scope).equalities() {
            let name = path.as_str();
            let single = path.first() == name && name != self.id_field();
            if single && data.get(name).is_none_or(Value::is_null) && !value.is_null() {
                data.insert(name, value.clone());
            }
        }
    }

    fn hidden_from(&self, params: &Params) -> &[crate::Text] {
        if params.is_client() { &self.options.hidden_fields } else { &[] }
    }

    /// Refuses data of a client that sets what is hidden from it, before hooks add to the data.
    ///
    /// # Errors
    /// [`ErrorKind::Unprocessable`](crate::ErrorKind::Unprocessable) naming each.
    pub(crate) fn vet<'a>(&self, data: impl IntoIterator<Item = &'a Document>) -> Result<()> {
        for data in data {
            let set = |name: &&crate::Text| data.get(name).is_some_and(|value| !value.is_null());
            let faults: Vec<_> = self.options.hidden_fields.iter().filter(set).collect();
            if !faults.is_empty() {
                let message = format!("is not a field of `{}`", self.name());
                let named = faults.iter().map(|name| (name.as_str(), message.as_str()));
                let error = Error::unprocessable(crate::error::summary(named));
                return Err(faults
                    .iter()
                    .fold(error, |error, name| error.with_field(name, "unknown", message.clone())));
            }
        }
        Ok(())
    }

    /// Returns whether data of this call was vetted for this service.
    fn is_vetted(&self, params: &Params) -> bool {
        params.vetted.as_deref() == Some(self.name())
    }

    /// Returns whether data of this call is yet to be vetted.
    pub(crate) fn is_to_be_vetted(&self, params: &Params) -> bool {
        params.is_client() && !self.is_vetted(params) && !self.options.hidden_fields.is_empty()
    }

    fn check_data(&self, data: &mut Document, params: &Params, extent: Extent) -> Result<()> {
        for (name, value) in data.iter() {
            check_name(name)?;
            check_value(name, value)?;
        }
        let mut faults: Vec<(crate::Text, &'static str, String)> = Vec::new();
        let hidden = self.hidden_from(params);
        let vetted = self.is_vetted(params);
        for name in hidden.iter().filter(|_| !vetted) {
            // A type that has the field writes null for what the client left out.
            if data.get(name).is_some_and(Value::is_null) {
                data.remove(name);
            } else if data.contains(name) {
                faults.push((name.clone(), "unknown", format!("is not a field of `{}`", self.name())));
            }
        }
        if let Some(fields) = &self.options.fields {
            self.check_types(data, fields, hidden, extent, params, &mut faults);
        }
        if faults.is_empty() {
            return Ok(());
        }
        let message = crate::error::summary(faults.iter().map(|(name, _, message)| (name.as_str(), message.as_str())));
        faults.truncate(FIELD_ERRORS_MAX);
        Err(faults
            .into_iter()
            .fold(Error::unprocessable(message), |error, (name, code, message)| error.with_field(&name, code, message)))
    }

    fn check_types(
        &self,
        data: &mut Document,
        fields: &Fields,
        hidden: &[crate::Text],
        extent: Extent,
        params: &Params,
        faults: &mut Vec<(crate::Text, &'static str, String)>,
    ) {
        for field in fields.iter() {
            // What is hidden is never asked of a client; hooks may have set it.
            let not_asked = hidden.contains(&field.name) && !(self.is_vetted(params) && data.contains(&field.name));
            if self.is_managed(&field.name) || not_asked {
                continue;
            }
            // The scope may fill in what the caller left out.
            let stamped = |(path, value): &(&crate::Path, &Value)| **path == *field.name.as_str() && !value.is_null();
            let filled_in = extent == Extent::Whole && params.scope.equalities().iter().any(stamped);
            match data.get_mut(&field.name) {
                Some(value) if value.is_null() && field.required && !filled_in => {
                    faults.push((field.name.clone(), "required", "may not be null".to_owned()));
                }
                Some(value) => {
                    let type_name = value.type_name();
                    match field.kind.keep(std::mem::take(value)) {
                        Some(kept) => *value = kept,
                        None => faults.push((
                            field.name.clone(),
                            "type",
                            format!("must be {}, not {type_name}", field.kind.name()),
                        )),
                    }
                }
                None if field.required && extent == Extent::Whole && !filled_in => {
                    faults.push((field.name.clone(), "required", "is required".to_owned()));
                }
                None => {}
            }
        }
        for name in data.names().filter(|name| fields.find(name).is_none()) {
            faults.push((name.into(), "unknown", format!("is not a field of `{}`", self.name())));
        }
    }
}

/// Refuses names that a query could not say or a store could take for an operator.
fn check_name(name: &str) -> Result<()> {
    let fault = if name.is_empty() {
        "is empty"
    } else if name.starts_with('$') {
        "begins with a `$`, which is reserved for operators"
    } else if name.contains('\0') {
        "holds a NUL character"
    } else {
        return Ok(());
    };
    Err(Error::bad_request(format!("the name of the field `{}` {fault}", crate::error::shown(name))))
}

/// Refuses text that not every store can keep.
fn check_value(field: &str, value: &Value) -> Result<()> {
    match value {
        // PostgreSQL keeps no NUL in text, so no store does.
        Value::Text(text) if text.contains('\0') => Err(Error::bad_request(format!("`{field}` holds a NUL character"))
            .with_field(field, "nul", "text cannot hold a NUL character")),
        Value::Array(values) => values.iter().try_for_each(|value| check_value(field, value)),
        Value::Document(document) => document.iter().try_for_each(|(name, value)| {
            check_name(name)?;
            check_value(field, value)
        }),
        _ => Ok(()),
    }
}

/// Writes the present moment as fields of type [`FieldType::DateTime`](crate::FieldType::DateTime) hold it.
fn now() -> Value {
    Value::from(format_moment(OffsetDateTime::now_utc()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, FieldType, Options, Provider, Query, Timestamps};

    fn description(options: Options) -> Description {
        Description::new(options).expect("options")
    }

    fn client() -> Params {
        Params::client(Provider::Rest)
    }

    #[test]
    fn ids_are_read_by_kind() {
        let check = |kind: IdKind, text: &str, expected: Option<&str>| {
            assert_eq!(kind.read(&text.into()).map(|id| id.to_string()).as_deref(), expected, "{kind:?} {text}");
        };
        check(IdKind::Integer, "7", Some("7"));
        check(IdKind::Integer, "-7", Some("-7"));
        check(IdKind::Integer, "0", Some("0"));
        for text in ["007", "+7", "-0", "", " 7", "7.0", "abc", "9223372036854775808", "null"] {
            check(IdKind::Integer, text, None);
        }
        let uuid = "0192F0C1-0000-7000-8000-00000000000A";
        check(IdKind::Uuid, uuid, Some(&format!("\"{}\"", uuid.to_lowercase())));
        check(IdKind::Uuid, &uuid.replace('-', ""), None);
        let digits = "0123456789ABCDEF01234567";
        check(IdKind::ObjectId, digits, Some(&format!("\"{}\"", digits.to_lowercase())));
        check(IdKind::ObjectId, "0123456789abcdef0123456", None);
        check(IdKind::Text, "null", Some("\"null\""));
        check(IdKind::Text, &"x".repeat(255), Some(&format!("\"{}\"", "x".repeat(255))));
        check(IdKind::Text, &"x".repeat(256), None);
        check(IdKind::Text, "", None);
    }

    #[test]
    fn every_bad_field_of_data_is_named() {
        let fields = Fields::new()
            .required("name", FieldType::Text)
            .optional("age", FieldType::Integer)
            .optional("secret", FieldType::Text);
        let people =
            description(Options::new("people").fields(fields).hidden_field("secret").timestamps(Timestamps::Snake));
        let data = Document::from_json(br#"{"age":"x","other":1,"secret":"s","created_at":"mine"}"#).expect("data");
        let error = people.prepare_create(data, &client()).expect_err("refused");
        let mut found: Vec<_> =
            error.fields().iter().map(|fault| (fault.field.as_str(), fault.code.as_str())).collect();
        found.sort_unstable();
        assert_eq!(found, [("age", "type"), ("name", "required"), ("other", "unknown"), ("secret", "unknown")]);
        assert_eq!(error.kind(), ErrorKind::Unprocessable);
    }

    #[test]
    fn a_scope_is_stamped_and_held() {
        let notes = description(Options::new("notes"));
        let params = client().with_scope(Filter::eq("owner", 7).and(Filter::ne("state", "gone")));
        let record = notes.prepare_create(Document::new().with("text", "x"), &params).expect("data").data;
        assert_eq!(record.to_string(), r#"{"text":"x","owner":7}"#);
        assert!(notes.check_scope(&record, &params).is_ok());
        let foreign = notes.prepare_create(Document::new().with("owner", 8), &params).expect("data").data;
        assert_eq!(notes.check_scope(&foreign, &params).expect_err("outside").kind(), ErrorKind::Forbidden);
    }

    #[test]
    fn a_scope_fills_in_what_is_required() {
        let notes = description(Options::new("notes").fields(Fields::new().required("owner", FieldType::Integer)));
        let params = client().with_scope(Filter::eq("owner", 7));
        for data in [Document::new(), Document::new().with("owner", Value::Null)] {
            assert_eq!(notes.prepare_create(data.clone(), &params).expect("data").data.to_string(), r#"{"owner":7}"#);
            assert!(notes.prepare_create(data, &client()).is_err());
        }
    }

    #[test]
    fn an_empty_patch_changes_nothing() {
        let people = description(Options::new("people").timestamps(Timestamps::Camel));
        let patch = Patch::from(Document::new().with("id", 3).with("createdAt", "x"));
        assert!(people.prepare_modify(patch, &client()).expect("a patch").data().is_empty());
        let patch = Patch::from(Document::new().with("name", "x"));
        assert!(people.prepare_modify(patch, &client()).expect("a patch").data().contains("updatedAt"));
    }

    #[test]
    fn names_and_texts_that_not_every_store_keeps_are_refused() {
        let people = description(Options::new("people"));
        for text in [r#"{"a\u0000":1}"#, r#"{"a":["\u0000"]}"#, r#"{"$set":1}"#, r#"{"a":{"$gt":1}}"#, r#"{"":1}"#] {
            let data = Document::from_json(text.as_bytes()).expect("JSON");
            let error = people.prepare_create(data, &client()).expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::BadRequest, "{text}");
        }
    }

    #[test]
    fn records_are_revealed_by_select_and_rights() {
        let people = description(Options::new("people").hidden_field("password"));
        let record = Document::new().with("id", 1).with("name", "x").with("password", "y");
        let shown = |params: &Params| people.reveal(record.clone(), params).to_string();
        assert_eq!(shown(&client()), r#"{"id":1,"name":"x"}"#);
        assert_eq!(shown(&Params::new()), r#"{"id":1,"name":"x","password":"y"}"#);
        assert_eq!(shown(&client().with_query(Query::new().select(["name"]))), r#"{"id":1,"name":"x"}"#);
        assert_eq!(shown(&client().with_query(Query::new().select(Vec::<&str>::new()))), r#"{"id":1}"#);
    }
}
