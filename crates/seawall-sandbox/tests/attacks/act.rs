//! What the attacker does, one act a run: exits with 0 when it succeeded and with 1 when it was refused.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::process::ExitCode;
use std::time::Duration;

use nix::libc;
use nix::sys::signal::{SigHandler, Signal, kill, raise, signal};
use nix::unistd::{ForkResult, Pid, fork, getppid, setsid};

pub(crate) fn perform(words: &[&str]) -> ExitCode {
    match act(words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("refused: {error}");
            ExitCode::from(1)
        }
    }
}

fn act(words: &[&str]) -> io::Result<()> {
    match words {
        ["write", path] => OpenOptions::new()
            .write(true)
            .open(path)?
            .write_all(b"attacked"),
        ["create", path] => File::create_new(path)?.write_all(b"attacked"),
        ["empty", path] => OpenOptions::new()
            .write(true)
            .truncate(true)
            .open(path)
            .map(drop),
        ["truncate", path] => Ok(nix::unistd::truncate(*path, 1)?),
        ["remove", path] => fs::remove_file(path),
        ["rename", from, to] => fs::rename(from, to),
        ["rename-new", path] => {
            fs::write(format!("{path}.new"), "attacked")?;
            fs::rename(format!("{path}.new"), path)
        }
        ["hard-link", from, to] => fs::hard_link(from, to),
        ["symlink", from, to] => std::os::unix::fs::symlink(from, to),
        ["mkdir", path] => fs::create_dir(path),
        ["remove-all", path] => fs::remove_dir_all(path),
        ["many", path, count] => many(path, number(count)),
        ["map", path] => write_by_memory(path),
        ["whiteout", path] => whiteout(path),
        ["mark", path, name] => mark(path, name),
        ["read", path] => fs::read_to_string(path).map(|text| println!("{text}")),
        ["list", path] => fs::read_dir(path)?.try_for_each(|entry| entry.map(drop)),
        ["read-descriptor", number] => read_descriptor(number),
        ["variable", name] => std::env::var(name).map(drop).map_err(io::Error::other),
        ["tcp", address] => TcpStream::connect(*address).map(drop),
        ["udp", address] => ask_by_udp(address),
        ["ping", address] => ping(&mut TcpStream::connect(*address)?),
        ["proxy", place] => through_proxy(place).map(drop),
        ["proxy-and-wait", place] => {
            let _open = through_proxy(place)?;
            forever()
        }
        ["resolve", place] => place.to_socket_addrs().map(drop),
        ["abstract", name] => {
            UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?).map(drop)
        }
        ["local", path] => UnixStream::connect(path).map(drop),
        ["exists", path] => fs::symlink_metadata(path).map(drop),
        ["chmod", path] => fs::set_permissions(path, fs::Permissions::from_mode(0o600)),
        ["chmod-open", path] => {
            File::open(path)?.set_permissions(fs::Permissions::from_mode(0o600))
        }
        ["touch", path] => File::open(path)?.set_modified(std::time::UNIX_EPOCH),
        ["namespace"] => Ok(nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUSER)?),
        ["group-names"] => group_names(),
        ["loopback"] => talk_to_myself(),
        ["signal", pid] => Ok(kill(Pid::from_raw(number(pid)), Signal::SIGTERM)?),
        ["signal-parent"] => Ok(kill(getppid(), Signal::SIGKILL)?),
        ["trace", pid] => {
            let pid = Pid::from_raw(number(pid));
            nix::sys::ptrace::seize(pid, nix::sys::ptrace::Options::empty())?;
            Ok(())
        }
        ["capabilities"] => any_capability(),
        _ => persist(words),
    }
}

/// Acts that are about staying alive.
fn persist(words: &[&str]) -> io::Result<()> {
    match words {
        ["sleep", _mark] => forever(),
        ["stubborn", _mark] => {
            ignore_everything();
            forever()
        }
        ["daemon", _mark] => daemon(),
        ["stopped", _mark] => in_child(|| Ok(raise(Signal::SIGSTOP)?)),
        ["hopper", _mark] => in_child(hop),
        ["brood", _mark] => (0..20).try_for_each(|_| in_child(|| in_child(forever))),
        ["brood-and-wait", _mark] => {
            (0..20).try_for_each(|_| in_child(|| in_child(forever)))?;
            forever()
        }
        ["flood", bytes] => flood(number(bytes)),
        ["exit", status] => std::process::exit(number(status)),
        ["die"] => Ok(raise(Signal::SIGKILL)?),
        ["say", words @ ..] => writeln!(io::stdout(), "{}", words.join(" ")),
        ["echo"] => io::copy(&mut io::stdin(), &mut io::stdout()).map(drop),
        ["eat", mebibytes] => {
            let eaten = vec![1_u8; usize::try_from(number(mebibytes)).unwrap() << 20];
            println!("{}", eaten.iter().map(|byte| u64::from(*byte)).sum::<u64>());
            Ok(())
        }
        ["grow", path, bytes] => grow(path, number(bytes)),
        ["descriptors", most] => hold_descriptors(number(most)),
        ["all-of", rest @ ..] => rest.split(|word| *word == ",").try_for_each(act),
        _ => Err(io::Error::other(format!("no such act: {words:?}"))),
    }
}

fn number(text: &str) -> i32 {
    text.parse().unwrap()
}

