//! gRPC statuses, read from untrusted headers and trailers.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};
use prost::Message;
use tonic::Status;

use super::decode;
use super::messages as pb;
use crate::model::{Code, ErrorInfo, Failure};

const STATUS: &str = "grpc-status";
const MESSAGE: &str = "grpc-message";
const DETAILS: &str = "grpc-status-details-bin";

/// A failing status to return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingStatus {
    /// Code, message and reason.
    pub failure: Failure,
    /// Content of `grpc-status-details-bin`.
    pub details: Bytes,
}

impl FailingStatus {
    /// From the parts of a status; the reason is decoded from the details.
    #[must_use]
    pub fn from_details(code: Code, message: String, details: Bytes) -> Self {
        Self {
            failure: Failure {
                code,
                message,
                info: error_info(&details),
            },
            details,
        }
    }
}

impl From<Failure> for FailingStatus {
    fn from(failure: Failure) -> Self {
        let details = failure
            .info
            .as_ref()
            .map_or_else(Bytes::new, |info| encode_error_info(&failure, info));
        Self { failure, details }
    }
}

pub fn to_status(refusal: &FailingStatus) -> Status {
    let code = to_tonic(refusal.failure.code);
    Status::with_details(
        code,
        refusal.failure.message.clone(),
        refusal.details.clone(),
    )
}

const CODES: [(Code, tonic::Code); 17] = [
    (Code::Ok, tonic::Code::Ok),
    (Code::Cancelled, tonic::Code::Cancelled),
    (Code::Unknown, tonic::Code::Unknown),
    (Code::InvalidArgument, tonic::Code::InvalidArgument),
    (Code::DeadlineExceeded, tonic::Code::DeadlineExceeded),
    (Code::NotFound, tonic::Code::NotFound),
    (Code::AlreadyExists, tonic::Code::AlreadyExists),
    (Code::PermissionDenied, tonic::Code::PermissionDenied),
    (Code::ResourceExhausted, tonic::Code::ResourceExhausted),
    (Code::FailedPrecondition, tonic::Code::FailedPrecondition),
    (Code::Aborted, tonic::Code::Aborted),
    (Code::OutOfRange, tonic::Code::OutOfRange),
    (Code::Unimplemented, tonic::Code::Unimplemented),
    (Code::Internal, tonic::Code::Internal),
    (Code::Unavailable, tonic::Code::Unavailable),
    (Code::DataLoss, tonic::Code::DataLoss),
    (Code::Unauthenticated, tonic::Code::Unauthenticated),
];

#[must_use]
pub fn code_from_tonic(code: tonic::Code) -> Code {
    CODES
        .iter()
        .find(|(_, known)| *known == code)
        .map_or(Code::Unknown, |(code, _)| *code)
}

fn to_tonic(code: Code) -> tonic::Code {
    CODES
        .iter()
        .find(|(known, _)| *known == code)
        .map_or(tonic::Code::Unknown, |(_, code)| *code)
}

/// Default limit for a status, in bytes of its headers. A longer status is an error, never an empty text.
pub const STATUS_LIMIT: usize = 1024 * 1024;

/// Header limit for the HTTP/2 library. It silently drops trailers beyond this limit, so it is far above the limit that
/// is checked here.
pub const HEADERS_LIMIT: u32 = 16 * 1024 * 1024;

/// Start of the message of the status that replaces one over the limit.
pub const OVER_LIMIT: &str = "the status that ends this call is larger than";

/// Reads the status of a call from its trailers, or from the headers of a trailers-only reply; `None` if there is none.
///
/// Accepts any bytes: the code is always kept, a message that is not UTF-8 gets replacement characters, as in other gRPC
/// libraries, and details that are not base64 are kept as they are. If a header is repeated, the first one counts, as in
/// tonic.
#[must_use]
pub fn status_of_trailers(trailers: &HeaderMap) -> Option<Result<(), FailingStatus>> {
    let code = tonic::Code::from_bytes(trailers.get(STATUS)?.as_bytes());
    if code == tonic::Code::Ok {
        return Some(Ok(()));
    }
    Some(Err(FailingStatus::from_details(
        code_from_tonic(code),
        trailers.get(MESSAGE).map_or_else(String::new, message),
        trailers.get(DETAILS).map_or_else(Bytes::new, details),
    )))
}

