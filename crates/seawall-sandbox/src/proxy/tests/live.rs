//! Real connections on loopback.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::rig::{Names, PATIENCE, Rig, Server, echo, flood, limits, mirror, silent};
use crate::proxy::policy::Policy;
use crate::proxy::tally::ProxyLimits;

/// A server that is named by its address, and a proxy that lets it be reached.
fn named(act: fn(std::net::TcpStream), limits: ProxyLimits) -> (Server, Rig, String) {
    let server = Server::new(act);
    let place = server.address.to_string();
    let rig = Rig::new(&[&place], Names::new(), limits);
    (server, rig, place)
}

#[test]
fn a_tunnel_carries_any_bytes_and_its_halves_close_one_by_one() {
    let (_server, mut rig, place) = named(echo, limits());
    let (mut stream, status) = rig.tunnel(&place);
    assert_eq!(status, 200);
    let sent: Vec<u8> = (0..3_000_000_u32).map(|n| (n * 7 % 251) as u8).collect();
    let mut writer = stream.try_clone().unwrap();
    let copy = sent.clone();
    let writing = std::thread::spawn(move || {
        writer.write_all(&copy).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).unwrap();
    writing.join().unwrap();
    assert!(heard == sent, "{} of {} bytes", heard.len(), sent.len());
    let lines = rig.log();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(
        (&lines[0]["decision"], &lines[1]["decision"]),
        (&"allowed".into(), &"ended".into())
    );
    for line in &lines {
        assert_eq!(line["authority"], place);
        assert_eq!(line["address"], place);
        assert_eq!(line["connection"], 1);
    }
    assert_eq!(
        (&lines[1]["up"], &lines[1]["down"]),
        (&3_000_000.into(), &3_000_000.into())
    );
    assert_eq!(lines[1]["why"], "closed");
}

#[test]
fn bytes_that_come_with_the_connect_are_not_lost() {
    let (_server, rig, place) = named(echo, limits());
    let mut stream = rig.dial();
    write!(stream, "CONNECT {place} HTTP/1.1\r\n\r\nearly").unwrap();
    let mut heard = vec![0; b"HTTP/1.1 200 Connection established\r\n\r\nearly".len()];
    stream.read_exact(&mut heard).unwrap();
    assert!(
        heard.ends_with(b"\r\n\r\nearly"),
        "{}",
        heard.escape_ascii()
    );
}

#[test]
fn a_plain_request_passes_once_per_connection() {
    let (server, rig, place) = named(mirror, limits());
    let one = format!(
        "GET http://{place}/one HTTP/1.1\r\nHost: {place}\r\nConnection: keep-alive\r\n\r\n"
    );
    let two = "GET http://evil.test/two HTTP/1.1\r\nHost: evil.test\r\n\r\n";
    let answer = rig.ask(&(one + two));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(
        head.contains("Connection: close") && !head.contains("keep-alive"),
        "{answer}"
    );
    assert_eq!(
        body,
        format!("GET /one HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n")
    );
    assert_eq!(server.visits(), 1);
    // What is in a head gets out as well, so it counts.
    rig.eventually(|summary| summary.bytes_up >= body.len() as u64);
}

#[test]
fn plain_requests_use_up_the_bytes_as_well() {
    let tight = ProxyLimits {
        bytes_up: 5_000,
        ..limits()
    };
    let (server, rig, place) = named(mirror, tight);
    let long = "x".repeat(3_000);
    let text = format!("GET http://{place}/{long} HTTP/1.1\r\nHost: {place}\r\n\r\n");
    assert!(rig.ask(&text).starts_with("HTTP/1.1 200 "));
    let answer = rig.ask(&text);
    assert!(
        answer.starts_with("HTTP/1.1 502 ") && answer.contains("used up"),
        "{answer}"
    );
    let answer = rig.ask(&text);
    assert!(
        answer.starts_with("HTTP/1.1 403 ") && answer.contains("used up"),
        "{answer}"
    );
    server.expect_visits(2);
}

#[test]
fn what_follows_a_body_is_not_passed_on() {
    let (_server, rig, place) = named(mirror, limits());
    for (fields, body) in [
        ("Content-Length: 3", "abc"),
        ("Transfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n"),
    ] {
        let hidden = "GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n";
        let text = format!(
            "POST http://{place}/ HTTP/1.1\r\nHost: {place}\r\n{fields}\r\n\r\n{body}{hidden}"
        );
        let answer = rig.ask(&text);
        assert!(
            answer.contains("200 OK") && answer.ends_with(body),
            "{answer}"
        );
        assert!(!answer.contains("evil"), "{answer}");
    }
}

#[test]
fn a_body_that_is_not_framed_as_it_says_ends_the_request() {
    let (_server, rig, place) = named(mirror, limits());
    let text = format!(
        "POST http://{place}/ HTTP/1.1\r\nHost: {place}\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"
    );
    let answer = rig.ask(&text);
    assert!(
        answer.starts_with("HTTP/1.1 502 ") && answer.contains("hexadecimal"),
        "{answer}"
    );
}

#[test]
fn an_answer_that_cannot_be_read_is_not_passed_on() {
    let (_server, rig, place) = named(echo, limits());
    let answer = rig.ask(&format!(
        "GET http://{place}/ HTTP/1.1\r\nHost: {place}\r\n\r\n"
    ));
    assert!(
        answer.starts_with("HTTP/1.1 502 ") && answer.contains("first line of the answer"),
        "{answer}"
    );
}

#[test]
fn what_is_not_named_is_refused_before_it_is_resolved() {
    let server = Server::new(echo);
    let names = Names::from([("evil.test", vec![vec!["127.0.0.1"]])]);
    let mut rig = Rig::new(&["good.test:443", "*.wild.test:443"], names, limits());
    let port = server.port();
    for (text, why) in [
        (
            format!("CONNECT evil.test:{port} HTTP/1.1\r\n\r\n"),
            "`evil.test:",
        ),
        (
            format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n"),
            "is not named",
        ),
        (
            "CONNECT good.test:80 HTTP/1.1\r\n\r\n".to_owned(),
            "`good.test:80` is not named",
        ),
        (
            "CONNECT wild.test:443 HTTP/1.1\r\n\r\n".to_owned(),
            "`wild.test:443` is not named",
        ),
        (
            format!("GET http://evil.test:{port}/ HTTP/1.1\r\nHost: evil.test:{port}\r\n\r\n"),
            "is not named",
        ),
    ] {
        let answer = rig.ask(&text);
        assert!(answer.starts_with("HTTP/1.1 403 "), "{text}: {answer}");
        assert!(answer.contains(why), "{text}: {answer}");
        assert!(
            answer.contains("may be reached: good.test:443, *.wild.test:443"),
            "{answer}"
        );
    }
    assert_eq!((server.visits(), rig.asked.load(Ordering::SeqCst)), (0, 0));
    let summary = rig.stop();
    assert_eq!((summary.refused, summary.allowed), (5, 0));
    assert_eq!(summary.denied[&format!("evil.test:{port}")], 2);
}

#[test]
fn a_name_that_leads_inward_is_refused() {
    let server = Server::new(echo);
    for (address, what) in [
        ("127.0.0.1", "loopback"),
        ("10.1.2.3", "private"),
        ("169.254.169.254", "a metadata service"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "a carrier of version 4"),
        ("0.0.0.0", "unspecified"),
    ] {
        let names = Names::from([("good.test", vec![vec![address]])]);
        let place = format!("good.test:{}", server.port());
        let mut rig = Rig::new(&[&place], names, limits());
        let answer = rig.ask(&format!("CONNECT {place} HTTP/1.1\r\n\r\n"));
        assert!(
            answer.starts_with("HTTP/1.1 403 ") && answer.contains(what),
            "{address}: {answer}"
        );
        let lines = rig.log();
        assert_eq!(lines[0]["decision"], "refused");
        assert_eq!(lines[0]["authority"], place);
    }
    assert_eq!(server.visits(), 0);
}

#[test]
fn of_several_addresses_only_good_ones_are_used() {
    let server = Server::new(echo);
    let names = Names::from([("good.test", vec![vec!["10.1.2.3", "127.0.0.1", "::1"]])]);
    let (place, literal) = (
        format!("good.test:{}", server.port()),
        server.address.to_string(),
    );
    let mut rig = Rig::new(&[&place, &literal], names, limits());
    assert_eq!(rig.tunnel(&place).1, 200);
    assert_eq!(rig.log()[0]["address"], literal);
}

#[test]
fn there_is_no_second_resolution() {
    let server = Server::new(echo);
    let names = Names::from([("good.test", vec![vec!["127.0.0.1"], vec!["127.0.0.2"]])]);
    let (place, literal) = (
        format!("good.test:{}", server.port()),
        server.address.to_string(),
    );
    let rig = Rig::new(&[&place, &literal], names, limits());
    assert_eq!(rig.tunnel(&place).1, 200);
    assert_eq!(rig.asked.load(Ordering::SeqCst), 1);
    // The next connection is resolved and judged anew: now the name leads elsewhere.
    assert_eq!(rig.tunnel(&place).1, 403);
    assert_eq!(rig.asked.load(Ordering::SeqCst), 2);
    server.expect_visits(1);
}

#[test]
fn what_cannot_be_reached_is_said() {
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let names = Names::from([("empty.test", vec![vec![]])]);
    let rig = Rig::new(&[&gone, "unknown.test:1", "empty.test:1"], names, limits());
    for (place, why) in [
        (gone.as_str(), "refused"),
        ("unknown.test:1", "no such name"),
        ("empty.test:1", "no address"),
    ] {
        let answer = rig.ask(&format!("CONNECT {place} HTTP/1.1\r\n\r\n"));
        assert!(
            answer.starts_with("HTTP/1.1 502 ") && answer.contains(why),
            "{answer}"
        );
    }
    rig.eventually(|summary| summary.failed == 3);
}

#[test]
fn a_name_that_takes_too_long_is_given_up() {
    let soon = ProxyLimits {
        connect: Duration::from_millis(200),
        ..limits()
    };
    let rig = Rig::new(&["slow.test:1"], Names::new(), soon);
    let answer = rig.ask("CONNECT slow.test:1 HTTP/1.1\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 504 "), "{answer}");
}

