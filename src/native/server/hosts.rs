//! Who may ask: a page on another name that was made to point at this machine (DNS rebinding) reads nothing from here.

use std::net::{IpAddr, SocketAddr};

use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::serve::IncomingStream;
use tokio::net::TcpListener;

/// The address of this machine under which a connection came.
#[derive(Clone, Copy, Debug)]
pub struct Local(Option<IpAddr>);

impl Connected<IncomingStream<'_, TcpListener>> for Local {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self(stream.io().local_addr().ok().map(|address: SocketAddr| address.ip().to_canonical()))
    }
}

/// The names under which the page may be asked for.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    /// Besides those of this machine for itself.
    names: Vec<String>,
    /// Whether the address that a connection came under is one, too.
    addresses: bool,
}

impl Hosts {
    /// This machine's names for itself alone.
    pub fn own() -> Self {
        Self::default()
    }

    /// Also `host`, on which the server listens (all of this machine's addresses where that is 0.0.0.0 or [::]), and `more`.
    pub fn of(host: &str, more: &[String]) -> Self {
        let every = host.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified());
        let names = std::iter::once(host).filter(|_| !every).chain(more.iter().map(String::as_str));
        Self { names: names.map(|name| plain(name).to_ascii_lowercase()).collect(), addresses: every }
    }

    /// Whether what stands in a Host header is one of the names.
    fn has(&self, asked: &str, Local(local): Local) -> bool {
        let name = plain(without_port(asked)).to_ascii_lowercase();
        if ["127.0.0.1", "localhost", "::1"].contains(&name.as_str()) || self.names.contains(&name) {
            return true;
        }
        let address = name.parse::<IpAddr>().ok().map(|address| address.to_canonical());
        self.addresses && address.is_some() && address == local
    }
}

/// `localhost:8080` without the port; an IPv6 address stands in brackets.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

/// An IPv6 address without its brackets; a name without the dot at its end.
fn plain(name: &str) -> &str {
    name.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.')
}

/// Lets through what asks for one of the names; answers 403 in words to all else.
pub async fn guard(
    State(hosts): State<Hosts>,
    ConnectInfo(local): ConnectInfo<Local>,
    request: Request,
    next: Next,
) -> Response {
    let asked = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if hosts.has(asked, local) {
        return next.run(request).await;
    }
    let words = format!(
        "This server does not answer to '{asked}'. Ask for it as localhost or 127.0.0.1, or start it with --host or \
         --allow-host and the name that you use.\n"
    );
    (StatusCode::FORBIDDEN, words).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_by_the_host_header() {
        let local = |ip: &str| Local(ip.parse().ok());
        let own = Hosts::own();
        for host in [
            "127.0.0.1",
            "127.0.0.1:8080",
            "localhost",
            "LOCALHOST:80",
            "localhost.:80",
            "[::1]:8080",
            "[::1]",
        ] {
            assert!(own.has(host, local("127.0.0.1")), "{host}");
        }
        for host in [
            "",
            "rebind.example:8080",
            "192.168.0.7",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "::2",
        ] {
            assert!(!own.has(host, local("127.0.0.1")), "{host}");
        }
        let class = Hosts::of("0.0.0.0", &["Proxy.example".into()]);
        assert!(
            class.has("192.168.0.7:8080", local("192.168.0.7"))
                && class.has("proxy.example", local("10.0.0.1"))
        );
        assert!(class.has("192.168.0.7:8080", local("::ffff:192.168.0.7").clone_canonical()));
        assert!(
            !class.has("192.168.0.8:8080", local("192.168.0.7"))
                && !class.has("rebind.example", local("192.168.0.7"))
        );
        let named = Hosts::of("teacher.local", &[]);
        assert!(
            named.has("teacher.local:8080", local("10.0.0.1")) && !named.has("10.0.0.1", local("10.0.0.1"))
        );
    }

    impl Local {
        fn clone_canonical(self) -> Self {
            Self(self.0.map(|ip| ip.to_canonical()))
        }
    }
}
