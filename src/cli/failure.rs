//! How a command fails: bad input, cancelled, or broken.

use std::process::ExitCode;

/// Why a command did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Bad usage or bad input: exit code 2.
    #[error("{0}")]
    Input(String),
    /// Stopped by the user, state saved: exit code 130.
    #[error("{0}")]
    Cancelled(String),
    /// Everything else: exit code 1.
    #[error("{0:#}")]
    Broken(#[from] anyhow::Error),
}

impl Failure {
    /// The process's exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Input(_) => 2,
            Self::Cancelled(_) => 130,
            Self::Broken(_) => 1,
        })
    }

    /// Bad input, from anything that says itself what is wrong.
    pub fn input(error: impl std::fmt::Display) -> Self {
        Self::Input(error.to_string())
    }
}

/// The first paragraph of a longer message, on one line.
pub(super) fn first_sentence(message: &str) -> String {
    let paragraph = message.split("\n\n").next().unwrap_or(message);
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text from a file, for a terminal: on one line, and without anything that would steer it.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_a_file_says_stays_on_its_line() {
        assert_eq!(super::plain("a\n\u{1b}[2Jb\tü"), "a  [2Jb ü");
    }

    #[test]
    fn a_paragraph_becomes_a_line() {
        let message = "error: invalid value 'x'\n  [possible values: a]\n\nFor more information";
        assert_eq!(super::first_sentence(message), "error: invalid value 'x' [possible values: a]");
    }
}
