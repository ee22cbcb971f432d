//! From parameters and a look to one coloured mesh.

use super::anatomy::Anatomy;
use super::hair::Skin;
use super::mesh::{StudioMesh, StudioVertex};
use super::paint::Paint;
use super::skin::SkinColors;
use super::{beard, ear, face_paint, glasses, hair, hat, horn, teeth};
use crate::head::look::Look;
use crate::head::{HeadError, HeadParams, HeadPose, Part, ShapedHead};
use glam::Vec3;
use std::ops::Range;

/// The parts of the prior that are drawn, in the order of their triangles.
pub const VISIBLE: [Part; 8] = [
    Part::Skin,
    Part::EyeLeft,
    Part::EyeRight,
    Part::LashLeft,
    Part::LashRight,
    Part::TeethUpper,
    Part::TeethLower,
    Part::Tongue,
];

/// A head ready to be drawn: mesh, eye colours and the neutral shape below it.
#[derive(Debug, Clone)]
pub struct StudioHead {
    /// Everything visible, coloured.
    pub mesh: StudioMesh,
    /// sRGB-encoded colours of sclera, iris and pupil.
    pub eyes: [Vec3; 3],
    /// How many of the mesh's first triangles are the prior's own.
    pub prior_triangles: usize,
    /// Which triangles are hair on the head.
    pub hair: Range<usize>,
    /// The prior's part of it as it is posed, with an elf's ears.
    pub skin: ShapedHead,
    /// The same identity with a neutral expression and pose, for control maps.
    pub neutral: ShapedHead,
}

/// Which of what is added to the prior is the hair.
const HAIR: usize = 1;

impl StudioHead {
    /// Shapes and colours a head. `seed` drives only blotches, strands and grain.
    ///
    /// # Errors
    /// What [`crate::head::HeadModel::shape`] says about the parameters.
    pub fn new(params: &HeadParams, look: &Look, seed: u64) -> Result<Self, HeadError> {
        let anatomy = Anatomy::get();
        let model = anatomy.model;
        let mut shaped = model.shape(params)?;
        ear::point(anatomy, look, &mut shaped.positions);
        let bare = shaped.clone();
        anatomy.trim_lashes(look, &mut shaped.positions);
        let rest = HeadParams {
            expression: Default::default(),
            pose: HeadPose::default(),
            ..params.clone()
        };
        let neutral = model.shape(&rest)?;
        let warp = anatomy.warp(&neutral);
        let paint = Paint::new(look, seed);
        let normals = model.normals(&shaped.positions);
        let skin = Skin { anatomy, positions: &shaped.positions, normals: &normals };

        let mut mesh = body(anatomy, &shaped, &normals, &SkinColors::new(look, seed));
        let parts = [
            Some(teeth::build(anatomy, &shaped.positions, &paint)),
            hair::build(&skin, &warp, look, &paint),
            beard::build(&skin, look, &paint),
            Some(beard::brows(&skin, look, &paint)),
            face_paint::nose(&warp, look, &paint),
            horn::build(&warp, look, &paint),
            ear::rings(anatomy, &shaped.positions, look, &paint),
            glasses::build(&warp, look, &paint),
            hat::build(anatomy, &warp, look, &paint),
        ];
        let prior_triangles = mesh.triangles.len();
        let mut hair = 0..0;
        for (i, part) in parts.into_iter().enumerate() {
            let first = mesh.triangles.len();
            if let Some(part) = part {
                mesh.append(&part);
            }
            if i == HAIR {
                hair = first..mesh.triangles.len();
            }
        }
        Ok(Self { mesh, eyes: paint.eyes(), prior_triangles, hair, skin: bare, neutral })
    }
}

fn body(
    anatomy: &Anatomy,
    shaped: &ShapedHead,
    normals: &[Vec3],
    colors: &SkinColors,
) -> StudioMesh {
    let vertices = shaped
        .positions
        .iter()
        .enumerate()
        .map(|(i, p)| StudioVertex {
            position: p.to_array(),
            normal: normals[i].to_array(),
            albedo: colors.vertex(i).clamp(Vec3::ZERO, Vec3::ONE).to_array(),
            gaze: anatomy.gaze[i].to_array(),
        })
        .collect();
    let triangles = VISIBLE
        .into_iter()
        .flat_map(|part| anatomy.model.part_triangles(part).iter().copied())
        .collect();
    let bound = (0..shaped.positions.len() as u32).map(Some).collect();
    let charts = vec![None; shaped.positions.len()];
    StudioMesh { vertices, triangles, bound, charts }
}
