//! Receipts, and that `seawall verify` sees each kind of thing that can be changed afterwards, and names it.
//!
//! One small run with a rejected dispatch and two waves; each case spoils one thing of it, looks, and puts it back.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "each test uses a part of it")]
mod support;

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use support::{Output, Repo};

const PLAN: &str = r#"version = 1
name = 'greetings'
goal = 'Say goodbye'
[agent.hand]
run = ['sh', '-c', '''
case $1:$(cat) in
*"attempt was rejected"* | one:*) echo goodbye > $2 ;;
*) echo lie > $2 ;;
esac
echo done
''', 'agent', '{task}', '{file}']
prompt = 'stdin'
[[checkpoint]]
says = 'every file has one line'
run = 'for f in *.txt; do [ $(wc -l < $f) = 1 ] || exit 1; done'
[[task]]
id = 'one'
file = 'one.txt'
prompt = 'Say goodbye.'
[[task.check]]
says = 'it says goodbye'
run = 'grep -q goodbye {file}'
[[task]]
id = 'two'
file = 'two.txt'
prompt = 'Say goodbye.'
after = ['one']
attempts = 2
[[task.check]]
says = 'it says goodbye'
run = 'grep -q goodbye {file}'
"#;

/// A run that ended well, and what it consists of.
struct Run {
    repo: Repo,
    id: String,
}

impl Run {
    fn new() -> Self {
        let repo = Repo::with(&[("one.txt", "hello\n"), ("two.txt", "hello\n")]);
        repo.run(PLAN).code(0).says(&["2 accepted"]);
        let id = repo.status().run().to_owned();
        Self { repo, id }
    }

    fn journal(&self) -> PathBuf {
        self.repo.run_dir(&self.id).join("journal.jsonl")
    }

    fn branch(&self) -> String {
        format!("refs/heads/seawall/greetings/{}", self.id)
    }

    fn verify(&self) -> Output {
        self.repo.seawall(&["verify", &self.id])
    }

    /// Spoils a file of the run's directory, looks, and puts it back.
    fn with_file(&self, name: &str, spoil: impl Fn(&[u8]) -> Vec<u8>, says: &[&str]) {
        let path = self.repo.run_dir(&self.id).join(name);
        let before = fs::read(&path).unwrap();
        fs::write(&path, spoil(&before)).unwrap();
        self.verify().code(1).says(says);
        fs::write(&path, before).unwrap();
        self.verify().code(0);
    }

    /// Changes records of the journal and makes all sums anew, as somebody would who knows how.
    fn with_records(&self, change: impl Fn(&mut Vec<Value>), says: &[&str]) {
        let forge = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let mut records: Vec<Value> = text
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect();
            change(&mut records);
            summed(&records).into_bytes()
        };
        self.with_file("journal.jsonl", forge, says);
    }
}

/// The lines of a journal of these records.
fn summed(records: &[Value]) -> String {
    let (mut text, mut prev) = (String::new(), "0".repeat(64));
    for (seq, record) in records.iter().enumerate() {
        let (at, body) = (&record["at"], &record["body"]);
        let head = format!("{{\"seq\":{seq},\"at\":{at},\"prev\":\"{prev}\",\"body\":{body}");
        prev = Sha256::digest(head.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        text.push_str(&format!("{head},\"sum\":\"{prev}\"}}\n"));
    }
    text
}

fn of<'a>(records: &'a mut [Value], event: &str) -> &'a mut Value {
    let found = records
        .iter_mut()
        .rev()
        .find(|record| record["body"]["event"] == event);
    &mut found.unwrap()["body"]
}

#[test]
fn an_untouched_run_verifies_and_nothing_is_written() {
    let run = Run::new();
    let mine = Everything::of(&run.repo);
    run.verify()
        .code(0)
        .says(&["verified", "2 checkpoints", "looks at 3 harvests"]);
    let all = run.repo.json(&["verify", "--json"]);
    assert_eq!(all["problems"], json!([]));
    assert_eq!(all["receipts"], 6);
    assert!(mine == Everything::of(&run.repo), "verify wrote something");
}

/// Every file of the repository with its bytes.
#[derive(PartialEq, Eq)]
struct Everything(Vec<(PathBuf, Vec<u8>)>);

