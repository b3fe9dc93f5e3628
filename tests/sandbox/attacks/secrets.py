"""Attacks on what only the user is to know."""

import os

from common import expect, read, refuse


def read_a_key(at):
    expect(read(at.key), at.secret)


def read_cloud_credentials(at):
    expect(read(at.home + "/.aws/credentials"), at.secret)


def read_git_credentials(at):
    expect(read(at.home + "/.git-credentials"), at.secret)


def read_the_history(at):
    expect(read(at.home + "/.bash_history"), at.secret)


def read_a_plain_document(at):
    expect(read(at.home + "/Documents/plan.txt"), at.secret)


def read_credentials_beside_a_toolchain(at):
    expect(read(at.home + "/.cargo/credentials.toml"), at.secret)


def walk_the_disk(at):
    """Looks for the home of the user wherever it may have been put."""
    skip = {"proc", "sys", "usr", "lib", "lib64", "nix"}
    for top in os.listdir("/"):
        if top in skip:
            continue
        for directory, below, names in os.walk("/" + top):
            if directory.count("/") > 5:
                below.clear()
            for name in names:
                if name == "id_ed25519" and at.mark in directory:
                    return expect(read(os.path.join(directory, name)), at.secret)
    refuse("it is nowhere")


def environment(at):
    for name in ("API_TOKEN", "AWS_SECRET_ACCESS_KEY", "SSH_AUTH_SOCK", "LD_PRELOAD_TOKEN"):
        if name in os.environ:
            return
    refuse("there is none of it")


def environment_of_every_process(at):
    """The supervisor, the launcher and the keeper once had the user's environment."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) == os.getpid():
            continue
        for file in ("environ", "cmdline"):
            try:
                found = read(f"/proc/{pid}/{file}")
            except OSError:
                continue
            if b"API_TOKEN=" + at.secret.encode() in found:
                return
    refuse("no process shows it")


def agent_socket(at):
    """The user's key agent signs for whoever reaches its socket."""
    import socket
    with socket.socket(socket.AF_UNIX) as agent:
        agent.connect(at.bystander["stream"])
