//! The widget under a pretended mouse.

use super::super::{Content, Hit, Landmarks, OrbitCamera, Preset, Viewport, pace};
use super::ball;
use crate::geometry::TexturedMesh;
use crate::pipeline::instant;
use crate::render::studio::StudioSample;
use eframe::egui;
use eframe::egui_wgpu::{RenderState, RendererOptions};
use egui::{Event, Key, Modifiers, PointerButton, Pos2, Rect, pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use egui_kittest::wgpu::{WgpuTestRenderer, create_render_state, default_wgpu_setup};
use glam::Vec3;
use std::sync::Arc;
use std::time::Duration;

/// The widget and what it answered.
struct Bench {
    viewport: Viewport,
    clicked: Vec<Hit>,
    hovered: Option<Hit>,
    changes: u32,
    rect: Rect,
}

fn render_state() -> RenderState {
    create_render_state(default_wgpu_setup(), RendererOptions::PREDICTABLE)
}

fn bench(state: Option<RenderState>, content: Content) -> Harness<'static, Bench> {
    let mut viewport = Viewport::new(state.as_ref());
    viewport.set_content(content);
    let bench = Bench { viewport, clicked: vec![], hovered: None, changes: 0, rect: Rect::NOTHING };
    let builder =
        Harness::builder().with_size(vec2(416.0, 316.0)).with_step_dt(0.01).with_max_steps(100);
    let builder = match state {
        Some(state) => builder.renderer(WgpuTestRenderer::from_render_state(state)),
        None => builder,
    };
    let mut harness = builder.build_ui_state(
        |ui, bench: &mut Bench| {
            bench.rect = ui.available_rect_before_wrap();
            let happened = bench.viewport.ui(ui);
            bench.clicked.extend(happened.clicked);
            bench.hovered = happened.hovered;
            bench.changes += u32::from(happened.changed);
        },
        bench,
    );
    harness.run();
    harness
}

fn with_ball() -> Harness<'static, Bench> {
    bench(Some(render_state()), Content { after: Some(ball()), ..Default::default() })
}

fn head() -> Arc<TexturedMesh> {
    Arc::new(instant::build(&StudioSample::random(3), 256).expect("fits").rest)
}

fn camera(harness: &Harness<'_, Bench>) -> OrbitCamera {
    harness.state().viewport.camera
}

fn button(
    harness: &Harness<'_, Bench>,
    pos: Pos2,
    button: PointerButton,
    pressed: bool,
    shift: bool,
) {
    let modifiers = Modifiers { shift, ..Modifiers::NONE };
    harness.event_modifiers(Event::PointerButton { pos, button, pressed, modifiers }, modifiers);
}

fn drag(harness: &mut Harness<'_, Bench>, which: PointerButton, shift: bool, from: Pos2, to: Pos2) {
    harness.hover_at(from);
    harness.run();
    button(harness, from, which, true, shift);
    harness.run();
    for step in 1..=4 {
        let at = from + (to - from) * (step as f32 / 4.0);
        let modifiers = Modifiers { shift, ..Modifiers::NONE };
        harness.event_modifiers(Event::PointerMoved(at), modifiers);
        harness.run();
    }
    button(harness, to, which, false, shift);
    harness.run();
}

fn click(harness: &mut Harness<'_, Bench>, at: Pos2) {
    harness.hover_at(at);
    button(harness, at, PointerButton::Primary, true, false);
    button(harness, at, PointerButton::Primary, false, false);
    harness.run();
}

#[test]
fn nothing_is_drawn_when_nothing_changes() {
    let mut harness = with_ball();
    let drawn = harness.state().viewport.render_count();
    assert_eq!(drawn, 1);
    harness.run_steps(5);
    harness.hover_at(pos2(100.0, 100.0));
    harness.run_steps(3);
    assert_eq!(harness.state().viewport.render_count(), drawn);
    // Landmarks are painted over the picture.
    harness.state_mut().viewport.settings.landmarks = true;
    let again = harness.state().viewport.content().clone();
    harness.state_mut().viewport.set_content(again);
    harness.run_steps(2);
    assert_eq!(harness.state().viewport.render_count(), drawn);
    harness.state_mut().viewport.settings.wireframe = true;
    harness.run_steps(3);
    assert_eq!(harness.state().viewport.render_count(), drawn + 1);
    let ball = ball();
    let pose = (ball.mesh.positions.clone(), ball.normals.clone());
    harness.state_mut().viewport.set_pose(pose.0, pose.1).expect("fits");
    harness.run_steps(3);
    assert_eq!(harness.state().viewport.render_count(), drawn + 2);
    harness.set_size(vec2(300.0, 300.0));
    harness.run_steps(3);
    assert_eq!(harness.state().viewport.render_count(), drawn + 3);
    // Points are two pixels each, and so the picture is four times as large.
    harness.set_pixels_per_point(2.0);
    harness.run_steps(3);
    assert_eq!(harness.state().viewport.render_count(), drawn + 4);
    let gpu = harness.state().viewport.gpu.as_ref().expect("a device");
    let picture = gpu.renderer.picture().expect("drawn");
    let size = harness.state().rect.size() * 2.0;
    assert_eq!((picture.width() as f32, picture.height() as f32), (size.x, size.y));
    assert_eq!(harness.state().changes, 0);
}