#[test]
fn bytes_are_limited_both_ways_over_all_connections() {
    let tight = ProxyLimits {
        bytes_up: 100_000,
        ..limits()
    };
    let (_server, rig, place) = named(echo, tight);
    let (mut stream, _) = rig.tunnel(&place);
    stream.write_all(&[b'x'; 60_000]).unwrap();
    stream.read_exact(&mut [0; 60_000]).unwrap();
    let (mut second, _) = rig.tunnel(&place);
    // It may be cut while it is being written.
    let _ = second.write_all(&[b'x'; 60_000]);
    let mut rest = Vec::new();
    let _ = second.read_to_end(&mut rest);
    assert!(rest.len() <= 40_000, "{}", rest.len());
    let answer = rig.ask(&format!("CONNECT {place} HTTP/1.1\r\n\r\n"));
    assert!(
        answer.starts_with("HTTP/1.1 403 ") && answer.contains("used up"),
        "{answer}"
    );

    let tight = ProxyLimits {
        bytes_down: 1_000_000,
        ..limits()
    };
    let (_server, mut rig, place) = named(flood, tight);
    let (mut stream, _) = rig.tunnel(&place);
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard);
    assert!(
        (900_000..=1_000_000).contains(&heard.len()),
        "{}",
        heard.len()
    );
    let lines = rig.log();
    assert_eq!(lines[1]["why"], "the worker's bytes are used up");
}