impl Everything {
    fn of(repo: &Repo) -> Self {
        let (mut all, mut dirs) = (Vec::new(), vec![repo.dir().to_owned()]);
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => dirs.push(path),
                    false => all.push((path.clone(), fs::read(&path).unwrap())),
                }
            }
        }
        all.sort();
        Self(all)
    }
}

#[test]
fn a_journal_that_was_touched_is_seen_and_the_line_named() {
    let run = Run::new();
    let lines = fs::read_to_string(run.journal()).unwrap().lines().count();
    for line in [0, 1, lines / 2, lines - 1] {
        let flip = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            lines[line] = lines[line].replacen("\"at\":1", "\"at\":2", 1);
            lines
                .join("\n")
                .into_bytes()
                .into_iter()
                .chain(*b"\n")
                .collect()
        };
        let says = format!(
            "line {} of journal.jsonl is damaged: its checksum does not match",
            line + 1
        );
        run.with_file("journal.jsonl", flip, &["broken: 1 problem", &says]);
    }
    let swap = |bytes: &[u8]| {
        let mut lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        lines.swap(4, 5);
        lines.concat()
    };
    let says = "line 5 of journal.jsonl is damaged: it has number 5 where 4 must stand";
    run.with_file("journal.jsonl", swap, &["broken: 1 problem", says]);
    let lose = |bytes: &[u8]| {
        let mut lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        lines.remove(7);
        lines.concat()
    };
    let says = "line 8 of journal.jsonl is damaged: it has number 8 where 7 must stand";
    run.with_file("journal.jsonl", lose, &[says]);
    let end = |bytes: &[u8]| {
        let at = bytes
            .windows(14)
            .position(|found| found == b"\"checkpointed\"")
            .unwrap();
        let end = at + bytes[at..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
        bytes[..end].to_vec()
    };
    // The second wave is missing as a whole: the branch knows of it.
    run.with_file(
        "journal.jsonl",
        end,
        &["1 commit past the last checkpoint", "the run has not ended"],
    );
}

#[test]
fn another_plan_is_seen() {
    let run = Run::new();
    let other = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(text.contains("grep -q goodbye"), "{text}");
        text.replace("grep -q goodbye", "true || goodbye")
            .into_bytes()
    };
    run.with_file(
        "plan.json",
        other,
        &["broken: 1 problem", "plan.json has digest "],
    );
    let path = run.repo.run_dir(&run.id).join("plan.json");
    fs::remove_file(path).unwrap();
    run.verify()
        .code(1)
        .says(&["broken: 1 problem", "plan.json is gone"]);
}

#[test]
fn other_sandbox_profiles_are_seen_and_nothing_is_run_under_them() {
    let run = Run::new();
    let looser = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.replacen("\"wall\"", "\"wall \"", 1).into_bytes()
    };
    let says = &["broken: 1 problem", "profiles    profiles.json has digest "];
    run.with_file("profiles.json", looser, says);
    let path = run.repo.run_dir(&run.id).join("profiles.json");
    let before = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    run.verify()
        .code(1)
        .says(&["broken: 1 problem", "profiles.json is gone"]);
    fs::write(&path, before).unwrap();
    run.verify().code(0);
}

#[test]
fn a_run_does_not_go_on_under_other_sandbox_profiles() {
    let repo = Repo::with(&[("one.txt", "hello\n"), ("two.txt", "hello\n")]);
    let waits = format!("{PLAN}[[task.check]]\nsays = 'it reads well'\nproof = 'manual'\n");
    repo.run(&waits).code(4);
    let id = repo.status().run().to_owned();
    repo.seawall(&[
        "approve",
        &id,
        "two",
        "it reads well",
        "--note",
        "so it does",
    ])
    .code(0);
    let path = repo.run_dir(&id).join("profiles.json");
    let before = fs::read(&path).unwrap();
    fs::write(&path, [&before[..], b"\n"].concat()).unwrap();
    repo.seawall(&["resume", &id]).code(3).says(&[
        "the sandbox profiles in `",
        &format!("are not those that run `{id}` began with"),
        "put the file back as it was",
    ]);
    fs::remove_file(&path).unwrap();
    repo.seawall(&["resume", &id])
        .code(3)
        .says(&["profiles.json` is gone"]);
    fs::write(&path, before).unwrap();
    repo.seawall(&["resume", &id]).code(0);
    repo.seawall(&["verify", &id]).code(0);
}