#[test]
fn beside_a_job_a_movement_has_fewer_pictures_and_its_end_all_the_same() {
    let mut harness = with_ball();
    harness.state_mut().viewport.pace = Duration::from_hours(1);
    let drawn = harness.state().viewport.render_count();
    let rest = |harness: &Harness<'_, Bench>| {
        let drawn = harness.state().viewport.drawn.clone().expect("a picture");
        (drawn.camera, drawn.moving)
    };
    let before = camera(&harness);
    drag(&mut harness, PointerButton::Primary, false, pos2(100.0, 100.0), pos2(220.0, 140.0));
    assert_ne!(camera(&harness), before);
    // Its first picture and its last.
    assert_eq!(harness.state().viewport.render_count(), drawn + 2);
    assert_eq!(rest(&harness), (camera(&harness), false));
    harness.state_mut().viewport.pace = Duration::ZERO;
    drag(&mut harness, PointerButton::Primary, false, pos2(100.0, 100.0), pos2(220.0, 140.0));
    assert!(harness.state().viewport.render_count() > drawn + 4);
    assert_eq!(rest(&harness), (camera(&harness), false));
    let kinds = [wgpu::DeviceType::Cpu, wgpu::DeviceType::DiscreteGpu];
    assert!(kinds.map(pace)[0] > kinds.map(pace)[1]);
}

#[test]
fn a_view_without_room_is_no_trouble() {
    let mut harness = with_ball();
    let drawn = harness.state().viewport.render_count();
    harness.set_size(vec2(16.0, 200.0));
    harness.run_steps(2);
    assert_eq!(harness.state().viewport.render_count(), drawn);
    assert_eq!(harness.state().viewport.failure(), None);
}

#[test]
fn drags_turn_and_move() {
    let mut harness = with_ball();
    let (from, to) = (pos2(200.0, 150.0), pos2(250.0, 170.0));
    drag(&mut harness, PointerButton::Primary, false, from, to);
    let turned = camera(&harness);
    assert!((turned.azimuth_degrees - -20.0).abs() < 0.01, "{turned:?}");
    assert!((turned.elevation_degrees - 8.0).abs() < 0.01, "{turned:?}");
    assert!(harness.state().changes > 0 && harness.state().clicked.is_empty());
    // What stays on the screen is as good as it gets.
    let drawn = harness.state().viewport.drawn.clone().expect("drawn");
    assert!(!drawn.moving && drawn.camera == turned);
    for (which, shift) in [
        (PointerButton::Primary, true),
        (PointerButton::Secondary, false),
        (PointerButton::Middle, false),
    ] {
        let old = camera(&harness);
        let rect = harness.state().rect;
        let before = old.project(old.target, rect).expect("in front");
        drag(&mut harness, which, shift, from, to);
        let new = camera(&harness);
        let after = new.project(old.target, rect).expect("in front");
        assert!(((after - before) - (to - from)).length() < 0.05, "{which:?}: {before} {after}");
        assert_eq!(new.azimuth_degrees, old.azimuth_degrees);
    }
}

