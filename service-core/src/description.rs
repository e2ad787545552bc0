//! [`Description`]: what a service says about itself, with its options checked once.

use std::sync::Arc;

use crate::field::check_name;
use crate::options::{IdKind, Index, Timestamps};
use crate::{Error, FieldType, Fields, MethodSet, Options, Path, QuerySyntax, Result, Text};

/// What a service says about itself: its options, checked once, and the methods it offers.
///
/// Adapters make one when they are built and ask it for every decision that is not the store's: what a caller may do
/// ([`plan`](Self::plan)), which form data takes ([`prepare_create`](Self::prepare_create) and its like), and what of a
/// record is shown ([`reveal`](Self::reveal)).
#[derive(Clone, Debug)]
pub struct Description {
    pub(crate) options: Options,
    pub(crate) methods: MethodSet,
    pub(crate) syntax: QuerySyntax,
    /// The id field as a path: it is shown whatever is selected.
    pub(crate) id_path: Path,
    pub(crate) streams: bool,
    pub(crate) revealed: bool,
    pub(crate) hooked: bool,
}

impl Description {
    /// Checks the options.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal), with the option in the log, where they contradict themselves:
    /// an index or a hidden field that is none of the fields, a name that cannot be one.
    pub fn new(options: Options) -> Result<Self> {
        let wrong = |option: &'static str, detail: String| Error::internal(detail).with_context("option", option);
        let names = [("id_field", std::slice::from_ref(&options.id_field)), ("hidden_field", &options.hidden_fields)];
        for (option, names) in names {
            for name in names {
                check_name(name).map_err(|error| error.with_context("option", option))?;
            }
        }
        if options.hidden_fields.contains(&options.id_field) {
            return Err(wrong("hidden_field", format!("the id `{}` cannot be hidden", options.id_field)));
        }
        let fields = options.fields.as_ref().map(|fields| complete(fields, &options));
        for Index { field, .. } in &options.indexes {
            check_name(field).map_err(|error| error.with_context("option", "index"))?;
        }
        if let Some(fields) = &fields {
            for field in fields.iter() {
                check_name(&field.name).map_err(|error| error.with_context("option", "fields"))?;
                if fields.iter().filter(|other| other.name == field.name).count() > 1 {
                    return Err(wrong("fields", format!("the field `{}` is there twice", field.name)));
                }
            }
            let known = |option, name: &Text| match fields.find(name) {
                Some(_) => Ok(()),
                None => Err(wrong(option, format!("`{name}` is none of the fields"))),
            };
            options.indexes.iter().try_for_each(|index| known("index", &index.field))?;
            options.hidden_fields.iter().try_for_each(|name| known("hidden_field", name))?;
            options.query_fields.iter().flatten().try_for_each(|name| known("query_fields", name))?;
        }
        if let Some(name) = options.extra_parameters.iter().find(|name| !name.starts_with('$')) {
            return Err(wrong("allow_parameter", format!("`{name}` must begin with a `$`")));
        }
        let syntax = QuerySyntax {
            fields: fields.clone(),
            coerce: options.coerce,
            extra: options.extra_parameters.clone(),
            ignored: options.ignored_parameters.clone(),
            bounds: options.bounds,
        };
        let id_path = Path::new(options.id_field.clone())?;
        Ok(Self {
            options: Options { fields, ..options },
            methods: MethodSet::ALL,
            syntax,
            id_path,
            streams: false,
            revealed: false,
            hooked: false,
        })
    }

    /// Sets the methods that the service offers. Defaults to all six.
    #[must_use]
    pub const fn with_methods(mut self, methods: MethodSet) -> Self {
        self.methods = methods;
        self
    }

    /// Says whether [`index_stream`](crate::Service::index_stream) reads the records little by little: transports then list
    /// through it where nothing else bounds the answer. Every record must be an object. Defaults to no: such a list is
    /// answered by `index`, whole.
    #[must_use]
    pub const fn with_streaming(mut self, streams: bool) -> Self {
        self.streams = streams;
        self
    }