#[test]
fn a_log_that_was_touched_is_seen_and_named() {
    let run = Run::new();
    let other = |bytes: &[u8]| [bytes, b"nothing to see here\n"].concat();
    for log in [
        "attempt-2.log",
        "attempt-3.brief.md",
        "verify-1.0.log",
        "wave-1.1.1.0.log",
    ] {
        let path = format!("logs/{log}");
        let says = format!("log         {path} has digest ");
        run.with_file(&path, other, &["broken: 1 problem", &says]);
    }
    let logs = run.repo.run_dir(&run.id).join("logs");
    let (log, aside) = (logs.join("verify-1.0.log"), run.repo.root().join("aside"));
    fs::rename(&log, &aside).unwrap();
    run.verify()
        .code(1)
        .says(&["broken: 1 problem", "logs/verify-1.0.log is gone"]);
    std::os::unix::fs::symlink(&aside, &log).unwrap();
    run.verify()
        .code(1)
        .says(&["logs/verify-1.0.log cannot be read: it is not a file"]);
    fs::remove_file(&log).unwrap();
    fs::rename(&aside, &log).unwrap();
    // Who needs the room takes all of them: that hides nothing, because it is said.
    fs::rename(&logs, &aside).unwrap();
    run.verify()
        .code(0)
        .says(&["verified", "the logs were taken away"]);
}

#[test]
fn a_log_that_a_limit_cut_off_is_held_as_far_as_it_was_kept() {
    let repo = Repo::with(&[("one.txt", "hello\n"), ("two.txt", "hello\n")]);
    let floods = PLAN.replace("echo done", "yes | head -c 3000000");
    assert_ne!(floods, PLAN);
    let floods = floods.replace(
        "[[checkpoint]]",
        "[limits]\noutput = '1 MiB'\n[[checkpoint]]",
    );
    repo.run(&floods).code(0);
    let id = repo.status().run().to_owned();
    repo.seawall(&["verify", &id])
        .code(0)
        .says(&["verified", "3 logs cut off at a limit"]);
    let log = repo.run_dir(&id).join("logs/attempt-1.log");
    let bytes = fs::read(&log).unwrap();
    fs::write(&log, &bytes[..bytes.len() - 1]).unwrap();
    repo.seawall(&["verify", &id])
        .code(1)
        .says(&["logs/attempt-1.log has digest "]);
}

#[test]
fn a_journal_of_an_earlier_version_is_not_called_broken_for_what_it_lacks() {
    let run = Run::new();
    let old = |records: &mut Vec<Value>| {
        for record in records {
            let body = record["body"].as_object_mut().unwrap();
            body.remove("profiles");
            if let Some(end) = body.get_mut("end").and_then(Value::as_object_mut) {
                end.remove("brief");
                end.remove("log");
            }
            for look in body
                .get_mut("evidence")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                look.as_object_mut().unwrap().remove("log");
            }
        }
    };
    // What is left to say is that the commits name other sums.
    run.with_records(
        old,
        &[
            "broken: 2 problems",
            "which no record of this journal has",
            "an earlier version began this run",
        ],
    );
}

#[test]
fn a_branch_that_is_elsewhere_is_seen_and_where_it_is() {
    let run = Run::new();
    let (repo, branch) = (&run.repo, run.branch());
    let tip = repo.git(&["rev-parse", &branch]);
    let back = || repo.git(&["update-ref", &branch, &tip]);

    let commit = |tree: &str, parent: &str, message: &str| {
        let tree = format!("{tree}^{{tree}}");
        repo.git(&["commit-tree", &tree, "-p", parent, "-m", message])
    };
    let amended = commit(&tip, &format!("{tip}~1"), "amended");
    repo.git(&["update-ref", &branch, &amended]);
    run.verify().code(1).says(&[
        "broken: 1 problem",
        &format!(
            "is at {}, which does not descend from the last checkpoint {}",
            &amended[..8],
            &tip[..8]
        ),
    ]);
    let more = commit(&tip, &tip, "more");
    repo.git(&["update-ref", &branch, &more]);
    run.verify()
        .code(1)
        .says(&["broken: 1 problem", "1 commit past the last checkpoint"]);
    repo.git(&["update-ref", &branch, &format!("{tip}~1")]);
    run.verify().code(1).says(&[
        "broken: 1 problem",
        "the checkpoint of receipt 2, not at the last one",
    ]);
    repo.git(&["update-ref", "-d", &branch]);
    run.verify()
        .code(1)
        .says(&["broken: 1 problem", "is gone; the last checkpoint is"]);
    back();
    run.verify().code(0);
}

