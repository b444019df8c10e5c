//! The command line: what can be asked for. A command is a file: its arguments and what it does.

mod aim;
mod attack;
mod bench;
mod black_box;
mod calibrate;
mod catalogue;
mod defences;
mod distillation;
mod export;
mod fetch;
mod fields;
mod import;
mod numbers;
mod report;
mod sample;
mod serve;
mod study;
mod train;
mod universal;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};

use crate::datasets::{self, Dataset};
use crate::native::root::root;

/// See a neural network misread. Without a command: serves the page.
#[derive(Parser)]
#[command(version, about, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Serve,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the page (what happens without a command, too)
    Serve(serve::Serve),
    /// Fetches a data set and checks it
    Fetch(fetch::Fetch),
    /// Trains a network and exports its weights (needs a build with --features train)
    Train(train::Train),
    /// Attacks images and reports each
    Attack(attack::Attack),
    /// Attacks every network with every attack and compares them
    Study(study::Study),
    /// Times gradients on this machine, beside its multiply-add peak
    Bench(bench::Bench),
    /// Packs the test images that the page ships
    Sample(sample::Sample),
    /// Attacks a network behind every defence, by attacks that know it and that do not, and writes a table
    Defences(defences::Defences),
    /// Attacks a network without a gradient, and tells how far one gets by the number of queries
    BlackBox(black_box::BlackBox),
    /// Shows what three losses see of a distilled network
    Distillation(distillation::Distillation),
    /// Makes one change that fools a network on many images
    Universal(universal::Universal),
    /// Makes a weights file of a network in ONNX
    Import(import::Import),
    /// Writes a network as ONNX
    Export(export::Export),
    /// Tells how well a siamese network compares pairs of images
    Verify(verify::Verify),
    /// Sets the thresholds by which a VAE or a siamese network stands guard
    Calibrate(calibrate::Calibrate),
    /// Prints as JSON what there is: data sets, networks, attacks with their fields, defences
    Catalogue(catalogue::Catalogue),
}

/// Where the data sets lie.
#[derive(Args)]
struct Data {
    /// The folder of the data sets, `data` of the checkout when not given; name another if you have the files already
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

impl Data {
    /// The folder.
    ///
    /// # Errors
    /// When one is named that is not there: a slip of the hand is not to fetch everything anew.
    fn dir(&self) -> Result<PathBuf> {
        let dir = self.place();
        ensure!(
            self.data_dir.is_none() || dir.is_dir(),
            "there is no folder {}; make it if it is meant (--data-dir)",
            dir.display()
        );
        Ok(dir)
    }

    /// Where it is or is to be.
    fn place(&self) -> PathBuf {
        let usual = || {
            if Path::new("data").is_dir() {
                "data".into()
            } else {
                root().map_or("data".into(), |root| root.join("data"))
            }
        };
        self.data_dir.clone().unwrap_or_else(usual)
    }
}

/// Does what the arguments ask for; what goes wrong is said on standard error.
pub fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(command) => serve::run(&command),
        Command::Fetch(command) => fetch::run(&command),
        Command::Train(command) => train::run(command),
        Command::Attack(command) => attack::run(&command),
        Command::Study(command) => study::run(command),
        Command::Bench(command) => bench::run(&command),
        Command::Sample(command) => sample::run(&command),
        Command::Defences(command) => defences::run(&command),
        Command::BlackBox(command) => black_box::run(&command),
        Command::Distillation(command) => distillation::run(&command),
        Command::Universal(command) => universal::run(&command),
        Command::Import(command) => import::run(&command),
        Command::Export(command) => export::run(&command),
        Command::Verify(command) => verify::run(&command),
        Command::Calibrate(command) => calibrate::run(&command),
        Command::Catalogue(command) => catalogue::run(&command),
    }
}

/// Takes the names of data sets.
fn dataset_names() -> PossibleValuesParser {
    PossibleValuesParser::new(datasets::ALL.iter().map(|dataset| {
        let [rows, cols, channels] = dataset.image;
        let colours = if channels == 1 { "grey" } else { "colour" };
        clap::builder::PossibleValue::new(dataset.name)
            .help(format!("{}: {}, {rows} x {cols}, {colours}", dataset.title, dataset.nouns[1]))
    }))
}

/// A data set by a name that [`dataset_names`] took.
fn dataset(name: &str) -> Result<&'static Dataset> {
    Ok(Dataset::by_name(name)?)
}

/// What was typed, as anybody would type it again: without the `without`, and without where the data lie on this machine.
fn typed(feature: Option<&str>, without: &[&str]) -> String {
    let features = feature.map(|feature| format!(" --features {feature}")).unwrap_or_default();
    let arguments = retyped(std::env::args().skip(1), without);
    format!("cargo run --release{features} -- {}", arguments.join(" "))
}

/// The arguments of [`typed`].
fn retyped(arguments: impl Iterator<Item = String>, without: &[&str]) -> Vec<String> {
    let mut last_was_the_folder = false;
    arguments
        .filter(|argument| {
            let folder = argument == "--data-dir";
            let kept = !folder && !last_was_the_folder && !argument.starts_with("--data-dir=");
            last_was_the_folder = folder;
            kept && !without.contains(&argument.as_str())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_leaves_out_where_this_machine_keeps_its_data() {
        let typed =
            "train lfw-cnn --data-dir /mnt/faces --resume --seed 2 --data-dir=data --out a.safetensors";
        let again = retyped(typed.split(' ').map(str::to_owned), &["--resume"]);
        assert_eq!(again.join(" "), "train lfw-cnn --seed 2 --out a.safetensors");
    }
}
