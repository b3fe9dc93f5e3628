//! TLS greetings: whose name is another than the tunnel's is not passed on, in whatever pieces it comes.

use std::io::{Read, Write};

use proptest::prelude::*;

use super::rig::{Names, Rig, Server, echo, limits};
use crate::proxy::authority::Host;
use crate::proxy::body::{Filter, Flow};
use crate::proxy::hello::Guard;

fn counted(width: usize, bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len().to_be_bytes();
    [&length[8 - width..], bytes].concat()
}

fn extension(kind: u16, value: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &counted(2, value)].concat()
}

fn name(text: &str) -> Vec<u8> {
    let entry = [&[0][..], &counted(2, text.as_bytes())].concat();
    extension(0, &counted(2, &entry))
}

/// A client's hello with these extensions, in records of so many bytes.
fn greeting(extensions: &[Vec<u8>], record: usize) -> Vec<u8> {
    let body = [
        &[3, 3][..],
        &[7; 32],
        &counted(1, &[9; 32]),
        &counted(2, &[0x13, 1]),
        &counted(1, &[0]),
        &counted(2, &extensions.concat()),
    ]
    .concat();
    let message = [&[1][..], &counted(3, &body)].concat();
    let wrap = |piece: &[u8]| [&[22, 3, 1][..], &counted(2, piece)].concat();
    message.chunks(record).flat_map(wrap).collect()
}

/// Passes a greeting in pieces of every size; all must agree.
fn pass(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut outcomes = Vec::new();
    for size in [1, 2, 5, 6, 50, bytes.len().max(1)] {
        let mut guard = Guard::new(&Host::parse("good.test").unwrap());
        let mut out = Vec::new();
        let passed = bytes
            .chunks(size)
            .try_for_each(|piece| guard.pass(piece, &mut out).map(drop));
        outcomes.push(passed.map(|()| out));
    }
    outcomes.dedup();
    assert_eq!(outcomes.len(), 1, "{outcomes:?}");
    outcomes.remove(0)
}

#[test]
fn the_name_must_be_that_of_the_tunnel() {
    let other = extension(16, b"\0\x03\x02h2");
    let hidden = extension(0xfe0d, &[0; 40]);
    for (extensions, why) in [
        (vec![name("good.test")], ""),
        (vec![other.clone(), name("GOOD.test"), other.clone()], ""),
        (vec![name("evil.test")], "another name"),
        (vec![name("good.test.evil.test")], "another name"),
        (vec![name("evil.test\0good.test")], "cannot be read"),
        (vec![name("127.0.0.1")], "another name"),
        (vec![name("")], "cannot be read"),
        (vec![name("good.test"), name("evil.test")], "cannot be read"),
        (vec![name("good.test"), hidden], "hides its name"),
        (vec![other], "has no name"),
        (vec![], "has no name"),
        (vec![vec![0, 0, 0]], "cannot be read"),
        (vec![extension(0, &[0, 0])], "cannot be read"),
    ] {
        for record in [1, 3, 40, 16_384] {
            let bytes = [
                greeting(&extensions, record),
                b"\x17\x03\x03and more".to_vec(),
            ]
            .concat();
            match pass(&bytes) {
                Ok(out) => assert!(why.is_empty() && out == bytes, "{why}"),
                Err(error) => assert!(!why.is_empty() && error.contains(why), "{error}, not {why}"),
            }
        }
    }
}

#[test]
fn what_is_not_tls_passes_at_once() {
    for bytes in [&b"GET / HTTP/1.1"[..], b"SSH-2.0", b"\x16\x02", b"\0"] {
        assert_eq!(pass(bytes), Ok(bytes.to_vec()));
    }
}

#[test]
fn what_is_nearly_tls_is_refused() {
    for bytes in [
        &b"\x16\x03\x01\0\0"[..],
        b"\x16\x03\x01\0\x04\x02\0\0\0",
        b"\x16\x03\x01\0\x04\x01\xff\xff\xff",
        b"\x16\x03\x01\0\x02\x01\0\x17\x03\x01\0\x02\0\0",
        b"\x16\x03\x01\0\x04\x01\0\0\0",
    ] {
        assert_eq!(
            pass(bytes),
            Err("the TLS greeting cannot be read"),
            "{}",
            bytes.escape_ascii()
        );
    }
    for size in [1000, 70_000] {
        let mut guard = Guard::new(&Host::parse("good.test").unwrap());
        let endless = [&b"\x16\x03\x01\x40\0\x01\0\x3f\xff"[..], &[0; 70_000]].concat();
        let mut pieces = endless.chunks(size);
        assert!(pieces.any(|piece| guard.pass(piece, &mut Vec::new()).is_err()));
    }
}

#[test]
fn an_address_has_no_name_to_compare_with() {
    let mut guard = Guard::new(&Host::parse("192.0.2.1").unwrap());
    let bytes = greeting(&[name("evil.test")], 100);
    let mut out = Vec::new();
    assert_eq!(guard.pass(&bytes, &mut out), Ok(Flow::More));
    assert_eq!(out, bytes);
}

#[test]
fn a_tunnel_to_a_neighbour_on_the_same_address_is_cut() {
    let server = Server::new(echo);
    let names = Names::from([("good.test", vec![vec!["127.0.0.1"]])]);
    let (place, literal) = (
        format!("good.test:{}", server.port()),
        server.address.to_string(),
    );
    let mut rig = Rig::new(&[&place, &literal], names, limits());
    let good = greeting(&[name("good.test")], 16_384);
    let (mut stream, _) = rig.tunnel(&place);
    stream.write_all(&good).unwrap();
    let mut heard = vec![0; good.len()];
    stream.read_exact(&mut heard).unwrap();
    assert_eq!(heard, good);
    drop(stream);

    let (mut stream, _) = rig.tunnel(&place);
    stream
        .write_all(&greeting(&[name("evil.test")], 16_384))
        .unwrap();
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard);
    assert_eq!(heard, b"", "it reached the server");
    rig.eventually(|summary| summary.refused == 1 && summary.denied.contains_key(&place));
    let lines = rig.log();
    let refused = lines
        .iter()
        .find(|line| line["decision"] == "refused")
        .unwrap();
    let why = refused["why"].as_str().unwrap();
    assert_eq!(
        why,
        "not what was allowed: the TLS greeting is for another name than the tunnel"
    );
}

proptest! {
    #[test]
    fn no_greeting_panics(
        noise in proptest::collection::vec(any::<u8>(), 0..200),
        at in 0_usize..150,
        flip in any::<u8>(),
        size in 1_usize..60,
    ) {
        let mut nearly = greeting(&[name("good.test")], 30);
        let at = at % nearly.len();
        nearly[at] ^= flip;
        for bytes in [nearly, [&[22, 3, 1][..], &noise].concat()] {
            let mut guard = Guard::new(&Host::parse("good.test").unwrap());
            for piece in bytes.chunks(size) {
                if guard.pass(piece, &mut Vec::new()).is_err() {
                    break;
                }
            }
        }
    }
}
