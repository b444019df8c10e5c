//! The server of the page: three folders, and headers that keep the page to its own origin.

mod faces;
mod fresh;
mod hosts;
mod packed;

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::from_fn_with_state;
use tokio::net::TcpListener;
use tower_http::compression::CompressionLayer;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use self::hosts::{Hosts, Local};
use self::packed::Packed;
use super::root::root;

/// What the page may do. The same words stand in `www/index.html`, for hosts that send no headers.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
     style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; \
     form-action 'none'";

/// How many ports are tried from the wanted one on.
const PORTS: u16 = 100;

/// Serves the page until it is stopped, on the first free port from `port` on, to whoever asks for it by a name of this machine or
/// one of `names`; to this machine also the faces under `data`.
///
/// # Errors
/// When no port can be had, or the page's folders are missing.
pub fn serve(host: &str, names: &[String], port: u16, open: bool, data: &Path) -> Result<()> {
    // Faces are the visitor's own, not to be passed on: other machines get none.
    let own = host.parse::<IpAddr>().map_or(host == "localhost", |ip| ip.is_loopback());
    let faces = if own { faces::router(data) } else { None };
    let app = router(&root()?, faces, Hosts::of(host, names));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async move {
        let listener = bind(host, port).await?;
        let address = listener.local_addr()?;
        if address.port() != port && port != 0 {
            println!("Port {port} is taken.");
        }
        let url = address_to_type(address);
        println!("Misread is at {url}  (Ctrl-C ends it)");
        if open && let Err(error) = open::that(&url) {
            eprintln!("no browser could be opened: {error}");
        }
        let app = app.into_make_service_with_connect_info::<Local>();
        axum::serve(listener, app).await.context("the server failed")
    })
}

/// An address that a browser understands.
fn address_to_type(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("http://localhost:{}/", address.port())
    } else {
        format!("http://{address}/")
    }
}

async fn bind(host: &str, port: u16) -> Result<TcpListener> {
    let last = port.saturating_add(PORTS - 1);
    for candidate in port..=last {
        match TcpListener::bind((host, candidate)).await {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => return Err(error).with_context(|| format!("cannot listen on {host}:{candidate}")),
        }
    }
    bail!("the ports {port} to {last} are all taken; choose another with --port")
}

/// The page at `/`, its wasm at `/pkg`, its weights at `/models`, faces at `/faces` where there are any.
fn router(root: &Path, faces: Option<Router>, hosts: Hosts) -> Router {
    let fixed = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
    };
    let page = Router::new()
        .nest_service("/pkg", ServeDir::new(root.join("pkg")))
        .nest_service("/models", ServeDir::new(root.join("models")))
        .fallback_service(ServeDir::new(root.join("www")))
        .layer(from_fn_with_state(Packed::new(root), fresh::by_digest))
        .layer(fixed(header::CACHE_CONTROL, "no-cache"));
    // Faces are nobody else's, whatever name the page is asked for by, and are not to be kept.
    let faces = faces.unwrap_or_default().layer(from_fn_with_state(Hosts::own(), hosts::guard));
    page.merge(faces.layer(fixed(header::CACHE_CONTROL, "no-store")))
        .layer(from_fn_with_state(hosts, hosts::guard))
        .layer(CompressionLayer::new())
        .layer(fixed(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
}
