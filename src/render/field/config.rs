//! The settings of a field, their presets and their limits.

use crate::render::RenderError;
use crate::render::adam::AdamConfig;

/// Settings of a [`Field`](super::Field). Lengths are world units (the scene cube is
/// `[-1, 1]^3`, a head is 0.70 from chin to crown).
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FieldConfig {
    /// The multiresolution grid.
    pub grid: GridConfig,
    /// The network from grid features to density logit and albedo.
    pub mlp: MlpConfig,
    /// From logit to density.
    pub density: DensityConfig,
    /// What the head prior adds to the logit.
    pub prior: PriorConfig,
    /// Ray marching.
    pub march: MarchConfig,
    /// The occupancy grid that skips empty space.
    pub occupancy: OccupancyConfig,
    /// Weights of the regularisers at the start; see [`Field::set_regularisers`](super::Field::set_regularisers).
    pub regularisers: Regularisers,
    /// Half the edge of the tetrahedron along which the logit is differenced for normals.
    pub normal_epsilon: f32,
    /// The optimiser's constants.
    pub adam: AdamConfig,
    /// Adam's epsilon for the first feature, which is the density logit in a field without
    /// a network; by default the usual one. Adam gives noise the same step as a signal, and
    /// noise in the density dents surfaces: an epsilon of the noise's size prevents that.
    pub density_epsilon: Option<f32>,
}

/// The multiresolution grid: geometric resolutions from base to finest, each level
/// dense where it fits the table and hashed otherwise (Mueller et al. 2022).
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GridConfig {
    /// Number of levels, 1..=16.
    pub levels: u32,
    /// Features a level: 2 or 4.
    pub features: u32,
    /// Cells a side of the coarsest level.
    pub base_resolution: u32,
    /// Cells a side of the finest level.
    pub finest_resolution: u32,
    /// Binary logarithm of the most entries a level may have, 8..=22.
    pub log2_table: u32,
    /// Smoothstep rather than linear interpolation.
    pub smoothstep: bool,
    /// Features start uniform in plus and minus this.
    pub init_range: f32,
}

/// The network. Without hidden layers and with 4 features a level it starts as the
/// sum of the levels: a pyramid of voxel grids of (density logit, albedo logits).
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlpConfig {
    /// Units of each hidden layer, a multiple of 4 up to 64.
    pub hidden_width: u32,
    /// Number of hidden (tanh) layers, 0..=2.
    pub hidden_layers: u32,
    /// Whether the weights are optimised; if not, their gradients are not computed.
    pub train: bool,
}

/// From logit to density.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DensityConfig {
    /// The shape of the activation.
    pub activation: DensityActivation,
    /// Density per world unit of an activation of 1: a path of length `s` through
    /// constant logit lets `exp(-scale * activation * s)` of the light pass.
    pub scale: f32,
}

/// The shape of the density activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DensityActivation {
    /// `ln(1 + e^x)`, unbounded.
    Softplus,
    /// `1 / (1 + e^-x)`, at most 1, so that no place becomes too dense to be carved.
    Sigmoid,
}

/// What the head prior adds to the logit `h` of the network.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum PriorConfig {
    /// No prior.
    None,
    /// `weight * p + b - c` with `p = max(0, ln(e^g - 1))`,
    /// `g = a sigmoid(-a |d| / sqrt 3)`, `b = blob exp(-|x|^2 / blob_spread)`, and `c`
    /// rising smoothly from 0 on the surface to `clearance` at `clearance_distance` outside.
    Shell {
        /// `a`.
        sharpness: f32,
        /// Height of the blob at the centre.
        blob: f32,
        /// Its squared width.
        blob_spread: f32,
        /// What is subtracted far outside.
        clearance: f32,
        /// Where that is reached.
        clearance_distance: f32,
    },
    /// `clamp(surface - d / width, min, max)`; the prior's weight scales its positive part.
    Solid {
        /// Distance over which the logit changes by one.
        width: f32,
        /// Logit on the prior's surface: where the mesh is extracted, so that a head that
        /// nothing moves stays the prior.
        #[serde(default)]
        surface: f32,
        /// Lowest logit, outside.
        min: f32,
        /// Highest logit, inside.
        max: f32,
    },
}

