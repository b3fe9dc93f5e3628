//! does the scheduler's effects
//!
//! tokio lives here and nowhere else. Each effect becomes one task of the runtime and ends in one event; what
//! the world refuses ends in [`Event::EffectFailed`](seawall_core::event::Event::EffectFailed), and the run
//! parks. Nothing in this crate decides what comes next.
//!
//! `execute` has one arm per effect, in the order of the flow; `work` runs workers, `look` and `gates` look at trees by one
//! command each (`once`), `place` says where everything lies on disk.

mod added;
mod alive;
mod answers;
mod bases;
mod boot;
mod cache;
mod carry;
mod confine;
mod context;
mod crew;
mod deep;
mod error;
mod execute;
mod executor;
mod findings;
mod gates;
mod kept;
mod logs;
mod look;
mod notes;
mod once;
mod own;
mod place;
mod prepare;
mod probe;
mod reads;
mod report;
mod rerun;
mod review;
mod rules;
mod sense;
mod times;
mod trash;
mod work;
mod workspace;

pub use confine::expand;
pub use crew::Setup;
pub use deep::{Deep, deep};
pub use error::ExecuteError;
pub use executor::Executor;
pub use kept::kept_base;
pub use place::{Place, common_trash};
pub use rerun::{Again, rerun};
pub use review::REVIEWER;
