#!/usr/bin/env python3
"""What a launch in a sandbox costs: `/bin/true` through `seawall exec` and through other sandboxes, against a bare start.

    cargo build --release -p seawall
    python3 benches/launch.py target/release/seawall [--rounds N] [--markdown]

Every round starts each command once, so that whatever else the machine does falls on all of them alike; what counts
is the median of each and its ratio to the bare starts of the same rounds. The order is another one in each round,
drawn from a fixed seed, because the kernel takes namespaces and control groups down after their last process has
ended: a command pays for the one before it, and in a fixed order always for the same one. There are two bare starts:
`vfork` and exec, as every command of the table is started, and fork and exec from this very process, which has the
size of an ordinary interpreter; a sandbox that forks pays the second price, and none can reach the first. Absolute
times are those of the machine and the moment. The program is copied first, as an installation does: what a linker has
just written lies in the page cache in small pieces, and each start pays a tenth more for them until the machine is
started anew. Tools that are not on PATH are left out, and named. The clock of the machine is all that is measured: a
sandbox whose last process lingers after the command is not charged for it.
"""

import argparse
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import threading
import time

QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

VFORK = "bare vfork and exec"
FORK = "bare fork and exec"

# The agent-like profile: everything readable but the usual secrets, one directory writable, no network, nothing shared.
BUBBLEWRAP = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--unshare-all", "--die-with-parent",
              "--new-session"]

SETTINGS = '{"network": {"allowedDomains": [], "deniedDomains": []}, "filesystem": {"denyRead": [], "allowWrite": ["."], "denyWrite": []}}'


def commands(seawall, work, home):
    """What is compared: a name, a command line, and how many rounds fit into a bearable time."""
    secrets = [word for name in (".ssh", ".aws") for word in ("--tmpfs", os.path.join(home, name))]
    bubblewrap = [*BUBBLEWRAP, *secrets, "--bind", work, work, "--chdir", work]
    settings = os.path.join(home, "settings.json")
    return [
        (VFORK, [], 1),
        (FORK, [], 1),
        ("seawall, Landlock and seccomp", [seawall, "exec", "--no-namespaces", "--profile", "worker", "--dir", work, "--"], 1),
        ("seawall, full stack", [seawall, "exec", "--profile", "worker", "--dir", work, "--"], 1),
        ("bubblewrap, minimal", ["bwrap", "--ro-bind", "/", "/", "--unshare-user"], 1),
        ("bubblewrap, agent profile", [*bubblewrap, "--"], 1),
        ("firejail", ["firejail", "--quiet", "--noprofile", "--net=none", "--"], 10),
        ("codex sandbox", ["codex", "sandbox", "--"], 10),
        ("srt", ["srt", "--settings", settings, "--"], 20),
    ]


def once(name, argv, work, environment):
    """Milliseconds from before the start to after the wait; `None` when the command does not work."""
    # The documented switch of the module; all else is the same for all rows.
    subprocess._USE_VFORK = name != FORK
    start = time.perf_counter_ns()
    process = subprocess.run([*argv, "/bin/true"], cwd=work, env=environment, **QUIET)
    took = (time.perf_counter_ns() - start) / 1e6
    return took if process.returncode == 0 else None


def usable(found, work, environment):
    """Those that are there and can start something here."""
    kept = []
    for name, argv, every in found:
        if argv and not shutil.which(argv[0]):
            print(f"left out: {name}: `{argv[0]}` is not on PATH")
        elif once(name, argv, work, environment) is None:
            print(f"left out: {name}: it cannot start `/bin/true` here")
        else:
            kept.append((name, argv, every))
    return kept


def in_turn(kept, rounds, work, environment):
    """The times of each command, each round in another order."""
    times = {name: [] for name, _, _ in kept}
    drawn = random.Random(1)
    for number in range(rounds):
        for name, argv, every in drawn.sample(kept, len(kept)):
            if number % every == 0:
                took = once(name, argv, work, environment)
                if took is not None:
                    times[name].append(took)
    return times


def throughput(kept, launches, work, environment):
    """Launches a second of each, two at a time: the median of five shares, taken in turn."""
    def run(name, argv, count):
        for _ in range(count):
            once(name, argv, work, environment)

    def share(name, argv, count):
        threads = [threading.Thread(target=run, args=(name, argv, count // 2)) for _ in range(2)]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return count / (time.perf_counter() - start)

    shares = {name: [] for name, _, _ in kept}
    drawn = random.Random(2)
    for _ in range(5):
        for name, argv, every in drawn.sample(kept, len(kept)):
            shares[name].append(share(name, argv, max(2, launches // every // 5)))
    return {name: statistics.median(found) for name, found in shares.items()}


def table(header, rows):
    print("| " + " | ".join(header) + " |")
    print("|---" * len(header) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("seawall")
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--launches", type=int, default=500)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as private:
        home, work = os.path.join(private, "home"), os.path.join(private, "work")
        for directory in (home, work, os.path.join(home, ".ssh"), os.path.join(home, ".aws")):
            os.mkdir(directory)
        with open(os.path.join(home, "settings.json"), "w") as file:
            file.write(SETTINGS)
        installed = os.path.join(private, "seawall")
        shutil.copy(arguments.seawall, installed)
        environment = {"PATH": os.environ["PATH"], "HOME": home, "LANG": "C.UTF-8"}
        found = commands(installed, work, home)
        kept = usable(found, work, environment)
        in_turn(kept, 3, work, environment)
        times = in_turn(kept, arguments.rounds, work, environment)
        bare, forked = (statistics.median(times[name]) for name in (VFORK, FORK))
        rows = []
        for name, _, _ in kept:
            median = statistics.median(times[name])
            rows.append((name, f"{median:.2f}", f"{min(times[name]):.2f}", f"{median / bare:.2f}", f"{median / forked:.2f}", str(len(times[name]))))
        table(("command", "median ms", "least ms", "ratio to vfork", "ratio to fork", "samples"), rows)
        print()
        rows = []
        rates = throughput(kept, arguments.launches, work, environment)
        for name, _, every in kept:
            rows.append((name, f"{rates[name]:.0f}", str(arguments.launches // every)))
        table(("command", "launches a second, two at a time", "launches"), rows)


main()