#[test]
fn scrolling_zooms_and_a_double_click_fits() {
    let mut harness = with_ball();
    let first = camera(&harness).distance;
    harness.hover_at(harness.state().rect.center());
    harness.event(Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        source: egui::MouseWheelSource::Wheel,
        delta: vec2(0.0, 80.0),
        phase: egui::TouchPhase::Move,
        modifiers: Modifiers::NONE,
    });
    harness.run();
    let near = camera(&harness).distance;
    assert!(near < 0.9 * first, "{first} {near}");
    let drawn = harness.state().viewport.render_count();
    harness.event(Event::Zoom(0.5));
    harness.run();
    assert!((camera(&harness).distance / near - 2.0).abs() < 0.01);
    assert!(harness.state().viewport.render_count() > drawn);
    let at = harness.state().rect.center();
    for pressed in [true, false, true, false] {
        button(&harness, at, PointerButton::Primary, pressed, false);
    }
    harness.run();
    let fitted = camera(&harness);
    // The ball has a radius of 0.45.
    assert!((1.8..1.9).contains(&fitted.distance), "{fitted:?}");
    assert!(fitted.target.length() < 1e-3);
    assert_eq!(harness.state().clicked.len(), 1, "the second click is no choice of a place");
}

#[test]
fn a_click_picks_what_is_seen() {
    let head = head();
    // The nose is what is farthest in front near the middle of the face.
    let nose = head.mesh.positions.iter().copied().filter(|p| p.x.abs() < 0.03);
    let nose = nose.filter(|p| p.y.abs() < 0.25).max_by(|a, b| a.z.total_cmp(&b.z));
    let nose = nose.expect("a nose");
    let content = Content { after: Some(Arc::clone(&head)), ..Default::default() };
    let mut harness = bench(Some(render_state()), content);
    let rect = harness.state().rect;
    let at = camera(&harness).project(nose, rect).expect("in front");
    click(&mut harness, at);
    let hit = harness.state().clicked[0];
    assert!(hit.position.distance(nose) < 0.02, "{hit:?} {nose}");
    assert!(hit.normal.z > 0.0);
    // A drag and a click beside the head pick nothing.
    drag(&mut harness, PointerButton::Primary, false, at, at + vec2(30.0, 0.0));
    click(&mut harness, rect.left_top() + vec2(4.0, 4.0));
    assert_eq!(harness.state().clicked.len(), 1);
    // Neither does hovering, unless it is asked for.
    harness.state_mut().viewport.camera = OrbitCamera::default();
    harness.hover_at(at);
    harness.run();
    assert_eq!(harness.state().hovered, None);
    harness.state_mut().viewport.pick_on_hover = true;
    harness.run();
    assert_eq!(harness.state().hovered, Some(hit));
    // What is picked is the head as it is posed.
    let shifted = head.mesh.positions.iter().map(|p| *p + Vec3::Z * 0.1).collect();
    harness.state_mut().viewport.set_pose(shifted, head.normals.clone()).expect("fits");
    harness.run();
    let moved = harness.state().hovered.expect("still there");
    assert!((moved.position.z - hit.position.z - 0.1).abs() < 0.03, "{moved:?}");
}

#[test]
fn keys_work_where_the_pointer_is_and_where_the_focus_is() {
    let mut harness = with_ball();
    harness.key_press(Key::Num3);
    harness.run();
    assert!(camera(&harness).looks(Preset::Front), "the pointer is elsewhere");
    harness.hover_at(harness.state().rect.center());
    harness.key_press(Key::Num3);
    harness.run();
    assert!(camera(&harness).looks(Preset::Left));
    harness.get_by_label_contains("left side").focus();
    harness.remove_cursor();
    harness.run();
    harness.key_press(Key::ArrowRight);
    harness.key_press(Key::ArrowUp);
    harness.run();
    let turned = camera(&harness);
    assert!((turned.azimuth_degrees - 105.0).abs() < 0.01, "{turned:?}");
    assert!((turned.elevation_degrees - 15.0).abs() < 0.01);
    harness.key_press(Key::F);
    harness.run();
    assert!(camera(&harness).distance < turned.distance);
    harness.get_by_label("3D view of the head, view of the subject's left side");
}

#[test]
fn the_border_between_before_and_after_moves() {
    let content = Content { after: Some(ball()), before: Some(head()), ..Content::default() };
    let mut harness = bench(Some(render_state()), content);
    assert!(harness.query_by_label_contains("Border").is_none());
    harness.state_mut().viewport.settings.compare = true;
    harness.run();
    let rect = harness.state().rect;
    drag(
        &mut harness,
        PointerButton::Primary,
        false,
        rect.center(),
        rect.center() - vec2(100., 0.),
    );
    let split = harness.state().viewport.settings.split;
    assert!((split - 0.25).abs() < 0.01, "{split}");
    assert!(camera(&harness).looks(Preset::Front), "the head stays where it is");
    harness.get_by_label_contains("Border").focus();
    harness.run();
    harness.key_press(Key::ArrowRight);
    harness.run();
    let split = harness.state().viewport.settings.split;
    assert!((split - 0.3).abs() < 0.01, "{split}");
    // Only the head as it is can be picked.
    click(&mut harness, pos2(rect.left() + 60.0, rect.center().y));
    assert!(harness.state().clicked.is_empty());
    click(&mut harness, rect.center() + vec2(20.0, 0.0));
    assert_eq!(harness.state().clicked.len(), 1);
}

