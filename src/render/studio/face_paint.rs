//! Paint on the face: clown, skull, tribal, tiger.

use super::anatomy::Warp;
use super::mesh::{StudioMesh, Surface};
use super::noise::{noise, step};
use super::paint::{LUMINANCE, Paint, polyline};
use crate::head::look::{FacePaint, Look};
use glam::{Vec2, Vec3};

const WHITE: Vec3 = Vec3::new(0.95, 0.94, 0.92);
const BLACK: Vec3 = Vec3::new(0.06, 0.055, 0.055);
const RED: Vec3 = Vec3::new(0.82, 0.08, 0.08);
const BLUE: Vec3 = Vec3::new(0.12, 0.30, 0.78);
const ORANGE: Vec3 = Vec3::new(0.93, 0.52, 0.12);

/// Height of the middle of the mouth, face coordinates.
const MOUTH: f32 = -0.222;

/// 1 within an ellipse on the front of the face, soft at its edge.
fn ellipse(p: Vec3, x: f32, y: f32, rx: f32, ry: f32) -> f32 {
    let d = (((p.x.abs() - x) / rx).powi(2) + ((p.y - y) / ry).powi(2)).sqrt();
    step(1.12, 0.94, d)
}

/// 1 on the face: from the hairline to the chin, back to the ears.
fn mask(p: Vec3) -> f32 {
    let across = p.x / 0.262;
    let along = (p.y + 0.065) / 0.315;
    step(1.06, 0.94, (across * across + along * along).sqrt()) * step(-0.20, -0.13, p.z)
}

/// The colour of painted skin at `p`, face coordinates; `bare` is the skin's own.
pub(super) fn over(kind: FacePaint, bare: Vec3, p: Vec3, seed: u32) -> Vec3 {
    let mask = mask(p);
    if kind == FacePaint::None || mask <= 0.0 {
        return bare;
    }
    let painted = match kind {
        FacePaint::None => bare,
        FacePaint::Clown => clown(p),
        FacePaint::Skull => skull(p),
        FacePaint::Tribal => tribal(bare, p),
        FacePaint::Tiger => tiger(p, seed),
    };
    bare.lerp(painted, mask)
}

fn clown(p: Vec3) -> Vec3 {
    let mut c = WHITE;
    // A drop over and below each eye.
    c = c.lerp(
        BLUE,
        ellipse(p, 0.095, 0.055, 0.036, 0.085) * (1.0 - ellipse(p, 0.095, -0.005, 0.056, 0.026)),
    );
    c = c.lerp(RED, 0.75 * ellipse(p, 0.165, -0.125, 0.042, 0.042));
    let smile = Vec2::new(p.x.abs(), p.y);
    let line = [
        Vec2::new(0.0, MOUTH - 0.006),
        Vec2::new(0.065, MOUTH - 0.001),
        Vec2::new(0.125, MOUTH + 0.045),
    ];
    let (d, along) = polyline(smile, &line);
    c.lerp(RED, step(0.040 - 0.022 * along, 0.032 - 0.022 * along, d))
}

fn skull(p: Vec3) -> Vec3 {
    let mut c = WHITE * 0.97;
    c = c.lerp(BLACK, ellipse(p, 0.095, 0.000, 0.066, 0.060));
    // The nose's hole, wider below.
    let width = 0.040 * step(-0.045, -0.13, p.y) + 0.006;
    let nose = step(width + 0.010, width - 0.004, p.x.abs()) * step(-0.055, -0.075, p.y);
    c = c.lerp(BLACK, nose * step(-0.178, -0.160, p.y) * step(0.03, 0.06, p.z));
    // Teeth: a dark seam with cross lines.
    let ax = p.x.abs();
    let wide = step(0.150, 0.125, ax);
    let seam = step(0.012, 0.005, (p.y - MOUTH).abs()) * wide;
    let lines = step(0.30, 0.62, (ax * 150.0).cos()) * step(0.060, 0.045, (p.y - MOUTH).abs());
    c = c.lerp(BLACK, seam.max(lines * wide));
    // Hollow cheeks and temples.
    let cheek = ellipse(p, 0.205, -0.175, 0.050, 0.095);
    let temple = ellipse(p, 0.225, 0.085, 0.040, 0.070);
    c * (1.0 - 0.62 * cheek.max(0.8 * temple))
}

fn tribal(bare: Vec3, p: Vec3) -> Vec3 {
    let ink = if bare.dot(LUMINANCE) > 0.34 { BLACK } else { WHITE };
    let q = Vec2::new(p.x.abs(), p.y);
    let lines: [&[Vec2]; 5] = [
        &[Vec2::new(0.055, -0.072), Vec2::new(0.12, -0.085), Vec2::new(0.215, -0.060)],
        &[Vec2::new(0.075, -0.115), Vec2::new(0.13, -0.130), Vec2::new(0.205, -0.118)],
        &[Vec2::new(0.055, 0.085), Vec2::new(0.085, 0.135), Vec2::new(0.165, 0.115)],
        &[Vec2::new(0.0, 0.20), Vec2::new(0.0, 0.055)],
        &[Vec2::new(0.035, -0.262), Vec2::new(0.045, -0.345)],
    ];
    let mut cover = 0.0_f32;
    for line in lines {
        let (d, along) = polyline(q, line);
        let width = 0.017 * (1.0 - 0.55 * along);
        cover = cover.max(step(width + 0.004, width - 0.004, d));
    }
    bare.lerp(ink, 0.95 * cover)
}

fn tiger(p: Vec3, seed: u32) -> Vec3 {
    let ax = p.x.abs();
    let mut c = ORANGE;
    let muzzle = ellipse(p, 0.045, -0.205, 0.085, 0.070);
    let eyes = ellipse(p, 0.095, 0.018, 0.060, 0.048);
    c = c.lerp(WHITE, muzzle.max(0.85 * eyes));
    let wobble = 0.5 * noise(Vec3::new(p.x * 6.0, p.y * 8.0, 2.0), seed ^ 0x61);
    // Stripes run in from the sides, and across the forehead.
    let sides = (p.y * 62.0 + 22.0 * (ax - 0.15) + wobble).sin();
    let reach = step(0.125, 0.19, ax) * (1.0 - muzzle);
    let brow = (p.y * 75.0 + wobble).sin() * step(0.07, 0.10, p.y) * step(0.11, 0.07, ax);
    c = c.lerp(BLACK, step(0.25, 0.55, sides) * reach);
    c = c.lerp(BLACK, step(0.25, 0.55, brow));
    c.lerp(BLACK, ellipse(p, 0.0, -0.135, 0.036, 0.026) * step(0.07, 0.10, p.z))
}

/// A clown's red nose.
pub(super) fn nose(warp: &Warp, look: &Look, paint: &Paint) -> Option<StudioMesh> {
    if look.face_paint != FacePaint::Clown || !look.is_living() {
        return None;
    }
    let mut surface = Surface::default();
    surface.ball(warp.apply(Vec3::new(0.0, -0.118, 0.145)), |_| 0.056);
    Some(surface.paint(|_, p| paint.finish(RED, p, 1.0)))
}
