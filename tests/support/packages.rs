//! Packages that nobody here wrote: fetched once from their registries, checked by digest, kept below `target/tmp`.
//!
//! What fetches runs with the environment of whoever runs the tests, because proxies and mirrors are set there; what is
//! tested never does. A cache that was begun and not finished is made anew.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use seawall_core::ids::Digest;

use super::{Repo, skip};

pub(crate) mod node;

const TOOLS: &str = include_str!("python-tools.txt");
const PACKAGE: &str = include_str!("python-package.txt");
const CLICK: &str = "click-7.1.2";
const MANIFEST: &str = include_str!("crate/Cargo.toml");
const LOCK: &str = include_str!("crate/Cargo.lock");

/// `click` 7.1.2 and `sqlparse` 0.3.1, and a virtual environment with `pytest`, `pyupgrade` and `isort` to work on them.
pub(crate) struct Python {
    place: PathBuf,
}

impl Python {
    /// Finds or makes it. Without Python or a network, says loudly that `test` is skipped.
    pub(crate) fn get(test: &str) -> Option<Self> {
        match cached("python", &[TOOLS, PACKAGE], fill_python) {
            Ok(place) => Some(Self { place }),
            Err(why) => {
                skip(test, &why);
                None
            }
        }
    }

    /// The directory with `python`, `pytest` and `pyupgrade`.
    pub(crate) fn bin(&self) -> PathBuf {
        self.place.join("venv/bin")
    }

    /// A repository with `click` as it was published, in one commit; the tools are first on `PATH`.
    pub(crate) fn repo(&self) -> Repo {
        self.repo_of(CLICK)
    }

    /// The same of another package, `NAME-VERSION`.
    pub(crate) fn repo_of(&self, package: &str) -> Repo {
        let mut repo = Repo::new();
        unpack(&self.sdist(package), repo.dir());
        repo.path_first(&self.bin());
        repo.set("PYTHONDONTWRITEBYTECODE", "1");
        repo.commit(package);
        repo
    }

    fn sdist(&self, package: &str) -> PathBuf {
        sdist(&self.place, package)
    }

    /// `click`, with a virtual environment `.venv` in the checkout as pip would have filled it, and nothing first on `PATH`.
    pub(crate) fn repo_with_environment(&self) -> Repo {
        let repo = Repo::new();
        unpack(&self.sdist(CLICK), repo.dir());
        repo.commit("click 7.1.2");
        let (from, to) = (self.place.join("venv"), repo.dir().join(".venv"));
        let mut venv = Command::new(from.join("bin/python"));
        run(venv.args(["-m", "venv", "--without-pip"]).arg(&to)).unwrap();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let script = "to=$(echo \"$2\"/lib/python3*/site-packages); cd \"$1\"/lib/python3*/site-packages; \
            for name in *; do case $name in pip*|setuptools*|pkg_resources|wheel*|_distutils*) ;; *) cp -R $name $to/;; esac; done; \
            find $to -name __pycache__ -prune -exec rm -r {} +; \
            for tool in pytest pyupgrade; do sed \"s|$1|$2|g\" \"$1/bin/$tool\" > \"$2/bin/$tool\"; chmod +x \"$2/bin/$tool\"; done";
        run(Command::new("sh").args(["-ec", script, "install", &text(&from), &text(&to)])).unwrap();
        repo
    }
}

fn fill_python(place: &Path) -> Result<(), String> {
    run(Command::new("python3")
        .args(["-m", "venv"])
        .arg(place.join("venv")))?;
    let pip = |args: &[&str], list: &str, text: &str| {
        let list = place.join(list);
        fs::write(&list, text).map_err(|e| e.to_string())?;
        let mut pip = Command::new(place.join("venv/bin/python"));
        pip.args(["-m", "pip", "--disable-pip-version-check"])
            .args(args);
        run(pip.args(["--require-hashes", "--no-deps", "-r"]).arg(list))
    };
    pip(&["install", "--only-binary", ":all:"], "tools.txt", TOOLS)?;
    let sdist = place.join("sdist");
    let sdist = sdist
        .to_str()
        .ok_or("the target directory has an odd name")?;
    let download = [
        "download",
        "--no-binary",
        ":all:",
        "--no-build-isolation",
        "-d",
        sdist,
    ];
    pip(&download, "package.txt", PACKAGE)?;
    suite_is_green(place)
}

fn sdist(place: &Path, package: &str) -> PathBuf {
    place.join(format!("sdist/{package}.tar.gz"))
}

/// A Python that is too new for the package says nothing about Seawall.
fn suite_is_green(place: &Path) -> Result<(), String> {
    let tried = place.join("tried");
    fs::create_dir(&tried).map_err(|e| e.to_string())?;
    unpack(&sdist(place, CLICK), &tried);
    let mut pytest = Command::new(place.join("venv/bin/python"));
    pytest.args(["-m", "pytest", "-q"]).current_dir(&tried);
    run(pytest.env("PYTHONPATH", "src"))
}

