//! The faces that the server offers to the page: the visitor's own images of Labeled Faces in the Wild, of the half that no
//! network was trained on, and to this machine alone.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::Path as UrlPath;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::datasets::LFW;
use crate::native::lfw::{self, Manifest};

/// How many are offered.
const OFFERED: usize = 100;

struct Faces {
    folder: PathBuf,
    files: Vec<String>,
    /// What the page reads first: `{"people": [name], "faces": [index of the name]}`.
    index: String,
}

/// `/faces/index.json` and `/faces/N` (RGB bytes, row after row), if there are images under `data`.
pub fn router(data: &Path) -> Option<Router> {
    let folder = lfw::folder(data).ok()?;
    let manifest: Manifest = lfw::shipped(lfw::MIN_IMAGES)?;
    let there: Vec<&String> = manifest.test.iter().filter(|file| folder.join(file).is_file()).collect();
    let offered: Vec<String> = there.into_iter().take(OFFERED).cloned().collect();
    let labels: Vec<u8> = offered.iter().filter_map(|file| manifest.label(file)).collect();
    let index = serde_json::json!({ "people": manifest.labels(), "faces": labels }).to_string();
    let faces = Arc::new(Faces { folder, files: offered, index });
    let listed = Arc::clone(&faces);
    let list = move || async move { ([(header::CONTENT_TYPE, "application/json")], listed.index.clone()) };
    let one = move |UrlPath(i): UrlPath<usize>| async move { face(&faces, i) };
    Some(Router::new().route("/faces/index.json", get(list)).route("/faces/{i}", get(one)))
}

fn face(faces: &Faces, i: usize) -> Response {
    let Some(file) = faces.files.get(i) else { return StatusCode::NOT_FOUND.into_response() };
    match lfw::decode(&faces.folder.join(file), LFW.image[0]) {
        Ok(pixels) => ([(header::CONTENT_TYPE, "application/octet-stream")], pixels).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{file}: {error:#}")).into_response(),
    }
}
