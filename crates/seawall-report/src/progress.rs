//! A run on a terminal: one line per wave, one per live worker, everything else scrolls away above.
//!
//! The lines are drawn and cut to the terminal's width by indicatif, with its steady tick. What a worker printed
//! last changes between events, so one thread asks for it twice a second and ends with the progress. No colour is
//! used: nothing here needs one, and `NO_COLOR` has nothing to switch off.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use seawall_core::ids::{AttemptNo, TaskIx, WaveNo};
use seawall_core::lifecycle::Stage;
use seawall_core::scheduler::{Scheduler, Standing};

use crate::lines::which;
use crate::view::{AttemptView, Fate, News, View};
use crate::words::{pad, shown};

/// Gives the line that the worker of an attempt printed last, if it printed any. Called from a thread of its own.
pub type LastLine = Arc<dyn Fn(AttemptNo) -> Option<String> + Send + Sync>;

/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(120);
/// How often a worker's last line is asked for.
const ASK: Duration = Duration::from_millis(500);
/// Workers that have a line of their own; of more, only the number is told.
const SHOWN: usize = 16;
/// Characters that a task's id may take.
const ID: usize = 36;

/// The bars of a run.
pub(crate) struct Progress {
    multi: MultiProgress,
    wave: Option<(WaveNo, ProgressBar)>,
    /// The tasks of the wave that need no further attempt, as far as is known.
    judged: HashSet<TaskIx>,
    workers: Workers,
    asking: Option<(Sender<()>, JoinHandle<()>)>,
}

/// The live workers' lines, shared with the thread that asks for what they print.
type Workers = Arc<Mutex<BTreeMap<AttemptNo, Line>>>;

struct Line {
    bar: ProgressBar,
    phase: &'static str,
}

impl Progress {
    pub(crate) fn new(target: ProgressDrawTarget, last_line: Option<LastLine>) -> Self {
        let workers = Workers::default();
        let asking = last_line.and_then(|ask| asking(Arc::clone(&workers), ask));
        Self {
            multi: MultiProgress::with_draw_target(target),
            wave: None,
            judged: HashSet::new(),
            workers,
            asking,
        }
    }

    /// Writes lines above the bars.
    pub(crate) fn above(&self, write: impl FnOnce() -> std::io::Result<()>) -> std::io::Result<()> {
        self.multi.suspend(write)
    }

    /// Draws what `view` saw last.
    pub(crate) fn draw(&mut self, view: &View, scheduler: &Scheduler) {
        for news in view.news() {
            match news {
                News::Wave { wave, .. } => self.begin(view, scheduler, *wave),
                News::Resumed { .. } => self.begin(view, scheduler, scheduler.wave().0),
                News::Attempt(ix) | News::Ended(ix)
                    if self.wave.as_ref().map(|(wave, _)| *wave) == Some(view.task(*ix).wave) =>
                {
                    self.judge(scheduler, *ix);
                }
                _ => {}
            }
        }
        self.update_workers(view);
        self.update_wave(view);
    }

    fn begin(&mut self, view: &View, scheduler: &Scheduler, wave: WaveNo) {
        let tasks = members(view, wave);
        self.judged.clear();
        for ix in tasks {
            self.judge(scheduler, *ix);
        }
        if tasks.is_empty() || self.wave.as_ref().is_some_and(|(shown, _)| *shown == wave) {
            return;
        }
        self.end_wave();
        let bar = self.multi.insert(0, ProgressBar::new(tasks.len() as u64));
        bar.set_style(style(
            "wave {prefix}  {bar:30}  {pos}/{len}  {time}  {wide_msg}",
        ));
        bar.set_prefix(format!("{wave} of {}", view.waves().waves.len()));
        bar.enable_steady_tick(TICK);
        self.wave = Some((wave, bar));
    }

    fn judge(&mut self, scheduler: &Scheduler, ix: TaskIx) {
        let standing = scheduler.standing(ix);
        if matches!(standing, Standing::Ended(_) | Standing::Passed(_)) {
            self.judged.insert(ix);
        } else {
            self.judged.remove(&ix);
        }
    }

    fn end_wave(&mut self) {
        if let Some((_, bar)) = self.wave.take() {
            bar.finish_and_clear();
            self.multi.remove(&bar);
        }
    }

