//! A plan's looks at a base before any money is spent: gates, checks and holdouts, side by side, each command once.

use std::sync::Arc;

use seawall_core::evidence::Evidence;
use seawall_core::ids::TaskIx;

use crate::crew::{Crew, Setup};
use crate::error::{ExecuteError, at};
use crate::gates;
use crate::look::{self, Look};

/// What was seen of a plan on its base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deep {
    /// One record for each gate that holds before any work.
    pub gates: Vec<Evidence>,
    /// The tasks with the records of their criteria that have a command, in plan order.
    pub tasks: Vec<(TaskIx, Vec<Evidence>)>,
}

/// Looks at the base of `setup`, whose place is one of its own. Nothing is written to the repository.
///
/// # Errors
/// When something cannot be run at all; a check that cannot be looked at is evidence.
pub fn deep(setup: Setup) -> Result<Deep, ExecuteError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("seawall")
        .build()
        .map_err(at("start the runtime for", setup.place.root()))?;
    let crew = Arc::new(Crew::new(setup)?);
    runtime.block_on(all(&crew))
}

async fn all(crew: &Arc<Crew>) -> Result<Deep, ExecuteError> {
    let (plan, base) = (&crew.setup.plan, &crew.setup.base);
    let nothing_done = plan.gates().map(|gate| gate.window.now(|_| false));
    let nothing_done: Vec<_> = nothing_done.collect();
    let look = Look::at(crew, "gates".to_owned(), base).await?;
    let gates = gates::on_base(crew, look, &nothing_done).await?;
    let ask = |ix: TaskIx| {
        let (crew, base) = (Arc::clone(crew), base.clone());
        tokio::spawn(async move { look::on_base(&crew, ix, &base).await })
    };
    let asked: Vec<_> = plan.each_task().map(|(ix, _)| (ix, ask(ix))).collect();
    let mut tasks = Vec::new();
    for (ix, answer) in asked {
        let answer = answer.await;
        let answer = answer.unwrap_or_else(|e| Err(ExecuteError::Lost(e.to_string())));
        tasks.push((ix, answer?));
    }
    Ok(Deep { gates, tasks })
}
