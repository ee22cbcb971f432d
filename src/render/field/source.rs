//! Puts the field's shaders together: constants of a configuration, the straight-line
//! code of its encoding and network, and the pieces in `shaders/`.
//!
//! The network is written out rather than looped over: its matrices sit in a uniform
//! buffer at constant places, so no shader compiler has to index registers.

use super::config::{DensityActivation, FieldConfig, PriorConfig};
use super::layout::{Layout, STRIPES, TAPE_STRIDE};
use std::fmt::Write;

macro_rules! piece {
    ($path:literal) => {
        include_str!(concat!("../../../shaders/", $path))
    };
}

/// The complete source of each kernel.
#[derive(Debug, Clone)]
pub(super) struct Sources {
    pub march: String,
    pub scan: String,
    pub evaluate: String,
    pub composite_forward: String,
    pub composite_backward: String,
    pub network_adjoint: String,
    pub weight_gradient: String,
    pub weight_sum: String,
    pub scatter: String,
    pub gather_gradient: String,
    pub smooth: String,
}

impl Sources {
    pub fn new(config: &FieldConfig, layout: &Layout, prior_side: u32) -> Self {
        let constants = constants(config, layout, prior_side);
        let join = |parts: &[&str]| {
            let mut out = constants.clone();
            for part in parts {
                out.push_str(part);
            }
            out
        };
        let activation = piece!("common/activation.wgsl");
        let dispatch = piece!("common/dispatch.wgsl");
        let rays = piece!("field/rays.wgsl");
        let encode = piece!("field/encode.wgsl");
        let density = piece!("field/density.wgsl");
        let evaluation = piece!("field/evaluation.wgsl");
        let probes = piece!("field/probes.wgsl");
        let fixed_point = piece!("field/fixed_point.wgsl");
        let composite = piece!("field/composite.wgsl");
        Self {
            march: join(&[
                piece!("common/random.wgsl"),
                dispatch,
                rays,
                piece!("field/march.wgsl"),
            ]),
            scan: piece!("field/scan.wgsl").to_owned(),
            evaluate: join(&[
                activation,
                dispatch,
                density,
                evaluation,
                encode,
                piece!("field/lookup.wgsl"),
                piece!("field/prior.wgsl"),
                probes,
                piece!("field/evaluate.wgsl"),
                &encoding_code(layout),
                &network_code(layout),
            ]),
            composite_forward: join(&[
                activation,
                dispatch,
                rays,
                density,
                composite,
                piece!("field/composite_forward.wgsl"),
            ]),
            composite_backward: join(&[
                activation,
                dispatch,
                rays,
                density,
                composite,
                piece!("field/composite_backward.wgsl"),
            ]),
            network_adjoint: join(&[
                activation,
                dispatch,
                evaluation,
                piece!("field/network_adjoint.wgsl"),
                &adjoint_code(layout, config.mlp.train),
            ]),
            weight_gradient: join(&[evaluation, piece!("field/weight_gradient.wgsl")]),
            weight_sum: join(&[piece!("field/weight_sum.wgsl")]),
            scatter: join(&[
                activation,
                dispatch,
                density,
                evaluation,
                encode,
                probes,
                fixed_point,
                piece!("field/scatter.wgsl"),
            ]),
            gather_gradient: join(&[dispatch, fixed_point, piece!("field/gather_gradient.wgsl")]),
            smooth: join(&[dispatch, piece!("field/smooth.wgsl")]),
        }
    }
}

/// Every shader of the field, complete, for each preset: for validation without a GPU.
/// A preset that its own limits refuse would be missing here, and a test checks that
/// none is.
#[must_use]
pub fn shader_sources() -> Vec<(&'static str, String)> {
    [FieldConfig::paper(), FieldConfig::quick(), FieldConfig::quick_voxels()]
        .iter()
        .filter_map(|config| Layout::new(config).ok().map(|layout| (config, layout)))
        .flat_map(|(config, layout)| {
            let s = Sources::new(config, &layout, 128);
            [
                ("field/march", s.march),
                ("field/scan", s.scan),
                ("field/evaluate", s.evaluate),
                ("field/composite_forward", s.composite_forward),
                ("field/composite_backward", s.composite_backward),
                ("field/network_adjoint", s.network_adjoint),
                ("field/weight_gradient", s.weight_gradient),
                ("field/weight_sum", s.weight_sum),
                ("field/scatter", s.scatter),
                ("field/gather_gradient", s.gather_gradient),
                ("field/smooth", s.smooth),
            ]
        })
        .collect()
}

