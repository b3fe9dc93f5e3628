//! Rust.

use super::*;

const STORE: &str = r#"
//! Keeps things.
use std::path::Path;
pub use crate::error::{Error, kinds::{self, Kind as ErrorKind}};
pub use extra::*;

#[macro_export]
macro_rules! store { ($a:expr) => { $a } }
macro_rules! local { () => {} }

/// A store.
#[derive(Debug)]
pub struct Store<T: Clone> { pub root: String, kept: Vec<T>, pub(crate) size: u64 }
pub struct Id(pub u64, u8);
pub struct Unit;

pub enum Change { Added, Moved { from: u64 }, Failed(Error) }

pub trait Keeps: Send {
    const LIMIT: u64;
    type Out;
    fn keep(&self, what: &str) -> Self::Out;
    fn both(&self) { self.keep("a"); self.keep("b"); }
}

impl<T: Clone> Store<T> {
    pub const EMPTY: u64 = 0;
    /// Opens.
    pub async fn open(
        root: &Path, // where
    ) -> Result<Self, Error>
    where
        T: Default,
    {
        todo()
    }
    fn private(&self) {}
}

impl<T: Clone> Keeps for Store<T> { const LIMIT: u64 = 1; type Out = (); fn keep(&self, _: &str) {} }

pub type Table<'a> = Vec<&'a str>;
pub const NAME: &str = "x";
pub static mut COUNT: u32 = 1;
pub(crate) unsafe extern "C" fn raw(a: u32) {}
fn hidden() {}
pub mod inner { pub fn f() {} fn g() {} }
mod tests { pub fn f() {} }
struct Secret { pub a: u8 }
extern "C" { pub fn ext(a: u32); }
"#;

#[test]
fn a_file_is_outlined() {
    let expected = [
        "+ export crate::error::Error",
        "+ export crate::error::kinds",
        "+ export crate::error::kinds::Kind as ErrorKind",
        "+ export extra::*",
        "+ macro store",
        "- macro local",
        "+ struct Store<T: Clone>",
        "+ field Store::root: String",
        "- field Store::kept: Vec<T>",
        "~ field Store::size: u64",
        "+ struct Id(pub u64, u8)",
        "+ struct Unit",
        "+ enum Change",
        "+ variant Change::Added",
        "+ variant Change::Moved { from: u64 }",
        "+ variant Change::Failed(Error)",
        "+ trait Keeps: Send",
        "+ constant Keeps::LIMIT: u64",
        "+ type Keeps::Out",
        "+ method Keeps::keep(&self, what: &str) -> Self::Out",
        "+ method Keeps::both(&self)",
        "+ constant Store::EMPTY: u64",
        "+ method async Store::open(root: &Path) -> Result<Self, Error> where T: Default",
        "- method Store::private(&self)",
        "+ implementation impl<T: Clone> Keeps for Store<T>",
        "+ type Table<'a> = Vec<&'a str>",
        "+ constant NAME: &str",
        "+ variable mut COUNT: u32",
        "~ function unsafe extern \"C\" raw(a: u32)",
        "- function hidden()",
        "+ module inner",
        "+ function inner::f()",
        "- function inner::g()",
        "- module tests",
        "- function tests::f()",
        "- struct Secret",
        "- field Secret::a: u8",
        "+ function ext(a: u32)",
    ];
    let mut found = outlined(Language::Rust, STORE);
    found[..4].sort();
    assert_eq!(found, expected);
}

#[test]
fn a_change_is_told_and_a_body_is_not() {
    let after = STORE
        .replace("root: &Path, // where", "root: &Path, mode: Mode")
        .replace("todo()", "done()")
        .replace("Failed(Error)", "Failed(Error, u8)")
        .replace(
            "fn keep(&self, what: &str)",
            "fn keep(&mut self, what: &str)",
        )
        .replace("pub(crate) size: u64", "size: u64")
        .replace("pub fn f() {} fn g() {}", "pub(crate) fn f() {}")
        .replace("impl<T: Clone> Keeps for", "impl<T: Clone> Other for")
        .replace(
            "    fn private(&self) {}",
            "    fn private(&self, a: u8) {}",
        );
    let expected = [
        "variant `Change::Failed(Error)` is now `Change::Failed(Error, u8)` (line 17)",
        "method `Keeps::keep(&self, what: &str) -> Self::Out` is now `Keeps::keep(&mut self, what: &str) -> Self::Out` (line 22)",
        "method `async Store::open(root: &Path) -> Result<Self, Error> where T: Default` is now `async Store::open(root: &Path, mode: Mode) -> Result<Self, Error> where T: Default` (line 29)",
        "implementation `impl<T: Clone> Keeps for Store<T>` was removed",
        "field `Store::size: u64` cannot be used from other files any more",
        "implementation `impl<T: Clone> Other for Store<T>` is new (line 40)",
    ];
    assert_eq!(noted(Language::Rust, STORE, &after), expected);
}

#[test]
fn a_renamed_type_takes_its_methods_along() {
    let after = STORE.replace("Store", "Depot");
    let expected = ["struct `Store<T: Clone>` was renamed to `Depot<T: Clone>` (line 13)"];
    assert_eq!(noted(Language::Rust, STORE, &after)[..1], expected);
}
