//! Which nodes of a lattice belong to the head: floaters and hidden chambers go,
//! accessories stay.
//!
//! Working on lattice nodes instead of triangles keeps the surface a manifold by
//! construction: nodes are connected exactly along the edges of the tetrahedra that
//! [`super::extract`] cuts, so every connected solid without chambers gets exactly one
//! closed surface.

use super::GeometryError;
use super::grid::{NEIGHBOURS, ScalarGrid};
use glam::Vec3;

/// When a part that is too small to count by volume is kept after all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accessory {
    /// Largest distance to a part that counts, world units.
    pub max_gap: f32,
    /// Smallest diagonal of its bounding box, world units.
    pub min_extent: f32,
}

/// How a solid is cleaned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CleanUp {
    /// Lower corner of the box that is kept, world units; each plane is moved to the
    /// nearest one half way between two lattice nodes, and the cut is flat.
    pub crop_min: Vec3,
    /// Upper corner of the box that is kept.
    pub crop_max: Vec3,
    /// Parts below this share of the total volume are floaters.
    pub floater_fraction: f32,
    /// Exception for small parts that sit close to the head, such as glasses.
    pub accessory: Option<Accessory>,
    /// Openings narrower than about twice this many nodes do not connect an inner chamber
    /// with the outside; 0 fills only chambers that are fully closed.
    pub seal_nodes: usize,
}

impl Default for CleanUp {
    fn default() -> Self {
        Self {
            crop_min: Vec3::splat(-1.0),
            crop_max: Vec3::splat(1.0),
            floater_fraction: 0.01,
            accessory: Some(Accessory { max_gap: 0.04, min_extent: 0.12 }),
            seal_nodes: 1,
        }
    }
}

/// One connected part of the solid.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Part {
    /// Volume, cubic world units (counted in nodes).
    pub volume: f32,
    /// Diagonal of the bounding box, world units.
    pub extent: f32,
}

/// What the clean-up did.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct CleanReport {
    /// Parts that stay, in lattice order.
    pub kept: Vec<Part>,
    /// Parts that were removed.
    pub dropped: Vec<Part>,
    /// Volume of the inner chambers that were filled, cubic world units.
    pub filled_volume: f32,
}

/// The nodes of a lattice that are inside after the clean-up.
#[derive(Debug, Clone, PartialEq)]
pub struct Solid {
    /// One flag a node, in the order of the lattice's values. Border nodes are outside.
    pub inside: Vec<bool>,
    /// First and last node of the cropping box along each axis.
    pub crop: [[usize; 3]; 2],
    /// What was done.
    pub report: CleanReport,
}

/// Finds the solid of a lattice (negative values) and cleans it.
///
/// # Errors
/// [`GeometryError::Empty`] if no node is inside, [`GeometryError::Setting`] for settings
/// out of range.
pub fn clean(grid: &ScalarGrid, options: &CleanUp) -> Result<Solid, GeometryError> {
    if !(0.0..1.0).contains(&options.floater_fraction) {
        return Err(GeometryError::Setting("floater_fraction must be within 0 and 1"));
    }
    let lattice = Lattice::new(grid, options)?;
    let mut inside: Vec<bool> = (0..grid.values().len())
        .map(|node| grid.values()[node] < 0.0 && lattice.in_crop(grid.coordinates(node)))
        .collect();
    if !inside.contains(&true) {
        return Err(GeometryError::Empty(
            "no value inside the cropping box is below the surface's",
        ));
    }
    let before = inside.iter().filter(|i| **i).count();
    if options.seal_nodes > 0 {
        lattice.fill_chambers(grid, &mut inside, options.seal_nodes);
    }
    lattice.fill_cavities(&mut inside);
    let cell = grid.spacing().powi(3);
    let filled = inside.iter().filter(|i| **i).count() - before;
    let mut report = CleanReport { filled_volume: filled as f32 * cell, ..CleanReport::default() };
    lattice.drop_floaters(grid, &mut inside, options, &mut report);
    Ok(Solid { inside, crop: [lattice.low, lattice.high], report })
}