/// Ray marching.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MarchConfig {
    /// Distance between samples.
    pub step: f32,
    /// A ray ends once this share of its light is left.
    pub early_stop: f32,
    /// A ray takes no more samples once the occupancy grid's densities along it add up
    /// to this optical depth; 0 switches it off. Those densities are maxima over a
    /// cell's recent past, so choose it well above `-ln(early_stop)`.
    pub cull_depth: f32,
    /// Nearest distance from a camera that is sampled.
    pub nearest: f32,
    /// Most field evaluations a training step may need (with normals, each sample
    /// needs five). More is an error, never a silent drop.
    pub max_evaluations: u32,
}

/// The occupancy grid over the scene cube.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OccupancyConfig {
    /// Cells a side, a multiple of 32.
    pub resolution: u32,
    /// Training steps between refreshes.
    pub interval: u32,
    /// At each refresh a cell holds `max(decay * old, new)`.
    pub decay: f32,
    /// A cell is occupied above `min(mean, threshold)`; density per world unit.
    pub threshold: f32,
    /// Cells by which the occupied set is grown, 0..=4, so that its rim gets gradients.
    pub dilation: u32,
}

/// Weights of the regularisers.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Regularisers {
    /// Entropy, in bits, of each sample's weight; mean over the samples.
    pub entropy: f32,
    /// `w max(0, n . ray)^2`; mean over the samples. Needs normals.
    pub orientation: f32,
    /// `A (1 - A)` of each ray's opacity; mean over the rays.
    pub binarise: f32,
    /// Area of all surfaces, world units squared: the total variation of
    /// `sigmoid(logit)` on the lattice of the occupied cells, shifted at random each
    /// step. Removes floaters and fuzz.
    pub area: f32,
    /// Roughness of the albedo: its squared gradient, integrated over the occupied cells.
    pub roughness: f32,
    /// Softened absolute difference of neighbouring vertices on dense levels, by feature.
    pub smooth_absolute: [f32; 4],
    /// Squared difference of neighbouring vertices on dense levels, by feature.
    pub smooth_squared: [f32; 4],
}

/// Learning rates of one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Grid features, by feature channel.
    pub features: [f32; 4],
    /// Network weights.
    pub mlp: f32,
}

impl Rates {
    /// One rate for all features and one for the network; the paper's are 1e-2 and 1e-3.
    #[must_use]
    pub fn new(features: f32, mlp: f32) -> Self {
        Self { features: [features; 4], mlp }
    }
}

