//! Named hosts from the outside: by `seawall exec`, and by a profile of the user in a run. The clients are `bash` alone.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "each test file uses its part of what they share")]
mod support;

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::Value;

use support::{Repo, skip};

/// Asks the proxy for a tunnel to `$1`, and prints its answer and what comes through.
const TUNNEL: &str = r#"
exec 3<>"/dev/tcp/127.0.0.1/3128"
printf 'CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\nping\n' "$1" "$1" >&3
read -r status <&3; echo "${status%$'\r'}"
case "$status" in *" 200 "*) read -r _ <&3; read -r line <&3; echo "$line";; esac
"#;

/// A server on this machine that answers every line by the same line in upper case.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || answer(stream.unwrap()));
        }
    });
    place
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    for line in BufReader::new(stream.try_clone()?).lines() {
        stream.write_all((line?.to_uppercase() + "\n").as_bytes())?;
    }
    Ok(())
}

/// Whether hosts can be named here at all; says so when not.
fn can(repo: &Repo, test: &str) -> bool {
    let out = repo.seawall(&["exec", "--host", "127.0.0.1:1", "--", "true"]);
    if out.exit != 0 {
        skip(test, &out.err);
    }
    out.exit == 0
}

/// `seawall exec` with these options, running the tunnel to a place.
fn tunnel(repo: &Repo, options: &[&str], place: &str) -> support::Output {
    let script = ["--", "bash", "-c", TUNNEL, "tunnel", place];
    repo.seawall(&[&["exec"], options, &script].concat())
}

#[test]
fn exec_reaches_what_is_named_and_nothing_else() {
    let repo = Repo::with(&[("a", "a\n")]);
    if !can(&repo, "exec_reaches_what_is_named_and_nothing_else") {
        return;
    }
    let (place, other) = (server(), server());
    let out = tunnel(&repo, &["--host", &place], &place).code(0);
    assert_eq!(
        (out.out.as_str(), out.err.as_str()),
        ("HTTP/1.1 200 Connection established\nPING\n", "")
    );
    let out = tunnel(&repo, &["--host", &place], &other).code(0);
    assert_eq!(out.out, "HTTP/1.1 403 Forbidden\n");
    assert_eq!(out.err, format!("seawall: `{other}` was not let through\n"));
    // The server is there, and still there is no way to it but the proxy.
    let (host, port) = place.split_once(':').unwrap();
    let direct = format!("exec 3<>/dev/tcp/{host}/{port}");
    let out = repo.seawall(&["exec", "--host", &place, "--", "bash", "-c", &direct]);
    assert_ne!(out.exit, 0, "{out}");
    let mapped = format!("8080={place}");
    let script = "exec 3<>/dev/tcp/127.0.0.1/8080; echo ping >&3; read -r line <&3; echo $line";
    let out = repo
        .seawall(&["exec", "--forward", &mapped, "--", "bash", "-c", script])
        .code(0);
    assert_eq!(out.out, "PING\n");
}

#[test]
fn exec_says_what_is_wrong_with_a_host() {
    let repo = Repo::with(&[("a", "a\n")]);
    for (options, code, why) in [
        (
            &["--host", "example.org"][..],
            2,
            "`example.org` is no host that can be named: it has no port",
        ),
        (&["--host", "*.org:443"], 2, "top-level"),
        (
            &["--forward", "3128=a.test:1"],
            2,
            "the proxy listens there",
        ),
        (&["--forward", "8080"], 2, "PORT=HOST:PORT"),
        (
            &["--host", "a.test:1", "--no-namespaces"],
            127,
            "namespaces are off",
        ),
    ] {
        let out = repo
            .seawall(&[&["exec"], options, &["--", "true"]].concat())
            .code(code);
        assert!(out.err.contains(why), "{out}");
    }
}

#[test]
fn a_run_reaches_the_hosts_of_its_profile_and_records_it() {
    let repo = Repo::with(&[("a.txt", "a\n")]);
    if !can(
        &repo,
        "a_run_reaches_the_hosts_of_its_profile_and_records_it",
    ) {
        return;
    }
    let place = server();
    let profiles = repo.root().join("home/.config/seawall/profiles");
    std::fs::create_dir_all(&profiles).unwrap();
    let profile = format!("extends = 'worker'\nsays = 'reaches a model'\nhosts = ['{place}']\n");
    std::fs::write(profiles.join("model.toml"), profile).unwrap();
    std::fs::write(repo.root().join("plans/tunnel"), TUNNEL).unwrap();
    let script = repo.root().join("plans/tunnel");
    let script = script.display();
    let plan = format!(
        r#"
version = 1
name = "net"
goal = "every file holds an answer"
[sandbox]
read = ["{script}"]
[agent.ask]
run = ["bash", "-c", "bash {script} {place} >> {{file}}; bash {script} evil.test:443 >> {{file}}"]
[[checkpoint]]
says = "it is there"
run = "test -s a.txt"
[[task]]
id = "ask"
each = "*.txt"
agent = "ask"
profile = "model"
prompt = "ask"
[[task.check]]
says = "there is an answer"
run = "grep -q PING {{file}}"
"#
    );
    repo.run(&plan).code(0);
    let run = repo.status().run().to_owned();
    let log = std::fs::read_to_string(repo.run_dir(&run).join("logs/attempt-1.net.jsonl")).unwrap();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told = |n: usize| {
        (
            lines[n]["decision"].as_str().unwrap(),
            lines[n]["authority"].as_str().unwrap(),
        )
    };
    assert_eq!(
        [told(0), told(1), told(2)],
        [
            ("allowed", place.as_str()),
            ("ended", &place),
            ("refused", "evil.test:443")
        ],
        "{log}"
    );
    let journal = std::fs::read_to_string(repo.run_dir(&run).join("journal.jsonl")).unwrap();
    assert!(
        journal.contains("let through 1, refused 1 (evil.test:443)"),
        "{journal}"
    );
}
