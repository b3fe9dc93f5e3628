//! Every attack, and in which modes it must be stopped: in all of them unless its row says what is known not to be.

use crate::judge::Needs::{Kernel, Ordinary, Root};
use crate::judge::{Row, judge, row};

// What Landlock and seccomp alone leave open, in the words of the documentation.
const METADATA: &str = "the names, sizes, owners and times of files outside can be read";
const PROCESS_LIST: &str = "the processes of the host can be listed, with their arguments";
const INTERFACES: &str = "the network interfaces of the host and their addresses can be listed";
const SCHEDULING: &str =
    "the priority and the processors of the user's other processes can be changed";
const PROCESSES: &str =
    "without a delegated control group, an ordinary user's worker can make any number of processes";
const MEMORY: &str = "memory of each process (`RLIMIT_DATA`)";
const DISK: &str = "what is written to the private home and temporary directory is on the disk, and only the size of one file is limited";

macro_rules! table {
    ($($family:ident { $($name:ident $(. $option:ident ($($value:expr),*))* ;)* })*) => {
        $(mod $family {
            use super::*;
            $(#[test] fn $name() {
                judge(&row(stringify!($family), stringify!($name))$(.$option($($value),*))*);
            })*
        })*

        /// All rows.
        fn rows() -> Vec<Row> {
            vec![$($(row(stringify!($family), stringify!($name))$(.$option($($value),*))*,)*)*]
        }
    };
}

