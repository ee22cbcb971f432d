//! Where everything lies in the parameter buffer and on the tape: plain arithmetic
//! on a [`FieldConfig`], shared by the shader generator, the buffers and the tests.

use super::config::FieldConfig;
use crate::render::RenderError;

/// Largest storage binding that the project declares.
pub(super) const MAX_BINDING: u64 = 128 << 20;
/// Evaluations of one adjoint batch: what the tape holds at a time.
pub(super) const TAPE_STRIDE: u32 = 1 << 16;
/// Most 4x4 matrices of a network whose weight gradients one thread keeps in registers.
const MOST_FUSED: u32 = 40;
/// Marks what a tile does not have.
const ABSENT: u32 = u32::MAX;

/// One level of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Level {
    /// Cells a side.
    pub resolution: u32,
    /// First entry in the table.
    pub offset: u32,
    /// Entries.
    pub entries: u32,
    /// Whether entries are vertices; else vertices hash to entries.
    pub dense: bool,
}

impl Level {
    /// The entry of a node, as in `encode.wgsl`.
    pub fn slot(self, [x, y, z]: [u32; 3]) -> u32 {
        let side = self.resolution + 1;
        if self.dense {
            x + side * (y + side * z)
        } else {
            (x ^ y.wrapping_mul(2_654_435_761) ^ z.wrapping_mul(805_459_861)) & self.mask()
        }
    }

    /// Table size - 1 of a hashed level, 0 for a dense one.
    pub fn mask(self) -> u32 {
        if self.dense { 0 } else { self.entries - 1 }
    }
}

/// One layer of the network; positions count vectors of four floats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layer {
    /// Blocks of four inputs.
    pub inputs: u32,
    /// Blocks of four outputs.
    pub outputs: u32,
    /// First weight vector; the 4x4 matrix from input block `i` to output block `o`
    /// is the four columns from `weights + 4 (o * inputs + i)`.
    pub weights: u32,
    /// First bias vector.
    pub bias: u32,
}

impl Layer {
    /// The first column of the matrix from input block `i` to output block `o`.
    pub fn matrix(self, o: u32, i: u32) -> u32 {
        self.weights + 4 * (o * self.inputs + i)
    }
}

/// All positions.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    pub features: u32,
    pub levels: Vec<Level>,
    pub layers: Vec<Layer>,
    /// Blocks of four encoded features.
    pub input_blocks: u32,
    /// Blocks of four hidden units.
    pub hidden_blocks: u32,
    /// Floats of the grid, padded to a multiple of four; the network follows.
    pub grid_floats: u32,
    /// Vectors of four floats of the network.
    pub mlp_vectors: u32,
}

impl Layout {
    pub fn new(config: &FieldConfig) -> Result<Self, RenderError> {
        config.validate()?;
        let grid = &config.grid;
        let mut levels = Vec::new();
        let mut offset = 0;
        for l in 0..grid.levels {
            let along =
                if grid.levels == 1 { 1.0 } else { f64::from(l) / f64::from(grid.levels - 1) };
            let ratio = f64::from(grid.finest_resolution) / f64::from(grid.base_resolution);
            let resolution = (f64::from(grid.base_resolution) * ratio.powf(along)).round() as u32;
            let vertices = u64::from(resolution + 1).pow(3);
            let table = 1_u32 << grid.log2_table;
            let dense = vertices <= u64::from(table);
            let entries = if dense { vertices as u32 } else { table };
            levels.push(Level { resolution, offset, entries, dense });
            offset += entries;
        }
        let grid_floats = (offset * grid.features).next_multiple_of(4);
        let input_blocks = (grid.levels * grid.features).div_ceil(4);
        let hidden_blocks =
            if config.mlp.hidden_layers == 0 { 0 } else { config.mlp.hidden_width / 4 };
        let mut layers = Vec::new();
        let mut next = 0;
        let mut inputs = input_blocks;
        for l in 0..=config.mlp.hidden_layers {
            let outputs = if l == config.mlp.hidden_layers { 1 } else { hidden_blocks };
            let bias = next + 4 * inputs * outputs;
            layers.push(Layer { inputs, outputs, weights: next, bias });
            next = bias + outputs;
            inputs = outputs;
        }
        let layout = Self {
            features: grid.features,
            levels,
            layers,
            input_blocks,
            hidden_blocks,
            grid_floats,
            mlp_vectors: next,
        };
        let floats = u64::from(layout.parameters());
        if 4 * floats > MAX_BINDING {
            return Err(RenderError::Invalid(format!(
                "the field's {floats} parameters exceed a storage binding of {} MiB: lower \
                 grid.log2_table or grid.levels",
                MAX_BINDING >> 20
            )));
        }
        let encoded = u64::from(config.march.max_evaluations) * u64::from(input_blocks) * 16;
        if encoded > MAX_BINDING {
            return Err(RenderError::Invalid(format!(
                "march.max_evaluations of {} exceeds a storage binding of {} MiB; the most for \
                 this grid is {}",
                config.march.max_evaluations,
                MAX_BINDING >> 20,
                MAX_BINDING / (u64::from(input_blocks) * 16)
            )));
        }
        Ok(layout)
    }

