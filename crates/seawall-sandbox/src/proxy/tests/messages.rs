//! Requests and answers as text: what is passed on, what is left out, and what is refused because two readers could differ.

use crate::proxy::answer::Answer;
use crate::proxy::body::{Body, Filter, Flow};
use crate::proxy::head::Framing;
use crate::proxy::request::{AskError, Kind, parse};

/// A head with the line ends that HTTP wants.
fn wire(lines: &[&str]) -> Vec<u8> {
    (lines.join("\r\n") + "\r\n\r\n").into_bytes()
}

#[test]
fn tunnels() {
    for lines in [
        &[
            "CONNECT api.example.org:443 HTTP/1.1",
            "Host: api.example.org:443",
        ][..],
        &[
            "CONNECT API.example.org.:443 HTTP/1.1",
            "host: api.Example.org",
        ],
        &["CONNECT api.example.org:443 HTTP/1.0"],
        &["CONNECT api.example.org:443 HTTP/1.1", "Content-Length: 0"],
        &[
            "CONNECT api.example.org:443 HTTP/1.1",
            "Host: api.example.org:443",
            "Proxy-Connection: Keep-Alive",
            "Proxy-Authorization: Basic eDp5",
            "User-Agent: curl/7",
        ],
    ] {
        let ask = parse(&wire(lines)).unwrap();
        assert_eq!(
            (ask.place.to_string().as_str(), ask.kind),
            ("api.example.org:443", Kind::Tunnel)
        );
    }
}

#[test]
fn plain_requests_are_written_anew() {
    let ask = parse(&wire(&[
        "POST http://API.example.org:8080/v1/x?q=1 HTTP/1.1",
        "Host: api.example.org:8080",
        "Content-Length: 5",
        "Connection: keep-alive, X-Secret",
        "Keep-Alive: timeout=5",
        "Proxy-Connection: Keep-Alive",
        "Proxy-Authorization: Basic eDp5",
        "TE: trailers",
        "Upgrade: websocket",
        "X-Secret: 1",
        "Authorization:  Bearer t ",
    ]))
    .unwrap();
    assert_eq!(ask.place.to_string(), "api.example.org:8080");
    let Kind::Plain {
        head,
        framing,
        bodiless,
    } = ask.kind
    else {
        panic!("a tunnel");
    };
    assert_eq!((framing, bodiless), (Framing::Length(5), false));
    assert_eq!(
        String::from_utf8(head).unwrap(),
        "POST /v1/x?q=1 HTTP/1.1\r\nHost: api.example.org:8080\r\nAuthorization: Bearer t\r\n\
         Content-Length: 5\r\nConnection: close\r\n\r\n"
    );
}

#[test]
fn paths_of_plain_requests() {
    for (method, target, path) in [
        ("GET", "http://a.b", "/"),
        ("GET", "HTTP://A.b:80/", "/"),
        ("GET", "http://a.b?x=//y", "/?x=//y"),
        ("OPTIONS", "http://a.b", "*"),
        ("HEAD", "http://a.b/x", "/x"),
    ] {
        let ask = parse(&wire(&[
            &format!("{method} {target} HTTP/1.1"),
            "Host: a.b",
        ]))
        .unwrap();
        let Kind::Plain { head, .. } = ask.kind else {
            panic!("a tunnel");
        };
        let first = format!("{method} {path} HTTP/1.1\r\nHost: a.b\r\n");
        assert!(
            head.starts_with(first.as_bytes()),
            "{}",
            head.escape_ascii()
        );
    }
}

