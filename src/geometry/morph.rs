//! Morph targets: named displacements of a mesh.

use super::GeometryError;
use super::TexturedMesh;
use glam::Vec3;

/// One morph target: where it moves which vertices at weight 1.
#[derive(Debug, Clone, PartialEq)]
pub struct MorphTarget {
    /// Its name, `jawOpen` for example.
    pub name: String,
    /// The vertices that it moves, ascending.
    pub vertices: Vec<u32>,
    /// Their displacements, world units.
    pub deltas: Vec<Vec3>,
}

impl MorphTarget {
    /// Keeps the displacements that are longer than `least` (world units).
    #[must_use]
    pub fn from_dense(name: &str, deltas: &[Vec3], least: f32) -> Self {
        let mut target = Self { name: name.to_owned(), vertices: Vec::new(), deltas: Vec::new() };
        for (vertex, delta) in deltas.iter().enumerate() {
            if delta.length() > least {
                target.vertices.push(vertex as u32);
                target.deltas.push(*delta);
            }
        }
        target
    }
}

/// A textured mesh that can move its face.
#[derive(Debug, Clone, PartialEq)]
pub struct MorphMesh {
    /// The mesh at rest.
    pub rest: TexturedMesh,
    /// What moves it.
    pub targets: Vec<MorphTarget>,
    /// The weight of each target when it is first shown, 0..1.
    pub weights: Vec<f32>,
}

impl MorphMesh {
    /// A mesh that does not move.
    #[must_use]
    pub fn still(rest: TexturedMesh) -> Self {
        Self { rest, targets: Vec::new(), weights: Vec::new() }
    }

    /// The mesh as it is first shown.
    #[must_use]
    pub fn shown(&self) -> TexturedMesh {
        self.posed(&self.weights)
    }

    /// Fails unless mesh and targets fit.
    ///
    /// # Errors
    /// What [`TexturedMesh::validate`] says, or [`GeometryError::Setting`].
    pub fn validate(&self) -> Result<(), GeometryError> {
        self.rest.validate()?;
        let count = self.rest.mesh.positions.len() as u32;
        if self.weights.len() != self.targets.len() {
            return Err(GeometryError::Setting("each morph target needs one weight"));
        }
        if self.weights.iter().any(|weight| !weight.is_finite()) {
            return Err(GeometryError::Setting("the weights of morph targets must be finite"));
        }
        let fits = |target: &MorphTarget| {
            target.vertices.len() == target.deltas.len()
                && target.vertices.is_sorted_by(|a, b| a < b)
                && target.vertices.iter().all(|v| *v < count)
                && target.deltas.iter().all(|d| d.is_finite())
        };
        if !self.targets.iter().all(fits) {
            return Err(GeometryError::Setting(
                "a morph target must move each of some vertices of its mesh once",
            ));
        }
        Ok(())
    }

    /// The mesh with the targets at the given weights, with new normals of the vertices
    /// that move.
    #[must_use]
    pub fn posed(&self, weights: &[f32]) -> TexturedMesh {
        let mut mesh = self.rest.clone();
        for (target, weight) in self.targets.iter().zip(weights) {
            if *weight != 0.0 {
                for (vertex, delta) in target.vertices.iter().zip(&target.deltas) {
                    mesh.mesh.positions[*vertex as usize] += *delta * *weight;
                }
            }
        }
        // Each vertex keeps its own normal, turned as the surface round it turns: seams and
        // hard edges stay as they are.
        let (before, after) = (area_normals(&self.rest), area_normals(&mesh));
        for ((normal, from), to) in mesh.normals.iter_mut().zip(before).zip(after) {
            if from != to {
                let turn = glam::Quat::from_rotation_arc(from, to);
                *normal = (turn * *normal).normalize_or(*normal);
            }
        }
        mesh
    }
}

fn area_normals(mesh: &TexturedMesh) -> Vec<Vec3> {
    let mut normals = vec![Vec3::ZERO; mesh.mesh.positions.len()];
    for (t, corners) in mesh.mesh.triangles.iter().enumerate() {
        let area = mesh.mesh.area_vector(t);
        for &v in corners {
            normals[v as usize] += area;
        }
    }
    normals.into_iter().map(|n| n.normalize_or(Vec3::Y)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::mesh::samples::sphere;
    use glam::Vec2;

    fn ball() -> MorphMesh {
        let mesh = sphere(Vec3::ZERO, 0.5, 10, 16);
        let normals: Vec<Vec3> = mesh.positions.iter().map(|p| p.normalize()).collect();
        let uvs = vec![Vec2::splat(0.5); normals.len()];
        let lift: Vec<Vec3> = mesh.positions.iter().map(|p| Vec3::Y * p.y.max(0.0)).collect();
        let rest = TexturedMesh { mesh, normals, uvs, albedo: image::RgbaImage::new(4, 4) };
        let targets = vec![MorphTarget::from_dense("up", &lift, 1e-6)];
        MorphMesh { rest, targets, weights: vec![0.0] }
    }

    #[test]
    fn weights_move_vertices_and_turn_normals() {
        let ball = ball();
        ball.validate().unwrap();
        assert_eq!(ball.posed(&[0.0]), ball.rest);
        let posed = ball.posed(&[0.5]);
        for (i, p) in ball.rest.mesh.positions.iter().enumerate() {
            let expected = *p + Vec3::Y * 0.5 * p.y.max(0.0);
            assert!((posed.mesh.positions[i] - expected).length() < 1e-6);
            if p.y > 0.3 && p.y < 0.45 {
                // The normal of the stretched upper half, which is an ellipsoid.
                let exact = Vec3::new(p.x, p.y / 1.5, p.z).normalize();
                assert!(posed.normals[i].distance(exact) < 0.06, "{} {exact}", posed.normals[i]);
            }
        }
    }

    #[test]
    fn targets_that_do_not_fit_are_refused() {
        let mut wrong = ball();
        wrong.targets[0].vertices[0] = 99_999;
        assert!(wrong.validate().is_err());
        let mut wrong = ball();
        wrong.weights.clear();
        assert!(wrong.validate().is_err());
    }
}
