//! What the live view shows.

use super::anchors::{Anchor, anchors};
use super::mesh_slot::check_pose;
use super::overlay::Landmarks;
use crate::geometry::TexturedMesh;
use crate::render::RenderError;
use glam::Vec3;
use std::sync::Arc;

/// What the live view shows. Cheap to clone; the same `Arc`s again cost nothing.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// The head as it is; `None` while there is none.
    pub after: Option<Arc<TexturedMesh>>,
    /// A colour for each vertex of `after` (sRGB-encoded RGBA), which its texture is multiplied
    /// by.
    pub colors: Option<Arc<Vec<[u8; 4]>>>,
    /// The head before an edit, to compare with.
    pub before: Option<Arc<TexturedMesh>>,
    /// Landmarks on the head as it is, where they are at rest.
    pub landmarks: Option<Arc<Landmarks>>,
}

/// Content with what follows from it.
#[derive(Debug, Default)]
pub(super) struct Posed {
    content: Content,
    /// Positions and normals of the vertices, if they are elsewhere than at rest.
    pose: Option<(Vec<Vec3>, Vec<Vec3>)>,
    anchors: Vec<Anchor>,
}

/// The head as it is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surface<'a> {
    pub positions: &'a [Vec3],
    pub normals: &'a [Vec3],
    pub triangles: &'a [[u32; 3]],
}

/// Whether two are the same object, or both nothing.
fn same<T>(a: Option<&Arc<T>>, b: Option<&Arc<T>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => true,
        _ => false,
    }
}

impl Posed {
    /// Takes other content; returns whether the heads after and before are others. A new head
    /// is at rest.
    pub fn replace(&mut self, content: Content) -> (bool, bool) {
        let old = std::mem::replace(&mut self.content, content);
        let new = &self.content;
        let after = !same(old.after.as_ref(), new.after.as_ref());
        let before = !same(old.before.as_ref(), new.before.as_ref());
        if after {
            self.pose = None;
        }
        if after || !same(old.landmarks.as_ref(), new.landmarks.as_ref()) {
            self.anchors = match (&new.landmarks, &new.after) {
                (Some(landmarks), Some(mesh)) => anchors(landmarks, &mesh.mesh.positions),
                _ => Vec::new(),
            };
        }
        (after, before)
    }

    /// # Errors
    /// [`RenderError::Invalid`] unless there is a head with as many vertices.
    pub fn set_pose(
        &mut self,
        positions: Vec<Vec3>,
        normals: Vec<Vec3>,
    ) -> Result<(), RenderError> {
        let Some(mesh) = &self.content.after else {
            return Err(RenderError::Invalid("there is no head to pose".into()));
        };
        check_pose(mesh, &positions, &normals)?;
        self.pose = Some((positions, normals));
        Ok(())
    }

    pub fn content(&self) -> &Content {
        &self.content
    }

    pub fn pose(&self) -> Option<(&[Vec3], &[Vec3])> {
        self.pose.as_ref().map(|(positions, normals)| (&positions[..], &normals[..]))
    }

    /// The head as it is shown.
    pub fn surface(&self) -> Option<Surface<'_>> {
        let mesh = self.content.after.as_ref()?;
        let rest = (&mesh.mesh.positions[..], &mesh.normals[..]);
        let (positions, normals) = self.pose().unwrap_or(rest);
        Some(Surface { positions, normals, triangles: &mesh.mesh.triangles })
    }

    /// The smallest and largest coordinates of its vertices.
    pub fn bounds(&self) -> Option<(Vec3, Vec3)> {
        let positions = self.surface()?.positions;
        let first = *positions.first()?;
        Some(positions.iter().fold((first, first), |(lo, hi), &p| (lo.min(p), hi.max(p))))
    }

    /// The landmarks where they are now, with the surface's normals there.
    pub fn landmarks(&self) -> Vec<(Vec3, Vec3)> {
        let Some(head) = self.surface() else { return Vec::new() };
        self.anchors.iter().map(|anchor| anchor.place(head.positions, head.normals)).collect()
    }
}
