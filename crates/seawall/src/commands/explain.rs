//! `seawall explain`: what a code means and what to write instead.

use seawall_plan::{codes, explain, finding_codes, nearest};

use crate::args::ExplainArgs;
use crate::failure::{FINE, Failure};
use crate::output;

pub(crate) fn run(args: &ExplainArgs) -> Result<u8, Failure> {
    let Some(code) = &args.code else {
        let list: String = codes()
            .chain(finding_codes())
            .map(|e| format!("{}  {}\n", e.code, e.title))
            .collect();
        output::say(&list);
        return Ok(FINE);
    };
    let Some(found) = explain(code) else {
        let failure = Failure::usage(format!("there is no code `{code}`"));
        return Err(
            match nearest(
                &code.to_uppercase(),
                codes().chain(finding_codes()).map(|e| e.code),
            ) {
                Some(near) => failure.help(format!("did you mean `{near}`?")),
                None => failure.help("`seawall explain` lists them all"),
            },
        );
    };
    output::say(&format!(
        "{}: {}\n\n{}\n\nwrong\n{}\n\nright\n{}\n",
        found.code,
        found.title,
        found.means,
        indent(found.wrong),
        indent(found.right)
    ));
    Ok(FINE)
}

fn indent(text: &str) -> String {
    text.lines()
        .map(|line| format!("    {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}
