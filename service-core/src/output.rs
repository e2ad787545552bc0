//! [`Output`]: what comes of a call, whichever method it is of.

use std::any::Any;

use crate::{Answer, Call, Error, Operation, Page, Params, Result, Service, Stored};

/// What comes of a call, whichever method it is of. Hooks look at it and may replace it.
#[derive(Clone, Debug, PartialEq)]
pub enum Output<T> {
    /// What `index` answers.
    Page(Page<T>),
    /// What `find_one` answers.
    Found(Option<T>),
    /// What `count` answers.
    Count(u64),
    /// What `read`, `create` and `remove` answer.
    Record(T),
    /// What `read_many`, `create_many`, `modify_many` and `remove_many` answer.
    Records(Vec<T>),
    /// What `modify` and `update` answer.
    Stored(Stored<T>),
    /// JSON text, where no hook wants to see records.
    Answer(Answer),
}

impl<T> Output<T> {
    /// Lists the records in it, as many as there are: none in a count, nor in JSON text.
    #[must_use]
    pub fn records(&self) -> &[T] {
        match self {
            Self::Page(page) => &page.data,
            Self::Found(found) => found.as_slice(),
            Self::Record(record) | Self::Stored(Stored::Created(record) | Stored::Changed(record)) => {
                std::slice::from_ref(record)
            }
            Self::Records(records) => records,
            Self::Count(_) | Self::Answer(_) => &[],
        }
    }

    /// Lists the records in it to change.
    #[must_use]
    pub fn records_mut(&mut self) -> &mut [T] {
        match self {
            Self::Page(page) => &mut page.data,
            Self::Found(found) => found.as_mut_slice(),
            Self::Record(record) | Self::Stored(Stored::Created(record) | Stored::Changed(record)) => {
                std::slice::from_mut(record)
            }
            Self::Records(records) => records,
            Self::Count(_) | Self::Answer(_) => &mut [],
        }
    }

    /// Returns whether the call made records.
    #[must_use]
    pub const fn is_created(&self) -> bool {
        match self {
            Self::Stored(stored) => stored.is_created(),
            Self::Answer(answer) => answer.created,
            _ => false,
        }
    }

    /// Returns the same with every record turned into something else, or the first error.
    ///
    /// # Errors
    /// Whatever the closure answers.
    pub fn try_map<U, E>(self, mut convert: impl FnMut(T) -> Result<U, E>) -> Result<Output<U>, E> {
        Ok(match self {
            Self::Page(page) => Output::Page(page.try_map(convert)?),
            Self::Found(found) => Output::Found(found.map(convert).transpose()?),
            Self::Count(count) => Output::Count(count),
            Self::Record(record) => Output::Record(convert(record)?),
            Self::Records(records) => Output::Records(records.into_iter().map(convert).collect::<Result<_, E>>()?),
            Self::Stored(stored) => Output::Stored(stored.try_map(convert)?),
            Self::Answer(answer) => Output::Answer(answer),
        })
    }

    /// Returns what a hook gives in the place of this output: what is not about records stays, such as whether one was made,
    /// and how many there are.
    pub(crate) fn replaced_by(self, new: Self) -> Self {
        match (self, new) {
            (Self::Stored(Stored::Created(_)), Self::Record(record)) => Self::Stored(Stored::Created(record)),
            (Self::Page(Page { info, .. }), Self::Records(data)) => Self::Page(Page { data, info }),
            (Self::Count(count), Self::Records(_) | Self::Page(_)) => Self::Count(count),
            (_, new) => new,
        }
    }

    /// Puts what a hook gave into the form that the operation answers; `None` where it has no such form.
    pub(crate) fn fit(self, operation: Operation) -> Option<Self> {
        use Operation as Op;
        Some(match (operation, self) {
            // JSON text is made by the method alone, in whatever form it is to have.
            (_, answer @ Self::Answer(_)) => answer,
            (Op::Index, page @ Self::Page(_)) => page,
            (Op::Index, Self::Records(records)) => Self::Page(records.into()),
            (Op::FindOne, found @ Self::Found(_)) => found,
            (Op::FindOne, Self::Record(record)) => Self::Found(Some(record)),
            (Op::FindOne, Self::Page(page)) => Self::Found(page.data.into_iter().next()),
            (Op::FindOne, Self::Records(records)) => Self::Found(records.into_iter().next()),
            (Op::Count, count @ Self::Count(_)) => count,
            // A page that may not be all there is counts nothing.
            (Op::Count, Self::Page(Page { data, info })) => match info.total {
                Some(total) => Self::Count(total),
                None if info.limit.is_none() && info.skip == 0 => Self::Count(data.len() as u64),
                None => return None,
            },
            (Op::Count, Self::Records(records)) => Self::Count(records.len() as u64),
            (Op::Read | Op::Create | Op::Remove, record @ Self::Record(_)) => record,
            (Op::Read | Op::Create | Op::Remove, Self::Stored(stored)) => Self::Record(stored.into_inner()),
            (Op::Modify | Op::Update, stored @ Self::Stored(_)) => stored,
            (Op::Modify | Op::Update, Self::Record(record)) => Self::Stored(Stored::Changed(record)),
            (Op::ReadMany | Op::CreateMany | Op::ModifyMany | Op::RemoveMany, records @ Self::Records(_)) => records,
            (Op::ReadMany | Op::CreateMany | Op::ModifyMany | Op::RemoveMany, Self::Page(page)) => {
                Self::Records(page.data)
            }
            _ => return None,
        })
    }

