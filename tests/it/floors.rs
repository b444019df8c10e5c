//! The house stands on its floors: nothing imports from a floor above its own. Read from the `use` lines, and from paths that
//! begin with `crate::`.

use std::path::{Path, PathBuf};

/// From the ground up; modules on one floor do not know each other.
const FLOORS: [&[&str]; 16] = [
    &["error", "number"],
    &["kernel"],
    &["metrics"],
    &["network"],
    &["datasets"],
    &["zoo", "onnx"],
    &["classifier"],
    &["attack"],
    &["judge"],
    &["bench"],
    &["catalogue"],
    &["wasm", "native"],
    &["train"],
    &["study"],
    &["cli"],
    &["lib", "main"],
];

fn floor(module: &str) -> usize {
    let place = FLOORS.iter().position(|floor| floor.contains(&module));
    place.unwrap_or_else(|| panic!("'{module}' stands on no floor: give it one here and in src/lib.rs"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            all.push(path);
        }
    }
    all
}

/// The modules of the crate that a source names: those behind `crate::`, one by one where they stand in braces, and those
/// behind a `super::` that leads out of the module's own folder.
fn named(source: &str, depth: usize) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut all = Vec::new();
    let outside = "super::".repeat(depth);
    for root in ["crate::", &outside] {
        for (at, _) in source.match_indices(root) {
            // A longer chain of `super` is found where it begins; `misread::` is how others name the crate.
            let before = &source[..at];
            if before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let rest = &source[at + root.len()..];
            match rest.strip_prefix('{') {
                Some(list) => {
                    let mut level = 0;
                    let mut items = vec![String::new()];
                    for c in list.chars() {
                        match c {
                            '{' => level += 1,
                            '}' if level == 0 => break,
                            '}' => level -= 1,
                            ',' if level == 0 => items.push(String::new()),
                            c => items.last_mut().unwrap().push(c),
                        }
                    }
                    all.extend(items.iter().map(|item| word(item.trim())));
                }
                None => all.push(word(rest)),
            }
        }
    }
    all.retain(|name| !["", "self", "super", "Result"].contains(&name.as_str()));
    all
}

#[test]
fn nothing_imports_from_a_floor_above_its_own() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut upward = Vec::new();
    let mut read = 0;
    for path in sources(&src) {
        let place = path.strip_prefix(&src).unwrap();
        let parts: Vec<String> =
            place.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let module = parts[0].clone();
        let text = std::fs::read_to_string(&path).unwrap();
        // What tests reach for is their own affair.
        let text = text.split("#[cfg(test)]").next().unwrap();
        if place.ends_with("tests.rs") {
            continue;
        }
        // Comments name what they like.
        let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        // How many `super::` lead to the crate's root.
        let depth = parts.len() - usize::from(parts.last().is_some_and(|last| last == "mod"));
        for name in named(&code.join("\n"), depth) {
            read += 1;
            if name != module && floor(&name) >= floor(&module) {
                upward.push(format!("{}: {name}", place.display()));
            }
        }
    }
    assert!(read > 200, "only {read} imports were found: is this still reading them?");
    assert!(upward.is_empty(), "these import from their own floor or above:\n{}", upward.join("\n"));
}

#[test]
fn an_upward_import_would_be_seen() {
    assert_eq!(
        named("use crate::attack::{self, Goal};\nuse crate::{zoo, judge::{Task, Record}};", 1),
        ["attack", "zoo", "judge"]
    );
    assert_eq!(named("use super::super::study::plan::Plan;\nuse super::x;", 2), ["study"]);
    assert_eq!(named("let x = crate::classifier::normal(rng);", 1), ["classifier"]);
}