#[test]
fn connections_at_once_are_limited_and_given_back() {
    let few = ProxyLimits {
        connections: 3,
        ..limits()
    };
    let (_server, rig, place) = named(echo, few);
    let tunnels: Vec<_> = (0..3).map(|_| rig.tunnel(&place)).collect();
    let mut hello = rig.dial();
    hello.write_all(b"CONNECT").unwrap();
    let mut answer = String::new();
    hello.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("has 3 connections"),
        "{answer}"
    );
    drop(tunnels);
    let started = Instant::now();
    while rig.tunnel(&place).1 != 200 {
        assert!(started.elapsed() < PATIENCE, "no seat was given back");
    }
}

#[test]
fn a_hundred_connections_at_once() {
    let wide = ProxyLimits {
        connections: 100,
        ..limits()
    };
    let (_server, rig, place) = named(echo, wide);
    let tunnels: Vec<_> = (0..100).map(|_| rig.tunnel(&place)).collect();
    for (mut stream, status) in tunnels {
        assert_eq!(status, 200);
        stream.write_all(b"ping").unwrap();
        let mut heard = [0; 4];
        stream.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"ping");
    }
    rig.eventually(|summary| summary.bytes_down == 400 && summary.allowed == 100);
}

#[test]
fn a_worker_that_only_connects_is_slowed_down() {
    let (_server, mut rig, _) = named(echo, limits());
    let started = Instant::now();
    // The first second may have begun before, and a second may pass meanwhile: three of them cannot.
    for _ in 0..700 {
        let mut stream = rig.dial();
        let _ = stream.write_all(b"x");
        let _ = stream.read(&mut [0; 8]);
    }
    assert!(
        started.elapsed() >= Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(rig.stop().refused, 700);
}

#[test]
fn a_client_that_dawdles_is_turned_away() {
    let short = ProxyLimits {
        head: Duration::from_millis(200),
        ..limits()
    };
    let (server, rig, place) = named(echo, short);
    let answer = rig.ask(&format!("CONNECT {place} HTTP/1.1\r\nX: "));
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    // A byte now and then does not buy more time.
    let mut slow = rig.dial();
    let started = Instant::now();
    while slow.write_all(b"C").is_ok() && started.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(started.elapsed() < PATIENCE);
    assert_eq!(server.visits(), 0);
}

#[test]
fn a_connection_without_a_byte_ends() {
    let short = ProxyLimits {
        idle: Duration::from_millis(200),
        ..limits()
    };
    let (_server, mut rig, place) = named(silent, short);
    let (mut stream, _) = rig.tunnel(&place);
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    assert_eq!(rig.log()[1]["why"], "no byte moved for too long");
}

#[test]
fn garbage_is_answered_or_cut_and_nothing_breaks() {
    let (server, rig, place) = named(echo, limits());
    let long = format!("CONNECT {place} HTTP/1.1\r\nX: {}", "x".repeat(40_000));
    for (text, status) in [
        ("\u{16}\u{3}\u{1}\u{2}\0\u{1}\0", "400"),
        ("\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "400"),
        ("SSH-2.0-OpenSSH_9.9\r\n\r\n", "400"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"),
        (&long, "431"),
    ] {
        let answer = rig.ask(text);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{text:.40}: {answer}"
        );
    }
    for seed in 0..200_u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .take(seed as usize * 3)
        .collect();
        let mut stream = rig.dial();
        let _ = stream.write_all(&noise);
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    }
    assert_eq!(rig.tunnel(&place).1, 200, "it still serves");
    server.expect_visits(1);
}

#[test]
fn stopping_closes_everything_at_once() {
    let (_server, mut rig, place) = named(silent, limits());
    let tunnels: Vec<_> = (0..5).map(|_| rig.tunnel(&place).0).collect();
    let mut waiting = rig.dial();
    let started = Instant::now();
    let summary = rig.stop();
    assert!(started.elapsed() < PATIENCE / 2, "{:?}", started.elapsed());
    assert_eq!(summary.allowed, 5);
    for mut stream in tunnels {
        assert_eq!(stream.read(&mut [0; 1]).unwrap_or(0), 0);
    }
    // It may have been told why, or have been waiting in the queue.
    let mut rest = Vec::new();
    let _ = waiting.read_to_end(&mut rest);
    assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 503 "));
}

#[test]
fn stopping_does_not_wait_for_a_resolver() {
    let mut rig = Rig::new(&["slow.test:1"], Names::new(), limits());
    let mut stream = rig.dial();
    stream
        .write_all(b"CONNECT slow.test:1 HTTP/1.1\r\n\r\n")
        .unwrap();
    let started = Instant::now();
    while rig.asked.load(Ordering::SeqCst) == 0 {
        assert!(started.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(5));
    }
    let started = Instant::now();
    drop(rig.stop());
    assert!(started.elapsed() < PATIENCE / 2, "{:?}", started.elapsed());
}

#[test]
fn two_workers_have_two_policies() {
    let (left, right) = (Server::new(echo), Server::new(echo));
    let places = [left.address.to_string(), right.address.to_string()];
    let rigs = [0, 1].map(|n| Rig::new(&[&places[n]], Names::new(), limits()));
    for (n, rig) in rigs.iter().enumerate() {
        for (m, place) in places.iter().enumerate() {
            let status = if n == m { 200 } else { 403 };
            assert_eq!(rig.tunnel(place).1, status, "worker {n}, place {m}");
        }
    }
    left.expect_visits(1);
    right.expect_visits(1);
}

#[test]
fn a_mapped_port_leads_to_one_place() {
    let (named, mapped) = (Server::new(echo), Server::new(echo));
    let (host, place) = (named.address.to_string(), mapped.address.to_string());
    let policy = Policy::new([host.as_str()], [(8080, place.as_str())]).unwrap();
    let mut rig = Rig::with(policy, Names::new(), limits());
    let mut stream = rig.dial_door(1);
    stream
        .write_all(b"CONNECT evil.test:1 HTTP/1.1\r\n\r\n")
        .unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).unwrap();
    assert_eq!(
        heard, "CONNECT evil.test:1 HTTP/1.1\r\n\r\n",
        "bytes, not HTTP"
    );
    assert_eq!((named.visits(), mapped.visits()), (0, 1));
    // The place is reached by its port alone.
    assert_eq!(rig.tunnel(&place).1, 403);
    assert_eq!(rig.log()[0]["authority"], place);
}

