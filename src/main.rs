//! The command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    misread::cli::main()
}
