//! Moving the face.

use super::{Context, heading};
use crate::app::Action;
use crate::geometry::MorphMesh;
use crate::head::look::Expression;
use eframe::egui;
use egui::{Slider, Ui};
use std::sync::Arc;

/// Seconds from one blink to the next, and how long one takes.
const BLINK: (f64, f64) = (3.4, 0.28);

/// Groups of face units by how their names begin.
const GROUPS: [(&str, &[&str]); 6] = [
    ("Eyes", &["eye"]),
    ("Brows", &["brow"]),
    ("Jaw", &["jaw"]),
    ("Mouth", &["mouth"]),
    ("Cheeks and nose", &["cheek", "nose"]),
    ("Tongue", &["tongue"]),
];

/// The expression panel.
#[derive(Debug, Default)]
pub struct ExpressionPanel {
    /// The weights that are shown, one a morph target.
    weights: Vec<f32>,
    /// The head that they belong to.
    of: Option<Arc<MorphMesh>>,
    filter: String,
    /// Whether the face blinks and talks by itself.
    is_playing: bool,
}

impl ExpressionPanel {
    /// The panel.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Context<'_>) {
        heading(ui, "Expression");
        let Some(head) = cx.document.and_then(|document| document.head()) else {
            ui.weak("Make a head to move its face.");
            self.is_playing = false;
            return;
        };
        if head.morph.targets.is_empty() {
            self.is_playing = false;
            ui.label("This head has no face units: it does not move yet.");
            ui.weak(
                "Heads of the preset “instant” carry the 52 ARKit units. Heads that were \
                 optimised or edited are a surface of their own so far.",
            );
            return;
        }
        if self.of.as_ref().is_none_or(|of| !Arc::ptr_eq(of, &head.morph)) {
            self.of = Some(Arc::clone(&head.morph));
            self.weights.clone_from(&head.morph.weights);
        }
        let old = self.weights.clone();
        self.poses(ui, &head.morph);
        ui.horizontal(|ui| {
            let text = if self.is_playing { "Stop moving" } else { "Blink and talk" };
            if ui.button(text).on_hover_text("Let the face move by itself").clicked() {
                self.is_playing = !self.is_playing;
                if !self.is_playing {
                    self.weights.clone_from(&head.morph.weights);
                }
            }
            if ui.button("Reset").on_hover_text("Back to the head's own expression").clicked() {
                self.weights.clone_from(&head.morph.weights);
                self.is_playing = false;
            }
        });
        if self.is_playing {
            self.play(&head.morph, ui.input(|input| input.time));
            ui.ctx().request_repaint_after(std::time::Duration::from_millis(33));
        }
        ui.add(
            egui::TextEdit::singleline(&mut self.filter)
                .hint_text("filter, as “blink”")
                .desired_width(f32::INFINITY),
        );
        for (group, prefixes) in GROUPS {
            let of_group = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix));
            let filter = self.filter.to_lowercase();
            let chosen: Vec<usize> = (0..head.morph.targets.len())
                .filter(|&i| of_group(&head.morph.targets[i].name))
                .filter(|&i| label(&head.morph.targets[i].name).to_lowercase().contains(&filter))
                .collect();
            if chosen.is_empty() {
                continue;
            }
            let open = if filter.is_empty() { None } else { Some(true) };
            egui::CollapsingHeader::new(group).open(open).default_open(group == "Mouth").show(
                ui,
                |ui| {
                    for i in chosen {
                        let name = label(&head.morph.targets[i].name);
                        ui.add(
                            Slider::new(&mut self.weights[i], 0.0..=1.0)
                                .text(name)
                                .fixed_decimals(2),
                        )
                        .on_hover_text(&head.morph.targets[i].name);
                    }
                },
            );
        }
        if old != self.weights {
            cx.actions.push(Action::Pose(self.weights.clone()));
        }
    }

    fn poses(&mut self, ui: &mut Ui, morph: &MorphMesh) {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = egui::vec2(4.0, 4.0);
            for expression in Expression::ALL {
                if ui.small_button(expression.name()).on_hover_text("Take this pose").clicked() {
                    self.is_playing = false;
                    self.weights.fill(0.0);
                    for (name, weight) in expression.units() {
                        self.set(morph, name, *weight);
                    }
                }
            }
        });
    }

    fn set(&mut self, morph: &MorphMesh, name: &str, weight: f32) {
        if let Some(i) = morph.targets.iter().position(|target| target.name == name) {
            self.weights[i] = weight;
        }
    }

    /// Blinking and talking at a time in seconds, over the head's own expression.
    fn play(&mut self, morph: &MorphMesh, time: f64) {
        self.weights.clone_from(&morph.weights);
        let (every, long) = BLINK;
        let shut = 1.0 - (2.0 * (time % every) / long - 1.0).abs();
        let wave = |hertz: f64, phase: f64| {
            0.5 + 0.5 * (std::f64::consts::TAU * hertz * time + phase).sin()
        };
        // Syllables, and pauses between sentences.
        let speaks = f64::from((time % 5.0) < 3.6);
        let syllable = speaks * wave(3.1, 0.0) * (0.4 + 0.6 * wave(0.7, 1.0));
        let mut add = |name: &str, weight: f64| {
            if let Some(i) = morph.targets.iter().position(|target| target.name == name) {
                self.weights[i] = (self.weights[i] + weight as f32).clamp(0.0, 1.0);
            }
        };
        for side in ["Left", "Right"] {
            add(&format!("eyeBlink{side}"), shut.max(0.0));
            add(&format!("mouthStretch{side}"), 0.25 * speaks * wave(1.3, 0.5));
        }
        add("jawOpen", 0.45 * syllable);
        add("mouthFunnel", 0.4 * speaks * wave(1.1, 2.0) * wave(0.4, 0.0));
        add("mouthPucker", 0.3 * speaks * wave(0.9, 4.0) * wave(0.3, 1.0));
        add("browInnerUp", 0.25 * wave(0.23, 0.0));
    }
}

/// A face unit's name as words: `jawOpen` is "jaw open".
fn label(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_uppercase() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{MorphTarget, TexturedMesh};

    #[test]
    fn names_become_words() {
        assert_eq!(label("mouthSmileLeft"), "mouth smile left");
    }

    #[test]
    fn a_face_that_plays_blinks_and_stays_within_bounds() {
        let target = |name: &str| MorphTarget {
            name: name.into(),
            vertices: Vec::new(),
            deltas: Vec::new(),
        };
        let morph = MorphMesh {
            rest: TexturedMesh {
                mesh: crate::geometry::Mesh::default(),
                normals: Vec::new(),
                uvs: Vec::new(),
                albedo: image::RgbaImage::new(1, 1),
            },
            targets: vec![target("eyeBlinkLeft"), target("jawOpen")],
            weights: vec![0.0, 0.9],
        };
        let mut panel = ExpressionPanel::default();
        let played: Vec<Vec<f32>> = (0..400)
            .map(|i| {
                panel.play(&morph, f64::from(i) * 0.02);
                panel.weights.clone()
            })
            .collect();
        let range = |k: usize| {
            played.iter().fold((1.0_f32, 0.0_f32), |(lo, hi), w| (lo.min(w[k]), hi.max(w[k])))
        };
        assert!(range(0).0 == 0.0 && range(0).1 > 0.8, "{:?}", range(0));
        assert!(range(1).0 >= 0.9 && range(1).1 <= 1.0, "{:?}", range(1));
    }
}
