//! Plain objects: from trees and records, and what is read of those that the page passes.
#![cfg_attr(feature = "onnx", allow(dead_code))] // What reads ONNX needs but a part.

use js_sys::Array;
use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::*;

use crate::catalogue::Tree;
use crate::judge::Cell;

/// Sets a property. Of a plain object that cannot fail.
pub fn set(object: &JsValue, key: &str, value: &JsValue) {
    let _ = Reflect::set(object, &key.into(), value);
}

/// A property; undefined where there is none.
pub fn get(object: &JsValue, key: &str) -> JsValue {
    Reflect::get(object, &key.into()).unwrap_or(JsValue::UNDEFINED)
}

/// A tree as plain objects and arrays.
pub fn of(tree: &Tree) -> JsValue {
    match tree {
        Tree::None => JsValue::NULL,
        Tree::Flag(flag) => (*flag).into(),
        Tree::Number(number) => (*number).into(),
        Tree::Text(text) => text.into(),
        Tree::List(items) => items.iter().map(of).collect::<Array>().into(),
        Tree::Map(entries) => from(entries.iter().map(|(key, value)| (*key, of(value)))),
    }
}

/// A plain object of these properties.
pub fn from<'a>(entries: impl IntoIterator<Item = (&'a str, JsValue)>) -> JsValue {
    let object = Object::new().into();
    for (key, value) in entries {
        set(&object, key, &value);
    }
    object
}

impl From<&Cell> for JsValue {
    fn from(cell: &Cell) -> Self {
        match cell {
            Cell::None => Self::NULL,
            Cell::Flag(flag) => (*flag).into(),
            Cell::Whole(number) => (*number as f64).into(),
            // With the digits that single precision needs: 0.1 stays 0.1.
            Cell::Single(number) => of(&Tree::from(*number)),
            Cell::Double(number) => (*number).into(),
            Cell::Text(text) => text.into(),
        }
    }
}
