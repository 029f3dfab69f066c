//! Stand-in.
use axum::body::Body;
use http::{Request, Response};

#[derive(Clone)]
pub struct Application;

impl crate::server::Application for Application {
    async fn handle(&self, request: Request<Body>) -> Response<Body> {
        let mut response = Response::new(Body::from("{}"));
        if request.uri().path() == "/big" {
            *response.body_mut() = Body::from(vec![b'x'; 50 << 20]);
        }
        response
            .extensions_mut()
            .insert(crate::seam::Route("version"));
        response
    }
}
