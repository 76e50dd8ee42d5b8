//! What Linux reports about memory in `/proc`.

use super::{Available, STACK_BYTES, tightest};

/// What the machine has free, or would free at once.
pub(super) fn free() -> Option<Available> {
    let bytes = kibibytes(&read("/proc/meminfo")?, "MemAvailable:")?;
    Some(Available { bytes, bound: "what the machine has free" })
}

/// What the limits of `ulimit` leave a process of this program that has done no work yet.
pub fn own() -> Option<Available> {
    left(&read("/proc/self/limits")?, &read("/proc/self/status")?)
}

/// The allocator reserves a gibibyte or more before it uses it, so what a process has used counts, and not what it has reserved.
fn left(limits: &str, status: &str) -> Option<Available> {
    let of = |name| kibibytes(status, name).unwrap_or(0);
    let threads = number(status, "Threads:").unwrap_or(0);
    let used = of("RssAnon:") + threads * STACK_BYTES as u64;
    let elsewhere = of("VmSize:").saturating_sub(of("VmData:"));
    let bounds = [
        ("Max address space", used + elsewhere, "what `ulimit -v` leaves"),
        ("Max data size", used, "what `ulimit -d` leaves"),
    ];
    let left = |(limit, used, bound)| {
        let bytes = number(limits, limit)?.saturating_sub(used);
        Some(Available { bytes, bound })
    };
    tightest(bounds.map(left))
}

/// The value of a line such as `VmSize:  123 kB`, in bytes.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    number(text, name)?.checked_mul(1024)
}

/// The number behind this name; `None` where there is none, such as `unlimited`.
fn number(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
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

    const STATUS: &str = "VmSize:\t 1360000 kB\nRssAnon:\t 15000 kB\nVmData:\t 1070000 kB\nThreads:\t2\n";

    #[test]
    fn a_limit_leaves_what_is_not_in_use() {
        let used = (15_000 << 10) + 2 * STACK_BYTES as u64;
        let elsewhere = 290_000 << 10;
        let space = Available { bytes: 2_097_152_000 - used - elsewhere, bound: "what `ulimit -v` leaves" };
        assert_eq!(left(LIMITS, STATUS), Some(space));
        let data = LIMITS.replace("data size             unlimited", "data size             1024000000");
        assert_eq!(
            left(&data, STATUS),
            Some(Available { bytes: 1_024_000_000 - used, bound: "what `ulimit -d` leaves" })
        );
        let tight = LIMITS.replace("2097152000", "1024");
        assert_eq!(left(&tight, STATUS).map(|had| had.bytes), Some(0));
        assert_eq!(left(&LIMITS.replace("2097152000", "unlimited"), STATUS), None);
    }

    #[test]
    fn what_cannot_be_read_is_no_limit() {
        assert_eq!(left("", ""), None);
        assert_eq!(kibibytes("MemAvailable: lots", "MemAvailable:"), None);
        assert_eq!(kibibytes("MemAvailable:  16 kB\n", "MemAvailable:"), Some(16 << 10));
    }
}