impl FieldConfig {
    /// Whether colours go through no network, but are the sum of the levels: such a field can
    /// be painted.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.mlp.hidden_layers == 0 && self.grid.features == 4
    }

    /// Adam's epsilon for each feature of a grid entry.
    pub(super) fn feature_epsilons(&self) -> [f32; 4] {
        let usual = self.adam.epsilon;
        [self.density_epsilon.unwrap_or(usual), usual, usual, usual]
    }

    /// The published setting: 16 levels from 16 to 2048, 2^19 entries, MLP 32-64-64-4,
    /// a shell prior, 1024 steps along the cube's diagonal. Wants a GPU.
    #[must_use]
    pub fn paper() -> Self {
        Self {
            grid: GridConfig::default(),
            mlp: MlpConfig::default(),
            density: DensityConfig::default(),
            prior: PriorConfig::default(),
            march: MarchConfig::default(),
            occupancy: OccupancyConfig::default(),
            regularisers: Regularisers::default(),
            normal_epsilon: 0.005,
            adam: AdamConfig::default(),
            density_epsilon: None,
        }
    }

    /// A small field for two CPU cores and 64-pixel views: four dense levels, a small
    /// network, a solid prior.
    #[must_use]
    pub fn quick() -> Self {
        Self {
            grid: GridConfig {
                levels: 4,
                features: 2,
                base_resolution: 12,
                finest_resolution: 96,
                log2_table: 20,
                ..GridConfig::default()
            },
            mlp: MlpConfig { hidden_width: 16, ..MlpConfig::default() },
            ..Self::quick_voxels()
        }
    }

    /// Like [`Self::quick`] without a network: three nested voxel grids, summed, of
    /// density and albedo logits.
    #[must_use]
    pub fn quick_voxels() -> Self {
        Self {
            grid: GridConfig {
                levels: 3,
                features: 4,
                base_resolution: 24,
                finest_resolution: 96,
                log2_table: 20,
                smoothstep: false,
                init_range: 0.0,
            },
            mlp: MlpConfig { hidden_width: 0, hidden_layers: 0, train: false },
            density: DensityConfig { activation: DensityActivation::Sigmoid, scale: 130.0 },
            prior: PriorConfig::Solid { width: 0.014, surface: 0.0, min: -6.5, max: 6.0 },
            march: MarchConfig { step: 0.0135, cull_depth: 16.0, ..MarchConfig::default() },
            occupancy: OccupancyConfig {
                resolution: 64,
                threshold: 0.5,
                ..OccupancyConfig::default()
            },
            regularisers: Regularisers::default(),
            normal_epsilon: 0.01,
            adam: AdamConfig::default(),
            density_epsilon: None,
        }
    }

    /// Checks every range.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] naming the first setting that is out of range.
    pub fn validate(&self) -> Result<(), RenderError> {
        let grid = &self.grid;
        within("grid.levels", grid.levels, 1, 16)?;
        if grid.features != 2 && grid.features != 4 {
            return invalid(format!("grid.features must be 2 or 4, not {}", grid.features));
        }
        within("grid.base_resolution", grid.base_resolution, 2, 4096)?;
        within("grid.finest_resolution", grid.finest_resolution, grid.base_resolution, 4096)?;
        within("grid.log2_table", grid.log2_table, 8, 22)?;
        finite("grid.init_range", grid.init_range, 0.0, 10.0)?;
        within("mlp.hidden_layers", self.mlp.hidden_layers, 0, 2)?;
        if self.mlp.hidden_layers > 0 {
            within("mlp.hidden_width", self.mlp.hidden_width, 4, 64)?;
            if !self.mlp.hidden_width.is_multiple_of(4) {
                return invalid("mlp.hidden_width must be a multiple of 4".into());
            }
        }
        finite("density.scale", self.density.scale, 1e-3, 1e5)?;
        match self.prior {
            PriorConfig::None => {}
            PriorConfig::Shell { sharpness, blob, blob_spread, clearance, clearance_distance } => {
                finite("prior.sharpness", sharpness, 1.0, 1e5)?;
                finite("prior.blob", blob, 0.0, 100.0)?;
                finite("prior.blob_spread", blob_spread, 1e-4, 100.0)?;
                finite("prior.clearance", clearance, 0.0, 100.0)?;
                finite("prior.clearance_distance", clearance_distance, 1e-4, 10.0)?;
            }
            PriorConfig::Solid { width, surface, min, max } => {
                finite("prior.width", width, 1e-4, 10.0)?;
                finite("prior.surface", surface, -20.0, 20.0)?;
                finite("prior.min", min, -100.0, 0.0)?;
                finite("prior.max", max, 0.0, 100.0)?;
                if surface <= min || surface >= max {
                    return invalid(format!(
                        "prior.surface of {surface} is not between prior.min and prior.max"
                    ));
                }
            }
        }
        finite("march.step", self.march.step, 1e-4, 1.0)?;
        finite("march.early_stop", self.march.early_stop, 0.0, 0.5)?;
        finite("march.cull_depth", self.march.cull_depth, 0.0, 1e6)?;
        finite("march.nearest", self.march.nearest, 0.0, 10.0)?;
        within("march.max_evaluations", self.march.max_evaluations, 1024, 1 << 23)?;
        within("occupancy.resolution", self.occupancy.resolution, 32, 256)?;
        if !self.occupancy.resolution.is_multiple_of(32) {
            return invalid("occupancy.resolution must be a multiple of 32".into());
        }
        within("occupancy.interval", self.occupancy.interval, 1, 1 << 20)?;
        within("occupancy.dilation", self.occupancy.dilation, 0, 4)?;
        finite("occupancy.decay", self.occupancy.decay, 0.0, 1.0)?;
        finite("occupancy.threshold", self.occupancy.threshold, 0.0, 1e6)?;
        finite("normal_epsilon", self.normal_epsilon, 1e-4, 0.5)?;
        finite("adam.beta1", self.adam.beta1, 0.0, 0.9999)?;
        finite("adam.beta2", self.adam.beta2, 0.0, 0.99999)?;
        finite("adam.epsilon", self.adam.epsilon, 1e-20, 1.0)?;
        finite("density_epsilon", self.feature_epsilons()[0], 1e-20, 1.0)?;
        self.regularisers.validate()
    }
}

