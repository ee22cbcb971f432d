//! Everything that decides a generation, as one tree: built-in presets, TOML files
//! and command-line overrides all end here.

use crate::fingerprint;
use crate::guidance::{DistillationConfig, Rule};
use crate::pipeline::coarse::{CoarseConfig, CoarseSettings};
use crate::pipeline::edit::EditConfig;
use crate::pipeline::extract::MeshConfig;
use crate::pipeline::fine::{FineConfig, FineSettings};
use crate::pipeline::views::ViewConfig;
use crate::render::field::FieldConfig;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::Read;

/// The built-in presets by name.
const PRESETS: [(&str, &str); 4] = [
    (BUILT_IN[0], include_str!("../assets/presets/instant.toml")),
    (BUILT_IN[1], include_str!("../assets/presets/quick.toml")),
    (BUILT_IN[2], include_str!("../assets/presets/standard.toml")),
    (BUILT_IN[3], include_str!("../assets/presets/headsculpt.toml")),
];

/// The names of the built-in presets, the fastest first.
pub const BUILT_IN: [&str; 4] = ["instant", "quick", "standard", "headsculpt"];

/// Longest prompt, in characters: beyond it, it is not a prompt but a file given by mistake.
/// Whatever a tokenizer cannot hold is cut with a warning.
const PROMPT_LIMIT: usize = 100_000;

/// What is wrong with the settings, in one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Neither a built-in preset nor a file.
    #[error("unknown preset '{name}': it is neither a file nor one of {known}")]
    UnknownPreset {
        /// What was asked for.
        name: String,
        /// The built-in names.
        known: String,
    },
    /// A preset file does not read or parse.
    #[error("preset {file}: {what}")]
    File {
        /// The file or preset.
        file: String,
        /// The reason, with the key.
        what: String,
    },
    /// A value out of range.
    #[error("{field}: {what}")]
    Field {
        /// Flag or key.
        field: &'static str,
        /// What is wrong with it.
        what: String,
    },
}

/// All settings of one generation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenerationConfig {
    /// The sentence.
    #[serde(default)]
    pub prompt: String,
    /// What the head should not look like; may be empty.
    #[serde(default)]
    pub negative: String,
    /// Decides every random number.
    #[serde(default)]
    pub seed: u64,
    /// Name of the preset that the settings started from.
    #[serde(default)]
    pub preset: String,
    /// The diffusion checkpoint: `embedded`, or a folder.
    pub model: String,
    /// Whether what the prompt leaves open is filled in, from the seed, before the first
    /// step: one skin tone, one hair style. Needs a checkpoint with attribute readers.
    #[serde(default)]
    pub complete_prompt: bool,
    /// Where the optimisation starts.
    #[serde(default)]
    pub start: Start,
    /// Cameras, lights, backgrounds.
    pub views: ViewConfig,
    /// Score distillation.
    pub guidance: DistillationConfig,
    /// The neural field.
    pub field: FieldConfig,
    /// The optimisation of the field.
    pub coarse: CoarseConfig,
    /// The optimisation of the mesh that the field becomes.
    #[serde(default)]
    pub fine: FineConfig,
    /// Edits of the finished mesh.
    #[serde(default)]
    pub edit: EditConfig,
    /// The exported mesh.
    pub mesh: MeshConfig,
}

/// The head that the optimisation starts from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// The mean head of the prior.
    #[default]
    Mean,
    /// The person that the prompt asks for, as the attribute readers understand it; with 0
    /// steps that person is the result.
    Person,
}

