//! One text for one JSON value, so that a digest of it means something: RFC 8785 without its floating numbers.
//!
//! Members are sorted by the UTF-16 units of their names, nothing stands between tokens, strings have the shortest
//! escapes. A receipt holds only integers; of one that another program could not hold exactly (2^53 and more) the digits
//! are written all the same, which RFC 8785 would round.

use serde_json::Value as Json;

/// The canonical text of `value`.
#[must_use]
pub fn canonical(value: &Json) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Json, out: &mut String) {
    match value {
        Json::Array(items) => {
            list(out, '[', items, write);
            out.push(']');
        }
        Json::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
            list(out, '{', &sorted, |(name, value), out| {
                string(name, out);
                out.push(':');
                write(value, out);
            });
            out.push('}');
        }
        Json::String(text) => string(text, out),
        Json::Null | Json::Bool(_) | Json::Number(_) => out.push_str(&value.to_string()),
    }
}

fn list<T>(out: &mut String, open: char, items: &[T], each: impl Fn(&T, &mut String)) {
    out.push(open);
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        each(item, out);
    }
}

/// `serde_json` escapes as the RFC wants it: the two-letter forms, `\u00xx` in lower case, and nothing else.
fn string(text: &str, out: &mut String) {
    out.push_str(&Json::from(text).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_value_is_the_one_of_the_rfc() {
        for (given, want) in [
            (
                "{ \"b\" : 1, \"a\": [ ], \"\": {} }",
                "{\"\":{},\"a\":[],\"b\":1}",
            ),
            (
                "[null, true, -7, 9007199254740991]",
                "[null,true,-7,9007199254740991]",
            ),
            // RFC 8785, 3.2.3: sorted by UTF-16 units, so an emoji stands before U+FB33.
            (
                r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#,
                "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}",
            ),
            // RFC 8785, 3.2.2.2
            (
                r#""\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/\u007f""#,
                "\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\u{7f}\"",
            ),
        ] {
            let value: Json = serde_json::from_str(given).unwrap();
            assert_eq!(canonical(&value), want);
            assert_eq!(serde_json::from_str::<Json>(want).unwrap(), value);
        }
    }
}