table! {
    files {
        write_a_file_that_it_does_not_own;
        create_a_file_beside_its_own;
        write_the_real_checkout;
        write_a_sibling;
        read_a_sibling;
        list_the_home;
        stat_a_secret.gap_of_landlock(METADATA);
        truncate_by_path;
        truncate_by_open;
        truncate_while_reading;
        remove_a_file;
        rename_over_a_file.writable();
        rename_its_own_over_another;
        exchange_with_the_checkout.writable();
        rename_a_secret_into_reach.writable();
        hard_link_a_secret.writable();
        hard_link_its_own_outside.writable();
        symlink_to_a_secret.writable();
        symlink_and_write_through.writable();
        its_own_file_becomes_a_symlink.writable();
        dot_dot;
        dot_dot_of_a_descriptor;
        proc_self_root;
        proc_self_cwd;
        root_of_every_process;
        open_by_handle.needs(Root);
        map_a_file_that_was_opened_to_be_read;
        reopen_for_writing;
        a_descriptor_from_a_bystander;
        an_inherited_descriptor;
        an_inherited_directory;
        descriptors_of_every_process;
        io_uring;
        make_a_device.writable().needs(Root);
        read_shadow.needs(Root);
        write_the_system.needs(Root);
        remount_the_system.needs(Root);
    }
    metadata {
        chmod_outside;
        chmod_by_descriptor;
        chmod_by_the_newest_call.needs(Kernel);
        chmod_a_directory;
        chmod_what_it_does_not_own;
        chown_outside;
        utime_outside;
        utime_of_what_it_does_not_own;
        xattr_outside;
        xattr_of_what_it_does_not_own;
        set_user_id_on_its_own;
    }
    secrets {
        read_a_key;
        read_cloud_credentials;
        read_git_credentials;
        read_the_history;
        read_a_plain_document;
        read_credentials_beside_a_toolchain;
        walk_the_disk;
        environment;
        environment_of_every_process;
        agent_socket;
    }
    network {
        tcp_to_loopback;
        tcp_to_loopback_six;
        tcp_to_the_host;
        tcp_fast_open;
        multipath_tcp.needs(Kernel);
        udp_to_loopback;
        udp_to_the_host;
        udp_without_connecting;
        udp_six;
        name_lookup;
        listen_for_the_host;
        raw_socket.needs(Root);
        packet_socket.needs(Root);
        netlink_interfaces.gap_of_landlock(INTERFACES);
        interfaces_of_every_process.gap_of_landlock(INTERFACES);
        netlink_sockets;
        netlink_events;
        vsock;
        rare_families;
        abstract_socket;
        abstract_datagram;
        pathname_socket;
        pathname_datagram;
        a_pair_that_is_connected_again;
        a_pair_to_an_abstract_name;
        services_of_the_system;
    }
    ipc {
        shared_memory_segment;
        message_queue;
        semaphore;
        posix_message_queue;
        shared_memory_file;
        write_shared_memory;
        key_of_the_user;
        add_a_key;
    }
    processes {
        signal_a_bystander;
        signal_by_descriptor;
        signal_the_parent;
        own_a_descriptor_that_signals;
        trace_a_bystander;
        trace_the_parent;
        read_its_memory;
        write_its_memory;
        read_its_memory_as_a_file;
        memory_of_the_parent;
        environment_of_a_bystander;
        arguments_of_a_bystander.gap_of_landlock(PROCESS_LIST);
        take_its_descriptor;
        compare_its_kernel_objects;
        change_its_priority.gap_of_landlock(SCHEDULING).only_for(Ordinary);
        change_its_limits;
        change_its_processors.gap_of_landlock(SCHEDULING).only_for(Ordinary);
        raise_its_own_limits.needs(Kernel);
        become_root_by_a_program.needs(Ordinary);
        type_into_the_terminal.on_a_terminal();
        type_by_a_disguised_request.on_a_terminal();
        paste_into_the_terminal.on_a_terminal();
        daemon;
        stopped_child;
        files_that_are_run_later;
    }
    kernel {
        user_namespace;
        user_namespace_by_clone;
        user_namespace_by_clone3;
        mount_namespace.needs(Root);
        network_namespace.needs(Root);
        mount_in_a_user_namespace;
        join_another_namespace.needs(Root);
        mount_a_file_system.needs(Root);
        bind_over.needs(Root);
        lift_what_covers.needs(Root);
        new_mount_calls.needs(Root);
        open_a_tree.needs(Root);
        change_a_mount.needs(Root);
        another_root.needs(Root);
        pivot_root.needs(Root);
        capabilities.needs(Root);
        berkeley_packet_filters.needs(Root);
        performance_counters.needs(Root);
        faults_in_user_space;
        kernel_log.needs(Root);
        kernel_modules.needs(Kernel);
        another_kernel.needs(Kernel);
        accounting.needs(Root);
        swap.needs(Root);
        quotas.needs(Root);
        name_of_the_host.needs(Root);
        kernel_settings.needs(Root);
        control_groups.needs(Root);
        foreign_system_calls.needs(Kernel);
        more_privileges_on_exec;
        core_of_the_supervisor;
    }
    exhaustion {
        fork_many.alone().gap_of_landlock(PROCESSES).only_for(Ordinary).on_some_hosts();
        one_enormous_file.alone();
        many_open_files.alone();
        fork_more_than_a_tight_profile_allows.tight().alone().gap_of_landlock(PROCESSES).only_for(Ordinary).on_some_hosts();
        memory_of_one_process.tight().alone();
        memory_of_many_processes.tight().alone().gap_of_landlock(MEMORY).with_namespaces_too().only_for(Ordinary).on_some_hosts();
        fill_the_disk.tight().alone().gap_of_landlock(DISK);
        fill_the_disk_with_empty_files.tight().alone().gap_of_landlock(DISK);
    }
}

/// The attacks of a family that are written: the functions of its program that take an arena.
pub(crate) fn written(family: &str) -> Vec<String> {
    let program = crate::place::attacks().join(format!("{family}.py"));
    let program = std::fs::read_to_string(program).unwrap();
    let name = |line: &str| {
        let named = line.strip_prefix("def ")?.strip_suffix("(at):")?;
        Some(named.to_owned())
    };
    let mut found: Vec<_> = program.lines().filter_map(name).collect();
    found.sort();
    found
}

#[test]
fn every_attack_that_is_written_has_a_row() {
    let rows = rows();
    let mut families: Vec<_> = rows.iter().map(|row| row.family).collect();
    families.dedup();
    for family in families {
        let of_family = rows.iter().filter(|row| row.family == family);
        let mut listed: Vec<_> = of_family.map(|row| row.name.to_owned()).collect();
        listed.sort();
        assert_eq!(written(family), listed, "{family}");
    }
}

#[test]
fn every_gap_is_documented() {
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/sandbox.md");
    let document = std::fs::read_to_string(document).unwrap();
    let words: Vec<_> = document.split_whitespace().collect();
    let document = words.join(" ").to_lowercase();
    for gap in rows().iter().filter_map(|row| row.gap) {
        assert!(
            document.contains(&gap.says.to_lowercase()),
            "not documented: {}",
            gap.says
        );
    }
}
