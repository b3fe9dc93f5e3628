//! Criteria, each answered by as many looks as it takes, side by side where places are free.

use std::sync::Arc;

use seawall_core::evidence::Evidence;
use seawall_core::plan::{Criterion, Proof};
use seawall_verify::{
    Ours, Ran, after as judge_after, looks_again, on_base as judge_on_base, settle,
};
use tokio::task::JoinHandle;

use crate::crew::Crew;
use crate::error::ExecuteError;
use crate::once::Once;

/// A criterion, and the command that looks.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) once: Once,
    pub(crate) criterion: Criterion,
    pub(crate) judged: Judged,
}

/// How a look is judged.
#[derive(Clone, Debug)]
pub(crate) enum Judged {
    /// As one before any work.
    OnBase,
    /// As one after it, compared with what was counted before.
    After(Option<Box<Evidence>>),
    /// As one after it, where a red is what should be seen.
    Without,
}

impl Question {
    fn judge(&self, ran: &Ran, ours: &Ours<'_>) -> Evidence {
        let (number, criterion) = (self.once.criterion, &self.criterion);
        match &self.judged {
            Judged::OnBase => judge_on_base(number, criterion, ran, ours),
            Judged::After(before) => judge_after(number, criterion, ran, before.as_deref(), ours),
            Judged::Without => judge_after(number, criterion, ran, None, ours),
        }
    }

    /// Whether a red is no surprise, so that it is believed at once: running every check twice before any work would cost
    /// more than it tells.
    fn expects_red(&self) -> bool {
        let may = matches!(self.judged, Judged::OnBase | Judged::Without);
        may && self.criterion.proof == Proof::FailToPass
    }

    /// Looks, and looks again where one look does not say enough.
    pub(crate) async fn answer(&self, crew: &Arc<Crew>) -> Result<Evidence, ExecuteError> {
        let ours = Ours::of(&crew.setup.plan);
        let mut seen = Vec::new();
        loop {
            let ran = self.once.run(crew, seen.len()).await?;
            let log = Some(self.once.log_name(seen.len()).into());
            let judged = self.judge(&ran, &ours);
            seen.push(Evidence { log, ..judged });
            if self.expects_red() || !looks_again(&self.criterion, &seen) {
                break;
            }
        }
        let lost = || ExecuteError::Lost("a criterion without a look".to_owned());
        settle(&self.criterion, seen).ok_or_else(lost)
    }
}

/// Answers all questions, in their order. With `first_red_ends`, the first answer that does not pass is the last, and whatever
/// still runs is ended.
pub(crate) async fn all(
    crew: &Arc<Crew>,
    questions: Vec<Question>,
    first_red_ends: bool,
) -> Result<Vec<Evidence>, ExecuteError> {
    let ask = |question: Question| {
        let crew = Arc::clone(crew);
        Running(tokio::spawn(async move { question.answer(&crew).await }))
    };
    let running: Vec<_> = questions.into_iter().map(ask).collect();
    let mut answers = Vec::new();
    for mut one in running {
        let answer = (&mut one.0).await;
        let answer = answer.unwrap_or_else(|e| Err(ExecuteError::Lost(e.to_string())))?;
        let red = !answer.passes();
        answers.push(answer);
        if first_red_ends && red {
            break;
        }
    }
    Ok(answers)
}

/// A question that is not asked any more once nobody waits for the answer.
struct Running(JoinHandle<Result<Evidence, ExecuteError>>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}
