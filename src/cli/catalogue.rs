//! The command `catalogue`: what page and command line offer, for programs.

use anyhow::Result;
use clap::Args;
use serde_json::{Map, Number, Value};

use crate::catalogue::{Tree, catalogue};

#[derive(Args)]
pub struct Catalogue {}

pub fn run(_: &Catalogue) -> Result<()> {
    println!("{}", serde_json::to_string_pretty(&json(&catalogue()))?);
    Ok(())
}

fn json(tree: &Tree) -> Value {
    match tree {
        Tree::None => Value::Null,
        Tree::Flag(flag) => Value::Bool(*flag),
        // A whole number without a fraction, as JavaScript writes it.
        Tree::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => Value::from(*number as i64),
        Tree::Number(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
        Tree::Text(text) => Value::String(text.clone()),
        Tree::List(items) => items.iter().map(json).collect(),
        Tree::Map(entries) => Value::Object(
            entries.iter().map(|(key, value)| ((*key).to_owned(), json(value))).collect::<Map<_, _>>(),
        ),
    }
}
