//! The field in `f64` on the CPU, straight from the formulas: what the kernels are
//! held against. Slow and plain on purpose.

use super::config::{DensityActivation, FieldConfig, PriorConfig, Regularisers};
use super::layout::Layout;
use super::prior::PriorGrid;
use crate::batch::{Light, View};
use crate::render::gpu_view::Appearance;
use glam::{DVec3, Vec2};

pub struct Reference {
    pub config: FieldConfig,
    pub(in crate::render::field) layout: Layout,
    pub parameters: Vec<f64>,
    pub prior: PriorGrid,
    pub prior_weight: f64,
}

/// What a ray is made of: positions with their distance along the ray.
pub type Samples = Vec<Vec<(DVec3, f64)>>;

pub struct Images {
    pub color: Vec<[f64; 3]>,
    pub opacity: Vec<f64>,
    pub depth: Vec<f64>,
    pub entropy: f64,
    pub orientation: f64,
    pub binarise: f64,
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

impl Reference {
    fn features(&self, entry: u32, f: u32) -> f64 {
        self.parameters[(entry * self.layout.features + f) as usize]
    }

    /// Grid features of a point.
    pub fn encode(&self, p: DVec3) -> Vec<f64> {
        let u = (p * 0.5 + 0.5).clamp(DVec3::ZERO, DVec3::ONE);
        let mut out = Vec::new();
        for level in &self.layout.levels {
            let n = level.resolution;
            let x = u * f64::from(n);
            let cell = [x.x, x.y, x.z].map(|v| (v as u32).min(n - 1));
            let mut w = [0.0; 3];
            for a in 0..3 {
                let f = [x.x, x.y, x.z][a] - f64::from(cell[a]);
                w[a] = if self.config.grid.smoothstep { f * f * (3.0 - 2.0 * f) } else { f };
            }
            for f in 0..self.layout.features {
                let mut sum = 0.0;
                for corner in 0..8_u32 {
                    let bit = |a: usize| corner >> a & 1;
                    let share: f64 =
                        (0..3).map(|a| if bit(a) == 1 { w[a] } else { 1.0 - w[a] }).product();
                    let c: Vec<u32> = (0..3).map(|a| cell[a] + bit(a)).collect();
                    let slot = if level.dense {
                        c[0] + (n + 1) * (c[1] + (n + 1) * c[2])
                    } else {
                        (c[0] ^ c[1].wrapping_mul(2_654_435_761) ^ c[2].wrapping_mul(805_459_861))
                            % level.entries
                    };
                    sum += share * self.features(level.offset + slot, f);
                }
                out.push(sum);
            }
        }
        out.resize(4 * self.layout.input_blocks as usize, 0.0);
        out
    }

    /// Raw outputs of the network.
    pub fn network(&self, mut x: Vec<f64>) -> [f64; 4] {
        let count = self.layout.layers.len();
        let at = |vector: u32, r: usize| {
            self.parameters[(self.layout.grid_floats + 4 * vector) as usize + r]
        };
        for (k, layer) in self.layout.layers.iter().enumerate() {
            let mut y = Vec::new();
            for o in 0..layer.outputs {
                for r in 0..4 {
                    let mut sum = at(layer.bias + o, r);
                    for i in 0..layer.inputs {
                        for c in 0..4 {
                            sum += at(layer.matrix(o, i) + c, r) * x[(4 * i + c) as usize];
                        }
                    }
                    y.push(if k + 1 < count { sum.tanh() } else { sum });
                }
            }
            x = y;
        }
        [x[0], x[1], x[2], x[3]]
    }

    fn distance(&self, p: DVec3) -> f64 {
        let n = self.prior.resolution() as usize;
        let x = (p * 0.5 + 0.5).clamp(DVec3::ZERO, DVec3::ONE) * (n - 1) as f64;
        let c = [x.x, x.y, x.z].map(|v| (v as usize).min(n - 2));
        let mut sum = 0.0;
        for corner in 0..8 {
            let bit = |a: usize| corner >> a & 1;
            let share: f64 = (0..3)
                .map(|a| {
                    let f = [x.x, x.y, x.z][a] - c[a] as f64;
                    if bit(a) == 1 { f } else { 1.0 - f }
                })
                .product();
            let i = c[0] + bit(0) + n * (c[1] + bit(1) + n * (c[2] + bit(2)));
            sum += share * f64::from(self.prior.values()[i]);
        }
        sum
    }

