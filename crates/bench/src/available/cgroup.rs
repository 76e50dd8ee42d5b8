//! What Linux control groups leave: containers and batch systems limit memory with them.
//!
//! Version 2 has `memory.max` and `memory.current` in the process's folder and every folder above it; version 1 has
//! `memory.limit_in_bytes` and `memory.usage_in_bytes` under `memory/`. Inside a container, the path that the kernel
//! reports may be the one outside; then the root of the mount has the container's own files.

use std::path::{Path, PathBuf};

use super::Available;

/// The memory that the tightest of this process's groups leaves.
pub(super) fn left() -> Option<Available> {
    let groups = fs_err::read_to_string("/proc/self/cgroup").ok()?;
    let bytes = least_left(Path::new("/sys/fs/cgroup"), &groups)?;
    Some(Available { bytes, bound: "what its control group's limit leaves" })
}

/// The files of one version.
struct Version {
    limit: &'static str,
    used: &'static str,
    /// The entry of `memory.stat` for cached files, which the kernel drops when more memory is needed.
    cache: &'static str,
}

const ONE: Version =
    Version { limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes", cache: "total_inactive_file" };
const TWO: Version = Version { limit: "memory.max", used: "memory.current", cache: "inactive_file" };

/// `groups` is the text of `/proc/self/cgroup`: lines of `<number>:<controllers>:<path>`, without controllers in version 2.
fn least_left(mounted: &Path, groups: &str) -> Option<u64> {
    let of_line = |line: &str| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        match controllers.split(',').any(|name| name == "memory") {
            true => ONE.least(&mounted.join("memory"), path),
            false if controllers.is_empty() => TWO.least(mounted, path),
            false => None,
        }
    };
    groups.lines().filter_map(of_line).min()
}

impl Version {
    /// The least that is left by the group at `path` below `root` and by all groups above it.
    fn least(&self, root: &Path, path: &str) -> Option<u64> {
        let group: PathBuf = root.join(path.trim_start_matches('/'));
        let folders = group.ancestors().take_while(|folder| folder.starts_with(root));
        folders.filter_map(|folder| self.left(folder)).min()
    }

    fn left(&self, folder: &Path) -> Option<u64> {
        let read = |name| fs_err::read_to_string(folder.join(name)).ok();
        // `max` in version 2; in version 1 a number that no machine has.
        let limit: u64 = read(self.limit)?.trim().parse().ok()?;
        let used: u64 = read(self.used)?.trim().parse().ok()?;
        let cache = read("memory.stat").and_then(|stat| self.cache(&stat)).unwrap_or(0);
        Some(limit.saturating_sub(used.saturating_sub(cache)))
    }

    fn cache(&self, stat: &str) -> Option<u64> {
        let mut pairs = stat.lines().filter_map(|line| line.split_once(' '));
        pairs.find(|(name, _)| *name == self.cache)?.1.trim().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, files: &[(&str, &str)]) {
        for (name, text) in files {
            let path = root.join(name);
            fs_err::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs_err::write(path, text).expect("a file");
        }
    }

    fn left_of(files: &[(&str, &str)], groups: &str) -> Option<u64> {
        let root = tempfile::tempdir().expect("a folder");
        write(root.path(), files);
        least_left(root.path(), groups)
    }

    #[test]
    fn the_tightest_group_above_counts_and_cache_is_free() {
        let files = [
            ("job/memory.max", "1000\n"),
            ("job/memory.current", "700\n"),
            ("job/memory.stat", "anon 400\ninactive_file 250\n"),
            ("job/step/memory.max", "max\n"),
            ("job/step/memory.current", "650\n"),
            ("other/memory.max", "1\n"),
            ("other/memory.current", "0\n"),
        ];
        assert_eq!(left_of(&files, "0::/job/step\n"), Some(550));
        assert_eq!(left_of(&files, "0::/elsewhere\n"), None);
    }

    #[test]
    fn version_one_is_read_too_and_a_container_sees_its_own_at_the_root() {
        let files = [
            ("memory/memory.limit_in_bytes", "5000\n"),
            ("memory/memory.usage_in_bytes", "1000\n"),
            ("memory/memory.stat", "inactive_file 7\ntotal_inactive_file 100\n"),
        ];
        assert_eq!(left_of(&files, "9:cpu:/a\n4:memory:/outside/the/container\n0::/\n"), Some(4100));
        assert_eq!(left_of(&files, "4:cpu,cpuacct:/x\n"), None);
    }
}
