//! The command `serve`.

use anyhow::Result;
use clap::Args;

use super::Data;
use crate::native::server;

#[derive(Args)]
pub struct Serve {
    /// The port; the next free one when it is taken
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// The address to listen on (0.0.0.0 lets a whole class in)
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Another name under which the page may be asked for: behind a proxy, or where a container's port is passed on
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
    /// Opens the page in the browser
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    data: Data,
}

pub fn run(serve: &Serve) -> Result<()> {
    server::serve(&serve.host, &serve.allow_host, serve.port, serve.open, &serve.data.dir()?)
}
