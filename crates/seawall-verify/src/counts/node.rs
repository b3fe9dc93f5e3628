//! Node's own runner: `# pass 2` in its TAP, `ℹ pass 2` where it writes for people.

use seawall_core::counted::Counted;

use super::Tally;
use super::tap::not_ok;
use super::text::number_of;

pub(super) fn read(lines: &[&str]) -> Option<Counted> {
    let mut tally = Tally::default();
    let (mut begun, mut own) = (false, false);
    for line in lines {
        let said = line
            .strip_prefix("# ")
            .or_else(|| line.strip_prefix("ℹ "))
            .and_then(|rest| rest.split_once(' '))
            .and_then(|(word, number)| Some((word, number.parse::<u64>().ok()?)));
        match said {
            Some(("tests", _)) => begun = true,
            Some((word, number)) if begun => {
                // Other writers of TAP count in such comments too, but none counts this.
                own |= word == "cancelled";
                add(&mut tally, word, number);
            }
            Some(_) => {}
            None => {
                if let Some(name) = not_ok(line).or_else(|| crossed(line)) {
                    tally.name(name);
                }
            }
        }
    }
    tally.counted("node --test").filter(|_| own)
}

fn add(tally: &mut Tally, word: &str, number: u64) {
    match word {
        "pass" => tally.add(|t| &mut t.passed, number),
        "fail" => tally.add(|t| &mut t.failed, number),
        "cancelled" => {
            tally.add(|t| &mut t.failed, number);
            tally.add(|t| &mut t.errors, number);
        }
        "skipped" | "todo" => tally.add(|t| &mut t.skipped, number),
        _ => {}
    }
}

/// `✖ bad one (1.119719ms)`: the name without the time.
fn crossed(line: &str) -> Option<&str> {
    let (name, time) = line.trim_start().strip_prefix("✖ ")?.rsplit_once(" (")?;
    let (time, _) = time.split_once(')')?;
    number_of(&time.replacen("ms", " ms", 1).replace('.', ""))?;
    Some(name)
}
