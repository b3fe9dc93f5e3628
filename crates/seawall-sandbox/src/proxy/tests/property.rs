//! Chance: whatever comes, nothing panics, and what is passed on means to a simple reader what it meant to ours.

use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::proxy::answer::Answer;
use crate::proxy::authority::{Authority, Host};
use crate::proxy::body::{Body, Filter};
use crate::proxy::head::{Framing, Head};
use crate::proxy::log::plain;
use crate::proxy::policy::Policy;
use crate::proxy::request::{Kind, parse};

/// Requests of which most are right and some are not.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![
        4 => "[A-Za-z-]{1,10}: [ -~]{0,12}\r\n",
        1 => Just("Content-Length: 5\r\n".to_owned()),
        1 => Just("Transfer-Encoding: chunked\r\n".to_owned()),
        1 => Just("Connection: X-One, Host\r\n".to_owned()),
        1 => Just("Proxy-Connection: keep-alive\r\n".to_owned()),
        1 => "[\\PC\r\n :]{0,12}\r\n",
    ];
    (
        "GET|POST|HEAD|OPTIONS",
        "/[!-~]{0,12}|",
        proptest::collection::vec(field, 0..6),
    )
        .prop_map(|(method, path, fields)| {
            let fields = fields.concat();
            format!("{method} http://a.b{path} HTTP/1.1\r\nHost: a.b\r\n{fields}\r\n").into_bytes()
        })
}

#[test]
fn most_of_the_nearly_right_requests_are_right() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let right = (0..500)
        .filter(|_| parse(&nearly().new_tree(&mut runner).unwrap().current()).is_ok())
        .count();
    assert!((100..490).contains(&right), "{right} of 500");
}

proptest! {
    #[test]
    fn no_request_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let ended = [bytes.as_slice(), b"\r\n\r\n"].concat();
        let _ = (parse(&bytes).is_ok(), parse(&ended).is_ok());
    }

    #[test]
    fn what_is_passed_on_is_one_request(bytes in nearly()) {
        if let Ok(ask) = parse(&bytes)
            && let Kind::Plain { head, framing, .. } = ask.kind
        {
            let text = String::from_utf8(head.clone()).unwrap();
            prop_assert_eq!(text.matches("\r\n\r\n").count(), 1);
            prop_assert!(text.ends_with("\r\n\r\n"));
            prop_assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
            let again = Head::parse(&head).unwrap();
            prop_assert_eq!(again.framing().unwrap(), framing);
            prop_assert_eq!(again.single("host").unwrap(), Some(&b"a.b"[..]));
        }
    }

    #[test]
    fn no_body_or_answer_panics(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        size in 1_usize..50,
    ) {
        for mut filter in [
            Box::new(Body::of_request(Framing::Chunked)) as Box<dyn Filter>,
            Box::new(Body::of_request(Framing::Length(17))),
            Box::new(Answer::new(false)),
        ] {
            for piece in bytes.chunks(size) {
                if filter.pass(piece, &mut Vec::new()).is_err() {
                    break;
                }
            }
        }
    }

    #[test]
    fn a_place_reads_as_it_is_written(text in "\\PC{0,40}") {
        if let Ok(place) = Authority::parse(&text) {
            prop_assert_eq!(Authority::parse(&place.to_string()), Ok(place));
        }
    }

    #[test]
    fn a_host_that_the_system_takes_for_an_address_is_one(text in "[0-9a-fx.]{1,20}") {
        // `inet_aton` knows numbers in every base; none of them may pass as a name.
        let numbers = text.split('.').all(|part| {
            let digits = part.strip_prefix("0x").unwrap_or(part);
            !part.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
                && (part.starts_with("0x") || part.bytes().all(|byte| byte.is_ascii_digit()))
        });
        if numbers {
            let is_name = matches!(Host::parse(&text), Ok(Host::Name(_)));
            prop_assert!(!is_name, "{}", text);
        }
    }

    #[test]
    fn a_wildcard_never_names_another_domain(host in "[a-z.-]{1,30}") {
        let policy = Policy::new(["*.example.org:443"], []).unwrap();
        if let Ok(place) = Authority::parse(&format!("{host}:443")) {
            let bare = host.strip_suffix('.').unwrap_or(&host);
            let below = bare.ends_with(".example.org");
            prop_assert_eq!(policy.names(&place), below);
        }
    }

    #[test]
    fn the_log_takes_plain_text_only(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
        let text = plain(&bytes);
        prop_assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~')));
        prop_assert!(text.len() <= 4 * 300);
    }
}