#[test]
fn a_harvest_that_is_gone_or_another_one_is_seen() {
    let run = Run::new();
    let repo = &run.repo;
    let name = format!("refs/seawall/runs/{}/harvests/2", run.id);
    let at = repo.git(&["rev-parse", &name]);
    repo.git(&["update-ref", "-d", &name]);
    run.verify().code(1).says(&[
        "broken: 1 problem",
        "harvests/2 is gone: nothing keeps git from collecting",
    ]);
    repo.git(&["update-ref", &name, "HEAD"]);
    run.verify()
        .code(1)
        .says(&["broken: 1 problem", "harvests/2 is at "]);
    repo.git(&["update-ref", &name, &at]);
    run.verify().code(0);

    for (object, says) in [
        (at.clone(), "harvest 2: commit"),
        (
            repo.git(&["rev-parse", &format!("{at}^{{tree}}")]),
            "harvest 2: its files cannot be read",
        ),
        (
            repo.git(&["rev-parse", &format!("{at}:two.txt")]),
            "harvest 2: its files cannot be read",
        ),
    ] {
        let path = repo
            .dir()
            .join(".git/objects")
            .join(&object[..2])
            .join(&object[2..]);
        let aside = repo.root().join("aside");
        fs::rename(&path, &aside).unwrap();
        run.verify().code(1).says(&["broken: ", says]);
        fs::rename(&aside, &path).unwrap();
    }
    run.verify().code(0);
}

#[test]
fn a_journal_with_all_its_sums_made_anew_does_not_fit_the_commits() {
    let run = Run::new();
    let none = "which no record of this journal has; the journal stood at record";
    // Whatever is changed, the first checkpoint after it says so.
    let time = |records: &mut Vec<Value>| records[0]["at"] = json!(1);
    run.with_records(time, &["broken: 2 problems", none]);

    // The lie of the first dispatch becomes a pass: then nobody would have rejected it.
    let pass = |records: &mut Vec<Value>| {
        let red = records.iter_mut().find(|r| {
            r["body"]["event"] == "verified" && r["body"]["evidence"][0]["value"] == "fail"
        });
        red.unwrap()["body"]["evidence"][0]["value"] = json!("pass");
    };
    run.with_records(pass, &["record", "it cannot have happened here", none]);

    // The pass of the second becomes a fail, and it landed all the same.
    let fail =
        |records: &mut Vec<Value>| of(records, "verified")["evidence"][0]["value"] = json!("fail");
    run.with_records(
        fail,
        &[
            "`two` landed, and check `it says goodbye` does not pass",
            "it cannot have happened here",
            none,
        ],
    );
    let gone = |records: &mut Vec<Value>| of(records, "verified")["evidence"] = json!([]);
    run.with_records(
        gone,
        &[
            "`two` landed, and check `it says goodbye` has no evidence",
            none,
        ],
    );
    let red = |records: &mut Vec<Value>| {
        of(records, "integrated")["evidence"][0]["value"] = json!("fail")
    };
    run.with_records(red, &["gate `every file has one line` does not pass", none]);
}

