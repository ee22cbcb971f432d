//! From parameters and a look to one coloured mesh.

use super::anatomy::Anatomy;
use super::hair::Skin;
use super::mesh::{StudioMesh, StudioVertex};
use super::noise::step;
use super::paint::Paint;
use super::{beard, ear, face_paint, glasses, hair, hat, horn, teeth};
use crate::head::look::{HairStyle, Look};
use crate::head::{HeadError, HeadParams, HeadPose, Part, ShapedHead};
use glam::Vec3;

/// A head ready to be drawn: mesh, eye colours and the neutral shape below it.
#[derive(Debug, Clone)]
pub struct StudioHead {
    /// Everything visible, coloured.
    pub mesh: StudioMesh,
    /// sRGB-encoded colours of sclera, iris and pupil.
    pub eyes: [Vec3; 3],
    /// The same identity with a neutral expression and pose, for control maps.
    pub neutral: ShapedHead,
}

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

        let mut mesh = body(anatomy, &shaped, &normals, look, &paint);
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
        for part in parts.into_iter().flatten() {
            mesh.append(&part);
        }
        Ok(Self { mesh, eyes: paint.eyes(), neutral })
    }
}

fn body(
    anatomy: &Anatomy,
    shaped: &ShapedHead,
    normals: &[Vec3],
    look: &Look,
    paint: &Paint,
) -> StudioMesh {
    let mut albedo = paint.body(anatomy);
    let scalp = hair::scalp_tint(anatomy, look);
    let jaw = beard::tint(anatomy, look);
    for (i, colour) in albedo.iter_mut().enumerate() {
        let p = anatomy.at[i];
        if scalp[i] > 0.0 {
            let shadow = if look.hair == HairStyle::Buzz { 1.0 } else { 0.82 };
            *colour = colour.lerp(paint.finish(paint.hair * shadow, p, 0.84), scalp[i]);
        }
        if jaw[i] > 0.0 {
            *colour = colour.lerp(paint.finish(paint.beard * 0.85, p, 0.84), jaw[i]);
        }
        // The rim of the bust fades a little.
        *colour *= 1.0 - 0.12 * step(-0.78, -0.95, p.y);
    }
    let vertices = shaped
        .positions
        .iter()
        .enumerate()
        .map(|(i, p)| StudioVertex {
            position: p.to_array(),
            normal: normals[i].to_array(),
            albedo: albedo[i].clamp(Vec3::ZERO, Vec3::ONE).to_array(),
            gaze: anatomy.gaze[i].to_array(),
        })
        .collect();
    let triangles = [
        Part::Skin,
        Part::EyeLeft,
        Part::EyeRight,
        Part::LashLeft,
        Part::LashRight,
        Part::TeethUpper,
        Part::TeethLower,
        Part::Tongue,
    ]
    .into_iter()
    .flat_map(|part| anatomy.model.part_triangles(part).iter().copied())
    .collect();
    let bound = (0..shaped.positions.len() as u32).map(Some).collect();
    StudioMesh { vertices, triangles, bound }
}
