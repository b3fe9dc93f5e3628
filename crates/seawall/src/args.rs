//! What can be typed.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Runs a plan of code changes with many confined workers at once, and believes none of them.
///
/// Exit codes: 0 all accepted; 1 finished, something rejected, blocked or not run; 2 wrong usage or a plan that is
/// refused; 3 seawall itself failed; 4 needs a human; 5 parked, `resume` goes on; 130 interrupted, `resume` goes on.
#[derive(Debug, Parser)]
#[command(name = "seawall", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// The repository, or a directory in it [default: the current directory]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) repo: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The same for `seawall exec` alone, which is started often: the others' arguments are not described first.
#[derive(Debug, Parser)]
#[command(name = "seawall", version, max_term_width = 100)]
struct ExecCli {
    /// The repository, or a directory in it [default: the current directory]
    #[arg(long, global = true, value_name = "DIR")]
    repo: Option<PathBuf>,
    #[command(subcommand)]
    command: ExecCommand,
}

#[derive(Debug, Subcommand)]
enum ExecCommand {
    /// Run one command confined; its exit status is passed through
    Exec(ExecArgs),
}

impl Cli {
    /// What was typed; ends the process with a message when it makes no sense.
    pub(crate) fn read() -> Self {
        if std::env::args_os().nth(1).is_none_or(|word| word != "exec") {
            return Self::parse();
        }
        let ExecCli { repo, command } = ExecCli::parse();
        let ExecCommand::Exec(args) = command;
        let command = Command::Exec(args);
        Self { repo, command }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say everything that is wrong with a plan; start nothing
    Check(CheckArgs),
    /// Show the waves that a plan makes; start nothing
    Waves(PlanArgs),
    /// Run a plan
    Run(RunArgs),
    /// Go on with a run that was interrupted, killed or parked
    Resume(ResumeArgs),
    /// Say how a run stands
    Status(RunRef),
    /// Show a task's attempts, evidence and change
    Show(ShowArgs),
    /// List what happened in a run
    Log(RunRef),
    /// Tell a run by exception: verdict, weakest evidence, what is unlike the rest, changes folded by shape
    Report(ReportArgs),
    /// Print what a run did: a receipt for each attempt and checkpoint, each with the digest of the one before
    Receipt(ReceiptArgs),
    /// Hold a run's journal, plan, commits and evidence against one another; say exactly what is broken
    Verify(VerifyArgs),
    /// Approve of what keeps a change from landing, or list all that waits for it
    Approve(ApproveArgs),
    /// Bring a run's checkpoints to your branch, by fast-forward only
    Land(LandArgs),
    /// Remove what finished runs left on disk; nothing that did not land is lost
    Gc(GcArgs),
    /// Run one command confined; its exit status is passed through
    Exec(ExecArgs),
    /// Say what this host can enforce
    Doctor(DoctorArgs),
    /// Show the sandbox profiles, and what each comes to here
    #[command(subcommand)]
    Sandbox(SandboxCommand),
    /// Print the JSON Schema of the plan file, or of the decisions
    Schema {
        /// Of which file
        #[arg(value_enum, default_value_t)]
        of: SchemaOf,
    },
    /// Explain a code such as SW0104
    Explain(ExplainArgs),
    /// Make a small sample repository and run a plan on it
    Demo(DemoArgs),
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// The plan file
    pub(crate) plan: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The plan file
    pub(crate) plan: PathBuf,
    /// Run its checks, holdouts and gates on the base, confined, and say what a run would stumble over
    #[arg(long)]
    pub(crate) deep: bool,
    /// Checks at once [default: the number of processors]
    #[arg(long, short, requires = "deep", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) jobs: Option<u32>,
    /// Confine with Landlock alone, without namespaces
    #[arg(long, requires = "deep")]
    pub(crate) no_namespaces: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The plan file
    pub(crate) plan: PathBuf,
    #[command(flatten)]
    pub(crate) how: HowArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// The run [default: the latest]
    pub(crate) run: Option<String>,
    #[command(flatten)]
    pub(crate) how: HowArgs,
}

/// How a run is worked on and told.
#[derive(Debug, Args)]
pub(crate) struct HowArgs {
    /// Attempts at once [default: the number of processors]
    #[arg(long, short, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) jobs: Option<u32>,
    /// Print only the final report
    #[arg(long, short, conflicts_with = "json")]
    pub(crate) quiet: bool,
    /// Print one JSON object per event
    #[arg(long)]
    pub(crate) json: bool,
    /// Confine with Landlock alone, without namespaces
    #[arg(long)]
    pub(crate) no_namespaces: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunRef {
    /// The run [default: the latest]
    pub(crate) run: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The run, if not the latest, and the task
    #[arg(required = true, num_args = 1..=2, value_names = ["RUN", "TASK"])]
    pub(crate) what: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The run [default: the latest]
    pub(crate) run: Option<String>,
    /// How
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) format: ReportFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For a terminal
    Text,
    /// For a pull request
    Markdown,
    /// Everything, for programs
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct ReceiptArgs {
    /// The run [default: the latest]
    pub(crate) run: Option<String>,
    /// Only those of a task's attempts
    #[arg(long, value_name = "TASK", conflicts_with = "wave")]
    pub(crate) task: Option<String>,
    /// Only those of a wave's checkpoints; 0 is the base
    #[arg(long, value_name = "N")]
    pub(crate) wave: Option<u32>,
    /// How
    #[arg(long, value_enum, default_value_t = ReceiptFormat::Json)]
    pub(crate) format: ReceiptFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReceiptFormat {
    /// One canonical JSON object per line
    Json,
    /// One in-toto statement (v1, test-result v0.1) per line
    InToto,
    /// JUnit XML of all criteria, a suite per task
    Junit,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The run [default: the latest]
    pub(crate) run: Option<String>,
    /// Also run its checks again, confined, where they were run, and compare
    #[arg(long)]
    pub(crate) rerun: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ApproveArgs {
    /// The run [default: the latest]
    pub(crate) run: Option<String>,
    /// The task
    pub(crate) task: Option<String>,
    /// What holds it: a criterion by its number or the beginning of its sentence, a finding's code, `review`, `evidence`,
    /// `flaky`; without it, all that waits is listed
    pub(crate) criterion: Option<String>,
    /// Why; kept in the journal with your name
    #[arg(long, value_name = "TEXT", requires = "criterion")]
    pub(crate) note: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LandArgs {
    /// The run [default: the latest]
    pub(crate) run: Option<String>,
    /// The branch to move [default: the one that was checked out when the run began]
    #[arg(long, value_name = "BRANCH")]
    pub(crate) onto: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GcArgs {
    /// Remove this run too, although it could be resumed
    #[arg(long, value_name = "RUN")]
    pub(crate) abandon: Option<String>,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExecArgs {
    /// The sandbox profile
    #[arg(long, default_value = "worker")]
    pub(crate) profile: String,
    /// Where the command runs, and what it may read [default: the current directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// A file or directory that it may write
    #[arg(long, value_name = "PATH")]
    pub(crate) write: Vec<PathBuf>,
    /// A further file or directory that it may read
    #[arg(long, value_name = "PATH")]
    pub(crate) read: Vec<PathBuf>,
    /// A place that it may reach through a proxy, such as `api.example.org:443` or `*.example.org:443`
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) host: Vec<String>,
    /// A loopback port inside that leads to one place, for commands that know no proxy
    #[arg(long, value_name = "PORT=HOST:PORT", value_parser = forward)]
    pub(crate) forward: Vec<(u16, String)>,
    /// Confine with Landlock alone, without namespaces
    #[arg(long)]
    pub(crate) no_namespaces: bool,
    /// The command and its arguments
    #[arg(required = true, last = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Attack every profile from inside, and say what was not refused
    #[arg(long)]
    pub(crate) probe: bool,
    /// Print an AppArmor profile that lets seawall make user namespaces, and how to install it
    #[arg(long, conflicts_with_all = ["probe", "json"])]
    pub(crate) apparmor: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SandboxCommand {
    /// Name the profiles
    List,
    /// Show every path, right, host and limit of a profile, and why
    Explain(ExplainProfileArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ExplainProfileArgs {
    /// The profile
    pub(crate) profile: String,
    /// As it is without namespaces
    #[arg(long)]
    pub(crate) no_namespaces: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The code; without one, all codes are listed
    pub(crate) code: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where to make the sample repository [default: a fresh directory]
    pub(crate) dir: Option<PathBuf>,
}

/// Parts a mapped port from its place, which is read later.
fn forward(text: &str) -> Result<(u16, String), String> {
    let (port, place) = text
        .split_once('=')
        .ok_or("write `PORT=HOST:PORT`, as in `8080=127.0.0.1:11434`")?;
    let port = port
        .parse()
        .map_err(|_| format!("`{port}` is not a port from 1 to 65535"))?;
    Ok((port, place.to_owned()))
}

/// A file with a schema.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum SchemaOf {
    /// The plan
    #[default]
    Plan,
    /// `.seawall/decisions.toml`
    Decisions,
}
