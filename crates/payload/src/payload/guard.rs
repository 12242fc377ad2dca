//! A wall around libraries that read descriptors: what they make of bad ones is an error, and nothing else.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::thread;

/// Nesting and chains of imports are recursions there; this is enough for all that gets through to them.
const STACK: usize = 64 << 20;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Something broke down.
pub(super) struct Broken;

/// What a step gives, or that it panicked; the panic is not printed.
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
            // Without a thread to be had there is no guarding either.
            Err(_) => Err(Broken),
        }
    })
}

/// The same for a step that is behind the wall already, and may hold what belongs to its thread.
pub(super) fn caught<T>(step: impl FnOnce() -> T) -> Result<T, Broken> {
    catch_unwind(AssertUnwindSafe(step)).map_err(|_| Broken)
}

/// Panics behind the wall are told as errors, by those who asked; all others are told as before.
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
