//! The server as browsers, and pages that mean no good, call it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

/// A server that is ended when the test is.
struct Server(Child, u16);

impl Server {
    fn start(port: u16, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_misread"))
            .args(["--port", &port.to_string()])
            .args(more)
            .current_dir(std::env::temp_dir())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.map(Result::unwrap).find(|l| l.contains("http://")).expect("the address is printed");
        let port = line.rsplit(':').next().unwrap().split('/').next().unwrap().parse().unwrap();
        Self(child, port)
    }

    fn get(&self, path: &str) -> String {
        self.ask(path, "Host: localhost\r\n")
    }

    fn ask(&self, path: &str, headers: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.1)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).to_lowercase()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_server_serves_the_page_alone_with_the_right_headers_on_the_next_free_port() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let server = Server::start(port, &[]);
    assert_ne!(server.1, port);
    for (path, mime) in [
        ("/", "text/html"),
        ("/app/main.js", "text/javascript"),
        ("/style.css", "text/css"),
        ("/pkg/simd128/misread_bg.wasm", "application/wasm"),
        ("/pkg/misread.js", "text/javascript"),
        ("/models/mnist-cnn.safetensors", "application/octet-stream"),
    ] {
        let answer = server.get(path);
        let head = answer.split("\r\n\r\n").next().unwrap();
        assert!(
            head.starts_with("http/1.1 200") && head.contains(&format!("content-type: {mime}")),
            "{path}: {head}"
        );
        assert!(head.contains("cache-control: no-cache") && head.contains("nosniff"), "{head}");
        assert!(head.contains("content-security-policy: default-src 'none'"), "{head}");
        assert!(head.contains("'wasm-unsafe-eval'") && !head.contains("'unsafe-"), "{head}");
    }
    for path in [
        "/../Cargo.toml",
        "/pkg/../../Cargo.toml",
        "/pkg/%2e%2e/Cargo.toml",
        "/models/..%2fCargo.toml",
        "/src/lib.rs",
        "/.git/HEAD",
        "//etc/passwd",
    ] {
        let answer = server.get(path);
        assert!(answer.starts_with("http/1.1 404") || answer.starts_with("http/1.1 400"), "{path}: {answer}");
    }
}

#[test]
fn the_page_and_the_server_state_the_same_policy() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/www/index.html")).unwrap();
    assert!(page.contains(misread::native::server::CONTENT_SECURITY_POLICY));
}

#[test]
fn what_the_browser_has_is_not_sent_again_and_is_asked_for_by_its_digest() {
    let server = Server::start(0, &[]);
    for path in ["/", "/models/mnist-cnn.safetensors", "/pkg/simd128/misread_bg.wasm"] {
        let answer = server.get(path);
        let head = answer.split("\r\n\r\n").next().unwrap();
        let tag = head.split("etag: ").nth(1).unwrap().split("\r\n").next().unwrap();
        assert!(!head.contains("last-modified"), "{head}");
        let again =
            server.ask(path, &format!("Host: localhost\r\nIf-None-Match: {}\r\n", tag.replace("w/", "W/")));
        assert!(again.starts_with("http/1.1 304"), "{again}");
        // A date says nothing.
        let dated =
            server.ask(path, "Host: localhost\r\nIf-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\r\n");
        assert!(dated.starts_with("http/1.1 200"), "{path}");
        let other = server.ask(path, "Host: localhost\r\nIf-None-Match: W/\"0\"\r\n");
        assert!(other.starts_with("http/1.1 200"), "{path}");
    }
}

#[test]
fn who_takes_brotli_gets_it_as_soon_as_it_is_packed_and_nobody_else_does() {
    let server = Server::start(18_400, &[]);
    let head = |path: &str, codings: &str| {
        let answer = server.ask(path, &format!("Host: localhost\r\nAccept-Encoding: {codings}\r\n"));
        answer.split("\r\n\r\n").next().unwrap().to_owned()
    };
    for path in ["/", "/style.css", "/app/main.js"] {
        let packed = loop {
            let head = head(path, "gzip, br");
            assert!(head.starts_with("http/1.1 200") && head.contains("vary: accept-encoding"), "{head}");
            if head.contains("content-encoding: br") {
                break head;
            }
            assert!(head.contains("content-encoding: gzip"), "until then it is packed in passing: {head}");
        };
        assert!(packed.contains("content-security-policy:") && packed.contains("etag: w/"), "{packed}");
        assert!(head(path, "gzip").contains("content-encoding: gzip"), "{path}");
        assert!(!head(path, "identity").contains("content-encoding"), "{path}");
        let tag = packed.split("etag: ").nth(1).unwrap().split("\r\n").next().unwrap();
        let tag = tag.replacen("w/", "W/", 1);
        let again =
            server.ask(path, &format!("Host: localhost\r\nAccept-Encoding: br\r\nIf-None-Match: {tag}\r\n"));
        assert!(again.starts_with("http/1.1 304") && !again.contains("content-encoding"), "{again}");
    }
}

#[test]
fn only_those_who_ask_by_a_name_of_this_machine_are_answered_and_faces_stay_on_it() {
    let data = tempfile::tempdir().unwrap();
    let files = crate::data::faces(data.path(), 2);
    let at = data.path().to_str().unwrap();
    let host = |name: &str| format!("Host: {name}\r\n");
    let own = Server::start(0, &["--data-dir", at]);
    let index = own.ask("/faces/index.json", &host("127.0.0.1:8080"));
    assert!(index.contains("\"index\":0") && index.contains(&files[1].to_lowercase()), "{index}");
    for name in ["localhost:1", "127.0.0.1", "[::1]:8080"] {
        assert!(own.ask("/faces/0", &host(name)).starts_with("http/1.1 200"), "{name}");
        assert!(own.ask("/", &host(name)).starts_with("http/1.1 200"), "{name}");
    }
    for headers in
        [host("rebind.example:8080"), host("192.168.0.7"), host("localhost.evil.example"), String::new()]
    {
        for path in ["/faces/0", "/faces/index.json", "/", "/models/mnist-cnn.safetensors"] {
            let answer = own.ask(path, &headers);
            assert!(
                answer.starts_with("http/1.1 403")
                    || headers.is_empty() && answer.starts_with("http/1.1 400"),
                "{path} {headers}: {answer}"
            );
            assert!(headers.is_empty() || answer.contains("--allow-host"), "{answer}");
        }
    }
    let named = Server::start(0, &["--data-dir", at, "--allow-host", "class.example"]);
    assert!(named.ask("/", &host("class.example:80")).starts_with("http/1.1 200"));
    assert!(named.ask("/faces/0", &host("class.example:80")).starts_with("http/1.1 403"));
    // To everyone: by the address under which the connection came, and no faces.
    let class = Server::start(0, &["--host", "0.0.0.0", "--data-dir", at]);
    assert!(class.ask("/", &host("127.0.0.1:80")).starts_with("http/1.1 200"));
    assert!(class.ask("/", &host("10.9.8.7")).starts_with("http/1.1 403"));
    assert!(class.ask("/faces/0", &host("127.0.0.1")).starts_with("http/1.1 404"));
}