/// Node arithmetic of one lattice and its cropping box.
struct Lattice {
    n: usize,
    low: [usize; 3],
    high: [usize; 3],
}

/// A connected set of nodes.
struct Region {
    nodes: Vec<u32>,
    low: [usize; 3],
    high: [usize; 3],
}

impl Lattice {
    fn new(grid: &ScalarGrid, options: &CleanUp) -> Result<Self, GeometryError> {
        let n = grid.resolution();
        let h = grid.spacing();
        let (mut low, mut high) = ([0; 3], [0; 3]);
        for axis in 0..3 {
            let (lo, hi) = (options.crop_min[axis], options.crop_max[axis]);
            if lo.is_nan() || hi.is_nan() || lo >= hi {
                return Err(GeometryError::Setting("the cropping box must have a volume"));
            }
            // The border layer always stays outside, so that the surface is closed.
            let first = ((lo + 1.0) / h + 0.5).round().clamp(1.0, (n - 2) as f32);
            let last = ((hi + 1.0) / h - 0.5).round().clamp(1.0, (n - 2) as f32);
            low[axis] = first as usize;
            high[axis] = last as usize;
        }
        Ok(Self { n, low, high })
    }

    fn in_crop(&self, at: [usize; 3]) -> bool {
        (0..3).all(|a| (self.low[a]..=self.high[a]).contains(&at[a]))
    }

    fn neighbours(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        let n = self.n as isize;
        let at = [node % self.n, node / self.n % self.n, node / (self.n * self.n)];
        let at = at.map(|c| c as isize);
        NEIGHBOURS.iter().filter_map(move |step| {
            let [x, y, z] = [at[0] + step[0], at[1] + step[1], at[2] + step[2]];
            let valid = |c: isize| (0..n).contains(&c);
            (valid(x) && valid(y) && valid(z)).then_some(((z * n + y) * n + x) as usize)
        })
    }

    fn is_border(&self, node: usize) -> bool {
        let at = [node % self.n, node / self.n % self.n, node / (self.n * self.n)];
        at.iter().any(|&c| c == 0 || c == self.n - 1)
    }

    /// The passable nodes that can be reached from passable border nodes.
    fn reach_from_border(&self, passable: &[bool]) -> Vec<bool> {
        let mut reached = vec![false; passable.len()];
        let mut stack = Vec::new();
        for node in 0..passable.len() {
            if passable[node] && self.is_border(node) {
                reached[node] = true;
                stack.push(node);
            }
        }
        while let Some(node) = stack.pop() {
            for next in self.neighbours(node) {
                if passable[next] && !reached[next] {
                    reached[next] = true;
                    stack.push(next);
                }
            }
        }
        reached
    }

    /// Fills what the outside cannot reach.
    fn fill_cavities(&self, inside: &mut [bool]) {
        let outside: Vec<bool> = inside.iter().map(|i| !i).collect();
        let reached = self.reach_from_border(&outside);
        for (node, solid) in inside.iter_mut().enumerate() {
            *solid |= !reached[node];
        }
    }

    /// Fills chambers that a probe of `radius` nodes (a cube) cannot enter from outside.
    fn fill_chambers(&self, grid: &ScalarGrid, inside: &mut [bool], radius: usize) {
        let clear: Vec<bool> = self.dilate(inside, radius).iter().map(|fat| !fat).collect();
        let reached = self.reach_from_border(&clear);
        if !reached.contains(&true) {
            // The solid presses against the whole border: there is no outside to enter from.
            return;
        }
        let hidden: Vec<bool> =
            (0..clear.len()).map(|node| clear[node] && !reached[node]).collect();
        let chambers = self.dilate(&hidden, radius);
        for (node, solid) in inside.iter_mut().enumerate() {
            *solid |= chambers[node] && self.in_crop(grid.coordinates(node));
        }
    }

