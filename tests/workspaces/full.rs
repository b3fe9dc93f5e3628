//! A disk that is full while workspaces are made or read: one clear error, nothing lost, and `resume` finishes.
//!
//! In a mount namespace of its own, on a small tmpfs, so that nothing is left of it whatever happens.

use std::fs;

use crate::support::{Output, Repo, SEAWALL, skip};

/// A worker that rewrites a file of 64 KiB with as much noise, and waits for a file when it has.
const PLAN: &str = r#"
version = 1
name = "noise"
goal = "the file is noise"
[workspace]
mode = "MODE"
[agent.noise]
run = ["sh", "-ec", '''
sed 1d noise > "$TMPDIR/noise" && cat "$TMPDIR/noise" > data
echo written
while [ -e hold ] && [ ! -e DISK/go ]; do sleep 0.02; done''']
[sandbox]
read = ["DISK"]
[[checkpoint]]
says = "it is there"
run = "test -s data"
[[task]]
id = "data"
file = "data"
prompt = "noise"
  [[task.check]]
  says = "it is the noise"
  run = "sed 1d noise | cmp - data"
"#;

/// `$1` seawall, `$2` plan, `$3` repository, `$4` where the small disk is mounted.
///
/// First with so much left when the run begins, then with so much left when the worker is done.
const SCRIPT: &str = r#"
set -eu
seawall=$1 plan=$2 from=$3 disk=$4
mkdir "$disk"
fill() {
    free=$(($(stat -f -c '%a * %S' "$disk") / 1024))
    head -c $(((free - kib) * 1024)) /dev/zero > "$disk/filler"
}
begin() {
    mount -t tmpfs -o size=6m small "$disk"
    cp -r "$from" "$disk/repo"
    cd "$disk/repo"
    code=0
}
finish() {
    rm "$disk/filler"
    touch "$disk/go"
    if [ $code != 0 ]; then
        echo "$phase $code" $kib KiB: $(grep -i 'no space' "$disk/../out" | tail -1)
        goes_on=resume
        "$seawall" status > /dev/null 2>&1 || goes_on="run $plan"
        "$seawall" $goes_on > "$disk/../out" 2>&1 || { echo "$goes_on $?: $(cat "$disk/../out")"; exit 1; }
    fi
    echo tree $(git rev-parse "$(git for-each-ref --format='%(refname)' refs/heads/seawall)^{tree}")
    git fsck --strict --no-dangling > /dev/null 2>&1
    "$seawall" gc > /dev/null
    cd /
    # What ended a moment ago may still be on its way out.
    n=0
    until umount "$disk" 2> /dev/null; do sleep 0.05; n=$((n + 1)); test $n -lt 200; done
}
phase=provision
for kib in 60 120 160 220 280 340 420 520; do
    begin
    touch "$disk/go"
    fill
    "$seawall" run "$plan" > "$disk/../out" 2>&1 || code=$?
    finish
done
phase=harvest
for kib in 12 16 24 32 48; do
    begin
    "$seawall" run "$plan" > "$disk/../out" 2>&1 & run=$!
    n=0
    until grep -qs written .git/seawall/runs/*/logs/attempt-1.log; do
        sleep 0.02; n=$((n + 1)); test $n -lt 3000
    done
    fill
    touch "$disk/go"
    wait $run || code=$?
    finish
done
"#;

#[test]
fn a_disk_that_is_full_while_workspaces_are_made_or_read() {
    for mode in ["overlay", "copy"] {
        let repo = Repo::new();
        let noise = noise();
        repo.write("noise", &noise);
        repo.write("data", &noise);
        repo.write("hold", "x\n");
        repo.commit("base");
        let disk = repo.root().join("disk");
        let text = PLAN.replace("MODE", mode);
        let plan = repo.plan(&text.replace("DISK", disk.to_str().unwrap()));
        let script = repo.root().join("full.sh");
        fs::write(&script, SCRIPT).unwrap();
        let out = Output::of(
            repo.command("unshare")
                .args(["-rm", "sh", script.to_str().unwrap(), SEAWALL])
                .args([&plan, repo.dir(), &disk]),
        );
        if out.err.contains("unshare failed") {
            return skip("a_disk_that_is_full", &out.err);
        }
        let out = out.code(0);
        let lines = |word: &str| -> Vec<String> {
            let lines = out.out.lines().filter_map(|line| line.strip_prefix(word));
            lines.map(str::to_owned).collect()
        };
        for (phase, least) in [("provision ", 3), ("harvest ", 2)] {
            let met = lines(phase);
            assert!(
                met.iter().filter(|l| l.starts_with("5 ")).count() >= least,
                "{mode} {out}"
            );
            for line in &met {
                let known = line.starts_with("5 ") || line.starts_with("3 ");
                assert!(
                    known && line.contains("No space left on device"),
                    "{mode} {out}"
                );
            }
        }
        let trees = lines("tree ");
        assert_eq!(trees.len(), 13, "{out}");
        assert!(trees.iter().all(|tree| *tree == trees[0]), "{out}");
    }
}

/// 64 KiB in lines that do not compress.
fn noise() -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut text = String::new();
    while text.len() < 64 * 1024 {
        for _ in 0..4 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            text += &format!("{state:016x}");
        }
        text.push('\n');
    }
    text
}
