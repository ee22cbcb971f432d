//! Beards and brows: thin volumes grown on the posed skin.

use super::anatomy::Anatomy;
use super::hair::Skin;
use super::mesh::StudioMesh;
use super::noise::{interpolate, noise, step};
use super::paint::{BROW, Paint, polyline};
use crate::head::look::{BeardStyle, Brows, Look};
use crate::head::{Part, Region};
use glam::{Vec2, Vec3};

/// Signed distance inside the area where the beard grows.
fn area(anatomy: &Anatomy, style: BeardStyle, vertex: usize, lips: &[f32], mouth: &[f32]) -> f32 {
    let p = anatomy.at[vertex];
    let ax = p.x.abs();
    if p.y > 0.03 || p.z < -0.26 {
        return -1.0;
    }
    // Cheek line from the sideburn to the corner of the moustache, then under the nose.
    let cheek = interpolate(
        &[(-0.19, -0.03), (-0.13, -0.075), (-0.05, -0.145), (0.02, -0.185), (0.06, -0.178)],
        p.z,
    );
    let top = if ax < 0.095 {
        interpolate(&[(0.0, -0.163), (0.03, -0.166), (0.06, -0.170), (0.095, -0.180)], ax)
    } else {
        cheek
    };
    let under = interpolate(
        &[(-0.2, -0.20), (-0.15, -0.285), (-0.08, -0.365), (0.0, -0.41), (0.06, -0.43)],
        p.z,
    );
    let lip = 0.010 - 0.030 * lips[vertex].max(mouth[vertex]);
    let whole = (top - p.y).min(p.y - under).min(p.z + 0.172).min(lip);
    match style {
        BeardStyle::Moustache => {
            let low = -0.200 - 0.42 * (ax - 0.03).max(0.0);
            (top - p.y).min(p.y - low).min(0.092 - ax).min(lip)
        }
        BeardStyle::Sideburns => whole.min(ax - 0.118).min(p.y + 0.315),
        BeardStyle::Goatee => whole.min(0.080 - ax).min(p.z + 0.005),
        _ => whole,
    }
}

/// The shadow that a beard leaves on the skin, 0..1 per vertex.
pub(super) fn tint(anatomy: &Anatomy, look: &Look) -> Vec<f32> {
    let lips = anatomy.model.region(Region::Lips);
    let mouth = anatomy.model.region(Region::InnerMouth);
    (0..anatomy.at.len())
        .map(|i| match look.beard {
            BeardStyle::None => 0.0,
            _ if anatomy.part[i] != Part::Skin => 0.0,
            BeardStyle::Stubble => {
                0.42 * step(-0.015, 0.025, area(anatomy, BeardStyle::Full, i, lips, mouth))
            }
            style => 0.9 * step(-0.008, 0.010, area(anatomy, style, i, lips, mouth)),
        })
        .collect()
}

/// The beard's volume.
pub(super) fn build(skin: &Skin<'_>, look: &Look, paint: &Paint) -> Option<StudioMesh> {
    if matches!(look.beard, BeardStyle::None | BeardStyle::Stubble) {
        return None;
    }
    let anatomy = skin.anatomy;
    let lips = anatomy.model.region(Region::Lips);
    let mouth = anatomy.model.region(Region::InnerMouth);
    let seed = paint.seed ^ 0x51;
    let long = look.beard == BeardStyle::Long;
    let inside = |i: usize| area(anatomy, look.beard, i, lips, mouth);
    let (surface, source) = skin.patch(|i| {
        let p = anatomy.at[i];
        let d = inside(i);
        if d < -0.05 || mouth[i] > 0.6 {
            return None;
        }
        let chin = step(-0.22, -0.33, p.y) * step(-0.12, 0.02, p.z);
        let base = match look.beard {
            BeardStyle::Moustache => 0.019,
            BeardStyle::Goatee => 0.018 + 0.020 * chin,
            BeardStyle::Sideburns => 0.020 + 0.018 * look.beard_length,
            _ => 0.016 + 0.014 * look.beard_length + 0.022 * chin,
        };
        let bump = 1.0 + 0.16 * noise(p * 17.0, seed);
        let t = base * bump * (d / 0.014).tanh();
        let mut move_by = skin.normals[i] * t;
        if long && d > 0.0 {
            let ax = p.x.abs();
            let pull = step(-0.235, -0.36, p.y)
                * step(-0.15, 0.0, p.z)
                * (1.0 - 0.55 * step(0.03, 0.16, ax));
            let reach = (0.20 + 0.20 * look.beard_length) * pull * (d / 0.04).tanh();
            move_by += Vec3::new(-p.x * 0.9 * pull * look.beard_length, -1.0, 0.10) * reach
                + Vec3::new(-p.x * 0.35 * pull, 0.0, 0.0);
        } else if look.beard == BeardStyle::Goatee || look.beard == BeardStyle::Full {
            move_by.y -= 0.03 * look.beard_length * chin * (d / 0.03).tanh().max(0.0);
        }
        Some((t, move_by))
    });
    let mut mesh = surface.paint(|k, _| {
        let i = source[k] as usize;
        let p = anatomy.at[i];
        let grain = 0.6 * noise(Vec3::new(p.x * 34.0, p.y * 9.0, p.z * 34.0), seed ^ 1)
            + 0.4 * noise(p * 50.0, seed ^ 2);
        paint.strands(paint.beard, p, grain, step(0.018, 0.0, inside(i)))
    });
    mesh.bind(|k| Some(source[k]));
    Some(mesh)
}

/// The brows' volumes.
pub(super) fn brows(skin: &Skin<'_>, look: &Look, paint: &Paint) -> StudioMesh {
    let anatomy = skin.anatomy;
    let (width, height) = match look.brows {
        Brows::Thin => (0.0062, 0.006),
        Brows::Medium => (0.0105, 0.008),
        Brows::Bushy => (0.0185, 0.015),
    };
    let inside = |p: Vec3| {
        if p.z < -0.03 {
            return -1.0;
        }
        let (d, along) = polyline(Vec2::new(p.x.abs(), p.y), &BROW);
        width * interpolate(&[(0.0, 0.85), (0.35, 1.1), (0.75, 0.95), (1.0, 0.45)], along) - d
    };
    let (surface, source) = skin.patch(|i| {
        let d = inside(anatomy.at[i]);
        (d > -0.03).then(|| {
            let t = height * (d / 0.008).tanh();
            (t, skin.normals[i] * t)
        })
    });
    let mut mesh = surface.paint(|k, _| {
        let p = anatomy.at[source[k] as usize];
        let grain = noise(p * Vec3::new(60.0, 20.0, 20.0), paint.seed ^ 0x77);
        paint.strands(paint.brow, p, 0.6 * grain, 0.0)
    });
    mesh.bind(|k| Some(source[k]));
    mesh
}
