//! The faces that the server offers to the page: the visitor's own images of Labeled Faces in the Wild, of the half that no
//! network was trained on, and to this machine alone. A face is called by its place in the manifest, whatever others are missing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::Path as UrlPath;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use crate::datasets::LFW;
use crate::native::cores::on_all_cores;
use crate::native::lfw::{self, Manifest};

/// How many are offered.
const OFFERED: usize = 100;

struct Faces {
    folder: PathBuf,
    /// By place.
    files: BTreeMap<usize, String>,
    /// What the page reads first: `{"people": [name], "faces": [{"index": place, "label": index of the name, "file": name}]}`.
    index: String,
}

/// `/faces/index.json` and `/faces/PLACE` (RGB bytes, row after row), if there are images under `data`. What cannot be decoded
/// is named and not offered.
pub fn router(data: &Path) -> Option<Router> {
    let folder = lfw::folder(data).ok()?;
    let manifest: Manifest = lfw::shipped(lfw::MIN_IMAGES)?;
    let there = manifest.test.iter().enumerate().filter(|(_, file)| folder.join(file).is_file());
    let there: Vec<(usize, &String)> = there.take(OFFERED).collect();
    let sound = on_all_cores("looking at faces", &there, &(), |(), (_, file)| {
        Ok(lfw::decode(&folder.join(file), LFW.image[0]).err().map(|why| format!("{why:#}")))
    });
    let mut files = BTreeMap::new();
    let mut faces = Vec::new();
    for ((place, file), broken) in there.into_iter().zip(sound.ok()?) {
        match (broken, manifest.label(file)) {
            (None, Some(label)) => {
                faces.push(json!({ "index": place, "label": label, "file": file }));
                files.insert(place, file.clone());
            }
            (Some(why), _) => eprintln!("not offered: {file}: {why}"),
            (None, None) => {}
        }
    }
    let index = json!({ "people": manifest.labels(), "faces": faces }).to_string();
    let faces = Arc::new(Faces { folder, files, index });
    let listed = Arc::clone(&faces);
    let list = move || async move { ([(header::CONTENT_TYPE, "application/json")], listed.index.clone()) };
    let one = move |UrlPath(i): UrlPath<usize>| async move { face(&faces, i) };
    Some(Router::new().route("/faces/index.json", get(list)).route("/faces/{i}", get(one)))
}

fn face(faces: &Faces, place: usize) -> Response {
    let Some(file) = faces.files.get(&place) else { return StatusCode::NOT_FOUND.into_response() };
    match lfw::decode(&faces.folder.join(file), LFW.image[0]) {
        Ok(pixels) => ([(header::CONTENT_TYPE, "application/octet-stream")], pixels).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{file}: {error:#}")).into_response(),
    }
}
