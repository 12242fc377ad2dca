//! Trace ids, as loggers, headers and tracing libraries write them.

/// A trace id as 32 hex digits in lower case: bare, with dashes, in a `traceparent`, or at the end of a path.
#[must_use]
pub fn trace_id(text: &str) -> Option<String> {
    let text = text.trim().rsplit('/').next().unwrap_or_default();
    let parts: Vec<&str> = text.split('-').collect();
    let digits = match parts.as_slice() {
        [version, trace, span, ..] if version.len() == 2 && span.len() == 16 => (*trace).to_owned(),
        parts => parts.concat(),
    };
    let is_trace = digits.len() == 32
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        && digits.bytes().any(|byte| byte != b'0');
    is_trace.then(|| digits.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_id_is_found_in_every_form() {
        const ID: &str = "0af7651916cd43dd8448eb211c80319c";
        for text in [
            ID,
            "0AF7651916CD43DD8448EB211C80319C",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "0af76519-16cd-43dd-8448-eb211c80319c",
            "projects/shop/traces/0af7651916cd43dd8448eb211c80319c",
        ] {
            assert_eq!(trace_id(text).as_deref(), Some(ID), "{text}");
        }
        for text in ["", "0af7", &"0".repeat(32), &"g".repeat(32)] {
            assert_eq!(trace_id(text), None, "{text}");
        }
    }
}
