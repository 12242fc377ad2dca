//! Reads payloads that are stored outside the event store (claim check), by their URI.

#[cfg(feature = "claim-check-cloud")]
mod cloud;

use std::io::Read;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;

use crate::capture::StoredObjects;
use crate::files;

/// Reads local files, and with the feature `claim-check-cloud` objects of S3 and Google Cloud Storage.
#[derive(Clone, Default)]
pub struct Objects {
    /// Options for the clouds, by the names that their own tools use. Never shown, because some are secret.
    #[cfg_attr(not(feature = "claim-check-cloud"), allow(dead_code))]
    options: Vec<(String, String)>,
}

impl Objects {
    /// Options from the environment: `AWS_…` and `GOOGLE_…`.
    #[must_use]
    pub fn of_environment() -> Self {
        let texts = std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
        Self::with_options(texts)
    }

    /// Options from these variables instead of the environment.
    #[must_use]
    pub fn with_options(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let is_cloud_option = |name: &str| name.starts_with("AWS_") || name.starts_with("GOOGLE_");
        let options = variables
            .into_iter()
            .filter(|(name, _)| is_cloud_option(name))
            .map(|(name, value)| (name.to_lowercase(), value));
        Self {
            options: options.collect(),
        }
    }
}

impl StoredObjects for Objects {
    fn read(&self, uri: &str, limit: u64) -> Result<Vec<u8>, String> {
        match uri.split_once("://") {
            Some(("file", rest)) => read_file(rest, limit),
            #[cfg(feature = "claim-check-cloud")]
            Some(("s3" | "gs", _)) => cloud::read(uri, limit, &self.options),
            #[cfg(not(feature = "claim-check-cloud"))]
            Some((scheme @ ("s3" | "gs"), _)) => Err(format!(
                "this tool is built without {scheme}://; build angzarr-replay with the feature `claim-check-cloud`"
            )),
            _ => Err("only file://, s3:// and gs:// are read".into()),
        }
    }
}

/// Reads at most one byte more than the limit, so that the caller notices a file that is too long.
fn read_file(rest: &str, limit: u64) -> Result<Vec<u8>, String> {
    let (host, path) = rest
        .find('/')
        .map(|slash| rest.split_at(slash))
        .ok_or("it names no file")?;
    if !matches!(host, "" | "localhost") {
        return Err(format!("it is a file of the machine `{host}`"));
    }
    let path = percent_decode_str(path)
        .decode_utf8()
        .map_err(|_| "its path is no text")?;
    let path = PathBuf::from(path.as_ref());
    let words = |error: std::io::Error| error.to_string();
    // Not a device or a pipe, even through a link: those may never end.
    let file = files::open(&path).map_err(words)?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(words)?;
    Ok(bytes)
}
