//! The rasteriser in f64, forward only and without any cleverness: what finite differences
//! are taken of.

use super::Appearance;
use crate::batch::{Light, View};
use crate::geometry::{Mesh, topology};
use glam::{DVec2, DVec3};

/// Triangles that are passed on the way from one pixel to the next.
const LONGEST_WALK: usize = 24;

pub(super) struct Reference<'a> {
    pub triangles: Vec<[usize; 3]>,
    /// The half-edge at the back of each half-edge.
    pub partner: Vec<Option<usize>>,
    pub views: &'a [View],
    pub appearance: Appearance,
    pub albedo: &'a dyn Fn(DVec3) -> DVec3,
}

struct Eye {
    position: DVec3,
    right: DVec3,
    up: DVec3,
    forward: DVec3,
    focal: f64,
    middle: DVec2,
}

impl Eye {
    fn of(view: &View) -> Self {
        let c = &view.camera;
        Self {
            position: c.position.as_dvec3(),
            right: c.right.as_dvec3(),
            up: c.up.as_dvec3(),
            forward: c.forward.as_dvec3(),
            focal: f64::from(c.focal()),
            middle: DVec2::new(f64::from(c.width), f64::from(c.height)) / 2.0,
        }
    }

    fn ray(&self, pixel: DVec2) -> DVec3 {
        let d = (pixel - self.middle) / self.focal;
        self.forward + d.x * self.right - d.y * self.up
    }

    fn project(&self, p: DVec3) -> DVec2 {
        let d = p - self.position;
        let s = self.focal / d.dot(self.forward);
        self.middle + s * DVec2::new(d.dot(self.right), -d.dot(self.up))
    }
}

impl<'a> Reference<'a> {
    pub fn new(
        mesh: &Mesh,
        views: &'a [View],
        appearance: Appearance,
        albedo: &'a dyn Fn(DVec3) -> DVec3,
    ) -> Self {
        let mut partner = vec![None; 3 * mesh.triangles.len()];
        let edges = topology::half_edges(mesh);
        for group in topology::edge_groups(&edges) {
            if let [a, b] = group {
                let number = |e: &topology::HalfEdge| 3 * e.triangle as usize + e.corner as usize;
                partner[number(a)] = Some(number(b));
                partner[number(b)] = Some(number(a));
            }
        }
        let triangles = mesh.triangles.iter().map(|t| t.map(|v| v as usize)).collect();
        Self { triangles, partner, views, appearance, albedo }
    }

    fn corners(&self, at: &[DVec3], t: usize) -> [DVec3; 3] {
        self.triangles[t].map(|v| at[v])
    }

    fn area(&self, at: &[DVec3], t: usize) -> DVec3 {
        let [a, b, c] = self.corners(at, t);
        (b - a).cross(c - a)
    }

    /// The triangle that every pixel's centre sees.
    pub fn numbers(&self, at: &[DVec3]) -> Vec<Option<usize>> {
        let of = |view: &View| {
            let eye = Eye::of(view);
            let (w, h) = (view.camera.width as usize, view.camera.height as usize);
            let centre = |i: usize| DVec2::new((i % w) as f64 + 0.5, (i / w) as f64 + 0.5);
            (0..w * h).map(|i| self.nearest(at, &eye, centre(i)).map(|s| s.0)).collect::<Vec<_>>()
        };
        self.views.iter().flat_map(of).collect()
    }

    /// Colour and opacity of every pixel.
    pub fn render(&self, at: &[DVec3]) -> Vec<[f64; 4]> {
        let mut normals = vec![DVec3::ZERO; at.len()];
        for t in 0..self.triangles.len() {
            for v in self.triangles[t] {
                normals[v] += self.area(at, t);
            }
        }
        for n in &mut normals {
            *n = n.normalize();
        }
        self.views.iter().flat_map(|view| self.picture(at, &normals, view)).collect()
    }

