//! The fields of the attacks as arguments: made from the attacks' own tables, so that a new attack or field is there by itself.

use anyhow::Result;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, parser::ValueSource};

use crate::attack::descriptor::{Field, Kind};
use crate::attack::options::Value;
use crate::attack::{self, Options};

/// What was said of an attack's fields: key and value.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(&'static str, Value)>);

/// What a field is, whatever the attack.
fn words(key: &str) -> &'static str {
    match key {
        "mode" => "Keep to a budget, or seek the smallest that succeeds",
        "norm" => "Which norm the attack works in",
        "epsilon" => {
            "The budget, above 0: the most that a pixel may change (linf, 0.3 when not given), that all pixels may change \
             together (l1, 40), or the length of the change (l2, 3); with --mode min the first to be tried"
        }
        "c" => "L-BFGS's weight of the loss, above 0; with --mode min the first to be tried",
        "steps" => "How many steps (of each round of a search), iterations, gradients or queries",
        "form" => {
            "Which step the L1 attack takes: dense with radial shrinking, as in Foolbox, or sparse with the exact projection"
        }
        "loss" => {
            "Which loss is descended: ce, the cross-entropy; dlr, the difference of logits ratio; or margin, that between logits"
        }
        "restarts" => "How many runs, from different starts, while none has succeeded",
        "alpha" => "How far a step goes in the attack's norm; 2.5 epsilon / steps when not given",
        "confidence" => "Probability of the false label that counts as success, at least 0 and below 1",
        "stop" => "Stop at the first success",
        "seed" => "Of random starts and of all else that is drawn",
        _ => "",
    }
}

/// Older names of arguments.
fn alias(key: &str) -> Option<&'static str> {
    match key {
        "form" => Some("l1-form"),
        "stop" => Some("early-stop"),
        _ => None,
    }
}

/// Every field of any attack, once.
fn all() -> Vec<&'static Field> {
    let mut all: Vec<&'static Field> = Vec::new();
    for field in attack::ALL.iter().flat_map(|attack| attack.fields) {
        if !all.iter().any(|other| other.key == field.key) {
            all.push(field);
        }
    }
    all
}

impl Args for Fields {
    fn augment_args(command: Command) -> Command {
        all().into_iter().fold(command, |command, field| {
            let has: Vec<&str> =
                attack::ALL.iter().filter(|a| a.field(field.key).is_some()).map(|a| a.name).collect();
            let of =
                if has.len() == attack::ALL.len() { String::new() } else { format!(" ({})", has.join(", ")) };
            let choices = match field.kind {
                Kind::Choice { choices, .. } => format!(": {}", choices.join(", ")),
                _ => String::new(),
            };
            let arg = Arg::new(field.key).long(field.key).help(format!("{}{choices}{of}", words(field.key)));
            let arg = match alias(field.key) {
                Some(alias) => arg.alias(alias),
                None => arg,
            };
            command.arg(match field.kind {
                Kind::Flag => arg.action(ArgAction::SetTrue),
                Kind::Choice { .. } => arg.value_name("NAME"),
                Kind::Number(_) => arg.value_name("NUMBER").allow_negative_numbers(true),
            })
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Fields {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |field: &&Field| matches.value_source(field.key) == Some(ValueSource::CommandLine);
        let value = |field: &'static Field| match field.kind {
            Kind::Flag => (field.key, Value::Flag(matches.get_flag(field.key))),
            _ => {
                let text = matches.get_one::<String>(field.key).cloned().unwrap_or_default();
                (field.key, Value::Text(text))
            }
        };
        Ok(Self(all().into_iter().filter(given).map(value).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Fields {
    /// The attack called `name` with these fields. Who names a budget means it: an attack that seeks the smallest otherwise keeps
    /// to it then.
    ///
    /// # Errors
    /// When there is no such attack, or it has no such field.
    pub fn options(&self, name: &str) -> Result<Options> {
        let mut options = Options::of(name)?;
        let said = |key: &str| self.0.iter().any(|(other, _)| *other == key);
        if said("epsilon") && !said("mode") {
            options.search = false;
        }
        // A norm first: the budget's default follows it.
        let (norm, others): (Vec<_>, Vec<_>) = self.0.iter().partition(|(key, _)| *key == "norm");
        for (key, value) in norm.into_iter().chain(others) {
            options.set(key, value)?;
        }
        Ok(options)
    }
}
