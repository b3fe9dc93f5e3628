#!/usr/bin/env python3
"""Makes secrets.toml: those rules of Betterleaks that are sure enough to reject a change.

Betterleaks (MIT, LICENSE.betterleaks) keeps a set of rules for secrets, by one of the authors of gitleaks. The crate
`kingfisher-rules` carries it as it was at one revision, with its licence. To take a newer one:

    cargo new --lib /tmp/rules && cd /tmp/rules && cargo add kingfisher-rules && cargo fetch
    take_secrets.py ~/.cargo/registry/src/*/kingfisher-rules-VERSION > secrets.toml

A rule is taken when all of this holds; what is left out guesses from words beside a value, needs a service to ask, or
names what is public:

- it is of high confidence, stands alone, and is filtered by nothing but entropy (or paths of one package);
- it has a text that every secret of this kind holds, of four characters or more, with a separator or six long;
- it is not in LEFT_OUT.
"""

import gzip
import json
import pathlib
import re
import sys
import tomllib

LEFT_OUT = {
    "configcat-sdk-key-extended": "stands in what users load",
    "couchbase-capella-api-key": "a name and a value",
    "curl-auth-header": "whatever stands in a header, examples too",
    "flutterwave-encryption-key": "of the test mode",
    "flutterwave-public-key": "public",
    "flutterwave-secret-key": "of the test mode",
    "gitlab-incoming-mail-address-token": "an address of mail",
    "gitlab-session-cookie": "a name of a cookie",
    "jwt": "documents and tests are full of them",
    "jwt-base64": "documents and tests are full of them",
    "posthog-project-api-key": "public",
    "private-key": "more than one line",
    "shippo-api-token": "of the test mode too",
    "sidekiq-sensitive-url": "an address",
    "slack-legacy-workspace-token": "eight characters",
    "devcycle-client-sdk-key": "stands in what users load",
    "devcycle-mobile-sdk-key": "stands in what users load",
    "duffel-api-token": "of the test mode too",
    "azure-app-configuration-connection-string": "a connection string",
    "azure-servicebus-connection-string": "a connection string",
    "gcp-application-default-credentials": "more than one line",
}

ENTROPY = re.compile(r'entropy\(finding\["secret"\]\) <=? ([0-9.]+)(.*)', re.DOTALL)
PATHS = re.compile(r'\s*\|\| matchesAny\(attributes\["path"\], \[[^\]]*\]\)\s*')
# `name = value`, as rules write it that know a secret by what stands before it.
ASSIGNED = "(?:=|>"


def entropy(rule):
    """The least entropy of a secret; None when something else filters too."""
    text = rule.get("filter", "").strip()
    if not text:
        return 0.0
    found = ENTROPY.fullmatch(text)
    if not found or (found[2].strip() and not PATHS.fullmatch(found[2])):
        return None
    return float(found[1])


def is_sure(rule):
    """Whether every secret of this kind holds one of the keywords."""
    regex = rule["regex"].lower().replace("\\", "")

    def sure(word):
        separated = re.search(r"[^a-z0-9]", word) is not None
        return word in regex and len(word) >= 4 and (separated or len(word) >= 6)

    return all(sure(word) for word in rule["keywords"])


def is_taken(rule):
    """Whether a rule is one that may reject a change."""
    alone = not any(key in rule for key in ("components", "path", "valueGroup", "skipReport"))
    return (
        alone
        and rule.get("regex")
        and rule["confidence"] == "high"
        and ASSIGNED not in rule["regex"]
        and "[\\s\\S" not in rule["regex"]
        and entropy(rule) is not None
        and is_sure(rule)
        and rule["id"] not in LEFT_OUT
    )


def main():
    crate = pathlib.Path(sys.argv[1])
    with gzip.open(crate / "generated/upstream-sources.json.gz") as file:
        sources = json.load(file)
    (url,) = (name for name in sources if name.endswith("/config/betterleaks.toml"))
    rules = tomllib.loads(sources[url])["rules"]
    taken = [rule for rule in rules if is_taken(rule)]
    revision = url.split("/")[-3]
    print("# Rules for secrets. Made by take_secrets.py, which says how they were chosen; do not edit.")
    print(f"# Betterleaks, revision {revision}, from {crate.name}:")
    print(f"# {len(taken)} of {len(rules)} rules. Copyright (c) 2026 Zachary Rice, MIT: LICENSE.betterleaks.")
    for rule in taken:
        assert "'''" not in rule["regex"]
        print(f"\n[[rules]]\nid = {json.dumps(rule['id'])}")
        print(f"regex = '''{rule['regex']}'''")
        print(f"keywords = {json.dumps(rule['keywords'])}")
        print(f"entropy = {entropy(rule)}")


main()
