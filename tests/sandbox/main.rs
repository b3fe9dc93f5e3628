//! Attacks on the sandbox through the built `seawall`, each first shown to work without it; and the tools that must still work.
//!
//! An attack is a small Python program in `attacks/`; `table.rs` says for each in which modes it must be stopped. Every one
//! runs with namespaces and with Landlock alone, as root and, when started as root, as an ordinary user too. What a mode does
//! not stop is an expectation as well, so that the list of gaps in the documentation stays true. The price is a dozen short
//! processes an attack, about a third of a second.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod arena;
mod judge;
mod needs;
mod place;
mod runs;
#[expect(dead_code, reason = "each test uses a part of it")]
#[path = "../support/mod.rs"]
mod support;
mod table;
mod tools;
