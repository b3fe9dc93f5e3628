//! does the scheduler's effects
//!
//! tokio lives here and nowhere else. Each effect becomes one task of the runtime and ends in one event; what
//! the world refuses ends in [`Event::EffectFailed`](seawall_core::event::Event::EffectFailed), and the run
//! parks. Nothing in this crate decides what comes next.
//!
//! `execute` has one arm per effect, in the order of the flow; `work` runs workers, `look` runs checks, `place`
//! says where everything lies on disk.

mod alive;
mod bases;
mod carry;
mod confine;
mod crew;
mod error;
mod execute;
mod executor;
mod findings;
mod logs;
mod look;
mod notes;
mod place;
mod prepare;
mod reads;
mod rerun;
mod times;
mod trash;
mod work;
mod workspace;

pub use confine::expand;
pub use crew::Setup;
pub use error::ExecuteError;
pub use executor::Executor;
pub use place::{Place, common_trash};
pub use rerun::{Again, rerun};
