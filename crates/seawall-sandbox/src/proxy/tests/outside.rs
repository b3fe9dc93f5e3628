//! Public addresses, in a network namespace of the test's own: they must be reached, and those of the host must not.

use std::process::Command;

use nix::sched::{CloneFlags, unshare};

use super::rig::{Names, Rig, Server, echo, limits};

/// Runs `act` in a thread with a network namespace in which all of 8.8.8.0/24 is this machine and 8.8.8.1 its address.
fn abroad(act: impl FnOnce() + Send) {
    let can = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            if unshare(CloneFlags::CLONE_NEWNET).is_err() {
                return false;
            }
            let told = ["link set lo up", "addr add 8.8.8.1/24 dev lo"]
                .map(|words| Command::new("ip").args(words.split(' ')).status());
            if told
                .into_iter()
                .any(|status| !status.is_ok_and(|status| status.success()))
            {
                return false;
            }
            act();
            true
        });
        thread.join().unwrap()
    });
    if !can {
        let must = std::env::var_os("SEAWALL_TESTS_MAY_NOT_SKIP").is_some();
        assert!(!must, "it needs root and the program `ip`");
        println!("SKIPPED: public addresses need root and the program `ip`");
    }
}

#[test]
fn public_addresses_are_reached_and_those_of_the_host_are_not() {
    abroad(|| {
        let server = Server::at("0.0.0.0:443", echo);
        let names = Names::from([
            ("public.test", vec![vec!["8.8.8.8"]]),
            ("mixed.test", vec![vec!["10.0.0.1", "8.8.8.9"]]),
            ("own.test", vec![vec!["8.8.8.1"]]),
        ]);
        let hosts = [
            "*.a.test:443",
            "public.test:443",
            "mixed.test:443",
            "own.test:443",
            "8.8.8.7:443",
        ];
        let mut rig = Rig::new(&hosts, names, limits());
        for (place, status) in [
            ("public.test:443", 200),
            ("mixed.test:443", 200),
            ("8.8.8.7:443", 200),
            ("own.test:443", 403),
            ("8.8.8.6:443", 403),
        ] {
            assert_eq!(rig.tunnel(place).1, status, "{place}");
        }
        server.expect_visits(3);
        let lines = rig.log();
        let own = lines
            .iter()
            .find(|line| line["authority"] == "own.test:443");
        let why = own.unwrap()["why"].as_str().unwrap();
        assert_eq!(
            why,
            "8.8.8.1:443 is an address of this host; name `8.8.8.1:443` to allow it"
        );
    });
}