#[test]
fn trees_and_commits_of_the_journal_are_those_of_the_repository() {
    let run = Run::new();
    let other = run.repo.git(&["rev-parse", "HEAD^{tree}"]);
    let looked =
        |records: &mut Vec<Value>| of(records, "verified")["evidence"][0]["tree"] = json!(other);
    run.with_records(
        looked,
        &[
            "criterion 0 was looked at in tree",
            "and the harvest has tree",
            "`it says goodbye` passed in tree",
        ],
    );
    let harvest = |records: &mut Vec<Value>| {
        of(records, "harvested")["harvest"]["changed"]["tree"] = json!(other)
    };
    run.with_records(harvest, &["harvest 3: commit", "the journal says"]);
    let digest = |records: &mut Vec<Value>| {
        of(records, "harvested")["harvest"]["changed"]["digest"] = json!("0".repeat(64))
    };
    run.with_records(
        digest,
        &[
            "harvest 3: its change has digest",
            "the journal says 00000000",
        ],
    );
    let measured =
        |records: &mut Vec<Value>| of(records, "baselined")["evidence"][0]["tree"] = json!(other);
    run.with_records(measured, &["and the base has tree"]);
    let gates =
        |records: &mut Vec<Value>| of(records, "integrated")["evidence"][0]["tree"] = json!(other);
    run.with_records(gates, &["and the composition has tree"]);
    let commit = run.repo.git(&["rev-parse", "HEAD"]);
    let point = |records: &mut Vec<Value>| of(records, "checkpointed")["commit"] = json!(commit);
    run.with_records(
        point,
        &[
            "it stands on nothing, the journal says",
            "its trailer Seawall-Run says nothing, the journal `",
        ],
    );
}

#[test]
fn trees_that_no_commit_names_are_made_anew_from_their_parts() {
    let run = Run::new();
    let other = json!("4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    let sensed =
        |records: &mut Vec<Value>| of(records, "sensed")["evidence"][0]["tree"] = other.clone();
    run.with_records(
        sensed,
        &["was looked at in tree 4b825dc6, and the composition without the change has tree"],
    );
    let trial = |records: &mut Vec<Value>| of(records, "integrated")["tree"] = other.clone();
    run.with_records(
        trial,
        &[
            "the changes on trial make tree",
            "the journal says 4b825dc6",
        ],
    );
}

#[test]
fn what_no_task_made_does_not_hide_in_a_checkpoint() {
    let run = Run::new();
    let repo = &run.repo;
    let tip = repo.git(&["rev-parse", &run.branch()]);
    let smuggled = {
        repo.git(&["checkout", "-q", "--detach", &tip]);
        repo.write("three.txt", "smuggled\n");
        repo.write("one.txt", "nobody\n");
        repo.git(&["add", "-A"]);
        repo.git(&["commit", "-q", "--amend", "--no-edit"]);
        repo.git(&["rev-parse", "HEAD"])
    };
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["update-ref", &run.branch(), &smuggled]);
    // Everything that the journal says of the tree is changed with it.
    let forge = |records: &mut Vec<Value>| {
        let old = of(records, "integrated")["tree"]
            .as_str()
            .unwrap()
            .to_owned();
        let text = serde_json::to_string(&records).unwrap();
        let text = text.replace(&old, &tree).replace(&tip, &smuggled);
        *records = serde_json::from_str(&text).unwrap();
    };
    let path = run.journal();
    let text = fs::read_to_string(&path).unwrap();
    let mut records: Vec<Value> = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    forge(&mut records);
    fs::write(&path, summed(&records)).unwrap();
    run.verify().code(1).says(&[
        "three.txt differs, and no accepted task changed it",
        "one.txt differs, and no accepted task changed it",
    ]);
}

