//! Reads objects of S3 and Google Cloud Storage, configured as for the clouds' own tools.

use object_store::{ObjectStoreExt, parse_url_opts};
use url::Url;

/// Reads at most one byte more than the limit.
pub(super) fn read(uri: &str, limit: u64, options: &[(String, String)]) -> Result<Vec<u8>, String> {
    // Fails if a provider is installed already, which is just as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = Url::parse(uri).map_err(|error| error.to_string())?;
    let options = options
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let (store, path) = parse_url_opts(&url, options).map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let read = async {
        let object = store.get(&path).await?;
        // This size belongs to the current response. The object may be replaced before the next request.
        if object.meta.size > limit {
            drop(object);
            return store.get_range(&path, 0..limit.saturating_add(1)).await;
        }
        object.bytes().await
    };
    runtime
        .block_on(read)
        .map(Vec::from)
        .map_err(|error| error.to_string())
}