    /// Names the form, for messages.
    pub(crate) const fn form(&self) -> &'static str {
        match self {
            Self::Page(_) => "a page",
            Self::Found(_) => "a record or none",
            Self::Count(_) => "a count",
            Self::Record(_) => "a record",
            Self::Records(_) => "records",
            Self::Stored(_) => "a stored record",
            Self::Answer(_) => "JSON text",
        }
    }

    fn mistaken<R>(&self) -> Result<R> {
        // Outputs are put into the form of their operation wherever a hook may have made them.
        Err(Error::internal(format!("a call came to {}, which it does not answer", self.form())))
    }

    /// Returns the page, of what `index` answers.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) where it is of another form.
    pub fn into_page(self) -> Result<Page<T>> {
        if let Self::Page(page) = self { Ok(page) } else { self.mistaken() }
    }

    /// Returns the record or none, of what `find_one` answers.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) where it is of another form.
    pub fn into_found(self) -> Result<Option<T>> {
        if let Self::Found(found) = self { Ok(found) } else { self.mistaken() }
    }

    /// Returns the count, of what `count` answers.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) where it is of another form.
    pub fn into_count(self) -> Result<u64> {
        if let Self::Count(count) = self { Ok(count) } else { self.mistaken() }
    }

    /// Returns the record, of what `read`, `create` and `remove` answer.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) where it is of another form.
    pub fn into_record(self) -> Result<T> {
        if let Self::Record(record) = self { Ok(record) } else { self.mistaken() }
    }

    /// Returns the records, of what calls of many records answer.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) where it is of another form.
    pub fn into_records(self) -> Result<Vec<T>> {
        if let Self::Records(records) = self { Ok(records) } else { self.mistaken() }
    }

    /// Returns the stored record, of what `modify` and `update` answer.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) where it is of another form.
    pub fn into_stored(self) -> Result<Stored<T>> {
        if let Self::Stored(stored) = self { Ok(stored) } else { self.mistaken() }
    }
}

impl<T> From<Page<T>> for Output<T> {
    fn from(page: Page<T>) -> Self {
        Self::Page(page)
    }
}

impl<T> From<Vec<T>> for Output<T> {
    fn from(records: Vec<T>) -> Self {
        Self::Records(records)
    }
}

impl<T> From<Stored<T>> for Output<T> {
    fn from(stored: Stored<T>) -> Self {
        Self::Stored(stored)
    }
}

impl From<crate::Document> for Output<crate::Document> {
    fn from(record: crate::Document) -> Self {
        Self::Record(record)
    }
}

/// Makes a call, whichever method it is of.
///
/// # Errors
/// As the method that is called.
pub async fn perform<S: Service + ?Sized>(
    service: &S,
    call: Call<S::Id, S::Input>,
    params: &Params,
) -> Result<Output<S::Data>> {
    Ok(match call {
        Call::Index => Output::Page(service.index(params).await?),
        Call::FindOne => Output::Found(service.find_one(params).await?),
        Call::Count => Output::Count(service.count(params).await?),
        Call::Read(id) => Output::Record(service.read(&id, params).await?),
        Call::ReadMany(ids) => Output::Records(service.read_many(&ids, params).await?),
        Call::Create(data) => Output::Record(service.create(data, params).await?),
        Call::CreateMany(data) => Output::Records(service.create_many(data, params).await?),
        Call::Modify(id, patch) => Output::Stored(service.modify(&id, patch, params).await?),
        Call::ModifyMany(patch) => Output::Records(service.modify_many(patch, params).await?),
        Call::Update(id, data) => Output::Stored(service.update(&id, data, params).await?),
        Call::Remove(id) => Output::Record(service.remove(&id, params).await?),
        Call::RemoveMany => Output::Records(service.remove_many(params).await?),
    })
}

/// Returns a value as another type, if it is of that type.
pub(crate) fn same<A: 'static, B: 'static>(value: A) -> Result<B, A> {
    let mut value = Some(value);
    match (&mut value as &mut dyn Any).downcast_mut::<Option<B>>().and_then(Option::take) {
        Some(same) => Ok(same),
        None => Err(value.expect("it was taken only as the other type")),
    }
}