/// Command-line flags that change single settings of a preset.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Overrides {
    /// The diffusion checkpoint: 'embedded', the name of an added model (see `models list`) or
    /// a folder in diffusers layout
    #[arg(long, value_name = "NAME|DIR")]
    pub model: Option<String>,
    /// Seed of every random number; the same seed gives the same head
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// What the head should not look like
    #[arg(long, value_name = "TEXT")]
    pub negative: Option<String>,
    /// Height and width of the rendered training views
    #[arg(long, value_name = "PX", allow_negative_numbers = true)]
    pub size: Option<u32>,
    /// Steps of the coarse stage
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub coarse_steps: Option<u64>,
    /// Steps of the fine stage, which refines the head as a mesh; 0 leaves it out
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub fine_steps: Option<u64>,
    /// Score distillation rule
    #[arg(long, value_enum, value_name = "RULE")]
    pub guidance: Option<Rule>,
    /// Classifier-free guidance scale
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub guidance_scale: Option<f64>,
    /// Guide by the prompt as it is: do not fill in what it leaves open (where the field starts
    /// from a person, it still does)
    #[arg(long)]
    pub verbatim: bool,
}

impl Overrides {
    /// Applies the given flags.
    pub fn apply(self, config: &mut GenerationConfig) {
        fn set<T>(value: Option<T>, field: &mut T) {
            if let Some(value) = value {
                *field = value;
            }
        }
        set(self.model, &mut config.model);
        set(self.seed, &mut config.seed);
        set(self.negative, &mut config.negative);
        set(self.size, &mut config.views.size);
        set(self.size, &mut config.fine.size);
        set(self.coarse_steps, &mut config.coarse.steps);
        set(self.fine_steps, &mut config.fine.steps);
        if let Some(rule) = self.guidance {
            config.guidance.rule = rule;
            if rule != Rule::X0 {
                // Other rules have no target to descend on more than once.
                config.coarse.inner_steps = 1;
                config.fine.inner_steps = 1;
            }
        }
        config.guidance.scale = self.guidance_scale.or(config.guidance.scale);
        config.complete_prompt &= !self.verbatim;
    }
}

impl GenerationConfig {
    /// A built-in preset by name, or the settings in a TOML file. A file may start
    /// from a preset with `extends = "quick"` and give only what differs.
    ///
    /// # Errors
    /// [`ConfigError::UnknownPreset`], or [`ConfigError::File`] naming the key.
    pub fn preset(name: &str) -> Result<Self, ConfigError> {
        let mut config = parse(name, table(name, 0)?)?;
        name.clone_into(&mut config.preset);
        Ok(config)
    }

    /// The settings in the text of a preset file that extends built-in presets alone.
    ///
    /// # Errors
    /// As [`Self::preset`].
    pub(crate) fn from_text(text: &str) -> Result<Self, ConfigError> {
        let name = "preset";
        let fail = |what: String| ConfigError::File { file: name.to_owned(), what };
        let (base, own) = layer(text).map_err(fail)?;
        let mut merged = match base {
            Some(base) if BUILT_IN.contains(&base.as_str()) => table(&base, 0)?,
            Some(base) => return Err(fail(format!("'{base}' is not built in"))),
            None => toml::Table::new(),
        };
        merge(&mut merged, own);
        parse(name, merged)
    }

