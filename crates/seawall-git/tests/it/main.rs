//! The crate against real repositories, real directories and `git` itself, in one binary.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
mod compose;
mod conversions;
mod harvest;
mod kept;
mod land;
mod overlay;
mod private_git;
mod store;
mod workspace;