#[test]
fn what_is_refused() {
    let connect = "CONNECT a.b:443 HTTP/1.1";
    let get = "GET http://a.b/ HTTP/1.1";
    let post = "POST http://a.b/ HTTP/1.1";
    for (lines, status, why) in [
        (&["GET / HTTP/1.1", "Host: a.b"][..], 400, "this is a proxy"),
        (&["OPTIONS * HTTP/1.1", "Host: a.b"], 400, "this is a proxy"),
        (
            &["GET a.b:80 HTTP/1.1", "Host: a.b"],
            400,
            "this is a proxy",
        ),
        (
            &["GET https://a.b/ HTTP/1.1", "Host: a.b"],
            400,
            "only `http:`",
        ),
        (&["GET file:///etc/passwd HTTP/1.1"], 400, "only `http:`"),
        (&["GET http://a.b/ HTTP/1.0", "Host: a.b"], 505, "version"),
        (&["GET http://a.b/ HTTP/2.0", "Host: a.b"], 505, "version"),
        (&["PRI * HTTP/2.0"], 505, "version"),
        (&["GET http://a.b/"], 400, "first line"),
        (&["GET  http://a.b/ HTTP/1.1"], 400, "first line"),
        (&["GET http://a.b/ x HTTP/1.1"], 400, "first line"),
        (&["GET\thttp://a.b/ HTTP/1.1"], 400, "not printable"),
        (&["CONNECT a.b HTTP/1.1"], 400, "no port"),
        (&["CONNECT http://a.b:443 HTTP/1.1"], 400, "no place"),
        (
            &["CONNECT 2130706433:443 HTTP/1.1"],
            400,
            "ends like a number",
        ),
        (&["CONNECT u@a.b:443 HTTP/1.1"], 400, "no place"),
        (
            &["GET http://u:p@a.b/ HTTP/1.1", "Host: a.b"],
            400,
            "no place",
        ),
        (&["GET http:///x HTTP/1.1", "Host: a.b"], 400, "empty"),
        (
            &["GET http://a.b\\@evil/ HTTP/1.1", "Host: a.b"],
            400,
            "path",
        ),
        (&["GET http://a.b/#x HTTP/1.1", "Host: a.b"], 400, "path"),
        (&[connect, "Host: evil:443"], 400, "Host"),
        (&[connect, "Host: a.b:80"], 400, "Host"),
        (&[connect, "Host: a.b:443", "Host: a.b:443"], 400, "several"),
        (&[connect, "Content-Length: 3"], 400, "no body"),
        (&[connect, "Transfer-Encoding: chunked"], 400, "no body"),
        (&[get], 400, "Host"),
        (&[get, "Host: evil"], 400, "Host"),
        (&[get, "Host: a.b:8080"], 400, "Host"),
        (&[get, "Host: a.b", "host: evil"], 400, "several"),
        (&[get, "Host:"], 400, "Host"),
        (&[get, "Host: a.b, evil"], 400, "Host"),
        (&[get, "Host : a.b"], 400, "token"),
        (&[get, " Host: a.b"], 400, "token"),
        (&[get, "Host: a.b", " folded: x"], 400, "token"),
        (&[get, "Host: a.b", "no colon"], 400, "token"),
        (&[get, "Host: a.b", ": x"], 400, "token"),
        (&[get, "Host: a.b", "X: a\0b"], 400, "control"),
        (&[get, "Host: a.b", "X: a\nY: b"], 400, "CR LF"),
        (&[get, "Host: a.b", "X: a\rY: b"], 400, "CR LF"),
        (
            &[
                post,
                "Host: a.b",
                "Content-Length: 5",
                "Transfer-Encoding: chunked",
            ],
            400,
            "both",
        ),
        (
            &[post, "Host: a.b", "Content-Length: 5", "Content-Length: 6"],
            400,
            "several",
        ),
        (
            &[post, "Host: a.b", "Content-Length: 5", "Content-Length: 5"],
            400,
            "several",
        ),
        (
            &[post, "Host: a.b", "Content-Length: 5, 5"],
            400,
            "plain number",
        ),
        (
            &[post, "Host: a.b", "Content-Length: +5"],
            400,
            "plain number",
        ),
        (
            &[post, "Host: a.b", "Content-Length: 0x5"],
            400,
            "plain number",
        ),
        (
            &[post, "Host: a.b", "Content-Length: 99999999999999999999"],
            400,
            "plain number",
        ),
        (
            &[post, "Host: a.b", "Transfer-Encoding: gzip, chunked"],
            400,
            "chunked",
        ),
        (
            &[post, "Host: a.b", "Transfer-Encoding: xchunked"],
            400,
            "chunked",
        ),
        (
            &[
                post,
                "Host: a.b",
                "Transfer-Encoding: chunked",
                "Transfer-Encoding: x",
            ],
            400,
            "several",
        ),
    ] {
        let error: AskError = parse(&wire(lines)).unwrap_err();
        assert_eq!(error.status(), status, "{lines:?}: {error}");
        assert!(error.to_string().contains(why), "{lines:?}: {error}");
    }
}

