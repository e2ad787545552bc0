//! stub
use crate::*;
pub(super) fn read(_: &Document, _: &QuerySyntax) -> Result<Query> { unimplemented!() }
