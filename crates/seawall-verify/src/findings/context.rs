//! Files that a brief sends an agent to read: characters that are not seen, and text that gives orders to an agent.
//!
//! Both are notes, told before anybody reads the file. A repository may speak of prompts for good reasons, and no list of
//! phrases is complete; what keeps an agent from harm is the sandbox.

use seawall_core::finding::{Finding, Severity};
use seawall_core::path::RepoPath;

use super::hidden::scan;
use super::look::{Found, excerpt, lines};

/// Hidden characters.
pub(crate) const HIDDEN: &str = "SW0519";
/// Orders.
pub(crate) const ADDRESSED: &str = "SW0520";

/// What is said to an agent and to nobody else, in lower case.
const ORDERS: &[&str] = &[
    "ignore previous instructions",
    "ignore all previous instructions",
    "ignore the previous instructions",
    "ignore all prior instructions",
    "ignore prior instructions",
    "ignore the above instructions",
    "ignore your instructions",
    "disregard previous instructions",
    "disregard all previous",
    "disregard the above",
    "forget your instructions",
    "forget all previous instructions",
    "override your instructions",
    "do not tell the user",
    "don't tell the user",
    "without telling the user",
    "reveal your system prompt",
    "print your system prompt",
    "new instructions for the ai",
    "instructions for ai agents",
    "attention ai",
    "if you are an ai",
    "if you are a language model",
    "as an ai agent, you must",
    "ai assistants must",
    "ai agents must",
    "<|im_start|>",
    "<|system|>",
    "[inst]",
];

pub(crate) fn look(path: &RepoPath, bytes: &[u8]) -> Vec<Finding> {
    let mut hidden = Found::new(HIDDEN);
    if let [first, rest @ ..] = &scan(bytes)[..] {
        let more = match rest.len() {
            0 => String::new(),
            n => format!(", and {n} more in this file"),
        };
        hidden.at(
            Severity::Note,
            path,
            first.line,
            format!("{}{more}", first.words()),
        );
    }
    let mut addressed = Found::new(ADDRESSED);
    for (line, text) in lines(bytes) {
        let text = String::from_utf8_lossy(text).to_lowercase();
        if ORDERS.iter().any(|order| text.contains(order)) {
            let text = format!(
                "text that addresses an agent: `{}`",
                excerpt(text.as_bytes())
            );
            addressed.at(Severity::Note, path, line, text);
        }
    }
    hidden.list.append(&mut addressed.list);
    hidden.list
}