#[test]
fn too_many_fields_are_refused() {
    let mut lines = vec!["GET http://a.b/ HTTP/1.1", "Host: a.b"];
    lines.extend(["X: y"; 100]);
    assert_eq!(parse(&wire(&lines)).unwrap_err().status(), 431);
    lines.pop();
    assert!(parse(&wire(&lines)).is_ok());
}

/// Passes `bytes` in pieces of every size; all must agree on what comes out, and whether it is over.
fn pass(make: impl Fn() -> Box<dyn Filter>, bytes: &[u8]) -> (Result<Flow, &'static str>, Vec<u8>) {
    let mut outcomes = Vec::new();
    for size in [1, 2, 3, 7, bytes.len().max(1)] {
        let (mut filter, mut out, mut flow) = (make(), Vec::new(), Ok(Flow::More));
        for piece in bytes.chunks(size) {
            flow = filter.pass(piece, &mut out);
            if flow != Ok(Flow::More) {
                break;
            }
        }
        outcomes.push((flow, dechunked(&out)));
    }
    outcomes.dedup();
    assert_eq!(outcomes.len(), 1, "{}: {outcomes:?}", bytes.escape_ascii());
    outcomes.remove(0)
}

/// Chunks depend on the pieces that came, so they are joined before they are compared.
fn dechunked(out: &[u8]) -> Vec<u8> {
    let text = out.to_vec();
    let Some(at) = text.windows(4).position(|four| four == b"\r\n\r\n") else {
        return join(&text).unwrap_or(text);
    };
    let (head, body) = text.split_at(at + 4);
    let chunked = String::from_utf8_lossy(head).contains("chunked");
    if chunked {
        [head, &join(body).unwrap()].concat()
    } else {
        join(&text).unwrap_or(text)
    }
}

fn join(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut joined = Vec::new();
    while !body.is_empty() {
        let at = body.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&body[..at]).ok()?, 16).ok()?;
        joined.extend_from_slice(body.get(at + 2..at + 2 + size)?);
        body = body.get(at + 4 + size..)?;
        if size == 0 {
            joined.extend_from_slice(b"<end>");
        }
    }
    Some(joined)
}