    /// Whether the weight gradients are summed in registers rather than from a tape.
    pub fn fused(&self) -> bool {
        self.layers.iter().map(|l| l.inputs * l.outputs).sum::<u32>() <= MOST_FUSED
    }

    /// Threads that share the weight gradients, each with every so-many-th evaluation.
    pub fn stripes(&self) -> u32 {
        if self.fused() { 1024 } else { 512 }
    }

    /// Floats of all parameters.
    pub fn parameters(&self) -> u32 {
        self.grid_floats + 4 * self.mlp_vectors
    }

    pub fn hidden_layers(&self) -> u32 {
        self.layers.len() as u32 - 1
    }

    /// Tape block where a layer's inputs begin.
    pub fn tape_inputs(&self, layer: u32) -> u32 {
        if layer == 0 { 0 } else { self.input_blocks + (layer - 1) * self.hidden_blocks }
    }

    /// Tape block where the gradients of a layer's sums begin.
    pub fn tape_deltas(&self, layer: u32) -> u32 {
        self.input_blocks + (self.hidden_layers() + layer) * self.hidden_blocks
    }

    /// Blocks of the tape.
    pub fn tape_blocks(&self) -> u32 {
        self.tape_deltas(self.hidden_layers()) + 1
    }

    /// The tile table of `weight_gradient.wgsl`, three vectors a tile.
    pub fn tiles(&self) -> Vec<[u32; 4]> {
        let mut out = Vec::new();
        for (k, layer) in self.layers.iter().enumerate() {
            let inputs = self.tape_inputs(k as u32);
            let deltas = self.tape_deltas(k as u32);
            for o in (0..layer.outputs).step_by(2) {
                for i in (0..layer.inputs).step_by(2) {
                    let i2 = (i + 1 < layer.inputs).then_some(i + 1);
                    let o2 = (o + 1 < layer.outputs).then_some(o + 1);
                    let matrix = |o: Option<u32>, i: Option<u32>| match (o, i) {
                        (Some(o), Some(i)) => layer.matrix(o, i),
                        _ => ABSENT,
                    };
                    out.push([
                        inputs + i,
                        inputs + i2.unwrap_or(i),
                        deltas + o,
                        deltas + o2.unwrap_or(o),
                    ]);
                    out.push([
                        matrix(Some(o), Some(i)),
                        matrix(Some(o), i2),
                        matrix(o2, Some(i)),
                        matrix(o2, i2),
                    ]);
                    let first = i == 0;
                    out.push([
                        if first { layer.bias + o } else { ABSENT },
                        o2.filter(|_| first).map_or(ABSENT, |o2| layer.bias + o2),
                        0,
                        0,
                    ]);
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_weight_vector_belongs_to_one_tile() {
        for config in [FieldConfig::paper(), FieldConfig::quick(), FieldConfig::quick_voxels()] {
            let layout = Layout::new(&config).unwrap();
            let mut owners = vec![0; layout.mlp_vectors as usize];
            for tile in layout.tiles().chunks(3) {
                for m in tile[1].into_iter().filter(|m| *m != ABSENT) {
                    for c in 0..4 {
                        owners[(m + c) as usize] += 1;
                    }
                }
                for b in tile[2][..2].iter().filter(|b| **b != ABSENT) {
                    owners[*b as usize] += 1;
                }
            }
            assert!(owners.iter().all(|n| *n == 1), "{owners:?}");
        }
    }

    #[test]
    fn the_paper_grid_hashes_its_fine_levels_and_fits_a_binding() {
        let layout = Layout::new(&FieldConfig::paper()).unwrap();
        assert_eq!(layout.levels[0].resolution, 16);
        assert_eq!(layout.levels[15].resolution, 2048);
        assert!(layout.levels[0].dense && !layout.levels[15].dense);
        assert_eq!(layout.mlp_vectors, (32 * 64 + 64 * 64 + 64 * 4 + 64 + 64 + 4) / 4);
    }

    #[test]
    fn impossible_settings_are_named() {
        let mut config = FieldConfig::quick();
        config.grid.features = 3;
        assert!(Layout::new(&config).unwrap_err().to_string().contains("grid.features"));
        let mut config = FieldConfig::paper();
        config.march.max_evaluations = 1 << 21;
        assert!(Layout::new(&config).unwrap_err().to_string().contains("max_evaluations"));
        let mut config = FieldConfig::quick();
        config.march.step = f32::NAN;
        assert!(Layout::new(&config).unwrap_err().to_string().contains("march.step"));
    }
}