impl Regularisers {
    /// All weights times a factor.
    #[must_use]
    pub fn scaled(&self, factor: f32) -> Self {
        Self {
            entropy: self.entropy * factor,
            orientation: self.orientation * factor,
            binarise: self.binarise * factor,
            area: self.area * factor,
            roughness: self.roughness * factor,
            smooth_absolute: self.smooth_absolute.map(|w| w * factor),
            smooth_squared: self.smooth_squared.map(|w| w * factor),
        }
    }

    /// Checks every weight.
    ///
    /// # Errors
    /// [`RenderError::Invalid`] naming the first weight that is negative or not finite.
    pub fn validate(&self) -> Result<(), RenderError> {
        finite("regularisers.entropy", self.entropy, 0.0, 1e6)?;
        finite("regularisers.orientation", self.orientation, 0.0, 1e6)?;
        finite("regularisers.binarise", self.binarise, 0.0, 1e6)?;
        finite("regularisers.area", self.area, 0.0, 1e6)?;
        finite("regularisers.roughness", self.roughness, 0.0, 1e6)?;
        for f in 0..4 {
            finite("regularisers.smooth_absolute", self.smooth_absolute[f], 0.0, 1e9)?;
            finite("regularisers.smooth_squared", self.smooth_squared[f], 0.0, 1e9)?;
        }
        Ok(())
    }
}

impl Default for FieldConfig {
    fn default() -> Self {
        Self::paper()
    }
}

impl Default for GridConfig {
    fn default() -> Self {
        Self {
            levels: 16,
            features: 2,
            base_resolution: 16,
            finest_resolution: 2048,
            log2_table: 19,
            smoothstep: true,
            init_range: 1e-4,
        }
    }
}

impl Default for MlpConfig {
    fn default() -> Self {
        Self { hidden_width: 64, hidden_layers: 2, train: true }
    }
}

impl Default for DensityConfig {
    fn default() -> Self {
        Self { activation: DensityActivation::Softplus, scale: 1.0 }
    }
}

impl Default for PriorConfig {
    fn default() -> Self {
        Self::Shell {
            sharpness: 1000.0,
            blob: 5.0,
            blob_spread: 0.08,
            clearance: 4.0,
            clearance_distance: 0.3,
        }
    }
}

impl Default for MarchConfig {
    fn default() -> Self {
        Self {
            step: 2.0 * 1.732_050_8 / 1024.0,
            early_stop: 1e-4,
            cull_depth: 0.0,
            nearest: 0.05,
            max_evaluations: 1 << 20,
        }
    }
}

impl Default for OccupancyConfig {
    fn default() -> Self {
        Self { resolution: 128, interval: 16, decay: 0.6, threshold: 10.0, dilation: 2 }
    }
}

impl Default for Regularisers {
    fn default() -> Self {
        Self {
            entropy: 0.0,
            orientation: 0.0,
            binarise: 0.0,
            area: 0.0,
            roughness: 0.0,
            smooth_absolute: [0.0; 4],
            smooth_squared: [0.0; 4],
        }
    }
}

fn within(name: &str, value: u32, low: u32, high: u32) -> Result<(), RenderError> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        invalid(format!("{name} must be {low}..={high}, not {value}"))
    }
}

fn finite(name: &str, value: f32, low: f32, high: f32) -> Result<(), RenderError> {
    if value.is_finite() && (low..=high).contains(&value) {
        Ok(())
    } else {
        invalid(format!("{name} must be within {low}..={high}, not {value}"))
    }
}

fn invalid<T>(message: String) -> Result<T, RenderError> {
    Err(RenderError::Invalid(message))
}
