//! stub
use crate::*;
pub(super) fn json(_: &Query) -> Document { unimplemented!() }
pub(super) fn brackets(_: &Query) -> Result<String> { unimplemented!() }
pub(super) fn filter_json(_: &Filter) -> Document { unimplemented!() }