    /// Checks every number and text.
    ///
    /// # Errors
    /// [`ConfigError::Field`] naming the flag or key.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let fail = |field, what: String| Err(ConfigError::Field { field, what });
        if self.prompt.trim().is_empty() {
            return fail("prompt", "is empty; say what the head should look like".into());
        }
        if self.prompt.chars().count() > PROMPT_LIMIT {
            return fail("prompt", format!("is longer than {PROMPT_LIMIT} characters"));
        }
        if self.negative.chars().count() > PROMPT_LIMIT {
            return fail("--negative", format!("is longer than {PROMPT_LIMIT} characters"));
        }
        // Without any step there must be something to show.
        let least = u64::from(self.start == Start::Mean);
        if !(least..=100_000).contains(&self.coarse.steps) {
            let what = format!("{} is not within {least}..100000", self.coarse.steps);
            return fail("--coarse-steps", what);
        }
        if let Some(scale) = self.guidance.scale.filter(|scale| !(0.0..=1000.0).contains(scale)) {
            return fail("--guidance-scale", format!("{scale} is not within 0..1000"));
        }
        self.views.validate().or_else(|(field, what)| fail(field, what))?;
        if !self.guidance.timesteps.is_valid() {
            let what = "needs ordered bounds within 0..1".into();
            return fail("guidance.timesteps", what);
        }
        for (field, value, max) in [
            ("guidance.ddim_steps", self.guidance.ddim_steps, 1000),
            ("guidance.inversion_steps", self.guidance.inversion_steps, 1000),
        ] {
            if !(1..=max).contains(&value) {
                return fail(field, format!("{value} is not within 1..{max}"));
            }
        }
        if !(0.0..=0.2).contains(&self.guidance.coarser_than) {
            let what = format!("{} is not within 0..0.2", self.guidance.coarser_than);
            return fail("guidance.coarser_than", what);
        }
        for (field, inner) in [
            ("coarse.inner_steps", self.coarse.inner_steps),
            ("fine.inner_steps", self.fine.inner_steps),
        ] {
            if inner > 1 && self.guidance.rule != Rule::X0 {
                return fail(field, "updates against one target need the rule x0".to_owned());
            }
        }
        self.coarse.validate().or_else(|(field, what)| fail(field, what))?;
        self.fine.validate().or_else(|(field, what)| fail(field, what))?;
        // Edits go on in the fine stage's settings.
        if self.fine.steps > 0 || self.edit.steps > 0 {
            let field = self.fine.field(&self.field).validate();
            field.or_else(|what| fail("fine.texture", what.to_string()))?;
            let views = self.fine.views(&self.views).validate();
            views.or_else(|(field, what)| {
                fail(if field == "--size" { "fine.size" } else { field }, what)
            })?;
        }
        self.edit.validate().or_else(|(field, what)| fail(field, what))?;
        self.mesh.validate().or_else(|(field, what)| fail(field, what))?;
        self.field.validate().or_else(|what| fail("field", what.to_string()))
    }

    /// Whether somebody must be chosen for the prompt before anything else.
    #[must_use]
    pub fn needs_person(&self) -> bool {
        self.start == Start::Person || self.complete_prompt
    }

    /// Whether the head is ready without any optimisation.
    #[must_use]
    pub fn is_instant(&self) -> bool {
        self.start == Start::Person && self.coarse.steps == 0 && self.fine.steps == 0
    }

    /// What the coarse stage is made from.
    #[must_use]
    pub fn coarse_settings(&self) -> CoarseSettings<'_> {
        CoarseSettings {
            views: &self.views,
            field: &self.field,
            coarse: &self.coarse,
            seed: self.seed,
        }
    }

    /// What the fine stage is made from.
    #[must_use]
    pub fn fine_settings(&self) -> FineSettings<'_> {
        FineSettings { views: &self.views, fine: &self.fine, mesh: &self.mesh, seed: self.seed }
    }

    /// A hash of all settings and of the diffusion model's identity: a checkpoint of
    /// other settings, or guided by another embedded model, is refused.
    #[must_use]
    pub fn fingerprint(&self, model: &str) -> String {
        let text = serde_json::to_string(self)
            .unwrap_or_else(|error| unreachable!("numbers and strings serialise: {error}"));
        fingerprint::hex(Sha256::new_with_prefix(text).chain_update(model), 16)
    }

    /// `<slug of the prompt>-<seed>`.
    #[must_use]
    pub fn default_folder(&self) -> String {
        format!("{}-{}", slug(&self.prompt), self.seed)
    }
}

/// A sentence as part of a file name: its words with hyphens, up to 48 characters.
#[must_use]
pub fn slug(sentence: &str) -> String {
    let words: Vec<String> = sentence
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let slug: String = words.join("-").chars().take(48).collect();
    slug.trim_matches('-').to_owned()
}

/// The most bytes of a preset file.
const LONGEST_PRESET: u64 = 1 << 20;
/// How many files may extend one another.
const EXTENDS_LIMIT: usize = 8;

