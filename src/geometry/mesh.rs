//! Triangle meshes.

use super::GeometryError;
use glam::{Vec2, Vec3};

/// An indexed triangle mesh in world units; counter-clockwise triangles face outward.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mesh {
    /// Vertex positions.
    pub positions: Vec<Vec3>,
    /// Vertex indices of each triangle.
    pub triangles: Vec<[u32; 3]>,
}

impl Mesh {
    /// Fails unless every index names a vertex and every vertex is finite.
    ///
    /// # Errors
    /// [`GeometryError::Index`] or [`GeometryError::Vertex`].
    pub fn validate(&self) -> Result<(), GeometryError> {
        if let Some(vertex) = self.positions.iter().position(|p| !p.is_finite()) {
            return Err(GeometryError::Vertex(vertex));
        }
        let vertices = self.positions.len();
        for (triangle, corners) in self.triangles.iter().enumerate() {
            if let Some(&vertex) = corners.iter().find(|&&v| v as usize >= vertices) {
                return Err(GeometryError::Index { triangle, vertex, vertices });
            }
        }
        Ok(())
    }

    /// The corner positions of a triangle.
    ///
    /// # Panics
    /// If the triangle or one of its indices is out of range.
    #[must_use]
    pub fn corners(&self, triangle: usize) -> [Vec3; 3] {
        self.triangles[triangle].map(|v| self.positions[v as usize])
    }

    /// Twice the area of a triangle times its unit normal.
    ///
    /// # Panics
    /// If the triangle or one of its indices is out of range.
    #[must_use]
    pub fn area_vector(&self, triangle: usize) -> Vec3 {
        let [a, b, c] = self.corners(triangle);
        (b - a).cross(c - a)
    }

    /// The enclosed volume of a closed mesh: positive when the triangles face outward
    /// (divergence theorem; meaningless for open meshes).
    #[must_use]
    pub fn signed_volume(&self) -> f64 {
        self.triangles
            .iter()
            .map(|t| tetrahedron_volume(t.map(|v| self.positions[v as usize])))
            .sum()
    }

    /// Total surface area.
    #[must_use]
    pub fn area(&self) -> f64 {
        (0..self.triangles.len()).map(|t| f64::from(self.area_vector(t).length()) * 0.5).sum()
    }

    /// The smallest and largest coordinates; `None` without vertices.
    #[must_use]
    pub fn bounds(&self) -> Option<(Vec3, Vec3)> {
        let first = *self.positions.first()?;
        Some(self.positions.iter().fold((first, first), |(lo, hi), &p| (lo.min(p), hi.max(p))))
    }

    /// The mesh without the vertices that no triangle names, in their old order.
    #[must_use]
    pub fn compacted(&self) -> Self {
        let mut used = vec![false; self.positions.len()];
        for &v in self.triangles.iter().flatten() {
            used[v as usize] = true;
        }
        let mut renumber = vec![0u32; used.len()];
        let mut positions = Vec::new();
        for (v, _) in used.iter().enumerate().filter(|(_, used)| **used) {
            renumber[v] = positions.len() as u32;
            positions.push(self.positions[v]);
        }
        let triangles = self.triangles.iter().map(|t| t.map(|v| renumber[v as usize])).collect();
        Self { positions, triangles }
    }

    /// The same surface turned inside out.
    #[must_use]
    pub fn flipped(mut self) -> Self {
        for t in &mut self.triangles {
            t.swap(1, 2);
        }
        self
    }
}

/// Signed volume between a triangle and the origin.
#[must_use]
pub(super) fn tetrahedron_volume([a, b, c]: [Vec3; 3]) -> f64 {
    a.as_dvec3().dot(b.as_dvec3().cross(c.as_dvec3())) / 6.0
}

/// A mesh with everything needed to draw or export it. Vertices are split along the
/// seams of the texture, so the mesh is closed only after welding.
#[derive(Debug, Clone, PartialEq)]
pub struct TexturedMesh {
    /// Positions and triangles.
    pub mesh: Mesh,
    /// Unit normals, one a vertex.
    pub normals: Vec<Vec3>,
    /// Texture coordinates, one a vertex: `(0, 0)` is the image's top left corner.
    pub uvs: Vec<Vec2>,
    /// Base colour, sRGB-encoded.
    pub albedo: image::RgbaImage,
}

impl TexturedMesh {
    /// Fails unless the mesh is valid and has one normal and one texture coordinate a
    /// vertex.
    ///
    /// # Errors
    /// What [`Mesh::validate`] says, or [`GeometryError::Setting`].
    pub fn validate(&self) -> Result<(), GeometryError> {
        self.mesh.validate()?;
        let n = self.mesh.positions.len();
        if self.normals.len() != n || self.uvs.len() != n {
            return Err(GeometryError::Setting(
                "a textured mesh needs one normal and one texture coordinate for each vertex",
            ));
        }
        if self.mesh.triangles.is_empty() {
            return Err(GeometryError::Setting("a textured mesh needs at least one triangle"));
        }
        if self.normals.iter().any(|v| !v.is_normalized()) {
            return Err(GeometryError::Setting(
                "the normals of a textured mesh must have length 1",
            ));
        }
        if self.uvs.iter().any(|v| !v.is_finite()) {
            return Err(GeometryError::Setting(
                "the texture coordinates of a textured mesh must be finite",
            ));
        }
        Ok(())
    }
}

