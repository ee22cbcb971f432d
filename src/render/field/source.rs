//! Puts the field's shaders together: constants of a configuration, the straight-line
//! code of its encoding and network, and the pieces in `shaders/`.
//!
//! The network is written out rather than looped over: its matrices sit in a uniform
//! buffer at constant places, so no shader compiler has to index registers. Only wide
//! layers loop, over blocks of outputs, to keep the code within what compilers like.

use super::config::{DensityActivation, FieldConfig, PriorConfig};
use super::layout::{Layer, Layout, TAPE_STRIDE};
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
    pub evaluate: String,
    pub composite_forward: String,
    pub composite_backward: String,
    pub network_adjoint: String,
    pub weight_gradient: String,
    pub weight_sum: String,
    pub scatter: String,
    pub gather_gradient: String,
    pub smooth: String,
    pub lattice: String,
    pub surface_adjoint: String,
    pub position_gradient: String,
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
        let rays = concat!(piece!("common/view.wgsl"), piece!("field/rays.wgsl"));
        let encode = piece!("field/encode.wgsl");
        let density = piece!("field/density.wgsl");
        let evaluation = piece!("field/evaluation.wgsl");
        let probes = piece!("field/probes.wgsl");
        let fixed_point = piece!("common/fixed_point.wgsl");
        let composite = piece!("field/composite.wgsl");
        Self {
            march: join(&[
                piece!("common/random.wgsl"),
                dispatch,
                rays,
                piece!("field/march.wgsl"),
            ]),
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
                if config.mlp.train && layout.fused() {
                    piece!("field/network_adjoint_fused.wgsl")
                } else {
                    piece!("field/network_adjoint.wgsl")
                },
                &adjoint_code(layout, WeightGradient::of(config, layout)),
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
            lattice: join(&[activation, dispatch, piece!("field/lattice.wgsl")]),
            surface_adjoint: join(&[dispatch, evaluation, piece!("field/surface_adjoint.wgsl")]),
            position_gradient: join(&[
                dispatch,
                evaluation,
                encode,
                piece!("field/position_gradient.wgsl"),
                &slope_code(layout),
            ]),
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
                ("field/evaluate", s.evaluate),
                ("field/composite_forward", s.composite_forward),
                ("field/composite_backward", s.composite_backward),
                ("field/network_adjoint", s.network_adjoint),
                ("field/weight_gradient", s.weight_gradient),
                ("field/weight_sum", s.weight_sum),
                ("field/scatter", s.scatter),
                ("field/gather_gradient", s.gather_gradient),
                ("field/smooth", s.smooth),
                ("field/lattice", s.lattice),
                ("field/surface_adjoint", s.surface_adjoint),
                ("field/position_gradient", s.position_gradient),
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
    let (mut shell, mut solid) = ([1.0, 0.0, 1.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0]);
    match config.prior {
        PriorConfig::None => {}
        PriorConfig::Shell { sharpness, blob, blob_spread, clearance, clearance_distance } => {
            kind = 1;
            shell = [sharpness, blob, blob_spread, clearance, clearance_distance];
        }
        PriorConfig::Solid { width, surface, min, max } => {
            kind = 2;
            solid = [width, surface, min, max];
        }
    }
    float("SHELL_SHARPNESS", shell[0]);
    float("BLOB_HEIGHT", shell[1]);
    float("BLOB_SPREAD", shell[2]);
    float("CLEARANCE", shell[3]);
    float("CLEARANCE_DISTANCE", shell[4]);
    float("SOLID_WIDTH", solid[0]);
    float("SOLID_SURFACE", solid[1]);
    float("SOLID_MIN", solid[2]);
    float("SOLID_MAX", solid[3]);
    let saturates = config.density.activation == DensityActivation::Sigmoid;
    let _ = writeln!(out, "const DENSITY_SATURATES: bool = {saturates};");
    let _ = writeln!(out, "const SMOOTHSTEP: bool = {};", config.grid.smoothstep);
    for (name, value) in [
        ("PRIOR_KIND", kind),
        ("PRIOR_SIDE", prior_side),
        ("OCCUPANCY", config.occupancy.resolution),
        ("LEVELS", layout.levels.len() as u32),
        ("FEATURES", layout.features),
        ("INPUT_BLOCKS", layout.input_blocks),
        ("GRID_FLOATS", layout.grid_floats),
        ("MLP_VECTORS", layout.mlp_vectors),
        ("TAPE_STRIDE", TAPE_STRIDE),
        ("STRIPES", layout.stripes()),
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

/// `encoding_slope`.
fn slope_code(layout: &Layout) -> String {
    let mut out = String::from(
        "fn encoding_slope(e: u32, u: vec3<f32>) -> vec3<f32> {\n    var sum = vec3<f32>(0.0);\n",
    );
    for (l, level) in layout.levels.iter().enumerate() {
        let first = l as u32 * layout.features;
        let (block, lane) = (first / 4, first % 4);
        let part =
            format!("level_part(encoding_gradients[{block}u * evaluation.stride + e], {lane}u)");
        let (resolution, offset, mask) = (level.resolution, level.offset, level.mask());
        let _ = if level.dense {
            writeln!(out, "    sum += dense_slope(u, {resolution}u, {offset}u, {part});")
        } else {
            writeln!(out, "    sum += hashed_slope(u, {resolution}u, {offset}u, {mask}u, {part});")
        };
    }
    out.push_str("    return sum;\n}\n");
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

/// How the adjoint hands on what the weight gradients need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WeightGradient {
    /// Not at all.
    None,
    /// In registers, added up as it goes.
    Registers,
    /// As activations and gradients on a tape.
    Tape,
}

impl WeightGradient {
    fn of(config: &FieldConfig, layout: &Layout) -> Self {
        match (config.mlp.train, layout.fused()) {
            (false, _) => Self::None,
            (true, true) => Self::Registers,
            (true, false) => Self::Tape,
        }
    }
}

/// The inputs of a layer, as the name of an array.
fn inputs_of(layer: usize) -> String {
    if layer == 0 { "x".into() } else { format!("h{}", layer - 1) }
}

/// A statement for each block `0..count`, looped over if the layer is wide; `{b}`
/// stands for the block.
fn for_blocks(out: &mut String, layer: Layer, count: u32, statement: impl Fn(&str) -> String) {
    if layer.inputs * layer.outputs > 32 {
        let body = statement("b");
        let _ = writeln!(out, "    for (var b = 0u; b < {count}u; b++) {{ {body} }}");
    } else {
        for b in 0..count {
            let _ = writeln!(out, "    {}", statement(&format!("{b}u")));
        }
    }
}

/// The weighted sums of a layer's output block `b`.
fn forward_sum(layer: Layer, inputs: &str, b: &str) -> String {
    let mut out = format!("weights[{}u + {b}]", layer.bias);
    for i in 0..layer.inputs {
        let (first, row) = (layer.matrix(0, i), 4 * layer.inputs);
        let _ = write!(out, " + times({first}u + {row}u * {b}, {inputs}[{i}])");
    }
    out
}

/// The hidden layers, as `h<layer>[block] = ...`.
fn hidden_code(layout: &Layout) -> String {
    let mut out = String::new();
    let hidden = layout.layers.len() - 1;
    for (k, layer) in layout.layers[..hidden].iter().enumerate() {
        let _ = writeln!(out, "    var h{k}: array<vec4<f32>, {}>;", layer.outputs);
        for_blocks(&mut out, *layer, layer.outputs, |b| {
            format!("h{k}[{b}] = tanh4({});", forward_sum(*layer, &inputs_of(k), b))
        });
    }
    out
}

/// `network`.
fn network_code(layout: &Layout) -> String {
    let mut out = String::from(PRODUCTS);
    out.push_str("fn network(x: Encoding) -> vec4<f32> {\n");
    out.push_str(&hidden_code(layout));
    let k = layout.layers.len() - 1;
    let _ = writeln!(out, "    return {};\n}}", forward_sum(layout.layers[k], &inputs_of(k), "0u"));
    out
}

/// `kept_encoding`, `keep_gradient`, `pull_back`, `note_maxima` and, for sums in
/// registers, `keep_sums`.
fn adjoint_code(layout: &Layout, weights: WeightGradient) -> String {
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
    // Gradients of each layer's sums: d<layer>[block]; the last layer is linear.
    let hidden = layout.layers.len() - 1;
    let _ = writeln!(out, "    var d{hidden} = array<vec4<f32>, 1>(d_out);");
    for (k, layer) in layout.layers.iter().enumerate().rev() {
        let into = if k == 0 { "dx".into() } else { format!("d{}", k - 1) };
        let _ = writeln!(out, "    var {into}: array<vec4<f32>, {}>;", layer.inputs);
        for_blocks(&mut out, *layer, layer.inputs, |b| {
            let terms: Vec<String> = (0..layer.outputs)
                .map(|o| format!("times_transposed({}u + 4u * {b}, d{k}[{o}])", layer.matrix(o, 0)))
                .collect();
            let sum = terms.join(" + ");
            if k == 0 {
                format!("{into}[{b}] = {sum};")
            } else {
                let h = format!("h{}[{b}]", k - 1);
                format!("{into}[{b}] = ({sum}) * (1.0 - {h} * {h});")
            }
        });
    }
    match weights {
        WeightGradient::None => {}
        WeightGradient::Registers => out.push_str(&register_code(layout)),
        WeightGradient::Tape => out.push_str(&tape_code(layout)),
    }
    out.push_str("    return dx;\n}\n");
    if weights == WeightGradient::Registers {
        out.push_str("fn keep_sums(stripe: u32) {\n");
        for v in 0..layout.mlp_vectors {
            let _ = writeln!(out, "    partials[{}u + stripe] = sums[{v}];", v * layout.stripes());
        }
        out.push_str("}\n");
    }

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

/// Adds one evaluation's outer products to `sums`.
fn register_code(layout: &Layout) -> String {
    let mut out = String::new();
    for (k, layer) in layout.layers.iter().enumerate() {
        let inputs = inputs_of(k);
        for o in 0..layer.outputs {
            for i in 0..layer.inputs {
                for (c, lane) in ["x", "y", "z", "w"].into_iter().enumerate() {
                    let v = layer.matrix(o, i) as usize + c;
                    let _ = writeln!(out, "    sums[{v}] += d{k}[{o}] * {inputs}[{i}].{lane};");
                }
            }
            let _ = writeln!(out, "    sums[{}] += d{k}[{o}];", layer.bias + o);
        }
    }
    out
}

/// Writes one evaluation's activations and gradients to `tape`.
fn tape_code(layout: &Layout) -> String {
    let mut out = String::new();
    for (k, layer) in layout.layers.iter().enumerate() {
        let (inputs, deltas) = (layout.tape_inputs(k as u32), layout.tape_deltas(k as u32));
        for i in 0..layer.inputs {
            let at = (inputs + i) * TAPE_STRIDE;
            let _ = writeln!(out, "    tape[{at}u + slot] = {}[{i}];", inputs_of(k));
        }
        for o in 0..layer.outputs {
            let at = (deltas + o) * TAPE_STRIDE;
            let _ = writeln!(out, "    tape[{at}u + slot] = d{k}[{o}];");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::shader_sources;

    #[test]
    fn every_shader_is_valid() {
        let sources = shader_sources();
        assert_eq!(sources.len(), 39);
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