/// `yaml-rust` 0.3.5 and `num-traits` 0.2.6, and the toolchain to work on them.
pub(crate) struct Crate {
    place: PathBuf,
    toolchain: PathBuf,
}

impl Crate {
    /// Finds or makes it. Without a toolchain or a network, says loudly that `test` is skipped.
    pub(crate) fn get(test: &str) -> Option<Self> {
        let found = toolchain().and_then(|toolchain| {
            let place = cached("crate", &[MANIFEST, LOCK], fill_crate)?;
            Ok(Self { place, toolchain })
        });
        match found {
            Ok(found) => Some(found),
            Err(why) => {
                skip(test, &why);
                None
            }
        }
    }

    /// The directory to put first on `PATH`.
    pub(crate) fn toolchain(&self) -> &Path {
        &self.toolchain
    }

    /// Puts the crate where cargo finds vendored ones.
    pub(crate) fn vendor_into(&self, dir: &Path) {
        fs::create_dir_all(dir).unwrap();
        copy(&self.place.join("vendor"), dir);
    }

    /// A repository with `yaml-rust` as the registry has it, in one commit; the toolchain is first on `PATH`.
    ///
    /// Only the optional dependencies are taken out of the manifest, for which cargo would ask the network.
    pub(crate) fn repo(&self) -> Repo {
        self.repo_of("yaml-rust")
    }

    /// The same of another crate.
    pub(crate) fn repo_of(&self, name: &str) -> Repo {
        let mut repo = Repo::new();
        copy(&self.place.join("vendor").join(name), repo.dir());
        fs::remove_file(repo.dir().join(".cargo-checksum.json")).unwrap();
        let manifest = repo.read("Cargo.toml");
        if manifest.contains("optional = true") {
            let (kept, _) = manifest.split_once("[features]").unwrap();
            repo.write("Cargo.toml", kept);
        }
        repo.write(".gitignore", "/target\n/Cargo.lock\n");
        repo.path_first(&self.toolchain);
        repo.set("CARGO_NET_OFFLINE", "true");
        repo.commit(name);
        repo
    }
}

fn fill_crate(place: &Path) -> Result<(), String> {
    for (name, text) in [
        ("Cargo.toml", MANIFEST),
        ("Cargo.lock", LOCK),
        ("lib.rs", ""),
    ] {
        fs::write(place.join(name), text).map_err(|e| e.to_string())?;
    }
    let mut vendor = Command::new("cargo");
    vendor
        .current_dir(place)
        .args(["vendor", "--quiet", "--locked", "vendor"]);
    run(&mut vendor)
}

/// The directory of the real `cargo`, `rustc` and `rustfmt`: a proxy of rustup would look for its settings at home.
pub(crate) fn toolchain() -> Result<PathBuf, String> {
    let out = Command::new("rustc").args(["--print", "sysroot"]).output();
    let out = out.map_err(|e| format!("rustc: {e}"))?;
    let bin = PathBuf::from(String::from_utf8_lossy(&out.stdout).trim()).join("bin");
    for tool in ["cargo", "rustc", "rustfmt"] {
        if !bin.join(tool).is_file() {
            return Err(format!("the toolchain has no {tool}"));
        }
    }
    Ok(bin)
}

/// The directory that `fill` filled from `inputs`, now or earlier.
fn cached(
    name: &str,
    inputs: &[&str],
    fill: fn(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let digest = Digest::of(inputs.concat().as_bytes()).0;
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", &digest[..8]));
    let held = fs::File::create(place.with_extension("lock")).map_err(|e| e.to_string())?;
    held.lock().map_err(|e| e.to_string())?; // until it is dropped
    let whole = place.join("whole");
    if !whole.exists() {
        if place.exists() {
            fs::remove_dir_all(&place).map_err(|e| e.to_string())?;
        }
        fs::create_dir_all(&place).map_err(|e| e.to_string())?;
        fill(&place)?;
        fs::write(&whole, "").map_err(|e| e.to_string())?;
    }
    Ok(place)
}

fn run(command: &mut Command) -> Result<(), String> {
    let out = command.stdin(Stdio::null()).output();
    let out = out.map_err(|e| format!("{:?}: {e}", command.get_program()))?;
    let err = String::from_utf8_lossy(&out.stderr);
    let done = out.status.success();
    done.then_some(())
        .ok_or_else(|| format!("{command:?}: {err}"))
}

fn unpack(archive: &Path, to: &Path) {
    let mut tar = Command::new("tar");
    tar.args(["--no-same-owner", "--strip-components=1", "-xzf"])
        .arg(archive);
    run(tar.arg("-C").arg(to)).unwrap();
}

fn copy(from: &Path, to: &Path) {
    let all = [from.as_os_str(), OsStr::new("/.")]
        .into_iter()
        .collect::<std::ffi::OsString>();
    run(Command::new("cp").arg("-R").arg(all).arg(to)).unwrap();
}