fn table(name: &str, depth: usize) -> Result<toml::Table, ConfigError> {
    let fail = |what: String| ConfigError::File { file: name.to_owned(), what };
    let builtin = PRESETS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
    let text = match builtin {
        Some(text) => text.to_owned(),
        None if std::path::Path::new(name).is_file() => {
            read_short(name).map_err(|error| fail(error.to_string()))?
        }
        None => {
            let (name, known) = (name.to_owned(), BUILT_IN.join(", "));
            return Err(ConfigError::UnknownPreset { name, known });
        }
    };
    let (base, own) = layer(&text).map_err(fail)?;
    let Some(base) = base else { return Ok(own) };
    if depth == EXTENDS_LIMIT {
        return Err(fail("'extends' goes in a circle".into()));
    }
    let mut merged = table(&base, depth + 1)?;
    merge(&mut merged, own);
    Ok(merged)
}

/// What a file extends, and what it gives itself.
fn layer(text: &str) -> Result<(Option<String>, toml::Table), String> {
    let mut own: toml::Table =
        toml::from_str(text).map_err(|error| one_line(&error.to_string()))?;
    let base = match own.remove("extends") {
        Some(toml::Value::String(base)) => Some(base),
        Some(_) => return Err("'extends' is not a string".into()),
        None => None,
    };
    Ok((base, own))
}

/// Reads a file that is no longer than a preset may be.
fn read_short(name: &str) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(name)?.take(LONGEST_PRESET + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST_PRESET {
        return Err(std::io::Error::other("is too long for a preset"));
    }
    Ok(text)
}