#[test]
fn receipts_are_chained_and_the_same_every_time() {
    let run = Run::new();
    let print = |args: &[&str]| {
        run.repo
            .seawall(&[&["receipt", &run.id], args].concat())
            .code(0)
            .out
    };
    let all = print(&[]);
    assert_eq!(all, print(&["--format", "json"]));
    let mut previous = "0".repeat(64);
    for line in all.lines() {
        let receipt: Value = serde_json::from_str(line).unwrap();
        assert_eq!(receipt["previous"], json!(previous), "{line}");
        previous = Sha256::digest(line.as_bytes())
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
    }
    assert_eq!(
        run.repo.json(&["verify", "--json"])["receipt"],
        json!(previous)
    );
    let kinds: Vec<Value> = all
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap()["kind"].clone())
        .collect();
    assert_eq!(
        kinds,
        [
            "base",
            "attempt",
            "checkpoint",
            "attempt",
            "attempt",
            "checkpoint"
        ]
    );

    let tried = print(&["--task", "two"]);
    let words: Vec<Value> = tried
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(
        words[0]["verdict"],
        json!({"word": "rejected", "why": "checks"})
    );
    assert_eq!(words[0]["after"][0]["value"], "fail");
    assert_eq!(words[1]["verdict"]["word"], "passed");
    let point: Value = serde_json::from_str(&print(&["--wave", "2"])).unwrap();
    assert_eq!(point["tasks"][0]["task"], "two");
    assert_eq!(point["tasks"][0]["attempt"], words[1]["attempt"]);
    let message = run.repo.git(&["log", "-1", "--format=%B", &run.branch()]);
    assert!(
        message.contains(point["journal"][0]["sum"].as_str().unwrap()),
        "{message}"
    );
    run.repo
        .seawall(&["receipt", "--task", "tow"])
        .code(2)
        .says(&["did you mean `two`?"]);
    run.repo
        .seawall(&["receipt", "--wave", "3"])
        .code(2)
        .says(&["its waves are 1 to 2"]);
}

