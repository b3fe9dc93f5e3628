//! What workspaces are to users: warm build directories, git inside, the checkout untouched, a run that survives a full disk,
//! a kill and a branch that moves; and that 60,000 files cost what sixty do.
//!
//! Everything goes through the built program, on code that nobody here wrote and with its own tools where that matters.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "workspaces/big.rs"]
mod big;
#[path = "workspaces/carry.rs"]
mod carry;
#[path = "workspaces/common.rs"]
mod common;
#[path = "workspaces/full.rs"]
mod full;
#[path = "workspaces/git_inside.rs"]
mod git_inside;
#[path = "workspaces/gone.rs"]
mod gone;
#[path = "workspaces/kept.rs"]
mod kept;
#[path = "workspaces/killed.rs"]
mod killed;
#[path = "workspaces/moved.rs"]
mod moved;
#[path = "workspaces/settings.rs"]
mod settings;
#[expect(dead_code, reason = "each test uses a part of it")]
mod support;
#[path = "workspaces/sweep.rs"]
mod sweep;