fn merge(base: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(base)), toml::Value::Table(over)) => merge(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

fn parse(name: &str, table: toml::Table) -> Result<GenerationConfig, ConfigError> {
    toml::Value::Table(table).try_into().map_err(|error: toml::de::Error| ConfigError::File {
        file: name.to_owned(),
        what: one_line(&error.to_string()),
    })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::views::{CloseUps, Elevation};

    fn quick() -> GenerationConfig {
        GenerationConfig { prompt: "a man".into(), ..GenerationConfig::preset("quick").unwrap() }
    }

    #[test]
    fn every_preset_parses_validates_and_round_trips() {
        for (name, _) in PRESETS {
            let mut config = GenerationConfig::preset(name).unwrap();
            config.prompt = "a head".into();
            config.validate().unwrap();
            let text = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<GenerationConfig>(&text).unwrap(), config);
        }
    }

    #[test]
    fn bad_values_name_their_flag() {
        type Spoil = fn(&mut GenerationConfig);
        let cases: [(&str, Spoil); 20] = [
            ("prompt", |c| c.prompt = " \n".into()),
            ("prompt", |c| c.prompt = "a".repeat(PROMPT_LIMIT + 1)),
            ("--size", |c| c.views.size = 8),
            ("--coarse-steps", |c| (c.start, c.coarse.steps) = (Start::Mean, 0)),
            ("--guidance-scale", |c| c.guidance.scale = Some(f64::NAN)),
            ("--guidance-scale", |c| c.guidance.scale = Some(-1.0)),
            ("views.region_weights", |c| c.views.region_weights = [0.0; 4]),
            ("views.fov", |c| c.views.fov = [40.0, 30.0]),
            ("views.elevation", |c| {
                c.views.elevation = Elevation::Normal([5.0, 12.0, 40.0, -20.0]);
            }),
            ("views.elevation", |c| c.views.elevation = Elevation::Uniform([0.0, 90.0])),
            ("views.target_jitter", |c| c.views.target_jitter = f32::NAN),
            ("views.lit", |c| c.views.lit = 1.5),
            ("views.close_ups", |c| {
                let close = CloseUps { count: 99, frame_height: 0.9, azimuth: 30.0 };
                c.views.close_ups = Some(close);
            }),
            ("coarse.inner_steps", |c| c.guidance.rule = Rule::Sds),
            ("guidance.timesteps", |c| c.guidance.timesteps.last = [0.9, 0.1]),
            ("guidance.ddim_steps", |c| c.guidance.ddim_steps = 0),
            ("--fine-steps", |c| c.fine.steps = 1_000_000),
            ("fine.size", |c| c.fine.size = 4),
            ("fine.cells", |c| c.fine.cells = 1000),
            ("fine.distance_rate", |c| c.fine.distance_rate = f32::NAN),
        ];
        for (name, spoil) in cases {
            let mut config = quick();
            spoil(&mut config);
            match config.validate() {
                Err(ConfigError::Field { field, .. }) => assert_eq!(field, name),
                other => panic!("{name}: {other:?}"),
            }
        }
        quick().validate().unwrap();
    }

    #[test]
    fn files_extend_presets_and_unknown_keys_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let mine = write("mine.toml", "extends = \"quick\"\n[coarse]\nsteps = 7\n");
        let config = GenerationConfig::preset(&mine).unwrap();
        assert_eq!(config.coarse.steps, 7);
        assert_eq!(config.views, quick().views);
        for (text, word) in [
            ("extends = \"quick\"\n[coarse]\nstepps = 7\n", "stepps"),
            ("extends = \"quick\"\n[coarse]\nsteps = \"x\"\n", "steps"),
            ("model = [", "model"),
        ] {
            let error = GenerationConfig::preset(&write("bad.toml", text)).unwrap_err();
            let sentence = error.to_string();
            assert!(sentence.contains(word) && !sentence.contains('\n'), "{sentence}");
        }
        let circle = dir.path().join("circle.toml");
        std::fs::write(&circle, format!("extends = {:?}", circle.to_str().unwrap())).unwrap();
        let error = GenerationConfig::preset(circle.to_str().unwrap()).unwrap_err();
        assert!(error.to_string().contains("circle"));
        let error = GenerationConfig::preset("nonsense").unwrap_err().to_string();
        assert!(error.contains("nonsense") && error.contains("quick"));
    }

    #[test]
    fn the_fingerprint_sees_every_setting_and_the_folder_is_a_slug() {
        type Change = fn(&mut GenerationConfig);
        let mut b = quick();
        assert_eq!(quick().fingerprint("m"), b.fingerprint("m"));
        assert_ne!(b.fingerprint("m"), b.fingerprint("another"));
        let changes: [Change; 7] = [
            |c| c.prompt.push('s'),
            |c| c.seed += 1,
            |c| c.guidance.scale = Some(1.125),
            |c| c.complete_prompt = !c.complete_prompt,
            |c| c.views.fov[0] += 1e-5,
            |c| c.field.march.step *= 1.001,
            |c| c.mesh.texture += 4,
        ];
        for (i, change) in changes.iter().enumerate() {
            let mut changed = quick();
            change(&mut changed);
            assert_ne!(changed.fingerprint("m"), b.fingerprint("m"), "change {i}");
        }
        b.prompt = "A bald man, with *green* skin!".into();
        b.seed = 7;
        assert_eq!(b.default_folder(), "a-bald-man-with-green-skin-7");
    }

    #[test]
    fn a_head_without_steps_needs_somebody_to_show() {
        let mut config = GenerationConfig::preset("instant").unwrap();
        config.prompt = "a man".into();
        config.validate().unwrap();
        assert!(config.is_instant() && config.needs_person());
        // Refining the instant head is a matter of steps.
        config.coarse.steps = 10;
        config.validate().unwrap();
        assert!(!config.is_instant());
        let mut quick = GenerationConfig::preset("quick").unwrap();
        quick.prompt = "a man".into();
        quick.start = Start::Mean;
        quick.coarse.steps = 0;
        let error = quick.validate().unwrap_err().to_string();
        assert_eq!(error, "--coarse-steps: 0 is not within 1..100000");
    }
}