/// Rewrites a status so that tonic reads the same as [`status_of_trailers`]. Otherwise tonic panics on details that are
/// not base64, and loses the code if the message is not UTF-8.
pub fn sanitize_status(headers: &mut HeaderMap, limit: usize) {
    if !headers.contains_key(STATUS) {
        return;
    }
    if size(headers) > limit {
        headers.clear();
        headers.insert(STATUS, HeaderValue::from_static("2"));
        let text = format!("{OVER_LIMIT} {limit} bytes");
        set(headers, MESSAGE, &text);
        return;
    }
    if let Some(value) = headers.get(MESSAGE)
        && percent_decode(value.as_bytes()).decode_utf8().is_err()
    {
        let text = utf8_percent_encode(&message(value), NON_ALPHANUMERIC).to_string();
        set(headers, MESSAGE, &text);
    }
    if let Some(value) = headers.get(DETAILS)
        && STANDARD.decode(value.as_bytes()).is_err()
    {
        let text = STANDARD.encode(details(value));
        set(headers, DETAILS, &text);
    }
}

/// Size of a status for limits: the bytes of the names and values of its headers.
#[must_use]
pub fn size(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum()
}

fn set(headers: &mut HeaderMap, name: &'static str, ascii: &str) {
    if let Ok(value) = HeaderValue::from_str(ascii) {
        headers.insert(name, value);
    }
}

fn message(value: &HeaderValue) -> String {
    percent_decode(value.as_bytes())
        .decode_utf8_lossy()
        .into_owned()
}

/// Decodes base64 in either alphabet, with or without padding. If a proxy joined several values with commas, the first one
/// counts.
fn details(value: &HeaderValue) -> Bytes {
    let first = value.as_bytes().split(|byte| *byte == b',').next();
    let first = first.unwrap_or_default().trim_ascii();
    let decoded = LENIENT
        .decode(first)
        .or_else(|_| LENIENT_URL_SAFE.decode(first));
    decoded.map_or_else(|_| Bytes::copy_from_slice(value.as_bytes()), Bytes::from)
}

const ANY_PADDING: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const LENIENT: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, ANY_PADDING);
const LENIENT_URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, ANY_PADDING);

const ERROR_INFO: &str = "google.rpc.ErrorInfo";

/// The reason in the details of a rejection. Details may be a bare event book or anything else; only a
/// `google.rpc.Status` with a reason in Angzarr's domain counts.
#[must_use]
pub fn error_info(details: &[u8]) -> Option<ErrorInfo> {
    let info = encoded_error_info(details)?;
    let info: pb::ErrorInfo = decode::message("error info", info).ok()?;
    let mut metadata: Vec<_> = info.metadata.into_iter().collect();
    metadata.sort();
    (info.domain == "angzarr.io").then_some(ErrorInfo {
        reason: info.reason,
        domain: info.domain,
        metadata,
    })
}

/// The encoded reason, if the details are a `google.rpc.Status` with one.
#[must_use]
pub fn encoded_error_info(details: &[u8]) -> Option<Bytes> {
    let status = pb::RpcStatus::decode(details).ok()?;
    let of_reason = |any: &pb::Any| any.type_url.rsplit('/').next() == Some(ERROR_INFO);
    let any = status.details.into_iter().find(of_reason)?;
    Some(any.value)
}

