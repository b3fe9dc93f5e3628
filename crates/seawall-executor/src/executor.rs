//! The door between the loop, which is not async, and the runtime.

use std::sync::Arc;

use seawall_core::drive;
use seawall_core::effect::Effect;
use seawall_core::event::Event;
use seawall_core::scheduler::Scheduler;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::context::Context;
use crate::crew::{Crew, Setup};
use crate::error::{ExecuteError, at};
use crate::execute::execute;

/// Does effects, and waits for what happens.
#[derive(Debug)]
pub struct Executor {
    // Declared first: dropped first, which ends what is still running.
    runtime: Option<Runtime>,
    crew: Arc<Crew>,
    sender: UnboundedSender<Event>,
    events: UnboundedReceiver<Event>,
}

/// How many threads wait for disks and locks: as many as commands run at once, and some for what lies between two of them. What
/// waits for one of them holds nothing that another waits for. Each takes a megabyte or two in a long run, because the C library
/// gives it memory of its own.
fn threads(jobs: u32) -> usize {
    (jobs as usize).saturating_add(2).clamp(4, 512)
}

impl Executor {
    /// Starts a session: the runtime, the signals, the wall clock of the budget.
    ///
    /// # Errors
    /// When the runtime or the signal handlers cannot be had.
    pub fn new(setup: Setup) -> Result<Self, ExecuteError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name("seawall")
            .max_blocking_threads(threads(setup.jobs))
            .build();
        let runtime = runtime.map_err(at("start the runtime for", setup.place.root()))?;
        let (sender, events) = unbounded_channel();
        let wall = setup.wall;
        let crew = Arc::new(Crew::new(setup)?);
        let executor = Self {
            runtime: Some(runtime),
            crew,
            sender,
            events,
        };
        executor.watch_signals()?;
        executor.watch_clock(wall);
        Ok(executor)
    }

    fn runtime(&self) -> &Runtime {
        self.runtime
            .as_ref()
            .expect("there is a runtime until the executor is dropped")
    }

    /// The first interrupt asks the run to stop; the second ends the program, and with it every worker.
    fn watch_signals(&self) -> Result<(), ExecuteError> {
        let _inside = self.runtime().enter();
        for kind in [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ] {
            let root = self.crew.setup.place.root();
            let mut signals = signal(kind).map_err(at("watch for signals of", root))?;
            let sender = self.sender.clone();
            self.runtime().spawn(async move {
                signals.recv().await;
                drop(sender.send(Event::Interrupted)); // nobody listens: the run is over
                signals.recv().await;
                std::process::exit(130);
            });
        }
        Ok(())
    }

    fn watch_clock(&self, wall: std::time::Duration) {
        let sender = self.sender.clone();
        self.runtime().spawn(async move {
            tokio::time::sleep(wall).await;
            drop(sender.send(Event::WallSpent)); // nobody listens: the run is over
        });
    }
}

impl drive::Executor for Executor {
    fn start(&mut self, effect: &Effect, scheduler: &Scheduler, head: &str) {
        let context = Context::of(effect, scheduler, head);
        let (crew, sender, effect) = (Arc::clone(&self.crew), self.sender.clone(), effect.clone());
        let key = effect.key();
        let work = self
            .runtime()
            .spawn(async move { execute(&crew, effect, context).await });
        self.runtime().spawn(async move {
            let done = work
                .await
                .unwrap_or_else(|e| Err(ExecuteError::Lost(e.to_string())));
            let event = match done {
                Ok(None) => return,
                Ok(Some(event)) => event,
                Err(error) => Event::EffectFailed {
                    key,
                    why: error.chain(),
                },
            };
            drop(sender.send(event)); // nobody listens: the run is over
        });
    }

    fn next(&mut self) -> Vec<Event> {
        let runtime = self
            .runtime
            .as_ref()
            .expect("there is a runtime until the executor is dropped");
        let first = runtime.block_on(self.events.recv());
        let mut all = vec![first.expect("the executor holds a sender itself")];
        while let Ok(event) = self.events.try_recv() {
            all.push(event);
        }
        all
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        // Ends every confined command: dropping its future closes its lifeline.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(std::time::Duration::from_secs(10));
        }
    }
}
