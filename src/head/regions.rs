//! Named regions of the head, one set of names everywhere.

use serde::{Deserialize, Serialize};

/// A named part of the head with a soft mask a vertex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// All facial skin: chin to hairline, ear to ear.
    Face,
    /// Where head hair grows.
    Scalp,
    /// The two eyebrows.
    Brows,
    /// Lids, sockets, eyeballs and lashes.
    Eyes,
    /// Nose from the bridge to the nostrils.
    Nose,
    /// Both lips.
    Lips,
    /// Mouth cavity, teeth and tongue.
    InnerMouth,
    /// Where beards grow: upper lip, cheeks, chin, jaw.
    Jaw,
    /// Both ears.
    Ears,
    /// Throat and nape.
    Neck,
    /// Shoulders and chest.
    Chest,
}

impl Region {
    /// All regions in the order of their masks.
    pub const ALL: [Self; 11] = [
        Self::Face,
        Self::Scalp,
        Self::Brows,
        Self::Eyes,
        Self::Nose,
        Self::Lips,
        Self::InnerMouth,
        Self::Jaw,
        Self::Ears,
        Self::Neck,
        Self::Chest,
    ];

    /// The region's name in files and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Face => "face",
            Self::Scalp => "scalp",
            Self::Brows => "brows",
            Self::Eyes => "eyes",
            Self::Nose => "nose",
            Self::Lips => "lips",
            Self::InnerMouth => "inner_mouth",
            Self::Jaw => "jaw",
            Self::Ears => "ears",
            Self::Neck => "neck",
            Self::Chest => "chest",
        }
    }
}
