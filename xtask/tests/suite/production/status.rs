//! An `angzarr-status` that answers from a list: it reads no store, deletes nothing, and notes what it is asked.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Request, Response, Status};

use crate::production::gate::{Reply, serve};
use test_support::raw_codec::Raw;

/// Says what a method is answered with.
type Answer = dyn Fn(&str, &[u8]) -> Result<Vec<u8>, Status> + Send + Sync;

pub(crate) struct StatusServer {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl StatusServer {
    pub(crate) fn start(
        answer: impl Fn(&str, &[u8]) -> Result<Vec<u8>, Status> + Send + Sync + 'static,
    ) -> Self {
        let asked = Arc::default();
        let address = serve(|| Answering {
            asked: Arc::clone(&asked),
            answer: Arc::new(answer),
        });
        Self { address, asked }
    }

    /// The paths that were asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[derive(Clone)]
struct Answering {
    asked: Arc<Mutex<Vec<String>>>,
    answer: Arc<Answer>,
}

impl NamedService for Answering {
    const NAME: &'static str = "";
}

impl tower_service::Service<http::Request<Body>> for Answering {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Reply;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Reply {
        let path = request.uri().path().to_owned();
        self.asked.lock().unwrap().push(path.clone());
        let unary = Unary {
            path,
            answer: Arc::clone(&self.answer),
        };
        Box::pin(async move { Ok(Grpc::new(Raw).unary(unary, request).await) })
    }
}

struct Unary {
    path: String,
    answer: Arc<Answer>,
}

impl UnaryService<Bytes> for Unary {
    type Response = Bytes;
    type Future = Ready<Result<Response<Bytes>, Status>>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let answer = (self.answer)(&self.path, request.get_ref());
        ready(answer.map(|bytes| Response::new(bytes.into())))
    }
}
