//! The command `study`.

use std::path::PathBuf;

use anyhow::Result;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, Subcommand};

use super::numbers::counts;
use super::{Data, dataset, dataset_names};
use crate::attack::{Descriptor, Norm};
use crate::classifier::{EOT, MAX_SAMPLES};
use crate::study::shard::Shard;
use crate::{attack, study};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Study {
    #[command(subcommand)]
    command: Option<StudyCommand>,
    /// Which data set; all whose images are there when none is named
    #[arg(long, value_parser = dataset_names())]
    dataset: Option<String>,
    /// How many test images of each data set
    #[arg(long, default_value_t = 100, value_parser = counts(1, 1_000_000))]
    images: usize,
    /// Weights files; all shipped networks, with those of other seeds, when none is given
    #[arg(long, num_args = 1..)]
    models: Vec<PathBuf>,
    /// In which norms the smallest change that fools is sought, by the strongest attack
    #[arg(long, value_delimiter = ',', default_value = "linf,l1,l2", value_parser = norms())]
    norms: Vec<String>,
    /// Gradients of each such search, at most: 500, or of one norm l1=500; the data set's own when not given
    #[arg(long, num_args = 1.., value_parser = study::parse_gradients)]
    gradients: Vec<(Option<Norm>, usize)>,
    /// Which attacks are made besides, at budgets or as they are; none is one word for no attack
    #[arg(long, value_delimiter = ',', default_value = "linf,l1,lbfgs", value_parser = attacks())]
    attacks: Vec<String>,
    /// Budgets in place of the usual ones: linf=0.05,0.1 l1=10,20
    #[arg(long, num_args = 1.., value_parser = study::parse_budgets)]
    budgets: Vec<(&'static Descriptor, Vec<f32>)>,
    /// Start the iterative attacks at random points of the ball, drawn with this seed
    #[arg(long)]
    seed: Option<u64>,
    /// Draws over which an attack on a sampling VAE takes the mean loss
    #[arg(long, default_value_t = EOT, value_parser = counts(1, MAX_SAMPLES))]
    eot: usize,
    /// The folder of records and report; the same command goes on with what it finds there
    #[arg(long, default_value = "study")]
    out: PathBuf,
    /// Make one part of the work only: 0/4 is the first of four
    #[arg(long)]
    shard: Option<Shard>,
    /// How many parts there are, where a Kubernetes indexed job (or a Slurm array) says which one this is
    #[arg(long, conflicts_with = "shard", value_parser = counts(1, 1_000_000))]
    shards: Option<usize>,
    #[command(flatten)]
    data: Data,
}

#[derive(Subcommand)]
enum StudyCommand {
    /// Joins the shards of a study and makes its report
    Merge {
        /// The folders of the shards
        #[arg(required = true)]
        folders: Vec<PathBuf>,
        /// Where to
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        data: Data,
    },
    /// Makes the report of a study again, or one of several studies of different data sets
    Report {
        /// Their folders
        #[arg(default_value = "study")]
        folders: Vec<PathBuf>,
        /// Where to; the first folder when not given
        #[arg(long)]
        out: Option<PathBuf>,
        /// Leaves out the figure that shows faces, so that the report may be passed on
        #[arg(long)]
        without_faces: bool,
        #[command(flatten)]
        data: Data,
    },
}

/// The names of the attacks, and a word for none.
fn attacks() -> PossibleValuesParser {
    let names = attack::ALL.iter().map(|attack| attack.name).chain([NO_ATTACK]);
    PossibleValuesParser::new(names.map(PossibleValue::new))
}

/// In place of attacks: none.
const NO_ATTACK: &str = "none";

/// The names of the norms, as an argument takes them.
fn norms() -> PossibleValuesParser {
    Norm::ALL.map(Norm::name).into()
}

pub fn run(s: Study) -> Result<()> {
    let command = super::typed(None, &[]);
    match s.command {
        Some(StudyCommand::Merge { folders, out, data }) => {
            return study::merge(&folders, &out, &data.dir()?, &command);
        }
        Some(StudyCommand::Report { folders, out, without_faces, data }) => {
            let out = out.unwrap_or_else(|| folders[0].clone());
            return study::remake(&folders, &out, !without_faces, &data.dir()?, &command);
        }
        None => {}
    }
    let shard =
        Shard::find(s.shard, s.shards, |name| std::env::var(name).ok()).map_err(anyhow::Error::msg)?;
    let norms = s.norms.iter().map(|name| name.parse()).collect::<Result<_, _>>()?;
    let named = s.attacks.iter().filter(|name| *name != NO_ATTACK);
    let attacks = named.map(|name| attack::by_name(name)).collect::<Result<_, _>>()?;
    study::study(&study::Options {
        dataset: s.dataset.as_deref().map(dataset).transpose()?,
        images: s.images,
        models: s.models,
        norms,
        gradients: s.gradients,
        attacks,
        budgets: s.budgets,
        seed: s.seed,
        eot: s.eot,
        out: s.out,
        shard,
        data: s.data.dir()?,
        command,
    })
}
