//! Output that tries to break lines, JSON or the terminal, and sinks that go away.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use indicatif::{ProgressDrawTarget, TermLike};
use seawall_core::drive::Reporter as _;
use seawall_core::ids::TaskIx;
use seawall_core::path::is_unprintable;
use seawall_core::scheduler::{Outcome, Scheduler};

use super::world::{Does, Run, World, plan, task};
use crate::show::show;
use crate::status::{Liveness, status, status_text};
use crate::summary::summary;
use crate::teller::{Mode, Teller};
use crate::view::View;

const HOSTILE: &str = "\x1b[2J\x1b[31mred\x07\r\nwave 1  fake  accepted\n\u{202e}\u{2028}\"},{\"x\":1\u{9b}2J \u{fffd}";

/// A run whose worker and checks print the worst.
fn hostile(tail: &'static str) -> (Run, Outcome) {
    let plan = plan(vec![
        task("a:src/\x1b[2Ja\nb.py", &["src/a\nb.py"], &[], 2),
        task("b", &["b.py"], &[0], 1),
    ]);
    let world = World {
        does: [
            (("a:src/\x1b[2Ja\nb.py", 1), Does::Red(tail)),
            (("a:src/\x1b[2Ja\nb.py", 2), Does::Red(tail)),
        ]
        .into(),
        claim: HOSTILE.repeat(50),
        ..World::default()
    };
    Run::through(plan, world)
}

fn harmless(text: &str) {
    for line in text.lines() {
        let bad: Vec<_> = line.chars().filter(|c| is_unprintable(*c)).collect();
        assert!(bad.is_empty(), "{bad:?} in {line:?}");
        assert!(!line.starts_with("wave 1  fake"), "{line}");
        assert!(
            line.chars().count() < 1200,
            "{} characters",
            line.chars().count()
        );
    }
}

#[test]
fn hostile_output_breaks_no_line_and_no_json() {
    let long: &'static str = Box::leak("x".repeat(10_000_000).into_boxed_str());
    for tail in [HOSTILE, long, "\n\n\n", ""] {
        let (run, outcome) = hostile(tail);
        for line in run.lines.iter().chain(&run.log) {
            assert_eq!(line.lines().count(), 1, "{line:?}");
            harmless(line);
        }
        harmless(&summary(&run.view, &run.scheduler, &outcome));
        harmless(&status_text(&run.view, &run.scheduler, Liveness::Dead));
        harmless(&show(&run.view, &run.scheduler, TaskIx(0)));
        let json = status(&run.view, &run.scheduler, Liveness::Dead).to_string();
        let back: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(back["tasks"][0]["evidence"][0]["tail"], tail);
        assert_eq!(json.lines().count(), 1);
    }
}

/// Tells a finished run again.
fn retell<W: Write>(run: &Run, teller: &mut Teller<W>) {
    let mut scheduler = Scheduler::new(Arc::clone(run.view.plan()), Arc::clone(run.view.waves()));
    for (_, event) in &run.events {
        scheduler.check(event).unwrap();
        scheduler.apply(event);
        teller.tell(event, &scheduler);
    }
    teller.end(&scheduler, &scheduler.outcome().unwrap());
}

fn blank(run: &Run) -> View {
    View::new(Arc::clone(run.view.plan()), Arc::clone(run.view.waves()))
}

/// Fails with `kind` after `left` bytes.
struct Closing {
    left: usize,
    kind: io::ErrorKind,
    calls: Arc<Mutex<u32>>,
}

impl Write for Closing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        *self.calls.lock().unwrap() += 1;
        if self.left == 0 {
            return Err(self.kind.into());
        }
        let n = bytes.len().min(self.left);
        self.left -= n;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_goes_away_disturbs_nothing() {
    let (run, _) = hostile(HOSTILE);
    for mode in [Mode::Plain, Mode::Quiet, Mode::Json, Mode::Terminal] {
        for (kind, troubles) in [
            (io::ErrorKind::BrokenPipe, false),
            (io::ErrorKind::StorageFull, true),
        ] {
            let calls = Arc::new(Mutex::new(0));
            let sink = Closing {
                left: 0,
                kind,
                calls: Arc::clone(&calls),
            };
            let mut teller = Teller::new(mode, sink, blank(&run), || 1);
            retell(&run, &mut teller);
            assert_eq!(teller.trouble().is_some(), troubles, "{mode:?} {kind}");
            assert_eq!(*calls.lock().unwrap(), 1, "written to after it closed");
        }
    }
}

