//! What is true of the memory adapter alone; what every adapter must do is in the conformance suite.

mod index_use;

mod writers;
