//! What Linux tells of memory in `/proc`.

use super::{Had, least};

/// What the machine has free, or would free at once.
pub(super) fn available() -> Option<Had> {
    let bytes = kibibytes(&read("/proc/meminfo")?, "MemAvailable:")?;
    Some(Had { bytes, bound: "what the machine has free" })
}

/// What the limits of `ulimit` leave a process of this program that has done no work yet.
pub(super) fn own() -> Option<Had> {
    left(&read("/proc/self/limits")?, &read("/proc/self/status")?)
}

fn left(limits: &str, status: &str) -> Option<Had> {
    let bounds = [
        ("Max address space", "VmSize:", "what `ulimit -v` leaves"),
        ("Max data size", "VmData:", "what `ulimit -d` leaves"),
    ];
    let left = |(limit, used, bound)| {
        let bytes = soft_limit(limits, limit)?.saturating_sub(kibibytes(status, used).unwrap_or(0));
        Some(Had { bytes, bound })
    };
    least(bounds.map(left))
}

/// `None` where it is unlimited.
fn soft_limit(limits: &str, name: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The value of a line such as `VmSize:  123 kB`, in bytes.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    kibibytes.checked_mul(1024)
}

fn read(path: &str) -> Option<String> {
    fs_err::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: &str = "\
Limit                     Soft Limit           Hard Limit           Units
Max data size             unlimited            unlimited            bytes
Max address space         2097152000           unlimited            bytes
";

    #[test]
    fn a_limit_leaves_what_is_not_in_use() {
        let status = "Name:\tsubquad\nVmSize:\t    2000 kB\nVmData:\t    1000 kB\n";
        let expected = Had { bytes: 2_097_152_000 - 2_048_000, bound: "what `ulimit -v` leaves" };
        assert_eq!(left(LIMITS, status), Some(expected));
        let data = LIMITS.replace(
            "unlimited            unlimited            bytes\nMax addr",
            "1024000 1 bytes\nMax addr",
        );
        assert_eq!(left(&data, status), Some(Had { bytes: 0, bound: "what `ulimit -d` leaves" }));
        assert_eq!(left(&LIMITS.replace("2097152000", "unlimited "), status), None);
    }

    #[test]
    fn what_cannot_be_read_is_no_limit() {
        assert_eq!(left("", ""), None);
        assert_eq!(kibibytes("MemAvailable: lots", "MemAvailable:"), None);
        assert_eq!(kibibytes("MemAvailable:  16 kB\n", "MemAvailable:"), Some(16 << 10));
    }
}
