//! Counts the bytes that a client receives from a server.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// A way to a server that counts what passes it on its way back.
pub(crate) struct CountedWay {
    /// Where clients connect.
    pub(crate) address: SocketAddr,
    received: Arc<AtomicU64>,
}

impl CountedWay {
    /// Passes connections on to a server until the process ends.
    pub(crate) fn to(server: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let received = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&received);
        thread::spawn(move || {
            for client in listener.incoming() {
                let count = Arc::clone(&count);
                let _ = client.and_then(|client| pass_on(client, server, count));
            }
        });
        Ok(Self { address, received })
    }

    /// Bytes that clients received so far.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

fn pass_on(client: TcpStream, server: SocketAddr, count: Arc<AtomicU64>) -> std::io::Result<()> {
    let server = TcpStream::connect(server)?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let (to_client, to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || copy(client, to_server, |_| {}));
    thread::spawn(move || {
        copy(server, to_client, |bytes| {
            count.fetch_add(bytes, Ordering::Relaxed);
        });
    });
    Ok(())
}

/// Copies until either end closes.
fn copy(mut from: TcpStream, mut to: TcpStream, count: impl Fn(u64)) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read) = from.read(&mut buffer) {
        if read == 0 || to.write_all(&buffer[..read]).is_err() {
            break;
        }
        count(read as u64);
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}
