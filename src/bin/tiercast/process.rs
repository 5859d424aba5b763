//! What the system knows of this process.

/// The largest resident memory of this process so far, in bytes; `None` where the system does not say it.
pub fn peak_memory() -> Option<u64> {
    peak_of(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// `VmHWM:   83156 kB`, where a kB is 1024 bytes.
fn peak_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_from_the_status() {
        assert_eq!(peak_of("VmPeak:\t  90 kB\nVmHWM:\t   83156 kB\nVmRSS:\t 1 kB\n"), Some(83156 * 1024));
        assert_eq!(peak_of("VmRSS:\t 1 kB\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_one() {
        assert!(peak_memory().is_some_and(|bytes| bytes > 100_000));
    }
}
