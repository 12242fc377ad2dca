//! Isolates the libraries that read descriptors: whatever they do with invalid input becomes an error.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::thread;

/// Those libraries recurse over nesting and import chains. This stack is large enough for all input that passes our
/// checks.
const STACK: usize = 64 << 20;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// The guarded code panicked.
pub(super) struct Broken;

/// Runs the closure on a thread of its own, and turns a panic into an error without printing it.
pub(super) fn guarded<T: Send>(step: impl FnOnce() -> T + Send) -> Result<T, Broken> {
    if GUARDED.get() {
        return caught(step);
    }
    quiet_here();
    thread::scope(|scope| {
        let inside = || {
            GUARDED.set(true);
            caught(step)
        };
        let thread = thread::Builder::new().stack_size(STACK);
        match thread.spawn_scoped(scope, inside) {
            Ok(running) => running.join().unwrap_or(Err(Broken)),
            // If no thread can be started, the step is not run at all.
            Err(_) => Err(Broken),
        }
    })
}

/// Like [`guarded`], on the current thread: for code that is inside the guard already, and may hold values that cannot
/// be sent.
pub(super) fn caught<T>(step: impl FnOnce() -> T) -> Result<T, Broken> {
    catch_unwind(AssertUnwindSafe(step)).map_err(|_| Broken)
}

/// Silences the panic hook for guarded code, whose caller reports an error. Other panics are printed as before.
fn quiet_here() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                told(panic);
            }
        }));
    });
}
