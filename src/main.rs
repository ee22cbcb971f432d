//! The `headsculpt` binary: parse the command line, dispatch, exit.

use headsculpt::cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