fn encode_error_info(failure: &Failure, info: &ErrorInfo) -> Bytes {
    let info = pb::ErrorInfo {
        reason: info.reason.clone(),
        domain: info.domain.clone(),
        metadata: info.metadata.iter().cloned().collect(),
    };
    let status = pb::RpcStatus {
        code: i32::from(to_tonic(failure.code)),
        message: failure.message.clone(),
        details: vec![pb::Any {
            type_url: format!("/{ERROR_INFO}"),
            value: info.encode_to_vec().into(),
        }],
    };
    status.encode_to_vec().into()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn trailers(message: &[u8], details: &[u8]) -> HeaderMap {
        let mut trailers = HeaderMap::new();
        trailers.insert(STATUS, HeaderValue::from_static("9"));
        trailers.insert(MESSAGE, HeaderValue::from_bytes(message).expect("a header"));
        trailers.insert(DETAILS, HeaderValue::from_bytes(details).expect("a header"));
        trailers
    }

    fn read(message: &[u8], details: &[u8]) -> (Code, String, Vec<u8>) {
        let trailers = trailers(message, details);
        let ours = status_of_trailers(&trailers)
            .expect("a status")
            .expect_err("a failure");
        let mut legible = trailers;
        sanitize_status(&mut legible, STATUS_LIMIT);
        let tonics = Status::from_header_map(&legible).expect("a status");
        assert_eq!(code_from_tonic(tonics.code()), ours.failure.code);
        assert_eq!(tonics.message(), ours.failure.message);
        assert_eq!(tonics.details(), ours.details);
        (
            ours.failure.code,
            ours.failure.message,
            ours.details.to_vec(),
        )
    }

    #[test]
    fn details_in_any_base64_are_decoded_and_others_are_kept() {
        let read = |details: &str| read(b"no", details.as_bytes()).2;
        assert_eq!(read("+/8="), [0xfb, 0xff]);
        assert_eq!(read("+/8"), [0xfb, 0xff]);
        assert_eq!(read("-_8"), [0xfb, 0xff]);
        assert_eq!(read("+/8=, AQ=="), [0xfb, 0xff]);
        assert_eq!(read(""), b"");
        assert_eq!(read("!!!"), b"!!!");
    }

    #[test]
    fn a_message_that_is_not_utf_8_keeps_its_code() {
        let read = |message: &[u8]| {
            let (code, message, _) = read(message, b"AQ==");
            assert_eq!(code, Code::FailedPrecondition);
            message
        };
        assert_eq!(read(b"caf%E9 closed"), "caf\u{fffd} closed");
        assert_eq!(read(b"caf\xe9 closed"), "caf\u{fffd} closed");
        assert_eq!(read(b"50% off"), "50% off");
        assert_eq!(read("plain \u{e9}".as_bytes()), "plain \u{e9}");
    }

    #[test]
    fn only_a_status_over_the_limit_is_replaced() {
        let long = vec![b'a'; STATUS_LIMIT - 100];
        assert_eq!(read(&long, b"").1.len(), STATUS_LIMIT - 100);
        let mut trailers = trailers(&vec![b'a'; STATUS_LIMIT], b"");
        sanitize_status(&mut trailers, STATUS_LIMIT);
        let status = Status::from_header_map(&trailers).expect("a status");
        assert_eq!(
            status.message(),
            format!("{OVER_LIMIT} {STATUS_LIMIT} bytes")
        );
    }

    /// Bytes that are valid in a header; those of base64 and percent-encoding are more frequent.
    fn header_bytes() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![
            3 => proptest::sample::select(&b"%+/=-_,AZaz09 "[..]),
            1 => (0x20_u8..).prop_filter("no control character", |byte| *byte != 0x7f),
        ];
        vec(byte, 0..24)
    }

    proptest! {
        #[test]
        fn any_bytes_keep_the_code_and_tonic_reads_the_same(
            message in header_bytes(),
            details in header_bytes(),
        ) {
            prop_assert_eq!(read(&message, &details).0, Code::FailedPrecondition);
        }
    }
}
