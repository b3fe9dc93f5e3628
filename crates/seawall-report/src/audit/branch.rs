//! Where the run's branch stands, and where that is.

use seawall_core::effect::Effect;
use seawall_core::event::Event;
use seawall_core::ids::Commit;

use super::{Evident, Objects, Problem};
use crate::receipt::{Body, Receipt};
use crate::status::short_branch;
use crate::words::{count, name};

/// First parents that are looked through for where a branch stands.
const NEAR: u64 = 1000;

/// The branch stands at the last checkpoint, or at the one that was being made when the run stopped.
pub(super) fn look(
    evident: &Evident<'_>,
    chain: &[Receipt],
    head: Option<&Commit>,
    objects: &dyn Objects,
) -> Option<Problem> {
    let last = chain
        .iter()
        .rev()
        .find(|receipt| receipt.point().is_some())?;
    let branch = chain.iter().find_map(|receipt| match &receipt.body {
        Body::Base(base) => Some(&base.branch),
        _ => None,
    })?;
    let (head, short) = (head?, name(short_branch(branch)));
    let what = match objects.tip(branch) {
        Err(why) => format!("{short} cannot be read: {why}"),
        Ok(None) => format!("{short} is gone; the last checkpoint is {}", head.short()),
        Ok(Some(at)) if at == *head || is_owed(evident, &at, objects) => return None,
        Ok(Some(at)) => {
            let place = place(&at, head, chain, objects);
            format!("{short} is at {}, {place}", at.short())
        }
    };
    Some(Problem::new("branch", what).of(last))
}

/// Where a commit stands that is not the last checkpoint.
fn place(at: &Commit, head: &Commit, chain: &[Receipt], objects: &dyn Objects) -> String {
    let last = head.short();
    if let Some(n) = steps(at, head, objects) {
        return format!("{} past the last checkpoint {last}", count(n, "commit"));
    }
    let is = |receipt: &&Receipt| receipt.point().is_some_and(|point| point.commit == *at);
    match chain.iter().find(is) {
        Some(earlier) => format!(
            "the checkpoint of receipt {}, not at the last one {last}",
            earlier.number
        ),
        None => format!("which does not descend from the last checkpoint {last}"),
    }
}

/// Whether this is the commit of a checkpoint that was issued and not answered: a crash can come between.
fn is_owed(evident: &Evident<'_>, at: &Commit, objects: &dyn Objects) -> bool {
    let last = evident
        .entries
        .iter()
        .rev()
        .find_map(|entry| match entry.event {
            Event::Checkpointed { .. } => Some(None),
            Event::Issued {
                effect: Effect::Checkpoint { base, tree, .. },
            } => Some(Some((base, tree))),
            _ => None,
        });
    let (Some(Some((base, tree))), Ok(facts)) = (last, objects.commit(at)) else {
        return false;
    };
    facts.parents == [base.clone()] && facts.tree == *tree
}

/// How many first parents lie between two commits.
fn steps(from: &Commit, to: &Commit, objects: &dyn Objects) -> Option<u64> {
    let mut at = from.clone();
    for n in 0..NEAR {
        if at == *to {
            return Some(n);
        }
        at = objects.commit(&at).ok()?.parents.first()?.clone();
    }
    None
}