fn constants(config: &FieldConfig, layout: &Layout, prior_side: u32) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let mut float = |name: &str, value: f32| {
        let _ = writeln!(out, "const {name}: f32 = {value:?};");
    };
    float("STEP", config.march.step);
    float("NEAREST", config.march.nearest);
    float("EARLY_STOP", config.march.early_stop);
    float("CULL_DEPTH", config.march.cull_depth);
    float("NORMAL_EPSILON", config.normal_epsilon);
    float("DENSITY_SCALE", config.density.scale);
    let mut kind = 0;
    let (mut shell, mut solid) = ([1.0, 0.0, 1.0, 0.0, 1.0], [1.0, 0.0, 0.0]);
    match config.prior {
        PriorConfig::None => {}
        PriorConfig::Shell { sharpness, blob, blob_spread, clearance, clearance_distance } => {
            kind = 1;
            shell = [sharpness, blob, blob_spread, clearance, clearance_distance];
        }
        PriorConfig::Solid { width, min, max } => {
            kind = 2;
            solid = [width, min, max];
        }
    }
    float("SHELL_SHARPNESS", shell[0]);
    float("BLOB_HEIGHT", shell[1]);
    float("BLOB_SPREAD", shell[2]);
    float("CLEARANCE", shell[3]);
    float("CLEARANCE_DISTANCE", shell[4]);
    float("SOLID_WIDTH", solid[0]);
    float("SOLID_MIN", solid[1]);
    float("SOLID_MAX", solid[2]);
    let saturates = config.density.activation == DensityActivation::Sigmoid;
    let _ = writeln!(out, "const DENSITY_SATURATES: bool = {saturates};");
    let _ = writeln!(out, "const SMOOTHSTEP: bool = {};", config.grid.smoothstep);
    for (name, value) in [
        ("PRIOR_KIND", kind),
        ("PRIOR_SIDE", prior_side),
        ("OCCUPANCY", config.occupancy.resolution),
        ("FEATURES", layout.features),
        ("INPUT_BLOCKS", layout.input_blocks),
        ("GRID_FLOATS", layout.grid_floats),
        ("MLP_VECTORS", layout.mlp_vectors),
        ("TAPE_STRIDE", TAPE_STRIDE),
        ("STRIPES", STRIPES),
        ("TILE_VECTORS", layout.tiles().len() as u32),
    ] {
        let _ = writeln!(out, "const {name}: u32 = {value}u;");
    }
    let _ = writeln!(out, "alias Encoding = array<vec4<f32>, {}>;", layout.input_blocks);
    out.push_str(if layout.features == 2 { PAIRS } else { QUADS });
    out
}

const PAIRS: &str = "alias Features = vec2<f32>;
fn narrow(v: vec4<f32>) -> Features { return v.xy; }
fn widen(f: Features) -> vec4<f32> { return vec4<f32>(f, 0.0, 0.0); }
fn level_part(v: vec4<f32>, lane: u32) -> Features { return select(v.xy, v.zw, lane == 2u); }
";

const QUADS: &str = "alias Features = vec4<f32>;
fn narrow(v: vec4<f32>) -> Features { return v; }
fn widen(f: Features) -> vec4<f32> { return f; }
fn level_part(v: vec4<f32>, lane: u32) -> Features { return v; }
";

/// `encode` and `keep_encoding`.
fn encoding_code(layout: &Layout) -> String {
    let mut out = String::from("fn encode(u: vec3<f32>) -> Encoding {\n");
    for (l, level) in layout.levels.iter().enumerate() {
        let (resolution, offset) = (level.resolution, level.offset);
        let _ = if level.dense {
            writeln!(out, "    let l{l} = dense_level(u, {resolution}u, {offset}u);")
        } else {
            let mask = level.mask();
            writeln!(out, "    let l{l} = hashed_level(u, {resolution}u, {offset}u, {mask}u);")
        };
    }
    let levels = layout.levels.len();
    let blocks: Vec<String> = (0..layout.input_blocks as usize)
        .map(|b| match layout.features {
            4 => format!("l{b}"),
            _ if 2 * b + 1 < levels => format!("vec4<f32>(l{}, l{})", 2 * b, 2 * b + 1),
            _ => format!("vec4<f32>(l{}, 0.0, 0.0)", 2 * b),
        })
        .collect();
    let _ = writeln!(out, "    return Encoding({});\n}}", blocks.join(", "));
    out.push_str(&blocks_code("keep_encoding", "encodings", layout));
    out
}

/// A function that writes the blocks of an encoding to a buffer.
fn blocks_code(name: &str, buffer: &str, layout: &Layout) -> String {
    let mut out = format!("fn {name}(e: u32, x: Encoding) {{\n");
    for b in 0..layout.input_blocks {
        let _ = writeln!(out, "    {buffer}[{b}u * evaluation.stride + e] = x[{b}];");
    }
    out.push_str("}\n");
    out
}

const PRODUCTS: &str = "fn times(k: u32, x: vec4<f32>) -> vec4<f32> {
    return weights[k] * x.x + weights[k + 1u] * x.y + weights[k + 2u] * x.z + weights[k + 3u] * x.w;
}
fn times_transposed(k: u32, d: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(dot(weights[k], d), dot(weights[k + 1u], d), dot(weights[k + 2u], d), dot(weights[k + 3u], d));
}
";