fn forever() -> io::Result<()> {
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

#[expect(unsafe_code, reason = "to ignore a signal")]
fn ignore_everything() {
    for ignored in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        // SAFETY: no handler is installed.
        unsafe { signal(ignored, SigHandler::SigIgn) }.unwrap();
    }
}

/// Runs something in a child and leaves it behind.
#[expect(unsafe_code, reason = "to fork")]
fn in_child(run: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Parent { .. } => Ok(()),
        ForkResult::Child => std::process::exit(i32::from(run().is_err())),
    }
}

fn daemon() -> io::Result<()> {
    in_child(|| {
        setsid()?;
        ignore_everything();
        in_child(forever)
    })
}

/// Never the same process for longer than a fork takes.
#[expect(unsafe_code, reason = "to fork")]
fn hop() -> io::Result<()> {
    loop {
        setsid().ok();
        // SAFETY: this program has one thread.
        if let Ok(ForkResult::Parent { .. }) = unsafe { fork() } {
            std::process::exit(0);
        }
    }
}

fn flood(mebibytes: i32) -> io::Result<()> {
    let chunk = vec![b'x'; 1 << 20];
    (0..mebibytes).try_for_each(|_| io::stdout().write_all(&chunk))
}

fn grow(path: &str, bytes: i32) -> io::Result<()> {
    File::create(path)?.write_all(&vec![0; usize::try_from(bytes).unwrap()])
}

fn hold_descriptors(most: i32) -> io::Result<()> {
    (0..most)
        .map(|_| File::open("/dev/null"))
        .collect::<io::Result<Vec<_>>>()
        .map(drop)
}

#[expect(unsafe_code, reason = "to use a descriptor by its number")]
fn read_descriptor(descriptor: &str) -> io::Result<()> {
    let number = number(descriptor);
    fs::metadata(format!("/proc/self/fd/{number}"))?;
    // SAFETY: it exists, and nothing else in this program owns it.
    let mut file = unsafe { File::from_raw_fd(number) };
    file.read_to_string(&mut String::new()).map(drop)
}

fn ask_by_udp(address: &str) -> io::Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_read_timeout(Some(Duration::from_secs(2)))?;
    socket.connect(address)?;
    socket.send(b"ping")?;
    socket.recv(&mut [0; 8]).map(drop)
}

fn ping(stream: &mut TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all(b"ping")?;
    let mut heard = [0; 4];
    stream.read_exact(&mut heard)?;
    (&heard == b"ping")
        .then_some(())
        .ok_or_else(|| io::Error::other("that was no echo"))
}

/// Asks the proxy that the environment names for a tunnel, and sends bytes through it and back.
fn through_proxy(place: &str) -> io::Result<TcpStream> {
    let proxy = std::env::var("HTTPS_PROXY").map_err(io::Error::other)?;
    let mut stream = TcpStream::connect(proxy.trim_start_matches("http://"))?;
    write!(stream, "CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n")?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    if !head.starts_with("HTTP/1.1 200 ") {
        return Err(io::Error::other(head));
    }
    ping(&mut stream)?;
    Ok(stream)
}

fn talk_to_myself() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let _out = TcpStream::connect(listener.local_addr()?)?;
    listener.accept().map(drop)
}

/// Empty files in a new directory.
fn many(path: &str, count: i32) -> io::Result<()> {
    fs::create_dir(path)?;
    (0..count).try_for_each(|number| File::create(format!("{path}/{number}")).map(drop))
}

#[expect(unsafe_code, reason = "to map a file")]
fn write_by_memory(path: &str) -> io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let (rights, shared) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
    // SAFETY: a new mapping of one byte of a file that is not empty, written once and used no more.
    unsafe {
        let at = libc::mmap(std::ptr::null_mut(), 1, rights, shared, file.as_raw_fd(), 0);
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        at.cast::<u8>().write(b'!');
    }
    Ok(())
}

/// What an overlay takes for a deleted file.
fn whiteout(path: &str) -> io::Result<()> {
    use nix::sys::stat::{Mode, SFlag, mknod};
    Ok(mknod(path, SFlag::S_IFCHR, Mode::empty(), 0)?)
}

/// An extended attribute with the value `y`.
#[expect(unsafe_code, reason = "to set an extended attribute")]
fn mark(path: &str, name: &str) -> io::Result<()> {
    let [path, name] = [path, name].map(|text| std::ffi::CString::new(text).unwrap());
    // SAFETY: both are C strings, and the value is one byte.
    let set = unsafe { libc::setxattr(path.as_ptr(), name.as_ptr(), c"y".as_ptr().cast(), 1, 0) };
    if set == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

fn any_capability() -> io::Result<()> {
    let status = fs::read_to_string("/proc/self/status")?;
    let sets = status.lines().filter(|line| line.starts_with("Cap"));
    let some = sets
        .filter(|line| line.split_ascii_whitespace().nth(1) != Some("0000000000000000"))
        .count();
    if some == 0 {
        Err(io::Error::other("no capability in any set"))
    } else {
        Ok(())
    }
}

fn group_names() -> io::Result<()> {
    let groups = std::fs::read_to_string("/proc/self/cgroup")?;
    match groups.lines().find(|line| !line.ends_with(":/")) {
        Some(_) => Ok(()),
        None => Err(io::Error::other("every group is the top")),
    }
}