#[test]
fn each_mode_tells_what_it_promises() {
    let (run, outcome) = hostile("812: List");
    let told = |mode| {
        let mut sink = Vec::new();
        let header = ["sandbox  landlock 7".to_owned()];
        let mut teller =
            Teller::new(mode, &mut sink, blank(&run), || 1_790_000_000_000).header(header);
        retell(&run, &mut teller);
        drop(teller);
        String::from_utf8(sink).unwrap()
    };
    let plain = told(Mode::Plain);
    assert_eq!(plain.lines().nth(1), Some("sandbox  landlock 7"));
    assert!(plain.contains(&run.lines.join("\n").split_once('\n').unwrap().1.to_owned()));
    assert_eq!(
        told(Mode::Terminal),
        plain,
        "drawn elsewhere, told the same"
    );
    let quiet = told(Mode::Quiet);
    assert!(
        quiet.starts_with("typing  run 7f3a  finished in"),
        "{quiet}"
    );
    assert!(!summary(&run.view, &run.scheduler, &outcome).is_empty());
    let json = told(Mode::Json);
    let objects: Vec<serde_json::Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(objects.len(), run.events.len() + 1);
    assert_eq!(objects[0]["event"], "run-started");
    assert_eq!(objects[0]["at"], 1_790_000_000_000_u64);
    let opened = objects.iter().find(|o| o["event"] == "workspace-opened");
    assert_eq!(opened.unwrap()["task_id"], "a:src/\x1b[2Ja\nb.py");
    let last = objects.last().unwrap();
    assert_eq!(last["event"], "ended");
    assert_eq!(last["outcome"], "finished");
    assert_eq!(last["status"]["counts"]["blocked"], 1);
}

/// A terminal of 60 columns that remembers every line drawn.
#[derive(Clone, Debug, Default)]
struct Screen(Arc<Mutex<Vec<String>>>);

impl TermLike for Screen {
    fn width(&self) -> u16 {
        60
    }
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn write_line(&self, line: &str) -> io::Result<()> {
        self.write_str(line)
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.lock().unwrap().push(text.to_owned());
        Ok(())
    }
    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_progress_fits_the_terminal_and_shows_who_works() {
    let mut run = Run::new(
        plan(vec![task("types:src/click/core.py", &["a.py"], &[], 2)]),
        World::default(),
    );
    let screen = Screen::default();
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), 255);
    let says = |_| Some(format!("\x1b[2Jediting\nline {}", "8".repeat(5000)));
    let mut sink = Vec::new();
    let mut teller =
        Teller::new(Mode::Terminal, &mut sink, blank(&run), || 1).on(target, Arc::new(says));
    run.turn(vec![super::world::started(1)]);
    let mut told = 0;
    while run.scheduler.outcome().is_none() {
        for (_, event) in &run.events[told..] {
            teller.tell(event, &run.scheduler);
        }
        told = run.events.len();
        let working = run.view.live().any(|(_, a)| a.worker.is_none());
        if working {
            std::thread::sleep(std::time::Duration::from_millis(400));
        }
        let effect = run.scheduler.in_flight().next().unwrap().clone();
        let answer = run.answer(&effect);
        run.turn(vec![answer]);
    }
    drop(teller);
    let drawn = screen.0.lock().unwrap().clone();
    let has = |needle: &str| drawn.iter().any(|line| line.contains(needle));
    assert!(has("wave 1 of 1"), "{drawn:#?}");
    assert!(has("types:src/click/core.py"), "{drawn:#?}");
    assert!(has("dispatch 1/2"), "{drawn:#?}");
    for line in drawn.iter().filter(|line| line.contains("last: ")) {
        assert!(
            !line.contains("\x1b[2J") && !line.contains('\n'),
            "{line:?}"
        );
    }
    for line in &drawn {
        assert!(line.chars().count() <= 80, "{line:?}");
    }
}

#[test]
fn a_large_plan_is_told_shortly() {
    let mut tasks = vec![task("first", &["first"], &[], 1)];
    for n in 0..50_000 {
        tasks.push(task(&format!("t{n}"), &[&format!("f{n}")], &[0], 1));
    }
    let world = World {
        does: [(("first", 1), Does::Nothing)].into(),
        ..World::default()
    };
    let (run, outcome) = Run::through(plan(tasks), world);
    assert!(run.lines.len() < 40, "{} lines", run.lines.len());
    assert_eq!(
        run.lines.last().unwrap(),
        "…  49980 more tasks blocked or not run"
    );
    let text = summary(&run.view, &run.scheduler, &outcome);
    assert!(text.lines().count() < 100, "{text}");
    assert!(text.contains("1 rejected, 50000 blocked"), "{text}");
    let text = status_text(&run.view, &run.scheduler, Liveness::Dead);
    assert!(text.lines().count() < 120, "{text}");
}