    fn update_wave(&self, view: &View) {
        let Some((wave, bar)) = &self.wave else {
            return;
        };
        let of = members(view, *wave);
        let done = self.judged.len().min(of.len());
        bar.set_position(done as u64);
        let running = view.live().count();
        if running == 0 && done == of.len() {
            return bar.set_message("checkpoint");
        }
        let mut text = format!("{running} running");
        let retries = view.live().filter(|(_, a)| a.dispatch > 1).count();
        if retries > 0 {
            let noun = if retries == 1 { "retry" } else { "retries" };
            let _ = write!(text, "   {retries} {noun}"); // a String takes every write
        }
        bar.set_message(text);
    }

    fn update_workers(&self, view: &View) {
        let mut lines = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        let live: BTreeMap<_, _> = view
            .live()
            .map(|(ix, attempt)| (attempt.number, (ix, attempt)))
            .collect();
        lines.retain(|number, line| {
            let stays = live.contains_key(number);
            if !stays {
                line.bar.finish_and_clear();
                self.multi.remove(&line.bar);
            }
            stays
        });
        for (number, (ix, attempt)) in live {
            if !lines.contains_key(&number) && lines.len() < SHOWN {
                lines.insert(number, self.line(view, ix));
            }
            if let Some(line) = lines.get_mut(&number) {
                line.phase(phase(attempt));
            }
        }
    }

    fn line(&self, view: &View, ix: TaskIx) -> Line {
        let bar = self.multi.add(ProgressBar::new_spinner());
        bar.set_style(style("{spinner} {prefix}  {time}  {wide_msg}"));
        let id = shown(&view.plan().task(ix).id, ID);
        bar.set_prefix(format!(
            "{}  dispatch {}",
            pad(&id, ID.min(28)),
            which(view, ix)
        ));
        bar.enable_steady_tick(TICK);
        Line { bar, phase: "" }
    }

    /// Takes everything off the screen.
    pub(crate) fn end(&mut self) {
        if let Some((stop, thread)) = self.asking.take() {
            drop(stop);
            let _ = thread.join(); // it ends by itself; a panic in the caller's closure is not the run's
        }
        let mut lines = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        for line in std::mem::take(&mut *lines).into_values() {
            line.bar.finish_and_clear();
        }
        drop(lines);
        self.end_wave();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

impl Line {
    fn phase(&mut self, phase: &'static str) {
        if self.phase != phase {
            self.phase = phase;
            self.bar.set_message(phase);
        }
    }

    fn says(&self, line: &str) {
        let line = shown(line.trim(), 200);
        self.bar
            .set_message(format!("{}   last: {line}", self.phase));
    }
}

fn members(view: &View, wave: WaveNo) -> &[TaskIx] {
    let at = (wave.0 as usize).wrapping_sub(1);
    view.waves().waves.get(at).map_or(&[], Vec::as_slice)
}

fn phase(attempt: &AttemptView) -> &'static str {
    match attempt.fate {
        Fate::Live(Stage::Opening) => "workspace",
        Fate::Live(Stage::Working) => "worker",
        Fate::Live(Stage::Harvesting) => "harvest",
        _ => "verify",
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the template is fixed and well-formed")
        .progress_chars("━╸─")
        .with_key(
            "time",
            |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                let secs = state.elapsed().as_secs();
                let _ = write!(out, "{:02}:{:02}", secs / 60, secs % 60); // drawn into a String
            },
        )
}

/// Starts the thread that asks for last lines; without one, they are just not shown.
fn asking(workers: Workers, ask: LastLine) -> Option<(Sender<()>, JoinHandle<()>)> {
    let (stop, stopped) = mpsc::channel();
    let body = move || {
        while stopped.recv_timeout(ASK) == Err(RecvTimeoutError::Timeout) {
            refresh(&workers, &ask);
        }
    };
    let thread = std::thread::Builder::new().name("last-lines".into());
    thread.spawn(body).ok().map(|thread| (stop, thread))
}

fn refresh(workers: &Workers, ask: &LastLine) {
    let running: Vec<_> = {
        let lines = workers.lock().unwrap_or_else(PoisonError::into_inner);
        let working = lines.iter().filter(|(_, line)| line.phase == "worker");
        working.map(|(number, _)| *number).collect()
    };
    // Asked without the lock: it may read a file.
    for number in running {
        let Some(said) = ask(number) else { continue };
        let lines = workers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get(&number).filter(|line| line.phase == "worker") {
            line.says(&said);
        }
    }
}
