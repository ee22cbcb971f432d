//! What is painted over the picture of the live view.

use super::camera::OrbitCamera;
use eframe::egui;
use egui::{Align2, Color32, FontId, Painter, Pos2, Rect, Stroke, vec2};
use glam::Vec3;

/// Named places of a head, and lines between them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Landmarks {
    /// Where they are, world units.
    pub points: Vec<Vec3>,
    /// Pairs of points to join; those that name a point that is not there are left out.
    pub lines: Vec<[u32; 2]>,
}

/// A place of the view, and whether the surface there faces the viewer.
type Placed = Option<(Pos2, bool)>;

/// How visible landmarks are that face away.
const FAINT: f32 = 0.12;
const POINT: Color32 = Color32::from_rgb(0x5c, 0xe1, 0xff);
/// Free room round labels, points.
const LABEL_MARGIN: f32 = 8.0;

/// Paints landmarks at `points` on a surface with those normals there.
pub(super) fn landmarks(
    painter: &Painter,
    rect: Rect,
    camera: &OrbitCamera,
    points: &[(Vec3, Vec3)],
    lines: &[[u32; 2]],
) {
    let eye = camera.eye();
    let placed: Vec<Placed> = points
        .iter()
        .map(|(point, normal)| {
            Some((camera.project(*point, rect)?, normal.dot(eye - *point) > 0.0))
        })
        .collect();
    let opacity = |facing: bool| if facing { 1.0 } else { FAINT };
    let at = |index: u32| placed.get(index as usize).copied().flatten();
    for [from, to] in lines {
        if let (Some((from, a)), Some((to, b))) = (at(*from), at(*to)) {
            let colour = POINT.gamma_multiply(0.6 * opacity(a && b));
            painter.line_segment([from, to], Stroke::new(1.0, colour));
        }
    }
    for (place, facing) in placed.into_iter().flatten() {
        let opacity = opacity(facing);
        // A dark rim makes them visible on bright skin as well.
        painter.circle(
            place,
            2.2,
            POINT.gamma_multiply(opacity),
            Stroke::new(1.0, Color32::from_black_alpha(170).gamma_multiply(opacity)),
        );
    }
}

/// Paints the line between before and after at `x`, its handle, and what is on which side.
pub(super) fn split(painter: &Painter, rect: Rect, x: f32, active: bool) {
    let bright = Color32::from_white_alpha(if active { 255 } else { 200 });
    let shade = Color32::from_black_alpha(110);
    painter.vline(x, rect.y_range(), Stroke::new(3.0, shade));
    painter.vline(x, rect.y_range(), Stroke::new(1.5, bright));
    let centre = Pos2::new(x, rect.center().y);
    let radius = 11.0;
    painter.circle(centre, radius, Color32::from_black_alpha(190), Stroke::new(1.5, bright));
    for side in [-1.0, 1.0] {
        let tip = centre + vec2(side * 7.0, 0.0);
        let wing = vec2(-side * 3.5, 4.0);
        painter.line(vec![tip + wing, tip, tip + vec2(wing.x, -wing.y)], Stroke::new(1.5, bright));
    }
    let top = rect.top() + LABEL_MARGIN;
    for (words, align, side) in
        [("before", Align2::RIGHT_TOP, -1.0), ("after", Align2::LEFT_TOP, 1.0)]
    {
        let half = if side < 0.0 { rect.with_max_x(x) } else { rect.with_min_x(x) };
        label(&painter.with_clip_rect(half), Pos2::new(x + side * LABEL_MARGIN, top), align, words);
    }
}

/// Paints words on a dark ground.
fn label(painter: &Painter, at: Pos2, align: Align2, words: &str) {
    let font = FontId::proportional(12.0);
    let text = painter.layout_no_wrap(words.to_owned(), font, Color32::WHITE);
    let padding = vec2(7.0, 3.0);
    let place = align.anchor_size(at, text.size() + 2.0 * padding);
    painter.rect_filled(place, 6.0, Color32::from_black_alpha(170));
    painter.galley(place.min + padding, text, Color32::WHITE);
}
