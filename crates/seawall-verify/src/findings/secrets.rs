//! Secrets in new lines, by the exact form that their issuers give them.
//!
//! Forms that nothing else has, rather than a guess by entropy or by the words beside a value: a finding blocks, so it must be
//! right. A list of our own, by the issuers' documents, comes first; beside it stand those rules of a larger set that are as
//! sure (`taken`). What has no form of its own is not found. Keys of examples (few different characters, the word "example")
//! are let pass, and in tests, where keys are often made to be published, a person looks.

mod taken;

use seawall_core::finding::Severity;

use super::look::{Found, Look};

/// A form: how it begins, which characters follow, at least and at most how many.
struct Form {
    prefix: &'static str,
    kind: &'static str,
    allowed: fn(u8) -> bool,
    least: usize,
    most: usize,
}

const fn form(
    prefix: &'static str,
    kind: &'static str,
    allowed: fn(u8) -> bool,
    least: usize,
    most: usize,
) -> Form {
    Form {
        prefix,
        kind,
        allowed,
        least,
        most,
    }
}

fn upper(b: u8) -> bool {
    b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b)
}

fn alnum(b: u8) -> bool {
    b.is_ascii_alphanumeric()
}

fn word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'-'
}

fn hex(b: u8) -> bool {
    b.is_ascii_digit() || (b'a'..=b'f').contains(&b)
}

fn dotted(b: u8) -> bool {
    word(b) || b == b'.'
}

fn path(b: u8) -> bool {
    word(b) || b == b'/'
}

const LONG: usize = 400;

const FORMS: &[Form] = &[
    form("AKIA", "key of AWS", upper, 16, 16),
    form("ASIA", "key of AWS", upper, 16, 16),
    form("ghp_", "token of GitHub", alnum, 36, 36),
    form("gho_", "token of GitHub", alnum, 36, 36),
    form("ghu_", "token of GitHub", alnum, 36, 36),
    form("ghs_", "token of GitHub", alnum, 36, 36),
    form("ghr_", "token of GitHub", alnum, 36, 76),
    form("github_pat_", "token of GitHub", word, 82, 82),
    form("glpat-", "token of GitLab", word, 20, 64),
    form("xoxb-", "token of Slack", word, 24, LONG),
    form("xoxp-", "token of Slack", word, 24, LONG),
    form("xoxa-", "token of Slack", word, 24, LONG),
    form("xapp-", "token of Slack", word, 24, LONG),
    form("sk_live_", "key of Stripe", alnum, 24, 120),
    form("rk_live_", "key of Stripe", alnum, 24, 120),
    form("sk-ant-", "key of Anthropic", word, 80, 130),
    form("sk-proj-", "key of OpenAI", word, 40, 200),
    form("AIza", "key of Google", word, 35, 35),
    form("npm_", "token of npm", alnum, 36, 36),
    form("pypi-AgEIcHlwaS5vcmc", "token of PyPI", word, 50, LONG),
    form("hf_", "token of Hugging Face", alnum, 34, 34),
    form("dop_v1_", "token of DigitalOcean", alnum, 64, 64),
    form("glptt-", "token of GitLab", word, 40, 40),
    form("gldt-", "token of GitLab", word, 20, 64),
    form("glrt-", "token of GitLab", word, 20, 64),
    form(
        "hooks.slack.com/services/T",
        "web hook of Slack",
        path,
        38,
        70,
    ),
    form("sk-svcacct-", "key of OpenAI", word, 40, 200),
    form("gsk_", "key of Groq", alnum, 52, 52),
    form("whsec_", "key of Stripe", alnum, 32, 64),
    form("SG.", "key of SendGrid", dotted, 66, 66),
    form("shpat_", "token of Shopify", hex, 32, 32),
    form("shpca_", "token of Shopify", hex, 32, 32),
    form("shppa_", "token of Shopify", hex, 32, 32),
    form("shpss_", "secret of Shopify", hex, 32, 32),
    form("hvs.", "token of Vault", word, 90, 120),
    form("dckr_pat_", "token of Docker", word, 27, 27),
    form("dapi", "token of Databricks", hex, 32, 32),
    form("lin_api_", "key of Linear", alnum, 40, 40),
    form("glsa_", "token of Grafana", word, 41, 41),
    form("PMAK-", "key of Postman", word, 59, 59),
    form("rubygems_", "key of RubyGems", hex, 48, 48),
    form("sbp_", "token of Supabase", hex, 40, 40),
    form("sq0atp-", "token of Square", word, 22, 22),
    form("sq0csp-", "secret of Square", word, 43, 43),
    form("AGE-SECRET-KEY-1", "key of age", alnum, 58, 58),
    form("ATATT3", "token of Atlassian", word, 150, 250),
];

