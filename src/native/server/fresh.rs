//! Nothing is sent again that the browser has, and nothing old is shown: what is kept is asked for by the digest of its bytes. (A
//! date is too coarse to tell a wasm from the one built in the same second.)

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::packed::{self, Packed};
use crate::native::files::sha256;

/// The longest file that is digested, in bytes.
const MOST: usize = 64 << 20;

/// The tag of a content: the digest of its bytes (weak: it may be packed on its way).
pub fn tag(bytes: &[u8]) -> String {
    format!("W/\"{}\"", &sha256(bytes)[..32])
}

/// Gives a whole answer its tag, and answers 304 to whoever has it; who takes Brotli gets it packed, if it is by now.
pub async fn by_digest(State(packed): State<Packed>, mut request: Request, next: Next) -> Response {
    let brotli = packed::taken(request.headers());
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    for date in [header::IF_MODIFIED_SINCE, header::IF_UNMODIFIED_SINCE] {
        request.headers_mut().remove(date);
    }
    let whole = *request.method() == Method::GET;
    let (mut head, body) = next.run(request).await.into_parts();
    head.headers.remove(header::LAST_MODIFIED);
    if !whole || head.status != StatusCode::OK {
        return Response::from_parts(head, body);
    }
    let Ok(bytes) = to_bytes(body, MOST).await else {
        return (StatusCode::INTERNAL_SERVER_ERROR, "A file could not be read.\n").into_response();
    };
    let tag = tag(&bytes);
    let has =
        known.and_then(|known| known.to_str().ok().map(|all| all.split(',').any(|one| one.trim() == tag)));
    if let Ok(value) = HeaderValue::from_str(&tag) {
        head.headers.insert(header::ETAG, value);
    }
    if has == Some(true) {
        head.status = StatusCode::NOT_MODIFIED;
        head.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(head, Body::empty());
    }
    let small = if brotli { packed.of(&tag, &bytes) } else { None };
    if let Some(small) = small {
        head.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
        head.headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
        head.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(head, Body::from(small));
    }
    Response::from_parts(head, Body::from(bytes))
}
