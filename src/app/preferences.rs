//! What the window remembers between runs.

use super::viewport::ViewSettings;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Projects that are offered again.
const RECENT: usize = 12;

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system says.
    System,
    /// Dark.
    #[default]
    Dark,
    /// Light.
    Light,
}

/// What the window remembers between runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// Light or dark.
    pub theme: Theme,
    /// Size of everything, 1 is the system's.
    pub zoom: f32,
    /// How the head is shown.
    pub view: ViewSettings,
    /// Projects that were open, the newest first.
    pub recent: Vec<PathBuf>,
    /// Where new projects go.
    pub projects: PathBuf,
    /// The preset for new heads.
    pub preset: String,
    /// The model for new heads; empty is the preset's.
    pub model: String,
    /// Whether the log is open.
    pub log: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            theme: Theme::default(),
            zoom: 1.0,
            view: ViewSettings::default(),
            recent: Vec::new(),
            projects: home().join("HeadSculpt"),
            preset: "quick".into(),
            model: String::new(),
            log: false,
        }
    }
}

impl Preferences {
    /// Puts a project at the head of the recent ones.
    pub fn remember(&mut self, folder: &Path) {
        self.recent.retain(|known| known != folder);
        self.recent.insert(0, folder.to_path_buf());
        self.recent.truncate(RECENT);
    }
}

/// The user's folder; the working one where the system knows none.
fn home() -> PathBuf {
    let named = ["HOME", "USERPROFILE"].into_iter().filter_map(std::env::var_os);
    named.map(PathBuf::from).find(|path| path.is_absolute()).unwrap_or_else(|| ".".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_project_comes_first_and_once() {
        let mut preferences = Preferences::default();
        for name in ["a", "b", "a"] {
            preferences.remember(Path::new(name));
        }
        assert_eq!(preferences.recent, [PathBuf::from("a"), PathBuf::from("b")]);
        for i in 0..20 {
            preferences.remember(&PathBuf::from(i.to_string()));
        }
        assert_eq!(preferences.recent.len(), RECENT);
    }

    #[test]
    fn what_older_versions_kept_is_read() {
        let read: Preferences = serde_json::from_str("{\"zoom\": 1.5}").unwrap();
        assert_eq!(read, Preferences { zoom: 1.5, ..Preferences::default() });
    }
}