    pub fn prior_logit(&self, p: DVec3) -> f64 {
        match self.config.prior {
            PriorConfig::None => 0.0,
            PriorConfig::Shell { sharpness, blob, blob_spread, clearance, clearance_distance } => {
                let (a, d) = (f64::from(sharpness), self.distance(p));
                let g = a * sigmoid(-a * d.abs() / 3_f64.sqrt());
                let shell = (g + (-(-g).exp()).ln_1p()).max(0.0);
                let b = f64::from(blob) * (-p.length_squared() / f64::from(blob_spread)).exp();
                let x = (d / f64::from(clearance_distance)).clamp(0.0, 1.0);
                self.prior_weight * shell + b - f64::from(clearance) * x * x * (3.0 - 2.0 * x)
            }
            PriorConfig::Solid { width, surface, min, max } => {
                let x = f64::from(surface) - self.distance(p) / f64::from(width);
                let x = x.clamp(min.into(), max.into());
                self.prior_weight * x.max(0.0) + x.min(0.0)
            }
        }
    }

    /// Density logit with the prior, and albedo.
    pub fn evaluate(&self, p: DVec3) -> (f64, [f64; 3]) {
        let raw = self.network(self.encode(p));
        (raw[0] + self.prior_logit(p), [sigmoid(raw[1]), sigmoid(raw[2]), sigmoid(raw[3])])
    }

    fn logit(&self, p: DVec3) -> f64 {
        self.evaluate(p).0
    }

    pub fn density(&self, logit: f64) -> f64 {
        f64::from(self.config.density.scale)
            * match self.config.density.activation {
                DensityActivation::Softplus => logit.max(0.0) + (-logit.abs()).exp().ln_1p(),
                DensityActivation::Sigmoid => sigmoid(logit),
            }
    }

    fn normal(&self, p: DVec3) -> DVec3 {
        let e = f64::from(self.config.normal_epsilon);
        let corners = [[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]];
        let g: DVec3 = corners
            .into_iter()
            .map(|k| DVec3::from_array(k.map(f64::from)))
            .map(|k| k * self.logit(p + k * e))
            .sum::<DVec3>()
            / (4.0 * e);
        -g / g.length().max(1e-4)
    }

    /// Composites rays whose samples are given; `view_of` says which view a ray
    /// belongs to.
    pub fn render(
        &self,
        views: &[View],
        appearance: Appearance,
        samples: &Samples,
        normals: bool,
    ) -> Images {
        let camera = &views[0].camera;
        let (width, pixels) = (camera.width as usize, (camera.width * camera.height) as usize);
        let step = f64::from(self.config.march.step);
        let mut out = Images {
            color: vec![],
            opacity: vec![],
            depth: vec![],
            entropy: 0.0,
            orientation: 0.0,
            binarise: 0.0,
        };
        let mut total = 0;
        for (ray, along) in samples.iter().enumerate() {
            let view = &views[ray / pixels];
            let pixel = ray % pixels;
            let at = Vec2::new((pixel % width) as f32 + 0.5, (pixel / width) as f32 + 0.5);
            let direction = view.camera.ray(at).as_dvec3();
            let (mut passed, mut color, mut opacity, mut depth) = (1.0, [0.0; 3], 0.0, 0.0);
            total += along.len();
            for (p, t) in along {
                let (logit, albedo) = self.evaluate(*p);
                let thickness = self.density(logit) * step;
                let w = passed * (1.0 - (-thickness).exp());
                passed *= (-thickness).exp();
                let mut shown = albedo;
                if normals {
                    let n = self.normal(*p);
                    out.orientation += w * n.dot(direction).max(0.0).powi(2);
                    if let Light::Lambertian { ambient, direction } = view.light {
                        let a = f64::from(ambient);
                        let lit = a + (1.0 - a) * n.dot(direction.as_dvec3()).max(0.0);
                        shown = albedo.map(|a| a * lit);
                    }
                    if appearance == Appearance::Normals {
                        shown = (0.5 + 0.5 * n).to_array();
                    }
                }
                for (out, shown) in color.iter_mut().zip(shown) {
                    *out += w * shown;
                }
                opacity += w;
                depth += w * t;
                let x = w.clamp(1e-5, 1.0 - 1e-5);
                out.entropy -= x * x.log2() + (1.0 - x) * (1.0 - x).log2();
                if passed < f64::from(self.config.march.early_stop) {
                    break;
                }
            }
            for (out, b) in color.iter_mut().zip(view.background) {
                *out += (1.0 - opacity) * f64::from(b);
            }
            out.color.push(color);
            out.opacity.push(opacity);
            out.binarise += opacity * (1.0 - opacity);
            let along_axis = direction.dot(view.camera.forward.as_dvec3());
            out.depth.push(depth * along_axis / opacity.max(1e-6));
        }
        out.entropy /= total.max(1) as f64;
        out.orientation /= total.max(1) as f64;
        out.binarise /= samples.len() as f64;
        out
    }

