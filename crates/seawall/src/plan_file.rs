//! A plan file, read against a repository: what `check`, `waves` and `run` begin with.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use seawall_core::diagnostic::{Diagnostic, Severity};
use seawall_core::path::RepoPath;
use seawall_core::plan::Plan;
use seawall_core::waves::{Hazard, Moved, Waves, waves};
use seawall_core::words::many;
use seawall_git::Store;
use seawall_report::diagnostics;

use crate::failure::Failure;
use crate::output;
use crate::world::RepoWorld;

/// A plan file and all that was found out about it.
#[derive(Debug)]
pub(crate) struct PlanFile {
    pub(crate) text: String,
    pub(crate) name: String,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// There when no diagnostic is an error.
    pub(crate) plan: Option<(Arc<Plan>, Arc<Waves>)>,
    pub(crate) world: RepoWorld,
}

/// The longest plan that is read, in bytes.
const LONGEST: u64 = 256 << 20;

impl PlanFile {
    /// Reads the plan at `path` against what is checked out in the repository.
    pub(crate) fn read(store: &Store, path: &Path) -> Result<Self, Failure> {
        let text = text(path)?;
        let world = RepoWorld::read(store, path)?;
        let reading = seawall_plan::read(&text, &world);
        let mut diagnostics = reading.diagnostics;
        let plan = match reading.plan {
            None => None,
            Some(plan) => {
                let waves = waves(&plan)
                    .map_err(|e| Failure::failed(format!("the plan was read wrongly: {e}")))?;
                diagnostics.extend(absent(&plan));
                diagnostics.extend(not_carried(&plan, store.workdir()));
                diagnostics.extend(waves.moved.iter().map(|moved| said(&plan, moved)));
                diagnostics.extend(needless(&plan, &waves));
                Some((Arc::new(plan), Arc::new(waves)))
            }
        };
        Ok(Self {
            text,
            name: path.display().to_string(),
            diagnostics,
            plan,
            world,
        })
    }

    /// The plan and its waves, after its problems were printed.
    pub(crate) fn accept(&self) -> Result<(Arc<Plan>, Arc<Waves>), Failure> {
        let worth = |d: &&Diagnostic| self.plan.is_none() || d.severity > Severity::Note;
        let told: Vec<_> = self.diagnostics.iter().filter(worth).cloned().collect();
        if !told.is_empty() {
            output::complain(&diagnostics::text(
                &told,
                &self.text,
                &self.name,
                output::color(),
            ));
        }
        let refused = || {
            Failure::usage(format!("the plan `{}` is refused", self.name))
                .help("`seawall explain CODE` says more")
        };
        self.plan.clone().ok_or_else(refused)
    }
}

fn text(path: &Path) -> Result<String, Failure> {
    let name = path.display();
    let unread = |e: std::io::Error| Failure::usage(format!("cannot read the plan `{name}`: {e}"));
    let found = std::fs::metadata(path).map_err(unread)?;
    if !found.is_file() || found.len() > LONGEST {
        return Err(Failure::usage(format!(
            "`{name}` is no plan: it must be a file of at most 256 MiB"
        )));
    }
    let bytes = std::fs::read(path).map_err(unread)?;
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Failure::usage(format!("`{name}` is no plan: byte {at} is not UTF-8"))
    })
}

/// Paths that the sandbox is to open and that are not there.
fn absent(plan: &Plan) -> Vec<Diagnostic> {
    let home = std::env::var_os("HOME").map(std::path::PathBuf::from);
    let missing = |text: &&String| !seawall_executor::expand(text, home.as_deref()).exists();
    let said = |text: &String| {
        let message = format!("`{text}` of `[sandbox] read` does not exist on this host");
        Diagnostic::new("SW0208", Severity::Warning, message)
            .help("nothing is granted for it; mend or remove it")
    };
    plan.sandbox.read.iter().filter(missing).map(said).collect()
}

/// What is to be carried and is not there; a bare repository has nothing to carry.
fn not_carried(plan: &Plan, checkout: Option<&Path>) -> Vec<Diagnostic> {
    let is = |path: &RepoPath, right: fn(&std::fs::Metadata) -> bool| {
        let place = checkout.map(|dir| dir.join(OsStr::from_bytes(path.as_bytes())));
        place.is_some_and(|place| place.symlink_metadata().is_ok_and(|found| right(&found)))
    };
    let rules = &plan.workspace;
    let dirs = rules
        .carry
        .iter()
        .filter(|path| !is(path, |found| found.is_dir()));
    let files = rules
        .carry_files
        .iter()
        .filter(|path| !is(path, |found| found.is_file()));
    let said = |(path, what): (&RepoPath, &str)| {
        let message = format!("there is no {what} `{path}` in the checkout to carry along");
        Diagnostic::new("SW0209", Severity::Warning, message)
            .help("workspaces have nothing there; make it, or remove it from `[workspace]`")
    };
    dirs.map(|path| (path, "directory"))
        .chain(files.map(|path| (path, "file")))
        .map(said)
        .collect()
}

/// Files of a plan that one agent would do in one go.
const FEW_FILES: usize = 3;

/// That a plan of one wave and a few files is no work for many.
fn needless(plan: &Plan, waves: &Waves) -> Option<Diagnostic> {
    let files: usize = plan.tasks.iter().map(|task| task.owned().count()).sum();
    let tasks = many(plan.tasks.len(), "task");
    let owned = many(files, "file");
    let message = format!("this plan does not need waves: {tasks} in one, {owned} in all");
    (waves.waves.len() == 1 && files <= FEW_FILES).then(|| {
        Diagnostic::new("SW0212", Severity::Note, message).help(
            "one agent in one session would do; what is left is the confinement and the evidence",
        )
    })
}

/// What a hazard did to a task.
fn said(plan: &Plan, moved: &Moved) -> Diagnostic {
    let (task, behind, path) = (
        &plan.task(moved.task).id,
        &plan.task(moved.behind).id,
        &moved.path,
    );
    let message = match moved.hazard {
        Hazard::WriteWrite => format!("`{task}` writes `{path}`, and so does `{behind}`"),
        Hazard::ReadAfterWrite => format!("`{task}` reads `{path}`, which `{behind}` writes"),
        Hazard::WriteAfterRead => format!("`{task}` writes `{path}`, which `{behind}` reads"),
    };
    Diagnostic::new("SW0205", Severity::Note, message)
        .note(format!(
            "`{task}` is in wave {}, after `{behind}`",
            moved.wave
        ))
        .help("name the order with `after` if another one is meant")
}
