//! Reads `[[finding]]`: what follows from a finding in this plan, where that is not what its rule says.

use globset::GlobBuilder;
use seawall_core::diagnostic::Diagnostic;
use seawall_core::finding::{FindingRule, Severity};

use crate::finding_table::FINDINGS;
use crate::problems::{At, Problems, error, shown};
use crate::section::Section;

pub(crate) fn read(sections: &[Section<'_>], problems: &mut Problems) -> Vec<FindingRule> {
    let rules = sections.iter().filter_map(|section| one(section, problems));
    rules.collect()
}

fn one(section: &Section<'_>, problems: &mut Problems) -> Option<FindingRule> {
    let paths = section.texts("paths");
    for glob in &paths {
        check_glob(glob, problems);
    }
    let code = section.text("code")?;
    let known = FINDINGS
        .iter()
        .find(|e| e.code.eq_ignore_ascii_case(code.value));
    let Some(known) = known else {
        unknown(&code, problems);
        return None;
    };
    Some(FindingRule {
        code: known.code.to_owned(),
        severity: match section.text("severity")?.value {
            "off" => None,
            "note" => Some(Severity::Note),
            "hold" => Some(Severity::Hold),
            "block" => Some(Severity::Block),
            _ => return None,
        },
        because: section.text("because")?.value.to_owned(),
        paths: paths.iter().map(|glob| glob.value.to_owned()).collect(),
    })
}

fn unknown(code: &At<&str>, problems: &mut Problems) {
    let near = problems.nearest(&code.value.to_uppercase(), FINDINGS.iter().map(|e| e.code));
    let help = match near {
        Some(near) => format!("did you mean `{near}`? `seawall explain` lists them all"),
        None => "`seawall explain` lists them all; those of findings begin with `SW05`".to_owned(),
    };
    problems.add(
        error(
            "SW0151",
            format!("no finding has the code `{}`", shown(code.value)),
        )
        .at(code.span.clone(), "not a finding")
        .help(help),
    );
}

fn check_glob(glob: &At<&str>, problems: &mut Problems) {
    if let Err(why) = GlobBuilder::new(glob.value).literal_separator(true).build() {
        problems.add(not_a_glob(glob, &why));
    }
}

/// That a glob cannot be read.
pub(crate) fn not_a_glob(glob: &At<&str>, why: &globset::Error) -> Diagnostic {
    let why = shown(&why.kind().to_string());
    error(
        "SW0122",
        format!("glob `{}` cannot be read: {why}", shown(glob.value)),
    )
    .at(glob.span.clone(), "not a glob")
    .help("`*`, `**`, `?`, `[a-z]` and `{a,b}` are special; `\\` before one of them makes it plain")
}