/// A mesh with a colour for each vertex, for showing what is not finished.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ColoredMesh {
    /// The surface.
    pub mesh: Mesh,
    /// A unit normal a vertex.
    pub normals: Vec<Vec3>,
    /// A colour a vertex, sRGB-encoded, 0..1.
    pub colors: Vec<Vec3>,
}

/// A sphere of latitude rings, outward.
#[must_use]
pub fn sphere(centre: Vec3, radius: f32, rings: u32, sectors: u32) -> Mesh {
    let mut positions = vec![centre + Vec3::Y * radius];
    for r in 1..rings {
        let theta = std::f32::consts::PI * r as f32 / rings as f32;
        for s in 0..sectors {
            let phi = std::f32::consts::TAU * s as f32 / sectors as f32;
            let (st, ct) = theta.sin_cos();
            positions.push(centre + radius * Vec3::new(st * phi.sin(), ct, st * phi.cos()));
        }
    }
    positions.push(centre - Vec3::Y * radius);
    let at = |r: u32, s: u32| 1 + (r - 1) * sectors + s % sectors;
    let last = positions.len() as u32 - 1;
    let mut triangles = Vec::new();
    for s in 0..sectors {
        triangles.push([0, at(1, s), at(1, s + 1)]);
        triangles.push([last, at(rings - 1, s + 1), at(rings - 1, s)]);
        for r in 1..rings - 1 {
            triangles.push([at(r, s), at(r + 1, s), at(r + 1, s + 1)]);
            triangles.push([at(r, s), at(r + 1, s + 1), at(r, s + 1)]);
        }
    }
    Mesh { positions, triangles }
}

#[cfg(test)]
pub(crate) mod samples {
    //! Meshes that several tests use.
    pub use super::sphere;
    use super::{Mesh, Vec3};

    /// A unit cube around `centre`, scaled.
    pub fn cube(centre: Vec3, half: f32) -> Mesh {
        let positions = (0..8)
            .map(|i| {
                let s = |bit: i32| if i >> bit & 1 == 1 { half } else { -half };
                centre + Vec3::new(s(0), s(1), s(2))
            })
            .collect();
        let quads =
            [[0, 4, 6, 2], [1, 3, 7, 5], [0, 1, 5, 4], [2, 6, 7, 3], [0, 2, 3, 1], [4, 5, 7, 6]];
        let triangles = quads.iter().flat_map(|&[a, b, c, d]| [[a, b, c], [a, c, d]]).collect();
        Mesh { positions, triangles }
    }

    /// Signed-distance-like values of a rough bust with a nose, ears, a neck and bumpy hair.
    pub fn bust(p: Vec3) -> f32 {
        let bar = |at: f32| {
            let q = ((p - Vec3::X * at).abs() - Vec3::new(0.04, 0.07, 0.02)).max(Vec3::ZERO);
            q.length() - 0.01
        };
        let skull = ((p / Vec3::new(0.75, 1.0, 0.9)).length() - 0.35) * 0.75;
        let nose = (p - Vec3::new(0.0, -0.05, 0.33)).length() - 0.06;
        let neck = (Vec3::new(p.x, 0.0, p.z).length() - 0.15).max(p.y).max(-0.6 - p.y);
        let hair = 0.01 * (p.x * 80.0).sin() * (p.z * 60.0).sin() * (p.y * 70.0).sin();
        let solid = skull.min(nose).min(neck).min(bar(0.27)).min(bar(-0.27));
        solid + if p.y > 0.1 { hair } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volume_and_area_of_a_cube_and_a_sphere() {
        let cube = samples::cube(Vec3::new(0.3, -0.2, 0.5), 0.5);
        assert!((cube.signed_volume() - 1.0).abs() < 1e-6);
        assert!((cube.area() - 6.0).abs() < 1e-6);
        assert!((cube.flipped().signed_volume() + 1.0).abs() < 1e-6);
        let sphere = samples::sphere(Vec3::ZERO, 1.0, 64, 128);
        assert!((sphere.signed_volume() - 4.18879).abs() < 0.01);
    }

    #[test]
    fn broken_meshes_are_named() {
        let mut mesh = samples::cube(Vec3::ZERO, 1.0);
        mesh.triangles[3][1] = 8;
        let error = GeometryError::Index { triangle: 3, vertex: 8, vertices: 8 };
        assert_eq!(mesh.validate(), Err(error));
        mesh.triangles.remove(3);
        mesh.positions[5].y = f32::NAN;
        assert_eq!(mesh.validate(), Err(GeometryError::Vertex(5)));
    }

    #[test]
    fn compaction_keeps_the_surface() {
        let mut mesh = samples::cube(Vec3::ZERO, 0.5);
        mesh.positions.insert(0, Vec3::splat(9.0));
        for t in &mut mesh.triangles {
            *t = t.map(|v| v + 1);
        }
        let small = mesh.compacted();
        assert_eq!(small, samples::cube(Vec3::ZERO, 0.5));
    }
}
