//! What the page is made of, packed with Brotli (RFC 7932) as small as it gets, for browsers that take that. It takes seconds, so each content is
//! packed once, beside the serving; until it is, answers go as they are, to be packed in passing.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::http::{HeaderMap, header};

use super::fresh::tag;
use crate::datasets::{self, Pictures};
use crate::zoo;

/// The longest content that is packed, in bytes: a large network takes longer than anybody waits.
const MOST: usize = 1 << 20;
/// How many are kept; they change when somebody works on the page.
const KEPT: usize = 256;
/// The smallest form, and a window that holds every content.
const QUALITY: u32 = 11;
const WINDOW: u32 = 22;

/// The packed contents by their tags: none while one is being packed, or is no smaller.
type Contents = Arc<Mutex<HashMap<String, Option<Bytes>>>>;

/// Contents that were asked for, packed.
#[derive(Clone)]
pub struct Packed {
    contents: Contents,
    queue: Sender<(String, Bytes)>,
}

impl Packed {
    /// Starts to pack what a first visit of the page in `root` asks for.
    pub fn new(root: &Path) -> Self {
        let (queue, asked) = channel::<(String, Bytes)>();
        let contents: Contents = Arc::default();
        let (filled, first) = (contents.clone(), first(root));
        std::thread::spawn(move || {
            let first = first.iter().filter_map(|path| std::fs::read(path).ok());
            let first = first.map(|bytes| (tag(&bytes), Bytes::from(bytes)));
            for (tag, bytes) in first.chain(asked) {
                if filled.lock().is_ok_and(|contents| matches!(contents.get(&tag), Some(Some(_)))) {
                    continue;
                }
                let packed = pack(&bytes).filter(|packed| packed.len() < bytes.len());
                if let Ok(mut contents) = filled.lock() {
                    if contents.len() >= KEPT {
                        contents.clear();
                    }
                    contents.insert(tag, packed.map(Bytes::from));
                }
            }
        });
        Self { contents, queue }
    }

    /// The packed form of what has this tag, if there is one by now; if not, there will be.
    pub fn of(&self, tag: &str, bytes: &Bytes) -> Option<Bytes> {
        let mut contents = self.contents.lock().ok()?;
        if let Some(known) = contents.get(tag) {
            return known.clone();
        }
        if bytes.len() <= MOST && self.queue.send((tag.to_owned(), bytes.clone())).is_ok() {
            contents.insert(tag.to_owned(), None);
        }
        None
    }
}

/// Whether who sent these headers takes Brotli.
pub fn taken(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("br") && !refused
    })
}

fn pack(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut packed = brotli::CompressorWriter::new(Vec::new(), 1 << 16, QUALITY, WINDOW);
    packed.write_all(bytes).ok()?;
    packed.flush().ok()?;
    Some(packed.into_inner())
}

/// What a browser asks for until the first attack: the page with the style and the scripts that it names, the engine, the first network and its images.
fn first(root: &Path) -> Vec<PathBuf> {
    let index = root.join("www/index.html");
    let page = std::fs::read_to_string(&index).unwrap_or_default();
    let scripts = page.split('"').filter_map(|part| part.strip_prefix("../pkg/"));
    let mut all: Vec<PathBuf> = scripts.map(|name| root.join("pkg").join(name)).collect();
    all.push(index);
    all.extend(["page/worker.js", "relaxed-simd/misread_bg.wasm"].map(|name| root.join("pkg").join(name)));
    let network = zoo::shipped().into_iter().next().map(|spec| spec.name);
    let images = datasets::ALL.iter().find(|dataset| dataset.pictures == Pictures::Shipped);
    let images = images.map(|dataset| format!("{}-sample", dataset.name));
    let weights = network.into_iter().chain(images);
    all.extend(weights.map(|name| root.join(format!("models/{name}.safetensors"))));
    all.sort();
    all.dedup();
    // The small ones first: they are asked for first, and soon done.
    all.sort_by_key(|path| path.metadata().map_or(0, |file| file.len()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_packed_beside_and_unpacks_to_the_same_bytes() {
        let packed = Packed::new(Path::new("/nowhere"));
        let bytes = Bytes::from("a page, ".repeat(1000));
        let small = loop {
            if let Some(small) = packed.of("W/\"1\"", &bytes) {
                break small;
            }
            std::thread::yield_now();
        };
        assert!(small.len() < bytes.len() / 10);
        let mut back = Vec::new();
        brotli::BrotliDecompress(&mut &small[..], &mut back).unwrap();
        assert_eq!(back, bytes);
        let large = Bytes::from(vec![0; MOST + 1]);
        assert!(
            packed.of("W/\"2\"", &large).is_none()
                && !packed.contents.lock().unwrap().contains_key("W/\"2\"")
        );
    }

    #[test]
    fn a_browser_says_whether_it_takes_brotli() {
        let says = |list: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, list.parse().unwrap());
            taken(&headers)
        };
        assert!(says("gzip, deflate, br") && says("BR;q=0.5") && says("br"));
        assert!(!says("gzip") && !says("br;q=0") && !says("brr, gzip;q=1") && !taken(&HeaderMap::new()));
    }

    #[test]
    fn a_first_visit_asks_for_files_that_are_there() {
        let root = crate::native::root::root().unwrap();
        let all = first(&root);
        assert!(all.len() >= 8 && all.iter().all(|path| path.is_file()), "{all:?}");
    }
}
