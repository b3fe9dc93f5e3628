//! Keeps workspaces, harvests and checkpoints in a git repository.
//!
//! A [`Store`] is a repository of the user. From a commit it opens a *workspace* (a private directory with the files
//! of the commit, no `.git`), reads back what a worker left there as a [`Harvest`], composes harvests into one
//! tree, and makes the *checkpoint* commit. No hook is run, and nothing reads configuration, attributes or ignore
//! rules that a worker could have written: a workspace is only ever a set of bytes that is compared with the base
//! commit. Where the user's own settings convert files (line ends, filters), the user's own git does it.
//!
//! A workspace is a stack of immutable *layers* with an upper directory of its own, which the sandbox mounts as an
//! overlay, or a plain copy of them. What it costs: a base layer is written once a run, and copies are linear in the
//! tree; all else (a change as a layer, the harvest of an upper directory, composing, checkpoints) costs what changed.
//! Objects are synchronised to disk before a ref points at them. Every operation may be repeated after a crash at any
//! point.
//!
//! Paths inside a repository are bytes, relative and separated by `/`.

mod apply;
mod batch;
mod checkpoint;
mod compare;
mod compose;
mod conversions;
mod copy;
mod create;
mod diff;
mod differences;
mod dirfd;
mod durable;
mod edit;
mod error;
mod facts;
mod findings;
mod foresee;
mod handles;
mod harvest;
mod id;
mod ignores;
mod judge;
mod kept;
mod label;
mod land;
mod lay_change;
mod layer;
mod marks;
mod object_files;
mod own_ref;
mod owned;
mod path;
mod place;
mod private_git;
mod put_back;
mod raw;
mod raw_tree;
mod record;
mod refs;
mod remove;
mod rollback;
mod scan;
mod seed;
mod settings;
mod store;
mod tree;
mod users_git;
mod way;
mod white_out;

pub use crate::copy::copy_tree;
pub use crate::diff::Stat;
pub use crate::dirfd::FileKind;
pub use crate::error::{Error, Result};
pub use crate::facts::Facts;
pub use crate::harvest::{
    Change, ChangeKind, Changed, Drift, DriftKind, Drifts, Harvest, Left, Missing, MissingKind,
};
pub use crate::id::{BlobId, CommitId, TreeId};
pub use crate::kept::{Base, Taken, put_aside};
pub use crate::label::Label;
pub use crate::land::Landed;
pub use crate::layer::{Laid, LaidBy, Settings};
pub use crate::owned::Owned;
pub use crate::path::show;
pub use crate::remove::remove_workspace;
pub use crate::store::{Dirty, Head, Store};
pub use crate::tree::{Entry, EntryKind};
pub use crate::white_out::white_out;