#[test]
fn chunked_bodies() {
    for (bytes, flow, out) in [
        (
            &b"5\r\nhello\r\n0\r\n\r\n"[..],
            Ok(Flow::Done),
            &b"hello<end>"[..],
        ),
        (
            b"5;x=\"y\"\r\nhello\r\n00\r\nTrailer: x\r\n\r\nGET / HTTP/1.1",
            Ok(Flow::Done),
            b"hello<end>",
        ),
        (b"A\r\n0123456789\r\n", Ok(Flow::More), b"0123456789"),
        (b"5\nhello", Err("a line does not end in CR LF"), b""),
        (b"5\r\nhelloo", Ok(Flow::More), b"hello"),
        (
            b"5\r\nhellooo",
            Err("a line between chunks is too long"),
            b"hello",
        ),
        (
            b"5\r\nhello\n\n",
            Err("a line does not end in CR LF"),
            b"hello",
        ),
        (
            b"-5\r\n",
            Err("a chunk's length is not a plain hexadecimal number"),
            b"",
        ),
        (
            b" 5\r\n",
            Err("a chunk's length is not a plain hexadecimal number"),
            b"",
        ),
        (
            b"5 ;x\r\n",
            Err("a chunk's length is not a plain hexadecimal number"),
            b"",
        ),
        (
            b"0x5\r\n",
            Err("a chunk's length is not a plain hexadecimal number"),
            b"",
        ),
        (
            b"\r\n",
            Err("a chunk's length is not a plain hexadecimal number"),
            b"",
        ),
        (
            b"ffffffffffffffff\r\n",
            Err("a chunk's length is not a plain hexadecimal number"),
            b"",
        ),
        (b"5\r\r\n", Err("a line does not end in CR LF"), b""),
    ] {
        let found = pass(|| Box::new(Body::of_request(Framing::Chunked)), bytes);
        assert_eq!(found, (flow, out.to_vec()), "{}", bytes.escape_ascii());
    }
    let line = [b"5;".to_vec(), vec![b'x'; 300]].concat();
    assert!(
        pass(|| Box::new(Body::of_request(Framing::Chunked)), &line)
            .0
            .is_err()
    );
    let trailers = [b"0\r\n".to_vec(), b"X: yyyyyyyyyyyyyyyy\r\n".repeat(1000)].concat();
    assert!(
        pass(|| Box::new(Body::of_request(Framing::Chunked)), &trailers)
            .0
            .is_err()
    );
}

#[test]
fn nothing_follows_a_body() {
    for (framing, bytes, out) in [
        (
            Framing::Length(3),
            &b"abcGET http://evil/ HTTP/1.1\r\n\r\n"[..],
            &b"abc"[..],
        ),
        (Framing::Length(0), b"GET / HTTP/1.1\r\n\r\n", b""),
        (Framing::Unsaid, b"GET / HTTP/1.1\r\n\r\n", b""),
    ] {
        let found = pass(|| Box::new(Body::of_request(framing)), bytes);
        assert_eq!(found, (Ok(Flow::Done), out.to_vec()));
    }
}

#[test]
fn answers() {
    let close = "Connection: close\r\n\r\n";
    for (bodiless, bytes, flow, out) in [
        (
            false,
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\nX: y\r\n\r\nokHTTP/1.1 200",
            Flow::Done,
            format!("HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 2\r\n{close}ok"),
        ),
        (
            false,
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            Flow::Done,
            format!(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{close}2\r\nok\r\n0\r\n\r\n"
            ),
        ),
        (
            false,
            "HTTP/1.0 200 OK\r\n\r\nuntil it closes",
            Flow::More,
            format!("HTTP/1.0 200 OK\r\n{close}until it closes"),
        ),
        (
            true,
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
            Flow::Done,
            format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{close}"),
        ),
        (
            false,
            "HTTP/1.1 304\r\n\r\n",
            Flow::Done,
            format!("HTTP/1.1 304\r\n{close}"),
        ),
    ] {
        let mut found = Vec::new();
        let mut answer = Answer::new(bodiless);
        assert_eq!(answer.pass(bytes.as_bytes(), &mut found), Ok(flow));
        assert_eq!(String::from_utf8(found).unwrap(), out);
    }
}

#[test]
fn odd_answers() {
    let long = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(20_000));
    for bytes in [
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\nb\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 999 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "\r\n\r\n",
        &long,
    ] {
        let mut answer = Answer::new(false);
        assert!(
            answer.pass(bytes.as_bytes(), &mut Vec::new()).is_err(),
            "{bytes}"
        );
    }
    let mut answer = Answer::new(false);
    answer
        .pass(b"HTTP/1.1 200 OK\r\n", &mut Vec::new())
        .unwrap();
    assert!(!answer.may_end());
}
