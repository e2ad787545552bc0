//! The cases, a file for every method or matter.

mod answer;
mod concurrency;
mod create;
mod decimal;
mod error;
mod index;
mod indexed;
mod many;
mod modify;
mod order;
mod page;
mod query;
mod read;
mod remove;
mod rights;
mod scope;
mod text;
mod transaction;
mod update;
mod value;
mod view;

use crate::Case;

/// Returns every case, those of one method or matter together.
#[must_use]
pub fn cases() -> Vec<Case> {
    [
        index::cases,
        read::cases,
        create::cases,
        modify::cases,
        update::cases,
        remove::cases,
        query::cases,
        order::cases,
        text::cases,
        page::cases,
        indexed::cases,
        many::cases,
        value::cases,
        decimal::cases,
        scope::cases,
        rights::cases,
        answer::cases,
        view::cases,
        concurrency::cases,
        transaction::cases,
        error::cases,
    ]
    .into_iter()
    .flat_map(|cases| cases())
    .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn cases_have_names_of_their_own() {
        let cases = super::cases();
        let names: HashSet<_> = cases.iter().map(crate::Case::name).collect();
        assert_eq!(names.len(), cases.len());
        let strange: Vec<_> =
            names.iter().filter(|name| name.matches("::").count() != 1 || name.contains('<')).collect();
        assert!(strange.is_empty(), "{strange:?}");
    }

    #[test]
    fn every_number_of_the_semantics_has_a_case() {
        let covered: HashSet<u8> = super::cases().iter().flat_map(|case| case.semantics().iter().copied()).collect();
        // What a body is if it is no record, 58, is told by the routes' own tests; 71 to 75 are about hooks and events.
        let missing: Vec<u8> =
            (1..=70).chain(76..=81).filter(|number| *number != 58 && !covered.contains(number)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