/// The inputs of a layer's block `i` as an expression.
fn input(layer: usize, i: u32) -> String {
    if layer == 0 { format!("x[{i}]") } else { format!("h{}_{i}", layer - 1) }
}

/// The hidden layers, as `let h<layer>_<block> = ...`.
fn hidden_code(layout: &Layout) -> String {
    let mut out = String::new();
    let hidden = layout.layers.len() - 1;
    for (k, layer) in layout.layers[..hidden].iter().enumerate() {
        for o in 0..layer.outputs {
            let _ = write!(out, "    let h{k}_{o} = tanh4(weights[{}]", layer.bias + o);
            for i in 0..layer.inputs {
                let _ = write!(out, " + times({}u, {})", layer.matrix(o, i), input(k, i));
            }
            out.push_str(");\n");
        }
    }
    out
}

/// `network`.
fn network_code(layout: &Layout) -> String {
    let mut out = String::from(PRODUCTS);
    out.push_str("fn network(x: Encoding) -> vec4<f32> {\n");
    out.push_str(&hidden_code(layout));
    let k = layout.layers.len() - 1;
    let last = layout.layers[k];
    let _ = write!(out, "    return weights[{}]", last.bias);
    for i in 0..last.inputs {
        let _ = write!(out, " + times({}u, {})", last.matrix(0, i), input(k, i));
    }
    out.push_str(";\n}\n");
    out
}

/// `kept_encoding`, `keep_gradient`, `pull_back` and `note_maxima`.
fn adjoint_code(layout: &Layout, tape: bool) -> String {
    let mut out = String::from(PRODUCTS);
    let kept: Vec<String> = (0..layout.input_blocks)
        .map(|b| format!("encodings[{b}u * evaluation.stride + e]"))
        .collect();
    let _ = writeln!(
        out,
        "fn kept_encoding(e: u32) -> Encoding {{\n    return Encoding({});\n}}",
        kept.join(", ")
    );
    out.push_str(&blocks_code("keep_gradient", "encoding_gradients", layout));

    out.push_str("fn pull_back(x: Encoding, d_out: vec4<f32>, slot: u32) -> Encoding {\n");
    out.push_str(&hidden_code(layout));
    let hidden = layout.layers.len() - 1;
    // Gradients of each layer's sums: d<layer>_<block>; the last layer is linear.
    let _ = writeln!(out, "    let d{hidden}_0 = d_out;");
    for k in (0..=hidden).rev() {
        let layer = layout.layers[k];
        for i in 0..layer.inputs {
            let terms: Vec<String> = (0..layer.outputs)
                .map(|o| format!("times_transposed({}u, d{k}_{o})", layer.matrix(o, i)))
                .collect();
            let sum = terms.join(" + ");
            let _ = if k == 0 {
                writeln!(out, "    let dx_{i} = {sum};")
            } else {
                let h = input(k, i);
                writeln!(out, "    let d{}_{i} = ({sum}) * (1.0 - {h} * {h});", k - 1)
            };
        }
    }
    if tape {
        for (k, layer) in layout.layers.iter().enumerate() {
            let (inputs, deltas) = (layout.tape_inputs(k as u32), layout.tape_deltas(k as u32));
            for i in 0..layer.inputs {
                let at = (inputs + i) * TAPE_STRIDE;
                let _ = writeln!(out, "    tape[{at}u + slot] = {};", input(k, i));
            }
            for o in 0..layer.outputs {
                let at = (deltas + o) * TAPE_STRIDE;
                let _ = writeln!(out, "    tape[{at}u + slot] = d{k}_{o};");
            }
        }
    } else {
        // Keeps the binding in the layout.
        out.push_str("    tape[slot % TAPE_STRIDE] = d_out;\n");
    }
    let blocks: Vec<String> = (0..layout.input_blocks).map(|i| format!("dx_{i}")).collect();
    let _ = writeln!(out, "    return Encoding({});\n}}", blocks.join(", "));

    // Sums rather than maxima of a level's features: they cannot hide a NaN.
    out.push_str("fn note_maxima(d: Encoding) {\n");
    for l in 0..layout.levels.len() {
        let _ = if layout.features == 4 {
            writeln!(out, "    note_maximum({l}u, dot(abs(d[{l}]), vec4<f32>(1.0)));")
        } else {
            let (a, b) = if l % 2 == 0 { ("x", "y") } else { ("z", "w") };
            let block = l / 2;
            writeln!(out, "    note_maximum({l}u, abs(d[{block}].{a}) + abs(d[{block}].{b}));")
        };
    }
    out.push_str("}\n");
    out
}

#[cfg(test)]
mod tests {
    use super::shader_sources;

    #[test]
    fn every_shader_is_valid() {
        let sources = shader_sources();
        assert_eq!(sources.len(), 33);
        for (name, source) in &sources {
            let module = naga::front::wgsl::parse_str(source)
                .unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(source)));
            naga::valid::Validator::new(
                naga::valid::ValidationFlags::all(),
                naga::valid::Capabilities::empty(),
            )
            .validate(&module)
            .unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(source)));
        }
    }
}