pub(crate) fn look(look: &Look<'_>, found: &mut Found) {
    for file in &look.files {
        let severity = match file.is_test() {
            true => Severity::Hold,
            false => Severity::Block,
        };
        for (n, (line, text)) in file.added.iter().enumerate() {
            let next = file.added.get(n + 1).map(|(_, text)| *text);
            let Some(what) = what(text, next) else {
                continue;
            };
            found.at(severity, file.path, *line, what);
        }
    }
}

/// What the line looks like, if it looks like a secret.
fn what(line: &[u8], next: Option<&[u8]>) -> Option<String> {
    if let Some(kind) = kind(line).or_else(|| private_key(line, next)) {
        return Some(format!("what looks like a {kind}"));
    }
    taken::rule(line).map(|rule| format!("what looks like a secret (`{rule}`)"))
}

fn kind(line: &[u8]) -> Option<&'static str> {
    FORMS
        .iter()
        .find(|form| form.is_in(line))
        .map(|form| form.kind)
}

impl Form {
    fn is_in(&self, line: &[u8]) -> bool {
        let prefix = self.prefix.as_bytes();
        if line.len() < prefix.len() + self.least {
            return false;
        }
        let starts = line.windows(prefix.len()).enumerate();
        let mut starts = starts
            .filter(|(_, piece)| *piece == prefix)
            .map(|(at, _)| at);
        starts.any(|at| {
            let alone = at == 0 || !word(line[at - 1]);
            let body = &line[at + prefix.len()..];
            let long = body.iter().take_while(|b| (self.allowed)(**b)).count();
            let ends = body.get(long).is_none_or(|b| !word(*b));
            let fits = (self.least..=self.most).contains(&long);
            alone && ends && fits && is_random(&body[..long])
        })
    }
}

/// Whether a key looks drawn by lot, and not made up for a reader.
fn is_random(body: &[u8]) -> bool {
    let mut seen = [false; 256];
    body.iter().for_each(|b| seen[usize::from(*b)] = true);
    let different = seen.iter().filter(|seen| **seen).count();
    let lower = body.to_ascii_lowercase();
    let made_up = [
        &b"example"[..],
        b"xxxx",
        b"0000",
        b"1234567",
        b"abcdef",
        b"placeholder",
        b"your",
    ];
    let plain = made_up
        .iter()
        .any(|word| lower.windows(word.len()).any(|piece| piece == *word));
    different >= 9 && !plain
}

/// The first line of a private key, followed by what is encoded.
fn private_key(line: &[u8], next: Option<&[u8]>) -> Option<&'static str> {
    let text = String::from_utf8_lossy(line);
    let begins = text.contains("-----BEGIN ") && text.contains("PRIVATE KEY");
    let encoded = |line: &[u8]| {
        let long = line
            .iter()
            .filter(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b));
        long.count() >= 40 && is_random(line)
    };
    let body = next.is_some_and(encoded) || (text.len() > 120 && text.contains("\\n"));
    (begins && body).then_some("private key")
}