    /// The smoothness terms of the dense levels.
    pub fn smoothness(&self, reg: &Regularisers) -> f64 {
        let mut sum = 0.0;
        for level in self.layout.levels.iter().filter(|l| l.dense) {
            let n = level.resolution + 1;
            let pairs = f64::from(n * n * (n - 1));
            for i in 0..n * n * n {
                let c = [i % n, i / n % n, i / n / n];
                for (axis, stride) in [1, n, n * n].into_iter().enumerate() {
                    if c[axis] + 1 == n {
                        continue;
                    }
                    for f in 0..self.layout.features {
                        let here = self.features(level.offset + i, f);
                        let d = here - self.features(level.offset + i + stride, f);
                        let absolute = (d * d + 1e-6).sqrt();
                        sum += f64::from(reg.smooth_absolute[f as usize]) * absolute / pairs;
                        sum += f64::from(reg.smooth_squared[f as usize]) * d * d / pairs;
                    }
                }
            }
        }
        sum
    }

    /// Area and roughness on the shifted lattice of the occupied cells.
    pub fn lattice(&self, occupied: &[u32], shift: DVec3) -> (f64, f64) {
        let n = self.config.occupancy.resolution as usize;
        let spacing = 2.0 / n as f64;
        let value = |i: usize| {
            (occupied[i / 32] >> (i % 32) & 1 == 1).then(|| {
                let c = DVec3::new((i % n) as f64, (i / n % n) as f64, (i / n / n) as f64);
                let (logit, albedo) = self.evaluate((c + 0.5) * spacing - 1.0 + shift);
                (sigmoid(logit), albedo)
            })
        };
        let values: Vec<_> = (0..n * n * n).map(value).collect();
        let (mut area, mut roughness) = (0.0, 0.0);
        for i in 0..n * n * n {
            let c = [i % n, i / n % n, i / n / n];
            for (axis, stride) in [1, n, n * n].into_iter().enumerate() {
                // Beyond the cube is empty as well.
                let mut pairs = vec![];
                if c[axis] + 1 < n {
                    pairs.push((values[i], values[i + stride]));
                } else {
                    pairs.push((values[i], None));
                }
                if c[axis] == 0 {
                    pairs.push((values[i], None));
                }
                for (a, b) in pairs {
                    let d = a.map_or(0.0, |a| a.0) - b.map_or(0.0, |b| b.0);
                    area += (d * d + 1e-6).sqrt();
                    if let (Some(a), Some(b)) = (a, b) {
                        roughness += (0..3).map(|k| (a.1[k] - b.1[k]).powi(2)).sum::<f64>();
                    }
                }
            }
        }
        (area * spacing * spacing, roughness * spacing)
    }
}
