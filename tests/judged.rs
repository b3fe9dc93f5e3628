//! What a verdict is made of beyond one look: looks that are shared and repeated, gates with windows, holdouts, reports, rules,
//! the judge's own files, sensitivity, discovered order, reviews, approvals. Each lie beside its honest twin.
//!
//! The workers are a few lines of shell, and everything goes through the built program.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "judged/approve.rs"]
mod approve;
#[path = "judged/clean.rs"]
mod clean;
#[path = "judged/common.rs"]
mod common;
#[path = "judged/deep.rs"]
mod deep;
#[path = "judged/discovered.rs"]
mod discovered;
#[path = "judged/flaky.rs"]
mod flaky;
#[path = "judged/gates.rs"]
mod gates;
#[path = "judged/holdouts.rs"]
mod holdouts;
#[path = "judged/own.rs"]
mod own;
#[path = "judged/reports.rs"]
mod reports;
#[path = "judged/review.rs"]
mod review;
#[path = "judged/sensitive.rs"]
mod sensitive;
#[path = "judged/shared.rs"]
mod shared;
#[expect(dead_code, reason = "each test uses a part of it")]
mod support;
