//! Whether layers can have their sizes, and whether they fit into memory at all.

use super::{Place, Sizes, Subject};

/// Refuses sizes that a layer cannot have, or that obviously need more memory than is free, before a machine starts to
/// swap or kills programs.
///
/// # Errors
/// Every layer that cannot be measured, and why. Where the system does not tell what is free, nothing is too large.
pub fn check_sizes(subjects: &[&Subject], sizes: &[Sizes], place: &Place) -> Result<(), Vec<String>> {
    let free = free_bytes().filter(|_| place.is_host());
    let mut wrong = vec![];
    for subject in subjects {
        // The longest one says enough.
        let refused = sizes.iter().rev().find_map(|sizes| check(subject, sizes, free).err());
        wrong.extend(refused);
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

fn check(subject: &Subject, sizes: &Sizes, free: Option<u64>) -> Result<(), String> {
    (subject.check)(sizes).map_err(|error| format!("{}: {error}", subject.name))?;
    let needed = (subject.alive)(sizes) * size_of::<f32>() as f64;
    match free {
        Some(free) if needed > free as f64 => Err(format!(
            "{} of batch {}, length {} and width {} needs about {}, but only {} are free; choose smaller sizes",
            subject.name,
            sizes.batch,
            sizes.seq_len,
            sizes.d_model,
            gibibytes(needed),
            gibibytes(free as f64)
        )),
        _ => Ok(()),
    }
}

fn gibibytes(bytes: f64) -> String {
    format!("{:.1} GiB", bytes / f64::from(1 << 30))
}

fn free_bytes() -> Option<u64> {
    let meminfo = fs_err::read_to_string("/proc/meminfo").ok()?;
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}