#[test]
fn failures_are_sentences() {
    let mut harness = bench(None, Content { after: Some(ball()), ..Default::default() });
    assert!(harness.state().viewport.failure().is_some_and(|text| text.contains("driver")));
    let state = render_state();
    harness.state_mut().viewport.reset_gpu(Some(&state));
    harness.run();
    assert_eq!(harness.state().viewport.failure(), None);
    assert_eq!(harness.state().viewport.render_count(), 1);
    let mut broken = (*ball()).clone();
    broken.uvs.clear();
    let content = Content { after: Some(Arc::new(broken)), ..Default::default() };
    harness.state_mut().viewport.set_content(content);
    harness.run();
    let failure = harness.state().viewport.failure().expect("refused").to_owned();
    assert!(failure.starts_with("The 3D view") && failure.ends_with('.'), "{failure}");
    // Another head is another try.
    let content = Content { after: Some(ball()), ..Default::default() };
    harness.state_mut().viewport.set_content(content);
    harness.run();
    assert_eq!(harness.state().viewport.failure(), None);
    state.device.destroy();
    harness.state_mut().viewport.settings.wireframe = true;
    harness.run();
    harness.state_mut().viewport.settings.wireframe = false;
    harness.run();
    assert!(harness.state().viewport.failure().is_some());
    harness.state_mut().viewport.reset_gpu(Some(&render_state()));
    harness.run();
    assert_eq!(harness.state().viewport.failure(), None);
}

#[test]
fn the_window_shows_the_picture_with_landmarks_over_it() {
    let landmarks = Landmarks {
        points: vec![Vec3::new(0.1, 0.1, 0.43), Vec3::new(-0.1, 0.1, 0.43)],
        lines: vec![[0, 1], [0, 7]],
    };
    let content = Content {
        after: Some(ball()),
        landmarks: Some(Arc::new(landmarks.clone())),
        ..Content::default()
    };
    let mut harness = bench(Some(render_state()), content);
    harness.set_render_cursor(false);
    let rect = harness.state().rect;
    let at = camera(&harness).project(landmarks.points[0], rect).expect("in front");
    let plain = harness.render().expect("renders");
    harness.state_mut().viewport.settings.landmarks = true;
    harness.run();
    let marked = harness.render().expect("renders");
    let pixel = |image: &image::RgbaImage, at: Pos2| image.get_pixel(at.x as u32, at.y as u32).0;
    assert!(pixel(&plain, at)[0] > 80);
    assert_eq!(pixel(&marked, at), [0x5c, 0xe1, 0xff, 255]);
    let background = harness.state().viewport.settings.background;
    assert_eq!(pixel(&marked, rect.left_top() + vec2(9.0, 9.0))[..3], background);
    assert_eq!(pixel(&marked, rect.right_bottom() - vec2(9.0, 9.0))[..3], background);
}

#[test]
fn the_toolbar_names_its_switches() {
    let mut viewport = Viewport::new(None);
    viewport.set_content(Content { after: Some(ball()), ..Default::default() });
    let mut harness = Harness::builder().with_size(vec2(700.0, 300.0)).build_ui_state(
        |ui, viewport: &mut Viewport| {
            viewport.toolbar(ui);
        },
        viewport,
    );
    harness.run();
    for name in ["Texture", "Wireframe"] {
        harness.get_by_label(name).click();
        harness.run();
    }
    assert!(harness.state().settings.wireframe);
    assert_eq!(harness.state().settings.mode.label(), "Texture");
    assert!(harness.get_by_label("Compare").accesskit_node().is_disabled());
    harness.get_by_label("View").click();
    harness.run();
    harness.get_by_label_contains("Right side").click();
    harness.run();
    assert!(harness.state().camera.looks(Preset::Right));
    harness.get_by_label("Fit").click();
    harness.run();
    assert!(harness.state().camera.distance < OrbitCamera::default().distance);
    harness.get_by_label("Light").click();
    harness.run();
    harness.get_by_label("Reset light");
}
