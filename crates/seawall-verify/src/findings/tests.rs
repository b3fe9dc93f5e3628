//! Each rule with the lie that it catches and the honest work that it lets pass, as data.

mod code;
mod files;
mod run;
mod text;
mod whole;

use std::collections::BTreeMap;
use std::sync::Arc;

use seawall_core::finding::{Finding, FindingRule, Severity};
use seawall_core::path::RepoPath;
use seawall_core::plan::{
    Budget, Criterion, Limits, Plan, Proof, SandboxRules, Task, When, WorkspaceRules,
};

use super::{Body, ChangedFile, RULES, Subject, bodies, findings};
use crate::around::Around;

/// A change in which nothing is odd until a test says so.
pub(crate) struct Case {
    id: &'static str,
    prompt: &'static str,
    claim: &'static str,
    expected: Option<u32>,
    owned: Vec<&'static str>,
    files: Vec<ChangedFile>,
    rules: Vec<FindingRule>,
    around: Option<Around>,
    known: Vec<(RepoPath, Arc<[Body]>)>,
    commands: Vec<&'static str>,
}

pub(crate) fn path(name: &str) -> RepoPath {
    RepoPath::new(name.as_bytes()).unwrap()
}

impl Case {
    pub(crate) fn new() -> Self {
        Self {
            id: "t",
            prompt: "improve it",
            claim: "",
            expected: None,
            owned: Vec::new(),
            files: Vec::new(),
            rules: Vec::new(),
            around: None,
            known: Vec::new(),
            commands: vec!["true"],
        }
    }

    /// One file, before and after.
    pub(crate) fn file(
        mut self,
        name: &'static str,
        before: impl AsRef<[u8]>,
        after: impl AsRef<[u8]>,
    ) -> Self {
        self.owned.push(name);
        self.files.push(ChangedFile {
            path: path(name),
            before: Some(before.as_ref().to_vec()),
            after: Some(after.as_ref().to_vec()),
            first: None,
        });
        self
    }

    /// A file that was not there.
    pub(crate) fn made(mut self, name: &'static str, after: impl AsRef<[u8]>) -> Self {
        self = self.file(name, "", after);
        self.files.last_mut().unwrap().before = None;
        self
    }

    /// A file that is not there afterwards.
    pub(crate) fn gone(mut self, name: &'static str, before: impl AsRef<[u8]>) -> Self {
        self = self.file(name, before, "");
        self.files.last_mut().unwrap().after = None;
        self
    }

    pub(crate) fn prompt(self, prompt: &'static str) -> Self {
        Self { prompt, ..self }
    }

    pub(crate) fn claim(self, claim: &'static str) -> Self {
        Self { claim, ..self }
    }

    pub(crate) fn expects(self, lines: u32) -> Self {
        let expected = Some(lines);
        Self { expected, ..self }
    }

    /// A file that the task owns and did not change.
    pub(crate) fn owns(mut self, name: &'static str) -> Self {
        self.owned.push(name);
        self
    }

    /// What the last file was when the run began.
    pub(crate) fn first(mut self, first: Option<&str>) -> Self {
        let first = first.map(|text| text.as_bytes().to_vec());
        self.files.last_mut().unwrap().first = Some(first);
        self
    }

    /// A repository with these files, of which the manifests have a content.
    pub(crate) fn around(mut self, files: &[(&str, &str)]) -> Self {
        let all: Vec<_> = files.iter().map(|(name, _)| path(name)).collect();
        let bytes = |(name, text): &(&str, &str)| (path(name), text.as_bytes().to_vec());
        let manifests: Vec<_> = files.iter().map(bytes).collect();
        self.around = Some(Around::new(&all, &manifests));
        self
    }

    /// A file that the task reads.
    pub(crate) fn reads(mut self, name: &str, text: &str) -> Self {
        let path = path(name);
        let known = bodies(&path, text.as_bytes()).into();
        self.known.push((path, known));
        self
    }

