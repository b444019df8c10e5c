//! What labels stand for, as people write it: a line each, or a list with commas.

/// Keys of the metadata under which makers of files put the names of their labels.
const KEYS: [&str; 7] =
    ["labels", "classes", "names", "class_names", "label_names", "character", "categories"];

/// The labels that a file's metadata name.
pub fn of_metadata(metadata: &[(String, String)]) -> Option<Vec<String>> {
    let found = KEYS.iter().find_map(|key| metadata.iter().find(|(name, _)| name == key));
    found.map(|(_, text)| read(text)).filter(|labels| labels.len() > 1)
}

/// Labels as a text has them: one a line; or in one line with commas between, with or without brackets, quotes and numbers
/// (`{0: 'cat', 1: 'dog'}`, `["cat", "dog"]`, `cat, dog`).
pub fn read(text: &str) -> Vec<String> {
    let text = text.trim();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.len() > 1 && !text.starts_with(['{', '[']) {
        return lines.into_iter().map(str::to_owned).collect();
    }
    let bare = text.trim_start_matches(['{', '[']).trim_end_matches(['}', ']']);
    let (mut parts, mut part, mut quote) = (Vec::new(), String::new(), None);
    for c in bare.chars() {
        // A quote opens where nothing, or a key alone, stands before it.
        let opens = part.trim().is_empty() || part.trim_end().ends_with(':');
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') if opens => quote = Some(c),
            (None, ',') => parts.push(std::mem::take(&mut part)),
            (_, c) => part.push(c),
        }
    }
    parts.push(part);
    let named = |part: String| {
        let part = part.trim();
        // A number before the name, as in a Python dictionary.
        let name = part
            .split_once(':')
            .filter(|(key, _)| key.trim().parse::<usize>().is_ok())
            .map_or(part, |(_, name)| name);
        name.trim().to_owned()
    };
    parts.into_iter().map(named).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_as_people_write_them() {
        let pets = ["cat", "dog"].map(String::from);
        for text in [
            "cat\ndog\n",
            "cat\r\n\r\ndog",
            "cat, dog",
            "['cat', 'dog']",
            "[\"cat\",\"dog\"]",
            "{0: 'cat', 1: 'dog'}",
            "{\n 0: \"cat\",\n 1: \"dog\"\n}",
        ] {
            assert_eq!(read(text), pets, "{text}");
        }
        assert_eq!(read("[\"a, b\", 'it''s']")[0], "a, b");
        assert_eq!(read("don't, won't"), ["don't", "won't"].map(String::from));
        assert_eq!(read("0\n90\n180\n270").len(), 4);
        assert!(read("").is_empty());
        let metadata =
            [("author".to_owned(), "a, b".to_owned()), ("names".to_owned(), "{0: 'x', 1: 'y'}".to_owned())];
        assert_eq!(of_metadata(&metadata), Some(vec!["x".to_owned(), "y".to_owned()]));
        assert_eq!(of_metadata(&metadata[..1]), None);
    }
}
