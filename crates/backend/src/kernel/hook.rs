//! What a program wants done before every kernel.

use std::sync::OnceLock;

static HOOK: OnceLock<fn()> = OnceLock::new();

/// Has `hook` called before every kernel of this process, forward or backward, on the thread that runs it: for programs that look
/// after the threads which kernels work on. The first hook of a process stays; no value depends on it.
pub fn set_hook(hook: fn()) {
    HOOK.get_or_init(|| hook);
}

pub(super) fn call() {
    if let Some(hook) = HOOK.get() {
        hook();
    }
}
