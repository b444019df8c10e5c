//! The command `fetch`.

use anyhow::Result;
use clap::Args;

use super::{Data, dataset, dataset_names};
use crate::native::fetch;

#[derive(Args)]
pub struct Fetch {
    /// Which one
    #[arg(value_parser = dataset_names())]
    dataset: String,
    #[command(flatten)]
    data: Data,
    /// A mirror to try first (a URL under which the data set's packed files lie)
    #[arg(long)]
    mirror: Vec<String>,
}

pub fn run(command: &Fetch) -> Result<()> {
    fetch::fetch(dataset(&command.dataset)?, &command.data.place(), &command.mirror)
}