#[test]
fn other_programs_read_statements_and_reports() {
    let run = Run::new();
    let print = |args: &[&str]| {
        run.repo
            .seawall(&[&["receipt", &run.id], args].concat())
            .code(0)
            .out
    };
    let all = print(&["--format", "in-toto"]);
    let statements: Vec<Value> = all
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let results: Vec<_> = statements
        .iter()
        .map(|s| s["predicate"]["result"].clone())
        .collect();
    assert_eq!(
        results,
        ["PASSED", "PASSED", "PASSED", "FAILED", "PASSED", "PASSED"]
    );
    let last = &statements[5];
    assert_eq!(last["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(
        last["predicateType"],
        "https://in-toto.io/attestation/test-result/v0.1"
    );
    let tip = run.repo.git(&["rev-parse", &run.branch()]);
    assert_eq!(last["subject"][0]["digest"]["gitCommit"], json!(tip));
    assert_eq!(
        last["predicate"]["passedTests"],
        json!(["every file has one line"])
    );
    let xml = print(&["--format", "junit"]);
    for part in [
        "tests=\"7\" failures=\"0\" errors=\"0\" skipped=\"0\"",
        "<testcase classname=\"two\" name=\"verdict\"",
        "<testcase classname=\"two\" name=\"it says goodbye\"",
        "<testsuite name=\"checkpoint 2.1\"",
    ] {
        assert!(xml.contains(part), "{part}: {xml}");
    }
}

#[test]
fn checks_that_are_run_again_are_compared() {
    let mut repo = Repo::with(&[("one.txt", "hello\n"), ("two.txt", "hello\n")]);
    let plan = PLAN.replace("[agent.hand]", "[sandbox]\npass = ['MOOD']\n[agent.hand]");
    let plan = plan.replace("'for f in", "'[ $MOOD = good ] && for f in");
    repo.set("MOOD", "good");
    repo.run(&plan).code(0).says(&["2 accepted"]);
    let run = Run {
        id: repo.status().run().to_owned(),
        repo,
    };
    let mine = Everything::of(&run.repo);
    let again = |run: &Run| run.repo.seawall(&["verify", "--rerun", &run.id]);
    again(&run)
        .code(0)
        .says(&["verified", "8 checks run again, all as then"]);
    assert!(mine == Everything::of(&run.repo), "it wrote something");
    let mut run = run;
    run.repo.set("MOOD", "bad");
    again(&run).code(1).says(&[
        "broken: 3 problems",
        "gate `every file has one line` on the base: pass then (exit status 0), fail now (red before any work",
        "gate `every file has one line` at the checkpoint of wave 2: pass then",
        "8 checks run again, 3 otherwise",
    ]);
    // What is broken is not run.
    let plan = run.repo.run_dir(&run.id).join("plan.json");
    fs::write(&plan, "{}").unwrap();
    again(&run)
        .code(1)
        .says(&["broken: 1 problem", "no check was run again"]);
}

#[test]
fn whatever_a_crash_leaves_of_a_journal_is_no_lie() {
    let run = Run::new();
    let whole = fs::read(run.journal()).unwrap();
    let lines: Vec<_> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    for length in 1..lines.len() {
        let mut left = lines[..length].concat();
        left.extend(&lines[length][..20]);
        fs::write(run.journal(), left).unwrap();
        let out = run.repo.seawall(&["verify", "--json", &run.id]);
        let found: Value = serde_json::from_str(&out.out).unwrap();
        let problems = found["problems"].as_array().unwrap();
        // What was cut off is known to the branch alone, which is ahead of what is left.
        let ahead = problems.iter().all(|problem| {
            let what = problem["what"].as_str().unwrap();
            problem["kind"] == "branch" && what.contains("1 commit past")
        });
        assert!(ahead && problems.len() < 2, "{length}: {out}");
        assert!(
            found["notes"][0] == "the run has not ended",
            "{length}: {out}"
        );
        let _ = out.says(&["the last record is cut off (20 bytes), as by a crash"]);
    }
    fs::write(run.journal(), &lines[0][..20]).unwrap();
    run.verify()
        .code(2)
        .says(&["stopped before its first event"]);
}

/// A fan-out over files that are changed alike, but for one; a check that looks at nothing; a task that is rejected.
const FAN: &str = r#"version = 1
name = 'rename'
goal = 'Call it by its name'
[agent.hand]
run = ['sh', '-c', '''
case $1 in
*7.txt) new=$(sed "s/old(/new(/; s/1)/0)/" $1; yes line | head -60) ;;
*bad.txt) new=lie ;;
*) new=$(sed "s/old(/new(/" $1) ;;
esac
printf "%s\\n" "$new" > $1
echo "[DONE] all replaced"
''', 'agent', '{file}']
[[finding]]
code = 'SW0511'
severity = 'note'
because = 'one is large'
[[checkpoint]]
says = 'there are files'
run = 'test -f a1.txt'
[[task]]
id = 'calls'
each = 'a*.txt'
prompt = 'Call it new.'
[[task.check]]
says = 'nobody calls it old'
run = '! grep -n "old(" {file}'
[[task]]
id = 'exists'
risk = 'low'
file = 'one.txt'
prompt = 'Leave it there.'
[[task.check]]
says = 'it is still there'
run = 'test -f one.txt'
proof = 'pass-to-pass'
[[task]]
id = 'bad'
file = 'bad.txt'
attempts = 1
prompt = 'Say goodbye.'
[[task.check]]
says = 'it says goodbye'
run = 'grep -q goodbye {file}'
"#;

fn fan() -> Repo {
    let repo = Repo::new();
    repo.write("one.txt", "x = old(y)\n");
    repo.write("bad.txt", "hello\n");
    for n in 1..=9 {
        let text = format!("before\n  value_{n} = old(x{n}, 1)\nafter\n");
        repo.write(format!("a{n}.txt"), text);
    }
    repo.commit("base");
    repo.run(FAN).code(1).says(&["10 accepted, 1 rejected"]);
    repo
}

#[test]
fn a_report_tells_what_is_unlike_the_rest_and_folds_what_is_alike() {
    let repo = fan();
    let report = repo.seawall(&["report"]).code(0).out;
    let at = |part: &&str| {
        let found = report.find(*part);
        found.unwrap_or_else(|| panic!("{part}: {report}"))
    };
    // The order is the point: verdict, weakest, unlike, changes, everything.
    let order = [
        "rename  run ",
        "\nrejected    bad   1 dispatch\n",
        "check  \"it says goodbye\"  base red -> after red: exit status 1",
        "claim  \"[DONE] all replaced\"",
        "\nweakest     exists   1 check, only that a file is there",
        "\nunlike      calls:a7.txt   62 lines, the median is 2\n",
        "\nchanges     10 files, ",
        "9 hunks in 9 files, alike to the letter, as in a1.txt",
        "-  value_1 = old(x1, 1)\n",
        "+  value_1 = new(x1, 1)\n",
        "as in a7.txt (calls:a7.txt)",
        "\naccepted    calls:a1.txt   wave 1   1 check green   red again without its change   1 file, +1 -1\n",
        "\nlanded      1 commit on seawall/rename/",
        "\nnext        seawall verify ",
    ];
    let places: Vec<_> = order.iter().map(at).collect();
    assert!(places.is_sorted(), "{places:?}: {report}");
}

#[test]
fn a_report_for_programs_and_for_pages() {
    let repo = fan();
    let json = repo.json(&["report", "--format", "json"]);
    assert_eq!(json["attention"], json!(["bad"]));
    assert_eq!(json["weakest"][0]["grade"], "presence");
    assert_eq!(json["shapes"]["files"], 10);
    assert_eq!(json["tasks"].as_array().unwrap().len(), 11);
    assert_eq!(json["tasks"][0]["evidence"][0]["after"], "green");
    let page = repo
        .seawall(&["report", "--format", "markdown"])
        .code(0)
        .out;
    for part in [
        "# rename: 10 accepted, 1 rejected, 0 blocked\n",
        "## Not accepted\n\n- **bad** rejected: ",
        "## Weakest evidence\n\n- **exists**: only that a file is there",
        "```diff\n-  value_1 = old(x1, 1)\n+  value_1 = new(x1, 1)\n```\n",
        "| bad | it says goodbye | fail-to-pass | red | red: exit status 1 |  | ",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

/// Three tasks of one wave, one of which makes the checkpoint red at its first dispatch, so that there is a second round.
const ROUNDS: &str = r#"version = 1
name = 'rounds'
goal = 'Say goodbye'
[agent.hand]
run = ['sh', '-c', '''
brief=$(cat)
sleep 0.1
case $1:$brief in
b.txt:*"attempt was rejected"* | [!b]*) echo goodbye > $1 ;;
*) echo "goodbye, and bad" > $1 ;;
esac
''', 'agent', '{file}']
prompt = 'stdin'
[[checkpoint]]
says = 'nothing is bad'
run = '! grep -l bad *.txt'
[[task]]
id = 'each'
each = '[abc].txt'
prompt = 'Say goodbye.'
attempts = 2
[[task.check]]
says = 'it says goodbye'
run = 'grep -q goodbye {file}'
[[task]]
id = 'last'
file = 'd.txt'
prompt = 'Say goodbye.'
after = ['each']
[[task.check]]
says = 'it says goodbye'
run = 'grep -q goodbye {file}'
"#;

#[test]
fn a_run_that_was_killed_and_resumed_verifies_at_every_stop() {
    for wait in [100, 300, 500, 700, 900] {
        let files = ["a.txt", "b.txt", "c.txt", "d.txt"].map(|path| (path, "hello\n"));
        let repo = Repo::with(&files);
        let plan = repo.plan(ROUNDS);
        let mut run = repo
            .command(support::SEAWALL)
            .args([OsStr::new("run"), plan.as_os_str(), OsStr::new("--quiet")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        run.kill().unwrap();
        run.wait().unwrap();
        let stopped = repo.seawall(&["verify"]);
        if stopped.exit == 2 {
            continue; // it was killed before its first event
        }
        let stopped = stopped.code(0);
        if stopped.out.contains("the run has not ended") {
            repo.seawall(&["resume", "--quiet"])
                .code(0)
                .says(&["4 accepted"]);
        }
        repo.seawall(&["verify"])
            .code(0)
            .says(&["verified", "3 checkpoints"]);
        let words = repo
            .seawall(&["receipt", "--task", "each:b.txt"])
            .code(0)
            .out;
        assert!(words.lines().count() >= 2, "{words}");
    }
}

#[test]
fn a_report_of_a_run_that_never_began_says_why() {
    let repo = Repo::with(&[("one.txt", "hello\n\n"), ("two.txt", "hello\n")]);
    repo.run(PLAN).code(2).says(&["the base does not pass"]);
    repo.seawall(&["report"]).code(0).says(&[
        "refused after",
        "base        check  \"every file has one line\"  does not pass before any work: red before any work",
    ]);
    repo.seawall(&["verify"]).code(0).says(&[
        "verified",
        "there is no checkpoint: nothing but the journal itself vouches for its last 3 records",
    ]);
    let xml = repo.seawall(&["receipt", "--format", "junit"]).code(0).out;
    assert!(xml.contains("failures=\"1\""), "{xml}");
}