#[test]
fn the_log_is_safe_to_print() {
    let (_server, mut rig, _) = named(echo, limits());
    let texts = [
        "CONNECT \u{1b}[2Jevil:443 HTTP/1.1\r\n\r\n".to_owned(),
        "CONNECT a\u{202e}b:443 HTTP/1.1\r\nX: \"},{\r\n\r\n".to_owned(),
        format!("CONNECT {}:443 HTTP/1.1\r\n\r\n", "a".repeat(5000)),
    ];
    for text in &texts {
        let answer = rig.ask(text);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(
            answer
                .bytes()
                .all(|byte| matches!(byte, b'\r' | b'\n' | b' '..=b'~')),
            "{answer}"
        );
    }
    let lines = rig.log();
    assert_eq!(lines.len(), texts.len());
    for line in &lines {
        let text = line.to_string();
        assert!(
            text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && text.len() < 1500,
            "{text}"
        );
        assert_eq!(line["decision"], "refused");
    }
    assert_eq!(lines[0]["authority"], "CONNECT \\x1b[2Jevil:443 HTTP/1.1");
}

#[test]
fn what_cannot_be_logged_does_not_happen() {
    let server = Server::new(echo);
    let place = server.address.to_string();
    let policy = Policy::new([place.as_str()], []).unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::logging(policy, Names::new(), limits(), full, directory);
    let answer = rig.ask(&format!("CONNECT {place} HTTP/1.1\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    let summary = rig.stop();
    assert!(
        summary.log_error.is_some() && summary.allowed == 0,
        "{summary:?}"
    );
}