    fn picture(&self, at: &[DVec3], normals: &[DVec3], view: &View) -> Vec<[f64; 4]> {
        let eye = Eye::of(view);
        let (w, h) = (view.camera.width as usize, view.camera.height as usize);
        let centre = |i: usize| DVec2::new((i % w) as f64 + 0.5, (i / w) as f64 + 0.5);
        let seen: Vec<Option<(usize, f64)>> =
            (0..w * h).map(|i| self.nearest(at, &eye, centre(i))).collect();
        let raw: Vec<[f64; 4]> = (0..w * h)
            .map(|i| {
                let Some((t, depth)) = seen[i] else {
                    let [r, g, b] = view.background.map(f64::from);
                    return [r, g, b, 0.0];
                };
                let x = eye.position + depth * eye.ray(centre(i));
                let [a, b, c] = self.corners(at, t);
                let n = self.area(at, t);
                let wb = n.dot((x - a).cross(c - a)) / n.length_squared();
                let wc = n.dot((b - a).cross(x - a)) / n.length_squared();
                let [na, nb, nc] = self.triangles[t].map(|v| normals[v]);
                let unit = ((1.0 - wb - wc) * na + wb * nb + wc * nc).normalize();
                let color = self.shade(view, (self.albedo)(x), unit);
                [color.x, color.y, color.z, 1.0]
            })
            .collect();
        let mut out = raw.clone();
        for i in 0..w * h {
            for axis in 0..2 {
                let j = if axis == 0 { i + 1 } else { i + w };
                let beyond = if axis == 0 { i % w + 1 == w } else { i / w + 1 == h };
                if beyond || seen[i].map(|s| s.0) == seen[j].map(|s| s.0) {
                    continue;
                }
                let depth = |k: usize| seen[k].map_or(f64::INFINITY, |s| s.1);
                let (near, far, sign) =
                    if depth(j) < depth(i) { (j, i, -1.0) } else { (i, j, 1.0) };
                let start = seen[near].expect("the nearer one is covered").0;
                let Some((u, direction)) =
                    self.silhouette(at, &eye, start, centre(near), axis, sign)
                else {
                    continue;
                };
                let (giver, taker) = if u > 0.5 { (near, far) } else { (far, near) };
                let weight = direction * (u - 0.5).abs();
                for c in 0..4 {
                    out[taker][c] += weight * (raw[giver][c] - raw[taker][c]);
                }
            }
        }
        out
    }

    fn shade(&self, view: &View, albedo: DVec3, n: DVec3) -> DVec3 {
        match (self.appearance, view.light) {
            (Appearance::Normals, _) => 0.5 + 0.5 * n,
            (_, Light::Flat) => albedo,
            (_, Light::Lambertian { ambient, direction }) => {
                let ambient = f64::from(ambient);
                albedo * (ambient + (1.0 - ambient) * n.dot(direction.as_dvec3()).max(0.0))
            }
        }
    }

    /// The nearest triangle that faces the eye, and its depth.
    fn nearest(&self, at: &[DVec3], eye: &Eye, pixel: DVec2) -> Option<(usize, f64)> {
        let direction = eye.ray(pixel);
        let mut best: Option<(usize, f64)> = None;
        for t in 0..self.triangles.len() {
            let n = self.area(at, t);
            let facing = n.dot(direction);
            if facing >= 0.0 {
                continue;
            }
            let [a, b, c] = self.corners(at, t);
            let depth = n.dot(a - eye.position) / facing;
            let x = eye.position + depth * direction;
            let inside =
                [(a, b), (b, c), (c, a)].iter().all(|(p, q)| n.dot((*q - *p).cross(x - *p)) >= 0.0);
            if inside && best.is_none_or(|(_, known)| depth < known) {
                best = Some((t, depth));
            }
        }
        best
    }

    fn silhouette(
        &self,
        at: &[DVec3],
        eye: &Eye,
        start: usize,
        origin: DVec2,
        axis: usize,
        sign: f64,
    ) -> Option<(f64, f64)> {
        let across = 1 - axis;
        let mut t = start;
        for _ in 0..LONGEST_WALK {
            let mut found: Option<(usize, f64, f64)> = None;
            for k in 0..3 {
                let a = eye.project(at[self.triangles[t][k]]) - origin;
                let b = eye.project(at[self.triangles[t][(k + 1) % 3]]) - origin;
                if (a[across] <= 0.0) == (b[across] <= 0.0) {
                    continue;
                }
                let share = a[across] / (a[across] - b[across]);
                let u = sign * (a[axis] + share * (b[axis] - a[axis]));
                if found.is_none_or(|(_, known, _)| u > known) {
                    let d = b - a;
                    found = Some((3 * t + k, u, d[across].powi(2) / d.length_squared()));
                }
            }
            let (half_edge, u, direction) = found?;
            if u >= 1.0 {
                return None;
            }
            let other = self.partner[half_edge].map(|h| h / 3);
            let goes_on = other
                .is_some_and(|o| self.area(at, o).dot(self.corners(at, o)[0] - eye.position) < 0.0);
            if !goes_on {
                return Some((u, direction));
            }
            t = other?;
        }
        None
    }

    /// The regularisers' values: Laplacian and consistency.
    pub fn regularisers(&self, at: &[DVec3]) -> [f64; 2] {
        let mut around = vec![(DVec3::ZERO, 0.0); at.len()];
        for t in &self.triangles {
            for k in 0..3 {
                let (sum, count) = &mut around[t[k]];
                *sum += at[t[(k + 1) % 3]];
                *count += 1.0;
            }
        }
        let laplacian: f64 = at
            .iter()
            .zip(&around)
            .map(|(p, (sum, count))| (*p - *sum / *count).length_squared())
            .sum();
        let mut consistency = 0.0;
        for (h, other) in self.partner.iter().enumerate() {
            let Some(other) = other.filter(|o| *o > h) else { continue };
            let (n, m) = (self.area(at, h / 3), self.area(at, other / 3));
            let (a, b) = (n.length(), m.length());
            consistency += a * b / (a + b) * (1.0 - n.dot(m) / (a * b));
        }
        [laplacian / at.len() as f64, consistency]
    }
}