    pub(crate) fn checks(self, commands: &[&'static str]) -> Self {
        let commands = commands.to_vec();
        Self { commands, ..self }
    }

    pub(crate) fn fanned_out(self) -> Self {
        Self {
            id: "t:path",
            ..self
        }
    }

    pub(crate) fn rule(mut self, code: &str, severity: Option<Severity>, paths: &[&str]) -> Self {
        self.rules.push(FindingRule {
            code: code.to_owned(),
            severity,
            because: "the plan says so".to_owned(),
            paths: paths.iter().map(|glob| (*glob).to_owned()).collect(),
        });
        self
    }

    pub(crate) fn found(&self) -> Vec<Finding> {
        let task = self.task();
        let plan = self.plan(task.clone());
        findings(&Subject {
            plan: &plan,
            task: &task,
            files: &self.files,
            claim: self.claim,
            around: self.around.as_ref(),
            known: &self.known,
        })
    }

    /// `SEVERITY CODE PLACE` of each finding.
    pub(crate) fn words(&self) -> Vec<String> {
        let word = |f: &Finding| format!("{} {} {}", f.severity.word(), f.code, f.place());
        self.found().iter().map(word).collect()
    }

    /// Exactly these must be found.
    #[track_caller]
    pub(crate) fn finds(&self, expected: &[&str]) {
        assert_eq!(self.words(), expected, "{:#?}", self.found());
    }

    fn task(&self) -> Task {
        Task {
            id: self.id.into(),
            files: self.owned.iter().map(|name| path(name)).collect(),
            creates: vec![],
            deletes: vec![],
            reads: vec![],
            read_globs: Arc::new([]),
            after: vec![],
            because: None,
            prompt: self.prompt.into(),
            agent: "a".into(),
            profile: "worker".into(),
            attempts: 1,
            timeout_ms: 1,
            checks: self.commands.iter().map(|run| check(run)).collect(),
            when: When::Always,
            expected_lines: self.expected,
            ..Task::default()
        }
    }

    fn plan(&self, task: Task) -> Plan {
        Plan {
            decisions: Vec::new(),
            name: "p".into(),
            goal: "make it better".into(),
            budget: Budget {
                attempts: 1,
                wall_ms: 1,
            },
            limits: Limits {
                check_timeout_ms: 1,
                output_bytes: 1,
                silence_ms: None,
            },
            sandbox: SandboxRules::default(),
            workspace: WorkspaceRules::default(),
            evidence: Default::default(),
            agents: BTreeMap::new(),
            checkpoints: vec![],
            invariants: vec![],
            findings: self.rules.clone(),
            tasks: vec![task],
        }
    }
}

fn check(run: &str) -> Criterion {
    Criterion {
        says: "it is better".into(),
        run: Some(run.into()),
        proof: Proof::FailToPass,
        ..Criterion::default()
    }
}

#[test]
fn rules_are_in_order_and_unique() {
    assert!(RULES.is_sorted_by(|a, b| a.code < b.code));
}

#[test]
fn a_plan_has_the_last_word() {
    let lie = || Case::new().file("src/a.py", "a = 1\n", "");
    lie().finds(&["block SW0505 src/a.py"]);
    lie().rule("SW0505", None, &[]).finds(&[]);
    lie()
        .rule("SW0505", Some(Severity::Note), &["src/*.py"])
        .finds(&["note SW0505 src/a.py"]);
    lie()
        .rule("SW0505", None, &["*.py"])
        .finds(&["block SW0505 src/a.py"]);
    lie()
        .rule("SW0505", None, &[])
        .rule("SW0505", Some(Severity::Hold), &["src/**"])
        .finds(&["hold SW0505 src/a.py"]);
    let found = lie().rule("SW0505", Some(Severity::Note), &[]).found();
    assert_eq!(found[0].because.as_deref(), Some("the plan says so"));
    Case::new()
        .file("a.txt", "a\n", "b\n".repeat(100))
        .expects(5)
        .rule("SW0515", None, &["*.txt"])
        .finds(&["hold SW0515 "]);
}

#[test]
fn any_bytes_are_looked_at() {
    let junk: Vec<u8> = (0..=255).cycle().take(3000).collect();
    for name in [
        "a.py",
        "a.rs",
        "a.ts",
        "a.go",
        "Cargo.toml",
        "package.json",
        "x.md",
        "b",
    ] {
        Case::new().file(name, &junk, &junk[1..]).found();
        Case::new().file(name, "", &junk).found();
        Case::new().file(name, &junk, "").found();
        Case::new().made(name, &junk).found();
    }
}

#[test]
fn hostile_files_take_bounded_time() {
    let many = 6_000;
    let files = [
        ("test_a.py", "@mark\ndef test_a(): pass\n".repeat(many)),
        (
            "a.rs",
            "mod a { #[test] fn b() {".repeat(many / 4) + &"}}".repeat(many / 4),
        ),
        ("a.js", "it('a', () => ".repeat(many) + &")".repeat(many)),
        ("a.py", "x = 1\n".repeat(many)),
    ];
    let began = std::time::Instant::now();
    for (name, text) in &files {
        Case::new().file(name, "x\n", text).found();
        Case::new().file(name, text, "x\n").found();
    }
    assert!(began.elapsed().as_secs() < 120, "{:?}", began.elapsed());
}
