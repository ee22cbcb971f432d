//! Fitting charts of any shape into a square.

use super::UnwrapOptions;
use super::charts::Chart;
use crate::geometry::{GeometryError, Mesh};
use glam::{IVec2, Vec2};

/// Charts are placed in steps of this many texels.
pub const BLOCK: u32 = 4;

/// Halvings of the interval in which the common scale is looked for.
const SEARCH_STEPS: u32 = 9;

/// Charts that cover at least this many blocks are tried in all four quarter turns.
const TURN_FROM: usize = 24;

/// Where a chart lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    scale: f32,
    quarter_turns: u8,
    offset: Vec2,
}

impl Placement {
    /// Texel coordinates of a flattened point.
    #[must_use]
    pub fn texel(&self, flat: Vec2) -> Vec2 {
        turn(flat, self.quarter_turns) * self.scale + self.offset
    }
}

/// All charts at one scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Packing {
    /// One a chart.
    pub placements: Vec<Placement>,
    /// Texels a world unit.
    pub scale: f32,
}

/// Finds the largest common scale at which the charts fit, and their places.
///
/// # Errors
/// [`GeometryError::Atlas`] if they do not even fit at a tenth of the ideal scale.
pub fn pack(
    mesh: &Mesh,
    charts: &[Chart],
    options: UnwrapOptions,
) -> Result<Packing, GeometryError> {
    let area: f64 = charts.iter().map(|c| c.texture_area(mesh)).sum();
    let ideal = (f64::from(options.size).powi(2) / area.max(1e-12)).sqrt() as f32;
    let (mut low, mut high) = (0.0, ideal);
    let mut best = None;
    for share in [0.5, 0.25, 0.1] {
        best = place_all(mesh, charts, ideal * share, options);
        if best.is_some() {
            low = ideal * share;
            break;
        }
        high = ideal * share;
    }
    let Some(mut best) = best else {
        return Err(GeometryError::Atlas {
            charts: charts.len(),
            size: options.size,
            padding: options.padding,
        });
    };
    for _ in 0..SEARCH_STEPS {
        let middle = 0.5 * (low + high);
        if let Some(packing) = place_all(mesh, charts, middle, options) {
            best = packing;
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(best)
}

fn place_all(mesh: &Mesh, charts: &[Chart], scale: f32, options: UnwrapOptions) -> Option<Packing> {
    let blocks = (options.size / BLOCK) as usize;
    let stencils: Vec<Stencil> =
        charts.iter().map(|c| Stencil::new(mesh, c, scale, 0, options.padding)).collect();
    let mut order: Vec<usize> = (0..charts.len()).collect();
    order.sort_by_key(|&c| (std::cmp::Reverse(stencils[c].width * stencils[c].height()), c));
    let mut sheet = Sheet::new(blocks);
    let mut placements = vec![None; charts.len()];
    for c in order {
        let upright = &stencils[c];
        let mut options_here = vec![(0, upright.clone())];
        if upright.covered() >= TURN_FROM {
            for turns in 1..4 {
                let turned = Stencil::new(mesh, &charts[c], scale, turns, options.padding);
                options_here.push((turns, turned));
            }
        }
        let (at, turns, stencil) = options_here
            .into_iter()
            .filter_map(|(turns, s)| sheet.find(&s).map(|at| (at, turns, s)))
            .min_by_key(|((x, y), turns, s)| (y + s.height(), *x, *turns))?;
        sheet.occupy(&stencil, at);
        let corner = Vec2::new(at.0 as f32, at.1 as f32) * BLOCK as f32;
        placements[c] =
            Some(Placement { scale, quarter_turns: turns, offset: corner - stencil.origin });
    }
    let placements = placements.into_iter().collect::<Option<Vec<_>>>()?;
    Some(Packing { placements, scale })
}

/// Quarter turns of the plane.
fn turn(p: Vec2, quarters: u8) -> Vec2 {
    match quarters {
        0 => p,
        1 => Vec2::new(-p.y, p.x),
        2 => -p,
        _ => Vec2::new(p.y, -p.x),
    }
}

/// The blocks that a chart with half the padding around it touches.
#[derive(Debug, Clone)]
struct Stencil {
    /// Texel coordinates, at the chart's scale, of the stencil's top left corner.
    origin: Vec2,
    width: usize,
    /// Horizontal runs of touched blocks, `[start, end)`, of each row.
    rows: Vec<Vec<(usize, usize)>>,
}

impl Stencil {
    fn new(mesh: &Mesh, chart: &Chart, scale: f32, turns: u8, padding: u32) -> Self {
        let margin = padding as f32 * 0.5;
        let block = BLOCK as f32;
        let flat = |t: u32| {
            mesh.triangles[t as usize]
                .map(|v| turn(chart.flatten(mesh.positions[v as usize]), turns) * scale)
        };
        let (mut low, mut high) = (Vec2::INFINITY, Vec2::NEG_INFINITY);
        for p in chart.triangles.iter().flat_map(|&t| flat(t)) {
            low = low.min(p);
            high = high.max(p);
        }
        let origin = low - margin;
        let size = ((high - low + 2.0 * margin) / block).ceil().max(Vec2::ONE).as_ivec2();
        let (width, height) = (size.x as usize, size.y as usize);
        let mut touched = vec![false; width * height];
        let last = size - 1;
        for &t in &chart.triangles {
            let corners = flat(t).map(|p| p - origin);
            let lo = corners[0].min(corners[1]).min(corners[2]) - margin;
            let hi = corners[0].max(corners[1]).max(corners[2]) + margin;
            let lo = (lo / block).floor().as_ivec2().clamp(IVec2::ZERO, last);
            let hi = (hi / block).floor().as_ivec2().clamp(IVec2::ZERO, last);
            for y in lo.y..=hi.y {
                for x in lo.x..=hi.x {
                    let cell = &mut touched[y as usize * width + x as usize];
                    let corner = Vec2::new(x as f32, y as f32) * block;
                    *cell = *cell || touches(corners, corner - margin, corner + block + margin);
                }
            }
        }
        let rows = touched.chunks_exact(width).map(runs).collect();
        Self { origin, width, rows }
    }

    fn height(&self) -> usize {
        self.rows.len()
    }

    fn covered(&self) -> usize {
        self.rows.iter().flatten().map(|(a, b)| b - a).sum()
    }
}

/// Whether a triangle and a rectangle may overlap: no edge line of the triangle separates
/// them (their boxes are known to overlap).
fn touches(p: [Vec2; 3], low: Vec2, high: Vec2) -> bool {
    let winding = (p[1] - p[0]).perp_dot(p[2] - p[0]);
    (0..3).all(|i| {
        let (a, b) = (p[i], p[(i + 1) % 3]);
        let mut inward = (b - a).perp();
        if winding < 0.0 {
            inward = -inward;
        }
        // The corner farthest inward decides.
        let far = Vec2::select(inward.cmpgt(Vec2::ZERO), high, low);
        inward.dot(far - a) >= 0.0
    })
}

fn runs(row: &[bool]) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    let mut x = 0;
    while x < row.len() {
        if row[x] {
            let end = row[x..].iter().position(|on| !on).map_or(row.len(), |n| x + n);
            out.push((x, end));
            x = end;
        } else {
            x += 1;
        }
    }
    out
}

/// The occupied blocks of the texture, one bit each.
struct Sheet {
    size: usize,
    rows: Vec<Vec<u64>>,
}

impl Sheet {
    fn new(size: usize) -> Self {
        Self { size, rows: vec![vec![0; size.div_ceil(64)]; size] }
    }

    /// The topmost, then leftmost free place for a stencil.
    fn find(&self, stencil: &Stencil) -> Option<(usize, usize)> {
        let last_x = self.size.checked_sub(stencil.width)?;
        let last_y = self.size.checked_sub(stencil.height())?;
        let mut blocked = vec![0u64; self.size.div_ceil(64)];
        let mut window = blocked.clone();
        for y in 0..=last_y {
            blocked.fill(0);
            for (row, runs) in stencil.rows.iter().enumerate() {
                for &(start, end) in runs {
                    // Bit x of the window tells whether any of x + start .. x + end is taken.
                    window.copy_from_slice(&self.rows[y + row]);
                    shift_down(&mut window, start);
                    let mut length = 1;
                    while length < end - start {
                        let step = length.min(end - start - length);
                        let before = window.clone();
                        shift_down(&mut window, step);
                        for (w, b) in window.iter_mut().zip(before) {
                            *w |= b;
                        }
                        length += step;
                    }
                    for (b, w) in blocked.iter_mut().zip(&window) {
                        *b |= w;
                    }
                }
            }
            let free = blocked.iter().enumerate().find_map(|(i, word)| {
                (*word != u64::MAX).then(|| i * 64 + word.trailing_ones() as usize)
            });
            if let Some(x) = free.filter(|x| *x <= last_x) {
                return Some((x, y));
            }
        }
        None
    }

    fn occupy(&mut self, stencil: &Stencil, (x, y): (usize, usize)) {
        for (row, runs) in stencil.rows.iter().enumerate() {
            for &(start, end) in runs {
                for at in x + start..x + end {
                    self.rows[y + row][at / 64] |= 1 << (at % 64);
                }
            }
        }
    }
}

/// Moves all bits down by `by`; zeros come in at the top.
fn shift_down(words: &mut [u64], by: usize) {
    let (whole, bits) = (by / 64, by % 64);
    let n = words.len();
    for i in 0..n {
        let low = words.get(i + whole).copied().unwrap_or(0);
        let high = words.get(i + whole + 1).copied().unwrap_or(0);
        words[i] = if bits == 0 { low } else { low >> bits | high << (64 - bits) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_move_across_words() {
        let mut words = [0b1011, 0b101, 0];
        shift_down(&mut words, 1);
        assert_eq!(words, [0b101 | 1 << 63, 0b10, 0]);
        let mut words = [7, 9, 1 << 5];
        shift_down(&mut words, 66);
        assert_eq!(words, [9 >> 2, 8, 0]);
    }

    #[test]
    fn places_are_found_top_left_and_never_twice() {
        let square =
            |n: usize| Stencil { origin: Vec2::ZERO, width: n, rows: vec![vec![(0, n)]; n] };
        let mut sheet = Sheet::new(100);
        let mut places = Vec::new();
        for n in [60, 40, 40, 40, 20, 20] {
            let at = sheet.find(&square(n)).expect("there is room");
            sheet.occupy(&square(n), at);
            places.push(at);
        }
        assert_eq!(places, [(0, 0), (60, 0), (60, 40), (0, 60), (40, 60), (40, 80)]);
        assert_eq!(sheet.find(&square(41)), None);
        assert_eq!(sheet.find(&square(101)), None);
    }

    #[test]
    fn touching_is_conservative() {
        let t = [Vec2::ZERO, Vec2::new(10.0, 0.0), Vec2::new(0.0, 10.0)];
        assert!(touches(t, Vec2::new(4.0, 4.0), Vec2::new(6.0, 6.0)));
        assert!(!touches(t, Vec2::new(5.5, 5.5), Vec2::new(9.0, 9.0)));
        let t = [t[0], t[2], t[1]];
        assert!(!touches(t, Vec2::new(5.5, 5.5), Vec2::new(9.0, 9.0)));
    }
}
