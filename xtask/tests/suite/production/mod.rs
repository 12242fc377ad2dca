//! Production, and the way there: TLS, credentials, Unix sockets, commands that open the way, patience, queries only,
//! payloads that are stored elsewhere, bundles, and files that are whole whatever happens.

mod builds;
mod bundles;
mod claim_check;
mod crashes;
mod credentials;
pub(crate) mod dead_letters;
pub(crate) mod gate;
mod odd_places;
mod patience;
mod pki;
pub(crate) mod read_only;
mod recorder;
pub(crate) mod status;
mod tls;
mod ways;

/// Bytes in hex digits.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
