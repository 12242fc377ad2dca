//! Observes calls: the message of the request and the status of the answer.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use tower_service::Service;

use super::TicketOptions;
use super::writer::{Queue, RecordedCommand};
use angzarr_replay_wire::model::{Code, Failure, trace_id};
use angzarr_replay_wire::wire::{Dialect, FirstMessage, command_dialect, status_of_trailers};

/// A channel that records failing commands as tickets. Created by [`super::TicketLayer`].
#[derive(Clone)]
pub struct TicketService<S> {
    inner: S,
    options: Arc<TicketOptions>,
    queue: Arc<Queue>,
}

impl<S> TicketService<S> {
    pub(crate) fn new(inner: S, options: Arc<TicketOptions>, queue: Arc<Queue>) -> Self {
        Self {
            inner,
            options,
            queue,
        }
    }

    fn watch<B>(&self, request: &Request<B>) -> Option<Watch> {
        let dialect = command_dialect(request.uri().path())?;
        let (dialect, dialect_assumed) = dialect.or_configured(self.options.dialect);
        let first = || FirstMessage::new(self.options.largest);
        Some(Watch {
            dialect,
            dialect_assumed,
            request: Arc::new(Mutex::new(first())),
            answer: self.options.is_every.then(first),
            trace_id: trace_of(request.headers()),
            options: Arc::clone(&self.options),
            queue: Arc::clone(&self.queue),
        })
    }
}

impl<S, B> Service<Request<tonic::body::Body>> for TicketService<S>
where
    S: Service<Request<tonic::body::Body>, Response = Response<B>>,
    S::Error: Display,
    B: Body<Data = Bytes>,
    B::Error: Display,
{
    type Response = Response<TicketBody<B>>;
    type Error = S::Error;
    type Future = Answer<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
        let watch = self.watch(&request);
        let request = match &watch {
            None => request,
            Some(watch) => {
                let message = Arc::clone(&watch.request);
                request.map(|body| tonic::body::Body::new(ObservedRequest { body, message }))
            }
        };
        Answer {
            inner: Box::pin(self.inner.call(request)),
            watch,
        }
    }
}

/// One `HandleCommand` in flight.
struct Watch {
    dialect: Dialect,
    dialect_assumed: bool,
    request: Arc<Mutex<FirstMessage>>,
    /// The reply, if accepted commands are recorded too.
    answer: Option<FirstMessage>,
    trace_id: Option<String>,
    options: Arc<TicketOptions>,
    queue: Arc<Queue>,
}

impl Watch {
    fn ended(self, failure: Option<Failure>) {
        if failure.is_none() && !self.options.is_every {
            return;
        }
        let mut request = self.request.lock().unwrap_or_else(PoisonError::into_inner);
        let request = std::mem::replace(&mut *request, FirstMessage::new(0));
        self.queue.offer(RecordedCommand {
            dialect: self.dialect,
            dialect_assumed: self.dialect_assumed,
            request,
            answer: self.answer.filter(|_| failure.is_none()),
            failure,
            time: (self.options.clock)(),
            service_version: self.options.service_version.clone(),
            trace_id: self.trace_id,
        });
    }

    /// The transport failed before the call was answered.
    fn transport_failed(self, reason: &impl Display) {
        self.ended(Some(Failure {
            code: Code::Unavailable,
            message: reason.to_string(),
            info: None,
        }));
    }
}

/// The trace that a request belongs to, from the header of the W3C's Trace Context.
fn trace_of(headers: &HeaderMap) -> Option<String> {
    trace_id(headers.get("traceparent")?.to_str().ok()?)
}

/// Body of a request, whose first message is copied.
struct ObservedRequest {
    body: tonic::body::Body,
    message: Arc<Mutex<FirstMessage>>,
}

impl Body for ObservedRequest {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        let polled = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(data) = polled
            .as_ref()
            .and_then(|frame| frame.as_ref().ok()?.data_ref())
        {
            let mut message = self.message.lock().unwrap_or_else(PoisonError::into_inner);
            message.feed(data);
        }
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Future of the answer to a request.
pub struct Answer<F> {
    inner: Pin<Box<F>>,
    watch: Option<Watch>,
}

impl<F, B, E> Future for Answer<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Display,
{
    type Output = Result<Response<TicketBody<B>>, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(self.inner.as_mut().poll(context));
        let mut watch = self.watch.take();
        match &answer {
            Err(error) => {
                if let Some(watch) = watch.take() {
                    watch.transport_failed(error);
                }
            }
            // The status may be in the headers, without a body.
            Ok(response) => {
                if let Some(failure) = failure_in_headers(response)
                    && let Some(watch) = watch.take()
                {
                    watch.ended(Some(failure));
                }
            }
        }
        Poll::Ready(answer.map(|response| {
            response.map(|body| TicketBody {
                inner: Box::pin(body),
                watch,
            })
        }))
    }
}

fn failure_in_headers<B>(response: &Response<B>) -> Option<Failure> {
    if let Some(ended) = status_of_trailers(response.headers()) {
        return ended.err().map(|refusal| refusal.failure);
    }
    (response.status() != http::StatusCode::OK).then(|| Failure {
        code: Code::Unavailable,
        message: format!("the answer is not gRPC: HTTP {}", response.status()),
        info: None,
    })
}

/// Body of an answer, whose status and first message are observed.
pub struct TicketBody<B> {
    inner: Pin<Box<B>>,
    watch: Option<Watch>,
}

impl<B> TicketBody<B> {
    fn trailers(&mut self, trailers: &HeaderMap) {
        if let (Some(ended), Some(watch)) = (status_of_trailers(trailers), self.watch.take()) {
            watch.ended(ended.err().map(|refusal| refusal.failure));
        }
    }
}

impl<B> Body for TicketBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Display,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = ready!(self.inner.as_mut().poll_frame(context));
        match &polled {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    self.trailers(trailers);
                } else if let (Some(data), Some(watch)) = (frame.data_ref(), self.watch.as_mut())
                    && let Some(answer) = &mut watch.answer
                {
                    answer.feed(data);
                }
            }
            Some(Err(error)) => {
                if let Some(watch) = self.watch.take() {
                    watch.transport_failed(error);
                }
            }
            None => {
                if let Some(watch) = self.watch.take() {
                    watch.transport_failed(&"the answer ended without a status");
                }
            }
        }
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