    /// Dilation by a cube of `2 radius + 1` nodes, one axis after the other.
    fn dilate(&self, set: &[bool], radius: usize) -> Vec<bool> {
        let n = self.n;
        let mut current = set.to_vec();
        for stride in [1, n, n * n] {
            let mut next = vec![false; current.len()];
            for (node, _) in current.iter().enumerate().filter(|(_, on)| **on) {
                let along = node / stride % n;
                let first = node - along.min(radius) * stride;
                let last = node + (n - 1 - along).min(radius) * stride;
                for at in (first..=last).step_by(stride) {
                    next[at] = true;
                }
            }
            current = next;
        }
        current
    }

    fn regions(&self, grid: &ScalarGrid, inside: &[bool]) -> Vec<Region> {
        let mut seen = vec![false; inside.len()];
        let mut regions = Vec::new();
        for start in 0..inside.len() {
            if !inside[start] || seen[start] {
                continue;
            }
            seen[start] = true;
            let mut nodes = vec![start as u32];
            let mut next = 0;
            let (mut low, mut high) = ([usize::MAX; 3], [0; 3]);
            while next < nodes.len() {
                let node = nodes[next] as usize;
                next += 1;
                let at = grid.coordinates(node);
                for a in 0..3 {
                    low[a] = low[a].min(at[a]);
                    high[a] = high[a].max(at[a]);
                }
                for other in self.neighbours(node) {
                    if inside[other] && !seen[other] {
                        seen[other] = true;
                        nodes.push(other as u32);
                    }
                }
            }
            regions.push(Region { nodes, low, high });
        }
        regions
    }

    fn drop_floaters(
        &self,
        grid: &ScalarGrid,
        inside: &mut [bool],
        options: &CleanUp,
        report: &mut CleanReport,
    ) {
        let regions = self.regions(grid, inside);
        let total: usize = regions.iter().map(|r| r.nodes.len()).sum();
        let smallest = options.floater_fraction * total as f32;
        let mut main = vec![false; inside.len()];
        for region in &regions {
            if region.nodes.len() as f32 >= smallest {
                for &node in &region.nodes {
                    main[node as usize] = true;
                }
            }
        }
        for region in &regions {
            let size = |a: usize| (region.high[a] - region.low[a] + 1) as f32 * grid.spacing();
            let part = Part {
                volume: region.nodes.len() as f32 * grid.spacing().powi(3),
                extent: Vec3::new(size(0), size(1), size(2)).length(),
            };
            let keep = main[region.nodes[0] as usize]
                || options.accessory.is_some_and(|rule| {
                    part.extent >= rule.min_extent
                        && self.is_near(grid, region, &main, rule.max_gap)
                });
            if keep {
                report.kept.push(part);
            } else {
                report.dropped.push(part);
                for &node in &region.nodes {
                    inside[node as usize] = false;
                }
            }
        }
    }

    /// Whether a node of `region` is within `gap` of a node of `main`.
    fn is_near(&self, grid: &ScalarGrid, region: &Region, main: &[bool], gap: f32) -> bool {
        let n = self.n as isize;
        let reach = gap / grid.spacing();
        let r = reach.floor() as isize;
        let mut ball = Vec::new();
        for z in -r..=r {
            for y in -r..=r {
                for x in -r..=r {
                    if ((x * x + y * y + z * z) as f32) <= reach * reach {
                        ball.push([x, y, z]);
                    }
                }
            }
        }
        region.nodes.iter().any(|&node| {
            let at = grid.coordinates(node as usize).map(|c| c as isize);
            ball.iter().any(|step| {
                let [x, y, z] = [at[0] + step[0], at[1] + step[1], at[2] + step[2]];
                let valid = |c: isize| (0..n).contains(&c);
                valid(x) && valid(y) && valid(z) && main[((z * n + y) * n + x) as usize]
            })
        })
    }
}
