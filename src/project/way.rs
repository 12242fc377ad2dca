//! The way to a source through a tunnel, which is opened again when it ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::grpc::{Way, accepts_connections, pauses};
use crate::processes::{Tunnel, TunnelCommand, TunnelError};

/// A tunnel, and whether a query ever came through it.
#[derive(Debug)]
pub(super) struct TunnelWay {
    tunnel: Mutex<Tunnel>,
    has_worked: AtomicBool,
}

impl TunnelWay {
    /// Opens a tunnel. If its command ends too early, it is started again up to `retries` times.
    pub(super) fn open(command: &TunnelCommand, retries: u32) -> Result<Self, TunnelError> {
        let mut pauses = pauses();
        let mut restarts = 0;
        loop {
            match Tunnel::open(command, accepts_connections) {
                Ok(tunnel) => {
                    return Ok(Self {
                        tunnel: Mutex::new(tunnel),
                        has_worked: AtomicBool::new(false),
                    });
                }
                Err(TunnelError::Ended { .. }) if restarts < retries => {
                    restarts += 1;
                    std::thread::sleep(pauses.next().unwrap_or_default());
                }
                Err(error) => return Err(error.after_restarts(restarts)),
            }
        }
    }

    /// Waits until an address of the tunnel accepts connections, and returns it with its port.
    pub(super) fn reach(&self, address: &str, timeout: Duration) -> Result<String, TunnelError> {
        self.tunnel().reach(address, timeout)
    }

    fn tunnel(&self) -> MutexGuard<'_, Tunnel> {
        self.tunnel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Way for TunnelWay {
    fn note_success(&self) {
        self.has_worked.store(true, Ordering::Relaxed);
        self.tunnel().note_success();
    }

    fn restore(&self, failures: u32) {
        let mut tunnel = self.tunnel();
        // A port forward may stay open although the pod behind it is gone. The first failure may have another reason.
        let leads_nowhere = failures > 1 && self.has_worked.load(Ordering::Relaxed);
        if leads_nowhere || tunnel.ended().is_some() {
            tunnel.restart();
        }
    }

    fn ended(&self) -> Option<String> {
        self.tunnel().ended()
    }
}
