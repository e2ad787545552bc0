//! The suite under test: it passes what is sound, and finds what is broken.

mod broken;
mod nulls;
mod suite;