    /// Says that documents leave the service as the caller may see them, so that nobody takes anything away again: hooks
    /// may have added to them. Defaults to no: what a service answers goes through [`reveal`](Self::reveal) on its way out.
    #[must_use]
    pub(crate) const fn with_revealed(mut self, revealed: bool) -> Self {
        self.revealed = revealed;
        self
    }

    /// Says that the service has hooks, which are told what hooks around them have decided.
    #[must_use]
    pub(crate) const fn with_hooks(mut self) -> Self {
        self.hooked = true;
        self
    }

    /// Returns whether the service has hooks.
    #[must_use]
    pub const fn has_hooks(&self) -> bool {
        self.hooked
    }

    /// Returns whether documents leave the service as the caller may see them.
    pub(crate) const fn is_revealed(&self) -> bool {
        self.revealed
    }

    /// Returns the description of a service that says nothing about itself: all methods, default options, `name`.
    #[must_use]
    pub fn of_name(name: &str) -> Arc<Self> {
        let options = Options::new(name);
        Arc::new(Self {
            methods: MethodSet::ALL,
            syntax: QuerySyntax::default(),
            id_path: crate::IntoPath::into_path("id"),
            streams: false,
            revealed: false,
            hooked: false,
            options,
        })
    }

    /// Returns the name that stands in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.options.name
    }

    /// Returns the methods that the service offers.
    #[must_use]
    pub const fn methods(&self) -> MethodSet {
        self.methods
    }

    /// Returns the methods that clients may apply to many records at once.
    #[must_use]
    pub const fn multi(&self) -> MethodSet {
        self.options.multi
    }

    /// Returns whether long lists are read little by little.
    #[must_use]
    pub const fn streams(&self) -> bool {
        self.streams
    }

    /// Returns the name of the field that holds the id.
    #[must_use]
    pub fn id_field(&self) -> &str {
        &self.options.id_field
    }

    /// Returns of which kind the ids are.
    #[must_use]
    pub const fn id_kind(&self) -> IdKind {
        self.options.id_kind
    }

    /// Returns the fields with their types, the id and managed timestamps among them, if they are known.
    #[must_use]
    pub const fn fields(&self) -> Option<&Fields> {
        self.options.fields.as_ref()
    }

    /// Returns the indexes.
    #[must_use]
    pub fn indexes(&self) -> &[Index] {
        &self.options.indexes
    }

    /// Returns what a query string of this service may say.
    #[must_use]
    pub const fn syntax(&self) -> &QuerySyntax {
        &self.syntax
    }

    /// Returns whether a field is the service's to fill in: the id, and the times that it keeps.
    #[must_use]
    pub fn is_managed(&self, field: &str) -> bool {
        let times = self.options.timestamps.names();
        field == self.id_field() || times.is_some_and(|(created, updated)| field == created || field == updated)
    }

    /// Returns how many records `index` answers a client at most, if there is a bound.
    #[must_use]
    pub const fn page_max(&self) -> Option<u64> {
        match self.options.paginate {
            crate::Paginate::Off => None,
            crate::Paginate::On { max, .. } => Some(max),
        }
    }
}

/// Adds the fields that every record of the service has.
fn complete(fields: &Fields, options: &Options) -> Fields {
    let mut all = fields.clone();
    let id_type = match options.id_kind {
        IdKind::Integer => FieldType::Integer,
        IdKind::Uuid => FieldType::Uuid,
        IdKind::ObjectId | IdKind::Text => FieldType::Text,
    };
    let managed = Timestamps::names(options.timestamps).map(|(created, updated)| [created, updated]);
    let implied = std::iter::once((options.id_field.as_str(), id_type))
        .chain(managed.into_iter().flatten().map(|name| (name, FieldType::DateTime)));
    for (name, kind) in implied {
        if all.find(name).is_none() {
            all = all.optional(name, kind);
        }
    }
    all
}
