//! What is refused about layers and carried directories before anything is started, for a clear message early.
//!
//! What is opened by the keeper is looked at again there, by the descriptor that the kernel gets.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use crate::check::{at, is_absolute, refuse};
use crate::error::SandboxError;
use crate::order::{Carry, MOST_LAYERS, Order, Overlay, Upper, Write};

/// Whether the layers and carried directories of an order can be what they are said to be.
pub(crate) fn order(order: &Order) -> Result<(), SandboxError> {
    if order.overlay.is_none() && order.carry.is_empty() {
        return Ok(());
    }
    if !order.namespaces {
        return refuse(
            "a workspace of layers and carried directories are mounts, so they need namespaces",
        );
    }
    if let Some(overlay) = &order.overlay {
        layers(overlay)?;
        is_empty(&order.workspace)?;
    }
    for carry in &order.carry {
        place(order, carry)?;
        source(order, carry)?;
    }
    let uppers = order.overlay.iter().map(|overlay| &overlay.upper);
    all_uppers(uppers.chain(order.carry.iter().map(|carry| &carry.upper)))
}

fn layers(overlay: &Overlay) -> Result<(), SandboxError> {
    match overlay.layers.len() {
        0 => return refuse("the workspace is made of no layer"),
        1..=MOST_LAYERS => {}
        many => {
            return refuse(format!(
                "the workspace is made of {many} layers, and the kernel takes {MOST_LAYERS} at most"
            ));
        }
    }
    let kept = match &overlay.upper {
        Upper::Kept(upper) => Some((upper, identities(upper)?)),
        Upper::Memory(_) => None,
    };
    for layer in &overlay.layers {
        let found = real_directory("use the layer", layer)?;
        if let Some((upper, identities)) = &kept {
            if identities.contains(&found) {
                return refuse(format!(
                    "`{}` is a layer and takes what is written",
                    layer.display()
                ));
            }
            apart("layer", layer, upper)?;
        }
    }
    Ok(())
}

/// The kernel takes what lies in one another, and what is seen then is anybody's guess.
fn apart(what: &str, read: &Path, written: &Path) -> Result<(), SandboxError> {
    if !read.starts_with(written) && !written.starts_with(read) {
        return Ok(());
    }
    refuse(format!(
        "the {what} `{}` and what is written at `{}` overlap",
        read.display(),
        written.display()
    ))
}

/// Device and number, by which two names of one directory are known.
type Identity = (u64, u64);

/// The directory itself and the two in it.
fn identities(upper: &Path) -> Result<Vec<Identity>, SandboxError> {
    [upper.to_owned(), upper.join("upper"), upper.join("work")]
        .iter()
        .map(|part| real_directory("use the upper", part))
        .collect()
}

/// No symbolic link, because a layer or an upper is where it is said to be and nowhere else.
fn real_directory(what: &'static str, path: &Path) -> Result<Identity, SandboxError> {
    is_absolute(path)?;
    let found = fs::symlink_metadata(path).map_err(at(what, path))?;
    if found.is_dir() {
        return Ok((found.dev(), found.ino()));
    }
    Err(at(what, path)(if found.is_symlink() {
        io::Error::other("it is a symbolic link")
    } else {
        io::ErrorKind::NotADirectory.into()
    }))
}

fn is_empty(workspace: &Path) -> Result<(), SandboxError> {
    let cannot = at("use the place of the overlay", workspace);
    match fs::read_dir(workspace).map_err(&cannot)?.next() {
        None => Ok(()),
        Some(_) => Err(cannot(io::ErrorKind::DirectoryNotEmpty.into())),
    }
}

fn place(order: &Order, carry: &Carry) -> Result<(), SandboxError> {
    let here = &carry.at;
    let plain = |part| matches!(part, Component::Normal(_));
    if here.as_os_str().is_empty() || !here.components().all(plain) {
        return refuse(format!(
            "`{}` is no place in the workspace for a carried directory",
            here.display()
        ));
    }
    let others = order
        .carry
        .iter()
        .filter(|other| other.at.starts_with(here));
    if others.count() > 1 {
        return refuse(format!(
            "two carried directories meet at `{}`",
            here.display()
        ));
    }
    let files: &[_] = match &order.write {
        Write::Files(files) => files,
        _ => &[],
    };
    let same = |file: &&PathBuf| {
        file.components()
            .filter(|part| *part != Component::CurDir)
            .collect::<PathBuf>()
            .starts_with(here)
    };
    match files.iter().find(same) {
        Some(file) => refuse(format!(
            "the owned file `{}` lies in the carried directory `{}`, whose changes are not kept",
            file.display(),
            here.display()
        )),
        None => Ok(()),
    }
}

/// It is the user's own: not reached by a link that somebody may have put there, and apart from what workers write.
fn source(order: &Order, carry: &Carry) -> Result<(), SandboxError> {
    let from = &carry.from;
    real_directory("carry", from)?;
    let real = fs::canonicalize(from).map_err(at("carry", from))?;
    if real != *from {
        return refuse(format!(
            "the carried directory `{}` is really `{}`; name it so",
            from.display(),
            real.display()
        ));
    }
    let uppers = order.overlay.iter().map(|overlay| &overlay.upper);
    let uppers = uppers.chain(order.carry.iter().map(|carry| &carry.upper));
    let kept = uppers.filter_map(|upper| match upper {
        Upper::Kept(upper) => Some(upper),
        Upper::Memory(_) => None,
    });
    for written in [&order.workspace, &order.home, &order.tmp]
        .into_iter()
        .chain(kept)
    {
        let written = fs::canonicalize(written).map_err(at("look at", written))?;
        apart("carried directory", &real, &written)?;
    }
    Ok(())
}

fn all_uppers<'a>(uppers: impl Iterator<Item = &'a Upper>) -> Result<(), SandboxError> {
    let mut seen = Vec::new();
    for upper in uppers {
        match upper {
            Upper::Memory(0) => return refuse("an upper in memory needs a size"),
            Upper::Memory(_) => {}
            Upper::Kept(directory) => {
                let [own, ..] = identities(directory)?[..] else {
                    continue;
                };
                if seen.contains(&own) {
                    return refuse(format!(
                        "`{}` takes what is written to two places",
                        directory.display()
                    ));
                }
                seen.push(own);
            }
        }
    }
    Ok(())
}
